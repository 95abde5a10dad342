"""Deals as their two sides and the operator may see them."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from exchange.actor import Actor
from exchange.clock import now
from exchange.companies.rules import is_public_holiday
from exchange.database import execute, fetch, fetchrow
from exchange.errors import NotSeen
from exchange.listings.queries.thresholds import threshold_in
from exchange.listings.rules.thresholds import Threshold
from exchange.money import Money
from exchange.settlement.rules.amounts import Terms
from exchange.settlement.rules.claims import ClaimState, Standing
from exchange.settlement.rules.clocks import letter_by
from exchange.settlement.rules.deal import HELD_AT_MOST, MACHINE, Ending, Move, Side, State
from exchange.settlement.rules.timeline import Next, next_step
from exchange.settlement.rules.vat import Trader


@dataclass(frozen=True, slots=True)
class Deal:
    """One deal, as one row; both companies' names, which agreement revealed to each other."""

    id: UUID
    negotiation_id: UUID
    lot_id: UUID
    seller_company_id: UUID
    buyer_company_id: UUID
    seller_name: str
    buyer_name: str
    label: str
    quantity: int
    unit_price: Money
    terms: Terms
    vat_regime: str
    vat_rate_bp: int
    state: State
    since: datetime
    due_at: datetime | None
    agreed_at: datetime
    paid_at: datetime | None
    ready_at: datetime | None
    alarm_at: datetime | None
    closed_at: datetime | None
    ending: Ending | None
    refund: Money
    cancel_asked_by: Side | None
    carrier: str
    tracking: str
    proof: str
    news: str
    received_at: datetime | None
    reserves: str
    decision: str
    claim: Standing | None
    """Whose turn it is in the open claim, where there is one."""
    claimed_at: datetime | None
    seller_country: str
    buyer_country: str
    seller_zone: str
    buyer_zone: str
    disputed: bool
    """Whether the buyer's bank disputes the payment, or asks about it, and has not decided."""
    threshold: Threshold | None
    """What must be paid of the lot by all its buyers for any of their deals to go ahead."""
    underway: bool
    """Whether the buyer has paid by a way that takes days, and the money has not arrived."""

    def next_for(self, side: Side) -> Next | None:
        """What the deal waits for, told to ``side``."""
        missed = self.threshold is not None and self.threshold.missed
        return next_step(
            self.state, side, self.due_at, self.claim, disputed=self.disputed, missed=missed, underway=self.underway
        )

    @property
    def letter_by(self) -> date | None:
        """The last day to confirm reserves to the carrier by letter: of goods received from a carrier within France."""
        if not self.carrier or self.received_at is None or (self.seller_country, self.buyer_country) != ("FR", "FR"):
            return None
        received = self.received_at.astimezone(ZoneInfo(self.buyer_zone)).date()
        return letter_by(received, partial(is_public_holiday, country="FR"))

    @property
    def at_the_sellers(self) -> bool:
        """Whether the goods never left: no carrier has had them, and nobody says that the buyer has."""
        return not self.carrier and self.received_at is None

    @property
    def waits_for_bank(self) -> bool:
        """Whether a dispute stops the deal's clock: the seller was told to keep the goods, or the buyer would be
        refunded when the time runs out.
        """
        arrow = MACHINE.get((self.state, Move.LAPSE))
        refunds = arrow is not None and arrow.ending is not None and arrow.ending.refunds_all
        return self.state.holds_money and (refunds or self.at_the_sellers)

    @property
    def stands_still(self) -> bool:
        """Whether no clock moves the deal, because a bank has not decided."""
        return self.disputed and self.waits_for_bank

    @property
    def channel(self) -> str:
        """Where open pages hear that something happened to the deal."""
        return f"deal-{self.id}"

    def side_of(self, actor: Actor) -> Side:
        """On which side ``actor`` stands. Raises NotSeen for a stranger."""
        if actor.is_operator:
            return Side.OPERATOR
        if actor.company_id == self.buyer_company_id:
            return Side.BUYER
        if actor.company_id == self.seller_company_id:
            return Side.SELLER
        raise NotSeen

    def company(self, side: Side) -> UUID:
        """The company on ``side``, which is the buyer's or the seller's."""
        return self.buyer_company_id if side is Side.BUYER else self.seller_company_id

    def other_zone(self, side: Side) -> str:
        """The other side's time zone, as ``side`` reads it; the buyer's for the operator."""
        return self.seller_zone if side is Side.BUYER else self.buyer_zone

    def other_name(self, side: Side) -> str:
        """The other side's name, as ``side`` reads it."""
        return self.seller_name if side is Side.BUYER else self.buyer_name


DISPUTED = """exists (
        select from dispute x join payment p on p.id = x.payment_id where p.deal_id = d.id and not x.over
    )"""
"""Whether a bank disputes a payment of the deal ``d``, or asks about it, and has not done."""

