import asyncio
import io
import re
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from PIL import Image

import exchange.listings.jobs  # noqa: F401  registers the handlers
from exchange.clock import now
from exchange.database import connection, fetch, fetchval
from exchange.jobs import perform
from exchange.listings.queries.lots import SeenLot, lot_seen_by
from tests.factories import MadePerson, make_article, make_company, make_lot, make_person, sign_in
from tests.listings.samples import FRENCH_TILL, gtin


@pytest.fixture
async def seller(db: None) -> MadePerson:
    return await make_person(await make_company(legal_name="Quincaillerie Morvan SARL"), language="en")


async def upload(client: httpx.AsyncClient, content: bytes, name: str = "stock.csv") -> str:
    answer = await client.post("/stock-lists", files={"file": (name, content)})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def read(client: httpx.AsyncClient, content: bytes = FRENCH_TILL) -> str:
    page = await upload(client, content)
    await perform("stock_list.received", UUID(page.rsplit("/", 1)[1]))
    return page


async def listed_by(seller: MadePerson) -> list[SeenLot]:
    rows = await fetch("select id from lot where company_id = $1", seller.actor.company_id)
    return [await lot_seen_by(seller.actor, row["id"], "en") for row in rows]


TERMS = {
    "title": "Small kitchen appliances", "category": "home-appliances", "region": "fr-north", "split": "0",
    "grade": "A", "price_mode": "unit", "amount": "12,50", "share": "", "partial": "1", "minimum": "2", "multiple": "1",
    "floor": "9",
    "auto_accept": "12", "tolerance": "5", "packing": "cartons", "incoterm": "FCA", "slots": "mon-am",
    "authorised_brand": "", "origin_declared": "1", "cost_answer": "at_or_above_cost", "hidden_from": "",
}  # fmt: skip


async def test_a_list_becomes_a_lot_by_hand(client: httpx.AsyncClient, seller: MadePerson) -> None:
    await sign_in(client, seller)
    page = await upload(client, FRENCH_TILL)
    busy = await client.get(page)
    assert "Reading your list" in busy.text
    assert 'hx-trigger="every 1s"' in busy.text
    await perform("stock_list.received", UUID(page.rsplit("/", 1)[1]))
    put_in = await client.get(page, headers={"HX-Request": "true"})
    assert f'href="{page}/publication"' in put_in.text, "the way on comes with the answer, without a reload"
    understood = await client.get(page)
    assert "Your columns as we understood them" in understood.text
    assert "The quantity is negative (-2): there is nothing to sell." in understood.text
    assert "18,20" not in understood.text, "a cost is not even shown back"
    form = await client.get(page + "/publication")
    assert form.status_code == 200
    made = await client.post(page + "/publication", data=TERMS)
    assert made.status_code == 303, re.findall(r'class="error".*?</span>', made.text, re.DOTALL)
    (lot,) = await listed_by(seller)
    assert made.headers["location"] == f"/lots/{lot.id}"
    assert (lot.quantity, lot.ask.minor, lot.grade) == (1267, 1267 * 1250, "B")
    shown = await client.get(f"/lots/{lot.id}")
    assert "Only you see this" in shown.text
    assert "BR-01" in shown.text
    again = await client.post(page + "/publication", data=TERMS)
    assert again.status_code == 409


async def test_what_is_wrong_with_the_terms_is_said_beside_the_fields_and_kept(
    client: httpx.AsyncClient, seller: MadePerson
) -> None:
    await sign_in(client, seller)
    page = await read(client)
    wrong = TERMS | {
        "amount": "a lot",
        "minimum": "-1",
        "cost_answer": "",
        "expires_on": "someday",
        "title": "Kept title",
    }
    answer = await client.post(page + "/publication", data=wrong)
    assert answer.status_code == 422
    for name in ("amount", "minimum", "cost_answer", "expires_on"):
        assert f'id="f-{name}-error"' in answer.text
    assert 'value="Kept title"' in answer.text
    assert 'value="a lot"' in answer.text
    late = TERMS | {"expires_on": (now().date() + timedelta(days=4000)).isoformat()}
    assert (await client.post(page + "/publication", data=late)).status_code == 422
    assert await listed_by(seller) == []


