"""From evidence to the cells of a release: walk, figures, attack, and again without what failed. Guide §§4 to 6."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from exchange.insight.rules import attacks, walk
from exchange.insight.rules.metrics import Family, Metric
from exchange.insight.rules.policy import Policy
from exchange.insight.rules.price import Figure, PriceSet, SellThroughSet, figure, smaller_side, stand
from exchange.insight.rules.rounding import band, r10
from exchange.insight.rules.tree import Tree
from exchange.insight.rules.volume import Ends, Flow, Measure, Side, VolumeSet

Flows = Mapping[str, Flow]
Votes = Mapping[Ends, float]


@dataclass(frozen=True, slots=True)
class Quarterly:
    """One quarter's flows by leaf, between eligible groups."""

    rrp: Flows = field(default_factory=dict)
    units: Flows = field(default_factory=dict)
    trades: Flows = field(default_factory=dict)
    listed: Flows = field(default_factory=dict)
    """RRP of listings closed in the quarter, by seller."""
    sold: Flows = field(default_factory=dict)
    """RRP sold out of them."""
    listings: Flows = field(default_factory=dict)
    requested: Flows = field(default_factory=dict)
    """RRP asked for in offers on listings closed in the quarter."""
    offers: Flows = field(default_factory=dict)
    accepted: Flows = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a release is computed from; companies are already gone, groups are ranks."""

    now: Quarterly
    before: Quarterly | None
    """A quarter ago, under today's groups; None for the first release."""
    recovery: Mapping[str, Votes]
    """By node: each pair's median recovery, percent."""
    days: Mapping[str, Votes]
    spread: Mapping[str, Votes]


@dataclass(frozen=True, slots=True)
class Cell:
    """One line of a release. ``value`` None: not published, and nobody is told why."""

    node: str
    metric: Metric
    value: int | None = None
    band: str | None = None
    withdrawn: bool = False

    @property
    def status(self) -> str:
        """``published``, ``not_published``, or ``withdrawn`` for a cell that was wrong."""
        if self.withdrawn:
            return "withdrawn"
        return "not_published" if self.value is None else "published"


@dataclass(frozen=True, slots=True)
class Draft:
    """A candidate release with what the manifests say about it."""

    cells: tuple[Cell, ...]
    hidden: Mapping[Family, tuple[str, ...]]
    """Nodes the gate took out."""
    margins: Mapping[Family, Mapping[str, walk.Margin]]
    """How near each published node comes to each rule."""
    atoms: int
    unsafe_atoms: int

    def __post_init__(self) -> None:
        if self.unsafe_atoms:
            raise AssertionError(f"{self.unsafe_atoms} atoms of this release are unsafe: it must not be frozen")

    @property
    def tests(self) -> dict[str, str]:
        """What the public manifest says was tested on this very release."""
        return {
            "T1": f"{self.atoms} atoms, {self.unsafe_atoms} unsafe",
            "T1b": "one tree, quarterly",
            "T3b": "passed after the hide list",
            "T3c": "passed after the hide list",
        }


def assemble(tree: Tree, evidence: Evidence, policy: Policy, hide: frozenset[str] = frozenset()) -> Draft:
    """Every cell of every node, published or not; those of the nodes in ``hide`` are not."""
    return _Assembly(tree, evidence, policy, hide).draft()


