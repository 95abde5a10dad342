"""Claims: the buyer says what is not right, the seller answers."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from exchange.errors import N_, DomainError
from exchange.money import Money
from exchange.settlement.actions import claims
from exchange.settlement.pages.shown import Form, done, shown_again
from exchange.settlement.queries.claims import lines_of
from exchange.settlement.queries.deals import deal_seen_by
from exchange.settlement.rules.claims import Reason
from exchange.settlement.schemas import claimed_lines
from exchange.web.guards import trading, viewer_of
from exchange.web.refusals import again
from exchange.web.render import Web, render, see_other

CLAIM = "settlement/claim.html"


@get("/deals/{deal_id:uuid}/claims/new", guards=[trading])
async def claim_form(request: Web, deal_id: FromPath[UUID]) -> Response[str]:
    """What is not right, line by line."""
    return render(request, CLAIM, **await _claim_page(request, deal_id))


@post("/deals/{deal_id:uuid}/claims", guards=[trading])
async def claim(request: Web, deal_id: FromPath[UUID], data: Form) -> Response[str]:
    """The claim is made."""
    actor = viewer_of(request).actor
    page = await _claim_page(request, deal_id)
    try:
        lines = claimed_lines(data, page["lines"])
        await claims.claim(deal_id=deal_id, lines=lines, said=data.get("said", ""), by=actor)
    except DomainError as refusal:
        return again(request, CLAIM, refusal, data, **page)
    return see_other(request, f"/deals/{deal_id}", flash=N_("Your claim is made. The seller has been told."))


@post("/deals/{deal_id:uuid}/claims/answer", guards=[trading])
async def answer_claim(request: Web, deal_id: FromPath[UUID], data: Form) -> Response[str]:
    """The seller names the sum it finds right."""
    actor = viewer_of(request).actor
    deal = await deal_seen_by(actor, deal_id)
    try:
        offered = Money.parse(data.get("offered", ""), deal.terms.net.currency)
        await claims.answer(deal_id=deal_id, offered=offered, text=data.get("answer", ""), by=actor)
    except DomainError as refusal:
        refusal.field = "offered"
        return await shown_again(request, deal_id, refusal, data)
    return see_other(request, f"/deals/{deal_id}", flash=N_("The buyer has been told."))


@post("/deals/{deal_id:uuid}/claims/agreement", guards=[trading])
async def agree_claim(request: Web, deal_id: FromPath[UUID]) -> Response[str]:
    """The sum on the table is taken."""
    return await done(request, deal_id, claims.agree, N_("Agreed. The money is on its way."))


@post("/deals/{deal_id:uuid}/claims/withdrawal", guards=[trading])
async def withdraw_claim(request: Web, deal_id: FromPath[UUID]) -> Response[str]:
    """All right after all."""
    return await done(request, deal_id, claims.withdraw, N_("The claim is withdrawn. The seller is being paid."))


@post("/deals/{deal_id:uuid}/claims/escalation", guards=[trading])
async def escalate(request: Web, deal_id: FromPath[UUID]) -> Response[str]:
    """The operator is asked."""
    return await done(request, deal_id, claims.escalate, N_("The operator has been asked to decide."))


async def _claim_page(request: Web, deal_id: UUID) -> dict[str, Any]:
    deal = await deal_seen_by(viewer_of(request).actor, deal_id)
    return {"deal": deal, "lines": await lines_of(deal), "reasons": list(Reason)}


HANDLERS: list[Any] = [claim_form, claim, answer_claim, agree_claim, withdraw_claim, escalate]
