"""When a volume may be told: no group stands out, no two insiders can subtract their way to a third. Guide §5."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import combinations

from exchange.insight.rules.policy import Policy

Group = int
"""A legal group, as its rank in the sorted list of the groups of one release."""

Ends = tuple[Group | None, Group | None]
"""Seller group and buyer group; ``None`` where there is no such side (a listing has no buyer)."""


class Side(IntEnum):
    """Position in ``Ends``."""

    SELLER = 0
    BUYER = 1


BOTH = (Side.SELLER, Side.BUYER)


@dataclass(frozen=True, slots=True)
class Flow:
    """What moved in one cell: an amount (cents, units or trades) between each two groups, from ``records`` facts."""

    amounts: Mapping[Ends, int] = field(default_factory=dict)
    records: int = 0
    _totals: dict[Side, dict[Group, int]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def merge(cls, flows: Iterable["Flow"]) -> "Flow":
        """The flow of several disjoint cells taken as one."""
        every = tuple(flows)
        if len(every) == 1:
            return every[0]  # most cells are leaves
        amounts: defaultdict[Ends, int] = defaultdict(int)
        records = 0
        for flow in every:
            records += flow.records
            for ends, amount in flow.amounts.items():
                amounts[ends] += amount
        return cls(amounts, records)

    def totals(self, side: Side) -> Mapping[Group, int]:
        """Each group's contribution on ``side``; groups that contribute nothing do not count."""
        if side not in self._totals:  # every test of a cell asks for them
            found: defaultdict[Group, int] = defaultdict(int)
            for ends, amount in self.amounts.items():
                group = ends[side]
                if group is not None and amount:
                    found[group] += amount
            self._totals[side] = dict(found)
        return self._totals[side]

    @property
    def total(self) -> int:
        return sum(self.amounts.values())


def enough(flow: Flow, side: Side, policy: Policy) -> bool:
    """Enough groups on ``side`` and enough facts."""
    return len(flow.totals(side)) >= policy.groups and flow.records >= policy.records


def balanced(flow: Flow, side: Side, policy: Policy) -> bool:
    """Nobody stands out on ``side``, alone or by twos, and no coalition there can bound the largest by subtraction."""
    ranked = sorted(flow.totals(side).values(), reverse=True)
    total = sum(ranked)
    if not ranked:
        return False
    largest = ranked[0]
    return (
        100 * largest <= policy.top1 * total
        and 100 * sum(ranked[:2]) <= policy.top2 * total
        and 100 * (total - sum(ranked[: 1 + policy.coalition])) >= policy.margin * largest
    )


def withstands_insiders(flow: Flow, sides: Sequence[Side], policy: Policy) -> bool:
    """Whether no coalition that knows *every trade it touches*, on either side, can bound another group too closely.

    For every K of at most ``coalition`` groups, with R_K the trades touching no member of K:
    ``S(R_K) - max x_g(R_K) >= margin * max x_g(R_K)`` on each of ``sides``. Exact: a K is skipped only when the trades
    left, at least ``total - touched(K)``, exceed what any group could need, ``(1 + margin) * largest``.
    """
    total = flow.total
    by_group: defaultdict[Group, dict[Ends, int]] = defaultdict(dict)
    for ends, amount in flow.amounts.items():
        for group in {group for group in ends if group is not None}:
            by_group[group][ends] = amount
    touched = sorted(((sum(own.values()), group) for group, own in by_group.items()), reverse=True)
    totals = {side: flow.totals(side) for side in sides}
    largest = max((max(found.values(), default=0) for found in totals.values()), default=0)

    def could_matter(known: int) -> bool:
        return 100 * (total - known) < (100 + policy.margin) * largest

    for size in range(1, policy.coalition + 1):
        heaviest = sum(known for known, _ in touched[: size - 1])
        suspects = [(known, group) for known, group in touched if could_matter(known + heaviest)]
        # a coalition matters only if even its lightest member does beside the heaviest others
        for coalition in combinations(suspects, size):
            if not could_matter(sum(known for known, _ in coalition)):
                continue
            trades = {ends: amount for _, group in coalition for ends, amount in by_group[group].items()}
            left = total - sum(trades.values())
            members = {group for _, group in coalition}
            for side in sides:
                remaining = dict(totals[side])
                for ends, amount in trades.items():
                    group_here = ends[side]
                    if group_here is not None and amount:
                        remaining[group_here] -= amount
                target = max((x for group, x in remaining.items() if group not in members), default=0)
                if 100 * (left - target) < policy.margin * target:
                    return False
    return True


