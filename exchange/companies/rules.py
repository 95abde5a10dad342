"""What is true of a business: its hours, its mask, its numbers, its group, its standing. Pure.

Every instant that comes in or goes out is an aware ``datetime`` in UTC; every day and time of day is local to the
company's zone.
"""

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache, lru_cache
from itertools import count
from typing import Self
from unicodedata import combining, normalize
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

import holidays
from babel.core import get_global
from babel.numbers import get_territory_currencies
from stdnum import get_cc_module
from stdnum.eu.vat import MEMBER_STATES
from stdnum.exceptions import ValidationError
from stdnum.fr import siret

from exchange.contact_details import ensure_no_contact_details
from exchange.errors import N_, Conflict, Invalid, NotAllowed

# --- working hours (guide/domain.md §5, §6.3; design promise 6) -----------------------------------------------------


class UnknownZone(Invalid):
    message = N_("“%(zone)s” is not a time zone we know. Choose one from the list, for example Europe/Paris.")


class UnknownCountry(Invalid):
    message = N_("“%(country)s” is not a country we know. Choose one from the list.")


class HoursOutOfOrder(Invalid):
    message = N_("The closing time must be later than the opening time, on the same day.")


class NoWorkingDay(Invalid):
    message = N_("Choose at least one working day.")


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """When a company works: ``opens`` to ``closes`` local time, on ``days`` (0 = Monday), public holidays left out.

    Raises UnknownZone, UnknownCountry, HoursOutOfOrder, NoWorkingDay.
    """

    zone: str = "Europe/Paris"
    country: str = "FR"
    opens: time = time(9)
    closes: time = time(16)
    days: frozenset[int] = frozenset(range(5))

    def __post_init__(self) -> None:
        if self.zone not in _zones():
            raise UnknownZone(field="zone", zone=self.zone)
        if self.country not in countries():
            raise UnknownCountry(field="country", country=self.country)
        if self.opens >= self.closes:
            raise HoursOutOfOrder(field="closes")
        if not self.days or not self.days <= set(range(7)):
            raise NoWorkingDay(field="days")


def is_open(at: datetime, hours: WorkingHours) -> bool:
    """Whether the company works at ``at``; the closing instant itself is closed."""
    window = _window(at.astimezone(ZoneInfo(hours.zone)).date(), hours)
    return window is not None and window.opens <= at < window.closes


def next_opening(at: datetime, hours: WorkingHours) -> datetime:
    """``at`` itself when the company is open, else the first instant after it at which it opens. UTC."""
    return max(at.astimezone(UTC), next(_windows_ending_after(at, hours)).opens)


def after_business_days(at: datetime, days: int, hours: WorkingHours) -> datetime:
    """The instant ``days`` business days after ``at``: Thursday 15:00 and 2 days make Monday 15:00. UTC.

    Out of hours the count starts at the next opening. The time worked on the first day is kept on the last, so a
    change to or from summer time moves nothing a person sees.
    """
    if days < 0:
        raise ValueError("business days are counted forwards")
    start = next_opening(at, hours)
    windows = _windows_ending_after(start, hours)
    first = last = next(windows)
    for _ in range(days):
        last = next(windows)
    return min(last.opens + (start - first.opens), last.closes)


@dataclass(frozen=True, slots=True)
class _Window:
    """One day's working time, as UTC instants."""

    opens: datetime
    closes: datetime


def _window(day: date, hours: WorkingHours) -> _Window | None:
    if day.weekday() not in hours.days or day in _public_holidays(hours.country):
        return None
    zone = ZoneInfo(hours.zone)
    opens = datetime.combine(day, hours.opens, zone).astimezone(UTC)
    closes = datetime.combine(day, hours.closes, zone).astimezone(UTC)
    return _Window(opens, closes) if opens < closes else None  # hours that fall into the gap of a clock change


def _windows_ending_after(at: datetime, hours: WorkingHours) -> Iterator[_Window]:
    today = at.astimezone(ZoneInfo(hours.zone)).date()
    for offset in count():
        window = _window(today + timedelta(days=offset), hours)
        if window is not None and window.closes > at:
            yield window


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


@cache
def _public_holidays(country: str) -> "holidays.HolidayBase | frozenset[date]":
    """National public holidays; a country the ``holidays`` package does not know has none."""
    try:
        return holidays.country_holidays(country)
    except NotImplementedError:
        return frozenset()


# --- countries ------------------------------------------------------------------------------------------------------


@cache
def countries() -> frozenset[str]:
    """ISO 3166-1 alpha-2 codes of the places that have a time zone (CLDR)."""
    return frozenset(get_global("zone_territories").values()) - {"001", "ZZ"}


