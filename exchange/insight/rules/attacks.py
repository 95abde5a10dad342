"""What a coalition could conclude from a price figure and everything it touched itself. Guide §8, T3b and T3c.

Run on every candidate release: a cell that gives a group away is hidden and the walk runs again. Volumes need no gate
of their own: ``volume.withstands_insiders`` is the attack itself.
"""

from bisect import insort
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import combinations

from exchange.insight.rules.policy import Policy
from exchange.insight.rules.price import HIGH, LOW, MIDDLE, Figure, weigh, window_mean
from exchange.insight.rules.volume import BOTH, Ends, Group, Side

Votes = Mapping[Ends, float]
Weights = Mapping[Ends, float]

SPAN = (0.0, 100.0)
"""A price figure lies between nothing and the whole RRP."""
HALF_STEP = 0.5
"""A figure rounded to one point says no more than this to either side."""
FULL = SPAN[1] - SPAN[0]
PAIR_WIDTH = 30.0
"""Points two insiders who know every trade they touched must be left to guess in; one must learn nothing (T3c)."""
TINY = 1e-6
SUSPECTS = 3
"""Heaviest groups a side that are tried as insiders and as targets: a lighter one knows less and hides better."""


@dataclass(frozen=True, slots=True)
class Told:
    """One published number about a cell: the window of the vote it averages, under which cap, and its value."""

    window: tuple[float, float]
    cap: int
    value: int


def told(figure: Figure, policy: Policy) -> tuple[Told, ...]:
    """What ``figure`` publishes."""
    found = [Told(MIDDLE, policy.vote_cap, figure.value)]
    if figure.low is not None:
        found.append(Told(LOW, policy.range_cap, figure.low))
    if figure.high is not None:
        found.append(Told(HIGH, policy.range_cap, figure.high))
    return tuple(found)


def gives_away(votes: Mapping[Ends, float], figure: Figure, policy: Policy) -> bool:
    """Whether some coalition could bound some other group's price closer than allowed, from any number of the cell."""
    return any(_gives_away(votes, number, policy) for number in told(figure, policy))


def width(number: Told, held: Sequence[tuple[float, float]], aim: float) -> float:
    """Points within which ``number`` leaves the price of a target with ``aim`` of the vote.

    ``held`` is what the coalition knows, (value, weight) ascending; the rest of the vote may lie anywhere in SPAN. The
    window's mean grows with every value, so its extremes are reached with all the rest at one end.
    """
    floor, ceiling = SPAN
    rest = 1 - aim - sum(weight for _, weight in held)
    least, most = number.value - HALF_STEP - TINY, number.value + HALF_STEP + TINY

    def not_too_low(price: float) -> bool:
        return window_mean(_insert(held, (price, aim), (ceiling, rest)), number.window) >= least

    def not_too_high(price: float) -> bool:
        return window_mean(_insert(held, (price, aim), (floor, rest)), number.window) <= most

    return max(0.0, _edge(not_too_high, ceiling, floor) - _edge(not_too_low, floor, ceiling))


def _gives_away(votes: Votes, number: Told, policy: Policy) -> bool:
    weights = weigh(votes, number.cap)
    if weights is None:
        return True
    pairs: dict[Side, defaultdict[Group | None, set[Ends]]] = {side: defaultdict(set) for side in BOTH}
    for ends in votes:
        for side in BOTH:
            pairs[side][ends[side]].add(ends)
    shares = {
        side: {group: sum(weights[ends] for ends in own) for group, own in pairs[side].items() if group is not None}
        for side in BOTH
    }
    heavy = {side: sorted(own, key=lambda group: (-own[group], group))[:SUSPECTS] for side, own in shares.items()}
    suspects = sorted({group for groups in heavy.values() for group in groups})
    coalitions = [k for size in range(1, policy.coalition + 1) for k in combinations(suspects, size)]
    room = min(number.window[0], 1 - number.window[1])

    def exposed(coalition: tuple[Group, ...], side: Side) -> bool:
        """Whether the coalition learns the price of a heavy group on ``side``."""
        most = sum(shares[where].get(group, 0.0) for group in coalition for where in BOTH)
        targets = [group for group in heavy[side] if group not in coalition and most + shares[side][group] > room]
        if not targets:
            return False  # the rest alone can fill the window: every price stays possible
        rivals = {ends for group in coalition for ends in pairs[side][group]}
        touched = rivals | {ends for group in coalition for ends in pairs[_other(side)][group]}
        held = _held(votes, weights, touched)
        for group in targets:
            left = pairs[side][group] - touched
            # T3c: insiders count all they traded; one must learn nothing, two are left PAIR_WIDTH to guess in
            span = width(number, held, sum(weights[ends] for ends in left)) if left else FULL
            if span < (FULL if len(coalition) == 1 else PAIR_WIDTH) - TINY:
                return True
            # T3b: rivals who know their own prices must learn nothing; FULL above settles it, knowing more only narrows
            if left and span >= FULL - TINY:
                continue
            aim = sum(weights[ends] for ends in pairs[side][group])
            if width(number, _held(votes, weights, rivals), aim) < FULL - TINY:
                return True
        return False

    return any(exposed(coalition, side) for coalition in coalitions for side in BOTH)


def _other(side: Side) -> Side:
    return Side(1 - side)


def _held(votes: Votes, weights: Weights, known: Set[Ends]) -> list[tuple[float, float]]:
    floor, ceiling = SPAN
    return sorted((min(max(votes[ends], floor), ceiling), weights[ends]) for ends in known)


def _insert(held: Sequence[tuple[float, float]], *more: tuple[float, float]) -> list[tuple[float, float]]:
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
