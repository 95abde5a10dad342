"""The two things that happen by themselves: the virtual clock runs what is due, the postman delivers webhooks.

Webhooks are signed at each try with the real clock (receivers allow 300 s), whatever the virtual clock says.
"""

import asyncio
import contextlib
import hashlib
import hmac
import logging
import random
import time
from typing import Any

import httpx

from exchange.sandbox.shapes import Doc
from exchange.sandbox.store import Books

log = logging.getLogger(__name__)

AT_ONCE = 8


def signature(secret: str, body: str, at: int) -> str:
    """The ``Stripe-Signature`` header: HMAC-SHA256 over ``timestamp.body``."""
    digest = hmac.new(secret.encode(), f"{at}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


async def keep_time(books: Books) -> None:
    """Run what the virtual clock makes due, until cancelled."""
    while True:
        try:
            async with books.reading() as world:
                waiting = await world.sql.fetchval("select min(at) from sandbox.due")
                now = world.now
            if waiting is not None and waiting <= now:
                await books.run_due()
        except Exception:
            log.exception("the virtual clock stumbled")
        books.committed.clear()
        if waiting is None or waiting > now + 1:  # nothing soon: sleep until something is written, or a while
            await _either(books.committed, 5.0)
        await asyncio.sleep(books.settings.tick_seconds)


async def deliver(books: Books) -> None:
    """Deliver webhooks, until cancelled: several at once, in no promised order, retried with growing waits."""
    async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
        while True:
            books.posted.clear()
            pause = 5.0
            try:
                pause = await _round(books, client)
            except Exception:
                log.exception("the postman stumbled")
            if pause > 0:
                await _either(books.posted, pause)


async def _either(event: asyncio.Event, seconds: float) -> None:
    """Wait for ``event``, at most so long. Not ``wait_for``: in Python 3.11 it can swallow a cancellation."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


async def _round(books: Books, client: httpx.AsyncClient) -> float:
    """One walk of the postman; the seconds until the next is worth it."""
    async with books.reading() as world:
        faults: Doc = world.faults.get("webhooks", {})
        rows = await world.sql.fetch(
            "select d.*, o.doc as to_doc from sandbox.delivery d left join sandbox.object o on o.id = d.endpoint"
            " where d.state = 'waiting' and d.due <= $1 order by d.id limit 32",
            time.time(),
        )
        if not rows:
            following = await world.sql.fetchval("select min(due) from sandbox.delivery where state = 'waiting'")
            return min(5.0, max(0.05, following - time.time())) if following else 5.0
    if faults.get("hold"):
        return 5.0
    rows = list(rows)
    if faults.get("shuffle"):
        random.shuffle(rows)
    gate = asyncio.Semaphore(1 if faults.get("shuffle") else AT_ONCE)
    outcomes = await asyncio.gather(*(_one(client, gate, dict(row), faults) for row in rows))
    async with books.writing() as world:
        for row, (status, dropped) in zip(rows, outcomes, strict=True):
            await _note(world.sql, books.settings.retry_seconds, row, status, dropped)
    return 0.0


async def _one(client: httpx.AsyncClient, gate: asyncio.Semaphore, row: Doc, faults: Doc) -> tuple[int | None, bool]:
    endpoint = row["to_doc"]
    if endpoint is None or endpoint["status"] != "enabled":
        return None, True
    if random.random() * 100 < faults.get("drop_percent", 0):  # noqa: S311 - chance, not secrecy
        return None, True
    async with gate:
        await asyncio.sleep(random.uniform(0, faults.get("delay_seconds", 0)))  # noqa: S311 - the same
        status = await _post(client, endpoint, row["body"])
        if random.random() * 100 < faults.get("double_percent", 0):  # noqa: S311 - the same
            status = await _post(client, endpoint, row["body"])
    return status, False


async def _post(client: httpx.AsyncClient, endpoint: Doc, body: str) -> int | None:
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Sandbox/1.0 (NOT STRIPE)",
        "Stripe-Signature": signature(endpoint["_secret"], body, int(time.time())),
        "X-Sandbox": "NOT STRIPE",
    }
    try:
        answer = await client.post(endpoint.get("_url") or endpoint["url"], content=body, headers=headers)
    except httpx.HTTPError as error:
        log.info("webhook to %s: %s", endpoint.get("_url") or endpoint["url"], type(error).__name__)
        return None
    return answer.status_code


async def _note(sql: Any, waits: tuple[float, ...], row: Any, status: int | None, dropped: bool) -> None:
    tries = row["attempts"] + 1
    if dropped:
        state, again = "dropped", row["due"]
    elif status is not None and 200 <= status < 300:
        state, again = "delivered", row["due"]
    elif tries > len(waits):
        state, again = "given_up", row["due"]
    else:
        state, again = "waiting", time.time() + waits[tries - 1]
    await sql.execute(
        "update sandbox.delivery set attempts = $2, state = $3, due = $4, last_status = $5 where id = $1",
        row["id"], tries, state, again, status,
    )  # fmt: skip
