"""The receipt of a delivery, its photos and its claim, as JSON."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED
from pydantic import BaseModel, ConfigDict, Field

from exchange.listings.rules.photos import NotAPhoto
from exchange.settlement.actions import claims, deals
from exchange.settlement.actions.evidence import keep_photo
from exchange.settlement.api.deals import Call, DealDetail, Photo, detail
from exchange.settlement.queries.evidence import photo_seen_by
from exchange.settlement.rules.claims import Claimed, Reason
from exchange.settlement.rules.evidence import Occasion
from exchange.web.api_document import Parts
from exchange.web.guards import member, signed_in, viewer_of


class ClaimedLine(BaseModel):
    """Units of one line of what was sold."""

    line_id: str = Field(description="of the deal's `lines`")
    reason: Reason
    units: int = Field(ge=1, le=10**9)
    loss_percent: int = Field(default=100, description="of the value of the damaged or wrong units")


class NewClaim(BaseModel):
    """What is not right. Photos kept for the occasion `claim` go with it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "lines": [
                    {
                        "line_id": "7f0c4b9e-5f0e-4f3c-9d57-0f8f3f9f2c11",
                        "reason": "missing",
                        "units": 4,
                        "loss_percent": 100,
                    }
                ],
                "said": "Four cartons fewer than the note says.",
                "reserves": "36 cartons received out of 40",
            }
        }
    )

    lines: list[ClaimedLine] = Field(max_length=1000)
    said: str = Field(default="", max_length=2000)
    reserves: str = Field(default="", max_length=2000, description="on the delivery note")


class AnsweredLine(BaseModel):
    """The loss of value the seller finds right for one line of the claim."""

    id: UUID = Field(description="of the claim's `lines`")
    percent: int = Field(ge=0, le=100)


class Answer(BaseModel):
    """The seller's answer; a line that is not named counts as contested. Photos kept for `answer` go with it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "lines": [{"id": "0b6c9ad5-8a4a-4f0b-8a44-3f1c1f4f2c77", "percent": 30}],
                "text": "The cartons left dry; see the photo of the load.",
            }
        }
    )

    lines: list[AnsweredLine] = Field(default_factory=list, max_length=1000)
    text: str = Field(default="", max_length=2000)


@post("/{deal_id:uuid}/arrival", guards=[member], status_code=HTTP_200_OK)
async def arrive(request: Call, deal_id: FromPath[UUID], reserves: FromQuery[str] = "") -> DealDetail:
    """The goods are with the buyer, who checks them; `reserves` stand on the note. Photos of `receipt` go along."""
    await deals.arrive(deal_id=deal_id, reserves=reserves, by=viewer_of(request).actor)
    return await detail(request, deal_id)


@post("/{deal_id:uuid}/receipt", guards=[member], status_code=HTTP_200_OK)
async def receive(request: Call, deal_id: FromPath[UUID]) -> DealDetail:
    """The buyer has checked the goods: all right, the seller is paid."""
    await deals.receive(deal_id=deal_id, by=viewer_of(request).actor)
    return await detail(request, deal_id)


@post("/{deal_id:uuid}/photos", guards=[member], status_code=HTTP_201_CREATED)
async def keep(
    request: Call, deal_id: FromPath[UUID], data: Parts, occasion: FromQuery[Occasion], line_id: FromQuery[str] = ""
) -> Photo:
    """Keep a picture (`photo`, multipart) for what is sent next: `receipt` or `claim` (buyer), `handover` or `answer`
    (seller). It is decoded and encoded anew; nothing else of the file is kept.
    """
    file = data.get("photo")
    if not isinstance(file, UploadFile):
        raise NotAPhoto(field="photo")
    photo_id = await keep_photo(
        deal_id=deal_id,
        occasion=occasion,
        content=await file.read(),
        line_key=line_id[:60] or None,
        by=viewer_of(request).actor,
    )
    return Photo(id=photo_id, occasion=occasion, line_id=line_id or None, href=f"{request.url.path}/{photo_id}")


@get("/{deal_id:uuid}/photos/{photo_id:uuid}", guards=[signed_in])
async def photo(request: Call, deal_id: FromPath[UUID], photo_id: FromPath[UUID]) -> Response[bytes]:
    """A photo as JPEG, for the two sides and the operator."""
    content = await photo_seen_by(viewer_of(request).actor, deal_id, photo_id, small=False)
    return Response(content, media_type="image/jpeg")


@post("/{deal_id:uuid}/claims", guards=[member], status_code=HTTP_201_CREATED)
async def claim(request: Call, deal_id: FromPath[UUID], data: JSONBody[NewClaim]) -> DealDetail:
    """What is not right, line by line."""
    await claims.claim(
        deal_id=deal_id,
        lines=[Claimed(line.line_id, line.reason, line.units, line.loss_percent) for line in data.lines],
        said=data.said,
        reserves=data.reserves,
        by=viewer_of(request).actor,
    )
    return await detail(request, deal_id)


@post("/{deal_id:uuid}/claims/answer", guards=[member], status_code=HTTP_200_OK)
async def answer(request: Call, deal_id: FromPath[UUID], data: JSONBody[Answer]) -> DealDetail:
    """The seller names the loss it finds right, line by line; what is claimed settles the claim."""
    percents = {line.id: line.percent for line in data.lines}
    await claims.answer(deal_id=deal_id, percents=percents, text=data.text, by=viewer_of(request).actor)
    return await detail(request, deal_id)


@post("/{deal_id:uuid}/claims/agreement", guards=[member], status_code=HTTP_200_OK)
async def agree(request: Call, deal_id: FromPath[UUID]) -> DealDetail:
    """The seller grants what is claimed, or the buyer takes what the seller offers."""
    await claims.agree(deal_id=deal_id, by=viewer_of(request).actor)
    return await detail(request, deal_id)


@post("/{deal_id:uuid}/claims/withdrawal", guards=[member], status_code=HTTP_200_OK)
async def withdraw(request: Call, deal_id: FromPath[UUID]) -> DealDetail:
    """All right after all: the seller is paid in full."""
    await claims.withdraw(deal_id=deal_id, by=viewer_of(request).actor)
    return await detail(request, deal_id)


@post("/{deal_id:uuid}/claims/escalation", guards=[member], status_code=HTTP_200_OK)
async def escalate(request: Call, deal_id: FromPath[UUID]) -> DealDetail:
    """The operator is asked, once the seller has answered or its time to answer is over."""
    await claims.escalate(deal_id=deal_id, by=viewer_of(request).actor)
    return await detail(request, deal_id)


HANDLERS: list[Any] = [arrive, receive, keep, photo, claim, answer, agree, withdraw, escalate]
