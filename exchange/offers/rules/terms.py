"""The terms a lot is offered under, frozen at the first offer (rule 1), and what may be asked of them."""

from collections.abc import Iterator
from dataclasses import dataclass

from exchange.errors import N_, Conflict, Invalid
from exchange.money import Money


class NothingLeft(Conflict):
    message = N_("The last unit of this lot has just been sold. Nothing is left to offer for.")


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


class NoPrice(Invalid):
    message = N_("Give a price per unit above zero, without VAT.")


class OtherCurrency(Invalid):
    message = N_("This lot is priced in %(currency)s. Give your price in the same currency.")


class AboveAsk(Invalid):
    message = N_("The price asked is %(ask)s per unit. There is no need to go above it.")


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


def ensure_price(terms: Terms, price: Money) -> None:
    """Neither side names more than the ask. Raises NoPrice, OtherCurrency, AboveAsk."""
    if price.currency != terms.ask.currency:
        raise OtherCurrency(currency=terms.ask.currency, field="price")
    if price.minor <= 0:
        raise NoPrice(field="price")
    if terms.ask < price:
        raise AboveAsk(ask=terms.ask, field="price")


def ensure_quantity(terms: Terms, quantity: int, available: int) -> None:
    """A part is a multiple, at least the minimum, and leaves a sellable rest; or it takes all (guide §3, sale terms).

    Raises NothingLeft, NoQuantity, WholeLotOnly, QuantityNotSold, QuantityBetween: the last two name what would fit.
    """
    if available < 1:
        raise NothingLeft
    if quantity < 1:
        raise NoQuantity(available=available, field="quantity")
    near = nearest_quantities(terms, quantity, available)
    if quantity in near:
        return
    if not terms.partial:
        raise WholeLotOnly(quantity=available, field="quantity")
    if len(near) == 1:
        raise QuantityNotSold(quantity=quantity, nearest=near[0], field="quantity")
    raise QuantityBetween(quantity=quantity, lower=near[0], upper=near[1], field="quantity")


def nearest_quantities(terms: Terms, quantity: int, available: int) -> tuple[int, ...]:
    """The valid quantities closest to ``quantity``, from below and from above; one when it is valid itself."""
    return tuple(sorted(set(_nearest(terms, quantity, available))))


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
