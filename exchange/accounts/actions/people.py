"""People: made, confirmed, their password and preferences changed, closed when they leave."""

import secrets
from datetime import timedelta
from uuid import UUID, uuid4

from exchange.accounts.actions.mail import send_mail
from exchange.accounts.actions.passwords import hash_password, password_fits
from exchange.accounts.queries import account_of, credentials, recipient
from exchange.accounts.rules import (
    LinkPurpose,
    LinkSpent,
    UnknownLanguage,
    WrongPassword,
    digest,
    email_address,
    ensure_password,
    person_name,
    zones,
)
from exchange.actor import Actor
from exchange.clock import now
from exchange.database import execute, fetchval, transaction
from exchange.errors import N_, Conflict, Invalid
from exchange.jobs import enqueue
from exchange.journal.actions import record
from exchange.settings import settings
from exchange.web import limits
from exchange.web.translations import LANGUAGES


class AddressTaken(Conflict):
    """Only for those who proved the address is theirs: to anybody else it would tell who has an account."""

    message = N_("This e-mail address already has an account. Sign in with it, or use another address.")


class NoSuchZone(Invalid):
    message = N_("Choose a time zone from the list, for example Europe/Paris.")


async def add_person(
    *,
    email: str,
    name: str,
    password_hash: str | None,
    language: str,
    zone: str,
    confirmed: bool = False,
    operator: bool = False,
) -> UUID:
    """A new person, or one who left and comes back. Raises NotAnAddress, NoName, AddressTaken."""
    async with transaction():
        person_id: UUID | None = await fetchval(
            "insert into person as p "
            "(id, email, name, password_hash, language, zone, is_operator, created_at, confirmed_at) "
            "values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (email) do update set name = excluded.name, "
            "password_hash = excluded.password_hash, language = excluded.language, zone = excluded.zone, "
            "confirmed_at = excluded.confirmed_at, left_at = null where p.left_at is not null returning id",
            uuid4(),
            email_address(email),
            person_name(name),
            password_hash,
            language,
            zone,
            operator,
            now(),
            now() if confirmed else None,
        )
        if person_id is None:
            raise AddressTaken(field="email")
        await record(None, "person.added", person_id, operator=operator)
    return person_id


async def send_link(person_id: UUID, purpose: LinkPurpose) -> None:
    """Mail the person a fresh link; links of the same purpose sent before stop working."""
    secret = secrets.token_urlsafe(32)
    async with transaction():
        await execute(
            "update mail_link set used_at = $3 where person_id = $1 and purpose = $2 and used_at is null",
            person_id,
            purpose.value,
            now(),
        )
        await execute(
            "insert into mail_link (id, person_id, purpose, token_hash, created_at, expires_at) "
            "values ($1, $2, $3, $4, $5, $6)",
            uuid4(),
            person_id,
            purpose.value,
            digest(secret),
            now(),
            now() + purpose.lasts,
        )
        link = f"{settings().base_url}/{purpose.value}/{secret}"
        await send_mail(await recipient(person_id), purpose.value, secret=True, link=link, lasts=purpose.lasts)


async def confirm_email(*, secret: str) -> None:
    """The holder of the link proved the address. Raises LinkSpent."""
    async with transaction():
        person_id = await _spend(secret, LinkPurpose.CONFIRM)
        await execute("update person set confirmed_at = coalesce(confirmed_at, $2) where id = $1", person_id, now())
        await record(Actor(person_id, None), "person.confirmed", person_id)


async def ask_for_reset(*, email: str, address: str) -> None:
    """Mail a link to choose a new password, if somebody has this address; says and does the same if nobody has.

    Raises TooMany.
    """
    email = email.strip()[:254]
    await limits.count(f"reset:{address}", at_most=20, per=timedelta(hours=1))
    await limits.count(f"reset:{digest(email.casefold()).hex()}", at_most=4, per=timedelta(hours=1))
    known = await credentials(email)
    async with transaction():  # the same row for nobody: the time tells nothing
        await enqueue("reset.asked", known.person_id if known and known.password_hash else uuid4())


