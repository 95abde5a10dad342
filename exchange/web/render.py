"""From a template's name to a response: a whole page, or the fragment HTMX asked for.

One compiled Jinja environment per language, so that a page looks nothing up while it renders. Strings are escaped;
scripts and styles come from files only (the CSP allows nothing else).
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, unquote

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from litestar import Request, Response
from litestar.datastructures import Cookie
from litestar.enums import MediaType
from litestar.utils.scope.state import ScopeState
from markupsafe import Markup

from exchange.errors import DomainError, Several
from exchange.money import Money
from exchange.settings import settings
from exchange.web import formats
from exchange.web.folding import folding
from exchange.web.frame import framed
from exchange.web.translations import LANGUAGES, say, translations
from exchange.web.viewer import Viewer

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
STATIC = Path(__file__).parent / "static"
THEMES = ("auto", "light", "dark")
FLASH = "flash"

Web = Request[Viewer | None, Any, Any]
"""A request as every page handler gets it: ``request.user`` is the viewer, or None when signed out."""


def language_of(request: Web) -> str:
    """What was chosen on this device, else the account's, else the browser's first that we speak, else English.

    A program states its language with each request, if at all: under /api the header wins.
    """
    accepted = partial(_accepted, request.headers.get("accept-language", ""))
    if request.scope["path"].startswith("/api/") and (stated := accepted()):
        return stated
    chosen = request.cookies.get("language", "")
    if chosen in LANGUAGES:
        return chosen
    if "user" in request.scope and request.user is not None:
        return request.user.language
    return accepted() or "en"


def _accepted(header: str) -> str | None:
    """The language we speak that ``Accept-Language`` weighs most."""
    weighted = []
    for part in header.split(","):
        tag, _, weight = part.strip().partition(";q=")
        if (code := tag[:2].lower()) in LANGUAGES:
            try:
                weighted.append((float(weight or 1), code))
            except ValueError:
                continue
    return max(weighted, key=lambda pair: pair[0])[1] if weighted else None


def zone_of(request: Web) -> str:
    """The account's time zone; Paris for visitors."""
    return request.user.zone if "user" in request.scope and request.user is not None else "Europe/Paris"


def render(
    request: Web,
    template: str,
    /,
    *,
    fragment: str | None = None,
    status: int = 200,
    refusal: DomainError | None = None,
    typed: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    **context: Any,
) -> Response[str]:
    """``template`` as a page. With ``fragment``, HTMX requests get that smaller template instead.

    ``refusal`` and ``typed`` re-show a form: what was wrong beside its field, and everything that was typed.
    """
    wanted = (
        fragment if fragment and request.headers.get("hx-request") and not request.headers.get("hx-boosted") else None
    )
    flashes = _flashes(request) if wanted is None else []
    language = language_of(request)
    viewer = request.user if "user" in request.scope else None
    env, theme, path = environment(language), theme_of(request), request.url.path
    token, demo = str(ScopeState.from_scope(request.scope).csrf_token or ""), settings().is_demo
    text = env.get_template(wanted or template).render(
        context,
        frame=framed(env, viewer, theme, demo=demo, path=path, csrf_token=token) if wanted is None else None,
        request=request,
        viewer=viewer,
        locale=language,
        theme=theme,
        path=path,
        zone=zone_of(request),
        flashes=flashes,
        refusal=refusal,
        refusals_for=partial(_refusals_for, refusal, language, zone_of(request)),
        typed=typed or {},
        csrf_token=token,
        demo=demo,
        sandbox=settings().stripe_secret_key is None or settings().stripe_api_base is not None,
    )  # fmt: skip
    response = Response(text, media_type=MediaType.HTML, status_code=status, headers=dict(headers or {}))
    response.headers.setdefault("Vary", "Cookie, Accept-Language, HX-Request")
    response.headers.setdefault("Cache-Control", "private, no-store" if viewer else "no-cache")
    if flashes:
        response.delete_cookie(FLASH)
    return response


def see_other(
    request: Web, url: str, *, flash: str | None = None, kind: str = "done", **details: object
) -> Response[str]:
    """Send the browser to ``url`` with GET after a POST; ``flash`` is a text to show there once."""
    headers = {"Location": url}
    if request.headers.get("hx-request"):
        headers["HX-Redirect"] = url
    response = Response("", status_code=200 if request.headers.get("hx-request") else 303, headers=headers)
    if flash is not None:
        told = json.dumps([[kind, say(language_of(request), flash, **details)]])
        response.set_cookie(
            Cookie(FLASH, value=quote(told), httponly=True, samesite="lax", secure=settings().is_secure, max_age=60)
        )
    return response


