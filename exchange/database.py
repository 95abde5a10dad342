"""PostgreSQL: the engine, the pool, the one way to open a transaction, and plain SQL for hot reads."""

import contextlib
import io
import logging
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from piccolo.engine.finder import engine_finder
from piccolo.engine.postgres import PostgresEngine, PostgresTransaction

from exchange.errors import N_, Unavailable
from exchange.settings import settings

log = logging.getLogger(__name__)
MIGRATIONS = Path(__file__).with_name("migrations")
WEB_ROLE = "exchange_web"
"""The database role of web processes: everything but the facts that insight's figures are made of."""
AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.InternalClientError,  # mostly: an answer was awaited while the server's farewell was being read
    ConnectionError,
)
"""What this module raises when the server stops, crashes or starts."""


class Engine(PostgresEngine):
    """Piccolo's engine, silent when it is made.

    Piccolo asks the server for its version and creates extensions while ``piccolo_conf`` is being imported. Here a
    process may import the configuration before the server runs, and extensions belong to the migrations.
    """

    async def check_version(self) -> None: ...

    async def prep_database(self) -> None: ...


def make_engine(url: str, replicas: Sequence[str] = ()) -> Engine:
    """The engine for ``url``; ``replicas`` answer `fetch_copy`."""
    return Engine(
        config={"dsn": url},
        extra_nodes={f"replica_{i}": Engine(config={"dsn": r}) for i, r in enumerate(replicas, start=1)},
    )


@cache
def engine() -> Engine:
    """The engine ``piccolo_conf`` made."""
    found = engine_finder()
    if not isinstance(found, Engine):
        raise RuntimeError("piccolo_conf.DB is not set: run from the folder that holds piccolo_conf.py")
    return found


async def _no_reset(_: asyncpg.Connection) -> None:
    """Saves a round trip on each release; in return nobody may SET, LISTEN or lock by session on a pooled one."""


async def _connect(*args: Any, **kwargs: Any) -> asyncpg.Connection:
    try:
        return await asyncpg.connect(*args, **kwargs)
    except ConnectionError:
        raise
    except OSError as error:  # no socket yet while the server starts, no route, no answer in time
        raise ConnectionError(str(error)) from error


async def open_pool(size: int | None = None, **connect: Any) -> None:
    """Keep ``size`` connections open for this process; ``connect`` goes to asyncpg (a role, a name).

    Raises ConnectionError when there is no server.
    """
    for name, node in {"": engine(), **engine().extra_nodes}.items():
        try:
            await node.start_connection_pool(
                min_size=1,
                max_size=size or settings().database_pool_size,
                reset=_no_reset,
                max_inactive_connection_lifetime=0,
                connect=_connect,
                **connect,
            )
        except ConnectionError:
            if not name:
                raise
            log.warning("%s does not answer: this process does without it", name)


async def close_pool() -> None:
    """Close the pools that are open."""
    for node in (engine(), *engine().extra_nodes.values()):
        if node.pool:
            await node.close_connection_pool()


@asynccontextmanager
async def transaction(*, alone: bool = False) -> AsyncIterator[PostgresTransaction]:
    """One transaction for everything inside the block; joins an outer one.

    ``alone=True`` refuses to be nested (piccolo's TransactionError): for steps that must have committed before a
    call to the outside. Never start child tasks inside: they would not be part of it.

    What fails inside is raised, though the connection be lost too; one found lost at the commit is asyncpg's
    ConnectionDoesNotExistError.
    """
    found = engine()
    tx = found.transaction(allow_nested=not alone)
    began, failed = False, None
    try:
        async with tx as current:
            began = True
            try:
                yield current
            except BaseException as error:
                failed = error
                raise
    except BaseException as error:
        # piccolo lets nothing go when it cannot begin or end: a lost connection, or a commit that a deferred check
        # refuses, would cost the pool a place and leave the dead transaction in the task's context
        if found.current_transaction.get() is tx:
            found.current_transaction.reset(tx.context)
            await _drop(tx.connection)
        elif not began and hasattr(tx, "connection"):
            await _drop(tx.connection)
        if failed is not None and failed is not error:
            raise failed from failed.__cause__  # and not that it could not be rolled back
        if failed is None and isinstance(error, asyncpg.InterfaceError):
            raise asyncpg.ConnectionDoesNotExistError(str(error)) from error  # nobody else uses the connection
        raise


async def _drop(lost: asyncpg.Connection) -> None:
    with contextlib.suppress(asyncpg.InterfaceError):  # the pool saw it die and has it back
        lost.terminate()
    if pool := engine().pool:
        await pool.release(lost)


