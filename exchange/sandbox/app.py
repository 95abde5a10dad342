"""The sandbox as an ASGI app: the protocol under /v1 and /v2, pages under /c, controls under /_sandbox."""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from granian.constants import Interfaces
from granian.server.embed import Server
from litestar import Litestar, MediaType, Request, Response, route
from litestar.datastructures import State

from exchange.sandbox import objects
from exchange.sandbox.config import SandboxSettings
from exchange.sandbox.delivery import deliver, keep_time
from exchange.sandbox.objects.events import register
from exchange.sandbox.pages import controls, onboarding, paying
from exchange.sandbox.protocol.calls import answer
from exchange.sandbox.protocol.messages import Call
from exchange.sandbox.store import Books

log = logging.getLogger(__name__)

#: Importing them fills the register of routes.
SPOKEN = [import_module(f"{objects.__name__}.{noun.name}") for noun in iter_modules(objects.__path__)]


@route(["/v1/{rest:path}", "/v2/{rest:path}"], http_method=["GET", "POST", "DELETE"], status_code=200)
async def protocol(request: Request[None, None, State]) -> Response[bytes]:
    """Hand every protocol call to the register."""
    books: Books = request.app.state.books
    call = Call(
        method=request.method,
        path=request.url.path,
        query=request.url.query,
        body=await request.body(),
        headers={name.lower(): value for name, value in request.headers.items()},
    )
    given = await answer(books, call)
    if given.stall:
        await asyncio.sleep(given.stall)
    return Response(given.body, status_code=given.status, headers=given.headers, media_type=MediaType.JSON)


@contextlib.asynccontextmanager
async def _working(app: Litestar) -> AsyncIterator[None]:
    books: Books = app.state.books
    await books.open()
    await register(books, books.settings)
    background = [asyncio.create_task(keep_time(books)), asyncio.create_task(deliver(books))]
    try:
        yield
    finally:
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        await books.close()


def _fell_over(request: Request[None, None, State], error: Exception) -> Response[bytes]:
    log.error("%s %s fell over", request.method, request.url.path, exc_info=error)
    body = {"error": {"message": "The sandbox itself fell over: see its log.", "type": "api_error"}}
    return Response(json.dumps(body).encode(), status_code=500, headers={"X-Sandbox": "NOT STRIPE"})


@cache
def _routes() -> Litestar:
    return Litestar(
        route_handlers=[protocol, *paying.doors, *onboarding.doors, *controls.doors],
        lifespan=[_working],
        exception_handlers={500: _fell_over},
        openapi_config=None,
        logging_config=None,
    )


def create_app(settings: SandboxSettings | None = None) -> Litestar:
    """The app; without ``settings`` they are read from ``EXCHANGE_SANDBOX_*``. A process serves one at a time."""
    app = _routes()
    app.state.books = Books(settings or SandboxSettings())
    return app


async def serve(settings: SandboxSettings | None = None, stop: asyncio.Event | None = None) -> None:
    """Serve on ``settings.host:port`` inside the running event loop, one worker, until ``stop`` is set or cancelled."""
    settings = settings or SandboxSettings()
    server = Server(
        create_app(settings),
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        log_access=False,
        websockets=False,
    )
    serving = asyncio.create_task(server.serve())
    stopping = asyncio.create_task((stop or asyncio.Event()).wait())
    try:
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        server.stop()  # type: ignore[no-untyped-call]  # granian leaves it unannotated
        await asyncio.gather(serving, stopping, return_exceptions=True)
