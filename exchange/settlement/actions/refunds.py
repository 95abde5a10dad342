"""Money on its way back to a buyer: planned with a decision, made by Stripe, and open again when it comes back."""

from uuid import UUID, uuid4

from exchange.clock import now
from exchange.database import execute, fetch, fetchval, transaction
from exchange.journal.actions import record
from exchange.money import Money
from exchange.settlement.actions import operations
from exchange.settlement.actions.closing import close_if_done, end_again, reopen
from exchange.settlement.actions.ledger import post
from exchange.settlement.actions.notices import alarm, tell_refund_failed
from exchange.settlement.actions.operations import Doing, Operation
from exchange.settlement.queries import one
from exchange.settlement.queries.deals import Deal, any_deal
from exchange.settlement.rules import books
from exchange.settlement.rules.payments import REFUND_IDS, Kind, RefundState
from exchange.settlement.stripe_gateway import Gateway, Refund, Refused, gateway, refund_params


async def pay_back(deal: Deal, payment_id: UUID, charge_id: str, amount: Money, *, reason: str) -> None:
    """Plan the refund of ``amount`` of one payment, in the current transaction."""
    refund_id = uuid4()
    await execute(
        "insert into refund (id, payment_id, deal_id, lot_id, currency, amount_minor, reason, state, created_at) "
        "values ($1, $2, $3, $4, $5, $6, $7, 'planned', $8)",
        refund_id,
        payment_id,
        deal.id,
        deal.lot_id,
        amount.currency,
        amount.minor,
        str(reason),
        now(),
    )
    await send_back(deal, refund_id, charge_id, amount, surplus=reason == "surplus")


async def send_back(deal: Deal, refund_id: UUID, charge_id: str, amount: Money, *, surplus: bool = False) -> None:
    """Plan the call of a planned refund, in the current transaction: less what the operator gave back by hand."""
    rest = amount if surplus else await _less_by_hand(deal, refund_id, amount)
    if rest:
        request = refund_params(charge=charge_id, amount=rest)
        await operations.plan(Kind.REFUND, refund_id, request, deal_id=deal.id, lot_id=deal.lot_id)


async def count_by_hand(deal: Deal) -> None:
    """Refunds that Stripe refused are owed less what the operator gave back by hand, from when both are known.

    What was counted and came back from the buyer's bank is owed again, like a refund that was refused.
    In the current transaction, which holds the deal's row.
    """
    by_hand = await _by_hand(deal)
    if by_hand.minor < 0:
        await _owe_again(deal, -by_hand)
    for row in await fetch(
        "select r.id, r.amount_minor, r.currency from refund r join payment p on p.id = r.payment_id "
        "where r.deal_id = $1 and r.state = 'failed' and r.refund_id is null and p.state = 'paid' "
        "order by r.created_at",
        deal.id,
    ):
        await _less_by_hand(deal, row["id"], Money(row["amount_minor"], row["currency"]))
    await end_again(deal)
    await close_if_done(deal)


async def count_surplus_by_hand(deal: Deal, payment_id: UUID, given: Money, reference: str) -> None:
    """The operator gave back by hand of a payment that was not owed: its refused refunds are owed so much less.

    In the current transaction, which holds the deal's row. No deal's entries: of what is held for it nothing moved.
    """
    counted = await owed_less(payment_id, given)
    if counted:
        await post(books.refunded_by_hand(counted, surplus=True), reference, deal_id=None, lot_id=None)
        await record(None, "deal.refunded_by_hand", deal.id)


async def owed_less(payment_id: UUID, amount: Money) -> Money:
    """The buyer has ``amount`` of a payment another way: its refunds that Stripe refused are owed less; how much."""
    rest = amount
    for row in await fetch(
        "select id, amount_minor from refund where payment_id = $1 and state = 'failed' and refund_id is null "
        "order by created_at for no key update",
        payment_id,
    ):
        owed = Money(row["amount_minor"], amount.currency)
        if rest < owed:
            await execute("update refund set amount_minor = $2 where id = $1", row["id"], (owed - rest).minor)
            return amount
        await execute("update refund set state = 'canceled' where id = $1", row["id"])
        rest -= owed
    return amount - rest


async def _owe_again(deal: Deal, amount: Money) -> None:
    """A refund by hand came back after it had been counted: a refused refund takes its place."""
    refund_id = uuid4()
    await execute(
        "insert into refund (id, payment_id, deal_id, lot_id, currency, amount_minor, reason, state, created_at) "
        "select $1, id, $2, $3, $4, $5, 'by_hand', 'failed', $6 from payment where deal_id = $2 and state = 'paid'",
        refund_id,
        deal.id,
        deal.lot_id,
        amount.currency,
        amount.minor,
        now(),
    )
    # a reference of its own: should this refund be asked for again and come back too, that is another fact
    await post(books.hand_returned(amount), f"{refund_id} by hand", deal_id=deal.id, lot_id=deal.lot_id)
    await record(None, "deal.refund_failed", deal.id)
    await alarm("refund_failed", deal)
    await tell_refund_failed(deal, amount)
    await reopen(deal)


