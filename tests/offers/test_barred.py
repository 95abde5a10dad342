"""A company is stopped, or both come into one legal group, in the middle of a talk: no agreement comes of it."""

import re
from collections.abc import Awaitable, Callable
from uuid import UUID

import httpx
import pytest

from exchange import clock
from exchange.actor import Role
from exchange.companies.actions.vetting import refuse, set_group, set_stopped
from exchange.companies.rules import SameLegalGroup
from exchange.database import execute, fetch, fetchval
from exchange.errors import DomainError
from exchange.listings.rules.lots import Incoterm
from exchange.offers import actions
from exchange.offers.queries.requests import request_told, requests_to
from exchange.offers.rules import refusals, requests
from exchange.offers.rules.bids import Bid
from exchange.wants.actions import close_want
from tests.factories import MadePerson, bearer, make_person, sign_in
from tests.offers.stage import Stage, euros, offer_row, staged
from tests.offers.test_requests import ask, wanting

pytestmark = pytest.mark.usefixtures("db")

Barring = Callable[[Stage], Awaitable[MadePerson]]


async def stop_the_buyer(stage: Stage) -> MadePerson:
    return await stopped(stage.buyer)


async def stop_the_seller(stage: Stage) -> MadePerson:
    return await stopped(stage.seller)


async def stopped(person: MadePerson) -> MadePerson:
    assert person.company
    await set_stopped(by=None, company_id=person.company.id, stopped=True)
    return person


async def withdraw_the_vetting(stage: Stage) -> MadePerson:
    assert stage.buyer.company
    operator = await make_person(role=Role.OPERATOR)
    await refuse(by=operator.actor, company_id=stage.buyer.company.id, reason="The register extract is too old.")
    return stage.buyer


async def merge(stage: Stage) -> MadePerson:
    operator = await make_person(role=Role.OPERATOR)
    for side in (stage.seller, stage.buyer):
        assert side.company
        await set_group(by=operator.actor, company_id=side.company.id, name="Groupe Unique")
    return stage.buyer


async def the_job_runs() -> None:
    for row in await fetch("delete from pgqueuer where entrypoint = 'company.barred' returning payload"):
        await actions.end_barred(company_id=UUID(bytes=row["payload"]))


@pytest.mark.parametrize("bar", [stop_the_buyer, stop_the_seller, withdraw_the_vetting, merge])
async def test_no_live_offer_is_agreed_or_countered_any_more(bar: Barring) -> None:
    offered = await staged()
    countered = await staged(seller=offered.seller.company)
    countered.buyer = offered.buyer
    theirs, ours = await offered.offer(), await countered.offer()
    await countered.counter(ours)
    await bar(offered)
    for ended in (False, True):  # before and after the job has come round
        for act in (
            offered.accept(theirs),
            offered.counter(theirs),
            countered.accept(ours, "9", by=countered.buyer),
            countered.counter(ours, "8.50", by=countered.buyer),
            offered.offer("8.50", by=offered.buyer),
        ):
            with pytest.raises(DomainError):
                await act
        assert (await offered.state(theirs) != "live") is ended
        await the_job_runs()
    assert (await offered.left(), await countered.left()) == (100, 100)
    assert not await fetchval("select count(*) from pgqueuer where entrypoint = 'negotiation.agreed'")


@pytest.mark.parametrize(
    ("bar", "offer", "counter"),
    [(stop_the_buyer, "withdrawn", "refused"), (stop_the_seller, "refused", "withdrawn"), (merge, *["withdrawn"] * 2)],
)
async def test_to_the_other_side_it_reads_like_any_withdrawal_or_refusal(
    bar: Barring, offer: str, counter: str
) -> None:
    offered = await staged()
    countered = await staged(seller=offered.seller.company)
    countered.buyer = offered.buyer
    theirs, ours, foreign = await offered.offer(), await countered.offer(), await offered.offer(by=await make_person())
    await countered.counter(ours)
    await bar(offered)
    await the_job_runs()
    assert (await offered.state(theirs), await offered.state(ours)) == (offer, counter)
    assert (await offer_row(theirs, 1))["answered_by"] is None
    assert (await offered.state(foreign) == "live") is (bar is not stop_the_seller)


async def test_each_side_is_told_what_concerns_it_and_nothing_of_the_other() -> None:
    stage = await staged()
    talk = await stage.offer()
    await stop_the_buyer(stage)
    with pytest.raises(refusals.OfferWithdrawn):
        await stage.accept(talk)
    with pytest.raises(refusals.NotVetted):
        await stage.offer("8.50")
    merged = await staged()
    talk = await merged.offer()
    await merge(merged)
    with pytest.raises(SameLegalGroup):
        await merged.accept(talk)


