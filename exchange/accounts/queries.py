"""Everything read about people. What belongs to a person is loaded by that person's id."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from exchange.accounts.rules import SESSION_IDLE, SESSION_LIFE, LinkPurpose, device, digest
from exchange.actor import Actor
from exchange.clock import now
from exchange.database import fetch, fetchrow
from exchange.errors import NotSeen


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a mail goes to; ``person_id`` is None for somebody who is no person here yet."""

    email: str
    name: str
    language: str
    zone: str
    person_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """A person as the account page shows them to themselves."""

    id: UUID
    email: str
    name: str
    language: str
    zone: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Credentials:
    """What sign-in compares. ``password_hash`` is None for a person who left."""

    person_id: UUID
    password_hash: str | None
    confirmed: bool


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A browser in which the person is signed in."""

    id: UUID
    device: str
    address: str
    created_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class LiveToken:
    """An API token that works."""

    id: UUID
    label: str
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class WrittenMail:
    """A mail in the outbox."""

    id: UUID
    recipient: str
    recipient_name: str
    subject: str
    text: str
    created_at: datetime
    due_at: datetime
    sent_at: datetime | None


async def credentials(email: str) -> Credentials | None:
    """What the address signs in with; None when nobody has it."""
    row = await fetchrow("select id, password_hash, confirmed_at from person where email = $1::citext", email)
    return Credentials(row["id"], row["password_hash"], row["confirmed_at"] is not None) if row else None


async def recipient(person_id: UUID) -> Recipient:
    """The person as a mail sees them. Raises NotSeen."""
    row = await fetchrow("select email::text, name, language, zone from person where id = $1", person_id)
    if row is None:
        raise NotSeen
    return Recipient(**row, person_id=person_id)


async def account_of(by: Actor) -> Account:
    """The actor themselves."""
    row = await fetchrow(
        "select id, email::text, name, language, zone, created_at from person where id = $1", by.person_id
    )
    if row is None:
        raise NotSeen
    return Account(**row)


async def person_of_link(secret: str, purpose: LinkPurpose) -> Recipient | None:
    """Whose link it is, while it works; None once it was used or is too old."""
    row = await fetchrow(
        "select p.email::text, p.name, p.language, p.zone, p.id as person_id from mail_link l "
        "join person p on p.id = l.person_id "
        "where l.token_hash = $1 and l.purpose = $2 and l.used_at is null and l.expires_at > $3",
        digest(secret),
        purpose.value,
        now(),
    )
    return Recipient(**row) if row else None


async def sessions_of(by: Actor) -> list[OpenSession]:
    """Where the actor is signed in, latest first."""
    rows = await fetch(
        "select id, agent, address, created_at, last_seen_at from session "
        "where person_id = $1 and revoked_at is null and last_seen_at > $2 and created_at > $3 "
        "order by last_seen_at desc, id",
        by.person_id,
        now() - SESSION_IDLE,
        now() - SESSION_LIFE,
    )
    return [OpenSession(r["id"], device(r["agent"]), r["address"], r["created_at"], r["last_seen_at"]) for r in rows]


async def tokens_of(by: Actor) -> list[LiveToken]:
    """The actor's API tokens, latest first."""
    rows = await fetch(
        "select id, label, created_at, last_used_at from api_token where person_id = $1 and revoked_at is null "
        "order by created_at desc, id",
        by.person_id,
    )
    return [LiveToken(**r) for r in rows]


async def outbox(*, before: UUID | None = None, limit: int = 50) -> list[WrittenMail]:
    """Every mail written, latest first: shown in the demo only. ``before`` is the last mail of the page before."""
    rows = await fetch(
        "select id, recipient, recipient_name, subject, text, created_at, due_at, sent_at from mail "
        "where $1::uuid is null or (created_at, id) < (select created_at, id from mail where id = $1) "
        "order by created_at desc, id desc limit $2",
        before,
        limit,
    )
    return [WrittenMail(**r) for r in rows]
