"""One request for a price from a want to several sellers: bounded, masked, binding nobody; answered with a quote."""

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from uuid import UUID, uuid4

import httpx
import pytest

from exchange import clock
from exchange.clock import now
from exchange.companies.actions.rivals import hide_from
from exchange.database import execute, fetch, fetchval
from exchange.errors import NotSeen
from exchange.listings.actions.lots import withdraw_lot
from exchange.listings.rules.lots import CostAnswer, Incoterm
from exchange.listings.tables import Lot
from exchange.offers import actions
from exchange.offers.actions.requests import Sent
from exchange.offers.pages import inbox
from exchange.offers.queries.inbox import count_awaiting
from exchange.offers.queries.requests import requests_to
from exchange.offers.rules import refusals, requests, talks
from exchange.offers.rules.bids import Bid
from exchange.offers.tables import QuoteRequest
from exchange.wants.actions import open_want
from exchange.wants.queries import matches_seen_by
from exchange.wants.rules import Wanted
from tests.factories import MadePerson, bearer, make_company, make_person, sign_in
from tests.offers.stage import Stage, euros, staged

pytestmark = pytest.mark.usefixtures("db")


async def wanting(buyer: MadePerson) -> UUID:
    wanted = Wanted(quantity_min=50, expires_at=now() + timedelta(days=30), category="footwear")
    return await open_want(wanted=wanted, currency="EUR", by=buyer.actor)


async def ask(want: UUID, buyer: MadePerson, *stages: Stage, quantity: int = 50, message: str = "") -> list[Sent]:
    return await actions.ask_for_quotes(
        want_id=want, lots=[s.lot_id for s in stages], quantity=quantity, incoterm=Incoterm.EXW, pickup=["tue-am"],
        message=message, by=buyer.actor,
    )  # fmt: skip


async def quote(stage: Stage, price: str = "9", quantity: int = 50) -> UUID:
    (asked,) = await requests_to(stage.seller.actor)
    return await actions.quote(
        request_id=asked.id, bid=Bid(euros(price), quantity), incoterm=Incoterm.EXW, by=stage.seller.actor,
        cost=CostAnswer.END_OF_SEASON,
    )  # fmt: skip


async def test_each_seller_answers_in_his_own_talk_with_the_first_move_and_the_buyer_takes_one() -> None:
    plain, by_twelve, whole = await staged(), await staged(multiple=12), await staged(partial=False, units=60)
    buyer = plain.buyer
    want = await wanting(buyer)
    sent = await ask(want, buyer, plain, by_twelve, whole)
    assert [s.quantity for s in sent] == [50, 60, 60], "each is asked about the nearest it sells"
    assert not await fetchval("select count(*) from negotiation"), "a request is no move and no talk"

    talk = await quote(plain)
    cheaper = await quote(by_twelve, "8", 60)
    assert await plain.state(talk) == "live"
    await actions.accept_offer(negotiation_id=cheaper, price=euros("8"), quantity=60, by=buyer.actor)
    assert (await by_twelve.left(), await plain.left()) == (40, 100)
    await plain.counter(talk, "8.50", 50, by=buyer)  # the other quote goes on as any talk
    with pytest.raises(refusals.NotYourTurn):
        await plain.counter(talk, "8.80", 50, by=buyer)
    with pytest.raises(requests.RequestAnswered):
        await actions.quote(
            request_id=await fetchval("select id from quote_request where lot_id = $1", plain.lot_id),
            bid=Bid(euros("9"), 50), incoterm=Incoterm.EXW, by=plain.seller.actor,
        )  # fmt: skip


async def test_a_seller_never_opens_a_talk_that_nobody_asked_for() -> None:
    with pytest.raises(refusals.BuyerOpens):
        talks._ensure_turn(talks.Talk(UUID(int=1), UUID(int=2), None), UUID(int=2))  # type: ignore[arg-type]


