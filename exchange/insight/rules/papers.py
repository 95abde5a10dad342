"""What a release says about itself, byte for byte: its CSV, its manifests, their hashes. Guide §10 and §13."""

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from exchange.insight.rules.assembly import Cell
from exchange.insight.rules.metrics import Metric, Unit
from exchange.insight.rules.policy import Policy
from exchange.insight.rules.tree import Level, Tree

COLUMNS = ("period", "node_id", "path", "metric", "status", "value", "unit", "band", "release_id")


def canonical(value: Mapping[str, Any]) -> bytes:
    """JSON with sorted keys, no spaces and no escapes: one value, one sequence of bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sha256(content: bytes) -> str:
    """The hex digest."""
    return hashlib.sha256(content).hexdigest()


def rules_sha() -> str:
    """The hash of the rules' own source: the code the figures were made with."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return sha256(b"\0".join(file.name.encode() + b"\0" + file.read_bytes() for file in files))


def unit_of(metric: Metric, policy: Policy) -> str:
    """The unit as the CSV names it; amounts in minor units of the currency: ``EUR minor``."""
    unit = metric.kind.unit
    return f"{policy.currency} minor" if unit is Unit.CENTS else unit.value


def sheet(tree: Tree, period: str, release_id: UUID, cells: Iterable[Cell], policy: Policy) -> bytes:
    """The CSV of a release: one line a cell, the same bytes for everybody; what is not published stays empty."""
    text = io.StringIO(newline="")
    lines = csv.writer(text, lineterminator="\r\n")
    lines.writerow(COLUMNS)
    for cell in cells:
        node = tree.nodes.get(cell.node)
        path = " > ".join(node.names) if node else cell.node
        value = "" if cell.value is None else cell.value
        unit = unit_of(cell.metric, policy)
        lines.writerow(
            (period, cell.node, path, cell.metric.value, cell.status, value, unit, cell.band or "", release_id)
        )
    return text.getvalue().encode()


def published_per_level(tree: Tree, cells: Iterable[Cell]) -> dict[str, dict[str, int]]:
    """How many cells of each level are published and not."""
    found = {level.name.lower(): {"published": 0, "not_published": 0} for level in Level}
    for cell in cells:
        found[tree.level(cell.node).name.lower()][cell.status] += 1
    return found
