"""What readers, owners and the operator see, and what nobody sees."""

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from exchange import clock
from exchange.actor import Role
from exchange.database import connection, execute, fetch, fetchval
from exchange.insight.actions import draw_ahead, record_facts, release, withdraw
from exchange.insight.queries import trends
from exchange.insight.rules import papers
from exchange.insight.rules.panels import BY_KEY
from exchange.insight.rules.periods import Quarter
from exchange.insight.rules.taxonomy import TREE
from exchange.insight.rules.tree import Tree
from exchange.jobs import perform
from exchange.settings import settings
from exchange.web.translations import LANGUAGES
from tests.conftest import beforehand
from tests.factories import make_company, make_person, sign_in
from tests.insight.facts import FIRST, company, facts_of, make_companies, settle
from tests.insight.markets import Market, Trade, market

SIX_REASONS = {
    "home/furniture": "nothing happened there",
    "home/home-textiles": "too few groups",
    "home/tableware": "too few trades",
    "fashion/clothing": "one company dominates",
    "fashion/footwear": "a neighbour would be exposed",
    "leisure/cycling": "only unvetted companies",
}


pytestmark = pytest.mark.xdist_group("trends")


@pytest.fixture(autouse=True, scope="module")
def _own_data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(type(settings()), "data_dir", tmp_path_factory.mktemp("data"), raising=False)
        yield


@pytest.fixture
def later() -> Iterator[None]:
    with clock.frozen(FIRST.plus(1).end + timedelta(days=200)):
        yield


@pytest.fixture(scope="module")
def released(database_url: str) -> Iterator[list[Quarter]]:
    yield from beforehand(database_url, two_quarters)


@pytest.fixture
def told(released: list[Quarter], db: None, later: None) -> list[Quarter]:
    """Two quarters released; what a test adds is rolled back. Tests of an empty market stand before those of this."""
    return released


async def two_quarters() -> list[Quarter]:
    """24 groups in three sectors of the real tree."""
    of = market(0, (3, 2, 1), groups=24, trades=260)
    sectors, regions = ("home", "fashion", "leisure"), ("fr-north", "fr-south", "eu-north")

    def rename(leaf: str) -> str:
        sector, category, region = (int(part[1:]) for part in leaf.split("/"))
        slug = sectors[sector]
        return f"{TREE.children(slug)[category]}/{regions[region]}"

    quarters = tuple(tuple(replace(t, leaf=rename(t.leaf)) for t in q) for q in of.quarters)
    with clock.frozen(FIRST.plus(1).end + timedelta(days=200)):
        await make_companies(count=24)
        settled = await settle(Market(TREE, quarters))
        for quarter in settled:
            await release(period=str(quarter))
        await pretend_drawn()
    return settled


async def pretend_drawn() -> None:
    """Empty drawings for every page: a real one takes a second, and one test looks at real ones."""
    edition = await trends.edition()
    keys = {id: [*BY_KEY, *(f"small:{child}" for child in TREE.children(id))] for id in TREE.order}
    rows = [(edition, id, key, language, "<svg/>") for id in keys for key in keys[id] for language in LANGUAGES]
    async with connection() as c:
        await c.copy_records_to_table(
            "insight_chart", columns=("edition", "node_id", "panel", "language", "svg"), records=rows
        )


async def test_before_the_first_release_the_page_says_when_figures_come(client: httpx.AsyncClient, db: None) -> None:
    page = await client.get("/insight")
    assert "No figures yet" in page.text
    assert (await client.get("/insight/releases")).status_code == 200
    methodology = await client.get("/insight/methodology")
    assert methodology.status_code == 200
    assert 'href="mailto:bonjour@confrere.example"' in methodology.text, "whoever objects knows to whom"


