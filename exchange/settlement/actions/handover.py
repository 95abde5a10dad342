"""A paper on its way to its issuer's approved platform: by a connector, or by the seller's own hand."""

from uuid import UUID

from exchange.actor import Actor
from exchange.clock import now
from exchange.database import execute, fetchrow, transaction
from exchange.errors import NotSeen
from exchange.journal.actions import record
from exchange.settlement.queries.deals import deal_seen_by
from exchange.settlement.queries.papers import exchange_party
from exchange.settlement.rules.deal import NotYourMove, Side
from exchange.settlement.rules.invoices import Kind
from exchange.settlement.rules.papers import EXCHANGE, Handover
from exchange.settlement.rules.platform import ApprovedPlatform, Issued, Progress


class NoPlatform:
    """The default connector: the paper waits to be handed over by the seller."""

    async def hand_over(self, paper: Issued, known: Progress) -> Progress:
        return known


_platform: ApprovedPlatform = NoPlatform()


def use(platform: ApprovedPlatform) -> None:
    """Hand papers to ``platform`` from now on."""
    global _platform
    _platform = platform


async def hand_over(paper_id: UUID) -> None:
    """Give an issued paper to the platform, or ask how it stands, and store the answer."""
    row = await fetchrow(
        "select p.*, h.state, h.reference, coalesce(c.registration, '') as registration from paper p "
        "left join paper_handover h on h.paper_id = p.id left join company c on c.id = p.issuer_id where p.id = $1",
        paper_id,
    )
    if row is None:
        raise NotSeen
    known = Progress(Handover(row["state"] or Handover.TO_HAND_OVER), row["reference"] or "")
    if row["issuer_id"] == EXCHANGE and (exchange := exchange_party()) is not None:
        registration = exchange.registration
    else:
        registration = row["registration"]
    told = await _platform.hand_over(
        Issued(paper_id, Kind(row["kind"]), row["label"], row["issued_on"], registration, row["xml"], row["pdf"]),
        known,
    )
    async with transaction(alone=True):
        await _store(paper_id, told)


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


async def _store(paper_id: UUID, told: Progress) -> None:
    await execute(
        "insert into paper_handover (paper_id, state, reference, changed_at) values ($1, $2, $3, $4) "
        "on conflict (paper_id) do update set state = $2, reference = $3, changed_at = $4",
        paper_id,
        told.state,
        told.reference,
        now(),
    )
