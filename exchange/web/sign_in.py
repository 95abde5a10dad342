"""Who is asking: a session cookie for pages, a bearer token for the API; the API never takes a cookie.

The web layer knows no accounts: ``app.py`` hands it the two loaders. A viewer is remembered for some seconds, so a
hot page costs one SQL round trip; whatever ends or changes a viewer announces it on ``VIEWERS`` in its transaction and
every process forgets at once.
"""

import asyncio
import hashlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID

from litestar.channels import ChannelsPlugin
from litestar.connection import ASGIConnection
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult
from litestar.types import ASGIApp

from exchange.settings import settings
from exchange.web.stream import MISSED
from exchange.web.viewer import Viewer

log = logging.getLogger(__name__)

Loader = Callable[[str], Awaitable[Viewer | None]]
"""From the secret a request carries to the viewer it stands for, in one SQL round trip."""

VIEWERS = "viewers"
"""Channel: ``announce(VIEWERS, fact, id)`` with the id of the session, token, person or company that changed."""
REMEMBERED = 5.0
"""Seconds. The announcement makes it exact; this bounds it should an announcement be lost with its connection."""
MOST = 10_000


def session_cookie() -> str:
    """The cookie's name; ``__Host-`` binds it to this host, which browsers allow over https only."""
    return "__Host-session" if settings().is_secure else "session"


class Remembered:
    """Viewers loaded within the last seconds, by digest of their secret. Off until it hears the announcements."""

    def __init__(self) -> None:
        self._viewers: dict[bytes, tuple[float, Viewer]] = {}
        self._hears = False

    @property
    def is_on(self) -> bool:
        """Whether announcements are heard."""
        return self._hears

    async def load(self, secret: str, loader: Loader) -> Viewer | None:
        """The viewer of ``secret``, remembered or asked for."""
        if not self._hears:
            return await loader(secret)
        digest = hashlib.sha256(secret.encode()).digest()
        known = self._viewers.get(digest)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        viewer = await loader(secret)
        if viewer is not None:
            if len(self._viewers) >= MOST:
                self._viewers.clear()
            self._viewers[digest] = (time.monotonic() + REMEMBERED, viewer)
        return viewer

    def forget(self, changed: UUID) -> None:
        """Drop every viewer of this session, token, person or company."""
        gone = [
            digest
            for digest, (_, v) in self._viewers.items()
            if changed in (v.session_id, v.actor.person_id, v.actor.company_id)
        ]
        for digest in gone:
            del self._viewers[digest]

    @asynccontextmanager
    async def hearing(self, channels: ChannelsPlugin) -> AsyncIterator[None]:
        """Remember viewers while the announcements are heard."""
        listening = asyncio.create_task(self._listen(channels))
        try:
            yield
        finally:
            self._hears = False
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening

    async def _listen(self, channels: ChannelsPlugin) -> None:
        async with channels.start_subscription([VIEWERS]) as subscriber:
            self._hears = True
            async for message in subscriber.iter_events():
                if message.decode() == MISSED:
                    self._viewers.clear()
                else:
                    self.forget(UUID(message.decode().rpartition(" ")[2]))


API_REFERENCE = "/api/v1/docs"
"""The one page among the API's addresses: people read it with their session."""


class SignIn(AbstractAuthenticationMiddleware):
    """Sets ``request.user`` to the Viewer, or None. Guards decide whether that is enough."""

    def __init__(self, app: ASGIApp, *, by_session: Loader, by_token: Loader, remembered: Remembered) -> None:
        super().__init__(app, exclude=["^/static/", "^/healthz$", "^/webhooks/"])
        self.by_session = by_session
        self.by_token = by_token
        self.remembered = remembered

    async def authenticate_request(self, connection: ASGIConnection[Any, Any, Any, Any]) -> AuthenticationResult:
        viewer = None
        path = connection.url.path
        if (path.startswith("/api/") and path != API_REFERENCE) or "authorization" in connection.headers:
            kind, _, token = connection.headers.get("authorization", "").partition(" ")
            if kind.lower() == "bearer" and token:
                viewer = await self.remembered.load(token.strip(), self.by_token)
        elif secret := connection.cookies.get(session_cookie()):
            viewer = await self.remembered.load(secret, self.by_session)
        return AuthenticationResult(user=viewer, auth=None)
