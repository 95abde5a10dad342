"""The payment sandbox has a clock of its own that can be moved forward; the exchange's clock follows it.

So a deal's days pass for both: who moves the sandbox's clock by a week sees reminders, lapses and payouts come, as
after a week. With a real key nothing is followed and nothing is asked.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx

from exchange import clock
from exchange.settings import settings

log = logging.getLogger(__name__)

EVERY = 2.0
"""Seconds between two looks at the sandbox's clock."""

Jumped = Callable[[timedelta], Awaitable[None]]


def _address() -> str | None:
    """Where the sandbox tells its time; None with a real key."""
    key = settings().stripe_secret_key
    base = settings().stripe_api_base
    return f"{base}/_sandbox/clock" if base and key and key.get_secret_value().startswith("sk_test_sbx") else None


@asynccontextmanager
async def followed(jumped: Jumped | None = None) -> AsyncIterator[None]:
    """Keep this process's clock with the sandbox's; ``jumped`` is told by how much it was moved forward meanwhile."""
    if _address() is None:
        yield
        return
    await follow()
    following = asyncio.create_task(_keep_following(jumped))
    try:
        yield
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def follow(client: httpx.AsyncClient | None = None) -> timedelta:
    """Look once; how far the clock went forward. A sandbox behind the real time is not followed, nor one that is away.

    Its past is there for the seed, which plays a history up to today.
    """
    address = _address()
    if address is None:
        return timedelta(0)
    try:
        async with contextlib.nullcontext(client) if client else _client() as asking:
            answer = (await asking.get(address)).raise_for_status().json()
    except httpx.HTTPError:
        return timedelta(0)
    ahead = timedelta(seconds=max(0.0, float(answer["offset_seconds"])))
    before, after = clock.ahead(), ahead
    if abs(after - before) < timedelta(seconds=1):
        return timedelta(0)
    clock.follow(after)
    return after - before


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=5, trust_env=False, verify=False)  # noqa: S501  plain HTTP on the loopback


async def _keep_following(jumped: Jumped | None) -> None:
    async with _client() as client:
        while True:
            await asyncio.sleep(EVERY)
            try:
                moved = await follow(client)
                if moved > timedelta(0) and jumped is not None:
                    await jumped(moved)
            except Exception:
                log.exception("the sandbox's clock could not be followed; it is looked at again")
