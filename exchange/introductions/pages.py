"""The doors of introductions for people."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, Router, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath, FromQuery

from exchange.companies.queries import mask
from exchange.errors import N_, DomainError, NotSeen
from exchange.introductions import actions
from exchange.introductions.queries import Addressee, addressee_of, introduction_seen_by, introductions_of
from exchange.introductions.rules import LONGEST, Answer, Parts
from exchange.web.guards import trading, viewer_of
from exchange.web.refusals import again
from exchange.web.render import Web, language_of, render, see_other

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
PARTS = ("who_i_am", "what_i_do", "how_i_heard", "my_idea", "when_to_reach_me")
NEW, SHOW, PAGE = "introductions/new.html", "introductions/show.html", 30


@get("/introductions")
async def index(request: Web, after: FromQuery[UUID | None] = None) -> Response[str]:
    """Sent and received."""
    found = await introductions_of(viewer_of(request).actor, language_of(request), after=after, limit=PAGE + 1)
    following = found[PAGE - 1].id if len(found) > PAGE else None
    return render(request, "introductions/index.html", introductions=found[:PAGE], following=following, after=after)


@get("/lots/{lot_id:uuid}/introduction")
async def new(request: Web, lot_id: FromPath[UUID]) -> Response[str]:
    """The five parts."""
    return _form(request, await addressee_of(viewer_of(request).actor, lot_id))


@post("/lots/{lot_id:uuid}/introduction")
async def send(request: Web, lot_id: FromPath[UUID], data: Form) -> Response[str]:
    """On its way."""
    actor = viewer_of(request).actor
    try:
        introduction_id = await actions.introduce(
            lot_id=lot_id,
            parts=Parts(**{name: data.get(name, "") for name in PARTS}),
            gives_name=data.get("gives_name") == "1",
            by=actor,
        )
    except NotSeen:
        raise
    except DomainError as refusal:
        return _form(request, await addressee_of(actor, lot_id), refusal, data)
    return see_other(request, f"/introductions/{introduction_id}", flash=N_("Your introduction is on its way."))


@get("/introductions/{introduction_id:uuid}")
async def show(request: Web, introduction_id: FromPath[UUID]) -> Response[str]:
    """One introduction."""
    found = await introduction_seen_by(viewer_of(request).actor, introduction_id, language_of(request))
    return render(request, SHOW, found=found)


@post("/introductions/{introduction_id:uuid}/answer")
async def answer(request: Web, introduction_id: FromPath[UUID], data: Form) -> Response[str]:
    """Accept, decline or block."""
    actor = viewer_of(request).actor
    said = data.get("answer", "")
    try:
        if said not in set(Answer):
            raise NotSeen
        await actions.answer(introduction_id=introduction_id, answer=Answer(said), by=actor)
    except NotSeen:
        raise
    except DomainError as refusal:
        found = await introduction_seen_by(actor, introduction_id, language_of(request))
        return again(request, SHOW, refusal, {}, found=found)
    return see_other(request, f"/introductions/{introduction_id}", flash=N_("Your answer is on its way."))


def _form(
    request: Web, to: Addressee, refusal: DomainError | None = None, typed: dict[str, str] | None = None
) -> Response[str]:
    context: dict[str, Any] = {
        "to": to,
        "seller": mask(to.company_id, to.lot_id, language_of(request)),
        "longest": LONGEST,
    }
    if refusal is not None:
        return again(request, NEW, refusal, typed or {}, **context)
    return render(request, NEW, **context)


router = Router("/", route_handlers=[index, new, send, show, answer], guards=[trading])
