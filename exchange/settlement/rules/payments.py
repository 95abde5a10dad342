"""A payment attempt, an intended call, and what a retrieved Checkout Session proves.

Source: settlement guide §2 (*Checkout*), §3, §4; money list 1 to 6, 12 to 15, 20, 41, 45.
"""

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random

from exchange.money import Money


class PaymentState(StrEnum):
    """Where one attempt to pay stands."""

    OPEN = "open"
    """A pay page exists or is being made."""
    PROCESSING = "processing"
    """The buyer has confirmed; the money takes days to arrive."""
    PAID = "paid"
    FAILED = "failed"
    EXPIRED = "expired"
    SURPLUS = "surplus"
    """Paid although nothing was owed any more: refunded in full."""

    @property
    def live(self) -> bool:
        """Whether it stands in the way of another attempt for the same obligation."""
        return self in {PaymentState.OPEN, PaymentState.PROCESSING, PaymentState.PAID}


class OperationState(StrEnum):
    """Where one intended write at Stripe stands."""

    PLANNED = "planned"
    SENT = "sent"
    DONE = "done"
    FAILED = "failed"
    """Stripe refused for good: nothing happened there."""
    UNKNOWN = "unknown"
    """The answer never came: it may have happened. Asked again with the same key while the key lives."""
    HELD = "held"
    """Its key had been used with another body, a fault of ours: nothing more is asked until a person says so."""

    @property
    def final(self) -> bool:
        return self in {OperationState.DONE, OperationState.FAILED}


class Kind(StrEnum):
    """What an operation intends."""

    ACCOUNT = "account.create"
    CUSTOMER = "customer.create"
    CHECKOUT = "checkout.create"
    EXPIRE = "session.expire"
    CANCEL = "pi.cancel"
    """A bank transfer that did not come whole in time is no longer awaited."""
    REFUND = "refund"
    RETURN = "cash.return"
    """Money in a buyer's cash balance goes back to the buyer's bank."""
    TRANSFER = "transfer"
    REVERSAL = "reversal"
    EXHIBIT = "evidence.file"
    """A paper that answers a dispute is uploaded."""
    EVIDENCE = "evidence"
    """A dispute is answered, to the bank and for good."""


class LegState(StrEnum):
    """Where one receiver's part stands."""

    PLANNED = "planned"
    """Not due yet, or about to be sent."""
    PARKED = "parked"
    """Due, but its receiver cannot be paid yet."""
    SENT = "sent"
    """Asked of Stripe."""
    PAID = "paid"


class ReversalState(StrEnum):
    """Where the taking back of a leg stands."""

    PLANNED = "planned"
    DONE = "done"
    SHORT = "short"
    """The receiver's account could not give it back."""
    DROPPED = "dropped"
    """The dispute it was for was won before it could be taken back."""


class RefundState(StrEnum):
    """Where a refund stands, in Stripe's words."""

    PLANNED = "planned"
    PENDING = "pending"
    REQUIRES_ACTION = "requires_action"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    """By the bank; or, where it was never made, needless: the buyer has it from its bank, or by the operator's hand."""
    OTHERWISE = "otherwise"
    """In ours: it came back, and the operator paid the buyer another way."""

    @property
    def out(self) -> bool:
        """Whether the money has left our balance."""
        return self in {RefundState.PENDING, RefundState.REQUIRES_ACTION, RefundState.SUCCEEDED, RefundState.OTHERWISE}


REFUND_IDS = ("re_", "pyr_")
"""How the ids of refunds begin at Stripe: of a card's charge, and of any other way's payment."""


class ReturnReason(StrEnum):
    """Why money a buyer sent by bank transfer goes back."""

    OVER = "over"
    """More than the payment took."""
    SHORT = "short"
    """Less than was due when the time to pay was over."""
    LATE = "late"
    """It came when nothing was due any more."""


def return_reason(payment: PaymentState, arrived_minor: int) -> ReturnReason:
    """Why what lies in a cash balance goes back, by the payment it was sent for and what that had taken of it."""
    if payment in {PaymentState.PAID, PaymentState.SURPLUS}:
        return ReturnReason.OVER
    return ReturnReason.SHORT if arrived_minor else ReturnReason.LATE


class Obstacle(StrEnum):
    """Why a transfer that was decided is not sent after all, as its charge stands at the last moment."""

    DISPUTED = "disputed"
    WARNED = "fraud_warning"
    """The card network takes the payment for fraud, and the operator has not cleared it."""
    REFUNDED = "refunded_by_hand"
    """Money went back that no operation of ours sent."""


