"""Deals: the list, one deal, and what its two sides and the operator do with it."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.channels import ChannelsPlugin
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import ServerSentEvent

from exchange.actor import Actor
from exchange.errors import N_, DomainError
from exchange.money import Money
from exchange.offers.queries.agreed import contract_seen_by
from exchange.settlement.actions import deals, payments, recourse, warnings
from exchange.settlement.pages.shown import SHOW, Form, deal_mark, deal_page, done, shown_again
from exchange.settlement.pages.uploads import LARGEST, sent_with_photos
from exchange.settlement.queries.deals import deal_of_negotiation, deal_seen_by, deals_of
from exchange.settlement.queries.money import payment_of
from exchange.settlement.rules import timeline
from exchange.settlement.rules.deal import Move, Side, step
from exchange.settlement.rules.evidence import Occasion
from exchange.web.guards import member, operator, signed_in, viewer_of
from exchange.web.render import Web, render, see_other
from exchange.web.stream import live

LIST = "settlement/deals.html"
PAGE = 30


@get("/deals", guards=[signed_in])
async def my_deals(request: Web, after: FromQuery[UUID | None] = None) -> Response[str]:
    """The company's deals, those that await it first; the operator's view of all."""
    actor = viewer_of(request).actor
    found = await deals_of(actor, after=after, limit=PAGE + 1)
    return render(
        request,
        LIST,
        rows=[(deal, deal.side_of(actor), deal.next_for(deal.side_of(actor))) for deal in found[:PAGE]],
        names=timeline.STATE_NAMES,
        next_href=f"/deals?after={found[PAGE - 1].id}" if len(found) > PAGE else None,
        first_href="/deals" if after else None,
    )


@get("/deals/{deal_id:uuid}", guards=[signed_in])
async def show(request: Web, deal_id: FromPath[UUID]) -> Response[str]:
    """One deal: what happens next, what happened, and every cent of it."""
    return render(request, SHOW, fragment="settlement/_deal.html", **await deal_page(request, deal_id))


@get("/talks/{talk_id:uuid}/deal", guards=[signed_in])
async def of_talk(request: Web, talk_id: FromPath[UUID]) -> Response[str]:
    """From an agreed talk to its own deal; to the list for the second in which the deal is still being opened."""
    actor = viewer_of(request).actor
    deal_id = await deal_of_negotiation(actor, talk_id)
    if deal_id:
        return see_other(request, f"/deals/{deal_id}")
    await contract_seen_by(actor, talk_id)
    return see_other(request, "/deals", flash=N_("Your deal is being opened. It stands here in a moment."), kind="info")


@get("/deals/{deal_id:uuid}/live", guards=[signed_in])
async def watch(
    request: Web, deal_id: FromPath[UUID], channels: NamedDependency[ChannelsPlugin], mark: FromQuery[str] = ""
) -> ServerSentEvent:
    """Tells the open page that something happened to the deal."""
    actor = viewer_of(request).actor
    deal = await deal_seen_by(actor, deal_id)
    return live(channels, deal.channel, seen=mark, now=partial(deal_mark, actor, deal_id))


@post("/deals/{deal_id:uuid}/payment", guards=[member])
async def pay(request: Web, deal_id: FromPath[UUID]) -> Response[str]:
    """To the payment service's page."""
    try:
        url = await payments.pay(deal_id=deal_id, by=viewer_of(request).actor)
    except DomainError as refusal:
        return await shown_again(request, deal_id, refusal, {})
    return see_other(request, url)


