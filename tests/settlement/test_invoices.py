"""Papers: what is owed, what stands on them, that they pass the official checks, and that their numbers have no gap."""

import io
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.money import Money
from exchange.settlement.press.machine import make
from exchange.settlement.press.sheets import of_invoice
from exchange.settlement.rules.deal import State
from exchange.settlement.rules.factur_x import fields
from exchange.settlement.rules.invoices import Address, Invoice, Kind, Line, OwnTax, Party, Reference, Unbalanced
from exchange.settlement.rules.mentions import CGI_UNTIL, Mention, NoMention, wording
from exchange.settlement.rules.papers import (
    Owed,
    Standing,
    commission_owed,
    goods_owed,
)
from exchange.settlement.rules.rates import (
    Conversion,
    NoRateSource,
    NotRates,
    Quote,
    also_in,
    conversion,
    own_currency,
    quoted_on,
    read_rates,
)
from exchange.settlement.rules.vat import Regime, Trader, of_commission, of_goods

pytestmark = pytest.mark.xdist_group("saxon")  # the official rules are compiled once

AT = datetime(2026, 11, 22, 10, tzinfo=UTC)
EXCHANGE_ITSELF = Party(
    "Confrère SAS", "732829320", "FR44732829320", Address("1 place du Marché", "75002", "Paris", "FR")
)
VAUCLAIR = Party(
    "Maison Vauclair SAS", "552100554", "FR61552100554", Address("12 rue des Lilas", "35000", "Rennes", "FR")
)
RUVELLE = Party(
    "Comptoir de Ruvelle SARL", "303265045", "FR40303265045", Address("3 quai Ouest", "44000", "Nantes", "FR")
)
SMALL = Party("Petite Épicerie", "303265045", None, Address("3 quai Ouest", "44000", "Nantes", "FR"))
HARROW = Party("Harrow & Finch Ltd", "123456", "IE6388047V", Address("1 Quay Street", "D02", "Dublin", "IE"))
KILMOYLE = Party("Kilmoyle Stores Ltd", "654321", "IE4749148U", Address("2 Quay Street", "D02", "Dublin", "IE"))
KOWAL = Party("Kowal sp. z o.o.", "0000123456", "PL5260250274", Address("ul. Nowa 1", "00-001", "Warszawa", "PL"))
THORNBECK = Party("Thornbeck & Sons Ltd", "12345678", "GB980780684", Address("1 High St", "SW1A 1AA", "London", "GB"))


def euros(minor: int) -> Money:
    return Money(minor, "EUR")


GOODS = [Line("Ponceuse “Ω” n° 2", 10, euros(1250), "3250390502104"), Line("Perceuse 😀\x07", 7, euros(999))]


def an_invoice(supplier: Party, customer: Party, kind: Kind = Kind.INVOICE, **told: Any) -> Invoice:
    """With the tax that the rules say its two sides carry."""
    sells = Trader(supplier.country, supplier.vat, franchise=supplier is SMALL)
    buys = Trader(customer.country, customer.vat)
    tax = of_commission("FR", buys, AT.date()) if kind.is_commission else of_goods(sells, buys, AT.date())
    lines = [Line("Commission", 1, euros(1000))] if kind.is_commission else GOODS
    net = Money(sum(line.amount.minor for line in lines), "EUR")
    words: dict[str, Any] = {
        "kind": kind, "number": "CF-000001", "language": "fr", "day": AT.date(), "supplied_on": date(2026, 11, 20),
        "paid_on": date(2026, 11, 15), "supplier": supplier, "customer": customer, "writer": "Confrère SAS",
        "lines": lines, "vat": net.share(tax.rate_bp), "regime": tax.regime, "rate_bp": tax.rate_bp,
        "contract": "3f2a 11b0 92cd 77e1",
        "corrects": Reference("CF-000001", date(2026, 11, 20)) if kind.credits else None,
    }  # fmt: skip
    return Invoice(**(words | told))


QUOTED = date(2026, 11, 20)
QUOTES = {
    currency: Quote(QUOTED, currency, Decimal(rate))
    for currency, rate in {"GBP": "0.87900", "PLN": "4.2315", "USD": "1.1625", "HUF": "381.58"}.items()
}


