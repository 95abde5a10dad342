"""The numbers of the policy, and the floors under them that no setting may cross. Source: insight guide §7."""

from dataclasses import dataclass, fields
from typing import ClassVar

from exchange.errors import N_, Invalid


class WeakerThanTheFloor(Invalid):
    """A policy number that would protect less than counsel's floor."""

    message = N_("The publication policy refuses %(name)s = %(value)s: the weakest value allowed is %(floor)s.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Policy version 1. Shares are whole percent, so that every test is exact in integers.

    A weaker default is a new version with counsel's signature; beyond the floors no version goes.
    Raises WeakerThanTheFloor.
    """

    version: int = 1
    groups: int = 10
    """Independent legal groups needed on each side."""
    records: int = 20
    """Trades, or closed listings' offers, or closed listings, needed in a cell."""
    vote_cap: int = 20
    """Percent of the vote one group may hold, on either side, in a price figure."""
    range_cap: int = 10
    """The same for the ends of the middle range."""
    range_from: int = 20
    """Groups a side from which the middle range is shown."""
    top1: int = 25
    """Percent of a volume the largest group may hold."""
    top2: int = 45
    """Percent of a volume the two largest may hold."""
    margin: int = 30
    """p %: insiders may not bound the largest remaining group closer than this."""
    coalition: int = 2
    """Insiders assumed to pool what they know."""
    churn: int = 15
    """Percent of a volume that one entrant or one leaver may hold."""
    lag_days: int = 90
    """Days after the end of a quarter before its release, at least."""
    lag_clearings: int = 3
    """... and at least this many times the days nine tenths of the lots took to clear."""
    node_groups: int = 20
    """Groups active in twelve months for anything of a node to be told."""
    eligible_trades: int = 3
    """Settled trades in twelve months before a group counts."""
    eligible_counterparties: int = 2
    """Unrelated counterparties in twelve months before a group counts."""
    currency: str = "EUR"
    """Trades in this currency are counted."""

    AT_LEAST: ClassVar[dict[str, int]] = {
        "groups": 5,
        "records": 10,
        "range_from": 20,
        "margin": 10,
        "coalition": 1,
        "lag_days": 90,
        "lag_clearings": 3,
        "node_groups": 10,
        "eligible_trades": 3,
        "eligible_counterparties": 2,
    }
    AT_MOST: ClassVar[dict[str, int]] = {
        "vote_cap": 25,
        "range_cap": 10,
        "top1": 25,
        "top2": 60,
        "churn": 25,
        "coalition": 2,  # the proof and its tests cover one and two: more would promise the unchecked
    }
    PUBLIC: ClassVar[tuple[str, ...]] = (
        "version",
        "groups",
        "records",
        "vote_cap",
        "range_from",
        "lag_days",
        "lag_clearings",
        "eligible_trades",
        "eligible_counterparties",
        "currency",
    )
    """What the methodology page and the manifest say; p %, the coalition and dominance stay internal (guide §7)."""

    def __post_init__(self) -> None:
        for name, floor in self.AT_LEAST.items():
            if getattr(self, name) < floor:
                raise WeakerThanTheFloor(name=name, value=getattr(self, name), floor=floor)
        for name, ceiling in self.AT_MOST.items():
            if getattr(self, name) > ceiling:
                raise WeakerThanTheFloor(name=name, value=getattr(self, name), floor=ceiling)

    def public(self) -> dict[str, int | str]:
        """The parameters anybody may read."""
        return {name: getattr(self, name) for name in self.PUBLIC}

    def whole(self) -> dict[str, int | str]:
        """Every parameter: for the private manifest only."""
        return {field.name: getattr(self, field.name) for field in fields(self)}