@dataclass(frozen=True)
class _Assembly:
    tree: Tree
    evidence: Evidence
    policy: Policy
    hide: frozenset[str]

    def draft(self) -> Draft:
        cells: dict[tuple[str, Metric], Cell] = {}
        hidden: dict[Family, tuple[str, ...]] = {}
        margins: dict[Family, dict[str, walk.Margin]] = {}
        atoms = unsafe = 0
        for family, rules in self.sets.items():
            publication = walk.Remembered(rules)
            figures: dict[str, tuple[list[Cell], bool]] = {}  # a node's figures do not depend on what else is hidden
            hide = self.hide
            while True:
                nodes = walk.published(self.tree, publication, hide)
                figures.update({id: self._figures(family, id) for id in sorted(nodes - figures.keys())})
                failed = {id for id in nodes if figures[id][1]}
                if not failed:
                    break
                hide |= failed
            cells.update({(cell.node, cell.metric): cell for id in nodes for cell in figures[id][0]})
            hidden[family] = tuple(sorted(hide - self.hide))
            margins[family] = {id: publication.margin(self.tree.leaves(id)) for id in sorted(nodes)}
            left = [leaves for leaves in walk.atoms(self.tree, nodes).values() if not publication.empty(leaves)]
            atoms += len(left)
            unsafe += sum(not publication.safe(leaves) for leaves in left)
        every = tuple(cells.get((id, metric), Cell(id, metric)) for id in self.tree.order for metric in Metric)
        return Draft(every, hidden, margins, atoms, unsafe)

    @cached_property
    def sets(self) -> dict[Family, walk.PublicationSet]:
        now = self.evidence.now
        trades = PriceSet(_pairs(now.trades), self.policy)
        return {
            Family.TRADE: trades,
            Family.OFFER: PriceSet(_pairs(now.offers), self.policy),
            Family.SELLER: SellThroughSet(PriceSet(_pairs(now.listings), self.policy), trades),
            Family.VOLUME: VolumeSet(tuple(self.measures.values()), self.policy),
        }

    @cached_property
    def measures(self) -> dict[Metric, Measure]:
        now, before = self.evidence.now, self.evidence.before
        return {
            Metric.TRADED: Measure("rrp", now.rrp, before.rrp if before else None),
            Metric.UNITS: Measure("units", now.units, before.units if before else None),
            Metric.TRADES: Measure("trades", now.trades, before.trades if before else None),
            Metric.SUPPLY: Measure("listed", now.listed, before.listed if before else None, (Side.SELLER,)),
            Metric.DEMAND: Measure("requested", now.requested, before.requested if before else None, (Side.BUYER,)),
        }

    def _figures(self, family: Family, id: str) -> tuple[list[Cell], bool]:
        """The cells of ``family`` on a node, and whether they give somebody away."""
        if family is Family.VOLUME:
            return self._totals(id), False
        cells: list[Cell] = []
        failed = False
        ballots = self._votes(family, id)
        pairs = next(iter(ballots.values())).keys()
        standing = stand(pairs, self.policy)
        if standing is None:
            raise AssertionError(f"{id} was published without a vote cap that can be met")
        plan = attacks.plan(standing, self.policy)
        for metric, votes in ballots.items():
            found = figure(votes, standing)
            # days share the recovery figure's pairs and weights, and no span bounds them
            failed |= metric is not Metric.DAYS and attacks.gives_away(votes, found, standing, plan)
            cells.extend(_cells(id, metric, found, band(standing.groups)))
        return cells, failed

    def _votes(self, family: Family, id: str) -> dict[Metric, Votes]:
        leaves, now = self.tree.leaves(id), self.evidence.now
        if family is Family.TRADE:
            return {Metric.RECOVERY: self.evidence.recovery[id], Metric.DAYS: self.evidence.days[id]}
        if family is Family.OFFER:
            return {
                Metric.SPREAD: self.evidence.spread[id],
                Metric.ACCEPTANCE: _rates(now.accepted, now.offers, leaves),
            }
        return {Metric.SELL_THROUGH: _rates(now.sold, now.listed, leaves)}

    def _totals(self, id: str) -> list[Cell]:
        leaves = self.tree.leaves(id)
        flows = {metric: measure.over(leaves) for metric, measure in self.measures.items()}
        smaller = band(smaller_side(flows[Metric.TRADED].amounts))
        return [Cell(id, metric, r10(flow.total), smaller) for metric, flow in flows.items()]


def _cells(id: str, metric: Metric, found: Figure, smaller: str) -> list[Cell]:
    cells = [Cell(id, metric, found.value, smaller)]
    if found.low is not None and found.high is not None:
        cells += [Cell(id, metric.low, found.low, smaller), Cell(id, metric.high, found.high, smaller)]
    return cells


def _pairs(flows: Flows) -> dict[str, dict[Ends, int]]:
    return {leaf: {ends: count for ends, count in flow.amounts.items() if count} for leaf, flow in flows.items()}


def _rates(part: Flows, whole: Flows, leaves: frozenset[str]) -> dict[Ends, float]:
    """Each pair's own rate, percent, over ``leaves``."""
    parts = Flow.merge(part[leaf] for leaf in sorted(leaves) if leaf in part).amounts
    wholes = Flow.merge(whole[leaf] for leaf in sorted(leaves) if leaf in whole).amounts
    return {ends: 100 * parts.get(ends, 0) / total for ends, total in wholes.items() if total}