async def test_t11_pages_unpublished_for_six_reasons_are_the_same_but_for_the_name(
    client: httpx.AsyncClient, db: None, later: None
) -> None:
    await make_companies(count=40)
    await make_companies({company(900 + n): company(950 + n) for n in range(24)}, vetting="awaiting")
    trades = [Trade("diy/tools/fr-north", s, 20 + (s + d) % 20, 1000, 40.0) for s in range(20) for d in range(1, 7)]
    trades += [Trade("home/home-textiles/fr-north", s, s + 30, 1000, 40.0) for s in range(4) for _ in range(8)]
    trades += [Trade("home/tableware/fr-north", s, s + 20, 1000, 40.0) for s in range(15)]
    trades += [Trade("fashion/clothing/fr-north", 0, 20 + n % 12, 90_000, 40.0) for n in range(80)]
    trades += [Trade("fashion/footwear/fr-north", s % 3, 20 + s % 20, 1000, 40.0) for s in range(30)]
    trades += [Trade("leisure/cycling/fr-north", 900 + n % 12, 912 + (n + n // 12) % 12, 1000, 40.0) for n in range(60)]
    await settle(Market(TREE, (tuple(trades),)))
    await release(period=str(FIRST))
    seen = set()
    for id in SIX_REASONS:
        node, above = TREE.nodes[id], TREE.nodes[id.split("/")[0]]
        page = (await client.get(f"/insight/{id}", headers={"cookie": ""})).text
        assert "40%" not in page
        for name, plain in ((node.name, "NAME"), (above.name, "ABOVE"), (id, "ID"), (above.id, "ABOVE-ID")):
            page = page.replace(name.replace("&", "&amp;"), plain)
        page = re.sub(r'name="_csrf_token" value="[^"]*"', "", page)
        seen.add(page)
        assert "Not published" in page
    assert len(seen) == 1, _first_difference(*seen)


async def test_a_page_shows_lines_and_tables_in_both_languages(client: httpx.AsyncClient, told: list[Quarter]) -> None:
    await execute("delete from insight_chart where node_id = 'all'")
    for language, words in (
        ("en", ("Recovery rate", "Q1 2025", "Middle range", "The whole market", "<title id=")),
        ("fr", ("Taux de valorisation", "T1 2025", "Fourchette centrale", "Tout le marché", "<desc id=")),
    ):
        page = await client.get("/insight", headers={"accept-language": language})
        assert page.status_code == 200
        assert all(word in page.text for word in words)
        assert page.text.count('<svg xmlns="http://www.w3.org/2000/svg" class="line-chart"') >= 7
        assert " style=" not in page.text
        assert "<style" not in page.text


async def test_every_node_has_a_page_and_nothing_else_has(client: httpx.AsyncClient, told: list[Quarter]) -> None:
    for id in ("home", TREE.children("home")[0], "mixed", sorted(TREE.leaves("diy"))[0]):
        assert (await client.get(f"/insight/{id}")).status_code == 200
    for id in ("nowhere", "home/nowhere", "home/furniture/fr-north/more", "fr-north"):
        assert (await client.get(f"/insight/{id}")).status_code == 404


async def test_a_known_page_is_answered_from_one_round_trip_and_an_unchanged_one_with_304(
    client: httpx.AsyncClient, told: list[Quarter]
) -> None:
    first = await client.get("/insight/home")
    asked: list[str] = []
    async with connection() as c:
        with c.query_logger(lambda query: asked.append(query.query)):
            again = await client.get("/insight/home", headers={"if-none-match": first.headers["etag"]})
            await asyncio.sleep(0)  # the log is told in the loop's next turn
    assert again.status_code == 304
    assert again.content == b""
    assert len(asked) == 1


async def test_t5_every_read_gives_the_same_bytes(client: httpx.AsyncClient, told: list[Quarter]) -> None:
    address = f"/insight/releases/{told[0]}/cells.csv"
    first = (await client.get(address)).content
    for _ in range(5):
        assert (await client.get(address)).content == first
    readers = Path(trends.__file__).parent.parent
    for file in readers.rglob("*.py"):
        assert not re.search(r"^\s*(import|from) (random|secrets)\b", file.read_text(), re.MULTILINE), file


async def test_the_csv_is_the_file_the_manifest_signed(client: httpx.AsyncClient, told: list[Quarter]) -> None:
    for quarter in told:
        csv = (await client.get(f"/insight/releases/{quarter}/cells.csv")).content
        manifest = (await client.get(f"/insight/releases/{quarter}/manifest.json")).content
        assert papers.sha256(csv) == json.loads(manifest)["cells_sha256"]
        stored = await fetchval("select manifest_sha256 from insight_release where period = $1", str(quarter))
        assert papers.sha256(manifest) == stored
        assert len((await client.get(f"/insight/releases/{quarter}/manifest.sig")).content) == 88
        assert csv.startswith(b"period,node_id,path,metric,status,value,unit,band,release_id\r\n")
    assert (await client.get("/insight/releases/1999Q1/cells.csv")).status_code == 404


async def test_t12_an_owner_sees_own_beside_market_and_both_can_be_recomputed(
    client: httpx.AsyncClient, told: list[Quarter]
) -> None:
    mine = await make_company()
    owner = await make_person(company=mine, role=Role.OWNER)
    last = told[-1]
    sold = [Trade("home/furniture/fr-north", 0, 1, 10_000, r, days=d) for r, d in ((31.0, 5), (33.0, 7), (39.0, 21))]
    made = [replace(facts_of(t, last, f"own {n}")[0], seller=mine.id) for n, t in enumerate(sold)]
    unreleased = replace(facts_of(sold[0], last.plus(1), "now")[0], seller=mine.id, net_minor=7_700)
    await record_facts(trades=[*made, unreleased])
    await sign_in(client, owner)
    page = (await client.get("/insight", headers={"accept-language": "en"})).text
    csv = (await client.get(f"/insight/releases/{last}/cells.csv")).text
    published = {tuple(line.split(",")[1:4:2]): line.split(",")[5] for line in csv.splitlines()[1:]}
    market_says, low = int(published["all", "recovery"]), int(published["all", "recovery_p25"])
    row = _row(page, "recovery", "Q2 2025")
    assert f"{market_says}%" in row
    assert "33%" in row
    assert ("below the middle range" in row) == (low > 33)
    assert "7 days" in _row(page, "days", "Q2 2025")
    awaited = _row(page, "recovery", "Q3 2025")
    assert "77%" in awaited
    assert "Not released yet" in awaited
    assert not re.search(r"percentile|rank|should|optimal|suggest", page, re.IGNORECASE)


async def test_only_owners_see_their_own_figures(client: httpx.AsyncClient, told: list[Quarter]) -> None:
    mine = await make_company()
    fact = facts_of(Trade("home/furniture/fr-north", 0, 1, 10_000, 77.0), told[-1], "own")[0]
    await record_facts(trades=[replace(fact, seller=mine.id)])
    for role in (Role.TRADER, Role.OWNER):
        await sign_in(client, await make_person(company=mine, role=role))
        page = (await client.get("/insight/home/furniture/fr-north", headers={"accept-language": "en"})).text
        assert ("77%" in page) == (role is Role.OWNER)


async def test_an_owner_reads_the_nearest_published_ancestor(client: httpx.AsyncClient, told: list[Quarter]) -> None:
    mine = await make_company()
    fact = facts_of(Trade("diy/tools/fr-north", 0, 1, 10_000, 44.0), told[-1], "own")[0]
    await record_facts(trades=[replace(fact, seller=mine.id)])
    await sign_in(client, await make_person(company=mine, role=Role.OWNER))
    page = (await client.get("/insight/diy/tools/fr-north", headers={"accept-language": "en"})).text
    assert "nearest published: All" in page


async def test_a_withdrawn_figure_is_a_gap_with_a_date_and_what_derives_from_it_goes_too(
    client: httpx.AsyncClient, told: list[Quarter]
) -> None:
    await withdraw(period=str(told[-1]), node_id="all", metric="recovery", by=None)
    await withdraw(period=str(told[-1]), node_id="all", metric="supply_rrp", by=None)
    await pretend_drawn()
    page = (await client.get("/insight", headers={"accept-language": "en"})).text
    assert "Withdrawn on" in _row(page, "recovery", "Q2 2025")
    assert "Withdrawn on" in _row(page, "demand", "Q2 2025")
    csv = (await client.get(f"/insight/releases/{told[-1]}/cells.csv")).text
    assert f"{told[-1]},all,All,recovery,withdrawn,,percent,," in csv


async def test_the_operator_asks_for_a_release_and_withdraws_and_nobody_else_does(
    client: httpx.AsyncClient, told: list[Quarter]
) -> None:
    await settle(market(5, (3, 1, 1), groups=24, trades=10, quarters=1), told[-1].plus(1), name="third")
    form = {"node_id": "all", "metric": "recovery"}
    for role in (Role.TRADER, Role.OWNER):
        await sign_in(client, await make_person(role=role))
        assert (await _post(client, "/insight/releases", {})).status_code == 403
        assert (await _post(client, f"/insight/releases/{told[0]}/withdrawal", form)).status_code == 403
    await sign_in(client, await make_person(role=Role.OPERATOR))
    assert "Release the next quarter" in (await client.get("/insight/releases", headers={"accept-language": "en"})).text
    assert (await _post(client, "/insight/releases", {})).status_code == 303
    with clock.frozen(told[-1].plus(1).end + timedelta(days=200)):
        import exchange.insight.jobs  # noqa: F401  its handlers register themselves

        assert await fetchval("select count(*) from pgqueuer where entrypoint = 'insight.release_asked'") == 1
        await perform("insight.release_asked", uuid4())
        await perform("insight.release_asked", uuid4())
    assert [r["period"] for r in await fetch("select period from insight_release order by 1")] == [
        str(told[0]), str(told[1]), str(told[1].plus(1)),
    ]  # fmt: skip
    assert (await _post(client, f"/insight/releases/{told[0]}/withdrawal", form)).status_code == 303
    assert (await _post(client, f"/insight/releases/{told[0]}/withdrawal", form)).status_code == 404


async def test_drawings_are_made_ahead_and_older_editions_forgotten(told: list[Quarter]) -> None:
    await execute("update insight_chart set edition = 'old'")
    await draw_ahead(Tree.of("small", {"home": ("Home", {"furniture": "Furniture"})}, {"fr-north": "Northern France"}))
    kept = await fetch("select distinct edition, node_id, language from insight_chart")
    assert {row["edition"] for row in kept} == {await trends.edition()}
    assert {(row["node_id"], row["language"]) for row in kept} >= {("all", "fr"), ("all", "en"), ("home", "fr")}


async def _post(client: httpx.AsyncClient, path: str, form: dict[str, str]) -> httpx.Response:
    if "csrf" not in client.cookies:
        await client.get("/insight")
    return await client.post(path, data=form, headers={"x-csrf-token": client.cookies["csrf"]})


def _first_difference(one: str, other: str, *_: str) -> str:
    return next(f"{a!r} is not {b!r}" for a, b in zip(one.splitlines(), other.splitlines(), strict=False) if a != b)


def _row(page: str, panel: str, quarter: str) -> str:
    article = page.split(f'id="{panel}"', 1)[1].split("</article>", 1)[0]
    return article.split(f'<th scope="row">{quarter}</th>', 1)[1].split("</tr>", 1)[0]
