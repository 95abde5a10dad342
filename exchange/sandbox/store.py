"""The sandbox's memory: its own PostgreSQL schema, one writer at a time, every change in one transaction.

Objects are documents as the protocol shows them, so there is one table of them. A :class:`World` is one transaction at
one virtual instant; objects, events, deliveries, what falls due later and the answer kept for an idempotency key commit
together or not at all, so that the process may be killed at any moment.
"""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal

import asyncpg

from exchange.sandbox.config import KNOWN_VERSIONS, PINNED_VERSION, SandboxSettings
from exchange.sandbox.errors import Refusal, missing
from exchange.sandbox.shapes import Doc, iso, new_id, rendered

log = logging.getLogger(__name__)

_SCHEMA = """
create schema if not exists sandbox;
create table if not exists sandbox.object (
    seq bigint generated always as identity primary key,
    id text not null unique,
    kind text not null,
    account text,
    created bigint not null,
    doc jsonb not null
);
create index if not exists object_listing on sandbox.object (kind, account, seq desc);
create index if not exists object_intent on sandbox.object ((doc->>'payment_intent')) where doc ? 'payment_intent';
create index if not exists object_charge on sandbox.object ((doc->>'charge')) where doc ? 'charge';
create index if not exists object_source on sandbox.object ((doc->>'source')) where doc ? 'source';
create index if not exists object_group on sandbox.object ((doc->>'transfer_group')) where doc ? 'transfer_group';
create index if not exists object_funds on sandbox.object ((doc->>'source_transaction'))
    where doc ? 'source_transaction';
create index if not exists object_customer on sandbox.object ((doc->>'customer')) where doc ? 'customer';
create table if not exists sandbox.answer (
    account text not null,
    key text not null,
    fingerprint text not null,
    status int not null,
    body text not null,
    expires bigint not null,
    primary key (account, key)
);
create table if not exists sandbox.due (
    id bigint generated always as identity primary key,
    at bigint not null,
    job text not null,
    subject text not null
);
create index if not exists due_at on sandbox.due (at, id);
create table if not exists sandbox.delivery (
    id bigint generated always as identity primary key,
    event text not null,
    endpoint text not null,
    body text not null,
    attempts int not null default 0,
    due double precision not null,
    state text not null default 'waiting' check (state in ('waiting', 'delivered', 'given_up', 'dropped')),
    last_status int
);
create index if not exists delivery_waiting on sandbox.delivery (due) where state = 'waiting';
create index if not exists delivery_event on sandbox.delivery (event);
create table if not exists sandbox.state (name text primary key, value jsonb not null);
insert into sandbox.state values ('clock', '{"offset": 0}'), ('faults', '{}') on conflict do nothing;
"""

#: Any number will do, as long as nobody else uses it: serialises writers, also of two processes started by mistake.
_WRITER = 7_301_114_211

Job = Callable[["World", str], Awaitable[None]]

#: What the virtual clock can set off, by name.
JOBS: dict[str, Job] = {}


def due(name: str) -> Callable[[Job], Job]:
    """Register what happens when something planned with :meth:`World.later` falls due."""

    def register(job: Job) -> Job:
        JOBS[name] = job
        return job

    return register


