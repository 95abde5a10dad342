"""The lot of a first offer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from asyncpg import Record

from exchange.actor import Actor
from exchange.clock import now
from exchange.companies.rules import Vetting, WorkingHours
from exchange.database import execute, fetch
from exchange.errors import NotSeen
from exchange.listings.queries.thresholds import threshold_in
from exchange.listings.rules.lots import Incoterm, LotState
from exchange.listings.rules.thresholds import Threshold
from exchange.money import Money
from exchange.offers.rules.terms import Terms


@dataclass(frozen=True, slots=True)
class LotOffered:
    """A lot as the maker of a first offer sees it."""

    id: UUID
    title: str
    seller: UUID
    buyer_vetted: bool
    is_for_sale: bool
    available: int
    terms: Terms
    threshold: Threshold | None
    incoterm: Incoterm
    slots: tuple[str, ...]
    """Half days on which the seller says the goods can be fetched."""
    lines: int
    """How many lines its manifest has."""
    seller_hours: WorkingHours
    talk_id: UUID | None
    """The talk this buyer already has about the lot."""


_LOT = """
    select l.*, l.quantity - l.reserved - l.sold as lot_left,
        s.vetting as seller_vetting, s.zone, s.opens, s.closes, s.days, s.country as seller_country,
        b.vetting as buyer_vetting, n.id as talk_id,
        coalesce((select bool_and(c.answer = 'at_or_above_cost') from cost_statement c where c.lot_id = l.id), true)
            as above_cost,
        (select count(*) from manifest_line m where m.lot_id = l.id) as lines
    from lot l join company s on s.id = l.company_id join company b on b.id = $2
    left join negotiation n on n.lot_id = l.id and n.buyer_company_id = $2
    where l.id = any($1) and (n.id is not null or exists (
            select from quote_request q where q.lot_id = l.id and q.buyer_company_id = $2) or not (
        exists (select from company_block k where k.company_id = l.company_id and k.rival_id = $2)
        or exists (select from lot_block k where k.lot_id = l.id and k.company_id = $2)))
"""


async def lot_offered_to(actor: Actor, lot_id: UUID, *, lock: bool = False) -> LotOffered:
    """The lot a buyer may make a first offer for, or go on talking about.

    Hidden lots and lots that do not exist raise the same NotSeen. A block hides what one does not talk about yet: to
    end a talk under way, or a request for a price, would tell the seller which mask the rival wears.
    """
    if lock:
        await lock_lot(lot_id)
    found = await lots_offered_to(actor, [lot_id])
    if not found:
        raise NotSeen
    return found[lot_id]


async def lots_offered_to(actor: Actor, lots: Sequence[UUID]) -> dict[UUID, LotOffered]:
    """The same for several lots at once; those that are hidden or do not exist are left out."""
    return {row["id"]: _offered(row) for row in await fetch(_LOT, [*lots], actor.company_id)}


async def lot_shown_to(actor: Actor, lot_id: UUID) -> LotOffered:
    """The lot for whoever only looks: while it is for sale, or where they talk about it. Raises NotSeen.

    What a lot that was taken down came to is its two sides' business.
    """
    lot = await lot_offered_to(actor, lot_id)
    if not lot.is_for_sale and lot.talk_id is None:
        raise NotSeen
    return lot


async def lock_lot(lot_id: UUID) -> None:
    """Hold the lot's row, and with it every talk about the lot, until the transaction ends.

    A statement of its own: the reading after it must see what was committed while this one waited.
    """
    await execute("select from lot where id = $1 for no key update", lot_id)


def _offered(row: Record) -> LotOffered:
    is_for_sale = (
        LotState(row["state"]).is_for_sale
        and row["expires_at"] > now()
        and row["seller_vetting"] == Vetting.VETTED  # a buyer cannot tell it from a lot that was taken down
    )
    ask = Money(row["unit_ask_minor"], row["currency"])
    return LotOffered(
        id=row["id"],
        title=row["title"],
        seller=row["company_id"],
        buyer_vetted=row["buyer_vetting"] == Vetting.VETTED,
        is_for_sale=is_for_sale,
        available=row["lot_left"] if is_for_sale else 0,
        terms=Terms(
            ask=ask,
            partial=row["partial"],
            minimum=row["minimum"],
            multiple=row["multiple"],
            floor=None if row["floor_minor"] is None else replace(ask, minor=row["floor_minor"]),
            auto_accept=None if row["auto_accept_minor"] is None else replace(ask, minor=row["auto_accept_minor"]),
            covered_from=ask if row["above_cost"] else None,
        ),
        threshold=threshold_in(row),
        incoterm=Incoterm(row["incoterm"]),
        slots=tuple(row["slots"]),
        lines=row["lines"],
        seller_hours=WorkingHours(
            row["zone"], row["seller_country"], row["opens"], row["closes"], frozenset(row["days"])
        ),
        talk_id=row["talk_id"],
    )
