"""The deal's machine: its states, who may move it where, and what the clock does when nobody moves.

Source: domain guide §7.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from exchange.errors import N_, Conflict, NotAllowed


class State(StrEnum):
    """Where a deal stands. The last four are final."""

    AWAITING_PAYMENT = "awaiting_payment"
    POOLED = "pooled"
    """Paid, and held until enough of the lot is paid by all its buyers: nothing leaves before."""
    PAID = "paid"
    """The buyer's money is held; the seller prepares the goods."""
    READY = "ready"
    """The goods wait at the seller's for collection."""
    UNCOLLECTED = "uncollected"
    """Ready for too long: the operator was told, and after fourteen days the seller may cancel."""
    SHIPPED = "shipped"
    OVERDUE = "overdue"
    """Shipped and no movement for fourteen days: the seller is asked to prove delivery."""
    DELIVERED = "delivered"
    """With the buyer, who checks."""
    CLAIMED = "claimed"
    OPERATOR = "operator"
    """Waiting for the operator's decision."""
    CLOSING = "closing"
    """How the money is shared out is decided; refunds and transfers are on their way."""
    SETTLED = "settled"
    PARTLY_REFUNDED = "partly_refunded"
    REFUNDED = "refunded"
    UNPAID = "unpaid"

    @property
    def final(self) -> bool:
        return self in FINAL

    @property
    def holds_money(self) -> bool:
        """Whether the buyer's money is held in this state."""
        return self is not State.AWAITING_PAYMENT and not self.final


FINAL = frozenset({State.SETTLED, State.PARTLY_REFUNDED, State.REFUNDED, State.UNPAID})


class Side(StrEnum):
    """Who moves a deal."""

    BUYER = "buyer"
    SELLER = "seller"
    OPERATOR = "operator"
    STRIPE = "stripe"
    """The payment service: money came in, or all of it went out."""
    CLOCK = "clock"


class Move(StrEnum):
    """What may be done to a deal; the page, the journal and the job share the word."""

    PAY = "pay"
    GO_AHEAD = "go_ahead"
    """Enough of the lot is paid: the seller prepares the goods, and its clock starts."""
    MISS = "miss"
    """Too little of the lot was paid by its last day: nobody buys."""
    MAKE_READY = "make_ready"
    SHIP = "ship"
    FOLLOW = "follow"
    """The seller passes on what the carrier said: the goods have moved."""
    PROVE = "prove"
    """The seller shows that the buyer has the goods: the carrier's proof of delivery, or the note both signed."""
    ARRIVE = "arrive"
    """The buyer has the goods and starts to check them."""
    RECEIVE = "receive"
    """The buyer has checked the goods: all right."""
    CLAIM = "claim"
    ANSWER_CLAIM = "answer_claim"
    """The seller says what it finds right, or contests the claim."""
    AGREE_CLAIM = "agree_claim"
    """The other side takes the sum named last."""
    WITHDRAW_CLAIM = "withdraw_claim"
    ESCALATE = "escalate"
    DECIDE = "decide"
    CANCEL = "cancel"
    """Both sides call the deal off before the goods leave."""
    GIVE_UP = "give_up"
    """The seller cancels what the buyer never collected."""
    LAPSE = "lapse"
    """Nobody moved in time."""
    ALARM = "alarm"
    """Money held for seventy-five days: the operator must decide, and is called every day until it has."""
    CHARGE_BACK = "charge_back"
    """The buyer's bank has decided for the buyer and keeps the money."""
    CHARGE_BACK_PART = "charge_back_part"
    """The same for a part of it only: the operator shares out the rest."""
    CLOSE = "close"
    """Every cent has reached its receiver."""


