"""Whole markets, small ones, written to a real database."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from uuid import UUID

import pytest

from exchange import clock
from exchange.database import close_pool, fetch, fetchval, open_pool, transaction
from exchange.insight.actions.release import release
from exchange.jobs import load_handlers
from exchange.journal.actions import record
from exchange.offers.queries.inbox import inbox_of
from exchange.offers.queries.requests import requests_from, requests_to
from exchange.offers.rules.requests import RequestState
from exchange.seed import replay
from exchange.seed.calendar import closed_quarters
from exchange.seed.catalogue import products
from exchange.seed.demo import TALKS, Layout, demo, lay_out, load, plant
from exchange.seed.history import DOMINATED, NICHE, History
from exchange.seed.joining import bring_in
from exchange.seed.marks import is_laid_out
from exchange.seed.past import write_facts, write_quarter
from exchange.seed.people import COMPETITOR, MERCHANT
from exchange.seed.progress import Progress
from exchange.seed.steps import Market, NotEmpty, OtherMarket, Scale, Step, begin, take, waiting
from tests.conftest import _empty, beforehand
from tests.factories import make_company

TINY = Scale(quarters=2, trades=300, releases=0, lots=400, pictured=20, talks=6, wants=6)
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
SHARED = Path(__file__).resolve().parents[2] / ".." / "shared"
pytestmark = pytest.mark.xdist_group("market")
NOT_REPEATED = ("pgqueuer%", "migration", "want_match", "journal_entry", "sandbox%")
"""Tables of the queue's own instants, and ids the database draws."""


async def sow(scale: Scale = TINY, number: int = 1, layout: Callable[[Scale], Layout] = demo) -> Market:
    with clock.frozen(NOW):
        market = await begin(number, scale)
        await lay_out(layout(scale), market, Progress())
    return market


async def fingerprints() -> dict[str, str]:
    """A digest of each table's rows, leaving out the numbers that the database counts up."""
    tables = await fetch(
        "select t.tablename::text as name, c.column_default like 'nextval%' as counted from pg_tables t "
        "left join information_schema.columns c on c.table_name = t.tablename and c.column_name = 'id' "
        "and c.table_schema = 'public' where schemaname = 'public' and not tablename like any($1)", [*NOT_REPEATED],
    )  # fmt: skip
    found = {}
    for table in tables:
        row = "to_jsonb(t) - 'id'" if table["counted"] else "t"
        rows = await fetch(f"select ({row})::text as row from {table['name']} t order by 1")  # noqa: S608  a table's name
        found[table["name"]] = hashlib.sha256("\n".join(r["row"] for r in rows).encode()).hexdigest()
    return found


@pytest.fixture(autouse=True, scope="module")
def handlers() -> None:
    load_handlers()


@pytest.fixture(scope="module")
def laid_out(database_url: str, handlers: None) -> Iterator[Market]:
    """One market for the tests that only read it; they stand first in this file, and one process runs them all."""
    yield from beforehand(database_url, sow)


@pytest.fixture
async def market(laid_out: Market) -> AsyncIterator[Market]:
    await open_pool(size=2)
    yield laid_out
    await close_pool()


async def test_the_books_balance_and_nothing_closed_holds_money(market: Market) -> None:
    assert await fetch("select 1 from ledger_entry group by currency having sum(amount_minor) <> 0") == []
    assert await fetchval("select coalesce(sum(amount_minor), 0) from ledger_entry where account = 'held'") == 0
    states = {row["state"] for row in await fetch("select distinct state from deal")}
    assert {"settled", "partly_refunded", "refunded", "unpaid", "awaiting_payment"} <= states
    paid = await fetchval("select count(*) from deal where paid_at is not null")
    assert paid == await fetchval("select count(*) from payment where state = 'paid' and fee_minor is not null")
    short = "select count(*) from deal where state = 'partly_refunded' and not refund_minor between 1 and net_minor / 2"
    assert await fetchval(short) == 0


