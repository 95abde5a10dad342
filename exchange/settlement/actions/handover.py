"""A paper on its way to its issuer's approved platform: by a connector, or by the seller's own hand.

Each call is noted before it is made, with when the next one is due, so a worker that dies in between only waits longer.
"""

import importlib
import logging
from functools import lru_cache
from uuid import UUID

from exchange.actor import Actor
from exchange.clock import now
from exchange.database import announce, execute, fetch, fetchrow, transaction
from exchange.errors import NotSeen
from exchange.journal.actions import record
from exchange.settings import settings
from exchange.settlement.actions.notices import alarm
from exchange.settlement.queries import one
from exchange.settlement.queries.deals import any_deal, deal_seen_by
from exchange.settlement.queries.papers import exchange_party
from exchange.settlement.rules.deal import NotYourMove, Side
from exchange.settlement.rules.invoices import Kind
from exchange.settlement.rules.papers import EXCHANGE, Handover
from exchange.settlement.rules.platform import ALARM_AFTER, ApprovedPlatform, Issued, Progress, next_call

log = logging.getLogger(__name__)

AT_ONCE = 200
"""Papers handed over in one round; the others follow in the next."""

_platform: ApprovedPlatform | None = None


def use(platform: ApprovedPlatform | None) -> None:
    """Hand papers to ``platform``: for tests; ``None`` forgets it."""
    global _platform
    _platform = platform


def platform() -> ApprovedPlatform | None:
    """The connector of the settings, made once; ``None`` where sellers hand their papers over themselves."""
    return _platform or _configured()


@lru_cache(maxsize=1)
def _configured() -> ApprovedPlatform | None:
    module, _, name = settings().platform_connector.partition(":")
    if not module:
        return None
    made: ApprovedPlatform = getattr(importlib.import_module(module), name)()
    return made


async def hand_over(paper_id: UUID) -> None:
    """Give an issued paper to the platform, or ask how it stands, and store the answer.

    Nothing happens without a connector, before the next call is due, and to a paper that is there or was sent by hand.
    """
    connector = platform()
    known = await _begin(paper_id) if connector else None
    if connector is None or known is None:
        return
    paper, progress, attempts = known
    try:
        told, failed = await connector.hand_over(paper, progress), ""
    except Exception as e:  # whatever somebody else's connector raises, it is asked again
        log.warning("paper %s was not handed over: %r", paper.number, e)
        told, failed = progress, f"{type(e).__name__}: {e}"[:500]
    async with transaction(alone=True):
        await _store(paper_id, told, attempts, failed)


async def hand_over_due() -> None:
    """Every paper whose next call is due, the longest waiting first: those of before there was a connector too."""
    if platform() is None:
        return
    rows = await fetch(
        "select p.id from paper p left join paper_handover h on h.paper_id = p.id where h.paper_id is null "
        "or (h.state = 'to_hand_over' or h.state = 'handed_over' and h.attempts > 0) "
        "and coalesce(h.next_at, h.changed_at) <= $1 order by coalesce(h.next_at, p.issued_at), p.id limit $2",
        now(),
        AT_ONCE,
    )
    for row in rows:
        await hand_over(row["id"])


async def _begin(paper_id: UUID) -> tuple[Issued, Progress, int] | None:
    """Note that a call is made, and when the next one is due."""
    async with transaction(alone=True):
        row = await fetchrow(
            "select p.*, coalesce(c.registration, '') as registration from paper p "
            "left join company c on c.id = p.issuer_id where p.id = $1",
            paper_id,
        )
        if row is None:
            raise NotSeen
        await execute(
            "insert into paper_handover (paper_id, changed_at) values ($1, $2) on conflict do nothing", paper_id, now()
        )
        at = await one("select * from paper_handover where paper_id = $1 for no key update", paper_id)
        known = Progress(Handover(at["state"]), at["reference"])
        by_hand = known.state is Handover.HANDED_OVER and not at["attempts"]
        if known.state.final or by_hand or (at["next_at"] is not None and now() < at["next_at"]):
            return None
        attempts = at["attempts"] + 1
        await execute(
            "update paper_handover set attempts = $2, next_at = $3 where paper_id = $1",
            paper_id,
            attempts,
            now() + next_call(attempts),
        )
    exchange = exchange_party()
    registration = exchange.registration if row["issuer_id"] == EXCHANGE and exchange else row["registration"]
    paper = Issued(paper_id, Kind(row["kind"]), row["label"], row["issued_on"], registration, row["xml"], row["pdf"])
    return paper, known, attempts


async def mark_handed_over(*, deal_id: UUID, paper_id: UUID, by: Actor) -> None:
    """The seller says it has sent the paper through its platform. Raises NotSeen, NotYourMove."""
    async with transaction():
        deal = await deal_seen_by(by, deal_id)
        if deal.side_of(by) is not Side.SELLER:
            raise NotYourMove
        row = await fetchrow("select issuer_id from paper where id = $1 and deal_id = $2", paper_id, deal_id)
        if row is None:
            raise NotSeen
        if row["issuer_id"] != by.company_id:
            raise NotYourMove
        await _store(paper_id, Progress(Handover.HANDED_OVER))
        await record(by, "deal.paper_handed_over", deal_id)


async def _store(paper_id: UUID, told: Progress, attempts: int = 0, failed: str = "") -> None:
    """``attempts`` of a connector: none when the seller says so. The operator is called for what needs a person."""
    row = await one(
        "insert into paper_handover (paper_id, state, reference, attempts, why, changed_at) "
        "values ($1, $2, $3, $4, $5, $6) on conflict (paper_id) do update set state = $2, reference = $3, "
        "attempts = $4, why = $5, changed_at = $6, "
        "next_at = case when $7 then null else paper_handover.next_at end returning old.state as before",
        paper_id,
        told.state,
        told.reference[:120],
        attempts,
        failed or told.why[:500],
        now(),
        told.state.final or not attempts,
    )
    deal = await any_deal((await one("select deal_id from paper where id = $1", paper_id))["deal_id"])
    if failed and attempts % ALARM_AFTER == 0:
        await alarm("platform_away", deal)
    if told.state is Handover.REJECTED and row["before"] != told.state:
        await alarm("paper_rejected", deal)
    await announce(deal.channel, "deal.papers", deal.id)
