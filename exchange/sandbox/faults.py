"""The controls of ``/_sandbox/``: move the clock, break things on purpose, act as the bank or from the Dashboard.

A control is a name, a closed set of fields and what it does. The page and the JSON door are made from this register.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from exchange.sandbox.errors import Refusal
from exchange.sandbox.objects import (
    account_shapes,
    accounts,
    balance,
    bank_transfers,
    checkout_sessions,
    customers,
    disputes,
    fraud_warnings,
    payouts,
    refunds,
    sepa_debits,
    transfers,
)
from exchange.sandbox.protocol.parameters import Closed
from exchange.sandbox.shapes import DAY, Doc
from exchange.sandbox.store import Books, World, due

Act = Callable[..., Awaitable[Doc]]


@dataclass(frozen=True)
class Control:
    name: str
    title: str
    fields: type[Closed]
    act: Act


CONTROLS: dict[str, Control] = {}


def control(name: str, title: str, fields: type[Closed]) -> Callable[[Act], Act]:
    """Register a control; ``title`` is English and the key of its French."""

    def register(act: Act) -> Act:
        CONTROLS[name] = Control(name, title, fields, act)
        return act

    return register


# ---------------------------------------------------------------- clock


class Advance(Closed):
    days: float = Field(0, ge=0, le=400)
    hours: float = Field(0, ge=0, le=10_000)
    seconds: float = Field(0, ge=0, le=10_000_000)


async def advance(books: Books, fields: Advance) -> Doc:
    """Move the virtual clock forward, running everything that falls due on the way, each at its own time."""
    async with books.reading() as world:
        target = world.now + int(fields.days * DAY + fields.hours * 3_600 + fields.seconds)
    done = await books.run_due(until=target)
    async with books.reading() as world:
        return clock(world) | {"done": done}


def clock(world: World) -> Doc:
    """Virtual now (seconds), and how far it runs ahead of the real clock."""
    return {"now": world.now, "offset_seconds": world.offset, "real": int(time.time())}


class Begin(Closed):
    days_ago: float = Field(0, ge=0, le=400)


@control("begin", "Begin in the past (only before anything has happened)", Begin)
async def begin(world: World, fields: Begin) -> Doc:
    """Set the clock back, so that a past can be played through up to today."""
    for kind in ("customer", "v2.core.account", "payment_intent"):
        if await world.select(kind, tail="limit 1"):
            raise Refusal("Something has happened here already: this clock only goes forward.")
    await world.remember("clock", {"offset": -fields.days_ago * DAY})
    return {"offset_seconds": -fields.days_ago * DAY}


# ---------------------------------------------------------------- webhooks and calls


class WebhookFaults(Closed):
    hold: bool = False
    drop_percent: int = Field(0, ge=0, le=100)
    double_percent: int = Field(0, ge=0, le=100)
    delay_seconds: float = Field(0, ge=0, le=600)
    shuffle: bool = False


@control("webhooks", "Disturb webhooks (send empty to end it)", WebhookFaults)
async def disturb_webhooks(world: World, fields: WebhookFaults) -> Doc:
    world.faults["webhooks"] = fields.model_dump()
    await world.remember("faults", world.faults)
    return world.faults


class CallFault(Closed):
    """``percent`` is the chance that a call which fits is struck; ``times``, how often it strikes at most."""

    kind: Literal["error_500", "error_500_after", "rate_limit", "lock_timeout", "conflict", "timeout_after", "no_funds"]
    method: Literal["GET", "POST", "DELETE"] = "POST"
    path: str = ""
    times: int = Field(1, ge=1, le=100_000)
    percent: int = Field(100, ge=1, le=100)
    seconds: float = Field(20, ge=0, le=120)


@control("calls", "Make the next calls fail", CallFault)
async def disturb_calls(world: World, fields: CallFault) -> Doc:
    world.faults.setdefault("calls", []).append(fields.model_dump())
    await world.remember("faults", world.faults)
    return world.faults


class Cover(Closed):
    on: bool = True


@control("bank-cover", "Let the platform's bank cover refunds that the balance does not", Cover)
async def bank_cover(world: World, fields: Cover) -> Doc:
    world.faults["uncovered"] = not fields.on
    await world.remember("faults", world.faults)
    return world.faults


class Nothing(Closed):
    pass


@control("calm", "End all disturbances", Nothing)
async def calm(world: World, fields: Nothing) -> Doc:
    await world.remember("faults", {})
    return {}


# ---------------------------------------------------------------- money and accounts


class Empty(Closed):
    account: str = ""
    currency: str = "eur"


@control("empty", "Pay out a whole balance (an account, or the platform's own)", Empty)
async def empty_balance(world: World, fields: Empty) -> Doc:
    world.account = (await account_shapes.account_of(world, fields.account))["id"] if fields.account else None
    free, _ = (await balance.funds(world, world.account)).get(fields.currency, (0, 0))
    if free <= 0:
        raise Refusal(f"Nothing available in {fields.currency}.")
    return await payouts.pay_out(world, free, fields.currency)


class Payout(Closed):
    payout: str


@control("fail-payout", "The bank refuses a payout", Payout)
async def fail_payout(world: World, fields: Payout) -> Doc:
    payout = await world.find(fields.payout)
    if payout is None or payout["object"] != "payout" or payout["status"] not in {"pending", "paid"}:
        raise Refusal("No such payout, or it has ended already.")
    return await payouts.undo_payout(world, payout, "failed")


class Standing(Closed):
    account: str
    transfers: Literal["active", "pending", "restricted", "closed"] = "restricted"


@control("account", "Change what an account may do", Standing)
async def change_account(world: World, fields: Standing) -> Doc:
    account = await account_shapes.account_of(world, fields.account)
    if fields.transfers == "closed":
        await accounts.close(world, account)
    else:
        asked = [] if fields.transfers == "active" else ["identity.business_details.id_numbers"]
        await accounts.set_standing(world, account, fields.transfers, asked, "past_due")
    return account_shapes.account_v2(world, account, ["configuration.recipient", "requirements"])


# ---------------------------------------------------------------- the buyer's bank


class Charge(Closed):
    charge: str


class NewDispute(Charge):
    inquiry: bool = False
    reason: str = "fraudulent"
    amount: int | None = None


async def _charge_of(world: World, id: str) -> Doc:
    """A charge, named by its own id or its PaymentIntent's."""
    found = await world.find(id)
    if found and found["object"] == "payment_intent" and found["latest_charge"]:
        found = await world.find(found["latest_charge"])
    if found is None or found["object"] != "charge":
        raise Refusal(f"No such charge: '{id}'")
    world.account = found["_account"]
    return found


