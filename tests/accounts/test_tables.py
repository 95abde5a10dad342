"""What the database itself refuses."""

from uuid import uuid4

import asyncpg
import pytest

from exchange.database import execute


async def test_two_spellings_of_one_address_are_one_person(db: None) -> None:
    new = "insert into person (id, email, name, created_at) values ($1, $2, 'Ada', now())"
    await execute(new, uuid4(), "ada@example.org")
    with pytest.raises(asyncpg.UniqueViolationError):
        await execute(new, uuid4(), "Ada@Example.ORG")
