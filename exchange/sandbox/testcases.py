"""Test cards and test IBANs: what is paid with decides what happens. Nothing else is accepted.

Names and numbers are those Stripe publishes for its test mode (Testing; SEPA Direct Debit, Test your integration).
"""

from typing import Literal, NamedTuple

Outcome = Literal[
    "paid", "bypass_pending", "declined", "insufficient_funds", "authenticate", "inquiry", "dispute"
]  # fmt: skip


class Card(NamedTuple):
    """A test card: its published number, what paying with it does, what refunding it does."""

    number: str
    outcome: Outcome
    refund: Literal["plain", "waits", "fails"] = "plain"
    names: tuple[str, ...] = ()


ALL_CARDS = (
    Card("4242424242424242", "paid", names=("pm_card_visa", "tok_visa")),
    Card("4000000000000077", "bypass_pending", names=("pm_card_bypassPending", "tok_bypassPending")),
    Card("4000000000000002", "declined", names=(
        "pm_card_chargeDeclined", "pm_card_visa_chargeDeclined", "tok_chargeDeclined", "tok_visa_chargeDeclined")),
    Card("4000000000009995", "insufficient_funds", names=(
        "pm_card_visa_chargeDeclinedInsufficientFunds", "pm_card_chargeDeclinedInsufficientFunds",
        "tok_visa_chargeDeclinedInsufficientFunds", "tok_chargeDeclinedInsufficientFunds")),
    Card("4000000000000341", "declined", names=("pm_card_chargeCustomerFail", "tok_chargeCustomerFail")),
    Card("4000002760003184", "authenticate", names=(
        "pm_card_authenticationRequired", "tok_authenticationRequired")),
    Card("4000000000003220", "authenticate", names=(
        "pm_card_threeDSecure", "pm_card_threeDSecure2Required", "pm_card_threeDSecureRequired")),
    Card("4000000000001976", "inquiry", names=("pm_card_createDisputeInquiry", "tok_createDisputeInquiry")),
    Card("4000000000000259", "dispute", names=("pm_card_createDispute", "tok_createDispute")),
    Card("4000000000007726", "paid", "waits", names=("pm_card_pendingRefund", "tok_pendingRefund")),
    Card("4000000000005126", "paid", "fails", names=("pm_card_refundFail", "tok_refundFail")),
)  # fmt: skip

CARDS: dict[str, Card] = {name: card for card in ALL_CARDS for name in (card.number, *card.names)}

#: Outcome: error code, decline code, what the buyer reads.
DECLINES: dict[str, tuple[str, str, str]] = {
    "declined": ("card_declined", "generic_decline", "Your card was declined."),
    "insufficient_funds": ("card_declined", "insufficient_funds", "Your card has insufficient funds."),
    "authentication_required": (
        "authentication_required", "authentication_required",
        "Your card was declined. This transaction requires authentication.",
    ),
}  # fmt: skip

#: IBAN to what the debit does.
IBANS: dict[str, str] = {
    "AT611904300234573201": "succeeds",
    "AT321904300235473204": "succeeds_delayed",
    "AT861904300235473202": "fails",
    "AT051904300235473205": "fails_delayed",
    "AT591904300235473203": "dispute",
    "IT60X0542811101000000123456": "fails",
}


def sepa_case(iban: str) -> str | None:
    """What a debit of ``iban`` does; None if it is no test account."""
    return IBANS.get(iban)
