"""The form for an offer line by line, the list to fill in, and buttons that fill in what fits."""

import csv
import io
import re
from html import unescape
from uuid import UUID, uuid4

import httpx
import pytest

from exchange.database import execute, fetch, fetchval
from exchange.listings.tables import ManifestLine
from exchange.offers.pages import desk
from tests.factories import MadePerson, sign_in
from tests.offers.stage import Stage, staged
from tests.offers.test_lines import bid, lines_on, offered
from tests.offers.test_requests import ask, wanting

pytestmark = pytest.mark.usefixtures("db")
SEND = {"incoterm": "EXW", "do": "send"}


async def _at(client: httpx.AsyncClient, person: MadePerson, path: str, data: dict[str, str]) -> httpx.Response:
    await sign_in(client, person)
    return await client.post(path, data=data)


def _value(page: httpx.Response, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]*? value="([^"]*)"', page.text)
    assert found, name
    return unescape(found[1])


async def _long(stage: Stage, lines_more: int) -> None:
    await ManifestLine.insert(
        *(
            ManifestLine(id=uuid4(), lot_id=stage.lot_id, position=10 + n, title=f"Bottine {n}", category="footwear",
                         quantity=1, grade="A")
            for n in range(lines_more)
        )
    )  # fmt: skip
    await execute(
        "update lot set quantity = quantity + $2, ask_minor = unit_ask_minor * (quantity + $2) where id = $1",
        stage.lot_id, lines_more,
    )  # fmt: skip


async def test_a_quantity_that_does_not_fit_comes_with_buttons_that_fill_in_what_does(
    client: httpx.AsyncClient,
) -> None:
    stage = await staged(multiple=6, minimum=12)
    move = {"price": "8", "quantity": "40", "incoterm": "FCA", "message": "Kept"}
    refused = await _at(client, stage.buyer, f"/lots/{stage.lot_id}/offer", move)
    assert refused.status_code == 422
    assert re.findall(r'name="fill" value="([^"]+)"', refused.text) == ["quantity=36", "quantity=42"]
    filled = await client.post(f"/lots/{stage.lot_id}/offer", data=move | {"fill": "quantity=42"})
    assert (filled.status_code, _value(filled, "quantity"), _value(filled, "price")) == (200, "42", "8")
    assert "Kept" in filled.text
    assert not await fetchval("select count(*) from offer")


async def test_a_lot_sold_whole_comes_with_every_line_filled_in_and_awaits_prices_alone(
    client: httpx.AsyncClient,
) -> None:
    stage = await staged(partial=False)
    await sign_in(client, stage.buyer)
    page = await client.get(f"/lots/{stage.lot_id}/offer/lines")
    left = await fetch("select quantity from manifest_line where lot_id = $1 order by position", stage.lot_id)
    assert [_value(page, f"quantity.{n}") for n in range(1, len(left) + 1)] == [str(r["quantity"]) for r in left]
    assert "Write your price for each line." in page.text
    filled = {f"quantity.{n}": str(r["quantity"]) for n, r in enumerate(left, 1)}
    sent = await client.post(f"/lots/{stage.lot_id}/offer/lines", data=SEND | filled | {"price": "5"})
    assert sent.status_code == 303
    await sign_in(client, stage.seller)
    counter = await client.get(f"{sent.headers['location']}/lines")
    assert "Counter-offer line by line" in counter.text
    assert "Send the counter-offer" in counter.text


