"""Refunds: to the card or account that paid, or out of a customer's cash balance."""

from typing import Literal

from exchange.sandbox.errors import Refusal, malformed
from exchange.sandbox.objects.balance import funds, move
from exchange.sandbox.objects.cash_balances import move_cash
from exchange.sandbox.objects.charges import settle
from exchange.sandbox.protocol.parameters import Amount, Currency, Listed, Metadata, Params, Retrieve
from exchange.sandbox.protocol.register import overlay, readable, route
from exchange.sandbox.shapes import DAY, Doc, new_id
from exchange.sandbox.store import World, due


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
    refund = bare_refund(world, new_id("re" if method == "card" else "pyr"), amount, charge["currency"]) | {
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
    of_charge = ("charge.refund.updated",) if refund["charge"] else ()
    for type in dict.fromkeys((event, "refund.updated", *of_charge)):
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
    if refund is None or refund["status"] not in {"pending", "requires_action"}:
        return
    if refund["balance_transaction"] or refund["charge"] is None:
        before, refund["status"] = refund["status"], "succeeded"
        refund.pop("pending_reason", None)
        refund.pop("next_action", None)
        await _changed(world, refund, before)


@due("refund.fail")
async def fail_refund(world: World, id: str) -> None:
    """The buyer's bank sends a refund back: the money returns to where it came from, our balance or the customer's."""
    refund = await world.find(id)
    if refund is None or refund["status"] in {"failed", "canceled"}:
        return
    before, refund["status"] = refund["status"], "failed"
    refund.pop("pending_reason", None)
    refund["failure_reason"] = "declined"
    if refund["balance_transaction"]:
        booked = await move(world, type="refund_failure", amount=refund["amount"], currency=refund["currency"],
                            source=refund["id"], account=refund["_account"])  # fmt: skip
        refund["failure_balance_transaction"] = booked["id"]
    if refund["charge"] is None:
        customer = await world.get(refund["customer"], "customer")
        await move_cash(world, customer, refund["amount"], refund["currency"], "return_canceled")
    else:
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
    refund = bare_refund(world, new_id("pyr"), params.amount, params.currency) | {
        "customer": customer["id"],
        "metadata": params.metadata,
        "reason": params.reason,
        "pending_reason": "processing",
    }
    await world.add(refund)
    await move_cash(world, customer, -params.amount, params.currency, "return_initiated")
    await world.emit("refund.created", refund)
    await world.later(world.now + DAY, "refund.succeed", refund["id"])
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


@route("POST", "/v1/refunds/{id}", RefundUpdate)
async def update_refund(world: World, params: RefundUpdate, id: str) -> Doc:
    refund = await world.get(id, "refund")
    before = dict(refund["metadata"])
    await overlay(world, refund, params, "refund.updated")
    if refund["metadata"] != before:
        await world.emit("charge.refund.updated", refund, previous={"metadata": before})
    return refund
