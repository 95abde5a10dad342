"""Numbers, money, dates as the viewer writes them: Babel's CLDR data, in their language and time zone."""

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from unicodedata import normalize
from zoneinfo import ZoneInfo

from babel import Locale
from babel.core import get_global
from babel.dates import format_date, format_datetime, format_time, format_timedelta, get_timezone_location
from babel.numbers import format_currency, format_decimal, format_percent

from exchange.clock import now
from exchange.money import Money, exponent


@lru_cache(maxsize=4)
def locale_of(language: str) -> Locale:
    """CLDR locale: European English, so that money and dates read the same way on both sides of a talk."""
    return Locale.parse({"fr": "fr_FR", "en": "en_GB"}[language])


@lru_cache(maxsize=64)
def zone_of(name: str) -> ZoneInfo:
    """The IANA zone of that name."""
    return ZoneInfo(name)


@lru_cache(maxsize=16)
def zone_choices(language: str, present: str = "") -> list[tuple[str, str]]:
    """(IANA zone, country and city) of every zone, as the reader would look for it; ``present`` is never missing."""
    locale = locale_of(language)
    named = [
        (zone, f"{locale.territories[country]}, {get_timezone_location(zone, locale=locale, return_city=True)}")
        for zone, country in get_global("zone_territories").items()
        if country in locale.territories and country not in {"001", "ZZ"}
    ]
    if present and present not in dict(named):
        named.append((present, present))
    return sorted(named, key=lambda pair: sortable(pair[1]))


def sortable(text: str) -> str:
    """``text`` without accents and capitals: the key of an alphabetical list."""
    return normalize("NFKD", text).encode("ascii", "ignore").decode().casefold()


def money(amount: Money, language: str) -> str:
    """``1 250,00 €`` or ``€1,250.00``."""
    if amount.minor < 0:
        return str(format_currency(amount.decimal, amount.currency, locale=locale_of(language)))
    before, group, point, digits, after = _amount_shape(amount.currency, language)
    whole, rest = divmod(amount.minor, 10**digits)
    fraction = f"{point}{rest:0{digits}d}" if digits else ""
    return f"{before}{f'{whole:,}'.replace(',', group)}{fraction}{after}"


@lru_cache(maxsize=512)
def _amount_shape(currency: str, language: str) -> tuple[str, str, str, int, str]:
    """How CLDR writes an amount: before, between thousands, decimal sign, digits after it, behind.

    Read off one formatted sample, because asking Babel for each of a page's prices costs more than the page.
    """
    digits = exponent(currency)
    sample = str(format_currency(Money(1_234_567 * 10**digits, currency).decimal, currency, locale=locale_of(language)))
    fraction = rf"(\D+?)0{{{digits}}}" if digits else "()"
    found = re.fullmatch(rf"(\D*)1(\D*)234\D*567{fraction}(\D*)", sample)
    if found is None:
        raise ValueError(f"an amount of {currency} in {language!r} is written in a way unknown here: {sample!r}")
    return found[1], found[2], found[3], digits, found[4]


@lru_cache(maxsize=4096)
def number(value: int | float | Decimal, language: str) -> str:
    """With the language's grouping."""
    return str(format_decimal(value, locale=locale_of(language)))


@lru_cache(maxsize=4096)
def percent(value: float | Decimal, language: str) -> str:
    """A share (0.41) as ``41 %`` or ``41%``."""
    return str(format_percent(value, locale=locale_of(language)))


def when(at: datetime, language: str, zone: str) -> str:
    """Weekday, day, time in the zone, with its short name: ``lun. 23 nov., 15:00``; the year only when it differs."""
    tz, locale = zone_of(zone), locale_of(language)
    local = at.astimezone(tz)
    skeleton = "EEE d MMM" if local.year == now().astimezone(tz).year else "d MMM y"
    if language == "en":
        return f"{format_date(local, skeleton, locale=locale)}, {format_time(local, 'HH:mm', locale=locale)}"
    return f"{format_date(local, skeleton, locale=locale)}, {format_time(local, 'H:mm', locale=locale)}"


def day(at: date | datetime, language: str, zone: str) -> str:
    """The date alone, written out."""
    local = at.astimezone(zone_of(zone)) if isinstance(at, datetime) else at
    return str(format_date(local, "d MMMM y", locale=locale_of(language)))


def weekday(day_: date, language: str) -> str:
    """``Monday``; with its date when it is more than six days ahead: ``Monday 7 December``."""
    near = (day_ - now().date()).days < 7
    return str(format_date(day_, "EEEE" if near else "EEEE d MMMM", locale=locale_of(language)))


def week(at: date | datetime, language: str) -> str:
    """The ISO week, all that a browse list tells of when a lot came (insight guide, T9)."""
    year, number_, _ = at.isocalendar()
    return f"semaine {number_}, {year}" if language == "fr" else f"week {number_}, {year}"


def in_words(span: timedelta, language: str) -> str:
    """``dans 2 jours`` / ``in 2 days``; negative is the past."""
    return str(format_timedelta(span, add_direction=True, locale=locale_of(language), granularity="minute"))


def iso(at: datetime) -> str:
    """For ``<time datetime>`` and the API."""
    return at.isoformat().replace("+00:00", "Z")


def full(at: datetime, language: str, zone: str) -> str:
    """With zone name, for papers and clocks shown in two zones."""
    tz, locale = zone_of(zone), locale_of(language)
    if language == "fr":  # CLDR has no French short names: "heure d’Europe centrale"
        return str(format_datetime(at, "EEEE d MMMM y, HH:mm (vvvv)", tzinfo=tz, locale=locale))
    # CLDR takes Ireland's standard time, which is its summer's, for the winter's
    name = at.astimezone(tz).tzname() or ""
    text = format_datetime(at, "EEEE d MMMM y, HH:mm", tzinfo=tz, locale=locale)
    return f"{text} {name if name.isalpha() else f'UTC{name}'}"
