"""Money that moves: balance transactions, the balance they add up to, transfers, refunds, payouts, top-ups.

Nothing here keeps a running total. The balance of an account is the sum of its balance transactions, pending until the
virtual clock reaches ``available_on``, available from then on.
"""

from typing import Literal

from exchange.sandbox.errors import Refusal, malformed, missing
from exchange.sandbox.protocol import (
    Amount,
    Currency,
    Listed,
    Metadata,
    Paged,
    Params,
    Retrieve,
    overlay,
    page,
    readable,
    route,
    updatable,
)
from exchange.sandbox.shapes import Doc, new_id
from exchange.sandbox.store import World, due

DAY = 86_400

#: Fictional fees: basis points of the amount, plus minor units. Not Stripe's prices, which differ by contract.
FEES = {"card": (150, 25), "sepa_debit": (0, 35), "customer_balance": (50, 0)}

#: Fictional: days until the money of a payment is available.
AVAILABLE_AFTER_DAYS = {"card": 2, "sepa_debit": 2, "customer_balance": 1}

#: Fictional fee of a dispute, minor units; it is not given back after a win.
DISPUTE_FEE = 2_000

_CATEGORY = {
    "charge": "charge", "payment": "charge", "refund": "refund", "payment_refund": "refund",
    "refund_failure": "refund_failure", "transfer": "transfer", "transfer_refund": "transfer_reversal",
    "payout": "payout", "payout_cancel": "payout_reversal", "payout_failure": "payout_reversal", "topup": "topup",
}  # fmt: skip


def fee_of(method: str, amount: int) -> int:
    """The fictional processing fee, minor units, rounded half up."""
    basis_points, fixed = FEES[method]
    return (amount * basis_points + 5_000) // 10_000 + fixed


async def move(
    world: World,
    *,
    type: str,
    amount: int,
    currency: str,
    source: str,
    account: str | None,
    fee: int = 0,
    available_on: int | None = None,
    category: str | None = None,
    description: str | None = None,
) -> Doc:
    """Book one movement of ``amount`` (signed) less ``fee`` on ``account`` (None = the platform)."""
    fees = [{"amount": fee, "application": None, "currency": currency, "description": "Sandbox fee (fictional)",
             "type": "stripe_fee"}]  # fmt: skip
    doc: Doc = {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": max(available_on or world.now, world.now),
        "balance_type": "payments",
        "created": world.now,
        "currency": currency,
        "description": description,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": fees if fee else [],
        "net": amount - fee,
        "reporting_category": category or _CATEGORY[type],
        "source": source,
        "status": "pending",
        "type": type,
    }
    await world.add(doc, account=account)
    if doc["available_on"] > world.now:
        await world.later(doc["available_on"], "balance.available", doc["id"])
    return doc


@due("balance.available")
async def _funds_arrive(world: World, movement: str) -> None:
    """Stripe tells once a day; the sandbox once per movement that became available."""
    doc = await world.find(movement)
    if doc and doc["net"] > 0:
        world.account = doc["_account"]
        await world.emit("balance.available", await balance(world), account=doc["_account"])


async def funds(world: World, account: str | None) -> dict[str, tuple[int, int]]:
    """Available and pending minor units of ``account``, by currency: the sum of its balance transactions."""
    rows = await world.sql.fetch(
        "select doc->>'currency' as currency,"
        " coalesce(sum((doc->>'net')::bigint) filter (where (doc->>'available_on')::bigint <= $2), 0)::bigint as free,"
        " coalesce(sum((doc->>'net')::bigint) filter (where (doc->>'available_on')::bigint > $2), 0)::bigint as held"
        " from sandbox.object where kind = 'balance_transaction' and account is not distinct from $1 group by 1",
        account, world.now,
    )  # fmt: skip
    return {row["currency"]: (row["free"], row["held"]) for row in rows}


async def balance(world: World) -> Doc:
    """The balance object of the account in whose name the call came."""
    sums = await funds(world, world.account) or {"eur": (0, 0)}

    def amounts(place: int) -> list[Doc]:
        return [{"amount": both[place], "currency": currency, "source_types": {"card": both[place]}}
                for currency, both in sorted(sums.items())]  # fmt: skip

    return {"object": "balance", "available": amounts(0), "livemode": False, "pending": amounts(1)}


@route("GET", "/v1/balance", Retrieve, depth="simplified", note="all money counts as source type card")
async def retrieve_balance(world: World, params: Params) -> Doc:
    return await balance(world)


