"""Send an introduction, answer it, tell of it."""

from typing import Any
from uuid import UUID, uuid4

from exchange.actor import Actor
from exchange.clock import now
from exchange.companies.actions.mail import letter, notify
from exchange.companies.queries import own_names
from exchange.companies.rules import MailKind, next_opening
from exchange.database import execute, transaction
from exchange.errors import NotSeen
from exchange.introductions.queries import (
    Told,
    addressee_of,
    introduction_seen_by,
    introduction_told,
    sent_in_a_month,
    sent_to,
)
from exchange.introductions.rules import (
    Answer,
    NotToOneself,
    Parts,
    checked,
    closes_at,
    ensure_open,
    ensure_welcome,
    ensure_within_limit,
    is_held,
)
from exchange.jobs import enqueue
from exchange.journal.actions import record


async def introduce(*, lot_id: UUID, parts: Parts, gives_name: bool, by: Actor) -> UUID:
    """A company writes to the masked seller of a lot; it is delivered at their next opening. Returns its id."""
    if by.company_id is None:
        raise NotSeen
    async with transaction():
        # its introductions are counted
        await execute("select from company where id = $1 for no key update", by.company_id)
        to = await addressee_of(by, lot_id)
        if to.same_group:
            raise NotToOneself
        parts = checked(parts, names=[] if gives_name else await own_names(by))
        at, before = now(), await sent_to(by, to.company_id)
        last = next((b for b in before if b[0] == lot_id), None)
        if last is not None:
            ensure_welcome(last[1], last[2], at)
        ensure_within_limit(await sent_in_a_month(by))
        held = is_held([(state, answered) for _, state, answered, was_held in before if not was_held], at)
        delivered = next_opening(at, to.hours)
        introduction_id = uuid4()
        await execute(
            "insert into introduction (id, lot_id, sender_company_id, sender_person_id, recipient_company_id, "
            "gives_name, who_i_am, what_i_do, how_i_heard, my_idea, when_to_reach_me, held, sent_at, delivered_at, "
            "closes_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
            introduction_id,
            lot_id,
            by.company_id,
            by.person_id,
            to.company_id,
            gives_name,
            parts.who_i_am,
            parts.what_i_do,
            parts.how_i_heard,
            parts.my_idea,
            parts.when_to_reach_me,
            held,
            at,
            delivered,
            closes_at(delivered, to.hours),
        )
        await record(by, "introduction.sent", introduction_id)
        if not held:
            await enqueue("introduction.sent", introduction_id, at=delivered)
        return introduction_id


async def answer(*, introduction_id: UUID, answer: Answer, by: Actor) -> None:
    """The recipient accepts (both then see each other's names), declines, or declines for good."""
    async with transaction():
        found = await introduction_seen_by(by, introduction_id, lock=True)
        if found.closes_at is None:  # their own
            raise NotSeen
        ensure_open(found.state, found.closes_at, now())
        await execute(
            "update introduction set state = $2, answered_at = $3, answered_by = $4 where id = $1",
            introduction_id,
            answer.value,
            now(),
            by.person_id,
        )
        await record(by, f"introduction.{answer}", introduction_id)
        await enqueue("introduction.answered", introduction_id)


async def tell_recipient(*, introduction_id: UUID) -> None:
    """Write to the person who listed the lot that somebody would like to get to know them."""
    async with transaction():
        if told := await introduction_told(introduction_id):
            await notify(told.recipient, "introduction_sent", about=introduction_id, **_said(told))


async def tell_sender(*, introduction_id: UUID) -> None:
    """Write to the sender what the answer was; a block reads like a refusal."""
    async with transaction():
        if told := await introduction_told(introduction_id, answered=True):
            await notify(told.sender, "introduction_answered", about=introduction_id, **_said(told))


@letter("introduction_sent", MailKind.INTRODUCTIONS)
async def _still_awaits(introduction_id: UUID, _: UUID) -> dict[str, Any] | None:
    told = await introduction_told(introduction_id)
    return _said(told) if told else None


@letter("introduction_answered", MailKind.INTRODUCTIONS)
async def _answer(introduction_id: UUID, _: UUID) -> dict[str, Any] | None:
    told = await introduction_told(introduction_id, answered=True)
    return _said(told) if told else None


def _said(told: Told) -> dict[str, Any]:
    return {"introduction_id": told.id, "lot_title": told.lot_title, "accepted": told.accepted}
