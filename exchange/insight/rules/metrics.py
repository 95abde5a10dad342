"""The figures of a release: what each is, in what unit, and which figures stand or fall together. Guide §13."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Family(StrEnum):
    """A publication set: one walk decides for all its figures."""

    TRADE = "trade"
    """Prices of settled trades and how long they took."""
    OFFER = "offer"
    """Offers on listings closed in the quarter."""
    SELLER = "seller"
    """What sellers got rid of."""
    VOLUME = "volume"
    """Totals, told in coarse steps."""


class Unit(StrEnum):
    """What a value counts."""

    PERCENT = "percent"
    DAYS = "days"
    CENTS = "minor"
    """Minor units of the policy's currency."""
    PIECES = "pieces"
    TRADES = "trades"


@dataclass(frozen=True, slots=True)
class Kind:
    """Family and unit of a metric; ``ranged`` ones have a middle range beside them."""

    family: Family
    unit: Unit
    ranged: bool = False


class Metric(StrEnum):
    """Names as stored, in the CSV and in the API."""

    RECOVERY = "recovery"
    RECOVERY_LOW = "recovery_p25"
    RECOVERY_HIGH = "recovery_p75"
    DAYS = "days_to_clear"
    DAYS_LOW = "days_to_clear_p25"
    DAYS_HIGH = "days_to_clear_p75"
    SPREAD = "spread"
    SPREAD_LOW = "spread_p25"
    SPREAD_HIGH = "spread_p75"
    ACCEPTANCE = "acceptance"
    ACCEPTANCE_LOW = "acceptance_p25"
    ACCEPTANCE_HIGH = "acceptance_p75"
    SELL_THROUGH = "sell_through"
    SELL_THROUGH_LOW = "sell_through_p25"
    SELL_THROUGH_HIGH = "sell_through_p75"
    TRADED = "traded_rrp"
    UNITS = "units"
    TRADES = "trades"
    SUPPLY = "supply_rrp"
    DEMAND = "demand_rrp"

    @property
    def kind(self) -> Kind:
        """What it measures."""
        return KINDS[self.middle]

    @property
    def middle(self) -> Self:
        """The figure an end of a middle range belongs to; a figure belongs to itself."""
        return type(self)(self.value.removesuffix("_p25").removesuffix("_p75"))

    @property
    def low(self) -> Self:
        """The lower end of its middle range."""
        return type(self)(f"{self.middle.value}_p25")

    @property
    def high(self) -> Self:
        """The upper end of its middle range."""
        return type(self)(f"{self.middle.value}_p75")


KINDS = {
    Metric.RECOVERY: Kind(Family.TRADE, Unit.PERCENT, ranged=True),
    Metric.DAYS: Kind(Family.TRADE, Unit.DAYS, ranged=True),
    Metric.SPREAD: Kind(Family.OFFER, Unit.PERCENT, ranged=True),
    Metric.ACCEPTANCE: Kind(Family.OFFER, Unit.PERCENT, ranged=True),
    Metric.SELL_THROUGH: Kind(Family.SELLER, Unit.PERCENT, ranged=True),
    Metric.TRADED: Kind(Family.VOLUME, Unit.CENTS),
    Metric.UNITS: Kind(Family.VOLUME, Unit.PIECES),
    Metric.TRADES: Kind(Family.VOLUME, Unit.TRADES),
    Metric.SUPPLY: Kind(Family.VOLUME, Unit.CENTS),
    Metric.DEMAND: Kind(Family.VOLUME, Unit.CENTS),
}
