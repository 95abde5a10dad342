"""What a company's record is made of: for itself and for the operator; others see a band."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from exchange.clock import now
from exchange.database import fetch, fetchrow
from exchange.settlement.queries import one
from exchange.settlement.rules.standing import WINDOW, Facts, StrikeReason, SuspensionState, counting


@dataclass(frozen=True, slots=True)
class StrikeView:
    """One strike."""

    id: UUID
    reason: StrikeReason
    deal_id: UUID | None
    deal_label: str | None
    said: str
    at: datetime
    lifted_at: datetime | None
    lifted_why: str


@dataclass(frozen=True, slots=True)
class SuspensionView:
    """A suspension from its notice on."""

    id: UUID
    company_id: UUID
    state: SuspensionState
    reasons: str
    noticed_at: datetime
    starts_at: datetime
    appeal: str
    appealed_at: datetime | None
    answer: str
    answered_at: datetime | None
    ended_at: datetime | None

    @property
    def open(self) -> bool:
        return self.state in {SuspensionState.NOTICED, SuspensionState.SUSPENDED}

    @property
    def awaits_answer(self) -> bool:
        return self.open and self.appealed_at is not None and self.answered_at is None


@dataclass(frozen=True, slots=True)
class Standing:
    """All of a company's record."""

    company_id: UUID
    name: str
    facts: Facts
    strikes: list[StrikeView]
    counting: int
    suspension: SuspensionView | None
    """The open one, else the latest."""


async def facts_of(company_id: UUID) -> Facts:
    """The company's deals that ended in the last twelve months."""
    row = await one(
        "select count(*) filter (where d.buyer_company_id = $1) as bought, "
        "count(*) filter (where d.buyer_company_id = $1 and d.state <> 'unpaid') as paid, "
        "count(*) filter (where d.seller_company_id = $1 and d.state <> 'unpaid') as sold, "
        "count(*) filter (where d.seller_company_id = $1 and d.state <> 'unpaid' "
        "and d.ending not in ('not_shipped', 'undelivered')) as handed_over, "
        "count(*) filter (where d.seller_company_id = $1 and c.settled_minor > 0) as claims_upheld, "
        "count(*) filter (where d.ending = 'cancelled') as cancelled, "
        "count(*) filter (where d.buyer_company_id = $1 and d.ending = 'not_collected') as not_collected "
        "from deal d left join claim c on c.deal_id = d.id and c.state in ('agreed', 'decided') "
        "where (d.seller_company_id = $1 or d.buyer_company_id = $1) and d.closed_at > $2 "
        "and d.ending <> 'missed'",  # a lot of which too little was paid says nothing of either side
        company_id,
        now() - WINDOW,
    )
    return Facts(**dict(row))


async def settled_by(company_id: UUID) -> int:
    """How many deals of the company were settled in the last twelve months, whichever its side."""
    row = await one(
        "select count(*) as n from deal where (seller_company_id = $1 or buyer_company_id = $1) "
        "and state in ('settled', 'partly_refunded') and closed_at > $2",
        company_id,
        now() - WINDOW,
    )
    return int(row["n"])


async def strikes_of(company_id: UUID) -> list[StrikeView]:
    """The company's strikes, the latest first."""
    rows = await fetch(
        "select k.id, k.reason, k.deal_id, d.label as deal_label, k.said, k.at, k.lifted_at, k.lifted_why "
        "from strike k left join deal d on d.id = k.deal_id where k.company_id = $1 order by k.at desc, k.id",
        company_id,
    )
    return [StrikeView(**(dict(row) | {"reason": StrikeReason(row["reason"])})) for row in rows]


async def suspension_of(company_id: UUID) -> SuspensionView | None:
    """The company's open suspension, else its latest."""
    row = await fetchrow(
        f"select {_SUSPENSION} from suspension where company_id = $1 "  # noqa: S608  fixed texts
        "order by state in ('noticed', 'suspended') desc, noticed_at desc limit 1",
        company_id,
    )
    return _suspension(row) if row else None


async def standing_of(company_id: UUID) -> Standing:
    """All of the company's record, for its members and the operator."""
    company = await one("select trading_name from company where id = $1", company_id)
    strikes = await strikes_of(company_id)
    return Standing(
        company_id=company_id,
        name=company["trading_name"],
        facts=await facts_of(company_id),
        strikes=strikes,
        counting=counting((strike.at for strike in strikes if strike.lifted_at is None), now()),
        suspension=await suspension_of(company_id),
    )


@dataclass(frozen=True, slots=True)
class Struck:
    """A company on the operator's list."""

    company_id: UUID
    name: str
    strikes: int
    state: str | None
    awaits_answer: bool


async def struck_companies(limit: int = 200) -> list[Struck]:
    """Companies with strikes that count or an open suspension: appeals first, then the most strikes."""
    rows = await fetch(
        "select c.id as company_id, c.trading_name as name, count(k.id)::int as strikes, s.state, "
        "coalesce(s.appealed_at is not null and s.answered_at is null, false) as awaits_answer from company c "
        "left join strike k on k.company_id = c.id and k.lifted_at is null and k.at > $1 "
        "left join suspension s on s.company_id = c.id and s.state in ('noticed', 'suspended') "
        "where k.id is not null or s.id is not null group by c.id, s.id "
        "order by awaits_answer desc, strikes desc, name limit $2",
        now() - WINDOW,
        limit,
    )
    return [Struck(**dict(row)) for row in rows]


_SUSPENSION = (
    "id, company_id, state, reasons, noticed_at, starts_at, appeal, appealed_at, answer, answered_at, ended_at"
)


def _suspension(row: asyncpg.Record) -> SuspensionView:
    return SuspensionView(**(dict(row) | {"state": SuspensionState(row["state"])}))
