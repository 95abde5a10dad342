"""Where the money is: of one deal, of one seller, of the whole exchange."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from exchange.clock import now
from exchange.database import fetch, fetchrow, fetchval
from exchange.money import Money
from exchange.settlement.queries.deals import Deal
from exchange.settlement.rules.books import Account, Fact
from exchange.settlement.rules.deal import Side, State
from exchange.settlement.rules.drift import Difference

SHOWN: dict[Side, frozenset[Fact]] = {
    Side.BUYER: frozenset({Fact.PAID, Fact.SURPLUS_PAID, Fact.REFUNDED, Fact.SURPLUS_REFUNDED, Fact.REFUND_FAILED})
    | {Fact.DISPUTE_LOST, Fact.CASH_ARRIVED, Fact.CASH_RETURNED, Fact.CASH_BACK_AGAIN, Fact.PAID_OTHERWISE}
    | {Fact.BY_HAND},
    Side.SELLER: frozenset({Fact.PAID, Fact.REFUNDED, Fact.REFUND_FAILED, Fact.EARNED, Fact.TRANSFERRED, Fact.REVERSED})
    | {Fact.DISPUTE_LOST, Fact.GIVEN_BACK, Fact.ADVANCED, Fact.RECOVERED, Fact.PAID_OTHERWISE, Fact.BY_HAND},
    Side.OPERATOR: frozenset(Fact),
}
"""Which facts of a deal's ledger each side is shown: its own part. The buyer does not see the seller's commission, the
seller nothing of what the buyer paid and did not owe, nor anybody but the operator what the payment service charges."""


@dataclass(frozen=True, slots=True)
class Posted:
    """One posting of a deal as a line of its money story; ``amount`` is what moved."""

    at: datetime
    fact: Fact
    amount: Money
    receiver: str | None
    """Whom it went to, where that is not the seller."""


@dataclass(frozen=True, slots=True)
class LegView:
    """One receiver's part of the deal, as the seller and the operator see it."""

    id: UUID
    name: str
    is_seller: bool
    amount: Money | None
    """None until the money is shared out."""
    state: str
    waits_until: datetime | None
    """Until when a direct debit it comes from is held."""


@dataclass(frozen=True, slots=True)
class DealMoney:
    """A deal's money as one side sees it."""

    held: Money
    postings: list[Posted]
    parked: bool
    """Whether the seller's part waits for the seller's account."""
    legs: list[LegView]
    """Who receives the seller's side of the money; empty for the buyer, whom it does not concern."""


async def money_of(deal: Deal, side: Side) -> DealMoney:
    """Every cent of the deal, to ``side`` its own part; the caller has loaded the deal by viewer."""
    currency = deal.terms.net.currency
    rows = await fetch(
        "select p.at, p.fact, p.reference, sum(e.amount_minor) filter (where e.amount_minor > 0) as moved, "
        "-coalesce(sum(e.amount_minor) filter (where e.account = 'held'), 0) as held, "
        "bool_or(e.account = 'surplus') as surplus "
        "from ledger_posting p join ledger_entry e on e.posting_id = p.id where p.deal_id = $1 "
        "group by p.id order by p.at, array_position($2::text[], p.fact::text), p.id",
        deal.id,
        list(Fact),  # what happened in one instant, in the order in which it can
    )
    legs = await fetch(
        "select l.id, l.company_id, l.amount_minor, l.state, c.trading_name, "
        "case when l.state = 'planned' and l.refused_for is null and l.retry_at > $2 then l.retry_at end "
        "as waits_until from release_leg l "
        "join company c on c.id = l.company_id where l.deal_id = $1 order by l.rank",
        deal.id,
        now(),
    )
    others = {str(leg["id"]): leg["trading_name"] for leg in legs if leg["company_id"] != deal.seller_company_id}
    return DealMoney(
        held=_held_for(deal, side, rows),
        postings=[
            Posted(row["at"], Fact(row["fact"]), Money(int(row["moved"]), currency), others.get(row["reference"]))
            for row in rows
            if row["fact"] in SHOWN[side] and not (row["surplus"] and side is Side.SELLER)
        ],
        parked=any(leg["state"] == "parked" and leg["company_id"] == deal.seller_company_id for leg in legs),
        legs=[
            LegView(
                leg["id"],
                leg["trading_name"],
                leg["company_id"] == deal.seller_company_id,
                None if leg["amount_minor"] is None else Money(leg["amount_minor"], currency),
                leg["state"],
                leg["waits_until"],
            )
            for leg in legs
            if side is not Side.BUYER
        ],
    )


def _held_for(deal: Deal, side: Side, rows: Sequence[asyncpg.Record]) -> Money:
    """What is held of the deal; once it is shared out, to the buyer what of it is the buyer's and has not come back.

    What is held of the seller's side, less what left of it, would tell the buyer the commission.
    """
    held = int(sum(row["held"] for row in rows if side is not Side.BUYER or row["fact"] in SHOWN[side]))
    if side is Side.BUYER and (deal.state is State.CLOSING or deal.state.final) and deal.paid_at is not None:
        held = max(held - (deal.terms.total - deal.refund).minor, 0)
    return Money(held, deal.terms.total.currency)


