"""A deal's money is shared out: what goes back to the buyer, what reaches each receiver, what the exchange keeps.

``share_out`` decides, once, in the transaction that moves the deal to *closing*. ``release`` sends the legs, each on
its own: one whose receiver cannot be paid yet is parked and never holds up the others.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from exchange.clock import now
from exchange.database import execute, fetch, fetchval, transaction
from exchange.errors import N_, Conflict
from exchange.jobs import enqueue
from exchange.journal.actions import record
from exchange.listings.actions.reservations import release_reservation
from exchange.money import Money
from exchange.settings import settings
from exchange.settlement.actions import operations
from exchange.settlement.actions.closing import close_if_done, end_again
from exchange.settlement.actions.ledger import post
from exchange.settlement.actions.notices import alarm, tell_parked
from exchange.settlement.actions.operations import Doing, HeldBack, Operation
from exchange.settlement.actions.papers import owe_papers
from exchange.settlement.actions.refunds import pay_back
from exchange.settlement.queries import one
from exchange.settlement.queries.deals import Deal, any_deal
from exchange.settlement.queries.methods import known_debtor
from exchange.settlement.queries.money import warned
from exchange.settlement.rules import books
from exchange.settlement.rules.accounts import Receiving, receiver
from exchange.settlement.rules.amounts import Share, plan
from exchange.settlement.rules.deal import Ending, State
from exchange.settlement.rules.methods import Method, leaves_from
from exchange.settlement.rules.payments import Kind, Obstacle, RefundState, obstacle, retry
from exchange.settlement.stripe_gateway import (
    Busy,
    Gateway,
    Refund,
    Refused,
    Transfer,
    transfer_params,
)

SETTLES = timedelta(minutes=6)
"""How long a refund made by hand may be on its way into the comparison of the books, which then stops releases."""


class Disputed(Conflict):
    """The buyer's bank has taken the matter up."""

    message = N_("This payment is disputed with the buyer's bank. Nothing moves until that is decided.")


async def share_out(deal: Deal, refund: Money) -> None:
    """Decide who gets what of the money held for ``deal``, which just entered *closing*; ``refund`` includes tax.

    What the buyer's bank has kept for the buyer is part of the refund, which is never less, and is not given again.
    Raises Disputed for a refund while the buyer's bank disputes the payment: the buyer would get its money twice.
    """
    kept = await kept_by_bank(deal)
    refund = max(refund, kept)
    if refund != kept and deal.disputed:
        raise Disputed
    payment = await one("select id from payment where deal_id = $1 and state = 'paid'", deal.id)
    legs = await fetch(
        "select id, weight, fixed_minor from release_leg where deal_id = $1 order by rank for no key update", deal.id
    )
    shared = plan(deal.terms, [Share(leg["weight"], leg["fixed_minor"]) for leg in legs], refund)
    await execute("update deal set refund_minor = $2 where id = $1", deal.id, refund.minor)
    for leg, part in zip(legs, shared.legs, strict=True):
        await execute(
            "update release_leg set amount_minor = $2::bigint, payment_id = $3, "
            "state = case when $2::bigint = 0 then 'paid' else 'planned' end where id = $1",
            leg["id"],
            part.minor,
            payment["id"],
        )
    await post(books.earned(shared.commission, shared.commission_vat), deal.id, deal_id=deal.id, lot_id=deal.lot_id)
    if refund != kept:
        await pay_back(deal, payment["id"], refund - kept, reason=deal.ending or Ending.DECIDED)
    if refund == deal.terms.total and deal.at_the_sellers:
        await release_reservation(agreement_id=deal.negotiation_id)  # for sale again
    await owe_papers(deal)
    await enqueue("deal.release", deal.id)


async def kept_by_bank(deal: Deal) -> Money:
    """What disputes that are lost took of the money held for the deal: the buyer has it from its bank."""
    minor = await fetchval(
        "select coalesce(sum(e.amount_minor), 0) from ledger_entry e join ledger_posting p on p.id = e.posting_id "
        "where e.deal_id = $1 and e.account = 'held' and p.fact = 'dispute_lost'",
        deal.id,
    )
    return Money(int(minor), deal.terms.total.currency)


