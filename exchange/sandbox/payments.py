"""PaymentIntents, charges, payment methods, customers and their cash balances."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal

from pydantic import Field

from exchange.sandbox.errors import Refusal, malformed, missing
from exchange.sandbox.money import DAY, bare_charge
from exchange.sandbox.protocol import (
    INCLUDES,
    Amount,
    Closed,
    Currency,
    Listed,
    Metadata,
    NoParams,
    Paged,
    Params,
    Retrieve,
    merged_metadata,
    overlay,
    page,
    readable,
    route,
)
from exchange.sandbox.shapes import Doc, new_id
from exchange.sandbox.store import World, due
from exchange.sandbox.testcases import CARDS, DECLINES, IBANS, Card, sepa_case

#: Methods the sandbox simulates, in the order of its pay page.
METHODS = ("card", "sepa_debit", "customer_balance")

#: Days a SEPA debit takes, and a delayed one; authorised card money is kept this long.
SEPA_DAYS, SEPA_DELAYED_DAYS, AUTHORISATION_DAYS = 5, 14, 7

#: Least amount, minor units: 0.50 in the currencies Stripe lists, 50 in yen and won. † Not complete.
LEAST = {"eur": 50, "usd": 50, "gbp": 30, "chf": 50, "jpy": 50, "krw": 50}
MOST = 99_999_999

Told = Callable[[World, Doc], Awaitable[None]]

#: Called after a PaymentIntent reached a state its Checkout Session cares about.
WATCHERS: list[Told] = []


async def _tell(world: World, intent: Doc) -> None:
    for watcher in WATCHERS:
        await watcher(world, intent)


# ---------------------------------------------------------------- customers


class Address(Closed):
    city: str | None = None
    country: str | None = None
    line1: str | None = None
    line2: str | None = None
    postal_code: str | None = None
    state: str | None = None


class Shipping(Closed):
    address: Address
    name: str
    carrier: str | None = None
    phone: str | None = None
    tracking_number: str | None = None


class CustomerCreate(Params):
    address: Address | Literal[""] | None = None
    description: str | None = None
    email: str | None = None
    metadata: Metadata = {}
    name: str | None = None
    payment_method: str | None = None
    phone: str | None = None
    preferred_locales: list[str] = []
    shipping: Shipping | Literal[""] | None = None
    tax_exempt: Literal["none", "exempt", "reverse"] = "none"


class CustomerUpdate(Params):
    address: Address | Literal[""] | None = None
    description: str | None = None
    email: str | None = None
    metadata: Metadata = {}
    name: str | None = None
    phone: str | None = None
    preferred_locales: list[str] = []
    shipping: Shipping | Literal[""] | None = None
    tax_exempt: Literal["none", "exempt", "reverse"] = "none"


class CustomerList(Listed):
    email: str | None = None


@route("POST", "/v1/customers", CustomerCreate)
async def create_customer(world: World, params: CustomerCreate) -> Doc:
    customer: Doc = {
        "id": new_id("cus"),
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": world.now,
        "currency": None,
        "customer_account": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": "SBX",
        "invoice_settings": {"custom_fields": None, "default_payment_method": None, "footer": None,
                             "rendering_options": None},
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
        "_cash": {},
    }  # fmt: skip
    names = (name for name in CustomerCreate.model_fields if name not in {"expand", "payment_method"})
    customer |= params.given(*names)
    await world.add(customer)
    await world.emit("customer.created", customer)
    if params.payment_method:
        await attach(world, await method_of(world, params.payment_method), customer["id"])
    return customer


@route("GET", "/v1/customers/{id}", Retrieve)
async def retrieve_customer(world: World, params: Params, id: str) -> Doc:
    customer = await world.get(id, "customer")
    return {"id": id, "object": "customer", "deleted": True} if customer.get("_deleted") else customer


@route("POST", "/v1/customers/{id}", CustomerUpdate)
async def update_customer(world: World, params: CustomerUpdate, id: str) -> Doc:
    return await overlay(world, await customer_of(world, id, "id"), params, "customer.updated")


@route("DELETE", "/v1/customers/{id}", NoParams)
async def delete_customer(world: World, params: NoParams, id: str) -> Doc:
    customer = await customer_of(world, id, "id")
    if any(customer["_cash"].values()):
        raise Refusal("A customer with money in the cash balance cannot be deleted.", code="customer_has_cash_balance")
    customer["_deleted"] = True
    await world.save(customer)
    await world.emit("customer.deleted", customer)
    return {"id": id, "object": "customer", "deleted": True}


@route("GET", "/v1/customers", CustomerList)
async def list_customers(world: World, params: CustomerList) -> Doc:
    return await page(world, "customer", params)


async def customer_of(world: World, id: str, param: str = "customer") -> Doc:
    """The customer ``id``, if it still exists."""
    customer = await world.get(id, "customer", param=param)
    if customer.get("_deleted"):
        raise missing("customer", id, param)
    return customer


async def _cash_balance(world: World, customer: Doc) -> Doc:
    return {
        "object": "cash_balance",
        "available": customer["_cash"] or None,
        "customer": customer["id"],
        "customer_account": None,
        "livemode": False,
        "settings": {"reconciliation_mode": "automatic", "using_merchant_default": True},
    }


INCLUDES["customer", "cash_balance"] = _cash_balance


@route("GET", "/v1/customers/{id}/cash_balance", Retrieve)
async def retrieve_cash_balance(world: World, params: Params, id: str) -> Doc:
    return await _cash_balance(world, await customer_of(world, id, "id"))


@route("GET", "/v1/customers/{id}/cash_balance_transactions", Paged)
async def list_cash_transactions(world: World, params: Paged, id: str) -> Doc:
    await customer_of(world, id, "id")
    return await page(world, "customer_cash_balance_transaction", params, customer=id)


# ---------------------------------------------------------------- payment methods


class BillingDetails(Closed):
    address: Address | Literal[""] | None = None
    email: str | None = None
    name: str | None = None
    phone: str | None = None


class CardData(Closed):
    token: str | None = None
    number: str | None = None
    exp_month: int | None = None
    exp_year: int | None = None
    cvc: str | None = None


class SepaData(Closed):
    iban: str


class MethodData(Closed):
    """A payment method given inline, or on its own endpoint."""

    type: Literal["card", "sepa_debit", "customer_balance"]
    billing_details: BillingDetails | None = None
    card: CardData | None = None
    sepa_debit: SepaData | None = None
    customer_balance: Closed | None = None
    metadata: Metadata = {}
    allow_redisplay: Literal["always", "limited", "unspecified"] = "unspecified"


class MethodCreate(MethodData, Params):
    pass


class MethodAttach(Params):
    customer: str


class MethodList(Paged):
    customer: str | None = None
    type: str | None = None


def _billing(data: BillingDetails | None) -> Doc:
    empty: Doc = {"address": None, "email": None, "name": None, "phone": None, "tax_id": None}
    return empty | (data.model_dump(exclude_unset=True) if data else {})


async def make_method(world: World, data: MethodData) -> Doc:
    """Turn a token, a test card number or a test IBAN into a payment method.

    Raises:
        Refusal: what is not in the tables of test methods; it never passes silently as good.
    """
    doc: Doc = {
        "id": new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": data.allow_redisplay,
        "billing_details": _billing(data.billing_details),
        "created": world.now,
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": data.metadata,
        "type": data.type,
    }
    if data.type == "card":
        given = data.card or CardData()
        name = given.token or given.number or ""
        card = CARDS.get(name.replace(" ", ""))
        if card is None:
            if given.number:
                raise Refusal("Your card number is not one of the sandbox's test cards.", status=402,
                              type="card_error", code="incorrect_number", param="card[number]")  # fmt: skip
            raise missing("token", name, "card[token]")
        return await world.add(doc | {"card": _card(card), "_case": card.outcome, "_refund": card.refund})
    if data.type == "sepa_debit":
        if data.sepa_debit is None:
            raise malformed("Missing required param: sepa_debit.", "parameter_missing", "sepa_debit")
        iban = data.sepa_debit.iban.replace(" ", "").upper()
        case = sepa_case(iban)
        if case is None:
            message = f"The IBAN is not one of the sandbox's test accounts: {', '.join(IBANS)}."
            raise Refusal(message, code="invalid_bank_account_iban", param="sepa_debit[iban]")
        details = {"bank_code": iban[4:9], "branch_code": "", "country": iban[:2], "fingerprint": f"sbx{iban[-12:]}",
                   "generated_from": {"charge": None, "setup_attempt": None}, "last4": iban[-4:]}  # fmt: skip
        return await world.add(doc | {"sepa_debit": details, "_case": case, "_refund": "plain"})
    return await world.add(doc | {"customer_balance": {}, "_case": "transfer", "_refund": "plain"})


def _card(card: Card) -> Doc:
    return {
        "brand": "visa",
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "FR",
        "display_brand": "visa",
        "exp_month": 12,
        "exp_year": 2040,
        "fingerprint": f"sbx{card.number[-12:]}",
        "funding": "credit",
        "generated_from": None,
        "last4": card.number[-4:],
        "networks": {"available": ["visa"], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


async def method_of(world: World, id: str, param: str = "payment_method") -> Doc:
    """The stored method ``id``, or a fresh one from a test name such as ``pm_card_visa``."""
    if id in CARDS and id.startswith(("pm_", "tok_")):
        return await make_method(world, MethodData(type="card", card=CardData(token=id)))
    return await world.get(id, "payment_method", param=param)


async def attach(world: World, method: Doc, customer: str) -> Doc:
    """Tie ``method`` to ``customer``."""
    method["customer"] = (await customer_of(world, customer))["id"]
    await world.save(method)
    await world.emit("payment_method.attached", method)
    return method


@route(
    "POST", "/v1/payment_methods", MethodCreate, depth="simplified",
    note="card, sepa_debit and customer_balance only; only test numbers, tokens and IBANs",
)  # fmt: skip
async def create_method(world: World, params: MethodCreate) -> Doc:
    return await make_method(world, params)


@route("GET", "/v1/payment_methods/{id}", Retrieve)
async def retrieve_method(world: World, params: Params, id: str) -> Doc:
    return await world.get(id, "payment_method")


@route("POST", "/v1/payment_methods/{id}/attach", MethodAttach)
async def attach_method(world: World, params: MethodAttach, id: str) -> Doc:
    return await attach(world, await method_of(world, id), params.customer)


@route("POST", "/v1/payment_methods/{id}/detach", Retrieve)
async def detach_method(world: World, params: Params, id: str) -> Doc:
    method = await world.get(id, "payment_method")
    method["customer"] = None
    await world.save(method)
    await world.emit("payment_method.detached", method)
    return method


@route("GET", "/v1/payment_methods", MethodList)
async def list_methods(world: World, params: MethodList) -> Doc:
    return await page(world, "payment_method", params)


# ---------------------------------------------------------------- payment intents


class AutomaticMethods(Closed):
    enabled: bool
    allow_redirects: Literal["always", "never"] = "always"


class EuBank(Closed):
    country: str


class BankTransfer(Closed):
    type: Literal["eu_bank_transfer", "gb_bank_transfer", "jp_bank_transfer", "mx_bank_transfer", "us_bank_transfer"]
    eu_bank_transfer: EuBank | None = None
    requested_address_types: list[str] = []


class BalanceOptions(Closed):
    bank_transfer: BankTransfer | None = None
    funding_type: Literal["bank_transfer"] = "bank_transfer"
    setup_future_usage: Literal["none"] | None = None


class CardOptions(Closed):
    request_three_d_secure: Literal["any", "automatic", "challenge"] = "automatic"
    setup_future_usage: Literal["", "none", "off_session", "on_session"] | None = None
    capture_method: Literal["", "manual"] | None = None


class SepaOptions(Closed):
    setup_future_usage: Literal["", "none", "off_session", "on_session"] | None = None
    target_date: str | None = None


class MethodOptions(Closed):
    card: CardOptions | None = None
    customer_balance: BalanceOptions | None = None
    sepa_debit: SepaOptions | None = None


class Online(Closed):
    ip_address: str | None = None
    user_agent: str | None = None


class Acceptance(Closed):
    type: Literal["offline", "online"]
    accepted_at: int | None = None
    offline: Closed | None = None
    online: Online | None = None


class MandateData(Closed):
    customer_acceptance: Acceptance


Method = Literal["card", "sepa_debit", "customer_balance"]


class IntentShared(Params):
    """What create, update and confirm have in common."""

    since = frozenset({"allowed_payment_method_types"})
    until = frozenset({"payment_method_types"})

    allowed_payment_method_types: list[str] | None = None
    payment_method_types: list[str] | None = None
    payment_method: str | None = None
    payment_method_data: MethodData | None = None
    payment_method_options: MethodOptions | None = None
    receipt_email: str | None = None
    setup_future_usage: Literal["", "off_session", "on_session"] | None = None
    shipping: Shipping | Literal[""] | None = None


class IntentCreate(IntentShared):
    amount: int = Field(ge=1)
    currency: Currency
    automatic_payment_methods: AutomaticMethods | None = None
    capture_method: Literal["automatic", "automatic_async", "manual"] = "automatic_async"
    confirm: bool = False
    confirmation_method: Literal["automatic", "manual"] = "automatic"
    customer: str | None = None
    description: str | None = None
    error_on_requires_action: bool = False
    mandate_data: MandateData | None = None
    metadata: Metadata = {}
    off_session: bool = False
    return_url: str | None = None
    statement_descriptor: str | None = Field(None, max_length=22)
    statement_descriptor_suffix: str | None = Field(None, max_length=22)
    transfer_group: str | None = None
    use_stripe_sdk: bool = False


class IntentUpdate(IntentShared):
    amount: int | None = Field(None, ge=1)
    currency: Currency | None = None
    customer: str | None = None
    description: str | None = None
    metadata: Metadata = {}
    statement_descriptor: str | None = Field(None, max_length=22)
    statement_descriptor_suffix: str | None = Field(None, max_length=22)
    transfer_group: str | None = None


class IntentConfirm(IntentShared):
    capture_method: Literal["automatic", "automatic_async", "manual"] | None = None
    error_on_requires_action: bool = False
    mandate_data: MandateData | None = None
    off_session: bool = False
    return_url: str | None = None
    use_stripe_sdk: bool = False


class IntentCapture(Params):
    amount_to_capture: int | None = Field(None, ge=1)
    final_capture: bool = True
    metadata: Metadata = {}
    statement_descriptor: str | None = None
    statement_descriptor_suffix: str | None = None


class IntentCancel(Params):
    cancellation_reason: Literal["abandoned", "duplicate", "fraudulent", "requested_by_customer"] | None = None


class IntentList(Listed):
    customer: str | None = None


def in_range(amount: int, currency: str) -> None:
    """Refuse what Stripe refuses as too small or too large to charge."""
    least = LEAST.get(currency, 50)
    if amount < least:
        message = f"Amount must be at least {least} {currency} (minor units)."
        raise Refusal(message, code="amount_too_small", param="amount")
    if amount > MOST:
        message = f"Amount must be no more than {MOST} {currency} (minor units)."
        raise Refusal(message, code="amount_too_large", param="amount")


def offered(allowed: Sequence[str] | None, currency: str, customer: str | None) -> list[str]:
    """The methods offered: those possible, silently intersected with ``allowed``.

    Raises:
        Refusal: nothing is left.
    """
    possible = ["card"]
    if currency == "eur":
        possible.append("sepa_debit")
    if customer:
        possible.append("customer_balance")
    left = [method for method in possible if allowed is None or method in allowed]
    if not left:
        raise Refusal(
            f"No valid payment method types for this currency and customer: {', '.join(allowed or [])}.",
            param="allowed_payment_method_types",
        )
    return left


def asked(params: IntentShared) -> list[str] | None:
    """The restriction sent, under the name that the version of the call uses."""
    return params.allowed_payment_method_types or params.payment_method_types


async def new_intent(world: World, amount: int, currency: str, methods: list[str], **fields: Any) -> Doc:
    """A PaymentIntent that waits for a payment method."""
    in_range(amount, currency)
    id = new_id("pi")
    intent: Doc = {
        "id": id,
        "object": "payment_intent",
        "allowed_payment_method_types": None,
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": f"{id}_secret_{new_id('x')[2:]}",
        "confirmation_method": "automatic",
        "created": world.now,
        "currency": currency,
        "customer": None,
        "customer_account": None,
        "description": None,
        "excluded_payment_method_types": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": methods,
        "payment_record": None,
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
        "_funded": 0,
        "_return_url": None,
        "_session": None,
    } | fields
    if "card" in methods:
        intent["payment_method_options"] = {"card": {"installments": None, "mandate_options": None, "network": None,
                                                     "request_three_d_secure": "automatic"}}  # fmt: skip
    await world.add(intent)
    await world.emit("payment_intent.created", intent)
    return intent


@route(
    "POST", "/v1/payment_intents", IntentCreate, depth="simplified",
    note="card, sepa_debit, customer_balance; no destination charges, application fees, on_behalf_of, saved mandates",
)  # fmt: skip
async def create_intent(world: World, params: IntentCreate) -> Doc:
    if params.customer:
        await customer_of(world, params.customer)
    methods = offered(asked(params), params.currency, params.customer)
    fields = params.given(
        "allowed_payment_method_types", "capture_method", "confirmation_method", "customer", "description", "metadata",
        "receipt_email", "setup_future_usage", "shipping", "statement_descriptor", "statement_descriptor_suffix",
        "transfer_group",
    )  # fmt: skip
    automatic = params.automatic_payment_methods
    if automatic and asked(params):
        message = (
            "You may only specify one of these parameters: automatic_payment_methods, allowed_payment_method_types."
        )
        raise malformed(message, "parameter_invalid", "automatic_payment_methods")
    if asked(params) is None:
        fields["automatic_payment_methods"] = (automatic or AutomaticMethods(enabled=True)).model_dump()
    intent = await new_intent(world, params.amount, params.currency, methods, **fields)
    intent["_options"] = params.payment_method_options.model_dump(exclude_unset=True) if (
        params.payment_method_options) else {}  # fmt: skip
    intent["_return_url"] = params.return_url
    method = await _given_method(world, params)
    if method:
        _fits(intent, method)
        intent |= {"payment_method": method["id"], "status": "requires_confirmation"}
    await world.save(intent)
    if params.confirm:
        await confirm(world, intent, method, error_on_action=params.error_on_requires_action)
    return intent


async def _given_method(world: World, params: IntentShared) -> Doc | None:
    if params.payment_method_data:
        return await make_method(world, params.payment_method_data)
    return await method_of(world, params.payment_method) if params.payment_method else None


def _fits(intent: Doc, method: Doc) -> None:
    if method["type"] not in intent["payment_method_types"]:
        raise Refusal(
            f"The provided PaymentMethod ({method['type']}) is not allowed for this PaymentIntent: it takes"
            f" {', '.join(intent['payment_method_types'])}.",
            param="payment_method",
        )
    if method["customer"] and method["customer"] != intent["customer"]:
        message = "The provided PaymentMethod belongs to another customer than the PaymentIntent's."
        raise Refusal(message, param="payment_method")


def _must_be(intent: Doc, verb: str, *states: str) -> None:
    if intent["status"] not in states:
        raise Refusal(
            f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}. Only a PaymentIntent"
            f" with one of the following statuses may be {verb}ed: {', '.join(states)}.",
            code="payment_intent_unexpected_state",
            payment_intent=_public(intent),
        )


def _public(doc: Doc) -> Doc:
    return {name: value for name, value in doc.items() if not name.startswith("_")}


@route("POST", "/v1/payment_intents/{id}", IntentUpdate)
async def update_intent(world: World, params: IntentUpdate, id: str) -> Doc:
    intent = await world.get(id, "payment_intent")
    sent = params.given(*(n for n in IntentUpdate.model_fields if n != "expand"))
    if sent.keys() - {"metadata", "description", "transfer_group", "receipt_email", "shipping"}:
        _must_be(intent, "update", "requires_payment_method", "requires_confirmation", "requires_action")
    if params.amount:
        in_range(params.amount, params.currency or intent["currency"])
    if params.customer:
        await customer_of(world, params.customer)
    method = await _given_method(world, params)
    for name in ("payment_method_data", "payment_method", "payment_method_options", "payment_method_types"):
        sent.pop(name, None)
    if params.payment_method_options:
        intent["_options"] = params.payment_method_options.model_dump(exclude_unset=True)
    if "metadata" in sent:
        sent["metadata"] = merged_metadata(intent["metadata"], sent["metadata"])
    intent |= sent
    if asked(params) is not None:
        intent["payment_method_types"] = offered(asked(params), intent["currency"], intent["customer"])
    if method:
        _fits(intent, method)
        intent |= {"payment_method": method["id"], "status": "requires_confirmation"}
    return await world.save(intent)


@route("POST", "/v1/payment_intents/{id}/confirm", IntentConfirm)
async def confirm_intent(world: World, params: IntentConfirm, id: str) -> Doc:
    intent = await world.get(id, "payment_intent")
    _must_be(intent, "confirm", "requires_payment_method", "requires_confirmation", "requires_action")
    if asked(params) is not None:
        intent["payment_method_types"] = offered(asked(params), intent["currency"], intent["customer"])
    intent |= params.given("receipt_email", "setup_future_usage", "shipping", "capture_method")
    if params.payment_method_options:
        intent["_options"] = params.payment_method_options.model_dump(exclude_unset=True)
    intent["_return_url"] = params.return_url or intent["_return_url"]
    method = await _given_method(world, params)
    if method is None:
        if not intent["payment_method"]:
            raise Refusal(
                "You cannot confirm this PaymentIntent because it's missing a payment method.",
                code="payment_intent_unexpected_state", payment_intent=_public(intent),
            )  # fmt: skip
        method = await world.get(intent["payment_method"], "payment_method")
    _fits(intent, method)
    await confirm(world, intent, method, error_on_action=params.error_on_requires_action)
    return intent


async def confirm(world: World, intent: Doc, method: Doc | None, *, error_on_action: bool = False) -> None:
    """Try to pay ``intent`` with ``method``: the outcome is the method's test case.

    Raises:
        Refusal: 402, keeping the failed charge and the intent's ``last_payment_error``.
    """
    if method is None:
        message = "You cannot confirm this PaymentIntent because it's missing a payment method."
        raise Refusal(message, code="payment_intent_unexpected_state")
    intent |= {"payment_method": method["id"], "next_action": None, "last_payment_error": None}
    case = method["_case"]
    if method["type"] == "card":
        if case == "authenticate" and not intent.get("_authenticated"):
            if error_on_action:
                raise await _decline(world, intent, method, "authentication_required")
            await _ask_authentication(world, intent)
        elif case in DECLINES:
            raise await _decline(world, intent, method, case)
        else:
            await _authorise(world, intent, method)
    elif method["type"] == "sepa_debit":
        await _debit(world, intent, method)
    else:
        await _await_transfer(world, intent)


async def _ask_authentication(world: World, intent: Doc) -> None:
    url = f"{world.settings.public_url}/c/authenticate/{intent['id']}"
    intent |= {
        "status": "requires_action",
        "next_action": {
            "redirect_to_url": {"return_url": intent["_return_url"], "url": url},
            "type": "redirect_to_url",
        },
    }
    await world.save(intent)
    await world.emit("payment_intent.requires_action", intent)


async def authenticated(world: World, intent: Doc, *, passed: bool) -> None:
    """The cardholder answered the bank's question (3-D Secure)."""
    if intent["status"] != "requires_action" or not intent["payment_method"]:
        return
    method = await world.get(intent["payment_method"], "payment_method")
    if passed:
        intent["_authenticated"] = True
        await confirm(world, intent, method)
        return
    intent |= {
        "status": "requires_payment_method",
        "next_action": None,
        "payment_method": None,
        "last_payment_error": {
            "code": "payment_intent_authentication_failure",
            "doc_url": "https://stripe.com/docs/error-codes/payment-intent-authentication-failure",
            "message": "We are unable to authenticate your payment method. Please choose a different payment method and"
            " try again.",
            "payment_method": _public(method),
            "type": "invalid_request_error",
        },
    }
    await world.save(intent)
    await world.emit("payment_intent.payment_failed", intent)


