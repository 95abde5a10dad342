"""Bank transfers that do not fit: short, over, late (money list 21).

A transfer that does not cover the sum is awaited until the deal's time to pay is over; then its PaymentIntent is
cancelled, and what it brought lies in the buyer's cash balance at the payment service. There, too, lies what came above
the sum, or when nothing was due any more. It goes back to the bank account it came from, by an operation of its own.
Such money is in the buyer's name and never on our balance; the books keep it on an account of its own.
"""

from uuid import UUID, uuid4

from exchange.clock import now
from exchange.database import announce, execute, fetch, fetchrow, fetchval, transaction
from exchange.jobs import enqueue
from exchange.journal.actions import record
from exchange.money import Money
from exchange.settlement.actions import operations
from exchange.settlement.actions.ledger import post
from exchange.settlement.actions.notices import alarm, tell_refund_failed, tell_returned, tell_short
from exchange.settlement.actions.operations import Doing, Operation
from exchange.settlement.queries import one
from exchange.settlement.queries.deals import Deal, any_deal
from exchange.settlement.rules import books
from exchange.settlement.rules.deal import State
from exchange.settlement.rules.payments import Kind, PaymentState, RefundState, return_reason
from exchange.settlement.stripe_gateway import (
    Awaited,
    Cash,
    Gateway,
    Refund,
    Refused,
    Session,
    cash_return_params,
    gateway,
)


async def await_transfer(deal: Deal, payment_id: UUID, whole: Money, awaited: Awaited) -> None:
    """Take over what a bank transfer still lacks, in the current transaction; the buyer is told when it came short.

    One that nobody waits for any more, because the time to pay is over or another payment came, is cancelled.
    """
    arrived = whole - awaited.missing
    payment = await one("select state, arrived_minor from payment where id = $1", payment_id)
    await execute(
        "update payment set arrived_minor = $2, transfer_reference = $3, instructions_url = $4 where id = $1",
        payment_id,
        arrived.minor,
        (awaited.reference or "")[:60],
        awaited.instructions,
    )
    if arrived.minor > payment["arrived_minor"]:
        await record(None, "payment.short", deal.id)
        await announce(deal.channel, "payment.short", deal.id)
        await tell_short(deal, arrived, awaited.missing)
    wanted = (
        PaymentState(payment["state"]).live
        and deal.state is State.AWAITING_PAYMENT
        and deal.due_at is not None
        and now() < deal.due_at
    )
    if not wanted:
        await _stop_waiting(deal, payment_id)


async def _stop_waiting(deal: Deal, payment_id: UUID) -> None:
    planned = await fetchval(
        "select exists (select from stripe_operation where subject_id = $1 and kind = 'pi.cancel' "
        "and state <> 'failed')",
        payment_id,
    )
    if not planned:
        row = await one("select payment_intent_id, session_id from payment where id = $1", payment_id)
        request = {"payment_intent": row["payment_intent_id"], "session": row["session_id"]}
        await operations.plan(Kind.CANCEL, payment_id, request, deal_id=deal.id, lot_id=deal.lot_id)


# --- what lies in a buyer's cash balance


async def look_at_cash(company_id: UUID) -> None:
    """Ask Stripe what lies in a buyer's cash balance, and send it back: event, end of a payment and poll end here."""
    customer = await fetchval("select customer_id from payment_customer where company_id = $1", company_id)
    if customer is None:
        return
    asked_at = now()
    cash = await gateway().cash(customer)
    async with transaction(alone=True):
        fresh = await fetchval(
            "select cash_changed_at is null or cash_changed_at <= $2 from payment_customer where company_id = $1 "
            "for no key update",
            company_id,
            asked_at,
        )
        if fresh:
            await _send_back(company_id, cash)
        else:
            await enqueue("cash.look", company_id)  # something left since the balance was read


async def look_at_all_cash() -> None:
    """Every buyer that was told how to make a bank transfer in the last hundred days, once a day: no news is lost."""
    async with transaction():
        for row in await fetch(
            "select distinct d.buyer_company_id as company_id from payment p join deal d on d.id = p.deal_id "
            "where p.transfer_reference is not null and p.created_at > $1::timestamptz - interval '100 days'",
            now(),
        ):
            await enqueue("cash.look", row["company_id"], once=f"cash {row['company_id']}")


async def _send_back(company_id: UUID, cash: Cash) -> None:
    """Plan the return of what is not on its way back already, in the current transaction, which holds the customer.

    What came back and was paid another way stays in the cash balance and is never sent a second time.

    While another transfer of the same buyer is awaited, the payment service may still use the money for that one.
    """
    for lying in cash.available:
        known = await one(
            "select exists (select from payment p join deal d on d.id = p.deal_id where d.buyer_company_id = $1 "
            "and p.currency = $2 and p.state = 'processing' and p.transfer_reference is not null) as awaited, "
            "coalesce((select sum(amount_minor) from cash_return where company_id = $1 and currency = $2 "
            "and state in ('planned', 'failed', 'canceled', 'otherwise')), 0) as returning",
            company_id,
            lying.currency,
        )
        back = lying - Money(int(known["returning"]), lying.currency)
        if back.minor > 0 and not known["awaited"]:
            await _return(company_id, back, cash.traces)


