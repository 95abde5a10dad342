"""A talk between one buyer and one seller about one lot: whose turn it is, what may be said, how it ends.

Every function takes the talk as it is and returns it as it becomes, or raises the refusal. ``at`` is the instant of the
act; a clock that has run out by then decides, whether or not the expiry job has come round. So does the operator who
has stopped one of the two, or put both into one legal group.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from exchange.companies.rules import WorkingHours, after_business_days
from exchange.errors import DomainError
from exchange.listings.rules.lots import SLOTS, CostAnswer, Incoterm
from exchange.money import Money
from exchange.offers.rules.bids import Bid, BidLine, Stock
from exchange.offers.rules.refusals import (
    AlreadyAgreed,
    BetterToAccept,
    BuyerOpens,
    CostUnanswered,
    HigherThanBefore,
    LowerThanBefore,
    NoLongerAvailable,
    NoMovesLeft,
    NotAHalfDay,
    NothingToAnswer,
    NotYourOffer,
    NotYourTurn,
    OfferChanged,
    OfferExpired,
    OfferRefused,
    OfferWithdrawn,
)
from exchange.offers.rules.terms import Answer, Terms, ensure_price, ensure_quantity, stock_over

MOVES = 6
"""Moves per talk, both sides together; those that expired, were declined or withdrawn count (rule 4)."""
TERMS_VERSION = "2026-11-22"
"""The terms of the exchange that an offer and its acceptance are signed under (rule 12)."""
DAYS_TO_ANSWER = 2
"""Business days of the receiver before a move expires (rule 3)."""


class State(StrEnum):
    """What became of a move, and so of the talk whose last move it is."""

    LIVE = "live"
    COUNTERED = "countered"
    """Superseded by the answer that followed; never the state of a talk."""
    AGREED = "agreed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    UNAVAILABLE = "unavailable"
    """The stock went to another buyer, or the lot was taken down (rule 10)."""


@dataclass(frozen=True, slots=True)
class Move:
    """An offer of the buyer or a counter-offer of the seller."""

    by: UUID
    bid: Bid
    incoterm: Incoterm
    made_at: datetime
    expires_at: datetime
    state: State = State.LIVE
    pickup: tuple[str, ...] = ()
    """Half days of ``listings.rules.lots.SLOTS`` on which the goods would best be fetched: a wish."""

    @property
    def price(self) -> Money:
        return self.bid.price

    @property
    def quantity(self) -> int:
        return self.bid.quantity

    @property
    def lines(self) -> tuple[BidLine, ...]:
        return self.bid.lines

    @property
    def total(self) -> Money:
        return self.bid.total


@dataclass(frozen=True, slots=True)
class Talk:
    """What ``buyer`` and ``seller`` have said about one lot, oldest move first."""

    buyer: UUID
    seller: UUID
    terms: Terms
    moves: tuple[Move, ...] = ()
    asked: bool = False
    """Whether the buyer has asked for a price: then the seller may move first."""
    barred: Mapping[UUID, type[DomainError]] = field(default_factory=dict)
    """Those of the two who may not deal with the other now, each with the refusal that tells them why."""

    @property
    def live(self) -> Move | None:
        """The one move that waits for an answer."""
        return self.moves[-1] if self.moves and self.moves[-1].state is State.LIVE else None

    @property
    def state(self) -> State | None:
        """None before the first offer."""
        return self.moves[-1].state if self.moves else None

    @property
    def turn(self) -> UUID | None:
        """The company whose answer is awaited; None when nothing is."""
        return self.other(self.live.by) if self.live else None

    @property
    def moves_left(self) -> int:
        return MOVES - len(self.moves)

    def other(self, company: UUID) -> UUID:
        return self.seller if company == self.buyer else self.buyer


_ENDED: dict[State | None, type[DomainError]] = {
    State.AGREED: AlreadyAgreed,
    State.REFUSED: OfferRefused,
    State.WITHDRAWN: OfferWithdrawn,
    State.EXPIRED: OfferExpired,
    State.UNAVAILABLE: NoLongerAvailable,
}

# --- acts -----------------------------------------------------------------------------------------------------------


def move(
    talk: Talk,
    *,
    by: UUID,
    bid: Bid,
    incoterm: Incoterm,
    at: datetime,
    expires_at: datetime,
    stock: Stock,
    pickup: tuple[str, ...] = (),
    cost: CostAnswer | None = None,
    seen: int | None = None,
) -> Talk:
    """The side whose turn it is makes an offer or a counter-offer, which replaces the one before it (rules 2 to 6).

    ``stock`` is what the lot has left now, every line of it where ``bid`` names lines; offers reserve nothing (rule 8).
    ``seen`` is how many moves the person had before their eyes: with another number they meant something else. Raises
    a refusal of ``refusals``, ``terms`` or ``bids``.
    """
    _ensure_may_deal(talk, by)
    talk = as_it_stands(talk, at)
    _ensure_turn(talk, by)
    _ensure_seen(talk, seen)
    if not talk.moves_left:
        raise NoMovesLeft
    if not set(pickup) <= set(SLOTS):
        raise NotAHalfDay(field="pickup")
    ensure_quantity(talk.terms, bid, stock)
    ensure_price(talk.terms, bid)
    said = Move(by, bid, incoterm, at, expires_at, pickup=pickup)
    _ensure_monotone(talk, said, stock)
    _ensure_worth_saying(talk, said, stock)
    if by == talk.seller:
        talk = _with_cost(talk, bid, cost)
    earlier = _ended(talk.moves, State.COUNTERED) if talk.live else talk.moves
    return replace(talk, moves=(*earlier, said))


def accept(
    talk: Talk,
    *,
    by: UUID,
    price: Money,
    quantity: int,
    at: datetime,
    stock: Stock,
    lines: str = "",
    cost: CostAnswer | None = None,
    seen: int | None = None,
) -> Talk:
    """The side whose turn it is accepts exactly what it names: ``price``, ``quantity`` and the mark of the ``lines``
    (rules 7 and 9), in the move that was the last of those ``seen``.

    Who names no move means the only one that says so: of two with one price the terms of delivery may differ. Raises
    the refusal that says what became of the offer, OfferChanged, NoLongerAvailable or CostUnanswered.
    """
    _ensure_may_deal(talk, by)
    live = _live_for(as_it_stands(talk, at), by)
    _ensure_seen(talk, seen)
    if seen is None and any((m.by, m.bid) == (live.by, live.bid) for m in talk.moves[:-1]):
        raise OfferChanged.to(live.bid)
    if (live.price, live.quantity, live.bid.mark) != (price, quantity, lines):
        raise OfferChanged.to(live.bid)
    if not stock.covers(live.bid):
        raise NoLongerAvailable if stock.units else stock_over(stock)
    if by == talk.seller:
        talk = _with_cost(talk, live.bid, cost)
    return replace(talk, moves=_ended(talk.moves, State.AGREED))


def refuse(talk: Talk, *, by: UUID, at: datetime, seen: int | None = None) -> Talk:
    """The side whose turn it is declines; that ends the talk and is no move (rules 4 and 5)."""
    talk = as_it_stands(talk, at)
    _live_for(talk, by)
    _ensure_seen(talk, seen)
    return replace(talk, moves=_ended(talk.moves, State.REFUSED))


def withdraw(talk: Talk, *, by: UUID, at: datetime, seen: int | None = None) -> Talk:
    """The side that made the live move takes it back. Raises NotYourOffer, or what became of the offer."""
    talk = as_it_stands(talk, at)
    live = _live(talk)
    if live.by != by:
        raise NotYourOffer
    _ensure_seen(talk, seen)
    return replace(talk, moves=_ended(talk.moves, State.WITHDRAWN))


def as_it_stands(talk: Talk, at: datetime) -> Talk:
    """The talk as the clock and the operator have it.

    A live move whose time is up has expired, at the very instant it names. That of a company which may not deal now is
    withdrawn, and one that awaits the answer of such a company declined: the other side learns no more about it.
    """
    if talk.live is None:
        return talk
    if at >= talk.live.expires_at:
        return replace(talk, moves=_ended(talk.moves, State.EXPIRED))
    if talk.live.by in talk.barred:
        return replace(talk, moves=_ended(talk.moves, State.WITHDRAWN))
    if talk.turn in talk.barred:
        return replace(talk, moves=_ended(talk.moves, State.REFUSED))
    return talk


# --- clocks and thresholds ------------------------------------------------------------------------------------------


def deadline(at: datetime, receiver: WorkingHours) -> datetime:
    """When a move made at ``at`` expires: two business days of the receiver; out of hours from their next opening."""
    return after_business_days(at, DAYS_TO_ANSWER, receiver)


def automatic_answer(talk: Talk) -> Answer | None:
    """What the seller's hidden thresholds say to the buyer's live offer; None leaves it to a person (rule 11)."""
    live = talk.live
    return talk.terms.answer_to(live.bid) if live and live.by == talk.buyer else None


# --- what they share ------------------------------------------------------------------------------------------------


def _live(talk: Talk) -> Move:
    if talk.live:
        return talk.live
    raise _ENDED.get(talk.state, NothingToAnswer)


def _live_for(talk: Talk, by: UUID) -> Move:
    live = _live(talk)
    if live.by == by:
        raise NotYourTurn
    return live


def _ensure_may_deal(talk: Talk, by: UUID) -> None:
    if by in talk.barred:
        raise talk.barred[by]


def _ensure_turn(talk: Talk, by: UUID) -> None:
    if talk.state is State.AGREED:
        raise AlreadyAgreed
    if talk.live:
        if talk.live.by == by:
            raise NotYourTurn
    elif by != talk.buyer and (talk.moves or not talk.asked):
        raise _ENDED.get(talk.state, BuyerOpens)


def _ensure_seen(talk: Talk, seen: int | None) -> None:
    if seen is not None and seen != len(talk.moves):
        raise OfferChanged.to(talk.moves[-1].bid) if talk.moves else NothingToAnswer


def _ensure_monotone(talk: Talk, said: Move, stock: Stock) -> None:
    goods, left = said.bid.wants(stock.units), stock.units
    named = sorted((m.bid for m in talk.moves if m.by == said.by and m.bid.wants(left) == goods), key=_total)
    at = "lines" if said.lines else "price"
    if named and said.by == talk.buyer and said.total < named[-1].total:
        raise LowerThanBefore(price=named[-1].price, total=named[-1].total, field=at)
    if named and said.by == talk.seller and named[0].total < said.total:
        raise HigherThanBefore(price=named[0].price, total=named[0].total, field=at)


def _ensure_worth_saying(talk: Talk, said: Move, stock: Stock) -> None:
    """A counter that gives the other side more than they ask for is a slip of the pen."""
    live = talk.live
    if live is None or (live.incoterm, live.pickup) != (said.incoterm, said.pickup):
        return
    if live.bid.wants(stock.units) != said.bid.wants(stock.units):
        return
    if live.total <= said.total if live.by == talk.seller else said.total <= live.total:
        at = "lines" if said.lines else "price"
        raise BetterToAccept(quantity=live.quantity, price=live.price, total=live.total, field=at)


def _with_cost(talk: Talk, bid: Bid, cost: CostAnswer | None) -> Talk:
    if not talk.terms.cost_wanted(bid):
        return talk
    if cost is None:
        raise CostUnanswered(field="cost")
    covered = talk.terms.lowest(bid) if cost is CostAnswer.AT_OR_ABOVE_COST else None
    return replace(talk, terms=replace(talk.terms, covered_from=covered))


def _ended(moves: tuple[Move, ...], state: State) -> tuple[Move, ...]:
    return (*moves[:-1], replace(moves[-1], state=state))


def _total(bid: Bid) -> int:
    return bid.total.minor
