"""A buyer pays: one live pay page per obligation, and one way to take over what Stripe says of it."""

from uuid import UUID, uuid4

import asyncpg

from exchange.actor import Actor
from exchange.clock import now
from exchange.database import execute, fetch, fetchrow, fetchval, transaction
from exchange.errors import N_, Conflict, NotSeen, Unavailable
from exchange.jobs import enqueue
from exchange.journal.actions import record
from exchange.listings.rules.thresholds import ThresholdState
from exchange.money import Money
from exchange.payable import ensure_payable
from exchange.settings import settings
from exchange.settlement.actions import operations
from exchange.settlement.actions.cash import await_transfer
from exchange.settlement.actions.customers import customer_of
from exchange.settlement.actions.ledger import post
from exchange.settlement.actions.moves import count_again, enter
from exchange.settlement.actions.notices import alarm
from exchange.settlement.actions.operations import Doing, Operation
from exchange.settlement.actions.refunds import pay_back
from exchange.settlement.queries import one
from exchange.settlement.queries.deals import Deal, any_deal, deal_seen_by
from exchange.settlement.queries.methods import ways_of
from exchange.settlement.rules import books
from exchange.settlement.rules.deal import Move, NotYourMove, Side, State, step
from exchange.settlement.rules.payments import Kind, PaymentState, Proof, Retrieved, advance, proof, session_expiry
from exchange.settlement.stripe_gateway import (
    Charge,
    Gateway,
    Refused,
    Session,
    checkout_params,
    gateway,
)


class AlreadyPaid(Conflict):
    """Nothing is owed any more."""

    message = N_("This deal is paid. Nothing is left to pay.")


class PaymentUnderway(Conflict):
    """The buyer has confirmed a payment that takes days to arrive."""

    message = N_("A payment for this deal is on its way. It can take some days; we tell both sides when it arrives.")


class NothingToPay(Conflict):
    """The deal lapsed."""

    message = N_("This deal has lapsed; it can no longer be paid.")


class PayPageNotReady(Unavailable):
    """The payment service has not answered yet; the job goes on asking."""

    message = N_("The pay page is not ready yet. Nothing was charged; try again in a moment.")


class ForeignSession(NotSeen):
    """The return address names a payment that is not this deal's."""

    message = N_("This payment does not belong to this deal. Nothing was changed; look at the deal itself.")


async def pay(*, deal_id: UUID, by: Actor) -> str:
    """The address of the deal's one pay page; asked twice, the same page. For a bank transfer: how to make it.

    Raises AlreadyPaid, PaymentUnderway, NothingToPay, NotPayable, NotYourMove, PayPageNotReady.
    """
    deal = await deal_seen_by(by, deal_id)
    if deal.side_of(by) is not Side.BUYER:
        raise NotYourMove
    ensure_payable(deal.terms.total)
    await _refresh_outlived(deal_id)
    customer = await customer_of(deal.buyer_company_id, by)
    if customer is None:
        raise PayPageNotReady
    operation_id, url = await _pay_page(deal_id, customer)
    if url is not None:
        return url
    await operations.drive(operation_id)
    made = await fetchval(
        "select p.session_url from payment p join stripe_operation o on o.subject_id = p.id where o.id = $1",
        operation_id,
    )
    if made is None:
        raise PayPageNotReady
    return str(made)


async def _pay_page(deal_id: UUID, customer: str) -> tuple[UUID, str | None]:
    """Under the deal's lock: the operation that makes the one live page, and the page's address once there is one."""
    async with transaction(alone=True):
        deal = await any_deal(deal_id, lock=True)
        owed = await one("select id, state from payment_obligation where deal_id = $1", deal_id)
        if owed["state"] != "due":
            raise AlreadyPaid if owed["state"] == "paid" else NothingToPay
        live = await fetchrow(
            "select id, state, session_url, instructions_url from payment "
            "where obligation_id = $1 and state in ('open', 'processing')",
            owed["id"],
        )
        if live is not None:
            if live["state"] == PaymentState.PROCESSING and live["instructions_url"] is None:
                raise PaymentUnderway
            return await _making(live["id"]), live["instructions_url"] or live["session_url"]
        if deal.due_at is None or deal.due_at <= now():
            raise NothingToPay
        payment_id, expires_at = uuid4(), session_expiry(deal.due_at, now())
        await execute(
            "insert into payment (id, obligation_id, deal_id, lot_id, state, currency, received_minor, expires_at, "
            "livemode, created_at) values ($1, $2, $3, $4, 'open', $5, 0, $6, $7, $8)",
            payment_id,
            owed["id"],
            deal_id,
            deal.lot_id,
            deal.terms.total.currency,
            expires_at,
            gateway().livemode,
            now(),
        )
        request = checkout_params(
            customer=customer,
            obligation=owed["id"],
            deal=deal_id,
            label=deal.label,
            total=deal.terms.total,
            methods=(await ways_of(deal)).methods,
            expires_at=expires_at,
            back_to=f"{settings().base_url}/deals/{deal_id}/payment",
        )
        planned = await operations.plan(Kind.CHECKOUT, payment_id, request, deal_id=deal_id, lot_id=deal.lot_id)
        return planned, None


