"""A deal enters a state: its row, its clock, the journal, the open pages and the people who wait for it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from exchange.actor import Actor
from exchange.clock import now
from exchange.companies.queries import hours_of
from exchange.database import announce, execute
from exchange.jobs import enqueue
from exchange.journal.actions import record
from exchange.settlement.actions.notices import alarm, tell
from exchange.settlement.queries.deals import Deal, any_deal
from exchange.settlement.rules import clocks
from exchange.settlement.rules.alarms import called
from exchange.settlement.rules.deal import ALARM_AGAIN, CLOCKS, HELD_AT_MOST, REMIND_AFTER, Move, Side, State, Step


async def enter(
    deal: Deal,
    move: Move,
    arrow: Step,
    by: Actor | None,
    *,
    to: State | None = None,
    changes: Mapping[str, str] | None = None,
) -> Deal:
    """Take ``arrow`` in the current transaction, which holds the deal's row; ``changes`` are columns set with it."""
    state = to or arrow.to
    row: dict[str, Any] = dict(changes or {})
    at, again = now(), state is deal.state
    if move is Move.PAY:
        row["paid_at"] = at
        row["alarm_at"] = at + timedelta(days=HELD_AT_MOST.days)
    if move is Move.ALARM:
        row["alarm_at"] = at + timedelta(days=ALARM_AGAIN.days)
    if move is Move.MAKE_READY:
        row["ready_at"] = at
    if move in {Move.ARRIVE, Move.RECEIVE, Move.PROVE, Move.CLAIM} and deal.received_at is None:
        row["received_at"] = at
    if state.final:
        row["closed_at"] = at
    if arrow.ending is not None:
        row["ending"] = arrow.ending.value
    if not again:
        row |= {"state": state.value, "since": at, "cancel_asked_by": None}
    if move is not Move.ALARM or not again:
        # a clock that only calls the operator runs once; other news of the same state start it anew
        row["due_at"] = None if again and move is Move.LAPSE else await _due(deal, state, at)
    columns = ", ".join(f"{name} = ${n}" for n, name in enumerate(row, start=2))
    await execute(f"update deal set {columns} where id = $1", deal.id, *row.values())  # noqa: S608  names above
    await record(by, f"deal.{move.value}", deal.id, state=state.value)
    if row.get("due_at") is not None:
        await enqueue("deal.due", deal.id, at=row["due_at"])
    if "alarm_at" in row:
        await enqueue("deal.due", deal.id, at=row["alarm_at"])
    if State.POOLED in {deal.state, state}:
        await count_again(deal)
    if state.final:
        await enqueue("deal.closed", deal.id)
    if not again:
        await _remind_later(deal, state, at)
    entered = await any_deal(deal.id)
    if (kind := called(state, move, again=again)) is not None:
        await alarm(kind, entered)
    known = again and state is State.OPERATOR  # nothing is new to the two sides
    if not known and move is not Move.CHARGE_BACK_PART:  # which the dispute's own mail tells
        await tell(entered, by)
    await announce(deal.channel, f"deal.{move.value}", deal.id)
    return entered


async def count_again(deal: Deal) -> None:
    """The deal's units begin, or cease, to count towards its lot's threshold, where one is undecided."""
    if deal.threshold is not None and deal.threshold.is_open:
        await enqueue("threshold.due", deal.lot_id)


async def start_clock(deal: Deal, since: datetime) -> datetime | None:
    """When the clock of the state a deal is opened in runs out; its jobs are queued."""
    due = await _due(deal, deal.state, since)
    if due is not None:
        await enqueue("deal.due", deal.id, at=due)
    await _remind_later(deal, deal.state, since)
    return due


async def restart_payment(deal: Deal) -> None:
    """The time to pay of a deal whose lot goes ahead no longer ends with the lot's last day."""
    due = await _due(deal, deal.state, deal.agreed_at)
    if due is not None and due != deal.due_at:
        await execute("update deal set due_at = $2 where id = $1", deal.id, due)
        await execute("update payment_obligation set due_at = $2 where deal_id = $1", deal.id, due)
        await enqueue("deal.due", deal.id, at=due)


async def reminder_of(deal: Deal) -> datetime | None:
    """When the side that is to move in the deal's state is, or was, to be reminded."""
    clock = REMIND_AFTER.get(deal.state)
    if clock is None:
        return None
    since = deal.agreed_at if deal.state is State.AWAITING_PAYMENT else deal.since
    return clocks.reminder(deal.state, since, await hours_of(deal.company(clock.whose)))


async def _due(deal: Deal, state: State, at: datetime) -> datetime | None:
    clock = CLOCKS.get(state)
    if clock is None and state is not State.POOLED:
        return None
    hours = await hours_of(deal.company(clock.whose if clock else Side.BUYER))
    return clocks.due(
        state, at=at, ready_at=deal.ready_at, claimed_at=deal.claimed_at, hours=hours, threshold=deal.threshold
    )


async def _remind_later(deal: Deal, state: State, at: datetime) -> None:
    clock = REMIND_AFTER.get(state)
    if clock is None:
        return
    when = clocks.reminder(state, at, await hours_of(deal.company(clock.whose)))
    await enqueue("deal.reminder", deal.id, at=when)
