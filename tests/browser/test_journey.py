"""The journey that must always work, in a real browser: from a stock list to a settled trade, in French and in English.

Everything is real: PostgreSQL, the job worker, the web workers, Stripe's library against the sandbox over HTTP with
signed webhooks. Before agreement no page, of either side, holds the other side's name.
"""

import re
import time
from collections.abc import Callable
from pathlib import Path

import httpx
from playwright.sync_api import BrowserContext, Page, expect

from exchange.database import fetch, fetchrow
from tests.browser.conftest import Instance
from tests.browser.people import PASSWORD, Someone, in_database, merchant_and_competitor
from tests.test_supervisor import PATIENCE

STOCK_LIST = """Référence;Désignation;Marque;EAN;Qté;PVC TTC;État
KN-001;Taquet coinceur à billes 27 mm;Ancrelle;3700000000015;40;34,90;Neuf
KN-002;Winch self-tailing 2 vitesses;Ancrelle;3700000000022;6;1 249,00;Neuf
KN-003;Gilet 150 N enfant;Merlane;3700000000039;54;89,50;Neuf
"""
Enter = Callable[..., BrowserContext]


class Reader:
    """A page that remembers everything it showed, to search it for names afterwards."""

    def __init__(self, context: BrowserContext) -> None:
        self.page: Page = context.new_page()
        self.sources: list[str] = []
        self.faults: list[str] = []
        self.page.on("response", self._keep)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda m: self.faults.append(m.text) if m.type == "error" else None)

    def _keep(self, response: object) -> None:
        self.sources.append(f"{response.url} {response.headers}")  # type: ignore[attr-defined]  # a playwright Response

    def look(self) -> str:
        """The page's source as it stands now, kept for the search."""
        source = self.page.content()
        self.sources.append(source)
        return source

    def go(self, path: str) -> None:
        self.page.goto(path)
        self.look()


def sign_in(reader: Reader, who: Someone) -> None:
    reader.go("/sign-in")
    reader.page.fill("[name=email]", who.email)
    reader.page.fill("[name=password]", PASSWORD)
    reader.page.locator("main form button").first.click()
    reader.page.wait_for_url(re.compile(r"/$"))
    reader.look()


def press(reader: Reader, name: str | re.Pattern[str], *, exact: bool = False) -> None:
    reader.page.get_by_role("button", name=name, exact=exact).first.click()


def until(reader: Reader, path: str, text: str) -> None:
    """Go to ``path`` once it says ``text``: meanwhile it is asked for with the browser's cookies, but not drawn."""
    deadline = time.monotonic() + PATIENCE
    while True:
        said = reader.page.request.get(path).text()
        reader.sources.append(said)
        if text in said:
            reader.go(path)
            if text in reader.page.inner_text("main"):
                return
        assert time.monotonic() < deadline, f"{path} never said {text!r}:\n{said}"
        time.sleep(0.2)


def until_it_listens(page: Page) -> None:
    """Once a stream opened after the page's own, and without a mark, was told to ask, the page's was told if ever."""
    page.evaluate(
        "path => new Promise(done => new EventSource(path).addEventListener('changed', done))",
        re.sub(r"/deals/([^/]+).*", r"/deals/\1/live", re.sub(r"^https?://[^/]+", "", page.url)),
    )


def assert_masked(sources: list[str], other: Someone) -> None:
    for source in sources:
        for name in (other.legal_name, other.trading_name, other.person, other.email.split("@")[1]):
            assert name.lower() not in source.lower(), f"{name!r} before agreement: {source[:300]}"


