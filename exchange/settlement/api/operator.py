"""What the operator alone does with a deal and its money, as JSON."""

from typing import Any, Literal
from uuid import UUID

from litestar import post
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK
from pydantic import BaseModel, ConfigDict, Field

from exchange.settlement.actions import deals, recourse, warnings
from exchange.settlement.api.deals import Amount, Call, DealDetail, detail
from exchange.settlement.rules.deal import Side
from exchange.web.guards import operator, viewer_of


class Decision(BaseModel):
    """How the money held is shared out: `refund`, tax included, to the buyer, the rest as agreed."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "refund": {"minor": 6000, "currency": "EUR"},
                "reasons": "Half of the goods came wet; the photos of the dock show it.",
            }
        }
    )

    refund: Amount
    reasons: str = Field(default="", max_length=2000, description="both sides read them")


class LateRefund(BaseModel):
    """What the buyer of an ended deal gets back, tax included, at the receivers' expense."""

    model_config = ConfigDict(json_schema_extra={"example": {"refund": {"minor": 6000, "currency": "EUR"}}})

    refund: Amount


class OtherRefund(BaseModel):
    """The transfer by which the exchange paid the buyer what no refund brought."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"amount": {"minor": 6000, "currency": "EUR"}, "reference": "VIR 4711"}}
    )

    amount: Amount = Field(description="all that is `unrefunded`: should another sum be owed by now, nothing is booked")
    reference: str = Field(default="", max_length=200)


class Gift(BaseModel):
    """Who gets a part whose receiver cannot be paid."""

    model_config = ConfigDict(json_schema_extra={"example": {"to": "seller"}})

    to: Literal["seller", "buyer"]


@post("/{deal_id:uuid}/decision", guards=[operator], status_code=HTTP_200_OK)
async def decide(request: Call, deal_id: FromPath[UUID], data: JSONBody[Decision]) -> DealDetail:
    """Share out the money held."""
    await deals.decide(deal_id=deal_id, refund=data.refund.money, reasons=data.reasons, by=viewer_of(request).actor)
    return await detail(request, deal_id)


@post("/{deal_id:uuid}/clearance", guards=[operator], status_code=HTTP_200_OK)
async def clear(request: Call, deal_id: FromPath[UUID]) -> DealDetail:
    """Let the money go despite the card network's warning."""
    await warnings.clear_warning(deal_id=deal_id, by=viewer_of(request).actor)
    return await detail(request, deal_id)


@post("/{deal_id:uuid}/refund", guards=[operator], status_code=HTTP_200_OK)
async def refund(request: Call, deal_id: FromPath[UUID], data: JSONBody[LateRefund]) -> DealDetail:
    """Give the buyer of an ended deal money back; the receivers' parts are asked back first."""
    await recourse.refund_released(deal_id=deal_id, refund=data.refund.money, by=viewer_of(request).actor)
    return await detail(request, deal_id)


@post("/{deal_id:uuid}/refund-again", guards=[operator], status_code=HTTP_200_OK)
async def refund_again(request: Call, deal_id: FromPath[UUID]) -> DealDetail:
    """Have every refund that was `refused` asked for again."""
    await recourse.refund_again(deal_id=deal_id, by=viewer_of(request).actor)
    return await detail(request, deal_id)


@post("/{deal_id:uuid}/other-refund", guards=[operator], status_code=HTTP_200_OK)
async def pay_otherwise(request: Call, deal_id: FromPath[UUID], data: JSONBody[OtherRefund]) -> DealDetail:
    """The buyer was paid, from the exchange's own bank account, all that is `unrefunded`."""
    await recourse.pay_otherwise(
        deal_id=deal_id, amount=data.amount.money, reference=data.reference, by=viewer_of(request).actor
    )
    return await detail(request, deal_id)


@post("/{deal_id:uuid}/parts/{leg_id:uuid}/gift", guards=[operator], status_code=HTTP_200_OK)
async def give_leg(request: Call, deal_id: FromPath[UUID], leg_id: FromPath[UUID], data: JSONBody[Gift]) -> DealDetail:
    """Give one of the deal's `parts` that is `parked` to the seller or back to the buyer."""
    await recourse.give_leg(deal_id=deal_id, leg_id=leg_id, to=Side(data.to), by=viewer_of(request).actor)
    return await detail(request, deal_id)


HANDLERS: list[Any] = [decide, clear, refund, refund_again, pay_otherwise, give_leg]
