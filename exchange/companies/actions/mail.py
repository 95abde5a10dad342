"""Mail to people in their working hours (design promise 6). Security mail goes through `accounts.actions.mail`."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from exchange.accounts.actions.mail import send_mail
from exchange.clock import now
from exchange.companies.queries import hours_of, members_of, person_with_hours
from exchange.companies.rules import next_opening
from exchange.database import transaction


async def notify(person_id: UUID, template: str, **context: Any) -> UUID:
    """Write to a person; the mail leaves at their next opening (at once for the operator). Returns the mail's id."""
    to, hours = await person_with_hours(person_id)
    return await send_mail(to, template, at=next_opening(now(), hours) if hours else None, **context)


async def notify_company(company_id: UUID, template: str, **context: Any) -> None:
    """Write to everybody of a company, each at their next opening."""
    hours = await hours_of(company_id)
    async with transaction():
        for to in await members_of(company_id):
            await send_mail(to, template, at=next_opening(now(), replace(hours, zone=to.zone)), **context)
