"""Charges: one try to pay that reached the bank, and the money it brought."""

from typing import Any

from exchange.sandbox.objects.balance import AVAILABLE_AFTER_DAYS, fee_of, move
from exchange.sandbox.protocol.expansion import INCLUDES
from exchange.sandbox.protocol.lists import page
from exchange.sandbox.protocol.parameters import Listed, Metadata, Paged, Params
from exchange.sandbox.protocol.register import overlay, readable, route
from exchange.sandbox.shapes import DAY, Doc, new_id
from exchange.sandbox.store import World, due


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
        fee=fee_of(method, charge["amount_captured"], charge["currency"]),
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


_CARD_ON_CHARGE = (
    "brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4", "regulated_status",
    "wallet",
)  # fmt: skip


async def new_charge(world: World, intent: Doc, method: Doc, **fields: Any) -> Doc:
    kind = method["type"]
    details: Doc = {"type": kind, kind: {}}
    if kind == "card":
        card = method["card"]
        details["card"] = {name: card[name] for name in _CARD_ON_CHARGE} | {
            "amount_authorized": intent["amount"],
            "authorization_code": "SBX000",
            "extended_authorization": {"status": "disabled"},
            "incremental_authorization": {"status": "unavailable"},
            "installments": None,
            "mandate": None,
            "multicapture": {"status": "unavailable"},
            "network": "visa",
            "network_token": {"used": False},
            "network_transaction_id": None,
            "overcapture": {"maximum_amount_capturable": intent["amount"], "status": "unavailable"},
            "three_d_secure": None,
        }
    elif kind == "sepa_debit":
        sepa = method["sepa_debit"]
        details["sepa_debit"] = {n: sepa[n] for n in ("bank_code", "branch_code", "country", "fingerprint", "last4")}
        details["sepa_debit"] |= {"mandate": new_id("mandate")}
    charge = bare_charge(world, new_id("ch" if kind == "card" else "py"), intent["amount"], intent["currency"])
    charge |= {
        "authorization_code": "SBX000" if kind == "card" else None,
        "billing_details": method["billing_details"],
        "customer": intent["customer"],
        "description": intent["description"],
        "metadata": dict(intent["metadata"]),
        "outcome": {"advice_code": None, "network_advice_code": None, "network_decline_code": None,
                    "network_status": "approved_by_network", "reason": None, "risk_level": "normal", "risk_score": 20,
                    "seller_message": "Payment complete.", "type": "authorized"},
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": details,
        "receipt_email": intent["receipt_email"],
        "shipping": intent["shipping"],
        "statement_descriptor": intent["statement_descriptor"],
        "transfer_group": intent["transfer_group"],
        "_bypass_pending": method["_case"] == "bypass_pending",
        "_case": method["_case"],
        "_refund": method["_refund"],
    } | fields  # fmt: skip
    await world.add(charge)
    intent["latest_charge"] = charge["id"]
    return charge


class ChargeList(Listed):
    customer: str | None = None
    payment_intent: str | None = None
    transfer_group: str | None = None


class ChargeUpdate(Params):
    description: str = ""
    metadata: Metadata = {}
    transfer_group: str | None = None


async def _refunds_of(world: World, charge: Doc) -> Doc:
    newest = await world.select("refund", "doc->>'charge' = $2", charge["id"], tail="order by seq desc limit 11")
    url = f"/v1/charges/{charge['id']}/refunds"
    return {"object": "list", "data": newest[:10], "has_more": len(newest) > 10, "url": url}


INCLUDES["charge", "refunds"] = _refunds_of

readable("/v1/charges", "charge", ChargeList)


@route("POST", "/v1/charges/{id}", ChargeUpdate)
async def update_charge(world: World, params: ChargeUpdate, id: str) -> Doc:
    return await overlay(world, await world.get(id, "charge"), params, "charge.updated")


@route("GET", "/v1/charges/{id}/refunds", Paged)
async def list_refunds_of(world: World, params: Paged, id: str) -> Doc:
    await world.get(id, "charge")
    return await page(world, "refund", params, charge=id)