async def _return(company_id: UUID, amount: Money, traces: tuple[str, ...]) -> None:
    payment = await fetchrow(
        "select p.deal_id, p.state, p.arrived_minor from payment p join deal d on d.id = p.deal_id "
        "where d.buyer_company_id = $1 and p.currency = $2 order by "
        "least(array_position($3, p.payment_intent_id), array_position($3, p.transfer_reference)), "
        "p.transfer_reference is null, p.created_at desc limit 1",
        company_id,
        amount.currency,
        list(traces),
    )
    if payment is None:
        return
    deal = await any_deal(payment["deal_id"], lock=True)
    reason = return_reason(PaymentState(payment["state"]), payment["arrived_minor"])
    return_id = uuid4()
    await execute(
        "insert into cash_return (id, company_id, deal_id, lot_id, currency, amount_minor, reason, state, created_at) "
        "values ($1, $2, $3, $4, $5, $6, $7, 'planned', $8)",
        return_id, company_id, deal.id, deal.lot_id, amount.currency, amount.minor, reason.value, now(),
    )  # fmt: skip
    customer = await fetchval("select customer_id from payment_customer where company_id = $1", company_id)
    await post(books.cash_arrived(amount), return_id, deal_id=deal.id, lot_id=deal.lot_id)
    request = cash_return_params(customer=customer, amount=amount)
    await operations.plan(Kind.RETURN, return_id, request, deal_id=deal.id, lot_id=deal.lot_id)
    await record(None, "payment.returned", deal.id, reason=reason.value)
    await announce(deal.channel, "payment.returned", deal.id)
    await tell_returned(deal, amount, reason)


async def look_at_return(return_id: UUID) -> None:
    """Ask Stripe how a return stands, and take it over."""
    stripe_id = await fetchval("select refund_id from cash_return where id = $1", return_id)
    if stripe_id is None:
        return
    made = await gateway().refund(stripe_id)
    async with transaction(alone=True):
        await take_return(return_id, made)


async def take_return(return_id: UUID, made: Refund) -> None:
    """Take over what Stripe says of a return now, in the current transaction: the end of operation, event and poll."""
    row = await one("select company_id, deal_id from cash_return where id = $1", return_id)
    await fetchval("select id from payment_customer where company_id = $1 for no key update", row["company_id"])
    deal = await any_deal(row["deal_id"], lock=True)
    await execute(
        "update cash_return set state = $2, refund_id = $3 where id = $1 "
        "and state not in ('failed', 'canceled', 'otherwise')",
        return_id,
        made.status,
        made.id,
    )
    if await post(books.cash_returned(made.amount), return_id, deal_id=deal.id, lot_id=deal.lot_id):
        await execute(
            "update payment_customer set cash_changed_at = $2 where company_id = $1", row["company_id"], now()
        )
    if not RefundState(made.status).out:
        back = books.cash_back_again(made.amount)
        if await post(back, return_id, deal_id=deal.id, lot_id=deal.lot_id):
            await record(None, "payment.return_failed", deal.id)
            await alarm("return_failed", deal)
            await tell_refund_failed(deal, made.amount)


# --- the operations


async def _cancel(gateway: Gateway, operation: Operation) -> Session:
    return await gateway.cancel_payment(operation.id, operation.request["payment_intent"], operation.request["session"])


async def _find_cancelled(gateway: Gateway, operation: Operation) -> Session | None:
    found = await gateway.session(operation.request["session"])
    return found if found.intent_status == "canceled" else None


async def _look_again(operation: Operation, made: Session | Refused) -> None:
    """Cancelled, or refused because the money came in that moment: what the payment is now is asked."""
    await enqueue("payment.look", operation.subject_id)


async def _give_back(gateway: Gateway, operation: Operation) -> Refund:
    return await gateway.create_refund(operation.id, operation.request)


async def _find_return(gateway: Gateway, operation: Operation) -> Refund | None:
    return await gateway.find_cash_return(operation.id, operation.planned_at)


async def _given_back(operation: Operation, made: Refund) -> None:
    await take_return(operation.subject_id, made)


async def _return_refused(operation: Operation, refusal: Refused) -> None:
    deal = await any_deal(operation.deal, lock=True)
    await execute("update cash_return set state = 'failed' where id = $1", operation.subject_id)
    await record(None, "deal.return_refused", deal.id, code=refusal.stripe_code)
    await alarm("return_failed", deal)


operations.done_by(Kind.CANCEL, Doing(_cancel, _find_cancelled, _look_again, _look_again))
operations.done_by(Kind.RETURN, Doing(_give_back, _find_return, _given_back, _return_refused))
