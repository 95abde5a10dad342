"""What is kept of a trade, a talk and a listing once they are over: ratios, a quarter and a leaf. Guide §3."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from exchange.insight.rules.periods import Quarter
from exchange.insight.rules.taxonomy import place
from exchange.insight.rules.tree import MIXED, leaf_of


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the tree a fact counts: node ids of its sector, category and leaf."""

    sector: str
    category: str
    leaf: str

    @classmethod
    def of(cls, rrp_by_category: Mapping[str, int], region: str) -> Self:
        """The leaf holding 80 % of the retail value, else mixed lots. Keys are category slugs."""
        kind = leaf_of(rrp_by_category)
        return cls(*place(kind, region)) if kind != MIXED else cls(MIXED, MIXED, MIXED)


@dataclass(frozen=True, slots=True)
class TradeFact:
    """One settled trade between two companies."""

    trade_id: UUID
    settled_at: datetime
    place: Place
    seller: UUID
    buyer: UUID
    units: int
    rrp_minor: int
    """Retail value of the units traded."""
    net_minor: int
    """What was paid for them, ex VAT."""
    currency: str
    listed_at: datetime

    @property
    def row(self) -> tuple[object, ...]:
        """As ``insight_fact`` keeps it."""
        recovery_bp = (20_000 * self.net_minor + self.rrp_minor) // (2 * self.rrp_minor)
        days = max(0, (self.settled_at - self.listed_at).days)
        return (
            self.trade_id, str(Quarter.holding(self.settled_at)), self.place.sector, self.place.category,
            self.place.leaf, self.seller, self.buyer, self.units, self.rrp_minor, self.currency, recovery_bp, days,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class OfferFact:
    """One talk on a listing that is closed."""

    negotiation_id: UUID
    closed_at: datetime
    """When the listing closed."""
    place: Place
    seller: UUID
    buyer: UUID
    rrp_minor: int
    """Retail value of the units asked for."""
    currency: str
    unit_ask_minor: int
    first_offer_minor: int
    """The buyer's first price for one unit."""
    accepted: bool

    @property
    def row(self) -> tuple[object, ...]:
        """As ``insight_offer_fact`` keeps it; an offer above the ask has no spread."""
        below = max(0, self.unit_ask_minor - self.first_offer_minor)
        spread_bp = (20_000 * below + self.unit_ask_minor) // (2 * self.unit_ask_minor)
        return (
            self.negotiation_id, str(Quarter.holding(self.closed_at)), self.place.sector, self.place.category,
            self.place.leaf, self.seller, self.buyer, self.rrp_minor, self.currency, spread_bp, int(self.accepted),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ListingFact:
    """One listing that is closed."""

    lot_id: UUID
    closed_at: datetime
    place: Place
    seller: UUID
    rrp_minor: int
    sold_rrp_minor: int
    currency: str

    @property
    def row(self) -> tuple[object, ...]:
        """As ``insight_listing_fact`` keeps it."""
        return (
            self.lot_id, str(Quarter.holding(self.closed_at)), self.place.sector, self.place.category,
            self.place.leaf, self.seller, self.rrp_minor, self.sold_rrp_minor, self.currency,
        )  # fmt: skip
