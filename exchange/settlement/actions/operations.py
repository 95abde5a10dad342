"""Every intended write at Stripe: a row first (T1), a call second (N), its effects third (T2).

The row's id is the idempotency key, and its request is frozen with its hash: what is read, sent or looked up is that
request or nothing. Whoever drives an operation (the request that planned it, its job, an event, the
poll) ends in the same ``complete``, which does its work once. A lost answer is asked for again under the same key, by
any number of drivers at a time: Stripe does it once. After a silence the object is looked up, and a new operation made
only if Stripe has none. That, and a refusal, only the latest attempt concludes, once no other can be on its way.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from importlib import import_module
from random import SystemRandom
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from exchange.actor import Actor
from exchange.clock import now
from exchange.database import execute, fetchrow, fetchval, transaction
from exchange.errors import N_, Conflict
from exchange.jobs import enqueue
from exchange.journal.actions import record
from exchange.settlement.actions.notices import alarm
from exchange.settlement.queries.deals import any_deal
from exchange.settlement.rules.alarms import AlarmKind
from exchange.settlement.rules.deal import NotYourMove
from exchange.settlement.rules.payments import Kind, OperationState, back_off, key_alive
from exchange.settlement.stripe_gateway import API_VERSION, Busy, Gateway, KeyReused, NoAnswer, Params, Refused, gateway

log = logging.getLogger(__name__)

LASTS = timedelta(minutes=2)
"""How long one attempt may take, reads and the library's own tries included; then it counts as unanswered."""

SILENCE = LASTS + timedelta(minutes=1)
"""How long after the start of the last attempt Stripe is sure to have none of them in hand: then what it has is looked
up, because it replays even a 500 under the same key, and what it has not is done under a new one."""

_chance = SystemRandom()


class NotHeld(Conflict):
    """It has ended, or goes on by itself."""

    message = N_("This call does not wait for you any more.")


class RequestChanged(Conflict):
    """The stored request is not the one that was decided: its hash says so. It is never sent, nor decided anew."""

    message = N_(
        "What was to be asked of the payment service was changed after it had been decided, so it is never sent. "
        "Put back what stood there, from a backup, then have it asked for again."
    )


@dataclass(frozen=True, slots=True)
class Operation:
    """One intended write, as its row says."""

    id: UUID
    kind: Kind
    subject_id: UUID
    deal_id: UUID | None
    lot_id: UUID | None
    frozen: str
    """What is asked, as it was written down: its text, of which the row keeps the hash."""
    request_hash: str
    state: OperationState
    attempts: int
    """How many have begun, this one included."""
    planned_at: datetime
    first_sent_at: datetime | None
    alone: bool = False
    """Of an attempt: whether no earlier one can be on its way still."""

    @property
    def request(self) -> Params:
        """What is asked, exactly as it was decided. Raises RequestChanged."""
        if _hash(self.frozen) != self.request_hash:
            raise RequestChanged
        asked: Params = json.loads(self.frozen)
        return asked

    @property
    def deal(self) -> UUID:
        """The deal it is about. Raises LookupError for an operation of no deal."""
        if self.deal_id is None:
            raise LookupError(f"operation {self.id} is of no deal")
        return self.deal_id


class HeldBack(Refused):
    """We held the call back ourselves before it was made, and no earlier try made it: nothing happened at Stripe."""


@dataclass(frozen=True, slots=True)
class Doing:
    """How one kind of operation is done. ``finish`` and ``refused`` run inside the closing transaction."""

    call: Callable[[Gateway, Operation], Awaitable[Any]]
    find: Callable[[Gateway, Operation], Awaitable[Any]]
    """The object the operation made, or None when Stripe has none."""
    finish: Callable[[Operation, Any], Awaitable[None]]
    refused: Callable[[Operation, Refused], Awaitable[None]]


_DOERS = ("cash", "customers", "payments", "rebuttals", "recourse", "refunds", "release", "sellers")
"""The modules that say how operations are done."""

_DOINGS: dict[Kind, Doing] = {}


def done_by(kind: Kind, doing: Doing) -> None:
    """Say how operations of ``kind`` are done; each noun's module does at import."""
    _DOINGS[kind] = doing