def in_currency(currency: str, invoice: Invoice) -> Invoice:
    """The same paper in another currency, its tax told in the supplier's own."""
    lines = [replace(line, unit_price=Money(line.unit_price.minor, currency)) for line in invoice.lines]
    vat, own_tax = Money(invoice.vat.minor, currency), None
    if vat and (target := also_in(invoice.supplier.country, currency)):
        by = conversion(QUOTED, currency, target, QUOTES)
        assert by is not None
        own_tax = OwnTax(by.of(vat), by)
    return replace(invoice, lines=lines, vat=vat, own_tax=own_tax)


TRADES = {
    "between French businesses": an_invoice(VAUCLAIR, RUVELLE),
    "delivered elsewhere, VAT on debits": an_invoice(
        VAUCLAIR, RUVELLE, ship_to=Address("Zone Nord", "44100", "Nantes", "FR"), on_debits=True
    ),
    "intra-EU": an_invoice(VAUCLAIR, HARROW, language="en"),
    "export": an_invoice(VAUCLAIR, THORNBECK, language="en"),
    "franchise, art. 293 B": an_invoice(SMALL, VAUCLAIR),
    "credit note": an_invoice(VAUCLAIR, RUVELLE, Kind.CREDIT_NOTE),
    "intra-EU credit note": an_invoice(VAUCLAIR, HARROW, Kind.CREDIT_NOTE),
    "commission in France": an_invoice(EXCHANGE_ITSELF, VAUCLAIR, Kind.COMMISSION),
    "commission, reverse charge": an_invoice(EXCHANGE_ITSELF, HARROW, Kind.COMMISSION, language="en"),
    "commission outside the Union": an_invoice(EXCHANGE_ITSELF, THORNBECK, Kind.COMMISSION, language="en"),
    "commission given back": an_invoice(EXCHANGE_ITSELF, VAUCLAIR, Kind.COMMISSION_CREDIT),
    "between Irish businesses": an_invoice(HARROW, KILMOYLE, language="en"),
    "between Polish businesses": in_currency("PLN", an_invoice(KOWAL, replace(KOWAL, name="Sklep"), language="en")),
    "from Ireland to France": an_invoice(HARROW, VAUCLAIR),
    "from Britain to France": an_invoice(THORNBECK, VAUCLAIR),
}
TRADES |= {
    f"{trade}, taxed, in {currency}": in_currency(currency, TRADES[trade])
    for trade, currency in (
        ("between French businesses", "GBP"),
        ("credit note", "USD"),
        ("commission in France", "PLN"),
        ("between Irish businesses", "GBP"),
        ("between Polish businesses", "EUR"),
        ("between Polish businesses", "GBP"),
    )
}
TRADES |= {
    f"{trade}, in {currency}": in_currency(currency, TRADES[trade])
    for trade, currency in {
        "export": "GBP",
        "commission, reverse charge": "PLN",
        "commission outside the Union": "KWD",
        "franchise, art. 293 B": "JPY",
        "from Britain to France": "GBP",
    }.items()
}


@pytest.mark.parametrize("trade", TRADES)
def test_every_trade_kind_passes_xsd_en16931_and_the_french_reforms_rules(trade: str) -> None:
    from exchange.settlement.press import facturx

    invoice = TRADES[trade]
    xml = facturx.write_xml(fields(invoice))
    assert facturx.faults(xml, french=invoice.supplier.is_french) == []


def test_tax_in_a_foreign_currency_is_told_in_the_suppliers_own_at_a_named_rate() -> None:
    """Directive 2006/112/EC art. 230 and 91; EN 16931 BT-6 and BT-111."""
    from exchange.settlement.press import facturx

    for trade, currency, own, told in (
        ("between French businesses", "GBP", "44.36 EUR", "taux de référence publié par la Banque centrale européenne"),
        ("between Polish businesses", "EUR", "189.70 PLN", "1 EUR = 4.2315 PLN"),
        ("between Polish businesses", "GBP", "215.81 PLN", "1 EUR = 0.87900 GBP = 4.2315 PLN"),
    ):
        invoice = TRADES[f"{trade}, taxed, in {currency}"]
        assert invoice.own_tax is not None and str(invoice.own_tax.vat) == own
        xml = facturx.write_xml(fields(invoice)).decode()
        amount, _, target = own.partition(" ")
        assert f"<ram:TaxCurrencyCode>{target}</ram:TaxCurrencyCode>" in xml
        assert re.findall(r'TaxTotalAmount currencyID="(\w+)">([\d.]+)<', xml) == [
            (currency, str(invoice.vat.decimal)),
            (target, amount),
        ]
        assert told in xml
        sheet = of_invoice(invoice, AT)
        assert any(told in note for note in sheet.notes)
        ((label, value, _),) = [line for line in sheet.totals if line[0] in {f"VAT in {target}", f"TVA en {target}"}]
        assert amount.replace(".", "") in re.sub(r"\D", "", value) and label


