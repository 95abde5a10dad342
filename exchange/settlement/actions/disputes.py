"""A buyer's bank disputes a payment: the deal's money stands still until that is over."""

from uuid import uuid4

from exchange.database import execute, fetchrow
from exchange.jobs import enqueue
from exchange.journal.actions import record
from exchange.settlement.actions.notices import alarm
from exchange.settlement.queries.deals import any_deal
from exchange.settlement.stripe_gateway import Dispute


async def take_dispute(dispute: Dispute) -> None:
    """Take over how a dispute stands, in the current transaction; a person is told when it opens and when it ends."""
    payment = await fetchrow("select id, deal_id from payment where charge_id = $1", dispute.charge_id)
    if payment is None:
        return
    deal = await any_deal(payment["deal_id"], lock=True)
    before = await fetchrow("select status from dispute where dispute_id = $1", dispute.id)
    await execute(
        "insert into dispute (id, payment_id, lot_id, dispute_id, status, currency, amount_minor) "
        "values ($1, $2, $3, $4, $5, $6, $7) on conflict (dispute_id) do update set status = excluded.status",
        uuid4(),
        payment["id"],
        deal.lot_id,
        dispute.id,
        dispute.status,
        dispute.amount.currency,
        dispute.amount.minor,
    )
    if before is None or before["status"] != dispute.status:
        await record(None, "deal.disputed", deal.id, status=dispute.status)
        await alarm("disputed", deal)
        await enqueue("deal.release", deal.id)
