"""The demo market's companies, their legal groups and their people."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time
from functools import cache
from random import Random
from uuid import UUID

from stdnum import luhn

from exchange.actor import Actor, Role
from exchange.companies.rules import WorkingHours, currency_of, registration_number, vat_number
from exchange.errors import Invalid
from exchange.listings.rules.categories import SECTORS, region_of
from exchange.listings.rules.words import plain
from exchange.seed.chance import chance, named_id
from exchange.seed.names import FIRST_NAMES, LAST_NAMES, PLACES, Place
from exchange.seed.people import COMPETITOR, MERCHANT, OPERATOR, OWNER, Guest

GROUP_SIZES = (1,) * 100 + (2,) * 10 + (3,) * 10
"""Companies in each legal group: 150 in 120."""
GUESTS_HOME = ("home", "diy")
"""The guests' companies are rivals: both sell these two sectors."""
APPLICANTS = (("FR", "Bazar Aigremont"), ("ES", "Almacenes Ventosilla"))
"""Companies that have just signed up."""
SOUTH = {"Occitanie", "Auvergne-Rhône-Alpes", "Nouvelle-Aquitaine", "Provence-Alpes-Côte d’Azur"}
"""The French regions whose departments count as southern."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who works for a company, or the operator."""

    id: UUID
    email: str
    name: str
    language: str
    zone: str
    role: Role


@dataclass(frozen=True, slots=True)
class Company:
    """One business. ``warehouses`` are (country, region slug) pairs, the main one first."""

    id: UUID
    group: int
    legal_name: str
    trading_name: str
    country: str
    region: str
    registration: str
    vat: str | None
    currency: str
    hours: WorkingHours
    language: str
    people: tuple[Person, ...]

    @property
    def owner(self) -> Actor:
        return self._actor(Role.OWNER)

    @property
    def trader(self) -> Actor:
        """Whoever trades for it; in a small house the owner."""
        return self._actor(Role.TRADER)

    @property
    def region_slug(self) -> str:
        """The market region of its own warehouse."""
        return region_of(self.country, "13" if self.region in SOUTH else "75")

    def _actor(self, role: Role) -> Actor:
        found = next((p for p in self.people if p.role is role), self.people[0])
        return Actor(found.id, self.id, found.role)


@dataclass(frozen=True, slots=True)
class Group:
    """A legal group: its size in the market (a median one is 1), its two home sectors, its companies."""

    id: UUID
    name: str
    size: float
    home: tuple[str, str]
    companies: tuple[Company, ...]


@dataclass(frozen=True, slots=True)
class Society:
    """Everybody in the market."""

    groups: tuple[Group, ...]
    applicants: tuple[Group, ...]
    """Groups of one company each, which the operator has not vetted yet: they take no part."""
    operator: Person

    @property
    def companies(self) -> tuple[Company, ...]:
        return tuple(company for group in self.groups for company in group.companies)

    def company_of(self, guest: Guest) -> Company:
        """The company a guest works for."""
        return next(c for c in self.companies if any(p.email == guest.email for p in c.people))

    def actor_of(self, guest: Guest) -> Actor:
        """The guest as an actor."""
        company = self.company_of(guest)
        person = next(p for p in company.people if p.email == guest.email)
        return Actor(person.id, company.id, person.role)


@cache
def society(seed: int) -> Society:
    """The same companies and people for the same number."""
    drawn = chance(seed, "society")
    names = [(country, name) for country, place in PLACES.items() for name in _names(place)]
    first = [("FR", "Maison Vauclair"), ("FR", "Vauclair Outlet"), ("IE", "Harrow & Finch")]
    rest = sorted(set(names) - set(first))
    drawn.shuffle(rest)
    sizes = [2, 1, *_without(GROUP_SIZES, 2, 1)]
    queue = iter(first + rest)
    groups = []
    for number, size in enumerate(sizes):
        members = tuple(_company(seed, number, *next(queue)) for _ in range(size))
        home = GUESTS_HOME if number < 2 else _two(drawn, tuple(SECTORS))
        weight = 1.6 if number < 2 else drawn.lognormvariate(0, 0.6)
        name = members[0].legal_name if size == 1 else f"Groupe {members[0].trading_name}"
        groups.append(Group(named_id(seed, f"group {number}"), name, weight, home, members))
    operator = Person(
        named_id(seed, "operator"), OPERATOR.email, OPERATOR.name, OPERATOR.language, "Europe/Paris", Role.OPERATOR
    )
    applicants = tuple(
        Group(named_id(seed, f"group {company.trading_name}"), company.legal_name, 1, GUESTS_HOME, (company,))
        for company in (_company(seed, -1, country, name) for country, name in APPLICANTS)
    )
    return Society(tuple(groups), applicants, operator)


