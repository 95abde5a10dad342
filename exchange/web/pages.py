"""Doors that belong to no domain: health, language and theme, the API's reading room, the catch-all."""

from typing import Annotated

from litestar import MediaType, Response, Router, get, post
from litestar.datastructures import Cookie
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath

from exchange.database import fetchval
from exchange.errors import NotSeen, Unavailable
from exchange.settings import settings
from exchange.web.render import THEMES, Web, local_path, render, see_other
from exchange.web.sign_in import API_REFERENCE
from exchange.web.translations import LANGUAGES

YEAR = 365 * 24 * 3600
Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


@get("/healthz", media_type=MediaType.TEXT)
async def healthz() -> str:
    """200 only when the database answers."""
    try:
        await fetchval("select 1")
    except Exception as e:
        raise Unavailable from e
    return "ok"


@get("/about")
async def about(request: Web) -> Response[str]:
    """How the exchange works."""
    return render(request, "about.html")


@post("/language")
async def choose_language(request: Web, data: Form) -> Response[str]:
    """Keep the language on this device; the account page changes the account's."""
    return _keep(request, data, "language", LANGUAGES)


@post("/theme")
async def choose_theme(request: Web, data: Form) -> Response[str]:
    """Keep the colour scheme on this device."""
    return _keep(request, data, "theme", THEMES)


@get(API_REFERENCE)
async def api_docs(request: Web) -> Response[str]:
    """The API's reference, readable without internet."""
    return render(request, "api_docs.html")


@get("/{rest:path}")
async def nothing_here(rest: FromPath[str]) -> None:
    """Any other address: behind the sign-in, so that the page keeps its navigation."""
    raise NotSeen


def _keep(request: Web, data: dict[str, str], name: str, allowed: tuple[str, ...]) -> Response[str]:
    response = see_other(request, local_path(data.get("next", "/")))
    if (chosen := data.get(name, "")) in allowed:
        response.set_cookie(Cookie(name, value=chosen, max_age=YEAR, samesite="lax", secure=settings().is_secure))
    return response


router = Router(
    "/", route_handlers=[healthz, about, choose_language, choose_theme, api_docs, nothing_here], include_in_schema=False
)