_CARD_ON_CHARGE = (
    "brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4", "regulated_status",
    "wallet",
)  # fmt: skip


async def _charge(world: World, intent: Doc, method: Doc, **fields: Any) -> Doc:
    kind = method["type"]
    details: Doc = {"type": kind, kind: {}}
    if kind == "card":
        card = method["card"]
        details["card"] = {name: card[name] for name in _CARD_ON_CHARGE} | {
            "amount_authorized": intent["amount"],
            "authorization_code": "SBX000",
            "extended_authorization": {"status": "disabled"},
            "incremental_authorization": {"status": "unavailable"},
            "installments": None,
            "mandate": None,
            "multicapture": {"status": "unavailable"},
            "network": "visa",
            "network_token": {"used": False},
            "network_transaction_id": None,
            "overcapture": {"maximum_amount_capturable": intent["amount"], "status": "unavailable"},
            "three_d_secure": None,
        }
    elif kind == "sepa_debit":
        sepa = method["sepa_debit"]
        details["sepa_debit"] = {n: sepa[n] for n in ("bank_code", "branch_code", "country", "fingerprint", "last4")}
        details["sepa_debit"] |= {"mandate": new_id("mandate")}
    charge = bare_charge(world, new_id("ch" if kind == "card" else "py"), intent["amount"], intent["currency"])
    charge |= {
        "authorization_code": "SBX000" if kind == "card" else None,
        "billing_details": method["billing_details"],
        "customer": intent["customer"],
        "description": intent["description"],
        "metadata": dict(intent["metadata"]),
        "outcome": {"advice_code": None, "network_advice_code": None, "network_decline_code": None,
                    "network_status": "approved_by_network", "reason": None, "risk_level": "normal", "risk_score": 20,
                    "seller_message": "Payment complete.", "type": "authorized"},
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": details,
        "receipt_email": intent["receipt_email"],
        "shipping": intent["shipping"],
        "statement_descriptor": intent["statement_descriptor"],
        "transfer_group": intent["transfer_group"],
        "_bypass_pending": method["_case"] == "bypass_pending",
        "_case": method["_case"],
        "_refund": method["_refund"],
    } | fields  # fmt: skip
    await world.add(charge)
    intent["latest_charge"] = charge["id"]
    return charge


