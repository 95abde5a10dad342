"""API tokens: made, shown once, revoked."""

import secrets
from uuid import UUID, uuid4

from exchange.accounts.queries import credentials
from exchange.accounts.rules import NobodySignsIn, NoLabel, digest
from exchange.actor import Actor
from exchange.clock import now
from exchange.database import execute, fetchval, transaction
from exchange.errors import NotSeen
from exchange.journal.actions import record

PREFIX = "cfr_"
"""Begins every token, so that scanners of code repositories can recognise a leaked one."""


async def issue_token(*, by: Actor, label: str) -> str:
    """A new token that acts for the actor; this is the only time it is told. Raises NoLabel."""
    label = " ".join(label.split())[:80]
    if not label:
        raise NoLabel(field="label")
    secret = PREFIX + secrets.token_urlsafe(32)
    async with transaction():
        token_id = uuid4()
        await execute(
            "insert into api_token (id, person_id, token_hash, label, created_at) values ($1, $2, $3, $4, $5)",
            token_id,
            by.person_id,
            digest(secret),
            label,
            now(),
        )
        await record(by, "token.issued", token_id)
    return secret


async def issue_token_for(email: str, *, label: str) -> str:
    """The body of `exchange token EMAIL`. Raises NobodySignsIn."""
    known = await credentials(email)
    if known is None or known.password_hash is None or not known.confirmed:
        raise NobodySignsIn(email=email)
    return await issue_token(by=Actor(known.person_id, None), label=label)


async def revoke_token(*, by: Actor, token_id: UUID) -> None:
    """End one of the actor's own tokens. Raises NotSeen."""
    async with transaction():
        ended = await fetchval(
            "update api_token set revoked_at = $3 where id = $1 and person_id = $2 and revoked_at is null returning id",
            token_id,
            by.person_id,
            now(),
        )
        if ended is None:
            raise NotSeen
        await record(by, "token.revoked", token_id)


async def touch_token(token_id: UUID) -> None:
    """Note that the token was used just now."""
    await execute("update api_token set last_used_at = $2 where id = $1", token_id, now())
