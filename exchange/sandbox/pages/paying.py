"""Paying: the pay page, the bank's question, the instructions for a bank transfer."""

from typing import Any, NamedTuple

from litestar import Response, get, post
from litestar.params import FromPath

from exchange.sandbox import faults
from exchange.sandbox.errors import Refusal
from exchange.sandbox.objects import checkout_sessions, payment_intents, payment_states
from exchange.sandbox.objects.payment_methods import MethodData, make_method
from exchange.sandbox.pages.rendering import Asked, books_of, form_of, go, nothing, notice, show
from exchange.sandbox.shapes import DAY, Doc


class Outcome(NamedTuple):
    """A choice on the pay page: what it is called, and what it pays with."""

    method: str
    value: str
    title: str


OUTCOMES = (
    Outcome("card", "4242424242424242", "Accepted; the money is available after two days"),
    Outcome("card", "4000000000000077", "Accepted; the money is available at once"),
    Outcome("card", "4000002760003184", "The bank asks for confirmation (3-D Secure)"),
    Outcome("card", "4000000000000002", "Declined"),
    Outcome("card", "4000000000009995", "Declined: not enough money"),
    Outcome("card", "4000000000000259", "Accepted, then disputed by the buyer"),
    Outcome("sepa_debit", "AT611904300234573201", "Paid after five days"),
    Outcome("sepa_debit", "AT861904300235473202", "Fails after five days"),
    Outcome("sepa_debit", "AT591904300235473203", "Paid after five days, then disputed"),
    Outcome("customer_balance", "exact", "The exact amount arrives"),
    Outcome("customer_balance", "short", "Too little arrives (half)"),
    Outcome("customer_balance", "over", "Too much arrives (a tenth more)"),
    Outcome("customer_balance", "late", "The exact amount arrives after three days"),
)

METHOD_TITLES = {"card": "Card", "sepa_debit": "SEPA direct debit", "customer_balance": "Bank transfer"}


@get("/c/pay/{id:str}")
async def pay_page(request: Asked, id: FromPath[str]) -> Response[str]:
    async with books_of(request).reading() as world:
        session = await world.find(id)
    if session is None or session["object"] != "checkout.session":
        return nothing(request)
    return _pay_page(request, session)


def _pay_page(request: Asked, session: Doc, *, refusal: str | None = None, typed: str = "") -> Response[str]:
    if session["status"] == "complete":
        text = "This payment has already been made or is under way."
        return notice(request, text, url=checkout_sessions.success_url(session))
    if session["status"] == "expired":
        text = "This payment page has expired. Go back to the shop and start again."
        return notice(request, text, status=410, url=session["cancel_url"])
    groups = [
        (METHOD_TITLES[method], [outcome for outcome in OUTCOMES if outcome.method == method])
        for method in session["payment_method_types"]
    ]
    details = session["customer_details"] or {}
    return show(
        request, "pay.html", status=402 if refusal else 200, locale=session["locale"], session=session, groups=groups,
        refusal=refusal, email=typed or details.get("email") or "", typed_email=session["customer"] is None,
    )  # fmt: skip


@post("/c/pay/{id:str}", status_code=200)
async def pay(request: Asked, id: FromPath[str]) -> Response[str]:
    form = await form_of(request)
    chosen = next((o for o in OUTCOMES if f"{o.method}:{o.value}" == form.get("outcome")), None)
    email = form.get("email", "")[:200]
    try:
        async with books_of(request).writing() as world:
            session = await world.find(id)
            if session is None or session["object"] != "checkout.session":
                return nothing(request)
            if session["status"] != "open":
                return _pay_page(request, session)
            if chosen is None:
                return _pay_page(request, session, refusal="Choose one of the outcomes.", typed=email)
            if chosen.method not in session["payment_method_types"]:
                text = "This outcome is not offered for this payment."
                return _pay_page(request, session, refusal=text, typed=email)
            world.account = session["_account"]
            details = session["customer_details"] or {}
            person = {"email": email or details.get("email"), "name": details.get("name")}
            method = await make_method(world, _data(chosen, {k: v for k, v in person.items() if v}))
            intent = await checkout_sessions.pay(world, session, method, email=email)
            if chosen.method == "customer_balance":
                await _plan_arrival(world, intent, chosen.value)
    except Refusal as refusal:
        async with books_of(request).reading() as world:
            session = await world.known(id)
        return _pay_page(request, session, refusal=str(refusal), typed=email)
    if intent["next_action"] and "redirect_to_url" in intent["next_action"]:
        return go(intent["next_action"]["redirect_to_url"]["url"])
    return go(checkout_sessions.success_url(session))


def _data(chosen: Outcome, person: dict[str, str]) -> MethodData:
    details = {"card": {"number": chosen.value}} if chosen.method == "card" else {}
    if chosen.method == "sepa_debit":
        details = {"sepa_debit": {"iban": chosen.value}}
    return MethodData.model_validate({"type": chosen.method, "billing_details": person} | details)


async def _plan_arrival(world: Any, intent: Doc, value: str) -> None:
    amount = {"short": intent["amount"] // 2, "over": intent["amount"] + intent["amount"] // 10}
    wait = 3 * DAY if value == "late" else world.settings.settle_seconds
    await world.later(world.now + wait, "transfer.arrive", f"{intent['id']}|{amount.get(value, intent['amount'])}")


@get("/c/authenticate/{id:str}")
async def authenticate_page(request: Asked, id: FromPath[str]) -> Response[str]:
    async with books_of(request).reading() as world:
        intent = await world.find(id)
    if intent is None or intent["object"] != "payment_intent":
        return nothing(request)
    if intent["status"] != "requires_action":
        return notice(request, "This payment has already been made or is under way.", url=intent["_return_url"])
    return show(request, "authenticate.html", intent=intent)


@post("/c/authenticate/{id:str}", status_code=200)
async def authenticate(request: Asked, id: FromPath[str]) -> Response[str]:
    passed = (await form_of(request)).get("answer") == "yes"
    async with books_of(request).writing() as world:
        intent = await world.find(id)
        if intent is None or intent["object"] != "payment_intent":
            return nothing(request)
        world.account = intent["_account"]
        await payment_intents.authenticated(world, intent, passed=passed)
        session = await world.find(intent["_session"]) if intent["_session"] else None
    if session and session["status"] == "open":
        return go(f"/c/pay/{session['id']}")
    return go(intent["_return_url"] or "/_sandbox/")


@get("/c/instructions/{id:str}")
async def instructions_page(request: Asked, id: FromPath[str]) -> Response[str]:
    async with books_of(request).reading() as world:
        intent = await world.find(id)
    if intent is None or intent["object"] != "payment_intent" or not intent.get("_reference"):
        return nothing(request)
    if intent["status"] != "requires_action":
        return notice(request, "Nothing more to be paid.", url=intent["_return_url"])
    return show(request, "instructions.html", intent=intent, rest=intent["amount"] - intent["_funded"])


@post("/c/instructions/{id:str}", status_code=200)
async def send_transfer(request: Asked, id: FromPath[str]) -> Response[str]:
    amount = (await form_of(request)).get("amount", "")
    if amount.isdigit() and 0 < int(amount) <= payment_states.MOST:
        async with books_of(request).writing() as world:
            intent = await world.find(id)
            if intent is None or intent["object"] != "payment_intent" or not intent.get("_reference"):
                return nothing(request)
            await faults.arrive(world, intent, int(amount))
    return go(f"/c/instructions/{id}")


doors = [pay_page, pay, authenticate_page, authenticate, instructions_page, send_transfer]
