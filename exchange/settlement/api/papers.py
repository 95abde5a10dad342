"""A deal's papers as JSON, and each as a file."""

from datetime import date
from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.params import FromPath, FromQuery
from pydantic import BaseModel, Field

from exchange.settlement.api.deals import Amount, Call, amount_of
from exchange.settlement.press.drawn import drawable, paper_asked
from exchange.settlement.queries.deals import deal_seen_by
from exchange.settlement.queries.papers import papers_of
from exchange.settlement.rules.deal import Side
from exchange.web.guards import signed_in, viewer_of


class PaperOut(BaseModel):
    """A paper of a deal that concerns the reader."""

    kind: str = Field(
        description="contract, pro-forma, note; or of an issued one: invoice, credit_note, commission, "
        "commission_credit"
    )
    number: str | None = Field(description="of an issued paper", examples=["CF-000042"])
    issued_on: date | None = None
    net: Amount | None = None
    vat: Amount | None = None
    total: Amount | None = None
    own_vat: Amount | None = Field(
        default=None, description="the VAT in the supplier's own currency, where the paper is in another"
    )
    rate_day: date | None = Field(
        default=None, description="the day of the European Central Bank's reference rates it was converted by"
    )
    handover: str | None = Field(
        default=None,
        description="towards the seller's approved platform: to_hand_over, handed_over, accepted, rejected",
    )
    handover_why: str | None = Field(
        default=None, description="what the platform says of a rejected paper; for the operator, why it was not reached"
    )
    href: str = Field(description="the PDF; an issued one is a PDF/A-3 with its Factur-X inside")
    xml_href: str | None = Field(default=None, description="the Factur-X (EN 16931) alone")


@get("/{deal_id:uuid}/papers", guards=[signed_in])
async def papers(request: Call, deal_id: FromPath[UUID]) -> list[PaperOut]:
    """The deal's papers that concern the reader: the contract, the pro forma, the note, and the invoices issued."""
    actor = viewer_of(request).actor
    deal = await deal_seen_by(actor, deal_id)
    side, at = deal.side_of(actor), f"/api/v1/deals/{deal_id}/papers"
    drawn = [PaperOut(kind=which, number=None, href=f"{at}/{which}") for which in drawable(deal, side)]
    return drawn + [
        PaperOut(
            kind=paper.kind,
            number=paper.label,
            issued_on=paper.issued_on,
            net=amount_of(paper.net),
            vat=amount_of(paper.vat),
            total=amount_of(paper.total),
            own_vat=amount_of(paper.own_vat) if paper.own_vat else None,
            rate_day=paper.rate_day,
            handover=paper.handover if side is not Side.BUYER else None,
            handover_why=paper.why_for(side),
            href=f"{at}/{paper.id}",
            xml_href=f"{at}/{paper.id}?form=xml",
        )
        for paper in await papers_of(deal, side)
    ]


@get("/{deal_id:uuid}/papers/{paper:str}", guards=[signed_in])
async def paper(
    request: Call, deal_id: FromPath[UUID], paper: FromPath[str], form: FromQuery[str] = "pdf"
) -> Response[bytes]:
    """One paper as a file: `contract`, `pro-forma`, `note`, or an issued one by its id; `form=xml` for its Factur-X."""
    viewer = viewer_of(request)
    file = await paper_asked(
        await deal_seen_by(viewer.actor, deal_id),
        paper,
        viewer.actor,
        xml=form == "xml",
        language=viewer.language,
        zone=viewer.zone,
    )
    return Response(
        file.content,
        media_type=file.media_type,
        headers={"Content-Disposition": f'attachment; filename="{file.name}"'},
    )


HANDLERS: list[Any] = [papers, paper]
