"""Money comes back after it was shared out: for a refund the operator grants late, or for a buyer's bank.

Reversal first: each receiver gives back its part, by one operation each, and the exchange its part of the commission.
Only then is the buyer refunded, or the lost dispute booked. What a receiver's account cannot give, the exchange
advances and the receiver owes; its account is asked again every day (settlement guide §2; money list 29, 33).
"""

from uuid import UUID, uuid4

import asyncpg

from exchange.actor import Actor
from exchange.clock import now
from exchange.database import announce, execute, fetch, fetchrow, fetchval, transaction
from exchange.errors import N_, Conflict, Invalid
from exchange.jobs import enqueue
from exchange.journal.actions import record
from exchange.money import Money
from exchange.payable import ensure_round
from exchange.settlement.actions import operations
from exchange.settlement.actions.closing import close_if_done, end_again
from exchange.settlement.actions.ledger import post
from exchange.settlement.actions.notices import alarm, tell_leg_given, tell_paid_otherwise, tell_taken_back
from exchange.settlement.actions.operations import Doing, Operation
from exchange.settlement.actions.papers import owe_papers
from exchange.settlement.actions.refunds import pay_back, send_back, send_refused_back
from exchange.settlement.actions.release import Disputed, note_leg
from exchange.settlement.queries import one
from exchange.settlement.queries.deals import Deal, any_deal, deal_seen_by
from exchange.settlement.rules import books
from exchange.settlement.rules.amounts import RefundTooLarge, take_back
from exchange.settlement.rules.deal import NotNow, NotYourMove, Side, State
from exchange.settlement.rules.payments import Kind
from exchange.settlement.stripe_gateway import Gateway, Refused, reversal_params


class RefundUnderway(Conflict):
    """Two refunds at a time would both count on the same money."""

    message = N_("A refund of this deal is on its way. Wait until it has arrived.")


class NothingCameBack(Conflict):
    """No refund of the deal was returned."""

    message = N_("No refund of this deal came back or was refused: there is nothing to pay another way.")


class NothingRefused(Conflict):
    """No refund of the deal was refused."""

    message = N_("No refund of this deal was refused: there is nothing to try again.")


class LegNotWaiting(Conflict):
    """The part has left, or never waited."""

    message = N_("This part does not wait for its receiver's account any more. Look at the deal again.")


class OwedChanged(Conflict):
    """Between the transfer and its entry here a refund came back, was refused, or was given by hand."""

    message = N_("The buyer is owed %(owed)s now, another sum than you entered. Look at the deal again.")


class ReferenceMissing(Invalid):
    """A payment nobody could find again."""

    message = N_("Enter the reference of the transfer you made, so that the buyer and the accountant find it.")


async def refund_released(*, deal_id: UUID, refund: Money, by: Actor) -> None:
    """The operator gives the buyer of an ended deal ``refund`` back, tax included, at the receivers' expense.

    Raises NotYourMove, NotNow, Disputed, RefundUnderway, RefundTooLarge, NotRound.
    """
    async with transaction():
        deal = await _by_operator(deal_id, by)
        if deal.state not in {State.SETTLED, State.PARTLY_REFUNDED}:
            raise NotNow
        if await fetchval(
            "select exists (select from refund where deal_id = $1 and state = 'planned') "
            "or exists (select from release_leg where deal_id = $1 and state = 'sent')",
            deal_id,
        ):
            raise RefundUnderway
        left = deal.terms.total - deal.refund
        if refund.currency != left.currency or not 0 < refund.minor <= left.minor:
            raise RefundTooLarge(field="refund", most=left)
        ensure_round(refund)
        payment = await one("select id from payment where deal_id = $1 and state = 'paid'", deal_id)
        refund_id = uuid4()
        await ask_back(deal, refund, refund_id=refund_id, payment_id=payment["id"])
        await execute("update deal set refund_minor = refund_minor + $2 where id = $1", deal_id, refund.minor)
        await record(by, "deal.refund_released", deal_id)
        await owe_papers(deal)
        await _refund_if_ready(await any_deal(deal_id), refund_id)


