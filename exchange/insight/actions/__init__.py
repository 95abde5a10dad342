"""Every write of insight: facts are appended, releases frozen, cells withdrawn."""

from exchange.insight.actions.charts import SMALL, draw_ahead, drawn, quarter_name, written
from exchange.insight.actions.facts import record_closed_listings, record_facts, record_trade, void_trade
from exchange.insight.actions.release import Released, ask_for_release, release, withdraw

__all__ = [
    "SMALL",
    "Released",
    "ask_for_release",
    "draw_ahead",
    "drawn",
    "quarter_name",
    "record_closed_listings",
    "record_facts",
    "record_trade",
    "release",
    "void_trade",
    "withdraw",
    "written",
]
