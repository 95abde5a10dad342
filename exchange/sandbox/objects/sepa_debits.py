"""Paying by SEPA direct debit: days of waiting, then paid or returned."""

from exchange.sandbox.objects.charges import new_charge
from exchange.sandbox.objects.payment_states import public, succeed, tell
from exchange.sandbox.shapes import DAY, Doc
from exchange.sandbox.store import World, due

#: Days a SEPA debit takes, and a delayed one.
SEPA_DAYS, SEPA_DELAYED_DAYS = 5, 14


async def debit(world: World, intent: Doc, method: Doc) -> None:
    charge = await new_charge(world, intent, method, status="pending")
    intent |= {"status": "processing"}
    await world.save(intent)
    await world.emit("charge.pending", charge)
    await world.emit("payment_intent.processing", intent)
    days = SEPA_DELAYED_DAYS if method["_case"].endswith("_delayed") else SEPA_DAYS
    await world.later(world.now + days * DAY, "debit.end", intent["id"])
    await tell(world, intent)


@due("debit.end")
async def end_debit(world: World, id: str) -> None:
    """The debtor's bank has answered."""
    intent = await world.find(id)
    if intent is None or intent["status"] != "processing":
        return
    world.account = intent["_account"]
    charge = await world.get(intent["latest_charge"], "charge")
    if not charge["_case"].startswith("fails"):
        charge |= {"status": "succeeded", "paid": True, "captured": True, "amount_captured": charge["amount"]}
        await world.save(charge)
        await world.emit("charge.succeeded", charge, previous={"status": "pending"})
        await succeed(world, intent, charge)
        return
    method = await world.get(intent["payment_method"], "payment_method")
    message = "The bank returned the debit: insufficient funds."
    charge |= {"status": "failed", "failure_code": "insufficient_funds", "failure_message": message}
    intent |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "processing": None,
        "last_payment_error": {
            "charge": charge["id"],
            "code": "payment_intent_payment_attempt_failed",
            "decline_code": "insufficient_funds",
            "doc_url": "https://stripe.com/docs/error-codes/payment-intent-payment-attempt-failed",
            "message": message,
            "payment_method": public(method),
            "type": "card_error",
        },
    }
    await world.save(charge)
    await world.save(intent)
    await world.emit("charge.failed", charge, previous={"status": "pending"})
    await world.emit("payment_intent.payment_failed", intent)
    await tell(world, intent)
