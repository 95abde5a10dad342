"""Checkout Sessions. The page a session is paid on is in ``pages/paying.py``."""

from decimal import Decimal
from typing import Literal

from pydantic import Field

from exchange.sandbox.errors import Refusal, malformed
from exchange.sandbox.objects.addresses import Shipping
from exchange.sandbox.objects.customers import customer_of
from exchange.sandbox.objects.payment_intents import cancel, confirm
from exchange.sandbox.objects.payment_methods import Method, MethodOptions
from exchange.sandbox.objects.payment_states import WATCHERS, in_range, new_intent, offered
from exchange.sandbox.objects.products import new_price, new_product, unit_amount
from exchange.sandbox.protocol.expansion import INCLUDES
from exchange.sandbox.protocol.parameters import Closed, Currency, Listed, Metadata, Paged, Params, Retrieve
from exchange.sandbox.protocol.register import overlay, readable, route
from exchange.sandbox.shapes import Doc, new_id
from exchange.sandbox.store import World, due

LEAST_LIFE, MOST_LIFE = 30 * 60, 24 * 3_600


class LineProduct(Closed):
    name: str = Field(min_length=1)
    description: str | None = Field(None, min_length=1)
    images: list[str] = []
    metadata: Metadata = {}
    tax_code: str | None = None
    unit_label: str | None = None


class PriceData(Closed):
    currency: Currency
    product: str | None = None
    product_data: LineProduct | None = None
    tax_behavior: Literal["exclusive", "inclusive", "unspecified"] = "unspecified"
    unit_amount: int | None = Field(None, ge=0)
    unit_amount_decimal: Decimal | None = None


class LineItem(Closed):
    price: str | None = None
    price_data: PriceData | None = None
    quantity: int = Field(1, ge=1)
    metadata: Metadata = {}


class IntentData(Closed):
    capture_method: Literal["automatic", "automatic_async", "manual"] | None = None
    description: str | None = None
    metadata: Metadata = {}
    receipt_email: str | None = None
    setup_future_usage: Literal["off_session", "on_session"] | None = None
    shipping: Shipping | None = None
    statement_descriptor: str | None = Field(None, max_length=22)
    statement_descriptor_suffix: str | None = Field(None, max_length=22)
    transfer_group: str | None = None


class Flag(Closed):
    enabled: bool


class SessionCreate(Params):
    since = frozenset({"allowed_payment_method_types"})
    until = frozenset({"payment_method_types"})

    mode: Literal["payment", "setup", "subscription"] = "payment"
    line_items: list[LineItem] = Field([], max_length=100)
    success_url: str | None = None
    cancel_url: str | None = None
    adaptive_pricing: Flag | None = None
    allowed_payment_method_types: list[Method] | None = None
    automatic_tax: Flag | None = None
    billing_address_collection: Literal["auto", "required"] | None = None
    client_reference_id: str | None = Field(None, max_length=200)
    currency: Currency | None = None
    customer: str | None = None
    customer_creation: Literal["always", "if_required"] | None = None
    customer_email: str | None = None
    expires_at: int | None = None
    locale: str | None = None
    metadata: Metadata = {}
    payment_intent_data: IntentData | None = None
    payment_method_options: MethodOptions | None = None
    payment_method_types: list[Method] | None = None
    phone_number_collection: Flag | None = None
    submit_type: Literal["auto", "book", "donate", "pay"] | None = None
    ui_mode: Literal["hosted_page"] = "hosted_page"


class SessionUpdate(Params):
    metadata: Metadata = {}


class SessionList(Listed):
    customer: str | None = None
    payment_intent: str | None = None
    status: Literal["complete", "expired", "open"] | None = None