async def test_lines_are_chosen_in_a_form_checked_and_sent_and_countered(client: httpx.AsyncClient) -> None:
    stage = await staged(multiple=6, minimum=12)
    at = f"/lots/{stage.lot_id}/offer/lines"
    chosen = {"quantity.1": "13", "price.1": "", "quantity.2": "6", "price.2": "7,50", "price": "8,01"}
    checked = await _at(client, stage.buyer, at, chosen | {"do": "check"})
    assert checked.status_code == 422
    assert re.findall(r'name="fill" value="([^"]+)"', checked.text) == ["quantity.1=12", "quantity.1=18"]
    filled = await client.post(at, data=chosen | {"fill": "quantity.1=12"})
    assert (_value(filled, "quantity.1"), _value(filled, "price.2")) == ("12", "7,50")
    for said in ("141.12", "7.84"):  # in all, and on average per unit
        assert said in filled.text
    sent = await client.post(at, data=chosen | SEND | {"quantity.1": "12", "pickup": "tue-am", "message": "Bonjour"})
    assert sent.status_code == 303, sent.text
    talk = UUID(sent.headers["location"].rpartition("/")[2])
    assert (await client.get(at)).headers["location"] == f"/talks/{talk}/lines"

    await sign_in(client, stage.seller)
    page = unescape((await client.get(f"/talks/{talk}")).text)
    for said in ("Exactly 2 lines", "Sabot 0", "8.01", "7.50", "141.12", "7.84", "on average", "Tuesday, morning"):
        assert said in page, said
    desk = await client.get(f"/talks/{talk}/lines")
    assert [_value(desk, name) for name in ("quantity.1", "price.1", "quantity.2", "price.2")] == [
        "12", "8.01", "6", "7.50",
    ]  # fmt: skip
    counter = {"quantity.1": "12", "price.1": "9", "quantity.2": "6", "price.2": "12", "seen": "1"}
    refused = await client.post(f"/talks/{talk}/lines", data=counter | SEND)
    assert refused.status_code == 422
    assert re.search(r'name="price.2"[^>]*aria-invalid="true"', refused.text), "above what is asked"
    countered = await client.post(
        f"/talks/{talk}/lines", data=counter | SEND | {"price.2": "9", "cost": "end_of_season"}
    )
    assert countered.status_code == 303, countered.text

    await sign_in(client, stage.buyer)
    page = (await client.get(f"/talks/{talk}")).text
    named = dict(re.findall(r'<input type="hidden" name="(price|quantity|lines)" value="([^"]+)"', page))
    stale = await client.post(f"/talks/{talk}/acceptance", data=named | {"lines": ""})
    assert stale.status_code == 409
    assert (await client.post(f"/talks/{talk}/acceptance", data=named)).status_code == 303
    await execute("set constraints all immediate")
    contract = (await client.get(f"/talks/{talk}/contract")).text
    assert "108.00" in contract and "162.00" in contract


async def test_a_list_is_downloaded_filled_in_with_any_program_and_uploaded(client: httpx.AsyncClient) -> None:
    stage = await staged()
    await execute("update manifest_line set title = '=CALL()' where lot_id = $1 and position = 0", stage.lot_id)
    at = f"/lots/{stage.lot_id}/offer/lines"
    await sign_in(client, stage.buyer)
    file = await client.get(f"{at}.csv")
    assert "REF-SECRETE" not in file.text, "the seller's own reference tells who he is"
    rows = list(csv.reader(io.StringIO(file.text.lstrip("\ufeff"))))
    assert (rows[1][1], rows[1][6]) == ("'=CALL()", "50"), "words stay words in a spreadsheet"
    rows[2][8:] = ["6", "7,50"]
    upload = io.StringIO()
    csv.writer(upload, delimiter=";").writerows([rows[0], rows[2]])
    read = await client.post(f"{at}/file", files={"file": ("list.csv", upload.getvalue().encode())})
    assert (_value(read, "quantity.2"), _value(read, "price.2")) == ("6", "7,50")
    assert "45.00" in read.text
    for wrong in (b"", b"a;b\n1;2\n", b"No.;Your quantity;Your price per unit, without VAT\n1;;\n"):
        refused = await client.post(f"{at}/file", files={"file": ("list.csv", wrong)})
        assert refused.status_code == 422, wrong


async def test_of_a_long_manifest_what_was_filled_in_travels_through_a_filter_and_pages(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "MOST_FILLED", 3)
    stage = await staged()
    await _long(stage, 150)
    at = f"/lots/{stage.lot_id}/offer/lines"
    await sign_in(client, stage.buyer)
    first = await client.get(at)
    assert first.text.count('name="quantity.') == desk.SHOWN
    filled = {f"quantity.{n}": "1" for n in range(3, 9)}
    found = await client.post(at, data=filled | {"q": "bottine 149", "do": "find", "price": "8"})
    shown = set(re.findall(r'name="quantity\.(\d+)"', found.text))
    assert shown == {"3", "4", "5", "152"}
    assert "3 more lines that you filled in are not shown" in found.text
    assert "48.00" in found.text, "they count"
    page = await client.post(at, data=filled | {"page": "1"})
    assert len(set(re.findall(r'name="quantity\.(\d+)"', page.text))) == 3 + desk.SHOWN
    kept = {f"quantity.{n}": "1" for n in (3, 4, 5, 152)} | {"rest": _value(found, "rest"), "price": "8"}
    sent = await client.post(at, data=kept | SEND)
    assert sent.status_code == 303, sent.text
    assert await fetchval("select count(*) from offer_line") == 7