@control("dispute", "Open a dispute on a charge or a part of it (or an inquiry, which takes no money)", NewDispute)
async def new_dispute(world: World, fields: NewDispute) -> Doc:
    charge = await _charge_of(world, fields.charge)
    return await disputes.open_dispute(
        world, charge, inquiry=fields.inquiry, reason=fields.reason, amount=fields.amount
    )


class Verdict(Closed):
    dispute: str
    won: bool = False


@control("verdict", "Decide a dispute", Verdict)
async def verdict(world: World, fields: Verdict) -> Doc:
    dispute = await world.get(fields.dispute, "dispute")
    await disputes.decide(world, fields.dispute, won=fields.won)
    return dispute


@control("fraud-warning", "Warn that a charge may be fraud", Charge)
async def fraud_warning(world: World, fields: Charge) -> Doc:
    return await fraud_warnings.warn(world, await _charge_of(world, fields.charge))


class RefundEnd(Closed):
    refund: str
    status: Literal["succeeded", "failed"] = "succeeded"


@control("refund", "Settle a pending refund, or let one fail", RefundEnd)
async def end_refund(world: World, fields: RefundEnd) -> Doc:
    refund = await world.get(fields.refund, "refund")
    if fields.status == "failed":
        await refunds.fail_refund(world, fields.refund)
    elif refund["balance_transaction"] is None:
        await refunds.retry_refund(world, fields.refund)
    else:
        await refunds.succeed_refund(world, fields.refund)
    return refund


class Transfer(Closed):
    payment_intent: str
    amount: int = Field(0, ge=0)


@control("bank-transfer", "A buyer's bank transfer arrives (amount in minor units; 0 = what is missing)", Transfer)
async def bank_transfer(world: World, fields: Transfer) -> Doc:
    intent = await world.get(fields.payment_intent, "payment_intent")
    return await arrive(world, intent, fields.amount or intent["amount"] - intent["_funded"])


async def arrive(world: World, intent: Doc, amount: int) -> Doc:
    """The buyer of ``intent`` has sent ``amount``."""
    if not intent.get("_reference"):
        raise Refusal("This PaymentIntent does not wait for a bank transfer.")
    world.account = intent["_account"]
    customer = await customers.customer_of(world, intent["customer"])
    return await bank_transfers.receive_transfer(world, customer, amount, intent["currency"], intent["_reference"])


@due("transfer.arrive")
async def _arrives(world: World, subject: str) -> None:
    """``subject`` is the PaymentIntent's id and the amount, as the buyer chose on the pay page."""
    id, _, amount = subject.partition("|")
    intent = await world.find(id)
    if intent and int(amount) > 0:
        await arrive(world, intent, int(amount))


class Debit(Closed):
    payment_intent: str


@control("debit", "A SEPA debit comes to its end now", Debit)
async def end_debit(world: World, fields: Debit) -> Doc:
    intent = await world.get(fields.payment_intent, "payment_intent")
    await sepa_debits.end_debit(world, fields.payment_intent)
    return intent


# ---------------------------------------------------------------- from the Dashboard


class ManualRefund(Charge):
    amount: int = Field(0, ge=0)


@control("dashboard-refund", "Refund by hand, as from the Dashboard (amount 0 = the rest)", ManualRefund)
async def dashboard_refund(world: World, fields: ManualRefund) -> Doc:
    charge = await _charge_of(world, fields.charge)
    return await refunds.create_refund(world, refunds.RefundCreate(charge=charge["id"], amount=fields.amount or None))


class Reversal(Closed):
    transfer: str
    amount: int = Field(0, ge=0)


@control("dashboard-reversal", "Reverse a transfer by hand, as from the Dashboard", Reversal)
async def dashboard_reversal(world: World, fields: Reversal) -> Doc:
    return await transfers.create_reversal(
        world, transfers.ReversalCreate(amount=fields.amount or None), fields.transfer
    )


class Session(Closed):
    session: str


@control("expire", "Expire a Checkout Session now", Session)
async def expire(world: World, fields: Session) -> Doc:
    session = await world.get(fields.session, "checkout.session")
    if session["status"] != "open":
        raise Refusal(f"This session is {session['status']}.")
    await checkout_sessions.expire(world, session)
    return session
