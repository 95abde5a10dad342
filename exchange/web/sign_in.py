"""Who is asking: a session cookie for pages, a bearer token for the API; the API never takes a cookie.

The web layer knows no accounts: ``app.py`` hands it the two loaders.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from litestar.connection import ASGIConnection
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult
from litestar.types import ASGIApp

from exchange.settings import settings
from exchange.web.viewer import Viewer

Loader = Callable[[str], Awaitable[Viewer | None]]
"""From the secret a request carries to the viewer it stands for, in one SQL round trip."""


def session_cookie() -> str:
    """The cookie's name; ``__Host-`` binds it to this host, which browsers allow over https only."""
    return "__Host-session" if settings().is_secure else "session"


class SignIn(AbstractAuthenticationMiddleware):
    """Sets ``request.user`` to the Viewer, or None. Guards decide whether that is enough."""

    def __init__(self, app: ASGIApp, *, by_session: Loader, by_token: Loader) -> None:
        super().__init__(app, exclude=["^/static/", "^/healthz$", "^/webhooks/"])
        self.by_session = by_session
        self.by_token = by_token

    async def authenticate_request(self, connection: ASGIConnection[Any, Any, Any, Any]) -> AuthenticationResult:
        viewer = None
        if connection.url.path.startswith("/api/") or "authorization" in connection.headers:
            kind, _, token = connection.headers.get("authorization", "").partition(" ")
            if kind.lower() == "bearer" and token:
                viewer = await self.by_token(token.strip())
        elif secret := connection.cookies.get(session_cookie()):
            viewer = await self.by_session(secret)
        return AuthenticationResult(user=viewer, auth=None)