async def test_a_lot_sold_only_if_enough_is_paid_says_so_to_everybody(
    client: httpx.AsyncClient, seller: MadePerson
) -> None:
    await sign_in(client, seller)
    page = await read(client)
    wrong = await client.post(page + "/publication", data=TERMS | {"partial": "1", "threshold": "9999"})
    assert wrong.status_code == 422
    assert 'id="f-threshold-error"' in wrong.text
    assert 'value="9999"' in wrong.text
    form = (await client.get(page + "/publication")).text
    (day,) = re.findall(r'<input[^>]*name="expires_on"[^>]*>', form)
    assert 'value="20' not in day, "a day filled in for every lot would be too late for this one"
    made = await client.post(page + "/publication", data=TERMS | {"partial": "1", "threshold": "600", "expires_on": ""})
    assert made.status_code == 303
    (lot,) = await listed_by(seller)
    edit = await client.get(f"/lots/{lot.id}/terms")
    assert "This condition and its day stay as they were published." in edit.text
    assert 'name="threshold"' not in edit.text
    assert "0 of 600 units paid for it to go ahead" in (await client.get("/lots/mine")).text
    await sign_in(client, await make_person(language="fr"))
    for address in ("/lots", f"/lots/{lot.id}"):
        assert re.search(r'<span class="badge info">.*?seuil de déclenchement</span>', (await client.get(address)).text)
    for address in (f"/lots/{lot.id}", f"/lots/{lot.id}/offer"):
        shown = await client.get(address)
        assert "Ce lot n’est vendu que si 600 unités en sont payées" in shown.text, address


async def test_columns_are_corrected_and_read_again_at_once(client: httpx.AsyncClient, seller: MadePerson) -> None:
    await sign_in(client, seller)
    page = await read(client, b"Thing;Howmany;Worth\nRound chair;4;30\nSquare table;2;80\n")
    before = await client.get(page)
    assert "No column gives the quantity" in before.text
    form = {"role-0": "title", "role-1": "quantity", "role-2": "rrp", "header": "1", "currency": "CHF", "quantity": ""}
    answer = await client.post(page + "/mapping", data=form)
    assert answer.status_code == 303
    after = await client.get(page + "?rows=usable")
    assert "No column gives the quantity" not in after.text
    assert await fetchval("select usable from stock_list") == 2
    assert await fetchval("select currency from stock_list") == "CHF"


async def test_headings_are_not_looked_for_below_the_last_row(client: httpx.AsyncClient, seller: MadePerson) -> None:
    await sign_in(client, seller)
    page = await read(client, b"title;quantity;rrp\nRound chair;4;30\nSquare table;2;80\n")
    answer = await client.post(page + "/mapping", data={"header": "3"})
    assert answer.status_code == 422
    assert "The list ends at row 3" in answer.text
    assert await fetchval("select usable from stock_list") == 2


async def test_a_list_of_totals_alone_says_why_it_sells_nothing(client: httpx.AsyncClient, seller: MadePerson) -> None:
    await sign_in(client, seller)
    page = (await client.get(await read(client, b"title;quantity;rrp\nTotal;6;110\n"))).text
    assert "No row is an article." in page
    assert "A total, not an article" in page


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "This file is empty."), (b"%PDF-1.4 x", "This is a PDF file, not a table."),
     (b"PK\x03\x04broken", "This file cannot be read"),
     (b"title;quantity;price\n", "This list has headings and no row under them.")],
)  # fmt: skip
async def test_a_bad_file_gets_one_clear_message(
    client: httpx.AsyncClient, seller: MadePerson, content: bytes, said: str
) -> None:
    await sign_in(client, seller)
    answer = await client.post("/stock-lists", files={"file": ("stock.xlsx", content)})
    if answer.status_code == 303:
        page = answer.headers["location"]
        await perform("stock_list.received", UUID(page.rsplit("/", 1)[1]))
        answer = await client.get(page)
    assert said in answer.text
    assert await fetchval("select count(*) from stock_list_row") == 0


