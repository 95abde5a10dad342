"""What happens next on a deal, by whom, until when, and what follows if nobody moves: told to each side in its words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from exchange.errors import N_
from exchange.settlement.rules.deal import Side, State


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
    State.READY: N_("The goods are ready. Collect them and sign the note together."),
    State.UNCOLLECTED: N_("The goods still wait for you. Collect them before the seller cancels."),
    State.SHIPPED: N_("The goods are on their way. Say so when they arrive."),
    State.OVERDUE: N_("The buyer reports no delivery. Enter the carrier's proof of delivery."),
    State.DELIVERED: N_("Check the goods: confirm that all is right, or claim what is not."),
    State.CLAIMED: N_("The buyer claims part of the price. Agree, or name the sum you find right."),
    State.OPERATOR: N_("Decide how the money held is shared out."),
}

_THEIRS: Mapping[State, str] = {
    State.AWAITING_PAYMENT: N_("The buyer pays. Do not ship before the payment is held."),
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

_OTHERWISE: Mapping[State, str] = {
    State.AWAITING_PAYMENT: N_("otherwise the deal lapses and the goods are for sale again"),
    State.PAID: N_("otherwise the buyer is refunded in full"),
    State.READY: N_("otherwise the operator is told"),
    State.UNCOLLECTED: N_("from then on the seller may cancel, and the buyer is refunded"),
    State.SHIPPED: N_("otherwise the seller is asked for proof of delivery"),
    State.OVERDUE: N_("otherwise the goods count as undelivered and the buyer is refunded"),
    State.DELIVERED: N_("otherwise the goods count as accepted and the seller is paid"),
    State.CLAIMED: N_("otherwise the operator decides"),
    State.OPERATOR: N_("otherwise the operator is called again"),
}


def next_step(state: State, reader: Side, due_at: datetime | None) -> Next | None:
    """What a deal in ``state`` waits for, told to ``reader``; ``None`` when nothing is left to wait for."""
    if state.final:
        return None
    whose = _WHOSE[state]
    text = _MINE[state] if reader is whose and state in _MINE else _THEIRS[state]
    return Next(whose, text, due_at, _OTHERWISE.get(state) if due_at else None)
