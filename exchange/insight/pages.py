"""Trend pages: the same bytes for everybody at the same moment; an owner also sees the company's own figures."""

import hashlib
import json
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Annotated
from uuid import UUID

from litestar import Response, Router, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath

from exchange.errors import N_
from exchange.insight import actions
from exchange.insight.queries import trends
from exchange.insight.queries.trends import Trend
from exchange.insight.rules.panels import PANELS, Against, Panel, Point, Scale, against, points
from exchange.insight.rules.papers import sheet
from exchange.insight.rules.policy import Policy
from exchange.insight.rules.taxonomy import TREE
from exchange.insight.rules.tree import ROOT, Level, Tree
from exchange.settings import settings
from exchange.web.guards import operator
from exchange.web.render import Web, language_of, render, see_other
from exchange.web.translations import say

POLICY = Policy()
OWN = ("recovery", "days")
"""Panels an owner's own figure stands beside."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table under a chart."""

    quarter: str
    figure: str | None
    range: str | None
    band: str | None
    withdrawn_at: object
    own: str | None = None
    beside: Against | None = None
    awaited: bool = False
    """Only the owner's own figure is there yet: the quarter is not released."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A panel as the template shows it."""

    panel: Panel
    svg: str | None
    rows: list[Row]
    nearest: tuple[str, str] | None = None
    """Node and figure of the nearest published ancestor, for an owner whose own node is not published."""


@get("/insight")
async def start(request: Web) -> Response[str]:
    """The whole market, then one small chart per sector."""
    return await _page(request, ROOT)


@get("/insight/{node:path}")
async def node(request: Web, node: FromPath[str]) -> Response[str]:
    """One node of the tree. Refused when there is no such node."""
    return await _page(request, node.strip("/"))


@get("/insight/methodology")
async def methodology(request: Web) -> Response[str]:
    """How figures are made, for anybody."""
    contact = parseaddr(settings().mail_from)[1]
    return render(request, "insight/methodology.html", policy=POLICY, tree=TREE, levels=_levels(TREE), contact=contact)


@get("/insight/releases")
async def releases(request: Web) -> Response[str]:
    """Every release with its papers."""
    found = await trends.releases()
    language = language_of(request)
    return render(
        request,
        "insight/releases.html",
        releases=[(papers, actions.quarter_name(papers.release.period, language), _counts(papers)) for papers in found],
    )


@get("/insight/releases/{period:str}/cells.csv")
async def cells_csv(request: Web, period: FromPath[str]) -> Response[bytes]:
    """The release as CSV, the same bytes for everybody."""
    papers = await trends.papers_of(TREE, period)
    content = sheet(TREE, period, papers.release.id, papers.cells, POLICY)
    return _file(request, content, "text/csv; charset=utf-8", f"confrere-{period}.csv")


@get("/insight/releases/{period:str}/manifest.json")
async def manifest(request: Web, period: FromPath[str]) -> Response[bytes]:
    """The very bytes that were signed."""
    papers = await trends.papers_of(TREE, period)
    return _file(request, papers.manifest.encode(), "application/json", f"confrere-{period}.json")


@get("/insight/releases/{period:str}/manifest.sig")
async def signature(request: Web, period: FromPath[str]) -> Response[bytes]:
    """The Ed25519 signature of the manifest, base64."""
    papers = await trends.papers_of(TREE, period)
    return _file(request, papers.signature.encode(), "text/plain; charset=utf-8", f"confrere-{period}.sig")


@post("/insight/releases", guards=[operator])
async def ask_for_release(request: Web) -> Response[str]:
    """Have the oldest quarter that waits released: a job builds and freezes it."""
    viewer = request.user
    await actions.ask_for_release(by=viewer.actor if viewer else None)
    return see_other(
        request,
        "/insight/releases",
        flash=N_("The release is being built. It appears here once it is frozen; nothing appears if no quarter waits."),
    )


