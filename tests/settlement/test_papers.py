"""Papers: written when all is known, once, under numbers without a gap, and shown to whom they concern."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime, timedelta
from decimal import Context
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from exchange import clock
from exchange.actor import Role
from exchange.clock import now
from exchange.database import execute, fetch, fetchval
from exchange.errors import NotSeen
from exchange.money import Money
from exchange.settings import settings
from exchange.settlement.actions import deals, handover, recourse
from exchange.settlement.actions.invoicing import OtherVersion, accept_mandate, tell_invoicing
from exchange.settlement.actions.papers import write_papers, write_waiting
from exchange.settlement.actions.rates import fetch_rates, load_rates
from exchange.settlement.press import machine
from exchange.settlement.press.machine import Pressed, make
from exchange.settlement.press.sheets import of_invoice
from exchange.settlement.queries.deals import any_deal
from exchange.settlement.queries.papers import Paper, local_day, paper_file, papers_of
from exchange.settlement.queries.rates import rates_until
from exchange.settlement.rules.deal import Side
from exchange.settlement.rules.factur_x import fields
from exchange.settlement.rules.invoices import Invoice, Kind
from exchange.settlement.rules.papers import EXCHANGE, MANDATE_VERSION, AddressMissing, Handover, number_of
from exchange.settlement.rules.platform import ALARM_AFTER, Issued, Progress, next_call
from exchange.settlement.rules.rates import NotRates, RateChanged, quoted_on
from tests.factories import MadePerson, bearer, make_person, sign_in
from tests.settlement.conftest import Agreed, agree, onboarded, paid, work
from tests.settlement.fakes import FakeGateway

pytestmark = pytest.mark.xdist_group("saxon")  # the official rules are compiled once


def euros(minor: int) -> Money:
    return Money(minor, "EUR")


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
async def press(committed: None, named_exchange: None) -> AsyncIterator[QuickPress]:
    """A press in this process, and an exchange that knows its own name."""
    found = QuickPress()
    machine.use(found)
    yield found
    machine.use(None)


async def told(person: MadePerson, *, mandate: bool = True, **more: Any) -> None:
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


def rates(**per_euro: str) -> bytes:
    """A file of the central bank's, of the last day on which it gave rates."""
    cubes = "".join(f'<Cube currency="{currency}" rate="{rate}"/>' for currency, rate in per_euro.items())
    return f'<Envelope><Cube><Cube time="{quoted_on(local_day(now()))}">{cubes}</Cube></Cube></Envelope>'.encode()


async def test_french_tax_on_a_sale_in_pounds_waits_for_the_rate_and_comes_back_at_it(
    gateway: FakeGateway, press: QuickPress
) -> None:
    agreed = await received(gateway, currency="GBP")
    for person in (agreed.seller, agreed.buyer):
        await told(person)
    await work()
    assert await waits(agreed) == "rate" and await fetchval("select count(*) from paper") == 0
    assert await load_rates(rates(USD="1.1625")) == 1
    await work()
    assert await waits(agreed) == "rate", "no rate of the currency, no paper"
    assert await load_rates(rates(USD="1.1625", GBP="0.87900")) == 1
    await work()
    assert await waits(agreed) is None
    invoice, commission = await seen(agreed, Side.SELLER)
    assert (invoice.vat, invoice.own_vat) == (Money(2000, "GBP"), euros(2275)), "20.00 / 0.879 = 22.753"
    assert (commission.vat, commission.own_vat) == (Money(100, "GBP"), euros(114))
    operator = await make_person(role=Role.OPERATOR)
    for refund in (3000, 3000, 6000):
        await recourse.refund_released(deal_id=agreed.deal_id, refund=Money(refund, "GBP"), by=operator.actor)
        await work()
    papers = await seen(agreed, Side.SELLER)
    assert {paper.rate_day for paper in papers} == {quoted_on(local_day(now()))}
    for kind, whole in ((Kind.CREDIT_NOTE, invoice), (Kind.COMMISSION_CREDIT, commission)):
        back = [paper.own_vat for paper in papers if paper.kind is kind and paper.own_vat]
        assert len(back) == 3 and sum(part.minor for part in back) == (whole.own_vat and whole.own_vat.minor)
    for bad, refusal in ((rates(GBP="0.88"), RateChanged), (b"x", NotRates)):
        with pytest.raises(refusal):
            await load_rates(bad)
    for change in ("update reference_rate set per_euro = 1", "delete from reference_rate"):
        with pytest.raises(asyncpg.PostgresError):
            await execute(change)