async def _decline(world: World, intent: Doc, method: Doc, case: str) -> Refusal:
    code, decline_code, message = DECLINES[case]
    outcome = {
        "advice_code": None, "network_advice_code": None, "network_decline_code": "01",
        "network_status": "declined_by_network", "reason": decline_code, "risk_level": "normal", "risk_score": 20,
        "seller_message": "The bank returned the decline code " + f"`{decline_code}`.", "type": "issuer_declined",
    }  # fmt: skip
    charge = await _charge(world, intent, method, status="failed", paid=False, failure_code=code,
                           failure_message=message, outcome=outcome)  # fmt: skip
    problem: Doc = {
        "charge": charge["id"],
        "code": code,
        "decline_code": decline_code,
        "doc_url": f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}",
        "message": message,
        "payment_method": _public(method),
        "type": "card_error",
    }
    intent |= {"status": "requires_payment_method", "payment_method": None, "last_payment_error": problem}
    await world.save(intent)
    await world.emit("charge.failed", charge)
    await world.emit("payment_intent.payment_failed", intent)
    return Refusal(
        message, status=402, type="card_error", code=code, decline_code=decline_code, charge=charge["id"], keep=True,
        payment_intent=_public(intent), payment_method=_public(method),
    )  # fmt: skip


async def _authorise(world: World, intent: Doc, method: Doc) -> None:
    if intent["capture_method"] == "manual":
        charge = await _charge(world, intent, method, status="succeeded", paid=True)
        charge["payment_method_details"]["card"]["capture_before"] = world.now + AUTHORISATION_DAYS * DAY
        await world.save(charge)
        intent |= {"status": "requires_capture", "amount_capturable": intent["amount"]}
        await world.save(intent)
        await world.emit("charge.succeeded", charge)
        await world.emit("payment_intent.amount_capturable_updated", intent)
        await world.later(world.now + AUTHORISATION_DAYS * DAY, "authorisation.expire", intent["id"])
        await _tell(world, intent)
        return
    charge = await _charge(world, intent, method, status="succeeded", paid=True, captured=True,
                           amount_captured=intent["amount"])  # fmt: skip
    await world.emit("charge.succeeded", charge)
    await _succeed(world, intent, charge)


