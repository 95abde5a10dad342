"""Line charts as SVG: drawn once per edition and language, kept in the database, coloured by the page's own sheet.

Vega-Lite draws them on the server; colours are the design's custom properties, so that one drawing serves day and
night, and the text takes the page's own type. No style attribute is left: the content security policy allows none.
"""

import asyncio
import json
import logging
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import escape

from exchange.database import connection, execute, transaction
from exchange.insight.queries.trends import Trend, charts_of, edition, trend
from exchange.insight.rules.panels import BY_KEY, PANELS, Panel, Point, Scale, points
from exchange.insight.rules.tree import ROOT, Tree
from exchange.web import formats
from exchange.web.translations import LANGUAGES, say

SMALL = "small"
"""Prefix of the small multiples' panel keys: ``small:home``."""
FORMATS = {"fr": "fr-FR", "en": "en-GB"}
DRAW = """
import json, sys, vl_convert
orders = json.load(sys.stdin)
json.dump([vl_convert.vegalite_to_svg(spec, format_locale=locale) for locale, spec in orders], sys.stdout)
"""
PATIENCE = 300
"""Seconds for one batch of drawings: they take a tenth of one each."""

log = logging.getLogger(__name__)
_one_at_a_time = asyncio.Lock()


def quarter_name(period: str, language: str) -> str:
    """``Q1 2026``, ``T1 2026``."""
    return f"{'T' if language == 'fr' else 'Q'}{period[-1]} {period[:4]}"


def written(value: int, scale: Scale, language: str) -> str:
    """A value as the page writes it, without its noun."""
    return formats.percent(value / 100, language) if scale is Scale.PERCENT else formats.number(value, language)


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing to be made: what Vega-Lite is told, and what it says to those who do not see it."""

    id: str
    language: str
    title: str
    said: str
    spec: Mapping[str, Any]


async def drawn(tree: Tree, node_id: str, found: Trend, language: str) -> dict[str, str]:
    """Every drawing of a node's page, by panel; those not yet kept are drawn and kept.

    Should drawing fail, the page goes out with its tables alone.
    """
    charts = _charts(tree, node_id, found, language)
    kept = {key: found.charts[key] for key in charts if key in found.charts}
    if len(kept) == len(charts):
        return kept
    async with _one_at_a_time:  # whoever waited here finds what the one before has drawn
        kept |= await charts_of(found.edition, node_id, language)
        missing = {key: chart for key, chart in charts.items() if key not in kept}
        if missing:
            fresh = await _draw(list(missing.values()))
            await _keep(found.edition, node_id, language, dict(zip(missing, fresh, strict=False)))
            kept |= dict(zip(missing, fresh, strict=False))
    return {key: kept[key] for key in charts if key in kept}


async def draw_ahead(tree: Tree) -> None:
    """Draw the pages most read, the whole market's and each sector's, in both languages; forget older editions."""
    charts: dict[tuple[str, str, str], Chart] = {}
    for language in LANGUAGES:
        for node_id in (ROOT, *tree.children(ROOT)):
            found = await trend(tree, node_id, language)
            charts |= {
                (node_id, language, key): chart
                for key, chart in _charts(tree, node_id, found, language).items()
                if key not in found.charts
            }
    current = await edition()
    for (node_id, language, key), svg in zip(charts, await _draw(list(charts.values())), strict=False):
        await _keep(current, node_id, language, {key: svg})
    current = await edition()
    async with transaction():
        await execute("delete from insight_chart where edition <> $1", current)


def _charts(tree: Tree, node_id: str, found: Trend, language: str) -> dict[str, Chart]:
    """What a node's page draws: its panels, and one small chart per child on one scale; empty ones are left out."""
    lines = {panel.key: points(panel, found.periods, found.cells.get(node_id, {})) for panel in PANELS}
    small = {
        child: points(BY_KEY["recovery"], found.periods, found.cells.get(child, {})) for child in tree.children(node_id)
    }
    shared = _domain([point for line in small.values() for point in line])
    return {
        key: _chart(key, BY_KEY[key], line, language, _path(tree, node_id, language))
        for key, line in lines.items()
        if _tells(line)
    } | {
        f"{SMALL}:{child}": _chart(
            f"{SMALL}:{child}", BY_KEY["recovery"], line, language, _path(tree, child, language), shared
        )
        for child, line in small.items()
        if _tells(line)
    }


def _tells(line: Sequence[Point]) -> bool:
    return any(point.value is not None for point in line)


def _chart(
    key: str, panel: Panel, line: Sequence[Point], language: str, path: str, shared: tuple[int, int] | None = None
) -> Chart:
    said = ", ".join(
        f"{quarter_name(p.period, language)}: "
        + (say(language, "not published") if p.value is None else written(p.value, panel.scale, language))
        for p in line
    )
    id = "chart-" + re.sub(r"\W+", "-", key)
    return Chart(id, language, f"{say(language, panel.title)}, {path}", said, _spec(panel, line, language, shared))


