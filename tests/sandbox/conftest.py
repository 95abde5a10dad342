"""The sandbox every test of this process shares, the real SDK against it, and a receiver of webhooks."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import httpx
import pytest
import stripe

from exchange.sandbox.config import PINNED_VERSION, SandboxSettings
from tests.sandbox import contract
from tests.sandbox.kept import KEY, Kept, Receiver


class JudgedClient(stripe.HTTPXClient):
    """The SDK's own transport, every exchange laid before the schemas."""

    def __init__(self, judge: contract.Contract, **options: Any) -> None:
        super().__init__(**options)
        self.judge = judge

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        answer = await super().request_async(method, url, headers, post_data=post_data)
        if contract.present() and headers["Stripe-Version"] == PINNED_VERSION:
            sent = post_data.decode(errors="replace") if isinstance(post_data, bytes) else post_data or ""
            self.judge.check(method.upper(), url, sent, answer[1], bytes(answer[0]).decode())
        return answer


class Sandbox(NamedTuple):
    """A running sandbox as its users hold it."""

    settings: SandboxSettings
    client: stripe.StripeClient
    http: httpx.AsyncClient
    hooks: Receiver
    judge: contract.Contract

    @property
    def v1(self) -> Any:
        """Loosely typed on purpose: a test may send what the SDK's types forbid."""
        return self.client.v1

    @property
    def v2(self) -> Any:
        return self.client.v2.core

    async def control(self, control: str, **fields: Any) -> Any:
        """Use one of the controls of ``/_sandbox/``."""
        answer = await self.http.post(f"/_sandbox/{control}", json=fields)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def types(self) -> list[str]:
        """The types of all v1 events so far, oldest first."""
        events = (await self.http.get("/v1/events?limit=100")).json()["data"]
        return [event["type"] for event in reversed(events)]


def sdk(url: str, judge: contract.Contract, key: str = KEY, **options: Any) -> stripe.StripeClient:
    """The SDK as settlement uses it."""
    return stripe.StripeClient(
        key,
        base_addresses={"api": url, "files": url},
        http_client=JudgedClient(judge, timeout=options.pop("timeout", 15)),
        stripe_version=options.pop("stripe_version", PINNED_VERSION),
        max_network_retries=options.pop("max_network_retries", 0),
    )


async def close(client: stripe.StripeClient) -> None:
    """Give the SDK's connections back; the SDK offers no way to its HTTP client."""
    transport: Any = client._requestor._client
    await transport.close_async()


@pytest.fixture
async def sandbox(kept_sandbox: Kept) -> AsyncIterator[Sandbox]:
    """A sandbox as it is when new; at the end no body may have been faulty."""
    async with renewed(kept_sandbox) as sandbox:
        yield sandbox
        assert not sandbox.judge.faults, "\n".join(dict.fromkeys(sandbox.judge.faults))


@asynccontextmanager
async def renewed(kept: Kept) -> AsyncIterator[Sandbox]:
    """The running sandbox as it is when new, with the SDK and the judge of what they say to each other."""
    async with kept.renewed() as hooks:
        judge = contract.Contract()
        client = sdk(kept.settings.public_url, judge)
        try:
            yield Sandbox(kept.settings, client, kept.http, hooks, judge)
            for received in hooks.got if contract.present() else []:
                judge.event(json.loads(received.body))
        finally:
            await close(client)
