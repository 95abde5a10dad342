"""What deals ended in is written down; a company that broke its word too often is told, heard and stopped."""

import logging
from uuid import UUID, uuid4

import asyncpg

from exchange.actor import Actor
from exchange.clock import now
from exchange.companies.actions.mail import notify, notify_company
from exchange.companies.actions.vetting import keep_bands, set_stopped
from exchange.companies.rules import deals_band
from exchange.database import execute, fetch, fetchrow, fetchval, transaction
from exchange.errors import NotAllowed, NotSeen
from exchange.jobs import enqueue
from exchange.journal.actions import record
from exchange.settings import settings
from exchange.settlement.queries.deals import any_deal
from exchange.settlement.queries.standing import facts_of, settled_by, strikes_of
from exchange.settlement.rules.standing import (
    BY_OPERATOR,
    NOTICE,
    STRIKES,
    AlreadyAppealed,
    AlreadyNoticed,
    NoSuspension,
    StrikeReason,
    SuspensionState,
    TooFewStrikes,
    begins,
    counting,
    ensure_words,
)

log = logging.getLogger(__name__)


async def take_note(deal_id: UUID) -> None:
    """A deal has ended: who broke it gets a strike. Safe to do twice."""
    async with transaction():
        deal = await any_deal(deal_id)
        if deal.ending is not None and deal.ending.striker is not None:
            await _strike(deal.company(deal.ending.striker), StrikeReason(deal.ending.value), deal_id=deal_id)


async def draw_bands() -> None:
    """What others are told of each company's last twelve months, drawn anew for all at once.

    Late on purpose: a band that changed as a deal ended would show which masks are one company (guide/domain.md §10).
    """
    for row in await fetch("select id from company where vetting in ('vetted', 'stopped') order by id"):
        async with transaction():
            company: UUID = row["id"]
            await keep_bands(company, deals_band(await settled_by(company)), (await facts_of(company)).band)


async def strike(*, company_id: UUID, reason: StrikeReason, said: str, by: Actor) -> None:
    """The operator writes down what it saw. Raises WordsMissing, NotAllowed for a reason only deals give."""
    _ensure_operator(by)
    if reason not in BY_OPERATOR:
        raise NotAllowed
    async with transaction():
        await _strike(company_id, reason, said=ensure_words(said, field="said"), by=by)


async def lift_strike(*, strike_id: UUID, why: str, by: Actor) -> UUID:
    """A strike no longer counts; the company's id is returned. Raises WordsMissing, NotSeen."""
    _ensure_operator(by)
    async with transaction():
        company_id = await fetchval(
            "update strike set lifted_at = $2, lifted_why = $3 where id = $1 and lifted_at is null "
            "returning company_id",
            strike_id,
            now(),
            ensure_words(why, field="why"),
        )
        if company_id is None:
            raise NotSeen
        await record(by, "strike.lifted", company_id)
        await notify_company(company_id, "strike_lifted", why=why.strip(), url=_own_page())
        return UUID(str(company_id))


async def give_notice(*, company_id: UUID, reasons: str, by: Actor) -> None:
    """The company will be stopped when the notice is over. Raises TooFewStrikes, AlreadyNoticed, WordsMissing."""
    _ensure_operator(by)
    async with transaction():
        if await fetchval("select 1 from company where id = $1 for no key update", company_id) is None:
            raise NotSeen
        struck = [s.at for s in await strikes_of(company_id) if s.lifted_at is None]
        if counting(struck, now()) < STRIKES:
            raise TooFewStrikes(strikes=STRIKES)
        if await _open(company_id):
            raise AlreadyNoticed
        suspension_id, starts_at = uuid4(), now() + NOTICE
        await execute(
            "insert into suspension (id, company_id, state, reasons, noticed_at, starts_at, appeal, answer) "
            "values ($1, $2, 'noticed', $3, $4, $5, '', '')",
            suspension_id,
            company_id,
            ensure_words(reasons, field="reasons"),
            now(),
            starts_at,
        )
        await record(by, "suspension.noticed", company_id)
        await enqueue("suspension.due", suspension_id, at=starts_at)
        await notify_company(
            company_id, "suspension_noticed", reasons=reasons.strip(), starts_at=starts_at, url=_own_page()
        )


async def begin(suspension_id: UUID) -> None:
    """The notice is over: the company begins no more deals, unless its appeal is not answered yet."""
    async with transaction():
        found = await _locked(suspension_id)
        if found["state"] != SuspensionState.NOTICED or not begins(
            found["starts_at"],
            appealed=found["appealed_at"] is not None,
            answered=found["answered_at"] is not None,
            at=now(),
        ):
            return
        await execute("update suspension set state = 'suspended' where id = $1", suspension_id)
        await set_stopped(by=None, company_id=found["company_id"], stopped=True, reason=found["reasons"])
        await notify_company(found["company_id"], "suspension_begun", url=_own_page())


