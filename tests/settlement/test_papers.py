"""Papers: what is owed, what stands on them, that they pass the official checks, and that their numbers have no gap."""

import io
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.actor import Role
from exchange.database import execute, fetch, fetchval
from exchange.errors import NotSeen
from exchange.money import Money
from exchange.settings import settings
from exchange.settlement.actions import deals, handover, recourse
from exchange.settlement.actions.invoicing import OtherVersion, accept_mandate, tell_invoicing
from exchange.settlement.actions.papers import write_papers, write_waiting
from exchange.settlement.press import machine
from exchange.settlement.press.machine import Pressed, make
from exchange.settlement.press.sheets import of_invoice
from exchange.settlement.queries.deals import any_deal
from exchange.settlement.queries.papers import Paper, paper_file, papers_of
from exchange.settlement.rules.deal import Side, State
from exchange.settlement.rules.factur_x import fields
from exchange.settlement.rules.invoices import Address, Invoice, Kind, Line, Party, Reference, Unbalanced
from exchange.settlement.rules.mentions import CGI_UNTIL, Mention, NoMention, wording
from exchange.settlement.rules.papers import (
    EXCHANGE,
    MANDATE_VERSION,
    AddressMissing,
    Handover,
    Owed,
    Standing,
    commission_owed,
    goods_owed,
    number_of,
)
from exchange.settlement.rules.platform import Issued, Progress
from exchange.settlement.rules.vat import Regime, Trader, of_commission, of_goods
from tests.factories import make_person
from tests.settlement.conftest import Agreed, agree, onboarded, paid, work
from tests.settlement.fakes import FakeGateway

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
    "from Ireland to France": an_invoice(HARROW, VAUCLAIR),
    "from Britain to France": an_invoice(THORNBECK, VAUCLAIR),
}


@pytest.mark.parametrize("trade", TRADES)
def test_every_trade_kind_passes_xsd_en16931_and_the_french_reforms_rules(trade: str) -> None:
    from exchange.settlement.press import facturx

    invoice = TRADES[trade]
    xml = facturx.write_xml(fields(invoice))
    assert facturx.faults(xml, french=invoice.supplier.is_french) == []


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


# --- written


class QuickPress:
    """Words every paper, and finds the ``faults`` it is told; ``real``: makes and checks it as the machine does."""

    def __init__(self) -> None:
        self.real = False
        self.faults: tuple[str, ...] = ()
        self.made = 0

    async def invoice(self, invoice: Invoice, at: datetime) -> Pressed:
        self.made += 1
        words, sheet = fields(invoice), of_invoice(invoice, at)
        if self.real:
            return make(words, sheet, invoice.supplier.is_french, invoice.supplier.name)
        return Pressed(b"%PDF-1.7", b"<CrossIndustryInvoice/>", self.faults)


