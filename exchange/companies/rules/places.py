"""Countries, their zones and their money, as CLDR has them."""

from functools import cache

from babel.core import get_global
from babel.numbers import get_territory_currencies

from exchange.errors import N_, Invalid


class UnknownCountry(Invalid):
    message = N_("“%(country)s” is not a country we know. Choose one from the list.")


class ZoneNotStated(Invalid):
    message = N_("Your country has several time zones. Choose yours.")


_PRIMARY_ZONES = {
    "CL": "America/Santiago", "CN": "Asia/Shanghai", "CY": "Asia/Nicosia", "DE": "Europe/Berlin",
    "EC": "America/Guayaquil", "ES": "Europe/Madrid", "MY": "Asia/Kuala_Lumpur", "NZ": "Pacific/Auckland",
    "PT": "Europe/Lisbon", "UA": "Europe/Kyiv", "UZ": "Asia/Tashkent",
}  # fmt: skip
"""Where one of several zones stands for the country (CLDR primaryZones, which Babel does not carry)."""
_EURO = {"BG"}
"""Have the euro (Bulgaria since 1 January 2026), which the CLDR of our Babel does not know yet."""


@cache
def countries() -> frozenset[str]:
    """ISO 3166-1 alpha-2 codes of the places that have a time zone (CLDR)."""
    return frozenset(get_global("zone_territories").values()) - {"001", "ZZ"}


def zone_in(country: str) -> str:
    """The IANA zone of ``country``: its only one, or the one most of it lives by. Raises ZoneNotStated."""
    if country in _PRIMARY_ZONES:
        return _PRIMARY_ZONES[country]
    zones = [zone for zone, territory in get_global("zone_territories").items() if territory == country]
    if len(zones) != 1:
        raise ZoneNotStated(field="zone")
    return str(zones[0])


def currency_of(country: str) -> str:
    """The ISO 4217 code a company of ``country`` prices in unless it says otherwise."""
    if country in _EURO:
        return "EUR"
    return next(iter(get_territory_currencies(country)), "EUR")