async def release(deal_id: UUID) -> None:
    """Send every leg of a closing deal whose receiver can be paid; park the others.

    Nothing is sent while the payment is disputed, or while our books and Stripe's differ.
    """
    async with transaction():
        deal = await any_deal(deal_id, lock=True)
        if not (deal.state is State.CLOSING or deal.state.final) or await _stopped(deal) or await _waits(deal):
            return
        legs = await fetch(
            "select l.id, l.company_id, l.amount_minor, l.state, f.account_id as frozen, f.status as frozen_status, "
            "a.account_id as current, a.status as current_status, p.charge_id from release_leg l "
            "join payment p on p.id = l.payment_id left join payout_account f on f.account_id = l.destination "
            "left join payout_account a on a.company_id = l.company_id and a.standing = 'current' "
            "where l.deal_id = $1 and l.state in ('planned', 'parked') and (l.retry_at is null or l.retry_at <= $2) "
            "order by l.rank for no key update of l",
            deal_id,
            now(),
        )
        for leg in legs:
            frozen, current = (
                Receiving(leg[of], leg[f"{of}_status"]) if leg[of] else None for of in ("frozen", "current")
            )
            to = receiver(frozen, current)
            if to is None or not to.active:
                await _park(deal, leg["id"], leg["company_id"], leg["state"])
                continue
            if frozen and to is not frozen:
                await record(None, "deal.redirected", deal_id, closed=frozen.account_id)
            await execute(
                "update release_leg set state = 'sent', destination = $2 where id = $1", leg["id"], to.account_id
            )
            await operations.plan(
                Kind.TRANSFER,
                leg["id"],
                transfer_params(
                    destination=to.account_id,
                    amount=Money(leg["amount_minor"], deal.refund.currency),
                    charge=leg["charge_id"],
                    deal=deal_id,
                ),
                deal_id=deal_id,
                lot_id=deal.lot_id,
            )
        await close_if_done(deal)


async def _waits(deal: Deal) -> bool:
    """Whether the payment is a new buyer's direct debit that is held still: then the legs leave when it is over."""
    method = await fetchval("select method from payment where deal_id = $1 and state = 'paid'", deal.id)
    if deal.paid_at is None or method != Method.SEPA:
        return False
    known = await known_debtor(deal.buyer_company_id, deal.paid_at)
    leaves = leaves_from(method, deal.paid_at, settings().sepa_hold_days, known=known)
    if leaves <= now():
        return False
    await execute(
        "update release_leg set retry_at = $2 where deal_id = $1 and state = 'planned' and amount_minor is not null",
        deal.id,
        leaves,
    )
    await enqueue("deal.release", deal.id, at=leaves, once=f"debit {deal.id}")
    return True


async def release_parked(company_id: UUID) -> None:
    """The company's account can be paid now: its parked legs go out."""
    async with transaction():
        rows = await fetch(
            "update release_leg set retry_at = null where company_id = $1 and state = 'parked' returning deal_id",
            company_id,
        )
        for deal_id in {row["deal_id"] for row in rows}:
            await enqueue("deal.release", deal_id)


async def _stopped(deal: Deal) -> bool:
    agreed = await fetchval("select agreed from reconciliation order by at desc limit 1")
    return agreed is False or deal.disputed or await warned(deal.id)


async def _park(deal: Deal, leg_id: UUID, company_id: UUID, state: str) -> None:
    if state == "parked":
        return
    await execute("update release_leg set state = 'parked' where id = $1", leg_id)
    await note_leg("parked", deal, company_id)
    await tell_parked(deal, company_id)


async def note_leg(became: str, deal: Deal, company_id: UUID) -> None:
    """In the journal; under a name of its own where the seller's order names the receiver: the buyer reads the rest."""
    own = company_id == deal.seller_company_id
    await record(None, f"deal.{became}" if own else f"deal.receiver_{became}", deal.id)


async def _transfer(gateway: Gateway, operation: Operation) -> Transfer:
    """The charge is asked once more just before its money leaves (money list 27).

    Raises HeldBack; or Busy while an earlier try may be sending it still.
    """
    charge = operation.request["source_transaction"]
    standing = await gateway.standing(charge)
    refunds = [
        refund for refund in standing.refunds if RefundState(refund.status).out
    ]  # others brought nobody anything
    ours = await _accounted_for(refunds)
    warning = standing.fraud_warning is not None and not await _cleared(charge)
    stands = obstacle(
        disputed=await _undecided(standing.against),
        warned=warning,
        refunds={refund.id for refund in refunds},
        ours=ours,
    )
    if stands is None:
        return await gateway.create_transfer(operation.id, operation.request)
    made = await _find_transfer(gateway, operation) if operation.attempts > 1 else None
    if made is not None:
        return made
    if not operation.alone:
        raise Busy
    raise HeldBack(reason=stands.value, stripe_code=stands.value, request_id=None)