async def _less_by_hand(deal: Deal, refund_id: UUID, amount: Money) -> Money:
    """What is left of a refund of ``amount`` when what was given by hand counts for it; settled where that is all."""
    by_hand = min(await _by_hand(deal), amount)
    if by_hand.minor <= 0:
        return amount
    rest = amount - by_hand
    # what a refund comes to only shrinks: each hand given to it is a posting of its own
    await post(books.refunded_by_hand(by_hand), f"{refund_id} {amount.minor}", deal_id=deal.id, lot_id=deal.lot_id)
    await record(None, "deal.refunded_by_hand", deal.id)
    if rest:
        await execute("update refund set amount_minor = $2 where id = $1", refund_id, rest.minor)
    else:
        await execute("update refund set state = 'canceled' where id = $1", refund_id)
    return rest


async def send_refused_back(deal: Deal) -> bool:
    """Plan every refund of the deal again that Stripe refused to make, in the current transaction."""
    rows = await fetch(
        "update refund r set state = 'planned' from payment p where p.id = r.payment_id and r.deal_id = $1 "
        "and r.state = 'failed' and r.refund_id is null "
        "returning r.id, r.amount_minor, r.currency, p.charge_id, p.state = 'surplus' as surplus",
        deal.id,
    )
    for row in rows:
        amount = Money(row["amount_minor"], row["currency"])
        await send_back(deal, row["id"], row["charge_id"], amount, surplus=row["surplus"])
    return bool(rows)


async def _by_hand(deal: Deal) -> Money:
    """What went back to the deal's buyer by hand at Stripe, was explained, and counts for no refund yet.

    Less than nothing where it counted and came back since.
    """
    minor = await fetchval(
        "select coalesce(sum(e.amount_minor), 0) from ledger_entry e join ledger_posting p on p.id = e.posting_id "
        "where e.deal_id = $1 and e.account = 'external' and (p.fact <> 'external' "
        "or exists (select from unnest($2::text[]) id where starts_with(p.stripe_object, id)))",
        deal.id,
        REFUND_IDS,
    )
    return Money(int(minor), deal.terms.total.currency)


async def _refund(gateway: Gateway, operation: Operation) -> Refund:
    return await gateway.create_refund(operation.id, operation.request)


async def _find_refund(gateway: Gateway, operation: Operation) -> Refund | None:
    return await gateway.find_refund(operation.id, operation.request["charge"])


async def _refunded(operation: Operation, made: Refund) -> None:
    await take_refund(operation.subject_id, made)


async def _refund_refused(operation: Operation, refusal: Refused) -> None:
    deal = await any_deal(operation.deal, lock=True)
    await execute("update refund set state = 'failed' where id = $1", operation.subject_id)
    await record(None, "deal.refund_refused", deal.id, code=refusal.stripe_code)
    await count_by_hand(deal)
    if await fetchval("select state from refund where id = $1", operation.subject_id) == RefundState.FAILED:
        await alarm("refund_refused", deal)
        await reopen(deal)


operations.done_by(Kind.REFUND, Doing(_refund, _find_refund, _refunded, _refund_refused))


async def look_at_refund(refund_id: UUID) -> None:
    """Ask Stripe how a refund stands, and take it over."""
    stripe_id = await fetchval("select refund_id from refund where id = $1", refund_id)
    if stripe_id is None:
        return
    made = await gateway().refund(stripe_id)
    async with transaction(alone=True):
        await take_refund(refund_id, made)


async def take_refund(refund_id: UUID, made: Refund) -> None:
    """Take over what Stripe says of a refund now, in the current transaction: the end of operation, event and poll."""
    row = await one(
        "select r.deal_id, p.state as payment_state from refund r join payment p on p.id = r.payment_id "
        "where r.id = $1",
        refund_id,
    )
    deal = await any_deal(row["deal_id"], lock=True)
    await execute(
        "update refund set state = $2, refund_id = $3 where id = $1 "
        "and state not in ('failed', 'canceled', 'otherwise')",
        refund_id,
        made.status,
        made.id,
    )
    surplus = row["payment_state"] == "surplus"
    posting = books.surplus_refunded(made.amount) if surplus else books.refunded(made.amount)
    if await post(posting, refund_id, deal_id=deal.id, lot_id=deal.lot_id, stripe_object=made.id):
        await record(None, "deal.refunded", deal.id)
    if not RefundState(made.status).out:
        back = books.refund_failed(made.amount, surplus=surplus)
        if await post(back, refund_id, deal_id=deal.id, lot_id=deal.lot_id, stripe_object=made.id):
            await record(None, "deal.refund_failed", deal.id)
            await alarm("refund_failed", deal)
            await tell_refund_failed(deal, made.amount)
            if not surplus:
                await reopen(deal)
    await end_again(deal)
    await close_if_done(deal)
