"""The one fixed tree figures are published over: two nodes are nested or share nothing. Insight guide §3."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property

from exchange.errors import N_

ROOT = "all"
MIXED = "mixed"
MIXED_SHARE = 80
"""Percent of a lot's RRP one leaf must hold, or the lot is a mixed one."""


class Level(IntEnum):
    """How deep a node lies; there is no sector-in-region, the price of the proof."""

    ALL = 0
    SECTOR = 1
    CATEGORY = 2
    LEAF = 3


@dataclass(frozen=True, slots=True)
class Node:
    """``id`` is the path in addresses and in the CSV: ``tools``, ``tools/drills``, ``tools/drills/north``."""

    id: str
    parent: str | None
    names: tuple[str, ...]
    """English names from the root's child down; translated when shown."""

    @property
    def name(self) -> str:
        return self.names[-1]


@dataclass(frozen=True)
class Tree:
    """Nodes by id. ``version`` names the year's tree; a changed tree is a new version."""

    version: str
    nodes: Mapping[str, Node]
    _children: dict[str, tuple[str, ...]] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        below: dict[str, list[str]] = {id: [] for id in self.nodes}
        for node in self.nodes.values():
            if node.parent is not None:
                below[node.parent].append(node.id)
        self._children.update((id, tuple(sorted(found))) for id, found in below.items())

    @classmethod
    def of(
        cls, version: str, sectors: Mapping[str, tuple[str, Mapping[str, str]]], regions: Mapping[str, str]
    ) -> "Tree":
        """Every category of every sector in every region, and the mixed lots.

        ``sectors`` maps a slug to its name and its categories (slug to name); ``regions`` a slug to its name.
        """
        nodes = [Node(ROOT, None, (N_("All"),)), Node(MIXED, ROOT, (N_("Mixed lots"),))]
        for sector, (sector_name, categories) in sectors.items():
            nodes.append(Node(sector, ROOT, (sector_name,)))
            for category, category_name in categories.items():
                path = f"{sector}/{category}"
                nodes.append(Node(path, sector, (sector_name, category_name)))
                nodes.extend(
                    Node(f"{path}/{region}", path, (sector_name, category_name, name))
                    for region, name in regions.items()
                )
        return cls(version, {node.id: node for node in nodes})

    def children(self, id: str) -> tuple[str, ...]:
        """Ids directly under ``id``, sorted."""
        return self._children[id]

    def leaves(self, id: str) -> frozenset[str]:
        """The leaves of ``id``: itself when nothing is under it."""
        return self._leaves[id]

    def level(self, id: str) -> Level:
        """How deep ``id`` lies."""
        parent = self.nodes[id].parent
        return Level.ALL if parent is None else Level(self.level(parent) + 1)

    def ancestors(self, id: str) -> tuple[str, ...]:
        """From the root down to the parent of ``id``."""
        parent = self.nodes[id].parent
        return () if parent is None else (*self.ancestors(parent), parent)

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Every node, parents before children, siblings by id: the order of the CSV."""

        def walk(id: str) -> Iterable[str]:
            yield id
            for child in self.children(id):
                yield from walk(child)

        return tuple(walk(ROOT))

    @cached_property
    def _leaves(self) -> dict[str, frozenset[str]]:
        found: dict[str, frozenset[str]] = {}
        for id in reversed(self.order):
            below = self.children(id)
            found[id] = frozenset().union(*(found[child] for child in below)) if below else frozenset([id])
        return found


def leaf_of(rrp_by_leaf: Mapping[str, int]) -> str:
    """The one leaf a lot belongs to, by its lines' RRP; below 80 % in any one leaf it is a mixed lot."""
    total = sum(rrp_by_leaf.values())
    if total <= 0:
        return MIXED
    leaf, largest = max(sorted(rrp_by_leaf.items()), key=lambda item: item[1])
    return leaf if 100 * largest >= MIXED_SHARE * total else MIXED


def thin(tree: Tree, active: Mapping[str, int], floor: int) -> frozenset[str]:
    """Nodes with fewer than ``floor`` groups active in twelve months: withheld, and none of next year's (guide T10)."""
    return frozenset(id for id in tree.order if active.get(id, 0) < floor)
