"""Money on its way back to a buyer: planned with a decision, made by Stripe, and open again when it comes back."""

from uuid import UUID, uuid4

import asyncpg

from exchange.clock import now
from exchange.database import execute, fetch, fetchval, transaction
from exchange.journal.actions import record
from exchange.money import Money
from exchange.settlement.actions import operations
from exchange.settlement.actions.closing import close_if_done, end_again, reopen
from exchange.settlement.actions.ledger import post
from exchange.settlement.actions.moves import count_again
from exchange.settlement.actions.notices import alarm, tell_refund_failed
from exchange.settlement.actions.operations import Doing, Operation
from exchange.settlement.queries import one
from exchange.settlement.queries.deals import Deal, any_deal
from exchange.settlement.rules import books
from exchange.settlement.rules.payments import Kind, RefundState
from exchange.settlement.stripe_gateway import Gateway, Refund, Refused, gateway, refund_params


async def pay_back(deal: Deal, payment_id: UUID, amount: Money, *, reason: str) -> None:
    """Plan the refund of ``amount`` of one payment, in the current transaction."""
    await send_back(deal, await _write_down(deal, payment_id, amount, reason=str(reason), state=RefundState.PLANNED))


async def _write_down(deal: Deal, payment_id: UUID, amount: Money, *, reason: str, state: RefundState) -> UUID:
    refund_id = uuid4()
    await execute(
        "insert into refund (id, payment_id, deal_id, lot_id, currency, amount_minor, reason, state, created_at) "
        "values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        refund_id,
        payment_id,
        deal.id,
        deal.lot_id,
        amount.currency,
        amount.minor,
        reason,
        state.value,
        now(),
    )
    return refund_id


_REFUND = (
    "select r.id, r.payment_id, r.amount_minor, r.currency, p.charge_id, p.state = 'surplus' as surplus "
    "from refund r join payment p on p.id = r.payment_id "
)


async def send_back(deal: Deal, refund_id: UUID) -> None:
    """Plan the call of a planned refund, in the current transaction: less what the operator gave back by hand."""
    row = await one(_REFUND + "where r.id = $1", refund_id)
    rest = await _less_by_hand(deal, row)
    if rest:
        request = refund_params(charge=row["charge_id"], amount=rest)
        await operations.plan(Kind.REFUND, refund_id, request, deal_id=deal.id, lot_id=deal.lot_id)


async def count_by_hand(deal: Deal, payment_id: UUID) -> None:
    """Of a payment, refunds that did not reach the buyer are owed less what the operator gave back by hand.

    From when both are known, in whatever order. What was counted and came back from the buyer's bank is owed again,
    like a refund that was refused. In the current transaction, which holds the deal's row.
    """
    by_hand = await _by_hand(payment_id, deal.terms.total.currency)
    if by_hand.minor < 0:
        await _owe_again(deal, payment_id, -by_hand)
    for row in await fetch(_REFUND + "where r.payment_id = $1 and r.owed order by r.created_at", payment_id):
        await _less_by_hand(deal, row)
    await count_again(deal)
    await end_again(deal)
    await close_if_done(deal)


async def owed_less(payment_id: UUID, amount: Money) -> Money:
    """The buyer has ``amount`` of a payment another way: what of it did not reach the buyer is owed less; how much."""
    rest = amount
    for row in await fetch(_REFUND + "where r.payment_id = $1 and r.owed order by r.created_at", payment_id):
        owed = Money(row["amount_minor"], amount.currency)
        less = min(owed, rest)
        if less:
            await _owe_less(row["id"], owed - less)
        rest -= less
    return amount - rest


async def _owe_less(refund_id: UUID, rest: Money) -> None:
    """The buyer has a part of a refund another way, or all of it: what was never made then never will be."""
    if rest:
        await execute("update refund set amount_minor = $2 where id = $1", refund_id, rest.minor)
    else:
        await execute(
            "update refund set state = case when refund_id is null then 'canceled' else 'otherwise' end where id = $1",
            refund_id,
        )


