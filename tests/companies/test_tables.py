"""What the database itself refuses."""

import asyncpg
import pytest

from exchange.actor import Role
from exchange.companies.rules import Vetting
from exchange.companies.tables import CompanyBlock
from exchange.database import execute
from tests.factories import make_company, make_person


async def test_two_vetted_companies_never_share_a_number_but_an_unvetted_double_is_no_error(db: None) -> None:
    first = await make_company()
    await make_company(registration=first.registration, vetting=Vetting.AWAITING)
    with pytest.raises(asyncpg.UniqueViolationError):
        await make_company(registration=first.registration)


async def test_a_company_cannot_hide_from_itself(db: None) -> None:
    one = await make_company()
    with pytest.raises(asyncpg.CheckViolationError):
        await CompanyBlock(company_id=one.id, rival_id=one.id).save()


async def test_a_person_acts_for_one_company_only(db: None) -> None:
    person = await make_person(role=Role.OWNER)
    other = await make_company()
    with pytest.raises(asyncpg.UniqueViolationError):
        await execute(
            "insert into membership (id, person_id, company_id, role, created_at) "
            "values (gen_random_uuid(), $1, $2, 'trader', now())",
            person.id,
            other.id,
        )