class BalanceTransactionList(Listed):
    currency: Currency | None = None
    payout: str | None = None
    source: str | None = None
    type: str | None = None


readable("/v1/balance_transactions", "balance_transaction", BalanceTransactionList)


def _eur(amount: int, currency: str) -> str:
    return f"{amount} {currency} (minor units)"


def _insufficient(needed: int, free: int, currency: str) -> Refusal:
    return Refusal(
        f"You have insufficient available funds in your Stripe account: {_eur(needed, currency)} needed,"
        f" {_eur(free, currency)} available.",
        code="balance_insufficient",
    )


# ---------------------------------------------------------------- the money of a charge


async def settle(world: World, charge: Doc) -> Doc:
    """Give a paid charge its balance transaction, if it has none yet, and tell of it: ``charge.updated``."""
    if charge["balance_transaction"] is not None:
        return await world.known(charge["balance_transaction"])
    method = charge["payment_method_details"]["type"]
    days = 0 if charge["_bypass_pending"] else AVAILABLE_AFTER_DAYS[method]
    movement = await move(
        world,
        type="charge" if method == "card" else "payment",
        amount=charge["amount_captured"],
        currency=charge["currency"],
        source=charge["id"],
        account=charge["_account"],
        fee=fee_of(method, charge["amount_captured"]),
        available_on=world.now + days * DAY,
        description=charge["description"],
    )
    charge["balance_transaction"] = movement["id"]
    await world.save(charge)
    await world.emit("charge.updated", charge, previous={"balance_transaction": None})
    return movement


@due("charge.settle")
async def _settle_later(world: World, charge: str) -> None:
    doc = await world.find(charge)
    if doc and doc["status"] == "succeeded" and doc["captured"]:
        await settle(world, doc)


# ---------------------------------------------------------------- transfers


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
                f" {_eur(charge['amount_captured'], charge['currency'])}. (This transfer would exceed the source amount"
                f" by {_eur(amount - left, charge['currency'])}.)",
                code="source_transaction_amount_exceeded" if left else None,
                param="amount",
            )
        available_on, group = movement["available_on"], group or charge["transfer_group"] or f"group_{charge['id']}"
    elif amount is None:
        raise malformed("Missing required param: amount.", "parameter_missing", "amount")
    else:
        free, _ = (await funds(world, world.account)).get(params.currency, (0, 0))
        if free < amount:
            raise _insufficient(amount, free, params.currency)
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


def bare_charge(world: World, id: str, amount: int, currency: str) -> Doc:
    """A charge with every field Stripe shows and nothing in it."""
    return {
        "id": id,
        "object": "charge",
        "amount": amount,
        "amount_captured": 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": {"address": None, "email": None, "name": None, "phone": None, "tax_id": None},
        "calculated_statement_descriptor": None,
        "captured": False,
        "created": world.now,
        "currency": currency,
        "customer": None,
        "description": None,
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": {},
        "on_behalf_of": None,
        "outcome": None,
        "paid": False,
        "payment_intent": None,
        "payment_method": None,
        "payment_method_details": None,
        "radar_options": {},
        "receipt_email": None,
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "pending",
        "transfer_data": None,
        "transfer_group": None,
        "_bypass_pending": False,
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
        raise _insufficient(amount, free + held, currency)
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


# ---------------------------------------------------------------- refunds


class RefundCreate(Params):
    amount: Amount | None = None
    charge: str | None = None
    currency: Currency | None = None
    customer: str | None = None
    instructions_email: str | None = None
    metadata: Metadata = {}
    origin: Literal["customer_balance"] | None = None
    payment_intent: str | None = None
    reason: Literal["duplicate", "fraudulent", "requested_by_customer"] | None = None


class RefundUpdate(Params):
    metadata: Metadata = {}


class RefundList(Listed):
    charge: str | None = None
    payment_intent: str | None = None


def bare_refund(world: World, id: str, amount: int, currency: str) -> Doc:
    """A refund with every field Stripe always shows and nothing in it."""
    return {
        "id": id,
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": None,
        "created": world.now,
        "currency": currency,
        "customer": None,
        "customer_account": None,
        "metadata": {},
        "payment_intent": None,
        "payment_method": None,
        "reason": None,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "pending",
        "transfer_reversal": None,
    }


@route(
    "POST", "/v1/refunds", RefundCreate, depth="simplified",
    note="cards at once; SEPA debit and bank transfers pending for one virtual day (bank details never asked for);"
    " the platform's bank covers what the balance lacks, unless switched off; reverse_transfer is not simulated",
)  # fmt: skip
async def create_refund(world: World, params: RefundCreate) -> Doc:
    if params.origin == "customer_balance":
        return await _refund_cash(world, params)
    charge = await _refundable(world, params)
    left = charge["amount_captured"] - charge["amount_refunded"]
    amount = params.amount or left
    if left == 0:
        raise Refusal(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    if amount > left:
        message = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})."
        raise Refusal(message, param="amount")
    paid_in = await settle(world, charge)
    outcome = charge["_refund"]
    method = charge["payment_method_details"]["type"]
    refund = bare_refund(world, new_id("re"), amount, charge["currency"]) | {
        "charge": charge["id"],
        "customer": charge["customer"],
        "destination_details": {"card": {"type": "refund", "reference_status": "pending",
                                         "reference_type": "acquirer_reference_number"}, "type": "card"}
        if method == "card" else {"type": method},
        "metadata": params.metadata,
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "reason": params.reason,
        "_fails": outcome == "fails",
        "_available_on": paid_in["available_on"],
    }  # fmt: skip
    if method == "customer_balance":
        refund["destination_details"] = {"eu_bank_transfer": {"reference": None, "reference_status": "pending"},
                                         "type": "eu_bank_transfer"}  # fmt: skip
    if method == "sepa_debit":
        del refund["destination_details"]
    await world.add(refund)
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    await world.save(charge)
    await _pay_out_refund(world, refund, waits=outcome == "waits" or method != "card")
    await world.emit("refund.created", refund)
    before = {"amount_refunded": charge["amount_refunded"] - amount}
    await world.emit("charge.refunded", charge, previous=before)
    if refund["_fails"]:
        await world.later(world.now + DAY, "refund.fail", refund["id"])
    return refund


