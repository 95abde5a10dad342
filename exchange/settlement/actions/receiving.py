"""A company is to be paid on another account from now on (money list 23).

An owner asks and completes the new account; the operator confirms, having spoken to the company; some business days
pass, in which either may call it off; then it is the current one. Deals agreed before are paid where they were agreed.
"""

from uuid import UUID

import asyncpg

from exchange.actor import Actor
from exchange.clock import now
from exchange.companies.queries import hours_of
from exchange.companies.rules import after_business_days
from exchange.database import execute, fetchrow, fetchval, transaction
from exchange.errors import N_, Conflict, NotSeen
from exchange.jobs import enqueue
from exchange.journal.actions import record
from exchange.settlement.actions.notices import tell_account_change
from exchange.settlement.actions.sellers import open_account
from exchange.settlement.rules.accounts import COOL_OFF_DAYS, Standing
from exchange.settlement.rules.deal import NotYourMove


class NothingToChange(Conflict):
    """There is no account yet, or no change was asked for."""

    message = N_("There is nothing to change: no account stands here, or no change was asked for.")


class ChangeUnderway(Conflict):
    """One change at a time."""

    message = N_("A change of your account is under way. Finish it, or call it off first.")


class NotReadyYet(Conflict):
    """The new account cannot be paid yet."""

    message = N_("The new account cannot receive money yet. The company must complete it at the payment service first.")


async def ask_change(*, by: Actor) -> None:
    """An owner asks that the company be paid on another account; everybody in it is told.

    Raises NothingToChange, ChangeUnderway.
    """
    if by.company_id is None:
        raise NotSeen
    async with transaction():
        await fetchval("select id from company where id = $1 for no key update", by.company_id)
        row = await fetchrow(
            "select bool_or(standing = 'current' and account_id is not null) as has, "
            "coalesce(bool_or(standing = 'next'), false) as changing from payout_account where company_id = $1",
            by.company_id,
        )
        if row is None or not row["has"]:
            raise NothingToChange
        if row["changing"]:
            raise ChangeUnderway
        await open_account(by.company_id, Standing.NEXT, by)
        await record(by, "payout_account.change_asked", by.company_id)
        await tell_account_change(by.company_id, "asked")


async def confirm_change(*, company_id: UUID, by: Actor) -> None:
    """The operator has made sure that the company itself wants the change: it takes effect when the days are over.

    Raises NotYourMove, NothingToChange, NotReadyYet.
    """
    if not by.is_operator:
        raise NotYourMove
    async with transaction():
        row = await _next(company_id)
        if row["effective_at"] is not None:
            return
        if row["status"] != "active":
            raise NotReadyYet
        effective = after_business_days(now(), COOL_OFF_DAYS, await hours_of(company_id))
        await execute("update payout_account set effective_at = $2 where id = $1", row["id"], effective)
        await enqueue("payout_account.change", row["id"], at=effective)
        await record(by, "payout_account.change_confirmed", company_id)
        await tell_account_change(company_id, "confirmed", effective)


async def call_off_change(*, company_id: UUID, by: Actor) -> None:
    """An owner of the company, or the operator, calls the change off. Raises NotYourMove, NothingToChange."""
    if not by.is_operator and by.company_id != company_id:
        raise NotYourMove
    async with transaction():
        row = await _next(company_id)
        await execute("update payout_account set standing = 'former' where id = $1", row["id"])
        await record(by, "payout_account.change_called_off", company_id)
        await tell_account_change(company_id, "called_off")


async def take_effect(row_id: UUID) -> None:
    """The days are over: the next account is the current one, if it can be paid. Safe at any time."""
    async with transaction():
        company_id = await fetchval("select company_id from payout_account where id = $1", row_id)
        await fetchval("select id from company where id = $1 for no key update", company_id)
        row = await fetchrow("select * from payout_account where id = $1 for no key update", row_id)
        if row is None or row["standing"] != Standing.NEXT or row["status"] != "active":
            return  # one that cannot be paid at that moment comes back here when it can
        if row["effective_at"] is None or row["effective_at"] > now():
            return
        await execute(
            "update payout_account set standing = 'former' where company_id = $1 and standing = 'current'", company_id
        )
        await execute("update payout_account set standing = 'current' where id = $1", row_id)
        await record(None, "payout_account.changed", company_id)
        await tell_account_change(company_id, "done")
        await enqueue("payout_account.active", company_id)


async def _next(company_id: UUID) -> asyncpg.Record:
    row = await fetchrow(
        "select * from payout_account where company_id = $1 and standing = 'next' for no key update", company_id
    )
    if row is None:
        raise NothingToChange
    return row
