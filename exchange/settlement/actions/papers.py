"""Invoices and credit notes are written: drafted from what was decided, pressed and checked, then issued.

Pressing takes a second and happens with no transaction open. Only then, in one short transaction, is the series locked
and the paper inserted under the number it bears; had another paper taken that number meanwhile, it is drafted anew.
So no number is given to a paper that does not exist or does not pass, and none is missing.
"""

import logging
from dataclasses import dataclass
from datetime import date
from uuid import UUID, uuid4

import asyncpg

from exchange.clock import now
from exchange.database import announce, execute, fetch, fetchrow, fetchval, transaction
from exchange.errors import N_
from exchange.jobs import enqueue
from exchange.journal.actions import record
from exchange.money import Money
from exchange.settings import settings
from exchange.settlement.actions.notices import alarm
from exchange.settlement.press.machine import Pressed, press
from exchange.settlement.queries import one
from exchange.settlement.queries.deals import Deal, any_deal
from exchange.settlement.queries.papers import (
    Terms,
    delivered_on,
    earned_on,
    exchange_party,
    invoicing_of,
    local_day,
    party_of,
    standing_of,
    terms_of,
)
from exchange.settlement.queries.rates import conversion_on
from exchange.settlement.rules import vat
from exchange.settlement.rules.alarms import AlarmKind
from exchange.settlement.rules.invoices import Address, Invoice, Kind, Line, OwnTax, Party, Reference
from exchange.settlement.rules.mentions import NoMention
from exchange.settlement.rules.papers import EXCHANGE, Owed, Wait, commission_owed, goods_owed, number_of
from exchange.settlement.rules.rates import NoRateSource, also_in, ensure_convertible, quoted_on
from exchange.settlement.rules.vat import Regime
from exchange.web.translations import say

log = logging.getLogger(__name__)

COMMISSION_LINE = N_("Commission of the exchange on the sale “%(label)s”")
COMMISSION_BACK_LINE = N_("Commission given back on the sale “%(label)s”")
REFUND_LINE = N_("Refund on the sale “%(label)s”")

CALLED: dict[Wait, AlarmKind] = {Wait.REFUSED: "paper_refused", Wait.RATE: "rate_missing"}
"""Why the operator is called when papers wait with something told that is wrong."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The next paper of a deal, whole but for the press."""

    deal: Deal
    owed: Owed
    issuer_id: UUID
    number: int
    corrects_id: UUID | None
    invoice: Invoice


@dataclass(frozen=True, slots=True)
class Missing:
    """Why a paper cannot be written now; ``told``: what the operator has to mend."""

    waits: Wait
    told: str = ""


async def owe_papers(deal: Deal) -> None:
    """Something was decided about the deal's money: what is to be invoiced is looked at, in the current transaction."""
    await execute(
        "insert into paper_due (deal_id, lot_id, since, waits_for, faults) values ($1, $2, $3, 'writing', '') "
        "on conflict (deal_id) do update set waits_for = 'writing', faults = ''",
        deal.id,
        deal.lot_id,
        now(),
    )
    await enqueue("deal.papers", deal.id)


async def write_papers(deal_id: UUID) -> None:
    """Write every paper the deal owes and can have now; what is missing for the others is noted. Safe at any time.

    A paper that does not pass the checks is not issued, and the operator is told; the other series goes on.
    """
    refused: dict[bool, str] = {}
    while (draft := await _draft(deal_id, refused)) is not None:
        try:
            pressed = await press().invoice(draft.invoice, now())
        except (NoMention, NoRateSource) as e:
            pressed = Pressed(b"", b"", (str(e),))
        if pressed.faults:
            refused[draft.owed.kind.is_commission] = "\n".join(pressed.faults)
        else:
            await _issue(draft, pressed)


async def write_waiting() -> None:
    """Every deal whose papers wait is looked at again, once a day: a setting or an address may have come."""
    async with transaction():
        for row in await fetch("select deal_id from paper_due"):
            await enqueue("deal.papers", row["deal_id"])