async def pay_otherwise(*, deal_id: UUID, amount: Money, reference: str, by: Actor) -> None:
    """The operator has paid the buyer ``amount`` from our bank account, under ``reference``: what no refund brought.

    Every refund of the deal that came back or was refused is settled by it; while the buyer's bank has the matter, only
    bank transfers that no payment took.
    Raises NotYourMove, Disputed, NothingCameBack, OwedChanged, ReferenceMissing.
    """
    async with transaction():
        deal = await _operators(deal_id, by)
        if not reference.strip():
            raise ReferenceMissing(field="reference")
        back = [
            *await fetch(
                "update refund r set state = 'otherwise' from payment p where p.id = r.payment_id and r.deal_id = $1 "
                "and r.owed and not $2 returning r.id, r.amount_minor, p.state = 'surplus' as surplus",
                deal_id,
                deal.disputed,
            ),
            *await fetch(
                "update cash_return set state = 'otherwise' where deal_id = $1 and owed "
                "returning id, amount_minor, true as surplus",
                deal_id,
            ),
        ]
        if not back:
            raise Disputed if deal.disputed else NothingCameBack
        currency = deal.terms.total.currency
        owed = Money(sum(row["amount_minor"] for row in back), currency)
        if owed != amount:
            raise OwedChanged(owed=owed)
        for row in back:
            posting = books.paid_otherwise(Money(row["amount_minor"], currency), surplus=row["surplus"])
            await post(posting, row["id"], deal_id=deal_id, lot_id=deal.lot_id)
        await record(by, "deal.refunded_otherwise", deal_id, reference=reference.strip()[:200])
        await tell_paid_otherwise(deal, amount, reference.strip()[:200])
        await end_again(deal)
        await close_if_done(deal)


async def refund_again(*, deal_id: UUID, by: Actor) -> None:
    """The operator has every refund that Stripe refused asked for again; what it gave back by hand counts.

    Raises NotYourMove, Disputed, NothingRefused.
    """
    async with transaction():
        deal = await _by_operator(deal_id, by)
        if not await send_refused_back(deal):
            raise NothingRefused
        await record(by, "deal.refund_again", deal_id)
        await announce(deal.channel, "deal.refund_again", deal_id)
        await end_again(deal)
        await close_if_done(deal)


async def give_leg(*, deal_id: UUID, leg_id: UUID, to: Side, by: Actor) -> None:
    """The operator gives the part of a receiver that cannot be paid to the seller, or back to the buyer.

    Whom it concerns is told: the buyer only of what it gets. Raises NotYourMove, Disputed, LegNotWaiting.
    """
    async with transaction():
        deal = await _by_operator(deal_id, by)
        leg = await fetchrow(
            "update release_leg set amount_minor = 0, state = 'paid' where id = $1 and deal_id = $2 "
            "and state = 'parked' and ($3 or company_id <> $4) "
            "returning company_id, payment_id, currency, old.amount_minor as minor",
            leg_id,
            deal_id,
            to is Side.BUYER,
            deal.seller_company_id,
        )
        if leg is None:
            raise LegNotWaiting
        part = Money(leg["minor"], leg["currency"])
        if to is Side.BUYER:
            await execute("update deal set refund_minor = refund_minor + $2 where id = $1", deal_id, part.minor)
            await pay_back(deal, leg["payment_id"], part, reason="leg")
        else:
            await execute(
                "insert into release_leg (id, deal_id, lot_id, company_id, rank, weight, currency, payment_id, "
                "amount_minor, destination, state) select $1, $2, $3, $4, max(rank) + 1, 0, $5, $6, $7, "
                "(array_agg(destination order by rank) filter (where company_id = $4))[1], 'planned' "
                "from release_leg where deal_id = $2",
                uuid4(), deal_id, deal.lot_id, deal.seller_company_id, leg["currency"], leg["payment_id"], part.minor,
            )  # fmt: skip
        fact = "deal.leg_given" if to is Side.BUYER else "deal.receiver_leg_given"  # the seller's order is its own
        await record(by, fact, deal_id, to=to.value)
        await announce(deal.channel, fact, deal_id)
        await tell_leg_given(deal, leg["company_id"], part, to)
        await owe_papers(deal)
        await enqueue("deal.release", deal_id)


