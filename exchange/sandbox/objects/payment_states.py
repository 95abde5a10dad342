"""What a PaymentIntent goes through, whatever it is paid with."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from exchange.sandbox.errors import Refusal
from exchange.sandbox.objects.disputes import open_dispute
from exchange.sandbox.shapes import Doc, new_id
from exchange.sandbox.store import World

#: Least amount, minor units: 0.50 in the currencies Stripe lists, 50 in yen and won. † Not complete.
LEAST = {"eur": 50, "usd": 50, "gbp": 30, "chf": 50, "jpy": 50, "krw": 50}

MOST = 99_999_999

#: Three decimals whose last is zero; no decimals, but written with two that are zero.
STEP = {"bhd": 10, "jod": 10, "kwd": 10, "omr": 10, "tnd": 10, "isk": 100, "ugx": 100}

Told = Callable[[World, Doc], Awaitable[None]]

#: Called after a PaymentIntent reached a state its Checkout Session cares about.
WATCHERS: list[Told] = []


async def tell(world: World, intent: Doc) -> None:
    for watcher in WATCHERS:
        await watcher(world, intent)


#: Bank transfers come in these alone (docs.stripe.com/payments/bank-transfers).
TRANSFERABLE = {"eur", "gbp", "jpy", "mxn", "usd"}


def in_range(amount: int, currency: str) -> None:
    """Refuse what Stripe refuses as too small or too large to charge."""
    least = LEAST.get(currency, 50)
    if amount < least:
        message = f"Amount must be at least {least} {currency} (minor units)."
        raise Refusal(message, code="amount_too_small", param="amount")
    if amount > MOST:
        message = f"Amount must be no more than {MOST} {currency} (minor units)."
        raise Refusal(message, code="amount_too_large", param="amount")
    if amount % STEP.get(currency, 1):
        message = f"Amounts in {currency} must be evenly divisible by {STEP[currency]}."
        raise Refusal(message, code="parameter_invalid_integer", param="amount")


def offered(allowed: Sequence[str] | None, currency: str, customer: str | None) -> list[str]:
    """The methods offered: those possible, silently intersected with ``allowed``.

    Raises:
        Refusal: nothing is left.
    """
    possible = ["card"]
    if currency == "eur":
        possible.append("sepa_debit")
    if customer and currency in TRANSFERABLE:
        possible.append("customer_balance")
    left = [method for method in possible if allowed is None or method in allowed]
    if not left:
        raise Refusal(
            f"No valid payment method types for this currency and customer: {', '.join(allowed or [])}.",
            param="allowed_payment_method_types",
        )
    return left


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


def must_be(intent: Doc, verb: str, *states: str) -> None:
    if intent["status"] not in states:
        raise Refusal(
            f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}. Only a PaymentIntent"
            f" with one of the following statuses may be {verb}ed: {', '.join(states)}.",
            code="payment_intent_unexpected_state",
            payment_intent=public(intent),
        )


def public(doc: Doc) -> Doc:
    return {name: value for name, value in doc.items() if not name.startswith("_")}


async def succeed(world: World, intent: Doc, charge: Doc) -> None:
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
    await tell(world, intent)
    if charge["_case"] in {"dispute", "inquiry"}:
        await open_dispute(world, charge, inquiry=charge["_case"] == "inquiry")
