"""What one side of a talk keeps to itself."""

from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from exchange.errors import N_, DomainError
from exchange.offers import actions
from exchange.offers.pages.reading import Form, NotAChoice, is_uuid, text_in
from exchange.offers.pages.shown import inside_mark, refused
from exchange.offers.queries.team import own_side_of
from exchange.web.guards import viewer_of
from exchange.web.render import Web, render, see_other


@get("/talks/{talk_id:uuid}/team")
async def inside(request: Web, talk_id: FromPath[UUID]) -> Response[str]:
    """What an open page asks for when something happens inside: who looks after the talk, and the notes. No form."""
    side = await own_side_of(viewer_of(request).actor, talk_id)
    if not request.headers.get("hx-request"):
        return see_other(request, f"/talks/{talk_id}#team")
    return render(request, INSIDE, fragment=INSIDE, inside=side, inside_mark=inside_mark(side))


INSIDE = "offers/_inside.html"


@post("/talks/{talk_id:uuid}/assignment")
async def assign(request: Web, talk_id: FromPath[UUID], data: Form) -> Response[str]:
    """A colleague looks after the talk, or nobody in particular."""
    chosen = text_in(data, "person")
    try:
        if chosen and not is_uuid(chosen):
            raise NotAChoice(field="person")
        person_id = UUID(chosen) if chosen else None
        await actions.assign_talk(negotiation_id=talk_id, person_id=person_id, by=viewer_of(request).actor)
    except DomainError as refusal:
        return await refused(request, talk_id, refusal, {})
    flash = (
        N_("Your colleague looks after this talk now.") if chosen else N_("Nobody in particular looks after it now.")
    )
    return see_other(request, f"/talks/{talk_id}#team", flash=flash)


@post("/talks/{talk_id:uuid}/notes")
async def write_note(request: Web, talk_id: FromPath[UUID], data: Form) -> Response[str]:
    """A note that only one's own company reads."""
    try:
        await actions.write_note(negotiation_id=talk_id, text=text_in(data, "text"), by=viewer_of(request).actor)
    except DomainError as refusal:
        return await refused(request, talk_id, refusal, data)
    return see_other(request, f"/talks/{talk_id}#team", flash=N_("The note is kept. Only your company reads it."))
