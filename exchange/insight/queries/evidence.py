"""A quarter's evidence out of the facts: one pass of SQL per family. Only the job role may run these."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

import asyncpg

from exchange.database import execute, fetch, fetchrow, fetchval
from exchange.insight.rules.assembly import Evidence, Flows, Quarterly, Votes
from exchange.insight.rules.eligibility import Activity
from exchange.insight.rules.periods import Quarter
from exchange.insight.rules.policy import Policy
from exchange.insight.rules.tree import ROOT
from exchange.insight.rules.volume import Ends, Flow

Amounts = defaultdict[str, dict[Ends, int]]


async def activities(period: Quarter, policy: Policy) -> list[Activity]:
    """How each verified group traded with others in the twelve months that end with ``period``."""
    rows = await fetch(
        """
        with leg as (
            select seller_group as own, buyer_group as other from insight_trade
                where period = any($1) and currency = $2
            union all
            select buyer_group, seller_group from insight_trade where period = any($1) and currency = $2)
        select own, count(*) trades, count(distinct other) counterparties from leg group by own
        """,
        list(period.year_to_date),
        policy.currency,
    )
    return [Activity(row["own"], row["trades"], row["counterparties"]) for row in rows]


async def active_groups(period: Quarter, policy: Policy) -> dict[str, int]:
    """Groups active in twelve months, by node: the smaller the number, the less the node belongs in the tree."""
    rows = await fetch(
        """
        with leg as (
            select distinct unnest(array[$3, sector, category, leaf]) node, g
            from insight_trade, unnest(array[seller_group, buyer_group]) g
            where period = any($1) and currency = $2)
        select node, count(*) n from leg group by node
        """,
        list(period.year_to_date),
        policy.currency,
        ROOT,
    )
    return {row["node"]: row["n"] for row in rows}


async def p90_days_to_clear(period: Quarter, policy: Policy) -> int:
    """Days within which nine tenths of the quarter's lots cleared."""
    found = await fetchval(
        "select percentile_disc(0.9) within group (order by days_to_clear) from insight_trade"
        " where period = $1 and currency = $2",
        str(period),
        policy.currency,
    )
    return int(found or 0)


async def gather(period: Quarter, groups: Sequence[UUID], policy: Policy) -> Evidence:
    """The evidence of ``period`` between ``groups``, whose places in the sequence become their ranks."""
    await _mark(groups)
    earlier = await fetchval("select exists (select from insight_fact where period < $1)", str(period))
    recovery, days = await _trade_medians(period, policy)
    return Evidence(
        now=await _quarterly(period, policy),
        before=await _quarterly(period.plus(-1), policy) if earlier else None,
        recovery=recovery,
        days=days,
        spread=await _spread_medians(period, policy),
    )


async def rows_and_hash(period: Quarter) -> tuple[int, str]:
    """How many facts of every kind the quarter has, and the SHA-256 of them all, in order of their ids."""
    row = await fetchrow(
        """
        with line as (
            select 't' kind, trade_id id, f::text body from insight_fact f where period = $1
            union all select 'o', negotiation_id, f::text from insight_offer_fact f where period = $1
            union all select 'l', lot_id, f::text from insight_listing_fact f where period = $1
            union all select 'v', trade_id, v.trade_id::text from insight_void v join insight_fact f using (trade_id)
                where f.period = $1)
        select count(*) n, encode(sha256(convert_to(coalesce(string_agg(kind || body, e'\\n' order by kind, id), ''),
            'utf8')), 'hex') hash
        from line
        """,
        str(period),
    )
    return (row["n"], row["hash"]) if row else (0, "")


async def members_hash() -> str:
    """The SHA-256 of who belonged to which of the groups that `gather` was given: company and group, a line each."""
    found = await fetchval(
        "select encode(sha256(convert_to(string_agg(c.id || ' ' || c.legal_group_id, e'\\n' order by c.id), 'utf8')),"
        " 'hex') from insight_member m join company c on c.id = m.company"
    )
    return str(found or "")


async def _mark(groups: Sequence[UUID]) -> None:
    """Give every company of an eligible group its group's rank, for the length of the transaction."""
    await execute("drop table if exists insight_member")
    await execute("create temporary table insight_member (company uuid primary key, rank int) on commit drop")
    await execute(
        "insert into insight_member select c.id, g.rank - 1 from company c"
        " join unnest($1::uuid[]) with ordinality g(id, rank) on g.id = c.legal_group_id where c.vetting = 'vetted'",
        list(groups),
    )
    await execute("analyze insight_member")


