"""What two companies write to each other after they agreed: the talk is the deal's thread."""

from typing import Any
from uuid import UUID, uuid4

from exchange.actor import Actor
from exchange.clock import now
from exchange.companies.actions.mail import letter, notify
from exchange.companies.rules import MailKind
from exchange.database import announce, execute, fetchval, transaction
from exchange.jobs import enqueue
from exchange.offers.actions.saving import company_of
from exchange.offers.queries.agreed import message_told
from exchange.offers.queries.talks import negotiation_seen_by
from exchange.offers.rules.talks import State
from exchange.offers.rules.team import NotAgreedYet, written


async def write_message(*, negotiation_id: UUID, text: str, by: Actor) -> UUID:
    """A side of an agreed talk writes to the other; names and telephone numbers are welcome now. Returns the message.

    Raises NotSeen, NotAgreedYet, NothingWritten, TooMuchWritten.
    """
    async with transaction():
        held = await negotiation_seen_by(by, negotiation_id)
        if held.talk.state is not State.AGREED:
            raise NotAgreedYet
        message_id = uuid4()
        await execute(
            "insert into talk_message (id, lot_id, negotiation_id, company_id, person_id, body, written_at, told) "
            "values ($1, $2, $3, $4, $5, $6, $7, false)",
            message_id,
            held.lot_id,
            held.id,
            company_of(by),
            by.person_id,
            written(text),
            now(),
        )
        await enqueue("talk.message", message_id)
        await announce(held.channel, "talk.message", held.id)
        return message_id


async def tell_of_message(*, message_id: UUID) -> None:
    """Write to the other side that there is a message, once, in their working hours."""
    async with transaction():
        first = await fetchval(
            "update talk_message set told = true where id = $1 and not told returning id", message_id
        )
        told = await message_told(message_id) if first else None
        if told:
            await notify(told.receiver, "talk_message", about=message_id, told=told)


@letter("talk_message", MailKind.MESSAGES)
async def _message(message_id: UUID, _: UUID) -> dict[str, Any] | None:
    told = await message_told(message_id)
    return {"told": told} if told else None