def local_path(text: str) -> str:
    """``text`` when it is a path of this site, else ``/``: where a form may send a browser on.

    Browsers read ``//host`` and ``/\\host`` as another site, and drop line breaks and tabs before they look.
    """
    fine = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable()
    return text if fine else "/"


def theme_of(request: Web) -> str:
    """The colour scheme chosen on this device."""
    chosen = request.cookies.get("theme", "auto")
    return chosen if chosen in THEMES else "auto"


def told(refusal: DomainError, language: str, zone: str) -> str:
    """The refusal's sentence in ``language``; money among its details is formatted, instants are told in ``zone``."""
    return say(language, refusal.message, **{k: _detail(v, language, zone) for k, v in refusal.details.items()})


def text(template: str, language: str, /, *, zone: str = "Europe/Paris", **context: Any) -> str:
    """A template outside a request: mails. Plain text, not escaped."""
    return _environment(language, False).get_template(template).render(context, locale=language, zone=zone)


def fragment(template: str, language: str, /, *, zone: str = "Europe/Paris", **context: Any) -> str:
    """A part of a page that is the same for many, for a caller that keeps it: knows no request and no viewer."""
    return (
        environment(language)
        .get_template(template)
        .render(
            context,
            locale=language,
            zone=zone,
            refusal=None,
            refusals_for=_no_refusals,
            typed={},
            csrf_token="",
        )
    )


def _no_refusals(_: str) -> list[str]:
    return []


@cache
def environment(language: str) -> Environment:
    """The compiled environment of one language."""
    return _environment(language, True)


@cache
def _environment(language: str, html: bool) -> Environment:
    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=html,  # noqa: S701  off for plain-text mails only
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    cast(Any, env).install_gettext_translations(translations(language), newstyle=True)
    gettext = translations(language).gettext
    text = (lambda key: Markup(gettext(key))) if html else gettext  # noqa: S704  translations are our own writing
    env.code_generator_class = folding({"_": text, "gettext": text, "asset": asset})
    env.filters |= {
        "money": partial(formats.money, language=language),
        "number": partial(formats.number, language=language),
        "percent": partial(formats.percent, language=language),
        "weekday": partial(formats.weekday, language=language),
        "week": partial(formats.week, language=language),
        "in_words": partial(formats.in_words, language=language),
        "iso": formats.iso,
        "when": pass_context(lambda c, at, zone=None: formats.when(at, language, zone or c["zone"])),
        "full": pass_context(lambda c, at, zone=None: formats.full(at, language, zone or c["zone"])),
        "date": pass_context(lambda c, at, zone=None: formats.day(at, language, zone or c["zone"])),
        "say": pass_context(lambda c, refusal: told(refusal, language, c["zone"])),
    }
    env.globals |= {"asset": asset, "csrf_field": _csrf_field, "locale": language}
    return env


@lru_cache(maxsize=256)
def asset(name: str) -> str:
    """The address of a static file, with its content's fingerprint, so that browsers may keep it for a year."""
    file = STATIC / name
    mark = hashlib.sha256(file.read_bytes()).hexdigest()[:10] if file.is_file() else "0"
    return f"/static/{name}?v={mark}"


@pass_context
def _csrf_field(context: Context) -> Markup:
    return Markup('<input type="hidden" name="_csrf_token" value="{}">').format(context["csrf_token"])


def _detail(value: object, language: str, zone: str) -> object:
    if isinstance(value, Money):
        return formats.money(value, language)
    if isinstance(value, datetime):
        return formats.when(value, language, zone)
    if isinstance(value, str | int | float):
        return value
    if isinstance(value, Iterable):
        return ", ".join(str(v) for v in value)
    return str(value)


def _refusals_for(refusal: DomainError | None, language: str, zone: str, field: str) -> list[str]:
    several = refusal.refusals if isinstance(refusal, Several) else [refusal] if refusal else []
    return [told(r, language, zone) for r in several if r.field == field]


def _flashes(request: Web) -> list[tuple[str, str]]:
    try:
        found = json.loads(unquote(request.cookies.get(FLASH, "[]")))
        return [(str(kind), str(text)) for kind, text in found]
    except ValueError:
        return []
