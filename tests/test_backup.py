"""What is backed up comes back, whole."""

from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from exchange.backup import FileExists, backup, restore
from exchange.database import transaction
from exchange.journal.actions import record


async def test_a_restored_exchange_is_the_one_backed_up(committed: None, database_url: str, tmp_path: Path) -> None:
    subject = uuid4()
    async with transaction():
        await record(None, "lot.published", subject)
    file = tmp_path / "everything.dump"
    assert backup(database_url, file) > 1000
    with pytest.raises(FileExists):
        backup(database_url, file)

    fresh = f"restored_{uuid4().hex[:8]}"
    before, _, query = database_url.partition("?")
    url = f"{before.rpartition('/')[0]}/{fresh}?{query}"
    server = await asyncpg.connect(database_url)
    await server.execute(f"create database {fresh}")
    try:
        restore(url, file)
        there = await asyncpg.connect(url)
        assert await there.fetchval("select fact from journal_entry where subject_id = $1", subject) == "lot.published"
        with pytest.raises(asyncpg.RestrictViolationError):
            await there.execute("delete from journal_entry")
        await there.close()
    finally:
        await server.execute(f"drop database {fresh}")
        await server.close()
