"""The list of one's talks: what awaits me first, then what awaits them, then what has ended."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from asyncpg import Record

from exchange.actor import Actor
from exchange.clock import now
from exchange.database import fetch, fetchrow
from exchange.money import Money
from exchange.offers.rules.talks import MOVES, State


class Awaits(StrEnum):
    """Whose answer a talk in the inbox waits for."""

    ME = "me"
    THEM = "them"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class InboxRow:
    """A talk in the list of one's talks."""

    id: UUID
    lot_id: UUID
    other: UUID
    lot_title: str
    awaits: Awaits
    state: State
    is_buyer: bool
    price: Money
    quantity: int
    by_me: bool
    moves: int
    deadline: datetime | None
    changed_at: datetime

    @property
    def total(self) -> Money:
        return self.price * self.quantity

    @property
    def moves_left(self) -> int:
        return MOVES - self.moves


@dataclass(frozen=True, slots=True)
class Inbox:
    """One page of talks and how many there are of each kind."""

    rows: list[InboxRow]
    counts: dict[Awaits, int]
    next: UUID | None


_INBOX = """
with mine as materialized (
    select n.id, n.state, n.changed_at, n.deadline,
        case when n.state <> 'live' or n.deadline <= $2 then 2 when n.turn_company_id = $1 then 0 else 1 end as kind,
        extract(epoch from case when n.state = 'live' and n.deadline > $2 then n.deadline end) as due
    from negotiation n where n.buyer_company_id = $1 or n.seller_company_id = $1
), kept as (
    select *, coalesce(due, -extract(epoch from changed_at)) as rank from mine where $3::int is null or kind = $3
), page as (
    select * from kept where $4::uuid is null
        or (kind, rank, id) > (select kind, rank, id from kept where id = $4)
    order by kind, rank, id limit $5
)
select p.id, p.kind, p.state, p.changed_at, p.deadline, n.lot_id, n.buyer_company_id, n.seller_company_id, n.moves,
    c.content ->> 'title' as title, o.unit_price_minor, o.currency, o.quantity, o.company_id as by_company
from page p join negotiation n on n.id = p.id join lot_copy c on c.id = n.lot_copy_id
join offer o on o.negotiation_id = n.id and o.number = n.moves order by p.kind, p.rank, p.id
"""
_KINDS = (Awaits.ME, Awaits.THEM, Awaits.NOBODY)


async def inbox_of(actor: Actor, *, show: Awaits | None = None, after: UUID | None = None, limit: int = 30) -> Inbox:
    """One page of the company's talks: what awaits it first (nearest deadline first), then what awaits the others,
    then what has ended (latest first). ``after`` is the last talk of the page before.
    """
    at = now()
    kind = None if show is None else _KINDS.index(show)
    found = await fetch(_INBOX, actor.company_id, at, kind, after, limit + 1)
    rows = [_inbox_row(r, actor.company_id) for r in found[:limit]]
    return Inbox(rows, await inbox_counts(actor), rows[-1].id if len(found) > limit else None)


async def inbox_counts(actor: Actor) -> dict[Awaits, int]:
    """How many talks there are of each kind."""
    row = await fetchrow(
        "select count(*) filter (where state = 'live' and deadline > $2 and turn_company_id = $1) as me, "
        "count(*) filter (where state = 'live' and deadline > $2 and turn_company_id <> $1) as them, "
        "count(*) filter (where state <> 'live' or deadline <= $2) as nobody "
        "from negotiation where buyer_company_id = $1 or seller_company_id = $1",
        actor.company_id,
        now(),
    )
    return {awaits: row[awaits.value] if row else 0 for awaits in _KINDS}


def _inbox_row(r: Record, company_id: UUID | None) -> InboxRow:
    is_buyer = r["buyer_company_id"] == company_id
    overdue_by_now = r["kind"] == 2 and r["state"] == State.LIVE
    return InboxRow(
        id=r["id"],
        lot_id=r["lot_id"],
        other=r["seller_company_id"] if is_buyer else r["buyer_company_id"],
        lot_title=r["title"],
        awaits=_KINDS[r["kind"]],
        state=State.EXPIRED if overdue_by_now else State(r["state"]),
        is_buyer=is_buyer,
        price=Money(r["unit_price_minor"], r["currency"]),
        quantity=r["quantity"],
        by_me=r["by_company"] == company_id,
        moves=r["moves"],
        deadline=r["deadline"],
        changed_at=r["changed_at"],
    )
