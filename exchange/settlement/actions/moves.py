"""A deal enters a state: its row, its clock, the journal, the open pages and the people who wait for it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from exchange.actor import Actor
from exchange.clock import now
from exchange.companies.queries import hours_of
from exchange.companies.rules import after_business_days
from exchange.database import announce, execute, fetchval
from exchange.jobs import enqueue
from exchange.journal.actions import record
from exchange.settlement.actions.notices import tell
from exchange.settlement.queries.deals import Deal, any_deal
from exchange.settlement.rules.deal import CLOCKS, HELD_AT_MOST, Clock, Move, Side, State, Step

REMIND = timedelta(hours=24)
"""How long before a silent buyer's acceptance a reminder goes out (domain guide §7)."""


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
    at = now()
    if move is Move.PAY:
        row |= {"paid_at": at, "alarm_at": at + timedelta(days=HELD_AT_MOST.days)}
    if move is Move.MAKE_READY:
        row["ready_at"] = at
    if state.final:
        row["closed_at"] = at
    if arrow.ending is not None:
        row["ending"] = arrow.ending.value
    again = state is deal.state  # a clock that only calls the operator again runs once
    row["due_at"] = due = None if again else await due_at(deal, state, at)
    if not again:
        row |= {"state": state.value, "since": at}
    columns = ", ".join(f"{name} = ${n}" for n, name in enumerate(row, start=2))
    await execute(f"update deal set {columns} where id = $1", deal.id, *row.values())  # noqa: S608  names above
    await record(by, f"deal.{move.value}", deal.id, state=state.value)
    if due is not None:
        await enqueue("deal.due", deal.id, at=due)
        if state is State.DELIVERED:
            await enqueue("deal.reminder", deal.id, at=due - REMIND)
    if move is Move.PAY:
        await enqueue("deal.due", deal.id, at=row["alarm_at"])
    entered = await any_deal(deal.id)
    await tell(entered, by)
    await announce(deal.channel, f"deal.{move.value}", deal.id)
    return entered


async def due_at(deal: Deal, state: State, at: datetime) -> datetime | None:
    """When the clock of ``state`` runs out for a deal that enters it ``at``."""
    clock = CLOCKS.get(state)
    if clock is None:
        return None
    start = at
    if state is State.UNCOLLECTED:
        start = deal.ready_at or at
    if state is State.OPERATOR:
        start = await fetchval("select opened_at from claim where deal_id = $1", deal.id) or at
    return await run_out(deal, clock, start)


async def run_out(deal: Deal, clock: Clock, start: datetime) -> datetime:
    """``clock`` started at ``start``, in the working hours of the company it runs for."""
    if not clock.business:
        return start + timedelta(days=clock.days)
    company = deal.company(Side.BUYER if clock.whose is Side.BUYER else Side.SELLER)
    return after_business_days(start, clock.days, await hours_of(company))
