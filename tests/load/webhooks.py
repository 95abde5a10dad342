"""How fast news of Stripe's goes: ``python -m tests.load.webhooks [--payments 200] [--clients 8] [--seconds 10]``.

Starts PostgreSQL, the payment sandbox, the job worker and the application under Granian, all of their own.

First, signed webhooks from so many connections, as many as go: each is verified, stored once and queued before it is
answered, while the worker handles them. Beside it, in turns and in the same processes, the floor: the same body,
written by one bare ``INSERT`` and committed. Then payments: a buyer pays on the sandbox's page, the sandbox sends its
webhooks, the worker asks what was paid and books it; timed from the click until the buyer's open page of the deal, told
by its stream, says the money is held: one buyer at a time, ``--clients`` at once, the same with other webhooks beside.
"""

import argparse
import asyncio
import hashlib
import hmac
import json
import os
import re
import subprocess
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import asyncpg
import httpx

from exchange.supervisor import free_port
from tests.load.hot_lot import Line, Tally, _none
from tests.load.server import ROOT, fresh_database, serving

HOST = "127.0.0.1"
KEY = "sk_test_sbxLOAD"
SECRET = "whsec_load"
PATHS = {"platform": "/webhooks/stripe", "connect": "/webhooks/stripe/connect", "thin": "/webhooks/stripe/v2"}
FLOOR = "insert into floor (id, body) values ($1, $2)"
SLICES = 5
"""Turns of application and floor."""
CARD = "card:4000000000000077"
MARK = re.compile(r'data-mark="(\w+)"')