async def _by_operator(deal_id: UUID, by: Actor) -> Deal:
    """The deal, locked, for a move of the operator's that the buyer's bank must not stand against."""
    deal = await _operators(deal_id, by)
    if deal.disputed:
        raise Disputed
    return deal


async def _operators(deal_id: UUID, by: Actor) -> Deal:
    deal = await deal_seen_by(by, deal_id, lock=True)
    if deal.side_of(by) is not Side.OPERATOR:
        raise NotYourMove
    return deal


async def ask_back(
    deal: Deal,
    amount: Money,
    *,
    refund_id: UUID | None = None,
    payment_id: UUID | None = None,
    dispute_id: UUID | None = None,
) -> None:
    """Plan what every receiver of the deal gives back of ``amount``, in the current transaction.

    For a refund, whose row is made here, a leg that was not sent yet simply shrinks. For a dispute it waits: should it
    be lost, ``keep_back`` takes its part.
    """
    currency = amount.currency
    legs = await fetch(
        "select l.id, l.company_id, l.state, l.transfer_id, l.amount_minor - coalesce((select sum(r.amount_minor) "
        "from transfer_reversal r where r.leg_id = l.id and r.state <> 'dropped'), 0) as minor from release_leg l "
        "where l.deal_id = $1 and l.amount_minor is not null order by l.rank for no key update of l",
        deal.id,
    )
    earned = await one(
        "select coalesce(-sum(amount_minor) filter (where account = 'commission'), 0) as commission, "
        "coalesce(-sum(amount_minor) filter (where account = 'vat'), 0) as vat from ledger_entry where deal_id = $1",
        deal.id,
    )
    have = [*(int(leg["minor"]) for leg in legs), int(earned["commission"]), int(earned["vat"])]
    coming = Money(min(amount.minor, sum(have)), currency)
    *parts, commission, vat = take_back([Money(minor, currency) for minor in have], coming)
    back: dict[UUID, Money] = {}
    for leg, part in zip(legs, parts, strict=True):
        if not part:
            continue
        if leg["state"] in {"planned", "parked"}:
            if refund_id is not None:
                await _shrink(leg["id"], part)
            continue
        reversal_id = uuid4()
        await execute(
            "insert into transfer_reversal (id, leg_id, deal_id, lot_id, refund_id, dispute_id, currency, "
            "amount_minor, state, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8, 'planned', $9)",
            reversal_id, leg["id"], deal.id, deal.lot_id, refund_id, dispute_id, currency, part.minor, now(),
        )  # fmt: skip
        await _plan_reversal(deal.id, deal.lot_id, reversal_id, leg["transfer_id"], part)
        back[leg["company_id"]] = back.get(leg["company_id"], Money(0, currency)) + part
    if refund_id is not None:  # after its reversals: the database lets nothing out that did not come in or back
        await execute(
            "insert into refund (id, payment_id, deal_id, lot_id, currency, amount_minor, reason, state, created_at) "
            "values ($1, $2, $3, $4, $5, $6, 'released', 'planned', $7)",
            refund_id, payment_id, deal.id, deal.lot_id, currency, amount.minor, now(),
        )  # fmt: skip
    await post(books.given_back(commission, vat), refund_id or dispute_id, deal_id=deal.id, lot_id=deal.lot_id)
    for company_id, amount_back in back.items():
        await note_leg("taken_back", deal, company_id)
        await tell_taken_back(deal, company_id, amount_back)


async def keep_back(deal: Deal, amount: Money) -> None:
    """Legs that wait to be sent are ``amount`` less, as far as they reach: the buyer's bank has it for good."""
    legs = await fetch(
        "select id, amount_minor from release_leg where deal_id = $1 and state in ('planned', 'parked') "
        "and amount_minor is not null order by rank for no key update",
        deal.id,
    )
    have = [Money(leg["amount_minor"], amount.currency) for leg in legs]
    parts = take_back(have, min(amount, sum(have, amount * 0)))
    for leg, part in zip(legs, parts, strict=True):
        await _shrink(leg["id"], part)


async def _shrink(leg_id: UUID, part: Money) -> None:
    await execute(
        "update release_leg set amount_minor = amount_minor - $2, "
        "state = case when amount_minor = $2 then 'paid' else state end where id = $1",
        leg_id,
        part.minor,
    )


