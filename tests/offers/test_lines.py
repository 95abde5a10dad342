"""Offers that name manifest lines, each with its quantity and its price: through the database and the doors."""

from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from exchange.database import execute, fetch, fetchrow, fetchval, transaction
from exchange.listings.rules.lots import CostAnswer, Incoterm
from exchange.offers import actions
from exchange.offers.queries.agreed import contract_seen_by
from exchange.offers.rules import refusals, terms
from exchange.offers.rules.bids import Bid, BidLine
from exchange.settlement.actions.deals import open_deal
from exchange.settlement.queries.claims import lines_of
from exchange.settlement.queries.deals import any_deal
from exchange.settlement.rules.claims import Claimed, Reason, value
from tests.factories import MadePerson, bearer
from tests.offers.stage import Stage, euros, staged

pytestmark = pytest.mark.usefixtures("db")
AT = "/api/v1/negotiations"


async def lines_on(stage: Stage) -> list[UUID]:
    rows = await fetch("select id from manifest_line where lot_id = $1 order by position", stage.lot_id)
    return [r["id"] for r in rows]


def bid(*lines: tuple[UUID, int, str]) -> Bid:
    return Bid.of(BidLine(line, quantity, euros(price)) for line, quantity, price in lines)


async def offered(stage: Stage, wanted: Bid, *, by: MadePerson | None = None) -> UUID:
    return await actions.open_talk(
        lot_id=stage.lot_id, bid=wanted, incoterm=Incoterm.EXW, pickup=["tue-am"], by=(by or stage.buyer).actor
    )


async def taken(stage: Stage, talk_id: UUID, wanted: Bid) -> None:
    await actions.accept_offer(
        negotiation_id=talk_id,
        price=wanted.price,
        quantity=wanted.quantity,
        lines=wanted.mark,
        by=stage.seller.actor,
        cost=CostAnswer.END_OF_SEASON,
    )


async def test_an_agreement_on_lines_takes_these_lines_and_its_contract_and_its_deal_know_their_prices() -> None:
    stage = await staged()
    clogs, boots = await lines_on(stage)
    wanted = bid((clogs, 10, "3.01"), (boots, 20, "9.00"))
    talk = await offered(stage, wanted)
    with pytest.raises(refusals.OfferChanged, match=r"30 units at 7\.00 EUR each, 210\.10 EUR in all"):
        await stage.accept(talk, "7", 30)  # without the lines it is another thing
    await taken(stage, talk, wanted)
    reserved = await fetch("select reserved from manifest_line where lot_id = $1 order by position", stage.lot_id)
    assert [r["reserved"] for r in reserved] == [10, 20]

    await execute("set constraints all immediate")
    contract = await contract_seen_by(stage.buyer.actor, talk)
    assert [(line["quantity"], line["unit_price_minor"]) for line in contract.lines] == [(10, 301), (20, 900)]
    assert (contract.total, contract.unit_price, contract.pickup) == (euros("210.10"), euros("7"), ["tue-am"])
    assert contract.has_line_prices

    await open_deal(talk)
    deal = await any_deal(await fetchval("select id from deal where negotiation_id = $1", talk))
    assert deal.terms.net == euros("210.10")
    sold = await lines_of(deal)
    missing_boot = Claimed(str(boots), Reason.MISSING, 1, 100)
    assert value(deal.terms.net, sold, [missing_boot]) == euros("9.00"), "a claim is worth what was agreed for the line"


async def test_a_line_that_went_to_another_ends_the_offers_it_no_longer_covers_and_no_others() -> None:
    stage = await staged()
    clogs, boots = await lines_on(stage)
    first = bid((clogs, 45, "8"))
    talk = await offered(stage, first)
    same_line = await offered(stage, bid((clogs, 6, "8"), (boots, 1, "8")), by=await stage.another_buyer())
    other_line = await offered(stage, bid((boots, 50, "8")), by=await stage.another_buyer())
    as_it_comes = await stage.offer("8", 55, by=await stage.another_buyer())
    await taken(stage, talk, first)
    states = [await stage.state(t) for t in (talk, same_line, other_line, as_it_comes)]
    assert states == ["agreed", "unavailable", "live", "live"]
    with pytest.raises(terms.LineLeft):
        await offered(stage, bid((clogs, 6, "8")), by=await stage.another_buyer())


async def test_the_database_keeps_lines_that_add_up_and_stay_said() -> None:
    stage = await staged()
    clogs, boots = await lines_on(stage)
    talk = await offered(stage, bid((clogs, 10, "3"), (boots, 20, "9")))
    another_lots_line = (await lines_on(await staged()))[0]
    for wrong in (
        "update offer_line set unit_price_minor = 1",
        "delete from offer_line",
        "update offer set lines_minor = 1",
        "insert into offer_line (lot_id, offer_id, line_id, quantity, unit_price_minor) "  # noqa: S608  ours
        f"select lot_id, id, '{another_lots_line}', 1, 1 from offer",
    ):
        with pytest.raises(asyncpg.PostgresError):
            async with (await _connection()).transaction():
                await execute(wrong)
    kept = await fetchrow("select lines_minor, unit_price_minor from offer where negotiation_id = $1", talk)
    assert kept is not None
    assert tuple(kept) == (21_000, 700)


