"""Deals, a seller's money and the operator's books, as pages."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, Router, get, post
from litestar.channels import ChannelsPlugin
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath, FromQuery
from litestar.response import ServerSentEvent

from exchange.companies.queries import identity_of
from exchange.errors import N_, DomainError
from exchange.money import Money
from exchange.offers.queries.agreed import contract_seen_by
from exchange.settlement.actions import claims, deals, payments, reconcile, recourse, sellers
from exchange.settlement.queries.deals import (
    claim_of,
    deal_of_negotiation,
    deal_seen_by,
    deals_of,
    history_of,
    lines_of,
)
from exchange.settlement.queries.money import (
    last_reconciliation,
    money_of,
    payment_of,
    seller_money,
    trial_balance,
    troubles,
)
from exchange.settlement.rules import timeline
from exchange.settlement.rules.claims import Reason
from exchange.settlement.rules.deal import Side
from exchange.settlement.schemas import claimed_lines, possible
from exchange.web.guards import member, operator, owner, signed_in, trading, viewer_of
from exchange.web.refusals import again
from exchange.web.render import Web, render, see_other
from exchange.web.stream import live

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]

SHOW, LIST, CLAIM, MONEY, BOOKS = (
    "settlement/deal.html",
    "settlement/deals.html",
    "settlement/claim.html",
    "settlement/money.html",
    "settlement/books.html",
)
PAGE = 30


# --- deals


@get("/deals", guards=[signed_in])
async def my_deals(request: Web, after: FromQuery[UUID | None] = None) -> Response[str]:
    """The company's deals, those that await it first; the operator's view of all."""
    actor = viewer_of(request).actor
    found = await deals_of(actor, after=after, limit=PAGE + 1)
    return render(
        request,
        LIST,
        rows=[
            (deal, deal.side_of(actor), timeline.next_step(deal.state, deal.side_of(actor), deal.due_at))
            for deal in found[:PAGE]
        ],
        names=timeline.STATE_NAMES,
        next_href=f"/deals?after={found[PAGE - 1].id}" if len(found) > PAGE else None,
        first_href="/deals" if after else None,
    )


@get("/deals/{deal_id:uuid}", guards=[signed_in])
async def show(request: Web, deal_id: FromPath[UUID]) -> Response[str]:
    """One deal: what happens next, what happened, and every cent of it."""
    return render(request, SHOW, fragment="settlement/_deal.html", **await _deal_page(request, deal_id))


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
async def watch(request: Web, deal_id: FromPath[UUID], channels: NamedDependency[ChannelsPlugin]) -> ServerSentEvent:
    """Tells the open page that something happened to the deal."""
    deal = await deal_seen_by(viewer_of(request).actor, deal_id)
    return live(channels, deal.channel)


@post("/deals/{deal_id:uuid}/payment", guards=[trading])
async def pay(request: Web, deal_id: FromPath[UUID]) -> Response[str]:
    """To the payment service's page."""
    try:
        url = await payments.pay(deal_id=deal_id, by=viewer_of(request).actor)
    except DomainError as refusal:
        return await _again(request, deal_id, refusal, {})
    return see_other(request, url)


@get("/deals/{deal_id:uuid}/payment", guards=[trading])
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
        return await _again(request, deal_id, refusal, {})
    payment = await payment_of(deal_id)
    said = {
        "paid": N_("Your payment has arrived and is held until receipt. The seller has been told."),
        "processing": N_("Your payment is on its way. It can take some days; we write to you when it has arrived."),
        "surplus": N_("Your payment has arrived, but it was not owed: it goes back to you in full."),
    }.get(payment.state if payment else "", N_("The payment is not complete yet. You can go on paying here."))
    return see_other(request, f"/deals/{deal_id}", flash=said)


@post("/deals/{deal_id:uuid}/shipment", guards=[trading])
async def ship(request: Web, deal_id: FromPath[UUID], data: Form) -> Response[str]:
    """Handed to a carrier, or ready for collection."""
    actor = viewer_of(request).actor
    try:
        if data.get("how") == "collection":
            await deals.make_ready(deal_id=deal_id, note=data.get("note", ""), by=actor)
        else:
            await deals.ship(
                deal_id=deal_id, carrier=data.get("carrier", ""), tracking=data.get("tracking", ""), by=actor
            )
    except DomainError as refusal:
        return await _again(request, deal_id, refusal, data)
    return see_other(request, f"/deals/{deal_id}", flash=N_("The buyer has been told."))