def test_tax_in_a_foreign_currency_without_its_amount_in_ones_own_is_not_made() -> None:
    bare = replace(TRADES["between French businesses, taxed, in GBP"], own_tax=None)
    with pytest.raises(Unbalanced):
        fields(bare)
    tax = replace(TRADES["between French businesses, taxed, in GBP"]).own_tax
    with pytest.raises(Unbalanced):
        replace(TRADES["between French businesses"], own_tax=tax)
    british = an_invoice(THORNBECK, replace(THORNBECK, name="Fennimore Ltd"), language="en")
    with pytest.raises(NoRateSource):
        fields(british)


# --- rates

TWO_DAYS = b"""<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"
 xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
<gesmes:subject>Reference rates</gesmes:subject><gesmes:Sender><gesmes:name>European Central Bank</gesmes:name>
</gesmes:Sender><Cube><Cube time="2026-11-20"><Cube currency="USD" rate="1.1625"/><Cube currency="GBP" rate="0.87900"/>
</Cube><Cube time="2026-11-19"><Cube currency="USD" rate="1.1600"/></Cube></Cube></gesmes:Envelope>"""


def test_the_central_banks_file_is_read_with_all_its_decimals() -> None:
    quotes = read_rates(TWO_DAYS)
    assert [(q.day.day, q.currency, str(q.per_euro)) for q in quotes] == [
        (20, "USD", "1.1625"), (20, "GBP", "0.87900"), (19, "USD", "1.1600"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "file",
    [
        b"", b"Date, USD\n20 November 2026, 1.16", b"<Cube/>", TWO_DAYS.replace(b"1.1625", b"-1"),
        TWO_DAYS.replace(b"1.1625", b"NaN"), TWO_DAYS.replace(b"2026-11-20", b"tomorrow"),
        b'<!DOCTYPE x [<!ENTITY a "1.2">]>' + TWO_DAYS[39:].replace(b'"1.1625"', b'"&a;"').replace(b'rate="', b'r="'),
    ],
)  # fmt: skip
def test_another_file_is_refused_whole(file: bytes) -> None:
    with pytest.raises(NotRates):
        read_rates(file)


def test_the_latest_rates_of_a_day_are_those_of_the_last_day_target_was_open() -> None:
    for day, quoted in (
        ("2026-11-20", "2026-11-20"), ("2026-11-22", "2026-11-20"), ("2026-12-25", "2026-12-24"),
        ("2026-12-27", "2026-12-24"), ("2026-04-06", "2026-04-02"), ("2026-05-01", "2026-04-30"),
        ("2027-01-01", "2026-12-31"), ("2026-07-14", "2026-07-14"),
    ):  # fmt: skip
        assert quoted_on(date.fromisoformat(day)) == date.fromisoformat(quoted)


@given(st.lists(st.integers(1, 10**7), min_size=1, max_size=6))
def test_credit_notes_take_back_the_tax_to_the_cent_in_both_currencies(parts: list[int]) -> None:
    by = conversion(QUOTED, "GBP", "PLN", QUOTES)
    assert by is not None
    before, back = Money(0, "GBP"), 0
    for part in parts:
        told = by.of_next(before, Money(part, "GBP"))
        assert told.minor >= 0
        before, back = before + Money(part, "GBP"), back + told.minor
    assert back == by.of(before).minor


def test_no_rate_is_guessed() -> None:
    assert conversion(QUOTED, "GBP", "EUR", {}) is None
    assert conversion(QUOTED, "GBP", "PLN", {"GBP": QUOTES["GBP"]}) is None
    half = Conversion(QUOTED, "EUR", "PLN", (Quote(QUOTED, "PLN", Decimal("4.5")),))
    assert half.of(euros(1)) == Money(5, "PLN"), "a half is rounded up"
    assert own_currency("BG") == own_currency("MC") == "EUR" and own_currency("IM") == "GBP"


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        ({"BT-112": "1.00"}, "BR-CO-15"),
        ({"BT-23": "B7X"}, "BR-FR-08"),
        ({"BT-3": "999"}, "en16931"),
        ({"BG-1": []}, "BR-FR-05"),
        ({"BT-2": "2026-13-01"}, None),
    ],
)
def test_the_checks_find_what_is_wrong(broken: dict[str, Any], rule: str | None) -> None:
    from exchange.settlement.press import facturx

    words = fields(TRADES["between French businesses"]) | broken
    if rule is None:
        with pytest.raises(ValueError, match="BT-2"):
            facturx.write_xml(words)
        return
    assert any(rule in told for told in facturx.faults(facturx.write_xml(words), french=True))


