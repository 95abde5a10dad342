"""Releases on a real database: the same figures as the plain rules, frozen for good, out of the web role's reach."""

import json
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from exchange import clock
from exchange.app import create_app
from exchange.database import WEB_ROLE, execute, fetch, fetchval, transaction
from exchange.errors import NotSeen
from exchange.insight.actions import record_facts, release, signing, void_trade, withdraw
from exchange.insight.queries import evidence as queries
from exchange.insight.rules import papers
from exchange.insight.rules.assembly import Cell, assemble
from exchange.insight.rules.eligibility import eligible
from exchange.insight.rules.metrics import Metric
from exchange.insight.rules.periods import Quarter
from exchange.insight.rules.policy import Policy
from exchange.insight.rules.timing import NothingToRelease, NoTrades, OlderThanTheLast, ReleasedAlready, StillAgeing
from exchange.settings import settings
from tests.insight.facts import FIRST, company, facts_of, legal_group, make_companies, settle
from tests.insight.markets import Market, Trade, evidence, market

POLICY = Policy()


@pytest.fixture(autouse=True)
def _own_data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(settings()), "data_dir", tmp_path, raising=False)


def after(quarter: Quarter, days: int = 200) -> AbstractContextManager[None]:
    return clock.frozen(quarter.end + timedelta(days=days))


def small(quarters: int = 2, seed: int = 0) -> Market:
    return market(seed, (3, 3, 3), groups=40, trades=700, quarters=quarters)


async def stand(of: Market) -> list[Quarter]:
    await make_companies(count=40)
    return await settle(of)


async def cells(period: Quarter) -> list[Cell]:
    rows = await fetch("select * from insight_release_cell where period = $1", str(period))
    return [Cell(r["node_id"], Metric(r["metric"]), r["value"], r["band"]) for r in rows]


async def test_the_database_gathers_what_the_plain_rules_compute(db: None) -> None:
    of = small()
    _, last = await stand(of)
    groups = eligible(await queries.activities(last, POLICY), POLICY)
    assert groups == tuple(legal_group(g) for g in range(40))
    found = await queries.gather(last, groups, POLICY)
    plain = evidence(of)
    for name in ("rrp", "units", "trades", "listed", "sold", "listings", "requested", "offers", "accepted"):
        for ours, theirs in ((found.now, plain.now), (found.before, plain.before)):
            ours_by_leaf, theirs_by_leaf = getattr(ours, name), getattr(theirs, name)
            assert {leaf: (dict(f.amounts), f.records) for leaf, f in ours_by_leaf.items()} == {
                leaf: (dict(f.amounts), f.records) for leaf, f in theirs_by_leaf.items()
            }, name
    for node, pairs in plain.recovery.items():
        assert found.recovery[node].keys() == pairs.keys()
        assert all(abs(found.recovery[node][ends] - value) < 0.011 for ends, value in pairs.items())
    assert found.days == plain.days


async def test_a_release_holds_every_node_and_what_the_rules_allow(db: None) -> None:
    of = small()
    first, last = await stand(of)
    told: list[str] = []
    with after(last):
        made = await release(period=str(first), tree=of.tree, progress=told.append)
        assert (await release(tree=of.tree)).period == str(last)
    assert made.cells == len(of.tree.order) * len(Metric)
    assert 0 < made.published < made.cells
    assert len(told) == 4
    groups = eligible(await queries.activities(last, POLICY), POLICY)
    expected = assemble(of.tree, await queries.gather(last, groups, POLICY), POLICY).cells
    assert set(await cells(last)) == set(expected)


async def test_a_manifest_is_signed_chained_and_hashes_the_csv(db: None) -> None:
    of = small()
    quarters = await stand(of)
    with after(quarters[-1]):
        for quarter in quarters:
            await release(period=str(quarter), tree=of.tree)
    rows = await fetch("select * from insight_release order by period")
    manifests = [json.loads(row["manifest"]) for row in rows]
    for row, manifest in zip(rows, manifests, strict=True):
        assert signing.verify(row["manifest"].encode(), row["signature"], manifest["public_key"])
        assert not signing.verify(row["manifest"].encode() + b" ", row["signature"], manifest["public_key"])
        by_place = {(cell.node, cell.metric): cell for cell in await cells(Quarter.parse(row["period"]))}
        csv = papers.sheet(
            of.tree, row["period"], row["id"], [by_place[id, m] for id in of.tree.order for m in Metric], POLICY
        )
        assert papers.sha256(csv) == manifest["cells_sha256"]
        assert not {"margin", "coalition"} & manifest["policy"].keys()
    assert manifests[0]["previous_sha256"] is None
    assert manifests[1]["previous_sha256"] == rows[0]["manifest_sha256"]
    private = json.loads(await fetchval("select body from insight_private_manifest limit 1"))
    assert private["policy"]["margin"] == 30