def zones_of(country: str) -> list[str]:
    """The IANA zones of ``country`` in alphabetical order (CLDR); the first is the default offered."""
    return sorted(zone for zone, territory in get_global("zone_territories").items() if territory == country)


def currency_of(country: str) -> str:
    """The ISO 4217 code a company of ``country`` prices in unless it says otherwise."""
    return next(iter(get_territory_currencies(country)), "EUR")


# --- the mask (design promise 3) ------------------------------------------------------------------------------------

# French nouns are all masculine, so that every adjective agrees; colours and weather say nothing about a business.
_NOUNS: tuple[tuple[str, str], ...] = (
    ("Albatross", "Albatros"), ("Badger", "Blaireau"), ("Beaver", "Castor"), ("Bison", "Bison"),
    ("Bullfinch", "Bouvreuil"), ("Chamois", "Chamois"), ("Cheetah", "Guépard"), ("Condor", "Condor"),
    ("Cormorant", "Cormoran"), ("Dolphin", "Dauphin"), ("Elk", "Élan"), ("Falcon", "Faucon"),
    ("Flamingo", "Flamant"), ("Fox", "Renard"), ("Goldfinch", "Chardonneret"), ("Gull", "Goéland"),
    ("Hare", "Lièvre"), ("Hedgehog", "Hérisson"), ("Heron", "Héron"), ("Hummingbird", "Colibri"),
    ("Ibex", "Bouquetin"), ("Ibis", "Ibis"), ("Jay", "Geai"), ("Blackbird", "Merle"),
    ("Kingfisher", "Martin-pêcheur"), ("Kite", "Milan"), ("Koala", "Koala"), ("Leopard", "Léopard"),
    ("Lynx", "Lynx"), ("Mouflon", "Mouflon"), ("Narwhal", "Narval"), ("Nightingale", "Rossignol"),
    ("Okapi", "Okapi"), ("Panda", "Panda"), ("Pelican", "Pélican"), ("Plover", "Pluvier"),
    ("Puffin", "Macareux"), ("Reindeer", "Renne"), ("Robin", "Rouge-gorge"), ("Seal", "Phoque"),
    ("Sparrowhawk", "Épervier"), ("Squirrel", "Écureuil"), ("Starling", "Étourneau"), ("Swan", "Cygne"),
    ("Swift", "Martinet"), ("Toucan", "Toucan"), ("Wren", "Roitelet"), ("Zebra", "Zèbre"),
)  # fmt: skip
_ADJECTIVES: tuple[tuple[str, str], ...] = (
    ("Amber", "ambré"), ("Ashen", "cendré"), ("Azure", "azuré"), ("Blue", "bleu"), ("Bronze", "bronzé"),
    ("Calm", "calme"), ("Cheerful", "joyeux"), ("Clear", "clair"), ("Coppery", "cuivré"), ("Crimson", "carmin"),
    ("Curious", "curieux"), ("Dappled", "tacheté"), ("Early", "matinal"), ("Frosty", "givré"), ("Gentle", "doux"),
    ("Gilded", "doré"), ("Green", "vert"), ("Grey", "gris"), ("Hardy", "robuste"), ("Indigo", "indigo"),
    ("Lively", "vif"), ("Loyal", "loyal"), ("Lunar", "lunaire"), ("Misty", "brumeux"), ("Nimble", "agile"),
    ("Nocturnal", "nocturne"), ("Northern", "nordique"), ("Ochre", "ocré"), ("Opal", "opalin"), ("Pearly", "nacré"),
    ("Plumed", "huppé"), ("Polar", "polaire"), ("Purple", "pourpre"), ("Quiet", "tranquille"), ("Radiant", "radieux"),
    ("Rosy", "rosé"), ("Royal", "royal"), ("Ruby", "rubis"), ("Silvery", "argenté"), ("Snowy", "neigeux"),
    ("Solar", "solaire"), ("Spry", "alerte"), ("Stellar", "stellaire"), ("Striped", "rayé"), ("Sunny", "ensoleillé"),
    ("Tawny", "fauve"), ("Velvet", "velouté"), ("Violet", "violet"),
)  # fmt: skip
_NUMBERS = range(100, 1000)


