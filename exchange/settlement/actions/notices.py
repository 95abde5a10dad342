"""Who is told of what: the sides of a deal in their working hours, the operator when a person must look."""

import logging
from datetime import datetime
from typing import Any
from uuid import UUID

from exchange.accounts.actions.mail import send_mail
from exchange.actor import Actor
from exchange.clock import now
from exchange.companies.actions.mail import notify, notify_company
from exchange.companies.queries.mail import correspondents_of
from exchange.database import execute, fetch
from exchange.money import Money
from exchange.settings import settings
from exchange.settlement.queries.deals import Deal
from exchange.settlement.queries.money import Reconciled, Stuck
from exchange.settlement.rules import timeline
from exchange.settlement.rules.accounts import bank_refusal
from exchange.settlement.rules.alarms import ALARMS, WAITING, AlarmKind
from exchange.settlement.rules.deal import Side, State
from exchange.settlement.rules.payments import ReturnReason
from exchange.settlement.stripe_gateway import Payout

log = logging.getLogger(__name__)


async def tell_agreed(deal: Deal, accepted_by: UUID | None) -> None:
    """Write to everybody on both sides that they have agreed and what comes next; not to who has just accepted."""
    for side in (Side.BUYER, Side.SELLER):
        await _tell(deal, side, but=accepted_by, agreed=True)


async def tell(deal: Deal, by: Actor | None) -> None:
    """Write to both sides what the deal waits for now, or how it ended; not to the side that has just moved it."""
    for side in (Side.BUYER, Side.SELLER):
        if by is None or by.company_id != deal.company(side):
            await _tell(deal, side)


async def _tell(deal: Deal, side: Side, *, but: UUID | None = None, agreed: bool = False) -> None:
    await notify_company(
        deal.company(side),
        "deal",
        but=but,
        agreed=agreed,
        deal=deal,
        side=side,
        other=deal.other_name(side),
        next=deal.next_for(side),
        ended=timeline.ended(deal.state, deal.ending),
        state=timeline.STATE_NAMES[deal.state],
        url=_url(deal),
    )


async def remind(deal: Deal) -> None:
    """The side that is to move has a working day left."""
    for side in (Side.BUYER, Side.SELLER):
        step = deal.next_for(side)
        if step is not None and step.whose is side:
            await notify_company(
                deal.company(side),
                "deal_reminder",
                deal=deal,
                other=deal.other_name(side),
                next=step,
                checking=deal.state is State.DELIVERED,
                url=_url(deal),
            )


async def tell_letter(deal: Deal) -> None:
    """The buyer of goods a carrier brought is told of the registered letter its rights against the carrier hang on."""
    if deal.letter_by is not None:
        await notify_company(deal.buyer_company_id, "deal_letter", deal=deal, url=_url(deal))


async def tell_parked(deal: Deal, company_id: UUID) -> None:
    """A receiver's money waits for its account. Who is no side of the deal is not told what was sold."""
    template = "deal_parked" if company_id == deal.seller_company_id else "receiver_parked"
    url = f"{settings().base_url}/money"
    await notify_company(company_id, template, deal=deal, seller=deal.seller_name, url=url)


async def tell_leg_given(deal: Deal, company_id: UUID, part: Money, to: Side) -> None:
    """A part its receiver could not be paid goes to the seller or back to the buyer: the seller and it are told.

    The buyer only of what it gets itself: to whom the seller's money goes else is not its business.
    """
    for company in {deal.seller_company_id, company_id, *([deal.buyer_company_id] if to is Side.BUYER else [])}:
        side = company in {deal.buyer_company_id, deal.seller_company_id}
        url = _url(deal) if side else f"{settings().base_url}/money"
        await notify_company(company, "leg_given", deal=deal, part=part, given=to.value, side=side, url=url)


async def tell_taken_back(deal: Deal, company_id: UUID, amount: Money) -> None:
    """A part of what a receiver had been paid goes back. Who is no side of the deal is not told what was sold."""
    own = company_id == deal.seller_company_id
    template = "deal_taken_back" if own else "receiver_taken_back"
    url = _url(deal) if own else f"{settings().base_url}/money"
    await notify_company(company_id, template, deal=deal, seller=deal.seller_name, amount=amount, url=url)


