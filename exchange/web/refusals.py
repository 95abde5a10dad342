"""From a refusal to an answer: an HTML page in the reader's language, or an RFC 9457 problem document.

The one place that knows status codes.
"""

import logging
from collections.abc import Mapping
from secrets import token_hex
from typing import Any
from urllib.parse import quote

import asyncpg
from litestar import Request, Response
from litestar.exceptions import (
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    PermissionDeniedException,
    TooManyRequestsException,
    ValidationException,
)
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.types import ExceptionHandlersMap

from exchange.database import AWAY
from exchange.errors import (
    N_,
    Conflict,
    DomainError,
    Invalid,
    NotAllowed,
    NotSeen,
    Several,
    TooLarge,
    TooMany,
    Unavailable,
)
from exchange.settings import settings
from exchange.web.guards import SignInFirst
from exchange.web.render import language_of, render, told, zone_of
from exchange.web.translations import say

log = logging.getLogger(__name__)

STATUS: dict[type[DomainError], int] = {
    SignInFirst: 401,
    NotSeen: 404,
    NotAllowed: 403,
    Conflict: 409,
    TooLarge: 413,
    Invalid: 422,
    TooMany: 429,
    Unavailable: 503,
}

HEADINGS = {
    400: N_("This cannot be done"),
    401: N_("Sign in first"),
    403: N_("This is not open to you"),
    404: N_("Nothing here"),
    405: N_("That does not work here"),
    409: N_("This has changed in the meantime"),
    413: N_("Too large"),
    422: N_("Something does not fit"),
    429: N_("A moment, please"),
    500: N_("Our fault"),
    503: N_("Back in a moment"),
}
"""What a kind of refusal is called above its sentence: the page's heading, the problem document's ``title``."""


class StaleForm(NotAllowed):
    """The form's CSRF token does not fit: an old page, or a page that is not ours."""

    message = N_("This form is too old or came from another site. Go back, reload the page and send it again.")


def heading_of(refusal: DomainError, status: int) -> str:
    """What stands above the refusal's sentence."""
    return N_("This page is too old") if isinstance(refusal, StaleForm) else HEADINGS[status]


class WrongMethod(Invalid):
    """The address exists; the verb does not."""

    message = N_("This address does not take that kind of request.")


class NotUnderstood(Invalid):
    """A parameter or a body that does not parse."""

    message = N_("This request could not be understood: %(reason)s")


class AddressDamaged(NotUnderstood):
    """What a person followed or sent does not parse: how it fails is no use to them."""

    message = N_("Part of this address or form is missing or damaged. Go back, reload the page and try again.")


class FieldMissing(NotUnderstood):
    """A field that is needed and was not sent."""

    message = N_("This field is needed and was not sent.")


class Broken(Unavailable):
    """Our own fault. The log tells it under the same ``reference``; the asker learns no more than that."""

    message = N_(
        "Something went wrong on our side. Nothing of what you sent was kept half-done; please try again. "
        "If it happens again, write to us and name the reference %(reference)s."
    )


class DatabaseAway(Unavailable):
    """The database went away, perhaps in the very moment of the commit."""

    message = N_(
        "The database went away while this was being done. It was done whole or not at all: look at the page again "
        "before you repeat it."
    )


def status_of(refusal: DomainError) -> int:
    """The HTTP status of the refusal's nearest kind."""
    if isinstance(refusal, Broken):
        return 500
    if isinstance(refusal, WrongMethod):
        return 405
    parts = refusal.refusals if isinstance(refusal, Several) else [refusal]
    if parts and all(isinstance(part, NotUnderstood) for part in parts):
        return 400
    return next((STATUS[kind] for kind in type(refusal).__mro__ if kind in STATUS), 422)


def is_api(request: Request[Any, Any, Any]) -> bool:
    """Whether the asker speaks JSON."""
    return request.url.path.startswith(("/api/", "/webhooks/"))


