"""A seller answers several buyers of one lot at once; each answer is a move of its own."""

import re
from html import unescape
from uuid import UUID

import httpx
import pytest

from exchange.listings.rules.lots import CostAnswer
from exchange.offers import actions
from exchange.offers.rules import refusals
from tests.factories import bearer, sign_in
from tests.offers.stage import Stage, euros, staged
from tests.offers.test_lines import bid, lines_on, offered

pytestmark = pytest.mark.usefixtures("db")


async def bidding(stage: Stage) -> list[UUID]:
    """Three buyers: one for 60 units, one for 50, one for ten of a line."""
    return [
        await stage.offer("8", 60),
        await stage.offer("7", 50, by=await stage.another_buyer()),
        await offered(stage, bid(((await lines_on(stage))[0], 10, "6")), by=await stage.another_buyer()),
    ]


async def test_each_buyer_is_countered_by_the_rules_and_the_first_to_agree_buys() -> None:
    stage = await staged()
    first, second, third = every = await bidding(stage)
    gone = await stage.offer("8", 10, by=await stage.another_buyer())
    await stage.refuse(gone)
    results = await actions.counter_offers(
        negotiation_ids=[*every, gone], price=euros("8"), cost=CostAnswer.END_OF_SEASON, by=stage.seller.actor
    )
    assert [(r.bid.quantity, r.bid.total) if r.bid else type(r.refusal) for r in results] == [
        refusals.BetterToAccept, (50, euros("400")), (10, euros("80")), refusals.NothingToAnswer,
    ]  # fmt: skip
    assert await stage.left() == 100, "counter-offers reserve nothing"
    again = await actions.counter_offers(negotiation_ids=[second], price=euros("7.50"), by=stage.seller.actor)
    assert isinstance(again[0].refusal, refusals.NotYourTurn)
    await stage.accept(second, "8", 50, by=stage.buyers[0])
    assert [await stage.state(t) for t in (first, second, third)] == ["unavailable", "agreed", "live"]
    assert await actions.counter_offers(negotiation_ids=[third], price=euros("7"), by=stage.buyer.actor) == []


async def test_a_form_counters_the_ticked_and_tells_what_became_of_each(client: httpx.AsyncClient) -> None:
    stage = await staged()
    first, second, third = await bidding(stage)
    at = f"/lots/{stage.lot_id}/talks"
    await sign_in(client, stage.seller)
    page = unescape((await client.get(at)).text)
    assert re.findall(r'name="talk" value="([^"]+)"', page) == [str(first), str(second), str(third)], (
        "the highest first"
    )
    for buyer in (stage.buyer, *stage.buyers):
        assert buyer.company and buyer.company.trading_name not in page and buyer.name not in page
    assert (await client.post(at, data={"price": "9"})).status_code == 422, "nobody ticked"
    ended = await stage.offer("6", 10, by=await stage.another_buyer())
    await stage.withdraw(ended, by=stage.buyers[-1])
    gone = unescape((await client.post(at, data={"talk": str(ended), "price": "9", f"seen.{ended}": "1"})).text)
    assert "not sent" in gone and "No offer awaits an answer here" in gone, (
        "a tick for what ended meanwhile is answered"
    )
    form = {
        "talk": [str(first), str(second)],
        "price": "7.50",
        "cost": "end_of_season",
        **dict.fromkeys((f"seen.{first}", f"seen.{second}"), "1"),
    }
    answer = unescape((await client.post(at, data=form)).text)
    assert "Their offer is at least as good for you" in answer
    assert (await stage.state(first), "375.00" in answer) == ("live", True)
    seen = {f"seen.{t}": "1" for t in (first, third)}
    declined = await client.post("/talks/refusals", data={"talk": [str(first), str(third)]} | seen)
    assert declined.status_code == 303
    assert [await stage.state(t) for t in (first, second, third)] == ["refused", "live", "refused"]
    assert "No offer awaits your answer" in (await client.get(at)).text
    await sign_in(client, stage.buyer)
    assert (await client.get(at)).status_code == 404


async def test_the_api_counters_and_declines_several(client: httpx.AsyncClient) -> None:
    stage = await staged()
    ids = [str(t) for t in await bidding(stage)]
    at, seller = "/api/v1/negotiations", await bearer(stage.seller)
    body = {"negotiations": ids[:2], "unit_price_minor": 800, "currency": "EUR", "below_cost": "end_of_season"}
    countered = await client.post(f"{at}/offers", json=body, headers=seller)
    assert [(r["code"], r["total_minor"]) for r in countered.json()] == [("better_to_accept", None), (None, 40_000)]
    declined = await client.post(f"{at}/refusals", json={"negotiations": ids, "seen": {ids[2]: 0}}, headers=seller)
    assert declined.json() == {"declined": 1}, "one awaits the buyer now, one has a move more"
