"""Requests for a price, for programs."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Router, get, post
from litestar.params import FromPath, JSONBody
from pydantic import BaseModel, ConfigDict, Field

from exchange.companies.queries import mask
from exchange.listings.rules.lots import Incoterm
from exchange.offers import actions
from exchange.offers.api.bodies import MoveIn, NegotiationOut, Quantity, bid_of, fields_as_sent, talk_out
from exchange.offers.queries.requests import requests_to
from exchange.offers.queries.talks import negotiation_on_page
from exchange.offers.rules.requests import MOST_LOTS
from exchange.web.guards import trading, viewer_of
from exchange.web.viewer import Viewer

Call = Request[Viewer | None, Any, Any]
ID = "7f0c4b9e-5f0e-4f3c-9d57-0f8f3f9f2c11"


class RequestIn(BaseModel):
    """A request for a price on lots that meet a want of yours; it binds nobody."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"want_id": ID, "lots": [ID], "quantity": 120, "incoterm": "EXW"}},
    )

    want_id: UUID
    lots: list[UUID] = Field(description=f"at most {MOST_LOTS}; from the want's matches")
    quantity: Quantity = Field(description="where a lot is sold by others, the nearest is asked about")
    incoterm: Incoterm
    pickup: Annotated[list[str], Field(max_length=12, description="half days wished for collection")] = []
    message: Annotated[str, Field(max_length=2000)] = ""


class SentOut(BaseModel):
    """What became of a request for one of the lots."""

    lot_id: UUID
    quantity: int | None = Field(description="asked about; null when the request was not sent")
    code: str | None = Field(description="why it was not sent")


class AskedOut(BaseModel):
    """A request that awaits your price."""

    id: UUID
    lot_id: UUID
    lot_title: str
    buyer: str = Field(description="the buyer's mask for this lot")
    quantity: int
    incoterm: Incoterm
    pickup: list[str]
    message: str
    deadline: datetime


class DeclineIn(BaseModel):
    """Requests to decline; those answered meanwhile are left alone."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"requests": [ID]}})

    requests: Annotated[list[UUID], Field(max_length=200)]


class DeclinedOut(BaseModel):
    """How many were declined."""

    declined: int


@get("/", summary="Requests for a price that await your answer")
async def index(request: Call) -> list[AskedOut]:
    viewer = viewer_of(request)
    return [
        AskedOut(
            id=a.id,
            lot_id=a.lot_id,
            lot_title=a.lot_title,
            buyer=mask(a.request.buyer, a.lot_id, viewer.language),
            quantity=a.request.quantity,
            incoterm=a.request.incoterm,
            pickup=list(a.request.pickup),
            message=a.message,
            deadline=a.request.expires_at,
        )
        for a in await requests_to(viewer.actor)
    ]


@post("/", summary="Ask several sellers for a price")
async def ask(request: Call, data: JSONBody[RequestIn]) -> list[SentOut]:
    sent = await actions.ask_for_quotes(
        want_id=data.want_id,
        lots=data.lots,
        quantity=data.quantity,
        incoterm=data.incoterm,
        pickup=data.pickup,
        message=data.message,
        by=viewer_of(request).actor,
    )
    return [SentOut(lot_id=s.lot_id, quantity=s.quantity, code=s.refusal.code if s.refusal else None) for s in sent]


@post("/{request_id:uuid}/quotes", summary="Answer a request with your price: a talk begins")
async def quote(request: Call, request_id: FromPath[UUID], data: JSONBody[MoveIn]) -> NegotiationOut:
    viewer = viewer_of(request)
    with fields_as_sent():
        talk_id = await actions.quote(
            request_id=request_id,
            bid=bid_of(data),
            incoterm=data.incoterm,
            message=data.message,
            by=viewer.actor,
            cost=data.below_cost,
        )
    return talk_out(await negotiation_on_page(viewer.actor, talk_id), viewer)


@post("/refusals", summary="Decline requests")
async def decline(request: Call, data: JSONBody[DeclineIn]) -> DeclinedOut:
    by = viewer_of(request).actor
    return DeclinedOut(declined=await actions.decline_requests(request_ids=data.requests, by=by))


router = Router("/requests", route_handlers=[index, ask, quote, decline], guards=[trading], tags=["requests"])