@post("/deals/{deal_id:uuid}/proof", guards=[trading])
async def prove(request: Web, deal_id: FromPath[UUID], data: Form) -> Response[str]:
    """The seller shows the carrier's proof of delivery."""
    try:
        await deals.prove_delivery(deal_id=deal_id, proof=data.get("proof", ""), by=viewer_of(request).actor)
    except DomainError as refusal:
        return await _again(request, deal_id, refusal, data)
    return see_other(request, f"/deals/{deal_id}", flash=N_("The buyer has been told."))


@post("/deals/{deal_id:uuid}/arrival", guards=[trading])
async def arrive(request: Web, deal_id: FromPath[UUID]) -> Response[str]:
    """The goods are there; they are checked now."""
    return await _done(request, deal_id, deals.arrive, N_("Noted. Take your time to check the goods."))


@post("/deals/{deal_id:uuid}/receipt", guards=[trading])
async def receive(request: Web, deal_id: FromPath[UUID]) -> Response[str]:
    """All right: the seller is paid."""
    return await _done(request, deal_id, deals.receive, N_("Thank you. The seller is being paid."))


@post("/deals/{deal_id:uuid}/cancellation", guards=[trading])
async def cancel(request: Web, deal_id: FromPath[UUID]) -> Response[str]:
    """Ask to call the deal off, or agree to it."""
    return await _done(request, deal_id, deals.cancel, N_("Noted. When both sides have asked, the buyer is refunded."))


@post("/deals/{deal_id:uuid}/withdrawal", guards=[trading])
async def give_up(request: Web, deal_id: FromPath[UUID]) -> Response[str]:
    """The seller cancels what was never collected."""
    return await _done(request, deal_id, deals.give_up, N_("The deal is cancelled; the buyer is being refunded."))


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
        return await _again(request, deal_id, refusal, data)
    return see_other(request, f"/deals/{deal_id}", flash=N_("The buyer has been told."))


@post("/deals/{deal_id:uuid}/claims/agreement", guards=[trading])
async def agree_claim(request: Web, deal_id: FromPath[UUID]) -> Response[str]:
    """The sum on the table is taken."""
    return await _done(request, deal_id, claims.agree, N_("Agreed. The money is on its way."))


@post("/deals/{deal_id:uuid}/claims/withdrawal", guards=[trading])
async def withdraw_claim(request: Web, deal_id: FromPath[UUID]) -> Response[str]:
    """All right after all."""
    return await _done(request, deal_id, claims.withdraw, N_("The claim is withdrawn. The seller is being paid."))


@post("/deals/{deal_id:uuid}/claims/escalation", guards=[trading])
async def escalate(request: Web, deal_id: FromPath[UUID]) -> Response[str]:
    """The operator is asked."""
    return await _done(request, deal_id, claims.escalate, N_("The operator has been asked to decide."))


@post("/deals/{deal_id:uuid}/decision", guards=[operator])
async def decide(request: Web, deal_id: FromPath[UUID], data: Form) -> Response[str]:
    """The operator shares out the money held."""
    actor = viewer_of(request).actor
    deal = await deal_seen_by(actor, deal_id)
    try:
        refund = Money.parse(data.get("refund", ""), deal.terms.total.currency)
        await deals.decide(deal_id=deal_id, refund=refund, by=actor)
    except DomainError as refusal:
        refusal.field = "refund"
        return await _again(request, deal_id, refusal, data)
    return see_other(request, f"/deals/{deal_id}", flash=N_("Decided. Both sides have been told."))


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
        return await _again(request, deal_id, refusal, data)
    return see_other(
        request, f"/deals/{deal_id}", flash=N_("The seller's part is asked back first; then the buyer is refunded.")
    )


# --- a seller's money


@get("/money", guards=[member])
async def money(request: Web) -> Response[str]:
    """Held, on its way, paid, parked and why."""
    return render(request, MONEY, money=await seller_money(viewer_of(request).actor))


@post("/money/onboarding", guards=[owner, trading])
async def onboard(request: Web) -> Response[str]:
    """To the payment service's page where the company identifies itself."""
    try:
        url = await sellers.start_onboarding(by=viewer_of(request).actor)
    except DomainError as refusal:
        return again(request, MONEY, refusal, {}, money=await seller_money(viewer_of(request).actor))
    return see_other(request, url)