async def advance_short(deal: Deal, *, refund_id: UUID | None = None, dispute_id: UUID | None = None) -> bool:
    """Lend what receivers could not give back; False while one has not answered yet."""
    rows = await fetch(
        "select r.id, r.state, r.amount_minor, r.currency, l.company_id from transfer_reversal r "
        "join release_leg l on l.id = r.leg_id where r.refund_id = $1 or r.dispute_id = $2",
        refund_id,
        dispute_id,
    )
    if any(row["state"] == "planned" for row in rows):
        return False
    for row in rows:
        if row["state"] == "short":
            lent = books.advanced(Money(row["amount_minor"], row["currency"]))
            if await post(lent, row["id"], deal_id=deal.id, lot_id=deal.lot_id):
                await note_leg("short", deal, row["company_id"])
    return True


async def ask_again() -> None:
    """Every receiver that owes is asked again, once a day."""
    async with transaction():
        for row in await fetch(
            "select r.id, r.deal_id, r.lot_id, r.amount_minor, r.currency, l.transfer_id from transfer_reversal r "
            "join release_leg l on l.id = r.leg_id where r.state = 'short' and not exists (select from "
            "stripe_operation o where o.subject_id = r.id and o.state <> 'failed') for no key update of r skip locked"
        ):
            part = Money(row["amount_minor"], row["currency"])
            await _plan_reversal(row["deal_id"], row["lot_id"], row["id"], row["transfer_id"], part)


async def _refund_if_ready(deal: Deal, refund_id: UUID) -> None:
    if not await advance_short(deal, refund_id=refund_id):
        return
    row = await one(
        "select state, exists (select from stripe_operation where subject_id = $1) as planned from refund "
        "where id = $1",
        refund_id,
    )
    if row["state"] == "planned" and not row["planned"]:
        await send_back(deal, refund_id)
        await end_again(deal)


async def _plan_reversal(deal_id: UUID, lot_id: UUID, reversal_id: UUID, transfer: str, part: Money) -> None:
    request = reversal_params(transfer=transfer, amount=part)
    await operations.plan(Kind.REVERSAL, reversal_id, request, deal_id=deal_id, lot_id=lot_id)


# --- the operation


async def _reverse(gateway: Gateway, operation: Operation) -> str:
    return await gateway.create_reversal(operation.id, operation.request)


async def _find(gateway: Gateway, operation: Operation) -> str | None:
    return await gateway.find_reversal(operation.id, operation.request["transfer"])


async def _reversed(operation: Operation, made: str) -> None:
    deal = await any_deal(operation.deal, lock=True)
    row = await one("select * from transfer_reversal where id = $1", operation.subject_id)
    amount = Money(row["amount_minor"], row["currency"])
    lent = await fetchval(
        "select exists (select from ledger_posting where fact = 'advanced' and reference = $1)", str(row["id"])
    )
    await execute("update transfer_reversal set state = 'done', reversal_id = $2 where id = $1", row["id"], made)
    posting = books.recovered(amount) if lent else books.reversed_transfer(amount)
    await post(posting, row["id"], deal_id=deal.id, lot_id=deal.lot_id, stripe_object=made)
    await _go_on(deal, row)


async def _reversal_refused(operation: Operation, refusal: Refused) -> None:
    """The account is empty or closed: what it should give is lent to it, and a person is told once."""
    deal = await any_deal(operation.deal, lock=True)
    row = await one("select * from transfer_reversal where id = $1", operation.subject_id)
    if row["state"] != "planned":
        return
    await execute("update transfer_reversal set state = 'short' where id = $1", row["id"])
    await record(None, "deal.reversal_refused", deal.id, code=refusal.stripe_code)
    await alarm("reversal_short", deal)
    await _go_on(deal, row)


async def _go_on(deal: Deal, row: asyncpg.Record) -> None:
    if row["refund_id"] is not None:
        await _refund_if_ready(deal, row["refund_id"])
    else:
        await enqueue("dispute.look", row["dispute_id"])


operations.done_by(Kind.REVERSAL, Doing(_reverse, _find, _reversed, _reversal_refused))
