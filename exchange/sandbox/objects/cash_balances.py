"""A customer's cash balance: what came in by bank transfer and is not (or no longer) part of a payment."""

from typing import Any

from exchange.sandbox.objects.customers import customer_of
from exchange.sandbox.protocol.expansion import INCLUDES
from exchange.sandbox.protocol.lists import page
from exchange.sandbox.protocol.parameters import Paged, Params, Retrieve
from exchange.sandbox.protocol.register import route
from exchange.sandbox.shapes import Doc, new_id
from exchange.sandbox.store import World


async def cash_balance(world: World, customer: Doc) -> Doc:
    return {
        "object": "cash_balance",
        "available": customer["_cash"] or None,
        "customer": customer["id"],
        "customer_account": None,
        "livemode": False,
        "settings": {"reconciliation_mode": "automatic", "using_merchant_default": True},
    }


INCLUDES["customer", "cash_balance"] = cash_balance


@route("GET", "/v1/customers/{id}/cash_balance", Retrieve)
async def retrieve_cash_balance(world: World, params: Params, id: str) -> Doc:
    return await cash_balance(world, await customer_of(world, id, "id"))


@route("GET", "/v1/customers/{id}/cash_balance_transactions", Paged)
async def list_cash_transactions(world: World, params: Paged, id: str) -> Doc:
    await customer_of(world, id, "id")
    return await page(world, "customer_cash_balance_transaction", params, customer=id)


async def move_cash(
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
