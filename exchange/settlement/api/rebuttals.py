"""What answers a disputed payment, as JSON: for the operator alone."""

from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_202_ACCEPTED
from pydantic import BaseModel, ConfigDict, Field

from exchange.errors import NotSeen
from exchange.settlement.actions.rebuttals import hand_in
from exchange.settlement.api.deals import Amount, Call, amount_of
from exchange.settlement.press.rebuttal import bundle_of, exhibit_of
from exchange.settlement.queries.deals import deal_seen_by
from exchange.settlement.queries.rebuttals import contested
from exchange.settlement.rules.rebuttals import MOST_WRITTEN, Exhibit
from exchange.web.guards import operator, viewer_of


class Paper(BaseModel):
    """One of the papers that go to the bank."""

    exhibit: Exhibit = Field(description="what it shows, by the payment service's name")
    href: str = Field(examples=["/api/v1/deals/0b6c9ad5-8a4a-4f0b-8a44-3f1c1f4f2c77/evidence/receipt"])


class Evidence(BaseModel):
    """The dispute that is to be answered first, and all that would be handed in for it, or was."""

    dispute: str = Field(examples=["dp_1SbxQ2"])
    reason: str = Field(examples=["product_not_received"])
    amount: Amount
    due_by: datetime | None = Field(description="until when the bank takes evidence")
    asked: bool = Field(description="whether it is the operator's turn")
    state: str | None = Field(description="of the latest answer: planned, sent or refused; null where there is none")
    refused_because: str | None = Field(description="what the payment service said of one that was refused")
    texts: dict[str, str] = Field(examples=[{"shipping_carrier": "Geodis", "shipping_tracking_number": "G1"}])
    written: str = Field(description="what the operator may start from")
    papers: list[Paper]
    seen: str = Field(description="the mark of all this: sent back with the answer", examples=["9f86d081884c7d65"])


class EvidenceAnswer(BaseModel):
    """The operator has `seen` all of it and adds what it has `written`."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "seen": "9f86d081884c7d659a2feaa0c55ad015",
                "written": "The buyer's warehouse signed the note on 3 November; see the record of the deal.",
            }
        }
    )

    seen: str = Field(max_length=64)
    written: str = Field(default="", description=f"at most {MOST_WRITTEN} characters; the bank reads it")


@get("/{deal_id:uuid}/evidence", guards=[operator])
async def evidence(request: Call, deal_id: FromPath[UUID]) -> Evidence:
    """What answers the dispute, before it is handed in."""
    return await _evidence(request, deal_id)


@get("/{deal_id:uuid}/evidence/{exhibit:str}", guards=[operator])
async def exhibit(request: Call, deal_id: FromPath[UUID], exhibit: FromPath[str]) -> Response[bytes]:
    """One of its papers as PDF, as the bank gets it."""
    _, content = await exhibit_of(await deal_seen_by(viewer_of(request).actor, deal_id), exhibit)
    return Response(content, media_type="application/pdf")


@post("/{deal_id:uuid}/evidence", guards=[operator], status_code=HTTP_202_ACCEPTED)
async def answer(request: Call, deal_id: FromPath[UUID], data: JSONBody[EvidenceAnswer]) -> Evidence:
    """Hand it in to the buyer's bank, once."""
    await hand_in(deal_id=deal_id, written=data.written, seen=data.seen, by=viewer_of(request).actor)
    return await _evidence(request, deal_id)


async def _evidence(request: Call, deal_id: UUID) -> Evidence:
    deal = await deal_seen_by(viewer_of(request).actor, deal_id)
    dispute = await contested(deal)
    if dispute is None:
        raise NotSeen
    bundle = await bundle_of(deal)
    return Evidence(
        dispute=dispute.stripe_id,
        reason=dispute.reason,
        amount=amount_of(dispute.amount),
        due_by=dispute.due_by,
        asked=dispute.asks,
        state=dispute.state,
        refused_because=dispute.why or None,
        texts=dict(bundle.texts),
        written=bundle.written,
        papers=[Paper(exhibit=each, href=f"/api/v1/deals/{deal_id}/evidence/{each.value}") for each in bundle.papers],
        seen=bundle.mark,
    )


HANDLERS: list[Any] = [evidence, exhibit, answer]