async def come_back(*, deal_id: UUID, session_id: str, by: Actor) -> None:
    """The buyer's browser returns from the pay page: the session is retrieved and believed, not the address.

    Raises ForeignSession when it is not a session of this deal.
    """
    await deal_seen_by(by, deal_id)
    payment_id = await fetchval("select id from payment where session_id = $1 and deal_id = $2", session_id, deal_id)
    if payment_id is None:
        raise ForeignSession
    await refresh(payment_id)


async def refresh(payment_id: UUID) -> None:
    """Ask Stripe about a payment and take its answer over: what redirect, webhook and poll all end in."""
    session_id = await fetchval("select session_id from payment where id = $1", payment_id)
    if session_id is None:
        await operations.drive(await _making(payment_id))
        return
    session = await gateway().session(session_id)
    async with transaction(alone=True):
        await settle(payment_id, session)


async def settle(payment_id: UUID, session: Session) -> None:
    """Take over what a just retrieved session says, in the current transaction; never a step back, and each fact once.

    Money for what is no longer owed, or in another sum than is owed, is given back whole and a person is told.
    """
    deal_id = await fetchval("select deal_id from payment where id = $1", payment_id)
    deal = await any_deal(deal_id, lock=True)
    payment = await one("select * from payment where id = $1 for no key update", payment_id)
    owed = await one("select * from payment_obligation where deal_id = $1", deal_id)
    proven = proof(
        Retrieved(
            reference=session.reference,
            livemode=session.livemode,
            status=session.status,
            paid=session.paid,
            intent_status=session.intent_status,
            amount=session.amount,
            received_minor=session.received_minor,
        ),
        reference=str(owed["id"]),
        livemode=payment["livemode"],
        owed=Money(owed["amount_minor"], owed["currency"]),
    )
    await execute(
        "update payment set checked_at = $2, payment_intent_id = coalesce(payment_intent_id, $3) where id = $1",
        payment_id,
        now(),
        session.intent_id if proven is not Proof.FOREIGN else None,
    )
    match proven:
        case Proof.FOREIGN:
            await record(None, "payment.foreign", deal_id, session=session.id)
            await alarm("foreign_payment", deal)
        case Proof.PROCESSING | Proof.EXPIRED | Proof.FAILED:
            await _not_paid(deal, payment, PaymentState(proven.value))
            if session.awaited is not None:
                await await_transfer(deal, payment_id, session.amount, session.awaited)
        case Proof.PAID | Proof.MISMATCH if session.charge is not None:
            await _paid(deal, payment, session.charge, exact=proven is Proof.PAID)
            await _fee(deal, payment_id, session.charge)


async def _not_paid(deal: Deal, payment: asyncpg.Record, to: PaymentState) -> None:
    if not advance(PaymentState(payment["state"]), to):
        return
    await execute("update payment set state = $2 where id = $1", payment["id"], to.value)
    await record(None, f"payment.{to.value}", deal.id)
    await count_again(deal)  # a lot's last day waits for open pages
    if not to.live:
        await enqueue("deal.due", deal.id)  # what waited for this page may lapse now
        await _look_at_cash(deal, payment)


async def _paid(deal: Deal, payment: asyncpg.Record, charge: Charge, *, exact: bool) -> None:
    if not advance(PaymentState(payment["state"]), PaymentState.PAID):
        return
    counts = exact and deal.state is State.AWAITING_PAYMENT
    if counts:
        await _close_others(deal, payment)
    await execute(
        "update payment set state = $2, charge_id = $3, method = $4, received_minor = $5 where id = $1",
        payment["id"],
        "paid" if counts else "surplus",
        charge.id,
        charge.method,
        charge.amount.minor,
    )
    booked = books.paid(charge.amount) if counts else books.surplus_paid(charge.amount)
    await post(booked, payment["id"], deal_id=deal.id, lot_id=deal.lot_id, stripe_object=charge.id)
    if counts:
        await execute("update payment_obligation set state = 'paid' where deal_id = $1", deal.id)
        alone = deal.threshold is None or deal.threshold.state is ThresholdState.MET
        arrow = step(deal.state, Move.PAY, Side.STRIPE)
        await enter(deal, Move.PAY, arrow, None, to=State.PAID if alone else State.POOLED)
    else:
        await record(None, "payment.surplus", deal.id)
        await pay_back(deal, payment["id"], charge.amount, reason="surplus")
        await alarm("surplus_payment", deal)
    await _look_at_cash(deal, payment)


