"""What a move bids for, and at what price: units of the lot as it comes, or named lines of it.

As it comes, a part of a lot is a fair assortment: units are drawn from every line in proportion. Named lines are bought
exactly, each at its own price or all at one.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import mul
from uuid import UUID

from exchange.errors import N_, DomainError, Invalid, Several
from exchange.money import Money

MOST_LINES = 5000
"""Lines one offer may name; more are bought as the lot comes."""


class NothingBidFor(Invalid):
    message = N_("Name at least one line with a quantity, or make an offer for the lot as it comes.")


class LineNamedTwice(Invalid):
    message = N_("A line stands here twice. Name each line once.")


class TooManyLines(Invalid):
    message = N_("An offer names at most %(most)s lines. Make an offer for the lot as it comes instead.")


class OneCurrency(Invalid):
    message = N_("All lines of an offer are in one currency.")


@dataclass(frozen=True, slots=True)
class BidLine:
    """``quantity`` units of one line at ``price`` each, without VAT."""

    id: UUID
    quantity: int
    price: Money

    @property
    def total(self) -> Money:
        return self.price * self.quantity


@dataclass(frozen=True, slots=True)
class Bid:
    """``quantity`` units at ``price`` each as the lot comes; or exactly ``lines``: then `Bid.of` made it."""

    price: Money
    """Per unit, without VAT; with lines the mean of theirs, rounded half up to the minor unit: for the eye only."""
    quantity: int
    lines: tuple[BidLine, ...] = ()
    """In the order of their ids, so that two bids that say the same are equal."""

    @classmethod
    def of(cls, lines: Iterable[BidLine]) -> "Bid":
        """The bid for exactly these lines. Raises NothingBidFor, LineNamedTwice, TooManyLines, OneCurrency."""
        named = tuple(sorted(lines, key=lambda line: line.id))
        if not named:
            raise NothingBidFor(field="lines")
        if len(named) > MOST_LINES:
            raise TooManyLines(most=MOST_LINES, field="lines")
        if len({line.id for line in named}) < len(named):
            raise LineNamedTwice(field="lines")
        if len({line.price.currency for line in named}) > 1:
            raise OneCurrency(field="lines")
        quantity = sum(line.quantity for line in named)
        total = sum(line.total.minor for line in named)
        mean = (2 * total + quantity) // (2 * quantity) if quantity > 0 else 0
        return cls(Money(mean, named[0].price.currency), quantity, named)

    @property
    def total(self) -> Money:
        """Without VAT; never rounded."""
        if self.lines:
            return Money(sum(line.total.minor for line in self.lines), self.price.currency)
        return self.price * self.quantity

    @property
    def is_mean(self) -> bool:
        """Whether `price` is but the mean of prices that differ."""
        return any(line.price != self.price for line in self.lines)

    @property
    def mark(self) -> str:
        """Sixteen hexadecimal digits that name the lines with their quantities and prices; empty without lines.

        An acceptance names it: two bids with one mark say the same of every line.
        """
        if not self.lines:
            return ""
        said = ";".join(f"{line.id} {line.quantity} {line.price.minor}" for line in self.lines)
        return hashlib.sha256(f"{self.price.currency};{said}".encode()).hexdigest()[:16]

    def wants(self, left: int) -> "Goods":
        """What it is for, where ``left`` units of the lot are left: see `Goods`."""
        if self.quantity == left or not self.lines:
            return self.quantity
        return frozenset((line.id, line.quantity) for line in self.lines)


Goods = int | frozenset[tuple[UUID, int]]
"""What two bids must have in common before their prices are compared (guide §6 rule 6, "at equal quantity").

Two bids are for the same goods when both take as many units of the lot as it comes, or name the same lines with the
same quantities; who names every line to the last unit left means the lot as it comes. What is compared is the *total*:
a side may ask less for one line and more for another. Bids for different goods are not compared.
"""


@dataclass(frozen=True, slots=True)
class Stock:
    """What is left of a lot now, in all and line by line. Lines that nobody asks about may be left out."""

    units: int
    lines: Mapping[UUID, int]
    closed: bool = False
    """Whether nothing is left only because the lot is no longer for sale."""

    def covers(self, bid: Bid) -> bool:
        """Whether the bid can still be agreed on; the statement that ends an offer (`saving`) asks the same of rows."""
        return bid.quantity <= self.units and all(line.quantity <= self.lines.get(line.id, 0) for line in bid.lines)


@dataclass(frozen=True, slots=True)
class Listed:
    """What a line's ask follows from: its units, its own ask and its retail price per unit, in minor units."""

    id: UUID
    quantity: int
    ask_minor: int | None
    rrp_minor: int | None


def line_asks(ask: Money, listed: Iterable[Listed]) -> dict[UUID, Money]:
    """What is asked for one unit of each line, where the lot's mean ask is ``ask``.

    Its own ask where every line has one; else its share of the retail value (as in a claim, guide §7), where every line
    has that; else nothing is known of single lines. When the seller has changed the lot's price since he listed the
    lines, their asks move in proportion. Rounded half up, at least one minor unit.
    """
    lines = list(listed)
    own, retail = [line.ask_minor or 0 for line in lines], [line.rrp_minor or 0 for line in lines]
    quantities = [line.quantity for line in lines]
    if all(own):
        value, units = sum(map(mul, own, quantities)), sum(quantities)
        as_listed = abs(value - ask.minor * units) * 2 <= units  # the mean of these very asks, rounded
        asks = own if as_listed else _in_proportion(ask.minor, own, quantities)
    elif all(retail):
        asks = _in_proportion(ask.minor, retail, quantities)
    else:
        return {}
    return {line.id: Money(minor, ask.currency) for line, minor in zip(lines, asks, strict=True)}


def _in_proportion(mean: int, weights: list[int], quantities: list[int]) -> list[int]:
    value, total = sum(map(mul, weights, quantities)), mean * sum(quantities)
    return [max(1, (2 * total * weight + value) // (2 * value)) for weight in weights]


def refuse_all(faults: list[DomainError]) -> None:
    """Raise what is wrong, together when it is more than one thing."""
    if faults:
        raise faults[0] if len(faults) == 1 else Several(faults)
