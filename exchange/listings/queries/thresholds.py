"""The threshold of a lot that is sold only if enough of it is paid."""

from typing import Any
from uuid import UUID

from exchange.database import execute, fetchrow
from exchange.listings.rules.thresholds import Threshold, ThresholdState, told


async def threshold_of(lot_id: UUID, *, lock: bool = False) -> Threshold | None:
    """The lot's threshold, for the exchange itself; ``None`` where the lot has none. Locked first, read afterwards."""
    if lock:
        await execute("select from lot where id = $1 and threshold is not null for no key update", lot_id)
    row = await fetchrow("select threshold, threshold_state, expires_at from lot where id = $1", lot_id)
    return threshold_in(row) if row else None


async def paid_of(lot_id: UUID, *, exactly: bool) -> int:
    """How many units of a lot with a threshold are paid: ``exactly`` for its seller, in steps for everybody else."""
    row = await fetchrow("select threshold, threshold_paid from lot where id = $1 and threshold is not null", lot_id)
    if row is None:
        return 0
    return int(row["threshold_paid"]) if exactly else told(row["threshold_paid"], row["threshold"])


def threshold_in(row: Any) -> Threshold | None:
    """The threshold among a lot's columns."""
    if row["threshold"] is None:
        return None
    return Threshold(row["threshold"], row["expires_at"], ThresholdState(row["threshold_state"]))
