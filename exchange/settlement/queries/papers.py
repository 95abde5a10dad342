"""Papers as each side may have them, and what it takes to write the next one."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from exchange.actor import Actor
from exchange.database import fetch, fetchrow, fetchval
from exchange.errors import NotSeen
from exchange.money import Money
from exchange.settings import settings
from exchange.settlement.queries import one
from exchange.settlement.queries.deals import Deal
from exchange.settlement.rules.deal import Side
from exchange.settlement.rules.invoices import Address, Kind, Line, Party
from exchange.settlement.rules.papers import Handover, Standing, Wait, shown_to
from exchange.settlement.rules.vat import Trader


@dataclass(frozen=True, slots=True)
class Paper:
    """An issued paper without its bytes."""

    id: UUID
    kind: Kind
    label: str
    issued_on: date
    net: Money
    vat: Money
    language: str
    handover: Handover
    handover_why: str
    """What the platform says of a rejected one, or why it could not be asked."""
    handover_next: datetime | None
    """When it is asked again."""
    own_vat: Money | None
    """The tax in the supplier's own currency, where it is charged in another."""
    rate_day: date | None

    @property
    def total(self) -> Money:
        return self.net + self.vat

    def why_for(self, side: Side) -> str | None:
        """What ``side`` reads of it: the seller what is wrong with the paper, the operator all, the buyer nothing."""
        told = side is Side.OPERATOR or (side is Side.SELLER and self.handover is Handover.REJECTED)
        return self.handover_why or None if told else None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Papers of a deal that are due and not written yet."""

    waits_for: Wait
    faults: str


@dataclass(frozen=True, slots=True)
class Invoicing:
    """What invoices say of a company, and its mandate, as far as it has told and given them."""

    address: Address | None
    delivery: Address | None
    franchise: bool
    on_debits: bool
    mandate_version: str | None
    mandate_by: str | None
    mandate_at: datetime | None


@dataclass(frozen=True, slots=True)
class Terms:
    """The frozen contract of a deal, as papers print it."""

    mark: str
    lines: list[Line]
    buyer_language: str
    seller_language: str


_PAPER = (
    "p.id, p.kind, p.label, p.issued_on, p.net_minor, p.vat_minor, p.currency, p.language, "
    "p.own_currency, p.own_vat_minor, p.rate_day, "
    "coalesce(h.state, 'to_hand_over') as handover, coalesce(h.why, '') as why, h.next_at"
)
_FROM = "from paper p left join paper_handover h on h.paper_id = p.id"


def _paper(row: asyncpg.Record) -> Paper:
    return Paper(
        id=row["id"],
        kind=Kind(row["kind"]),
        label=row["label"],
        issued_on=row["issued_on"],
        net=Money(row["net_minor"], row["currency"]),
        vat=Money(row["vat_minor"], row["currency"]),
        language=row["language"],
        handover=Handover(row["handover"]),
        handover_why=row["why"],
        handover_next=row["next_at"],
        own_vat=Money(row["own_vat_minor"], row["own_currency"]) if row["own_currency"] else None,
        rate_day=row["rate_day"],
    )


async def papers_of(deal: Deal, side: Side) -> list[Paper]:
    """The deal's issued papers that concern ``side``; the caller has loaded the deal by viewer."""
    rows = await fetch(f"select {_PAPER} {_FROM} where p.deal_id = $1 order by p.issued_at, p.label", deal.id)
    return [paper for paper in map(_paper, rows) if shown_to(side, paper.kind)]


async def paper_file(deal: Deal, side: Side, paper_id: UUID, *, xml: bool = False) -> tuple[Paper, bytes]:
    """One issued paper of the deal with its bytes. Raises NotSeen for one that does not concern ``side``."""
    content = "p.xml" if xml else "p.pdf"
    row = await fetchrow(
        f"select {_PAPER}, {content} as content {_FROM} where p.id = $1 and p.deal_id = $2",
        paper_id,
        deal.id,
    )
    if row is None or not shown_to(side, Kind(row["kind"])):
        raise NotSeen
    return _paper(row), row["content"]


async def waiting_of(deal: Deal) -> Waiting | None:
    """What the deal's papers wait for; the caller has loaded the deal by viewer."""
    row = await fetchrow("select waits_for, faults from paper_due where deal_id = $1", deal.id)
    return Waiting(Wait(row["waits_for"]), row["faults"]) if row else None


async def invoicing_of(company_id: UUID) -> Invoicing:
    """What the company has told of itself for its invoices; the caller acts for it, or deals with it."""
    row = await one(
        "select c.country, i.*, m.version, m.accepted_at, p.name as mandate_by from company c "
        "left join invoicing i on i.company_id = c.id "
        "left join lateral (select * from invoice_mandate where company_id = c.id order by accepted_at desc limit 1) m "
        "on true left join person p on p.id = m.person_id where c.id = $1",
        company_id,
    )
    country = row["country"]
    delivery = None
    if row["delivery_street"]:
        delivery = Address(row["delivery_street"], row["delivery_postcode"], row["delivery_city"], country)
    return Invoicing(
        address=Address(row["street"], row["postcode"], row["city"], country) if row["street"] else None,
        delivery=delivery,
        franchise=bool(row["franchise"]),
        on_debits=bool(row["on_debits"]),
        mandate_version=row["version"],
        mandate_by=row["mandate_by"],
        mandate_at=row["accepted_at"],
    )


