"""What people see: the pay page, the bank's question, transfer instructions, onboarding, and the controls.

Everything works without JavaScript; there is none. A page posts to itself and answers with a redirect;
the controls answer with the page again, telling what was done.
"""

import json
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from babel.numbers import format_currency, get_currency_precision
from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import MediaType, Request, Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath
from markupsafe import Markup
from pydantic import BaseModel, ValidationError

from exchange.sandbox import accounts, checkout, faults, money, payments
from exchange.sandbox.errors import Refusal
from exchange.sandbox.payments import MethodData, make_method
from exchange.sandbox.protocol import ROUTES
from exchange.sandbox.shapes import Doc, iso, rendered
from exchange.sandbox.store import Books
from exchange.sandbox.words import Language, language_of, translate

Asked = Request[None, None, State]

_HEADERS = {
    "X-Sandbox": "NOT STRIPE",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


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

#: Told on the controls page: what a reader might look for in vain. English only, as Stripe's own words are.
NOT_SIMULATED = (
    "subscriptions, invoices, coupons, tax, shipping rates, setup intents, saved mandates",
    "destination charges, application fees, on_behalf_of, reverse_transfer, payment in several currencies",
    "payment methods other than card, sepa_debit and customer_balance; Radar, reviews; persons and external accounts",
    "embedded Checkout, Stripe.js, files and file uploads, reports, search endpoints, rate limits by themselves",
    "automatic payouts; the exact error texts, which Stripe does not promise to keep",
)

METHOD_TITLES = {"card": "Card", "sepa_debit": "SEPA direct debit", "customer_balance": "Bank transfer"}


# ---------------------------------------------------------------- rendering


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("exchange.sandbox"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["when"] = lambda seconds: iso(seconds)[:16].replace("T", " ") + " UTC"
    return environment


def _language(request: Asked, session_locale: str | None = None) -> Language:
    return language_of(request.query_params.get("locale") or session_locale, request.headers.get("accept-language", ""))


def _page(request: Asked, name: str, *, status: int = 200, locale: str | None = None, **values: Any) -> Response[str]:
    language = _language(request, locale)

    def words(text: str, **filled: object) -> str | Markup:
        found = translate(text, language)
        return found % filled if filled else found

    def amount(minor: int, currency: str) -> str:
        code = currency.upper()
        return format_currency(minor / 10 ** get_currency_precision(code), code, locale=language)

    html = _environment().get_template(name).render(t=words, amount=amount, language=language, **values)
    headers = _HEADERS | {"Content-Language": language, "Vary": "Accept-Language"}
    return Response(html, status_code=status, headers=headers, media_type=MediaType.HTML)


def _go(url: str) -> Response[str]:
    return Response("", status_code=303, headers=_HEADERS | {"Location": url}, media_type=MediaType.TEXT)


def _notice(request: Asked, text: str, *, status: int = 200, url: str | None = None) -> Response[str]:
    return _page(request, "notice.html", status=status, text=text, url=url)


def _nothing(request: Asked) -> Response[str]:
    return _notice(request, "There is nothing at this address.", status=404)


def _books(request: Asked) -> Books:
    books: Books = request.app.state.books
    return books


async def _form(request: Asked) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode(errors="replace"), keep_blank_values=True))


# ---------------------------------------------------------------- paying


@get("/c/pay/{id:str}")
async def pay_page(request: Asked, id: FromPath[str]) -> Response[str]:
    async with _books(request).reading() as world:
        session = await world.find(id)
    if session is None or session["object"] != "checkout.session":
        return _nothing(request)
    return _pay_page(request, session)


def _pay_page(request: Asked, session: Doc, *, refusal: str | None = None, typed: str = "") -> Response[str]:
    if session["status"] == "complete":
        text = "This payment has already been made or is under way."
        return _notice(request, text, url=checkout.success_url(session))
    if session["status"] == "expired":
        text = "This payment page has expired. Go back to the shop and start again."
        return _notice(request, text, status=410, url=session["cancel_url"])
    groups = [
        (METHOD_TITLES[method], [outcome for outcome in OUTCOMES if outcome.method == method])
        for method in session["payment_method_types"]
    ]
    details = session["customer_details"] or {}
    return _page(
        request, "pay.html", status=402 if refusal else 200, locale=session["locale"], session=session, groups=groups,
        refusal=refusal, email=typed or details.get("email") or "", typed_email=session["customer"] is None,
    )  # fmt: skip