class Ending(StrEnum):
    """Why a deal's money was shared out as it was."""

    RECEIVED = "received"
    SILENT = "silent"
    """The buyer said nothing within the inspection time: accepted."""
    CLAIM_AGREED = "claim_agreed"
    CLAIM_WITHDRAWN = "claim_withdrawn"
    DECIDED = "decided"
    CANCELLED = "cancelled"
    NOT_SHIPPED = "not_shipped"
    UNDELIVERED = "undelivered"
    NOT_COLLECTED = "not_collected"
    CHARGED_BACK = "charged_back"
    """The buyer's bank gave the buyer its money back before the goods were accepted."""
    UNPAID = "unpaid"
    MISSED = "missed"
    """The lot's threshold was not reached: nobody's fault."""

    @property
    def striker(self) -> Side | None:
        """The side whose reliability this ending marks (domain guide §10), if any."""
        return {
            Ending.UNPAID: Side.BUYER,
            Ending.NOT_COLLECTED: Side.BUYER,
            Ending.NOT_SHIPPED: Side.SELLER,
            Ending.UNDELIVERED: Side.SELLER,
        }.get(self)

    @property
    def refunds_all(self) -> bool:
        """Whether the buyer gets the whole sum back."""
        return self in {
            Ending.CANCELLED, Ending.NOT_SHIPPED, Ending.UNDELIVERED, Ending.NOT_COLLECTED, Ending.MISSED,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One arrow of the machine."""

    by: frozenset[Side]
    to: State
    ending: Ending | None = None


@dataclass(frozen=True, slots=True)
class Clock:
    """How long a side has: ``days`` of the calendar, or business days of that side's company."""

    days: int
    business: bool
    whose: Side


CLOCKS: Mapping[State, Clock] = {
    State.AWAITING_PAYMENT: Clock(2, True, Side.BUYER),
    State.PAID: Clock(10, False, Side.SELLER),
    State.READY: Clock(5, True, Side.BUYER),
    State.UNCOLLECTED: Clock(14, False, Side.BUYER),
    State.SHIPPED: Clock(14, False, Side.SELLER),
    State.OVERDUE: Clock(3, True, Side.SELLER),
    State.DELIVERED: Clock(5, True, Side.BUYER),
    State.CLAIMED: Clock(8, True, Side.SELLER),
    State.OPERATOR: Clock(10, True, Side.SELLER),
}
"""How long a deal may stay in a state. UNCOLLECTED counts from the day the goods were ready and OPERATOR from the day
the claim was made, where there is one; what runs out there only calls the operator again. POOLED has none of its
own: it ends with the lot's last day, for all its buyers at once."""

ANSWER_CLOCK = Clock(3, True, Side.SELLER)
"""The seller answers a claim within three business days; from the fourth the buyer may escalate."""

REMIND_AFTER: Mapping[State, Clock] = {
    State.AWAITING_PAYMENT: Clock(1, True, Side.BUYER),
    State.PAID: Clock(7, False, Side.SELLER),
    State.READY: Clock(4, True, Side.BUYER),
    State.OVERDUE: Clock(2, True, Side.SELLER),
    State.DELIVERED: Clock(4, True, Side.BUYER),
    State.CLAIMED: Clock(2, True, Side.SELLER),
}
"""When the side a clock runs for is reminded: a business day before the end, so that a working day is left to act."""

HELD_AT_MOST = Clock(75, False, Side.OPERATOR)
"""Days after payment when the operator must decide (settlement guide §2, hold limits)."""

ALARM_AGAIN = Clock(1, False, Side.OPERATOR)
"""How soon the operator is called again about money held too long."""

BUYER, SELLER, OPERATOR, STRIPE, CLOCK = (
    frozenset({Side.BUYER}),
    frozenset({Side.SELLER}),
    frozenset({Side.OPERATOR}),
    frozenset({Side.STRIPE}),
    frozenset({Side.CLOCK}),
)

_MACHINE: dict[tuple[State, Move], Step] = {
    (State.AWAITING_PAYMENT, Move.PAY): Step(STRIPE, State.PAID),
    (State.AWAITING_PAYMENT, Move.LAPSE): Step(CLOCK, State.UNPAID, Ending.UNPAID),
    (State.AWAITING_PAYMENT, Move.MISS): Step(CLOCK, State.UNPAID, Ending.MISSED),
    (State.POOLED, Move.GO_AHEAD): Step(CLOCK, State.PAID),
    (State.POOLED, Move.MISS): Step(CLOCK, State.CLOSING, Ending.MISSED),
    (State.POOLED, Move.CANCEL): Step(BUYER | SELLER, State.CLOSING, Ending.CANCELLED),
    (State.PAID, Move.MAKE_READY): Step(SELLER, State.READY),
    (State.PAID, Move.SHIP): Step(SELLER, State.SHIPPED),
    (State.PAID, Move.CANCEL): Step(BUYER | SELLER, State.CLOSING, Ending.CANCELLED),
    (State.PAID, Move.LAPSE): Step(CLOCK, State.CLOSING, Ending.NOT_SHIPPED),
    (State.READY, Move.SHIP): Step(SELLER, State.SHIPPED),
    (State.READY, Move.CANCEL): Step(BUYER | SELLER, State.CLOSING, Ending.CANCELLED),
    (State.READY, Move.LAPSE): Step(CLOCK, State.UNCOLLECTED),
    (State.UNCOLLECTED, Move.GIVE_UP): Step(SELLER, State.CLOSING, Ending.NOT_COLLECTED),
    (State.UNCOLLECTED, Move.LAPSE): Step(CLOCK, State.UNCOLLECTED),
    (State.READY, Move.PROVE): Step(SELLER, State.DELIVERED),
    (State.UNCOLLECTED, Move.PROVE): Step(SELLER, State.DELIVERED),
    (State.SHIPPED, Move.FOLLOW): Step(SELLER, State.SHIPPED),
    (State.SHIPPED, Move.PROVE): Step(SELLER, State.DELIVERED),
    (State.SHIPPED, Move.LAPSE): Step(CLOCK, State.OVERDUE),
    (State.OVERDUE, Move.PROVE): Step(SELLER, State.DELIVERED),
    (State.OVERDUE, Move.LAPSE): Step(CLOCK, State.CLOSING, Ending.UNDELIVERED),
    (State.DELIVERED, Move.RECEIVE): Step(BUYER, State.CLOSING, Ending.RECEIVED),
    (State.DELIVERED, Move.CLAIM): Step(BUYER, State.CLAIMED),
    (State.DELIVERED, Move.LAPSE): Step(CLOCK, State.CLOSING, Ending.SILENT),
    (State.CLAIMED, Move.ANSWER_CLAIM): Step(SELLER, State.CLAIMED),
    (State.CLAIMED, Move.AGREE_CLAIM): Step(BUYER | SELLER, State.CLOSING, Ending.CLAIM_AGREED),
    (State.CLAIMED, Move.WITHDRAW_CLAIM): Step(BUYER, State.CLOSING, Ending.CLAIM_WITHDRAWN),
    (State.CLAIMED, Move.ESCALATE): Step(BUYER, State.OPERATOR),
    (State.CLAIMED, Move.LAPSE): Step(CLOCK, State.OPERATOR),
    (State.OPERATOR, Move.ANSWER_CLAIM): Step(SELLER, State.OPERATOR),
    (State.OPERATOR, Move.AGREE_CLAIM): Step(BUYER | SELLER, State.CLOSING, Ending.CLAIM_AGREED),
    (State.OPERATOR, Move.WITHDRAW_CLAIM): Step(BUYER, State.CLOSING, Ending.CLAIM_WITHDRAWN),
    (State.OPERATOR, Move.DECIDE): Step(OPERATOR, State.CLOSING, Ending.DECIDED),
    (State.OPERATOR, Move.LAPSE): Step(CLOCK, State.OPERATOR),
    (State.OPERATOR, Move.MISS): Step(CLOCK, State.CLOSING, Ending.MISSED),
}
for _state in (State.READY, State.UNCOLLECTED, State.SHIPPED, State.OVERDUE):
    # The goods are with the buyer the moment the buyer says so, whatever the carrier's papers say.
    _MACHINE[_state, Move.ARRIVE] = Step(BUYER, State.DELIVERED)
    _MACHINE[_state, Move.RECEIVE] = Step(BUYER, State.CLOSING, Ending.RECEIVED)
    _MACHINE[_state, Move.CLAIM] = Step(BUYER, State.CLAIMED)
for _state in State:
    if _state.holds_money and _state is not State.CLOSING:
        _MACHINE[_state, Move.ALARM] = Step(CLOCK, State.OPERATOR)
        _MACHINE.setdefault((_state, Move.DECIDE), Step(OPERATOR, State.CLOSING, Ending.DECIDED))
for _state in State:
    if _state.holds_money and _state is not State.CLOSING:
        _MACHINE[_state, Move.CHARGE_BACK] = Step(STRIPE, State.CLOSING, Ending.CHARGED_BACK)
        _MACHINE[_state, Move.CHARGE_BACK_PART] = Step(STRIPE, State.OPERATOR)
_MACHINE[State.CLOSING, Move.CLOSE] = Step(STRIPE, State.SETTLED)  # or as ``ended_as`` says

MACHINE: Mapping[tuple[State, Move], Step] = _MACHINE


class NotNow(Conflict):
    """The deal does not stand where this move starts."""

    message = N_("This deal has moved on since you opened the page. Look at what it awaits now.")


class NotYourMove(NotAllowed):
    """The move belongs to the other side."""

    message = N_("This step belongs to the other side of the deal.")


class NotYet(Conflict):
    """Possible later, not now."""

    message = N_("This will be possible from %(since)s on.")


def step(state: State, move: Move, by: Side) -> Step:
    """The arrow ``by`` takes with ``move`` from ``state``.

    Raises NotNow when there is none from here, NotYourMove when it is another side's.
    """
    arrow = MACHINE.get((state, move))
    if arrow is None:
        raise NotNow
    if by not in arrow.by:
        raise NotYourMove
    return arrow


def moves(state: State, by: Side) -> frozenset[Move]:
    """What ``by`` may do from ``state``."""
    return frozenset(move for (at, move), arrow in MACHINE.items() if at is state and by in arrow.by)


def ended_as(received_minor: int, refunded_minor: int) -> State:
    """The final state of a deal whose money has all left, by how much went back to the buyer."""
    if not 0 <= refunded_minor <= received_minor:
        raise ValueError("a refund lies between nothing and everything received")
    if refunded_minor == 0:
        return State.SETTLED
    return State.REFUNDED if refunded_minor == received_minor else State.PARTLY_REFUNDED