def test_a_paper_is_a_pdf_a_3_with_the_invoice_inside() -> None:
    """What can be told without a validator: Typst's own PDF/A-3b checks passed, and nothing of it was lost after."""
    from facturx import get_facturx_xml_from_pdf
    from pypdf import PdfReader

    invoice = TRADES["between French businesses"]
    pressed = make(fields(invoice), of_invoice(invoice, AT), True, invoice.supplier.name)
    name, inside = get_facturx_xml_from_pdf(io.BytesIO(pressed.pdf), check_xsd=True, check_schematron=False)
    assert (name, inside) == ("factur-x.xml", pressed.xml)
    read = PdfReader(io.BytesIO(pressed.pdf))
    catalog: Any = read.trailer["/Root"]
    xmp = catalog["/Metadata"].get_object().get_data().decode()
    for told in (
        "<pdfaid:part>3</pdfaid:part>", "<pdfaid:conformance>B</pdfaid:conformance>",
        "<fx:ConformanceLevel>EN 16931</fx:ConformanceLevel>",
        "<fx:DocumentFileName>factur-x.xml</fx:DocumentFileName>",
    ):  # fmt: skip
        assert told in xmp
    intent = catalog["/OutputIntents"][0].get_object()
    assert intent["/S"] == "/GTS_PDFA1" and len(intent["/DestOutputProfile"].get_object().get_data()) > 200
    assert catalog["/AF"].get_object()[0].get_object()["/AFRelationship"] == "/Alternative"
    assert catalog["/Lang"] == "fr" and catalog["/MarkInfo"]["/Marked"] and not read.is_encrypted
    fonts = [font.get_object() for page in read.pages for font in page["/Resources"]["/Font"].values()]  # type: ignore[index]  # pypdf's loose types
    assert fonts
    for font in fonts:
        (descendant,) = font["/DescendantFonts"]
        assert {"/FontFile2", "/FontFile3"} & set(descendant.get_object()["/FontDescriptor"].get_object())
    text = read.pages[0].extract_text()
    for said in (
        "Facture",
        "CF-000001",
        "SIREN 303265045",
        "233,92\u00a0€",
        "au nom et pour le compte",
        "livraison de biens",
    ):
        assert said in text, text


def test_both_languages_say_the_same_and_a_sign_no_font_has_stops_nothing() -> None:
    from pypdf import PdfReader

    from exchange.settlement.press.setting import set_sheet

    for language, heading, exempt in (
        ("fr", "Avoir", "article 262 ter I du CGI"),
        ("en", "Credit note", "article 262 ter I of the French tax code"),
    ):
        invoice = replace(TRADES["intra-EU credit note"], language=language)
        pdf = set_sheet(of_invoice(invoice, AT))
        assert pdf == set_sheet(of_invoice(invoice, AT)), "the same sheet, the same bytes"
        text = PdfReader(io.BytesIO(pdf)).pages[0].extract_text()
        for said in (heading, "CF-000001", exempt, "Perceuse ?"):
            assert said in text, text


# --- mentions


def test_a_wording_is_the_one_in_force() -> None:
    assert "262 ter I du CGI" in wording(Mention.INTRA_EU, "fr", "FR", date(2026, 11, 22))
    assert "262 ter I du CGI" in wording(Mention.INTRA_EU, "fr", "FR", CGI_UNTIL)
    later = wording(Mention.INTRA_EU, "fr", "FR", date(2028, 1, 1))
    assert "CGI" not in later and "directive 2006/112/CE" in later
    assert "CGI" not in wording(Mention.INTRA_EU, "fr", "IE", date(2026, 11, 22)), "another country's law"
    assert wording(Mention.FRANCHISE, "fr", "FR", date(2026, 1, 1)) == "TVA non applicable, article 293 B du CGI."
    with pytest.raises(NoMention):
        wording(Mention.RECOVERY, "fr", "FR", date(2012, 12, 31))
    with pytest.raises(NoMention):
        wording(Mention.RECOVERY, "fr", "IE", date(2026, 1, 1))


