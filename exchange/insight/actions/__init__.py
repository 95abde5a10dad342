"""Every write of insight: facts are appended, releases frozen, cells withdrawn."""

from exchange.insight.actions.facts import record_closed_listings, record_facts, record_trade, void_trade
from exchange.insight.actions.release import Released, release, withdraw

__all__ = ["Released", "record_closed_listings", "record_facts", "record_trade", "release", "void_trade", "withdraw"]
