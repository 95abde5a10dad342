"""Fixtures: a real PostgreSQL for every test process, rolled back or truncated per test.

* ``db``        one transaction around the test, rolled back: the fast default. Nothing commits.
* ``committed`` real commits on a pool of connections; tables are emptied afterwards. For locks, jobs, live messages.
* ``client``    an httpx client on the ASGI app, in the test's own task, so it shares ``db``'s transaction.
"""

import asyncio
import gc
import hashlib
import os
import ssl
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg
import httpx
import pytest
from hypothesis import settings as hypothesis

if TYPE_CHECKING:
    from tests.sandbox.kept import Kept

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
T = TypeVar("T")


# a loaded machine is slow, not wrong; HYPOTHESIS_PROFILE=thorough looks forty times as long
hypothesis.register_profile("house", deadline=None, max_examples=25)
hypothesis.register_profile("thorough", deadline=None, max_examples=1000)
hypothesis.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "house"))


def pytest_configure(config: pytest.Config) -> None:
    """Start the server before anything imports ``piccolo_conf``; workers of pytest-xdist use the controller's."""
    os.environ["MODE"] = "test"
    gc.disable()  # until all is imported
    if hasattr(config, "workerinput"):
        return
    # the workers, and the servers some tests start, import the same thousand modules: compiled once, as is usual
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if given := os.environ.get("TEST_DATABASE_URL"):
        os.environ["DATABASE_SERVER_URL"] = given
        return
    from exchange.embedded import EmbeddedServer

    config.stash[_folder] = folder = tempfile.TemporaryDirectory(prefix="confrere-test-")
    config.stash[_server] = server = EmbeddedServer(
        Path(folder.name) / "pg",
        options=[
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
            "max_connections=300",
            "jit=off",
            "autovacuum=off",  # tables are emptied after every test that fills them
        ],
    )
    server.start()
    os.environ["DATABASE_SERVER_URL"] = server.url
    # migrated while the workers still import: the first test finds it done, or waits for it
    making = _make_databases(f"template_{_fingerprint()}", "spare")
    config.stash[_making] = thread = threading.Thread(target=asyncio.run, args=(making,), daemon=True)
    thread.start()


_folder = pytest.StashKey[tempfile.TemporaryDirectory[str]]()
_server = pytest.StashKey["object"]()
_making = pytest.StashKey[threading.Thread]()


def pytest_unconfigure(config: pytest.Config) -> None:
    server = config.stash.get(_server, None)
    if server is not None:
        config.stash[_making].join()  # a run of few tests ends before it does
        server.stop()  # type: ignore[attr-defined]  # EmbeddedServer, imported late on purpose
        config.stash[_folder].cleanup()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those that one worker runs together begin first: begun last, they would leave the other worker idle."""
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)


def pytest_collection_finish() -> None:
    """What the imports made stays: the collector of garbage need not look at it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)  # as the website does
    gc.enable()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of pytest-xdist hands to the controller how many bodies it laid before Stripe's schemas."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["judged"] = _judged()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    _of_workers.append(getattr(node, "workeroutput", {}).get("judged", (0, 0)))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not (SHARED / "stripe" / "openapi-v1.json").exists():
        terminalreporter.write_line("Stripe's schemas: SKIPPED, ../shared/stripe is not there")
        return
    checked, violations = (sum(counts) for counts in zip(_judged(), *_of_workers, strict=True))
    if checked:
        terminalreporter.write_line(f"Stripe's schemas: {checked} bodies checked, {violations} violations")


_of_workers: list[tuple[int, int]] = []


def _judged() -> tuple[int, int]:
    """Bodies laid before Stripe's schemas by this process, and how many were at fault."""
    tally = getattr(sys.modules.get("tests.sandbox.contract"), "Tally", None)
    return (tally.checked, tally.violations) if tally else (0, 0)


def _at(database: str) -> str:
    url = os.environ["DATABASE_SERVER_URL"]
    before, _, query = url.partition("?")
    return before.rsplit("/", 1)[0] + f"/{database}" + (f"?{query}" if query else "")


def _fingerprint() -> str:
    files = sorted((ROOT / "exchange" / "migrations").glob("*.py"))
    return hashlib.sha256(b"".join(f.read_bytes() for f in files)).hexdigest()[:12]


def fresh_database(name: str) -> str:
    """Make one, migrated and empty. Returns its URL."""
    asyncio.run(_make_databases(f"template_{_fingerprint()}", name))
    return _at(name)


async def _make_databases(template: str, own: str) -> None:
    server = await asyncpg.connect(_at("postgres"))
    try:
        await server.execute("select pg_advisory_lock(20261122)")
        if not await server.fetchval("select 1 from pg_database where datname = $1", template):
            await server.execute(f'create database "{template}"')
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "piccolo.main", "migrations", "forwards", "exchange",
                cwd=ROOT, env={**os.environ, "DATABASE_URL": _at(template)}, stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            told, _ = await process.communicate()
            assert process.returncode == 0, told.decode()
        await server.execute(f'create database "{own}" template "{template}"')
    finally:
        await server.close()