async def test_stock_reservations_and_lines_agree(market: Market) -> None:
    assert (
        await fetch(
            "select l.id from lot l left join reservation r on r.lot_id = l.id group by l.id "
            "having l.reserved <> coalesce(sum(r.quantity) filter (where r.state = 'held'), 0) "
            "or l.sold <> coalesce(sum(r.quantity) filter (where r.state = 'sold'), 0)"
        )
        == []
    )
    assert (
        await fetch(
            "select l.id from lot l join manifest_line m on m.lot_id = l.id group by l.id having l.quantity <> "
            "sum(m.quantity) or l.sold <> sum(m.sold) or l.reserved <> sum(m.reserved)"
        )
        == []
    )


async def test_the_guests_have_talks_of_every_kind_on_both_sides(market: Market) -> None:
    company = market.society.company_of(MERCHANT)
    rows = await fetch(
        "select state, seller_company_id = $1 as sells, turn_company_id = $1 as turn from negotiation "
        "where $1 in (seller_company_id, buyer_company_id) and opened_at > $2",
        company.id, datetime(2026, 10, 1, tzinfo=UTC),
    )  # fmt: skip
    found = {(row["state"], row["sells"], row["turn"]) for row in rows}
    for sells in (True, False):
        assert {("live", sells, True), ("live", sells, False), ("refused", sells, None)} <= found
        assert {("expired", sells, None), ("withdrawn", sells, None)} <= found
    assert ("agreed", True, None) in found and ("agreed", False, None) in found
    assert await fetchval("select count(*) from want w where w.company_id = $1", company.id) >= 4
    assert await fetchval("select count(*) from want_match") > 10
    for side in ("sender_company_id", "recipient_company_id"):
        waiting_ones = f"select count(*) from introduction where state = 'sent' and not held and {side} = $1"  # noqa: S608
        assert await fetchval(waiting_ones, company.id) > 0


async def test_the_guests_have_requests_for_a_price_to_answer_and_to_watch(market: Market) -> None:
    merchant, competitor = market.society.actor_of(MERCHANT), market.society.actor_of(COMPETITOR)
    with clock.frozen(NOW):
        awaiting = await requests_to(merchant)
        assert len(awaiting) == 2 and competitor.company_id in {asked.request.buyer for asked in awaiting}
        want = await fetchval("select distinct want_id from quote_request where buyer_company_id = $1",
                              competitor.company_id)  # fmt: skip
        sent = await requests_from(competitor, want)
        assert {asked.state for asked in sent} == {RequestState.ASKED, RequestState.QUOTED, RequestState.DECLINED}
        assert len({asked.request.seller for asked in sent}) == len(sent) >= 3
        (quoted,) = (asked for asked in sent if asked.state is RequestState.QUOTED)
        assert quoted.talk_id in {row.id for row in (await inbox_of(competitor)).rows if row.awaits == "me"}


async def test_one_number_makes_the_same_rows_twice(market: Market, database_url: str) -> None:
    first = await fingerprints()
    assert await fetchval("select count(*) from lot") > TINY.lots
    await _empty(database_url)
    await sow()
    second = await fingerprints()
    await _empty(database_url)
    assert {name for name in first if first[name] != second[name]} == set()


async def test_a_seed_that_was_interrupted_goes_on_where_it_stopped(committed: None) -> None:
    with clock.frozen(NOW):
        market = await begin(1, TINY)

        async def fails(_: Market, __: Progress) -> None:
            await asyncio.sleep(0)
            raise ConnectionError

        steps = load(TINY).steps
        first, lots, _ = steps
        with pytest.raises(ConnectionError):
            await take([first, Step(lots.name, "", fails)], market, Progress())
        assert await fetchval("select count(*) from lot") == 0
        assert [step.name for step in await waiting([first, lots])] == ["400 lots"]
        await take(steps, await begin(1, TINY), Progress())
    assert await fetchval("select count(*) from lot") == TINY.lots
    assert await waiting(load(TINY).steps) == []


