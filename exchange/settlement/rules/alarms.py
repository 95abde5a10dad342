"""What a person must look at, in words: what happened, and what is to be done."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal, NamedTuple

from exchange.errors import N_
from exchange.settlement.rules.deal import Move, State

AlarmKind = Literal[
    "balance_insufficient",
    "converted",
    "decision_late",
    "disputed",
    "evidence_refused",
    "foreign_payment",
    "fraud_warning",
    "held_too_long",
    "key_reused",
    "not_collected",
    "paper_refused",
    "paper_rejected",
    "parked_too_long",
    "pay_page_refused",
    "platform_away",
    "rate_missing",
    "refund_failed",
    "refund_refused",
    "request_changed",
    "return_failed",
    "reversal_short",
    "surplus_payment",
    "to_decide",
    "transfer_refused",
]


WAITING: frozenset[AlarmKind] = frozenset({"parked_too_long", "refund_failed", "refund_refused", "return_failed"})
"""Somebody's money waits for what the operator does."""

CALLED_AGAIN = timedelta(days=6, hours=12)
"""How soon the operator is called again about it: once a week, by a look each day that is now earlier, now later."""


class Alarm(NamedTuple):
    """Both are message ids."""

    what: str
    do: str


ALARMS: Mapping[AlarmKind, Alarm] = {
    "balance_insufficient": Alarm(
        N_("Our balance does not cover a payment"),
        N_("The balance at the payment service is too low for what a receiver is owed. Top it up; the rest follows."),
    ),
    "converted": Alarm(
        N_("A payment was converted"),
        N_("The payment service settled it in another currency than the deal's: books and balance differ from now on."),
    ),
    "decision_late": Alarm(
        N_("A decision is overdue"),
        N_("The time to decide is over and the money is still held. Both sides wait for you."),
    ),
    "disputed": Alarm(
        N_("A buyer's bank disputes a payment, or has news of its dispute"),
        N_("Answer it on the deal's page before the day named there. The deal's money stands still meanwhile."),
    ),
    "evidence_refused": Alarm(
        N_("The evidence for a dispute was not taken"),
        N_("What the payment service said stands on the evidence page of the deal. Hand it in anew, in time."),
    ),
    "foreign_payment": Alarm(
        N_("A pay page names another payment"),
        N_("Nothing of it was booked here. Look at the payment at the payment service."),
    ),
    "fraud_warning": Alarm(
        N_("The card network takes a payment for fraud"),
        N_("Nothing is sent to the seller. Look at the deal; refund the buyer, or let the money go."),
    ),
    "held_too_long": Alarm(
        N_("Money has been held for seventy-five days"),
        N_("Decide today how it is shared out: it may not be held much longer."),
    ),
    "key_reused": Alarm(
        N_("An order to the payment service was mixed up with another"),
        N_("It is held. Look at the payment service whether it was carried out, then at your page of the money."),
    ),
    "not_collected": Alarm(
        N_("Goods were not collected"),
        N_("The buyer has let its time pass. Speak to both; from the fourteenth day on the seller may cancel."),
    ),
    "paper_refused": Alarm(
        N_("An invoice does not pass the official checks"),
        N_("It is not issued until it does. The deal's page names the fault."),
    ),
    "paper_rejected": Alarm(
        N_("An invoice was rejected by the approved platform"),
        N_("What the platform says stands beside the paper on the deal's page, for its issuer too."),
    ),
    "platform_away": Alarm(
        N_("The approved platform does not take an invoice"),
        N_("It is called again every six hours. What it answers stands beside the paper on the deal's page."),
    ),
    "parked_too_long": Alarm(
        N_("A receiver still cannot be paid"),
        N_(
            "It was decided long ago, and an account cannot receive its part. Call the receiver, or give it to another."
        ),
    ),
    "pay_page_refused": Alarm(
        N_("A pay page was refused"),
        N_("The buyer cannot pay. What the payment service said stands on your page of the money."),
    ),
    "rate_missing": Alarm(
        N_("An invoice waits for an exchange rate"),
        N_("The European Central Bank's rates of its day are not loaded. The command “exchange rates” loads them."),
    ),
    "refund_failed": Alarm(
        N_("A refund came back"),
        N_("The buyer's bank returned it. Ask the buyer for another account, pay it and enter the reference."),
    ),
    "refund_refused": Alarm(
        N_("A refund was refused"),
        N_("The buyer is still owed its money. Try it again on the deal's page, or pay it another way."),
    ),
    "request_changed": Alarm(
        N_("An order to the payment service was changed after it had been decided"),
        N_(
            "It is held and never sent. Find out who changed it, put back what stood there from a backup, "
            "then have it asked for again on your page of the money."
        ),
    ),
    "return_failed": Alarm(
        N_("A bank transfer could not be sent back"),
        N_("The buyer sent it without owing it. Ask the buyer for another account, pay it and enter the reference."),
    ),
    "reversal_short": Alarm(
        N_("A seller's account cannot give its part back"),
        N_("The exchange advances it and the seller owes it. It is asked for again every day."),
    ),
    "surplus_payment": Alarm(
        N_("Money arrived that was not owed"),
        N_("It goes back to the buyer in full. Find out why it came: another sum, a second payment, or too late."),
    ),
    "to_decide": Alarm(
        N_("A deal waits for your decision"),
        N_("Hear both sides and decide how the money held is shared out."),
    ),
    "transfer_refused": Alarm(
        N_("A receiver could not be paid"),
        N_("The payment service refused the transfer. It is tried again; the receiver was asked to check its account."),
    ),
}


def called(to: State, move: Move, *, again: bool) -> AlarmKind | None:
    """Why the operator is called when a deal takes ``move`` into ``to``, which it was in before if ``again``."""
    if to is State.OPERATOR:
        if move is Move.ALARM:
            return "held_too_long"
        return "decision_late" if move is Move.LAPSE and again else "to_decide"
    return "not_collected" if to is State.UNCOLLECTED and not again else None
