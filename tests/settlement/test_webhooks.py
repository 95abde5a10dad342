"""Bad input at the doors where Stripe's news arrives: each a named outcome, nothing stored, the server unharmed."""

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from exchange.database import fetchval
from exchange.settings import settings
from tests.settlement.conftest import work
from tests.settlement.fakes import FakeGateway

SECRET = "whsec_current"
EVENT = {
    "id": "evt_1",
    "object": "event",
    "type": "payment_intent.succeeded",
    "created": 1_790_000_000,
    "livemode": False,
    "api_version": "2026-10-28.endive",
    "data": {"object": {"id": "pi_1", "object": "payment_intent"}},
}
THIN = {
    "id": "evt_2",
    "object": "v2.core.event",
    "type": "v2.core.account[requirements].updated",
    "created": "2026-11-22T01:00:00.000Z",
    "livemode": False,
    "related_object": {"id": "acct_1", "type": "v2.core.account", "url": "/v2/core/accounts/acct_1"},
}


def signed(body: bytes, secret: str = SECRET, at: float | None = None) -> dict[str, str]:
    stamp = int(at or time.time())
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"stripe-signature": f"t={stamp},v1={digest}"}


@pytest.fixture
async def http(
    committed: None, gateway: FakeGateway, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    """The app with two of its three endpoints on, the first while its secret is being rolled."""
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRETS", json.dumps(["whsec_old", SECRET]))
    monkeypatch.setenv("STRIPE_THIN_WEBHOOK_SECRETS", json.dumps([SECRET]))
    settings.cache_clear()
    yield client
    settings.cache_clear()


async def stored() -> int:
    return int(await fetchval("select count(*) from stripe_event"))


async def post(
    http: httpx.AsyncClient,
    event: Any,
    path: str = "/webhooks/stripe",
    *,
    headers: dict[str, str] | None = None,
    secret: str = SECRET,
    at: float | None = None,
) -> int:
    """The status of posting ``event``, signed unless ``headers`` say otherwise."""
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    given = signed(body, secret, at) if headers is None else headers
    return (await http.post(path, content=body, headers=given)).status_code


async def test_signed_news_is_stored_once_however_often_it_comes(http: httpx.AsyncClient) -> None:
    """[7]"""
    assert [await post(http, EVENT) for _ in range(3)] == [200, 200, 200]
    assert await stored() == 1
    assert await fetchval("select count(*) from pgqueuer where entrypoint = 'stripe.event'") == 1


async def test_both_secrets_hold_while_one_is_rolled(http: httpx.AsyncClient) -> None:
    """[42]"""
    assert await post(http, EVENT, secret="whsec_old") == 200


async def test_thin_news_has_its_own_door(http: httpx.AsyncClient) -> None:
    assert await post(http, THIN, "/webhooks/stripe/v2") == 200
    assert await fetchval("select object_id from stripe_event") == "acct_1"


async def test_a_door_without_a_secret_is_no_door(http: httpx.AsyncClient) -> None:
    """[42]"""
    assert await post(http, EVENT, "/webhooks/stripe/connect") == 404
    assert await stored() == 0


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"stripe-signature": ""},
        {"stripe-signature": "rubbish"},
        {"stripe-signature": "t=now,v1=00"},
        {"stripe-signature": f"t={2**70},v1=00"},
        {"stripe-signature": "t=1,v0=00"},
    ],
)
async def test_what_nobody_signed_is_turned_away(http: httpx.AsyncClient, headers: dict[str, str]) -> None:
    assert await post(http, EVENT, headers=headers) == 401
    assert await stored() == 0


async def test_forged_stale_and_altered_news_is_turned_away(http: httpx.AsyncClient) -> None:
    body = json.dumps(EVENT).encode()
    assert await post(http, EVENT, secret="whsec_forged") == 401
    assert await post(http, EVENT, at=time.time() - 301) == 401
    assert await post(http, body.replace(b"pi_1", b"pi_2"), headers=signed(body)) == 401
    assert await post(http, THIN, headers=signed(body)) == 401
    assert await stored() == 0


async def test_news_of_another_account_changes_nothing_here(http: httpx.AsyncClient) -> None:
    """A dispute on a seller's own account: Stripe would not even know it under our key."""
    about = {"id": "dp_theirs", "object": "dispute", "charge": "ch_1"}
    news = EVENT | {"account": "acct_theirs", "type": "charge.dispute.created", "data": {"object": about}}
    assert await post(http, news) == 200
    await work()
    assert await fetchval("select handled_at is not null from stripe_event")
    assert await fetchval("select count(*) from dispute") == 0


async def test_the_wrong_mode_is_turned_away(http: httpx.AsyncClient) -> None:
    """[41]"""
    assert await post(http, EVENT | {"livemode": True}) == 400
    assert await stored() == 0


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b"\xff\xfe", b'{"object": "event"}', b"not json"])
async def test_signed_rubbish_is_no_event(http: httpx.AsyncClient, body: bytes) -> None:
    assert await post(http, body) in {400, 401}
    assert await stored() == 0


async def test_an_oversized_body_is_turned_away_unread(http: httpx.AsyncClient) -> None:
    body = json.dumps(EVENT | {"padding": "x" * 600_000}).encode()
    assert await post(http, body) == 413
    assert await stored() == 0
    assert await post(http, EVENT) == 200, "and the next one is welcome"