@post("/c/pay/{id:str}", status_code=200)
async def pay(request: Asked, id: FromPath[str]) -> Response[str]:
    form = await _form(request)
    chosen = next((o for o in OUTCOMES if f"{o.method}:{o.value}" == form.get("outcome")), None)
    email = form.get("email", "")[:200]
    try:
        async with _books(request).writing() as world:
            session = await world.find(id)
            if session is None or session["object"] != "checkout.session":
                return _nothing(request)
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
            intent = await checkout.pay(world, session, method, email=email)
            if chosen.method == "customer_balance":
                await _plan_arrival(world, intent, chosen.value)
    except Refusal as refusal:
        async with _books(request).reading() as world:
            session = await world.known(id)
        return _pay_page(request, session, refusal=str(refusal), typed=email)
    if intent["next_action"] and "redirect_to_url" in intent["next_action"]:
        return _go(intent["next_action"]["redirect_to_url"]["url"])
    return _go(checkout.success_url(session))


def _data(chosen: Outcome, person: dict[str, str]) -> MethodData:
    details = {"card": {"number": chosen.value}} if chosen.method == "card" else {}
    if chosen.method == "sepa_debit":
        details = {"sepa_debit": {"iban": chosen.value}}
    return MethodData.model_validate({"type": chosen.method, "billing_details": person} | details)


