"""Every intended write at Stripe: a row first (T1), a call second (N), its effects third (T2).

The row's id is the idempotency key. Whoever drives an operation (the request that planned it, its job, an event, the
poll) ends in the same ``complete``, which does its work once. A lost answer is asked for again under the same key;
when the key may have died, the object is looked up first and a new operation made only if Stripe has none.
"""

import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from random import SystemRandom
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from exchange.clock import now
from exchange.database import execute, fetchrow, transaction
from exchange.jobs import enqueue
from exchange.journal.actions import record
from exchange.settlement.rules.payments import Kind, OperationState, back_off, key_alive
from exchange.settlement.stripe_gateway import API_VERSION, Busy, Gateway, KeyReused, NoAnswer, Params, Refused, gateway

log = logging.getLogger(__name__)

LOOK_UP_AFTER = 4
"""Tries without an answer before the object is looked up: Stripe replays even a 500 under the same key."""

_chance = SystemRandom()


@dataclass(frozen=True, slots=True)
class Operation:
    """One intended write, as its row says."""

    id: UUID
    kind: Kind
    subject_id: UUID
    deal_id: UUID | None
    lot_id: UUID | None
    request: Params
    state: OperationState
    attempts: int
    planned_at: datetime

    @property
    def deal(self) -> UUID:
        """The deal it is about. Raises LookupError for an operation of no deal."""
        if self.deal_id is None:
            raise LookupError(f"operation {self.id} is of no deal")
        return self.deal_id


class HeldBack(Refused):
    """We held the call back ourselves before it was made, at the first try: nothing happened at Stripe."""


@dataclass(frozen=True, slots=True)
class Doing:
    """How one kind of operation is done. ``finish`` and ``refused`` run inside the closing transaction."""

    call: Callable[[Gateway, Operation], Awaitable[Any]]
    find: Callable[[Gateway, Operation], Awaitable[Any]]
    """The object the operation made, or None when Stripe has none."""
    finish: Callable[[Operation, Any], Awaitable[None]]
    refused: Callable[[Operation, Refused], Awaitable[None]]


_DOINGS: dict[Kind, Doing] = {}


def done_by(kind: Kind, doing: Doing) -> None:
    """Say how operations of ``kind`` are done; each noun's module does at import."""
    _DOINGS[kind] = doing


async def plan(
    kind: Kind, subject_id: UUID, request: Params, *, deal_id: UUID | None = None, lot_id: UUID | None = None
) -> UUID:
    """Write the intent down in the current transaction and queue its driver (T1)."""
    operation_id = uuid4()
    await execute(
        "insert into stripe_operation (id, kind, subject_id, deal_id, lot_id, request, api_version, livemode, state, "
        "planned_at, attempts, last_error) values ($1, $2, $3, $4, $5, $6, $7, $8, 'planned', $9, 0, '')",
        operation_id,
        kind.value,
        subject_id,
        deal_id,
        lot_id,
        json.dumps(request),
        API_VERSION,
        gateway().livemode,
        now(),
    )
    await enqueue("stripe.operation", operation_id)
    return operation_id


async def drive(operation_id: UUID) -> None:
    """Do the operation if it is not done: call Stripe (N), then take over what it answered (T2).

    Safe to run twice and side by side. An answer that does not come is asked for again later; a refusal is final.
    """
    operation = await operation_of(operation_id)
    if operation is None or operation.state.final:
        return
    try:
        made = await fetch_result(operation)
    except Refused as refusal:
        if isinstance(refusal, KeyReused):
            log.error("operation %s: its key was used with another body; a person must look", operation.id)
        await _refuse(operation, refusal)
    except (NoAnswer, Busy) as failure:
        await _try_later(operation, failure)
    else:
        if made is None:
            await _renew(operation)
        else:
            async with transaction(alone=True):
                await complete(operation, made)


async def operation_of(operation_id: UUID) -> Operation | None:
    """The operation, or None."""
    row = await fetchrow("select * from stripe_operation where id = $1", operation_id)
    return _operation(row) if row else None