def doing_of(kind: Kind) -> Doing:
    """How operations of ``kind`` are done, in whatever process: a worker, a command, a poll may drive any of them."""
    if kind not in _DOINGS:
        for doer in _DOERS:
            import_module(f"{__package__}.{doer}")
    return _DOINGS[kind]


async def plan(
    kind: Kind, subject_id: UUID, request: Params, *, deal_id: UUID | None = None, lot_id: UUID | None = None
) -> UUID:
    """Write the intent down in the current transaction and queue its driver (T1)."""
    operation_id, frozen = uuid4(), json.dumps(request)
    await execute(
        "insert into stripe_operation (id, kind, subject_id, deal_id, lot_id, request, request_hash, api_version, "
        "livemode, state, planned_at, attempts, last_error) "
        "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'planned', $10, 0, '')",
        operation_id,
        kind.value,
        subject_id,
        deal_id,
        lot_id,
        frozen,
        _hash(frozen),
        API_VERSION,
        gateway().livemode,
        now(),
    )
    await enqueue("stripe.operation", operation_id)
    return operation_id


async def pursue(operation_id: UUID) -> None:
    """Do the operation, and come back to it until it is done: what its one job does."""
    tried = await drive(operation_id)
    if tried is not None:
        async with transaction():
            await enqueue("stripe.operation", operation_id, at=now() + back_off(tried, _chance))


async def drive(operation_id: UUID) -> int | None:
    """Do the operation if it is not done: call Stripe (N), then take over what it answered (T2).

    Safe to run twice and side by side. A refusal is final. Where no answer comes, or Stripe is busy, nothing is
    concluded: how many attempts there were is returned, None when the operation has ended.
    """
    operation = await _begin(operation_id)
    if operation is None:
        return None
    try:
        made = await _ask(operation)
    except (NoAnswer, Busy) as failure:
        await _note(operation, failure)
        return operation.attempts
    except KeyReused as reused:
        return await _look_or_hold(operation, reused)
    except RequestChanged as changed:
        async with transaction(alone=True):
            await _hold(operation, "request_changed", f"RequestChanged: {changed}")
        return None
    except Refused as refusal:
        return await _conclude(operation, f"{refusal.stripe_code or ''}: {refusal}", refusal)
    if made is None:
        return await _conclude(operation, "proven absent; renewed")
    async with transaction(alone=True):
        await complete(operation, made)
    return None


async def operation_of(operation_id: UUID) -> Operation | None:
    """The operation, or None."""
    row = await fetchrow("select * from stripe_operation where id = $1", operation_id)
    return _operation(row) if row else None


async def _begin(operation_id: UUID) -> Operation | None:
    """Begin an attempt, in a transaction of its own; None when the operation has ended."""
    at = now()
    async with transaction(alone=True):
        row = await fetchrow(
            "update stripe_operation set state = case when state = 'planned' then 'sent' else state end, "
            "first_sent_at = coalesce(first_sent_at, $2), tried_at = $2, attempts = attempts + 1 "
            "where id = $1 and state not in ('done', 'failed', 'held') returning new.*, old.tried_at as before",
            operation_id,
            at,
        )
    if row is None:
        return None
    return replace(_operation(row), alone=row["before"] is None or row["before"] <= at - SILENCE)


async def _ask(operation: Operation) -> Any:
    """What Stripe has made of the operation, asking it to if need be (N); None when it is proven to have nothing.

    Raises NoAnswer, Busy, Refused.
    """
    alive = key_alive(operation.first_sent_at, now())
    if not alive and not operation.alone:
        raise Busy  # under a dead key it would be done again; looked up, it might be missed
    asked = look_up if operation.alone and (not alive or operation.state is OperationState.UNKNOWN) else _send
    try:
        async with asyncio.timeout(LASTS.total_seconds()):
            return await asked(operation)
    except TimeoutError as silence:
        raise NoAnswer from silence


async def _send(operation: Operation) -> Any:
    return await doing_of(operation.kind).call(gateway(), operation)


async def look_up(operation: Operation) -> Any:
    """What Stripe has of the operation, without asking it to do anything: under its key it would replay even a 500."""
    return await doing_of(operation.kind).find(gateway(), operation)


