"""A company's money: where it stands, and the account it goes to."""

from typing import Any

from litestar import Response, get, post

from exchange.errors import N_, DomainError
from exchange.settlement.actions import receiving, sellers
from exchange.settlement.queries.purse import seller_money
from exchange.web.guards import member, owner, settling, viewer_of
from exchange.web.refusals import again
from exchange.web.render import Web, render, see_other

MONEY = "settlement/money.html"


@get("/money", guards=[member])
async def money(request: Web) -> Response[str]:
    """Held, on its way, paid, parked and why."""
    return render(request, MONEY, money=await seller_money(viewer_of(request).actor))


@post("/money/onboarding", guards=[owner, settling])
async def onboard(request: Web) -> Response[str]:
    """To the payment service's page where the company identifies itself."""
    try:
        url = await sellers.start_onboarding(by=viewer_of(request).actor)
    except DomainError as refusal:
        return again(request, MONEY, refusal, {}, money=await seller_money(viewer_of(request).actor))
    return see_other(request, url)


@get("/money/onboarding/again", guards=[owner, settling])
async def onboard_again(request: Web) -> Response[str]:
    """The link was used up or too old: a fresh one."""
    return see_other(request, await sellers.start_onboarding(by=viewer_of(request).actor))


@get("/money/onboarding/return", guards=[owner, settling])
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


@post("/money/account-change", guards=[owner, settling])
async def ask_change(request: Web) -> Response[str]:
    """The company is to be paid on another account from now on."""
    actor = viewer_of(request).actor
    try:
        await receiving.ask_change(by=actor)
    except DomainError as refusal:
        return again(request, MONEY, refusal, {}, money=await seller_money(actor))
    return see_other(request, "/money", flash=N_("Noted. Complete the new account; then the operator calls you back."))


@post("/money/account-change/withdrawal", guards=[owner, settling])
async def call_off_change(request: Web) -> Response[str]:
    """All stays as it is."""
    actor = viewer_of(request).actor
    try:
        if actor.company_id is not None:
            await receiving.call_off_change(company_id=actor.company_id, by=actor)
    except DomainError as refusal:
        return again(request, MONEY, refusal, {}, money=await seller_money(actor))
    return see_other(request, "/money", flash=N_("The change is called off. Your account stays what it was."))


HANDLERS: list[Any] = [money, onboard, onboard_again, onboarded, ask_change, call_off_change]
