"""A buyer's bank disputes a payment: the deal's money stands still, or comes back, until that is decided.

Before release nothing is sent. After it every receiver gives its part back at once; it is sent again when the dispute
is won. Lost, the bank keeps what it took: out of what is held, else at the exchange's loss (money list 32, 33, 34).
"""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID, uuid4

import asyncpg

from exchange.clock import now
from exchange.database import announce, execute, fetch, fetchrow, fetchval, transaction
from exchange.jobs import enqueue
from exchange.journal.actions import record
from exchange.money import Money
from exchange.settlement.actions.closing import close_if_done, end_again
from exchange.settlement.actions.ledger import post
from exchange.settlement.actions.moves import count_again, enter, start_clock
from exchange.settlement.actions.notices import alarm, tell_disputed
from exchange.settlement.actions.papers import owe_papers
from exchange.settlement.actions.recourse import advance_short, ask_back, keep_back
from exchange.settlement.actions.refunds import owed_less, send_refused_back, tell_still_owed
from exchange.settlement.actions.release import kept_by_bank, share_out
from exchange.settlement.actions.warnings import take_warning
from exchange.settlement.queries import one
from exchange.settlement.queries.deals import Deal, any_deal
from exchange.settlement.rules import books
from exchange.settlement.rules.deal import Move, Side, State, step
from exchange.settlement.rules.payments import DISPUTE_REVIEWED, DISPUTE_WON
from exchange.settlement.stripe_gateway import Dispute, gateway


async def look_at_dispute(dispute_id: UUID) -> None:
    """Ask Stripe how a dispute stands, and take it over."""
    stripe_id = await fetchval("select dispute_id from dispute where id = $1 and not over", dispute_id)
    if stripe_id is None:
        return
    found = await gateway().dispute(stripe_id)
    async with transaction(alone=True):
        await take_dispute(found)


async def look_at_charge(payment_id: UUID) -> None:
    """Ask Stripe what has become of a payment, and take over disputes and warnings we have not heard of."""
    charge = await fetchval("select charge_id from payment where id = $1", payment_id)
    if charge is None:
        return
    standing = await gateway().standing(charge)
    found = [await gateway().dispute(dispute) for dispute in standing.disputes]
    async with transaction(alone=True):
        for dispute in found:
            await take_dispute(dispute)
        if standing.fraud_warning is not None:
            await take_warning(charge, standing.fraud_warning)


async def take_dispute(dispute: Dispute) -> None:
    """Take over how a dispute stands, in the current transaction; a person is told when it opens and when it ends."""
    payment = await fetchrow("select id, deal_id, state from payment where charge_id = $1", dispute.charge_id)
    if payment is None:
        return
    deal = await any_deal(payment["deal_id"], lock=True)
    before = await fetchval("select status from dispute where dispute_id = $1", dispute.id)
    await execute(
        "insert into dispute (id, payment_id, lot_id, dispute_id, status, currency, amount_minor, reason, due_by, "
        "taken_back, over) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, false, false) "
        "on conflict (dispute_id) do update set status = excluded.status, reason = excluded.reason, "
        "due_by = excluded.due_by where not dispute.over",
        uuid4(),
        payment["id"],
        deal.lot_id,
        dispute.id,
        dispute.status,
        dispute.amount.currency,
        dispute.amount.minor,
        dispute.reason[:60],
        dispute.due_by,
    )
    for moved in dispute.moved:
        posting = books.dispute_moved(moved.amount, moved.fee)
        await post(posting, moved.id, deal_id=deal.id, lot_id=deal.lot_id, stripe_object=dispute.id)
    if before != dispute.status:
        await record(None, "deal.disputed" if before is None else "deal.dispute_moved", deal.id, status=dispute.status)
        if dispute.status not in DISPUTE_REVIEWED:
            await alarm("disputed", deal)
    if before is None:
        await count_again(deal)
        await tell_disputed(await any_deal(deal.id), "opened")
        await announce(deal.channel, "deal.disputed", deal.id)
    row = await one("select * from dispute where dispute_id = $1", dispute.id)
    if row["over"]:
        return
    if dispute.status in DISPUTE_WON:
        await _won(deal, row)
    elif any(moved.amount.minor < 0 for moved in dispute.moved):
        await _taken(deal, row, surplus=payment["state"] == "surplus")


async def _taken(deal: Deal, dispute: asyncpg.Record, *, surplus: bool) -> None:
    """The bank holds the money: what was released comes back; once lost, it is booked."""
    lost = dispute["status"] == "lost"
    amount = Money(dispute["amount_minor"], dispute["currency"])
    if surplus:
        if lost:
            await _book_lost(deal, dispute, amount, surplus=True)
            await owed_less(dispute["payment_id"], amount)
            await _over(deal, dispute, "deal.charged_back")
            await tell_disputed(await any_deal(deal.id), "lost")
        return
    if deal.state.final or (deal.state is State.CLOSING and (lost or await _sent(deal))):
        if not dispute["taken_back"]:
            if await fetchval("select exists (select from release_leg where deal_id = $1 and state = 'sent')", deal.id):
                return  # looked at again when Stripe has answered
            free = await _free(deal, dispute)
            await ask_back(deal, amount - min(free, amount), dispute_id=dispute["id"])
            await execute("update dispute set taken_back = true where id = $1", dispute["id"])
        if lost and await advance_short(deal, dispute_id=dispute["id"]):
            await keep_back(deal, amount - min(await _free(deal, dispute), amount))
            backed = min(await _free(deal, dispute), amount)
            covered = await owed_less(dispute["payment_id"], amount)
            await execute(
                "update deal set refund_minor = least(refund_minor + $2, net_minor + vat_minor) where id = $1",
                deal.id,
                max(backed.minor - covered.minor, 0),
            )
            await _book_lost(deal, dispute, backed)
            await _over(deal, dispute, "deal.charged_back")
            await tell_disputed(await any_deal(deal.id), "lost")
    elif lost:
        left = deal.terms.total - await kept_by_bank(deal)
        await _book_lost(deal, dispute, min(amount, left))
        move = Move.CHARGE_BACK if amount >= left else Move.CHARGE_BACK_PART
        await _decided(dispute)  # before both sides read what the deal waits for now
        deal = await enter(deal, move, step(deal.state, move, Side.STRIPE), None)
        if move is Move.CHARGE_BACK:
            await share_out(deal, deal.terms.total)
        await _over(deal, dispute, "deal.charged_back")
        if move is Move.CHARGE_BACK_PART:
            await tell_disputed(await any_deal(deal.id), "lost")


