"""What happens next on a deal, by whom, until when, and what follows if nobody moves: to each side in its words."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from exchange.errors import N_
from exchange.settlement.rules.books import Account, Fact
from exchange.settlement.rules.claims import Standing
from exchange.settlement.rules.deal import Ending, Side, State


@dataclass(frozen=True, slots=True)
class Next:
    """The one thing a deal waits for.

    ``whose`` is the side to move (``STRIPE`` for the payment service); ``text`` tells the reader what is to be done,
    ``otherwise`` what happens at ``until`` if it is not. Both are message ids.
    """

    whose: Side
    text: str
    until: datetime | None
    otherwise: str | None


_WHOSE: Mapping[State, Side] = {
    State.AWAITING_PAYMENT: Side.BUYER,
    State.POOLED: Side.CLOCK,
    State.PAID: Side.SELLER,
    State.READY: Side.BUYER,
    State.UNCOLLECTED: Side.BUYER,
    State.SHIPPED: Side.BUYER,
    State.OVERDUE: Side.SELLER,
    State.DELIVERED: Side.BUYER,
    State.CLAIMED: Side.SELLER,
    State.OPERATOR: Side.OPERATOR,
    State.CLOSING: Side.STRIPE,
}

_MINE: Mapping[State, str] = {
    State.AWAITING_PAYMENT: N_("Pay, so that the seller can prepare the goods. Your payment is held until receipt."),
    State.PAID: N_(
        "The payment is held. Hand the goods to a carrier, or tell the buyer they are ready for collection."
    ),
    State.READY: N_("The goods are ready. Collect them, and sign the note together."),
    State.UNCOLLECTED: N_("The goods still wait for you. Collect them before the seller cancels."),
    State.SHIPPED: N_("The goods are on their way. Say so when they arrive."),
    State.OVERDUE: N_("The buyer reports no delivery. Enter the carrier's proof of delivery."),
    State.DELIVERED: N_("Check the goods: confirm that all is right, or claim what is not."),
    State.CLAIMED: N_("The buyer claims part of the price. Agree, or name the sum you find right."),
    State.OPERATOR: N_("Hear both sides and decide how the money held is shared out."),
}

_THEIRS: Mapping[State, str] = {
    State.AWAITING_PAYMENT: N_("The buyer pays. Do not ship before the payment is held."),
    State.POOLED: N_("The payment is held, and nothing ships, until enough of the lot is paid."),
    State.PAID: N_("The seller hands the goods to a carrier or readies them for collection."),
    State.READY: N_("The buyer collects the goods and signs the note with you."),
    State.UNCOLLECTED: N_("The buyer has not come for the goods. From the fourteenth day on you may cancel."),
    State.SHIPPED: N_("The buyer receives the goods."),
    State.OVERDUE: N_("The seller proves that the goods were delivered."),
    State.DELIVERED: N_("The buyer checks the goods."),
    State.CLAIMED: N_("The seller answers your claim."),
    State.OPERATOR: N_("The operator of the exchange hears both sides and decides."),
    State.CLOSING: N_("The money is on its way to whom it belongs. Nothing is left for you to do."),
}

_WATCHED: Mapping[State, str] = {
    State.READY: N_("The buyer collects the goods and signs the note with the seller."),
    State.UNCOLLECTED: N_("The buyer has not come for the goods. From the fourteenth day on the seller may cancel."),
    State.CLAIMED: N_("The seller answers the buyer's claim."),
    State.CLOSING: N_("The money is on its way to whom it belongs."),
}
"""What the operator reads where the other side is spoken to as "you"."""

_OTHERWISE: Mapping[State, str] = {
    State.AWAITING_PAYMENT: N_("Otherwise the deal lapses and the goods are for sale again."),
    State.POOLED: N_("Otherwise nobody buys, and every buyer is refunded in full."),
    State.PAID: N_("Otherwise the buyer is refunded in full."),
    State.READY: N_("Otherwise the operator is told."),
    State.UNCOLLECTED: N_("From then on the seller may cancel, and the buyer is refunded."),
    State.SHIPPED: N_("Otherwise the seller is asked for proof of delivery."),
    State.OVERDUE: N_("Otherwise the goods count as undelivered and the buyer is refunded."),
    State.DELIVERED: N_("Otherwise the goods count as accepted and the seller is paid."),
    State.CLAIMED: N_("Otherwise the operator decides."),
    State.OPERATOR: N_("Otherwise the operator is called again."),
}


_UNDERWAY: Mapping[Side, str] = {
    Side.BUYER: N_(
        "Your payment is on its way; a direct debit takes about five working days. Nothing is left for you to do."
    ),
    Side.SELLER: N_(
        "The buyer's payment is on its way; a direct debit takes about five working days. "
        "Do not ship before it is held."
    ),
    Side.OPERATOR: N_("The buyer's payment is on its way; a direct debit takes about five working days."),
}
_DISPUTED: Mapping[Side, str] = {
    Side.BUYER: N_("Your bank disputes the payment. The deal stands still until your bank has decided."),
    Side.SELLER: N_("The buyer's bank disputes the payment. Do not hand over the goods until it has decided."),
    Side.OPERATOR: N_("The buyer's bank disputes the payment. The deal stands still until it has decided."),
}
_MISSED = N_(
    "Too few units of this lot were paid in time: the sale does not go ahead. What was paid goes back in full."
)
_UNDECIDED = N_("The money stands still until the buyer's bank has decided.")


_ANSWERED = {
    Side.BUYER: N_("The seller has answered. Take what is offered, withdraw the claim, or ask the operator to decide."),
    Side.SELLER: N_("The buyer considers your answer. You may still name a higher sum."),
    Side.OPERATOR: N_("The buyer considers the seller's answer."),
}
_LATE = N_("The seller has not answered in time. You may ask the operator to decide.")
_THEN_THE_OPERATOR = N_("From then on the buyer may ask the operator to decide.")


def next_step(
    state: State,
    reader: Side,
    due_at: datetime | None,
    claim: Standing | None = None,
    *,
    disputed: bool = False,
    missed: bool = False,
    underway: bool = False,
) -> Next | None:
    """What a deal in ``state`` waits for, told to ``reader``; ``None`` when nothing is left to wait for.

    ``claim`` is the open claim of a deal, if there is one. While the payment is ``disputed`` goods that have not left
    stay where they are; what has left is received and checked as ever, only the money stands still. ``missed`` says
    that too few units of the lot were paid: what is on its way is awaited only to be given back. ``underway`` says that
    the buyer has paid and the money takes its days: the deal does not lapse meanwhile.
    """
    if state.final:
        return None
    if disputed and state in {State.POOLED, State.PAID, State.READY, State.UNCOLLECTED}:
        return Next(Side.STRIPE, _DISPUTED[reader], None, None)
    if disputed and state is State.CLOSING:
        return Next(Side.STRIPE, _UNDECIDED, None, None)
    if missed and state in {State.AWAITING_PAYMENT, State.POOLED}:
        return Next(Side.STRIPE, _MISSED, None, None)
    if underway and state is State.AWAITING_PAYMENT:
        return Next(Side.STRIPE, _UNDERWAY[reader], None, None)
    stopped = disputed and state is State.OVERDUE
    whose, until, otherwise = _WHOSE[state], None if stopped else due_at, _OTHERWISE.get(state)
    theirs = _WATCHED.get(state, _THEIRS[state]) if reader is Side.OPERATOR else _THEIRS[state]
    text = _MINE[state] if reader is whose and state in _MINE else theirs
    if state is State.CLAIMED and claim is not None:
        if claim.answered:
            whose, text = Side.BUYER, _ANSWERED[reader]
        elif not claim.late:
            until, otherwise = claim.answer_by, _THEN_THE_OPERATOR
        elif reader is Side.BUYER:
            text = _LATE
    return Next(whose, text, until, otherwise if until else None)


_ENDED: Mapping[State, str] = {
    State.SETTLED: N_("The deal is settled: the seller has been paid."),
    State.PARTLY_REFUNDED: N_(
        "The deal is settled: part of the price went back to the buyer, the seller has the rest."
    ),
    State.REFUNDED: N_("The deal is closed: the buyer has been refunded in full."),
    State.UNPAID: N_("The deal has lapsed: it was not paid in time. The goods are for sale again."),
}

_WHY: Mapping[Ending, str] = {
    Ending.RECEIVED: N_("The buyer has received the goods and found them right."),
    Ending.SILENT: N_("The time to check the goods passed without a claim: they count as accepted."),
    Ending.CLAIM_AGREED: N_("Both sides agreed on the claim."),
    Ending.CLAIM_WITHDRAWN: N_("The buyer withdrew the claim."),
    Ending.DECIDED: N_("The operator of the exchange decided."),
    Ending.CANCELLED: N_("Both sides called the deal off."),
    Ending.NOT_SHIPPED: N_("The seller did not hand over the goods in time."),
    Ending.UNDELIVERED: N_("The delivery of the goods was not proven."),
    Ending.NOT_COLLECTED: N_("The buyer did not collect the goods."),
    Ending.CHARGED_BACK: N_("The buyer's bank decided for the buyer and gave the payment back."),
    Ending.UNPAID: N_("The buyer did not pay in time."),
    Ending.MISSED: N_("Too few units of this lot were paid in time: the sale does not go ahead."),
}


_NOBODYS_FAULT = N_("The deal is closed: nothing had been paid, and nobody is at fault.")


_SINCE: Mapping[str, str] = {
    "deal.refund_released": N_("Later the operator of the exchange refunded the buyer, at the seller's expense."),
    "deal.charged_back": N_("The buyer's bank took the disputed money back for the buyer."),
}


def ended(state: State, ending: Ending | None, happened: Collection[str] = ()) -> list[str]:
    """How a deal came to its end, in message ids: why first, then what became of the money once it all arrived.

    ``happened`` are the journal's facts: what gave money back after the deal was decided is told between the two.
    """
    why = [_WHY[ending]] if ending is not None else []
    if ending is not None and ending is not Ending.CHARGED_BACK:
        why += [text for fact, text in _SINCE.items() if fact in happened]
    if ending is Ending.MISSED and state is State.UNPAID:
        return [*why, _NOBODYS_FAULT]
    return why + ([_ENDED[state]] if state.final else [])


STATE_NAMES: Mapping[State, str] = {
    State.AWAITING_PAYMENT: N_("awaiting payment"),
    State.POOLED: N_("paid, held for the threshold"),
    State.PAID: N_("paid, held"),
    State.READY: N_("ready for collection"),
    State.UNCOLLECTED: N_("not collected yet"),
    State.SHIPPED: N_("shipped"),
    State.OVERDUE: N_("delivery to be proven"),
    State.DELIVERED: N_("being checked"),
    State.CLAIMED: N_("claim open"),
    State.OPERATOR: N_("with the operator"),
    State.CLOSING: N_("money on its way"),
    State.SETTLED: N_("settled"),
    State.PARTLY_REFUNDED: N_("settled, partly refunded"),
    State.REFUNDED: N_("refunded"),
    State.UNPAID: N_("lapsed"),
}
"""What each state is called on pages and in mails."""

HAPPENED: Mapping[str, str] = {
    "deal.opened": N_("Agreed: the deal was opened"),
    "deal.pay": N_("The payment arrived and is held until receipt"),
    "deal.go_ahead": N_("Enough of the lot is paid: the sale goes ahead"),
    "deal.miss": N_("Too few units of the lot were paid in time: the sale does not go ahead"),
    "deal.make_ready": N_("The goods are ready for collection"),
    "deal.ship": N_("The goods were handed to the carrier"),
    "deal.follow": N_("The carrier reported that the goods have moved on"),
    "deal.prove": N_("The seller proved the delivery"),
    "deal.arrive": N_("The goods arrived; the buyer checks them"),
    "deal.noted": N_("The buyer added what stands on the delivery note"),
    "deal.receive": N_("The buyer confirmed that all is right"),
    "deal.claim": N_("The buyer made a claim"),
    "deal.claim_answered": N_("The seller answered the claim"),
    "deal.agree_claim": N_("Both sides agreed on the claim"),
    "deal.withdraw_claim": N_("The buyer withdrew the claim"),
    "deal.escalate": N_("The buyer asked the operator to decide"),
    "deal.decide": N_("The operator decided"),
    "deal.cancel_asked": N_("One side asked to call the deal off"),
    "deal.cancel": N_("Both sides called the deal off"),
    "deal.give_up": N_("The seller cancelled: the goods were not collected"),
    "deal.lapse": N_("The time ran out"),
    "deal.alarm": N_("The payment was held for too long; the operator was called"),
    "deal.parked": N_("The seller's part waits until the seller's account can receive money"),
    "deal.transferred": N_("The seller's part was sent to the seller's account"),
    "deal.refunded": N_("The refund was sent to the buyer"),
    "deal.refund_failed": N_("The buyer's bank returned the refund; the operator was called"),
    "deal.reopened": N_("The deal is open again until the buyer has the refund"),
    "deal.refund_again": N_("The refund did not go through; the operator tried it again"),
    "deal.refunded_by_hand": N_("The operator had refunded the buyer by hand; it counts"),
    "deal.leg_given": N_("A part that could not be paid out goes back to the buyer, by the operator's order"),
    "deal.refunded_otherwise": N_("The operator paid the buyer another way"),
    "deal.disputed": N_("The buyer's bank disputes the payment; the money stands still"),
    "deal.evidence_sent": N_("The operator handed in to the buyer's bank what proves the sale"),
    "deal.charged_back": N_("The buyer's bank decided for the buyer and keeps the disputed money"),
    "deal.dispute_won": N_("The buyer's bank decided for the seller; the money moves again"),
    "deal.taken_back": N_("The seller's part is taken back from the seller's account"),
    "deal.short": N_("The seller's account could not give its part back; the seller owes it"),
    "deal.refund_released": N_("The operator refunds the buyer after the seller was paid"),
    "deal.close": N_("Every cent has reached its receiver: the deal is closed"),
    "payment.processing": N_("The payment is on its way; this can take some days"),
    "payment.short": N_("A bank transfer arrived that does not cover what is due"),
    "payment.returned": N_("Money from a bank transfer that was not due goes back to the buyer"),
    "payment.return_failed": N_("The buyer's bank did not take the money back; the operator was called"),
    "payment.failed": N_("A payment failed; nothing was charged"),
    "payment.expired": N_("The pay page was closed without a payment"),
    "payment.surplus": N_("Money arrived that was not owed; it goes back to the buyer in full"),
}
"""What the journal's facts are called on the timeline; a fact that is not here is for the operator's eyes only."""

MOVED: Mapping[Fact, str] = {
    Fact.PAID: N_("Paid by the buyer, held"),
    Fact.SURPLUS_PAID: N_("Paid although nothing was owed"),
    Fact.FEE: N_("Fee of the payment service, borne by the exchange"),
    Fact.REFUNDED: N_("Refunded to the buyer"),
    Fact.SURPLUS_REFUNDED: N_("Given back: it was not owed"),
    Fact.REFUND_FAILED: N_("Refund returned by the buyer's bank, held again"),
    Fact.TRANSFERRED: N_("Sent to the seller"),
    Fact.EARNED: N_("Commission of the exchange, tax included"),
    Fact.REVERSED: N_("Taken back from the seller"),
    Fact.DISPUTE_TAKEN: N_("Taken by the buyer's bank while it decides"),
    Fact.DISPUTE_RETURNED: N_("Returned by the buyer's bank"),
    Fact.DISPUTE_LOST: N_("Kept by the buyer's bank for the buyer"),
    Fact.GIVEN_BACK: N_("Commission given back, tax included"),
    Fact.ADVANCED: N_("Advanced by the exchange, owed by the seller"),
    Fact.RECOVERED: N_("Paid back by the seller"),
    Fact.PAID_OUT: N_("Paid out to the exchange's bank account"),
    Fact.PAID_IN: N_("Come from the exchange's bank account"),
    Fact.PAID_OTHERWISE: N_("Paid to the buyer by the exchange, another way"),
    Fact.BY_HAND: N_("Refunded to the buyer by the operator's own hand"),
    Fact.CASH_ARRIVED: N_("Arrived by bank transfer, not due"),
    Fact.CASH_RETURNED: N_("Sent back to the buyer's bank"),
    Fact.CASH_BACK_AGAIN: N_("Returned by the buyer's bank, to be sent back another way"),
    Fact.EXTERNAL: N_("Moved by hand at the payment service"),
}
"""What a posting is called on the deal's page."""

ACCOUNTS: Mapping[Account, str] = {
    Account.STRIPE: N_("Balance at the payment service"),
    Account.CASH: N_("With the payment service in buyers' names, on its way back"),
    Account.BANK: N_("Our bank account"),
    Account.HELD: N_("Held for deals"),
    Account.COMMISSION: N_("Commission earned"),
    Account.VAT: N_("VAT on commission, owed"),
    Account.FEES: N_("Fees of the payment service"),
    Account.SURPLUS: N_("Paid without being owed, to be given back"),
    Account.RECEIVABLE: N_("Owed to us by sellers"),
    Account.DISPUTED: N_("With buyers' banks, in dispute"),
    Account.LOSSES: N_("Lost in disputes"),
    Account.EXTERNAL: N_("Moved by hand, to be explained"),
}
"""What the ledger's accounts are called."""
