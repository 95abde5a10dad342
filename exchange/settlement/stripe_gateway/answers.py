"""What Stripe answers, as our own: the few facts of each object that settlement needs, and how they are read."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from exchange.money import Money
from exchange.payable import IN_HUNDREDTHS
from exchange.settlement.rules.drift import Movement
from exchange.settlement.stripe_gateway.requests import Params


@dataclass(frozen=True, slots=True)
class Session:
    """A Checkout Session with what its PaymentIntent and charge say."""

    id: str
    url: str | None
    reference: str | None
    operation_id: str | None
    livemode: bool
    status: str
    paid: bool
    amount: Money
    intent_id: str | None
    intent_status: str | None
    received_minor: int | None
    charge: "Charge | None"
    awaited: "Awaited | None" = None


@dataclass(frozen=True, slots=True)
class Awaited:
    """A bank transfer that has not arrived, or not whole."""

    missing: Money
    reference: str | None
    """What the transfer should quote."""
    instructions: str | None
    """The page that tells the buyer where to send it."""


@dataclass(frozen=True, slots=True)
class Cash:
    """What lies in a buyer's cash balance: sent by bank transfer, taken by no payment."""

    available: tuple[Money, ...]
    traces: tuple[str, ...]
    """The PaymentIntents and references its movements name, newest first."""


@dataclass(frozen=True, slots=True)
class Charge:
    """What reached us; ``fee`` is known once its balance transaction exists."""

    id: str
    method: str | None
    amount: Money
    fee: Money | None
    available_on: datetime | None


@dataclass(frozen=True, slots=True)
class Refund:
    id: str
    status: str
    amount: Money
    operation_id: str | None
    charge_id: str | None


@dataclass(frozen=True, slots=True)
class Transfer:
    id: str
    amount: Money
    destination: str
    operation_id: str | None


@dataclass(frozen=True, slots=True)
class Dispute:
    id: str
    status: str
    amount: Money
    charge_id: str
    moved: "tuple[Moved, ...]" = ()
    """What the bank took from our balance, and gave back; nothing for an inquiry."""
    reason: str = "general"
    """Why the buyer's bank disputes it, as Stripe names it."""
    due_by: datetime | None = None
    """Until when evidence is taken; nothing where none is."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What has become of a charge: asked once more just before its money leaves."""

    disputes: tuple[str, ...]
    """Every dispute of it, decided or not."""
    against: tuple[str, ...]
    """Those that are not won."""
    refunds: tuple[Refund, ...]
    fraud_warning: str | None


@dataclass(frozen=True, slots=True)
class Moved:
    """One balance transaction of a dispute: ``amount`` is signed, ``fee`` is taken beside it."""

    id: str
    amount: Money
    fee: Money


@dataclass(frozen=True, slots=True)
class Recipient:
    """A seller's account; money can be sent to it while ``active``."""

    id: str
    status: str
    """Of the capability to receive transfers: ``active``, ``pending``, ``restricted``, ``unsupported``, ``closed``."""
    due: tuple[str, ...]
    """What Stripe still asks of the seller."""
    operation_id: str | None

    @property
    def active(self) -> bool:
        return self.status == "active"


@dataclass(frozen=True, slots=True)
class Payout:
    """Money on its way from a seller's account to its bank."""

    id: str
    status: str
    amount: Money
    failure: str | None
    """Why the bank refused it, as Stripe names it."""
    created: datetime
    arrives: datetime


@dataclass(frozen=True, slots=True)
class News:
    """An event, verified or fetched: a hint that something changed."""

    id: str
    thin: bool
    type: str
    created: datetime
    livemode: bool
    account: str | None
    object_id: str | None
    api_version: str | None
    payload: Params


# --- reading


def plain(found: Any) -> Params:
    return found if isinstance(found, dict) else cast(Params, found.to_dict(for_json=True))