async def test_a_quarter_waits_and_is_released_once_and_in_order(db: None) -> None:
    of = small(quarters=3)
    first, second, third = await stand(of)
    with after(first, 80), pytest.raises(StillAgeing):
        await release(period=str(first), tree=of.tree)
    with after(first, 80), pytest.raises(NothingToRelease):
        await release(tree=of.tree)
    with after(third):
        await release(period=str(second), tree=of.tree)
        with pytest.raises(ReleasedAlready):
            await release(period=str(second), tree=of.tree)
        with pytest.raises(OlderThanTheLast):
            await release(period=str(first), tree=of.tree)
        with pytest.raises(NoTrades):
            await release(period="2025Q4", tree=of.tree)
        await release(tree=of.tree)
        with pytest.raises(NothingToRelease):
            await release(tree=of.tree)


async def test_slow_goods_age_longer(db: None) -> None:
    await make_companies(count=2)
    slow = [facts_of(Trade("s0/c0/r0", 0, 1, 1000, 40.0, days=50), FIRST, str(n))[0] for n in range(10)]
    await record_facts(trades=slow)
    with after(FIRST, 149), pytest.raises(StillAgeing):
        await release(period=str(FIRST))
    with after(FIRST, 150):
        await release(period=str(FIRST))


@pytest.mark.parametrize(
    "table",
    ["insight_fact", "insight_offer_fact", "insight_listing_fact", "insight_void", "insight_release",
     "insight_release_cell", "insight_release_withdrawal", "insight_private_manifest"],
)  # fmt: skip
@pytest.mark.parametrize("change", ["update {0} set period = '2020Q1'", "delete from {0}", "truncate {0} cascade"])
async def test_t2c_the_database_refuses_any_change_to_its_owner_too(db: None, table: str, change: str) -> None:
    change = change.replace("period = '2020Q1'", "at = now()") if table == "insight_void" else change
    with pytest.raises(asyncpg.RestrictViolationError):
        await execute(change.format(table))


async def test_t2c_the_same_cell_cannot_be_told_twice(db: None) -> None:
    of = small()
    first, _ = await stand(of)
    with after(first):
        await release(period=str(first), tree=of.tree)
    with pytest.raises(asyncpg.UniqueViolationError):
        await execute(
            "insert into insight_release_cell (period, node_id, metric, status, value, band)"
            " values ($1, 'all', 'recovery', 'published', 99, '50+')",
            str(first),
        )


async def test_a_wrong_cell_is_withdrawn_with_its_range_and_nothing_takes_its_place(db: None) -> None:
    of = small()
    first, _ = await stand(of)
    with after(first):
        await release(period=str(first), tree=of.tree)
        await withdraw(period=str(first), node_id="all", metric="recovery", by=None)
    gone = {r["metric"] for r in await fetch("select metric from insight_release_withdrawal")}
    assert gone == {"recovery", "recovery_p25", "recovery_p75"}
    with pytest.raises(NotSeen):
        await withdraw(period=str(first), node_id="all", metric="recovery", by=None)
    with pytest.raises(NotSeen):
        await withdraw(period=str(first), node_id="nowhere", metric="recovery", by=None)


# --- who counts -----------------------------------------------------------------------------------------------------


async def test_t4_accounts_of_one_owner_count_as_one_group(db: None) -> None:
    leaf = "s0/c0/r0"
    trades = tuple(Trade(leaf, s, 20 + (s + d) % 12, 1000, 40.0) for s in range(12) for d in range(3))
    of = Market(small().tree, (trades,))
    owners = {company(g): legal_group(1 if 1 <= g <= 6 else g) for g in range(32)}
    await make_companies(owners)
    (quarter,) = await settle(of)
    with after(quarter):
        await release(period=str(quarter), tree=of.tree)
    assert all(cell.value is None for cell in await cells(quarter))


@pytest.mark.parametrize(("floor", "told"), [(24, True), (25, False)], ids=["T4", "T10"])
async def test_the_same_accounts_as_twelve_owners_are_published_where_the_node_has_groups_enough(
    db: None, floor: int, told: bool
) -> None:
    trades = tuple(Trade("s0/c0/r0", s, 20 + (s + d) % 12, 1000, 40.0) for s in range(12) for d in range(3))
    of = Market(small().tree, (trades,))
    await make_companies(count=32)
    (quarter,) = await settle(of)
    with after(quarter):
        await release(period=str(quarter), tree=of.tree, policy=Policy(node_groups=floor))
    assert any(cell.value is not None for cell in await cells(quarter)) is told
    private = json.loads(await fetchval("select body from insight_private_manifest"))
    assert ("s0/c0/r0" in private["thin_nodes"]) is not told
    assert bool(private["margins"]["trade"]) is told
    assert len(private["groups_sha256"]) == 64


