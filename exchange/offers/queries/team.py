"""What one side of a talk keeps to itself: who looks after it, and the notes of its colleagues.

Every text here names the viewer's own company, so that nothing of it can be loaded for the other side.
"""

import json
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID, uuid5

from exchange.actor import Actor
from exchange.clock import now
from exchange.companies.queries import correspondents_of
from exchange.database import fetch, fetchrow
from exchange.errors import NotSeen


@dataclass(frozen=True, slots=True)
class Note:
    """One internal note."""

    id: UUID
    person_name: str
    body: str
    written_at: datetime


@dataclass(frozen=True, slots=True)
class Mate:
    """A colleague who may look after a talk."""

    person_id: UUID
    name: str
    away_until: date | None = None
    """The last day of an absence that is not over."""


@dataclass(frozen=True, slots=True)
class OwnSide:
    """A talk's inside, for the viewer's company."""

    assignee: Mate | None
    """Who looks after the talk; None too when they have left the company."""
    team: list[Mate]
    notes: list[Note]
    """Oldest first; the latest hundred."""


@dataclass(frozen=True, slots=True)
class Assigned:
    """A talk given to a colleague: for the mail that tells them."""

    negotiation_id: UUID
    lot_title: str
    person_id: UUID
    by_name: str


def inside_channel(negotiation_id: UUID, company_id: UUID) -> str:
    """Where the open pages of one side listen for what happens inside it; the other side listens to another."""
    return f"inside_{uuid5(negotiation_id, company_id.hex).hex}"


_INSIDE = """
select
    (select json_agg(json_build_object('id', p.id, 'name', p.name, 'has', a.id is not null,
         'away', case when ($3 at time zone p.zone)::date between m.away_from and m.away_until then m.away_until end)
         order by p.name, p.id)
     from membership m join person p on p.id = m.person_id
     left join talk_assignment a on a.negotiation_id = n.id and a.company_id = $2 and a.person_id = p.id
     where m.company_id = $2) as team,
    (select json_agg(json_build_object('id', t.id, 'name', p.name, 'body', t.body, 'at', t.written_at)
         order by t.written_at, t.id)
     from (select * from talk_note k where k.negotiation_id = n.id and k.company_id = $2
           order by k.written_at desc, k.id desc limit 100) t join person p on p.id = t.person_id) as notes
from negotiation n where n.id = $1 and $2 in (n.buyer_company_id, n.seller_company_id)
"""


async def own_side_of(actor: Actor, negotiation_id: UUID) -> OwnSide:
    """The inside of a talk for one of its sides, in one round trip. Raises NotSeen."""
    row = await fetchrow(_INSIDE, negotiation_id, actor.company_id, now())
    if row is None:
        raise NotSeen
    team = json.loads(row["team"] or "[]")
    return OwnSide(
        assignee=next((_mate(m) for m in team if m["has"]), None),
        team=[_mate(m) for m in team],
        notes=[
            Note(UUID(t["id"]), t["name"], t["body"], datetime.fromisoformat(t["at"]))
            for t in json.loads(row["notes"] or "[]")
        ],
    )


def _mate(m: dict[str, str]) -> Mate:
    return Mate(UUID(m["id"]), m["name"], date.fromisoformat(m["away"]) if m["away"] else None)


async def assignment_told(assignment_id: UUID) -> Assigned | None:
    """An assignment that still stands, made by somebody else than the assignee."""
    row = await fetchrow(
        "select a.negotiation_id, c.content ->> 'title' as title, a.person_id, p.name from talk_assignment a "
        "join negotiation n on n.id = a.negotiation_id join lot_copy c on c.id = n.lot_copy_id "
        "join person p on p.id = a.assigned_by "
        "join membership m on m.person_id = a.person_id and m.company_id = a.company_id "
        "where a.id = $1 and a.person_id <> a.assigned_by",
        assignment_id,
    )
    return Assigned(row["negotiation_id"], row["title"], row["person_id"], row["name"]) if row else None


async def falls_to(negotiation_id: UUID, company_id: UUID, *, known: UUID | None) -> UUID | None:
    """Who of a company is written to about a talk: the colleague it is assigned to, else ``known``, else an owner.

    Of these the first who is not away when the mail would leave: an absence of one is no silence of the company. Where
    all are away it is the one it would be anyway. Never somebody who has left; None when nobody is there at all.
    """
    rows = await fetch(
        "select m.person_id from membership m left join talk_assignment t on t.negotiation_id = $1 "
        "and t.company_id = m.company_id and t.person_id = m.person_id where m.company_id = $2 "
        "order by t.id is not null desc, m.person_id = $3 desc nulls last, m.role = 'owner' desc, m.created_at, "
        "m.person_id",
        negotiation_id,
        company_id,
        known,
    )
    order = [r["person_id"] for r in rows]
    away = {c.to.person_id for c in await correspondents_of(company_id) if c.is_away(now())}
    return next((p for p in order if p not in away), order[0] if order else None)