async def _succeed(world: World, intent: Doc, charge: Doc) -> None:
    """The money is taken: tell everybody, book it shortly after, open the dispute that the test case asks for."""
    intent |= {
        "status": "succeeded",
        "amount_received": charge["amount_captured"],
        "amount_capturable": 0,
        "next_action": None,
        "processing": None,
    }
    await world.save(intent)
    await world.emit("payment_intent.succeeded", intent)
    await world.later(world.now + world.settings.settle_seconds, "charge.settle", charge["id"])
    if charge["_case"] in {"dispute", "inquiry"}:
        await world.later(world.now + world.settings.settle_seconds, "charge.dispute", charge["id"])
    await _tell(world, intent)


# SEPA debit


async def _debit(world: World, intent: Doc, method: Doc) -> None:
    charge = await _charge(world, intent, method, status="pending")
    intent |= {"status": "processing"}
    await world.save(intent)
    await world.emit("charge.pending", charge)
    await world.emit("payment_intent.processing", intent)
    days = SEPA_DELAYED_DAYS if method["_case"].endswith("_delayed") else SEPA_DAYS
    await world.later(world.now + days * DAY, "debit.end", intent["id"])
    await _tell(world, intent)


@due("debit.end")
async def end_debit(world: World, id: str) -> None:
    """The debtor's bank has answered."""
    intent = await world.find(id)
    if intent is None or intent["status"] != "processing":
        return
    world.account = intent["_account"]
    charge = await world.get(intent["latest_charge"], "charge")
    if not charge["_case"].startswith("fails"):
        charge |= {"status": "succeeded", "paid": True, "captured": True, "amount_captured": charge["amount"]}
        await world.save(charge)
        await world.emit("charge.succeeded", charge, previous={"status": "pending"})
        await _succeed(world, intent, charge)
        return
    method = await world.get(intent["payment_method"], "payment_method")
    message = "The bank returned the debit: insufficient funds."
    charge |= {"status": "failed", "failure_code": "insufficient_funds", "failure_message": message}
    intent |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "processing": None,
        "last_payment_error": {
            "charge": charge["id"],
            "code": "payment_intent_payment_attempt_failed",
            "decline_code": "insufficient_funds",
            "doc_url": "https://stripe.com/docs/error-codes/payment-intent-payment-attempt-failed",
            "message": message,
            "payment_method": _public(method),
            "type": "card_error",
        },
    }
    await world.save(charge)
    await world.save(intent)
    await world.emit("charge.failed", charge, previous={"status": "pending"})
    await world.emit("payment_intent.payment_failed", intent)
    await _tell(world, intent)