def _without(sizes: tuple[int, ...], *taken: int) -> list[int]:
    left = list(sizes)
    for size in taken:
        left.remove(size)
    return left


def _two(drawn: Random, sectors: tuple[str, ...]) -> tuple[str, str]:
    one, other = drawn.sample(sectors, 2)
    return one, other


def _names(place: Place) -> list[str]:
    return [" ".join(name.split()) for name in place.names.split(",")]


def _company(seed: int, group: int, country: str, name: str) -> Company:
    drawn = chance(seed, f"company {name}")
    place = PLACES[country]
    registration, vat = _numbers(drawn, country, place)
    opens, closes = drawn.choice(((time(9), time(16)), (time(8, 30), time(17)), (time(9), time(17, 30))))
    domain = re.sub(r"[^a-z0-9]", "", plain(name.removeprefix("Maison "))) + ".example"
    return Company(
        id=named_id(seed, f"company {name}"),
        group=group,
        legal_name=f"{name} {drawn.choice(place.forms)}",
        trading_name=name,
        country=country,
        region=drawn.choice(place.regions),
        registration=registration,
        vat=vat,
        currency=currency_of(country),
        hours=WorkingHours(zone=place.zone, country=country, opens=opens, closes=closes),
        language=place.language,
        people=tuple(_people(seed, drawn, name, domain, place)),
    )


def _people(seed: int, drawn: Random, company: str, domain: str, place: Place) -> Iterator[Person]:
    guests: dict[str, list[tuple[Guest, Role]]] = {
        "Maison Vauclair": [(OWNER, Role.OWNER), (MERCHANT, Role.TRADER)],
        "Harrow & Finch": [(COMPETITOR, Role.TRADER)],
    }
    known = guests.get(company, [])
    for guest, role in known:
        yield Person(named_id(seed, guest.email), guest.email, guest.name, guest.language, place.zone, role)
    roles = [Role.OWNER, *[Role.TRADER] * drawn.choice((0, 1, 1, 2))]
    for _, role in known:
        if role in roles:
            roles.remove(role)
    used = {guest.name for guest, _ in known}
    for role in roles:
        name = next(n for n in iter(lambda: _name(drawn, place), "") if n not in used)
        used.add(name)
        email = f"{plain(name).replace(' ', '.')}@{domain}"
        yield Person(named_id(seed, email), email, name, place.language, place.zone, role)


def _name(drawn: Random, place: Place) -> str:
    first, last = FIRST_NAMES[place.language].split(", "), LAST_NAMES[place.language].split(", ")
    return f"{drawn.choice(first)} {drawn.choice(last)}"


def _numbers(drawn: Random, country: str, place: Place) -> tuple[str, str | None]:
    """Register and VAT numbers that python-stdnum finds valid: drawn until they are."""
    if country == "FR":
        siren = _digits(drawn, "########")
        siren += luhn.calc_check_digit(siren)
        key = (12 + 3 * (int(siren) % 97)) % 97
        return siren, vat_number("FR", f"FR{key:02d}{siren}", siren)
    while True:
        try:
            vat = vat_number(country, _digits(drawn, place.vat))
            written = _digits(drawn, place.registration) if place.registration else str(vat)[2:]
            return registration_number(country, written), vat
        except Invalid:
            continue


def _digits(drawn: Random, pattern: str) -> str:
    """``pattern`` with a digit for each ``#`` and a letter for each ``?``."""
    alphabets = {"#": "0123456789", "?": "ABCDEFGHIJKLMNOPQRSTUVW"}
    return "".join(drawn.choice(alphabets.get(sign, sign)) for sign in pattern)