async def _connection() -> asyncpg.Connection:
    async with transaction() as tx:
        connection: asyncpg.Connection = tx.connection
        return connection


async def test_thresholds_hold_for_named_lines_in_proportion_to_their_asks_and_else_wait_for_a_person() -> None:
    def weighed() -> Any:
        return fetchval("select count(*) from pgqueuer where entrypoint = 'offer.weighed'")

    unpriced = await staged(auto_accept="9")
    await offered(unpriced, bid(((await lines_on(unpriced))[0], 10, "9.50")))
    assert await weighed() == 0, "the best line may be dear: a person decides"

    stage = await staged(auto_accept="9")
    clogs, boots = await lines_on(stage)
    await execute("update manifest_line set unit_ask_minor = case when id = $1 then 400 else 1600 end", clogs)
    await offered(stage, bid((boots, 10, "14")))  # 7/8 of its ask
    assert await weighed() == 0
    await offered(stage, bid((clogs, 10, "3.60")), by=await stage.another_buyer())  # 9/10
    assert await weighed() == 1
    with pytest.raises(terms.AboveAsk, match=r"4\.00"):
        await offered(stage, bid((clogs, 10, "4.01")), by=await stage.another_buyer())


class TestApi:
    async def test_an_offer_on_lines_a_counter_and_an_acceptance_that_names_them(
        self, client: httpx.AsyncClient
    ) -> None:
        stage = await staged()
        clogs, boots = map(str, await lines_on(stage))
        buyer, seller = await bearer(stage.buyer), await bearer(stage.seller)
        lines = [{"line_id": clogs, "quantity": 10}, {"line_id": boots, "quantity": 20, "unit_price_minor": 900}]
        body = {"lot_id": str(stage.lot_id), "currency": "EUR", "unit_price_minor": 301, "lines": lines}
        made = await client.post(AT, json=body | {"incoterm": "EXW", "pickup": ["tue-am"]}, headers=buyer)
        assert made.status_code == 201, made.text
        offer = made.json()["offers"][0]
        assert (offer["quantity"], offer["unit_price_minor"], offer["total_minor"]) == (30, 700, 21_010)
        assert [(x["line_id"], x["total_minor"]) for x in sorted(offer["lines"], key=lambda x: x["total_minor"])] == [
            (clogs, 3_010), (boots, 18_000),
        ]  # fmt: skip
        talk = f"{AT}/{made.json()['id']}"
        dearer = [line | {"unit_price_minor": 950} for line in lines]
        countered = await client.post(
            f"{talk}/offers",
            json={"currency": "EUR", "lines": dearer, "incoterm": "EXW", "below_cost": "end_of_season"},
            headers=seller,
        )
        assert countered.status_code == 201, countered.text
        accept = {"currency": "EUR", "lines": dearer}
        wrong = await client.post(
            f"{talk}/acceptance", json=accept | {"lines": [dearer[0] | {"quantity": 11}, dearer[1]]}, headers=buyer
        )
        assert (wrong.status_code, wrong.json()["code"]) == (409, "offer_changed")
        agreed = await client.post(f"{talk}/acceptance", json=accept, headers=buyer)
        assert agreed.status_code == 201, agreed.text
        assert agreed.json()["state"] == "agreed"
        await execute("set constraints all immediate")
        contract = (await client.get(f"{talk}/contract", headers=seller)).json()
        assert contract["total_minor"] == 30 * 950

    async def test_refusals_name_the_line_and_the_field(self, client: httpx.AsyncClient) -> None:
        stage = await staged(multiple=6, minimum=12)
        clogs, boots = map(str, await lines_on(stage))
        buyer = await bearer(stage.buyer)

        async def refused(*lines: dict[str, Any], **more: Any) -> dict[str, Any]:
            body = {"lot_id": str(stage.lot_id), "currency": "EUR", "incoterm": "EXW", "lines": list(lines)} | more
            answer = await client.post(AT, json=body, headers=buyer)
            assert answer.status_code == 422, answer.text
            return {e["field"]: e["detail"] for e in answer.json()["errors"]}

        def line(of: str, quantity: int, price: int) -> dict[str, Any]:
            return {"line_id": of, "quantity": quantity, "unit_price_minor": price}

        said = await refused(line(clogs, 7, 800), line(boots, 51, 800))
        assert said.keys() == {f"lines.{clogs}.quantity", f"lines.{boots}.quantity"}
        assert "Nearest: 6 / 12" in said[f"lines.{clogs}.quantity"]
        assert (await refused(line(clogs, 12, 1100))).keys() == {f"lines.{clogs}.unit_price_minor"}
        assert "add 6" in (await refused(line(clogs, 6, 800)))["lines"]
        assert (await refused({"line_id": clogs, "quantity": 12})).keys() == {f"lines.{clogs}.unit_price_minor"}
        assert (await refused(line(clogs, 12, 800), quantity=13)).keys() == {"quantity"}
        assert (await refused(line(clogs, 12, 800), line(clogs, 12, 800))).keys() == {"lines"}
        assert await fetchval("select count(*) from offer") == 0
