"""Facts are appended once, when a trade, a talk or a listing is over, and never changed."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from exchange.clock import now
from exchange.database import connection, execute, transaction
from exchange.insight.queries import facts
from exchange.insight.rules.facts import ListingFact, OfferFact, TradeFact

TRADE = (
    "trade_id", "period", "sector", "category", "leaf", "seller", "buyer", "units", "rrp_minor", "currency",
    "recovery_bp", "days_to_clear",
)  # fmt: skip
OFFER = (
    "negotiation_id", "period", "sector", "category", "leaf", "seller", "buyer", "rrp_minor", "currency", "spread_bp",
    "accepted",
)  # fmt: skip
LISTING = (
    "lot_id", "period", "sector", "category", "leaf", "seller", "rrp_minor", "sold_rrp_minor", "currency",
)  # fmt: skip


async def record_trade(*, deal_id: UUID) -> None:
    """The deal is settled: one fact, once; none when its retail value is unknown or nothing was paid in the end."""
    async with transaction():
        fact = await facts.settled_trade(deal_id)
        if fact is not None:
            await _append("insight_fact", TRADE, [fact.row])


async def record_closed_listings(*, limit: int = 1000) -> int:
    """Listings closed for good that have no fact yet, and the talks on them. Returns how many listings."""
    async with transaction():
        listings = await facts.closed_listings(limit)
        talks = await facts.talks_on(listings)
        await _append("insight_listing_fact", LISTING, [fact.row for fact in listings])
        await _append("insight_offer_fact", OFFER, [fact.row for fact in talks])
    return len(listings)


async def record_facts(
    *,
    trades: Iterable[TradeFact] = (),
    offers: Iterable[OfferFact] = (),
    listings: Iterable[ListingFact] = (),
) -> None:
    """Many facts at once, by COPY: for a seed. None of them may stand there already."""
    async with transaction(), connection() as c:
        await c.copy_records_to_table("insight_fact", columns=TRADE, records=[fact.row for fact in trades])
        await c.copy_records_to_table("insight_offer_fact", columns=OFFER, records=[fact.row for fact in offers])
        await c.copy_records_to_table("insight_listing_fact", columns=LISTING, records=[fact.row for fact in listings])


async def void_trade(*, trade_id: UUID, reason: str) -> None:
    """The trade was undone: later releases leave it out. Doing it twice changes nothing."""
    async with transaction():
        await execute(
            "insert into insight_void (trade_id, reason, at) values ($1, $2, $3) on conflict do nothing",
            trade_id,
            reason,
            now(),
        )


async def _append(table: str, columns: Sequence[str], rows: Sequence[tuple[object, ...]]) -> None:
    places = ", ".join(f"${n}" for n in range(1, len(columns) + 1))
    sql = f"insert into {table} ({', '.join(columns)}) values ({places}) on conflict do nothing"  # noqa: S608  fixed names
    async with connection() as c:
        await c.executemany(sql, rows)
