"""The team: colleagues invited, welcomed, given another role, removed. The owner's business."""

import secrets
from datetime import timedelta
from uuid import UUID, uuid4

from exchange.accounts.actions.mail import send_mail
from exchange.accounts.actions.passwords import hash_password
from exchange.accounts.actions.people import add_person, close_person, ensure_preferences
from exchange.accounts.queries import Recipient, account_of
from exchange.accounts.rules import LinkSpent, digest, email_address, ensure_password, person_name
from exchange.actor import Actor, Role
from exchange.clock import now
from exchange.companies.actions.sign_up import join
from exchange.companies.queries import company_of, invitation_of
from exchange.database import execute, fetchval, transaction
from exchange.errors import N_, Conflict, Invalid, NotSeen
from exchange.journal.actions import record
from exchange.settings import settings
from exchange.web import limits

INVITATION_LASTS = timedelta(days=14)


class LastOwner(Conflict):
    message = N_("A company needs an owner. Make somebody else an owner first.")


class UnknownRole(Invalid):
    message = N_("Choose what this person may do: trader or owner.")


async def invite(*, by: Actor, email: str, name: str, role: str) -> None:
    """Mail a colleague a link to take a seat; a second invitation to the same address replaces the first.

    Says the same whether or not the address has an account somewhere.
    Raises NotAnAddress, NoName, UnknownRole, TooMany.
    """
    email, name, seat = email_address(email), person_name(name), team_role(role)
    await limits.count(f"invite:{by.company_id}", at_most=30, per=timedelta(days=1))
    secret = secrets.token_urlsafe(32)
    async with transaction():
        company = await company_of(by, lock=True)
        me = await account_of(by)
        await execute(
            "update invitation set withdrawn_at = $3 where company_id = $1 and email = $2::citext "
            "and accepted_at is null and withdrawn_at is null",
            company.id,
            email,
            now(),
        )
        invitation_id = uuid4()
        await execute(
            "insert into invitation "
            "(id, company_id, invited_by, email, name, role, token_hash, created_at, expires_at) "
            "values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            invitation_id,
            company.id,
            by.person_id,
            email,
            name,
            seat.value,
            digest(secret),
            now(),
            now() + INVITATION_LASTS,
        )
        await send_mail(
            Recipient(email, name, me.language, me.zone),
            "invitation",
            secret=True,
            link=f"{settings().base_url}/invitation/{secret}",
            company=company.trading_name,
            inviter=me.name,
            expires_at=now() + INVITATION_LASTS,
        )
        await record(by, "invitation.sent", invitation_id, role=seat.value)


async def accept_invitation(*, secret: str, name: str, password: str, language: str, zone: str) -> UUID:
    """The holder of the link takes the seat. Returns the person.

    Raises LinkSpent, NoName, AddressTaken (the address has an account already), and what `ensure_password` raises.
    """
    offered = await invitation_of(secret)
    if offered is None:
        raise LinkSpent
    ensure_preferences(language, zone)
    ensure_password(password, offered.email, person_name(name), offered.company_name)
    kept = await hash_password(password)
    async with transaction():
        seat = await invitation_of(secret, lock=True)
        if seat is None:
            raise LinkSpent
        person_id = await add_person(
            email=seat.email, name=name, password_hash=kept, language=language, zone=zone, confirmed=True
        )
        await join(person_id, seat.company_id, seat.role)
        await execute("update invitation set accepted_at = $2 where id = $1", seat.id, now())
        await record(Actor(person_id, seat.company_id, seat.role), "invitation.accepted", seat.id)
    return person_id


async def withdraw_invitation(*, by: Actor, invitation_id: UUID) -> None:
    """Take back a seat nobody took yet. Raises NotSeen."""
    async with transaction():
        ended = await fetchval(
            "update invitation set withdrawn_at = $3 where id = $1 and company_id = $2 and accepted_at is null "
            "and withdrawn_at is null returning id",
            invitation_id,
            by.company_id,
            now(),
        )
        if ended is None:
            raise NotSeen
        await record(by, "invitation.withdrawn", invitation_id)


async def change_role(*, by: Actor, person_id: UUID, role: str) -> None:
    """Give a colleague another role. Raises UnknownRole, NotSeen, LastOwner."""
    seat = team_role(role)
    async with transaction():
        present = await _colleague(by, person_id)
        if present is Role.OWNER and seat is not Role.OWNER:
            await _ensure_another_owner(by, person_id)
        await execute("update membership set role = $2 where person_id = $1", person_id, seat.value)
        await record(by, "membership.role_changed", person_id, role=seat.value)


async def remove_colleague(*, by: Actor, person_id: UUID) -> None:
    """The colleague leaves: signed out everywhere, tokens dead; what they did stays. Raises NotSeen, LastOwner."""
    async with transaction():
        if await _colleague(by, person_id) is Role.OWNER:
            await _ensure_another_owner(by, person_id)
        await execute("delete from membership where person_id = $1", person_id)
        await close_person(person_id)
        await record(by, "membership.ended", person_id)


def team_role(text: str) -> Role:
    """Trader or owner. Raises UnknownRole."""
    if text not in (Role.TRADER, Role.OWNER):
        raise UnknownRole(field="role")
    return Role(text)


async def _colleague(by: Actor, person_id: UUID) -> Role:
    """The colleague's present role, under the company's row lock: two owners cannot demote each other at once."""
    await company_of(by, lock=True)
    role = await fetchval(
        "select role from membership where person_id = $1 and company_id = $2", person_id, by.company_id
    )
    if role is None:
        raise NotSeen
    return Role(role)


async def _ensure_another_owner(by: Actor, person_id: UUID) -> None:
    if not await fetchval(
        "select 1 from membership where company_id = $1 and role = 'owner' and person_id <> $2 limit 1",
        by.company_id,
        person_id,
    ):
        raise LastOwner