@get("/money/onboarding/again", guards=[owner, trading])
async def onboard_again(request: Web) -> Response[str]:
    """The link was used up or too old: a fresh one."""
    return see_other(request, await sellers.start_onboarding(by=viewer_of(request).actor))


@get("/money/onboarding/return", guards=[owner, trading])
async def onboarded(request: Web) -> Response[str]:
    """Back from the payment service: the account is asked, the address proves nothing."""
    actor = viewer_of(request).actor
    if actor.company_id is not None:
        await sellers.look_at_account(actor.company_id)
    found = await seller_money(actor)
    return see_other(
        request,
        "/money",
        flash=N_("Your account can receive money.")
        if found.account_status == "active"
        else N_("The payment service is still checking your account, or asks for more. We tell you when it is ready."),
    )


# --- the operator's books


@get("/operator/money", guards=[operator])
async def books(request: Web) -> Response[str]:
    """Trial balance, the last comparison with Stripe, what needs a person."""
    return render(request, BOOKS, **await _books())


@post("/operator/money/comparison", guards=[operator])
async def compare(request: Web) -> Response[str]:
    """Compare the books now."""
    try:
        result = await reconcile.reconcile()
    except DomainError as refusal:
        return again(request, BOOKS, refusal, {}, **await _books())
    return see_other(
        request,
        "/operator/money",
        flash=N_("The books agree.") if result.agreed else N_("The books differ. Nothing is released meanwhile."),
        kind="done" if result.agreed else "error",
    )


@post("/operator/money/explanation", guards=[operator])
async def explain(request: Web, data: Form) -> Response[str]:
    """The operator did it by hand at the payment service: it is booked so."""
    try:
        result = await reconcile.explain(
            source=data.get("source", ""), currency=data.get("currency", ""), by=viewer_of(request).actor
        )
    except DomainError as refusal:
        return again(request, BOOKS, refusal, {}, **await _books())
    return see_other(
        request,
        "/operator/money",
        flash=N_("The books agree.") if result.agreed else N_("Booked. Other differences are left."),
    )


async def _books() -> dict[str, Any]:
    return {
        "lines": await trial_balance(),
        "accounts": timeline.ACCOUNTS,
        "compared": await last_reconciliation(),
        "troubles": await troubles(),
    }


async def _claim_page(request: Web, deal_id: UUID) -> dict[str, Any]:
    deal = await deal_seen_by(viewer_of(request).actor, deal_id)
    return {"deal": deal, "lines": await lines_of(deal), "reasons": list(Reason)}


async def _deal_page(request: Web, deal_id: UUID) -> dict[str, Any]:
    actor = viewer_of(request).actor
    deal = await deal_seen_by(actor, deal_id)
    side = deal.side_of(actor)
    found = await claim_of(deal)
    return {
        "deal": deal,
        "side": side,
        "buyer": await identity_of(deal.buyer_company_id),
        "seller": await identity_of(deal.seller_company_id),
        "next": timeline.next_step(deal.state, side, deal.due_at),
        "ended": timeline.ended(deal.state, deal.ending),
        "names": timeline.STATE_NAMES,
        "happened": timeline.HAPPENED,
        "moved": timeline.MOVED,
        "history": [h for h in await history_of(deal) if h.fact in timeline.HAPPENED],
        "money": await money_of(deal, side),
        "payment": await payment_of(deal.id) if side is not Side.SELLER else None,
        "claim": found,
        "may": possible(deal, side, found),
    }


async def _again(request: Web, deal_id: UUID, refusal: DomainError, typed: dict[str, str]) -> Response[str]:
    return again(request, SHOW, refusal, typed, **await _deal_page(request, deal_id))


async def _done(request: Web, deal_id: UUID, verb: Any, flash: str) -> Response[str]:
    try:
        await verb(deal_id=deal_id, by=viewer_of(request).actor)
    except DomainError as refusal:
        return await _again(request, deal_id, refusal, {})
    return see_other(request, f"/deals/{deal_id}", flash=flash)


router = Router(
    "/",
    route_handlers=[
        my_deals,
        show,
        of_talk,
        watch,
        pay,
        come_back,
        ship,
        prove,
        arrive,
        receive,
        cancel,
        give_up,
        claim_form,
        claim,
        answer_claim,
        agree_claim,
        withdraw_claim,
        escalate,
        decide,
        refund,
        money,
        onboard,
        onboard_again,
        onboarded,
        books,
        compare,
        explain,
    ],
)
