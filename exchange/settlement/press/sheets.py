"""The words and figures of each paper, in its reader's language: a sheet that ``setting`` sets, adding nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from babel import Locale

from exchange.errors import N_
from exchange.listings.rules.categories import BY_SLUG
from exchange.listings.rules.grades import Grade
from exchange.listings.rules.lots import INCOTERMS
from exchange.listings.rules.thresholds import CONDITION
from exchange.money import Money
from exchange.offers.queries.agreed import Contract
from exchange.offers.queries.agreed import Party as Signer
from exchange.settlement.rules.invoices import Address, Invoice, Kind, Line, Party
from exchange.settlement.rules.vat import Regime
from exchange.web import formats
from exchange.web.translations import say, translations

HEADINGS = {
    Kind.INVOICE: N_("Invoice"),
    Kind.CREDIT_NOTE: N_("Credit note"),
    Kind.COMMISSION: N_("Commission invoice"),
    Kind.COMMISSION_CREDIT: N_("Credit note on commission"),
}


@dataclass(frozen=True, slots=True)
class Block:
    """A heading and the lines under it: a party, a section, a place to sign (whose one line is a hint)."""

    heading: str
    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class Column:
    label: str
    number: bool = False
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything that stands on a paper, ready to be set."""

    language: str
    title: str
    """Of the file, with the number."""
    author: str
    heading: str
    at: datetime
    """The instant the file says it was made: the same sheet gives the same bytes."""
    lead: str = ""
    warning: str = ""
    facts: Sequence[tuple[str, str]] = ()
    parties: Sequence[Block] = ()
    columns: Sequence[Column] = ()
    rows: Sequence[Sequence[str]] = ()
    totals: Sequence[tuple[str, str, bool]] = ()
    """Label, value, and whether it is the sum of the others."""
    sections: Sequence[Block] = ()
    signatures: Sequence[Block] = ()
    notes: Sequence[str] = field(default=())
    footer: str = ""


def of_invoice(invoice: Invoice, at: datetime, *, pro_forma: bool = False) -> Sheet:
    """An invoice, a credit note, or the pro forma that precedes them."""
    language = invoice.language
    _, day, money = partial(say, language), partial(_day, language=language), partial(_money, language=language)
    credit = invoice.kind.credits
    heading = _("Pro forma") if pro_forma else _(HEADINGS[invoice.kind])
    facts = [(_("Number"), invoice.number), (_("Date"), day(invoice.day))]
    if invoice.corrects is not None:
        facts.append((_("Corrects invoice"), f"{invoice.corrects.number}, {day(invoice.corrects.day)}"))
    if not pro_forma:
        facts.append((_("Date of supply"), day(invoice.supplied_on)))
    facts.append((_("Contract"), invoice.contract))
    sides = (_("Supplier"), _("Customer")) if invoice.kind.is_commission else (_("Seller"), _("Buyer"))
    parties = [_party(sides[0], invoice.supplier, language), _party(sides[1], invoice.customer, language)]
    if invoice.ship_to is not None:
        parties.append(Block(_("Delivered to"), _address(invoice.ship_to, language)))
    paid = _("Refunded") if credit else _("Paid on %(day)s", day=day(invoice.paid_on))
    totals = [
        (_("Total before tax"), money(invoice.net), False),
        (_vat(invoice), money(invoice.vat), False),
        *_own_tax(invoice),
        (_("Total to your credit") if credit else _("Total, tax included"), money(invoice.total), True),
        (paid, money(invoice.total), False),
        (_("Still due"), money(invoice.total - invoice.total), False),
    ]
    return Sheet(
        language=language,
        title=f"{heading} {invoice.number}",
        author=invoice.supplier.name,
        heading=heading,
        at=at,
        warning=_("This is not an invoice. The invoice follows when the goods have been received.")
        if pro_forma
        else "",
        facts=facts,
        parties=parties,
        columns=_priced_columns(language),
        rows=[_row(line, language) for line in invoice.lines],
        totals=totals,
        notes=[text for code, text in invoice.mentions() if not (pro_forma and code == "REG")],
        footer=f"{heading} · {invoice.number} · {invoice.supplier.name}",
    )


