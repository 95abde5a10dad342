"""The count of a lot that is sold only if enough of it is paid. Who counts is above: here no payment is known."""

from uuid import UUID

from exchange.database import execute
from exchange.journal.actions import record
from exchange.listings.rules.thresholds import ThresholdState


async def note_count(lot_id: UUID, paid: int, state: ThresholdState) -> None:
    """Keep how many units are paid and what that decides, in the current transaction, which holds the lot's row."""
    await execute("update lot set threshold_paid = $2, threshold_state = $3 where id = $1", lot_id, paid, state.value)
    if state is not ThresholdState.OPEN:
        await record(None, f"lot.threshold_{state.value}", lot_id, paid=paid)