async def _owe_again(deal: Deal, payment_id: UUID, amount: Money) -> None:
    """A refund by hand came back after it had been counted: a refused refund takes its place."""
    refund_id = await _write_down(deal, payment_id, amount, reason="by_hand", state=RefundState.FAILED)
    surplus = (await one(_REFUND + "where r.id = $1", refund_id))["surplus"]
    # a reference of its own: should this refund be asked for again and come back too, that is another fact
    await _post_by_hand(deal, books.hand_returned(amount, surplus=surplus), f"{refund_id} by hand", payment_id)
    await record(None, "deal.refund_failed", deal.id)
    await _tell_returned(deal, amount)
    if not surplus:
        await reopen(deal)


async def _tell_returned(deal: Deal, amount: Money) -> None:
    """Not while the buyer's bank has the matter: it may pay the buyer itself."""
    if not deal.disputed:
        await alarm("refund_failed", deal)
        await tell_refund_failed(deal, amount)


async def tell_still_owed(deal: Deal) -> None:
    """The buyer's bank has decided: what did not reach the buyer, and is not the bank's to pay, waits for a person."""
    for row in await fetch(
        "select refund_id is not null as made, sum(amount_minor) as minor from refund where deal_id = $1 and owed "
        "group by 1",
        deal.id,
    ):
        if row["made"]:
            await _tell_returned(deal, Money(int(row["minor"]), deal.terms.total.currency))
        elif not deal.disputed:
            await alarm("refund_refused", deal)


async def _less_by_hand(deal: Deal, row: asyncpg.Record) -> Money:
    """What is left of a refund when what was given by hand counts for it; settled where that is all."""
    amount = Money(row["amount_minor"], row["currency"])
    by_hand = min(await _by_hand(row["payment_id"], amount.currency), amount)
    if by_hand.minor <= 0:
        return amount
    posting = books.refunded_by_hand(by_hand, surplus=row["surplus"])
    # what a refund comes to only shrinks: each hand given to it is a posting of its own
    await _post_by_hand(deal, posting, f"{row['id']} {amount.minor}", row["payment_id"])
    await record(None, "deal.refunded_by_hand", deal.id)
    await _owe_less(row["id"], amount - by_hand)
    return amount - by_hand


async def _post_by_hand(deal: Deal, posting: books.Posting, reference: str, payment_id: UUID) -> None:
    await post(posting, reference, deal_id=deal.id, lot_id=deal.lot_id, payment_id=payment_id)


async def send_refused_back(deal: Deal) -> bool:
    """Plan every refund of the deal again that Stripe refused to make, in the current transaction."""
    rows = await fetch(
        "update refund set state = 'planned' where deal_id = $1 and owed and refund_id is null returning id", deal.id
    )
    for row in rows:
        await send_back(deal, row["id"])
    return bool(rows)


async def _by_hand(payment_id: UUID, currency: str) -> Money:
    """What of a payment went back by hand at Stripe, was explained, and counts for no refund yet.

    Less than nothing where it counted and came back since. What is explained of a refund of our own is none of it.
    """
    minor = await fetchval(
        "select coalesce(sum(e.amount_minor), 0) from ledger_entry e join ledger_posting p on p.id = e.posting_id "
        "where p.payment_id = $1 and e.account = 'external' "
        "and not exists (select from refund where refund_id = p.stripe_object)",
        payment_id,
    )
    return Money(int(minor), currency)


async def _refund(gateway: Gateway, operation: Operation) -> Refund:
    return await gateway.create_refund(operation.id, operation.request)


async def _find_refund(gateway: Gateway, operation: Operation) -> Refund | None:
    return await gateway.find_refund(operation.id, operation.request["charge"])


async def _refunded(operation: Operation, made: Refund) -> None:
    await take_refund(operation.subject_id, made)


async def _refund_refused(operation: Operation, refusal: Refused) -> None:
    deal = await any_deal(operation.deal, lock=True)
    refused = "update refund set state = 'failed' where id = $1 returning payment_id"
    payment_id = await fetchval(refused, operation.subject_id)
    await record(None, "deal.refund_refused", deal.id, code=refusal.stripe_code)
    await count_by_hand(deal, payment_id)
    if await fetchval("select owed from refund where id = $1", operation.subject_id):
        if not deal.disputed:  # else it is asked for again when the dispute is won, or the buyer's bank pays it
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
            await _tell_returned(deal, made.amount)
            if not surplus:
                await reopen(deal)
    await end_again(deal)
    await close_if_done(deal)