@pytest.fixture(scope="session")
def database_url(worker_id: str) -> str:
    """A freshly migrated database of this test process's own."""
    from exchange.settings import settings

    os.environ["DATABASE_URL"] = own = fresh_database(f"test_{worker_id}_{os.getpid()}")
    settings.cache_clear()
    import piccolo_conf

    piccolo_conf.DB.config["dsn"] = own
    return own


@pytest.fixture(scope="session", autouse=True)
def quick_hashes() -> None:
    """Argon2 as ever, but light: hundreds of tests sign somebody in, and slowness is not what they test."""
    from pwdlib import PasswordHash
    from pwdlib.hashers.argon2 import Argon2Hasher

    from exchange.accounts.actions import passwords

    passwords._argon2 = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=1024, parallelism=1),))


@pytest.fixture(scope="session", autouse=True)
def one_trust() -> Iterator[None]:
    """Every HTTP client reads the authorities' certificates, for 30 ms: here they read them once."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ssl, "create_default_context", cache(ssl.create_default_context))
        yield


@pytest.fixture(scope="session")
async def kept_pool(database_url: str) -> AsyncIterator[Any]:
    """Connections for one test after another: they have met the tables and the statements, a new one has to ask."""
    from exchange.database import engine, open_pool

    await open_pool(size=20)
    kept: Any = engine().pool
    engine().pool = None
    yield kept
    await kept.close()


@pytest.fixture
async def pooled(kept_pool: Any) -> AsyncIterator[None]:
    """The kept connections are the process's pool while the test runs."""
    from exchange.database import engine

    engine().pool = kept_pool
    yield
    engine().pool = None


@pytest.fixture
async def db(pooled: None) -> AsyncIterator[None]:
    """One transaction around the test, rolled back at its end."""
    from exchange.database import engine

    tx = engine().transaction()
    await tx.__aenter__()
    try:
        yield
    finally:
        await tx.rollback()  # type: ignore[no-untyped-call]  # piccolo leaves it unannotated
        await tx.__aexit__(None, None, None)


@pytest.fixture(scope="session")
async def sweeper(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection that empties tables, for one test after another."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def committed(pooled: None, sweeper: asyncpg.Connection) -> AsyncIterator[None]:
    """Real commits; every table is emptied afterwards."""
    yield
    await _sweep(sweeper)


@pytest.fixture(scope="session")
async def kept_sandbox(database_url: str) -> AsyncIterator["Kept"]:
    """The payment sandbox, started by the first test that needs it; each renews it."""
    from tests.sandbox.kept import kept

    async with kept(database_url) as started:
        yield started


def beforehand(url: str, work: Callable[[], Coroutine[None, None, T]]) -> Iterator[T]:
    """For a fixture of a whole module: do ``work`` once, for good, and empty the tables when the module is through.

    The module's tests run in one process (``xdist_group``) and read, or write in a transaction that is rolled back.
    """
    yield asyncio.run(_pooled(work))
    asyncio.run(_empty(url))


async def _pooled(work: Callable[[], Coroutine[None, None, T]]) -> T:
    from exchange.database import close_pool, open_pool

    await open_pool(size=2)
    try:
        return await work()
    finally:
        await close_pool()


async def _empty(url: str) -> None:
    """Take out every row."""
    connection = await asyncpg.connect(url)
    try:
        await _sweep(connection)
    finally:
        await connection.close()


async def _sweep(connection: asyncpg.Connection) -> None:
    """Take out every row: tables of a test's size by DELETE, far quicker than TRUNCATE, which makes new files."""
    # append-only tables refuse it by trigger, for tests too: a replica session fires no triggers
    await connection.execute(
        """
        set session_replication_role = replica;
        do $$ declare name text; begin
            select string_agg(oid::regclass::text, ', ') into name from pg_class where relkind = 'r'
                and relnamespace = 'public'::regnamespace and pg_relation_size(oid) > 2 ^ 20;
            if name is not null then
                execute 'truncate ' || name || ' cascade';
            end if;
            for name in select oid::regclass from pg_class where relkind = 'r' and relname <> 'migration'
                        and relnamespace = 'public'::regnamespace and pg_relation_size(oid) > 0 loop
                execute 'delete from ' || name;
            end loop;
        end $$
        """
    )


@lru_cache(maxsize=1)
def _website() -> Any:
    """The ASGI app, made once per process: laying out some 150 routes takes a while."""
    from exchange.app import create_app

    return create_app()  # Litestar's ASGI types are stricter than httpx's, hence Any


@pytest.fixture
async def client(database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the ASGI app without a server; runs no lifespan."""
    transport = httpx.ASGITransport(app=_website(), client=("127.0.0.1", 50000))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as http:
        yield http
