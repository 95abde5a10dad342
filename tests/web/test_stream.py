"""A live page hears of everything, also of what happened while nobody listened."""

import asyncio
from collections.abc import AsyncGenerator

from litestar import Litestar
from litestar.channels import ChannelsPlugin
from litestar.response import ServerSentEventMessage

from exchange.database import execute
from exchange.web.stream import MISSED, _events, channels_plugin

LOST = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'exchange live pages'"


async def _hears(stream: AsyncGenerator[ServerSentEventMessage, None]) -> object:
    async with asyncio.timeout(5):
        return (await anext(stream)).data


async def test_a_page_asks_again_when_its_stream_begins_and_when_the_database_was_gone(committed: None) -> None:
    plugin = channels_plugin()
    async with Litestar(plugins=[plugin]).lifespan():
        channels: ChannelsPlugin = plugin
        first, second = _events(channels, ["one"]), _events(channels, ["two"])
        assert await _hears(first) == MISSED, "what happened before it listened"
        await execute("select pg_notify('one', 'offer.made X')")
        assert await _hears(first) == "offer.made X"
        await execute(LOST)
        await execute("select pg_notify('one', 'offer.refused X')")  # nobody hears it
        assert await _hears(second) == MISSED, "a page opened without a connection waits for the next"
        assert await _hears(first) == MISSED
        for name, stream in (("one", first), ("two", second)):
            await execute("select pg_notify($1, 'offer.made Y')", name)
            while (fact := await _hears(stream)) == MISSED:
                pass
            assert fact == "offer.made Y"
            await stream.aclose()