def steady(flow: Flow, before: Flow, side: Side, policy: Policy) -> bool:
    """No entrant holds more than ``churn`` percent now, and no leaver held more than that a quarter ago."""
    now, then = flow.totals(side), before.totals(side)
    total_now, total_then = sum(now.values()), sum(then.values())
    return all(100 * x <= policy.churn * total_now for group, x in now.items() if group not in then) and all(
        100 * x <= policy.churn * total_then for group, x in then.items() if group not in now
    )


def margin(flow: Flow, before: Flow | None, sides: Sequence[Side], policy: Policy) -> dict[str, int]:
    """What each rule of a total is held against: counts, and shares in percent, of the side that comes nearest."""
    ranked = [sorted(flow.totals(side).values(), reverse=True) for side in sides]
    found = {
        "groups": min(map(len, ranked)),
        "records": flow.records,
        "top1": max(_percent(side[0], flow.total) for side in ranked),
        "top2": max(_percent(sum(side[:2]), flow.total) for side in ranked),
        "rest": min(100 * sum(side[1 + policy.coalition :]) // side[0] for side in ranked),
    }
    if before is not None:
        moved = [
            _percent(amount, total)
            for here, there in ((flow, before), (before, flow))
            for total in (here.total,)
            for side in sides
            for known in (there.totals(side),)
            for group, amount in here.totals(side).items()
            if group not in known
        ]
        found["churn"] = max(moved, default=0)
    return found


def _percent(part: int, whole: int) -> int:
    return -(-100 * part // whole)


def safe(flow: Flow, before: Flow | None, sides: Sequence[Side], policy: Policy) -> bool:
    """Whether a total may be published. ``before``: the same cell a quarter ago, None in the first quarter."""
    return (
        all(enough(flow, side, policy) and balanced(flow, side, policy) for side in sides)
        and (before is None or all(steady(flow, before, side, policy) for side in sides))
        and withstands_insiders(flow, sides, policy)
    )


@dataclass(frozen=True, slots=True)
class Measure:
    """One additive figure: flows by leaf, now and a quarter ago, and the sides whose groups it could expose."""

    name: str
    now: Mapping[str, Flow]
    before: Mapping[str, Flow] | None
    sides: tuple[Side, ...] = BOTH
    _over: dict[frozenset[str], Flow] = field(default_factory=dict, init=False, repr=False, compare=False)

    def over(self, leaves: frozenset[str]) -> Flow:
        """This quarter's flow over ``leaves``, put together once: for the tests of a cell and for its figure."""
        if leaves not in self._over:
            self._over[leaves] = Flow.merge(self.now[leaf] for leaf in sorted(leaves) if leaf in self.now)
        return self._over[leaves]

    def ago(self, leaves: Iterable[str]) -> Flow | None:
        """The flow over ``leaves`` a quarter ago; None in the first quarter."""
        if self.before is None:
            return None
        return Flow.merge(self.before[leaf] for leaf in sorted(leaves) if leaf in self.before)


@dataclass(frozen=True, slots=True)
class VolumeSet:
    """Figures published together: a cell is safe when each of them is."""

    measures: tuple[Measure, ...]
    policy: Policy

    def empty(self, leaves: frozenset[str]) -> bool:
        """Nothing of any measure happened there, so that nothing can be learnt by subtraction."""
        return all(leaf not in measure.now for measure in self.measures for leaf in leaves)

    def records(self, leaves: frozenset[str]) -> int:
        """Facts of the first measure: the walk gives up the child with the fewest."""
        return sum(self.measures[0].now[leaf].records for leaf in leaves if leaf in self.measures[0].now)

    def safe(self, leaves: frozenset[str]) -> bool:
        """Every measure is safe."""
        return all(safe(m.over(leaves), m.ago(leaves), m.sides, self.policy) for m in self.measures)

    def margin(self, leaves: frozenset[str]) -> dict[str, int]:
        """By measure and rule: ``rrp.top1``."""
        return {
            f"{m.name}.{rule}": held
            for m in self.measures
            for rule, held in margin(m.over(leaves), m.ago(leaves), m.sides, self.policy).items()
        }