async def _refundable(world: World, params: RefundCreate) -> Doc:
    if params.charge:
        charge = await world.get(params.charge, "charge", param="charge")
    elif params.payment_intent:
        intent = await world.get(params.payment_intent, "payment_intent", param="payment_intent")
        if not intent["latest_charge"]:
            message = f"PaymentIntent {intent['id']} does not have a successful charge to refund."
            raise Refusal(message, code="payment_intent_unexpected_state")
        charge = await world.get(intent["latest_charge"], "charge")
    else:
        raise malformed("One of the following params should be provided for this request: payment_intent or charge.",
                        "parameter_missing", "payment_intent")  # fmt: skip
    if charge["disputed"] and await world.select(
        "dispute", "doc->>'charge' = $2 and doc->>'status' not in ('won', 'warning_closed')", charge["id"]
    ):
        message = f"Charge {charge['id']} has been charged back; cannot issue a refund."
        raise Refusal(message, code="charge_disputed")
    if charge["status"] != "succeeded" or not charge["captured"]:
        message = f"Charge {charge['id']} cannot be refunded: it is {charge['status']} and not captured money."
        raise Refusal(message, code="charge_not_refundable")
    return charge


async def _pay_out_refund(world: World, refund: Doc, *, waits: bool) -> None:
    """Book the refund; the platform's bank covers what the balance lacks, unless switched off: then it waits."""
    free, held = (await funds(world, refund["_account"])).get(refund["currency"], (0, 0))
    if world.faults.get("uncovered") and free + held < refund["amount"]:
        refund |= {"status": "pending", "pending_reason": "insufficient_funds"}
        await world.save(refund)
        await world.later(world.now + DAY, "refund.retry", refund["id"])
        return
    booked = await move(
        world, type="refund" if refund["id"].startswith("re_") else "payment_refund", amount=-refund["amount"],
        currency=refund["currency"], source=refund["id"], account=refund["_account"],
        available_on=refund["_available_on"],
    )  # fmt: skip
    refund["balance_transaction"] = booked["id"]
    refund.pop("pending_reason", None)
    if waits:
        refund |= {"status": "pending", "pending_reason": "processing"}
        await world.later(world.now + DAY, "refund.succeed", refund["id"])
    else:
        refund["status"] = "succeeded"
    await world.save(refund)


async def _changed(world: World, refund: Doc, before: str, event: str = "refund.updated") -> None:
    await world.save(refund)
    for type in dict.fromkeys((event, "refund.updated", "charge.refund.updated")):
        await world.emit(type, refund, previous={"status": before})


