"""What a market paid, told so that no group's own price shows: capped votes and an interquartile mean. Guide §4."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from exchange.insight.rules.policy import Policy
from exchange.insight.rules.rounding import half_up
from exchange.insight.rules.volume import BOTH, Ends, Group, Side

ROUNDS = 300
"""Scalings before a cap counts as impossible (guide §4)."""
TOLERANCE = 1.0005

MIDDLE = (0.25, 0.75)
LOW = (0.15, 0.35)
HIGH = (0.65, 0.85)
"""The windows of the figure, of the 25th and of the 75th percentile, in cumulative vote."""


def smaller_side(pairs: Iterable[Ends]) -> int:
    """Groups on the side that has fewer; a side nobody stands on (sell-through has no buyers) is no side."""
    seen = [{ends[side] for ends in pairs} - {None} for side in BOTH]
    return min((len(side) for side in seen if side), default=0)


def weigh(pairs: Iterable[Ends], cap: int) -> dict[Ends, float] | None:
    """One vote per seller group, spread evenly over its buyers, then no group above ``cap`` percent on either side.

    None when no weighting reached within 300 rounds respects the cap.
    """
    ordered = sorted(pairs, key=_by_groups)
    if not ordered:
        return None
    buyers_of = Counter(ends[Side.SELLER] for ends in ordered)
    weights = [1 / (len(buyers_of) * buyers_of[ends[Side.SELLER]]) for ends in ordered]
    sides = [[ends[side] for ends in ordered] for side in BOTH if ordered[0][side] is not None]
    ceiling = cap / 100
    for _ in range(ROUNDS):
        fits = True
        for groups in sides:
            shares = _shares(groups, weights)
            if max(shares.values()) > ceiling:
                fits = False
                scale = {group: ceiling / share if share > ceiling else 1.0 for group, share in shares.items()}
                weights = [weight * scale[group] for weight, group in zip(weights, groups, strict=True)]
                whole = sum(weights)
                weights = [weight / whole for weight in weights]
        if fits or all(max(_shares(groups, weights).values()) <= ceiling * TOLERANCE for groups in sides):
            return dict(zip(ordered, weights, strict=True))
    return None


def window_mean(ordered: Sequence[tuple[float, float]], window: tuple[float, float]) -> float:
    """The mean between two cumulative votes; ``ordered`` is (value, weight), ascending, weights summing to 1."""
    start, end = window
    before = total = 0.0
    for value, weight in ordered:
        after = before + weight
        if after > start:
            # written out: the attacks on a release come here a hundred thousand times
            total += value * ((after if after < end else end) - (before if before > start else start))
            if after >= end:
                break
        before = after
    return total / (end - start)


@dataclass(frozen=True, slots=True)
class Standing:
    """Who votes in a cell, and with what weight: all that does not depend on the prices themselves."""

    weights: Mapping[Ends, float]
    narrow: Mapping[Ends, float] | None
    """For the ends of the middle range; None below enough groups a side, or where the tighter cap cannot be met."""
    groups: int
    """Of the smaller side: for the band, never published itself."""


def stand(pairs: Iterable[Ends], policy: Policy) -> Standing | None:
    """None when the vote cap cannot be met."""
    pairs = tuple(pairs)
    weights = weigh(pairs, policy.vote_cap)
    if weights is None:
        return None
    groups = smaller_side(pairs)
    return Standing(weights, weigh(pairs, policy.range_cap) if groups >= policy.range_from else None, groups)


@dataclass(frozen=True, slots=True)
class Figure:
    """A price figure in whole points or days; the middle range only where enough groups took part."""

    value: int
    low: int | None
    high: int | None


def figure(votes: Mapping[Ends, float], standing: Standing) -> Figure:
    """The interquartile mean of the pairs' values, rounded half up.

    ``votes`` gives each pair's own value: the median of its trades, or its own rate, in points or days.
    """
    value = half_up(window_mean(ordered(votes, standing.weights), MIDDLE))
    if standing.narrow is None:
        return Figure(value, None, None)
    ranked = ordered(votes, standing.narrow)
    return Figure(value, half_up(window_mean(ranked, LOW)), half_up(window_mean(ranked, HIGH)))


def ordered(votes: Mapping[Ends, float], weights: Mapping[Ends, float]) -> list[tuple[float, float]]:
    """(value, weight) by value, then seller, then buyer, as ``weigh`` orders them: the same order on every machine."""
    return [(votes[ends], weights[ends]) for ends in sorted(filter(votes.__contains__, weights), key=votes.__getitem__)]


@dataclass(frozen=True, slots=True)
class PriceSet:
    """Price figures published together: how many facts each pair has, by leaf."""

    pairs: Mapping[str, Mapping[Ends, int]]
    policy: Policy

    def empty(self, leaves: frozenset[str]) -> bool:
        """No fact there."""
        return self.records(leaves) == 0

    def records(self, leaves: frozenset[str]) -> int:
        """How many facts."""
        return sum(sum(self.pairs[leaf].values()) for leaf in leaves if leaf in self.pairs)

    def ends(self, leaves: frozenset[str]) -> set[Ends]:
        """The pairs that traded there."""
        return {ends for leaf in leaves for ends in self.pairs.get(leaf, ())}

    def safe(self, leaves: frozenset[str]) -> bool:
        """Enough groups on both sides, enough facts, and a vote cap that can be met."""
        ends = self.ends(leaves)
        return (
            smaller_side(ends) >= self.policy.groups
            and self.records(leaves) >= self.policy.records
            and weigh(ends, self.policy.vote_cap) is not None
        )

    def margin(self, leaves: frozenset[str]) -> dict[str, int]:
        """Groups of the smaller side, and facts."""
        return {"groups": smaller_side(self.ends(leaves)), "records": self.records(leaves)}


@dataclass(frozen=True, slots=True)
class SellThroughSet:
    """Sold over closed, one vote per seller: its own rule AND the recovery rule over the same leaves (guide §13)."""

    listings: PriceSet
    trades: PriceSet

    def empty(self, leaves: frozenset[str]) -> bool:
        """Neither a closed listing nor a trade."""
        return self.listings.empty(leaves) and self.trades.empty(leaves)

    def records(self, leaves: frozenset[str]) -> int:
        """Closed listings."""
        return self.listings.records(leaves)

    def safe(self, leaves: frozenset[str]) -> bool:
        """Both rules hold."""
        return self.listings.safe(leaves) and self.trades.safe(leaves)

    def margin(self, leaves: frozenset[str]) -> dict[str, int]:
        """Of the closed listings."""
        return self.listings.margin(leaves)


def _by_groups(ends: Ends) -> tuple[int, int]:
    seller, buyer = ends
    return (-1 if seller is None else seller, -1 if buyer is None else buyer)


def _shares(groups: Sequence[Group | None], weights: Sequence[float]) -> dict[Group | None, float]:
    found: defaultdict[Group | None, float] = defaultdict(float)
    for group, weight in zip(groups, weights, strict=True):
        found[group] += weight
    return found