async def test_the_market_is_read_in_french(client: httpx.AsyncClient, seller: MadePerson) -> None:
    await make_lot(title="Poêles émaillées")
    visitor = await make_person(language="fr")
    await sign_in(client, visitor)
    page = await client.get("/lots?q=poeles&category=home&grade=A&discount=50&price_to=20")
    assert page.status_code == 200
    assert "Poêles émaillées" in page.text
    assert "Cuisine et vaisselle" in page.text
    nothing = await client.get("/lots?q=xyzxyz")
    assert nothing.status_code == 200
    odd = await client.get("/lots?category=../&grade=Z&price_from=lots&discount=-4&country=ZZZ")
    assert odd.status_code == 200
    assert "«\u00a0lots\u00a0» n’est ni un montant ni un pourcentage\u00a0: ce filtre n’a pas été appliqué." in odd.text
    assert "«\u00a0-4\u00a0»" in odd.text
    dear = await client.get("/lots?price_from=1\u202f200,50")
    assert "n’est ni un montant" not in dear.text
    assert "Poêles émaillées" not in dear.text


async def test_no_page_of_a_lot_names_the_seller(client: httpx.AsyncClient, seller: MadePerson) -> None:
    lot = await make_lot(seller, articles=[make_article(seller_ref="MORVAN-7", gtin=gtin(4).zfill(14))])
    await sign_in(client, await make_person())
    for address in ("/lots", "/lots?q=enamel", f"/lots?q={gtin(4)}", f"/lots/{lot.id}"):
        page = await client.get(address)
        assert page.status_code == 200
        assert seller.company is not None
        for secret in (
            "Morvan",
            "MORVAN",
            seller.name,
            str(seller.company.id),
            str(seller.id),
            seller.company.registration,
        ):
            assert secret not in page.text
    for address in (f"/lots/{lot.id}/terms", f"/lots/{uuid4()}"):
        assert (await client.get(address)).status_code == 404
    assert (await client.post(f"/lots/{lot.id}/withdrawal")).status_code == 404
    assert (await client.post(f"/lots/{lot.id}/terms", data=TERMS)).status_code == 404


async def test_a_foreign_stock_list_is_not_there(client: httpx.AsyncClient, seller: MadePerson) -> None:
    await sign_in(client, seller)
    page = await read(client)
    await sign_in(client, await make_person())
    for address in (page, page + "/publication"):
        assert (await client.get(address)).status_code == 404
    assert (await client.post(page + "/mapping", data={"role-0": "title"})).status_code == 404
    assert (await client.post(page + "/publication", data=TERMS)).status_code == 404


async def test_terms_change_with_a_new_answer_and_a_lot_is_withdrawn(
    client: httpx.AsyncClient, seller: MadePerson
) -> None:
    lot = await make_lot(seller)
    await sign_in(client, seller)
    assert (await client.get(f"/lots/{lot.id}/terms")).status_code == 200
    cheaper = TERMS | {"title": "Now cheaper", "amount": "9.99", "floor": "", "auto_accept": "", "cost_answer": ""}
    refused = await client.post(f"/lots/{lot.id}/terms", data=cheaper)
    assert refused.status_code == 422
    assert 'id="f-cost_answer-error"' in refused.text
    done = await client.post(f"/lots/{lot.id}/terms", data=cheaper | {"cost_answer": "ceasing"})
    assert done.status_code == 303
    seen = await lot_seen_by(seller.actor, lot.id, "en")
    assert (seen.title, seen.unit_ask.minor) == ("Now cheaper", 999)
    assert (await client.post(f"/lots/{lot.id}/withdrawal")).status_code == 303
    assert "taken off sale" in (await client.get("/lots/mine")).text