async def invoicing_seen_by(actor: Actor) -> Invoicing:
    """The actor's own company's. Raises NotSeen for an actor without a company."""
    if actor.company_id is None:
        raise NotSeen
    return await invoicing_of(actor.company_id)


async def party_of(company_id: UUID, address: Address) -> tuple[Party, Trader]:
    """A company as a party to an invoice, and as the tax rules see it."""
    row = await one(
        "select c.legal_name, c.registration, c.vat, coalesce(i.franchise, false) as franchise from company c "
        "left join invoicing i on i.company_id = c.id where c.id = $1",
        company_id,
    )
    party = Party(row["legal_name"], row["registration"], row["vat"], address)
    return party, Trader(address.country, row["vat"], row["franchise"])


async def place_of(company_id: UUID) -> Address:
    """Where a company that has not told its address is, as far as everybody knows."""
    row = await one("select country, region from company where id = $1", company_id)
    return Address("", "", row["region"], row["country"])


def exchange_party() -> Party | None:
    """The exchange itself, if its settings say who it is."""
    own = settings()
    if not (own.exchange_name and own.exchange_registration and own.exchange_street and own.exchange_city):
        return None
    address = Address(own.exchange_street, own.exchange_postcode, own.exchange_city, own.exchange_country)
    return Party(own.exchange_name, own.exchange_registration, own.exchange_vat or None, address)


async def terms_of(deal: Deal) -> Terms:
    """The deal's frozen contract; the caller has loaded the deal by viewer, or is the exchange itself."""
    row = await one(
        "select k.content, k.sha256, coalesce(b.language, 'en') as buyer_language, "
        "coalesce(s.language, 'en') as seller_language from contract k join lot l on l.id = k.lot_id "
        "left join lateral (select p.language from offer o join person p on p.id = o.person_id "
        "where o.negotiation_id = k.negotiation_id and o.company_id = $2 order by o.number desc limit 1) b on true "
        "left join lateral (select p.language from person p where p.id = coalesce((select o.person_id from offer o "
        "where o.negotiation_id = k.negotiation_id and o.company_id = $3 order by o.number desc limit 1), "
        "l.person_id)) s on true where k.negotiation_id = $1",
        deal.negotiation_id,
        deal.buyer_company_id,
        deal.seller_company_id,
    )
    digits = row["sha256"].hex()[:16]
    return Terms(
        mark=" ".join(digits[i : i + 4] for i in range(0, 16, 4)),
        lines=_lines(deal, json.loads(row["content"])["lines"]),
        buyer_language=row["buyer_language"],
        seller_language=row["seller_language"],
    )


def _lines(deal: Deal, agreed: list[dict[str, Any]]) -> list[Line]:
    """Line by line at the price agreed; the lot as one, should they not come to the deal's price."""
    currency = deal.unit_price.currency
    lines = [
        Line(
            line["title"],
            line["quantity"],
            Money(line.get("unit_price_minor", deal.unit_price.minor), currency),
            line.get("gtin"),
        )
        for line in agreed
    ]
    if sum(line.amount.minor for line in lines) == deal.terms.net.minor:
        return lines
    return [Line(deal.label, 1, deal.terms.net)]


async def delivered_on(deal: Deal) -> date:
    """The day the goods were with the buyer, by Paris' calendar: the first time somebody said or proved so."""
    at = await fetchval(
        "select min(at) from journal_entry where subject_id = $1 and fact in ('deal.arrive', 'deal.prove', "
        "'deal.receive', 'deal.claim')",
        deal.id,
    )
    return local_day(at or deal.since)


async def earned_on(deal: Deal) -> date:
    """The day the commission was earned and withheld."""
    at = await fetchval("select max(at) from ledger_posting where deal_id = $1 and fact = 'earned'", deal.id)
    return local_day(at or deal.since)


def local_day(at: datetime) -> date:
    """The date of an instant on the exchange's own papers."""
    return at.astimezone(ZoneInfo("Europe/Paris")).date()


async def standing_of(deal: Deal) -> Standing:
    """The deal's money and what was written about it so far."""
    row = await one(
        "select (select coalesce(-sum(amount_minor) filter (where account = 'commission'), 0) from ledger_entry "
        "where deal_id = $1) as commission, "
        "(select coalesce(-sum(amount_minor) filter (where account = 'vat'), 0) from ledger_entry "
        "where deal_id = $1) as commission_vat, "
        "coalesce(sum(net_minor + vat_minor) filter (where kind = 'invoice'), 0) as invoiced, "
        "coalesce(sum(net_minor + vat_minor) filter (where kind = 'credit_note'), 0) as credited, "
        "coalesce(sum(net_minor) filter (where kind = 'commission'), 0) "
        "- coalesce(sum(net_minor) filter (where kind = 'commission_credit'), 0) as commission_invoiced, "
        "coalesce(sum(vat_minor) filter (where kind = 'commission'), 0) "
        "- coalesce(sum(vat_minor) filter (where kind = 'commission_credit'), 0) as commission_vat_invoiced "
        "from paper where deal_id = $1",
        deal.id,
    )
    money = {name: Money(int(minor), deal.terms.net.currency) for name, minor in row.items()}
    return Standing(state=deal.state, total=deal.terms.total, net=deal.terms.net, refund=deal.refund, **money)
