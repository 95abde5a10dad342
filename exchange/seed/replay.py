"""The step that plays the last weeks through: talks and deals under way, made by the real actions.

Every event happens at its own instant: the clock stands still there, and the payment sandbox's clock is moved along, so
that both tell the same story. What was played is noted event by event, so that an interrupted play goes on.
"""

import logging
from datetime import UTC, datetime
from uuid import UUID

from exchange import clock
from exchange.database import fetchval, transaction
from exchange.errors import DomainError
from exchange.jobs import perform_due
from exchange.journal.actions import record
from exchange.seed.chance import chance, drawn_ids, named_id
from exchange.seed.payments import PaymentSandbox
from exchange.seed.progress import Progress
from exchange.seed.scenes import scenes
from exchange.seed.stage import Event, Stage
from exchange.seed.steps import Market

log = logging.getLogger(__name__)
PLAYED = "seed.played"
LATER = ("deal.papers", "insight.released")
"""Invoices are checked and set, charts are drawn, which takes a while: the worker does it once the market is open."""


async def play(market: Market, progress: Progress) -> None:
    """Every event of every scene, in the order of time, from where an earlier play stopped."""
    events = scenes(market, with_money=PaymentSandbox.configured())
    stage = named_id(market.number, "stage")
    done = await fetchval(
        "select coalesce(max((details->>'number')::int), 0) from journal_entry where subject_id = $1", stage
    )
    async with PaymentSandbox.opened(begin=events[0].at, fresh=not done) as sandbox:
        for number, event in enumerate(events[done:], start=done + 1):
            with clock.frozen(event.at), drawn_ids(chance(market.number, f"event {number}")):
                if event.pays:
                    await sandbox.reach(event.at)
                    await _with_money(event, sandbox, again=number == done + 1)
                    await _note(stage, number)
                else:
                    async with transaction():
                        await event.happen(Stage(sandbox))
                        await perform_due(later=LATER)
                        await _note(stage, number)
            progress.at(number, len(events))
        await sandbox.reach(datetime.now(UTC))
        await sandbox.match_books()


async def _with_money(event: Event, sandbox: PaymentSandbox, *, again: bool) -> None:
    """The event and its jobs, which commit step by step as the payment service is called between.

    ``again``: an interrupted play may have got this far already; what cannot happen twice is then no fault.
    """
    try:
        await event.happen(Stage(sandbox))
    except DomainError:
        if not again:
            raise
        log.info("the event at %s had happened before the play was interrupted", event.at)
    await perform_due(later=LATER)


async def _note(stage: UUID, number: int) -> None:
    async with transaction():
        await record(None, PLAYED, stage, number=number)
