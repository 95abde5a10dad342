"""Our books beside Stripe's: every balance transaction has its posting, every posting its transaction.

Source: settlement guide §5, loop 3; money list 46, 47.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from exchange.money import Money


@dataclass(frozen=True, slots=True)
class Movement:
    """One balance transaction: ``net_minor`` of ``currency`` moved our balance because of the object ``source``.

    One object may move it twice in the same way: a top-up that its bank takes back in two parts.
    """

    id: str
    source: str
    kind: str
    currency: str
    """An ISO code; in small letters, with Stripe's own units, where our books cannot hold it."""
    net_minor: int

    @property
    def foreign(self) -> bool:
        """Whether our books cannot hold it."""
        return self.currency.islower()


@dataclass(frozen=True, slots=True)
class Difference:
    """``source`` moved Stripe's balance by one sum and our books by another."""

    source: str
    currency: str
    theirs_minor: int
    ours_minor: int

    @property
    def foreign(self) -> bool:
        """Whether it is in what our books cannot hold: then it has no ``theirs`` and ``ours``."""
        return self.currency.islower()

    @property
    def minor(self) -> int:
        return self.theirs_minor - self.ours_minor

    @property
    def theirs(self) -> Money:
        return Money(self.theirs_minor, self.currency)

    @property
    def ours(self) -> Money:
        return Money(self.ours_minor, self.currency)


def differences(theirs: Iterable[Movement], ours: Mapping[tuple[str, str], int]) -> list[Difference]:
    """Each source and currency whose sums differ; ``ours`` maps (source, currency) to our entries on the balance."""
    sums: dict[tuple[str, str], int] = {}
    for movement in theirs:
        key = movement.source, movement.currency
        sums[key] = sums.get(key, 0) + movement.net_minor
    return [
        Difference(source, currency, sums.get((source, currency), 0), ours.get((source, currency), 0))
        for source, currency in sorted(sums.keys() | ours.keys())
        if sums.get((source, currency), 0) != ours.get((source, currency), 0)
    ]