class World:
    """One transaction on the sandbox's books, at virtual time ``now``, for ``account`` (None = the platform)."""

    def __init__(self, books: "Books", connection: "asyncpg.Connection[asyncpg.Record]", state: dict[str, Any]) -> None:
        self.books = books
        self.sql = connection
        self.settings = books.settings
        self.offset: float = state["clock"]["offset"]
        self.faults: dict[str, Any] = state["faults"]
        self.now = int(time.time() + self.offset)
        self.account: str | None = None
        self.version = PINNED_VERSION
        self.request_id: str | None = None
        self.idempotency_key: str | None = None
        self.path = ""
        self._loaded: dict[str, Doc] = {}

    # -- objects

    async def get(self, id: str, *kinds: str, param: str = "id") -> Doc:
        """The object ``id`` of this account and of one of ``kinds``.

        Raises:
            Refusal: ``resource_missing``.
        """
        found = await self.find(id)
        mine = found is not None and (kinds[0] == "account" or found.get("_account") == self.account)
        if found is None or not mine or found["object"] not in kinds:
            raise missing(kinds[0], id, param)
        return found

    async def known(self, id: str) -> Doc:
        """An object that the books themselves point at, so it must be there."""
        found = await self.find(id)
        if found is None:
            raise LookupError(id)
        return found

    async def find(self, id: str) -> Doc | None:
        """The object ``id`` of any account, the same Python object each time within this transaction."""
        if id not in self._loaded:
            doc = await self.sql.fetchval("select doc from sandbox.object where id = $1", id)
            if doc is None:
                return None
            self._loaded[id] = doc
        return self._loaded[id]

    async def add(self, doc: Doc, *, account: str | Literal[False] | None = False) -> Doc:
        """Store a new object of ``account`` (None = the platform); unsaid, of the account in whose name we act."""
        owner = self.account if account is False else account
        doc["_account"] = owner
        created = doc["created"] if isinstance(doc.get("created"), int) else self.now
        await self.sql.execute(
            "insert into sandbox.object (id, kind, account, created, doc) values ($1, $2, $3, $4, $5)",
            doc["id"], doc["object"], owner, created, doc,
        )  # fmt: skip
        self._loaded[doc["id"]] = doc
        return doc

    async def save(self, doc: Doc) -> Doc:
        """Write back an object after changing it."""
        self._loaded[doc["id"]] = doc
        await self.sql.execute("update sandbox.object set doc = $2 where id = $1", doc["id"], doc)
        return doc

    async def select(self, kind: str, where: str = "true", *args: Any, tail: str = "order by seq") -> list[Doc]:
        """Objects of ``kind`` of any account for which the SQL condition holds (``$2``… are ``args``), oldest first."""
        text = f"select id, doc from sandbox.object where kind = $1 and {where} {tail}"  # noqa: S608 - fixed texts only
        rows = await self.sql.fetch(text, kind, *args)
        return [self._loaded.setdefault(row["id"], row["doc"]) for row in rows]

    # -- time

    async def later(self, at: int, job: str, subject: str) -> None:
        """Let the virtual clock run ``job`` on ``subject`` at ``at`` (seconds)."""
        if job not in JOBS:
            raise LookupError(job)
        await self.sql.execute("insert into sandbox.due (at, job, subject) values ($1, $2, $3)", at, job, subject)

    # -- events

    async def emit(self, type: str, obj: Doc, *, previous: Doc | None = None, account: str | None = None) -> Doc:
        """Write a v1 event with a snapshot of ``obj`` and plan its delivery, at each endpoint's own version."""
        from_account = account if account is not None else obj.get("_account")
        event: Doc = {
            "id": new_id("evt"),
            "object": "event",
            "api_version": PINNED_VERSION,
            "created": self.now,
            "data": {"object": json.loads(json.dumps(rendered(obj, now=self.now)))},
            "livemode": False,
            "pending_webhooks": 0,
            "request": {"id": self.request_id, "idempotency_key": self.idempotency_key},
            "type": type,
        }
        if previous is not None:
            event["data"]["previous_attributes"] = previous
        if from_account:
            event["account"] = from_account
        endpoints = [
            endpoint
            for endpoint in await self.select("webhook_endpoint", "doc->>'status' = 'enabled'")
            if endpoint["_connect"] == bool(from_account)
            and ("*" in endpoint["enabled_events"] or type in endpoint["enabled_events"])
        ]
        event["pending_webhooks"] = len(endpoints)
        for endpoint in endpoints:
            version = endpoint["api_version"] or PINNED_VERSION
            body = rendered(event, now=self.now, version=version) | {"api_version": version}
            await self._deliver(event["id"], endpoint["id"], body)
        return await self.add(event, account=from_account)

    async def emit_thin(self, type: str, related: Doc | None, data: Doc | None = None) -> Doc:
        """Write a v2 event, which only points at what changed, and plan its delivery."""
        event: Doc = {
            "id": new_id("evt_test"),
            "object": "v2.core.event",
            "created": iso(self.now),
            "livemode": False,
            "type": type,
        }
        if related is not None:
            event["related_object"] = {
                "id": related["id"],
                "type": "v2.core.account",
                "url": f"/v2/core/accounts/{related['id']}",
            }
        if self.request_id and self.idempotency_key:
            request = {"id": self.request_id, "idempotency_key": self.idempotency_key}
            event["reason"] = {"type": "request", "request": request}
        for destination in await self.select("v2.core.event_destination", "doc->>'status' = 'enabled'"):
            if "*" in destination["enabled_events"] or type in destination["enabled_events"]:
                await self._deliver(event["id"], destination["id"], event)
        if data is not None:
            event["data"] = data
        return await self.add(event, account=None)

    async def _deliver(self, event: str, endpoint: str, body: Doc) -> None:
        await self.sql.execute(
            "insert into sandbox.delivery (event, endpoint, body, due) values ($1, $2, $3, $4)",
            event, endpoint, json.dumps(body), time.time(),
        )  # fmt: skip

    # -- state

    async def remember(self, name: str, value: Doc) -> None:
        """Replace one of the sandbox's own settings (``clock``, ``faults``)."""
        await self.sql.execute("update sandbox.state set value = $2 where name = $1", name, value)


