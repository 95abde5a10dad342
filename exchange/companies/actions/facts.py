"""What a company says of itself: its working hours, and its register facts as long as it is not vetted."""

from datetime import time

from exchange.actor import Actor
from exchange.clock import now
from exchange.companies.actions.sign_up import company_name
from exchange.companies.queries import company_of
from exchange.companies.rules import (
    Vetting,
    WorkingHours,
    ensure_decidable,
    region_name,
    registration_number,
    vat_number,
)
from exchange.database import execute, transaction
from exchange.errors import N_, Conflict
from exchange.journal.actions import record


class FactsVetted(Conflict):
    message = N_("These facts were checked when you joined. Write to the operator to have them changed.")


async def set_working_hours(*, by: Actor, zone: str, opens: time, closes: time, days: frozenset[int]) -> None:
    """When the company answers; clocks that run already keep their instant. Raises what `WorkingHours` raises."""
    async with transaction():
        company = await company_of(by, lock=True)
        hours = WorkingHours(zone, company.country, opens, closes, days)
        await execute(
            "update company set zone = $2, opens = $3, closes = $4, days = $5 where id = $1",
            company.id,
            hours.zone,
            hours.opens,
            hours.closes,
            sorted(hours.days),
        )
        await record(by, "company.hours_set", company.id)


async def set_shop(*, by: Actor, trading_name: str, region: str) -> None:
    """The name on the shop, shown after agreement, and the region, shown before.

    Raises NoCompanyName, ContactDetails.
    """
    async with transaction():
        company = await company_of(by, lock=True)
        await execute(
            "update company set trading_name = $2, region = $3 where id = $1",
            company.id,
            company_name(trading_name or company.legal_name),
            region_name(region, company.legal_name, trading_name),
        )
        await record(by, "company.shop_set", company.id)


async def correct_facts(*, by: Actor, legal_name: str, registration: str, vat: str) -> None:
    """Put right what stands in the register; a refused company asks the operator again by it.

    Raises FactsVetted once vetted, and what the checks raise.
    """
    async with transaction():
        company = await company_of(by, lock=True)
        if company.vetting in {Vetting.VETTED, Vetting.STOPPED}:
            raise FactsVetted
        if company.vetting is Vetting.REFUSED:
            ensure_decidable(company.vetting, Vetting.AWAITING)
        number = registration_number(company.country, registration)
        await execute(
            "update company set legal_name = $2, registration = $3, vat = $4, vetting = 'awaiting', "
            "vetting_changed_at = $5 where id = $1",
            company.id,
            company_name(legal_name),
            number,
            vat_number(company.country, vat, number),
            now(),
        )
        await record(by, "company.facts_corrected", company.id)
