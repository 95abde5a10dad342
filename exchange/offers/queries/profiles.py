"""What the two sides of a talk, or of a request for a price, read of each other before they agree.

Source: guide/domain.md §3, "Visibility", and §10, "shown in bands". Only within a talk or a request: on the pages of
the market all the lots of one seller would change their band in the same instant, and be known for his.
"""

from dataclasses import dataclass

from asyncpg import Record

from exchange.companies.rules import DealsBand, ReliabilityBand
from exchange.listings.rules.categories import region_of


@dataclass(frozen=True, slots=True)
class Profile:
    """A company behind its mask."""

    country: str
    region: str
    """Slug of the exchange's own few regions."""
    deals: DealsBand
    reliability: ReliabilityBand


COLUMNS = (
    "x.country as other_country, x.region as other_region, x.deals_band as other_deals, "
    "x.reliability_band as other_reliability"
)
"""Of the company ``x``, for `profile_in`."""


def profile_in(row: Record, *, region: str | None = None) -> Profile:
    """``region``: where the goods lie, when a seller has said so for the lot."""
    return Profile(
        country=row["other_country"],
        region=region or region_of(row["other_country"], row["other_region"]),
        deals=DealsBand(row["other_deals"]),
        reliability=ReliabilityBand(row["other_reliability"]),
    )
