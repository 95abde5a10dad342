"""Line charts as SVG: drawn once per edition and language, kept in the database, coloured by the page's own sheet.

Vega-Lite draws them on the server; colours are the design's custom properties, so that one drawing serves day and
night, and the text takes the page's own type. No style attribute is left: the content security policy allows none.
"""

import asyncio
import re
from collections.abc import Sequence
from typing import Any, Literal

from markupsafe import escape

from exchange.database import connection, transaction
from exchange.insight.queries.trends import Trend, edition, trend
from exchange.insight.rules.panels import BY_KEY, PANELS, Panel, Point, Scale, points
from exchange.insight.rules.tree import ROOT, Tree
from exchange.web import formats
from exchange.web.translations import LANGUAGES, say

SMALL = "small"
"""Prefix of the small multiples' panel keys: ``small:home``."""
FORMATS: dict[str, Literal["fr-FR", "en-GB"]] = {"fr": "fr-FR", "en": "en-GB"}


def quarter_name(period: str, language: str) -> str:
    """``Q1 2026``, ``T1 2026``."""
    return f"{'T' if language == 'fr' else 'Q'}{period[-1]} {period[:4]}"


def written(value: int, scale: Scale, language: str) -> str:
    """A value as the page writes it, without its noun."""
    return formats.percent(value / 100, language) if scale is Scale.PERCENT else formats.number(value, language)


async def drawn(tree: Tree, node_id: str, found: Trend, language: str) -> dict[str, str]:
    """Every drawing of a node's page, by panel; those not yet kept are drawn and kept."""
    wanted = {panel.key: points(panel, found.periods, found.cells.get(node_id, {})) for panel in PANELS}
    small = {
        f"{SMALL}:{child}": points(BY_KEY["recovery"], found.periods, found.cells.get(child, {}))
        for child in tree.children(node_id)
    }
    shared = _domain([point for line in small.values() for point in line])
    told = {key: line for key, line in (wanted | small).items() if any(point.value is not None for point in line)}
    missing = {key: line for key, line in told.items() if key not in found.charts}
    if not missing:
        return {key: found.charts[key] for key in told}

    def draw_all() -> dict[str, str]:
        made = {}
        for key, line in missing.items():
            is_small = key.startswith(SMALL)
            name = key.split(":", 1)[1] if is_small else node_id
            panel = BY_KEY["recovery"] if is_small else BY_KEY[key]
            title = f"{say(language, panel.title)}, {_path(tree, name, language)}"
            id = re.sub(r"\W+", "-", key)
            made[key] = draw(
                panel, line, language, id=id, title=title, small=is_small, domain=shared if is_small else None
            )
        return made

    fresh = await asyncio.to_thread(draw_all)
    async with transaction(), connection() as c:
        await c.executemany(
            "insert into insight_chart (edition, node_id, panel, language, svg) values ($1, $2, $3, $4, $5)"
            " on conflict do nothing",
            [(found.edition, node_id, key, language, svg) for key, svg in fresh.items()],
        )
    return {key: fresh.get(key) or found.charts[key] for key in told}


async def draw_ahead(tree: Tree) -> None:
    """Draw the pages most read, the whole market's and each sector's, in both languages; forget older editions."""
    for node_id in (ROOT, *tree.children(ROOT)):
        for language in LANGUAGES:
            await drawn(tree, node_id, await trend(tree, node_id, language), language)
    current = await edition()
    async with transaction(), connection() as c:
        await c.execute("delete from insight_chart where edition <> $1", current)


def draw(
    panel: Panel,
    line: Sequence[Point],
    language: str,
    *,
    id: str,
    title: str,
    small: bool = False,
    domain: tuple[int, int] | None = None,
) -> str:
    """One chart: a point per published quarter, a line between neighbours, a gap where nothing is published."""
    import vl_convert  # here, not above: it starts a JavaScript engine, which no process needs that only serves pages

    svg: str = vl_convert.vegalite_to_svg(_spec(panel, line, language, small, domain), format_locale=FORMATS[language])
    said = ", ".join(
        f"{quarter_name(p.period, language)}: "
        + (say(language, "not published") if p.value is None else written(p.value, panel.scale, language))
        for p in line
    )
    return _dressed(svg, f"chart-{id}", title, said)


def _spec(
    panel: Panel, line: Sequence[Point], language: str, small: bool, domain: tuple[int, int] | None
) -> dict[str, Any]:
    divisor = 100 if panel.scale is Scale.PERCENT else 1
    names = [quarter_name(point.period, language) for point in line]
    low, high = domain or _domain(line)
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


def _dressed(svg: str, id: str, title: str, said: str) -> str:
    """Scales with its box, wears the page's type, and speaks: ``title`` and the values in words."""
    width, height = (float(n) for n in re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)[0])
    body = re.sub(r"^<svg[^>]*>", "", svg.strip())
    body = re.sub(r' (?:font-family|aria-\w+|role)="[^"]*"', "", body)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="line-chart" viewBox="0 0 {width:g} {height:g}" role="img"'
        f' aria-labelledby="{id}-t {id}-d"><title id="{id}-t">{escape(title)}</title>'
        f'<desc id="{id}-d">{escape(said)}</desc>'
    )
    return head + body


def _path(tree: Tree, node_id: str, language: str) -> str:
    return " › ".join(say(language, name) for name in tree.nodes[node_id].names)
