"""Signing in and out. A session's secret lives in the browser's cookie; here is only its digest."""

import secrets
from datetime import timedelta
from uuid import UUID, uuid4

from exchange.accounts.actions.mail import send_mail
from exchange.accounts.actions.passwords import password_fits
from exchange.accounts.actions.people import end_sessions, send_link
from exchange.accounts.queries import credentials, recipient
from exchange.accounts.rules import LinkPurpose, NotConfirmed, WrongSignIn, device, digest
from exchange.actor import Actor
from exchange.clock import now
from exchange.database import execute, fetchrow, fetchval, transaction
from exchange.errors import NotSeen
from exchange.journal.actions import record
from exchange.web import limits

TRIES_PER_EMAIL = 10
TRIES_PER_ADDRESS = 100
"""An office shares one address; whoever guesses from one place still gets no further than this."""
TRIES_PER = timedelta(minutes=15)


async def sign_in(*, email: str, password: str, address: str, agent: str) -> str:
    """A new session's secret for the cookie; always a fresh one, so that none can be planted.

    An unknown address, a person who left and a wrong password get the same answer after the same work.
    Raises WrongSignIn, NotConfirmed (right password; the link is sent again), TooMany.
    """
    email = email.strip()[:254]
    bucket = f"sign_in:{digest(email.casefold()).hex()}"
    await limits.count(f"sign_in:{address}", at_most=TRIES_PER_ADDRESS, per=TRIES_PER)
    await limits.count(bucket, at_most=TRIES_PER_EMAIL, per=TRIES_PER)
    known = await credentials(email)
    if not await password_fits(password, known.password_hash if known else None) or known is None:
        raise WrongSignIn(field="password")
    if not known.confirmed:
        await send_link(known.person_id, LinkPurpose.CONFIRM)
        raise NotConfirmed
    await limits.forget(bucket)
    return await open_session(known.person_id, address=address, agent=agent)


async def open_session(person_id: UUID, *, address: str, agent: str) -> str:
    """A session for somebody whose identity was just proved. Tells the person when the device is new to us."""
    secret = secrets.token_urlsafe(32)
    async with transaction():
        known = await fetchrow(
            "select count(*) filter (where agent = $2) as here, count(*) as anywhere from session where person_id = $1",
            person_id,
            agent[:300],
        )
        session_id, at = uuid4(), now()
        await execute(
            "insert into session (id, person_id, token_hash, created_at, last_seen_at, address, agent) "
            "values ($1, $2, $3, $4, $4, $5, $6)",
            session_id,
            person_id,
            digest(secret),
            at,
            address[:45],
            agent[:300],
        )
        if known is not None and known["anywhere"] and not known["here"]:
            await send_mail(await recipient(person_id), "new_sign_in", device=device(agent), when=at, address=address)
        await record(Actor(person_id, None), "session.opened", session_id)
    return secret


async def sign_out(*, by: Actor, session_id: UUID) -> None:
    """The actor leaves this browser; leaving twice is no error."""
    async with transaction():
        await execute(
            "update session set revoked_at = $3 where id = $1 and person_id = $2 and revoked_at is null",
            session_id,
            by.person_id,
            now(),
        )


async def revoke_session(*, by: Actor, session_id: UUID) -> None:
    """End one of the actor's own sessions. Raises NotSeen when it is not theirs or is over."""
    async with transaction():
        ended = await fetchval(
            "update session set revoked_at = $3 where id = $1 and person_id = $2 and revoked_at is null returning id",
            session_id,
            by.person_id,
            now(),
        )
        if ended is None:
            raise NotSeen
        await record(by, "session.revoked", session_id)


async def revoke_other_sessions(*, by: Actor, keep: UUID | None) -> int:
    """End all of the actor's sessions but ``keep``. Returns how many."""
    async with transaction():
        ended = await end_sessions(by.person_id, keep=keep)
        await record(by, "session.others_revoked", by.person_id, ended=ended)
        return ended


async def touch_session(session_id: UUID) -> None:
    """Note that the session was used just now."""
    await execute("update session set last_seen_at = greatest(last_seen_at, $2) where id = $1", session_id, now())


async def forget_old_sessions() -> None:
    """Delete what has been over for a month: addresses of people are not kept for nothing."""
    async with transaction():
        await execute("delete from session where coalesce(revoked_at, last_seen_at) < $1", now() - timedelta(days=30))
