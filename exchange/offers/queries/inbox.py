"""The list of one's talks: what awaits me first, then what awaits them, then what has ended."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from asyncpg import Record

from exchange.actor import Actor
from exchange.clock import now
from exchange.database import fetch, fetchval
from exchange.money import Money
from exchange.offers.rules.talks import MOVES, State


class Awaits(StrEnum):
    """Whose answer a talk in the inbox waits for."""

    ME = "me"
    THEM = "them"
    NOBODY = "nobody"


class Side(StrEnum):
    """On which side of its talks a company looks."""

    BUYER = "buyer"
    SELLER = "seller"


class Assigned(StrEnum):
    """Whose talks a person looks at; all of the company's when none is chosen."""

    MINE = "mine"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class InboxRow:
    """A talk in the list of one's talks."""

    id: UUID
    lot_id: UUID
    other: UUID
    other_name: str | None
    """Who the other side is, once agreed."""
    lot_title: str
    awaits: Awaits
    state: State
    is_buyer: bool
    price: Money
    """Per unit; the mean where lines have prices of their own."""
    quantity: int
    total: Money
    lines: bool
    """Whether it names single lines."""
    by_me: bool
    moves: int
    deadline: datetime | None
    changed_at: datetime
    assignee: str | None
    """Which colleague looks after it."""

    @property
    def moves_left(self) -> int:
        return MOVES - self.moves


@dataclass(frozen=True, slots=True)
class Inbox:
    """One page of talks, and how many there are of each kind among all that the filters let through."""

    rows: list[InboxRow]
    counts: dict[Awaits, int]
    next: UUID | None


_INBOX = """
with mine as materialized (
    select n.id, n.state, n.changed_at, n.deadline, a.person_id as assignee,
        case when n.state <> 'live' or n.deadline <= $2 then 2 when n.turn_company_id = $1 then 0 else 1 end as kind,
        extract(epoch from case when n.state = 'live' and n.deadline > $2 then n.deadline end) as due
    from negotiation n left join talk_assignment a on a.negotiation_id = n.id and a.company_id = $1
        and exists (select from membership m where m.person_id = a.person_id and m.company_id = $1)
    where (n.buyer_company_id = $1 and $6::text is distinct from 'seller'
            or n.seller_company_id = $1 and $6 is distinct from 'buyer')
        and case $7::text when 'mine' then a.person_id = $8 when 'nobody' then a.person_id is null else true end
        and ($9::text is null or exists (select from lot_copy c where c.id = n.lot_copy_id
            and position(fold($9) in fold(c.content ->> 'title')) > 0))
), tally as (
    select count(*) filter (where kind = 0) as me, count(*) filter (where kind = 1) as them,
        count(*) filter (where kind = 2) as nobody from mine
), kept as (
    select *, coalesce(due, -extract(epoch from changed_at)) as rank from mine where $3::int is null or kind = $3
), page as (
    select * from kept where not exists (select from kept where id = $4)
        or (kind, rank, id) > (select kind, rank, id from kept where id = $4)
    order by kind, rank, id limit $5
)
select t.me, t.them, t.nobody, f.* from tally t left join (
    select p.id, p.kind, p.rank, p.state, p.changed_at, p.deadline, n.lot_id, n.buyer_company_id, n.seller_company_id,
        n.moves, c.content ->> 'title' as title, o.unit_price_minor, o.lines_minor, o.currency, o.quantity,
        o.company_id as by_company,
        w.name as assignee, case when n.state = 'agreed' then x.trading_name end as other_name
    from page p join negotiation n on n.id = p.id join lot_copy c on c.id = n.lot_copy_id
    join offer o on o.negotiation_id = n.id and o.number = n.moves
    join company x on x.id = case when n.buyer_company_id = $1 then n.seller_company_id else n.buyer_company_id end
    left join person w on w.id = p.assignee
) f on true order by f.kind, f.rank, f.id
"""
_KINDS = (Awaits.ME, Awaits.THEM, Awaits.NOBODY)


async def inbox_of(
    actor: Actor,
    *,
    show: Awaits | None = None,
    side: Side | None = None,
    assigned: Assigned | None = None,
    words: str = "",
    after: UUID | None = None,
    limit: int = 30,
) -> Inbox:
    """One page of the company's talks: what awaits it first (nearest deadline first), then what awaits the others,
    then what has ended (latest first), with the counts, in one round trip.

    ``after`` is the last talk of the page before; the first page again when it is not among them any more.
    """
    found = await fetch(
        _INBOX,
        actor.company_id,
        now(),
        None if show is None else _KINDS.index(show),
        after,
        limit + 1,
        side,
        assigned,
        actor.person_id,
        searched(words),
    )
    rows = [_inbox_row(r, actor.company_id) for r in found[:limit] if r["id"]]
    counts = {awaits: found[0][awaits.value] for awaits in _KINDS}
    return Inbox(rows, counts, rows[-1].id if len(found) > limit else None)


def searched(words: str) -> str | None:
    """The words as a lot's title is searched for them; None filters nothing."""
    return " ".join(words.split())[:80] or None


async def count_awaiting(actor: Actor) -> int:
    """How many talks and requests for a price await the company's answer: the number beside Talks on every page, read
    from two small indexes."""
    return int(
        await fetchval(
            "select (select count(*) from negotiation where turn_company_id = $1 and state = 'live' and deadline > $2) "
            "+ (select count(*) from quote_request where seller_company_id = $1 and state = 'asked' "
            "and expires_at > $2)",
            actor.company_id,
            now(),
        )
    )


def _inbox_row(r: Record, company_id: UUID | None) -> InboxRow:
    is_buyer = r["buyer_company_id"] == company_id
    price = Money(r["unit_price_minor"], r["currency"])
    overdue_by_now = r["kind"] == 2 and r["state"] == State.LIVE
    return InboxRow(
        id=r["id"],
        lot_id=r["lot_id"],
        other=r["seller_company_id"] if is_buyer else r["buyer_company_id"],
        other_name=r["other_name"],
        lot_title=r["title"],
        awaits=_KINDS[r["kind"]],
        state=State.EXPIRED if overdue_by_now else State(r["state"]),
        is_buyer=is_buyer,
        price=price,
        quantity=r["quantity"],
        total=price * r["quantity"] if r["lines_minor"] is None else Money(r["lines_minor"], r["currency"]),
        lines=r["lines_minor"] is not None,
        by_me=r["by_company"] == company_id,
        moves=r["moves"],
        deadline=r["deadline"],
        changed_at=r["changed_at"],
        assignee=r["assignee"],
    )
