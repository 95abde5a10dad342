"""A lot sold only if enough of it is paid: the count, what it decides and what others read of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.clock import now
from exchange.database import execute, fetchrow
from exchange.errors import DomainError
from exchange.listings.actions.lots import change_lot
from exchange.listings.queries.lots import lot_seen_by
from exchange.listings.queries.thresholds import paid_of
from exchange.listings.rules.lots import (
    Terms,
    ThresholdDatedOtherwise,
    ThresholdNeedsParts,
    ThresholdOutOfRange,
    ThresholdTooLong,
    check_terms,
)
from exchange.listings.rules.thresholds import STEPS, Threshold, ThresholdState, decide, told
from exchange.listings.schemas import PublicationBody
from tests.factories import make_company, make_lot, make_person
from tests.listings.test_actions import terms

BY = datetime(2026, 11, 30, 22, tzinfo=UTC)
OPEN = Threshold(60, BY, ThresholdState.OPEN)


@given(st.lists(st.tuples(st.integers(0, 100), st.booleans()), max_size=8))
def test_a_lot_is_decided_once_and_by_the_units_paid(counts: list[tuple[int, bool]]) -> None:
    threshold = OPEN
    for paid, closed in counts:
        after = decide(threshold, paid, closed=closed)
        if not threshold.is_open:
            assert after is threshold.state, "what is decided stays"
        elif paid >= threshold.units:
            assert after is ThresholdState.MET, "also on the last day"
        else:
            assert after is (ThresholdState.MISSED if closed else ThresholdState.OPEN)
        threshold = replace(threshold, state=after)


def test_the_last_instant_is_still_in_time() -> None:
    assert not OPEN.over(BY)
    assert OPEN.over(BY + timedelta(microseconds=1))


@given(st.integers(2, 10**6), st.data())
def test_others_read_the_count_in_steps_and_never_more_than_is_paid(units: int, data: st.DataObject) -> None:
    paid = data.draw(st.integers(0, 2 * units))
    step = -(-units // STEPS)
    assert 0 <= told(paid, units) <= min(paid, units)
    assert min(paid, units) - told(paid, units) < step
    assert told(paid, units) % step == 0, "who pays less than a step moves nothing others can see"


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"partial": False}, ThresholdNeedsParts),
        ({"threshold": 1}, ThresholdOutOfRange),
        ({"threshold": 101}, ThresholdOutOfRange),
        ({"expires_at": BY + timedelta(days=32)}, ThresholdTooLong),
    ],
)
def test_a_threshold_nobody_could_keep_is_refused(changes: dict[str, object], refusal: type[DomainError]) -> None:
    good: Terms = replace(terms(), partial=True, threshold=60, expires_at=BY + timedelta(days=30))
    assert check_terms(good, 100, BY) == []
    assert [type(fault) for fault in check_terms(replace(good, **changes), 100, BY)] == [refusal]  # type: ignore[arg-type]  # fields by name


def test_a_lot_with_a_threshold_is_on_sale_for_thirty_days_where_no_end_is_given() -> None:
    body = PublicationBody(title="Poêles", category="tableware", partial=True, threshold=60)
    assert check_terms(replace(body.terms("EUR"), unit_ask=terms().unit_ask), 100, now()) == []


async def test_rivals_read_the_count_in_steps_and_the_seller_exactly(db: None) -> None:
    lot = await make_lot(partial=True, quantity=100, threshold=60, expires_in=timedelta(days=20))
    await execute("update lot set threshold_paid = 35 where id = $1", lot.id)
    rival = await make_person(await make_company())
    assert (await lot_seen_by(rival.actor, lot.id, "en")).threshold_paid == 30
    assert (await lot_seen_by(lot.seller.actor, lot.id, "en")).threshold_paid == 35
    assert (await paid_of(lot.id, exactly=False), await paid_of(lot.id, exactly=True)) == (30, 35)


async def test_the_condition_stays_as_it_was_published(db: None) -> None:
    lot = await make_lot(partial=True, quantity=100, threshold=60, expires_in=timedelta(days=20))
    row = await fetchrow("select expires_at from lot where id = $1", lot.id)
    assert row is not None
    same = replace(terms(), partial=True, expires_at=row["expires_at"])
    await change_lot(by=lot.seller.actor, lot_id=lot.id, terms=replace(same, multiple=5))
    with pytest.raises(ThresholdDatedOtherwise):
        later = replace(same, expires_at=row["expires_at"] + timedelta(days=2))
        await change_lot(by=lot.seller.actor, lot_id=lot.id, terms=later)
    with pytest.raises(ThresholdNeedsParts):
        await change_lot(by=lot.seller.actor, lot_id=lot.id, terms=replace(same, partial=False))
    changed = await fetchrow("select threshold, threshold_state, multiple from lot where id = $1", lot.id)
    assert changed is not None
    assert tuple(changed) == (60, "open", 5)


@pytest.mark.parametrize(("units", "state"), [(50, "met"), (60, "missed"), (60, "open"), (None, None)])
async def test_the_database_itself_decides_once(db: None, units: int | None, state: str | None) -> None:
    lot = await make_lot(partial=True, quantity=100, threshold=60, expires_in=timedelta(days=20))
    await execute("update lot set threshold_state = 'met' where id = $1", lot.id)
    with pytest.raises(asyncpg.CheckViolationError, match="decided once"):
        await execute("update lot set threshold = $2, threshold_state = $3 where id = $1", lot.id, units, state)