@route(
    "POST", "/v1/checkout/sessions", SessionCreate, depth="simplified",
    note="mode=payment on the hosted page; card, sepa_debit, customer_balance; no tax, discounts or shipping",
)  # fmt: skip
async def create_session(world: World, params: SessionCreate) -> Doc:
    if params.mode != "payment":
        raise Refusal(f"The sandbox simulates mode=payment only, not {params.mode}.", param="mode")
    if not params.success_url:
        raise malformed("Missing required param: success_url.", "parameter_missing", "success_url")
    if not params.line_items:
        raise malformed("The `line_items` parameter is required in payment mode.", "parameter_missing", "line_items")
    if params.automatic_tax and params.automatic_tax.enabled:
        raise Refusal("The sandbox computes no tax.", param="automatic_tax[enabled]")
    expires_at = params.expires_at or world.now + MOST_LIFE
    if not world.now + LEAST_LIFE - 60 <= expires_at <= world.now + MOST_LIFE + 60:
        raise Refusal(
            "The `expires_at` timestamp must be at least 30 minutes and at most 24 hours from Checkout Session"
            " creation.",
            param="expires_at",
        )
    customer = await customer_of(world, params.customer) if params.customer else None
    items = [await _line(world, item, number) for number, item in enumerate(params.line_items)]
    currencies = {item["currency"] for item in items}
    if len(currencies) > 1 or (params.currency and params.currency not in currencies):
        raise Refusal("All line items must be in the same currency.", param="line_items")
    currency, total = items[0]["currency"], sum(item["amount_total"] for item in items)
    in_range(total, currency)
    methods = offered(params.allowed_payment_method_types or params.payment_method_types, currency, params.customer)
    id = new_id("cs_test")
    session: Doc = {
        "id": id,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": False},
        "after_expiration": None,
        "allow_promotion_codes": None,
        "allowed_payment_method_types": params.allowed_payment_method_types,
        "amount_subtotal": total,
        "amount_total": total,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": params.billing_address_collection,
        "cancel_url": params.cancel_url,
        "client_reference_id": params.client_reference_id,
        "client_secret": None,
        "collected_information": None,
        "consent": None,
        "consent_collection": None,
        "created": world.now,
        "currency": currency,
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": {"after_submit": None, "shipping_address": None, "submit": None,
                        "terms_of_service_acceptance": None},
        "customer": params.customer,
        "customer_account": None,
        "customer_creation": params.customer_creation or (None if customer else "if_required"),
        "customer_details": _details(customer, params.customer_email),
        "customer_email": params.customer_email,
        "discounts": [],
        "expires_at": expires_at,
        "invoice": None,
        "invoice_creation": {"enabled": False, "invoice_data": {
            "account_tax_ids": None, "custom_fields": None, "description": None, "footer": None, "issuer": None,
            "metadata": {}, "rendering_options": None}},
        "livemode": False,
        "locale": params.locale,
        "metadata": params.metadata,
        "mode": "payment",
        "origin_context": None,
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": "if_required",
        "payment_method_configuration_details": None,
        "payment_method_options": _options(params.payment_method_options, methods),
        "payment_method_types": methods,
        "payment_status": "unpaid",
        "permissions": None,
        "phone_number_collection": {"enabled": bool(params.phone_number_collection
                                                    and params.phone_number_collection.enabled)},
        "recovered_from": None,
        "saved_payment_method_options": None,
        "setup_intent": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": params.submit_type,
        "subscription": None,
        "success_url": params.success_url,
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": f"{world.settings.public_url}/c/pay/{id}",
        "wallet_options": None,
        "_items": items,
        "_intent": params.payment_intent_data.model_dump(exclude_unset=True) if params.payment_intent_data else {},
        "_funding": (params.payment_method_options.model_dump(exclude_unset=True)
                     if params.payment_method_options else {}),
    }  # fmt: skip
    await world.add(session)
    await world.later(expires_at, "session.expire", id)
    return session


def _details(customer: Doc | None, email: str | None) -> Doc | None:
    if customer is None and email is None:
        return None
    return {
        "address": customer["address"] if customer else None,
        "business_name": None,
        "email": customer["email"] if customer else email,
        "individual_name": None,
        "name": customer["name"] if customer else None,
        "phone": customer["phone"] if customer else None,
        "tax_exempt": customer["tax_exempt"] if customer else "none",
        "tax_ids": [],
    }


def _options(sent: MethodOptions | None, methods: list[str]) -> Doc:
    shown = sent.model_dump(exclude_unset=True) if sent else {}
    shown = {method: options for method, options in shown.items() if method in methods}
    if "card" in methods:
        shown["card"] = {"request_three_d_secure": "automatic"} | shown.get("card", {})
    return shown


async def _line(world: World, item: LineItem, number: int) -> Doc:
    where = f"line_items[{number}]"
    if (item.price is None) == (item.price_data is None):
        raise malformed(f"You must specify either price or price_data for {where}.", "parameter_missing",
                        f"{where}[price]")  # fmt: skip
    data = item.price_data
    if data is None:
        price = await world.get(item.price or "", "price", param=f"{where}[price]")
    else:
        if (data.product is None) == (data.product_data is None):
            raise malformed("You must specify either product or product_data.", "parameter_missing",
                            f"{where}[price_data][product_data]")  # fmt: skip
        unit = unit_amount(data.unit_amount, data.unit_amount_decimal)
        if data.product_data:
            product = await new_product(world, **data.product_data.model_dump(exclude_unset=True))
        else:
            product = await world.get(data.product or "", "product", param=f"{where}[price_data][product]")
        price = await new_price(world, product["id"], data.currency, unit, active=False,
                                 tax_behavior=data.tax_behavior)  # fmt: skip
    product = await world.get(price["product"], "product")
    amount = price["unit_amount"] * item.quantity
    return {
        "id": new_id("li"),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        "description": product["name"],
        "metadata": item.metadata,
        "price": price,
        "quantity": item.quantity,
    }


