"""Several talks answered at once, for programs."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Request, post
from litestar.params import JSONBody
from pydantic import BaseModel, ConfigDict, Field

from exchange.listings.rules.lots import CostAnswer
from exchange.offers import actions
from exchange.offers.api.bodies import Currency, Price, Quantity, fields_as_sent, money_in
from exchange.web.guards import viewer_of
from exchange.web.viewer import Viewer

Call = Request[Viewer | None, Any, Any]
ID = "7f0c4b9e-5f0e-4f3c-9d57-0f8f3f9f2c11"
Talks = Annotated[list[UUID], Field(min_length=1, max_length=200)]
Seen = Annotated[
    dict[UUID, Annotated[int, Field(ge=0, le=6)]],
    Field(max_length=200, description="how many moves of each you know of; one that has more is left alone"),
]


class CountersIn(BaseModel):
    """One price to several buyers, while stock lasts: each is a counter-offer of its own."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"negotiations": [ID], "unit_price_minor": 900, "currency": "EUR"}},
    )

    negotiations: Talks
    unit_price_minor: Price
    currency: Currency
    quantity: Quantity | None = Field(None, description="without it, each is answered for what they asked for")
    message: Annotated[str, Field(max_length=2000)] = ""
    below_cost: CostAnswer | None = None
    seen: Seen = {}


class CounteredOut(BaseModel):
    """What became of one counter-offer."""

    negotiation_id: UUID
    code: str | None = Field(description="why it was refused; null when it is on the table")
    quantity: int | None
    total_minor: int | None


class RefusalsIn(BaseModel):
    """Live offers to decline; those that changed meanwhile are left alone."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"negotiations": [ID], "seen": {ID: 1}}})

    negotiations: Talks
    seen: Seen = {}


class RefusedOut(BaseModel):
    """How many were declined."""

    declined: int


@post("/offers", summary="Counter several buyers at once, while stock lasts")
async def counter(request: Call, data: JSONBody[CountersIn]) -> list[CounteredOut]:
    with fields_as_sent():
        results = await actions.counter_offers(
            negotiation_ids=data.negotiations,
            price=money_in(data.unit_price_minor, data.currency),
            quantity=data.quantity,
            message=data.message,
            seen=data.seen,
            cost=data.below_cost,
            by=viewer_of(request).actor,
        )
    return [
        CounteredOut(
            negotiation_id=r.negotiation_id,
            code=r.refusal.code if r.refusal else None,
            quantity=r.bid.quantity if r.bid else None,
            total_minor=r.bid.total.minor if r.bid else None,
        )
        for r in results
    ]


@post("/refusals", summary="Decline several live offers at once")
async def refuse(request: Call, data: JSONBody[RefusalsIn]) -> RefusedOut:
    seen = {talk: data.seen.get(talk) for talk in data.negotiations}
    return RefusedOut(declined=await actions.refuse_offers(seen=seen, by=viewer_of(request).actor))
