"""What a coalition could conclude from a price figure and everything it touched itself. Guide §8, T3b and T3c.

Run on every candidate release: a cell that gives a group away is hidden and the walk runs again. Volumes need no gate
of their own: ``volume.withstands_insiders`` is the attack itself.
"""

from bisect import insort
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from operator import itemgetter

from exchange.insight.rules.policy import Policy
from exchange.insight.rules.price import HIGH, LOW, MIDDLE, Figure, Standing, window_mean
from exchange.insight.rules.volume import BOTH, Ends, Group, Side

Votes = Mapping[Ends, float]
Weights = Mapping[Ends, float]
Share = tuple[float, float]
"""A price and its weight."""

SPAN = (0.0, 100.0)
"""A price figure lies between nothing and the whole RRP."""
FULL = SPAN[1] - SPAN[0]
HALF_STEP = 0.5
"""A figure rounded to one point says no more than this to either side."""
PAIR_WIDTH = 30.0
"""Points two insiders who know every trade they touched must be left to guess in; one must learn nothing (T3c)."""
SUSPECTS = 3
"""Heaviest groups a side that are tried as insiders and as targets: a lighter one knows less and hides better."""
TINY = 1e-6
_WEIGHT = itemgetter(1)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One coalition against one heavy group on one side of a cell, whatever the prices are."""

    size: int
    touched: tuple[Ends, ...]
    """Pairs the coalition is part of, on either side: it knows their prices."""
    rivals: tuple[Ends, ...]
    """Those where it stands on the target's own side."""
    left: float
    """Vote of the target that the coalition did not touch; nothing to learn where it is 0."""
    whole: float
    """All of the target's vote."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Every attempt worth making against a cell's figures; made once, used for every figure of the same pairs."""

    middle: tuple[Attempt, ...]
    range: tuple[Attempt, ...]


def plan(standing: Standing, policy: Policy) -> Plan:
    """The attempts against the figure and against the ends of its middle range."""
    return Plan(
        tuple(_attempts(standing.weights, min(MIDDLE[0], 1 - MIDDLE[1]), policy)),
        tuple(_attempts(standing.narrow, min(LOW[0], 1 - HIGH[1]), policy)) if standing.narrow else (),
    )


def gives_away(votes: Votes, figure: Figure, standing: Standing, attempts: Plan) -> bool:
    """Whether some coalition could bound some other group's price closer than allowed, from any number of the cell."""
    if _any_learns(votes, standing.weights, attempts.middle, [(MIDDLE, figure.value)]):
        return True
    if standing.narrow is None or figure.low is None or figure.high is None:
        return False
    return _any_learns(votes, standing.narrow, attempts.range, [(LOW, figure.low), (HIGH, figure.high)])


def width(window: Share, told: int, held: Sequence[Share], aim: float) -> float:
    """Points within which the figure ``told`` leaves the price of a target with ``aim`` of the vote.

    ``held`` is what the coalition knows, ascending; the rest of the vote may lie anywhere in SPAN. The window's mean
    grows with every value, so its extremes are reached with all the rest at one end.
    """
    floor, ceiling = SPAN
    rest = 1 - aim - sum(map(_WEIGHT, held))
    least, most = told - HALF_STEP - TINY, told + HALF_STEP + TINY
    if (
        window_mean([(floor, aim), *held, (ceiling, rest)], window) >= least
        and window_mean([(floor, rest), *held, (ceiling, aim)], window) <= most
    ):
        return FULL  # most attempts end here: any price goes with the figure

    def not_too_low(price: float) -> bool:
        return window_mean(_insert(held, (price, aim), (ceiling, rest)), window) >= least

    def not_too_high(price: float) -> bool:
        return window_mean(_insert(held, (price, aim), (floor, rest)), window) <= most

    return max(0.0, _edge(not_too_high, ceiling, floor) - _edge(not_too_low, floor, ceiling))


def _attempts(weights: Weights, room: float, policy: Policy) -> Iterator[Attempt]:
    """Largest coalitions first; where their votes and the target's fit in ``room``, the rest can fill the window."""
    pairs: dict[Side, defaultdict[Group, set[Ends]]] = {side: defaultdict(set) for side in BOTH}
    shares: dict[Side, defaultdict[Group, float]] = {side: defaultdict(float) for side in BOTH}
    for ends, weight in weights.items():
        for side in BOTH:
            if (group := ends[side]) is not None:
                pairs[side][group].add(ends)
                shares[side][group] += weight
    heavy = {side: sorted(own, key=lambda group: (-own[group], group))[:SUSPECTS] for side, own in shares.items()}
    suspects = sorted({group for groups in heavy.values() for group in groups})
    for size in range(policy.coalition, 0, -1):
        for coalition in combinations(suspects, size):
            most = sum(shares[side].get(group, 0.0) for group in coalition for side in BOTH)
            for side in BOTH:
                targets = [g for g in heavy[side] if g not in coalition and most + shares[side][g] > room]
                if not targets:
                    continue
                rivals = {ends for group in coalition for ends in pairs[side][group]}
                touched = rivals | {ends for group in coalition for ends in pairs[Side(1 - side)][group]}
                known, at_side = tuple(touched), tuple(rivals)
                for group in targets:
                    left = sum(weights[ends] for ends in pairs[side][group] - touched)
                    yield Attempt(size, known, at_side, left, shares[side][group])


def _any_learns(votes: Votes, weights: Weights, attempts: Sequence[Attempt], told: Sequence[tuple[Share, int]]) -> bool:
    floor, ceiling = SPAN
    shares = {
        ends: (min(max(value, floor), ceiling), weights[ends]) for ends, value in votes.items() if ends in weights
    }
    known: tuple[Ends, ...] = ()
    held: list[Share] = []
    narrowed = False
    for attempt in attempts:
        if attempt.size == 1 and attempts[0].size > 1 and not narrowed:
            return False  # no two learnt anything: neither does one of them
        if attempt.touched is not known:
            known, held = attempt.touched, sorted(map(shares.__getitem__, attempt.touched))
        for window, value in told:
            # T3c: insiders count all they traded; one must learn nothing, two are left PAIR_WIDTH to guess in
            span = width(window, value, held, attempt.left) if attempt.left else FULL
            if span < (FULL if attempt.size == 1 else PAIR_WIDTH) - TINY:
                return True
            if attempt.left and span >= FULL - TINY:
                continue
            narrowed = True
            # T3b: rivals who know their own prices must learn nothing; FULL above settles it, knowing more only narrows
            if width(window, value, sorted(map(shares.__getitem__, attempt.rivals)), attempt.whole) < FULL - TINY:
                return True
    return False


def _insert(held: Sequence[Share], *more: Share) -> list[Share]:
    found = list(held)
    for each in more:
        insort(found, each)
    return found


def _edge(feasible: Callable[[float], bool], near: float, far: float) -> float:
    """How far from ``near`` towards ``far`` a monotone condition first holds, to a hundredth of a point."""
    if feasible(near):
        return near
    if not feasible(far):
        return far
    while abs(far - near) > 0.01:
        middle = (near + far) / 2
        if feasible(middle):
            far = middle
        else:
            near = middle
    return far
