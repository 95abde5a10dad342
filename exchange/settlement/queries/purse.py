"""A company's money: what it has coming and has had, what it has to pay, and why something waits."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from exchange.actor import Actor
from exchange.clock import now
from exchange.database import fetch, fetchrow
from exchange.errors import NotSeen
from exchange.money import Money
from exchange.settlement.queries.deals import DISPUTED
from exchange.settlement.rules.accounts import bank_refusal
from exchange.settlement.rules.amounts import Share, Terms, plan

SHOWN_PARTS = 50


@dataclass(frozen=True, slots=True)
class Purse:
    """A seller's money in one currency."""

    currency: str
    held: Money
    """Paid by buyers, the deals not yet decided."""
    on_its_way: Money
    parked: Money
    paid: Money
    owed: Money
    """Taken back from the company and not given yet: the exchange advanced it."""


@dataclass(frozen=True, slots=True)
class LegOfMine:
    """One deal's money for the company."""

    deal_id: UUID | None
    """None where the company is no side of the deal but was named by its seller."""
    label: str
    """What was sold, or the name of the seller whose order it is."""
    amount: Money
    state: str
    """``held``, ``planned``, ``parked``, ``sent``, ``paid`` or ``taken_back``; or why it does not leave: ``disputed``,
    ``checked`` (a warning, of which the seller is told no more), ``stopped`` (our books and Stripe's differ) or
    ``debited`` (it came by a new buyer's direct debit, which is held a while).
    """
    at: datetime


@dataclass(frozen=True, slots=True)
class Owed:
    """What the company as a buyer has to pay, or gets back."""

    deal_id: UUID
    label: str
    amount: Money
    due_at: datetime | None
    state: str


@dataclass(frozen=True, slots=True)
class PaidOut:
    """What the payment service paid out to the company's bank, or tried to."""

    amount: Money
    state: str
    """``pending``, ``in_transit``, ``paid``, ``canceled`` or ``failed``."""
    why: str
    """Why the bank refused it, as a message id."""
    arrives_at: datetime

    @property
    def refused(self) -> bool:
        return self.state == "failed"

    @property
    def arrives(self) -> bool:
        """Whether it has reached the bank, or is to."""
        return self.state in {"pending", "in_transit", "paid"}


@dataclass(frozen=True, slots=True)
class SellerMoney:
    """A company's money page."""

    account_status: str | None
    """Of the capability to receive transfers; ``None`` before the onboarding was begun."""
    requirements: list[str]
    purses: list[Purse]
    change: "AccountChange | None"
    parts: list[LegOfMine]
    """Its parts of deals, those that wait first, the latest fifty."""
    to_pay: list[Owed]
    coming_back: list[Owed]
    """Refunds on their way to the company as a buyer; ``returned`` or ``refused`` where a person must see to one."""
    payouts: list[PaidOut]
    """What went on to its bank, the latest ten first."""


@dataclass(frozen=True, slots=True)
class AccountChange:
    """A company asked to be paid on another account."""

    company_id: UUID
    company_name: str
    asked_at: datetime
    ready: bool
    """Whether the new account can receive money."""
    effective_at: datetime | None
    """When it takes effect; None until the operator confirms."""


async def account_changes(company_id: UUID | None = None) -> list[AccountChange]:
    """The changes under way, for the operator, or the one of a company; the longest waiting first."""
    rows = await fetch(
        "select a.company_id, c.trading_name as company_name, a.asked_at, a.status = 'active' as ready, a.effective_at "
        "from payout_account a join company c on c.id = a.company_id "
        "where a.standing = 'next' and ($1::uuid is null or a.company_id = $1) order by a.asked_at",
        company_id,
    )
    return [AccountChange(**dict(row)) for row in rows]


async def seller_money(actor: Actor) -> SellerMoney:
    """All of the actor's company's money. Raises NotSeen for an actor without a company."""
    if actor.company_id is None:
        raise NotSeen
    account = await fetchrow(
        "select status, requirements, account_id from payout_account where company_id = $1 and standing = 'current'",
        actor.company_id,
    )
    held = await _held(actor.company_id)
    rows = await fetch(
        """
        select l.currency,
            coalesce(sum(l.amount_minor) filter (where l.state in ('planned', 'sent')), 0) as on_its_way,
            coalesce(sum(l.amount_minor) filter (where l.state = 'parked'), 0) as parked,
            coalesce(sum(l.amount_minor - b.back) filter (where l.state = 'paid'), 0) as paid,
            coalesce(sum(b.owed), 0) as owed
        from release_leg l cross join lateral (
            select coalesce(sum(amount_minor) filter (where state in ('done', 'short')), 0) as back,
                coalesce(sum(amount_minor) filter (where state = 'short'), 0) as owed
            from transfer_reversal where leg_id = l.id
        ) b
        where l.company_id = $1 group by l.currency order by l.currency
        """,
        actor.company_id,
    )
    return SellerMoney(
        account_status=account["status"] if account and account["account_id"] else None,
        requirements=list(account["requirements"]) if account else [],
        change=next(iter(await account_changes(actor.company_id)), None),
        purses=[
            Purse(
                row["currency"],
                sum(
                    (part.amount for part in held if part.amount.currency == row["currency"]), Money(0, row["currency"])
                ),
                *(Money(int(row[part]), row["currency"]) for part in ("on_its_way", "parked", "paid", "owed")),
            )
            for row in rows
        ],
        parts=[*held, *await _shared_out(actor.company_id)][:SHOWN_PARTS],
        to_pay=await _to_pay(actor.company_id),
        coming_back=await _coming_back(actor.company_id),
        payouts=await payouts_of(actor.company_id),
    )