async def send_reset(person_id: UUID) -> None:
    """Send the link asked for, to a person who exists and has not left."""
    if await fetchval("select 1 from person where id = $1 and password_hash is not null", person_id):
        await send_link(person_id, LinkPurpose.RESET)


async def reset_password(*, secret: str, password: str) -> UUID:
    """A new password by link; it proves the address too, and ends every session. Returns the person.

    Raises LinkSpent and what `ensure_password` raises.
    """
    ensure_password(password)
    kept = await hash_password(password)
    async with transaction():
        person_id = await _spend(secret, LinkPurpose.RESET)
        await execute(
            "update person set password_hash = $2, confirmed_at = coalesce(confirmed_at, $3) where id = $1",
            person_id,
            kept,
            now(),
        )
        await end_sessions(person_id)
        await send_mail(await recipient(person_id), "password_changed", when=now())
        await record(Actor(person_id, None), "password.reset", person_id)
    return person_id


async def change_password(*, by: Actor, present: str, password: str, session_id: UUID | None) -> None:
    """The actor's new password; every other session of theirs ends.

    Raises WrongPassword, TooMany and what `ensure_password` raises.
    """
    me = await account_of(by)
    ensure_password(password, me.email, me.name)
    await limits.count(f"password:{by.person_id}", at_most=10, per=timedelta(minutes=15))
    if not await password_fits(present, await fetchval("select password_hash from person where id = $1", by.person_id)):
        raise WrongPassword(field="present")
    kept = await hash_password(password)
    async with transaction():
        await execute("update person set password_hash = $2 where id = $1", by.person_id, kept)
        await end_sessions(by.person_id, keep=session_id)
        await send_mail(await recipient(by.person_id), "password_changed", when=now())
        await record(by, "password.changed", by.person_id)


async def set_preferences(*, by: Actor, name: str, language: str, zone: str) -> None:
    """How the actor is called, in what language and time zone they read.

    Raises NoName, UnknownLanguage, NoSuchZone.
    """
    name = person_name(name)
    ensure_preferences(language, zone)
    async with transaction():
        await execute(
            "update person set name = $2, language = $3, zone = $4 where id = $1", by.person_id, name, language, zone
        )
        await record(by, "person.preferences_set", by.person_id)


def ensure_preferences(language: str, zone: str) -> None:
    """Raises UnknownLanguage, NoSuchZone."""
    if language not in LANGUAGES:
        raise UnknownLanguage(field="language")
    if zone not in zones():
        raise NoSuchZone(field="zone")


async def close_person(person_id: UUID) -> None:
    """The person leaves: no password, no session, no token. Their deeds stay in the books under their name."""
    async with transaction():
        await execute("update person set password_hash = null, left_at = $2 where id = $1", person_id, now())
        await end_sessions(person_id)
        await execute(
            "update api_token set revoked_at = $2 where person_id = $1 and revoked_at is null", person_id, now()
        )
        await execute("update mail_link set used_at = $2 where person_id = $1 and used_at is null", person_id, now())


async def end_sessions(person_id: UUID, *, keep: UUID | None = None) -> int:
    """End the person's sessions but ``keep``, in the current transaction. Returns how many."""
    told = await execute(
        "update session set revoked_at = $3 where person_id = $1 and revoked_at is null and id is distinct from $2",
        person_id,
        keep,
        now(),
    )
    return int(told.split()[-1])


async def _spend(secret: str, purpose: LinkPurpose) -> UUID:
    """Use the link up. Raises LinkSpent."""
    person_id: UUID | None = await fetchval(
        "update mail_link set used_at = $3 where token_hash = $1 and purpose = $2 and used_at is null "
        "and expires_at > $3 returning person_id",
        digest(secret),
        purpose.value,
        now(),
    )
    if person_id is None:
        raise LinkSpent
    return person_id
