"""How fast the API may be asked, and whose address counts."""

from collections.abc import Iterator

import httpx
import pytest

from exchange.app import create_app, served
from exchange.settings import settings
from tests.factories import bearer, make_person


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch, database_url: str) -> Iterator[None]:
    """Three requests a minute, and a proxy of ours at 10.0.0.1."""
    monkeypatch.setenv("API_REQUESTS_PER_MINUTE", "3")
    monkeypatch.setenv("TRUSTED_PROXIES", '["10.0.0.1"]')
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


def asking(app: object, address: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app, client=(address, 50000))  # type: ignore[arg-type]  # ASGI all the same
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000")


async def test_who_asks_the_api_too_often_is_told_when_to_return(narrow: None, db: None) -> None:
    first, second = await bearer(await make_person()), await bearer(await make_person())
    async with asking(create_app(), "127.0.0.1") as http:
        for _ in range(3):
            assert (await http.get("/api/v1/lots", headers=first)).status_code == 200
        refused = await http.get("/api/v1/lots", headers=first | {"accept-language": "fr"})
        assert refused.status_code == 429
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.json()["code"] == "too_many"
        assert 0 < int(refused.headers["retry-after"]) <= 60
        assert (await http.get("/api/v1/lots", headers=second)).status_code == 200
        for _ in range(5):
            assert (await http.get("/about")).status_code == 200


async def test_only_our_own_proxy_is_believed(narrow: None, db: None) -> None:
    app = served()
    async with asking(app, "10.0.0.1") as proxy, asking(app, "192.0.2.7") as stranger:
        for _ in range(3):
            forwarded = await proxy.get("/api/v1/lots", headers={"x-forwarded-for": "198.51.100.1"})
            assert forwarded.status_code == 401
            assert (await stranger.get("/api/v1/lots", headers={"x-forwarded-for": "198.51.100.9"})).status_code == 401
        elsewhere = await proxy.get("/api/v1/lots", headers={"x-forwarded-for": "198.51.100.2"})
        assert elsewhere.status_code == 401
        assert (await proxy.get("/api/v1/lots", headers={"x-forwarded-for": "198.51.100.1"})).status_code == 429
        assert (await stranger.get("/api/v1/lots", headers={"x-forwarded-for": "203.0.113.5"})).status_code == 429
