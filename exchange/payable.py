"""Which sums the payment methods carry: what every deal must fit, from the first offer on (pure).

Source: docs.stripe.com/currencies (least and largest charge, currencies without or with three decimals, payouts);
settlement guide §8, lines 37 and 38. †: not yet met by a real account.
"""

from collections.abc import Mapping

from exchange.errors import N_, Invalid
from exchange.money import Money, exponent

LEAST_MINOR: Mapping[str, int] = {
    "AED": 200,
    "AUD": 50,
    "BRL": 50,
    "CAD": 50,
    "CHF": 50,
    "CZK": 15_00,
    "DKK": 2_50,
    "EUR": 50,
    "GBP": 30,
    "HKD": 4_00,
    "HUF": 175_00,
    "INR": 50,
    "JPY": 50,
    "MXN": 10_00,
    "MYR": 2_00,
    "NOK": 3_00,
    "NZD": 50,
    "PLN": 2_00,
    "RON": 2_00,
    "SEK": 3_00,
    "SGD": 50,
    "THB": 10_00,
    "USD": 50,
}
"""The smallest charge, in minor units; for others the equivalent of half a dollar, which nobody trades for."""

MOST_UNITS = 99_999_999
"""The largest charge by whatever method: eight digits as Stripe writes it (†). What is dearer is bought in two lots."""

IN_HUNDREDTHS = frozenset({"ISK", "UGX"})
"""Without decimals to everybody but Stripe, which writes them with two that are zero."""

HIGHEST_VAT_BP = 2700
"""The highest standard rate in the Union (Hungary): what an offer before tax must leave room for."""

_PAID_OUT_WHOLE = frozenset({"HUF", "TWD"})
"""Paid out in whole units only, though they have hundredths."""


class NotPayable(Invalid):
    """A sum no payment method takes."""

    message = N_("%(amount)s cannot be paid here: a payment lies between %(least)s and %(most)s.")


class OfferNotPayable(Invalid):
    """An offer that nobody could pay for once it is agreed."""

    message = N_(
        "%(amount)s in all cannot be paid here: before VAT a deal lies between %(least)s and %(most)s. "
        "Offer for another quantity, or take a dear lot in parts."
    )


class NotRound(Invalid):
    """A sum finer than the payment service moves."""

    message = N_("%(amount)s cannot be paid: in this currency sums are whole multiples of %(step)s.")


def step(currency: str) -> int:
    """The minor units of ``currency`` that payments and payouts are multiples of: its last digit, or two, is zero."""
    if currency in _PAID_OUT_WHOLE:
        return 100
    return 10 if exponent(currency) == 3 else 1


def grain(*amounts: Money) -> int:
    """The step of the currency where all ``amounts`` are multiples of it; else 1, so that nothing is ever lost."""
    size = step(amounts[0].currency)
    return size if all(amount.minor % size == 0 for amount in amounts) else 1


def units(amount: Money) -> int:
    """``amount`` as the integer Stripe writes."""
    return amount.minor * 100 if amount.currency in IN_HUNDREDTHS else amount.minor


def least(currency: str) -> Money:
    """The smallest sum that can be paid."""
    return Money(LEAST_MINOR.get(currency, 50), currency)


def most(currency: str) -> Money:
    """The largest sum that can be paid, tax included."""
    return _at_most(MOST_UNITS, currency)


def most_before_vat(currency: str) -> Money:
    """The largest price, before tax, that can be paid whatever the tax."""
    return _at_most(MOST_UNITS * 10_000 // (10_000 + HIGHEST_VAT_BP), currency)


def _at_most(whole: int, currency: str) -> Money:
    """The largest sum that moves and is written in no more than ``whole`` units."""
    size = step(currency)
    return Money(whole // units(Money(size, currency)) * size, currency)


def ensure_round(amount: Money) -> None:
    """Raises NotRound for what is finer than the payment service moves."""
    if amount.minor % step(amount.currency):
        raise NotRound(amount=amount, step=Money(step(amount.currency), amount.currency))


def ensure_payable(total: Money) -> None:
    """Raises NotPayable for a total outside what one payment may carry, NotRound for one too fine."""
    if total < least(total.currency) or most(total.currency) < total:
        raise NotPayable(amount=total, least=least(total.currency), most=most(total.currency))
    ensure_round(total)


def ensure_offer_payable(net: Money) -> None:
    """Raises OfferNotPayable, NotRound for an offer, before tax, that could not be paid for once agreed."""
    lowest, highest = least(net.currency), most_before_vat(net.currency)
    if net < lowest or highest < net:
        raise OfferNotPayable(amount=net, least=lowest, most=highest)
    ensure_round(net)
