"""The first offer for a lot."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from exchange.companies.queries import mask
from exchange.errors import N_, DomainError, NotSeen
from exchange.listings.rules.lots import INCOTERMS
from exchange.offers import actions
from exchange.offers.pages.reading import (
    Form,
    filled_in,
    incoterm_in,
    nearest_in,
    price_in,
    quantity_in,
    text_in,
    texts_in,
)
from exchange.offers.pages.shown import away, half_days_for
from exchange.offers.queries.lots import LotOffered, lot_offered_to, lot_shown_to
from exchange.offers.rules.bids import Bid
from exchange.web.guards import viewer_of
from exchange.web.refusals import again
from exchange.web.render import Web, language_of, render, see_other

NEW = "offers/new.html"


@get("/lots/{lot_id:uuid}/offer")
async def offer_form(request: Web, lot_id: FromPath[UUID]) -> Response[str]:
    """A first offer; where a talk about the lot has begun, that talk."""
    lot = await lot_shown_to(viewer_of(request).actor, lot_id)
    if lot.talk_id:
        return see_other(request, f"/talks/{lot.talk_id}")
    return render(request, NEW, **_lot(request, lot))


@post("/lots/{lot_id:uuid}/offer")
async def offer(request: Web, lot_id: FromPath[UUID], data: Form) -> Response[str]:
    """The talk begins."""
    by = viewer_of(request).actor
    if filled := filled_in(data):
        return render(request, NEW, typed=filled, **_lot(request, await lot_shown_to(by, lot_id)))
    lot = await lot_offered_to(by, lot_id)
    try:
        talk_id = await actions.open_talk(
            lot_id=lot_id,
            bid=Bid(price_in(data, lot.terms.ask.currency), quantity_in(data)),
            incoterm=incoterm_in(data),
            pickup=texts_in(data, "pickup"),
            message=text_in(data, "message"),
            by=by,
        )
    except NotSeen:
        raise
    except DomainError as refusal:
        context = _lot(request, await lot_offered_to(by, lot_id)) | {"nearest": nearest_in(refusal)}
        return again(request, NEW, refusal, data, **context)
    return see_other(request, f"/talks/{talk_id}", flash=N_("Your offer is on the table. The seller has been told."))


def _lot(request: Web, lot: LotOffered) -> dict[str, Any]:
    return {
        "lot": lot,
        "terms": lot.terms,
        "available": lot.available,
        "incoterms": list(INCOTERMS.items()),
        "seller_mask": mask(lot.seller, lot.id, language_of(request)),
        "half_days": half_days_for(request, lot.slots),
        "nearest": [],
        **away(request, lot.seller_hours),
    }