async def _undecided(disputes: Sequence[str]) -> bool:
    """Whether the end of one of them is not in our books yet."""
    over = await fetch("select dispute_id from dispute where over and dispute_id = any($1)", disputes)
    return len(over) < len(disputes)


async def _accounted_for(refunds: Sequence[Refund]) -> set[str]:
    """Which of a charge's refunds are ours, or were explained by the operator."""
    if not refunds:
        return set()
    ids = [refund.id for refund in refunds]
    operations_of = [refund.operation_id for refund in refunds if refund.operation_id]
    rows = await fetch(
        "select refund_id as id from refund where refund_id = any($1) "
        "union select stripe_object from ledger_posting where stripe_object = any($1)",
        ids,
    )
    planned = await fetch("select id::text from stripe_operation where id::text = any($1)", operations_of)
    own = {row["id"] for row in planned}
    return {row["id"] for row in rows} | {refund.id for refund in refunds if refund.operation_id in own}


async def _cleared(charge_id: str) -> bool:
    return bool(
        await fetchval(
            "select exists (select from payment where charge_id = $1 and warning_cleared_at is not null)", charge_id
        )
    )


async def _find_transfer(gateway: Gateway, operation: Operation) -> Transfer | None:
    return await gateway.find_transfer(operation.id, str(operation.deal))


async def _transferred(operation: Operation, made: Transfer) -> None:
    deal = await any_deal(operation.deal, lock=True)
    company = await fetchval(
        "update release_leg set state = 'paid', transfer_id = $2, paid_at = $3 where id = $1 returning company_id",
        operation.subject_id,
        made.id,
        now(),
    )
    await post(
        books.transferred(made.amount),
        operation.subject_id,
        deal_id=deal.id,
        lot_id=deal.lot_id,
        stripe_object=made.id,
    )
    await note_leg("transferred", deal, company)
    for row in await fetch(
        "select x.id from dispute x join payment p on p.id = x.payment_id where p.deal_id = $1 and not x.over", deal.id
    ):
        await enqueue("dispute.look", row["id"])  # it opened while the leg was on its way
    await end_again(deal)
    await close_if_done(deal)


async def _transfer_refused(operation: Operation, refusal: Refused) -> None:
    """The leg waits, and is tried again after a while; a person is told when the reason is a new one.

    Where our own balance was too low it stays planned: the receiver has nothing to do. Else it is parked, and the
    receiver's account is looked at again.
    """
    deal = await any_deal(operation.deal, lock=True)
    if isinstance(refusal, HeldBack):
        await _held_back(deal, operation, refusal)
        return
    ours, code = refusal.stripe_code == "balance_insufficient", (refusal.stripe_code or "refused")[:80]
    leg = await one("select company_id, refused_for, refused_at from release_leg where id = $1", operation.subject_id)
    news = leg["refused_for"] != code
    since = now() if news else leg["refused_at"]
    await execute(
        "update release_leg set state = $2, refused_for = $3, refused_at = $4, retry_at = $5 "
        "where id = $1 and state = 'sent'",
        operation.subject_id,
        "planned" if ours else "parked",
        code,
        since,
        retry(since, now()),
    )
    await record(None, "deal.transfer_refused", deal.id, code=refusal.stripe_code)
    if not ours:
        await enqueue("payout_account.look", leg["company_id"])
    if news:
        await alarm("balance_insufficient" if ours else "transfer_refused", deal)
    if news and not ours:
        await note_leg("parked", deal, leg["company_id"])
        await tell_parked(deal, leg["company_id"])


async def _held_back(deal: Deal, operation: Operation, refusal: HeldBack) -> None:
    """The leg waits; what stands in its way is taken over, and from then on stops the deal by itself."""
    payment = await fetchval(
        "update release_leg set state = 'planned' where id = $1 and state = 'sent' returning payment_id",
        operation.subject_id,
    )
    await record(None, "deal.held_back", deal.id, code=refusal.stripe_code)
    if refusal.stripe_code == Obstacle.REFUNDED:
        await enqueue("books.compare", deal.id, at=now() + SETTLES)
    elif payment is not None:
        await enqueue("charge.look", payment)


operations.done_by(Kind.TRANSFER, Doing(_transfer, _find_transfer, _transferred, _transfer_refused))