class Books:
    """The pool, the writer's lock, and the two signals that wake the clock and the postman."""

    def __init__(self, settings: SandboxSettings) -> None:
        self.settings = settings
        self.committed = asyncio.Event()
        self.posted = asyncio.Event()
        self.in_flight: set[tuple[str, str]] = set()
        self._lock = asyncio.Lock()
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None

    async def open(self) -> None:
        """Connect, create what is missing, register the endpoints named in the settings."""
        self._pool = await asyncpg.create_pool(
            self.settings.database_url, min_size=1, max_size=4, init=_speak_json, max_inactive_connection_lifetime=60
        )
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute("select pg_advisory_xact_lock($1)", _WRITER)
            await connection.execute(_SCHEMA)

    async def close(self) -> None:
        if self._pool:
            try:
                async with asyncio.timeout(5):
                    await self._pool.close()
            except TimeoutError:
                self._pool.terminate()

    def _connections(self) -> "asyncpg.Pool[asyncpg.Record]":
        if self._pool is None:
            raise RuntimeError("open() first")
        return self._pool

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[World]:
        """A look at the books, without waiting for the writer."""
        async with self._connections().acquire() as connection:
            yield World(self, connection, await _state(connection))

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[World]:
        """The one writer's turn: commits on leaving, also when leaving with a refusal that keeps its effects."""
        async with self._lock, self._connections().acquire() as connection:
            kept: Refusal | None = None
            async with connection.transaction():
                await connection.execute("select pg_advisory_xact_lock($1)", _WRITER)
                try:
                    yield World(self, connection, await _state(connection))
                except Refusal as refusal:
                    if not refusal.keep:
                        raise
                    kept = refusal
        self.committed.set()
        self.posted.set()
        if kept:
            raise kept

    async def run_due(self, until: int | None = None) -> int:
        """Run what is due by virtual time ``until`` (default: now), each at its own instant; the count of things done.

        With ``until``, the virtual clock is moved there: a jump of five days passes through every day between.
        """
        done = 0
        while True:
            async with self.writing() as world:
                limit = world.now if until is None else max(until, world.now)
                row = await world.sql.fetchrow(
                    "delete from sandbox.due where id = (select id from sandbox.due where at <= $1"
                    " order by at, id limit 1) returning at, job, subject",
                    limit,
                )
                if row is None:
                    if until is not None and until > world.now:
                        await world.remember("clock", {"offset": until - time.time()})
                    return done
                if row["at"] > world.now:
                    world.now = row["at"]
                    await world.remember("clock", {"offset": row["at"] - time.time()})
                try:
                    async with world.sql.transaction():
                        await JOBS[row["job"]](world, row["subject"])
                except Exception:
                    log.exception("%s of %s failed; tried again in a virtual day", row["job"], row["subject"])
                    await world.later(world.now + 86_400, row["job"], row["subject"])
                done += 1


async def _speak_json(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")


async def _state(connection: "asyncpg.Connection[asyncpg.Record]") -> dict[str, Any]:
    return {row["name"]: row["value"] for row in await connection.fetch("select name, value from sandbox.state")}


def known_version(version: str) -> str:
    """``version`` if the sandbox can speak it.

    Raises:
        Refusal: an unknown version; never silently taken for the default.
    """
    if version not in KNOWN_VERSIONS:
        raise Refusal(
            f"Invalid Stripe API version: {version}. This sandbox speaks {', '.join(KNOWN_VERSIONS)}.", executed=False
        )
    return version