async def _held(company_id: UUID) -> list[LegOfMine]:
    """The company's part of every deal that is paid and not shared out yet: what it would get if all were right."""
    rows = await fetch(
        f"""
        select d.id, d.label, d.seller_company_id, d.currency, d.net_minor, d.vat_minor, d.commission_minor,
        d.commission_vat_minor, d.paid_at, s.trading_name as seller, l.company_id, l.weight, l.fixed_minor,
        case when {DISPUTED} then 'disputed' else 'held' end as state
        from deal d join release_leg l on l.deal_id = d.id join company s on s.id = d.seller_company_id
        where d.paid_at is not null and d.closed_at is null and l.amount_minor is null and d.id in
        (select deal_id from release_leg where company_id = $1 and amount_minor is null)
        order by d.paid_at, d.id, l.rank
        """,  # noqa: S608  fixed texts
        company_id,
    )
    deals: dict[UUID, list[asyncpg.Record]] = defaultdict(list)
    for row in rows:
        deals[row["id"]].append(row)
    found = []
    for deal_id, legs in deals.items():
        first, currency = legs[0], legs[0]["currency"]
        terms = Terms(
            *(Money(first[f"{part}_minor"], currency) for part in ("net", "vat", "commission", "commission_vat"))
        )
        shared = plan(terms, [Share(leg["weight"], leg["fixed_minor"]) for leg in legs], Money(0, currency))
        for leg, amount in zip(legs, shared.legs, strict=True):
            if leg["company_id"] == company_id:
                found.append(_part(deal_id, leg, company_id, amount, first["state"], first["paid_at"]))
    return found


async def _shared_out(company_id: UUID) -> list[LegOfMine]:
    rows = await fetch(
        f"""
        select d.id, d.label, d.seller_company_id, s.trading_name as seller, l.amount_minor, l.currency,
        case when l.state = 'paid' and l.amount_minor <= (select coalesce(sum(amount_minor), 0)
        from transfer_reversal where leg_id = l.id and state in ('done', 'short')) then 'taken_back'
        when l.state <> 'planned' then l.state when {DISPUTED} then 'disputed'
        when exists (select from payment where deal_id = d.id and fraud_warning is not null
        and warning_cleared_at is null) then 'checked'
        when (select not agreed from reconciliation order by at desc limit 1) then 'stopped'
        when l.refused_for is null and l.retry_at > $3 then 'debited'
        else 'planned' end as state,
        coalesce(l.paid_at, d.closed_at, d.since) as at from release_leg l join deal d on d.id = l.deal_id
        join company s on s.id = d.seller_company_id where l.company_id = $1 and l.amount_minor > 0
        order by array_position(array['parked', 'planned', 'sent', 'paid'], l.state::text), 8 desc limit $2
        """,  # noqa: S608  fixed texts
        company_id,
        SHOWN_PARTS,
        now(),
    )
    return [
        _part(row["id"], row, company_id, Money(row["amount_minor"], row["currency"]), row["state"], row["at"])
        for row in rows
    ]


def _part(deal_id: UUID, row: asyncpg.Record, company_id: UUID, amount: Money, state: str, at: datetime) -> LegOfMine:
    own = row["seller_company_id"] == company_id
    return LegOfMine(deal_id if own else None, row["label"] if own else row["seller"], amount, state, at)


async def _to_pay(company_id: UUID) -> list[Owed]:
    rows = await fetch(
        "select d.id, d.label, o.amount_minor, o.currency, d.due_at, exists (select from payment p "
        "where p.obligation_id = o.id and p.state = 'processing' and p.instructions_url is null) as underway "
        "from payment_obligation o "
        "join deal d on d.id = o.deal_id where o.buyer_company_id = $1 and o.state = 'due' order by d.due_at",
        company_id,
    )
    return [
        Owed(
            row["id"],
            row["label"],
            Money(row["amount_minor"], row["currency"]),
            row["due_at"],
            "underway" if row["underway"] else "due",
        )
        for row in rows
    ]


async def _coming_back(company_id: UUID) -> list[Owed]:
    rows = await fetch(
        f"""
        select d.id, d.label, r.amount_minor, r.currency,
            case when not r.owed then r.state when r.made then 'returned' else 'refused' end as state
        from (
            select deal_id, amount_minor, currency, state, created_at, owed, refund_id is not null as made,
                true as disputable from refund
            union all
            select deal_id, amount_minor, currency, state, created_at, owed, true, false from cash_return
        ) r join deal d on d.id = r.deal_id
        where d.buyer_company_id = $1 and (r.state in ('planned', 'pending', 'requires_action')
            or r.owed and not (r.disputable and {DISPUTED}))
        order by r.created_at
        """,  # noqa: S608  fixed texts
        company_id,
    )
    return [
        Owed(row["id"], row["label"], Money(row["amount_minor"], row["currency"]), None, row["state"]) for row in rows
    ]


async def payouts_of(company_id: UUID) -> list[PaidOut]:
    """What went on to the bank of the company, or should have: the latest ten first."""
    rows = await fetch(
        "select p.amount_minor, p.currency, p.state, p.failure, p.arrives_at from payout p "
        "join payout_account a on a.id = p.payout_account_id where a.company_id = $1 "
        "order by p.created_at desc, p.id limit 10",
        company_id,
    )
    return [
        PaidOut(
            Money(row["amount_minor"], row["currency"]), row["state"], bank_refusal(row["failure"]), row["arrives_at"]
        )
        for row in rows
    ]
