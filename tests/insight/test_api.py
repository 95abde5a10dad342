"""Releases as JSON: the same figures as the CSV, for anybody, with no reason for what is missing."""

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from exchange import clock
from exchange.insight.actions import release
from exchange.insight.rules.metrics import Metric
from exchange.insight.rules.taxonomy import TREE
from exchange.settings import settings
from tests.conftest import beforehand
from tests.insight.facts import FIRST, make_companies, settle
from tests.insight.markets import Market, Trade

pytestmark = pytest.mark.xdist_group("trends by API")


@pytest.fixture(scope="module")
def released(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(type(settings()), "data_dir", tmp_path_factory.mktemp("data"), raising=False)
        yield from beforehand(database_url, one_quarter)


@pytest.fixture
def told(released: str, db: None) -> str:
    return released


async def one_quarter() -> str:
    """A market in one region of one category, everything else empty."""
    trades = tuple(
        Trade("home/furniture/fr-north", s, 20 + (s + d) % 20, 1000, 40.0) for s in range(20) for d in range(6)
    )
    await make_companies(count=40)
    await settle(Market(TREE, (trades,)))
    with clock.frozen(FIRST.end + timedelta(days=100)):
        await release(period=str(FIRST))
    return str(FIRST)


async def test_releases_are_listed_with_their_signed_manifest(client: httpx.AsyncClient, told: str) -> None:
    (only,) = (await client.get("/api/v1/insight/releases")).json()
    assert only["period"] == told
    assert only["manifest"]["release_id"] == only["id"]
    assert (await client.get(f"/api/v1/insight/releases/{told}")).json() == only


async def test_cells_say_published_or_not_and_never_why(client: httpx.AsyncClient, told: str) -> None:
    cells = (await client.get(f"/api/v1/insight/releases/{told}/cells")).json()
    assert len(cells) == len(TREE.order) * len(Metric)
    assert {cell["status"] for cell in cells} == {"published", "not_published"}
    hidden = [cell for cell in cells if cell["status"] == "not_published"]
    assert all(cell["value"] is None and cell["band"] is None for cell in hidden)
    assert {frozenset(cell) for cell in cells} == {
        frozenset({"node_id", "path", "metric", "status", "value", "unit", "band"})
    }
    here = (await client.get(f"/api/v1/insight/releases/{told}/cells", params={"node": "home/furniture"})).json()
    assert here == [cell for cell in cells if cell["node_id"] == "home/furniture"]


async def test_the_csv_is_the_pages_own(client: httpx.AsyncClient, told: str) -> None:
    by_api = await client.get(f"/api/v1/insight/releases/{told}/cells.csv")
    by_page = await client.get(f"/insight/releases/{told}/cells.csv")
    assert by_api.content == by_page.content


@pytest.mark.parametrize("path", ["1999Q1", "1999Q1/cells", "1999Q1/cells.csv", "2025Q1/cells?node=nowhere"])
async def test_what_is_not_there_is_a_problem_document(client: httpx.AsyncClient, told: str, path: str) -> None:
    answer = await client.get(f"/api/v1/insight/releases/{path}")
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("application/problem+json")
