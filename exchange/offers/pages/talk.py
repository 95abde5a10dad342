"""One talk with its live thread: the moves, and the answers to them."""

from functools import partial
from uuid import UUID

from litestar import Response, get, post
from litestar.channels import ChannelsPlugin
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import ServerSentEvent

from exchange.errors import N_, DomainError
from exchange.offers import actions
from exchange.offers.pages.reading import (
    Form,
    cost_in,
    filled_in,
    incoterm_in,
    price_in,
    quantity_in,
    seen_in,
    text_in,
    texts_in,
)
from exchange.offers.pages.shown import SHOW, refused, said_beside, talk_mark, talk_shown
from exchange.offers.queries.inbox import count_awaiting
from exchange.offers.queries.talks import ensure_party, negotiation_on_page, negotiation_seen_by, talk_channel
from exchange.offers.queries.team import inside_channel
from exchange.offers.rules.bids import Bid
from exchange.web.guards import viewer_of
from exchange.web.render import Web, render, see_other
from exchange.web.stream import live

THREAD = "offers/_thread.html"


@get("/talks/{talk_id:uuid}")
async def show(
    request: Web, talk_id: FromPath[UUID], seen: FromQuery[int | None] = None, writing: FromQuery[bool] = False
) -> Response[str]:
    """The talk. An open page asks for its thread alone; ``seen`` and ``writing`` say that it holds a form already."""
    by = viewer_of(request).actor
    talk = await negotiation_on_page(by, talk_id)
    alone = bool(request.headers.get("hx-request"))
    said = await said_beside(by, talk, inside=not alone)
    has_form = seen is not None or writing
    context = await talk_shown(request, talk, *said) | {"alone": alone, "has_form": has_form}
    if alone:
        context["waiting"] = await count_awaiting(by) if viewer_of(request).vetted else 0
    return render(request, SHOW, fragment=THREAD, **context)


@get("/talks/{talk_id:uuid}/live")
async def listen(
    request: Web, talk_id: FromPath[UUID], channels: NamedDependency[ChannelsPlugin], mark: FromQuery[str] = ""
) -> ServerSentEvent:
    """Tells an open page that something changed: in the talk, or inside the viewer's own company.

    The talk itself is loaded once, when the stream already listens: what happened since the page is then in its mark.
    """
    by = viewer_of(request).actor
    await ensure_party(by, talk_id)
    inside = [inside_channel(talk_id, by.company_id)] if by.company_id else []
    return live(channels, talk_channel(talk_id), *inside, seen=mark, now=partial(talk_mark, by, talk_id))


@post("/talks/{talk_id:uuid}/offers")
async def make_move(request: Web, talk_id: FromPath[UUID], data: Form) -> Response[str]:
    """An offer or a counter-offer."""
    by = viewer_of(request).actor
    talk = await negotiation_seen_by(by, talk_id)
    if filled := filled_in(data):
        return await refused(request, talk_id, None, filled)
    try:
        await actions.make_move(
            negotiation_id=talk_id,
            bid=Bid(price_in(data, talk.talk.terms.ask.currency), quantity_in(data)),
            incoterm=incoterm_in(data),
            pickup=texts_in(data, "pickup"),
            message=text_in(data, "message"),
            by=by,
            cost=cost_in(data),
            seen=seen_in(data),
        )
    except DomainError as refusal:
        return await refused(request, talk_id, refusal, data)
    return see_other(
        request, f"/talks/{talk_id}", flash=N_("Your offer is on the table. The other side has been told.")
    )


@post("/talks/{talk_id:uuid}/acceptance")
async def accept(request: Web, talk_id: FromPath[UUID], data: Form) -> Response[str]:
    """Accept exactly the price and the quantity the form shows."""
    by = viewer_of(request).actor
    talk = await negotiation_seen_by(by, talk_id)
    try:
        await actions.accept_offer(
            negotiation_id=talk_id,
            price=price_in(data, talk.talk.terms.ask.currency),
            quantity=quantity_in(data),
            lines=text_in(data, "lines"),
            by=by,
            cost=cost_in(data),
            seen=seen_in(data),
        )
    except DomainError as refusal:
        return await refused(request, talk_id, refusal, {})
    return see_other(request, f"/talks/{talk_id}", flash=N_("Agreed. You now see each other's names."))


@post("/talks/{talk_id:uuid}/refusal")
async def refuse(request: Web, talk_id: FromPath[UUID], data: Form) -> Response[str]:
    """Decline the live offer."""
    try:
        await actions.refuse_offer(negotiation_id=talk_id, by=viewer_of(request).actor, seen=seen_in(data))
    except DomainError as refusal:
        return await refused(request, talk_id, refusal, {})
    return see_other(request, f"/talks/{talk_id}", flash=N_("Declined. The other side will be told."))


@post("/talks/{talk_id:uuid}/withdrawal")
async def withdraw(request: Web, talk_id: FromPath[UUID], data: Form) -> Response[str]:
    """Take one's own live offer back."""
    try:
        await actions.withdraw_offer(negotiation_id=talk_id, by=viewer_of(request).actor, seen=seen_in(data))
    except DomainError as refusal:
        return await refused(request, talk_id, refusal, {})
    return see_other(request, f"/talks/{talk_id}", flash=N_("Your offer is withdrawn."))
