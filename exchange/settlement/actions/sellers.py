"""A seller opens the account its money goes to; what Stripe says of it decides whether its legs can be sent."""

from datetime import datetime
from uuid import UUID, uuid4

import asyncpg

from exchange.actor import Actor
from exchange.clock import now
from exchange.database import execute, fetch, fetchrow, fetchval, transaction
from exchange.errors import N_, NotSeen, Unavailable
from exchange.jobs import enqueue
from exchange.journal.actions import record
from exchange.settings import settings
from exchange.settlement.actions import operations
from exchange.settlement.actions.operations import Doing, Operation
from exchange.settlement.queries import one
from exchange.settlement.rules.accounts import Standing
from exchange.settlement.rules.payments import Kind
from exchange.settlement.stripe_gateway import Gateway, Recipient, Refused, gateway, recipient_params


class OnboardingNotReady(Unavailable):
    """The payment service has not opened the account yet; the job goes on asking."""

    message = N_("The payment service has not opened your account yet. Nothing is lost; try again in a moment.")


async def start_onboarding(*, by: Actor) -> str:
    """A fresh single-use address where the company identifies itself; its account is opened at the first click.

    Raises OnboardingNotReady.
    """
    if by.company_id is None:
        raise NotSeen
    account = await _account_of(by.company_id, by)
    here = f"{settings().base_url}/money/onboarding"
    return await gateway().onboarding_link(account, return_url=f"{here}/return", refresh_url=f"{here}/again")


async def look_at_account(company_id: UUID) -> None:
    """Ask Stripe how the company's accounts stand, and take it over: return address, event and poll all end here."""
    for row in await fetch(
        "select id, account_id from payout_account where company_id = $1 and account_id is not null "
        "and status <> 'closed'",
        company_id,
    ):
        asked_at = now()
        recipient = await gateway().recipient(row["account_id"])
        async with transaction(alone=True):
            await take_account(row["id"], recipient, asked_at)


async def take_account(row_id: UUID, recipient: Recipient, asked_at: datetime) -> None:
    """Take over how an account stood at ``asked_at``, in the current transaction; older news is dropped.

    An account that can be paid from now on sends what was parked for it. One that is closed may free legs for another.
    """
    row = await fetchrow(
        "with old as (select id, status from payout_account where id = $1 for no key update) "
        "update payout_account a set status = $2, requirements = $3, retrieved_at = $4 from old "
        "where a.id = old.id and (a.retrieved_at is null or a.retrieved_at <= $4) "
        "returning old.status as before, a.company_id, a.effective_at, a.standing",
        row_id,
        recipient.status,
        list(recipient.due),
        asked_at,
    )
    if row is None:
        return
    if row["before"] != recipient.status and (recipient.active or recipient.status == "closed"):
        await enqueue("payout_account.active", row["company_id"])
    if recipient.active and row["standing"] == Standing.NEXT and row["effective_at"] is not None:
        await enqueue("payout_account.change", row_id, at=row["effective_at"])
    await record(None, "payout_account.looked_at", row["company_id"], status=recipient.status)


async def open_account(company_id: UUID, standing: Standing, by: Actor) -> UUID:
    """Plan a company's account, in the current transaction, which holds the company's row; the operation."""
    company = await one("select trading_name, country, currency from company where id = $1", company_id)
    row_id = await fetchval(
        "insert into payout_account (id, company_id, standing, status, requirements, livemode, asked_at) "
        "values ($1, $2, $3, 'pending', '{}', $4, $5) returning id",
        uuid4(),
        company_id,
        standing.value,
        gateway().livemode,
        now() if standing is Standing.NEXT else None,
    )
    return await _plan(row_id, company, by)


async def _account_of(company_id: UUID, by: Actor) -> str:
    """The account to be completed: the next, where a change was asked for, else the current, opened now if need be."""
    account_id = await _latest(company_id)
    if account_id is None:
        operation_id = await _plan_account(company_id, by)
        if operation_id is not None:
            await operations.drive(operation_id)
        account_id = await _latest(company_id)
        if account_id is None:
            raise OnboardingNotReady
    return account_id


async def _latest(company_id: UUID) -> str | None:
    account_id = await fetchval(
        "select account_id from payout_account where company_id = $1 and standing <> 'former' "
        "order by standing = 'next' desc limit 1",
        company_id,
    )
    return str(account_id) if account_id else None


async def _plan_account(company_id: UUID, by: Actor) -> UUID:
    """Under the company's lock: the operation that opens its account, planned once."""
    async with transaction(alone=True):
        company = await fetchrow(
            "select trading_name, country, currency from company where id = $1 for no key update", company_id
        )
        if company is None:
            raise NotSeen
        row_id = await fetchval(
            "select id from payout_account where company_id = $1 and standing <> 'former' "
            "order by standing = 'next' desc limit 1",
            company_id,
        )
        if row_id is None:
            return await open_account(company_id, Standing.CURRENT, by)
        planned = await fetchval(
            "select id from stripe_operation where subject_id = $1 and kind = 'account.create' and state <> 'failed'",
            row_id,
        )
        return UUID(str(planned)) if planned is not None else await _plan(row_id, company, by)


async def _plan(row_id: UUID, company: asyncpg.Record, by: Actor) -> UUID:
    email = await fetchval("select email::text from person where id = $1", by.person_id)
    await record(by, "payout_account.opened", row_id)
    return await operations.plan(
        Kind.ACCOUNT,
        row_id,
        recipient_params(
            email=email, name=company["trading_name"], country=company["country"], currency=company["currency"]
        ),
    )


async def _create(gateway: Gateway, operation: Operation) -> Recipient:
    return await gateway.create_recipient(operation.id, operation.request)


async def _find(gateway: Gateway, operation: Operation) -> Recipient | None:
    return await gateway.find_recipient(operation.id)


async def _made(operation: Operation, made: Recipient) -> None:
    await execute(
        "update payout_account set account_id = $2, status = $3, requirements = $4, retrieved_at = $5 where id = $1",
        operation.subject_id,
        made.id,
        made.status,
        list(made.due),
        now(),
    )


async def _refused(operation: Operation, refusal: Refused) -> None:
    company = await fetchval("select company_id from payout_account where id = $1", operation.subject_id)
    await record(None, "payout_account.refused", company, code=refusal.stripe_code)


operations.done_by(Kind.ACCOUNT, Doing(_create, _find, _made, _refused))