@post("/insight/releases/{period:str}/withdrawal", guards=[operator])
async def withdraw(
    request: Web,
    period: FromPath[str],
    data: Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[str]:
    """Withdraw one wrong cell, for good."""
    viewer = request.user
    await actions.withdraw(
        period=period,
        node_id=data.get("node_id", ""),
        metric=data.get("metric", ""),
        by=viewer.actor if viewer else None,
        signed_by=viewer.name if viewer else "exchange",
    )
    return see_other(request, "/insight/releases", flash=N_("The cell is withdrawn. Its place stays empty for good."))


async def _page(request: Web, node_id: str) -> Response[str]:
    language, viewer = language_of(request), request.user
    company: UUID | None = viewer.actor.company_id if viewer and viewer.actor.is_owner else None
    found = await trends.trend(TREE, node_id, language, own_company=company)
    charts = await actions.drawn(TREE, node_id, found, language)
    here = TREE.nodes[node_id]
    children = [
        (child, TREE.nodes[child].name, charts.get(f"{actions.SMALL}:{child}"), _latest(found, child, language))
        for child in TREE.children(node_id)
    ]
    panels = [_shown(panel, found, node_id, charts.get(panel.key), language) for panel in PANELS]
    response = render(
        request,
        "insight/trend.html",
        node=here,
        crumbs=[(TREE.nodes[id].name, _address(id)) for id in TREE.ancestors(node_id)],
        panels=panels,
        gaps=any(row.figure is None and not row.awaited for shown in panels for row in shown.rows),
        children=children,
        address=_address,
        last=found.releases[-1] if found.releases else None,
        last_quarter=actions.quarter_name(found.periods[-1], language) if found.releases else "",
        parent=(TREE.nodes[here.parent].name, _address(here.parent)) if here.parent else None,
        owner=company is not None,
        policy=POLICY,
        nearest_name=lambda id: TREE.nodes[id].name,
    )
    mark = f'W/"{hashlib.sha256(str(response.content).encode()).hexdigest()[:24]}"'
    if request.headers.get("if-none-match") == mark:
        return Response("", status_code=304, headers={"ETag": mark})
    response.headers["ETag"] = mark
    return response


def _shown(panel: Panel, found: Trend, node_id: str, svg: str | None, language: str) -> Shown:
    line = points(panel, found.periods, found.cells.get(node_id, {}))
    own = _own_figures(panel, found)
    rows = [_row(panel, point, own.get(point.period), language) for point in line]
    later = sorted(set(own) - set(found.periods))
    rows += [
        Row(
            actions.quarter_name(period, language), None, None, None, None,
            own=_written(own[period], panel.scale, language), awaited=True,
        )
        for period in later
    ]  # fmt: skip
    nearest = None
    if own and (not line or line[-1].value is None):
        nearest = _nearest(panel, found, node_id, language)
    return Shown(panel, svg, rows[::-1], nearest)


def _row(panel: Panel, point: Point, own: int | None, language: str) -> Row:
    figure = between = None
    if point.value is not None:
        figure = _written(point.value, panel.scale, language)
        if point.low is not None and point.high is not None:
            between = f"{_written(point.low, panel.scale, language)} – {_written(point.high, panel.scale, language)}"
    return Row(
        actions.quarter_name(point.period, language),
        figure,
        between,
        point.band,
        point.withdrawn_at,
        own=None if own is None else _written(own, panel.scale, language),
        beside=None if own is None or point.value is None else against(own, point),
    )


def _own_figures(panel: Panel, found: Trend) -> dict[str, int]:
    if panel.key not in OWN:
        return {}
    return {period: getattr(own, panel.key) for period, own in found.own.items()}


def _nearest(panel: Panel, found: Trend, node_id: str, language: str) -> tuple[str, str] | None:
    for id in reversed(TREE.ancestors(node_id)):
        line = points(panel, found.periods, found.cells.get(id, {}))
        if line and line[-1].value is not None:
            return id, _written(line[-1].value, panel.scale, language)
    return None


def _latest(found: Trend, child: str, language: str) -> str | None:
    line = points(PANELS[0], found.periods, found.cells.get(child, {}))
    value = line[-1].value if line else None
    return None if value is None else actions.written(value, Scale.PERCENT, language)


def _written(value: int, scale: Scale, language: str) -> str:
    if scale is Scale.DAYS and value == 1:
        return say(language, "1 day")
    if scale is Scale.DAYS:
        return say(language, "%(days)s days", days=actions.written(value, scale, language))
    return actions.written(value, scale, language)


def _address(id: str) -> str:
    return "/insight" if id == ROOT else f"/insight/{id}"


def _levels(tree: Tree) -> dict[str, int]:
    counts = {level.name.lower(): 0 for level in Level}
    for id in tree.order:
        counts[tree.level(id).name.lower()] += 1
    return counts


def _counts(papers: trends.Papers) -> tuple[int, int]:
    levels = json.loads(papers.manifest)["cells"].values()
    published = sum(level["published"] for level in levels)
    return published, published + sum(level["not_published"] for level in levels)


def _file(request: Web, content: bytes, kind: str, name: str) -> Response[bytes]:
    mark = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": mark, "Cache-Control": "public, no-cache"}
    if request.headers.get("if-none-match") == mark:
        return Response(b"", status_code=304, headers=headers)
    headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return Response(content, media_type=kind, headers=headers)


router = Router(
    "/",
    route_handlers=[
        start, methodology, releases, cells_csv, manifest, signature, ask_for_release, withdraw, node,
    ],
)  # fmt: skip