def in_transaction() -> bool:
    """Whether the calling task holds a transaction."""
    return bool(engine().transaction_exists())


@asynccontextmanager
async def connection() -> AsyncIterator[asyncpg.Connection]:
    """The current transaction's connection, else a pooled one, else a new one."""
    found = engine()
    if tx := found.current_transaction.get():
        yield tx.connection
    elif found.pool:
        async with found.pool.acquire() as pooled:
            yield pooled
    else:
        fresh = await found.get_new_connection()
        try:
            yield fresh
        finally:
            await fresh.close()


async def fetch(sql: str, *args: object) -> list[asyncpg.Record]:
    """Rows of one SQL text, in one round trip."""
    async with connection() as c:
        rows: list[asyncpg.Record] = await c.fetch(sql, *args)
        return rows


async def fetch_copy(sql: str, *args: object) -> list[asyncpg.Record]:
    """`fetch` from one of the replicas, where there are any: for what may be some seconds old, and for much of it."""
    copies = [node.pool for node in engine().extra_nodes.values() if node.pool]
    if copies and not in_transaction():
        try:
            rows: list[asyncpg.Record] = await random.choice(copies).fetch(sql, *args)  # noqa: S311  any will do
        except AWAY as error:
            log.warning("a replica does not answer: %r", error)
        else:
            return rows
    return await fetch(sql, *args)


async def fetchrow(sql: str, *args: object) -> asyncpg.Record | None:
    """The first row, or None."""
    async with connection() as c:
        return await c.fetchrow(sql, *args)


async def fetchval(sql: str, *args: object) -> Any:
    """The first column of the first row, or None."""
    async with connection() as c:
        return await c.fetchval(sql, *args)


async def execute(sql: str, *args: object) -> str:
    """Run one statement; returns PostgreSQL's command tag."""
    async with connection() as c:
        tag: str = await c.execute(sql, *args)
        return tag


async def announce(channel: str, fact: str, subject: UUID, *others: str) -> None:
    """Tell open pages (``others`` too) that ``fact`` happened to ``subject``; delivered on commit, dropped on rollback.

    The message is a fact and an id, never content: the ordinary door decides what a viewer may see.
    """
    await execute("select pg_notify(c, $2) from unnest($1::text[]) c", [channel, *others], f"{fact} {subject}")


class MigrationFailed(Unavailable):
    """A migration did not apply; the database is as it was before it."""

    message = N_("The database could not be brought to this version: %(told)s")


async def migrate() -> None:
    """Make the database if it is missing and apply the migrations it lacks. Processes that start together take turns.

    Raises MigrationFailed.
    """
    url = settings().database_url
    await _make_database(url)
    turn = await asyncpg.connect(url)
    printed = io.StringIO()
    try:
        await turn.execute("select pg_advisory_lock(hashtext('exchange migrate'))")
        if await _is_current(turn):
            return
        from piccolo.apps.migrations.commands.forwards import run_forwards  # heavy: it loads every table's module

        async with _kept_connection():
            with contextlib.redirect_stdout(printed):
                result = await run_forwards("exchange")
    except (SystemExit, asyncpg.PostgresError) as e:
        raise MigrationFailed(told=f"{e} {printed.getvalue()[-800:]}") from e
    finally:
        await turn.close()
    if not result.success:
        raise MigrationFailed(told=printed.getvalue()[-800:])


@asynccontextmanager
async def _kept_connection() -> AsyncIterator[None]:
    """A hundred small transactions need not connect a hundred times, nor each wait for the disk: they reach it in
    their order.
    """
    await open_pool(size=1, server_settings={"synchronous_commit": "off"})
    try:
        yield
    finally:
        await close_pool()


async def _is_current(connection: asyncpg.Connection) -> bool:
    """Whether every migration in the folder was applied: a start that has nothing to do costs no second."""
    if not await connection.fetchval("select to_regclass('migration')"):
        return False
    applied = {row["digits"] for row in await connection.fetch(
        r"select regexp_replace(name, '\D', '', 'g') as digits from migration where app_name = 'exchange'"
    )}  # fmt: skip
    return {"".join(filter(str.isdigit, file.stem)) for file in MIGRATIONS.glob("exchange_*.py")} <= applied


async def _make_database(url: str) -> None:
    before, _, query = url.partition("?")
    server, _, name = before.rpartition("/")
    try:
        await (await asyncpg.connect(url)).close()
    except asyncpg.InvalidCatalogNameError:
        connection = await asyncpg.connect(f"{server}/postgres" + (f"?{query}" if query else ""))
        try:
            await connection.execute('create database "{}"'.format(name.replace('"', '""')))
        except (asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):  # the latter: in the very same moment
            pass
        finally:
            await connection.close()
