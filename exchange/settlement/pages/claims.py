"""Claims: the buyer says what is not right, the seller answers; on a phone at the dock as on a desk."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from exchange.errors import N_, DomainError
from exchange.settlement.actions import claims
from exchange.settlement.pages.shown import done, shown_again
from exchange.settlement.pages.uploads import LARGEST, sent_with_photos
from exchange.settlement.queries.claims import claim_of, lines_of, tolerance_of
from exchange.settlement.queries.deals import deal_seen_by
from exchange.settlement.queries.evidence import photos_of
from exchange.settlement.rules.deal import Move, step
from exchange.settlement.rules.evidence import Occasion
from exchange.settlement.schemas import answered_percents, claimed_lines
from exchange.web.guards import member, viewer_of
from exchange.web.refusals import again
from exchange.web.render import Web, render, see_other

CLAIM = "settlement/claim.html"


@get("/deals/{deal_id:uuid}/claims/new", guards=[member])
async def claim_form(request: Web, deal_id: FromPath[UUID]) -> Response[str]:
    """What is not right, line by line."""
    page = await _claim_page(request, deal_id)
    step(page["deal"].state, Move.CLAIM, page["deal"].side_of(viewer_of(request).actor))
    return render(request, CLAIM, **page)


@post("/deals/{deal_id:uuid}/claims", guards=[member], request_max_body_size=LARGEST)
async def claim(request: Web, deal_id: FromPath[UUID]) -> Response[str]:
    """The claim is made; its photos are kept even when it is refused."""
    actor = viewer_of(request).actor
    deal = await deal_seen_by(actor, deal_id)
    typed: dict[str, str] = {}
    try:
        step(deal.state, Move.CLAIM, deal.side_of(actor))
        sent = await sent_with_photos(request, deal_id, Occasion.CLAIM, actor)
        typed = sent.typed
        sent.ensure_photos()
        await claims.claim(
            deal_id=deal_id,
            lines=claimed_lines(typed, await lines_of(deal)),
            said=typed.get("said", ""),
            reserves=typed.get("reserves", ""),
            by=actor,
        )
    except DomainError as refusal:
        return again(request, CLAIM, refusal, typed, **await _claim_page(request, deal_id))
    return see_other(request, f"/deals/{deal_id}", flash=N_("Your claim is made. The seller has been told."))


@post("/deals/{deal_id:uuid}/claims/answer", guards=[member], request_max_body_size=LARGEST)
async def answer_claim(request: Web, deal_id: FromPath[UUID]) -> Response[str]:
    """The seller says which loss of value it finds right, or contests the claim."""
    actor = viewer_of(request).actor
    deal = await deal_seen_by(actor, deal_id)
    typed: dict[str, str] = {}
    try:
        step(deal.state, Move.ANSWER_CLAIM, deal.side_of(actor))
        sent = await sent_with_photos(request, deal_id, Occasion.ANSWER, actor)
        typed = sent.typed
        sent.ensure_photos()
        await claims.answer(
            deal_id=deal_id,
            percents=answered_percents(typed, await claim_of(deal)),
            text=typed.get("answer", ""),
            by=actor,
        )
    except DomainError as refusal:
        return await shown_again(request, deal_id, refusal, typed)
    return see_other(request, f"/deals/{deal_id}", flash=N_("The buyer has been told."))


@post("/deals/{deal_id:uuid}/claims/agreement", guards=[member])
async def agree_claim(request: Web, deal_id: FromPath[UUID]) -> Response[str]:
    """The sum on the table is taken."""
    return await done(request, deal_id, claims.agree, N_("Agreed. The money is on its way."))


@post("/deals/{deal_id:uuid}/claims/withdrawal", guards=[member])
async def withdraw_claim(request: Web, deal_id: FromPath[UUID]) -> Response[str]:
    """All right after all."""
    return await done(request, deal_id, claims.withdraw, N_("The claim is withdrawn. The seller is being paid."))


@post("/deals/{deal_id:uuid}/claims/escalation", guards=[member])
async def escalate(request: Web, deal_id: FromPath[UUID]) -> Response[str]:
    """The operator is asked."""
    return await done(request, deal_id, claims.escalate, N_("The operator has been asked to decide."))


async def _claim_page(request: Web, deal_id: UUID) -> dict[str, Any]:
    actor = viewer_of(request).actor
    deal = await deal_seen_by(actor, deal_id)
    return {
        "deal": deal,
        "lines": await lines_of(deal),
        "tolerance_bp": await tolerance_of(deal),
        "photos": [p for p in await photos_of(deal, deal.side_of(actor)) if p.draft and p.occasion is Occasion.CLAIM],
    }


HANDLERS: list[Any] = [claim_form, claim, answer_claim, agree_claim, withdraw_claim, escalate]
