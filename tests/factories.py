"""Things a test needs but does not care about. Each function fills in what it is not told and returns what it made."""

from dataclasses import dataclass, field
from datetime import time
from itertools import count
from uuid import UUID, uuid4

from stdnum import luhn

from exchange.accounts.tables import Person
from exchange.actor import Actor, Role
from exchange.clock import now
from exchange.companies.rules import Vetting, WorkingHours
from exchange.companies.tables import Company, LegalGroup, Membership

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


def make_siren(n: int) -> str:
    """The ``n``-th SIREN with a right check digit."""
    digits = f"{10_000_000 + n}"
    return digits + str(luhn.calc_check_digit(digits))
