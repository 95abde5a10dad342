"""The doors of wants for people."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import Response, Router, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath, FromQuery

from exchange.clock import now
from exchange.errors import N_, DomainError, Invalid, NotSeen
from exchange.listings.rules.categories import BY_SLUG, CATEGORIES, REGIONS
from exchange.listings.rules.grades import LABELS, Grade
from exchange.listings.rules.lots import INCOTERMS, Incoterm
from exchange.money import Money, NotAnAmount
from exchange.wants import actions
from exchange.wants.queries import demand_for, matches_seen_by, want_seen_by, wants_of
from exchange.wants.rules import QuantityRange, Wanted, WantExpiry, codes
from exchange.web.guards import trading, viewer_of
from exchange.web.refusals import again
from exchange.web.render import Web, language_of, render, see_other

Form = Annotated[dict[str, str | list[str]], Body(media_type=RequestEncodingType.URL_ENCODED)]
PAGE = 30


class UnknownGrade(Invalid):
    message = N_("Choose a condition grade from the list.")


class UnknownIncoterm(Invalid):
    message = N_("Choose delivery terms from the list.")


@get("/wants")
async def index(request: Web, after: FromQuery[UUID | None] = None) -> Response[str]:
    """The company's wants and how many lots meet each."""
    found = await wants_of(viewer_of(request).actor, after=after, limit=PAGE + 1)
    following = found[PAGE - 1].id if len(found) > PAGE else None
    return render(
        request, "wants/index.html", wants=found[:PAGE], following=following, after=after, now=now(), **_names()
    )


@get("/wants/new")
async def new(request: Web) -> Response[str]:
    """One form."""
    return render(request, "wants/new.html", **_choices())


@post("/wants")
async def open_want(request: Web, data: Form) -> Response[str]:
    """On file from now on."""
    viewer = viewer_of(request)
    try:
        wanted = _wanted(data, viewer.currency, viewer.zone)
        want_id = await actions.open_want(wanted=wanted, currency=viewer.currency, by=viewer.actor)
    except NotSeen:
        raise
    except DomainError as refusal:
        return again(request, "wants/new.html", refusal, data, **_choices())
    return see_other(request, f"/wants/{want_id}", flash=N_("Your want is on file. We will tell you what comes up."))


@get("/wants/{want_id:uuid}")
async def show(request: Web, want_id: FromPath[UUID]) -> Response[str]:
    """A want and the lots that meet it today."""
    actor = viewer_of(request).actor
    want = await want_seen_by(actor, want_id)
    matches = await matches_seen_by(actor, want_id, language_of(request))
    return render(request, "wants/show.html", want=want, matches=matches, now=now(), **_names())


@post("/wants/{want_id:uuid}/closure")
async def close(request: Web, want_id: FromPath[UUID]) -> Response[str]:
    """No longer looked for."""
    await actions.close_want(want_id=want_id, by=viewer_of(request).actor)
    return see_other(request, "/wants", flash=N_("Your want is closed."))


@get("/lots/{lot_id:uuid}/demand")
async def demand(request: Web, lot_id: FromPath[UUID]) -> Response[str]:
    """How many wants an own lot meets, as a band: a fragment of the lot's page."""
    return render(request, "wants/_demand.html", demand=await demand_for(viewer_of(request).actor, lot_id))


def _names() -> dict[str, Any]:
    return {"categories": {slug: c.name for slug, c in BY_SLUG.items()}, "regions": REGIONS}


def _choices() -> dict[str, Any]:
    return {
        "categories": [(c.slug, c.name) for c in CATEGORIES],
        "grades": [(g.value, LABELS[g]) for g in Grade],
        "regions": list(REGIONS.items()),
        "incoterms": [(i.value, label) for i, label in INCOTERMS.items()],
        "first_day": (now() + timedelta(days=1)).date(),
    }


def _wanted(data: dict[str, str | list[str]], currency: str, zone: str) -> Wanted:
    grade, incoterms = _one(data, "worst_grade") or Grade.D.value, _many(data, "incoterms")
    if grade not in set(Grade):
        raise UnknownGrade(field="worst_grade")
    if not set(incoterms) <= set(Incoterm):
        raise UnknownIncoterm(field="incoterms")
    return Wanted(
        quantity_min=_whole(_one(data, "quantity_min") or "1", "quantity_min"),
        quantity_max=_whole(_one(data, "quantity_max"), "quantity_max") if _one(data, "quantity_max") else None,
        expires_at=_end_of(_one(data, "expires_on"), zone),
        category=_one(data, "category") or None,
        brand=_one(data, "brand"),
        gtins=codes(_one(data, "gtins")),
        worst_grade=Grade(grade),
        ceiling=_ceiling(_one(data, "ceiling"), currency),
        regions=tuple(_many(data, "regions")),
        incoterms=tuple(Incoterm(i) for i in incoterms),
    )


def _one(data: dict[str, str | list[str]], name: str) -> str:
    value = data.get(name, "")
    return value.strip() if isinstance(value, str) else ""


def _many(data: dict[str, str | list[str]], name: str) -> list[str]:
    value = data.get(name, [])
    return [value] if isinstance(value, str) else value


def _whole(text: str, name: str) -> int:
    digits = "".join(text.split())
    if not digits.isascii() or not digits.isdigit() or len(digits) > 9:
        raise QuantityRange(field=name)
    return int(digits)


def _ceiling(text: str, currency: str) -> Money | None:
    if not text:
        return None
    try:
        return Money.parse(text, currency)
    except NotAnAmount as refusal:
        refusal.field = "ceiling"
        raise


def _end_of(text: str, zone: str) -> datetime:
    """The last instant of the day, where the person lives."""
    try:
        return datetime.combine(date.fromisoformat(text), time(23, 59, 59), ZoneInfo(zone)).astimezone(UTC)
    except ValueError as e:
        raise WantExpiry(field="expires_on") from e


router = Router("/", route_handlers=[index, new, open_want, show, close, demand], guards=[trading])
