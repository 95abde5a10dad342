"""PaymentIntents: made, changed, confirmed, captured, canceled."""

from typing import Literal

from pydantic import Field

from exchange.sandbox.errors import Refusal, malformed
from exchange.sandbox.objects.addresses import Shipping
from exchange.sandbox.objects.bank_transfers import await_transfer
from exchange.sandbox.objects.cards import ask_authentication, authorise, decline
from exchange.sandbox.objects.cash_balances import move_cash
from exchange.sandbox.objects.customers import customer_of
from exchange.sandbox.objects.payment_methods import (
    AutomaticMethods,
    MandateData,
    MethodData,
    MethodOptions,
    make_method,
    method_of,
)
from exchange.sandbox.objects.payment_states import in_range, must_be, new_intent, offered, public, succeed, tell
from exchange.sandbox.objects.sepa_debits import debit
from exchange.sandbox.protocol.parameters import Currency, Listed, Metadata, Params, merged_metadata
from exchange.sandbox.protocol.register import readable, route
from exchange.sandbox.shapes import Doc
from exchange.sandbox.store import World, due
from exchange.sandbox.testcases import DECLINES


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


def asked(params: IntentShared) -> list[str] | None:
    """The restriction sent, under the name that the version of the call uses."""
    return params.allowed_payment_method_types or params.payment_method_types


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


@route("POST", "/v1/payment_intents/{id}", IntentUpdate)
async def update_intent(world: World, params: IntentUpdate, id: str) -> Doc:
    intent = await world.get(id, "payment_intent")
    sent = params.given(*(n for n in IntentUpdate.model_fields if n != "expand"))
    if sent.keys() - {"metadata", "description", "transfer_group", "receipt_email", "shipping"}:
        must_be(intent, "update", "requires_payment_method", "requires_confirmation", "requires_action")
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
    must_be(intent, "confirm", "requires_payment_method", "requires_confirmation", "requires_action")
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
                code="payment_intent_unexpected_state", payment_intent=public(intent),
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
                raise await decline(world, intent, method, "authentication_required")
            await ask_authentication(world, intent)
        elif case in DECLINES:
            raise await decline(world, intent, method, case)
        else:
            await authorise(world, intent, method)
    elif method["type"] == "sepa_debit":
        await debit(world, intent, method)
    else:
        await await_transfer(world, intent)


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
            "payment_method": public(method),
            "type": "invalid_request_error",
        },
    }
    await world.save(intent)
    await world.emit("payment_intent.payment_failed", intent)


@route("POST", "/v1/payment_intents/{id}/capture", IntentCapture)
async def capture_intent(world: World, params: IntentCapture, id: str) -> Doc:
    intent = await world.get(id, "payment_intent")
    if intent["status"] != "requires_capture":
        message = f"This PaymentIntent could not be captured because it has a status of {intent['status']}."
        raise Refusal(message, code="payment_intent_unexpected_state", payment_intent=public(intent))
    amount = params.amount_to_capture or intent["amount_capturable"]
    if amount > intent["amount_capturable"]:
        raise Refusal("The amount to capture is larger than the amount that can be captured.", code="amount_too_large",
                      param="amount_to_capture")  # fmt: skip
    charge = await world.get(intent["latest_charge"], "charge")
    charge |= {"captured": True, "amount_captured": amount}
    intent["metadata"] = merged_metadata(intent["metadata"], params.metadata)
    await world.save(charge)
    await world.emit("charge.captured", charge, previous={"captured": False})
    await succeed(world, intent, charge)
    return intent


@route("POST", "/v1/payment_intents/{id}/cancel", IntentCancel)
async def cancel_intent(world: World, params: IntentCancel, id: str) -> Doc:
    intent = await world.get(id, "payment_intent")
    cancelable = ("requires_payment_method", "requires_capture", "requires_confirmation", "requires_action")
    must_be(intent, "cancel", *cancelable)
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
        await move_cash(world, customer, intent["_funded"], intent["currency"], "unapplied_from_payment",
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
    await tell(world, intent)


@due("authorisation.expire")
async def _expire_authorisation(world: World, id: str) -> None:
    intent = await world.find(id)
    if intent and intent["status"] == "requires_capture":
        world.account = intent["_account"]
        charge = await world.get(intent["latest_charge"], "charge")
        await world.emit("charge.expired", charge)
        await cancel(world, intent, "automatic")


readable("/v1/payment_intents", "payment_intent", IntentList)
