"""What is asked of Stripe: plain parameters, frozen in the operation's row, so a second try sends the same body."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from exchange.money import Money
from exchange.payable import units

Params = dict[str, Any]


def recipient_params(*, email: str, name: str, country: str, currency: str) -> Params:
    """A company that receives transfers and sees an Express dashboard (settlement guide §2, *Accounts*)."""
    transfers = {"stripe_balance": {"stripe_transfers": {"requested": True}}}
    return {
        "contact_email": email,
        "display_name": name,
        "dashboard": "express",
        "identity": {"country": country.lower(), "entity_type": "company"},
        "configuration": {"recipient": {"capabilities": transfers}},
        "defaults": {
            "currency": currency.lower(),
            "responsibilities": {"fees_collector": "application", "losses_collector": "application"},
        },
        "include": ["configuration.recipient", "requirements"],
    }


def customer_params(*, email: str) -> Params:
    """A buyer; no name leaves us."""
    return {"email": email}


def checkout_params(
    *,
    customer: str,
    obligation: UUID,
    deal: UUID,
    label: str,
    total: Money,
    methods: Sequence[str],
    expires_at: datetime,
    back_to: str,
) -> Params:
    """A hosted pay page for one obligation. ``label`` names the goods in general: no company's name goes here.

    Of ``methods`` Stripe offers those that are switched on at its Dashboard too.
    """
    return {
        "mode": "payment",
        "customer": customer,
        "client_reference_id": str(obligation),
        "allowed_payment_method_types": list(methods),
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": total.currency.lower(),
                    "unit_amount": units(total),
                    "product_data": {"name": label},
                },
            }
        ],
        "payment_intent_data": {"transfer_group": str(deal)},
        "expires_at": int(expires_at.timestamp()),
        "success_url": f"{back_to}?cs={{CHECKOUT_SESSION_ID}}",
        "cancel_url": back_to,
    }


def transfer_params(*, destination: str, amount: Money, charge: str, deal: UUID) -> Params:
    """One leg, tied to its charge: it succeeds before the money is available and never sends more than came in."""
    return {
        "destination": destination,
        "amount": units(amount),
        "currency": amount.currency.lower(),
        "source_transaction": charge,
        "transfer_group": str(deal),
    }


def refund_params(*, charge: str, amount: Money) -> Params:
    return {"charge": charge, "amount": units(amount)}


def cash_return_params(*, customer: str, amount: Money) -> Params:
    """What lies in the customer's cash balance, back to the bank account it came from; never on our balance (†)."""
    return {
        "origin": "customer_balance",
        "customer": customer,
        "amount": units(amount),
        "currency": amount.currency.lower(),
    }


def reversal_params(*, transfer: str, amount: Money) -> Params:
    return {"transfer": transfer, "amount": units(amount)}


def evidence_params(*, dispute: str, evidence: Params) -> Params:
    """What answers a dispute, texts and ids of files, handed in to the bank at once."""
    return {"dispute": dispute, "evidence": evidence, "submit": True}


def keyed(key: UUID) -> Any:
    """The options of a write under the operation's id."""
    return {"idempotency_key": str(key)}


def marked(params: Params, key: UUID) -> Any:
    """The same with the operation's id in the object's metadata."""
    return {**params, "metadata": {**params.get("metadata", {}), "operation_id": str(key)}}
