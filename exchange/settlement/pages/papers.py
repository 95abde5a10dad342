"""A deal's papers, and what a company tells for its invoices."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery

from exchange.errors import N_, DomainError
from exchange.settlement.actions.handover import mark_handed_over
from exchange.settlement.actions.invoicing import accept_mandate, tell_invoicing
from exchange.settlement.pages.shown import Form, shown_again
from exchange.settlement.press.drawn import PaperFile, contract_asked, paper_asked
from exchange.settlement.queries.deals import deal_seen_by
from exchange.settlement.queries.papers import invoicing_seen_by
from exchange.settlement.rules.papers import CONTEST_DAYS, MANDATE_VERSION
from exchange.web.guards import member, owner, settling, signed_in, viewer_of
from exchange.web.refusals import again
from exchange.web.render import Web, language_of, render, see_other, zone_of

INVOICING = "settlement/invoicing.html"


@get("/deals/{deal_id:uuid}/papers/{paper:str}", guards=[signed_in])
async def paper(
    request: Web, deal_id: FromPath[UUID], paper: FromPath[str], form: FromQuery[str] = "pdf"
) -> Response[bytes]:
    """One paper: ``contract``, ``pro-forma``, ``note``, or an issued one by its id; ``form=xml`` for its Factur-X."""
    actor = viewer_of(request).actor
    deal = await deal_seen_by(actor, deal_id)
    file = await paper_asked(
        deal, paper, actor, xml=form == "xml", language=language_of(request), zone=zone_of(request)
    )
    return _sent(file)


@get("/talks/{talk_id:uuid}/contract.pdf", guards=[settling])
async def contract(request: Web, talk_id: FromPath[UUID]) -> Response[bytes]:
    """The contract of a talk, as a file to keep."""
    by = viewer_of(request).actor
    return _sent(await contract_asked(talk_id, by, language=language_of(request), zone=zone_of(request)))


def _sent(file: PaperFile) -> Response[bytes]:
    return Response(
        file.content,
        media_type=file.media_type,
        headers={"Content-Disposition": f'inline; filename="{file.name}"', "Cache-Control": "private, no-store"},
    )


@post("/deals/{deal_id:uuid}/papers/{paper_id:uuid}/handover", guards=[settling])
async def hand_over(request: Web, deal_id: FromPath[UUID], paper_id: FromPath[UUID]) -> Response[str]:
    """The seller has sent the paper through its approved platform."""
    try:
        await mark_handed_over(deal_id=deal_id, paper_id=paper_id, by=viewer_of(request).actor)
    except DomainError as refusal:
        return await shown_again(request, deal_id, refusal, {})
    return see_other(request, f"/deals/{deal_id}#papers", flash=N_("Noted."))


@get("/money/invoicing", guards=[member])
async def invoicing(request: Web) -> Response[str]:
    """Where the company is, its VAT options, its mandate."""
    return render(request, INVOICING, **await _page(request))


@post("/money/invoicing", guards=[owner])
async def tell(request: Web, data: Form) -> Response[str]:
    """The owner writes them down."""
    words = ("street", "postcode", "city", "delivery_street", "delivery_postcode", "delivery_city")
    try:
        await tell_invoicing(
            **{name: data.get(name, "") for name in words},
            franchise="franchise" in data,
            on_debits="on_debits" in data,
            by=viewer_of(request).actor,
        )
    except DomainError as refusal:
        return again(request, INVOICING, refusal, data, **await _page(request))
    return see_other(request, "/money/invoicing", flash=N_("Saved. Papers that waited for it are being written."))


@post("/money/mandate", guards=[owner, settling])
async def give_mandate(request: Web, data: Form) -> Response[str]:
    """The owner gives the mandate to invoice in the company's name."""
    try:
        await accept_mandate(
            version=data.get("version", ""), language=language_of(request), by=viewer_of(request).actor
        )
    except DomainError as refusal:
        return again(request, INVOICING, refusal, data, **await _page(request))
    return see_other(request, "/money/invoicing", flash=N_("Thank you. Your invoices are written here from now on."))


async def _page(request: Web) -> dict[str, Any]:
    told = await invoicing_seen_by(viewer_of(request).actor)
    return {"told": told, "version": MANDATE_VERSION, "contest_days": CONTEST_DAYS}


HANDLERS: list[Any] = [paper, contract, hand_over, invoicing, tell, give_mandate]