async def _draft(deal_id: UUID, refused: dict[bool, str]) -> Draft | None:
    """The deal's next paper; ``None`` when none can be written now, and then it is noted why."""
    async with transaction():
        if not await fetchval("select exists (select from paper_due where deal_id = $1)", deal_id):
            return None
        deal = await any_deal(deal_id, lock=True)
        at, missing = await standing_of(deal), None
        for owed in (goods_owed(at), commission_owed(at)):
            if owed is None or owed.kind.is_commission in refused:
                continue
            drafted = await _drafted(deal, owed)
            if isinstance(drafted, Draft):
                return drafted
            missing = missing or drafted
        if refused:
            missing = Missing(Wait.REFUSED, "\n".join(refused.values()))
        await _note(deal, missing)
    return None


async def _note(deal: Deal, missing: Missing | None) -> None:
    """What the deal's papers wait for; nothing: it owes none any more. A fault is told to the operator once."""
    if missing is None:
        await execute("delete from paper_due where deal_id = $1", deal.id)
    else:
        waits, told = missing.waits, missing.told[:20_000]
        before = await one("select waits_for, faults from paper_due where deal_id = $1", deal.id)
        await execute("update paper_due set waits_for = $2, faults = $3 where deal_id = $1", deal.id, waits, told)
        if told and (before["waits_for"] != waits or not before["faults"]):
            log.error("papers of deal %s: %s %s", deal.id, waits, told)
            if waits is Wait.REFUSED:
                await record(None, "deal.paper_refused", deal.id)
            await alarm(CALLED[waits], deal)
    await announce(deal.channel, "deal.papers", deal.id)


async def _drafted(deal: Deal, owed: Owed) -> Draft | Missing:
    """The paper, or what is missing to write it."""
    exchange, seller_told = exchange_party(), await invoicing_of(deal.seller_company_id)
    if exchange is None:
        return Missing(Wait.EXCHANGE)
    if seller_told.address is None:
        return Missing(Wait.SELLER)
    seller, seller_trader = await party_of(deal.seller_company_id, seller_told.address)
    terms = await terms_of(deal)
    if owed.kind.is_commission:
        tax = vat.of_commission(settings().exchange_country, seller_trader, deal.agreed_at.date())
        return await _fill(
            deal, owed, terms, EXCHANGE, exchange, seller, regime=tax.regime, rate_bp=tax.rate_bp,
            on_debits=settings().exchange_on_debits, exchange=exchange,
        )  # fmt: skip
    buyer_told = await invoicing_of(deal.buyer_company_id)
    if seller_told.mandate_version is None or (deal.terms.vat and not seller.vat):
        return Missing(Wait.SELLER)
    if buyer_told.address is None:
        return Missing(Wait.BUYER)
    buyer, _ = await party_of(deal.buyer_company_id, buyer_told.address)
    return await _fill(
        deal, owed, terms, deal.seller_company_id, seller, buyer, regime=Regime(deal.vat_regime),
        rate_bp=deal.vat_rate_bp, on_debits=seller_told.on_debits, exchange=exchange, ship_to=buyer_told.delivery,
    )  # fmt: skip


async def _fill(
    deal: Deal,
    owed: Owed,
    terms: Terms,
    issuer_id: UUID,
    supplier: Party,
    customer: Party,
    *,
    regime: Regime,
    rate_bp: int,
    on_debits: bool,
    exchange: Party,
    ship_to: Address | None = None,
) -> Draft | Missing:
    corrected = None
    if owed.kind.credits:
        corrected = await fetchrow(
            "select id, label, issued_on, language, rate_day from paper where deal_id = $1 and kind = $2 "
            "order by number desc limit 1",
            deal.id,
            owed.kind.corrects,
        )
    number = 1 + await fetchval("select coalesce(max(number), 0) from paper where issuer_id = $1", issuer_id)
    day = local_day(now())
    supplied_on = await earned_on(deal) if owed.kind.is_commission else await delivered_on(deal)
    paid_on = {Kind.INVOICE: local_day(deal.paid_at or now()), Kind.COMMISSION: supplied_on}.get(owed.kind, day)
    language = corrected["language"] if corrected else _language_of(terms, owed.kind)
    own_tax: OwnTax | None = None
    if owed.vat and (target := also_in(supplier.country, owed.vat.currency)) is not None:
        stated = await _own_tax(owed, supplier.country, target, supplied_on, corrected)
        if isinstance(stated, Missing):
            return stated
        own_tax = stated
    return Draft(
        deal=deal,
        owed=owed,
        issuer_id=issuer_id,
        number=number,
        corrects_id=corrected["id"] if corrected else None,
        invoice=Invoice(
            kind=owed.kind,
            number=number_of(issuer_id, number),
            language=language,
            day=day,
            supplied_on=supplied_on,
            paid_on=paid_on,
            supplier=supplier,
            customer=customer,
            writer=exchange.name,
            lines=_lines_of(deal, owed, terms, language),
            vat=owed.vat,
            regime=regime,
            rate_bp=rate_bp,
            contract=terms.mark,
            ship_to=ship_to,
            on_debits=on_debits,
            corrects=Reference(corrected["label"], corrected["issued_on"]) if corrected else None,
            own_tax=own_tax,
        ),
    )