async def fetch_result(operation: Operation) -> Any:
    """What Stripe has made of the operation, asking it to if need be (N); None when it is proven to have nothing."""
    doing = _DOINGS[operation.kind]
    async with transaction(alone=True):
        row = await fetchrow(
            "update stripe_operation set state = case when state = 'planned' then 'sent' else state end, "
            "first_sent_at = coalesce(first_sent_at, $2), attempts = attempts + 1 "
            "where id = $1 and state not in ('done', 'failed') returning first_sent_at, attempts, state",
            operation.id,
            now(),
        )
    if row is None:  # another driver has just ended it: what it made is asked, nothing is done again
        return await doing.find(gateway(), operation)
    unanswered = row["state"] == OperationState.UNKNOWN and row["attempts"] % LOOK_UP_AFTER == 0
    if unanswered or not key_alive(row["first_sent_at"], now()):
        return await doing.find(gateway(), operation)
    return await doing.call(gateway(), operation)


async def look_up(operation: Operation) -> Any:
    """What Stripe has of the operation, without asking it to do anything: under its key it would replay even a 500."""
    return await _DOINGS[operation.kind].find(gateway(), operation)


async def complete(operation: Operation, made: Any) -> None:
    """Take over what Stripe made, once, in the current transaction (T2)."""
    row = await fetchrow(
        "update stripe_operation set state = 'done', stripe_id = $2, last_error = '' "
        "where id = $1 and state <> 'done' returning id",
        operation.id,
        made if isinstance(made, str) else made.id,
    )
    if row is not None:
        await _DOINGS[operation.kind].finish(operation, made)


async def _refuse(operation: Operation, refusal: Refused) -> None:
    async with transaction(alone=True):
        row = await fetchrow(
            "update stripe_operation set state = 'failed', last_error = $2, last_request_id = $3 "
            "where id = $1 and state not in ('done', 'failed') and (attempts = $4 or not $5) returning id",
            operation.id,
            f"{refusal.stripe_code or ''}: {refusal}"[:500],
            refusal.request_id,
            operation.attempts + 1,
            isinstance(refusal, HeldBack),
        )
        if row is not None:
            await _DOINGS[operation.kind].refused(operation, refusal)


async def _try_later(operation: Operation, failure: NoAnswer | Busy) -> None:
    """Nothing is known (NoAnswer) or nothing happened (Busy): wait, longer each time, and ask again."""
    async with transaction(alone=True):
        await execute(
            "update stripe_operation set state = case when $2 then 'unknown' else state end, last_error = $3 "
            "where id = $1 and state not in ('done', 'failed')",
            operation.id,
            isinstance(failure, NoAnswer),
            f"{type(failure).__name__}: {failure.__cause__ or failure}"[:500],
        )
        await enqueue("stripe.operation", operation.id, at=now() + back_off(operation.attempts, _chance))


async def _renew(operation: Operation) -> None:
    """Stripe has no trace of it and its key is no longer sure: the same intent under a new key."""
    async with transaction(alone=True):
        row = await fetchrow(
            "update stripe_operation set state = 'failed', last_error = 'proven absent; renewed' "
            "where id = $1 and state not in ('done', 'failed') returning id",
            operation.id,
        )
        if row is not None:
            renewed = await plan(
                operation.kind,
                operation.subject_id,
                operation.request,
                deal_id=operation.deal_id,
                lot_id=operation.lot_id,
            )
            await record(None, "operation.renewed", renewed, instead_of=str(operation.id))


def _operation(row: asyncpg.Record) -> Operation:
    return Operation(
        id=row["id"],
        kind=Kind(row["kind"]),
        subject_id=row["subject_id"],
        deal_id=row["deal_id"],
        lot_id=row["lot_id"],
        request=json.loads(row["request"]),
        state=OperationState(row["state"]),
        attempts=row["attempts"],
        planned_at=row["planned_at"],
    )
