"""Which groups count at all. Guide §5: verified, seen trading, with strangers."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from exchange.insight.rules.policy import Policy


@dataclass(frozen=True, slots=True)
class Activity:
    """A verified group's settled trades with other verified groups in twelve months, and with how many of them."""

    group: UUID
    trades: int
    counterparties: int


def eligible(activities: Iterable[Activity], policy: Policy) -> tuple[UUID, ...]:
    """The groups that enter, sorted: a group's place in this tuple is its rank in the rules."""
    return tuple(
        sorted(
            activity.group
            for activity in activities
            if activity.trades >= policy.eligible_trades and activity.counterparties >= policy.eligible_counterparties
        )
    )
