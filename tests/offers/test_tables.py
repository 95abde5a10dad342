"""What the database itself refuses, whatever the code does."""

import asyncpg
import pytest

from exchange.database import execute, transaction
from tests.offers.stage import staged

pytestmark = pytest.mark.usefixtures("db")


async def _refused(sql: str, *args: object) -> None:
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        async with transaction() as tx, tx.connection.transaction():  # a savepoint: the test's own transaction lives on
            await execute(sql, *args)


async def test_one_offer_is_live_at_most() -> None:
    stage = await staged()
    await stage.offer()
    await _refused(
        "insert into offer select gen_random_uuid(), lot_id, negotiation_id, 2, company_id, person_id, "
        "unit_price_minor, currency, quantity, incoterm, message, terms_version, made_at, expires_at from offer"
    )


@pytest.mark.parametrize(
    "sql",
    [
        "update offer set unit_price_minor = 1",
        "update offer set message = 'other words'",
        "delete from offer",
        "update lot_copy set content = '{}'",
        "update negotiation set turn_company_id = null",
        "update negotiation set state = 'agreed'",
    ],
)
async def test_what_was_said_stays_said(sql: str) -> None:
    stage = await staged()
    await stage.offer()
    await _refused(sql)


async def test_an_answered_offer_stays_answered() -> None:
    stage = await staged()
    talk_id = await stage.offer()
    await stage.withdraw(talk_id)
    await _refused("update offer set state = 'live', answered_at = null")