# Bank transfer


class FundCash(Params):
    amount: Amount
    currency: Currency
    reference: str | None = None


_RAILS = {"eur": "eu_bank_transfer", "gbp": "gb_bank_transfer", "jpy": "jp_bank_transfer", "mxn": "mx_bank_transfer",
          "usd": "us_bank_transfer"}  # fmt: skip


async def _await_transfer(world: World, intent: Doc) -> None:
    if not intent["customer"]:
        message = "Bank transfers (customer_balance) need a customer."
        raise Refusal(message, code="parameter_missing", param="customer")
    if intent["currency"] not in _RAILS:
        raise Refusal(f"Bank transfers are not available in {intent['currency']}.", param="currency")
    intent["_reference"] = f"SBX{new_id('x')[-10:].upper()}"
    intent |= {"status": "requires_action"}
    _instruct(world, intent)
    await world.save(intent)
    await world.emit("payment_intent.requires_action", intent)
    await _tell(world, intent)
    await _apply_cash(world, await customer_of(world, intent["customer"]), [intent])


def _instruct(world: World, intent: Doc) -> None:
    """Where to send the rest: a fictional account that no bank knows (the IBAN's bank code is all zeros)."""
    nowhere = {"city": "Nowhere", "country": "FR", "line1": "SANDBOX", "line2": None, "postal_code": "00000",
               "state": None}  # fmt: skip
    if intent["currency"] == "jpy":
        address: Doc = {"type": "zengin", "supported_networks": ["zengin"], "zengin": {
            "account_holder_address": nowhere, "account_holder_name": "SANDBOX", "account_number": "0000000",
            "account_type": "futsu", "bank_address": nowhere, "bank_code": "0000", "bank_name": "SANDBOX",
            "branch_code": "000", "branch_name": "SANDBOX"}}  # fmt: skip
    else:
        address = {"type": "iban", "supported_networks": ["sepa"], "iban": {
            "account_holder_address": nowhere, "account_holder_name": "SANDBOX - no real account",
            "bank_address": nowhere, "bic": "SBXXFRPPXXX", "country": "FR",
            "iban": "FR7600000000000000000000097"}}  # fmt: skip
    intent["next_action"] = {
        "type": "display_bank_transfer_instructions",
        "display_bank_transfer_instructions": {
            "amount_remaining": intent["amount"] - intent["_funded"],
            "currency": intent["currency"],
            "financial_addresses": [address],
            "hosted_instructions_url": f"{world.settings.public_url}/c/instructions/{intent['id']}",
            "reference": intent["_reference"],
            "type": _RAILS[intent["currency"]],
        },
    }


