"""Releases as JSON, for anybody: the same cells as the pages and the CSV, and no reason for those not published."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, Router, get
from litestar.params import FromPath, FromQuery

from exchange.errors import NotSeen
from exchange.insight.queries import trends
from exchange.insight.rules.papers import sheet, unit_of
from exchange.insight.rules.policy import Policy
from exchange.insight.rules.taxonomy import TREE

POLICY = Policy()


@dataclass(frozen=True, slots=True)
class ReleaseOut:
    """A frozen quarter."""

    id: UUID
    period: str
    frozen_at: datetime
    lag_days: int
    manifest_sha256: str
    signature: str
    manifest: dict[str, Any]


@dataclass(frozen=True, slots=True)
class CellOut:
    """One figure of one node. ``value`` is null unless ``status`` is ``published``."""

    node_id: str
    path: str
    metric: str
    status: str
    value: int | None
    unit: str
    band: str | None


@get("/", summary="Every release, newest first")
async def releases() -> list[ReleaseOut]:
    """With the manifest that was signed."""
    return [_out(papers) for papers in await trends.releases()]


@get("/{period:str}", summary="One release")
async def release(period: FromPath[str]) -> ReleaseOut:
    """``period`` as in ``2026Q1``."""
    return _out(await trends.papers_of(TREE, period))


@get("/{period:str}/cells", summary="The cells of a release")
async def cells(period: FromPath[str], node: FromQuery[str | None] = None) -> list[CellOut]:
    """All cells, or those of one ``node`` (``home/furniture``)."""
    if node is not None and node not in TREE.nodes:
        raise NotSeen
    papers = await trends.papers_of(TREE, period)
    return [
        CellOut(
            node_id=cell.node,
            path=" > ".join(TREE.nodes[cell.node].names) if cell.node in TREE.nodes else cell.node,
            metric=cell.metric.value,
            status=cell.status,
            value=cell.value,
            unit=unit_of(cell.metric, POLICY),
            band=cell.band,
        )
        for cell in papers.cells
        if node is None or cell.node == node
    ]


@get("/{period:str}/cells.csv", summary="The cells as CSV", media_type="text/csv")
async def cells_csv(period: FromPath[str]) -> Response[bytes]:
    """The file whose SHA-256 the manifest names, unless a cell was withdrawn since."""
    papers = await trends.papers_of(TREE, period)
    content = sheet(TREE, period, papers.release.id, papers.cells, POLICY)
    return Response(content, media_type="text/csv; charset=utf-8")


def _out(papers: trends.Papers) -> ReleaseOut:
    release = papers.release
    return ReleaseOut(
        id=release.id,
        period=release.period,
        frozen_at=release.frozen_at,
        lag_days=release.lag_days,
        manifest_sha256=papers.manifest_sha256,
        signature=papers.signature,
        manifest=msgspec.json.decode(papers.manifest),
    )


router = Router("/insight/releases", route_handlers=[releases, release, cells, cells_csv], tags=["insight"])
