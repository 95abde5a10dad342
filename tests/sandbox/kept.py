"""One sandbox for all tests of a process, on a free port; each test finds it as it is when new.

It is started once, for that takes a third of a second, and forgets everything between two tests.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import NamedTuple, Self

import asyncpg
import httpx

from exchange.sandbox.app import serve
from exchange.sandbox.config import SandboxSettings, Webhook
from exchange.sandbox.objects.events import register
from exchange.sandbox.store import Books

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
        self._callers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for caller in self._callers:
            caller.close()

    def url(self, kind: str) -> str:
        return f"http://127.0.0.1:{self.port}/{kind}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._callers.add(writer)
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
            self._callers.discard(writer)
            writer.close()

    async def until(self, found: Callable[["Receiver"], bool], seconds: float = 8) -> None:
        """Wait until ``found`` holds of what has arrived."""
        async with asyncio.timeout(seconds):
            while not found(self):
                self.arrived.clear()
                await self.arrived.wait()


@dataclass(frozen=True)
class Kept:
    """The running sandbox: what it was told, who speaks to it, and its books opened a second time."""

    settings: SandboxSettings
    http: httpx.AsyncClient
    books: Books
    sql: "asyncpg.Connection[asyncpg.Record]"

    @asynccontextmanager
    async def renewed(self) -> AsyncIterator[Receiver]:
        """The sandbox as it is when new, with all three kinds of endpoint registered: a receiver hears them.

        A webhook of an earlier test that is still on its way finds that test's own receiver gone.
        """
        self.http.cookies.clear()
        async with Receiver() as hooks:
            await forget(self.books)
            told = (Webhook(url=hooks.url(kind), secret=secret, kind=kind) for kind, secret in SECRETS.items())
            await register(self.books, self.settings.model_copy(update={"webhooks": tuple(told)}))
            yield hooks


async def forget(books: Books) -> None:
    """Everything the sandbox knows, its clock and its disturbances."""
    async with books.writing() as world:
        await world.sql.execute(
            "delete from sandbox.object; delete from sandbox.answer; delete from sandbox.due; "
            "delete from sandbox.delivery; "
            """update sandbox.state set value = case name when 'clock' then '{"offset": 0}' else '{}' end::jsonb"""
        )


@asynccontextmanager
async def kept(database_url: str) -> AsyncIterator[Kept]:
    """Start it in this event loop, to be renewed for each test."""
    settings = SandboxSettings(
        database_url=database_url,
        secret_key=KEY,
        port=free_port(),
        retry_seconds=(0.05, 0.05, 0.05),
        tick_seconds=0.05,
    )
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(settings, stop))
    books, sql = Books(settings), await asyncpg.connect(database_url)
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(base_url=settings.public_url, headers=headers, trust_env=False, verify=PLAIN) as http:
        try:
            await _answers(http, serving)
            await books.open()
            yield Kept(settings, http, books, sql)
        finally:
            await sql.close()
            await books.close()
            stop.set()
            async with asyncio.timeout(10):
                await serving


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