async def test_a_lot_taken_down_shows_nobody_what_is_left_of_its_lines(client: httpx.AsyncClient) -> None:
    stage = await staged()
    await stage.accept(await stage.offer(quantity=30), quantity=30)
    await execute("update lot set state = 'withdrawn' where id = $1", stage.lot_id)
    at = f"/lots/{stage.lot_id}/offer"
    await sign_in(client, await stage.another_buyer())
    for path in (at, f"{at}/lines", f"{at}/lines.csv"):
        assert (await client.get(path)).status_code == 404, path
    assert (await client.post(f"{at}/lines/file", files={"file": ("list.csv", b"")})).status_code == 404
    form = {"quantity": "13", "quantity.1": "13", "price": "8"} | SEND
    for path, more in ((at, {"fill": "quantity=1"}), (f"{at}/lines", {"do": "find"})):
        assert (await client.post(path, data=form | more)).status_code == 404, path
    for path in (at, f"{at}/lines"):  # from a page opened before
        sent = await client.post(path, data=form)
        assert (sent.status_code, "This lot is no longer for sale" in sent.text) == (409, True)
        assert not [told for told in ("Sabot 0", "€10.00", "Units left") if told in sent.text]
    await sign_in(client, stage.buyer)
    assert (await client.get(at)).status_code == 303, "to the talk about it"


async def test_only_the_two_sides_read_the_lines_of_a_talk(client: httpx.AsyncClient) -> None:
    stage = await staged()
    talk = await offered(stage, bid(((await lines_on(stage))[0], 10, "8")))
    stranger = await stage.another_buyer()
    for path in ("lines", "lines.csv", "offers/1/lines.csv"):
        await sign_in(client, stage.seller)
        assert (await client.get(f"/talks/{talk}/{path}")).status_code == 200
        await sign_in(client, stranger)
        assert (await client.get(f"/talks/{talk}/{path}")).status_code == 404
    await sign_in(client, stage.buyer)
    assert (await client.get(f"/talks/{talk}/offers/2/lines.csv")).status_code == 404


async def test_a_request_is_answered_line_by_line_or_from_the_list(client: httpx.AsyncClient) -> None:
    stage = await staged()
    await ask(await wanting(stage.buyer), stage.buyer, stage)
    request_id = await fetchval("select id from quote_request")
    at = f"/requests/{request_id}/lines"
    stranger = await stage.another_buyer()
    for who in (stranger, stage.buyer):
        await sign_in(client, who)
        for answer in (await client.get(at), await client.get(f"{at}.csv"), await client.post(at, data=SEND)):
            assert answer.status_code == 404
    await sign_in(client, stage.seller)
    assert at in (await client.get(f"/requests/{request_id}")).text
    form = await client.get(at)
    assert "You are asked for a price on 50 units." in form.text and _value(form, "quantity.1") == ""
    dear = {"quantity.1": "20", "price.1": "9", "quantity.2": "51", "price.2": "8"} | SEND
    refused = await client.post(at, data=dear)
    assert refused.status_code == 422 and _value(refused, "quantity.2") == "51"
    assert re.findall(r'name="fill" value="([^"]+)"', refused.text) == ["quantity.2=50"]
    rows = list(csv.reader(io.StringIO((await client.get(f"{at}.csv")).text.lstrip("\ufeff"))))
    rows[1][-2:], rows[2][-2:] = ["20", "9"], ["30", "8"]
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    read = await client.post(f"{at}/file", files={"file": ("list.csv", text.getvalue().encode())})
    assert (_value(read, "quantity.1"), _value(read, "price.2")) == ("20", "8")
    sent = await client.post(at, data=dear | {"quantity.2": "30", "cost": "end_of_season"})
    assert sent.status_code == 303, sent.text
    assert await fetchval("select state from quote_request") == "quoted"
    said = await fetch("select company_id, quantity, lines_minor from offer")
    assert [tuple(row) for row in said] == [(stage.seller.actor.company_id, 50, 42000)]
    for answer in (await client.get(at), await client.get(f"/requests/{request_id}")):
        assert answer.status_code == 303, "to the talk"
    late = await client.post(at, data=dear | {"quantity.2": "30"})
    assert (late.status_code, "has been answered" in late.text) == (409, True)