def money_in(units: int, currency: str) -> Money:
    """What Stripe's integer ``units`` of ``currency`` are. Raises ValueError for a part of what cannot be divided."""
    code = currency.upper()
    if code in IN_HUNDREDTHS and units % 100:
        raise ValueError(f"{units} hundredths of {code}")
    return Money(units // 100 if code in IN_HUNDREDTHS else units, code)


def operation_in(found: Params) -> str | None:
    return (found.get("metadata") or {}).get("operation_id")


def dispute_in(d: Params) -> Dispute:
    moved = tuple(
        Moved(m["id"], money_in(m["amount"], m["currency"]), money_in(m["fee"], m["currency"]))
        for m in d["balance_transactions"]
    )
    due_by = d["evidence_details"].get("due_by")
    return Dispute(
        id=d["id"],
        status=d["status"],
        amount=money_in(d["amount"], d["currency"]),
        charge_id=d["charge"],
        moved=moved,
        reason=d["reason"],
        due_by=_at(due_by) if due_by else None,
    )


def _at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def session_in(found: Any) -> Session:
    s = plain(found)
    intent = s.get("payment_intent")
    expanded = intent if isinstance(intent, dict) else None
    charge = expanded.get("latest_charge") if expanded else None
    return Session(
        id=s["id"],
        url=s.get("url"),
        reference=s.get("client_reference_id"),
        operation_id=operation_in(s),
        livemode=s["livemode"],
        status=s["status"],
        paid=s["payment_status"] == "paid",
        amount=money_in(s["amount_total"], s["currency"]),
        intent_id=expanded["id"] if expanded else intent,
        intent_status=expanded["status"] if expanded else None,
        received_minor=money_in(expanded["amount_received"], s["currency"]).minor if expanded else None,
        charge=_charge(charge) if isinstance(charge, dict) else None,
        awaited=_awaited(expanded) if expanded else None,
    )


def _awaited(intent: Params) -> Awaited | None:
    told = (intent.get("next_action") or {}).get("display_bank_transfer_instructions")
    if told is None or intent["status"] != "requires_action":
        return None
    missing = money_in(told["amount_remaining"], intent["currency"])
    return Awaited(missing, told.get("reference"), told.get("hosted_instructions_url"))


def cash_in(balance: Params, movements: list[Params]) -> Cash:
    """The balance, and what its ``movements``, newest first, were about."""
    traces = []
    for movement in movements:
        about = movement.get(movement["type"]) or {}
        trace = about.get("payment_intent") or (about.get("bank_transfer") or {}).get("reference")
        if trace:
            traces.append(trace)
    available = (balance.get("available") or {}).items()
    return Cash(tuple(money_in(minor, currency) for currency, minor in available if minor > 0), tuple(traces))


def _charge(found: Params) -> Charge:
    balance = found.get("balance_transaction")
    settled = balance if isinstance(balance, dict) else None
    return Charge(
        id=found["id"],
        method=(found.get("payment_method_details") or {}).get("type"),
        amount=money_in(found["amount_captured"], found["currency"]),
        fee=money_in(settled["fee"], settled["currency"]) if settled else None,
        available_on=_at(settled["available_on"]) if settled else None,
    )


def refund_in(found: Any) -> Refund:
    r = plain(found)
    return Refund(r["id"], r["status"], money_in(r["amount"], r["currency"]), operation_in(r), r.get("charge"))


def transfer_in(found: Any) -> Transfer:
    t = plain(found)
    return Transfer(t["id"], money_in(t["amount"], t["currency"]), t["destination"], operation_in(t))


def recipient_in(found: Any) -> Recipient:
    a = plain(found)
    configuration = (a.get("configuration") or {}).get("recipient") or {}
    balance = (configuration.get("capabilities") or {}).get("stripe_balance") or {}
    entries = (a.get("requirements") or {}).get("entries") or []
    return Recipient(
        id=a["id"],
        status="closed" if a.get("closed") else (balance.get("stripe_transfers") or {}).get("status", "pending"),
        due=tuple(entry["description"] for entry in entries),
        operation_id=operation_in(a),
    )


def payout_in(found: Any) -> Payout:
    p = plain(found)
    return Payout(
        id=p["id"],
        status=p["status"],
        amount=money_in(p["amount"], p["currency"]),
        failure=p.get("failure_code"),
        created=_at(p["created"]),
        arrives=_at(p["arrival_date"]),
    )


def movement_in(row: Any) -> Movement:
    try:
        net = money_in(row["net"], row["currency"])
        currency, minor = net.currency, net.minor
    except ValueError:
        currency, minor = row["currency"].lower(), row["net"]
    return Movement(row["id"], str(row["source"] or row["id"]), row["type"], currency, minor)


def news_in(event: Params) -> News:
    thin = event["object"] == "v2.core.event"
    about = (event.get("related_object") or {}) if thin else event["data"]["object"]
    created = datetime.fromisoformat(event["created"]) if thin else _at(event["created"])
    return News(
        id=event["id"],
        thin=thin,
        type=event["type"],
        created=created,
        livemode=event["livemode"],
        account=event.get("account") or event.get("context"),
        object_id=about.get("id"),
        api_version=event.get("api_version"),
        payload=event,
    )