async def test_requests_are_bounded_and_go_once_to_what_the_buyer_may_see() -> None:
    stage, hidden, talked = await staged(), await staged(), await staged()
    buyer = stage.buyer
    want = await wanting(buyer)
    await talked.offer(by=buyer)
    assert buyer.company
    await hide_from(by=hidden.seller.actor, rival=buyer.company.registration, country="FR")
    sent = await ask(want, buyer, stage, hidden, talked)
    assert [type(s.refusal) for s in sent] == [type(None), NotSeen, requests.AlreadyAsked]
    assert [type(s.refusal) for s in await ask(want, buyer, stage)] == [requests.AlreadyAsked]
    with pytest.raises(requests.NoLotChosen):
        await ask(want, buyer)
    with pytest.raises(requests.TooManyLots):
        await ask(want, buyer, *[replace(stage, lot_id=uuid4()) for _ in range(requests.MOST_LOTS + 1)])
    many = [uuid4() for _ in range(requests.MOST_A_DAY - 1)]  # with the one above, as many as a day holds
    (like,) = await Lot.select().where(Lot.id == stage.lot_id)
    (one,) = await QuoteRequest.select()
    await Lot.insert(*(Lot(**like | {"id": lot}) for lot in many))
    await QuoteRequest.insert(*(QuoteRequest(**one | {"id": uuid4(), "lot_id": lot}) for lot in many))
    fresh = await staged()
    with pytest.raises(requests.DailyLimit):
        await ask(want, buyer, fresh)
    with clock.frozen(now() + timedelta(days=1, seconds=1)):
        assert [s.quantity for s in await ask(await wanting(buyer), buyer, fresh)] == [50], "tomorrow again"
    with pytest.raises(NotSeen):
        await ask(want, stage.seller, stage)


async def test_one_seller_stopped_or_come_into_the_buyers_group_spoils_no_request_to_the_others() -> None:
    stage, stopped, sister = await staged(), await staged(), await staged()
    buyer = stage.buyer
    assert buyer.company and stopped.seller.company and sister.seller.company
    want = await wanting(buyer)
    await execute("update company set vetting = 'stopped' where id = $1", stopped.seller.company.id)
    await execute(
        "update company set legal_group_id = $2 where id = $1", sister.seller.company.id, buyer.company.legal_group_id
    )
    assert [m.lot_id for m in await matches_seen_by(buyer.actor, want, "en")] == [stage.lot_id]
    sent = await ask(want, buyer, stopped, stage, sister)
    assert [(s.quantity, type(s.refusal)) for s in sent] == [(None, NotSeen), (50, type(None)), (None, NotSeen)]


async def test_an_offer_of_the_buyers_own_takes_the_place_of_his_request_so_that_no_quote_undercuts_it_unseen(
    client: httpx.AsyncClient,
) -> None:
    stage = await staged()
    await ask(await wanting(stage.buyer), stage.buyer, stage)
    (asked,) = await requests_to(stage.seller.actor)
    talk = await stage.offer("8", 50)
    assert await requests_to(stage.seller.actor) == []
    with pytest.raises(requests.RequestAnswered):
        await actions.quote(request_id=asked.id, bid=Bid(euros("7"), 50), incoterm=Incoterm.FCA, by=stage.seller.actor)
    assert await actions.decline_requests(request_ids=[asked.id], by=stage.seller.actor) == 0
    assert await fetchval("select count(*) from offer") == 1
    noted = "select person_id from journal_entry where fact = 'quote.quoted' and subject_id = $1"
    assert await fetchval(noted, asked.id) == stage.buyer.id
    await sign_in(client, stage.seller)
    assert (await client.get(f"/requests/{asked.id}")).headers["location"] == f"/talks/{talk}"


async def test_hiding_from_a_buyer_after_his_request_does_not_tell_the_seller_which_mask_he_wears() -> None:
    stage = await staged()
    await ask(await wanting(stage.buyer), stage.buyer, stage)
    assert stage.buyer.company
    await hide_from(by=stage.seller.actor, rival=stage.buyer.company.registration, country="FR")
    assert await stage.state(await quote(stage)) == "live"


async def test_a_request_runs_out_by_the_clock_and_several_are_declined_at_once() -> None:
    stage = await staged()
    buyers = [stage.buyer, await stage.another_buyer(), await stage.another_buyer()]
    for buyer in buyers:
        await ask(await wanting(buyer), buyer, stage)
    first, *others = await requests_to(stage.seller.actor)
    await execute("update quote_request set asked_at = $2, expires_at = $3 where id = $1", first.id,
                  now() - timedelta(days=4), now() - timedelta(seconds=1))  # fmt: skip
    assert {a.id for a in await requests_to(stage.seller.actor)} == {a.id for a in others}
    with pytest.raises(requests.RequestAnswered):
        await actions.quote(request_id=first.id, bid=Bid(euros("9"), 50), incoterm=Incoterm.EXW, by=stage.seller.actor)
    every = [a.id for a in (first, *others)]
    assert await actions.decline_requests(request_ids=every, by=buyers[0].actor) == 0, "a stranger declines nothing"
    assert await actions.decline_requests(request_ids=every, by=stage.seller.actor) == 2
    assert await requests_to(stage.seller.actor) == []