async def _look_at_cash(deal: Deal, payment: asyncpg.Record) -> None:
    """A bank transfer is no longer awaited: what the payment did not take of it goes back."""
    if payment["transfer_reference"] is not None:
        await enqueue("cash.look", deal.buyer_company_id)


async def _close_others(deal: Deal, payment: asyncpg.Record) -> None:
    """Another attempt is still live although this one was paid: its page is closed; if it is paid too, it goes back."""
    for row in await fetch(
        "update payment set state = 'expired' where obligation_id = $1 and id <> $2 "
        "and state in ('open', 'processing') returning id, session_id",
        payment["obligation_id"],
        payment["id"],
    ):
        if row["session_id"] is not None:
            await _plan_expiry(deal, row["id"], row["session_id"])


async def _fee(deal: Deal, payment_id: UUID, charge: Charge) -> None:
    """Book what Stripe kept, once its balance transaction is known (money list 40)."""
    if charge.fee is None:
        return
    if charge.fee.currency != deal.terms.total.currency:
        await _converted(deal)
        return
    await execute(
        "update payment set fee_minor = $2, available_on = $3 where id = $1",
        payment_id,
        charge.fee.minor,
        charge.available_on,
    )
    if charge.fee:
        await post(books.fee(charge.fee), payment_id, deal_id=deal.id, lot_id=deal.lot_id, stripe_object=charge.id)


async def _converted(deal: Deal) -> None:
    """Stripe settled the payment in another currency than the deal's: a person is told, once (money list 39).

    Its balance and our books differ from here on, which stops releases.
    """
    if not await fetchval(
        "select exists (select from journal_entry where subject_id = $1 and fact = 'payment.converted')", deal.id
    ):
        await record(None, "payment.converted", deal.id)
        await alarm("converted", deal)


async def close_pay_page(deal_id: UUID) -> None:
    """A deal's time to pay is over while a page is open: ask Stripe to close it, and wait for its word.

    A page that is complete already is paid or on its way: the deal keeps its goods.
    """
    payment = await fetchrow(
        "select id, state, session_id from payment where deal_id = $1 and state in ('open', 'processing')", deal_id
    )
    if payment is None:
        return
    if payment["session_id"] is None or payment["state"] == PaymentState.PROCESSING:
        await refresh(payment["id"])
        return
    async with transaction(alone=True):
        deal = await any_deal(deal_id, lock=True)
        planned = await _plan_expiry(deal, payment["id"], payment["session_id"])
    await operations.drive(planned)


async def _making(payment_id: UUID) -> UUID:
    """The operation that makes a payment's page, the latest if it had to be renewed."""
    row = await one(
        "select id from stripe_operation where subject_id = $1 and kind = 'checkout.create' "
        "order by planned_at desc limit 1",
        payment_id,
    )
    return UUID(str(row["id"]))


async def _plan_expiry(deal: Deal, payment_id: UUID, session_id: str) -> UUID:
    return await operations.plan(Kind.EXPIRE, payment_id, {"session": session_id}, deal_id=deal.id, lot_id=deal.lot_id)


async def _refresh_outlived(deal_id: UUID) -> None:
    """A page past its hour is asked about before it is shown again."""
    outlived = await fetchval(
        "select id from payment where deal_id = $1 and state = 'open' and expires_at <= $2", deal_id, now()
    )
    if outlived is not None:
        await refresh(outlived)


# --- the operations


async def _no_trace(gateway: Gateway, operation: Operation) -> None:
    """A second customer does no harm and closing a page twice neither: they are simply asked for again."""
    return


async def _create_session(gateway: Gateway, operation: Operation) -> Session:
    return await gateway.create_session(operation.id, operation.request)


async def _find_session(gateway: Gateway, operation: Operation) -> Session | None:
    return await gateway.find_session(operation.id, operation.request["customer"])


async def _session_made(operation: Operation, made: Session) -> None:
    await execute(
        "update payment set session_id = $2, session_url = $3 where id = $1", operation.subject_id, made.id, made.url
    )


async def _session_refused(operation: Operation, refusal: Refused) -> None:
    await execute("update payment set state = 'failed' where id = $1 and state = 'open'", operation.subject_id)
    await record(None, "payment.refused", operation.deal, code=refusal.stripe_code)
    await alarm("pay_page_refused", await any_deal(operation.deal))


async def _expire_session(gateway: Gateway, operation: Operation) -> Session:
    return await gateway.expire_session(operation.id, operation.request["session"])


async def _session_expired(operation: Operation, made: Session) -> None:
    await settle(operation.subject_id, made)


async def _expiry_refused(operation: Operation, refusal: Refused) -> None:
    """Complete or expired already: what it is now is asked."""
    await enqueue("payment.look", operation.subject_id)


operations.done_by(Kind.CHECKOUT, Doing(_create_session, _find_session, _session_made, _session_refused))
operations.done_by(Kind.EXPIRE, Doing(_expire_session, _no_trace, _session_expired, _expiry_refused))
