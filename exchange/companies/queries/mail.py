"""Whom a mail goes to, and what they chose about it."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from asyncpg import Record

from exchange.accounts.queries import Recipient
from exchange.actor import Actor
from exchange.companies.queries.businesses import hours_from
from exchange.companies.rules import Away, MailKind, Quiet, Timing, Wishes, WorkingHours, may_write_at
from exchange.database import fetch, fetchrow
from exchange.errors import NotSeen


@dataclass(frozen=True, slots=True)
class Correspondent:
    """A person as mail that waits for working hours sees them."""

    to: Recipient
    hours: WorkingHours | None
    """Their company's hours in their own zone; None for the operator, who is written to at once."""
    wishes: Wishes
    away: Away | None
    summed_on: date | None
    """The day of their last summary."""
    summary_due: datetime | None
    """When what waits for them is to leave; None while nothing waits."""

    def is_away(self, at: datetime) -> bool:
        """Whether they are away on the day on which mail written at ``at`` would reach them."""
        if self.away is None or self.hours is None:
            return False
        leaves = may_write_at(at, self.hours, self.wishes.quiet)
        return self.away.covers(leaves.astimezone(ZoneInfo(self.hours.zone)).date())


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a summary tells of, before it is read."""

    template: str
    about: UUID
    happened_at: datetime


async def correspondent(person_id: UUID, *, lock: bool = False) -> Correspondent:
    """The person. Raises NotSeen. ``lock`` holds their summary still until the transaction ends."""
    if lock:
        await fetch("select from membership where person_id = $1 for update", person_id)
    row = await fetchrow(f"{_CORRESPONDENT} where p.id = $1", person_id)
    if row is None:
        raise NotSeen
    return _correspondent(row)


async def correspondents_of(company_id: UUID) -> list[Correspondent]:
    """Everybody who acts for the company."""
    rows = await fetch(f"{_CORRESPONDENT} where m.company_id = $1 order by m.created_at, p.id", company_id)
    return [_correspondent(r) for r in rows]


async def wishes_of(by: Actor) -> Correspondent:
    """The actor themselves, for the page where they choose. Raises NotSeen for somebody without a company."""
    own = await correspondent(by.person_id)
    if own.hours is None:
        raise NotSeen
    return own


async def summaries_due(at: datetime) -> list[UUID]:
    """Whose summary is to leave at ``at``, the longest waiting first."""
    rows = await fetch("select person_id from membership where summary_due <= $1 order by summary_due, person_id", at)
    return [r["person_id"] for r in rows]


async def waiting_for(person_id: UUID) -> list[Waiting]:
    """What waits for the person's next summary, in the order in which it happened."""
    rows = await fetch(
        "select template, about, happened_at from summary_line where person_id = $1 order by happened_at, id", person_id
    )
    return [Waiting(**r) for r in rows]


_CORRESPONDENT = (
    "select p.email::text, p.name, p.language, p.zone as own_zone, p.id as person_id, "
    "c.zone, c.country, c.opens, c.closes, c.days, m.away_from, m.away_until, m.quiet_from, m.quiet_until, "
    "m.summary_at, m.summed_on, m.summary_due, "
    "array(select x.kind || ' ' || x.timing from mail_choice x where x.person_id = p.id) as choices "
    "from person p left join membership m on m.person_id = p.id left join company c on c.id = m.company_id"
)


def _correspondent(row: Record) -> Correspondent:
    chosen = (choice.split(" ") for choice in row["choices"])
    return Correspondent(
        to=Recipient(row["email"], row["name"], row["language"], row["own_zone"], row["person_id"]),
        hours=hours_from(row, row["own_zone"]) if row["zone"] else None,
        wishes=Wishes(
            timings={MailKind(kind): Timing(timing) for kind, timing in chosen},
            quiet=Quiet(row["quiet_from"], row["quiet_until"]) if row["quiet_from"] else None,
            summary_at=row["summary_at"],
        ),
        away=Away.of(row["away_from"], row["away_until"]),
        summed_on=row["summed_on"],
        summary_due=row["summary_due"],
    )