def picture(kind: str = "JPEG", size: tuple[int, int] = (2400, 1200)) -> bytes:
    out = io.BytesIO()
    image = Image.new("RGB", size, (180, 60, 30))
    exif = Image.Exif()
    exif[0x010F] = "Morvan Camera"
    exif[0x0112] = 6
    image.save(out, kind, exif=exif)
    return out.getvalue()


async def test_a_photo_loses_everything_but_its_pixels(client: httpx.AsyncClient, seller: MadePerson) -> None:
    lot = await make_lot(seller)
    await sign_in(client, seller)
    added = await client.post(f"/lots/{lot.id}/photos", files={"photo": ("morvan-shop.jpg", picture())})
    assert added.status_code == 303
    photo_id = await fetchval("select id from photo")
    rival = await make_person()
    await sign_in(client, rival)
    large, small = await client.get(f"/photos/{photo_id}"), await client.get(f"/photos/{photo_id}?small=1")
    for answer, side in ((large, 1600), (small, 400)):
        assert answer.headers["content-type"] == "image/jpeg"
        assert b"Morvan" not in answer.content
        shown = Image.open(io.BytesIO(answer.content))
        assert not shown.getexif()
        assert shown.size == (side // 2, side), "turned upright, as the camera meant it"
    assert (await client.post(f"/lots/{lot.id}/photos/{photo_id}/removal")).status_code == 404
    await sign_in(client, seller)
    assert (await client.post(f"/lots/{lot.id}/photos/{photo_id}/removal")).status_code == 303
    assert (await client.get(f"/photos/{photo_id}")).status_code == 404


@pytest.mark.parametrize("content", [b"no picture", b"GIF89a....", b"\x89PNG\r\n\x1a\n\x00\x00", b""])
async def test_what_is_no_photo_is_refused(client: httpx.AsyncClient, seller: MadePerson, content: bytes) -> None:
    lot = await make_lot(seller)
    await sign_in(client, seller)
    answer = await client.post(f"/lots/{lot.id}/photos", files={"photo": ("x.jpg", content)})
    assert answer.status_code == 422
    assert "This file is no photo we can read." in answer.text


async def test_empty_pages_say_what_to_do(client: httpx.AsyncClient, seller: MadePerson) -> None:
    await sign_in(client, seller)
    assert "No list yet" in (await client.get("/stock-lists/new")).text
    assert "Nothing on sale yet" in (await client.get("/lots/mine")).text
    assert "No lot is on sale right now" in (await client.get("/lots")).text


async def test_a_card_escapes_what_people_write(client: httpx.AsyncClient, seller: MadePerson) -> None:
    await make_lot(title="100% wool <b>& %(title)s</b>")
    await sign_in(client, await make_person())
    page = await client.get("/lots")
    assert "100% wool &lt;b&gt;&amp; %(title)s&lt;/b&gt;" in page.text


@pytest.mark.parametrize("address", ["/lots", "/lots?q=enamel&grade=A", "/lots?q=enammel", "/lots/{lot}"])
async def test_a_hot_page_reads_the_database_once(client: httpx.AsyncClient, seller: MadePerson, address: str) -> None:
    lot = await make_lot()
    await sign_in(client, await make_person())
    asked: list[str] = []
    async with connection() as c:
        c.add_query_logger(lambda query: asked.append(query.query))
        assert (await client.get(address.format(lot=lot.id))).status_code == 200
        await asyncio.sleep(0.01)  # the logger is called soon after the query
    who_asks = [sql for sql in asked if "from session s" in sql or "from negotiation" in sql]
    assert len(asked) - len(who_asks) == 1, "besides who asks and what awaits them, remembered for some seconds"