Scope = dict[str, Any]
Asgi = Callable[[Scope, Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]


def create() -> Asgi:
    """The application with one address more: ``/floor``."""
    from exchange.app import create_app

    application = create_app()
    pool: list[asyncpg.Pool] = []
    opening = asyncio.Lock()

    async def served(
        scope: Scope, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        if scope.get("path") != "/floor":
            await application(scope, receive, send)  # type: ignore[arg-type]  # ASGI all the same
            return
        async with opening:
            if not pool:
                pool.append(await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=8, max_size=8, reset=_none))
        body = (await receive())["body"]
        await pool[0].execute(FLOOR, uuid4(), body.decode())
        await send({"type": "http.response.start", "status": 201, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    return served


# --- webhooks as fast as they go


def news() -> bytes:
    """A snapshot event of some weight about nothing of ours."""
    from exchange.settlement.stripe_gateway import API_VERSION

    about = {"id": f"cus_{uuid4().hex}", "object": "customer", "metadata": {}, "description": "x" * 1500}
    return json.dumps(
        {
            "id": f"evt_{uuid4().hex}", "object": "event", "api_version": API_VERSION, "created": int(time.time()),
            "data": {"object": about}, "livemode": False, "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None}, "type": "customer.updated",
        }
    ).encode()  # fmt: skip


class Post(Line):
    """A connection of the postman's."""

    async def deliver(self, path: str, body: bytes, tally: Tally) -> None:
        at = int(time.time())
        mac = hmac.new(SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nStripe-Signature: t={at},v1={mac}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        begun = time.perf_counter()
        self.writer.write(head.encode() + body)
        status, _ = await self._answer()
        tally.times.append(time.perf_counter() - begun)
        tally.done[str(status)] += 1


async def stream(lines: list[Post], path: str, seconds: float, tally: Tally) -> None:
    """As many as go, from every connection, for so long."""
    until = time.perf_counter() + seconds

    async def one(line: Post) -> None:
        while time.perf_counter() < until:
            await line.deliver(path, news(), tally)

    begun = time.perf_counter()
    await asyncio.gather(*(one(line) for line in lines))
    tally.spent += time.perf_counter() - begun


async def throughput(port: int, clients: int, seconds: float) -> None:
    from exchange.database import execute, fetchval

    await execute("create table floor (id uuid primary key, body jsonb not null)")
    lines = [await Post.open(port) for _ in range(clients)]
    told, floor = Tally(), Tally()
    await stream(lines, PATHS["platform"], 1, Tally())
    for _ in range(SLICES):
        await stream(lines, PATHS["platform"], seconds / SLICES, told)
        await stream(lines, "/floor", seconds / SLICES, floor)
    for line in lines:
        line.close()
    waiting = await fetchval("select count(*) from stripe_event where handled_at is null")
    print(
        f"webhooks          {told.rate:7.0f}/s  p50 {told.percentile(0.5):5.1f} ms  p99 {told.percentile(0.99):5.1f} ms"
        f"  {dict(told.done)}\ninsert and commit {floor.rate:7.0f}/s  p50 {floor.percentile(0.5):5.1f} ms"
        f"  p99 {floor.percentile(0.99):5.1f} ms\nshare of the floor reached {told.rate / floor.rate:.0%};"
        f" {waiting} were not handled yet at the end"
    )
    while await fetchval("select exists (select from stripe_event where handled_at is null)"):
        await asyncio.sleep(0.2)


# --- a payment, from the click to the page


async def payments(port: int, count: int, clients: int, seconds: float) -> None:
    from exchange.settlement import stripe_gateway
    from exchange.settlement.actions import payments as pay_pages
    from tests.factories import sign_in
    from tests.settlement.conftest import agree

    async def prepared() -> tuple[httpx.AsyncClient, str, str]:
        agreed = await agree()
        client = httpx.AsyncClient(base_url=f"http://{HOST}:{port}", trust_env=False, timeout=30)
        await sign_in(client, agreed.buyer)
        url = await pay_pages.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        return client, url, f"/deals/{agreed.deal_id}"

    async def timed(waiting: deque[tuple[httpx.AsyncClient, str, str]], times: list[float]) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=30) as bank:
            while waiting:
                client, url, deal = waiting.popleft()
                seen = MARK.findall((await client.get(deal)).text)[0]
                async with client.stream("GET", f"{deal}/live?mark={seen}") as news_of_deal:
                    told = news_of_deal.aiter_lines()
                    await anext(told)
                    begun = time.perf_counter()
                    answer = await bank.post(url, data={"outcome": CARD})
                    if answer.status_code != 303:
                        raise RuntimeError(f"the payment was not taken: {answer.status_code} {answer.text[:300]}")
                    async for line in told:
                        if line == "event: changed" and f'action="{deal}/payment"' not in (await client.get(deal)).text:
                            break
                    else:
                        raise RuntimeError(f"{deal}: the page's stream ended")
                times.append(time.perf_counter() - begun)
                await client.aclose()

    async def measured(name: str, number: int, at_once: int, beside: float = 0) -> None:
        waiting, times = deque([await prepared() for _ in range(number)]), list[float]()
        stop = asyncio.Event()
        noise = asyncio.create_task(_noise(port, beside, stop)) if beside else None
        await asyncio.gather(*(timed(waiting, times) for _ in range(at_once)))
        stop.set()
        if noise:
            await noise
        times.sort()
        print(
            f"{name:52}{len(times):5} payments  p50 {times[len(times) // 2] * 1000:6.0f} ms"
            f"  p99 {times[int(len(times) * 0.99)] * 1000:6.0f} ms"
        )

    await measured("warming up", 5, 1)
    await measured("one buyer at a time", count // 4, 1)
    await measured(f"{clients} buyers at once", count, clients)
    await measured(f"{clients} buyers at once, 50 other webhooks a second", count, clients, beside=50)
    await stripe_gateway.close()


async def _noise(port: int, rate: float, stop: asyncio.Event) -> None:
    line, tally = await Post.open(port), Tally()
    while not stop.is_set():
        await line.deliver(PATHS["platform"], news(), tally)
        await asyncio.sleep(1 / rate)
    line.close()


# --- what runs


@contextmanager
def process(*arguments: str) -> Iterator[None]:
    """An ``exchange`` command in the background."""
    started = subprocess.Popen([sys.executable, "-m", "exchange.cli", *arguments], cwd=ROOT)
    try:
        yield
    finally:
        started.terminate()
        started.wait(20)


async def run(port: int, asked: argparse.Namespace) -> None:
    from exchange.database import close_pool, open_pool

    await open_pool(size=4)
    await throughput(port, asked.clients, asked.seconds)
    await payments(port, asked.payments, asked.clients, asked.seconds)
    await close_pool()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--payments", type=int, default=200)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=10, help="of webhooks, and as much of the floor")
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    with fresh_database([["migrate"]], ["shared_buffers=256MB"]) as url:
        sandbox = f"http://{HOST}:{free_port(HOST)}"
        secrets = json.dumps([SECRET])
        os.environ |= {
            "DATABASE_URL": url, "STRIPE_SECRET_KEY": KEY, "STRIPE_API_BASE": sandbox,
            "STRIPE_WEBHOOK_SECRETS": secrets, "STRIPE_CONNECT_WEBHOOK_SECRETS": secrets,
            "STRIPE_THIN_WEBHOOK_SECRETS": secrets, "EXCHANGE_SANDBOX_DATABASE_URL": url,
            "EXCHANGE_SANDBOX_SECRET_KEY": KEY, "EXCHANGE_SANDBOX_PORT": sandbox.rpartition(":")[2],
        }  # fmt: skip
        with serving("tests.load.webhooks:create", asked.workers) as port:
            hooks = [{"url": f"http://{HOST}:{port}{at}", "secret": SECRET, "kind": kind} for kind, at in PATHS.items()]
            os.environ["EXCHANGE_SANDBOX_WEBHOOKS"] = json.dumps(hooks)
            with process("sandbox"), process("worker"):
                asyncio.run(run(port, asked))


if __name__ == "__main__":
    main()
