"""Markets of ``markets.py`` put into the database: companies, facts and the quarters they belong to."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

from exchange.database import connection, execute
from exchange.insight.actions import record_facts
from exchange.insight.rules.facts import ListingFact, OfferFact, Place, TradeFact
from exchange.insight.rules.periods import Quarter
from tests.insight.markets import Market, Trade

FIRST = Quarter(2025, 1)


def company(group: int) -> UUID:
    """The company of a group: tests give most groups one."""
    return uuid5(NAMESPACE_URL, f"company {group:06}")


def legal_group(group: int) -> UUID:
    """Groups sort as their numbers do, so that ranks are the numbers."""
    return UUID(int=(group + 1) << 64)


async def make_companies(groups: Mapping[UUID, UUID] | None = None, count: int = 0, vetting: str = "vetted") -> None:
    """Companies by their legal group; without a mapping, ``count`` groups of one company each."""
    pairs = groups or {company(g): legal_group(g) for g in range(count)}
    at = datetime(2024, 1, 1, tzinfo=UTC)
    async with connection() as c:
        await c.executemany(
            "insert into legal_group (id, name, created_at) values ($1, $2, $3) on conflict do nothing",
            [(group, f"Group {group}", at) for group in sorted(set(pairs.values()))],
        )
        await c.copy_records_to_table(
            "company",
            columns=(
                "id", "legal_group_id", "legal_name", "trading_name", "country", "region", "registration", "currency",
                "vetting", "vetting_reason", "vetting_changed_at", "created_at", "zone", "opens", "closes", "days",
            ),
            records=[
                (id, group, f"Company {id}", f"Company {id}", "FR", "", str(id)[:32], "EUR", vetting, "", at, at,
                 "Europe/Paris", time(9), time(16), [0, 1, 2, 3, 4])
                for id, group in pairs.items()
            ],
        )  # fmt: skip


def place(leaf: str) -> Place:
    parts = leaf.split("/")
    return Place(parts[0], "/".join(parts[:2]), leaf)


def facts_of(trade: Trade, quarter: Quarter, name: str) -> tuple[TradeFact, OfferFact, OfferFact, ListingFact]:
    """A trade, the two talks on its listing (one accepted), and the listing of a third more than was sold."""
    at = quarter.end - timedelta(days=5)
    trade_id = uuid5(NAMESPACE_URL, f"{quarter} {name}")
    where, seller, buyer = place(trade.leaf), company(trade.seller), company(trade.buyer)
    net = round(trade.rrp * trade.recovery / 100)
    listed = at - timedelta(days=trade.days)
    first = OfferFact(trade_id, at, where, seller, buyer, trade.rrp, "EUR", 10_000, round(100 * trade.recovery), True)
    second = OfferFact(uuid5(trade_id, "2"), at, where, seller, buyer, trade.rrp, "EUR", 10_000, 5_000, False)
    return (
        TradeFact(trade_id, at, where, seller, buyer, trade.units, trade.rrp, net, "EUR", listed),
        first,
        second,
        ListingFact(uuid5(trade_id, "l"), at, where, seller, trade.rrp * 4 // 3, trade.rrp, "EUR"),
    )


async def settle(of: Market, first: Quarter = FIRST, name: str = "") -> list[Quarter]:
    """Record every quarter of the market, the first of them in ``first``. Returns the quarters."""
    quarters = [first.plus(n) for n in range(len(of.quarters))]
    for quarter, trades in zip(quarters, of.quarters, strict=True):
        made = [facts_of(trade, quarter, f"{name}{n}") for n, trade in enumerate(trades)]
        await record_facts(
            trades=[m[0] for m in made], offers=[o for m in made for o in m[1:3]], listings=[m[3] for m in made]
        )
    await execute("analyze insight_fact")
    return quarters