_UNDERWAY = """d.state = 'awaiting_payment' and exists (
        select from payment p where p.deal_id = d.id and p.state = 'processing' and p.instructions_url is null
    )"""
"""Whether the deal's money comes by itself. A bank transfer does not: the buyer is still to send it, or its rest."""

_COLUMNS = f"""
    d.id, d.negotiation_id, d.lot_id, d.seller_company_id, d.buyer_company_id, s.trading_name as seller_name,
    b.trading_name as buyer_name, d.label, d.quantity, d.unit_price_minor, d.currency, d.net_minor, d.vat_minor,
    d.commission_minor, d.commission_vat_minor, d.vat_regime, d.vat_rate_bp, d.state, d.since, d.due_at, d.agreed_at,
    d.paid_at, d.ready_at, d.alarm_at, d.closed_at, d.ending, d.refund_minor, d.cancel_asked_by, d.carrier,
    d.tracking, d.proof, d.news, d.received_at, d.reserves, d.decision, c.state as claim_state, c.escalate_from,
    c.opened_at as claimed_at, s.country as seller_country, b.country as buyer_country, s.zone as seller_zone,
    b.zone as buyer_zone, {DISPUTED} as disputed, l.threshold, l.threshold_state, l.expires_at,
    {_UNDERWAY} as underway
"""
_FROM = (
    "from deal d join company s on s.id = d.seller_company_id join company b on b.id = d.buyer_company_id "
    "join lot l on l.id = d.lot_id left join claim c on c.deal_id = d.id"
)


def _deal(row: asyncpg.Record) -> Deal:
    currency = row["currency"]
    return Deal(
        id=row["id"],
        negotiation_id=row["negotiation_id"],
        lot_id=row["lot_id"],
        seller_company_id=row["seller_company_id"],
        buyer_company_id=row["buyer_company_id"],
        seller_name=row["seller_name"],
        buyer_name=row["buyer_name"],
        label=row["label"],
        quantity=row["quantity"],
        unit_price=Money(row["unit_price_minor"], currency),
        terms=Terms(
            net=Money(row["net_minor"], currency),
            vat=Money(row["vat_minor"], currency),
            commission=Money(row["commission_minor"], currency),
            commission_vat=Money(row["commission_vat_minor"], currency),
        ),
        vat_regime=row["vat_regime"],
        vat_rate_bp=row["vat_rate_bp"],
        state=State(row["state"]),
        since=row["since"],
        due_at=row["due_at"],
        agreed_at=row["agreed_at"],
        paid_at=row["paid_at"],
        ready_at=row["ready_at"],
        alarm_at=row["alarm_at"],
        closed_at=row["closed_at"],
        ending=Ending(row["ending"]) if row["ending"] else None,
        refund=Money(row["refund_minor"], currency),
        cancel_asked_by=Side(row["cancel_asked_by"]) if row["cancel_asked_by"] else None,
        carrier=row["carrier"],
        tracking=row["tracking"],
        proof=row["proof"],
        news=row["news"],
        received_at=row["received_at"],
        reserves=row["reserves"],
        decision=row["decision"],
        claim=_standing(row),
        claimed_at=row["claimed_at"],
        seller_country=row["seller_country"],
        buyer_country=row["buyer_country"],
        seller_zone=row["seller_zone"],
        buyer_zone=row["buyer_zone"],
        disputed=row["disputed"],
        threshold=threshold_in(row),
        underway=row["underway"],
    )


def _standing(row: asyncpg.Record) -> Standing | None:
    if row["claim_state"] not in {ClaimState.OPEN, ClaimState.ANSWERED}:
        return None
    return Standing(row["claim_state"] == ClaimState.ANSWERED, row["escalate_from"], row["escalate_from"] <= now())


async def deal_seen_by(actor: Actor, deal_id: UUID, *, lock: bool = False) -> Deal:
    """The deal, if ``actor`` is one of its two sides or the operator. Raises NotSeen."""
    deal = await any_deal(deal_id, lock=lock)
    deal.side_of(actor)
    return deal


async def any_deal(deal_id: UUID, *, lock: bool = False) -> Deal:
    """The deal, for the exchange itself: clocks and the payment service. Raises NotSeen.

    Locked first and read afterwards: who waits for a lock sees the other tables as they were before it waited.
    """
    if lock:
        await execute("select from deal where id = $1 for no key update", deal_id)
    row = await fetchrow(f"select {_COLUMNS} {_FROM} where d.id = $1", deal_id)
    if row is None:
        raise NotSeen
    return _deal(row)


