"""What an agreement leaves behind, for programs: the contract, and what is written since."""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Request, get, post
from litestar.params import FromPath, JSONBody
from pydantic import BaseModel, ConfigDict, Field

from exchange.listings.rules.lots import Incoterm
from exchange.offers import actions
from exchange.offers.queries.agreed import Contract, Signature, contract_seen_by, messages_of
from exchange.offers.queries.talks import negotiation_seen_by
from exchange.web.guards import viewer_of
from exchange.web.viewer import Viewer

Call = Request[Viewer | None, Any, Any]


class MessageIn(BaseModel):
    """A word to the other side of an agreement."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"text": "Our lorry comes on Tuesday."}})

    text: str


class MessageOut(BaseModel):
    """What one side wrote to the other after they agreed."""

    id: UUID
    by: str = Field(description="`me` or `them`")
    colleague: str | None = Field(description="who wrote it, on your own side only")
    text: str
    written_at: datetime


class PartyOut(BaseModel):
    """A company as it was when it agreed."""

    legal_name: str
    trading_name: str
    country: str
    region: str
    registration: str
    vat: str | None


class SignatureOut(BaseModel):
    """Who bound their company."""

    side: str = Field(description="`buyer` or `seller`")
    person: str
    at: datetime


class ContractOut(BaseModel):
    """What was agreed, frozen; the same for both sides."""

    negotiation_id: UUID
    mark: str = Field(description="two contracts with the same mark say the same")
    seller: PartyOut
    buyer: PartyOut
    lot: dict[str, Any] = Field(description="the frozen description with its conditions of resale")
    lines: list[dict[str, Any]] = Field(description="each with `quantity` and `unit_price_minor`")
    quantity: int
    unit_price_minor: int = Field(description="the mean, rounded, where lines were agreed at prices of their own")
    total_minor: int = Field(description="without VAT; exact")
    currency: str
    incoterm: Incoterm
    pickup: list[str] = Field(description="half days wished for collection")
    message: str
    terms_version: str
    offered: SignatureOut
    accepted: SignatureOut


@get("/{negotiation_id:uuid}/contract", summary="What was agreed, frozen")
async def contract(request: Call, negotiation_id: FromPath[UUID]) -> ContractOut:
    return _contract(await contract_seen_by(viewer_of(request).actor, negotiation_id))


@get("/{negotiation_id:uuid}/messages", summary="What you wrote to each other since you agreed")
async def messages(request: Call, negotiation_id: FromPath[UUID]) -> list[MessageOut]:
    return await _messages(viewer_of(request), negotiation_id)


@post("/{negotiation_id:uuid}/messages", summary="Write to the other side of an agreement")
async def write_message(request: Call, negotiation_id: FromPath[UUID], data: JSONBody[MessageIn]) -> list[MessageOut]:
    viewer = viewer_of(request)
    await actions.write_message(negotiation_id=negotiation_id, text=data.text, by=viewer.actor)
    return await _messages(viewer, negotiation_id)


async def _messages(viewer: Viewer, negotiation_id: UUID) -> list[MessageOut]:
    await negotiation_seen_by(viewer.actor, negotiation_id)
    return [
        MessageOut(
            id=m.id,
            by="me" if m.mine else "them",
            colleague=m.person_name,
            text=m.body,
            written_at=m.written_at,
        )
        for m in await messages_of(viewer.actor, negotiation_id)
    ]


def _contract(agreed: Contract) -> ContractOut:
    def signed(by: Signature) -> SignatureOut:
        return SignatureOut(side=by.side, person=by.person, at=by.at)

    return ContractOut(
        negotiation_id=agreed.negotiation_id,
        mark=agreed.mark,
        seller=PartyOut(**asdict(agreed.seller)),
        buyer=PartyOut(**asdict(agreed.buyer)),
        lot=agreed.lot,
        lines=agreed.lines,
        quantity=agreed.quantity,
        unit_price_minor=agreed.unit_price.minor,
        total_minor=agreed.total.minor,
        currency=agreed.unit_price.currency,
        incoterm=agreed.incoterm,
        pickup=agreed.pickup,
        message=agreed.message,
        terms_version=agreed.terms_version,
        offered=signed(agreed.offered),
        accepted=signed(agreed.accepted),
    )
