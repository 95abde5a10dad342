"""A company's own wants and the lots that meet them; of others' wants, only a band."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from exchange.actor import Actor
from exchange.clock import now
from exchange.companies.queries import mask
from exchange.database import fetch, fetchrow, fetchval
from exchange.errors import NotSeen
from exchange.listings.rules.grades import Grade
from exchange.listings.rules.lots import Incoterm
from exchange.money import Money
from exchange.wants.rules import Closeness, Demand, Wanted, demand_band


@dataclass(frozen=True, slots=True)
class OwnWant:
    """A want of the viewer's company and how many lots for sale meet it now."""

    id: UUID
    person_id: UUID
    wanted: Wanted
    created_at: datetime
    closed_at: datetime | None
    lots: int

    def is_open(self, at: datetime) -> bool:
        return self.closed_at is None and self.wanted.expires_at > at


@dataclass(frozen=True, slots=True)
class Match:
    """A lot for sale that meets a want, under its seller's mask."""

    lot_id: UUID
    want_id: UUID
    title: str
    category: str
    grade: Grade
    country: str
    left: int
    unit_ask: Money
    closeness: Closeness
    seller: str


# a lot that became hidden, sold out or too dear since it was found is not shown; nor is one whose seller may not sell
# to this buyer any more
_SHOWN = """
    l.state in ('open', 'part_sold') and l.expires_at > $2 and l.quantity - l.reserved - l.sold > 0
    and (w.ceiling_minor is null or w.currency <> l.currency or l.unit_ask_minor <= w.ceiling_minor)
    and not exists (select from company_block k where k.company_id = l.company_id and k.rival_id = w.company_id)
    and not exists (select from lot_block k where k.lot_id = l.id and k.company_id = w.company_id)
    and exists (select from company s join company b on b.id = w.company_id where s.id = l.company_id
        and s.vetting = 'vetted' and s.legal_group_id <> b.legal_group_id)
"""
_OWN = f"""
    select w.*, (select count(*) from want_match m join lot l on l.id = m.lot_id where m.want_id = w.id and {_SHOWN})
        as lots
    from want w where w.company_id = $1
"""  # noqa: S608  put together from our own constants, as is the one below
_LATEST_FIRST = """
    and ($3::uuid is null or (w.closed_at is null and w.expires_at > $2, w.created_at, w.id) <
        (select a.closed_at is null and a.expires_at > $2, a.created_at, a.id from want a
         where a.id = $3 and a.company_id = $1))
    order by (w.closed_at is null and w.expires_at > $2) desc, w.created_at desc, w.id desc limit $4
"""
_MATCHES = f"""
    select l.id as lot_id, w.id as want_id, l.title, l.category, l.grade, l.country, l.company_id, m.closeness,
        l.quantity - l.reserved - l.sold as left, l.unit_ask_minor, l.currency
    from want_match m join want w on w.id = m.want_id join lot l on l.id = m.lot_id where {_SHOWN}
"""  # noqa: S608
_UNTOLD = f"{_MATCHES} and w.person_id = $1 and m.told_at is null and w.closed_at is null and w.expires_at > $2"
_ORDER = "order by array_position(array['gtin','brand','category'], m.closeness::text), l.id"


async def wants_of(actor: Actor, *, after: UUID | None = None, limit: int = 50) -> list[OwnWant]:
    """The company's wants, open ones and latest first; ``after`` is the last of the page before."""
    rows = await fetch(
        _OWN + _LATEST_FIRST,
        actor.company_id,
        now(),
        after,
        limit,
    )
    return [_own(r) for r in rows]


async def want_seen_by(actor: Actor, want_id: UUID, *, lock: bool = False) -> OwnWant:
    """One of the company's own wants. Raises NotSeen."""
    locked = " for no key update of w" if lock else ""
    row = await fetchrow(f"{_OWN} and w.id = $3{locked}", actor.company_id, now(), want_id)
    if row is None:
        raise NotSeen
    return _own(row)


async def open_wants(actor: Actor) -> int:
    """How many open wants the company has."""
    return int(
        await fetchval(
            "select count(*) from want where company_id = $1 and closed_at is null and expires_at > $2",
            actor.company_id,
            now(),
        )
    )


async def matches_seen_by(actor: Actor, want_id: UUID, language: str, *, limit: int = 100) -> list[Match]:
    """The lots that meet the company's own want, closest first."""
    rows = await fetch(
        f"{_MATCHES} and w.company_id = $1 and w.id = $3 {_ORDER} limit $4", actor.company_id, now(), want_id, limit
    )
    return [_match(r, language) for r in rows]


async def untold_matches(person_id: UUID, language: str, *, limit: int = 20) -> list[Match]:
    """The lots found for a person's open wants that they were not told of yet: for the digest."""
    rows = await fetch(f"{_UNTOLD} {_ORDER} limit $3", person_id, now(), limit)
    return [_match(r, language) for r in rows]


async def count_untold(person_id: UUID) -> int:
    """How many lots found for a person's open wants they were not told of yet."""
    return int(await fetchval(f"select count(*) from ({_UNTOLD}) untold", person_id, now()))  # noqa: S608


async def demand_for(actor: Actor, lot_id: UUID) -> Demand:
    """How many legal groups look for the company's own lot, as a band, whatever their price ceilings. Raises NotSeen.

    Groups, not wants: an accomplice's four wants would make the band tell whether there is a fifth. Those of companies
    that may not buy it now are none.
    """
    count = await fetchval(
        "select (select count(distinct b.legal_group_id) from want_match m join want w on w.id = m.want_id "
        "join company b on b.id = w.company_id and b.vetting = 'vetted' and b.legal_group_id <> s.legal_group_id "
        "where m.lot_id = l.id and w.closed_at is null and w.expires_at > $3) "
        "from lot l join company s on s.id = l.company_id where l.id = $1 and l.company_id = $2",
        lot_id,
        actor.company_id,
        now(),
    )
    if count is None:
        raise NotSeen
    return demand_band(count)


def _own(r: Record) -> OwnWant:
    wanted = Wanted(
        quantity_min=r["quantity_min"],
        expires_at=r["expires_at"],
        category=r["category"],
        brand=r["brand"],
        gtins=tuple(r["gtins"]),
        worst_grade=Grade(r["worst_grade"]),
        quantity_max=r["quantity_max"],
        ceiling=None if r["ceiling_minor"] is None else Money(r["ceiling_minor"], r["currency"]),
        regions=tuple(r["regions"]),
        incoterms=tuple(Incoterm(i) for i in r["incoterms"]),
    )
    return OwnWant(r["id"], r["person_id"], wanted, r["created_at"], r["closed_at"], r["lots"])


def _match(r: Record, language: str) -> Match:
    return Match(
        lot_id=r["lot_id"],
        want_id=r["want_id"],
        title=r["title"],
        category=r["category"],
        grade=Grade(r["grade"]),
        country=r["country"],
        left=r["left"],
        unit_ask=Money(r["unit_ask_minor"], r["currency"]),
        closeness=Closeness(r["closeness"]),
        seller=mask(r["company_id"], r["lot_id"], language),
    )