async def _quarterly(period: Quarter, policy: Policy) -> Quarterly:
    args = (str(period), policy.currency)
    trades = await fetch(
        """
        select f.leaf, s.rank seller, b.rank buyer, count(*) n, sum(f.rrp_minor)::bigint rrp, sum(f.units)::bigint units
        from insight_fact f
        join insight_member s on s.company = f.seller
        join insight_member b on b.company = f.buyer and b.rank <> s.rank
        where f.period = $1 and f.currency = $2
          and not exists (select from insight_void v where v.trade_id = f.trade_id)
        group by f.leaf, s.rank, b.rank
        """,
        *args,
    )
    offers = await fetch(
        """
        select f.leaf, s.rank seller, b.rank buyer, count(*) n, sum(f.rrp_minor)::bigint rrp,
            sum(f.accepted)::bigint accepted
        from insight_offer_fact f
        join insight_member s on s.company = f.seller
        join insight_member b on b.company = f.buyer and b.rank <> s.rank
        where f.period = $1 and f.currency = $2 group by f.leaf, s.rank, b.rank
        """,
        *args,
    )
    listings = await fetch(
        """
        select f.leaf, s.rank seller, null::int buyer, count(*) n, sum(f.rrp_minor)::bigint rrp,
            sum(f.sold_rrp_minor)::bigint sold
        from insight_listing_fact f join insight_member s on s.company = f.seller
        where f.period = $1 and f.currency = $2 group by f.leaf, s.rank
        """,
        *args,
    )
    return Quarterly(
        rrp=_flows(trades, "rrp"),
        units=_flows(trades, "units"),
        trades=_flows(trades, "n"),
        requested=_flows(offers, "rrp"),
        offers=_flows(offers, "n"),
        accepted=_flows(offers, "accepted"),
        listed=_flows(listings, "rrp"),
        sold=_flows(listings, "sold"),
        listings=_flows(listings, "n"),
    )


async def _trade_medians(period: Quarter, policy: Policy) -> tuple[dict[str, Votes], dict[str, Votes]]:
    rows = await fetch(
        """
        select coalesce(f.leaf, f.category, f.sector, $3) node, s.rank seller, b.rank buyer,
            percentile_cont(0.5) within group (order by f.recovery_bp) / 100 recovery,
            percentile_cont(0.5) within group (order by f.days_to_clear) days
        from insight_fact f
        join insight_member s on s.company = f.seller
        join insight_member b on b.company = f.buyer and b.rank <> s.rank
        where f.period = $1 and f.currency = $2
          and not exists (select from insight_void v where v.trade_id = f.trade_id)
        group by s.rank, b.rank, grouping sets ((), (f.sector), (f.category), (f.leaf))
        """,
        str(period),
        policy.currency,
        ROOT,
    )
    return _votes(rows, "recovery"), _votes(rows, "days")


async def _spread_medians(period: Quarter, policy: Policy) -> dict[str, Votes]:
    rows = await fetch(
        """
        select coalesce(f.leaf, f.category, f.sector, $3) node, s.rank seller, b.rank buyer,
            percentile_cont(0.5) within group (order by f.spread_bp) / 100 spread
        from insight_offer_fact f
        join insight_member s on s.company = f.seller
        join insight_member b on b.company = f.buyer and b.rank <> s.rank
        where f.period = $1 and f.currency = $2
        group by s.rank, b.rank, grouping sets ((), (f.sector), (f.category), (f.leaf))
        """,
        str(period),
        policy.currency,
        ROOT,
    )
    return _votes(rows, "spread")


def _flows(rows: Sequence[asyncpg.Record], amount: str) -> Flows:
    amounts: Amounts = defaultdict(dict)
    records: defaultdict[str, int] = defaultdict(int)
    for row in rows:
        amounts[row["leaf"]][row["seller"], row["buyer"]] = row[amount]
        records[row["leaf"]] += row["n"]
    return {leaf: Flow(found, records[leaf]) for leaf, found in amounts.items()}


def _votes(rows: Sequence[asyncpg.Record], value: str) -> dict[str, Votes]:
    found: defaultdict[str, dict[Ends, float]] = defaultdict(dict)
    for row in rows:
        found[row["node"]][row["seller"], row["buyer"]] = row[value]
    return dict(found)