async def deals_of(actor: Actor, *, after: UUID | None = None, limit: int = 30) -> list[Deal]:
    """The company's deals, those that await it first, then by the nearest clock, then the newest.

    The operator sees every deal, those waiting for a decision first. ``after`` is the last deal of the page before.
    """
    rows = await fetch(
        f"""
        with mine as (
            select {_COLUMNS},
                case
                    when d.closed_at is not null then 2
                    when $1 and d.state = 'operator' then 0
                    when {_UNDERWAY} then 1
                    when d.buyer_company_id = $2
                         and d.state in ('awaiting_payment', 'ready', 'uncollected', 'shipped', 'delivered') then 0
                    when d.seller_company_id = $2 and d.state in ('paid', 'overdue') then 0
                    when d.state = 'claimed' and $2 = case c.state when 'open' then d.seller_company_id
                         else d.buyer_company_id end then 0
                    else 1
                end as turn
            {_FROM}
            where $1 or d.buyer_company_id = $2 or d.seller_company_id = $2
        ), ordered as (
            select *, row_number() over (order by turn, case when turn < 2 then due_at end, agreed_at desc, id) as n
            from mine
        )
        select * from ordered
        where n > coalesce((select n from ordered where id = $3), 0)
        order by n limit $4
        """,  # noqa: S608  fixed texts
        actor.is_operator,
        actor.company_id,
        after,
        limit,
    )
    return [_deal(row) for row in rows]


async def awaiting_decision(limit: int = 200) -> list[Deal]:
    """Deals the operator must look at, the longest waiting first: with it, not collected, or held for too long."""
    rows = await fetch(
        f"select {_COLUMNS} {_FROM} where d.closed_at is null and (d.state in ('operator', 'uncollected') "
        "or d.paid_at < $1) order by d.state = 'operator' desc, d.since limit $2",
        now() - timedelta(days=HELD_AT_MOST.days),
        limit,
    )
    return [_deal(row) for row in rows]


async def deal_of_negotiation(actor: Actor, negotiation_id: UUID) -> UUID | None:
    """The deal an agreement became, for one of its sides."""
    row = await fetchrow(
        "select id from deal where negotiation_id = $1 and ($2 or buyer_company_id = $3 or seller_company_id = $3)",
        negotiation_id,
        actor.is_operator,
        actor.company_id,
    )
    return row["id"] if row else None


@dataclass(frozen=True, slots=True)
class Happened:
    """One thing that happened to a deal, in the journal's words."""

    at: datetime
    fact: str
    side: Side | None
    """Who did it; ``None`` for a clock or the payment service."""


async def history_of(deal: Deal) -> list[Happened]:
    """What happened to the deal so far, oldest first."""
    rows = await fetch(
        "select at, fact, company_id, person_id from journal_entry where subject_id = $1 order by at, id", deal.id
    )
    sides = {deal.buyer_company_id: Side.BUYER, deal.seller_company_id: Side.SELLER}
    return [
        Happened(row["at"], row["fact"], sides.get(row["company_id"]) or (Side.OPERATOR if row["person_id"] else None))
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Agreement:
    """What two companies agreed in a negotiation: all a deal needs to know of it."""

    lot_id: UUID
    seller_company_id: UUID
    buyer_company_id: UUID
    label: str
    quantity: int
    unit_price: Money
    """The mean, rounded, where lines were agreed at prices of their own."""
    net: Money
    """Before tax; exact."""
    agreed_at: datetime
    accepted_by: UUID | None
    """Who pressed the button; nobody where the seller's threshold accepted."""
    seller: Trader
    buyer: Trader


async def agreement_of(negotiation_id: UUID) -> Agreement:
    """The agreement a negotiation ended in. Raises NotSeen when it did not."""
    row = await fetchrow(
        "select n.lot_id, n.seller_company_id, n.buyer_company_id, l.title, o.quantity, o.unit_price_minor, "
        "coalesce(o.lines_minor, o.unit_price_minor * o.quantity) as net_minor, "
        "o.currency, n.agreed_at, o.answered_by, s.country as seller_country, s.vat as seller_vat, "
        "b.country as buyer_country, b.vat as buyer_vat, coalesce(i.franchise, false) as seller_franchise "
        "from negotiation n join offer o on o.negotiation_id = n.id and o.state = 'agreed' "
        "join lot l on l.id = n.lot_id join company s on s.id = n.seller_company_id "
        "join company b on b.id = n.buyer_company_id left join invoicing i on i.company_id = s.id "
        "where n.id = $1 and n.state = 'agreed'",
        negotiation_id,
    )
    if row is None:
        raise NotSeen
    return Agreement(
        lot_id=row["lot_id"],
        seller_company_id=row["seller_company_id"],
        buyer_company_id=row["buyer_company_id"],
        label=row["title"],
        quantity=row["quantity"],
        unit_price=Money(row["unit_price_minor"], row["currency"]),
        net=Money(row["net_minor"], row["currency"]),
        agreed_at=row["agreed_at"],
        accepted_by=row["answered_by"],
        seller=Trader(row["seller_country"], row["seller_vat"], row["seller_franchise"]),
        buyer=Trader(row["buyer_country"], row["buyer_vat"]),
    )