async def _plan_arrival(world: Any, intent: Doc, value: str) -> None:
    amount = {"short": intent["amount"] // 2, "over": intent["amount"] + intent["amount"] // 10}
    wait = 3 * money.DAY if value == "late" else world.settings.settle_seconds
    await world.later(world.now + wait, "transfer.arrive", f"{intent['id']}|{amount.get(value, intent['amount'])}")


@get("/c/authenticate/{id:str}")
async def authenticate_page(request: Asked, id: FromPath[str]) -> Response[str]:
    async with _books(request).reading() as world:
        intent = await world.find(id)
    if intent is None or intent["object"] != "payment_intent":
        return _nothing(request)
    if intent["status"] != "requires_action":
        return _notice(request, "This payment has already been made or is under way.", url=intent["_return_url"])
    return _page(request, "authenticate.html", intent=intent)


@post("/c/authenticate/{id:str}", status_code=200)
async def authenticate(request: Asked, id: FromPath[str]) -> Response[str]:
    passed = (await _form(request)).get("answer") == "yes"
    async with _books(request).writing() as world:
        intent = await world.find(id)
        if intent is None or intent["object"] != "payment_intent":
            return _nothing(request)
        world.account = intent["_account"]
        await payments.authenticated(world, intent, passed=passed)
        session = await world.find(intent["_session"]) if intent["_session"] else None
    if session and session["status"] == "open":
        return _go(f"/c/pay/{session['id']}")
    return _go(intent["_return_url"] or "/_sandbox/")


@get("/c/instructions/{id:str}")
async def instructions_page(request: Asked, id: FromPath[str]) -> Response[str]:
    async with _books(request).reading() as world:
        intent = await world.find(id)
    if intent is None or intent["object"] != "payment_intent" or not intent.get("_reference"):
        return _nothing(request)
    if intent["status"] != "requires_action":
        return _notice(request, "Nothing more to be paid.", url=intent["_return_url"])
    return _page(request, "instructions.html", intent=intent, rest=intent["amount"] - intent["_funded"])


@post("/c/instructions/{id:str}", status_code=200)
async def send_transfer(request: Asked, id: FromPath[str]) -> Response[str]:
    amount = (await _form(request)).get("amount", "")
    if amount.isdigit() and 0 < int(amount) <= payments.MOST:
        async with _books(request).writing() as world:
            intent = await world.find(id)
            if intent is None or intent["object"] != "payment_intent" or not intent.get("_reference"):
                return _nothing(request)
            await faults.arrive(world, intent, int(amount))
    return _go(f"/c/instructions/{id}")


# ---------------------------------------------------------------- onboarding


@get("/c/onboarding/{id:str}")
async def onboarding_page(request: Asked, id: FromPath[str]) -> Response[str]:
    """A link opens once; opened again, or late, it sends back to ``refresh_url`` for a fresh one."""
    async with _books(request).writing() as world:
        link = await world.find(id)
        if link is None or link["object"] != "account_link":
            return _nothing(request)
        if link["_used"] or link["expires_at"] < world.now:
            return _go(link["_refresh_url"])
        await world.save(link | {"_used": True})
    return _page(request, "onboarding.html", link=link)


@post("/c/onboarding/{id:str}", status_code=200)
async def onboard(request: Asked, id: FromPath[str]) -> Response[str]:
    outcome = (await _form(request)).get("outcome", "leave")
    async with _books(request).writing() as world:
        link = await world.find(id)
        if link is None or link["object"] != "account_link":
            return _nothing(request)
        if link.get("_done") or not link["_used"]:
            return _go(link["_refresh_url"])
        if outcome in {"complete", "incomplete", "restricted_later"}:
            await accounts.finish_onboarding(world, link, outcome)
    return _go(link["_return_url"])


# ---------------------------------------------------------------- controls


@get("/_sandbox")
async def controls_page(request: Asked) -> Response[str]:
    return await _controls(request)


async def _controls(request: Asked, *, done: str | None = None, refusal: str | None = None) -> Response[str]:
    async with _books(request).reading() as world:
        state = await _state_of(world)
        clock = faults.clock(world)
        events = await world.select("event", tail="order by seq desc limit 15")
    return _page(
        request, "controls.html", status=422 if refusal else 200, clock=clock, state=state, events=events,
        controls=faults.CONTROLS.values(), fields=_fields, routes=sorted(ROUTES, key=lambda r: (r.path, r.method)),
        absent=NOT_SIMULATED, done=done, refusal=refusal, faults=json.dumps(state["faults"]) if state["faults"] else "",
    )  # fmt: skip


def _fields(fields: type[BaseModel]) -> list[tuple[str, Any, list[str]]]:
    """Name, default and allowed values of each field, for the form."""
    found = []
    for name, field in fields.model_fields.items():
        allowed = list(getattr(field.annotation, "__args__", ())) if "Literal" in str(field.annotation) else []
        allowed = ["false", "true"] if field.annotation is bool else allowed
        default = (
            "" if field.is_required() else str(field.default).lower() if field.annotation is bool else field.default
        )
        found.append((name, default, allowed))
    return found


async def _state_of(world: Any) -> Doc:
    world.account = None
    deliveries = await world.sql.fetch("select state, count(*) as n from sandbox.delivery group by state")
    return {
        "balance": await money.balance(world),
        "deliveries": {row["state"]: row["n"] for row in deliveries},
        "due": await world.sql.fetchval("select count(*) from sandbox.due"),
        "faults": world.faults,
    }


@get("/_sandbox/state")
async def state(request: Asked) -> Response[str]:
    async with _books(request).reading() as world:
        told = faults.clock(world) | await _state_of(world)
    return _json(told)


@get("/_sandbox/clock")
async def clock(request: Asked) -> Response[str]:
    async with _books(request).reading() as world:
        return _json(faults.clock(world))


@get("/_sandbox/routes")
async def routes(request: Asked) -> Response[str]:
    return _json([{"method": r.method, "path": r.path, "depth": r.depth, "note": r.note} for r in ROUTES])


def _json(value: object, status: int = 200) -> Response[str]:
    return Response(json.dumps(value), status_code=status, headers=_HEADERS, media_type=MediaType.JSON)


@post("/_sandbox/clock", status_code=200)
async def advance_clock(request: Asked) -> Response[str]:
    return await _acted(request, "clock")


@post("/_sandbox/{name:str}", status_code=200)
async def act(request: Asked, name: FromPath[str]) -> Response[str]:
    return await _acted(request, name)


async def _acted(request: Asked, name: str) -> Response[str]:
    """One control, by form or by JSON; each answers in kind."""
    wants_json = "json" in request.headers.get("content-type", "")
    found = faults.CONTROLS.get(name)
    if found is None and name != "clock":
        return _json({"error": f"No such control: {name}"}, 404) if wants_json else _nothing(request)
    body = await request.body()
    try:
        sent = json.loads(body or b"{}") if wants_json else {k: v for k, v in (await _form(request)).items() if v != ""}
        if found is None:
            told = await faults.advance(_books(request), faults.Advance.model_validate(sent))
        else:
            fields = found.fields.model_validate(sent)
            async with _books(request).writing() as world:
                told = rendered(await found.act(world, fields), now=world.now)
    except (Refusal, ValidationError, ValueError) as refusal:
        words = str(refusal) if not isinstance(refusal, ValidationError) else _first(refusal)
        return _json({"error": words}, 422) if wants_json else await _controls(request, refusal=words)
    return _json(told) if wants_json else await _controls(request, done=json.dumps(told, indent=1)[:2_000])


def _first(error: ValidationError) -> str:
    fault = error.errors()[0]
    return f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"


@get("/_sandbox/sandbox.css")
async def stylesheet() -> Response[str]:
    headers = {"Cache-Control": "max-age=3600", "X-Sandbox": "NOT STRIPE"}
    return Response(_css(), headers=headers, media_type=MediaType.CSS)


@cache
def _css() -> str:
    return files("exchange.sandbox").joinpath("static/sandbox.css").read_text()


@get("/healthz")
async def healthz(request: Asked) -> Response[str]:
    """200 once the sandbox's own tables answer."""
    async with _books(request).reading() as world:
        return _json(faults.clock(world))


pages = [
    pay_page, pay, authenticate_page, authenticate, instructions_page, send_transfer, onboarding_page, onboard,
    controls_page, state, clock, routes, advance_clock, act, stylesheet, healthz,
]  # fmt: skip
