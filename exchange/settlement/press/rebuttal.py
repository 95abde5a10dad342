"""What answers a disputed payment, put together from what the deal knows, in the buyer's language: that of its bank."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from exchange.errors import NotSeen
from exchange.offers.queries.agreed import Letter, any_contract, any_messages
from exchange.settlement.press.drawn import Drawn, drawable, note_of, pro_forma_of, sides_of
from exchange.settlement.press.setting import set_sheet
from exchange.settlement.press.sheets import Block, Column, Sheet, of_contract
from exchange.settlement.queries.deals import Deal, Happened, history_of
from exchange.settlement.queries.papers import paper_file, papers_of, terms_of
from exchange.settlement.queries.rebuttals import contested
from exchange.settlement.rules.deal import Side
from exchange.settlement.rules.invoices import Address, Kind, Line
from exchange.settlement.rules.rebuttals import PROVING, Exhibit, seal
from exchange.settlement.rules.timeline import HAPPENED
from exchange.web import formats
from exchange.web.translations import say


@dataclass(frozen=True, slots=True)
class Bundle:
    """All that can be handed in for a deal, before the papers are set."""

    deal: Deal
    texts: Mapping[str, str]
    written: str
    """What the operator may start from."""
    papers: Mapping[Exhibit, Sheet | UUID]
    """A sheet to be set, or an issued paper."""

    @property
    def mark(self) -> str:
        return seal((sorted(self.texts.items()), self.written, list(self.papers.items())))

    async def pressed(self, exhibit: Exhibit) -> bytes:
        """The paper as PDF. Raises KeyError for one that is not among them."""
        paper = self.papers[exhibit]
        if isinstance(paper, UUID):
            _, content = await paper_file(self.deal, Side.OPERATOR, paper)
            return content
        return await asyncio.to_thread(set_sheet, paper)


async def exhibit_of(deal: Deal, name: str) -> tuple[Exhibit, bytes]:
    """The paper so called that answers the deal's dispute, as PDF; the caller has loaded the deal for the operator.

    Raises NotSeen where there is no dispute or no such paper.
    """
    bundle = await bundle_of(deal) if await contested(deal) else None
    if bundle is None or name not in bundle.papers:
        raise NotSeen
    exhibit = Exhibit(name)
    return exhibit, await bundle.pressed(exhibit)


async def bundle_of(deal: Deal) -> Bundle:
    """What the deal knows; the caller has loaded it for the operator."""
    terms, contract = await terms_of(deal), await any_contract(deal.negotiation_id)
    history, letters = await history_of(deal), await any_messages(deal.negotiation_id)
    language, zone = terms.buyer_language, deal.buyer_zone
    papers: dict[Exhibit, Sheet | UUID] = {
        Exhibit.CONTRACT: of_contract(contract, contract.accepted.at, language=language, zone=zone)
    }
    issued = next((p.id for p in await papers_of(deal, Side.OPERATOR) if p.kind is Kind.INVOICE), None)
    drawn = drawable(deal, Side.OPERATOR)
    if issued is not None:
        papers[Exhibit.INVOICE] = issued
    elif Drawn.PRO_FORMA in drawn:
        papers[Exhibit.INVOICE] = await pro_forma_of(deal, language)
    if Drawn.NOTE in drawn:
        papers[Exhibit.NOTE] = await note_of(deal, language)
    told = [step for step in history if step.fact in PROVING]
    papers[Exhibit.RECORD] = _record(deal, told, letters, language, zone)
    _, buyer, ship_to, _ = await sides_of(deal)
    handed = next((step.at for step in told if step.fact == "deal.ship"), None)
    arrived = next(
        (step.at for step in told if step.fact in {"deal.arrive", "deal.prove", "deal.receive", "deal.claim"}), None
    )
    texts = {
        "customer_name": buyer.name,
        "billing_address": _address(buyer.address),
        "shipping_address": _address(ship_to or buyer.address) if deal.carrier else "",
        "product_description": f"{deal.label}: {_goods(terms.lines, language)}"[:20_000],
        "shipping_carrier": deal.carrier,
        "shipping_tracking_number": deal.tracking if deal.carrier else "",
        "shipping_date": formats.day(handed, language, zone) if handed else "",
        "service_date": formats.day(arrived, language, zone) if arrived else "",
    }
    steps = [f"{_when(step.at, language, zone)} · {say(language, HAPPENED[step.fact])}" for step in told]
    return Bundle(deal, {name: text for name, text in texts.items() if text}, "\n".join(steps), papers)


def _record(deal: Deal, told: list[Happened], letters: list[Letter], language: str, zone: str) -> Sheet:
    """What happened, step by step, and what the two sides wrote to each other after they agreed."""
    _, when = partial(say, language), partial(_when, language=language, zone=zone)
    heading = _("Record of the deal")
    names = {Side.SELLER: deal.seller_name, Side.BUYER: deal.buyer_name, Side.OPERATOR: _("The exchange"), None: ""}
    written = [f"{when(letter.at)} · {letter.company}: {letter.body}" for letter in letters]
    sections = [
        (_("Proof of delivery, by the seller"), [deal.proof] if deal.proof else []),
        (_("Reserves on the delivery note"), [deal.reserves] if deal.reserves else []),
        (_("What the two sides wrote to each other"), written),
    ]
    return Sheet(
        language=language,
        title=f"{heading} · {deal.label}",
        author="Confrère",
        heading=heading,
        at=told[-1].at if told else deal.agreed_at,
        lead=deal.label,
        columns=[Column(_("When")), Column(_("What"), wide=True), Column(_("Who"))],
        rows=[(when(step.at), _(HAPPENED[step.fact]), names[step.side]) for step in told],
        sections=[Block(title, lines) for title, lines in sections if lines],
        footer=f"{heading} · {deal.label}",
    )


def _when(at: datetime, language: str, zone: str) -> str:
    return formats.full(at, language, zone)


def _goods(lines: list[Line], language: str) -> str:
    return ", ".join(f"{formats.number(line.quantity, language)} × {line.title}" for line in lines)


def _address(address: Address) -> str:
    town = " ".join(filter(None, [address.postcode, address.city]))
    return ", ".join(filter(None, [address.street, town, address.country]))
