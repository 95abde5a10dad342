"""The doors of an offer line by line: a first offer, a counter, the price a request asks for."""

from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery

from exchange.actor import Actor
from exchange.errors import N_, DomainError, NotSeen
from exchange.offers import actions
from exchange.offers.pages.desk import Desk, bid_of, filled_again, refused, said_last, shown, uploaded, written
from exchange.offers.pages.reading import Form, cost_in, incoterm_in, seen_in, text_in, texts_in
from exchange.offers.pages.sheets import file_of
from exchange.offers.queries.lines import shelf_of
from exchange.offers.queries.lots import LotOffered, lot_offered_to, lot_shown_to
from exchange.offers.queries.requests import request_to
from exchange.offers.queries.talks import negotiation_on_page
from exchange.offers.rules.requests import RequestState
from exchange.web.guards import viewer_of
from exchange.web.render import Web, language_of, see_other

# --- a first offer ---


@get("/lots/{lot_id:uuid}/offer/lines")
async def first(request: Web, lot_id: FromPath[UUID], q: FromQuery[str] = "") -> Response[str]:
    """The form for a first offer; where a talk about the lot has begun, that talk's."""
    lot = await lot_shown_to(viewer_of(request).actor, lot_id)
    if lot.talk_id:
        return see_other(request, f"/talks/{lot.talk_id}/lines")
    desk = await _of_lot(lot)
    return shown(request, desk, {"q": q}, said_last(request, desk))


@get("/lots/{lot_id:uuid}/offer/lines.csv")
async def first_file(request: Web, lot_id: FromPath[UUID]) -> Response[bytes]:
    """The list to fill in."""
    desk = await _of_lot(await lot_shown_to(viewer_of(request).actor, lot_id))
    filled = said_last(request, desk)
    return file_of(desk.shelf, filled, desk.terms.ask, language_of(request), f"lot-{str(lot_id)[:8]}")


@post("/lots/{lot_id:uuid}/offer/lines/file")
async def first_filled(request: Web, lot_id: FromPath[UUID]) -> Response[str]:
    """The list that was filled in."""
    return await uploaded(request, await _of_lot(await lot_shown_to(viewer_of(request).actor, lot_id)))


@post("/lots/{lot_id:uuid}/offer/lines")
async def open_talk(request: Web, lot_id: FromPath[UUID], data: Form) -> Response[str]:
    """The talk begins, or the form comes again: with other lines, or with what is wrong."""
    by = viewer_of(request).actor
    if text_in(data, "do") != "send":
        return filled_again(request, await _of_lot(await lot_shown_to(by, lot_id)), data)
    desk = await _of_lot(await lot_offered_to(by, lot_id))  # of a lot just closed the page says so and no more
    try:
        talk_id = await actions.open_talk(
            lot_id=lot_id,
            bid=bid_of(desk, data),
            incoterm=incoterm_in(data),
            pickup=texts_in(data, "pickup"),
            message=text_in(data, "message"),
            by=by,
        )
    except DomainError as refusal:
        return refused(request, await _of_lot(await lot_offered_to(by, lot_id)), refusal, data)
    return see_other(request, f"/talks/{talk_id}", flash=N_("Your offer is on the table. The seller has been told."))


# --- in a talk ---


@get("/talks/{talk_id:uuid}/lines")
async def next_move(request: Web, talk_id: FromPath[UUID], q: FromQuery[str] = "") -> Response[str]:
    """The form for the next move; the lines of the last one stand in it."""
    desk = await _of_talk(request, talk_id)
    return shown(request, desk, {"q": q}, said_last(request, desk))


@get("/talks/{talk_id:uuid}/lines.csv")
async def next_file(request: Web, talk_id: FromPath[UUID]) -> Response[bytes]:
    """The list with what was said last, to read or to fill in."""
    desk = await _of_talk(request, talk_id)
    filled = said_last(request, desk)
    return file_of(desk.shelf, filled, desk.terms.ask, language_of(request), f"talk-{str(talk_id)[:8]}")


@get("/talks/{talk_id:uuid}/offers/{number:int}/lines.csv")
async def said_file(request: Web, talk_id: FromPath[UUID], number: FromPath[int]) -> Response[bytes]:
    """The lines of one move of the talk."""
    page = await negotiation_on_page(viewer_of(request).actor, talk_id)
    said = next((said for said in page.said if said.number == number and said.move.lines), None)
    if said is None:
        raise NotSeen
    shelf = await shelf_of(page.lot_id, page.talk.terms.ask)
    wrote = written(request, shelf, said.move)
    named = [line for line in shelf if line.number in wrote]
    return file_of(named, wrote, page.talk.terms.ask, language_of(request), f"talk-{str(talk_id)[:8]}-{number}")