@pytest.mark.parametrize(
    ("end", "state", "says"),
    [
        ("decline", "declined", "The seller has declined"),
        ("run out", "expired", "has not answered in time"),
        ("withdraw", "closed", "Nothing of it is for sale"),
        ("sell", "closed", "Nothing of it is for sale"),
    ],
)
async def test_who_asked_hears_once_that_no_price_comes_even_from_a_worker_that_was_down(
    end: str, state: str, says: str
) -> None:
    stage, at = await staged(), now()
    await ask(await wanting(stage.buyer), stage.buyer, stage)
    (asked,) = await requests_to(stage.seller.actor)
    if end == "decline":
        await actions.decline_requests(request_ids=[asked.id], by=stage.seller.actor)
    elif end == "withdraw":
        await withdraw_lot(lot_id=stage.lot_id, by=stage.seller.actor)
    elif end == "sell":
        await stage.accept(await stage.offer(by=await stage.another_buyer()))
    with clock.frozen(at + timedelta(days=10 if end == "run out" else 0)):
        for _ in range(2):  # the jobs late, and twice
            await actions.close_lot(lot_id=stage.lot_id)
            await actions.end_requests()
            await actions.tell_of_request(request_id=asked.id)
            await actions.tell_of_no_quote(request_id=asked.id)
        assert await fetchval("select state from quote_request") == state
        assert await requests_to(stage.seller.actor) == []
        assert await fetchval("select count(*) from pgqueuer where entrypoint = 'quote.answered'") == 1
    mails = await fetch("select person_id, text from mail where template like 'quote_%'")
    assert [(m["person_id"], says in m["text"]) for m in mails] == [(stage.buyer.id, True)]
    assert str(stage.lot_id) not in mails[0]["text"]


async def test_the_seller_is_written_to_once() -> None:
    stage = await staged()
    await ask(await wanting(stage.buyer), stage.buyer, stage)
    request_id = await fetchval("select id from quote_request")
    for _ in range(2):
        await actions.tell_of_request(request_id=request_id)
    mails = "select count(*) from mail where subject like '%Sabots%'"
    assert await fetchval(mails) == 1


async def test_the_pages_ask_show_answer_and_mask_both(client: httpx.AsyncClient) -> None:
    stage = await staged(multiple=12)
    want = await wanting(stage.buyer)
    assert stage.buyer.company and stage.seller.company
    await sign_in(client, stage.buyer)
    form = await client.get(f"/wants/{want}/requests")
    assert str(stage.lot_id) in form.text
    body = {"lots": str(stage.lot_id), "quantity": "50", "incoterm": "EXW", "message": "Enlèvement rapide"}
    refused = await client.post(f"/wants/{want}/requests", data=body | {"message": "call me at 06 12 34 56 78"})
    assert refused.status_code == 422 and str(stage.lot_id) in refused.text
    assert (await client.post(f"/wants/{want}/requests", data=body)).status_code == 303
    asked = unescape((await client.get(f"/wants/{want}/requests")).text)
    assert "not answered yet" in asked
    twice = await client.post(f"/wants/{want}/requests", data=body | {"lots": [str(stage.lot_id), str(uuid4())]})
    assert "You have asked about this lot already" in twice.text
    assert (twice.text.count("not sent"), "A lot that no longer meets" in twice.text) == (2, True)

    await sign_in(client, stage.seller)
    inbox = unescape((await client.get("/talks")).text)
    found = re.search(r'href="(/requests/[0-9a-f-]{36})"', inbox)
    assert found
    page = unescape((await client.get(found[1])).text)
    for text, other in ((asked, stage.seller), (inbox, stage.buyer), (page, stage.buyer)):
        assert other.company
        assert not [n for n in (other.name, other.company.trading_name, str(other.company.id)) if n in text]
    assert "Enlèvement rapide" in page and "60 units" in page
    assert "Northern France · France" in page and "In the last twelve months: fewer than 5 deals" in page
    odd = await client.post(f"{found[1]}/quotes", data={"price": "9", "quantity": "50", "incoterm": "EXW"})
    assert re.findall(r'name="fill" value="([^"]+)"', odd.text) == ["quantity=48", "quantity=60"]
    answer = {"price": "9", "quantity": "60", "incoterm": "EXW", "cost": "end_of_season"}
    quoted = await client.post(f"{found[1]}/quotes", data=answer)
    assert quoted.status_code == 303, quoted.text
    assert (await client.get(quoted.headers["location"])).status_code == 200
    assert (await client.get(found[1])).headers["location"] == quoted.headers["location"]
    await sign_in(client, stage.buyer)
    assert "you talk about it" in (await client.get(f"/wants/{want}/requests")).text
    assert "Your answer is awaited" in (await client.get(quoted.headers["location"])).text