@route("POST", "/v1/test_helpers/customers/{id}/fund_cash_balance", FundCash)
async def fund_cash_balance(world: World, params: FundCash, id: str) -> Doc:
    customer = await customer_of(world, id, "id")
    return await receive_transfer(world, customer, params.amount, params.currency, params.reference)


async def receive_transfer(world: World, customer: Doc, amount: int, currency: str, reference: str | None) -> Doc:
    """A bank transfer arrives and is matched: by reference, then by exact amount, then oldest first."""
    rail = _RAILS.get(currency, "eu_bank_transfer")
    bank = {"bic": "SBXXFRPPXXX", "iban_last4": "0097", "sender_name": "SANDBOX BUYER"}
    funded = {"bank_transfer": {"eu_bank_transfer": bank, "reference": reference, "type": rail}}
    note = await _cash_moves(world, customer, amount, currency, "funded", {"funded": funded})
    waiting = [
        intent
        for intent in await world.select("payment_intent", "doc->>'customer' = $2", customer["id"])
        if intent["status"] == "requires_action" and intent["currency"] == currency and intent.get("_reference")
    ]
    waiting.sort(key=lambda i: (i["_reference"] != reference, i["amount"] - i["_funded"] != amount))
    await _apply_cash(world, customer, waiting)
    if customer["_cash"].get(currency, 0) > 0:
        await world.emit("cash_balance.funds_available", await _cash_balance(world, customer),
                         account=customer["_account"])  # fmt: skip
    return note