async def _sent(deal: Deal) -> bool:
    """Whether a part of the deal has left for its receiver, or is leaving."""
    return bool(
        await fetchval(
            "select exists (select from release_leg where deal_id = $1 "
            "and (state = 'sent' or transfer_id is not null))",
            deal.id,
        )
    )


async def _book_lost(deal: Deal, dispute: asyncpg.Record, backed: Money, *, surplus: bool = False) -> None:
    amount = Money(dispute["amount_minor"], dispute["currency"])
    await post(books.dispute_lost(amount, backed, surplus=surplus), dispute["id"], deal_id=deal.id, lot_id=deal.lot_id)


async def _won(deal: Deal, dispute: asyncpg.Record) -> None:
    """The bank holds nothing any more: what came back from the receivers goes to them again."""
    # whoever asks a receiver again right now has asked before the next statement looks
    await execute("select from transfer_reversal where dispute_id = $1 for no key update", dispute["id"])
    rows: Sequence[asyncpg.Record] = await fetch(
        "select r.*, l.company_id, l.payment_id, l.destination, exists (select from stripe_operation o "
        "where o.subject_id = r.id and o.state not in ('done', 'failed')) as asked "
        "from transfer_reversal r join release_leg l on l.id = r.leg_id where r.dispute_id = $1",
        dispute["id"],
    )
    if any(row["state"] == "planned" or row["asked"] for row in rows):
        return  # looked at again when it has come back, or could not
    await execute(
        "update transfer_reversal set state = 'dropped' where dispute_id = $1 and state = 'short'", dispute["id"]
    )
    for row in rows:
        if row["state"] == "done":  # a leg of its own: the first one's transfer and posting stay what they were
            await execute(
                "insert into release_leg (id, deal_id, lot_id, company_id, rank, weight, currency, payment_id, "
                "amount_minor, destination, state) select $1, $2, $3, $4, max(rank) + 1, 0, $5, $6, $7, $8, 'planned' "
                "from release_leg where deal_id = $2",
                uuid4(), deal.id, deal.lot_id, row["company_id"], row["currency"], row["payment_id"],
                row["amount_minor"], row["destination"],
            )  # fmt: skip
    given = await one(
        "select coalesce(sum(e.amount_minor) filter (where e.account = 'commission'), 0) as commission, "
        "coalesce(sum(e.amount_minor) filter (where e.account = 'vat'), 0) as vat from ledger_entry e "
        "join ledger_posting p on p.id = e.posting_id where p.fact = 'given_back' and p.reference = $1",
        str(dispute["id"]),
    )
    again = books.earned(
        Money(int(given["commission"]), dispute["currency"]), Money(int(given["vat"]), dispute["currency"])
    )
    await post(again, dispute["id"], deal_id=deal.id, lot_id=deal.lot_id)
    await send_refused_back(deal)  # the bank had the matter; it has no longer
    await _over(deal, dispute, "deal.dispute_won")
    await tell_disputed(await any_deal(deal.id), "won")


async def _decided(dispute: asyncpg.Record) -> None:
    await execute("update dispute set over = true where id = $1", dispute["id"])


async def _over(deal: Deal, dispute: asyncpg.Record, fact: str) -> None:
    await _decided(dispute)
    await record(None, fact, deal.id)
    await announce(deal.channel, fact, deal.id)
    deal = await any_deal(deal.id)
    if deal.waits_for_bank and not deal.disputed:  # its clock stood still: both sides' time counts anew
        again = now()
        deal = replace(deal, ready_at=deal.ready_at and again)
        await execute(
            "update deal set since = $2, due_at = $3, ready_at = $4 where id = $1",
            deal.id,
            again,
            await start_clock(deal, again),
            deal.ready_at,
        )
    await owe_papers(deal)
    await tell_still_owed(deal)
    await end_again(deal)
    await close_if_done(deal)
    await count_again(deal)
    await enqueue("deal.release", deal.id)
    await enqueue("deal.due", deal.id)


async def _free(deal: Deal, dispute: asyncpg.Record) -> Money:
    """What is held for the deal and promised to nobody: to no receiver, no refund on its way, no other dispute."""
    minor = await fetchval(
        "select (select coalesce(-sum(amount_minor), 0) from ledger_entry where deal_id = $1 and account = 'held') "
        "- (select coalesce(sum(amount_minor), 0) from release_leg where deal_id = $1 "
        "and state in ('planned', 'parked', 'sent')) "
        "- (select coalesce(sum(r.amount_minor), 0) from refund r join payment p on p.id = r.payment_id "
        "where r.deal_id = $1 and r.state = 'planned' and p.state = 'paid') "
        "- (select coalesce(sum(x.amount_minor), 0) from dispute x join payment p on p.id = x.payment_id "
        "where p.deal_id = $1 and p.state = 'paid' and x.taken_back and not x.over and x.id <> $2)",
        deal.id,
        dispute["id"],
    )
    return Money(max(int(minor), 0), deal.terms.total.currency)
