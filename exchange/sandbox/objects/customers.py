"""Customers, and the payment methods tied to them."""

from typing import Literal

from exchange.sandbox.errors import Refusal, missing
from exchange.sandbox.objects.addresses import Address, Shipping
from exchange.sandbox.objects.payment_methods import method_of
from exchange.sandbox.protocol.lists import page
from exchange.sandbox.protocol.parameters import Listed, Metadata, NoParams, Params, Retrieve
from exchange.sandbox.protocol.register import overlay, route
from exchange.sandbox.shapes import Doc, new_id
from exchange.sandbox.store import World


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


class MethodAttach(Params):
    customer: str


async def attach(world: World, method: Doc, customer: str) -> Doc:
    """Tie ``method`` to ``customer``."""
    method["customer"] = (await customer_of(world, customer))["id"]
    await world.save(method)
    await world.emit("payment_method.attached", method)
    return method


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