@route("POST", "/v1/checkout/sessions/{id}", SessionUpdate)
async def update_session(world: World, params: SessionUpdate, id: str) -> Doc:
    return await overlay(world, await world.get(id, "checkout.session"), params)


@route("POST", "/v1/checkout/sessions/{id}/expire", Retrieve)
async def expire_session(world: World, params: Params, id: str) -> Doc:
    session = await world.get(id, "checkout.session")
    if session["status"] != "open":
        raise Refusal(
            f'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of'
            f" `{session['status']}`.",
            code="checkout_session_not_open",
        )
    await expire(world, session)
    return session


async def expire(world: World, session: Doc) -> None:
    """Close an open session for good; an unfinished payment goes with it."""
    session |= {"status": "expired", "url": None}
    await world.save(session)
    if session["payment_intent"]:
        intent = await world.get(session["payment_intent"], "payment_intent")
        if intent["status"] in {"requires_payment_method", "requires_confirmation", "requires_action"}:
            await cancel(world, intent, "expired")
    await world.emit("checkout.session.expired", session)


@due("session.expire")
async def _expire_by_time(world: World, id: str) -> None:
    session = await world.find(id)
    if session and session["status"] == "open":
        world.account = session["_account"]
        await expire(world, session)


@route("GET", "/v1/checkout/sessions/{id}/line_items", Paged)
async def list_lines(world: World, params: Paged, id: str) -> Doc:
    session = await world.get(id, "checkout.session")
    items = session["_items"]
    ids = [item["id"] for item in items]
    start = ids.index(params.starting_after) + 1 if params.starting_after in ids else 0
    data = items[start : start + params.limit]
    return {"object": "list", "url": world.path, "data": data, "has_more": start + len(data) < len(items)}


async def _line_items(world: World, session: Doc) -> Doc:
    url = f"/v1/checkout/sessions/{session['id']}/line_items"
    return {"object": "list", "data": session["_items"], "has_more": False, "url": url}


INCLUDES["checkout.session", "line_items"] = _line_items

readable("/v1/checkout/sessions", "checkout.session", SessionList)


async def pay(world: World, session: Doc, method: Doc, *, email: str | None = None) -> Doc:
    """The buyer confirms on the page: the PaymentIntent is made with the first try, and kept for the next.

    Raises:
        Refusal: 402 when the card is declined; the session stays open.
    """
    if session["payment_intent"]:
        intent = await world.get(session["payment_intent"], "payment_intent")
    else:
        intent = await new_intent(
            world, session["amount_total"], session["currency"], session["payment_method_types"],
            **{"customer": session["customer"], "_session": session["id"], "_options": session["_funding"],
               "allowed_payment_method_types": session["allowed_payment_method_types"]}
            | {name: value for name, value in session["_intent"].items() if value is not None},
        )  # fmt: skip
        session["payment_intent"] = intent["id"]
        await world.save(session)
    intent["_return_url"] = success_url(session)
    if session["customer_details"] is None and email:
        session["customer_details"] = _details(None, email)
        await world.save(session)
    await confirm(world, intent, method)
    return intent


def success_url(session: Doc) -> str:
    """Where the buyer goes after paying."""
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


async def _follow(world: World, intent: Doc) -> None:
    """Keep the session in step with its PaymentIntent."""
    if not intent["_session"]:
        return
    session = await world.get(intent["_session"], "checkout.session")
    paid = intent["status"] in {"succeeded", "requires_capture"}
    if session["status"] == "open" and (paid or intent["status"] in {"processing", "requires_action"}):
        session |= {"status": "complete", "url": None, "payment_status": "paid" if paid else "unpaid"}
        await world.save(session)
        await world.emit("checkout.session.completed", session)
    elif session["status"] == "complete" and session["payment_status"] == "unpaid":
        if paid:
            session["payment_status"] = "paid"
            await world.save(session)
            await world.emit("checkout.session.async_payment_succeeded", session)
        elif intent["status"] in {"requires_payment_method", "canceled"}:
            await world.emit("checkout.session.async_payment_failed", session)


WATCHERS.append(_follow)
