"""Transfers to connected accounts, and their reversals."""

from typing import Literal

from exchange.sandbox.errors import Refusal, malformed, missing
from exchange.sandbox.objects.balance import funds, insufficient, minor_units, move
from exchange.sandbox.objects.charges import bare_charge, settle
from exchange.sandbox.objects.refunds import bare_refund
from exchange.sandbox.protocol.lists import page
from exchange.sandbox.protocol.parameters import Amount, Currency, Listed, Metadata, Paged, Params, Retrieve
from exchange.sandbox.protocol.register import overlay, readable, route
from exchange.sandbox.shapes import Doc, new_id
from exchange.sandbox.store import World


class TransferCreate(Params):
    amount: Amount | None = None
    currency: Currency
    destination: str
    description: str | None = None
    metadata: Metadata = {}
    source_transaction: str | None = None
    source_type: Literal["card"] | None = None
    transfer_group: str | None = None


class TransferUpdate(Params):
    description: str = ""
    metadata: Metadata = {}


class TransferList(Listed):
    destination: str | None = None
    transfer_group: str | None = None


class ReversalCreate(Params):
    amount: Amount | None = None
    description: str | None = None
    metadata: Metadata = {}
    refund_application_fee: bool | None = None


class ReversalUpdate(Params):
    metadata: Metadata = {}


@route(
    "POST", "/v1/transfers", TransferCreate, depth="simplified",
    note="transfers of one charge, less their reversals, may not exceed it; no cross-currency transfers",
)  # fmt: skip
async def create_transfer(world: World, params: TransferCreate) -> Doc:
    destination = await world.find(params.destination)
    if destination is None or destination["object"] != "account" or destination["_closed"]:
        raise Refusal(f"No such destination: '{params.destination}'", code="resource_missing", param="destination")
    if destination["_transfers"] != "active":
        raise Refusal(
            "Your destination account needs to have at least one of the following capabilities enabled: transfers,"
            " crypto_transfers, legacy_payments",
            code="insufficient_capabilities_for_transfer", param="destination",
        )  # fmt: skip
    group, available_on, amount = params.transfer_group, world.now, params.amount
    if params.source_transaction:
        charge, movement = await _source(world, params.source_transaction, params.currency)
        earlier = await world.select("transfer", "doc->>'source_transaction' = $2", charge["id"])
        left = charge["amount_captured"] - sum(t["amount"] - t["amount_reversed"] for t in earlier)
        amount = amount or left
        if amount > left:
            raise Refusal(
                "Transfers using this transaction as a source must not exceed the source amount of"
                f" {minor_units(charge['amount_captured'], charge['currency'])}. (This transfer would exceed the source"
                f" amount by {minor_units(amount - left, charge['currency'])}.)",
                code="source_transaction_amount_exceeded" if left else None,
                param="amount",
            )
        available_on, group = movement["available_on"], group or charge["transfer_group"] or f"group_{charge['id']}"
    elif amount is None:
        raise malformed("Missing required param: amount.", "parameter_missing", "amount")
    else:
        free, _ = (await funds(world, world.account)).get(params.currency, (0, 0))
        if free < amount:
            raise insufficient(amount, free, params.currency)
    id, payment_id = new_id("tr"), new_id("py")
    received = await move(world, type="payment", amount=amount, currency=params.currency, source=payment_id,
                          account=destination["id"], available_on=available_on)  # fmt: skip
    sent = await move(world, type="transfer", amount=-amount, currency=params.currency, source=id,
                      account=world.account, available_on=available_on, description=params.description)  # fmt: skip
    transfer: Doc = {
        "id": id,
        "object": "transfer",
        "amount": amount,
        "amount_reversed": 0,
        "balance_transaction": sent["id"],
        "created": world.now,
        "currency": params.currency,
        "description": params.description,
        "destination": destination["id"],
        "destination_payment": payment_id,
        "livemode": False,
        "metadata": params.metadata,
        "reversals": {"object": "list", "data": [], "has_more": False, "url": f"/v1/transfers/{id}/reversals"},
        "reversed": False,
        "source_transaction": params.source_transaction,
        "source_type": "card",
        "transfer_group": group,
    }
    await world.add(transfer)
    await world.add(_received(world, transfer, received), account=destination["id"])
    await world.emit("transfer.created", transfer)
    return transfer


async def _source(world: World, id: str, currency: str) -> tuple[Doc, Doc]:
    charge = await world.get(id, "charge", param="source_transaction")
    if charge["status"] != "succeeded" or not charge["captured"]:
        message = f"The sandbox transfers from captured charges that succeeded; this one is {charge['status']}."
        raise Refusal(message, param="source_transaction")
    if charge["currency"] != currency:
        raise Refusal(
            "The currency of source_transaction's balance transaction"
            f" ({charge['currency']}) must be the same as the transfer currency ({currency})",
            param="currency",
        )
    return charge, await settle(world, charge)