async def complete(operation: Operation, made: Any) -> None:
    """Take over what Stripe made, once, in the current transaction (T2)."""
    row = await fetchrow(
        "update stripe_operation set state = 'done', stripe_id = $2, last_error = '' "
        "where id = $1 and state <> 'done' returning id",
        operation.id,
        made if isinstance(made, str) else made.id,
    )
    if row is not None:
        await doing_of(operation.kind).finish(operation, made)


async def _conclude(operation: Operation, why: str, refusal: Refused | None = None) -> int | None:
    """It was refused, or Stripe has no trace of it: then the same intent goes on under a new key.

    Nothing is concluded, and the attempts are returned, where another attempt has begun since.
    """
    async with transaction(alone=True):
        row = await fetchrow(
            "update stripe_operation set state = 'failed', last_error = $3, last_request_id = $4 "
            "where id = $1 and state not in ('done', 'failed') and attempts = $2 returning id",
            operation.id,
            operation.attempts,
            why[:500],
            refusal.request_id if refusal else None,
        )
        if row is None:
            return operation.attempts
        if refusal is not None:
            await doing_of(operation.kind).refused(operation, refusal)
        else:
            await _renew(operation)
    return None


async def _look_or_hold(operation: Operation, reused: KeyReused) -> int | None:
    """Under its key Stripe was once asked something else: what it made of that counts, else a person must look."""
    try:
        made = await look_up(operation)
    except (NoAnswer, Busy) as failure:
        await _note(operation, failure)
        return operation.attempts
    async with transaction(alone=True):
        if made is not None:
            await complete(operation, made)
        else:
            await _hold(operation, "key_reused", f"{reused.stripe_code or ''}: {reused}", reused.request_id)
    return None


async def _hold(operation: Operation, kind: AlarmKind, why: str, request_id: str | None = None) -> None:
    """Nobody goes on with it until a person has looked, who is called: in the current transaction."""
    held = await fetchval(
        "update stripe_operation set state = 'held', last_error = $2, last_request_id = $3 "
        "where id = $1 and state not in ('done', 'failed', 'held') returning id",
        operation.id,
        why[:500],
        request_id,
    )
    if held is not None:
        log.error("operation %s is held (%s): a person must look", operation.id, kind)
        await alarm(kind, await any_deal(operation.deal_id) if operation.deal_id else None)


async def renew_held(*, operation_id: UUID, by: Actor) -> None:
    """The operator has made sure that Stripe did nothing: the intent goes on under a new key.

    Raises NotYourMove, NotHeld, RequestChanged.
    """
    if not by.is_operator:
        raise NotYourMove
    async with transaction():
        row = await fetchrow(
            "update stripe_operation set state = 'failed' where id = $1 and state = 'held' returning *", operation_id
        )
        if row is None:
            raise NotHeld
        await _renew(_operation(row))
        await record(by, "operation.released", operation_id)


async def _renew(operation: Operation) -> None:
    renewed = await plan(
        operation.kind, operation.subject_id, operation.request, deal_id=operation.deal_id, lot_id=operation.lot_id
    )
    await record(None, "operation.renewed", renewed, instead_of=str(operation.id))


async def _note(operation: Operation, failure: NoAnswer | Busy) -> None:
    """Nothing is known (NoAnswer) or nothing happened (Busy)."""
    await execute(
        "update stripe_operation set state = case when $2 then 'unknown' else state end, last_error = $3 "
        "where id = $1 and state not in ('done', 'failed')",
        operation.id,
        isinstance(failure, NoAnswer),
        f"{type(failure).__name__}: {failure.__cause__ or failure}"[:500],
    )


def _operation(row: asyncpg.Record) -> Operation:
    return Operation(
        id=row["id"],
        kind=Kind(row["kind"]),
        subject_id=row["subject_id"],
        deal_id=row["deal_id"],
        lot_id=row["lot_id"],
        frozen=row["request"],
        request_hash=row["request_hash"],
        state=OperationState(row["state"]),
        attempts=row["attempts"],
        planned_at=row["planned_at"],
        first_sent_at=row["first_sent_at"],
    )


def _hash(frozen: str) -> str:
    return sha256(frozen.encode()).hexdigest()
