"""Live pages: what an action announced reaches the open page as a server-sent event.

``announce`` (pg_notify, in the action's transaction) → one listening connection per process → Litestar Channels → the
page, which asks its ordinary door again. The event names a fact, never content. A stream begins with the event
`MISSED`, and has it again when PostgreSQL was not heard for a while: what happened meanwhile is asked for.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Coroutine, Iterable
from contextlib import suppress

import asyncpg
from litestar.channels import ChannelsPlugin
from litestar.channels.backends.asyncpg import AsyncPgChannelsBackend
from litestar.channels.subscriber import Subscriber
from litestar.response import ServerSentEvent, ServerSentEventMessage

from exchange.database import engine

log = logging.getLogger(__name__)
MISSED = "missed"
"""In a fact's place: something may have happened unheard."""
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

    def _lost(self, _: asyncpg.Connection) -> None:
        if not self._closing:
            self._mending = asyncio.get_running_loop().create_task(self._listen_again())

    async def _listen_again(self) -> None:
        wait = 0.5
        while not self._closing:
            try:
                async with self._listener_lock:
                    self._listener_conn = await self._open()
                    for channel in self._subscribed_channels:
                        await self._listener_conn.add_listener(channel, self._listener)
                        if self._queue is not None:
                            self._queue.put_nowait((channel, MISSED.encode()))
                return
            except (OSError, asyncpg.PostgresError):
                log.warning("live pages: PostgreSQL does not answer, next try in %.1f s", wait)
                await asyncio.sleep(wait)
                wait = min(wait * 2, 30)

    async def subscribe(self, channels: Iterable[str]) -> None:
        """Listen to the channels; while the connection is lost, as soon as there is another."""
        await self._to_its_end(self._subscribe(channels))

    async def unsubscribe(self, channels: Iterable[str]) -> None:
        """Listen to the channels no more."""
        await self._to_its_end(super().unsubscribe(channels))

    async def _to_its_end(self, work: Coroutine[None, None, None]) -> None:
        """A page that is left cancels what it waits for. asyncpg would ask PostgreSQL to cancel the statement, and that
        may come late and end the delivery of a notification, for every page of this process.
        """
        task = asyncio.get_running_loop().create_task(work)
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        await asyncio.shield(task)

    async def _subscribe(self, channels: Iterable[str]) -> None:
        async with self._listener_lock:
            for channel in set(channels) - self._subscribed_channels:
                self._subscribed_channels.add(channel)
                with suppress(asyncpg.InterfaceError, asyncpg.PostgresError, OSError):
                    await self._listener_conn.add_listener(channel, self._listener)

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


def live(channels: ChannelsPlugin, *names: str) -> ServerSentEvent:
    """Stream the facts announced on the channels ``names`` as events called ``changed``, with the fact as their data.

    The first comes at once: what happened since the page was made, or since its last stream broke, is asked for.

    The caller has already loaded the subject as this viewer.
    """
    return ServerSentEvent(_events(channels, names), headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})


async def _events(channels: ChannelsPlugin, names: Iterable[str]) -> AsyncGenerator[ServerSentEventMessage, None]:
    async with channels.start_subscription(names) as subscriber:
        yield ServerSentEventMessage(event="changed", data=MISSED, retry=2000)
        facts = _facts(subscriber)
        pending = asyncio.ensure_future(anext(facts))
        try:
            while True:
                done, _ = await asyncio.wait({pending}, timeout=QUIET)
                if not done:
                    yield ServerSentEventMessage(comment="quiet")
                    continue
                yield ServerSentEventMessage(event="changed", data=pending.result())
                pending = asyncio.ensure_future(anext(facts))
        finally:
            pending.cancel()


async def _facts(subscriber: Subscriber) -> AsyncGenerator[str, None]:
    async for message in subscriber.iter_events():
        yield message.decode()
