"""Talks for programs: the list, the moves, the answers."""

from typing import Any
from uuid import UUID

from litestar import Request, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from exchange.offers import actions
from exchange.offers.api.bodies import (
    AcceptanceIn,
    AnswerIn,
    FirstOfferIn,
    MoveIn,
    NegotiationOut,
    NegotiationPage,
    bid_of,
    fields_as_sent,
    row_out,
    talk_out,
)
from exchange.offers.queries.inbox import Assigned, Awaits, Side, inbox_of
from exchange.offers.queries.talks import negotiation_on_page
from exchange.web.guards import viewer_of
from exchange.web.viewer import Viewer

Call = Request[Viewer | None, Any, Any]


@get("/", summary="Your talks: what awaits you first")
async def index(
    request: Call,
    awaits: FromQuery[Awaits | None] = None,
    role: FromQuery[Side | None] = None,
    assigned: FromQuery[Assigned | None] = None,
    q: FromQuery[str] = "",
    after: FromQuery[UUID | None] = None,
) -> NegotiationPage:
    """``role`` is yours; ``assigned`` is ``mine`` or ``nobody``; ``q`` stands in the lot's title."""
    viewer = viewer_of(request)
    inbox = await inbox_of(viewer.actor, show=awaits, side=role, assigned=assigned, words=q, after=after)
    return NegotiationPage(
        items=[row_out(r, viewer.language) for r in inbox.rows], counts=inbox.counts, next=inbox.next
    )


@post("/", summary="Make a first offer")
async def open_talk(request: Call, data: JSONBody[FirstOfferIn]) -> NegotiationOut:
    viewer = viewer_of(request)
    with fields_as_sent():
        talk_id = await actions.open_talk(
            lot_id=data.lot_id,
            bid=bid_of(data),
            incoterm=data.incoterm,
            pickup=data.pickup,
            message=data.message,
            by=viewer.actor,
        )
    return await _shown(viewer, talk_id)


@get("/{negotiation_id:uuid}", summary="A talk with its offers")
async def show(request: Call, negotiation_id: FromPath[UUID]) -> NegotiationOut:
    return await _shown(viewer_of(request), negotiation_id)


@post("/{negotiation_id:uuid}/offers", summary="Make an offer or a counter-offer")
async def make_move(request: Call, negotiation_id: FromPath[UUID], data: JSONBody[MoveIn]) -> NegotiationOut:
    viewer = viewer_of(request)
    with fields_as_sent():
        await actions.make_move(
            negotiation_id=negotiation_id,
            bid=bid_of(data),
            incoterm=data.incoterm,
            pickup=data.pickup,
            message=data.message,
            by=viewer.actor,
            cost=data.below_cost,
            seen=data.seen,
        )
    return await _shown(viewer, negotiation_id)


@post("/{negotiation_id:uuid}/acceptance", summary="Accept exactly the live offer")
async def accept(request: Call, negotiation_id: FromPath[UUID], data: JSONBody[AcceptanceIn]) -> NegotiationOut:
    viewer = viewer_of(request)
    with fields_as_sent():
        bid = bid_of(data)
        await actions.accept_offer(
            negotiation_id=negotiation_id,
            price=bid.price,
            quantity=bid.quantity,
            lines=bid.mark,
            by=viewer.actor,
            cost=data.below_cost,
            seen=data.seen,
        )
    return await _shown(viewer, negotiation_id)


@post("/{negotiation_id:uuid}/refusal", summary="Decline the live offer")
async def refuse(request: Call, negotiation_id: FromPath[UUID], data: JSONBody[AnswerIn]) -> NegotiationOut:
    viewer = viewer_of(request)
    await actions.refuse_offer(negotiation_id=negotiation_id, by=viewer.actor, seen=data.seen)
    return await _shown(viewer, negotiation_id)


@post("/{negotiation_id:uuid}/withdrawal", summary="Take your own live offer back")
async def withdraw(request: Call, negotiation_id: FromPath[UUID], data: JSONBody[AnswerIn]) -> NegotiationOut:
    viewer = viewer_of(request)
    await actions.withdraw_offer(negotiation_id=negotiation_id, by=viewer.actor, seen=data.seen)
    return await _shown(viewer, negotiation_id)


async def _shown(viewer: Viewer, negotiation_id: UUID) -> NegotiationOut:
    return talk_out(await negotiation_on_page(viewer.actor, negotiation_id), viewer)