async def _draw(charts: Sequence[Chart]) -> list[str]:
    """All of them, or none when the drawing process fails.

    A process of its own: the JavaScript engine inside would keep 100 MB of every process that ever drew.
    """
    if not charts:
        return []
    order = json.dumps([[FORMATS[chart.language], chart.spec] for chart in charts]).encode()
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", DRAW, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        made, _ = await asyncio.wait_for(child.communicate(order), PATIENCE)
    except TimeoutError:
        child.kill()
        await child.wait()
        made = b""
    if child.returncode != 0:
        log.error("%s charts could not be drawn", len(charts))
        return []
    return [_dressed(svg, chart) for svg, chart in zip(json.loads(made), charts, strict=True)]


async def _keep(edition: str, node_id: str, language: str, drawings: Mapping[str, str]) -> None:
    async with transaction(), connection() as c:
        await c.executemany(
            "insert into insight_chart (edition, node_id, panel, language, svg) values ($1, $2, $3, $4, $5)"
            " on conflict do nothing",
            [(edition, node_id, key, language, svg) for key, svg in drawings.items()],
        )


def _spec(panel: Panel, line: Sequence[Point], language: str, shared: tuple[int, int] | None) -> dict[str, Any]:
    small = shared is not None
    divisor = 100 if panel.scale is Scale.PERCENT else 1
    names = [quarter_name(point.period, language) for point in line]
    low, high = shared or _domain(line)
    values = [
        {
            "q": name,
            "v": None if p.value is None else p.value / divisor,
            "low": None if p.low is None or p.value is None else p.low / divisor,
            "high": None if p.high is None or p.value is None else p.high / divisor,
        }
        for name, p in zip(names, line, strict=True)
    ]
    x = {
        "field": "q",
        "type": "ordinal",
        "sort": None,
        "scale": {"domain": names},
        "axis": {
            "title": None,
            "labelAngle": 0,
            "labelExpr": "split(datum.label, ' ')",
            "labelOverlap": "greedy",
            "grid": False,
        },
    }
    y = {
        "field": "v",
        "type": "quantitative",
        "scale": {"domain": [low / divisor, high / divisor], "nice": True, "zero": False},
        "axis": {"title": None, "format": ".0%" if divisor == 100 else ",.0f", "tickCount": 3 if small else 5},
    }
    band = {
        "mark": {"type": "area", "color": "var(--brand)", "opacity": 0.14, "invalid": "break-paths-show-domains"},
        "encoding": {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}},
    }
    ends = {
        "mark": {"type": "rule", "color": "var(--brand)", "opacity": 0.35, "strokeWidth": 3, "invalid": "filter"},
        "encoding": {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}},
        "transform": [{"filter": "datum.low !== null"}],
    }
    main = {
        "mark": {"type": "line", "color": "var(--brand)", "strokeWidth": 2, "invalid": "break-paths-show-domains"},
        "encoding": {"x": x, "y": y},
    }
    dots = {
        "mark": {"type": "point", "filled": True, "color": "var(--brand)", "size": 28 if small else 44, "opacity": 1},
        "encoding": {"x": x, "y": y},
        "transform": [{"filter": "datum.v !== null"}],
    }
    ranged = [band, ends] if any(p.low is not None for p in line) and not small else []
    return {
        "data": {"values": values},
        "width": 240 if small else 380,
        "height": 90 if small else 170,
        "background": None,
        "layer": [*ranged, main, dots],
        "config": {
            "font": "sans-serif",
            "view": {"stroke": None},
            "axis": {
                "labelColor": "var(--ink-soft)",
                "domainColor": "var(--line-strong)",
                "tickColor": "var(--line-strong)",
                "gridColor": "var(--line)",
                "labelFontSize": 12,
            },
        },
    }


def _domain(line: Sequence[Point]) -> tuple[int, int]:
    """Where the values lie, with a little air; multiples of five so that neighbours look alike."""
    values = [v for p in line for v in (p.value, p.low, p.high) if v is not None]
    if not values:
        return (0, 100)
    return (max(0, (min(values) - 4) // 5 * 5), (max(values) + 8) // 5 * 5)


def _dressed(svg: str, chart: Chart) -> str:
    """Scales with its box, wears the page's type, and speaks: its title, and its values in words."""
    width, height = (float(n) for n in re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)[0])
    body = re.sub(r"^<svg[^>]*>", "", svg.strip())
    body = re.sub(r' (?:font-family|aria-\w+|role)="[^"]*"', "", body)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="line-chart" viewBox="0 0 {width:g} {height:g}" role="img"'
        f' aria-labelledby="{chart.id}-t {chart.id}-d"><title id="{chart.id}-t">{escape(chart.title)}</title>'
        f'<desc id="{chart.id}-d">{escape(chart.said)}</desc>'
    )
    return head + body


def _path(tree: Tree, node_id: str, language: str) -> str:
    return " › ".join(say(language, name) for name in tree.nodes[node_id].names)