async def _own_tax(
    owed: Owed, country: str, target: str, supplied_on: date, corrected: asyncpg.Record | None
) -> OwnTax | Missing | None:
    """The tax in the supplier's own currency by the rates of the day it became chargeable, that of the supply.

    A credit note takes back by the rates of the paper it corrects, to the cent. None where no rates may be used.
    """
    try:
        ensure_convertible(country, target)
    except NoRateSource:
        return None  # told when it is made
    day = (corrected and corrected["rate_day"]) or quoted_on(supplied_on)
    by = await conversion_on(day, owed.vat.currency, target)
    if by is None:
        late = day < local_day(now())
        told = f"No rate of the European Central Bank of {day} from {owed.vat.currency} to {target} is loaded."
        return Missing(Wait.RATE, told if late else "")
    before = Money(0, owed.vat.currency)
    if corrected is not None:
        credited = await fetchval(
            "select coalesce(sum(vat_minor), 0)::bigint from paper where corrects_id = $1", corrected["id"]
        )
        before = Money(credited, owed.vat.currency)
    return OwnTax(by.of_next(before, owed.vat), by)


def _language_of(terms: Terms, kind: Kind) -> str:
    """A paper speaks the language of whom it is addressed to."""
    return terms.seller_language if kind.is_commission else terms.buyer_language


def _lines_of(deal: Deal, owed: Owed, terms: Terms, language: str) -> list[Line]:
    if owed.kind is Kind.INVOICE:
        return terms.lines
    said = {
        Kind.CREDIT_NOTE: REFUND_LINE,
        Kind.COMMISSION: COMMISSION_LINE,
        Kind.COMMISSION_CREDIT: COMMISSION_BACK_LINE,
    }[owed.kind]
    return [Line(say(language, said, label=deal.label), 1, owed.net)]


async def _issue(draft: Draft, pressed: Pressed) -> None:
    """The paper exists from here on; nothing happens if the deal or the series has moved on since it was drafted."""
    async with transaction(alone=True):
        deal = await any_deal(draft.deal.id, lock=True)
        at = await standing_of(deal)
        if draft.owed not in (goods_owed(at), commission_owed(at)):
            return
        await execute(
            "insert into paper_series (issuer_id, begun_at) values ($1, $2) on conflict do nothing",
            draft.issuer_id,
            now(),
        )
        await execute("select from paper_series where issuer_id = $1 for update", draft.issuer_id)
        last = await fetchval("select coalesce(max(number), 0) from paper where issuer_id = $1", draft.issuer_id)
        if draft.number != last + 1:
            return
        paper_id, invoice, own = uuid4(), draft.invoice, draft.invoice.own_tax
        await execute(
            "insert into paper (id, deal_id, lot_id, kind, issuer_id, number, label, corrects_id, issued_on, "
            "issued_at, language, currency, net_minor, vat_minor, own_currency, own_vat_minor, rate_day, pdf, xml) "
            "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)",
            paper_id, deal.id, deal.lot_id, invoice.kind, draft.issuer_id, draft.number, invoice.number,
            draft.corrects_id, invoice.day, now(), invoice.language, invoice.vat.currency, invoice.net.minor,
            invoice.vat.minor, own and own.vat.currency, own and own.vat.minor, own and own.by.day, pressed.pdf,
            pressed.xml,
        )  # fmt: skip
        await record(None, "deal.paper_issued", deal.id, number=invoice.number)
        await enqueue("paper.issued", paper_id)
        await announce(deal.channel, "deal.papers", deal.id)