@lru_cache(maxsize=32_768)
def pseudonym(secret: bytes, company_id: UUID, lot_id: UUID, language: str) -> str:
    """The name ``company_id`` wears towards others on ``lot_id`` (or any other thing with an id): "Amber Heron 470".

    The same in every language, word for word, and on every machine that has ``secret``; without it nobody can tell
    that two names belong to one company. Two million names: twenty bidders on one lot meet in one lot of ten thousand.
    """
    digest = hmac.digest(secret, company_id.bytes + lot_id.bytes, "sha256")
    rest, noun = divmod(int.from_bytes(digest), len(_NOUNS))
    rest, adjective = divmod(rest, len(_ADJECTIVES))
    number = _NUMBERS[rest % len(_NUMBERS)]
    if language == "fr":
        return f"{_NOUNS[noun][1]} {_ADJECTIVES[adjective][1]} {number}"
    return f"{_ADJECTIVES[adjective][0]} {_NOUNS[noun][0]} {number}"


# --- numbers that name a business (issue 2 point 3; guide/domain.md §10) -------------------------------------------


class WrongSiren(Invalid):
    message = N_("“%(number)s” is not a SIREN. A SIREN has nine digits; you find it on your Kbis extract.")


class WrongRegistration(Invalid):
    message = N_(
        "“%(number)s” is not a company registration number of this country. Copy it from your register extract."
    )


class WrongVat(Invalid):
    message = N_(
        "“%(number)s” is not a VAT number of this country. Copy it from an invoice of yours, with its two letters."
    )


class VatOfAnother(Invalid):
    message = N_("This VAT number belongs to the SIREN %(siren)s, not to yours. Check both.")


_REGISTERS = {"FR": "siren", "CH": "uid", "DK": "cvr", "NO": "orgnr", "SE": "orgnr"}
"""The module of python-stdnum that checks a country's company register; elsewhere its ``businessid``, if it has one."""
_VAT_PREFIXES = {"GR": "EL", "MC": "FR", "IM": "GB", "CH": "CHE"}
"""Countries whose VAT numbers begin with other letters than their own (Greece by Directive 2006/112 art. 215)."""


def registration_number(country: str, text: str) -> str:
    """The company's number in the register of ``country``, in its shortest spelling. A SIRET gives its SIREN.

    Where no checksum is known, four to twenty letters and digits will do. Raises WrongSiren, WrongRegistration.
    """
    compact = "".join(c for c in text if c.isalnum()).upper()
    if country == "FR" and siret.is_valid(compact):
        return str(siret.to_siren(compact))
    module = get_cc_module(country, _REGISTERS.get(country, "businessid"))
    try:
        if module is not None:
            return str(module.validate(text))
    except ValidationError as e:
        refusal = WrongSiren if country == "FR" else WrongRegistration
        raise refusal(field="registration", number=text.strip()[:40]) from e
    if not (4 <= len(compact) <= 20 and compact.isascii()):
        raise WrongRegistration(field="registration", number=text.strip()[:40])
    return compact


def vat_number(country: str, text: str, registration: str = "") -> str | None:
    """The VAT number with its country letters; None when blank, as small sellers have none (art. 293 B CGI).

    A French number must carry the company's own SIREN. Raises WrongVat, VatOfAnother.
    """
    compact = "".join(c for c in text if c.isalnum()).upper()
    if not compact:
        return None
    prefix = _VAT_PREFIXES.get(country, country)
    wrong = WrongVat(field="vat", number=text.strip()[:40])
    if not compact.startswith(prefix):
        raise wrong
    module = get_cc_module("gr" if prefix == "EL" else prefix[:2], "vat")
    if module is None:
        if not (len(prefix) + 4 <= len(compact) <= 20 and compact.isascii()):
            raise wrong
        return compact
    try:
        number = str(module.validate(compact)).removeprefix(prefix)
    except ValidationError as e:
        raise wrong from e
    if country == "FR" and registration and number[2:] != registration:
        raise VatOfAnother(field="vat", siren=number[2:])
    return prefix + number


def in_eu(country: str) -> bool:
    """Whether ``country`` belongs to the Union's VAT area as python-stdnum lists it (Monaco counts as France)."""
    return country.lower() in MEMBER_STATES or country == "MC"


# --- naming a rival (design promise 3) ------------------------------------------------------------------------------


class NobodyNamed(Invalid):
    message = N_("Write the rival's SIREN, VAT number, register number or full name.")


def rival_key(text: str, country: str) -> tuple[str, str]:
    """What finds the rival an owner names: (``registration`` | ``vat`` | ``name``, value).

    Decided by the text alone, never by who is a member. ``country`` is where a register number belongs.
    Raises NobodyNamed, and what the number checks raise.
    """
    compact = "".join(c for c in text if c.isalnum()).upper()
    if sum(c.isdigit() for c in compact) >= 6:
        prefix = "GR" if compact[:2] == "EL" else compact[:2]
        if prefix in countries() and get_cc_module(prefix, "vat") is not None and compact[2:3].isdigit():
            return "vat", vat_number(prefix, compact) or ""
        return "registration", f"{country}:{registration_number(country, text)}"
    if not (folded := fold_name(text)):
        raise NobodyNamed(field="rival")
    return "name", folded