@post("/talks/{talk_id:uuid}/lines/file")
async def next_filled(request: Web, talk_id: FromPath[UUID]) -> Response[str]:
    """The list that was filled in."""
    return await uploaded(request, await _of_talk(request, talk_id))


@post("/talks/{talk_id:uuid}/lines")
async def make_move(request: Web, talk_id: FromPath[UUID], data: Form) -> Response[str]:
    """An offer or a counter-offer line by line, or the form again."""
    desk = await _of_talk(request, talk_id)
    if text_in(data, "do") != "send":
        return filled_again(request, desk, data)
    try:
        await actions.make_move(
            negotiation_id=talk_id,
            bid=bid_of(desk, data),
            incoterm=incoterm_in(data),
            pickup=texts_in(data, "pickup"),
            message=text_in(data, "message"),
            by=viewer_of(request).actor,
            cost=cost_in(data),
            seen=seen_in(data),
        )
    except DomainError as refusal:
        return refused(request, await _of_talk(request, talk_id), refusal, data)
    flash = N_("Your offer is on the table. The other side has been told.")
    return see_other(request, f"/talks/{talk_id}", flash=flash)


# --- the answer to a request for a price ---


@get("/requests/{request_id:uuid}/lines")
async def asked(request: Web, request_id: FromPath[UUID], q: FromQuery[str] = "") -> Response[str]:
    """The form for a price on each line; where the request awaits none any more, its page says so."""
    desk, awaits = await _of_request(request, request_id)
    return shown(request, desk, {"q": q}, said_last(request, desk)) if awaits else see_other(request, desk.back)


@get("/requests/{request_id:uuid}/lines.csv")
async def asked_file(request: Web, request_id: FromPath[UUID]) -> Response[bytes]:
    """The list to fill in."""
    desk, _ = await _of_request(request, request_id)
    filled = said_last(request, desk)
    return file_of(desk.shelf, filled, desk.terms.ask, language_of(request), f"request-{str(request_id)[:8]}")


@post("/requests/{request_id:uuid}/lines/file")
async def asked_filled(request: Web, request_id: FromPath[UUID]) -> Response[str]:
    """The list that was filled in."""
    desk, _ = await _of_request(request, request_id)
    return await uploaded(request, desk)


@post("/requests/{request_id:uuid}/lines")
async def quote(request: Web, request_id: FromPath[UUID], data: Form) -> Response[str]:
    """Answer with a price for each line, or the form again."""
    desk, _ = await _of_request(request, request_id)
    if text_in(data, "do") != "send":
        return filled_again(request, desk, data)
    try:
        talk_id = await actions.quote(
            request_id=request_id,
            bid=bid_of(desk, data),
            incoterm=incoterm_in(data),
            message=text_in(data, "message"),
            by=viewer_of(request).actor,
            cost=cost_in(data),
        )
    except DomainError as refusal:
        desk, _ = await _of_request(request, request_id)
        return refused(request, desk, refusal, data)
    return see_other(request, f"/talks/{talk_id}", flash=N_("Your price is on the table. The buyer has been told."))


# --- what stands on the desk ---


async def _of_lot(lot: LotOffered) -> Desk:
    shelf = await shelf_of(lot.id, lot.terms.ask)
    at = f"/lots/{lot.id}/offer"
    return Desk(f"{at}/lines", at, lot.title, lot.terms, lot.available, shelf, lot.incoterm.value, lot.slots)


async def _of_talk(request: Web, talk_id: UUID) -> Desk:
    by = viewer_of(request).actor
    page = await negotiation_on_page(by, talk_id)
    talk = page.talk
    return Desk(
        at=f"/talks/{talk_id}/lines",
        back=f"/talks/{talk_id}",
        title=page.lot["title"],
        terms=talk.terms,
        available=page.available,
        shelf=await shelf_of(page.lot_id, talk.terms.ask),
        incoterm=talk.moves[-1].incoterm.value if talk.moves else page.lot["incoterm"],
        slots=tuple(page.lot["slots"]),
        last=talk.moves[-1] if talk.moves else None,
        seen=page.seen,
        sells=by.company_id == talk.seller,
    )


async def _of_request(request: Web, request_id: UUID) -> tuple[Desk, bool]:
    """With whether a price is still awaited."""
    by = viewer_of(request).actor
    found = await request_to(by, request_id)
    lot = await lot_offered_to(Actor(by.person_id, found.request.buyer), found.lot_id)  # as the buyer sees it
    at = f"/requests/{request_id}"
    desk = Desk(
        at=f"{at}/lines",
        back=at,
        title=lot.title,
        terms=lot.terms,
        available=lot.available,
        shelf=await shelf_of(lot.id, lot.terms.ask),
        incoterm=found.request.incoterm.value,
        slots=lot.slots,
        sells=True,
        wanted=found.request.quantity,
    )
    return desk, found.state is RequestState.ASKED
