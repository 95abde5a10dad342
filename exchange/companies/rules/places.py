"""Countries, their zones and their money, as CLDR has them."""

from functools import cache

from babel.core import get_global
from babel.numbers import get_territory_currencies

from exchange.errors import N_, Invalid


class UnknownCountry(Invalid):
    message = N_("“%(country)s” is not a country we know. Choose one from the list.")


_EURO = {"BG"}
"""Have the euro (Bulgaria since 1 January 2026), which the CLDR of our Babel does not know yet."""


@cache
def countries() -> frozenset[str]:
    """ISO 3166-1 alpha-2 codes of the places that have a time zone (CLDR)."""
    return frozenset(get_global("zone_territories").values()) - {"001", "ZZ"}


def zones_of(country: str) -> list[str]:
    """The IANA zones of ``country`` in alphabetical order (CLDR); the first is the default offered."""
    return sorted(zone for zone, territory in get_global("zone_territories").items() if territory == country)


def currency_of(country: str) -> str:
    """The ISO 4217 code a company of ``country`` prices in unless it says otherwise."""
    if country in _EURO:
        return "EUR"
    return next(iter(get_territory_currencies(country)), "EUR")