async def _apply_cash(world: World, customer: Doc, intents: list[Doc]) -> None:
    for intent in intents:
        currency = intent["currency"]
        held, rest = customer["_cash"].get(currency, 0), intent["amount"] - intent["_funded"]
        part = min(held, rest)
        if part <= 0:
            continue
        await _cash_moves(world, customer, -part, currency, "applied_to_payment",
                          {"applied_to_payment": {"payment_intent": intent["id"]}})  # fmt: skip
        intent["_funded"] += part
        if part < rest:
            _instruct(world, intent)
            await world.save(intent)
            await world.emit("payment_intent.partially_funded", intent)
            continue
        method = await world.get(intent["payment_method"], "payment_method")
        charge = await _charge(world, intent, method, status="succeeded", paid=True, captured=True,
                               amount_captured=intent["amount"])  # fmt: skip
        await world.emit("charge.succeeded", charge)
        await _succeed(world, intent, charge)


async def _cash_moves(
    world: World, customer: Doc, amount: int, currency: str, type: str, why: dict[str, Any] | None = None
) -> Doc:
    cash = customer["_cash"]
    cash[currency] = cash.get(currency, 0) + amount
    await world.save(customer)
    note: Doc = {
        "id": new_id("ccsbtxn"),
        "object": "customer_cash_balance_transaction",
        "created": world.now,
        "currency": currency,
        "customer": customer["id"],
        "customer_account": None,
        "ending_balance": cash[currency],
        "livemode": False,
        "net_amount": amount,
        "type": type,
    } | (why or {})
    await world.add(note)
    await world.emit("customer_cash_balance_transaction.created", note)
    return note


