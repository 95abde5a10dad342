"""Papers that follow whole from what is frozen: the contract, the pro forma, the note at the gate. Made when asked for.

Nothing of them is kept: the same frozen facts give the same paper, in the language of whoever asks.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from exchange.actor import Actor
from exchange.errors import NotSeen
from exchange.offers.queries.agreed import contract_seen_by
from exchange.settlement.press.setting import set_sheet
from exchange.settlement.press.sheets import Handing, Sheet, of_contract, of_invoice, of_note
from exchange.settlement.queries.deals import Deal
from exchange.settlement.queries.papers import (
    exchange_party,
    invoicing_of,
    local_day,
    paper_file,
    party_of,
    place_of,
    terms_of,
)
from exchange.settlement.rules.deal import Side, State
from exchange.settlement.rules.invoices import Address, Invoice, Kind, Party
from exchange.settlement.rules.vat import Regime


class Drawn(StrEnum):
    """Which, by its place in an address."""

    CONTRACT = "contract"
    PRO_FORMA = "pro-forma"
    NOTE = "note"


def drawable(deal: Deal, side: Side) -> Sequence[Drawn]:
    """What ``side`` may have now: the contract is between the two, the others begin with the payment.

    There is no note for goods that may not leave yet.
    """
    found = [] if side is Side.OPERATOR else [Drawn.CONTRACT]
    if deal.paid_at is not None and not (deal.ending and deal.ending.refunds_all):
        found += [Drawn.PRO_FORMA] if deal.state is State.POOLED else [Drawn.PRO_FORMA, Drawn.NOTE]
    return found


@dataclass(frozen=True, slots=True)
class PaperFile:
    """A paper as a file."""

    name: str
    media_type: str
    content: bytes


async def contract_asked(talk_id: UUID, by: Actor, *, language: str, zone: str) -> PaperFile:
    """The contract a talk ended in, from the very moment of it. Raises NotSeen for all but its two sides."""
    sheet = await _contract(talk_id, by, language, zone)
    return PaperFile(f"contract-{talk_id.hex[:8]}.pdf", "application/pdf", await asyncio.to_thread(set_sheet, sheet))


async def paper_asked(deal: Deal, asked: str, by: Actor, *, xml: bool, language: str, zone: str) -> PaperFile:
    """The paper of ``asked``, a ``Drawn`` or the id of an issued one; the caller has loaded the deal by viewer.

    ``xml``: an issued one's Factur-X. Raises NotSeen for a paper that is not there or does not concern the viewer.
    """
    if asked in set(Drawn):
        which = Drawn(asked)
        content = await draw(deal, which, by, language=language, zone=zone)
        return PaperFile(f"{which}-{deal.id.hex[:8]}.pdf", "application/pdf", content)
    try:
        paper_id = UUID(asked)
    except ValueError:
        raise NotSeen from None
    paper, content = await paper_file(deal, deal.side_of(by), paper_id, xml=xml)
    if xml:
        return PaperFile(f"{paper.label}.xml", "application/xml", content)
    return PaperFile(f"{paper.label}.pdf", "application/pdf", content)


async def draw(deal: Deal, which: Drawn, by: Actor, *, language: str, zone: str) -> bytes:
    """The paper as PDF; the caller has loaded the deal by viewer. Raises NotSeen for one the viewer may not have."""
    if which not in drawable(deal, deal.side_of(by)):
        raise NotSeen
    match which:
        case Drawn.CONTRACT:
            sheet = await _contract(deal.negotiation_id, by, language, zone)
        case Drawn.PRO_FORMA:
            sheet = await pro_forma_of(deal, language)
        case Drawn.NOTE:
            sheet = await note_of(deal, language)
    return await asyncio.to_thread(set_sheet, sheet)


async def _contract(talk_id: UUID, by: Actor, language: str, zone: str) -> Sheet:
    contract = await contract_seen_by(by, talk_id)
    return of_contract(contract, contract.accepted.at, language=language, zone=zone)


async def pro_forma_of(deal: Deal, language: str) -> Sheet:
    """What precedes the invoice; the caller has loaded the deal by viewer."""
    at = deal.paid_at or deal.agreed_at
    seller, buyer, ship_to, on_debits = await sides_of(deal)
    terms, exchange, day = await terms_of(deal), exchange_party(), local_day(at)
    invoice = Invoice(
        kind=Kind.INVOICE,
        number=f"PF-{deal.id.hex[:8].upper()}",
        language=language,
        day=day,
        supplied_on=day,
        paid_on=day,
        supplier=seller,
        customer=buyer,
        writer=exchange.name if exchange else "Confrère",
        lines=terms.lines,
        vat=deal.terms.vat,
        regime=Regime(deal.vat_regime),
        rate_bp=deal.vat_rate_bp,
        contract=terms.mark,
        ship_to=ship_to,
        on_debits=on_debits,
    )
    return of_invoice(invoice, at, pro_forma=True)


async def note_of(deal: Deal, language: str) -> Sheet:
    """The paper at the gate; the caller has loaded the deal by viewer."""
    seller, buyer, ship_to, _ = await sides_of(deal)
    terms = await terms_of(deal)
    handing = Handing(
        seller=seller,
        buyer=buyer,
        ship_to=ship_to if deal.carrier else None,
        title=deal.label,
        contract=terms.mark,
        lines=[(line.title, line.gtin, line.quantity) for line in terms.lines],
        carrier=deal.carrier,
        tracking=deal.tracking,
        language=language,
    )
    return of_note(handing, deal.paid_at or deal.agreed_at)


async def sides_of(deal: Deal) -> tuple[Party, Party, Address | None, bool]:
    """Seller and buyer, where the goods go, and whether the seller pays VAT on debits; as far as they have told."""
    seller_told, buyer_told = await invoicing_of(deal.seller_company_id), await invoicing_of(deal.buyer_company_id)
    seller, _ = await party_of(deal.seller_company_id, seller_told.address or await place_of(deal.seller_company_id))
    buyer, _ = await party_of(deal.buyer_company_id, buyer_told.address or await place_of(deal.buyer_company_id))
    return seller, buyer, buyer_told.delivery, seller_told.on_debits
