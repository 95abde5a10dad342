"""The terms a lot is offered under, frozen at the first offer (rule 1), and what may be asked of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from exchange.errors import N_, Conflict, DomainError, Invalid
from exchange.money import Money
from exchange.offers.rules.bids import Bid, BidLine, Stock, refuse_all
from exchange.payable import ensure_offer_payable, least, most_before_vat


class NothingLeft(Conflict):
    message = N_("The last unit of this lot has just been sold. Nothing is left to offer for.")


class LotClosed(Conflict):
    message = N_("This lot is no longer for sale. Nothing was agreed.")


class NoQuantity(Invalid):
    message = N_("Say how many units you mean: a whole number from 1 to %(available)s.")


class WholeLotOnly(Invalid):
    message = N_("This lot is sold whole. Offer for all %(quantity)s units.")


class QuantityNotSold(Invalid):
    message = N_("%(quantity)s units do not fit how this lot is sold. The nearest quantity is %(nearest)s.")


class QuantityBetween(Invalid):
    message = N_(
        "%(quantity)s units do not fit how this lot is sold. The nearest quantities are %(lower)s and %(upper)s."
    )


class UnknownLine(Invalid):
    message = N_("This lot has no such line. Take the lines from its manifest.")


class LineLeft(Invalid):
    message = N_("%(left)s units of this line are left. Name a whole number from 1 to %(left)s.")


class LineQuantity(Invalid):
    message = N_("This line goes by %(multiple)s units, or all %(left)s that are left. Nearest: %(nearest)s.")


class LinesBelowMinimum(Invalid):
    message = N_("Your lines come to %(quantity)s units. This lot sells from %(minimum)s units on: add %(more)s.")


class LinesLeaveTooLittle(Invalid):
    message = N_(
        "Your lines would leave %(rest)s units, which is less than this lot sells (%(minimum)s). "
        "Take all %(available)s units, or %(fewer)s units less."
    )


class NoPrice(Invalid):
    message = N_("Give a price per unit above zero, without VAT.")


class OtherCurrency(Invalid):
    message = N_("This lot is priced in %(currency)s. Give your price in the same currency.")


class AboveAsk(Invalid):
    message = N_("The price asked is %(ask)s per unit. There is no need to go above it.")


class Answer(StrEnum):
    """What the seller's hidden thresholds say to an offer (rule 11)."""

    ACCEPT = "accept"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Terms:
    """How a lot is sold: ``ask`` per unit without VAT, whole or in parts of ``multiple`` from ``minimum`` units on.

    ``floor`` and ``auto_accept`` are the seller's secrets (rule 11). ``covered_from`` is the lowest unit price for
    which the seller has said "at or above cost"; None when a legal ground covers any price (guide §3, L442-5 C.com.).
    """

    ask: Money
    partial: bool
    minimum: int = 1
    multiple: int = 1
    floor: Money | None = None
    auto_accept: Money | None = None
    covered_from: Money | None = None
    asks: Mapping[UUID, Money] = field(default_factory=dict)
    """What is asked for a unit of single lines (`bids.line_asks`), those that somebody asks about; frozen too."""

    @property
    def payable(self) -> tuple[Money, Money]:
        """The least and the most a deal may come to before tax: what one payment carries."""
        return least(self.ask.currency), most_before_vat(self.ask.currency)

    def ask_of(self, line: UUID) -> Money:
        """What one unit of the line is asked for: the lot's mean where nothing more is known."""
        return self.asks.get(line, self.ask)

    def level(self, bid: Bid) -> Money:
        """The price per unit of the lot as it comes that a bid amounts to: its total in proportion to the asks.

        So the seller's thresholds, set for a unit of the lot, hold for dear lines and cheap ones. Rounded down.
        """
        if not bid.lines:
            return bid.price
        asked = sum(self.ask_of(line.id).minor * line.quantity for line in bid.lines)
        return Money(self.ask.minor * bid.total.minor // asked, self.ask.currency)

    def lowest(self, bid: Bid) -> Money:
        """The same for the line it pays least for: resale below cost is judged article by article (L442-5 C.com.)."""
        if not bid.lines:
            return bid.price
        return Money(
            min(self.ask.minor * line.price.minor // self.ask_of(line.id).minor for line in bid.lines),
            self.ask.currency,
        )

    def answer_to(self, bid: Bid) -> Answer | None:
        """What the hidden thresholds say to a buyer's bid; None leaves it to a person.

        They are set for a unit of the lot as it comes, and hold for named lines in proportion to their asks. Where a
        line's ask is not known, its buyer may be picking the best: a person decides.
        """
        if any(line.id not in self.asks for line in bid.lines):
            return None
        level = self.level(bid)
        if self.auto_accept is not None and self.auto_accept <= level:
            return None if self.cost_wanted(bid) else Answer.ACCEPT  # one dear line may hide a cheap one
        if self.floor is not None and level < self.floor:
            return Answer.REFUSE
        return None

    def cost_wanted(self, bid: Bid) -> bool:
        """Whether the seller must answer on resale below cost before he names or takes ``bid``."""
        lowest = self.lowest(bid)
        if self.auto_accept is not None and self.auto_accept <= lowest:
            return False  # answered when the threshold was set
        return self.covered_from is not None and lowest < self.covered_from


def ensure_price(terms: Terms, bid: Bid) -> None:
    """Neither side names more than the ask, of the lot or of a line. Raises NoPrice, OtherCurrency, AboveAsk.

    The whole of it must be payable: OfferNotPayable, NotRound.
    Refusals of a line name it as ``lines.ID.price``; several come together as Several.
    """
    if bid.price.currency != terms.ask.currency:
        raise OtherCurrency(currency=terms.ask.currency, field="lines" if bid.lines else "price")
    if not bid.lines:
        if bid.price.minor <= 0:
            raise NoPrice(field="price")
        if terms.ask < bid.price:
            raise AboveAsk(ask=terms.ask, field="price")
    refuse_all(
        [
            NoPrice(field=f"lines.{line.id}.price")
            if line.price.minor <= 0
            else AboveAsk(ask=terms.ask_of(line.id), field=f"lines.{line.id}.price")
            for line in bid.lines
            if line.price.minor <= 0 or terms.ask_of(line.id) < line.price
        ]
    )
    try:
        ensure_offer_payable(bid.total)
    except Invalid as refusal:
        refusal.field = "lines" if bid.lines else "price"
        raise


def ensure_quantity(terms: Terms, bid: Bid, stock: Stock) -> None:
    """A part is a multiple, at least the minimum, and leaves a sellable rest; or it takes all (guide §3, sale terms).

    Where lines are named, each goes by the multiple or to its last unit, and the minimum is that of their sum. Raises
    NothingLeft, LotClosed, NoQuantity, WholeLotOnly, QuantityNotSold, QuantityBetween; for lines UnknownLine, LineLeft,
    LineQuantity (field ``lines.ID.quantity``), LinesBelowMinimum, LinesLeaveTooLittle. They name what would fit.
    """
    available, quantity = stock.units, bid.quantity
    if available < 1:
        raise stock_over(stock)
    if bid.lines:
        return _ensure_lines(terms, bid, stock)
    if quantity < 1:
        raise NoQuantity(available=available, field="quantity")
    near = nearest_quantities(terms, quantity, available)
    if quantity in near:
        return None
    if not terms.partial:
        raise WholeLotOnly(quantity=available, field="quantity")
    if len(near) == 1:
        raise QuantityNotSold(quantity=quantity, nearest=near[0], field="quantity")
    raise QuantityBetween(quantity=quantity, lower=near[0], upper=near[1], field="quantity")


def stock_over(stock: Stock) -> Conflict:
    """Why there is nothing to agree on: the lot was taken down or has run out, or its last unit is sold."""
    return LotClosed() if stock.closed else NothingLeft()


def nearest_quantities(terms: Terms, quantity: int, available: int) -> tuple[int, ...]:
    """The valid quantities closest to ``quantity``, from below and from above; one when it is valid itself."""
    return tuple(sorted(set(_nearest(terms, quantity, available))))


def nearest_of_line(terms: Terms, quantity: int, left: int) -> tuple[int, ...]:
    """The same for a named line with ``left`` units: a multiple, or all of it."""
    if not terms.partial or quantity >= left:
        return (left,)
    below = max(quantity, 0) // terms.multiple * terms.multiple
    if below == quantity > 0:
        return (quantity,)
    above = min(below + terms.multiple, left)
    return (below, above) if below else (above,)


def _nearest(terms: Terms, quantity: int, available: int) -> Iterator[int]:
    if not terms.partial or quantity >= available:
        yield available
        return
    step = terms.multiple
    smallest = -(-terms.minimum // step) * step
    largest = (available - terms.minimum) // step * step
    below = min(quantity // step * step, largest)
    if below >= smallest:
        yield below
        if below == quantity:
            return
    above = max(-(-quantity // step) * step, smallest)
    yield above if above <= largest else available


def _ensure_lines(terms: Terms, bid: Bid, stock: Stock) -> None:
    refuse_all([fault for line in bid.lines for fault in _faults_of_line(terms, line, stock)])
    rest = stock.units - bid.quantity
    if rest and not terms.partial:
        raise WholeLotOnly(quantity=stock.units, field="lines")
    if rest and bid.quantity < terms.minimum:
        raise LinesBelowMinimum(
            quantity=bid.quantity, minimum=terms.minimum, more=terms.minimum - bid.quantity, field="lines"
        )
    if 0 < rest < terms.minimum:
        raise LinesLeaveTooLittle(
            rest=rest, minimum=terms.minimum, available=stock.units, fewer=terms.minimum - rest, field="lines"
        )


def _faults_of_line(terms: Terms, line: BidLine, stock: Stock) -> Iterator[DomainError]:
    at, left = f"lines.{line.id}.quantity", stock.lines.get(line.id)
    if left is None:
        yield UnknownLine(field=at)
    elif not 1 <= line.quantity <= left:
        yield LineLeft(left=left, field=at)
    elif terms.partial and line.quantity not in (near := nearest_of_line(terms, line.quantity, left)):
        yield LineQuantity(multiple=terms.multiple, left=left, nearest=" / ".join(map(str, near)), field=at)
