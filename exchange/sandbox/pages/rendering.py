"""How every page is made: its words in two languages, its headers, its books."""

import json
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from babel.numbers import format_currency, get_currency_precision
from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import MediaType, Request, Response
from litestar.datastructures import State
from markupsafe import Markup

from exchange.sandbox.shapes import iso
from exchange.sandbox.store import Books
from exchange.sandbox.words import Language, language_of, translate

Asked = Request[None, None, State]

_HEADERS = {
    "X-Sandbox": "NOT STRIPE",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("exchange.sandbox"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["when"] = lambda seconds: iso(seconds)[:16].replace("T", " ") + " UTC"
    return environment


def _language(request: Asked, session_locale: str | None = None) -> Language:
    return language_of(request.query_params.get("locale") or session_locale, request.headers.get("accept-language", ""))


def show(request: Asked, name: str, *, status: int = 200, locale: str | None = None, **values: Any) -> Response[str]:
    language = _language(request, locale)

    def words(text: str, **filled: object) -> str | Markup:
        found = translate(text, language)
        return found % filled if filled else found

    def amount(minor: int, currency: str) -> str:
        code = currency.upper()
        return format_currency(minor / 10 ** get_currency_precision(code), code, locale=language)

    html = _environment().get_template(name).render(t=words, amount=amount, language=language, **values)
    headers = _HEADERS | {"Content-Language": language, "Vary": "Accept-Language"}
    return Response(html, status_code=status, headers=headers, media_type=MediaType.HTML)


def go(url: str) -> Response[str]:
    return Response("", status_code=303, headers=_HEADERS | {"Location": url}, media_type=MediaType.TEXT)


def notice(request: Asked, text: str, *, status: int = 200, url: str | None = None) -> Response[str]:
    return show(request, "notice.html", status=status, text=text, url=url)


def nothing(request: Asked) -> Response[str]:
    return notice(request, "There is nothing at this address.", status=404)


def books_of(request: Asked) -> Books:
    books: Books = request.app.state.books
    return books


async def form_of(request: Asked) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode(errors="replace"), keep_blank_values=True))


def as_json(value: object, status: int = 200) -> Response[str]:
    return Response(json.dumps(value), status_code=status, headers=_HEADERS, media_type=MediaType.JSON)