def of_contract(contract: Contract, at: datetime, *, language: str, zone: str) -> Sheet:
    """What two companies agreed, as it was frozen."""
    _, lot, currency = partial(say, language), contract.lot, contract.unit_price.currency
    category = BY_SLUG.get(lot["category"])
    names = {"seller": contract.seller.legal_name, "buyer": contract.buyer.legal_name}
    conditions = [
        *([_("Only for authorised dealers of %(brand)s", brand=lot["authorised_brand"])]
          if lot["authorised_brand"] else []),
        *([_("The buyer removes the seller's price tags and shop name before resale.")] if lot["unmark"] else []),
        *([_("Sold without warranty against hidden defects.")] if lot["no_warranty"] else []),
    ]  # fmt: skip
    facts = [
        (_("Delivery term"), _(INCOTERMS[contract.incoterm])),
        (_("Category"), _(category.name) if category else lot["category"]),
        (_("Condition"), _grade(lot["grade"], language)),
    ]
    if lot["tolerance_bp"] is not None:
        facts.append((_("Tolerance for condition"), formats.percent(lot["tolerance_bp"] / 10000, language)))
    threshold = contract.threshold
    condition = threshold and _(
        CONDITION, units=formats.number(threshold.units, language), day=formats.full(threshold.by, language, zone)
    )
    signed = [
        _("%(person)s for %(company)s, %(when)s", person=by.person, company=names[by.side],
          when=formats.full(by.at, language, zone))
        for by in (contract.offered, contract.accepted)
    ]  # fmt: skip
    return Sheet(
        language=language,
        title=f"{_('Contract of sale')} · {lot['title']}",
        author="Confrère",
        heading=_("Contract of sale"),
        at=at,
        lead=lot["title"],
        facts=facts,
        parties=[_signer(_("Seller"), contract.seller, language), _signer(_("Buyer"), contract.buyer, language)],
        columns=[
            Column(_("Article"), wide=True),
            Column(_("Condition")),
            Column(_("Quantity"), number=True),
            Column(_("Unit price, before tax"), number=True),
        ],
        rows=[
            (
                _with_code(line["title"], line["gtin"]),
                line["grade"],
                formats.number(line["quantity"], language),
                _money(Money(line.get("unit_price_minor", contract.unit_price.minor), currency), language),
            )
            for line in contract.lines
        ],
        totals=[
            (_("Quantity"), formats.number(contract.quantity, language), False),
            (_("Price before tax"), _money(contract.total, language), True),
        ],
        sections=[
            *([Block(_("Said with the offer that was accepted"), [contract.message])] if contract.message else []),
            *([Block(_("Condition precedent"), [condition])] if condition else []),
            Block(_("Conditions of resale"), conditions or [_("None: the buyer resells as they please.")]),
            Block(_("Signatures"), [_("Offered: %(who)s", who=signed[0]), _("Accepted: %(who)s", who=signed[1])]),
        ],
        notes=[
            _("Terms of the exchange: version %(version)s.", version=contract.terms_version),
            _("The offer and its acceptance are the two signatures. Both sides read the same text: two papers with "
              "the same mark say the same."),
        ],
        footer=_("Mark of this contract: %(mark)s", mark=contract.mark),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Handing:
    """What the paper at the gate says: whose goods, which, how they leave."""

    seller: Party
    buyer: Party
    ship_to: Address | None
    title: str
    contract: str
    lines: Sequence[tuple[str, str | None, int]]
    """Article, code, units."""
    carrier: str
    """Empty where the buyer collects."""
    tracking: str
    language: str


def of_note(handing: Handing, at: datetime) -> Sheet:
    """The delivery or collection note: both sides sign it, and the buyer's reserves are written on it."""
    language = handing.language
    _ = partial(say, language)
    collected = not handing.carrier
    heading = _("Collection note") if collected else _("Delivery note")
    facts = [(_("Contract"), handing.contract)]
    if handing.tracking:
        facts.insert(0, (_("Number") if collected else _("Tracking number"), handing.tracking))
    if handing.carrier:
        facts.insert(0, (_("Carrier"), handing.carrier))
    parties = [_party(_("Seller"), handing.seller, language), _party(_("Buyer"), handing.buyer, language)]
    if handing.ship_to is not None:
        parties.append(Block(_("Delivered to"), _address(handing.ship_to, language)))
    units = sum(line[2] for line in handing.lines)
    sign = _("Name, date, signature")
    return Sheet(
        language=language,
        title=f"{heading} · {handing.title}",
        author=handing.seller.name,
        heading=heading,
        at=at,
        lead=handing.title,
        facts=facts,
        parties=parties,
        columns=[Column(_("Article"), wide=True), Column(_("Quantity"), number=True), Column(_("Received"))],
        rows=[
            (_with_code(title, gtin), formats.number(n, language), "\u2003" * 5) for title, gtin, n in handing.lines
        ],
        totals=[(_("Units in all"), formats.number(units, language), True)],
        signatures=[
            Block(_("For the seller"), [sign]),
            *([] if collected else [Block(_("For the carrier"), [sign])]),
            Block(_("For the buyer"), [sign]),
            Block(_("Reserves"), [_("What is missing or damaged, article by article")]),
        ],
        notes=[
            _("Write what is missing or damaged on this note before you sign, and take photographs."),
            *([] if collected else [_(
                "Against a carrier in France, reserves must be repeated by registered letter within three days, "
                "public holidays not counted (article L133-3 of the Code de commerce)."
            )]),
        ],
        footer=f"{heading} · {handing.title}",
    )  # fmt: skip


def _priced_columns(language: str) -> list[Column]:
    _ = partial(say, language)
    return [
        Column(_("Article"), wide=True),
        Column(_("Quantity"), number=True),
        Column(_("Unit price, before tax"), number=True),
        Column(_("Amount before tax"), number=True),
    ]


def _row(line: Line, language: str) -> tuple[str, ...]:
    return (
        _with_code(line.title, line.gtin),
        formats.number(line.quantity, language),
        _money(line.unit_price, language),
        _money(line.amount, language),
    )


def _with_code(title: str, gtin: str | None) -> str:
    return f"{title} ({gtin})" if gtin else title


def _vat(invoice: Invoice) -> str:
    _ = partial(say, invoice.language)
    if invoice.regime is Regime.DOMESTIC:
        return _("VAT %(rate)s", rate=formats.percent(invoice.rate_bp / 10000, invoice.language))
    return _("VAT")


def _own_tax(invoice: Invoice) -> Iterable[tuple[str, str, bool]]:
    """The tax in the supplier's own currency, under the tax it is another figure for."""
    if invoice.own_tax is not None:
        amount = invoice.own_tax.vat
        label = say(invoice.language, "VAT in %(currency)s", currency=amount.currency)
        yield label, _money(amount, invoice.language), False


def _party(heading: str, party: Party, language: str) -> Block:
    return Block(
        heading,
        [
            party.name,
            *_address(party.address, language),
            *_numbers(party.country, party.registration, party.vat, language),
        ],
    )


def _signer(heading: str, party: Signer, language: str) -> Block:
    return Block(
        heading,
        [
            party.legal_name,
            *([party.trading_name] if party.trading_name != party.legal_name else []),
            *_numbers(party.country, party.registration, party.vat, language),
            ", ".join(filter(None, [party.region, _country(party.country, language)])),
        ],
    )


def _numbers(country: str, registration: str, vat: str | None, language: str) -> Iterable[str]:
    yield f"{'SIREN' if country == 'FR' else say(language, 'Register')} {registration}"
    if vat:
        yield f"{say(language, 'VAT number')} {vat}"


def _address(address: Address, language: str) -> list[str]:
    town = " ".join(filter(None, [address.postcode, address.city]))
    return [part for part in (address.street, town, _country(address.country, language)) if part]


def _country(code: str, language: str) -> str:
    return str(Locale.parse(language).territories.get(code, code))


def _grade(letter: str, language: str) -> str:
    return f"{letter} · {translations(language).gettext(Grade(letter).label)}"


def _day(day: object, language: str) -> str:
    return formats.day(day, language, "Europe/Paris")  # type: ignore[arg-type]  # a date: the zone plays no part


def _money(amount: Money, language: str) -> str:
    return formats.money(amount, language)
