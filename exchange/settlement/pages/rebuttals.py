"""The operator looks at what answers a disputed payment, and hands it in."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from exchange.errors import N_, DomainError
from exchange.settlement.actions.rebuttals import hand_in
from exchange.settlement.pages.shown import Form
from exchange.settlement.press.rebuttal import bundle_of, exhibit_of
from exchange.settlement.queries.deals import deal_seen_by
from exchange.settlement.queries.rebuttals import contested
from exchange.settlement.rules.rebuttals import MOST_WRITTEN, REASONS, TEXTS
from exchange.web.guards import operator, viewer_of
from exchange.web.refusals import again
from exchange.web.render import Web, render, see_other

EVIDENCE = "settlement/evidence.html"


@get("/deals/{deal_id:uuid}/evidence", guards=[operator])
async def preview(request: Web, deal_id: FromPath[UUID]) -> Response[str]:
    """All that would be handed in, before it is."""
    return render(request, EVIDENCE, **await _page(request, deal_id))


@get("/deals/{deal_id:uuid}/evidence/{exhibit:str}", guards=[operator])
async def paper(request: Web, deal_id: FromPath[UUID], exhibit: FromPath[str]) -> Response[bytes]:
    """One of its papers, as the bank gets it."""
    shown, content = await exhibit_of(await deal_seen_by(viewer_of(request).actor, deal_id), exhibit)
    return Response(
        content,
        media_type="application/pdf",
        headers={
            "Content-Disposition": f'inline; filename="{shown.file}-{deal_id.hex[:8]}.pdf"',
            "Cache-Control": "private, no-store",
        },
    )


@post("/deals/{deal_id:uuid}/evidence", guards=[operator])
async def submit(request: Web, deal_id: FromPath[UUID], data: Form) -> Response[str]:
    """It goes to the buyer's bank."""
    try:
        await hand_in(
            deal_id=deal_id,
            written=data.get("written", "").replace("\r\n", "\n"),
            seen=data.get("seen", ""),
            by=viewer_of(request).actor,
        )
    except DomainError as refusal:
        return again(request, EVIDENCE, refusal, data, **await _page(request, deal_id))
    return see_other(request, f"/deals/{deal_id}", flash=N_("The evidence is on its way to the buyer's bank."))


async def _page(request: Web, deal_id: UUID) -> dict[str, Any]:
    deal = await deal_seen_by(viewer_of(request).actor, deal_id)
    dispute = await contested(deal)
    return {
        "deal": deal,
        "dispute": dispute,
        "bundle": await bundle_of(deal) if dispute else None,
        "labels": TEXTS,
        "reasons": REASONS,
        "most_written": MOST_WRITTEN,
    }


HANDLERS: list[Any] = [preview, paper, submit]
