"""Things a test needs but does not care about. Each function fills in what it is not told and returns what it made."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import time, timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import httpx
from stdnum import luhn

from exchange.accounts.actions.sessions import open_session
from exchange.accounts.actions.tokens import issue_token
from exchange.accounts.tables import Person
from exchange.actor import Actor, Role
from exchange.clock import now
from exchange.companies.rules import Vetting, WorkingHours
from exchange.companies.tables import Company, LegalGroup, Membership
from exchange.listings.actions.lots import NewLot, publish_lot
from exchange.listings.rules.articles import Article, Price, PriceMode
from exchange.listings.rules.grades import Grade
from exchange.listings.rules.lots import CostAnswer, Incoterm, Packing, Terms
from exchange.money import Money
from exchange.web.sign_in import session_cookie

_next = count(1)


@dataclass(frozen=True, slots=True)
class MadeCompany:
    """A company that stands in the database."""

    id: UUID
    legal_group_id: UUID
    legal_name: str
    trading_name: str
    country: str
    registration: str
    currency: str
    hours: WorkingHours


@dataclass(frozen=True, slots=True)
class MadePerson:
    """A confirmed person who stands in the database, and the actor they are. ``company`` is None for the operator."""

    id: UUID
    email: str
    name: str
    language: str
    role: Role
    company: MadeCompany | None
    actor: Actor = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "actor", Actor(self.id, self.company.id if self.company else None, self.role))


async def make_company(
    *,
    legal_name: str | None = None,
    trading_name: str | None = None,
    country: str = "FR",
    region: str = "Bretagne",
    registration: str | None = None,
    vat: str | None = None,
    currency: str = "EUR",
    vetting: Vetting = Vetting.VETTED,
    legal_group_id: UUID | None = None,
    hours: WorkingHours | None = None,
) -> MadeCompany:
    """A vetted French company alone in its legal group, open round the clock but on public holidays."""
    n = next(_next)
    legal_name = legal_name or f"Maison {n} SARL"
    hours = hours or WorkingHours(country=country, opens=time(0), closes=time(23, 59), days=frozenset(range(7)))
    if legal_group_id is None:
        legal_group_id = uuid4()
        await LegalGroup(id=legal_group_id, name=legal_name, created_at=now()).save()
    registration = registration or make_siren(n)
    company = Company(
        id=uuid4(),
        legal_group_id=legal_group_id,
        legal_name=legal_name,
        trading_name=trading_name or legal_name.removesuffix(" SARL"),
        country=country,
        region=region,
        registration=registration,
        vat=vat,
        currency=currency,
        vetting=vetting.value,
        vetting_changed_at=now(),
        created_at=now(),
        zone=hours.zone,
        opens=hours.opens,
        closes=hours.closes,
        days=sorted(hours.days),
    )
    await company.save()
    return MadeCompany(
        company.id, legal_group_id, legal_name, company.trading_name, country, registration, currency, hours
    )


async def make_person(
    company: MadeCompany | None = None,
    *,
    role: Role = Role.TRADER,
    name: str | None = None,
    email: str | None = None,
    language: str = "en",
    zone: str = "Europe/Paris",
    password_hash: str | None = None,
) -> MadePerson:
    """A confirmed person of ``company`` (a new one unless given); with ``role=Role.OPERATOR``, of none."""
    n = next(_next)
    if role is not Role.OPERATOR and company is None:
        company = await make_company()
    name = name or f"Camille {n}"
    person = Person(
        id=uuid4(),
        email=email or f"camille.{n}@example.org",
        name=name,
        password_hash=password_hash,
        language=language,
        zone=zone,
        is_operator=role is Role.OPERATOR,
        created_at=now(),
        confirmed_at=now(),
    )
    await person.save()
    if company is not None:
        await Membership(
            id=uuid4(), person_id=person.id, company_id=company.id, role=role.value, created_at=now()
        ).save()
    return MadePerson(person.id, person.email, name, language, role, company)


@dataclass(frozen=True, slots=True)
class MadeLot:
    """A lot on sale that stands in the database."""

    id: UUID
    seller: MadePerson
    quantity: int
    unit_ask: Money
    title: str


def make_article(**fields: Any) -> Article:
    """One article of a lot."""
    n = next(_next)
    plain: dict[str, Any] = {
        "title": f"Enamel pan {n} cm", "quantity": 10, "grade": Grade.A, "category": "tableware",
        "seller_ref": f"REF-{n}", "brand": "Volcana", "rrp_minor": 4000, "weight_g": 900,
    }  # fmt: skip
    return Article(**(plain | fields))


async def make_lot(
    seller: MadePerson | None = None,
    *,
    title: str = "Enamel pans, end of line",
    category: str = "tableware",
    region: str = "fr-north",
    articles: Sequence[Article] | None = None,
    quantity: int = 10,
    unit_ask: Money | None = None,
    partial: bool = True,
    minimum: int = 1,
    multiple: int = 1,
    threshold: int | None = None,
    floor: Money | None = None,
    auto_accept: Money | None = None,
    authorised_brand: str = "",
    tolerance_bp: int = 500,
    incoterm: Incoterm = Incoterm.FCA,
    expires_in: timedelta = timedelta(days=30),
    hidden_from: Sequence[str] = (),
) -> MadeLot:
    """A lot of one line of ``quantity`` units (unless ``articles`` are given) at 12.00 EUR each, sold in parts."""
    seller = seller or await make_person()
    unit_ask = unit_ask or Money(1200, "EUR")
    articles = articles or [make_article(quantity=quantity, category=category)]
    lot_id = await publish_lot(
        by=seller.actor,
        lot=NewLot(
            title=title,
            category=category,
            region=region,
            articles=articles,
            price=Price(PriceMode.UNIT, unit_ask),
            terms=Terms(
                unit_ask=unit_ask,
                partial=partial,
                minimum=minimum,
                multiple=multiple,
                threshold=threshold,
                expires_at=now() + expires_in,
                incoterm=incoterm,
                packing=Packing.PALLETS,
                floor=floor,
                auto_accept=auto_accept,
                authorised_brand=authorised_brand,
                tolerance_bp=tolerance_bp,
            ),
            cost_answer=CostAnswer.AT_OR_ABOVE_COST,
            origin_declared=True,
            hidden_from=hidden_from,
        ),
    )
    return MadeLot(lot_id, seller, sum(a.quantity for a in articles), unit_ask, title)


def make_siren(n: int) -> str:
    """The ``n``-th SIREN with a right check digit."""
    digits = f"{10_000_000 + n}"
    return digits + str(luhn.calc_check_digit(digits))


async def sign_in(client: httpx.AsyncClient, person: MadePerson) -> httpx.AsyncClient:
    """``client`` with a session of ``person``'s and a CSRF token it sends along by itself: ready to GET and POST."""
    client.cookies.set(session_cookie(), await open_session(person.id, address="127.0.0.1", agent="test"))
    await client.get("/about")
    client.headers["x-csrf-token"] = client.cookies["csrf"]
    return client


async def sign_out(client: httpx.AsyncClient) -> httpx.AsyncClient:
    """``client`` as a visitor again."""
    client.cookies.delete(session_cookie())
    return client


async def bearer(person: MadePerson) -> dict[str, str]:
    """The header that lets the API act for ``person``."""
    return {"Authorization": f"Bearer {await issue_token(by=person.actor, label='test')}"}
