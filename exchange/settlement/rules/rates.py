"""Tax told in the supplier's own currency: at which rate, of which day, rounded how. Plain values; never a guess.

Source: Directive 2006/112/EC art. 230 (the tax in the national currency) and 91 (2) (the latest rate the European
Central Bank has published when the tax becomes chargeable, other currencies through the euro); art. 266-1 bis CGI and
242 nonies A of annexe II. Outside the Union other sources are prescribed, and the exchange holds none of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cache

import holidays
from babel.dates import format_date
from babel.numbers import format_decimal

from exchange.companies.rules import currency_of, in_eu, vat_area
from exchange.errors import N_, Conflict, Invalid
from exchange.money import Money, exponent

EURO = "EUR"
_LOCALES = {"fr": "fr_FR", "en": "en_GB"}
MOST_BYTES = 20 * 2**20
"""Of a file of rates: all days since 1999 are a third of it."""


class NotRates(Invalid):
    """A file that is not the European Central Bank's."""

    message = N_(
        "This is not a file of the European Central Bank's reference rates. Take eurofxref-daily.xml, "
        "eurofxref-hist-90d.xml or eurofxref-hist.xml as the bank publishes them."
    )


class RateChanged(Conflict):
    """A rate that says something else than the one papers were written with."""

    message = N_(
        "For %(day)s the table already holds %(known)s %(currency)s for a euro, and the file says %(told)s. "
        "Nothing was taken from it: find out which is right."
    )


class NoRateSource(Conflict):
    """Tax of a country outside the Union, in another currency than its own."""

    message = N_(
        "This paper must state the tax of %(country)s in %(currency)s too, and the exchange holds no rates that are "
        "recognised there. The seller writes it by hand."
    )


@dataclass(frozen=True, slots=True)
class Quote:
    """``per_euro`` of ``currency`` for one euro, with the decimals the bank gave."""

    day: date
    currency: str
    per_euro: Decimal


@dataclass(frozen=True, slots=True)
class Conversion:
    """From one currency to another by the bank's quotes of one day: one quote, or two where neither is the euro."""

    day: date
    source: str
    target: str
    quotes: tuple[Quote, ...]

    def __post_init__(self) -> None:
        others = {self.source, self.target} - {EURO}
        if {quote.currency for quote in self.quotes} != others or any(q.day != self.day for q in self.quotes):
            raise ValueError(f"{self.source} to {self.target} on {self.day}: not the quotes it takes")

    def of(self, amount: Money) -> Money:
        """``amount`` in the other currency, halves rounded up: once."""
        if amount.currency != self.source:
            raise ValueError(f"{amount.currency} where {self.source} is converted")
        per_euro = {EURO: Decimal(1)} | {quote.currency: quote.per_euro for quote in self.quotes}
        exact = amount.decimal * per_euro[self.target] / per_euro[self.source]
        minor = exact.scaleb(exponent(self.target)).quantize(Decimal(1), ROUND_HALF_UP)
        return Money(int(minor), self.target)

    def of_next(self, before: Money, amount: Money) -> Money:
        """``amount`` that comes after ``before``: any chain of parts adds up to what the whole is converted to."""
        return self.of(before + amount) - self.of(before)

    def quoted(self, language: str) -> str:
        """The quotes as they are printed: ``1 EUR = 0.8790 GBP``."""
        told = (f"{_plain(quote.per_euro, language)} {quote.currency}" for quote in self.quotes)
        return " = ".join(["1 EUR", *told])

    def day_told(self, language: str) -> str:
        """The day as it is printed."""
        return format_date(self.day, "long", locale=_LOCALES[language])


def own_currency(country: str) -> str:
    """The currency in which the tax of ``country`` is paid."""
    return currency_of(vat_area(country))


def also_in(country: str, currency: str) -> str | None:
    """In which currency a supplier of ``country`` that invoices tax in ``currency`` must state it besides, if any."""
    own = own_currency(country)
    return own if own != currency else None


def ensure_convertible(country: str, currency: str) -> None:
    """Raises NoRateSource for a country whose law does not take the bank's rates."""
    if not in_eu(vat_area(country)):
        raise NoRateSource(country=country, currency=currency)


def quoted_on(day: date) -> date:
    """The day of the latest rates published on ``day``: the last on which TARGET was open."""
    while day.weekday() >= 5 or day in _closed():
        day -= timedelta(days=1)
    return day


def conversion(day: date, source: str, target: str, quotes: Mapping[str, Quote]) -> Conversion | None:
    """By the ``quotes`` of ``day``, by currency; ``None`` when one is missing."""
    needed = [currency for currency in (source, target) if currency != EURO]
    if not all(currency in quotes for currency in needed):
        return None
    return Conversion(day, source, target, tuple(quotes[currency] for currency in needed))


def read_rates(content: bytes) -> Sequence[Quote]:
    """The quotes of a file of the European Central Bank, any of its three (the same form). Raises NotRates."""
    from lxml import etree  # loaded where a file is read, not where the website starts

    if len(content) > MOST_BYTES:
        raise NotRates
    try:
        parser = etree.XMLParser(resolve_entities=False, no_network=True)
        days = etree.fromstring(content, parser).findall(".//{*}Cube[@time]")
        quotes = [
            Quote(date.fromisoformat(day.attrib["time"]), rate.attrib["currency"], Decimal(rate.attrib["rate"]))
            for day in days
            for rate in day.findall("{*}Cube[@currency]")
        ]
    except (etree.XMLSyntaxError, KeyError, ValueError, InvalidOperation) as e:
        raise NotRates from e
    if not quotes or not all(q.per_euro.is_finite() and q.per_euro > 0 and len(q.currency) == 3 for q in quotes):
        raise NotRates
    return quotes


@cache
def _closed() -> "holidays.HolidayBase":
    """The days on which TARGET, and with it the bank's rates, rests."""
    return holidays.financial_holidays("ECB")


def _plain(rate: Decimal, language: str) -> str:
    places = max(-int(rate.as_tuple().exponent), 0)
    return str(format_decimal(rate, f"#,##0.{'0' * places}" if places else "#,##0", locale=_LOCALES[language]))