def test_from_a_stock_list_to_a_settled_trade(running: Instance, visit: Enter, tmp_path: Path) -> None:
    database = running.environment["DATABASE_URL"]
    merchant, competitor = in_database(database, merchant_and_competitor)
    seller, buyer = Reader(visit("fr")), Reader(visit("en", width=390))
    sign_in(seller, merchant)
    sign_in(buyer, competitor)

    # the merchant opens the account that is to be paid
    seller.go("/money")
    press(seller, "Ouvrir mon compte")
    seller.page.wait_for_url(re.compile(r"127\.0\.0\.1:\d+/"))
    press(seller, re.compile("Continu"))
    seller.page.wait_for_url(re.compile(r"/money"))

    # a stock list in, a lot on sale
    file = tmp_path / "kervran-surstock.csv"
    file.write_bytes(STOCK_LIST.encode("cp1252"))
    seller.go("/stock-lists/new")
    seller.page.set_input_files("input[type=file]", file)
    press(seller, "Lire cette liste")
    seller.page.wait_for_url(re.compile(r"/stock-lists/[0-9a-f-]{36}$"))
    listed = seller.page.url
    until(seller, listed, "Taquet coinceur")
    page = seller.page
    page.get_by_role("link", name="Fixer les conditions et vendre").click()
    page.wait_for_url(f"{listed}/publication")
    page.fill("[name=title]", "Accastillage fin de série")
    page.select_option("[name=category]", index=1)
    page.select_option("[name=region]", index=1)
    page.locator("[name=price_mode][value=unit]").check(force=True)
    page.fill("[name=amount]", "60,00")
    page.locator("[name=partial][value='1']").check(force=True)
    page.select_option("[name=cost_answer]", index=1)
    page.locator("[name=origin_declared][type=checkbox]").check(force=True)
    press(seller, "Mettre en vente")
    page.wait_for_load_state()
    seller.look()

    # the competitor finds it and offers
    until(buyer, "/lots?q=accastillage", "Accastillage fin de série")
    buyer.page.get_by_role("link", name="Accastillage fin de série").first.click()
    buyer.page.wait_for_url(re.compile(r"/lots/[0-9a-f-]{36}"))
    source = buyer.look()
    assert "Winch self-tailing" in source
    assert "KN-002" not in source, "a seller's reference is never shown"
    assert "kervran-surstock" not in source, "nor the file's name"
    lot = re.search(r"/lots/([0-9a-f-]{36})", buyer.page.url)
    assert lot
    buyer.go(f"/lots/{lot[1]}/offer")
    buyer.page.fill("[name=price]", "45.50")
    buyer.page.fill("[name=quantity]", "50")
    press(buyer, "Send the offer")
    buyer.page.wait_for_url(re.compile(r"/talks/[0-9a-f-]{36}$"))
    talk = re.sub(r"^https?://[^/]+", "", buyer.page.url)
    buyer.look()

    # the merchant counters; it appears in the competitor's open page
    seller.go("/talks")
    seller.go(talk)
    seller.page.locator("#move [name=price]").fill("52,00")
    seller.page.locator("#move [name=quantity]").fill("50")
    seller.page.locator("#move [name=cost]").select_option(index=1)
    press(seller, "Envoyer la contre-proposition")
    expect(buyer.page.locator("main")).to_contain_text("€52.00")
    buyer.look()
    assert_masked(buyer.sources, merchant)
    assert_masked(seller.sources, competitor)

    # agreed: both see each other
    press(buyer, "Accept", exact=True)
    press(buyer, re.compile("^Accept for"))
    expect(buyer.page.locator("main")).to_contain_text("Kervran")
    until(seller, talk, "Dunmore")

    # paid, held
    until(buyer, "/deals", "Accastillage")
    buyer.page.get_by_role("link", name=re.compile("Accastillage")).first.click()
    buyer.page.wait_for_url(re.compile(r"/deals/[0-9a-f-]{36}$"))
    deal = re.sub(r"^https?://[^/]+", "", buyer.page.url)
    press(buyer, re.compile("^Pay"))
    buyer.page.wait_for_url(re.compile("/c/pay|checkout|pay/"))
    assert "no real money" in buyer.page.content()
    buyer.page.locator("form button[type=submit]").click()
    buyer.page.wait_for_url(re.compile(r"/deals/"))
    until(buyer, deal, "held")

    # shipped, received
    until(seller, deal, "Transporteur")
    seller.page.fill("[name=carrier]", "Messageries de l’Ouest")
    seller.page.fill("[name=tracking]", "   ")
    asked: list[str] = []
    seller.page.on("request", lambda r: asked.append(r.url) if "hx-request" in r.headers else None)
    seller.page.locator("form[action$=shipment] button").first.click()
    seller.page.wait_for_url(re.compile(r"/shipment$"))
    until_it_listens(seller.page)
    assert not asked, "a form that was refused is not asked for anew"
    expect(seller.page.locator("[name=carrier]")).to_have_value("Messageries de l’Ouest")
    seller.faults.clear()  # the browser notes the refusal of the form
    renew(seller.page)
    expect(seller.page.locator("[name=carrier]")).to_have_value("Messageries de l’Ouest")
    seller.page.fill("[name=tracking]", "MO 4402 118")
    seller.page.fill("[name=note]", "B 17")
    renew(seller.page)
    expect(seller.page.locator("[name=tracking]")).to_have_value("MO 4402 118")
    expect(seller.page.locator("[name=note]")).to_have_value("B 17")
    expect(seller.page.locator("[name=note]")).to_be_focused()
    seller.page.locator("form[action$=shipment] button").first.click()
    seller.page.wait_for_load_state()
    until(buyer, deal, "MO 4402 118")
    buyer.page.get_by_role("link", name="The goods are here").click()
    buyer.page.get_by_text("All is there and in order").click()
    press(buyer, "Confirm")
    until(buyer, deal, "settled")

    assert_settled(running, deal.rpartition("/")[2])
    assert not seller.faults, seller.faults
    assert not buyer.faults, buyer.faults


def renew(page: Page) -> None:
    """The deal's page is asked for anew, as at the other side's step."""
    page.evaluate("document.querySelector('#next').dataset.old = ''")
    page.evaluate("htmx.trigger('#deal', 'changed')")
    expect(page.locator("#next[data-old]")).to_have_count(0)


def assert_settled(running: Instance, deal_id: str) -> None:
    """Our books, the sandbox and the reservation tell the same story."""
    given = running.environment
    deal = in_database(given["DATABASE_URL"], lambda: fetchrow("select * from deal where id = $1", deal_id))
    assert deal is not None
    books = in_database(
        given["DATABASE_URL"],
        lambda: fetch("select account, currency, sum(amount_minor)::bigint minor from ledger_entry group by 1, 2"),
    )
    assert sum(row["minor"] for row in books) == 0
    held = {row["account"]: row["minor"] for row in books}
    transfers = httpx.get(
        f"{given['STRIPE_API_BASE']}/v1/transfers",
        params={"transfer_group": deal_id},
        headers={"Authorization": f"Bearer {given['STRIPE_SECRET_KEY']}"},
    ).json()["data"]
    total = deal["net_minor"] + deal["vat_minor"]
    fee = deal["commission_minor"] + deal["commission_vat_minor"]
    assert [t["amount"] for t in transfers] == [total - fee]
    assert held.get("held", 0) == 0, held
