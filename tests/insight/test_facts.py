"""What live trade leaves behind: one fact for a settled deal, one for a closed listing and each talk on it."""

from datetime import timedelta
from uuid import uuid4

import pytest

from exchange.clock import now
from exchange.database import execute, fetch, fetchrow
from exchange.insight.actions import record_closed_listings, record_trade
from exchange.insight.rules.periods import Quarter
from exchange.jobs import perform
from tests.settlement.conftest import Agreed, agree

DAY = timedelta(days=1)


async def settled(**terms: int) -> Agreed:
    """A deal settled today, on a lot of furniture published twelve days ago: 20 units, retail value 400.00."""
    agreed = await agree(**terms)  # type: ignore[arg-type]  # numbers only
    await execute("update manifest_line set category = 'furniture' where lot_id = $1", agreed.lot_id)
    await execute(
        "update lot set region = 'fr-north', published_at = $2, rrp_minor = 40000 where id = $1",
        agreed.lot_id,
        now() - 12 * DAY,
    )
    await execute(
        "update deal set state = 'settled', ending = 'received', closed_at = $2, paid_at = $2, due_at = null"
        " where id = $1",
        agreed.deal_id,
        now(),
    )
    return agreed


async def close(agreed: Agreed, sold: int) -> None:
    await execute("update lot set reserved = 0, sold = $2, closed_at = $3 where id = $1", agreed.lot_id, sold, now())
    await execute("update manifest_line set sold = reserved, reserved = 0 where lot_id = $1", agreed.lot_id)


async def test_a_settled_deal_is_one_fact_however_often_the_job_runs(db: None) -> None:
    import exchange.insight.jobs  # noqa: F401  its handlers register themselves

    agreed = await settled(unit_minor=8_00, quantity=10)
    await perform("deal.settled", agreed.deal_id)
    await perform("deal.settled", agreed.deal_id)
    (fact,) = await fetch("select * from insight_fact")
    reserved = await fetchrow(
        "select sum(r.quantity * m.rrp_minor)::bigint rrp from reservation_line r"
        " join manifest_line m on m.id = r.line_id where r.reservation_id = $1",
        agreed.negotiation_id,
    )
    assert reserved
    assert (fact["sector"], fact["category"], fact["leaf"]) == ("home", "home/furniture", "home/furniture/fr-north")
    assert (fact["units"], fact["rrp_minor"], fact["days_to_clear"]) == (10, reserved["rrp"], 12)
    assert fact["recovery_bp"] == round(10_000 * 80_00 / reserved["rrp"])
    assert fact["period"] == str(Quarter.holding(now()))


@pytest.mark.parametrize(
    "spoil",
    ["update manifest_line set rrp_minor = null", "update deal set state = 'refunded'"],
    ids=["retail value unknown", "refunded"],
)
async def test_what_tells_no_price_is_no_fact(db: None, spoil: str) -> None:
    agreed = await settled()
    await execute(spoil)
    await record_trade(deal_id=agreed.deal_id)
    await record_trade(deal_id=uuid4())
    assert await fetch("select 1 from insight_fact") == []


async def test_a_lot_of_many_kinds_is_a_mixed_lot(db: None) -> None:
    agreed = await settled(quantity=20)  # three quarters of its retail value in one line, a quarter in the other
    await execute("update manifest_line set category = 'tools' where lot_id = $1 and rrp_minor = 1000", agreed.lot_id)
    await record_trade(deal_id=agreed.deal_id)
    row = await fetchrow("select sector, category, leaf from insight_fact")
    assert row
    assert set(row.values()) == {"mixed"}


async def test_a_closed_listing_and_its_talks_are_facts_once_nothing_is_open_on_it(db: None) -> None:
    agreed = await settled(unit_minor=8_00, quantity=10)
    assert await record_closed_listings() == 0
    await close(agreed, 10)
    await execute("update negotiation set unit_ask_minor = 1000 where id = $1", agreed.negotiation_id)
    assert await record_closed_listings() == 1
    assert await record_closed_listings() == 0
    (listing,) = await fetch("select * from insight_listing_fact")
    assert (listing["rrp_minor"], listing["leaf"]) == (40_000, "home/furniture/fr-north")
    assert 0 < listing["sold_rrp_minor"] < 40_000
    (talk,) = await fetch("select * from insight_offer_fact")
    assert (talk["rrp_minor"], talk["spread_bp"], talk["accepted"]) == (20_000, 2_000, 1)


async def test_a_listing_with_a_live_talk_waits(db: None) -> None:
    agreed = await settled()
    await close(agreed, 10)
    await execute(
        "update negotiation set state = 'live', agreed_at = null, turn_company_id = seller_company_id, deadline = $2"
        " where id = $1",
        agreed.negotiation_id,
        now() + DAY,
    )
    assert await record_closed_listings() == 0
