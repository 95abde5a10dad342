"""The seller's hidden thresholds answer an offer, so that nobody can tell it from a person's answer (rule 11)."""

from datetime import datetime, timedelta
from secrets import randbelow
from uuid import UUID

from exchange.clock import now
from exchange.companies.queries import absences_of
from exchange.companies.rules import after_work, answers_at
from exchange.database import transaction
from exchange.jobs import enqueue
from exchange.offers.actions.answers import agree, end
from exchange.offers.queries.talks import Negotiated, negotiation_of_offer
from exchange.offers.rules import talks
from exchange.offers.rules.terms import Answer

PAUSE = (timedelta(minutes=12), timedelta(minutes=95))
"""Worked time between an offer and its automatic answer, drawn anew each time: within what people take."""


async def weigh_later(held: Negotiated, offer_id: UUID) -> None:
    """Have the live offer answered by the seller's thresholds, a while into the hours in which somebody of his answers.

    Joins the caller's transaction.
    """
    closed, team = await absences_of(held.talk.seller)
    await enqueue("offer.weighed", offer_id, at=after_work(now(), _pause(), held.hours[held.talk.seller], closed, team))


async def weigh_offer(*, offer_id: UUID) -> None:
    """The seller's hidden thresholds answer an offer nobody has answered meanwhile.

    Where nobody of his would answer now, the answer waits once more: the worker may have been down until the evening.
    """
    async with transaction():
        at, held = now(), await negotiation_of_offer(offer_id, lock=True)
        live = talks.as_it_stands(held.talk, at).live
        if live is None or held.said[-1].id != offer_id:
            return
        if not await _somebody_answers(held, at):
            await weigh_later(held, offer_id)
            return
        answer, seller = talks.automatic_answer(held.talk), held.talk.seller
        if answer is Answer.REFUSE:
            await end(held, talks.refuse(held.talk, by=seller, at=at), None)
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
            await agree(held, after, None)


async def _somebody_answers(held: Negotiated, at: datetime) -> bool:
    closed, team = await absences_of(held.talk.seller)
    return answers_at(at, held.hours[held.talk.seller], closed, team) <= at


def _pause() -> timedelta:
    shortest, longest = (int(p.total_seconds()) for p in PAUSE)
    return timedelta(seconds=shortest + randbelow(longest - shortest))
