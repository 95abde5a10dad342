"""How an offer ends: accepted, declined, withdrawn, expired, or without stock to cover it."""

from collections.abc import Mapping
from uuid import UUID

from exchange.actor import Actor
from exchange.clock import now
from exchange.database import transaction
from exchange.errors import Conflict, NotSeen
from exchange.jobs import enqueue, enqueue_all
from exchange.journal.actions import record
from exchange.listings.actions.reservations import reserve
from exchange.listings.rules.lots import CostAnswer
from exchange.money import Money
from exchange.offers.actions.endings import end_requests
from exchange.offers.actions.saving import company_of, save_answer, save_cost, save_uncovered
from exchange.offers.actions.weighing import somebody_answers, weigh_later
from exchange.offers.queries.lots import lock_lot
from exchange.offers.queries.talks import (
    Negotiated,
    live_talks_of,
    negotiation_of_offer,
    negotiation_seen_by,
    negotiation_to_end,
    overdue,
)
from exchange.offers.rules import talks
from exchange.offers.rules.talks import Move, Talk
from exchange.offers.rules.terms import Answer


async def accept_offer(
    *,
    negotiation_id: UUID,
    price: Money,
    quantity: int,
    lines: str = "",
    by: Actor,
    cost: CostAnswer | None = None,
    seen: int | None = None,
) -> None:
    """The side whose turn it is accepts exactly what it names; the quantity is reserved.

    ``lines`` is the mark of the lines accepted (`Bid.mark`), empty where the lot is bought as it comes; ``seen`` the
    number of moves the person had before their eyes.
    """
    async with transaction():
        held = await negotiation_seen_by(by, negotiation_id, lock=True)  # the lot's row first
        after = talks.accept(
            held.talk,
            by=company_of(by),
            price=price,
            quantity=quantity,
            lines=lines,
            at=now(),
            stock=held.stock,
            cost=cost,
            seen=seen,
        )
        await save_cost(held, after, cost, by, "acceptance")
        await _agree(held, after, by)


async def refuse_offer(*, negotiation_id: UUID, by: Actor, seen: int | None = None) -> None:
    """The side whose turn it is declines the live offer."""
    async with transaction():
        held = await negotiation_seen_by(by, negotiation_id, lock=True)
        await _end(held, talks.refuse(held.talk, by=company_of(by), at=now(), seen=seen), by)


async def refuse_offers(*, seen: Mapping[UUID, int | None], by: Actor) -> int:
    """Decline several live offers at once (rule 14); those that changed meanwhile are left alone. Returns how many.

    ``seen`` names the talks, each with how many moves of it the person had before their eyes; None declines whatever
    stands there now.
    """
    declined = 0
    for negotiation_id in sorted(seen):
        try:
            await refuse_offer(negotiation_id=negotiation_id, by=by, seen=seen[negotiation_id])
        except (Conflict, NotSeen):
            continue
        declined += 1
    return declined


async def withdraw_offer(*, negotiation_id: UUID, by: Actor, seen: int | None = None) -> None:
    """The side that made the live offer takes it back."""
    async with transaction():
        held = await negotiation_seen_by(by, negotiation_id, lock=True)
        await _end(held, talks.withdraw(held.talk, by=company_of(by), at=now(), seen=seen), by)


async def weigh_offer(*, offer_id: UUID) -> None:
    """The seller's hidden thresholds answer an offer nobody has answered meanwhile.

    Where nobody of his would answer now, the answer waits once more: the worker may have been down until the evening.
    """
    async with transaction():
        at, held = now(), await negotiation_of_offer(offer_id, lock=True)
        live = talks.as_it_stands(held.talk, at).live
        if live is None or held.said[-1].id != offer_id:
            return
        if not await somebody_answers(held, at):
            await weigh_later(held, offer_id)
            return
        answer, seller = talks.automatic_answer(held.talk), held.talk.seller
        if answer is Answer.REFUSE:
            await _end(held, talks.refuse(held.talk, by=seller, at=at), None)
        elif answer is Answer.ACCEPT and held.stock.covers(live.bid):
            after = talks.accept(
                held.talk,
                by=seller,
                price=live.price,
                quantity=live.quantity,
                lines=live.bid.mark,
                at=at,
                stock=held.stock,
                seen=held.seen,
            )
            await _agree(held, after, None)


async def expire_overdue(*, at_most: int = 500) -> int:
    """Expire every live offer whose time is up, oldest first. Returns how many."""
    return await _end_as_they_stand(await overdue(now(), at_most))


async def end_barred(*, company_id: UUID) -> int:
    """A company may deal with fewer than before: end its live offers and its requests that no agreement may come of.

    Returns how many offers.
    """
    await end_requests()
    return await _end_as_they_stand(await live_talks_of(company_id))


async def close_uncovered(*, lot_id: UUID) -> None:
    """Close the live offers that a lot's stock no longer covers, in one statement however many there are (rule 10).

    The caller holds the lot's row. Their makers are told later; they learn no price.
    """
    if await save_uncovered(lot_id):
        await enqueue("offers.uncovered", lot_id)


async def close_lot(*, lot_id: UUID) -> None:
    """A lot was taken down or has run out: close what was still open about it."""
    async with transaction():
        await lock_lot(lot_id)
        await close_uncovered(lot_id=lot_id)
        await end_requests(lot_id=lot_id)


async def _end_as_they_stand(negotiation_ids: list[UUID]) -> int:
    ended = 0
    for negotiation_id in negotiation_ids:
        async with transaction():
            held = await negotiation_to_end(negotiation_id)
            after = talks.as_it_stands(held.talk, now())
            if after is not held.talk:
                await _end(held, after, None)
                ended += 1
    return ended


async def _agree(held: Negotiated, after: Talk, by: Actor | None) -> None:
    move = after.moves[-1]
    named = {line.id: line.quantity for line in move.lines} or None
    await reserve(lot_id=held.lot_id, quantity=move.quantity, agreement_id=held.id, lines=named)
    facts = [("negotiation.agreed", held.id)]  # settlement opens the deal and tells both sides
    if await save_answer(held, move, by=by):  # offers the rest of the stock cannot fill
        facts.append(("offers.uncovered", held.lot_id))
    await record(by, "negotiation.agreed", held.id, **_terms(move))
    await enqueue_all(*facts)


async def _end(held: Negotiated, after: Talk, by: Actor | None) -> None:
    await save_answer(held, after.moves[-1], by=by)
    await record(by, f"offer.{after.moves[-1].state}", held.id, number=len(after.moves))
    await enqueue("offer.answered", held.said[-1].id)


def _terms(move: Move) -> dict[str, str | int]:
    return {
        "unit_price_minor": move.price.minor,
        "currency": move.price.currency,
        "total_minor": move.total.minor,
        "quantity": move.quantity,
        "lines": len(move.lines),
        "incoterm": move.incoterm.value,
        "terms_version": talks.TERMS_VERSION,
    }