async def tell_disputed(deal: Deal, step: str) -> None:
    """The buyer's bank disputes the payment or has decided. ``step`` is ``opened``, ``won`` or ``lost``, by the seller.

    Both sides read it: the seller before it hands anything over, the buyer in case its bank is mistaken.
    """
    for side in (Side.BUYER, Side.SELLER):
        await notify_company(
            deal.company(side),
            "deal_disputed",
            deal=deal,
            side=side,
            step=step,
            other=deal.other_name(side),
            next=deal.next_for(side),
            url=_url(deal),
        )


async def tell_short(deal: Deal, arrived: Money, missing: Money) -> None:
    """A bank transfer came that does not cover what is due: the buyer is told what is left, and until when."""
    await notify_company(
        deal.buyer_company_id, "deal_short", deal=deal, arrived=arrived, missing=missing, url=_url(deal)
    )


async def tell_returned(deal: Deal, amount: Money, reason: ReturnReason) -> None:
    """What a buyer sent by bank transfer without owing it goes back."""
    await notify_company(
        deal.buyer_company_id, "deal_returned", deal=deal, amount=amount, reason=reason.value, url=_url(deal)
    )


async def tell_refund_failed(deal: Deal, amount: Money) -> None:
    """The buyer's bank returned the refund: the buyer hears that it is owed still, and from whom it will come."""
    await notify_company(deal.buyer_company_id, "deal_refund_failed", deal=deal, amount=amount, url=_url(deal))


async def tell_paid_otherwise(deal: Deal, amount: Money, reference: str) -> None:
    """The operator paid the buyer another way."""
    await notify_company(
        deal.buyer_company_id, "deal_paid_otherwise", deal=deal, amount=amount, reference=reference, url=_url(deal)
    )


async def tell_payout_failed(company_id: UUID, amount: Money, failure: str | None) -> None:
    """The company's bank did not take what the payment service paid out to it."""
    url = f"{settings().base_url}/money"
    await notify_company(company_id, "payout_failed", ours=False, amount=amount, why=bank_refusal(failure), url=url)


async def tell_account_change(company_id: UUID, step: str, effective_at: datetime | None = None) -> None:
    """Everybody in the company reads at once, at any hour, that its money is to go elsewhere; the operator when asked.

    ``step`` is ``asked``, ``confirmed``, ``called_off`` or ``done``.
    """
    for to in await correspondents_of(company_id):
        await send_mail(
            to.to, "account_change", step=step, effective_at=effective_at, url=f"{settings().base_url}/money"
        )
    if step == "asked":
        await _tell_operators("account_change_asked", url=f"{settings().base_url}/operator/money")


async def alarm(kind: AlarmKind, deal: Deal | None) -> None:
    """Something about a deal, or about the money of no deal, needs a person: the operator is written to."""
    log.error("settlement alarm %s for %s", kind, f"deal {deal.id}" if deal else "no deal")
    url = _url(deal) if deal else f"{settings().base_url}/operator/money"
    if deal is not None and kind in WAITING:
        await execute("update deal set called_at = $2 where id = $1", deal.id, now())
    await _tell_operators("settlement_alarm", alarm=ALARMS[kind], deal=deal, url=url)


async def alarm_books(result: Reconciled) -> None:
    """Our books and Stripe's differ: releases have stopped."""
    log.error("the books differ from Stripe's at %d places", len(result.differences))
    await _tell_operators("settlement_books", result=result, url=f"{settings().base_url}/operator/money")


async def alarm_payout(refused: Payout) -> None:
    """Our own bank did not take what the payment service paid out to it."""
    log.error("our bank refused the payout %s: %s", refused.id, refused.failure)
    why, url = bank_refusal(refused.failure), f"{settings().base_url}/operator/money"
    await _tell_operators("payout_failed", ours=True, amount=refused.amount, why=why, url=url)


async def alarm_stuck(found: Stuck) -> None:
    """Something does not end by itself."""
    log.error("settlement is stuck: %s", found)
    await _tell_operators("settlement_stuck", found=found, url=f"{settings().base_url}/operator/money")


async def _tell_operators(template: str, **what: Any) -> None:
    for operator in await fetch("select id from person where is_operator"):
        await notify(operator["id"], template, **what)


def _url(deal: Deal) -> str:
    return f"{settings().base_url}/deals/{deal.id}"