def obstacle(*, disputed: bool, warned: bool, refunds: Set[str], ours: Set[str]) -> Obstacle | None:
    """What stands in the way of a transfer from a charge with these ``refunds``, of which ``ours`` are explained."""
    if disputed:
        return Obstacle.DISPUTED
    if refunds - ours:
        return Obstacle.REFUNDED
    return Obstacle.WARNED if warned else None


DISPUTE_WON = frozenset({"won", "warning_closed", "prevented"})
"""A dispute's ends, in Stripe's words, after which the buyer's bank holds nothing of the payment."""


DISPUTE_ASKS = frozenset({"needs_response", "warning_needs_response"})
"""While a dispute stands so, its bank takes evidence."""

DISPUTE_REVIEWED = frozenset({"under_review", "warning_under_review"})
"""What was handed in is with the bank: no news for who handed it in."""

KEY_LIVES = timedelta(hours=24)
"""Stripe forgets an idempotency key after a day; one hour before, the operation is looked up instead of sent again."""

SESSION_LIVES_AT_LEAST = timedelta(minutes=31)
SESSION_LIVES_AT_MOST = timedelta(hours=23, minutes=59)
"""A Checkout Session's ``expires_at`` lies between 30 minutes and 24 hours ahead; a minute is left for the journey."""


def session_expiry(due_at: datetime, now: datetime) -> datetime:
    """When the pay page closes: with the obligation, within what Stripe allows."""
    return max(now + SESSION_LIVES_AT_LEAST, min(due_at, now + SESSION_LIVES_AT_MOST))


def key_alive(first_sent_at: datetime | None, now: datetime) -> bool:
    """Whether sending again under the same key is sure to be a replay and not a second deed."""
    return first_sent_at is None or now - first_sent_at < KEY_LIVES - timedelta(hours=1)


def back_off(attempts: int, chance: Random) -> timedelta:
    """How long to wait before try number ``attempts + 1``: doubling from 2 s to 15 min, with up to a half of jitter."""
    seconds = min(2.0 * 2 ** min(attempts, 12), 900.0)
    return timedelta(seconds=seconds * (0.75 + chance.random() / 2))


RETRY_SOONEST = timedelta(minutes=5)
RETRY_LATEST = timedelta(hours=6)


def retry(since: datetime, now: datetime) -> datetime:
    """When to ask again for what has been refused for one reason ``since`` then: the waits double, within bounds."""
    return now + min(max(now - since, RETRY_SOONEST), RETRY_LATEST)


class Proof(StrEnum):
    """What a retrieved session says about our obligation."""

    OPEN = "open"
    PROCESSING = "processing"
    PAID = "paid"
    EXPIRED = "expired"
    FAILED = "failed"
    FOREIGN = "foreign"
    """Not this obligation's session: another's id in the return address, or another mode."""
    MISMATCH = "mismatch"
    """Ours, but paid in another sum or currency than is owed: refund and alert."""


@dataclass(frozen=True, slots=True)
class Retrieved:
    """A Checkout Session as Stripe tells it now, in the words this needs."""

    reference: str | None
    livemode: bool
    status: str
    """``open``, ``complete`` or ``expired``."""
    paid: bool
    """``payment_status`` is ``paid``."""
    intent_status: str | None
    amount: Money
    received_minor: int | None
    """``amount_received`` of the PaymentIntent, where there is one: the truth about what came in."""


def proof(session: Retrieved, *, reference: str, livemode: bool, owed: Money) -> Proof:
    """What ``session`` proves about the obligation ``reference`` that owes ``owed``."""
    if session.reference != reference or session.livemode is not livemode:
        return Proof.FOREIGN
    if session.status == "expired":
        return Proof.EXPIRED
    if session.status == "open":
        return Proof.OPEN
    if session.intent_status == "canceled":
        return Proof.FAILED  # an authorisation that expired; the page goes on saying paid
    if session.paid and session.intent_status == "requires_capture":
        return Proof.PROCESSING  # promised by the bank, not yet taken: nothing is held
    if session.paid:
        received = session.amount.minor if session.received_minor is None else session.received_minor
        return Proof.PAID if Money(received, session.amount.currency) == owed else Proof.MISMATCH
    if session.intent_status == "requires_payment_method":
        return Proof.FAILED
    return Proof.PROCESSING


_RANK = {
    PaymentState.OPEN: 0,
    PaymentState.PROCESSING: 1,
    PaymentState.FAILED: 2,
    PaymentState.EXPIRED: 2,
    PaymentState.PAID: 3,
    PaymentState.SURPLUS: 3,
}


def advance(state: PaymentState, to: PaymentState) -> bool:
    """Whether a payment in ``state`` may become ``to``: never a step back, whatever order the news comes in.

    Money that arrives after an attempt was thought failed or expired still counts; what was paid stays paid.
    """
    return _RANK[to] > _RANK[state]
