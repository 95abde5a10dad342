"""Trend pages out of releases: one round trip a page, and no company in any answer."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from exchange.database import fetch, fetch_copy, fetchrow
from exchange.errors import NotSeen
from exchange.insight.rules.assembly import Cell
from exchange.insight.rules.metrics import Metric
from exchange.insight.rules.panels import Cells, Told
from exchange.insight.rules.rounding import half_up
from exchange.insight.rules.tree import Tree


@dataclass(frozen=True, slots=True)
class Release:
    """A release as everybody may know it."""

    id: UUID
    period: str
    frozen_at: datetime
    lag_days: int


@dataclass(frozen=True, slots=True)
class Own:
    """The asking company's own medians in one quarter: percent and days."""

    recovery: int
    days: int


@dataclass(frozen=True, slots=True)
class Trend:
    """What a node's page shows."""

    edition: str
    """Changes with every release and withdrawal: what drawings and copies are kept under."""
    releases: tuple[Release, ...]
    cells: Mapping[str, Cells]
    """By node: this one whole; its children and ancestors with recovery and days."""
    charts: Mapping[str, str]
    """Drawings kept from earlier readers, by panel."""
    own: Mapping[str, Own] = field(default_factory=dict)
    """By quarter; empty unless an owner asks."""

    @property
    def periods(self) -> tuple[str, ...]:
        return tuple(release.period for release in self.releases)


EDITION = """
    select coalesce((select max(period) from insight_release), 'none') || '.'
        || (select count(*) from insight_release_withdrawal) as edition
"""
PAGE = f"""
with this as ({EDITION})
select edition,
    (select coalesce(json_agg(json_build_array(id, period, frozen_at, lag_days) order by period), '[]')
        from insight_release) as releases,
    (select coalesce(json_agg(json_build_array(c.node_id, c.period, c.metric, c.value, c.band, w.at)), '[]')
        from insight_release_cell c left join insight_release_withdrawal w using (period, node_id, metric)
        where c.status = 'published'
          and (c.node_id = $1 or c.node_id = any($2) and c.metric in ('recovery', 'days_to_clear'))) as cells,
    (select coalesce(json_object_agg(panel, svg), '{{}}') from insight_chart h
        where h.edition = this.edition and h.node_id = $1 and h.language = $3) as charts,
    (select coalesce(json_agg(json_build_array(o.period, o.recovery_bp, o.days)), '[]')
        from insight_own($4) o where o.node_id = $1 and $4 is not null) as own
from this
"""  # noqa: S608  fixed text


async def trend(tree: Tree, node_id: str, language: str, *, own_company: UUID | None = None) -> Trend:
    """Everything the page of ``node_id`` shows; ``own_company`` adds that company's own medians. Raises NotSeen."""
    if node_id not in tree.nodes:
        raise NotSeen
    beside = [*tree.children(node_id), *tree.ancestors(node_id)]
    (row,) = await fetch_copy(PAGE, node_id, beside, language, own_company)
    cells: defaultdict[str, dict[tuple[str, Metric], Told]] = defaultdict(dict)
    for node, period, metric, value, band, withdrawn in json.loads(row["cells"]):
        told = Told(withdrawn_at=datetime.fromisoformat(withdrawn)) if withdrawn else Told(value, band)
        cells[node][period, Metric(metric)] = told
    return Trend(
        edition=row["edition"],
        releases=tuple(_release(*each) for each in json.loads(row["releases"])),
        cells=cells,
        charts=json.loads(row["charts"]),
        own={period: Own(half_up(bp / 100), half_up(days)) for period, bp, days in json.loads(row["own"])},
    )


async def charts_of(edition: str, node_id: str, language: str) -> dict[str, str]:
    """The drawings kept for a page, by panel."""
    rows = await fetch(
        "select panel, svg from insight_chart where edition = $1 and node_id = $2 and language = $3",
        edition,
        node_id,
        language,
    )
    return {row["panel"]: row["svg"] for row in rows}


async def edition() -> str:
    """Of the newest release and withdrawals."""
    row = await fetchrow(EDITION)
    return str(row["edition"]) if row else ""


@dataclass(frozen=True, slots=True)
class Papers:
    """A release with its manifest, signature and cells; a withdrawn cell says so and has no value."""

    release: Release
    manifest: str
    manifest_sha256: str
    signature: str
    signed_by: str
    cells: tuple[Cell, ...] = ()


async def releases() -> list[Papers]:
    """Every release, newest first, without cells."""
    return [_papers(row) for row in await fetch(f"select {COLUMNS} from insight_release r order by period desc")]  # noqa: S608


async def papers_of(tree: Tree, period: str) -> Papers:
    """One release with its cells in the order of the CSV. Raises NotSeen."""
    rows = await fetch_copy(
        f"select {COLUMNS}, c.node_id, c.metric, c.value, c.band, w.at is not null withdrawn"  # noqa: S608  fixed text
        " from insight_release r join insight_release_cell c using (period)"
        " left join insight_release_withdrawal w using (period, node_id, metric) where period = $1",
        period,
    )
    if not rows:
        raise NotSeen
    place = {node: n for n, node in enumerate(tree.order)}
    turn = {metric: n for n, metric in enumerate(Metric)}
    cells = [
        Cell(row["node_id"], Metric(row["metric"]), withdrawn=True)
        if row["withdrawn"]
        else Cell(row["node_id"], Metric(row["metric"]), row["value"], row["band"])
        for row in rows
    ]
    cells.sort(key=lambda cell: (place.get(cell.node, len(place)), cell.node, turn[cell.metric]))
    return _papers(rows[0], cells)


COLUMNS = "r.id, period, r.frozen_at, r.lag_days, r.manifest, r.manifest_sha256, r.signature, r.signed_by"


def _papers(row: Mapping[str, object], cells: Sequence[Cell] = ()) -> Papers:
    return Papers(
        _release(row["id"], row["period"], row["frozen_at"], row["lag_days"]),
        str(row["manifest"]),
        str(row["manifest_sha256"]),
        str(row["signature"]),
        str(row["signed_by"]),
        tuple(cells),
    )


def _release(id: object, period: object, frozen_at: object, lag_days: object) -> Release:
    at = frozen_at if isinstance(frozen_at, datetime) else datetime.fromisoformat(str(frozen_at))
    return Release(UUID(str(id)), str(period), at, int(str(lag_days)))
