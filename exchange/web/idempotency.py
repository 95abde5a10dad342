"""``Idempotency-Key`` on the API: a POST that is repeated with the same key gets the first answer again.

Any POST under /api/v1 may carry one. The key belongs to the person; it is kept for 24 hours. The same key with another
request is refused, and a repeat while the first is still being worked on is told so (IETF httpapi draft).
"""

import hashlib
import json
import logging
from datetime import timedelta
from typing import Any
from uuid import uuid4

from litestar import Request
from litestar.datastructures import Headers
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from exchange.clock import now
from exchange.database import AWAY, execute, fetchrow
from exchange.errors import N_, Conflict, Invalid
from exchange.web.refusals import answer
from exchange.web.viewer import Viewer

log = logging.getLogger(__name__)
KEPT = timedelta(hours=24)
GIVEN_UP = timedelta(minutes=2)
"""A first request that left no answer after this long died with its process; the key may be used again."""


class KeyReused(Invalid):
    """The key stands for another request."""

    message = N_("This Idempotency-Key was used for a different request. Use a new key for each new request.")


class StillWorking(Conflict):
    """The first request with this key has not answered yet."""

    message = N_("The first request with this Idempotency-Key is still being worked on. Ask again in a moment.")


class IdempotencyMiddleware(ASGIMiddleware):
    """Stores the answer of a keyed POST and replays it."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        key = Headers.from_scope(scope).get("idempotency-key")
        viewer: Viewer | None = scope.get("user")
        if not key or viewer is None or scope.get("method") != "POST" or not scope["path"].startswith("/api/v1/"):
            return await next_app(scope, receive, send)
        request: Request[Any, Any, Any] = Request(scope, receive, send)
        body = await request.body()
        digest = hashlib.sha256(b"\n".join([scope["path"].encode(), scope["query_string"], body])).digest()
        person = viewer.actor.person_id
        row = await _claim(person, key[:255], digest)
        if row is not None:
            return await _repeat(request, row, digest, send)
        return await _first(person, key[:255], scope, _replaying(body, receive), send, next_app)


async def _claim(person: object, key: str, digest: bytes) -> Any:
    """Take the key (None), or the row that holds it."""
    taken = await fetchrow(
        "insert into idempotent_reply as r (id, person_id, key, request_hash, created_at, headers) "
        "values ($1, $2, $3, $4, $5, '') on conflict (person_id, key) do update set "
        "request_hash = excluded.request_hash, created_at = excluded.created_at, status = null, body = null "
        "where r.created_at < $6 or (r.status is null and r.created_at < $7) returning id",
        uuid4(),
        person,
        key,
        digest,
        now(),
        now() - KEPT,
        now() - GIVEN_UP,
    )
    if taken is not None:
        return None
    return await fetchrow(
        "select request_hash, status, headers, body from idempotent_reply where person_id = $1 and key = $2",
        person,
        key,
    )


async def _repeat(request: Request[Any, Any, Any], row: Any, digest: bytes, send: Send) -> None:
    refusal = KeyReused() if row["request_hash"] != digest else StillWorking() if row["status"] is None else None
    if refusal is not None:
        response = answer(request, refusal).to_asgi_response(app=None, request=request)
        await response(request.scope, request.receive, send)
        return
    headers = [(name.encode(), value.encode()) for name, value in json.loads(row["headers"])]
    headers.append((b"idempotent-replayed", b"true"))
    await send({"type": "http.response.start", "status": row["status"], "headers": headers})
    await send({"type": "http.response.body", "body": row["body"], "more_body": False})


async def _first(person: object, key: str, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
    status, headers, chunks = 500, "[]", list[bytes]()

    async def keeping(message: Message) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status = message["status"]
            kept = [
                (n.decode(), v.decode()) for n, v in message["headers"] if n.lower() in (b"content-type", b"location")
            ]
            headers = json.dumps(kept)
        elif message["type"] == "http.response.body":
            chunks.append(message["body"])
        await send(message)

    try:
        await next_app(scope, receive, keeping)
    finally:
        try:
            await _keep(person, key, status, headers, b"".join(chunks))
        except AWAY as error:  # the asker has the answer by now; the key is free again when it is given up
            log.warning("the answer to a keyed request could not be kept: %r", error)


async def _keep(person: object, key: str, status: int, headers: str, body: bytes) -> None:
    if status >= 500 or status == 429:
        await execute("delete from idempotent_reply where person_id = $1 and key = $2", person, key)
    else:
        await execute(
            "update idempotent_reply set status = $3, headers = $4, body = $5 where person_id = $1 and key = $2",
            person,
            key,
            status,
            headers,
            body,
        )


def _replaying(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def replay() -> Any:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
