"""Synthetic markets for the acceptance tests, and the evidence a release draws from them, in the slow plain way."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from statistics import median

from exchange.insight.rules.assembly import Evidence, Quarterly
from exchange.insight.rules.policy import Policy
from exchange.insight.rules.tree import Tree
from exchange.insight.rules.volume import Ends, Flow


def tree(sectors: int, categories: int, regions: int) -> Tree:
    """A regular tree with short ids: ``s1/c2/r3``."""
    return Tree.of(
        "test",
        {f"s{s}": (f"Sector {s}", {f"c{c}": f"Category {c}" for c in range(categories)}) for s in range(sectors)},
        {f"r{r}": f"Region {r}" for r in range(regions)},
    )


@dataclass(frozen=True, slots=True)
class Trade:
    """One settled trade as the rules see it."""

    leaf: str
    seller: int
    buyer: int
    rrp: int
    recovery: float
    days: int = 10
    units: int = 10


@dataclass(frozen=True, slots=True)
class Market:
    """Trades of some quarters over one tree; listings and offers follow the trades."""

    tree: Tree
    quarters: tuple[tuple[Trade, ...], ...]
    sizes: Mapping[int, float] = field(default_factory=dict)


@cache
def market(
    seed: int, shape: tuple[int, int, int] = (3, 3, 3), groups: int = 60, trades: int = 1500, quarters: int = 2,
    sigma: float = 0.6,
) -> Market:  # fmt: skip
    """Guide §11: sizes lognormal, each group buys and sells, 80 % in two home sectors, even categories."""
    chance = random.Random(seed)
    grown = tree(*shape)
    sizes = {g: chance.lognormvariate(0, sigma) for g in range(groups)}
    homes = {g: chance.sample(range(shape[0]), 2) for g in range(groups)}
    prices = {g: chance.gauss(38, 6) for g in range(groups)}
    everybody = list(sizes)
    weights = list(sizes.values())

    def sector_of(group: int) -> int:
        return chance.choice(homes[group]) if chance.random() < 0.8 else chance.randrange(shape[0])

    by_sector = {s: [sizes[g] * (0.4 if s in homes[g] else 0.2 / shape[0]) for g in everybody] for s in range(shape[0])}

    def trade() -> Trade:
        seller = chance.choices(everybody, weights)[0]
        sector = sector_of(seller)
        buyer = seller
        while buyer == seller:
            buyer = chance.choices(everybody, by_sector[sector])[0]
        leaf = f"s{sector}/c{chance.randrange(shape[1])}/r{chance.randrange(shape[2])}"
        return Trade(
            leaf,
            seller,
            buyer,
            rrp=int(chance.lognormvariate(13, 0.5)),
            recovery=min(95.0, max(5.0, chance.gauss(prices[seller], 5))),
            days=int(chance.expovariate(1 / 11)) + 1,
            units=chance.randint(5, 200),
        )

    return Market(grown, tuple(tuple(trade() for _ in range(trades)) for _ in range(quarters)), sizes)


def flows(
    trades: Iterable[Trade], amount: Callable[[Trade], int], ends: Callable[[Trade], Ends], records_each: int = 1
) -> dict[str, Flow]:
    """By leaf: what moved between whom, each trade standing for so many facts."""
    amounts: defaultdict[str, defaultdict[Ends, int]] = defaultdict(lambda: defaultdict(int))
    records: defaultdict[str, int] = defaultdict(int)
    for t in trades:
        amounts[t.leaf][ends(t)] += amount(t)
        records[t.leaf] += records_each
    return {leaf: Flow(dict(found), records[leaf]) for leaf, found in amounts.items()}


def both(t: Trade) -> Ends:
    return (t.seller, t.buyer)


def quarterly(trades: Iterable[Trade]) -> Quarterly:
    """Each trade was a listing of its seller, three quarters sold, on the second of its buyer's two talks."""
    trades = tuple(trades)

    def seller(t: Trade) -> Ends:
        return (t.seller, None)

    return Quarterly(
        rrp=flows(trades, lambda t: t.rrp, both),
        units=flows(trades, lambda t: t.units, both),
        trades=flows(trades, lambda _: 1, both),
        listed=flows(trades, lambda t: t.rrp * 4 // 3, seller),
        sold=flows(trades, lambda t: t.rrp, seller),
        listings=flows(trades, lambda _: 1, seller),
        requested=flows(trades, lambda t: 2 * t.rrp, both, 2),
        offers=flows(trades, lambda _: 2, both, 2),
        accepted=flows(trades, lambda _: 1, both, 2),
    )


def medians(of: Tree, trades: Iterable[Trade], value: Callable[[Trade], float]) -> dict[str, dict[Ends, float]]:
    """By node: the median of each pair's trades there."""
    found: defaultdict[str, defaultdict[Ends, list[float]]] = defaultdict(lambda: defaultdict(list))
    for t in trades:
        for id in (*of.ancestors(t.leaf), t.leaf):
            found[id][both(t)].append(value(t))
    return {id: {ends: float(median(values)) for ends, values in pairs.items()} for id, pairs in found.items()}


def evidence(of: Market, quarter: int = -1) -> Evidence:
    """What the release of ``quarter`` is computed from."""
    trades = of.quarters[quarter]
    position = range(len(of.quarters))[quarter]
    return Evidence(
        now=quarterly(trades),
        before=quarterly(of.quarters[position - 1]) if position else None,
        recovery=medians(of.tree, trades, lambda t: t.recovery),
        days=medians(of.tree, trades, lambda t: t.days),
        spread=medians(of.tree, trades, lambda t: 100 - t.recovery),
    )


def weakened(**changes: int) -> Policy:
    """A policy below its floors, as only a test can make one: the mutants the acceptance tests must kill."""
    policy = Policy()
    for name, value in changes.items():
        object.__setattr__(policy, name, value)
    return policy
