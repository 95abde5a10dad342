"""The sandbox as a running service, and what whole deals do with it."""

import asyncio
import hmac
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Any

import asyncpg
import httpx
import pytest
import stripe

from exchange.clock import frozen, now
from exchange.settings import settings
from exchange.settlement import stripe_gateway
from exchange.settlement.actions import deals, payments, reconcile, sellers
from exchange.settlement.stripe_gateway import API_VERSION, Gateway
from tests.sandbox.kept import KEY, SECRETS, Kept, Receiver
from tests.settlement.conftest import Agreed, work

PATHS = {"platform": "/webhooks/stripe", "connect": "/webhooks/stripe/connect", "thin": "/webhooks/stripe/v2"}
CARD = "card:4242424242424242"

#: What the postman still carries (unless told to hold it), and what the virtual clock has made due.
_UNDER_WAY = """
select exists (select from sandbox.delivery where state = 'waiting'
               and not exists (select from sandbox.state where name = 'faults' and value #> '{webhooks,hold}' = 'true'))
    or exists (select from sandbox.due, sandbox.state where name = 'clock'
               and at <= extract(epoch from clock_timestamp()) + (value ->> 'offset')::float)
"""


@dataclass
class Service:
    """The running sandbox, and the post between it and the app."""

    url: str
    http: httpx.AsyncClient
    hooks: Receiver
    app: httpx.AsyncClient
    books: "asyncpg.Connection[asyncpg.Record]"
    delivered: int = 0
    statuses: list[int] = field(default_factory=list)

    async def control(self, name: str, **fields: Any) -> None:
        answer = await self.http.post(f"/_sandbox/{name}", json=fields)
        assert answer.status_code == 200, answer.text

    async def post(self) -> None:
        """Hand every webhook to the app, signed as it came, and let the worker act, until nothing is under way."""
        while True:
            while await self.books.fetchval(_UNDER_WAY):
                await asyncio.sleep(0.01)
            fresh = self.hooks.got[self.delivered :]
            self.delivered += len(fresh)
            for news in fresh:
                answer = await self.app.post(
                    PATHS[PurePosixPath(news.path).name],
                    content=news.body,
                    headers={"stripe-signature": news.headers["stripe-signature"]},
                )
                self.statuses.append(answer.status_code)
            await work()
            if not fresh and not await self.books.fetchval(_UNDER_WAY):
                return

    async def deliver_as(self, version: str) -> list[int]:
        """Hand what has arrived over as an endpoint of another version would send it, signed; what the app answers."""
        while await self.books.fetchval(_UNDER_WAY):
            await asyncio.sleep(0.01)
        fresh = self.hooks.got[self.delivered :]
        self.delivered += len(fresh)
        answers = []
        for news in fresh:
            if PurePosixPath(news.path).name != "platform":
                continue
            body, at = news.body.replace(API_VERSION.encode(), version.encode()), int(time.time())
            mac = hmac.new(SECRETS["platform"].encode(), f"{at}.".encode() + body, sha256).hexdigest()
            signature = {"stripe-signature": f"t={at},v1={mac}"}
            answers.append((await self.app.post(PATHS["platform"], content=body, headers=signature)).status_code)
        return answers

    async def pay(self, agreed: Agreed, outcome: str = CARD) -> str:
        """The buyer clicks on pay and chooses an outcome on the page; where it sends the browser."""
        url = await payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        assert (await self.http.get(url)).status_code == 200
        answer = await self.http.post(url, data={"outcome": outcome})
        return str(answer.headers.get("location", ""))

    async def onboard(self, agreed: Agreed, outcome: str = "complete") -> str:
        """The seller walks through the onboarding page; where it sends the browser."""
        url = await sellers.start_onboarding(by=agreed.seller.actor)
        await self.http.get(url)
        answer = await self.http.post(url, data={"outcome": outcome})
        return str(answer.headers["location"])

    async def listed(self, path: str) -> list[dict[str, Any]]:
        found = (await self.http.get(path)).json()["data"]
        assert isinstance(found, list)
        return found


@asynccontextmanager
async def running(kept: Kept, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    """The sandbox as it is when new, with its webhooks registered as `exchange serve` registers them."""
    for name, kind in (("", "platform"), ("CONNECT_", "connect"), ("THIN_", "thin")):
        monkeypatch.setenv(f"STRIPE_{name}WEBHOOK_SECRETS", f'["whsec_old", "{SECRETS[kind]}"]')
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.01)  # the library's retries, without their waiting
    monkeypatch.setattr(stripe.HTTPClient, "MAX_DELAY", 0.05)
    settings.cache_clear()
    gateway = Gateway(KEY, kept.settings.public_url)
    stripe_gateway.use(gateway)
    async with kept.renewed() as hooks:
        try:
            yield Service(kept.settings.public_url, kept.http, hooks, client, kept.sql)
        finally:
            stripe_gateway.use(None)
            settings.cache_clear()
            await gateway.close()


async def shipped(agreed: Agreed) -> None:
    await deals.ship(deal_id=agreed.deal_id, carrier="Geodis", tracking="G1", by=agreed.seller.actor)


async def books_agree(*, moved: bool = True) -> None:
    """The daily match finds nothing; ``moved``: whether anything ever reached the balance."""
    with frozen(now() + timedelta(minutes=30)):
        result = await reconcile.match_books()
    assert result.agreed, result.differences
    assert bool(result.movements) is moved
