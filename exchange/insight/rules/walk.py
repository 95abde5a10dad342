"""Which cells of a set are published: all that are safe, as long as what is left between them is safe too. Guide §6."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from exchange.insight.rules.tree import ROOT, Tree

Margin = Mapping[str, int]
"""How near something published comes to each rule: counts, and shares in whole percent."""


class PublicationSet(Protocol):
    """A family of figures over sets of leaves."""

    def empty(self, leaves: frozenset[str]) -> bool:
        """Nothing happened there."""

    def records(self, leaves: frozenset[str]) -> int:
        """How many facts."""

    def safe(self, leaves: frozenset[str]) -> bool:
        """May be published alone."""

    def margin(self, leaves: frozenset[str]) -> Margin:
        """What each rule is held against."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """A set whose judgements are kept: rounds of the walk, and the proof after it, ask for the same leaves again."""

    cells: PublicationSet
    _safe: dict[frozenset[str], bool] = field(default_factory=dict)

    def empty(self, leaves: frozenset[str]) -> bool:
        """As the set says."""
        return self.cells.empty(leaves)

    def records(self, leaves: frozenset[str]) -> int:
        """As the set says."""
        return self.cells.records(leaves)

    def safe(self, leaves: frozenset[str]) -> bool:
        """As the set says, asked once."""
        if leaves not in self._safe:
            self._safe[leaves] = self.cells.safe(leaves)
        return self._safe[leaves]

    def margin(self, leaves: frozenset[str]) -> Margin:
        """As the set says."""
        return self.cells.margin(leaves)


def published(tree: Tree, cells: PublicationSet, hide: frozenset[str] = frozenset()) -> frozenset[str]:
    """The nodes to publish; nodes in ``hide`` failed a gate and never are.

    Ends, because with no child published the rest is the parent itself, which is safe. Deterministic: the child given
    up is the one with the fewest facts, then the lowest id. Theorem (guide §6): every atom of the result is safe.
    """
    found: set[str] = set()

    def visit(parent: str) -> None:
        chosen = {
            child
            for child in tree.children(parent)
            if child not in hide and not cells.empty(tree.leaves(child)) and cells.safe(tree.leaves(child))
        }
        while chosen and not _quiet(residual(tree, parent, chosen), cells):
            chosen.remove(min(chosen, key=lambda child: (cells.records(tree.leaves(child)), child)))
        found.update(chosen)
        for child in sorted(chosen):
            visit(child)

    if ROOT not in hide and cells.safe(tree.leaves(ROOT)):
        found.add(ROOT)
        visit(ROOT)
    return frozenset(found)


def residual(tree: Tree, parent: str, chosen: set[str] | frozenset[str]) -> frozenset[str]:
    """The leaves of ``parent`` that no child in ``chosen`` covers."""
    return tree.leaves(parent).difference(*(tree.leaves(child) for child in chosen))


def atoms(tree: Tree, nodes: frozenset[str]) -> dict[str, frozenset[str]]:
    """For each published node, the leaves left when its published children are subtracted: what subtraction reaches."""
    return {id: residual(tree, id, nodes.intersection(tree.children(id))) for id in sorted(nodes)}


def _quiet(leaves: frozenset[str], cells: PublicationSet) -> bool:
    return cells.empty(leaves) or cells.safe(leaves)
