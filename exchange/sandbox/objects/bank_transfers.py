"""Paying by bank transfer: the buyer sends money, which is matched to what waits for it."""

from exchange.sandbox.errors import Refusal
from exchange.sandbox.objects.cash_balances import cash_balance, move_cash
from exchange.sandbox.objects.charges import new_charge
from exchange.sandbox.objects.customers import customer_of
from exchange.sandbox.objects.payment_states import succeed, tell
from exchange.sandbox.protocol.parameters import Amount, Currency, Params
from exchange.sandbox.protocol.register import route
from exchange.sandbox.shapes import Doc, new_id
from exchange.sandbox.store import World


class FundCash(Params):
    amount: Amount
    currency: Currency
    reference: str | None = None


_RAILS = {"eur": "eu_bank_transfer", "gbp": "gb_bank_transfer", "jpy": "jp_bank_transfer", "mxn": "mx_bank_transfer",
          "usd": "us_bank_transfer"}  # fmt: skip


async def await_transfer(world: World, intent: Doc) -> None:
    if not intent["customer"]:
        message = "Bank transfers (customer_balance) need a customer."
        raise Refusal(message, code="parameter_missing", param="customer")
    if intent["currency"] not in _RAILS:
        raise Refusal(f"Bank transfers are not available in {intent['currency']}.", param="currency")
    intent["_reference"] = f"SBX{new_id('x')[-10:].upper()}"
    intent |= {"status": "requires_action"}
    _instruct(world, intent)
    await world.save(intent)
    await world.emit("payment_intent.requires_action", intent)
    await tell(world, intent)
    await _apply_cash(world, await customer_of(world, intent["customer"]), [intent])


def _instruct(world: World, intent: Doc) -> None:
    """Where to send the rest: a fictional account that no bank knows (the IBAN's bank code is all zeros)."""
    nowhere = {"city": "Nowhere", "country": "FR", "line1": "SANDBOX", "line2": None, "postal_code": "00000",
               "state": None}  # fmt: skip
    if intent["currency"] == "jpy":
        address: Doc = {"type": "zengin", "supported_networks": ["zengin"], "zengin": {
            "account_holder_address": nowhere, "account_holder_name": "SANDBOX", "account_number": "0000000",
            "account_type": "futsu", "bank_address": nowhere, "bank_code": "0000", "bank_name": "SANDBOX",
            "branch_code": "000", "branch_name": "SANDBOX"}}  # fmt: skip
    else:
        address = {"type": "iban", "supported_networks": ["sepa"], "iban": {
            "account_holder_address": nowhere, "account_holder_name": "SANDBOX - no real account",
            "bank_address": nowhere, "bic": "SBXXFRPPXXX", "country": "FR",
            "iban": "FR7600000000000000000000097"}}  # fmt: skip
    intent["next_action"] = {
        "type": "display_bank_transfer_instructions",
        "display_bank_transfer_instructions": {
            "amount_remaining": intent["amount"] - intent["_funded"],
            "currency": intent["currency"],
            "financial_addresses": [address],
            "hosted_instructions_url": f"{world.settings.public_url}/c/instructions/{intent['id']}",
            "reference": intent["_reference"],
            "type": _RAILS[intent["currency"]],
        },
    }


@route("POST", "/v1/test_helpers/customers/{id}/fund_cash_balance", FundCash)
async def fund_cash_balance(world: World, params: FundCash, id: str) -> Doc:
    customer = await customer_of(world, id, "id")
    return await receive_transfer(world, customer, params.amount, params.currency, params.reference)


async def receive_transfer(world: World, customer: Doc, amount: int, currency: str, reference: str | None) -> Doc:
    """A bank transfer arrives and is matched: by reference, then by exact amount, then oldest first."""
    rail = _RAILS.get(currency, "eu_bank_transfer")
    bank = {"bic": "SBXXFRPPXXX", "iban_last4": "0097", "sender_name": "SANDBOX BUYER"}
    funded = {"bank_transfer": {"eu_bank_transfer": bank, "reference": reference, "type": rail}}
    note = await move_cash(world, customer, amount, currency, "funded", {"funded": funded})
    waiting = [
        intent
        for intent in await world.select("payment_intent", "doc->>'customer' = $2", customer["id"])
        if intent["status"] == "requires_action" and intent["currency"] == currency and intent.get("_reference")
    ]
    waiting.sort(key=lambda i: (i["_reference"] != reference, i["amount"] - i["_funded"] != amount))
    await _apply_cash(world, customer, waiting)
    if customer["_cash"].get(currency, 0) > 0:
        await world.emit("cash_balance.funds_available", await cash_balance(world, customer),
                         account=customer["_account"])  # fmt: skip
    return note


async def _apply_cash(world: World, customer: Doc, intents: list[Doc]) -> None:
    for intent in intents:
        currency = intent["currency"]
        held, rest = customer["_cash"].get(currency, 0), intent["amount"] - intent["_funded"]
        part = min(held, rest)
        if part <= 0:
            continue
        await move_cash(world, customer, -part, currency, "applied_to_payment",
                          {"applied_to_payment": {"payment_intent": intent["id"]}})  # fmt: skip
        intent["_funded"] += part
        if part < rest:
            _instruct(world, intent)
            await world.save(intent)
            await world.emit("payment_intent.partially_funded", intent)
            continue
        method = await world.get(intent["payment_method"], "payment_method")
        charge = await new_charge(world, intent, method, status="succeeded", paid=True, captured=True,
                               amount_captured=intent["amount"])  # fmt: skip
        await world.emit("charge.succeeded", charge)
        await succeed(world, intent, charge)
