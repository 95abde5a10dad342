"""Jobs: an action, later. A thin face of pgqueuer.

``enqueue`` writes on the open transaction's connection, so the job commits and rolls back with the fact it follows.
A job may run twice: every handler is idempotent and calls one action.
"""

import asyncio
import importlib.util
import logging
import pkgutil
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver
from pgqueuer.executors import DatabaseRetryEntrypointExecutor
from pgqueuer.models import Job, Schedule
from pgqueuer.queries import Queries

import exchange
from exchange import clock
from exchange.database import execute, fetchrow, in_transaction, transaction
from exchange.settings import settings

log = logging.getLogger(__name__)

Handler = Callable[[UUID], Awaitable[None]]
Chore = Callable[[], Awaitable[None]]

_handlers: dict[str, Handler] = {}
_chores: dict[str, tuple[str, Chore]] = {}


def handles(fact: str) -> Callable[[Handler], Handler]:
    """Make the function the one handler of ``fact``; it gets the subject's id."""

    def register(handler: Handler) -> Handler:
        if _handlers.setdefault(fact, handler) is not handler:
            raise ValueError(f"{fact} already has a handler: one fact, one handler")
        return handler

    return register


def every(cron: str) -> Callable[[Chore], Chore]:
    """Run the function on a schedule (five cron fields, or six with seconds last), once for all workers."""

    def register(chore: Chore) -> Chore:
        name = f"{chore.__module__.removeprefix('exchange.')}.{chore.__name__}"
        _chores[name] = (cron, chore)
        return chore

    return register


async def enqueue(fact: str, subject: UUID, *, at: datetime | None = None, once: str | None = None) -> None:
    """Queue the handler of ``fact`` for ``subject`` in the current transaction.

    ``at`` is the earliest instant to run. ``once`` names the job so that a second one with the same name is dropped
    while the first waits.
    """
    if not in_transaction():
        raise RuntimeError(f"enqueue({fact!r}) outside a transaction")
    wait = max(at - clock.now(), timedelta(0)) if at else None
    async with transaction() as tx:
        await Queries(AsyncpgDriver(tx.connection)).enqueue(
            fact, subject.bytes, execute_after=wait, dedupe_key=once, on_conflict="skip"
        )


async def hasten(by: timedelta) -> None:
    """Every job planned for later comes so much sooner: the clock was moved forward, for trying things."""
    await execute(
        "update pgqueuer set execute_after = execute_after - $1::interval "
        "where status = 'queued' and execute_after > now()",
        by,
    )


async def enqueue_all(*facts: tuple[str, UUID]) -> None:
    """Queue the handlers of several facts, each about its subject, in one statement of the current transaction."""
    if not in_transaction():
        raise RuntimeError(f"enqueue_all({facts!r}) outside a transaction")
    async with transaction() as tx:
        await Queries(AsyncpgDriver(tx.connection)).enqueue(
            [fact for fact, _ in facts], [subject.bytes for _, subject in facts], [0] * len(facts), on_conflict="skip"
        )


async def perform(fact: str, subject: UUID) -> None:
    """Run the handler of ``fact`` now: what the worker does with a job, and what tests do without one."""
    await _handlers[fact](subject)


async def perform_due(limit: int = 1000, *, later: Collection[str] = ()) -> int:
    """Run jobs that are due, in this task, until none is left: for tests and seeds. Returns how many ran.

    Those of the facts ``later`` stay queued for a worker.
    Uses the queue's table directly and deletes what it ran; never run beside a live worker.
    """
    for done in range(limit):
        row = await fetchrow(
            "select id, entrypoint, payload from pgqueuer where status = 'queued' and execute_after <= $1 "
            "and entrypoint <> all($2) order by priority desc, id limit 1",
            datetime.now(UTC),
            list(later),
        )
        if row is None:
            return done
        await execute("delete from pgqueuer where id = $1", row["id"])
        await perform(row["entrypoint"], UUID(bytes=row["payload"]))
    return limit


def load_handlers() -> None:
    """Import every domain's ``jobs``, so that each fact finds its handler."""
    for package in pkgutil.iter_modules(exchange.__path__, "exchange."):
        if package.ispkg and importlib.util.find_spec(f"{package.name}.jobs"):
            importlib.import_module(f"{package.name}.jobs")


async def run_worker() -> None:
    """Work until cancelled. The caller has opened the pool and imported every domain's ``jobs``."""
    connection = await asyncpg.connect(settings().database_url, server_settings={"application_name": "exchange worker"})
    queuer = PgQueuer(AsyncpgDriver(connection))
    for fact, handler in _handlers.items():
        queuer.entrypoint(
            fact,
            on_failure="hold",
            executor_factory=lambda p: DatabaseRetryEntrypointExecutor(parameters=p, max_attempts=8),
        )(_as_job(handler))
    for name, (cron, chore) in _chores.items():
        queuer.schedule(name, cron, clean_old=True)(_as_schedule(name, chore))
    try:
        await queuer.run(
            dequeue_timeout=timedelta(seconds=5), max_concurrent_tasks=20, shutdown_on_listener_failure=True
        )
    finally:
        await connection.close()


def _as_job(handler: Handler) -> Callable[[Job], Awaitable[None]]:
    async def run(job: Job) -> None:
        subject = UUID(bytes=job.payload or b"")
        try:
            await handler(subject)
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("job %s for %s failed (attempt %s)", job.entrypoint, subject, job.attempts + 1)
            raise

    return run


def _as_schedule(name: str, chore: Chore) -> Callable[[Schedule], Awaitable[None]]:
    async def run(_: Schedule) -> None:
        try:
            await chore()
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("scheduled %s failed; it runs again at its next time", name)

    return run
