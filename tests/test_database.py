"""What ``transaction()`` adds to piccolo's own: a transaction that cannot end well leaves nothing behind."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest

from exchange.database import (
    _make_database,
    close_pool,
    engine,
    execute,
    fetch_copy,
    fetchval,
    in_transaction,
    make_engine,
    open_pool,
    transaction,
)
from exchange.errors import NotSeen

TWICE = "create table unwelcome (x int unique deferrable initially deferred)"


async def _goes_on() -> None:
    assert not in_transaction()
    async with asyncio.timeout(5), transaction():
        assert await fetchval("select 1") == 1


async def test_a_commit_refused_by_a_deferred_check_gives_its_connection_back(database_url: str) -> None:
    await open_pool(size=1)
    try:
        with pytest.raises(asyncpg.UniqueViolationError):
            async with transaction():
                await execute(TWICE)
                await execute("insert into unwelcome values (1), (1)")
        await _goes_on()
        assert await fetchval("select to_regclass('unwelcome')") is None
    finally:
        await close_pool()


async def test_a_connection_lost_inside_a_transaction_gives_its_place_in_the_pool_back(database_url: str) -> None:
    await open_pool(size=1)
    try:
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
            async with transaction():
                pid = await fetchval("select pg_backend_pid()")
                other = await asyncpg.connect(database_url)
                assert await other.fetchval("select pg_terminate_backend($1, 5000)", pid)
                await other.close()
                await fetchval("select 1")
        await _goes_on()
    finally:
        await close_pool()


@pytest.mark.parametrize("told", [NotSeen(), asyncpg.InternalClientError("another operation is in progress")])
async def test_what_failed_in_a_transaction_is_told_and_not_that_the_lost_one_could_not_be_rolled_back(
    told: Exception, database_url: str
) -> None:
    await open_pool(size=1)
    try:
        with pytest.raises(type(told)):
            async with transaction() as lost:
                lost.connection.terminate()
                raise told
        await _goes_on()
    finally:
        await close_pool()


async def test_a_connection_found_lost_at_the_commit_is_the_database_gone(database_url: str) -> None:
    await open_pool(size=1)
    try:
        with pytest.raises(asyncpg.ConnectionDoesNotExistError):
            async with transaction() as lost:
                lost.connection.terminate()
        await _goes_on()
    finally:
        await close_pool()


async def test_processes_that_start_together_make_one_database(database_url: str) -> None:
    server, name = urlsplit(database_url), f"together_{uuid4().hex}"
    try:
        await asyncio.gather(*(_make_database(urlunsplit(server._replace(path=f"/{name}"))) for _ in range(3)))
    finally:
        await execute(f"drop database if exists {name}")


async def test_a_server_without_its_socket_is_the_database_gone(database_url: str, tmp_path: Path) -> None:
    with pytest.raises(ConnectionError):
        await open_pool(size=1, host=str(tmp_path))


async def test_a_copy_is_read_where_there_is_one_that_answers(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "select current_setting('application_name') as name"

    async def read() -> str:
        return str((await fetch_copy(name))[0]["name"])

    replica = make_engine(database_url + ("&" if "?" in database_url else "?") + "application_name=copy")
    gone = make_engine("postgresql://postgres@127.0.0.1:1/nowhere")
    monkeypatch.setattr(engine(), "extra_nodes", {"replica_1": replica, "replica_2": gone})
    await open_pool(size=1)
    try:
        assert await read() == "copy"
        async with transaction():
            assert await read() != "copy", "what a transaction has written is on the primary alone"
        await replica.close_connection_pool()
        await gone.start_connection_pool(min_size=0)
        assert await read() != "copy"
    finally:
        await close_pool()
