"""Live pages: what an action announced reaches the open page as a server-sent event.

``announce`` (pg_notify, in the action's transaction) → one listening connection per process → Litestar Channels → the
page, which asks its ordinary door again. The event names a fact, never content.

A page carries the `mark` of what it shows, and names it when it opens its stream: where the mark is another by then,
the stream begins with `MISSED`. When PostgreSQL was not heard for a while the stream ends, and the page opens another.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterable
from hashlib import sha256
from typing import cast

import asyncpg
from litestar.channels import ChannelsPlugin
from litestar.channels.backends.asyncpg import AsyncPgChannelsBackend
from litestar.channels.subscriber import Subscriber
from litestar.response import ServerSentEvent, ServerSentEventMessage

from exchange import clock
from exchange.database import engine

log = logging.getLogger(__name__)
MISSED = "missed"
"""In a fact's place: something happened unheard."""
_GONE = (asyncpg.InterfaceError, asyncpg.InternalClientError, asyncpg.PostgresError, OSError)
"""How a connection that is lost shows; the second while PostgreSQL's farewell is being read."""
QUIET = 20.0
"""Seconds of silence after which a comment keeps proxies from closing the stream."""


class ListeningBackend(AsyncPgChannelsBackend):
    """Litestar's backend, which listens again when PostgreSQL drops the connection, and leaves publishing to SQL."""

    def __init__(self) -> None:
        super().__init__(make_connection=self._open)
        self._closing = False
        self._mending: asyncio.Task[None] | None = None
        self._working: set[asyncio.Task[None]] = set()

    async def _open(self) -> asyncpg.Connection:
        connection = await asyncpg.connect(
            **engine().config, server_settings={"application_name": "exchange live pages"}
        )
        connection.add_termination_listener(self._lost)
        return connection

    def _lost(self, connection: asyncpg.Connection) -> None:
        if not self._closing and connection is getattr(self, "_listener_conn", connection):
            self._mending = asyncio.get_running_loop().create_task(self._listen_again())

    async def _listen_again(self) -> None:
        wait = 0.5
        while not self._closing:
            try:
                async with self._listener_lock:
                    self._listener_conn = await self._heard_by(await self._open())
                    if self._queue is not None:
                        for channel in self._subscribed_channels:
                            self._queue.put_nowait((channel, MISSED.encode()))
                return
            except _GONE:
                log.warning("live pages: PostgreSQL does not answer, next try in %.1f s", wait)
                await asyncio.sleep(wait)
                wait = min(wait * 2, 30)

    async def _heard_by(self, fresh: asyncpg.Connection) -> asyncpg.Connection:
        """The connection once it listens to every channel; lost meanwhile, it is none."""
        try:
            for channel in self._subscribed_channels:
                await fresh.add_listener(channel, self._listener)
        except _GONE:
            fresh.terminate()
            raise
        if fresh.is_closed():
            raise ConnectionError("lost again")
        return fresh

    async def subscribe(self, channels: Iterable[str]) -> None:
        """Begin to listen to the channels. The plugin waits for nothing here: a page left meanwhile is taken off its
        lists like any other.
        """
        self._begin(self._subscribe(channels))

    async def listening(self, channels: Iterable[str]) -> None:
        """Wait until the channels are listened to; while the connection is lost they will be, as soon as there is
        another.
        """
        await asyncio.shield(self._begin(self._subscribe(channels)))

    async def unsubscribe(self, channels: Iterable[str]) -> None:
        """Listen to the channels no more."""
        await asyncio.shield(self._begin(super().unsubscribe(channels)))

    def _begin(self, work: Coroutine[None, None, None]) -> "asyncio.Task[None]":
        """Work that goes on to its end though the page that wanted it is left: asyncpg would ask PostgreSQL to cancel
        the statement, and that may come late and end the delivery of a notification, for every page of this process.
        """
        task = asyncio.get_running_loop().create_task(work)
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        return task

    async def _subscribe(self, channels: Iterable[str]) -> None:
        async with self._listener_lock:
            for channel in set(channels) - self._subscribed_channels:
                self._subscribed_channels.add(channel)
                try:
                    await self._listener_conn.add_listener(channel, self._listener)
                except _GONE:
                    self._listener_conn.terminate()  # the next one listens to every channel

    async def on_shutdown(self) -> None:
        self._closing = True
        if self._mending:
            self._mending.cancel()
        await super().on_shutdown()

    async def publish(self, data: bytes, channels: object) -> None:
        raise NotImplementedError("announce() in the action's transaction publishes")


def channels_plugin() -> ChannelsPlugin:
    """The plugin, with channels made as pages ask for them."""
    return ChannelsPlugin(backend=ListeningBackend(), arbitrary_channels_allowed=True, subscriber_max_backlog=100)


def mark(*shown: object) -> str:
    """What a page shows of its subject, in one word: another one as soon as a page would show something else.

    The same in every process for the same values; nothing of them can be read from it.
    """
    return sha256(repr(shown).encode()).hexdigest()[:16]


def opened() -> str:
    """The mark of a page that says what came since it was opened: that instant, in milliseconds of the epoch.

    Taken before the page reads what it shows, and a second early: what was written just now may not be committed yet.
    """
    return str(int(clock.now().timestamp() * 1000) - 1000)


def live(channels: ChannelsPlugin, *names: str, seen: str, now: Callable[[], Awaitable[str]]) -> ServerSentEvent:
    """Stream the facts announced on the channels ``names`` as events called ``changed``, with the fact as their data.

    ``seen`` is the mark the page carries, ``now`` asks for what it would carry now. The caller has already loaded the
    subject as this viewer.
    """
    return ServerSentEvent(
        _events(channels, names, seen, now), headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )


async def _events(
    channels: ChannelsPlugin, names: Iterable[str], seen: str, now: Callable[[], Awaitable[str]]
) -> AsyncGenerator[ServerSentEventMessage, None]:
    backend = cast(ListeningBackend, channels._backend)
    async with channels.start_subscription(names) as subscriber:
        await backend.listening(names)
        yield ServerSentEventMessage(comment="listening", retry=2000)
        if await now() != seen:
            yield ServerSentEventMessage(event="changed", data=MISSED)
        facts = _facts(subscriber)
        pending = asyncio.ensure_future(anext(facts))
        try:
            while True:
                done, _ = await asyncio.wait({pending}, timeout=QUIET)
                if not done:
                    yield ServerSentEventMessage(comment="quiet")
                    continue
                if (fact := pending.result()) == MISSED:
                    return
                yield ServerSentEventMessage(event="changed", data=fact)
                pending = asyncio.ensure_future(anext(facts))
        finally:
            pending.cancel()
            await asyncio.wait({pending})  # what it waits in has ended before the subscription does


async def _facts(subscriber: Subscriber) -> AsyncGenerator[str, None]:
    async for message in subscriber.iter_events():
        yield message.decode()
