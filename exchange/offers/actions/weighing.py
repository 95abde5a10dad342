"""When the seller's hidden thresholds answer an offer, so that nobody can tell it from a person's answer (rule 11)."""

from datetime import datetime, timedelta
from secrets import randbelow
from uuid import UUID

from exchange.clock import now
from exchange.companies.queries import absences_of
from exchange.companies.rules import after_work, answers_at
from exchange.jobs import enqueue
from exchange.offers.queries.talks import Negotiated

PAUSE = (timedelta(minutes=12), timedelta(minutes=95))
"""Worked time between an offer and its automatic answer, drawn anew each time: within what people take."""


async def weigh_later(held: Negotiated, offer_id: UUID) -> None:
    """Have the live offer answered by the seller's thresholds, a while into the hours in which somebody of his answers.

    Joins the caller's transaction.
    """
    closed, team = await absences_of(held.talk.seller)
    await enqueue("offer.weighed", offer_id, at=after_work(now(), _pause(), held.hours[held.talk.seller], closed, team))


async def somebody_answers(held: Negotiated, at: datetime) -> bool:
    """Whether a person of the seller's might answer the offer at ``at``."""
    closed, team = await absences_of(held.talk.seller)
    return answers_at(at, held.hours[held.talk.seller], closed, team) <= at


def _pause() -> timedelta:
    shortest, longest = (int(p.total_seconds()) for p in PAUSE)
    return timedelta(seconds=shortest + randbelow(longest - shortest))