def _received(world: World, transfer: Doc, movement: Doc) -> Doc:
    """The charge ``py_…`` that the transfer is on the destination's side."""
    return {
        **bare_charge(world, transfer["destination_payment"], transfer["amount"], transfer["currency"]),
        "amount_captured": transfer["amount"],
        "balance_transaction": movement["id"],
        "captured": True,
        "paid": True,
        "payment_method_details": {"stripe_account": {}, "type": "stripe_account"},
        "source_transfer": transfer["id"],
        "status": "succeeded",
    }


@route("POST", "/v1/transfers/{id}/reversals", ReversalCreate)
async def create_reversal(world: World, params: ReversalCreate, id: str) -> Doc:
    transfer = await world.get(id, "transfer")
    left = transfer["amount"] - transfer["amount_reversed"]
    amount = params.amount or left
    if left == 0:
        raise Refusal(f"Transfer {id} is already fully reversed.", code="transfer_already_reversed")
    if amount > left:
        message = f"Reversal amount ({amount}) is greater than unreversed amount on transfer ({left})."
        raise Refusal(message, param="amount")
    currency, destination = transfer["currency"], transfer["destination"]
    free, held = (await funds(world, destination)).get(currency, (0, 0))
    if free + held < amount:
        raise insufficient(amount, free + held, currency)
    sent = await world.get(transfer["balance_transaction"], "balance_transaction")
    reversal_id, refund_id = new_id("trr"), new_id("pyr")
    back = await move(world, type="transfer_refund", amount=amount, currency=currency, source=reversal_id,
                      account=world.account, available_on=sent["available_on"])  # fmt: skip
    given = await move(world, type="payment_refund", amount=-amount, currency=currency, source=refund_id,
                       account=destination, available_on=sent["available_on"])  # fmt: skip
    refund = bare_refund(world, refund_id, amount, currency) | {
        "balance_transaction": given["id"],
        "charge": transfer["destination_payment"],
        "status": "succeeded",
    }
    await world.add(refund, account=destination)
    reversal: Doc = {
        "id": reversal_id,
        "object": "transfer_reversal",
        "amount": amount,
        "balance_transaction": back["id"],
        "created": world.now,
        "currency": currency,
        "destination_payment_refund": refund_id,
        "metadata": params.metadata,
        "source_refund": None,
        "transfer": id,
    }
    await world.add(reversal)
    before = {"amount_reversed": transfer["amount_reversed"], "reversed": transfer["reversed"]}
    transfer["amount_reversed"] += amount
    transfer["reversed"] = transfer["amount_reversed"] == transfer["amount"]
    await _show_reversals(world, transfer)
    payment = await world.known(transfer["destination_payment"])
    payment["amount_refunded"] += amount
    payment["refunded"] = payment["amount_refunded"] == payment["amount"]
    await world.save(payment)
    await world.emit("transfer.reversed", transfer, previous=before)
    return reversal


async def _show_reversals(world: World, transfer: Doc) -> None:
    """A transfer carries its ten newest reversals."""
    newest = await world.select("transfer_reversal", "doc->>'transfer' = $2", transfer["id"],
                                tail="order by seq desc limit 11")  # fmt: skip
    transfer["reversals"] |= {"data": newest[:10], "has_more": len(newest) > 10}
    await world.save(transfer)


@route("POST", "/v1/transfers/{id}", TransferUpdate)
async def update_transfer(world: World, params: TransferUpdate, id: str) -> Doc:
    return await overlay(world, await world.get(id, "transfer"), params, "transfer.updated")


@route("GET", "/v1/transfers/{id}/reversals", Paged)
async def list_reversals(world: World, params: Paged, id: str) -> Doc:
    await world.get(id, "transfer")
    return await page(world, "transfer_reversal", params, transfer=id)


async def _reversal_of(world: World, transfer: str, id: str) -> Doc:
    doc = await world.get(id, "transfer_reversal")
    if doc["transfer"] != transfer:
        raise missing("transfer_reversal", id)
    return doc


@route("GET", "/v1/transfers/{id}/reversals/{reversal}", Retrieve)
async def retrieve_reversal(world: World, params: Params, id: str, reversal: str) -> Doc:
    return await _reversal_of(world, id, reversal)


@route("POST", "/v1/transfers/{id}/reversals/{reversal}", ReversalUpdate)
async def update_reversal(world: World, params: ReversalUpdate, id: str, reversal: str) -> Doc:
    doc = await overlay(world, await _reversal_of(world, id, reversal), params)
    await _show_reversals(world, await world.get(id, "transfer"))
    return doc


readable("/v1/transfers", "transfer", TransferList)