@pytest.mark.parametrize("wash", ["unvetted", "inside a group", "undone", "barely seen", "other currency"])
async def test_t13_wash_trades_change_no_byte(db: None, wash: str) -> None:
    of = small()
    _, last = await stand(of)
    before = await _untouched(of, last)
    shill = 900
    await make_companies({company(shill): legal_group(0 if wash == "inside a group" else shill)},
                         vetting="awaiting" if wash == "unvetted" else "vetted")  # fmt: skip
    count = 2 if wash == "barely seen" else 50
    trades = [Trade("s0/c0/r0", shill, 0, 999_999, 99.0) for _ in range(count)]
    made = [facts_of(trade, last, f"wash {n}")[0] for n, trade in enumerate(trades)]
    if wash == "other currency":
        made = [replace(fact, currency="GBP") for fact in made]
    await record_facts(trades=made)
    if wash == "undone":
        for fact in made:
            await void_trade(trade_id=fact.trade_id, reason="never delivered")
    assert await _draft(of, last) == before


async def test_t13_kills_counting_unverified_groups(db: None) -> None:
    of = small()
    _, last = await stand(of)
    before = await _untouched(of, last)
    shills = {company(900 + n): legal_group(900 + n) for n in range(8)}
    await make_companies(shills)
    trades = [Trade("s0/c0/r0", 900 + n % 8, n % 5, 999_999, 99.0) for n in range(200)]
    await record_facts(trades=[facts_of(trade, last, f"wash {n}")[0] for n, trade in enumerate(trades)])
    assert await _draft(of, last) != before


async def _untouched(of: Market, quarter: Quarter) -> tuple[Cell, ...]:
    """The same for every test that begins with the same market."""
    if id(of) not in _drafts:
        _drafts[id(of)] = await _draft(of, quarter)
    return _drafts[id(of)]


_drafts: dict[int, tuple[Cell, ...]] = {}
"""By the market's identity: ``market`` makes each only once."""


async def _draft(of: Market, quarter: Quarter) -> tuple[Cell, ...]:
    groups = eligible(await queries.activities(quarter, POLICY), POLICY)
    return assemble(of.tree, await queries.gather(quarter, groups, POLICY), POLICY).cells


# --- the web role ---------------------------------------------------------------------------------------------------

FACTS = ("insight_fact", "insight_offer_fact", "insight_listing_fact", "insight_void", "insight_trade",
         "insight_private_manifest")  # fmt: skip


@pytest.mark.parametrize("table", FACTS)
async def test_the_web_role_cannot_read_a_fact(db: None, table: str) -> None:
    await execute("set local role exchange_web")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await fetch(f"select 1 from {table}")  # noqa: S608  fixed names


@pytest.mark.parametrize("table", ["insight_release", "insight_release_cell"])
async def test_the_web_role_reads_releases_and_makes_none(db: None, table: str) -> None:
    await execute("set local role exchange_web")
    assert await fetch(f"select 1 from {table}") == []  # noqa: S608  fixed names
    async with transaction():
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await execute(f"insert into {table} default values")


async def test_the_web_role_may_do_everything_else(db: None) -> None:
    """A table that a later migration makes is the web's to use, unless it is one of insight's."""
    refused = await fetch(
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' and not ("
        "has_table_privilege('exchange_web', oid, 'select') and has_table_privilege('exchange_web', oid, 'insert'))"
    )
    views = {"insight_trade"}
    assert {row["relname"] for row in refused} == (set(FACTS) - views) | {"insight_release", "insight_release_cell"}


async def test_web_processes_are_that_role_from_their_first_query_to_their_last(database_url: str) -> None:
    app = create_app()
    async with app.lifespan():
        assert await fetchval("select current_user") == WEB_ROLE
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await fetch("select 1 from insight_fact")
        async with transaction():
            assert await fetchval("select current_user") == WEB_ROLE


async def test_one_company_s_own_medians_are_all_the_web_role_learns_of_facts(db: None) -> None:
    await make_companies(count=3)
    trades = [Trade("home/furniture/fr-north", 0, 1, 1000, recovery, days=9) for recovery in (30.0, 40.0, 60.0)]
    await record_facts(trades=[facts_of(trade, FIRST, str(n))[0] for n, trade in enumerate(trades)])
    await execute("set local role exchange_web")
    mine = await fetch("select * from insight_own($1) order by node_id", company(0))
    assert {r["node_id"] for r in mine} == {"all", "home", "home/furniture", "home/furniture/fr-north"}
    assert {(r["recovery_bp"], r["days"]) for r in mine} == {(4000.0, 9.0)}
    assert await fetch("select * from insight_own($1)", company(2)) == []
    assert await fetch("select * from insight_own($1)", uuid4()) == []