async def test_of_many_requests_the_most_urgent_are_shown_and_all_are_counted(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "MOST_ASKED", 2)
    stage = await staged()
    await sign_in(client, stage.seller)
    for asked, shown in ((1, 1), (2, 2), (3, 2)):
        buyer = await stage.another_buyer()
        await ask(await wanting(buyer), buyer, stage)
        page = (await client.get("/talks")).text
        assert page.count('href="/requests/') == shown
        assert f'<span class="soft num">{asked}</span>' in page
        assert ("The 2 most urgent are shown." in page) == (asked > shown)


async def test_requests_count_among_what_awaits_an_answer_and_pass_the_filters(client: httpx.AsyncClient) -> None:
    stage = await staged()
    await ask(await wanting(stage.buyer), stage.buyer, stage)
    (asked,) = await requests_to(stage.seller.actor)
    await stage.offer(by=await stage.another_buyer())
    assert await count_awaiting(stage.seller.actor) == 2
    assert await count_awaiting(stage.buyer.actor) == 0
    await sign_in(client, stage.seller)
    for query in ("", "?q=sabots", "?who=nobody", "?show=me&side=seller"):
        page = (await client.get(f"/talks{query}")).text
        assert page.index("data-keys") < page.index(f"/requests/{asked.id}"), "shown, and walked with the keys"
    for query in ("?q=parasol", "?who=mine", "?side=buyer", "?show=them"):
        assert f"/requests/{asked.id}" not in (await client.get(f"/talks{query}")).text
    assert 'Your answer awaited <span class="total">2<' in (await client.get("/talks?show=them")).text
    assert f"/requests/{asked.id}" in (await client.get("/")).text


async def test_the_api_asks_lists_quotes_and_declines(client: httpx.AsyncClient) -> None:
    stage, other = await staged(), await staged()
    buyer, seller, owner = await bearer(stage.buyer), await bearer(stage.seller), await bearer(other.seller)
    want, at = await wanting(stage.buyer), "/api/v1/requests"
    body = {"want_id": str(want), "lots": [str(stage.lot_id), str(other.lot_id)], "quantity": 50, "incoterm": "EXW"}
    sent = await client.post(at, json=body, headers=buyer)
    assert [s["quantity"] for s in sent.json()] == [50, 50], sent.text
    (asked,) = (await client.get(at, headers=seller)).json()
    move = {"unit_price_minor": 1100, "currency": "EUR", "quantity": 50, "incoterm": "EXW"}
    dear = await client.post(f"{at}/{asked['id']}/quotes", json=move, headers=seller)
    assert [e["field"] for e in dear.json()["errors"]] == ["unit_price_minor"]
    assert (await client.post(f"{at}/{asked['id']}/quotes", json=move, headers=owner)).status_code == 404
    made = await client.post(f"{at}/{asked['id']}/quotes", json=move | {"unit_price_minor": 1000}, headers=seller)
    assert (made.status_code, made.json()["awaits"], made.json()["role"]) == (201, "them", "seller"), made.text
    (declining,) = (await client.get(at, headers=owner)).json()
    declined = await client.post(f"{at}/refusals", json={"requests": [declining["id"]]}, headers=owner)
    assert declined.json() == {"declined": 1}
    stranger = await bearer(await make_person(await make_company()))
    assert (await client.get(at, headers=stranger)).json() == []
