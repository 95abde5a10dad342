"""Where a company is for VAT, and the standard rate there: dated data.

Source: Directive 2006/112/EC art. 7 (Monaco is France, the Isle of Man the United Kingdom) and art. 96; the customs
union of Switzerland and Liechtenstein; each country's VAT act. Reduced rates and the margin scheme are not known here.
"""

from collections.abc import Mapping
from datetime import date

from exchange.errors import N_, Conflict


class RateUnknown(Conflict):
    message = N_(
        "The exchange knows no VAT rate for %(country)s: it could not say what a sale there costs. "
        "The company can be vetted once the rate is among its data."
    )


_AREA = {"MC": "FR", "IM": "GB", "LI": "CH"}

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
        "IS": [("2015-01-01", 2400)],
        "IT": [("2013-10-01", 2200)],
        "LT": [("2009-09-01", 2100)],
        "LU": [("2015-01-01", 1700), ("2023-01-01", 1600), ("2024-01-01", 1700)],
        "LV": [("2012-07-01", 2100)],
        "MT": [("2004-01-01", 1800)],
        "NL": [("2012-10-01", 2100)],
        "NO": [("2005-01-01", 2500)],
        "PL": [("2011-01-01", 2300)],
        "PT": [("2011-01-01", 2300)],
        "RO": [("2017-01-01", 1900), ("2025-08-01", 2100)],
        "SE": [("1990-07-01", 2500)],
        "SI": [("2013-07-01", 2200)],
        "SK": [("2011-01-01", 2000), ("2025-01-01", 2300)],
    }.items()
}
"""Standard rates in basis points, each from its day on."""


def vat_area(country: str) -> str:
    """The country whose VAT ``country`` belongs to: itself, but for a few small ones."""
    return _AREA.get(country, country)


def standard_rate(country: str, day: date) -> int | None:
    """The standard rate where ``country`` belongs on ``day``, in basis points; None where the exchange knows none."""
    since = _SINCE.get(vat_area(country), ())
    return next((rate for first, rate in reversed(since) if first <= day), None)


def ensure_taxable(country: str, day: date) -> None:
    """Whether every paper of a company could be written. Raises RateUnknown."""
    if standard_rate(country, day) is None:
        raise RateUnknown(country=country)
