"""The goods arrive: what the buyer does at the dock, with a phone; and every photo of a delivery."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery

from exchange.errors import N_, DomainError, Invalid
from exchange.settlement.actions import deals
from exchange.settlement.pages.uploads import LARGEST, sent_with_photos
from exchange.settlement.queries.claims import lines_of
from exchange.settlement.queries.deals import deal_seen_by
from exchange.settlement.queries.evidence import photo_seen_by, photos_of
from exchange.settlement.rules.deal import Move, State, step
from exchange.settlement.rules.evidence import Occasion
from exchange.web.guards import member, signed_in, viewer_of
from exchange.web.refusals import again
from exchange.web.render import Web, render, see_other

RECEIPT = "settlement/receipt.html"


class VerdictMissing(Invalid):
    """A receipt that says neither yes nor no: the seller is not paid by accident."""

    message = N_("Say whether all is right, whether you still check, or whether something is wrong.")


@get("/deals/{deal_id:uuid}/receipt", guards=[member])
async def receipt(request: Web, deal_id: FromPath[UUID]) -> Response[str]:
    """The goods are here: note, photos, and what the buyer finds."""
    page = await _page(request, deal_id)
    step(page["deal"].state, Move.RECEIVE, page["deal"].side_of(viewer_of(request).actor))
    return render(request, RECEIPT, **page)


@post("/deals/{deal_id:uuid}/receipt", guards=[member], request_max_body_size=LARGEST)
async def receive(request: Web, deal_id: FromPath[UUID]) -> Response[str]:
    """All right, still checking, or something is wrong; what was noted and photographed is kept in each case."""
    actor, here = viewer_of(request).actor, f"/deals/{deal_id}"
    deal = await deal_seen_by(actor, deal_id)
    typed: dict[str, str] = {}
    try:
        step(deal.state, Move.RECEIVE, deal.side_of(actor))
        sent = await sent_with_photos(request, deal_id, Occasion.RECEIPT, actor)
        typed = sent.typed
        sent.ensure_photos()
        verdict, reserves = typed.get("verdict"), typed.get("reserves", "")
        if verdict == "right":
            await deals.receive(deal_id=deal_id, reserves=reserves, by=actor)
            return see_other(request, here, flash=N_("Thank you. The seller is being paid."))
        if verdict not in {"checking", "wrong"}:
            raise VerdictMissing(field="verdict")
        take_in = deals.note if deal.state is State.DELIVERED else deals.arrive
        await take_in(deal_id=deal_id, reserves=reserves, by=actor)
    except DomainError as refusal:
        return again(request, RECEIPT, refusal, typed, **await _page(request, deal_id))
    if verdict == "wrong":
        return see_other(request, f"{here}/claims/new", flash=N_("Noted. Now say line by line what is not right."))
    return see_other(request, here, flash=N_("Noted. Take your time to check the goods."))


@get("/deals/{deal_id:uuid}/photos/{photo_id:uuid}", guards=[signed_in])
async def photo(
    request: Web, deal_id: FromPath[UUID], photo_id: FromPath[UUID], small: FromQuery[bool] = False
) -> Response[bytes]:
    """A photo of the delivery, for the two sides and the operator; it never changes."""
    content = await photo_seen_by(viewer_of(request).actor, deal_id, photo_id, small=small)
    return Response(content, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=86400, immutable"})


async def _page(request: Web, deal_id: UUID) -> dict[str, Any]:
    actor = viewer_of(request).actor
    deal = await deal_seen_by(actor, deal_id)
    return {
        "deal": deal,
        "lines": await lines_of(deal),
        "photos": [p for p in await photos_of(deal, deal.side_of(actor)) if p.draft and p.occasion is Occasion.RECEIPT],
    }


HANDLERS: list[Any] = [receipt, receive, photo]
