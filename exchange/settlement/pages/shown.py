"""One deal as its page shows it: to the doors that show it, and to those that show it again when they refuse."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from litestar import Response
from litestar.enums import RequestEncodingType
from litestar.params import Body

from exchange.actor import Actor
from exchange.companies.queries import identity_of
from exchange.errors import DomainError
from exchange.listings.queries.thresholds import paid_of
from exchange.settlement.press.drawn import drawable
from exchange.settlement.queries.claims import claim_of
from exchange.settlement.queries.deals import deal_seen_by, history_of
from exchange.settlement.queries.evidence import photos_of
from exchange.settlement.queries.methods import ways_of
from exchange.settlement.queries.money import money_of, payment_of, unrefunded, warned
from exchange.settlement.queries.papers import papers_of, waiting_of
from exchange.settlement.queries.rebuttals import contested
from exchange.settlement.rules import timeline
from exchange.settlement.rules.amounts import with_vat
from exchange.settlement.rules.deal import Side
from exchange.settlement.schemas import possible
from exchange.web.guards import viewer_of
from exchange.web.refusals import again
from exchange.web.render import Web, see_other
from exchange.web.stream import mark

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]

SHOW = "settlement/deal.html"


async def deal_page(request: Web, deal_id: UUID) -> dict[str, Any]:
    actor = viewer_of(request).actor
    deal = await deal_seen_by(actor, deal_id)
    side = deal.side_of(actor)
    found = await claim_of(deal)
    history, papers, papers_wait = await history_of(deal), await papers_of(deal, side), await waiting_of(deal)
    may = possible(deal, side, found)
    return {
        "mark": mark(deal, history, papers, papers_wait),
        "deal": deal,
        "side": side,
        "buyer": await identity_of(deal.buyer_company_id),
        "seller": await identity_of(deal.seller_company_id),
        "next": deal.next_for(side),
        "ended": timeline.ended(deal.state, deal.ending, {h.fact for h in history}),
        "threshold_paid": await paid_of(deal.lot_id, exactly=side is not Side.BUYER) if deal.threshold else 0,
        "names": timeline.STATE_NAMES,
        "happened": timeline.HAPPENED,
        "moved": timeline.MOVED,
        "history": [h for h in history if h.fact in timeline.HAPPENED],
        "money": await money_of(deal, side),
        "payment": await payment_of(deal.id) if side is not Side.SELLER else None,
        "claim": found,
        "with_tax": partial(with_vat, whole=deal.terms),
        "unrefunded": await unrefunded(deal) if side is not Side.SELLER else None,
        "contested": await contested(deal) if deal.disputed and side is Side.OPERATOR else None,
        "warned": side is Side.OPERATOR and await warned(deal.id),
        "photos": await photos_of(deal, side),
        "papers": papers,
        "drawn": drawable(deal, side),
        "papers_wait": papers_wait,
        "may": may,
        "ways": await ways_of(deal) if may.pay else None,
    }


async def deal_mark(actor: Actor, deal_id: UUID) -> str:
    """The mark the deal's page would carry now: with whatever is announced of a deal, one of these is another."""
    deal = await deal_seen_by(actor, deal_id)
    side = deal.side_of(actor)
    return mark(deal, await history_of(deal), await papers_of(deal, side), await waiting_of(deal))


async def shown_again(request: Web, deal_id: UUID, refusal: DomainError, typed: dict[str, str]) -> Response[str]:
    return again(request, SHOW, refusal, typed, **await deal_page(request, deal_id))


async def done(request: Web, deal_id: UUID, verb: Any, flash: str) -> Response[str]:
    try:
        await verb(deal_id=deal_id, by=viewer_of(request).actor)
    except DomainError as refusal:
        return await shown_again(request, deal_id, refusal, {})
    return see_other(request, f"/deals/{deal_id}", flash=flash)
