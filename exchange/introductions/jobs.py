"""Telling people, later."""

from uuid import UUID

from exchange.introductions import actions
from exchange.jobs import handles


@handles("introduction.sent")
async def tell_recipient(introduction_id: UUID) -> None:
    await actions.tell_recipient(introduction_id=introduction_id)


@handles("introduction.answered")
async def tell_sender(introduction_id: UUID) -> None:
    await actions.tell_sender(introduction_id=introduction_id)
