"""Introductions sent and received, each side under its mask until the recipient accepts."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from exchange.actor import Actor
from exchange.clock import now
from exchange.companies.queries import mask
from exchange.companies.rules import WorkingHours
from exchange.database import fetch, fetchrow, fetchval
from exchange.errors import NotSeen
from exchange.introductions.rules import MONTH, Parts, State


@dataclass(frozen=True, slots=True)
class Introduction:
    """As one of its two sides sees it. ``other`` is a mask, or the name where it may be seen."""

    id: UUID
    lot_id: UUID
    lot_title: str
    is_mine: bool
    other: str
    other_named: bool
    parts: Parts
    state: State
    sent_at: datetime
    closes_at: datetime | None
    """None for the sender: counted in the recipient's hours, it would tell a mask's opening time."""
    sender_person_id: UUID


@dataclass(frozen=True, slots=True)
class Addressee:
    """The masked seller of a lot that the sender may write to; ``hours`` are never shown."""

    lot_id: UUID
    lot_title: str
    company_id: UUID
    person_id: UUID
    same_group: bool
    hours: WorkingHours


@dataclass(frozen=True, slots=True)
class Told:
    """An introduction as mail tells of it: no company of either side."""

    id: UUID
    lot_title: str
    recipient: UUID
    """The person who listed the lot."""
    sender: UUID
    accepted: bool


_MAY_MEET = "(s.vetting = 'vetted' and r.vetting = 'vetted' and s.legal_group_id <> r.legal_group_id)"
"""Whether anything may come of an introduction by ``s`` to ``r`` now."""
_SEEN = f"""
    select i.*, l.title, s.trading_name as sender_name, r.trading_name as recipient_name, {_MAY_MEET} as may_meet
    from introduction i join lot l on l.id = i.lot_id
    join company s on s.id = i.sender_company_id join company r on r.id = i.recipient_company_id
    where (i.sender_company_id = $1 or (i.recipient_company_id = $1 and not i.held and i.delivered_at <= $2))
"""  # noqa: S608  the constant above
_LATEST_FIRST = """
    and ($3::uuid is null or (i.sent_at, i.id) < (select a.sent_at, a.id from introduction a where a.id = $3
        and $1 in (a.sender_company_id, a.recipient_company_id)))
    order by i.sent_at desc, i.id desc limit $4
"""


async def introductions_of(
    actor: Actor, language: str, *, after: UUID | None = None, limit: int = 30
) -> list[Introduction]:
    """Sent and received, latest first."""
    rows = await fetch(
        _SEEN + _LATEST_FIRST,
        actor.company_id,
        now(),
        after,
        limit,
    )
    return [_read(r, actor, language) for r in rows]


async def introduction_seen_by(
    actor: Actor, introduction_id: UUID, language: str = "en", *, lock: bool = False
) -> Introduction:
    """One introduction, for one of its two sides; the recipient's only once delivered. Raises NotSeen."""
    row = await fetchrow(
        _SEEN + " and i.id = $3" + (" for no key update of i" if lock else ""), actor.company_id, now(), introduction_id
    )
    if row is None:
        raise NotSeen
    return _read(row, actor, language)


async def addressee_of(actor: Actor, lot_id: UUID) -> Addressee:
    """The seller of a lot the actor may see. Hidden lots and lots that do not exist raise the same NotSeen."""
    r = await fetchrow(
        "select l.title, l.company_id, l.person_id, c.zone, c.country, c.opens, c.closes, c.days, "
        "c.legal_group_id = b.legal_group_id as same_group from lot l join company c on c.id = l.company_id "
        "join company b on b.id = $2 where l.id = $1 and l.state in ('open', 'part_sold') and c.vetting = 'vetted' "
        "and not exists (select from company_block k where k.company_id = l.company_id and k.rival_id = $2) "
        "and not exists (select from lot_block k where k.lot_id = l.id and k.company_id = $2)",
        lot_id,
        actor.company_id,
    )
    if r is None:
        raise NotSeen
    hours = WorkingHours(r["zone"], r["country"], r["opens"], r["closes"], frozenset(r["days"]))
    return Addressee(lot_id, r["title"], r["company_id"], r["person_id"], r["same_group"], hours)


async def sent_to(actor: Actor, company_id: UUID) -> list[tuple[UUID, State, datetime | None, bool]]:
    """What the actor's company wrote to another before: lot, state, when answered, whether held; latest first."""
    rows = await fetch(
        "select lot_id, case when state = 'sent' and closes_at <= $3 then 'closed' else state end as state, "
        "answered_at, held from introduction where sender_company_id = $1 and recipient_company_id = $2 "
        "order by sent_at desc, id",
        actor.company_id,
        company_id,
        now(),
    )
    return [(r["lot_id"], State(r["state"]), r["answered_at"], r["held"]) for r in rows]


async def sent_in_a_month(actor: Actor) -> int:
    """How many introductions the actor's company sent in the last thirty days."""
    return int(
        await fetchval(
            "select count(*) from introduction where sender_company_id = $1 and sent_at > $2",
            actor.company_id,
            now() - MONTH,
        )
    )


def _read(r: Record, actor: Actor, language: str) -> Introduction:
    mine = r["sender_company_id"] == actor.company_id
    state = State(r["state"])
    # the recipient reads no more than that it is closed; the sender, not even that the other may not trade
    if state is State.SENT and (r["closes_at"] <= now() or not (mine or r["may_meet"])):
        state = State.CLOSED
    named = state is State.ACCEPTED or (not mine and r["gives_name"])
    other = r["recipient_company_id"] if mine else r["sender_company_id"]
    name = r["recipient_name"] if mine else r["sender_name"]
    return Introduction(
        id=r["id"],
        lot_id=r["lot_id"],
        lot_title=r["title"],
        is_mine=mine,
        other=name if named else mask(other, r["lot_id"], language),
        other_named=named,
        parts=Parts(r["who_i_am"], r["what_i_do"], r["how_i_heard"], r["my_idea"], r["when_to_reach_me"]),
        state=State.DECLINED if mine and state is State.BLOCKED else state,
        sent_at=r["sent_at"],
        closes_at=None if mine else r["closes_at"],
        sender_person_id=r["sender_person_id"],
    )


async def introduction_told(introduction_id: UUID, *, answered: bool = False) -> Told | None:
    """An introduction that awaits its answer, for the recipient; ``answered``: one that has it, for the sender."""
    row = await fetchrow(
        "select i.id, l.title as lot_title, l.person_id as recipient, i.sender_person_id as sender, "  # noqa: S608  above
        "i.state = 'accepted' as accepted from introduction i join lot l on l.id = i.lot_id "
        "join company s on s.id = i.sender_company_id join company r on r.id = i.recipient_company_id where i.id = $1 "
        "and case when $2 then i.state in ('accepted', 'declined', 'blocked') "
        f"else i.state = 'sent' and not i.held and {_MAY_MEET} end",
        introduction_id,
        answered,
    )
    return Told(**row) if row else None
