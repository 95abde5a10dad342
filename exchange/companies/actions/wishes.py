"""What a person chooses: which mail comes when, and when they are away; when the whole company is."""

from collections.abc import Mapping
from datetime import date
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from exchange.actor import Actor
from exchange.clock import now
from exchange.companies.actions.mail import templates_of
from exchange.companies.queries import company_of, correspondent, wishes_of
from exchange.companies.rules import MailKind, Timing, Wishes, absence, summary_at
from exchange.companies.rules.mail import ensure_sound
from exchange.database import execute, transaction
from exchange.journal.actions import record


async def choose_mail(*, by: Actor, wishes: Wishes) -> None:
    """What comes when, for the actor. Raises NotSeen, QuietOutOfOrder, QuietAllDay, SummaryOutOfHours."""
    async with transaction():
        own = await wishes_of(by)
        assert own.hours is not None  # noqa: S101  wishes_of promises it
        ensure_sound(wishes, own.hours)
        await execute(
            "update membership set quiet_from = $2, quiet_until = $3, summary_at = $4, "
            "summary_due = case when summary_due is not null then $5::timestamptz end where person_id = $1",
            by.person_id,
            wishes.quiet.start if wishes.quiet else None,
            wishes.quiet.end if wishes.quiet else None,
            wishes.summary_at,
            summary_at(now(), own.hours, wishes, after=own.summed_on),
        )
        await _set_timings(by.person_id, wishes.timings)
        await record(by, "mail.chosen", by.person_id)


async def end_summaries(*, person_id: UUID) -> None:
    """The link in a summary: what came in it comes no more. To end it twice is to end it once. Nobody is signed in."""
    by = Actor(person_id, None)
    async with transaction():
        own = await correspondent(person_id)
        await _set_timings(person_id, {k: Timing.NEVER for k in MailKind if own.wishes.timing(k) is Timing.DAILY})
        await record(by, "mail.unsubscribed", person_id)


async def set_away(*, by: Actor, first: date | None, last: date | None) -> None:
    """The actor is out of office on those days, or no more. Raises NotSeen, AwayOutOfOrder, AwayTooLong."""
    async with transaction():
        own = await wishes_of(by)
        assert own.hours is not None  # noqa: S101  wishes_of promises it
        away = absence(first, last, now().astimezone(ZoneInfo(own.hours.zone)).date())
        await execute(
            "update membership set away_from = $2, away_until = $3 where person_id = $1",
            by.person_id,
            away.first if away else None,
            away.last if away else None,
        )
        await record(by, "person.away_set", by.person_id)


async def set_closed(*, by: Actor, first: date | None, last: date | None) -> None:
    """The whole company is closed on those days, or no more. Raises AwayOutOfOrder, AwayTooLong."""
    async with transaction():
        company = await company_of(by, lock=True)
        closed = absence(first, last, now().astimezone(ZoneInfo(company.hours.zone)).date())
        await execute(
            "update company set closed_from = $2, closed_until = $3 where id = $1",
            company.id,
            closed.first if closed else None,
            closed.last if closed else None,
        )
        await record(by, "company.closed_set", company.id)


async def _set_timings(person_id: UUID, timings: Mapping[MailKind, Timing]) -> None:
    for kind, timing in timings.items():
        await execute(
            "insert into mail_choice (id, person_id, kind, timing) values ($1, $2, $3, $4) "
            "on conflict (person_id, kind) do update set timing = excluded.timing",
            uuid4(),
            person_id,
            kind.value,
            timing.value,
        )
    gone = [template for kind in timings if timings[kind] is Timing.NEVER for template in templates_of(kind)]
    await execute("delete from summary_line where person_id = $1 and template = any($2)", person_id, gone)