async def test_the_source_of_rates_is_asked_until_todays_are_there(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    answers, asked = [b"busy", rates(USD="1.1625")], 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        await reader.readuntil(b"\r\n\r\n")
        body, asked = answers[asked], asked + 1
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        writer.close()

    await fetch_rates()  # no source, nothing is asked
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as source:
        monkeypatch.setenv("RATES_URL", f"http://127.0.0.1:{source.sockets[0].getsockname()[1]}/daily.xml")
        settings.cache_clear()
        try:
            with pytest.raises(NotRates):
                await fetch_rates()
            await fetch_rates()
            await fetch_rates()  # today's are there: not asked again
        finally:
            monkeypatch.undo()
            settings.cache_clear()
    assert asked == 2 and await rates_until() == quoted_on(local_day(now()))


async def test_the_operator_is_called_once_for_a_rate_that_is_late(gateway: FakeGateway, press: QuickPress) -> None:
    operator = await make_person(role=Role.OPERATOR)
    agreed = await received(gateway, currency="GBP")
    await told(agreed.seller)
    await told(agreed.buyer)
    with clock.frozen(now() + timedelta(days=1)):  # past the day, even where that is today
        for _ in range(2):
            await write_waiting()
            await work()
    sql = "select count(*) from mail where person_id = $1 and template = 'settlement_alarm'"
    assert await fetchval(sql, operator.id) == 1


async def test_two_writers_at_once_leave_no_gap_and_no_double(gateway: FakeGateway, press: QuickPress) -> None:
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


class Platform:
    """A connector that answers what it is told to, in turn; the last answer for ever."""

    def __init__(self, *answers: Progress | Exception) -> None:
        self.answers = list(answers)
        self.got: list[tuple[str, Progress]] = []
        self.papers: list[Issued] = []

    async def hand_over(self, paper: Issued, known: Progress) -> Progress:
        self.papers.append(paper)
        self.got.append((paper.number, known))
        told = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(told, Exception):
            raise told
        return told


@pytest.fixture
def connected() -> Iterator[Callable[..., Platform]]:
    """Put a connector in place."""

    def connect(*answers: Progress | Exception) -> Platform:
        platform = Platform(*answers)
        handover.use(platform)
        return platform

    yield connect
    handover.use(None)


async def papered(gateway: FakeGateway) -> Agreed:
    """A received deal with its two papers written, and handed over once if there is a connector."""
    agreed = await received(gateway)
    for person in (agreed.seller, agreed.buyer):
        await told(person)
    await work()
    return agreed


async def test_a_connector_hears_of_each_paper(
    gateway: FakeGateway, press: QuickPress, connected: Callable[..., Platform]
) -> None:
    platform = connected(Progress(Handover.ACCEPTED, "PA-1"))
    agreed = await papered(gateway)
    assert sorted(paper.number for paper in platform.papers) == ["CF-000001", "CX-000001"]
    assert {paper.issuer_registration for paper in platform.papers} == {
        "732829320", agreed.seller.company and agreed.seller.company.registration,
    }  # fmt: skip
    assert all(p.pdf.startswith(b"%PDF-1.7") and b"CrossIndustryInvoice" in p.xml for p in platform.papers)
    assert {paper.handover for paper in await seen(agreed, Side.SELLER)} == {Handover.ACCEPTED}
    await handover.hand_over_due()
    assert len(platform.got) == 2, "what is there is not asked about again"


async def test_a_platform_that_is_away_is_asked_again_ever_later_until_it_has_the_paper(
    client: httpx.AsyncClient, gateway: FakeGateway, press: QuickPress, connected: Callable[..., Platform]
) -> None:
    operator = await make_person(role=Role.OPERATOR)
    agreed = await papered(gateway)  # from before there was a connector
    await execute("delete from paper_handover where paper_id in (select id from paper where kind = 'commission')")
    paper_id = await fetchval("select id from paper where kind = 'invoice'")
    platform = connected(ConnectionError("token=s3cret"))
    began = now()
    for minutes, calls in ((0, 1), (0.9, 1), (1.1, 2), (2.9, 2), (3.2, 3)):
        with clock.frozen(began + timedelta(minutes=minutes)):
            await handover.hand_over(paper_id)
        assert len(platform.got) == calls, minutes
    await sign_in(client, agreed.seller)
    page = (await client.get(f"/deals/{agreed.deal_id}")).text
    assert "could not be reached" in page and "s3cret" not in page
    mine = (await client.get(f"/api/v1/deals/{agreed.deal_id}/papers", headers=await bearer(agreed.seller))).json()
    assert "s3cret" not in str(mine)
    await sign_in(client, operator)
    assert "s3cret" in (await client.get(f"/deals/{agreed.deal_id}")).text
    alarms = "select count(*) from mail where person_id = $1 and template = 'settlement_alarm'"
    for day in range(1, ALARM_AFTER - 2):
        assert await fetchval(alarms, operator.id) == 0
        with clock.frozen(began + timedelta(days=day)):
            await handover.hand_over(paper_id)
    assert await fetchval(alarms, operator.id) == 1
    deposited = Progress(Handover.HANDED_OVER, "PA-7")
    platform.answers = [deposited, Progress(Handover.ACCEPTED, "PA-7")]
    for day in (20, 21, 22):
        with clock.frozen(began + timedelta(days=day)):
            await handover.hand_over(paper_id)
    assert [known for _, known in platform.got[-2:]] == [Progress(Handover.TO_HAND_OVER), deposited]
    (invoice,) = await seen(agreed, Side.BUYER)
    assert (invoice.handover, invoice.handover_why, invoice.handover_next) == (Handover.ACCEPTED, "", None)


async def test_a_rejected_paper_says_why_and_one_sent_by_hand_is_left_alone(
    client: httpx.AsyncClient, gateway: FakeGateway, press: QuickPress, connected: Callable[..., Platform]
) -> None:
    operator = await make_person(role=Role.OPERATOR)
    agreed = await papered(gateway)
    invoice, commission = sorted(await seen(agreed, Side.SELLER), key=lambda paper: paper.label)
    await handover.mark_handed_over(deal_id=agreed.deal_id, paper_id=invoice.id, by=agreed.seller.actor)
    platform = connected(Progress(Handover.REJECTED, "PA-9", "The buyer is not in the directory."))
    await handover.hand_over_due()
    await handover.hand_over_due()
    assert [number for number, _ in platform.got] == [commission.label]
    await sign_in(client, operator)
    page = (await client.get(f"/deals/{agreed.deal_id}")).text
    assert "rejected by the approved platform" in page and "not in the directory" in page
    assert "sent through the approved platform" in page
    alarms = "select count(*) from mail where person_id = $1 and template = 'settlement_alarm'"
    assert await fetchval(alarms, operator.id) == 1


def test_a_platform_is_called_again_after_a_minute_then_ever_later_up_to_six_hours() -> None:
    assert [next_call(n) for n in (1, 2, 3)] == [timedelta(minutes=n) for n in (1, 2, 4)]
    assert next_call(9) == timedelta(minutes=256) and next_call(10) == next_call(10**6) == timedelta(hours=6)


async def test_the_connector_of_the_settings_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLATFORM_CONNECTOR", "decimal:Context")  # any class will do: it is not called
    settings.cache_clear()
    handover._configured.cache_clear()
    try:
        made: object = handover.platform()
        again: object = handover.platform()
        assert isinstance(made, Context) and again is made
    finally:
        monkeypatch.undo()
        settings.cache_clear()
        handover._configured.cache_clear()
    assert handover.platform() is None


def test_numbers_tell_whose_series_they_are() -> None:
    assert (number_of(EXCHANGE, 7), number_of(UUID(int=1), 123456)) == ("CX-000007", "CF-123456")


# --- doors


async def test_each_side_reads_its_own_papers_in_the_page_and_the_api(
    client: httpx.AsyncClient, gateway: FakeGateway, press: QuickPress
) -> None:
    agreed = await received(gateway)
    at, api = f"/deals/{agreed.deal_id}", f"/api/v1/deals/{agreed.deal_id}/papers"
    await sign_in(client, agreed.seller)
    assert "The invoices wait for you" in (await client.get(at)).text
    form = {"street": "12 rue des Lilas", "postcode": "", "city": "Rennes"}
    refused = await client.post("/money/invoicing", data=form)
    assert refused.status_code == 422 and 'value="12 rue des Lilas"' in refused.text, "what was typed is kept"
    assert (await client.post("/money/invoicing", data=form | {"postcode": "35000"})).status_code == 303
    assert "I give this mandate" in (await client.get("/money/invoicing")).text
    assert (await client.post("/money/mandate", data={"version": "1999-01"})).status_code == 409
    assert (await client.post("/money/mandate", data={"version": MANDATE_VERSION})).status_code == 303
    assert "version 2026-09" in (await client.get("/money/invoicing")).text
    await told(agreed.buyer, mandate=False)
    await work()
    page = (await client.get(at)).text
    for name in ("Contract of sale", "Pro forma", "Delivery note", "Invoice CF-000001", "Commission invoice CX-000001"):
        assert name in page
    mine = (await client.get(api, headers=await bearer(agreed.seller))).json()
    assert [paper["number"] for paper in mine] == [None, None, None, "CF-000001", "CX-000001"]
    invoice, commission = mine[3], mine[4]
    assert invoice["total"] == {"minor": 12000, "currency": "EUR"} and invoice["handover"] == "to_hand_over"
    handing = invoice["href"].replace("/api/v1", "") + "/handover"
    assert (await client.post(handing)).status_code == 303
    assert (await client.get(api, headers=await bearer(agreed.seller))).json()[3]["handover"] == "handed_over"
    assert (await client.post(commission["href"].replace("/api/v1", "") + "/handover")).status_code == 403

    theirs = await bearer(agreed.buyer)
    assert [paper["number"] for paper in (await client.get(api, headers=theirs)).json()] == [None] * 3 + ["CF-000001"]
    await sign_in(client, agreed.buyer)
    page = (await client.get(at)).text
    assert "CF-000001" in page and "CX-000001" not in page and "Commission invoice" not in page
    for href, status in ((invoice["href"], 200), (invoice["xml_href"], 200), (commission["href"], 404)):
        assert (await client.get(href, headers=theirs)).status_code == status
        assert (await client.get(href.replace("/api/v1", ""))).status_code == status
    for name in ("contract", "pro-forma", "note"):
        file = await client.get(f"{at}/papers/{name}")
        assert file.headers["content-type"] == "application/pdf" and file.content.startswith(b"%PDF-1.7"), name
    assert (await client.get(f"{at}/papers/elsewhere")).status_code == 404
    assert (await client.post(handing)).status_code == 403

    rival = await make_person(role=Role.OWNER)
    await sign_in(client, rival)
    for path in (invoice["href"].replace("/api/v1", ""), f"{at}/papers/contract", f"{at}/papers/note"):
        assert (await client.get(path)).status_code == 404
    assert (await client.get(api, headers=await bearer(rival))).status_code == 404


async def test_only_an_owner_gives_the_mandate(client: httpx.AsyncClient, press: QuickPress) -> None:
    trader = await make_person()
    await sign_in(client, trader)
    assert "An owner of your company" in (await client.get("/money/invoicing")).text
    for door in ("/money/invoicing", "/money/mandate"):
        assert (await client.post(door, data={"version": MANDATE_VERSION, "street": "x"})).status_code == 403
