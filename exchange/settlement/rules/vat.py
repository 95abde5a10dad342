"""Which VAT a trade carries: a regime, and a rate from dated data.

Source: domain guide §9; Directive 2006/112/EC art. 96 (standard rates), art. 138 (intra-Community supply), art. 146
(export), art. 44 and 196 (reverse charge of services), art. 284 (small businesses; France: art. 293 B CGI). Reduced
rates and the margin scheme are not decided here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Regime(StrEnum):
    """Why a trade carries the VAT it carries."""

    DOMESTIC = "domestic"
    INTRA_EU = "intra_eu"
    """Between two taxable persons of different member states: exempt, both VAT numbers on the invoice."""
    EXPORT = "export"
    """Leaves the European Union or comes from outside: no VAT of the exchange's making."""
    REVERSE_CHARGE = "reverse_charge"
    """A service to a business in another country: the customer declares the VAT."""
    FRANCHISE = "franchise"
    """The supplier is small and charges none."""


@dataclass(frozen=True, slots=True)
class Tax:
    """A regime and its rate in basis points (2000 is 20 %)."""

    regime: Regime
    rate_bp: int


@dataclass(frozen=True, slots=True)
class Trader:
    """What the VAT of a trade depends on."""

    country: str
    """ISO 3166 alpha-2."""
    vat_number: str | None
    franchise: bool = False
    """Small, and therefore without VAT on what it sells (art. 293 B CGI)."""


EU = frozenset(
    {"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU"}
    | {"IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"}
)

_SINCE: Mapping[str, tuple[tuple[date, int], ...]] = {
    country: tuple((date.fromisoformat(day), rate) for day, rate in rates)
    for country, rates in {
        "AT": [("1984-01-01", 2000)],
        "BE": [("1996-01-01", 2100)],
        "BG": [("1999-01-01", 2000)],
        "CH": [("2018-01-01", 770), ("2024-01-01", 810)],
        "CY": [("2014-01-13", 1900)],
        "CZ": [("2013-01-01", 2100)],
        "DE": [("2021-01-01", 1900)],
        "DK": [("1992-01-01", 2500)],
        "EE": [("2009-07-01", 2000), ("2024-01-01", 2200), ("2025-07-01", 2400)],
        "ES": [("2012-09-01", 2100)],
        "FI": [("2013-01-01", 2400), ("2024-09-01", 2550)],
        "FR": [("2014-01-01", 2000)],
        "GB": [("2011-01-04", 2000)],
        "GR": [("2016-06-01", 2400)],
        "HR": [("2012-03-01", 2500)],
        "HU": [("2012-01-01", 2700)],
        "IE": [("2021-03-01", 2300)],
        "IT": [("2013-10-01", 2200)],
        "LT": [("2009-09-01", 2100)],
        "LU": [("2015-01-01", 1700), ("2023-01-01", 1600), ("2024-01-01", 1700)],
        "LV": [("2012-07-01", 2100)],
        "MT": [("2004-01-01", 1800)],
        "NL": [("2012-10-01", 2100)],
        "PL": [("2011-01-01", 2300)],
        "PT": [("2011-01-01", 2300)],
        "RO": [("2017-01-01", 1900), ("2025-08-01", 2100)],
        "SE": [("1990-07-01", 2500)],
        "SI": [("2013-07-01", 2200)],
        "SK": [("2011-01-01", 2000), ("2025-01-01", 2300)],
    }.items()
}
"""Standard rates in basis points, each from its day on."""


def standard_rate(country: str, day: date) -> int:
    """The standard rate of ``country`` on ``day`` in basis points; 0 where the exchange knows none."""
    return next((rate for since, rate in reversed(_SINCE.get(country, ())) if since <= day), 0)


def of_goods(seller: Trader, buyer: Trader, day: date) -> Tax:
    """The VAT on goods sold by ``seller`` to ``buyer``, both businesses.

    None where the seller is small. Within one country its standard rate; between member states none when the buyer
    shows a VAT number, else the seller's rate; across the Union's border none.
    """
    if seller.franchise:
        return Tax(Regime.FRANCHISE, 0)
    if seller.country == buyer.country:
        return Tax(Regime.DOMESTIC, standard_rate(seller.country, day))
    if seller.country in EU and buyer.country in EU:
        if buyer.vat_number:
            return Tax(Regime.INTRA_EU, 0)
        return Tax(Regime.DOMESTIC, standard_rate(seller.country, day))
    return Tax(Regime.EXPORT, 0)


def of_commission(exchange_country: str, seller: Trader, day: date) -> Tax:
    """The VAT on the exchange's commission: its own country's rate at home, else declared by the seller."""
    if seller.country == exchange_country or (seller.country in EU and not seller.vat_number):
        return Tax(Regime.DOMESTIC, standard_rate(exchange_country, day))
    return Tax(Regime.REVERSE_CHARGE, 0)