@pytest.mark.parametrize("bar", [stop_the_buyer, stop_the_seller])
async def test_the_other_sides_page_shows_no_sign_of_a_company_that_was_stopped(
    client: httpx.AsyncClient, bar: Barring
) -> None:
    stage = await staged()
    talk = await stage.offer()
    barred = await bar(stage)
    other = stage.seller if barred is stage.buyer else stage.buyer
    await sign_in(client, other)
    text = (await client.get(f"/talks/{talk}")).text
    if other is stage.seller:
        assert "offer withdrawn" in text
        assert "The buyer may open it again" in text
    else:
        assert "offer declined" in text
        assert "The lot is no longer for sale." in text


async def _all_a_buyer_may_ask(client: httpx.AsyncClient, stage: Stage, talk: UUID) -> list[tuple[str, int, str]]:
    """Every door of a talk and its lot, with what is answered there."""
    lot, lines = stage.lot_id, [str(r["id"]) for r in await fetch("select id from manifest_line order by position")]
    form = {"price": "8,50", "quantity": "40", "incoterm": "FCA"}
    body = {"unit_price_minor": 850, "currency": "EUR", "quantity": 40, "incoterm": "FCA"}
    await sign_in(client, stage.buyer)
    headers = await bearer(stage.buyer)
    api = "/api/v1/negotiations"
    answers = [
        *[
            await client.get(path)
            for path in (
                f"/talks/{talk}",
                f"/talks/{talk}/lines",
                f"/lots/{lot}",
                f"/lots/{lot}/offer",
                f"/lots/{lot}/offer/lines",
            )
        ],
        *[
            await client.post(path, data=form | more)
            for path in (f"/talks/{talk}/offers", f"/lots/{lot}/offer")
            for more in ({}, {"seen": "0"}, {"fill": "quantity=1"})
        ],
        await client.post(f"/talks/{talk}/lines", data={"do": "send", "quantity.1": "5", "price": "8"}),
        await client.get(f"{api}/{talk}", headers=headers),
        await client.post(api, json={"lot_id": str(lot), **body}, headers=headers),
        await client.post(f"{api}/{talk}/offers", json=body, headers=headers),
        await client.post(f"{api}/{talk}/offers", json=body | {"seen": 4}, headers=headers),
        await client.post(
            f"{api}/{talk}/offers",
            json={
                "lines": [{"line_id": lines[0], "quantity": 5, "unit_price_minor": 900}],
                "currency": "EUR",
                "incoterm": "FCA",
            },
            headers=headers,
        ),
    ]
    changing = re.compile(r'value="[^"]{40,}"|"instance":"[^"]*"')
    return [(str(a.request.url), a.status_code, changing.sub("", a.text)) for a in answers]


async def test_to_a_buyer_the_lot_of_a_stopped_seller_is_one_he_took_down(client: httpx.AsyncClient) -> None:
    with clock.frozen(clock.now()):
        stage = await staged()
        talk = await stage.offer()
        seller = await stop_the_seller(stage)
        stopped = await _all_a_buyer_may_ask(client, stage, talk)
        assert seller.company
        await set_stopped(by=None, company_id=seller.company.id, stopped=False)
        await stage.refuse(talk)
        await execute("update lot set state = 'withdrawn' where id = $1", stage.lot_id)
        withdrawn = await _all_a_buyer_may_ask(client, stage, talk)
    for one, other in zip(stopped, withdrawn, strict=True):
        assert one == other


async def test_a_company_let_trade_again_finds_its_offer_as_it_was_where_no_job_came_round() -> None:
    stage = await staged()
    talk = await stage.offer()
    await stop_the_buyer(stage)
    assert stage.buyer.company
    await set_stopped(by=None, company_id=stage.buyer.company.id, stopped=False)
    await the_job_runs()
    await stage.accept(talk)


async def test_thresholds_take_nothing_from_a_stopped_company() -> None:
    stage = await staged(auto_accept="9")
    talk = await stage.offer("9")
    await stop_the_buyer(stage)
    await actions.weigh_offer(offer_id=(await offer_row(talk, 1))["id"])  # type: ignore[arg-type]  # a row's UUID
    assert (await stage.state(talk), await stage.left()) == ("live", 100)


