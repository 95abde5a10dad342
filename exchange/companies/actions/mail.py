"""Mail to people in their working hours, as they chose it. Security mail goes through `accounts.actions.mail`."""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from exchange.accounts.actions.mail import deliver, in_brief, put_off, rewrite, send_mail, take_back
from exchange.clock import now
from exchange.companies.queries.mail import (
    Correspondent,
    correspondent,
    correspondents_of,
    summaries_due,
    waiting_for,
)
from exchange.companies.rules.mail import MailKind, Timing, may_write_at, summary_at, unsubscribe_token
from exchange.database import execute, fetchrow, transaction
from exchange.settings import settings

log = logging.getLogger(__name__)

Loader = Callable[[UUID, UUID], Awaitable[dict[str, Any] | None]]
LEAVING = "letter.leaving"
FRESH = timedelta(minutes=1)
"""What a mail says is taken to be true still for so long after it was written."""
_letters: dict[str, tuple[MailKind, Loader]] = {}


def letter(template: str, kind: MailKind) -> Callable[[Loader], Loader]:
    """Make mails of ``template`` a kind the person chooses about.

    The function reads what a summary, or a mail that had to wait, says of one: it gets the subject and the person, and
    answers None when there is nothing to say any more. A template without a kind is sent at once to everybody.
    """

    def register(loader: Loader) -> Loader:
        if _letters.setdefault(template, (kind, loader))[1] is not loader:
            raise ValueError(f"{template} is read already")
        return loader

    return register


def templates_of(kind: MailKind) -> list[str]:
    """The mails of that kind."""
    return [template for template, (its_kind, _) in _letters.items() if its_kind is kind]


async def notify(person_id: UUID, template: str, *, about: UUID | None = None, **context: Any) -> None:
    """Write to a person, when they may be written to and as they chose: at once, in their summary, or not.

    ``about`` is the subject that is read again when it leaves; mail without one says for ever what it says now.
    """
    async with transaction():
        await _write(await correspondent(person_id), template, about, context)


async def notify_company(company_id: UUID, template: str, *, but: UUID | None = None, **context: Any) -> None:
    """Write to everybody of a company ``but`` one person, each when they may be written to."""
    async with transaction():
        for to in await correspondents_of(company_id):
            if to.to.person_id != but:
                await _write(to, template, None, context)


async def comes_now(person_id: UUID, template: str, about: UUID) -> bool:
    """Whether the person wants such mail at once. If not, it waits for their summary, or is let go."""
    async with transaction():
        return await _comes_now(await correspondent(person_id), template, about)


async def may_be_written_to_at(person_id: UUID) -> datetime:
    """When mail written now would leave: now, or when the person's hours begin again."""
    return _leaves(await correspondent(person_id))


async def send_letter(*, mail_id: UUID) -> None:
    """A mail leaves, within its receiver's hours whenever the worker comes round; one that has waited says how things
    stand now, or does not leave where nothing is left to say.
    """
    async with transaction():
        row = await fetchrow(
            "select person_id, template, about, created_at from mail where id = $1 and sent_at is null for update",
            mail_id,
        )
        if row is None:
            return
        to, template, about = await correspondent(row["person_id"]), row["template"], row["about"]
        if (leaves := _leaves(to)) > now():
            await put_off(mail_id, LEAVING, leaves)
            return
        if about and row["created_at"] < now() - FRESH:
            context = await _letters[template][1](about, row["person_id"]) if to.hours else None
            if context is None or not await _comes_now(to, template, about):
                await take_back(mail_id)
                return
            await rewrite(mail_id, to.to, template, **context)
    await deliver(mail_id)


async def _write(to: Correspondent, template: str, about: UUID | None, context: dict[str, Any]) -> None:
    if about and not await _comes_now(to, template, about):
        return
    await send_mail(
        to.to, template, at=_leaves(to), optional=template in _letters, about=about, fact=LEAVING, **context
    )


def _leaves(to: Correspondent) -> datetime:
    return may_write_at(now(), to.hours, to.wishes.quiet) if to.hours else now()


async def _comes_now(to: Correspondent, template: str, about: UUID) -> bool:
    kind, _ = _letters[template]
    timing = to.wishes.timing(kind) if to.hours else Timing.NOW
    if to.hours and timing is Timing.DAILY:
        # the row first: whoever sends the summary holds it
        await execute(
            "update membership set summary_due = coalesce(summary_due, $2) where person_id = $1",
            to.to.person_id,
            summary_at(now(), to.hours, to.wishes, after=to.summed_on),
        )
        await execute(
            "insert into summary_line (id, person_id, template, about, happened_at) values ($1, $2, $3, $4, $5) "
            "on conflict (person_id, template, about) do nothing",
            uuid4(),
            to.to.person_id,
            template,
            about,
            now(),
        )
    return timing is Timing.NOW


# --- the daily summary ---


async def send_summaries() -> int:
    """Send every summary that is due. Returns how many persons were looked at; one that fails stops no other."""
    due = await summaries_due(now())
    for person_id in due:
        try:
            await send_summary(person_id=person_id)
        except Exception:
            log.exception("the summary of %s failed; it is tried again", person_id)
    return len(due)


async def send_summary(*, person_id: UUID) -> None:
    """Tell a person what happened since the last summary, as it stands now: once a day, and only if there is something.

    After a pause of the worker what is overdue and what is due come as one.
    """
    async with transaction():
        to, at = await correspondent(person_id, lock=True), now()
        if to.hours is None or to.summary_due is None or to.summary_due > at:
            return
        leaves = may_write_at(at, to.hours, to.wishes.quiet)
        day = leaves.astimezone(ZoneInfo(to.hours.zone)).date()
        if to.summed_on and day <= to.summed_on:
            await _put_off(to)
            return
        told: dict[MailKind, list[str]] = {}
        for line in await waiting_for(person_id):
            kind, load = _letters[line.template]
            if (context := await load(line.about, person_id)) is not None:
                told.setdefault(kind, []).append(in_brief(to.to, line.template, **context))
        await execute("delete from summary_line where person_id = $1", person_id)
        await execute(
            "update membership set summary_due = null, summed_on = $2 where person_id = $1",
            person_id,
            day if told else to.summed_on,
        )
        if told:
            token = unsubscribe_token(settings().secret_key.get_secret_value().encode(), person_id)
            stop = f"{settings().base_url}/unsubscribe/{token}"
            await send_mail(
                to.to,
                "summary",
                at=leaves,
                unsubscribe=stop,
                optional=True,
                stop=stop,
                day=day,
                parts=[(kind.label, told[kind]) for kind in MailKind if kind in told],
            )


async def _put_off(to: Correspondent) -> None:
    if to.hours:
        await execute(
            "update membership set summary_due = $2 where person_id = $1 and summary_due is not null",
            to.to.person_id,
            summary_at(now(), to.hours, to.wishes, after=to.summed_on),
        )
