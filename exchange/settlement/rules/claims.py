"""What a claim is worth, line by line.

Source: domain guide §7, *Claim*: value = quantity x unit price x loss; missing units are due in full; for condition, at
or under the tolerance nothing is due, above it all is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from exchange.errors import N_, Invalid
from exchange.money import Money

TOLERANCE_BP = 500
"""Five per cent of the deal's price, where the lot says nothing lower."""


class Reason(StrEnum):
    """What is wrong with the units claimed."""

    MISSING = "missing"
    DAMAGED = "damaged"
    WRONG = "wrong"
    """Not what the manifest says."""


class ClaimState(StrEnum):
    """Where a claim stands."""

    OPEN = "open"
    """The seller is to answer."""
    ANSWERED = "answered"
    """The seller named another sum; the buyer takes it, withdraws, or asks the operator."""
    AGREED = "agreed"
    WITHDRAWN = "withdrawn"
    DECIDED = "decided"


@dataclass(frozen=True, slots=True)
class Standing:
    """Whose turn it is in an open claim."""

    answered: bool
    answer_by: datetime
    """Until when the seller answers; from then on the buyer may ask the operator."""
    late: bool
    """Whether that has passed."""


class PercentOutOfRange(Invalid):
    """An answer that finds more lost than is claimed."""

    message = N_("For “%(line)s” name a whole percentage from 0 to the %(most)s claimed.")


class NothingClaimed(Invalid):
    """A claim without a line."""

    message = N_("Say at least for one line how many units are missing, damaged or wrong.")


class TooManyClaimed(Invalid):
    """More units than were sold."""

    message = N_("Line “%(line)s” has %(sold)s units; a claim cannot name more.")


class LossOutOfRange(Invalid):
    """A loss that is no percentage."""

    message = N_("The loss of value is a whole percentage from 1 to 100.")


@dataclass(frozen=True, slots=True)
class Sold:
    """A line of what was sold: ``units`` of it, and its weight in the price.

    The weight is what was agreed for the line, where lines were agreed at prices of their own; else its share of the
    reference price.
    """

    key: str
    label: str
    units: int
    weight: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """What the buyer says of a line: ``units`` of it have lost ``loss_percent`` of their value, for ``reason``."""

    key: str
    reason: Reason
    units: int
    loss_percent: int


def line_prices(net: Money, sold: Sequence[Sold]) -> dict[str, Money]:
    """Each line's part of the deal's price: by its weight, by units where no line has one."""
    weights = [line.weight for line in sold]
    if not any(weights):
        weights = [line.units for line in sold]
    return dict(zip((line.key for line in sold), net.allocate(weights), strict=True))


def value(net: Money, sold: Sequence[Sold], claimed: Sequence[Claimed], tolerance_bp: int = TOLERANCE_BP) -> Money:
    """What is due for ``claimed`` out of the deal's price before tax, each line rounded down once.

    Raises NothingClaimed, TooManyClaimed, LossOutOfRange.
    """
    by_key: Mapping[str, Sold] = {line.key: line for line in sold}
    if not claimed:
        raise NothingClaimed(field="lines")
    prices = line_prices(net, sold)
    missing, condition = 0, 0
    units: dict[str, int] = {}
    for claim in claimed:
        line = by_key.get(claim.key)
        if line is None or claim.units <= 0:
            raise NothingClaimed(field="lines")
        units[claim.key] = units.get(claim.key, 0) + claim.units
        if units[claim.key] > line.units:
            raise TooManyClaimed(field="lines", line=line.label, sold=line.units)
        if not 1 <= claim.loss_percent <= 100:
            raise LossOutOfRange(field="lines")
        price = prices[claim.key].minor
        if claim.reason is Reason.MISSING:
            missing += price * claim.units // line.units
        else:
            condition += price * claim.units * claim.loss_percent // (line.units * 100)
    if condition * 10_000 <= net.minor * tolerance_bp:
        condition = 0
    return Money(missing + condition, net.currency)


def counter(net: Money, sold: Sequence[Sold], claimed: Sequence[Claimed], percents: Sequence[int]) -> Money:
    """What ``claimed`` comes to with the seller's ``percents`` of loss, one a line, in the place of the buyer's.

    No tolerance: the seller may offer less than the contract would give, or something where it gives nothing.
    Raises PercentOutOfRange.
    """
    by_key: Mapping[str, Sold] = {line.key: line for line in sold}
    prices = line_prices(net, sold)
    minor = 0
    for claim, percent in zip(claimed, percents, strict=True):
        if not 0 <= percent <= claim.loss_percent:
            raise PercentOutOfRange(field="percent", line=by_key[claim.key].label, most=claim.loss_percent)
        minor += prices[claim.key].minor * claim.units * percent // (by_key[claim.key].units * 100)
    return Money(minor, net.currency)
