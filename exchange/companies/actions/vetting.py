"""The operator decides who may trade (guide/domain.md §10). A refusal says why; both are mailed in working hours."""

from uuid import UUID, uuid4

from exchange.actor import Actor
from exchange.clock import now
from exchange.companies.actions.mail import notify_company
from exchange.companies.actions.rivals import resolve_blocks
from exchange.companies.queries import company_for_operator
from exchange.companies.rules import (
    AlreadyDecided,
    DealsBand,
    ReliabilityBand,
    Vetting,
    ensure_decidable,
    ensure_taxable,
)
from exchange.database import execute, fetchval, transaction
from exchange.errors import N_, Conflict, Invalid
from exchange.jobs import enqueue
from exchange.journal.actions import record
from exchange.settings import settings


class DoubleVetted(Conflict):
    message = N_("Another vetted company has this register number. Refuse this one and have its people invited there.")


class NoGroupName(Invalid):
    message = N_("Write the name of the legal group, or the company's own name when it has no parent.")


async def vet(*, by: Actor, company_id: UUID) -> None:
    """The company may trade from now on, and those who hide from it are hidden from this instant.

    Raises AlreadyDecided, DoubleVetted, RateUnknown.
    """
    async with transaction():
        company = await company_for_operator(company_id, lock=True)
        if company.vetting is Vetting.STOPPED:
            raise AlreadyDecided  # a suspension ends where it began, with its own reasons
        ensure_decidable(company.vetting, Vetting.VETTED)
        if await fetchval(
            "select 1 from company where country = $1 and registration = $2 and vetting in ('vetted', 'stopped') "
            "and id <> $3",
            company.country,
            company.registration,
            company_id,
        ):
            raise DoubleVetted
        ensure_taxable(company.country, now().date())
        await _decide(by, company_id, Vetting.VETTED, "")
        await resolve_blocks()
        await notify_company(company_id, "vetted", link=settings().base_url)


async def refuse(*, by: Actor, company_id: UUID, reason: str) -> None:
    """The company may not trade, or no longer. Raises AlreadyDecided, NoReason."""
    async with transaction():
        company = await company_for_operator(company_id, lock=True)
        ensure_decidable(company.vetting, Vetting.REFUSED, reason)
        await _decide(by, company_id, Vetting.REFUSED, reason.strip()[:2000])
        await resolve_blocks()
        await notify_company(company_id, "refused", reason=reason.strip()[:2000], link=f"{settings().base_url}/company")


async def set_group(*, by: Actor, company_id: UUID, name: str) -> None:
    """Put the company into the legal group of that name; a name not known yet makes a group. Raises NoGroupName."""
    name = " ".join(name.split())[:200]
    if not name:
        raise NoGroupName(field="group")
    async with transaction():
        await company_for_operator(company_id, lock=True)
        group_id = await fetchval(
            "select id from legal_group g where name = $1 order by exists(select from company c "
            "where c.legal_group_id = g.id and c.vetting = 'vetted') desc, created_at limit 1",
            name,
        )
        if group_id is None:
            group_id = uuid4()
            await execute("insert into legal_group (id, name, created_at) values ($1, $2, $3)", group_id, name, now())
        await execute("update company set legal_group_id = $2 where id = $1", company_id, group_id)
        await resolve_blocks()
        await record(by, "company.group_set", company_id, group=str(group_id))
        await enqueue("company.barred", company_id)  # it may not deal with its new sisters


async def set_cause(*, by: Actor, company_id: UUID, is_cause: bool) -> None:
    """Whether the company is an association of general interest, to which every seller may give part of a price."""
    async with transaction():
        await company_for_operator(company_id, lock=True)
        await execute("update company set is_cause = $2 where id = $1", company_id, is_cause)
        await record(by, "company.cause_set", company_id, is_cause=is_cause)


async def set_stopped(*, by: Actor | None, company_id: UUID, stopped: bool, reason: str = "") -> None:
    """The company begins no more deals, or may again. Joins the caller's transaction. Raises AlreadyDecided."""
    async with transaction():
        company = await company_for_operator(company_id, lock=True)
        to = Vetting.STOPPED if stopped else Vetting.VETTED
        ensure_decidable(company.vetting, to)
        await _decide(by, company_id, to, reason)
        await resolve_blocks()


async def keep_bands(company_id: UUID, deals: DealsBand, reliability: ReliabilityBand) -> None:
    """What others are told of the company's record. Joins the caller's transaction."""
    await execute(
        "update company set deals_band = $2, reliability_band = $3 where id = $1 "
        "and (deals_band, reliability_band) is distinct from ($2, $3)",
        company_id,
        deals.value,
        reliability.value,
    )


async def _decide(by: Actor | None, company_id: UUID, state: Vetting, reason: str) -> None:
    await execute(
        "update company set vetting = $2, vetting_reason = $3, vetting_changed_at = $4 where id = $1",
        company_id,
        state.value,
        reason,
        now(),
    )
    await record(by, f"company.{state.value}", company_id)
    await enqueue("company.decided", company_id)  # lots hidden from it by name learn who it is
    if state is not Vetting.VETTED:
        await enqueue("company.barred", company_id)  # its talks end
