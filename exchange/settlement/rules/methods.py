"""By which ways a sum can be paid, why not by another, and how long a direct debit is waited for before it goes on.

Source: settlement guide §1 (card for small sums, bank transfer for large, SEPA debit under a limit of exposure) and §2
(a debtor has a debit given back for eight weeks, no questions asked; debits of new buyers are held longer);
docs.stripe.com/payments/sepa-debit (euros, at most 10,000 each) and /bank-transfers (five currencies).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from exchange.errors import N_
from exchange.money import Money, exponent


class Method(StrEnum):
    """A way to pay, by Stripe's name."""

    CARD = "card"
    SEPA = "sepa_debit"
    TRANSFER = "customer_balance"

    @property
    def label(self) -> str:
        """As a message id."""
        return {
            Method.CARD: N_("card"),
            Method.SEPA: N_("direct debit (SEPA)"),
            Method.TRANSFER: N_("bank transfer"),
        }[self]


SEPA_CURRENCY = "EUR"
TRANSFER_CURRENCIES = frozenset({"EUR", "GBP", "JPY", "MXN", "USD"})

GIVEN_BACK_WITHIN = timedelta(weeks=8)
"""How long the debtor's bank gives a debit back without asking why (SEPA Core)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the exchange takes upon itself, in whole units of the currency."""

    card: Mapping[str, int]
    """The largest card payment by currency; none named: what Stripe carries."""
    debit: int
    """The largest direct debit, in euros."""
    exposure: int
    """Of one buyer's direct debits that can still be given back, all together, in euros."""


@dataclass(frozen=True, slots=True)
class Ways:
    """How a sum can be paid, and in one sentence (a message id) why not otherwise; its details beside it."""

    methods: tuple[Method, ...]
    why: str = ""
    details: Mapping[str, Money] | None = None


def ways(total: Money, limits: Limits, *, debited: Money | None = None) -> Ways:
    """How ``total`` can be paid by a buyer whose direct debits of the last eight weeks come to ``debited``.

    Never none: a limit on cards steps back where no bank transfer could carry the sum.
    """
    methods, currency = [Method.CARD], total.currency
    why, details = "", None
    if currency in TRANSFER_CURRENCIES:
        methods.append(Method.TRANSFER)
        card_most = _whole(limits.card[currency], currency) if currency in limits.card else None
        if card_most is not None and card_most < total:
            methods.remove(Method.CARD)
            why = N_("A card carries at most %(most)s here; a bank transfer carries this sum.")
            details = {"most": card_most}
    if currency == SEPA_CURRENCY:
        most, room = _whole(limits.debit, currency), _whole(limits.exposure, currency)
        if debited is not None:
            room -= debited
        if total <= min(most, room, key=lambda amount: amount.minor):
            methods.insert(methods.index(Method.TRANSFER), Method.SEPA)
        elif not why and most < total:
            why = N_("A direct debit carries at most %(most)s; the other ways carry this sum.")
            details = {"most": most}
        elif not why:
            why = N_(
                "Your direct debits of the last eight weeks can still be returned; together they may come to %(most)s. "
                "The other ways carry this sum."
            )
            details = {"most": _whole(limits.exposure, currency)}
    return Ways(tuple(methods), why, details)


def leaves_from(method: str | None, paid_at: datetime, days: int, *, known: bool) -> datetime:
    """From when a payment's money may go on to the seller: at once, but for a direct debit of a new buyer.

    ``known``: the buyer has paid by a debit before that can no longer be given back.
    """
    return paid_at + timedelta(days=days) if method == Method.SEPA and not known else paid_at


def _whole(units: int, currency: str) -> Money:
    return Money(units * 10 ** exponent(currency), currency)
