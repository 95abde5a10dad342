"""A sandbox on a free port in the test's own event loop, the real SDK against it, and a receiver of webhooks."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import asyncpg
import httpx
import pytest
import stripe

from exchange.sandbox.app import serve
from exchange.sandbox.config import PINNED_VERSION, SandboxSettings, Webhook
from tests.sandbox import contract

KEY = "sk_test_sbxTESTS"
SECRETS = {"platform": "whsec_platform", "connect": "whsec_connect", "thin": "whsec_thin"}
#: The servers of these tests speak plain HTTP: no certificates are loaded for them, which would take 30 ms each time.
PLAIN = False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Received(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """An HTTP server that keeps what it is sent; ``answers`` are the statuses it gives, the last one for ever."""

    def __init__(self) -> None:
        self.port = free_port()
        self.got: list[Received] = []
        self.answers = [200]
        self.arrived = asyncio.Event()

    def url(self, kind: str) -> str:
        return f"http://127.0.0.1:{self.port}/{kind}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *lines = head.decode().split("\r\n")
                headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines if line)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                self.got.append(Received(first.split()[1], headers, body))
                status = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n".encode())
                await writer.drain()
                self.arrived.set()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def until(self, found: Callable[["Receiver"], bool], seconds: float = 8) -> None:
        """Wait until ``found`` holds of what has arrived."""
        async with asyncio.timeout(seconds):
            while not found(self):
                self.arrived.clear()
                await self.arrived.wait()


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
            sent = post_data.decode() if isinstance(post_data, bytes) else post_data or ""
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
        base_addresses={"api": url},
        http_client=JudgedClient(judge, timeout=options.pop("timeout", 15)),
        stripe_version=options.pop("stripe_version", PINNED_VERSION),
        max_network_retries=options.pop("max_network_retries", 0),
    )


async def close(client: stripe.StripeClient) -> None:
    """Give the SDK's connections back; the SDK offers no way to its HTTP client."""
    transport: Any = client._requestor._client
    await transport.close_async()


@pytest.fixture
async def sandbox(database_url: str) -> AsyncIterator[Sandbox]:
    """A fresh sandbox; at the end no body may have been faulty."""
    async with running(database_url) as sandbox:
        yield sandbox
        assert not sandbox.judge.faults, "\n".join(dict.fromkeys(sandbox.judge.faults))


@asynccontextmanager
async def running(database_url: str) -> AsyncIterator[Sandbox]:
    """A fresh sandbox on ``database_url`` with all three kinds of endpoint registered."""
    connection = await asyncpg.connect(database_url)
    await connection.execute("drop schema if exists sandbox cascade")
    await connection.close()
    hooks, port = Receiver(), free_port()
    listening = await asyncio.start_server(hooks.serve, "127.0.0.1", hooks.port)
    settings = SandboxSettings(
        database_url=database_url,
        secret_key=KEY,
        port=port,
        webhooks=tuple(Webhook(url=hooks.url(kind), secret=secret, kind=kind) for kind, secret in SECRETS.items()),
        retry_seconds=(0.05, 0.05, 0.05),
        tick_seconds=0.05,
    )
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(settings, stop))
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(base_url=settings.public_url, headers=headers, trust_env=False, verify=PLAIN) as http:
        await _answers(http, serving)
        judge = contract.Contract()
        client = sdk(settings.public_url, judge)
        try:
            yield Sandbox(settings, client, http, hooks, judge)
            for received in hooks.got if contract.present() else []:
                judge.event(json.loads(received.body))
        finally:
            stop.set()
            async with asyncio.timeout(10):
                await serving
            listening.close()
            await close(client)


async def _answers(http: httpx.AsyncClient, running: "asyncio.Task[None]") -> None:
    for _ in range(200):
        if running.done():
            running.result()
        try:
            if (await http.get("/healthz")).status_code == 200:
                return
        except httpx.TransportError:
            await asyncio.sleep(0.02)
    raise AssertionError("the sandbox does not answer")