async def close_the_want(stage: Stage) -> MadePerson:
    await close_want(want_id=await fetchval("select id from want"), by=stage.buyer.actor)
    return stage.buyer


async def let_it_run_out(stage: Stage) -> MadePerson:
    await execute("update quote_request set asked_at = asked_at - interval '9 days', expires_at = now()")
    return stage.buyer


@pytest.mark.parametrize("bar", [stop_the_buyer, stop_the_seller, merge, close_the_want, let_it_run_out])
async def test_a_request_for_a_price_is_answered_no_more_and_the_seller_is_not_told_why(
    client: httpx.AsyncClient, bar: Barring
) -> None:
    stage = await staged()
    await ask(await wanting(stage.buyer), stage.buyer, stage)
    (asked,) = await requests_to(stage.seller.actor)
    barred = await bar(stage)
    for _ in ("before the job", "after it"):
        with pytest.raises(requests.RequestAnswered):
            await actions.quote(
                request_id=asked.id, bid=Bid(euros("9"), 50), incoterm=Incoterm.EXW, by=stage.seller.actor
            )
        assert await requests_to(stage.seller.actor) == []
        assert await request_told(asked.id) is None, "nor is a mail written about it"
        if barred is not stage.seller:
            await sign_in(client, stage.seller)
            page = (await client.get(f"/requests/{asked.id}")).text
            assert page.count("This request awaits no answer any more.") == 1
            assert "no longer available" not in page
            assert "not answered in time" not in page
        await actions.end_requests()
    assert await fetchval("select state from quote_request") in {"closed", "expired"}
    await actions.tell_of_no_quote(request_id=asked.id)
    told = await fetchval("select count(*) from mail where template = 'quote_answered'")
    assert told == (bar in {stop_the_seller, let_it_run_out}), "who was stopped or closed the want knows why"


async def withdraw_the_sellers_vetting(stage: Stage) -> MadePerson:
    assert stage.seller.company
    operator = await make_person(role=Role.OPERATOR)
    await refuse(by=operator.actor, company_id=stage.seller.company.id, reason="The register extract is too old.")
    return stage.seller


async def check_the_seller_anew(stage: Stage) -> MadePerson:
    await withdraw_the_sellers_vetting(stage)
    await execute("update company set vetting = 'awaiting' where vetting = 'refused'")
    return stage.seller


@pytest.mark.parametrize("bar", [stop_the_seller, withdraw_the_sellers_vetting, check_the_seller_anew])
async def test_a_company_that_may_trade_no_more_reads_its_contract_and_writes_to_the_other_side_but_deals_no_more(
    client: httpx.AsyncClient, bar: Barring
) -> None:
    stage = await staged()
    agreed, open_one = await stage.offer(quantity=50), await stage.offer(quantity=50, by=await stage.another_buyer())
    await stage.accept(agreed, quantity=50)
    await execute("set constraints all immediate")  # as at the commit, when the contract is written
    await bar(stage)
    await sign_in(client, stage.buyer)
    assert str(stage.lot_id) not in (await client.get("/lots")).text
    assert (await client.get(f"/lots/{stage.lot_id}")).status_code == 404
    await sign_in(client, stage.seller)
    page = await client.get(f"/talks/{agreed}")
    assert page.status_code == 200
    assert f'action="/talks/{agreed}/messages"' in page.text
    assert (await client.get(f"/talks/{agreed}/contract")).status_code == 200
    assert (await client.post(f"/talks/{agreed}/messages", data={"message": "Our lorry comes"})).status_code == 303
    assert (await client.get("/talks")).status_code == 200
    shown = await client.get(f"/talks/{open_one}")
    assert shown.status_code == 200
    assert "This talk is closed." in shown.text
    assert f"/lots/{stage.lot_id}/talks" not in shown.text
    for noun in ("offers", "acceptance", "refusal", "withdrawal"):
        assert f"/talks/{open_one}/{noun}" not in shown.text
        assert (
            await client.post(f"/talks/{open_one}/{noun}", data={"price": "8", "quantity": "50"})
        ).status_code == 403
    api, headers = "/api/v1/negotiations", await bearer(stage.seller)
    for path in ("", f"/{agreed}", f"/{agreed}/contract", f"/{agreed}/messages"):
        assert (await client.get(api + path, headers=headers)).status_code == 200
    acceptance = {"unit_price_minor": 800, "currency": "EUR", "quantity": 50}
    assert (await client.post(f"{api}/{open_one}/acceptance", json=acceptance, headers=headers)).status_code == 403