@get("/deals/{deal_id:uuid}/payment", guards=[member])
async def come_back(request: Web, deal_id: FromPath[UUID], cs: FromQuery[str | None] = None) -> Response[str]:
    """Back from the pay page: the session is asked, the address is not believed."""
    await deal_seen_by(viewer_of(request).actor, deal_id)
    if cs is None:
        return see_other(
            request, f"/deals/{deal_id}", flash=N_("You have left the pay page. Nothing was charged."), kind="info"
        )
    try:
        await payments.come_back(deal_id=deal_id, session_id=cs, by=viewer_of(request).actor)
    except DomainError as refusal:
        return await shown_again(request, deal_id, refusal, {})
    payment = await payment_of(deal_id)
    said = {
        "paid": N_("Your payment has arrived and is held until receipt. The seller has been told."),
        "processing": N_("Your payment is on its way. It can take some days; we write to you when it has arrived."),
        "surplus": N_("Your payment has arrived, but it was not owed: it goes back to you in full."),
    }.get(payment.state if payment else "", N_("The payment is not complete yet. You can go on paying here."))
    return see_other(request, f"/deals/{deal_id}", flash=said)


@post("/deals/{deal_id:uuid}/shipment", guards=[member], request_max_body_size=LARGEST)
async def ship(request: Web, deal_id: FromPath[UUID]) -> Response[str]:
    """Handed to a carrier, or ready for collection."""

    async def hand_over(form: dict[str, str], by: Actor) -> None:
        if form.get("how") == "collection":
            await deals.make_ready(deal_id=deal_id, note=form.get("note", ""), by=by)
            return
        carrier, tracking = form.get("carrier", ""), form.get("tracking", "")
        await deals.ship(deal_id=deal_id, carrier=carrier, tracking=tracking, by=by)

    return await _handed_over(request, deal_id, Move.SHIP, hand_over)


@post("/deals/{deal_id:uuid}/news", guards=[member])
async def follow(request: Web, deal_id: FromPath[UUID], data: Form) -> Response[str]:
    """What the carrier said last."""
    try:
        await deals.follow(deal_id=deal_id, news=data.get("news", ""), by=viewer_of(request).actor)
    except DomainError as refusal:
        return await shown_again(request, deal_id, refusal, data)
    return see_other(request, f"/deals/{deal_id}", flash=N_("The buyer has been told."))


@post("/deals/{deal_id:uuid}/proof", guards=[member], request_max_body_size=LARGEST)
async def prove(request: Web, deal_id: FromPath[UUID]) -> Response[str]:
    """The seller shows that the buyer has the goods."""

    async def show_proof(form: dict[str, str], by: Actor) -> None:
        await deals.prove_delivery(deal_id=deal_id, proof=form.get("proof", ""), by=by)

    return await _handed_over(request, deal_id, Move.PROVE, show_proof)


@post("/deals/{deal_id:uuid}/arrival", guards=[member])
async def arrive(request: Web, deal_id: FromPath[UUID]) -> Response[str]:
    """The goods are there; they are checked now."""
    return await done(request, deal_id, deals.arrive, N_("Noted. Take your time to check the goods."))


@post("/deals/{deal_id:uuid}/cancellation", guards=[member])
async def cancel(request: Web, deal_id: FromPath[UUID]) -> Response[str]:
    """Ask to call the deal off, or agree to it."""
    return await done(request, deal_id, deals.cancel, N_("Noted. When both sides have asked, the buyer is refunded."))


@post("/deals/{deal_id:uuid}/withdrawal", guards=[member])
async def give_up(request: Web, deal_id: FromPath[UUID]) -> Response[str]:
    """The seller cancels what was never collected."""
    return await done(request, deal_id, deals.give_up, N_("The deal is cancelled; the buyer is being refunded."))


@post("/deals/{deal_id:uuid}/decision", guards=[operator])
async def decide(request: Web, deal_id: FromPath[UUID], data: Form) -> Response[str]:
    """The operator shares out the money held."""
    actor = viewer_of(request).actor
    deal = await deal_seen_by(actor, deal_id)
    try:
        refund = Money.parse(data.get("refund", ""), deal.terms.total.currency)
        await deals.decide(deal_id=deal_id, refund=refund, reasons=data.get("reasons", ""), by=actor)
    except DomainError as refusal:
        refusal.field = refusal.field or "refund"
        return await shown_again(request, deal_id, refusal, data)
    return see_other(request, f"/deals/{deal_id}", flash=N_("Decided. Both sides have been told."))