async def test_what_was_played_of_the_last_weeks_is_not_played_again(
    committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    played: list[int] = []

    async def failing(by: None, fact: str, subject: UUID, **details: int) -> None:
        if fact == replay.PLAYED:
            played.append(details["number"])
            if len(played) == 20:
                raise ConnectionError
        await record(by, fact, subject, **details)

    def weeks(scale: Scale) -> Layout:
        return Layout(demo(scale).first, {"present": [TALKS]})

    monkeypatch.setattr(replay, "record", failing)
    with pytest.raises(ConnectionError):
        await sow(layout=weeks)
    await sow(layout=weeks)
    assert played[:21] == [*range(1, 21), 20]
    assert len(set(played)) == max(played) == len(played) - 1


async def test_the_command_spreads_the_work_over_processes_and_does_it_once(
    database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        await plant(lots=50, number=1)
        assert "Lots on sale" in (told := capsys.readouterr().out) and "The market is laid out (" in told
        assert await is_laid_out(lots=50, number=1)
        first = {row["id"] for row in await fetch("select id from lot")}
        assert len(first) == 50
        assert not await is_laid_out(lots=80, number=1)
        await plant(lots=80, number=1)
        assert {row["id"] for row in await fetch("select id from lot")} > first
        assert await fetchval("select count(*) from lot") == 80
    finally:
        await _empty(database_url)


async def test_a_database_somebody_uses_is_left_alone(committed: None) -> None:
    await make_company()
    with pytest.raises(NotEmpty):
        await begin(1, TINY)


async def test_a_database_holds_one_market_only(committed: None) -> None:
    await sow(layout=load)
    with pytest.raises(OtherMarket):
        await begin(2, TINY)


async def test_a_release_publishes_what_the_guide_measured_and_keeps_the_planted_two_to_itself(committed: None) -> None:
    """Insight guide §11, 6x5x4 with 120 groups and 4,000 trades: all sectors, most categories, half the leaves."""
    market = Market(1, NOW.date(), Scale(quarters=1, releases=0))
    quarter = closed_quarters(market.today, 1)[0]
    await bring_in(market, Progress())
    closed = list(History(1, market.society, [quarter], 4000).quarter(0))
    async with transaction():
        await write_facts(closed, await write_quarter(closed))
    with clock.frozen(datetime(2027, 1, 15, tzinfo=UTC)):
        await release(period=str(quarter))
    rows = await fetch(
        "select node_id, metric, status = 'published' as published from insight_release_cell "
        "where metric in ('recovery', 'traded_rrp')"
    )
    shown = {(row["node_id"], row["metric"]): row["published"] for row in rows}
    for metric, categories, leaves in (("recovery", 27, 45), ("traded_rrp", 22, 4)):
        by_depth: dict[int, int] = {}
        for (node, of), published in shown.items():
            if of == metric and node not in ("all", "mixed"):
                by_depth[node.count("/")] = by_depth.get(node.count("/"), 0) + published
        assert by_depth[0] == 6
        assert by_depth[1] >= categories
        assert by_depth[2] >= leaves
        for planted in (NICHE, DOMINATED):
            assert not shown[f"leisure/{planted}", metric]


def test_nothing_is_copied_from_the_shared_lists() -> None:
    if not SHARED.exists():
        pytest.skip("../shared is not there")
    ours = {product.title(language).casefold() for product in chain(*products().values()) for language in ("fr", "en")}
    theirs: set[str] = set()
    for file in (SHARED / "data").rglob("*.csv"):
        for line in file.read_text(errors="replace").splitlines():
            theirs.update(cell.strip(' "').casefold() for separator in ",;\t" for cell in line.split(separator))
    assert len(theirs) > 1000
    assert not ours & theirs
