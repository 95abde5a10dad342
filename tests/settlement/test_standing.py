"""Strikes, suspension, appeal: facts first, then reasons, notice and a hearing."""

from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from exchange.actor import Role
from exchange.clock import frozen, now
from exchange.companies.rules import ReliabilityBand
from exchange.database import execute, fetchval
from exchange.errors import NotSeen
from exchange.listings.queries.lots import lot_seen_by
from exchange.settlement.actions import deals, standing
from exchange.settlement.queries.standing import standing_of
from exchange.settlement.rules.standing import NOTICE, WINDOW, Facts, StrikeReason, TooFewStrikes, begins, counting
from tests.factories import make_person, sign_in
from tests.settlement.conftest import Agreed, agree, due_now, onboarded, paid, work
from tests.settlement.fakes import FakeGateway

pytestmark = pytest.mark.usefixtures("committed")


async def struck_out() -> tuple[Agreed, UUID]:
    """A deal whose buyer has three strikes: one of the deal, two the operator gave."""
    operator = await make_person(role=Role.OPERATOR)
    agreed = await agree()
    assert agreed.buyer.company
    company_id = agreed.buyer.company.id
    await due_now(agreed)
    await deals.tick(agreed.deal_id)
    await work()
    for said in ("Wrote its telephone number twice", "Asked to deal outside"):
        await standing.strike(company_id=company_id, reason=StrikeReason.CONTACT_DETAILS, said=said, by=operator.actor)
    return agreed, company_id


async def test_an_unpaid_deal_strikes_the_buyer_once_and_an_idle_seller_the_seller(gateway: FakeGateway) -> None:
    unpaid, idle = await agree(), await agree()
    await due_now(unpaid)
    await deals.tick(unpaid.deal_id)
    await paid(idle, gateway)
    await due_now(idle)
    await deals.tick(idle.deal_id)
    await work()
    await standing.take_note(unpaid.deal_id)
    for agreed, person, reason in ((unpaid, unpaid.buyer, "unpaid"), (idle, idle.seller, "not_shipped")):
        assert person.company
        found = await standing_of(person.company.id)
        assert [(k.reason, k.deal_id) for k in found.strikes] == [(reason, agreed.deal_id)]
        assert found.facts.kept == found.facts.ended - 1
        assert (
            await fetchval("select count(*) from mail where template = 'strike' and recipient = $1", person.email) == 1
        )
    assert unpaid.seller.company
    assert not (await standing_of(unpaid.seller.company.id)).strikes


async def test_bands_are_drawn_together_and_late_and_fall_when_the_deals_are_a_year_old(gateway: FakeGateway) -> None:
    unpaid = await agree()
    assert unpaid.buyer.company
    company = unpaid.buyer.company.id
    await execute("update company set deals_band = 'many', reliability_band = 'solid'")
    await due_now(unpaid)
    await deals.tick(unpaid.deal_id)
    await work()
    bands = "select deals_band || ' ' || reliability_band from company where id = $1"
    assert await fetchval(bands, company) == "many solid", "the end of a deal is not seen in it"
    await standing.draw_bands()
    assert await fetchval(bands, company) == "few unknown"


