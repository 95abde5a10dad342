"""The journal keeps what it is told."""

from uuid import uuid4

import asyncpg
import pytest

from exchange.database import execute, fetch
from exchange.journal.actions import record


async def test_an_entry_says_what_happened_and_cannot_be_changed(db: None) -> None:
    subject = uuid4()
    await record(None, "negotiation.expired", subject, moves=3)
    rows = await fetch("select fact, details from journal_entry where subject_id = $1", subject)
    assert [(r["fact"], r["details"]) for r in rows] == [("negotiation.expired", '{"moves": 3}')]
    with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
        await execute("delete from journal_entry where subject_id = $1", subject)