async def appeal(*, text: str, by: Actor) -> None:
    """The company's owner says why it should not be stopped. Raises NoSuspension, AlreadyAppealed, WordsMissing."""
    if by.company_id is None or not by.is_owner:
        raise NotAllowed
    async with transaction():
        found = await _open(by.company_id)
        if found is None:
            raise NoSuspension
        if found["appealed_at"] is not None:
            raise AlreadyAppealed
        await execute(
            "update suspension set appeal = $2, appealed_at = $3 where id = $1",
            found["id"],
            ensure_words(text, field="appeal"),
            now(),
        )
        await record(by, "suspension.appealed", by.company_id)
        await _tell_operators("standing_appeal", by.company_id)


async def answer_appeal(*, suspension_id: UUID, upheld: bool, answer: str, by: Actor) -> UUID:
    """The operator answers: ``upheld`` ends the matter, otherwise it takes its course. Returns the company.

    Raises NoSuspension, WordsMissing.
    """
    _ensure_operator(by)
    async with transaction():
        found = await _locked(suspension_id)
        if found["ended_at"] is not None or found["appealed_at"] is None or found["answered_at"] is not None:
            raise NoSuspension
        await execute(
            "update suspension set answer = $2, answered_at = $3 where id = $1",
            suspension_id,
            ensure_words(answer, field="answer"),
            now(),
        )
        if upheld:
            await _end(found, by)
        await record(by, "suspension.answered", found["company_id"], upheld=upheld)
        await notify_company(
            found["company_id"], "suspension_answered", upheld=upheld, answer=answer.strip(), url=_own_page()
        )
    if not upheld:
        await begin(suspension_id)
    return UUID(str(found["company_id"]))


async def lift(*, suspension_id: UUID, by: Actor) -> UUID:
    """The company may trade again, or its notice is withdrawn. Returns the company. Raises NoSuspension."""
    _ensure_operator(by)
    async with transaction():
        found = await _locked(suspension_id)
        if found["ended_at"] is not None:
            raise NoSuspension
        await _end(found, by)
        await notify_company(found["company_id"], "suspension_over", url=_own_page())
        return UUID(str(found["company_id"]))


async def _strike(
    company_id: UUID, reason: StrikeReason, *, deal_id: UUID | None = None, said: str = "", by: Actor | None = None
) -> None:
    made = await fetchval(
        "insert into strike (id, company_id, reason, deal_id, said, at, lifted_why) "
        "values ($1, $2, $3, $4, $5, $6, '') on conflict do nothing returning id",
        uuid4(),
        company_id,
        reason.value,
        deal_id,
        said,
        now(),
    )
    if made is None:
        return
    await record(by, "company.struck", company_id, reason=reason.value)
    count = counting((s.at for s in await strikes_of(company_id) if s.lifted_at is None), now())
    await notify_company(company_id, "strike", reason=reason.label, said=said, count=count, url=_own_page())
    if count >= STRIKES and await _open(company_id) is None:
        await _tell_operators("standing_strikes", company_id)


async def _end(found: asyncpg.Record, by: Actor) -> None:
    begun = found["state"] == SuspensionState.SUSPENDED
    await execute(
        "update suspension set state = $2, ended_at = $3 where id = $1",
        found["id"],
        (SuspensionState.LIFTED if begun else SuspensionState.WITHDRAWN).value,
        now(),
    )
    if begun:
        await set_stopped(by=by, company_id=found["company_id"], stopped=False)


async def _open(company_id: UUID) -> asyncpg.Record | None:
    return await fetchrow(
        "select * from suspension where company_id = $1 and state in ('noticed', 'suspended') for no key update",
        company_id,
    )


async def _locked(suspension_id: UUID) -> asyncpg.Record:
    found = await fetchrow("select * from suspension where id = $1 for no key update", suspension_id)
    if found is None:
        raise NotSeen
    return found


async def _tell_operators(template: str, company_id: UUID) -> None:
    name = await fetchval("select trading_name from company where id = $1", company_id)
    log.warning("%s for company %s", template, company_id)
    for person in await fetch("select id from person where is_operator"):
        url = f"{settings().base_url}/operator/standing/{company_id}"
        await notify(person["id"], template, company=name, url=url)


def _ensure_operator(by: Actor) -> None:
    if not by.is_operator:
        raise NotAllowed


def _own_page() -> str:
    return f"{settings().base_url}/standing"
