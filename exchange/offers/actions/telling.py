"""Mail to the people a talk concerns, each in their working hours."""

from typing import Any, Literal
from uuid import UUID

from exchange.clock import now
from exchange.companies.actions.mail import letter, notify
from exchange.companies.rules import MailKind
from exchange.database import fetch, fetchval, transaction
from exchange.offers.queries.talks import offer_told
from exchange.offers.rules.talks import State


async def tell_of_offer(*, offer_id: UUID) -> None:
    """Write to the receiver of a live offer, once, in their working hours."""
    async with transaction():
        if not await _first_time(offer_id, "made_told"):
            return
        told = await offer_told(offer_id)
        if told and told.state is State.LIVE:
            await notify(told.receiver, "offer_made", about=offer_id, told=told)


@letter("offer_made", MailKind.OFFERS)
async def _still_awaits(offer_id: UUID, _: UUID) -> dict[str, Any] | None:
    told = await offer_told(offer_id)
    return {"told": told} if told and told.state is State.LIVE and told.move.expires_at > now() else None


async def tell_of_answer(*, offer_id: UUID) -> None:
    """Write to the maker of an offer that nothing came of it, once, in their working hours; not where the talk has gone
    on since.

    Of an agreement the deal's own mail tells everybody it binds.
    """
    async with transaction():
        if not await _first_time(offer_id, "answer_told"):
            return
        told = await offer_told(offer_id)
        if told and told.is_last and told.state in _NOTHING_CAME_OF_IT:
            await notify(told.author, "offer_answered", about=offer_id, told=told)


@letter("offer_answered", MailKind.ENDINGS)
async def _what_became_of_it(offer_id: UUID, _: UUID) -> dict[str, Any] | None:
    told = await offer_told(offer_id)
    return {"told": told} if told and told.is_last else None


async def tell_uncovered(*, lot_id: UUID) -> None:
    """Write to everybody whose offer for the lot the stock no longer covered."""
    rows = await fetch(
        "select id from offer where lot_id = $1 and state = 'unavailable' and not answer_told order by id", lot_id
    )
    for row in rows:
        await tell_of_answer(offer_id=row["id"])


_NOTHING_CAME_OF_IT = (State.REFUSED, State.EXPIRED, State.UNAVAILABLE)


async def _first_time(offer_id: UUID, mark: Literal["made_told", "answer_told"]) -> bool:
    """Whether nobody was told yet; marks it told."""
    done = await fetchval(f"update offer set {mark} = true where id = $1 and not {mark} returning id", offer_id)  # noqa: S608
    return done is not None