def test_every_mention_speaks_both_languages_on_every_day_of_the_next_years() -> None:
    for mention in Mention:
        for day in (date(2026, 9, 1), CGI_UNTIL, date(2028, 1, 1), date(2036, 1, 1)):
            assert {bool(wording(mention, language, "FR", day)) for language in ("fr", "en")} == {True}


def test_a_small_seller_charges_no_vat_at_home_or_abroad() -> None:
    small = Trader("FR", None, franchise=True)
    for buyer in (Trader("FR", "FR61552100554"), Trader("IE", "IE6388047V"), Trader("GB", None)):
        assert of_goods(small, buyer, AT.date()).regime is Regime.FRANCHISE


def test_a_paper_that_does_not_add_up_is_none() -> None:
    whole = TRADES["between French businesses"]
    wrongs: tuple[dict[str, Any], ...] = (
        {"lines": []}, {"rate_bp": 0}, {"corrects": Reference("CF-1", AT.date())}, {"kind": Kind.CREDIT_NOTE},
    )  # fmt: skip
    for wrong in wrongs:
        with pytest.raises(Unbalanced):
            replace(whole, **wrong)


# --- what is owed


def standing(state: State = State.SETTLED, **told: int) -> Standing:
    amounts = {
        "total": 12000, "net": 10000, "refund": 0, "invoiced": 0, "credited": 0, "commission": 0, "commission_vat": 0,
        "commission_invoiced": 0, "commission_vat_invoiced": 0,
    } | told  # fmt: skip
    return Standing(state=state, **{name: euros(minor) for name, minor in amounts.items()})


def test_what_is_owed_follows_from_what_was_decided() -> None:
    assert goods_owed(standing(State.DELIVERED)) is None, "nothing before receipt"
    assert goods_owed(standing(State.UNPAID)) is None
    assert goods_owed(standing(State.REFUNDED, refund=12000)) is None, "paid back whole before any invoice: no sale"
    assert goods_owed(standing(State.CLOSING)) == Owed(Kind.INVOICE, euros(10000), euros(2000))
    assert goods_owed(standing(invoiced=12000)) is None
    assert goods_owed(standing(invoiced=12000, refund=1200)) == Owed(Kind.CREDIT_NOTE, euros(1000), euros(200))
    assert goods_owed(standing(invoiced=12000, refund=1200, credited=1200)) is None
    assert commission_owed(standing(commission=500, commission_vat=100)) == Owed(
        Kind.COMMISSION, euros(500), euros(100)
    )
    given_back = standing(commission=450, commission_vat=90, commission_invoiced=500, commission_vat_invoiced=100)
    assert commission_owed(given_back) == Owed(Kind.COMMISSION_CREDIT, euros(50), euros(10))


@given(
    unit=st.integers(1, 10**6), quantity=st.integers(1, 500), rate=st.sampled_from([0, 550, 2000, 2550]),
    cuts=st.lists(st.integers(1, 10**7), max_size=5), whole=st.booleans(),
)  # fmt: skip
def test_any_chain_of_credit_notes_ends_at_what_went_back(
    unit: int, quantity: int, rate: int, cuts: list[int], whole: bool
) -> None:
    net = unit * quantity
    total = net + euros(net).share(rate).minor
    at = standing(net=net, total=total, invoiced=total)
    credited_net = 0
    for cut in [*cuts, *([total] if whole else [])]:
        at = replace(at, refund=euros(min(total, at.refund.minor + cut)))
        while (owed := goods_owed(at)) is not None:
            assert owed.net.minor > 0 and owed.vat.minor >= 0
            credited_net += owed.net.minor
            at = replace(at, credited=at.credited + owed.net + owed.vat)
    assert 0 <= at.refund.minor - at.credited.minor <= 1, "at most a cent whose price before tax is nothing waits"
    assert credited_net <= net
    if at.credited.minor == total:
        assert credited_net == net
