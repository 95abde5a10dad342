"""The offers of several buyers that await one seller, for one lot."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from exchange.actor import Actor
from exchange.clock import now
from exchange.database import fetch
from exchange.errors import NotSeen
from exchange.money import Money
from exchange.offers.rules.talks import MOVES


@dataclass(frozen=True, slots=True)
class Bidding:
    """A buyer's live offer for the lot."""

    negotiation_id: UUID
    buyer: UUID
    price: Money
    """Per unit; the mean where lines have prices of their own."""
    quantity: int
    total: Money
    lines: int
    """How many lines it names; none for the lot as it comes."""
    seen: int
    deadline: datetime

    @property
    def moves_left(self) -> int:
        return MOVES - self.seen


@dataclass(frozen=True, slots=True)
class OwnLotOffers:
    """The company's own lot with the live offers that await its answer, the highest total first."""

    title: str
    left: int
    ask: Money
    offers: list[Bidding]


async def buyers_on(actor: Actor, lot_id: UUID, negotiation_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """The buyer of each of these talks about the company's own lot, whatever has become of it."""
    rows = await fetch(
        "select id, buyer_company_id from negotiation where lot_id = $1 and seller_company_id = $2 and id = any($3)",
        lot_id,
        actor.company_id,
        list(negotiation_ids),
    )
    return {r["id"]: r["buyer_company_id"] for r in rows}


async def offers_awaiting(actor: Actor, lot_id: UUID, *, limit: int = 200) -> OwnLotOffers:
    """Raises NotSeen for a lot that is not the company's own."""
    rows = await fetch(
        """
        select l.title, l.quantity - l.reserved - l.sold as units_left, l.unit_ask_minor, l.currency, o.*
        from lot l left join lateral (
            select n.id, n.buyer_company_id, n.moves, n.deadline, o.unit_price_minor, o.quantity,
                coalesce(o.lines_minor, o.unit_price_minor * o.quantity) as total_minor,
                (select count(*) from offer_line x where x.offer_id = o.id) as lines
            from negotiation n join offer o on o.negotiation_id = n.id and o.number = n.moves
            where n.lot_id = l.id and n.state = 'live' and n.turn_company_id = l.company_id and n.deadline > $3
            order by total_minor desc, n.id limit $4
        ) o on true where l.id = $2 and l.company_id = $1 order by o.total_minor desc, o.id
        """,
        actor.company_id,
        lot_id,
        now(),
        limit,
    )
    if not rows:
        raise NotSeen
    currency = rows[0]["currency"]
    return OwnLotOffers(
        title=rows[0]["title"],
        left=rows[0]["units_left"],
        ask=Money(rows[0]["unit_ask_minor"], currency),
        offers=[
            Bidding(
                negotiation_id=r["id"],
                buyer=r["buyer_company_id"],
                price=Money(r["unit_price_minor"], currency),
                quantity=r["quantity"],
                total=Money(r["total_minor"], currency),
                lines=r["lines"],
                seen=r["moves"],
                deadline=r["deadline"],
            )
            for r in rows
            if r["id"]
        ],
    )