# Capture and cancel


@route("POST", "/v1/payment_intents/{id}/capture", IntentCapture)
async def capture_intent(world: World, params: IntentCapture, id: str) -> Doc:
    intent = await world.get(id, "payment_intent")
    if intent["status"] != "requires_capture":
        message = f"This PaymentIntent could not be captured because it has a status of {intent['status']}."
        raise Refusal(message, code="payment_intent_unexpected_state", payment_intent=_public(intent))
    amount = params.amount_to_capture or intent["amount_capturable"]
    if amount > intent["amount_capturable"]:
        raise Refusal("The amount to capture is larger than the amount that can be captured.", code="amount_too_large",
                      param="amount_to_capture")  # fmt: skip
    charge = await world.get(intent["latest_charge"], "charge")
    charge |= {"captured": True, "amount_captured": amount}
    intent["metadata"] = merged_metadata(intent["metadata"], params.metadata)
    await world.save(charge)
    await world.emit("charge.captured", charge, previous={"captured": False})
    await _succeed(world, intent, charge)
    return intent


@route("POST", "/v1/payment_intents/{id}/cancel", IntentCancel)
async def cancel_intent(world: World, params: IntentCancel, id: str) -> Doc:
    intent = await world.get(id, "payment_intent")
    cancelable = ("requires_payment_method", "requires_capture", "requires_confirmation", "requires_action")
    _must_be(intent, "cancel", *cancelable)
    await cancel(world, intent, params.cancellation_reason)
    return intent


async def cancel(world: World, intent: Doc, reason: str | None) -> None:
    """Give up ``intent``; an authorisation is released, part payments go back to the customer's cash balance."""
    if intent["status"] == "requires_capture":
        charge = await world.get(intent["latest_charge"], "charge")
        charge |= {"refunded": True, "amount_refunded": charge["amount"]}
        await world.save(charge)
        await world.emit("charge.refunded", charge)
    if intent["_funded"]:
        customer = await customer_of(world, intent["customer"])
        await _cash_moves(world, customer, intent["_funded"], intent["currency"], "unapplied_from_payment",
                          {"unapplied_from_payment": {"payment_intent": intent["id"]}})  # fmt: skip
        intent["_funded"] = 0
    intent |= {
        "status": "canceled",
        "canceled_at": world.now,
        "cancellation_reason": reason,
        "amount_capturable": 0,
        "next_action": None,
    }
    await world.save(intent)
    await world.emit("payment_intent.canceled", intent)
    await _tell(world, intent)


@due("authorisation.expire")
async def _expire_authorisation(world: World, id: str) -> None:
    intent = await world.find(id)
    if intent and intent["status"] == "requires_capture":
        world.account = intent["_account"]
        charge = await world.get(intent["latest_charge"], "charge")
        await world.emit("charge.expired", charge)
        await cancel(world, intent, "automatic")


readable("/v1/payment_intents", "payment_intent", IntentList)


# ---------------------------------------------------------------- charges


class ChargeList(Listed):
    customer: str | None = None
    payment_intent: str | None = None
    transfer_group: str | None = None


class ChargeUpdate(Params):
    description: str = ""
    metadata: Metadata = {}
    transfer_group: str | None = None


async def _refunds_of(world: World, charge: Doc) -> Doc:
    newest = await world.select("refund", "doc->>'charge' = $2", charge["id"], tail="order by seq desc limit 11")
    url = f"/v1/charges/{charge['id']}/refunds"
    return {"object": "list", "data": newest[:10], "has_more": len(newest) > 10, "url": url}


INCLUDES["charge", "refunds"] = _refunds_of

readable("/v1/charges", "charge", ChargeList)


@route("POST", "/v1/charges/{id}", ChargeUpdate)
async def update_charge(world: World, params: ChargeUpdate, id: str) -> Doc:
    return await overlay(world, await world.get(id, "charge"), params, "charge.updated")


@route("GET", "/v1/charges/{id}/refunds", Paged)
async def list_refunds_of(world: World, params: Paged, id: str) -> Doc:
    await world.get(id, "charge")
    return await page(world, "refund", params, charge=id)
