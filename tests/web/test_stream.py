"""A live page hears of everything, also of what happened while nobody listened."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

import asyncpg
import pytest
from litestar import Litestar
from litestar.channels import ChannelsPlugin
from litestar.response import ServerSentEventMessage

from exchange.database import execute, fetchval
from exchange.web.stream import MISSED, _events, channels_plugin, mark

LISTENING = "from pg_stat_activity where application_name = 'exchange live pages' and datname = current_database()"
LOST = f"select pg_terminate_backend(pid) {LISTENING}"


Stream = AsyncGenerator[ServerSentEventMessage, None]


def _stream(channels: ChannelsPlugin, name: str, *, seen: str = "as it is") -> Stream:
    async def now() -> str:
        return "as it is"

    return _events(channels, [name], seen, now)


async def _hears(stream: Stream) -> object:
    async with asyncio.timeout(5):
        return (await anext(stream)).data


async def test_a_page_hears_what_it_missed_and_nothing_where_nothing_changed(committed: None) -> None:
    channels = channels_plugin()
    async with (
        Litestar(plugins=[channels]).lifespan(),
        aclosing(_stream(channels, "one")) as fresh,
        aclosing(_stream(channels, "one", seen="as it was")) as old,
    ):
        assert [await _hears(fresh), await _hears(old)] == ["", ""], "both listen"
        assert await _hears(old) == MISSED
        await execute("select pg_notify('one', 'offer.made X')")
        assert await _hears(fresh) == await _hears(old) == "offer.made X"


async def test_a_stream_ends_when_the_database_was_gone_and_the_next_one_listens(committed: None) -> None:
    channels = channels_plugin()
    async with Litestar(plugins=[channels]).lifespan():
        first, second = _stream(channels, "one"), _stream(channels, "two")
        await _hears(first)
        await execute(LOST)
        await execute("select pg_notify('one', 'offer.refused X')")  # nobody hears it
        await _hears(second)
        with pytest.raises(StopAsyncIteration):  # the page opens another, and its mark says what it missed
            await _hears(first)
        await execute("select pg_notify('two', 'offer.made Y')")
        with suppress(StopAsyncIteration):  # it began before there was another connection
            assert await _hears(second) == "offer.made Y"
            await second.aclose()
        async with aclosing(_stream(channels, "two")) as again:
            await _hears(again)
            await execute("select pg_notify('two', 'offer.made Z')")
            assert await _hears(again) == "offer.made Z"


async def test_a_page_left_while_it_begins_to_listen_makes_no_other_deaf(
    committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    listen, begun, slow = asyncpg.Connection.add_listener, asyncio.Event(), asyncio.Event()

    async def slowly(self: asyncpg.Connection, channel: str, listener: object) -> None:
        begun.set()
        await slow.wait()
        await listen(self, channel, listener)

    monkeypatch.setattr(asyncpg.Connection, "add_listener", slowly)
    channels = channels_plugin()
    async with Litestar(plugins=[channels]).lifespan():
        left = asyncio.create_task(_hears(_stream(channels, "one")))
        await begun.wait()
        left.cancel()
        await asyncio.sleep(0)
        slow.set()
        await asyncio.wait({left})
        async with aclosing(_stream(channels, "one")) as other:
            await _hears(other)
            await execute("select pg_notify('one', 'offer.made X')")
            assert await _hears(other) == "offer.made X"


async def test_a_page_that_is_left_leaves_nothing_behind(committed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    channels = channels_plugin()
    async with Litestar(plugins=[channels]).lifespan():
        before = asyncio.all_tasks()
        for when in ("while it begins to listen", "while it waits"):
            stream = _stream(channels, "one")
            if when == "while it waits":
                await _hears(stream)
            left = asyncio.create_task(_hears(stream))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            left.cancel()
            await asyncio.wait({left})
            await stream.aclose()
            assert asyncio.all_tasks() <= before, when
            assert not any(channels._channels.values()), when


@pytest.mark.parametrize("failure", [asyncpg.QueryCanceledError, asyncpg.InternalClientError])
async def test_a_channel_that_could_not_be_listened_to_is_listened_to_on_another_connection(
    committed: None, monkeypatch: pytest.MonkeyPatch, failure: type[Exception]
) -> None:
    listen = asyncpg.Connection.add_listener

    async def cancelled(self: asyncpg.Connection, channel: str, listener: object) -> None:
        monkeypatch.setattr(asyncpg.Connection, "add_listener", listen)
        raise failure

    channels = channels_plugin()
    async with Litestar(plugins=[channels]).lifespan():
        monkeypatch.setattr(asyncpg.Connection, "add_listener", cancelled)
        with pytest.raises(StopAsyncIteration):  # the page opens another
            stream = _stream(channels, "one")
            while True:
                await _hears(stream)
        async with aclosing(_stream(channels, "one")) as again:
            await _hears(again)
            await execute("select pg_notify('one', 'offer.made X')")
            assert await _hears(again) == "offer.made X"


async def test_a_connection_lost_while_it_begins_to_listen_is_replaced_by_one_and_not_by_two(
    committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    listen = asyncpg.Connection.add_listener

    async def lost_again(self: asyncpg.Connection, channel: str, listener: object) -> None:
        monkeypatch.setattr(asyncpg.Connection, "add_listener", listen)
        self.terminate()
        raise asyncpg.ConnectionDoesNotExistError

    channels = channels_plugin()
    async with Litestar(plugins=[channels]).lifespan():
        stream = _stream(channels, "one")
        await _hears(stream)
        monkeypatch.setattr(asyncpg.Connection, "add_listener", lost_again)
        await execute(LOST)
        with pytest.raises(StopAsyncIteration):
            await _hears(stream)
        while mending := [t for t in asyncio.all_tasks() if "_listen_again" in repr(t)]:
            await asyncio.wait(mending)
        assert await fetchval(f"select count(*) {LISTENING}") == 1


def test_a_mark_follows_what_is_shown_and_tells_nothing_of_it() -> None:
    assert mark(2, "live") == mark(2, "live") != mark(3, "live")
    assert "live" not in mark("live")