@dataclass(frozen=True, slots=True)
class PaymentView:
    """The attempt to pay a deal that counts: the paid one, else the latest."""

    id: UUID
    state: str
    session_id: str | None
    expires_at: datetime
    livemode: bool
    instructions_url: str | None
    """Where the buyer is told how to make the bank transfer that is awaited."""
    arrived: Money
    missing: Money
    """Of that transfer."""


async def payment_of(deal_id: UUID) -> PaymentView | None:
    """The deal's payment, for whoever has loaded the deal by viewer."""
    row = await fetchrow(
        "select p.id, p.state, p.session_id, p.expires_at, p.livemode, p.instructions_url, p.arrived_minor, "
        "p.currency, o.amount_minor from payment p join payment_obligation o on o.id = p.obligation_id "
        "where p.deal_id = $1 "
        "order by p.state = 'paid' desc, p.state in ('open', 'processing') desc, p.created_at desc limit 1",
        deal_id,
    )
    if row is None:
        return None
    return PaymentView(
        id=row["id"],
        state=row["state"],
        session_id=row["session_id"],
        expires_at=row["expires_at"],
        livemode=row["livemode"],
        instructions_url=row["instructions_url"],
        arrived=Money(row["arrived_minor"], row["currency"]),
        missing=Money(row["amount_minor"] - row["arrived_minor"], row["currency"]),
    )


async def warned(deal_id: UUID) -> bool:
    """Whether the card network takes a payment of the deal for fraud, and the operator has not cleared."""
    return bool(
        await fetchval(
            "select exists (select from payment where deal_id = $1 and fraud_warning is not null "
            "and warning_cleared_at is null)",
            deal_id,
        )
    )


@dataclass(frozen=True, slots=True)
class Unrefunded:
    """What is owed to a buyer and did not reach it."""

    returned: Money
    """The bank sent it back: it goes another way."""
    refused: Money
    """The payment service did not make the refund."""

    def __bool__(self) -> bool:
        return bool(self.returned or self.refused)


async def unrefunded(deal: Deal) -> Unrefunded:
    """What should have gone back to the buyer and has not; the caller has loaded the deal by viewer.

    While the buyer's bank has the matter, no refund: the bank may pay it. A bank transfer that no payment took is none.
    """
    rows = await fetch(
        "select refund_id is not null as made, amount_minor as minor from refund "
        "where deal_id = $1 and owed and not $2 "
        "union all select true, amount_minor from cash_return where deal_id = $1 and owed",
        deal.id,
        deal.disputed,
    )
    returned, refused = (
        Money(sum(row["minor"] for row in rows if row["made"] is made), deal.terms.total.currency)
        for made in (True, False)
    )
    return Unrefunded(returned, refused)


@dataclass(frozen=True, slots=True)
class Balance:
    """One account of the trial balance."""

    account: Account
    amount: Money


async def trial_balance() -> list[Balance]:
    """Every account's balance in every currency; each currency's balances sum to zero."""
    rows = await fetch(
        "select account, currency, sum(amount_minor) as minor from ledger_entry group by account, currency "
        "order by currency, account"
    )
    return [Balance(Account(row["account"]), Money(int(row["minor"]), row["currency"])) for row in rows]


@dataclass(frozen=True, slots=True)
class Reconciled:
    """One comparison of our books with Stripe's."""

    at: datetime
    movements: int
    differences: list[Difference]
    agreed: bool


async def last_reconciliation() -> Reconciled | None:
    row = await fetchrow("select at, movements, differences, agreed from reconciliation order by at desc limit 1")
    if row is None:
        return None
    return Reconciled(
        row["at"], row["movements"], [Difference(**d) for d in json.loads(row["differences"])], row["agreed"]
    )


@dataclass(frozen=True, slots=True)
class Trouble:
    """An operation that Stripe refused or never answered."""

    id: UUID
    kind: str
    state: str
    deal_id: UUID | None
    planned_at: datetime
    attempts: int
    last_error: str
    changed: bool
    """Whether its stored request is not the one that was decided: it is never sent."""


@dataclass(frozen=True, slots=True)
class Stuck:
    """How many of what should have ended by itself has not."""

    jobs: int
    """Given up by the worker."""
    operations: int
    held: int
    """Operations that wait for the operator to look whether they were carried out."""
    events: int

    def __bool__(self) -> bool:
        return bool(self.jobs or self.operations or self.held or self.events)


async def stuck(since: datetime) -> Stuck:
    """What has gone on without an end from before ``since``, and the jobs that were given up."""
    row = await fetchrow(
        "select (select count(*) from pgqueuer where status = 'failed') as jobs, "
        "(select count(*) from stripe_operation where state in ('planned', 'sent', 'unknown') and planned_at < $1) "
        "as operations, "
        "(select count(*) from stripe_operation where state = 'held' and planned_at < $1) as held, "
        "(select count(*) from stripe_event where handled_at is null and received_at < $1) as events",
        since,
    )
    return Stuck(**dict(row or {}))


async def troubles(limit: int = 50) -> list[Trouble]:
    """Operations a person should look at, newest first."""
    rows = await fetch(
        "select id, kind, state, deal_id, planned_at, attempts, last_error, "
        "encode(sha256(convert_to(request::text, 'UTF8')), 'hex') <> request_hash as changed from stripe_operation "
        "where state in ('failed', 'unknown', 'held') and kind <> 'session.expire' order by planned_at desc limit $1",
        limit,
    )
    return [Trouble(**dict(row)) for row in rows]
