"""The seven lines of a trend page, from published cells only. Guide §13."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from exchange.errors import N_
from exchange.insight.rules.metrics import Metric
from exchange.insight.rules.rounding import index


class Scale(StrEnum):
    """How a panel's values are written."""

    PERCENT = "percent"
    DAYS = "days"
    INDEX = "index"


@dataclass(frozen=True, slots=True)
class Told:
    """What a release tells of one cell; ``value`` None where it tells nothing."""

    value: int | None = None
    band: str | None = None
    withdrawn_at: datetime | None = None


NOTHING = Told()
Cells = Mapping[tuple[str, Metric], Told]
"""By period and metric, of one node."""


@dataclass(frozen=True, slots=True)
class Point:
    """One quarter of a panel."""

    period: str
    value: int | None
    low: int | None = None
    high: int | None = None
    band: str | None = None
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    """A line and what it means."""

    key: str
    title: str
    meaning: str
    scale: Scale
    metric: Metric
    """The metric it shows, or the first of the two it divides."""
    over: Metric | None = None


PANELS = (
    Panel(
        "recovery", N_("Recovery rate"), N_("Price got for every 100 of recommended retail price."),
        Scale.PERCENT, Metric.RECOVERY,
    ),
    Panel(
        "days", N_("Days to clear"), N_("Days from publication to settlement, lots that sold."), Scale.DAYS, Metric.DAYS
    ),
    Panel(
        "spread", N_("Offer-to-ask spread"), N_("How far the first offer lay below the price asked."),
        Scale.PERCENT, Metric.SPREAD,
    ),
    Panel(
        "acceptance", N_("Acceptance rate"), N_("Talks that ended in an agreement."), Scale.PERCENT, Metric.ACCEPTANCE
    ),
    Panel(
        "volume", N_("Volume index"),
        N_("Retail value traded; the first published quarter is 100, in steps of about a quarter."),
        Scale.INDEX, Metric.TRADED,
    ),
    Panel(
        "demand", N_("Demand against supply"),
        N_("Retail value asked for in offers, for every 100 listed; coarse steps."),
        Scale.INDEX, Metric.DEMAND, Metric.SUPPLY,
    ),
    Panel(
        "sell-through", N_("Sell-through"), N_("Share of the retail value listed that was sold."),
        Scale.PERCENT, Metric.SELL_THROUGH,
    ),
)  # fmt: skip
BY_KEY = {panel.key: panel for panel in PANELS}


def points(panel: Panel, periods: Sequence[str], cells: Cells) -> tuple[Point, ...]:
    """The panel's quarters; one that is not published is a gap, never a guess."""
    if panel.metric is Metric.TRADED:
        return tuple(_indexed(periods, cells))
    if panel.over is not None:
        return tuple(_divided(panel.metric, panel.over, periods, cells))
    return tuple(_plain(panel.metric, periods, cells))


def _plain(metric: Metric, periods: Sequence[str], cells: Cells) -> Iterable[Point]:
    for period in periods:
        told = cells.get((period, metric), NOTHING)
        low, high = cells.get((period, metric.low), NOTHING), cells.get((period, metric.high), NOTHING)
        yield Point(period, told.value, low.value, high.value, told.band, told.withdrawn_at)


def _indexed(periods: Sequence[str], cells: Cells) -> Iterable[Point]:
    first: int | None = None
    for period in periods:
        told = cells.get((period, Metric.TRADED), NOTHING)
        first = first or told.value
        value = index(told.value, first) if told.value is not None and first else None
        yield Point(period, value, band=told.band if value is not None else None, withdrawn_at=told.withdrawn_at)


def _divided(part: Metric, whole: Metric, periods: Sequence[str], cells: Cells) -> Iterable[Point]:
    for period in periods:
        above, below = cells.get((period, part), NOTHING), cells.get((period, whole), NOTHING)
        value = index(above.value, below.value) if above.value is not None and below.value else None
        withdrawn = above.withdrawn_at or below.withdrawn_at
        yield Point(period, value, band=above.band if value is not None else None, withdrawn_at=withdrawn)


class Against(StrEnum):
    """Where an own figure lies beside the published middle range; never a rank."""

    BELOW = "below"
    WITHIN = "within"
    ABOVE = "above"


def against(own: int, point: Point) -> Against | None:
    """None where no range is published."""
    if point.low is None or point.high is None:
        return None
    if own < point.low:
        return Against.BELOW
    return Against.ABOVE if own > point.high else Against.WITHIN