def region_name(text: str, *names: str) -> str:
    """The region in one line, blank when not given. Masked lots show it: no contact detail, none of ``names``.

    Raises ContactDetails.
    """
    region = " ".join(text.split())[:80]
    ensure_no_contact_details(region, names=names, field="region")
    return region


_LEGAL_FORMS = frozenset((
    "sarl", "sas", "sasu", "sa", "eurl", "snc", "ltd", "limited", "plc", "llp", "llc", "inc", "gmbh", "ag", "kg",
    "ohg", "ug", "bv", "nv", "srl", "spa", "sl", "slu", "ab", "as", "aps", "oy",
))  # fmt: skip


def fold_name(name: str) -> str:
    """A company's name without case, accents, punctuation and legal form, so that two spellings meet."""
    plain = "".join(c for c in normalize("NFKD", name.casefold()) if not combining(c))
    words = "".join(c if c.isalnum() else "" if c in ".'’" else " " for c in plain).split()  # S.A.R.L. is one word
    return " ".join([w for w in words if w not in _LEGAL_FORMS] or words)


# --- legal groups (design §5) ---------------------------------------------------------------------------------------


class SameLegalGroup(NotAllowed):
    message = N_(
        "This company belongs to your own legal group. Companies of one group cannot trade with each other here."
    )


def ensure_strangers(one_group: UUID, other_group: UUID) -> None:
    """Raises SameLegalGroup when both companies have the same parent: their trade would be no market."""
    if one_group == other_group:
        raise SameLegalGroup


# --- vetting and standing (guide/domain.md §10) ---------------------------------------------------------------------


class Vetting(StrEnum):
    """Where a company stands with the operator. Only a vetted company trades, or is seen by others at all."""

    AWAITING = "awaiting"
    VETTED = "vetted"
    REFUSED = "refused"
    """Told why; its owner may correct the facts, which asks the operator again."""


class AlreadyDecided(Conflict):
    message = N_("This company's state has changed since you opened the page. Look at it again.")


class NoReason(Invalid):
    message = N_("Say why, in a sentence the company can act on. It is sent to its owner.")


_DECISIONS = {
    Vetting.AWAITING: {Vetting.VETTED, Vetting.REFUSED},
    Vetting.VETTED: {Vetting.REFUSED},  # the yearly review may withdraw what was given
    Vetting.REFUSED: {Vetting.AWAITING, Vetting.VETTED},
}


def ensure_decidable(state: Vetting, to: Vetting, reason: str = "") -> None:
    """A refusal needs a reason of ten letters or more. Raises AlreadyDecided, NoReason."""
    if to not in _DECISIONS[state]:
        raise AlreadyDecided
    if to is Vetting.REFUSED and len(reason.strip()) < 10:
        raise NoReason(field="reason")


class _Band(StrEnum):
    """A figure shown to others as a range only: an exact count would let a rival follow a masked company."""

    label: str

    def __new__(cls, value: str, label: str) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        return member


class DealsBand(_Band):
    """Settled deals of the last twelve months. ``label`` is an English msgid."""

    FEW = "few", N_("fewer than 5 deals")
    SOME = "some", N_("5 to 19 deals")
    MANY = "many", N_("20 to 99 deals")
    VERY_MANY = "very_many", N_("100 deals or more")


class ReplyBand(_Band):
    """Share of the offers and introductions answered before their clock ran out, last twelve months."""

    UNKNOWN = "unknown", N_("too few requests to tell")
    RARELY = "rarely", N_("answers fewer than half")
    OFTEN = "often", N_("answers more than half")
    NEARLY_ALWAYS = "nearly_always", N_("answers 9 in 10 or more")


def deals_band(settled: int) -> DealsBand:
    """The band of ``settled`` deals in twelve months."""
    if settled < 5:
        return DealsBand.FEW
    if settled < 20:
        return DealsBand.SOME
    return DealsBand.MANY if settled < 100 else DealsBand.VERY_MANY


def reply_band(answered: int, asked: int) -> ReplyBand:
    """The band of ``answered`` out of ``asked``; nothing is said below five requests."""
    if asked < 5:
        return ReplyBand.UNKNOWN
    if 10 * answered >= 9 * asked:
        return ReplyBand.NEARLY_ALWAYS
    return ReplyBand.OFTEN if 2 * answered >= asked else ReplyBand.RARELY
