"""The doors where a person says which mail comes when and when they are away; the one click that ends summaries."""

from datetime import date, time
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath

from exchange.companies import queries
from exchange.companies.actions import wishes
from exchange.companies.rules import AwayOutOfOrder, MailKind, Quiet, Timing, Wishes
from exchange.companies.rules.mail import NotATime, QuietOutOfOrder, UnknownTiming, unsubscribing
from exchange.errors import N_, DomainError, NotSeen
from exchange.settings import settings
from exchange.web.guards import member, viewer_of
from exchange.web.refusals import again
from exchange.web.render import Web, render, see_other

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
MAIL, UNSUBSCRIBE = "companies/mail.html", "companies/unsubscribe.html"


@get("/account/mail", guards=[member])
async def chosen(request: Web) -> Response[str]:
    """What comes when, and when the person is away."""
    return render(request, MAIL, **await _chosen(request))


@post("/account/mail", guards=[member])
async def choose(request: Web, data: Form) -> Response[str]:
    """Each kind of mail at once, in the summary, or not; quiet hours; when the summary comes."""
    try:
        await wishes.choose_mail(by=viewer_of(request).actor, wishes=_wishes(data))
    except DomainError as refusal:
        return again(request, MAIL, refusal, data, **await _chosen(request))
    return see_other(request, "/account/mail", flash=N_("Saved."))


@post("/account/absence", guards=[member])
async def go_away(request: Web, data: Form) -> Response[str]:
    """Out of office, or back."""
    try:
        first, last = days_in(data)
        await wishes.set_away(by=viewer_of(request).actor, first=first, last=last)
    except DomainError as refusal:
        return again(request, MAIL, refusal, data, **await _chosen(request))
    return see_other(request, "/account/mail", flash=N_("Saved."))


@get("/unsubscribe/{token:str}")
async def unsubscribe_form(request: Web, token: FromPath[str]) -> Response[str]:
    """Only asks: programs that look into mails follow links, but press no buttons."""
    _whose(token)
    return render(request, UNSUBSCRIBE, done=False, token=token)


@post("/unsubscribe/{token:str}")
async def unsubscribe(request: Web, token: FromPath[str]) -> Response[str]:
    """One click (RFC 8058): pressed here, or sent by the mail program, signed out and without our page's token.

    Answered in place: mail programs follow no redirect.
    """
    await wishes.end_summaries(person_id=_whose(token))
    return render(request, UNSUBSCRIBE, done=True, token=token)


def days_in(data: dict[str, str]) -> tuple[date | None, date | None]:
    """The first and the last day of a form. Raises AwayOutOfOrder."""
    try:
        first, last = (date.fromisoformat(text) if (text := data.get(name, "").strip()) else None for name in _DAYS)
    except ValueError as e:
        raise AwayOutOfOrder(field="last_day") from e
    return first, last


_DAYS = ("first_day", "last_day")


def _whose(token: str) -> UUID:
    person_id = unsubscribing(settings().secret_key.get_secret_value().encode(), token)
    if person_id is None:
        raise NotSeen
    return person_id


def _wishes(data: dict[str, str]) -> Wishes:
    start, end = _time(data, "quiet_from"), _time(data, "quiet_until")
    if (start is None) != (end is None):
        raise QuietOutOfOrder(field="quiet_until")
    return Wishes(
        timings={kind: _timing(data, kind) for kind in MailKind},
        quiet=Quiet(start, end) if start and end else None,
        summary_at=_time(data, "summary_at"),
    )


def _timing(data: dict[str, str], kind: MailKind) -> Timing:
    if data.get(kind) not in set(Timing):
        raise UnknownTiming(field=kind)
    return Timing(data[kind])


def _time(data: dict[str, str], name: str) -> time | None:
    text = data.get(name, "").strip()
    try:
        return time.fromisoformat(text) if text else None
    except ValueError as e:
        raise NotATime(text=text[:20], field=name) from e


async def _chosen(request: Web) -> dict[str, Any]:
    own = await queries.wishes_of(viewer_of(request).actor)
    return {"own": own, "wishes": own.wishes, "hours": own.hours, "kinds": list(MailKind)}


HANDLERS = [chosen, choose, go_away, unsubscribe_form, unsubscribe]
