"""What was sold, line by line, and what is claimed of it; the caller has loaded the deal by viewer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from exchange.database import fetch, fetchrow, fetchval
from exchange.money import Money
from exchange.settlement.queries.deals import Deal
from exchange.settlement.rules.claims import Sold


async def lines_of(deal: Deal) -> list[Sold]:
    """What was sold, line by line, each with its weight in the price: the price agreed for it, else its share of the
    reference price.
    """
    rows = await fetch(
        "select l.id, l.title, r.quantity, coalesce(x.unit_price_minor, l.rrp_minor, 0) * r.quantity as weight "
        "from reservation_line r join manifest_line l on l.id = r.line_id "
        "left join offer o on o.negotiation_id = r.reservation_id and o.state = 'agreed' "
        "left join offer_line x on x.offer_id = o.id and x.line_id = l.id "
        "where r.reservation_id = $1 order by l.position",
        deal.negotiation_id,
    )
    return [Sold(str(row["id"]), row["title"], row["quantity"], row["weight"]) for row in rows]


async def tolerance_of(deal: Deal) -> int:
    """The tolerance for condition in ten-thousandths of the price, as the contract froze it."""
    return int(
        await fetchval(
            "select coalesce((k.content -> 'lot' ->> 'tolerance_bp')::int, l.tolerance_bp) from lot l "
            "left join contract k on k.negotiation_id = $2 where l.id = $1",
            deal.lot_id,
            deal.negotiation_id,
        )
    )


@dataclass(frozen=True, slots=True)
class ClaimView:
    """A claim with its lines; sums before tax."""

    id: UUID
    state: str
    said: str
    wanted: Money
    offered: Money | None
    answer: str
    opened_at: datetime
    escalate_from: datetime
    settled: Money | None
    lines: Sequence["ClaimLineView"]


@dataclass(frozen=True, slots=True)
class ClaimLineView:
    """One line of a claim; ``answered_percent`` is the loss the seller finds right."""

    id: UUID
    key: str
    label: str
    reason: str
    units: int
    loss_percent: int
    answered_percent: int | None


async def claim_of(deal: Deal) -> ClaimView | None:
    """The deal's claim, if there is one; the caller has loaded the deal by viewer."""
    row = await fetchrow("select * from claim where deal_id = $1", deal.id)
    if row is None:
        return None
    lines = await fetch("select * from claim_line where claim_id = $1 order by label, reason, id", row["id"])
    currency = deal.terms.net.currency

    def money(minor: int | None) -> Money | None:
        return None if minor is None else Money(minor, currency)

    return ClaimView(
        id=row["id"],
        state=row["state"],
        said=row["said"],
        wanted=Money(row["wanted_minor"], currency),
        offered=money(row["offered_minor"]),
        answer=row["answer"],
        opened_at=row["opened_at"],
        escalate_from=row["escalate_from"],
        settled=money(row["settled_minor"]),
        lines=[
            ClaimLineView(
                x["id"], x["line_key"], x["label"], x["reason"], x["units"], x["loss_percent"], x["answered_percent"]
            )
            for x in lines
        ],
    )
