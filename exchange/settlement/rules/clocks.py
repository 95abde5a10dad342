"""When a deal's clocks run out, and what they do then. Source: domain guide §7."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

from exchange.companies.rules import WorkingHours, after_business_days
from exchange.listings.rules.thresholds import Threshold, ThresholdState
from exchange.settlement.rules.deal import CLOCKS, REMIND_AFTER, Clock, Move, Side, State, moves

LETTER_DAYS = 3
"""Days after the delivery within which a carrier in France must have a registered letter (L133-3 C.com.)."""


def runs_out(clock: Clock, start: datetime, hours: WorkingHours) -> datetime:
    """When ``clock``, started at ``start``, runs out for a company that works at ``hours``."""
    if clock.business:
        return after_business_days(start, clock.days, hours)
    return start + timedelta(days=clock.days)


def starts(state: State, *, at: datetime, ready_at: datetime | None, claimed_at: datetime | None) -> datetime:
    """From when the clock of ``state`` counts, entered ``at``: the fourteen days of collection from the day the goods
    were ready, the operator's ten from the day of the claim.
    """
    if state is State.UNCOLLECTED:
        return ready_at or at
    return claimed_at or at if state is State.OPERATOR else at


def due(
    state: State,
    *,
    at: datetime,
    ready_at: datetime | None,
    claimed_at: datetime | None,
    hours: WorkingHours,
    threshold: Threshold | None = None,
) -> datetime | None:
    """When a deal that enters ``state`` ``at`` is moved by the clock; ``hours`` are those of the clock's company.

    Until the ``threshold`` of a lot is met nobody pays later than its last instant.
    """
    if state is State.POOLED:
        return threshold.by if threshold else None
    clock = CLOCKS.get(state)
    if clock is None:
        return None
    out = runs_out(clock, starts(state, at=at, ready_at=ready_at, claimed_at=claimed_at), hours)
    if state is State.AWAITING_PAYMENT and threshold is not None and threshold.state is not ThresholdState.MET:
        return min(out, threshold.by)
    return out


def reminder(state: State, at: datetime, hours: WorkingHours) -> datetime | None:
    """When the side that is to move is reminded in a state entered ``at``; ``None`` where nobody is."""
    clock = REMIND_AFTER.get(state)
    return runs_out(clock, at, hours) if clock else None


def struck(
    state: State,
    *,
    due_at: datetime | None,
    alarm_at: datetime | None,
    at: datetime,
    threshold: Threshold | None = None,
) -> Move | None:
    """What the clocks do to a deal in ``state`` ``at`` this instant, if anything.

    A ``threshold`` that is decided goes before all else, the alarm before what is left. While it is open and its last
    instant has come nothing else happens: first all the lot's payments are counted, and who did not pay is judged then.
    """
    possible = moves(state, Side.CLOCK)
    if threshold is not None:
        if threshold.missed and Move.MISS in possible:
            return Move.MISS
        if threshold.state is ThresholdState.MET and Move.GO_AHEAD in possible:
            return Move.GO_AHEAD
    if Move.ALARM in possible and alarm_at is not None and alarm_at <= at:
        return Move.ALARM
    if threshold is not None and threshold.is_open and threshold.by <= at:
        return None
    return Move.LAPSE if Move.LAPSE in possible and due_at is not None and due_at <= at else None


def letter_by(received: date, is_holiday: Callable[[date], bool]) -> date:
    """The last day for the registered letter to a carrier in France: three days after ``received``, public holidays
    left out. Sundays are counted, so that whoever keeps to it is in time whichever way a court counts them.
    """
    day, left = received, LETTER_DAYS
    while left:
        day += timedelta(days=1)
        left -= not is_holiday(day)
    return day
