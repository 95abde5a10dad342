"""A lot sold only if enough of it is paid: what is counted, when that is decided, and what others read of the count.

The buyers of such a lot pay as they agree; their money is held, and nothing leaves before the lot's own last day has
seen ``units`` of it paid. Otherwise nobody buys: a condition precedent (art. 1304 C.civ.; settlement guide §2, Shapes).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from exchange.errors import N_

THRESHOLD_LIFE = timedelta(days=30)
"""How long such a lot is on sale at most: what the first buyer paid is still to be shipped, received and checked
within the days money may be held (settlement guide §2, hold limits)."""

CONDITION = N_(
    "This lot is sold only if %(units)s units of it are paid by %(day)s. Until then payments are held and nothing "
    "ships; otherwise nobody buys, and every buyer is refunded in full."
)
"""The condition as a buyer reads it, on every page and in the contract."""

STEPS = 10
"""In how many steps others see the count grow. An exact one, watched, would tell when each rival paid for how much."""


class ThresholdState(StrEnum):
    """Whether a lot's sale goes ahead. Decided once; the last two are final."""

    OPEN = "open"
    MET = "met"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Threshold:
    """The units of a lot that must be paid, and held, by the instant ``by`` for any of it to be sold."""

    units: int
    by: datetime
    state: ThresholdState

    @property
    def is_open(self) -> bool:
        return self.state is ThresholdState.OPEN

    @property
    def missed(self) -> bool:
        return self.state is ThresholdState.MISSED

    def over(self, at: datetime) -> bool:
        """Whether the last instant to pay has passed; what is paid at that very instant is in time."""
        return at > self.by


def decide(threshold: Threshold, paid: int, *, closed: bool) -> ThresholdState:
    """How the sale stands with ``paid`` units held; ``closed`` once nothing more can count. What is decided stays."""
    if not threshold.is_open:
        return threshold.state
    if paid >= threshold.units:
        return ThresholdState.MET
    return ThresholdState.MISSED if closed else ThresholdState.OPEN


def frozen_in(lot: Mapping[str, Any]) -> Threshold | None:
    """The condition in the copy of a lot that was frozen when its buyer began to talk."""
    if "threshold" not in lot:
        return None
    return Threshold(lot["threshold"], datetime.fromisoformat(lot["threshold_by"]), ThresholdState.OPEN)


def told(paid: int, units: int) -> int:
    """What others than the seller read of ``paid`` units out of ``units`` needed: rounded down to a step, never up."""
    step = -(-units // STEPS)
    return min(paid, units) // step * step
