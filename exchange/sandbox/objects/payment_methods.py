"""Payment methods, made of test cards and test IBANs only, and the options a payment may set for them."""

from typing import Literal

from exchange.sandbox.errors import Refusal, malformed, missing
from exchange.sandbox.objects.addresses import Address
from exchange.sandbox.protocol.lists import page
from exchange.sandbox.protocol.parameters import Closed, Metadata, Paged, Params, Retrieve, merged_metadata
from exchange.sandbox.protocol.register import route
from exchange.sandbox.shapes import Doc, new_id
from exchange.sandbox.store import World
from exchange.sandbox.testcases import CARDS, IBANS, Card, sepa_case

Method = Literal["card", "sepa_debit", "customer_balance"]


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


class MethodUpdate(Params):
    allow_redisplay: Literal["always", "limited", "unspecified"] = "unspecified"
    billing_details: BillingDetails | None = None
    metadata: Metadata = {}


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


@route(
    "POST", "/v1/payment_methods", MethodCreate, depth="simplified",
    note="card, sepa_debit and customer_balance only; only test numbers, tokens and IBANs",
)  # fmt: skip
async def create_method(world: World, params: MethodCreate) -> Doc:
    return await make_method(world, params)


@route("GET", "/v1/payment_methods/{id}", Retrieve)
async def retrieve_method(world: World, params: Params, id: str) -> Doc:
    return await world.get(id, "payment_method")


@route("POST", "/v1/payment_methods/{id}", MethodUpdate, depth="simplified", note="no change of a card's expiry")
async def update_method(world: World, params: MethodUpdate, id: str) -> Doc:
    method = await world.get(id, "payment_method")
    if params.billing_details:
        method["billing_details"] |= params.billing_details.model_dump(exclude_unset=True)
    if "allow_redisplay" in params.model_fields_set:
        method["allow_redisplay"] = params.allow_redisplay
    method["metadata"] = merged_metadata(method["metadata"], params.metadata)
    await world.save(method)
    await world.emit("payment_method.updated", method)
    return method


@route("GET", "/v1/payment_methods", MethodList)
async def list_methods(world: World, params: MethodList) -> Doc:
    return await page(world, "payment_method", params)


class AutomaticMethods(Closed):
    enabled: bool
    allow_redirects: Literal["always", "never"] = "always"


class EuBank(Closed):
    country: str


#: ``jp_bank_account`` is an older name that Stripe's own CLI still sends †.
Rail = Literal[
    "eu_bank_transfer", "gb_bank_transfer", "jp_bank_transfer", "mx_bank_transfer", "us_bank_transfer",
    "jp_bank_account",
]  # fmt: skip


class BankTransfer(Closed):
    type: Rail
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