def answer(request: Request[Any, Any, Any], refusal: DomainError) -> Response[Any]:
    """The refusal as the asker reads it."""
    status = status_of(refusal)
    headers = {"Retry-After": str(refusal.retry_after)} if isinstance(refusal, TooMany) else {}
    if is_api(request):
        if status == 401:
            headers["WWW-Authenticate"] = 'Bearer realm="Confrère"'
        return _problem(request, refusal, status, headers)
    if isinstance(refusal, SignInFirst):
        back = request.url.path if request.method == "GET" else "/"
        if request.method == "GET" and request.url.query:
            back += f"?{request.url.query}"
        url = f"/sign-in?next={quote(back, safe='')}"
        if request.headers.get("hx-request"):
            return Response("", status_code=200, headers={"HX-Redirect": url})
        return Response("", status_code=303, headers={"Location": url})
    return render(
        request, "errors/error.html", status=status, refusal=refusal, status_code=status,
        heading=heading_of(refusal, status), headers=headers,
    )  # fmt: skip


def again(
    request: Request[Any, Any, Any], template: str, refusal: DomainError, typed: Mapping[str, Any], **context: Any
) -> Response[str]:
    """A refused form once more: its page, what was wrong, and everything that was typed."""
    headers = {"Retry-After": str(refusal.retry_after)} if isinstance(refusal, TooMany) else {}
    return render(
        request, template, status=status_of(refusal), refusal=refusal, typed=typed, headers=headers, **context
    )


def _problem(
    request: Request[Any, Any, Any], refusal: DomainError, status: int, headers: dict[str, str]
) -> Response[dict[str, Any]]:
    language, zone = language_of(request), zone_of(request)
    body: dict[str, Any] = {
        "type": f"urn:confrere:problem:{refusal.code}",
        "title": say(language, heading_of(refusal, status)),
        "status": status,
        "detail": told(refusal, language, zone),
        "code": refusal.code,
        "instance": request.url.path,
    }
    several = refusal.refusals if isinstance(refusal, Several) else [refusal] if refusal.field else []
    if several:
        body["errors"] = [{"field": r.field, "code": r.code, "detail": told(r, language, zone)} for r in several]
    return Response(
        body,
        status_code=status,
        media_type="application/problem+json",
        headers=headers | {"Content-Language": language},
    )


def _domain(request: Request[Any, Any, Any], refusal: DomainError) -> Response[Any]:
    return answer(request, refusal)


def _http(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    match error:
        case NotFoundException():
            return answer(request, NotSeen())
        case MethodNotAllowedException():
            return answer(request, WrongMethod())
        case PermissionDeniedException():
            return answer(request, StaleForm())
        case RequestEntityTooLarge():
            return answer(request, TooLarge(limit=settings().upload_limit // 2**20, field="file"))
        case TooManyRequestsException():
            told_us = error.headers or {}
            response = answer(request, TooMany(retry_after=int(told_us.get("RateLimit-Reset", 60))))
            response.headers.update(told_us)
            return response
        case ValidationException():
            return answer(request, _validation(error) if is_api(request) else AddressDamaged())
    if error.status_code < 500:
        return answer(request, NotUnderstood(reason=error.detail))
    return _unforeseen(request, error)


def _validation(error: ValidationException) -> DomainError:
    found = error.extra if isinstance(error.extra, list) else []
    parts = [
        FieldMissing(field=str(e.get("key") or "") or None)
        if e.get("message") == "Field required"
        else NotUnderstood(field=str(e.get("key") or "") or None, reason=str(e.get("message", error.detail))[:300])
        for e in found
        if isinstance(e, dict)
    ]
    if len(parts) == 1:
        return parts[0]
    return Several([*parts]) if parts else NotUnderstood(reason=error.detail[:300])


def _unforeseen(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    if isinstance(error, AWAY):
        unsure = error if isinstance(error, asyncpg.InternalClientError) else None
        log.warning("the database went away at %s %s: %r", request.method, request.url.path, error, exc_info=unsure)
        return answer(request, DatabaseAway())
    reference = token_hex(4)
    log.error("unforeseen at %s %s, reference %s", request.method, request.url.path, reference, exc_info=error)
    return answer(request, Broken(reference=reference))


HANDLERS: ExceptionHandlersMap = {
    DomainError: _domain,
    HTTPException: _http,
    Exception: _unforeseen,
}
