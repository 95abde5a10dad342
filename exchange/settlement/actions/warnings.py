"""The card network takes a payment for fraud: nothing of its deal is released until the operator has looked."""

from uuid import UUID

from exchange.actor import Actor
from exchange.clock import now
from exchange.database import execute, fetchval, transaction
from exchange.errors import N_, Conflict
from exchange.jobs import enqueue
from exchange.journal.actions import record
from exchange.settlement.actions.notices import alarm
from exchange.settlement.queries.deals import any_deal, deal_seen_by
from exchange.settlement.queries.money import warned
from exchange.settlement.rules.deal import NotYourMove, Side


class NothingToClear(Conflict):
    """No warning stands against the deal's payment."""

    message = N_("No warning stands against this payment any more.")


async def take_warning(charge_id: str, warning_id: str) -> None:
    """Take over a warning, in the current transaction; the operator is told, once. Nobody else is: it may be true."""
    deal_id = await fetchval(
        "update payment set fraud_warning = $2 where charge_id = $1 and fraud_warning is null returning deal_id",
        charge_id,
        warning_id,
    )
    if deal_id is not None:
        await record(None, "payment.warned", deal_id)
        await alarm("fraud_warning", await any_deal(deal_id))


async def clear_warning(*, deal_id: UUID, by: Actor) -> None:
    """The operator has looked and lets the money go. Raises NotYourMove, NothingToClear."""
    async with transaction():
        deal = await deal_seen_by(by, deal_id, lock=True)
        if deal.side_of(by) is not Side.OPERATOR:
            raise NotYourMove
        if not await warned(deal_id):
            raise NothingToClear
        await execute(
            "update payment set warning_cleared_at = $2 where deal_id = $1 and fraud_warning is not null",
            deal_id,
            now(),
        )
        await record(by, "payment.warning_cleared", deal_id)
        await enqueue("deal.release", deal_id)