async def test_a_stopped_company_hears_why_appeals_finishes_its_deals_and_begins_none(
    client: httpx.AsyncClient, gateway: FakeGateway
) -> None:
    agreed, company_id = await struck_out()
    assert await fetchval("select count(*) from mail where template = 'standing_strikes'") == 1
    other = await agree()
    await onboarded(other, gateway)
    await execute("update deal set buyer_company_id = $2 where id = $1", other.deal_id, company_id)
    await execute("update payment_obligation set buyer_company_id = $2 where deal_id = $1", other.deal_id, company_id)
    operator = await make_person(role=Role.OPERATOR)
    at = f"/operator/standing/{company_id}"

    await sign_in(client, operator)
    assert "to be decided" in (await client.get("/operator/standing")).text
    assert (await client.post(f"{at}/notice", data={"reasons": "no"})).status_code == 422
    reasons = {"reasons": "Two contact details and an unpaid deal within a year."}
    assert (await client.post(f"{at}/notice", data=reasons)).status_code == 303
    assert (await client.post(f"{at}/notice", data=reasons)).status_code == 409
    suspension = await fetchval("select id from suspension")
    await standing.begin(suspension)
    assert await fetchval("select vetting from company where id = $1", company_id) == "vetted", "not before its day"

    trader = await make_person(agreed.buyer.company)
    await sign_in(client, trader)
    assert (await client.post("/standing/appeal", data={"appeal": "We were ill for a month."})).status_code == 403
    await sign_in(client, agreed.buyer)
    page = await client.get("/standing")
    assert "Two contact details" in page.text
    assert (await client.post("/standing/appeal", data={"appeal": "We were ill for a month."})).status_code == 303
    with frozen(now() + NOTICE + timedelta(hours=1)):
        await standing.begin(suspension)
        assert await fetchval("select state from suspension") == "noticed", "nothing begins before the answer"
        refused = f"{at}/suspensions/{suspension}/answer"
        await sign_in(client, operator)
        assert "We were ill" in (await client.get(at)).text
        said = {"upheld": "0", "answer": "The number was written before the illness."}
        assert (await client.post(refused, data=said)).status_code == 303
        assert await fetchval("select vetting from company where id = $1", company_id) == "stopped"

    await sign_in(client, agreed.buyer)
    blocked = await client.get(f"/lots/{other.lot_id}/terms")
    assert blocked.status_code == 403
    assert "may begin no new deals" in blocked.text
    assert "written before the illness" in (await client.get("/standing")).text
    assert (await client.get(f"/deals/{other.deal_id}")).status_code == 200
    assert (await client.post(f"/deals/{other.deal_id}/payment")).status_code == 303, "its deals go on"

    await execute("update lot set company_id = $2 where id = $1", other.lot_id, company_id)
    reader = await make_person()
    with pytest.raises(NotSeen):
        await lot_seen_by(reader.actor, other.lot_id, "en")

    await sign_in(client, operator)
    assert (await client.post(f"/operator/companies/{company_id}/vetting")).status_code == 409
    assert (await client.post(f"{at}/suspensions/{suspension}/lifting")).status_code == 303
    assert await fetchval("select vetting from company where id = $1", company_id) == "vetted"
    assert (await client.post(f"{at}/suspensions/{suspension}/lifting")).status_code == 409
    assert await lot_seen_by(reader.actor, other.lot_id, "en")


async def test_an_upheld_appeal_ends_the_matter_and_a_lifted_strike_no_longer_counts(gateway: FakeGateway) -> None:
    agreed, company_id = await struck_out()
    operator = await make_person(role=Role.OPERATOR)
    await standing.give_notice(company_id=company_id, reasons="three strikes within a year", by=operator.actor)
    await standing.appeal(text="The goods were never ready.", by=agreed.buyer.actor)
    suspension = await fetchval("select id from suspension")
    await standing.answer_appeal(
        suspension_id=suspension, upheld=True, answer="Your papers show it.", by=operator.actor
    )
    assert await fetchval("select state from suspension") == "withdrawn"
    strike = (await standing_of(company_id)).strikes[0]
    await standing.lift_strike(strike_id=strike.id, why="The goods were never ready.", by=operator.actor)
    assert (await standing_of(company_id)).counting == 2
    with pytest.raises(TooFewStrikes):
        await standing.give_notice(company_id=company_id, reasons="three strikes within a year", by=operator.actor)


def test_a_strike_counts_for_a_year_and_a_record_speaks_after_five_deals() -> None:
    at = now()
    assert counting([at, at - WINDOW + timedelta(days=1), at - WINDOW - timedelta(days=1)], at) == 2
    assert not begins(at, appealed=True, answered=False, at=at)
    few = Facts(bought=4, paid=4, sold=0, handed_over=0, claims_upheld=0, cancelled=0, not_collected=0)
    assert few.band is ReliabilityBand.UNKNOWN
    good = Facts(bought=10, paid=9, sold=10, handed_over=10, claims_upheld=1, cancelled=0, not_collected=0)
    assert (good.kept, good.band, good.trusted) == (18, ReliabilityBand.GOOD, False)
    assert Facts(10, 10, 10, 10, 0, 0, 0).trusted
    assert not Facts(10, 10, 10, 10, 0, 1, 0).trusted, "one in twenty called off is five per cent"
