"""A job commits and rolls back with the fact it follows."""

from uuid import UUID, uuid4

import pytest

from exchange.database import fetchval, transaction
from exchange.jobs import enqueue, handles, perform_due

seen: list[UUID] = []


@handles("test.happened")
async def _see(subject: UUID) -> None:
    seen.append(subject)


async def test_a_rolled_back_fact_leaves_no_job(committed: None) -> None:
    with pytest.raises(ZeroDivisionError):
        async with transaction():
            await enqueue("test.happened", uuid4())
            _ = 1 / 0
    assert await fetchval("select count(*) from pgqueuer") == 0


async def test_a_named_job_waits_only_once_and_is_performed(committed: None) -> None:
    subject = uuid4()
    for _ in range(2):
        async with transaction():
            await enqueue("test.happened", subject, once=f"happened {subject}")
    assert await perform_due() == 1
    assert seen == [subject]


async def test_enqueue_outside_a_transaction_is_a_mistake(committed: None) -> None:
    with pytest.raises(RuntimeError, match="outside a transaction"):
        await enqueue("test.happened", uuid4())
