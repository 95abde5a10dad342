"""A business joins: its first person, the company and its group, in one form and one transaction."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar
from uuid import UUID, uuid4

from exchange.accounts.actions.mail import send_mail
from exchange.accounts.actions.passwords import hash_password
from exchange.accounts.actions.people import add_person, ensure_preferences, send_link
from exchange.accounts.queries import credentials, recipient
from exchange.accounts.rules import LinkPurpose, email_address, ensure_password, person_name
from exchange.actor import Actor, Role
from exchange.clock import now
from exchange.companies.rules import (
    UnknownCountry,
    Vetting,
    WorkingHours,
    countries,
    currency_of,
    region_name,
    registration_number,
    vat_number,
    zone_in,
)
from exchange.database import execute, transaction
from exchange.errors import N_, DomainError, Invalid, Several
from exchange.journal.actions import record
from exchange.settings import settings
from exchange.web import limits

T = TypeVar("T")

SIGN_UPS_PER_ADDRESS = 10
"""In an hour."""


class NoCompanyName(Invalid):
    message = N_("Write the company's name as it stands in the register.")


async def sign_up(
    *,
    email: str,
    password: str,
    name: str,
    language: str,
    zone: str,
    legal_name: str,
    trading_name: str,
    country: str,
    region: str,
    group: str,
    registration: str,
    vat: str,
    address: str,
) -> None:
    """A person and their company, to be confirmed by mail and vetted by the operator.

    An address that has an account already gets a mail saying so and nothing else happens: the asker is told the same.
    Nor is a register number of a member refused here: the operator sees doubles. Raises Several with what is wrong in
    each field, TooMany. Without a ``zone`` it is the country's.
    """
    wrong: list[DomainError] = []

    def check(made: Callable[[], T]) -> T | None:
        try:
            return made()
        except DomainError as refusal:
            wrong.append(refusal)
            return None

    email = check(lambda: email_address(email)) or email
    name = check(lambda: person_name(name)) or name
    check(lambda: ensure_password(password, email, name, legal_name))
    legal_name = check(lambda: company_name(legal_name)) or legal_name
    region = check(lambda: region_name(region, name, legal_name, trading_name)) or ""
    if country in countries():
        registration = check(lambda: registration_number(country, registration)) or registration
        known_vat = check(lambda: vat_number(country, vat, registration))
        zone = zone or check(lambda: zone_in(country)) or ""
        if zone:
            check(lambda: ensure_preferences(language, zone))
    else:
        wrong.append(UnknownCountry(field="country", country=country[:40]))
    if wrong:
        raise Several(wrong)
    await limits.count(f"sign_up:{address}", at_most=SIGN_UPS_PER_ADDRESS, per=timedelta(hours=1))
    kept = await hash_password(password)
    async with transaction():
        known = await credentials(email)
        if known is not None and known.password_hash is not None:
            await send_mail(await recipient(known.person_id), "already_here", link=f"{settings().base_url}/sign-in")
            return
        person_id = await add_person(email=email, name=name, password_hash=kept, language=language, zone=zone)
        company_id = await add_company(
            legal_name=legal_name,
            trading_name=trading_name,
            country=country,
            region=region,
            registration=registration,
            vat=known_vat,
            group_name=group,
            zone=zone,
        )
        await join(person_id, company_id, Role.OWNER)
        await record(Actor(person_id, company_id, Role.OWNER), "company.signed_up", company_id)
        await send_link(person_id, LinkPurpose.CONFIRM)


def company_name(text: str) -> str:
    """The name in one line. Raises NoCompanyName."""
    name = " ".join(text.split())
    if not 2 <= len(name) <= 200:
        raise NoCompanyName(field="legal_name")
    return name


async def add_company(
    *,
    legal_name: str,
    country: str,
    registration: str,
    trading_name: str = "",
    region: str = "",
    vat: str | None = None,
    group_name: str = "",
    legal_group_id: UUID | None = None,
    currency: str | None = None,
    zone: str = "Europe/Paris",
    hours: WorkingHours | None = None,
    vetting: Vetting = Vetting.AWAITING,
) -> UUID:
    """A company of checked facts, in the current transaction; alone in a new legal group unless one is given."""
    async with transaction():
        at = now()
        hours = hours or WorkingHours(zone=zone, country=country)
        if legal_group_id is None:
            legal_group_id = uuid4()
            await execute(
                "insert into legal_group (id, name, created_at) values ($1, $2, $3)",
                legal_group_id,
                " ".join(group_name.split())[:200] or legal_name,
                at,
            )
        company_id = uuid4()
        await execute(
            "insert into company (id, legal_group_id, legal_name, trading_name, country, region, registration, vat, "
            "currency, vetting, vetting_changed_at, created_at, zone, opens, closes, days) "
            "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $12, $13, $14, $15)",
            company_id,
            legal_group_id,
            legal_name,
            " ".join(trading_name.split())[:200] or legal_name,
            country,
            region,
            registration,
            vat,
            currency or currency_of(country),
            vetting.value,
            at,
            hours.zone,
            hours.opens,
            hours.closes,
            sorted(hours.days),
        )
    return company_id


async def join(person_id: UUID, company_id: UUID, role: Role) -> None:
    """The person acts for the company from now on, in the current transaction."""
    await execute(
        "insert into membership (id, person_id, company_id, role, created_at) values ($1, $2, $3, $4, $5)",
        uuid4(),
        person_id,
        company_id,
        role.value,
        now(),
    )
