"""Paying by card: authorised, declined, or asked for proof by the bank (3-D Secure)."""

from exchange.sandbox.errors import Refusal
from exchange.sandbox.objects.charges import new_charge
from exchange.sandbox.objects.payment_states import public, succeed, tell
from exchange.sandbox.shapes import DAY, Doc
from exchange.sandbox.store import World
from exchange.sandbox.testcases import DECLINES

#: Authorised card money is kept this many days.
AUTHORISATION_DAYS = 7


async def ask_authentication(world: World, intent: Doc) -> None:
    url = f"{world.settings.public_url}/c/authenticate/{intent['id']}"
    intent |= {
        "status": "requires_action",
        "next_action": {
            "redirect_to_url": {"return_url": intent["_return_url"], "url": url},
            "type": "redirect_to_url",
        },
    }
    await world.save(intent)
    await world.emit("payment_intent.requires_action", intent)


async def decline(world: World, intent: Doc, method: Doc, case: str) -> Refusal:
    code, decline_code, message = DECLINES[case]
    outcome = {
        "advice_code": None, "network_advice_code": None, "network_decline_code": "01",
        "network_status": "declined_by_network", "reason": decline_code, "risk_level": "normal", "risk_score": 20,
        "seller_message": "The bank returned the decline code " + f"`{decline_code}`.", "type": "issuer_declined",
    }  # fmt: skip
    charge = await new_charge(world, intent, method, status="failed", paid=False, failure_code=code,
                           failure_message=message, outcome=outcome)  # fmt: skip
    problem: Doc = {
        "charge": charge["id"],
        "code": code,
        "decline_code": decline_code,
        "doc_url": f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}",
        "message": message,
        "payment_method": public(method),
        "type": "card_error",
    }
    intent |= {"status": "requires_payment_method", "payment_method": None, "last_payment_error": problem}
    await world.save(intent)
    await world.emit("charge.failed", charge)
    await world.emit("payment_intent.payment_failed", intent)
    return Refusal(
        message, status=402, type="card_error", code=code, decline_code=decline_code, charge=charge["id"], keep=True,
        payment_intent=public(intent), payment_method=public(method),
    )  # fmt: skip


async def authorise(world: World, intent: Doc, method: Doc) -> None:
    if intent["capture_method"] == "manual":
        charge = await new_charge(world, intent, method, status="succeeded", paid=True)
        charge["payment_method_details"]["card"]["capture_before"] = world.now + AUTHORISATION_DAYS * DAY
        await world.save(charge)
        intent |= {"status": "requires_capture", "amount_capturable": intent["amount"]}
        await world.save(intent)
        await world.emit("charge.succeeded", charge)
        await world.emit("payment_intent.amount_capturable_updated", intent)
        await world.later(world.now + AUTHORISATION_DAYS * DAY, "authorisation.expire", intent["id"])
        await tell(world, intent)
        return
    charge = await new_charge(world, intent, method, status="succeeded", paid=True, captured=True,
                           amount_captured=intent["amount"])  # fmt: skip
    await world.emit("charge.succeeded", charge)
    await succeed(world, intent, charge)
