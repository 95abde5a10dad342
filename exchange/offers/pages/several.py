"""The seller answers several buyers of one lot in one form: counters or declines, never accepts (rule 14)."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from exchange.companies.queries import mask
from exchange.errors import N_, DomainError, Invalid
from exchange.listings.rules.lots import COST_ANSWERS
from exchange.offers import actions
from exchange.offers.actions.several import Countered
from exchange.offers.pages.reading import Form, Typed, cost_in, price_in, quantity_in, text_in, ticked_in
from exchange.offers.queries.several import buyers_on, offers_awaiting
from exchange.web.guards import viewer_of
from exchange.web.refusals import again
from exchange.web.render import Web, language_of, render

PAGE = "offers/several.html"


class NobodyTicked(Invalid):
    message = N_("Tick at least one buyer.")


@get("/lots/{lot_id:uuid}/talks")
async def index(request: Web, lot_id: FromPath[UUID]) -> Response[str]:
    """The offers for an own lot that await an answer."""
    return render(request, PAGE, **await _context(request, lot_id))


@post("/lots/{lot_id:uuid}/talks")
async def counter(request: Web, lot_id: FromPath[UUID], data: Form) -> Response[str]:
    """Counter the ticked buyers with one price; what became of each stands on the page that follows."""
    by = viewer_of(request).actor
    lot = await offers_awaiting(by, lot_id)
    try:
        ticked = ticked_in(data)
        if not ticked:
            raise NobodyTicked(field="talk")
        buyers = await buyers_on(by, lot_id, list(ticked))
        results = await actions.counter_offers(
            negotiation_ids=[t for t in ticked if t in buyers],
            price=price_in(data, lot.ask.currency),
            quantity=quantity_in(data) if text_in(data, "quantity").strip() else None,
            message=text_in(data, "message"),
            seen=ticked,
            cost=cost_in(data),
            by=by,
        )
    except DomainError as refusal:
        return again(request, PAGE, refusal, data, **await _context(request, lot_id))
    failed = any(r.refusal for r in results)
    typed: Typed = data if failed else {}
    return render(request, PAGE, typed=typed, **await _context(request, lot_id, results, buyers))


async def _context(
    request: Web, lot_id: UUID, results: list[Countered] | None = None, buyers: dict[UUID, UUID] | None = None
) -> dict[str, Any]:
    lot, language = await offers_awaiting(viewer_of(request).actor, lot_id), language_of(request)
    shown = {o.negotiation_id: o.buyer for o in lot.offers} | (buyers or {})
    return {
        "lot_id": lot_id,
        "lot": lot,
        "results": results or [],
        "masks": {talk: mask(buyer, lot_id, language) for talk, buyer in shown.items()},
        "cost_answers": list(COST_ANSWERS.items()),
    }
