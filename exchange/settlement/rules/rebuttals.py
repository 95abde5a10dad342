"""What answers a disputed payment: which papers and facts, until when, and that a bank takes it once.

Source: docs.stripe.com/disputes/responding and the API's ``evidence`` hash; settlement guide §2. A dispute asks for
evidence until its ``due_by``; what is submitted cannot be changed.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum

from exchange.errors import N_, Conflict, Invalid
from exchange.settlement.rules.payments import DISPUTE_ASKS

MOST_WRITTEN = 20_000
"""Characters of one text."""


class Exhibit(StrEnum):
    """A paper, by the name Stripe has for what it shows."""

    CONTRACT = "customer_signature"
    INVOICE = "receipt"
    NOTE = "shipping_documentation"
    RECORD = "customer_communication"

    @property
    def label(self) -> str:
        """As a message id."""
        return _EXHIBITS[self]

    @property
    def file(self) -> str:
        """How its file's name begins."""
        return self.name.lower()


_EXHIBITS = {
    Exhibit.CONTRACT: N_("Contract of sale"),
    Exhibit.INVOICE: N_("Invoice or pro forma"),
    Exhibit.NOTE: N_("Delivery or collection note"),
    Exhibit.RECORD: N_("Record of the deal: what happened, and what the two sides wrote"),
}

TEXTS: Mapping[str, str] = {
    "customer_name": N_("Buyer"),
    "billing_address": N_("Buyer's address"),
    "shipping_address": N_("Delivered to"),
    "product_description": N_("Goods"),
    "shipping_carrier": N_("Carrier"),
    "shipping_tracking_number": N_("Tracking number"),
    "shipping_date": N_("Handed to the carrier"),
    "service_date": N_("With the buyer"),
}
"""What is told beside the papers, in this order, by the names Stripe has for it."""

PROVING = frozenset(
    f"deal.{fact}"
    for fact in (
        "opened", "pay", "make_ready", "ship", "follow", "prove", "arrive", "noted", "receive", "claim",
        "claim_answered", "agree_claim", "withdraw_claim", "decide", "refunded", "refunded_otherwise",
    )
)  # fmt: skip
"""What a bank is told of what happened: the sale, not what became of our own books since."""

WRITTEN = "uncategorized_text"
"""Stripe's name for what the operator writes."""

REASONS: Mapping[str, str] = {
    "bank_cannot_process": N_("the bank could not process the payment"),
    "credit_not_processed": N_("the buyer says a refund is owed"),
    "customer_initiated": N_("the buyer asked its bank for the money back"),
    "debit_not_authorized": N_("the buyer says it did not authorise the debit"),
    "duplicate": N_("the buyer says it paid twice"),
    "fraudulent": N_("the buyer says it did not make the payment"),
    "incorrect_account_details": N_("the account named is wrong"),
    "insufficient_funds": N_("the buyer's account did not cover it"),
    "product_not_received": N_("the buyer says the goods did not come"),
    "product_unacceptable": N_("the buyer says the goods are not as described"),
    "unrecognized": N_("the buyer does not recognise the payment"),
}
"""Why a bank disputes a payment, by Stripe's names; another is told as it is."""


class NotAsked(Conflict):
    """A dispute whose bank takes no evidence."""

    message = N_("The bank takes no evidence in this dispute any more.")


class EvidenceTooLate(Conflict):
    """Its time is over."""

    message = N_("The bank's time for evidence is over.")


class HandedIn(Conflict):
    """It was done before."""

    message = N_("The evidence is handed in already. A bank takes it once.")


class EvidenceMoved(Conflict):
    """Something happened between the look and the click."""

    message = N_("The deal has moved on since you opened this page. Look once more at what is handed in.")


class TooMuchWritten(Invalid):
    """More than a bank takes."""

    message = N_("Write at most %(most)s characters.")


def asks(status: str, due_by: datetime | None, now: datetime) -> bool:
    """Whether the bank takes evidence now."""
    return status in DISPUTE_ASKS and due_by is not None and now < due_by


def ensure_asked(status: str, due_by: datetime | None, now: datetime, *, handed_in: bool) -> None:
    """Raises HandedIn, EvidenceTooLate, NotAsked."""
    if handed_in:
        raise HandedIn
    if status not in DISPUTE_ASKS or due_by is None:
        raise NotAsked
    if due_by <= now:
        raise EvidenceTooLate


def ensure_written(text: str) -> None:
    """Raises TooMuchWritten."""
    if len(text) > MOST_WRITTEN:
        raise TooMuchWritten(most=MOST_WRITTEN, field="written")


def seal(parts: Iterable[object]) -> str:
    """A mark of what is handed in: who has seen one has seen it all."""
    return hashlib.sha256(repr(tuple(parts)).encode()).hexdigest()[:32]
