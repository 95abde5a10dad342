"""Requests for a price: a buyer asks from a want, a seller answers with a quote or declines."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from exchange.actor import Actor
from exchange.clock import now
from exchange.companies.queries import mask
from exchange.errors import N_, DomainError, NotSeen
from exchange.listings.pages.market import names_in
from exchange.listings.pages.stock_lists import half_days
from exchange.listings.rules.lots import COST_ANSWERS, INCOTERMS
from exchange.offers import actions
from exchange.offers.pages.reading import (
    Form,
    Typed,
    cost_in,
    filled_in,
    incoterm_in,
    is_uuid,
    nearest_in,
    price_in,
    quantity_in,
    text_in,
    texts_in,
)
from exchange.offers.queries.lots import lot_offered_to
from exchange.offers.queries.requests import (
    Asked,
    lots_known_to,
    request_to,
    requests_from,
)
from exchange.offers.rules.bids import Bid
from exchange.offers.rules.requests import MOST_LOTS, RequestState
from exchange.wants.queries import matches_seen_by, want_seen_by
from exchange.web.guards import viewer_of
from exchange.web.refusals import again
from exchange.web.render import Web, language_of, render, see_other

ASK, ANSWER = "offers/ask.html", "offers/request.html"
STATES = {
    RequestState.ASKED: N_("not answered yet"),
    RequestState.QUOTED: N_("you talk about it"),
    RequestState.DECLINED: N_("declined"),
    RequestState.EXPIRED: N_("not answered in time"),
    RequestState.CLOSED: N_("no longer available"),
}


# --- the buyer ---


@get("/wants/{want_id:uuid}/requests")
async def ask_form(request: Web, want_id: FromPath[UUID]) -> Response[str]:
    """The lots that meet a want, to be asked about together, and what became of those asked about."""
    return render(request, ASK, **await _of_want(request, want_id))


@post("/wants/{want_id:uuid}/requests")
async def ask(request: Web, want_id: FromPath[UUID], data: Form) -> Response[str]:
    """Ask the sellers of the ticked lots for their price; where one was not asked, the page says which and why."""
    by = viewer_of(request).actor
    try:
        sent = await actions.ask_for_quotes(
            want_id=want_id,
            lots=[UUID(lot) for lot in texts_in(data, "lots") if is_uuid(lot)],
            quantity=quantity_in(data),
            incoterm=incoterm_in(data),
            pickup=texts_in(data, "pickup"),
            message=text_in(data, "message"),
            by=by,
        )
    except NotSeen:
        raise
    except DomainError as refusal:
        return again(request, ASK, refusal, data, **await _of_want(request, want_id))
    if any(s.refusal for s in sent):
        return render(request, ASK, **await _of_want(request, want_id) | {"results": sent})
    flash = N_("Asked: %(count)s. The sellers are told in their working hours; their prices come as offers.")
    return see_other(request, f"/wants/{want_id}/requests", flash=flash, count=len(sent))


async def _of_want(request: Web, want_id: UUID) -> dict[str, Any]:
    by, language = viewer_of(request).actor, language_of(request)
    want = await want_seen_by(by, want_id)
    matches = await matches_seen_by(by, want_id, language)
    known = await lots_known_to(by, [m.lot_id for m in matches])
    asked = await requests_from(by, want_id)
    wishes = {i.value for i in want.wanted.incoterms}
    return {
        "want": want,
        "matches": [m for m in matches if m.lot_id not in known] if want.is_open(now()) else [],
        "most": MOST_LOTS,
        "results": [],
        "asked": asked,
        "masks": {a.id: mask(a.request.seller, a.lot_id, language) for a in asked},
        "states": STATES,
        "incoterms": [(i, label) for i, label in INCOTERMS.items() if not wishes or i.value in wishes],
        "half_days": half_days(language),
    }


# --- the seller ---


@get("/requests/{request_id:uuid}")
async def show(request: Web, request_id: FromPath[UUID]) -> Response[str]:
    """A request to answer; once quoted, the talk."""
    asked = await request_to(viewer_of(request).actor, request_id)
    if asked.state is RequestState.QUOTED:
        return see_other(request, f"/talks/{asked.talk_id}")
    return render(request, ANSWER, **await _of_request(request, asked))


@post("/requests/{request_id:uuid}/quotes")
async def quote(request: Web, request_id: FromPath[UUID], data: Form) -> Response[str]:
    """Answer with a price: a talk begins."""
    by = viewer_of(request).actor
    asked = await request_to(by, request_id)
    if filled := filled_in(data):
        return render(request, ANSWER, typed=filled, **await _of_request(request, asked))
    try:
        talk_id = await actions.quote(
            request_id=request_id,
            bid=Bid(price_in(data, asked.unit_ask.currency), quantity_in(data)),
            incoterm=incoterm_in(data),
            message=text_in(data, "message"),
            by=by,
            cost=cost_in(data),
        )
    except NotSeen:
        raise
    except DomainError as refusal:
        context = await _of_request(request, await request_to(by, request_id)) | {"nearest": nearest_in(refusal)}
        return again(request, ANSWER, refusal, data, **context)
    return see_other(request, f"/talks/{talk_id}", flash=N_("Your price is on the table. The buyer has been told."))


@post("/requests/refusals")
async def decline(request: Web, data: Form) -> Response[str]:
    """Decline the ticked requests."""
    ids = _ticked(data)
    declined = await actions.decline_requests(request_ids=ids, by=viewer_of(request).actor)
    return see_other(request, "/talks", flash=N_("Requests declined: %(count)s."), count=declined)


def _ticked(data: Typed) -> list[UUID]:
    return [UUID(r) for r in texts_in(data, "request") if is_uuid(r)]


async def _of_request(request: Web, asked: Asked) -> dict[str, Any]:
    by, language = viewer_of(request).actor, language_of(request)
    lot = await lot_offered_to(Actor(by.person_id, asked.request.buyer), asked.lot_id)  # as the buyer sees it
    return {
        "asked": asked,
        "terms": lot.terms,
        "available": lot.available,
        "line_count": lot.lines,
        "names": names_in(language),
        "buyer_mask": mask(asked.request.buyer, asked.lot_id, language),
        "slot_names": dict(half_days(language)),
        "incoterms": list(INCOTERMS.items()),
        "cost_answers": list(COST_ANSWERS.items()),
        "nearest": [],
    }
