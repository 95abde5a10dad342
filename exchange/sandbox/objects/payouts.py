"""Payouts: an account's balance goes to its bank."""

from typing import Literal

from exchange.sandbox.errors import Refusal
from exchange.sandbox.objects.balance import funds, insufficient, move
from exchange.sandbox.protocol.parameters import Amount, Currency, Listed, Metadata, Params, Retrieve
from exchange.sandbox.protocol.register import readable, route, updatable
from exchange.sandbox.shapes import DAY, Doc, new_id
from exchange.sandbox.store import World, due


class PayoutCreate(Params):
    amount: Amount
    currency: Currency
    description: str | None = None
    destination: str | None = None
    metadata: Metadata = {}
    method: Literal["standard"] = "standard"
    source_type: Literal["card"] = "card"
    statement_descriptor: str | None = None


class PayoutUpdate(Params):
    metadata: Metadata = {}


class PayoutList(Listed):
    destination: str | None = None
    status: str | None = None


@route(
    "POST", "/v1/payouts", PayoutCreate, depth="simplified",
    note="arrives after one virtual day; nothing is paid out automatically, except from /_sandbox/",
)  # fmt: skip
async def create_payout(world: World, params: PayoutCreate) -> Doc:
    free, _ = (await funds(world, world.account)).get(params.currency, (0, 0))
    if free < params.amount:
        raise insufficient(params.amount, free, params.currency)
    return await pay_out(world, params.amount, params.currency, params)


async def pay_out(world: World, amount: int, currency: str, params: PayoutCreate | None = None) -> Doc:
    """Send ``amount`` of the calling account's balance to its bank; without ``params`` it is an automatic payout."""
    id = new_id("po")
    booked = await move(world, type="payout", amount=-amount, currency=currency, source=id, account=world.account)
    payout: Doc = {
        "id": id,
        "object": "payout",
        "amount": amount,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": world.now + DAY,
        "automatic": params is None,
        "balance_transaction": booked["id"],
        "created": world.now,
        "currency": currency,
        "description": params.description if params else "STRIPE PAYOUT (sandbox)",
        "destination": (params and params.destination) or new_id("ba"),
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": params.metadata if params else {},
        "method": "standard",
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "not_applicable" if params else "completed",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": params.statement_descriptor if params else None,
        "status": "pending",
        "trace_id": None,
        "type": "bank_account",
    }
    await world.add(payout)
    await world.emit("payout.created", payout)
    await world.later(world.now + DAY, "payout.arrive", id)
    return payout


@due("payout.arrive")
async def _arrive(world: World, id: str) -> None:
    payout = await world.find(id)
    if payout and payout["status"] == "pending":
        payout["status"] = "paid"
        await world.save(payout)
        await world.emit("payout.paid", payout, previous={"status": "pending"})


async def undo_payout(world: World, payout: Doc, status: Literal["canceled", "failed"]) -> Doc:
    """The money comes back to the balance."""
    back = await move(
        world, type="payout_cancel" if status == "canceled" else "payout_failure", amount=payout["amount"],
        currency=payout["currency"], source=payout["id"], account=payout["_account"],
    )  # fmt: skip
    before = payout["status"]
    payout |= {"status": status, "failure_balance_transaction": back["id"]}
    if status == "failed":
        payout |= {"failure_code": "account_closed", "failure_message": "The bank account has been closed."}
    await world.save(payout)
    await world.emit(f"payout.{status}", payout, previous={"status": before})
    return payout


@route("POST", "/v1/payouts/{id}/cancel", Retrieve)
async def cancel_payout(world: World, params: Params, id: str) -> Doc:
    payout = await world.get(id, "payout")
    if payout["status"] != "pending":
        raise Refusal(f"Payout {id} is {payout['status']} and cannot be canceled.", code="payout_not_cancelable")
    return await undo_payout(world, payout, "canceled")


readable("/v1/payouts", "payout", PayoutList)

updatable("/v1/payouts", "payout", PayoutUpdate, "payout.updated")