@due("refund.retry")
async def retry_refund(world: World, id: str) -> None:
    refund = await world.find(id)
    if refund and refund["status"] == "pending" and refund["balance_transaction"] is None:
        await _pay_out_refund(world, refund, waits=False)
        if refund["status"] != "pending":
            await _changed(world, refund, "pending")


@due("refund.succeed")
async def succeed_refund(world: World, id: str) -> None:
    """A pending or waiting refund reaches the buyer."""
    refund = await world.find(id)
    if refund and refund["status"] in {"pending", "requires_action"} and refund["balance_transaction"]:
        before, refund["status"] = refund["status"], "succeeded"
        refund.pop("pending_reason", None)
        refund.pop("next_action", None)
        await _changed(world, refund, before)


@due("refund.fail")
async def fail_refund(world: World, id: str) -> None:
    """The buyer's bank sends a refund back: the money returns to the balance, the charge is less refunded."""
    refund = await world.find(id)
    if refund is None or refund["status"] in {"failed", "canceled"} or refund["charge"] is None:
        return
    before, refund["status"] = refund["status"], "failed"
    refund.pop("pending_reason", None)
    refund["failure_reason"] = "declined"
    if refund["balance_transaction"]:
        booked = await move(world, type="refund_failure", amount=refund["amount"], currency=refund["currency"],
                            source=refund["id"], account=refund["_account"])  # fmt: skip
        refund["failure_balance_transaction"] = booked["id"]
    charge = await world.known(refund["charge"])
    charge["amount_refunded"] -= refund["amount"]
    charge["refunded"] = False
    await world.save(charge)
    await _changed(world, refund, before, "refund.failed")


async def _refund_cash(world: World, params: RefundCreate) -> Doc:
    """Send back what lies in a customer's cash balance (an overpayment); it never was on the platform's balance."""
    if not (params.customer and params.amount and params.currency):
        raise malformed("origin=customer_balance needs customer, amount and currency.", "parameter_missing", "customer")
    customer = await world.get(params.customer, "customer", param="customer")
    held = customer["_cash"].get(params.currency, 0)
    if held < params.amount:
        raise Refusal(f"The customer's cash balance holds {held}, not {params.amount}.", code="balance_insufficient")
    customer["_cash"][params.currency] = held - params.amount
    await world.save(customer)
    refund = bare_refund(world, new_id("pyr"), params.amount, params.currency) | {
        "customer": customer["id"],
        "metadata": params.metadata,
        "reason": params.reason,
        "status": "succeeded",
    }
    await world.add(refund)
    await world.emit("refund.created", refund)
    return refund


@route("POST", "/v1/refunds/{id}/cancel", Retrieve)
async def cancel_refund(world: World, params: Params, id: str) -> Doc:
    refund = await world.get(id, "refund")
    if refund["status"] != "requires_action":
        raise Refusal(
            f"Refund {id} has status {refund['status']} and cannot be canceled.", code="refund_not_cancelable"
        )
    await fail_refund(world, id)
    refund["status"] = "canceled"
    return await world.save(refund)


readable("/v1/refunds", "refund", RefundList)
updatable("/v1/refunds", "refund", RefundUpdate, "refund.updated")


# ---------------------------------------------------------------- payouts and top-ups


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
        raise _insufficient(params.amount, free, params.currency)
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


class TopupCreate(Params):
    amount: Amount
    currency: Currency
    description: str | None = None
    metadata: Metadata = {}
    source: str | None = None
    statement_descriptor: str | None = None
    transfer_group: str | None = None


class TopupUpdate(Params):
    description: str = ""
    metadata: Metadata = {}


class TopupList(Listed):
    status: str | None = None


@route("POST", "/v1/topups", TopupCreate, depth="simplified", note="the money is there at once")
async def create_topup(world: World, params: TopupCreate) -> Doc:
    id = new_id("tu")
    booked = await move(world, type="topup", amount=params.amount, currency=params.currency, source=id,
                        account=world.account, description=params.description)  # fmt: skip
    topup: Doc = {
        "id": id,
        "object": "topup",
        "amount": params.amount,
        "balance_transaction": booked["id"],
        "created": world.now,
        "currency": params.currency,
        "description": params.description,
        "expected_availability_date": world.now,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": params.metadata,
        "source": None,
        "statement_descriptor": params.statement_descriptor,
        "status": "succeeded",
        "transfer_group": params.transfer_group,
    }
    await world.add(topup)
    await world.emit("topup.created", topup)
    await world.emit("topup.succeeded", topup)
    return topup


readable("/v1/topups", "topup", TopupList)
updatable("/v1/topups", "topup", TopupUpdate)