@pytest.fixture
async def press(committed: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[QuickPress]:
    """A press in this process, and an exchange that knows its own name."""
    for name, value in {
        "NAME": "Confrère SAS", "REGISTRATION": "732829320", "VAT": "FR44732829320", "STREET": "1 place du Marché",
        "POSTCODE": "75002", "CITY": "Paris",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"EXCHANGE_{name}", value)
    settings.cache_clear()
    found = QuickPress()
    machine.use(found)
    yield found
    machine.use(None)
    monkeypatch.undo()
    settings.cache_clear()


async def told(person: Any, *, mandate: bool = True, **more: Any) -> None:
    """The company of ``person`` has said where it is and, if it sells, given its mandate."""
    await tell_invoicing(street="12 rue des Lilas", postcode="35000", city="Rennes", by=person.actor, **more)
    if mandate:
        await accept_mandate(version=MANDATE_VERSION, language="fr", by=person.actor)


async def received(gateway: FakeGateway, *, vat: bool = True, **how: Any) -> Agreed:
    """A deal whose goods are received and whose seller is paid."""
    agreed = await agree(**how)
    if vat:
        await execute("update company set vat = 'FR61552100554' where id = $1", agreed.seller.actor.company_id)
    await execute("update negotiation set state = 'agreed' where id = $1", agreed.negotiation_id)  # its contract
    await onboarded(agreed, gateway)
    await paid(agreed, gateway)
    await deals.ship(deal_id=agreed.deal_id, carrier="Geodis", tracking="G1", by=agreed.seller.actor)
    await deals.receive(deal_id=agreed.deal_id, by=agreed.buyer.actor)
    await work()
    return agreed


async def seen(agreed: Agreed, side: Side) -> list[Paper]:
    return await papers_of(await any_deal(agreed.deal_id), side)


async def waits(agreed: Agreed) -> str | None:
    found: str | None = await fetchval("select waits_for from paper_due where deal_id = $1", agreed.deal_id)
    return found


async def test_papers_wait_for_addresses_and_the_mandate_and_are_then_written(
    gateway: FakeGateway, press: QuickPress
) -> None:
    press.real = True
    agreed = await received(gateway)
    assert await waits(agreed) == "seller" and press.made == 0
    with pytest.raises(AddressMissing):
        await accept_mandate(version=MANDATE_VERSION, language="fr", by=agreed.seller.actor)
    await told(agreed.seller, mandate=False)
    await work()
    assert [paper.kind for paper in await seen(agreed, Side.SELLER)] == [Kind.COMMISSION], (
        "the exchange's own needs none"
    )
    with pytest.raises(OtherVersion):
        await accept_mandate(version="1999-01", language="fr", by=agreed.seller.actor)
    await accept_mandate(version=MANDATE_VERSION, language="fr", by=agreed.seller.actor)
    await work()
    assert await waits(agreed) == "buyer"
    with pytest.raises(AddressMissing):
        await tell_invoicing(street="1 quai Ouest", postcode="", city="Nantes", by=agreed.buyer.actor)
    await told(agreed.buyer, mandate=False, delivery_street="Dock 3", delivery_postcode="44100", delivery_city="Nantes")
    await work()
    assert await waits(agreed) is None
    invoice, commission = sorted(await seen(agreed, Side.SELLER), key=lambda paper: paper.label)
    assert (invoice.kind, invoice.label, invoice.net, invoice.vat) == (
        Kind.INVOICE, "CF-000001", euros(10000), euros(2000),
    )  # fmt: skip
    assert (commission.kind, commission.label, commission.total) == (Kind.COMMISSION, "CX-000001", euros(600))
    assert await seen(agreed, Side.BUYER) == [invoice], "what the seller pays the exchange is not the buyer's"
    deal = await any_deal(agreed.deal_id)
    with pytest.raises(NotSeen):
        await paper_file(deal, Side.BUYER, commission.id)
    _, xml = await paper_file(deal, Side.BUYER, invoice.id, xml=True)
    assert b"Dock 3" in xml and b"3f2a" not in xml
    made = press.made
    await write_papers(agreed.deal_id)
    await write_waiting()
    await work()
    assert press.made == made, "asked again, nothing is written twice"


async def test_each_refund_has_its_credit_note_and_gives_commission_back(
    gateway: FakeGateway, press: QuickPress
) -> None:
    agreed = await received(gateway)
    for person in (agreed.seller, agreed.buyer):
        await told(person)
    await work()
    operator = await make_person(role=Role.OPERATOR)
    for refund in (2400, 1200):
        await recourse.refund_released(deal_id=agreed.deal_id, refund=euros(refund), by=operator.actor)
        await work()
    papers = await seen(agreed, Side.SELLER)
    by_kind = {kind: [paper.total.minor for paper in papers if paper.kind is kind] for kind in Kind}
    assert by_kind == {
        Kind.INVOICE: [12000], Kind.CREDIT_NOTE: [2400, 1200],
        Kind.COMMISSION: [600], Kind.COMMISSION_CREDIT: [120, 60],
    }  # fmt: skip
    numbers = await fetch("select issuer_id, array_agg(number order by number) as numbers from paper group by 1")
    assert all(row["numbers"] == [1, 2, 3] for row in numbers)
    assert {row["issuer_id"] for row in numbers} == {
        EXCHANGE,
        UUID(str(agreed.seller.company and agreed.seller.company.id)),
    }


async def test_a_deal_called_off_before_delivery_has_no_invoice(gateway: FakeGateway, press: QuickPress) -> None:
    agreed = await agree()
    for person in (agreed.seller, agreed.buyer):
        await told(person)
    await onboarded(agreed, gateway)
    await paid(agreed, gateway)
    await deals.cancel(deal_id=agreed.deal_id, by=agreed.seller.actor)
    await deals.cancel(deal_id=agreed.deal_id, by=agreed.buyer.actor)
    await work()
    assert await agreed.state() == "refunded"
    assert await seen(agreed, Side.SELLER) == [] and await waits(agreed) is None


async def test_what_does_not_pass_is_not_issued_and_the_operator_is_told_once(
    gateway: FakeGateway, press: QuickPress
) -> None:
    operator = await make_person(role=Role.OPERATOR)
    press.faults = ("[BR-CO-15] the total is not the total",)
    agreed = await received(gateway)
    for person in (agreed.seller, agreed.buyer):
        await told(person)
    await work()
    await write_waiting()
    await work()
    assert await fetchval("select count(*) from paper") == 0
    assert await waits(agreed) == "refused"
    assert "BR-CO-15" in await fetchval("select faults from paper_due")
    mails = await fetchval(
        "select count(*) from mail where person_id = $1 and template = 'settlement_alarm'", operator.id
    )
    assert mails == 1
    press.faults = ()
    await write_waiting()
    await work()
    assert sorted(paper.label for paper in await seen(agreed, Side.SELLER)) == ["CF-000001", "CX-000001"], "no gap"


async def test_two_writers_at_once_leave_no_gap_and_no_double(gateway: FakeGateway, press: QuickPress) -> None:
    import asyncio

    one = await received(gateway)
    other = await received(gateway)
    for agreed in (one, other):
        await execute("update paper_due set waits_for = 'writing'")
        for person in (agreed.seller, agreed.buyer):
            await told(person)
    await execute("delete from pgqueuer")
    await asyncio.gather(*(write_papers(agreed.deal_id) for agreed in (one, one, other, other)))
    assert await fetchval("select count(*) from paper") == 4
    assert await fetchval("select array_agg(number order by number) from paper where issuer_id = $1", EXCHANGE) == [
        1,
        2,
    ]


async def test_the_database_refuses_a_gap_a_change_and_a_deletion(gateway: FakeGateway, press: QuickPress) -> None:
    agreed = await received(gateway)
    for person in (agreed.seller, agreed.buyer):
        await told(person)
    await work()
    copied = (
        "insert into paper select gen_random_uuid(), deal_id, lot_id, kind, issuer_id, $1::int, label, corrects_id, "
        "issued_on, issued_at, language, currency, net_minor, vat_minor, pdf, xml from paper where kind = 'invoice'"
    )
    for number in (1, 3, 0, -1):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            await execute(copied, number)
    for change in (
        "update paper set net_minor = 1", "delete from paper", "truncate paper cascade", "delete from paper_series",
        "update invoice_mandate set version = 'x'", "delete from invoice_mandate",
    ):  # fmt: skip
        with pytest.raises(asyncpg.PostgresError):
            await execute(change)


async def test_a_connector_hears_of_each_paper_and_the_seller_may_say_it_was_sent(
    gateway: FakeGateway, press: QuickPress
) -> None:
    class Platform:
        def __init__(self) -> None:
            self.got: list[Issued] = []

        async def hand_over(self, paper: Issued, known: Progress) -> Progress:
            self.got.append(paper)
            return Progress(Handover.ACCEPTED, f"PA-{paper.number}")

    platform = Platform()
    handover.use(platform)
    try:
        agreed = await received(gateway)
        for person in (agreed.seller, agreed.buyer):
            await told(person)
        await work()
    finally:
        handover.use(handover.NoPlatform())
    assert sorted(paper.number for paper in platform.got) == ["CF-000001", "CX-000001"]
    assert {paper.issuer_registration for paper in platform.got} == {
        "732829320", agreed.seller.company and agreed.seller.company.registration,
    }  # fmt: skip
    assert all(paper.pdf.startswith(b"%PDF-1.7") and b"CrossIndustryInvoice" in paper.xml for paper in platform.got)
    assert {paper.handover for paper in await seen(agreed, Side.SELLER)} == {Handover.ACCEPTED}


def test_numbers_tell_whose_series_they_are() -> None:
    assert (number_of(EXCHANGE, 7), number_of(UUID(int=1), 123456)) == ("CX-000007", "CF-123456")