@post("/deals/{deal_id:uuid}/clearance", guards=[operator])
async def clear(request: Web, deal_id: FromPath[UUID]) -> Response[str]:
    """The operator lets the money go despite the card network's warning."""
    return await done(request, deal_id, warnings.clear_warning, N_("Noted. The money moves again."))


@post("/deals/{deal_id:uuid}/other-refund", guards=[operator])
async def pay_otherwise(request: Web, deal_id: FromPath[UUID], data: Form) -> Response[str]:
    """The operator has paid the buyer what no refund brought."""
    actor = viewer_of(request).actor
    deal = await deal_seen_by(actor, deal_id)
    try:
        amount = Money.parse(data.get("amount", ""), deal.terms.total.currency)
        await recourse.pay_otherwise(deal_id=deal_id, amount=amount, reference=data.get("reference", ""), by=actor)
    except DomainError as refusal:
        return await shown_again(request, deal_id, refusal, data)
    return see_other(request, f"/deals/{deal_id}", flash=N_("Booked. The buyer has been told."))


@post("/deals/{deal_id:uuid}/refund-again", guards=[operator])
async def refund_again(request: Web, deal_id: FromPath[UUID]) -> Response[str]:
    """The operator has a refused refund asked for again."""
    return await done(request, deal_id, recourse.refund_again, N_("Noted. The refund is asked for again."))


@post("/deals/{deal_id:uuid}/parts/{leg_id:uuid}/gift", guards=[operator])
async def give_leg(request: Web, deal_id: FromPath[UUID], leg_id: FromPath[UUID], data: Form) -> Response[str]:
    """The operator gives a part whose receiver cannot be paid to the seller or the buyer."""
    to = Side.BUYER if data.get("to") == "buyer" else Side.SELLER
    try:
        await recourse.give_leg(deal_id=deal_id, leg_id=leg_id, to=to, by=viewer_of(request).actor)
    except DomainError as refusal:
        return await shown_again(request, deal_id, refusal, data)
    return see_other(request, f"/deals/{deal_id}", flash=N_("Done. Everybody concerned has been told."))


@post("/deals/{deal_id:uuid}/refund", guards=[operator])
async def refund(request: Web, deal_id: FromPath[UUID], data: Form) -> Response[str]:
    """The operator gives back part of an ended deal, at the receivers' expense."""
    actor = viewer_of(request).actor
    deal = await deal_seen_by(actor, deal_id)
    try:
        amount = Money.parse(data.get("refund", ""), deal.terms.total.currency)
        await recourse.refund_released(deal_id=deal_id, refund=amount, by=actor)
    except DomainError as refusal:
        refusal.field = "refund"
        return await shown_again(request, deal_id, refusal, data)
    return see_other(
        request, f"/deals/{deal_id}", flash=N_("The seller's part is asked back first; then the buyer is refunded.")
    )


async def _handed_over(
    request: Web, deal_id: UUID, move: Move, verb: Callable[[dict[str, str], Actor], Awaitable[None]]
) -> Response[str]:
    actor = viewer_of(request).actor
    deal = await deal_seen_by(actor, deal_id)
    typed: dict[str, str] = {}
    try:
        step(deal.state, move, deal.side_of(actor))
        sent = await sent_with_photos(request, deal_id, Occasion.HANDOVER, actor)
        typed = sent.typed
        sent.ensure_photos()
        await verb(typed, actor)
    except DomainError as refusal:
        return await shown_again(request, deal_id, refusal, typed)
    return see_other(request, f"/deals/{deal_id}", flash=N_("The buyer has been told."))


HANDLERS: list[Any] = [
    my_deals, show, of_talk, watch, pay, come_back, ship, follow, prove, arrive, cancel, give_up, decide, clear,
    pay_otherwise, refund_again, give_leg, refund,
]  # fmt: skip
