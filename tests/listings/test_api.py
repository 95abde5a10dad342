from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest

import exchange.listings.jobs  # noqa: F401  registers the handlers
from exchange.database import execute, fetchval
from exchange.jobs import perform
from exchange.settings import settings
from tests.factories import MadePerson, bearer, make_lot, make_person
from tests.listings.samples import FRENCH_TILL, SHOPIFY, bomb, gtin

OPEN = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "open"
TERMS = {
    "title": "Small kitchen appliances", "category": "home-appliances", "price_mode": "share", "share_percent": 30,
    "partial": True, "origin_declared": True, "cost_answer": "out_of_demand",
}  # fmt: skip


@pytest.fixture
async def seller(client: httpx.AsyncClient, db: None) -> MadePerson:
    person = await make_person()
    client.headers.update(await bearer(person))
    return person


async def upload(client: httpx.AsyncClient, content: bytes, name: str = "stock.csv") -> str:
    answer = await client.post("/api/v1/stock-lists", files={"file": (name, content)})
    assert answer.status_code == 202, answer.text
    made = answer.json()
    assert made["status"] == "received"
    await perform("stock_list.received", UUID(made["id"]))
    return str(made["href"])


async def test_a_stock_list_goes_from_file_to_lots(client: httpx.AsyncClient, seller: MadePerson) -> None:
    href = await upload(client, SHOPIFY)
    told = (await client.get(href)).json()
    assert told["status"] == "read"
    assert (told["rows"], told["usable"], told["warned"], told["refused"], told["aside"]) == (3, 2, 0, 1, 1)
    assert {c["header"]: c["role"] for c in told["columns"]}["Cost per item"] == "cost"
    assert [row["state"] for row in told["page"]] == ["usable", "refused", "aside", "usable"]
    assert told["page"][1]["problems"][0]["code"] == "out_of_stock"
    refused = (await client.get(href + "?only=refused", headers={"accept-language": "fr"})).json()
    assert [row["number"] for row in refused["page"]] == [3]
    published = await client.post(href + "/publication", json=TERMS | {"category": "clothing"})
    assert published.status_code == 201, published.text
    (lot_id,) = published.json()["lots"]
    lot = (await client.get(f"/api/v1/lots/{lot_id}")).json()
    assert lot["unit_ask"] == {"minor": 1308, "currency": "EUR"}
    assert [line["unit_ask"]["minor"] for line in lot["lines"]] == [2970, 570]
    assert lot["own"]["cost_answer"] == "out_of_demand"
    again = await client.post(href + "/publication", json=TERMS)
    assert (again.status_code, again.json()["code"]) == (409, "already_published")


async def test_a_list_is_split_by_category(client: httpx.AsyncClient, seller: MadePerson) -> None:
    rows = "".join(f"{title};3;20\n" for title in ("Oak chair", "Oak desk", "Wool scarf", "Teddy toy"))
    href = await upload(client, ("Name;Qty;RRP\n" + rows).encode())
    published = await client.post(href + "/publication", json=TERMS | {"split": True, "title": "End of line"})
    lots = published.json()["lots"]
    titles = {(await client.get(f"/api/v1/lots/{i}")).json()["title"] for i in lots}
    assert titles == {"End of line – Furniture", "End of line – Bags and accessories", "End of line – Toys and games"}


async def test_a_mapping_is_corrected_and_read_at_once(client: httpx.AsyncClient, seller: MadePerson) -> None:
    href = await upload(client, b"a;b;c\nRound chair;4;30\nSquare table;2;80\n")
    mapping = {"roles": {"0": "title", "1": "quantity", "2": "ask"}, "header_row": 1, "currency": "chf"}
    told = (await client.patch(href + "/mapping", json=mapping)).json()
    assert (told["usable"], told["currency"], told["columns"][2]["why"]) == (2, "CHF", "person")
    assert told["page"][0]["line"]["ask_minor"] == 3000
    wrong = await client.patch(href + "/mapping", json={"roles": {"0": "gold"}})
    assert wrong.status_code == 400


async def test_quantities_the_file_does_not_give_are_stated_before_publication(
    client: httpx.AsyncClient, seller: MadePerson
) -> None:
    href = await upload(client, f"EAN;Name\n{gtin(1)};Round chair\n".encode())
    assert (await client.get(href)).json()["warned"] == 1
    terms = TERMS | {"price_mode": "unit", "amount": {"minor": 900, "currency": "EUR"}}
    refused = await client.post(href + "/publication", json=terms)
    assert (refused.status_code, refused.json()["code"]) == (422, "quantity_not_stated")
    await client.patch(href + "/mapping", json={"quantity": 12})
    published = await client.post(href + "/publication", json=terms)
    lot = (await client.get(f"/api/v1/lots/{published.json()['lots'][0]}")).json()
    assert lot["quantity"] == 12


@pytest.mark.parametrize(
    ("name", "content", "status", "code"),
    [("a.csv", bytes, 422, "empty_file"), ("a.xlsx", lambda: b"PK\x03\x04 cut", 202, "not_readable"),
     ("a.csv", lambda: bytes(range(256)) * 99, 202, "holds_no_table"), ("a.xlsx", bomb, 202, "unpacks_too_large"),
     ("a.csv", lambda: b"title;quantity;price\n;;\n", 202, "headings_alone")],
    ids=["nothing", "cut", "rubbish", "bomb", "headings"],
)  # fmt: skip
async def test_a_bad_file_gets_one_message_and_leaves_nothing_half(
    client: httpx.AsyncClient, seller: MadePerson, name: str, content: Callable[[], bytes], status: int, code: str
) -> None:
    answer = await client.post("/api/v1/stock-lists", files={"file": (name, content())})
    assert answer.status_code == status
    if status == 202:
        await perform("stock_list.received", UUID(answer.json()["id"]))
        told = (await client.get(answer.json()["href"])).json()
        assert told["status"] == "refused"
        assert told["refusal"]["code"] == code
        assert told["page"] == []
        corrected = await client.patch(answer.json()["href"] + "/mapping", json={"quantity": 1})
        assert corrected.json()["code"] == code, "what was refused stays refused"
    else:
        assert answer.json()["code"] == code
    assert await fetchval("select count(*) from stock_list_row") == 0


async def test_a_file_beyond_the_limit_is_refused_while_it_streams(
    client: httpx.AsyncClient, seller: MadePerson
) -> None:
    answer = await client.post(
        "/api/v1/stock-lists", files={"file": ("a.csv", b"x" * (settings().upload_limit + 2**21))}
    )
    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"
    assert await fetchval("select count(*) from stock_list") == 0


async def test_a_stranger_finds_no_list_and_a_rival_no_private_terms(
    client: httpx.AsyncClient, seller: MadePerson
) -> None:
    href = await upload(client, FRENCH_TILL)
    lot = await make_lot(seller)
    client.headers.update(await bearer(await make_person()))
    assert (await client.get(href)).status_code == 404
    assert (await client.patch(href + "/mapping", json={})).status_code == 404
    assert (await client.post(href + "/publication", json=TERMS)).status_code == 404
    told = await client.get(f"/api/v1/lots/{lot.id}")
    assert told.json()["own"] is None
    assert seller.company is not None
    for secret in (seller.company.legal_name, str(seller.company.id), "REF-"):
        assert secret not in told.text
        assert secret not in (await client.get("/api/v1/lots?q=pans")).text
    assert (await client.post(f"/api/v1/lots/{lot.id}/withdrawal")).status_code == 404
    assert (await client.get(f"/api/v1/lots/{uuid4()}")).status_code == 404


async def test_a_lot_is_written_directly_and_withdrawn(client: httpx.AsyncClient, seller: MadePerson) -> None:
    body = TERMS | {
        "price_mode": "unit", "amount": {"minor": 1500, "currency": "EUR"},
        "articles": [{"title": "Kettle", "quantity": 4, "gtin": gtin(9), "rrp_minor": 4000}],
    }  # fmt: skip
    made = await client.post("/api/v1/lots", json=body)
    assert made.status_code == 201, made.text
    assert made.json()["lines"][0]["gtin"] == gtin(9)
    gone = await client.post(f"/api/v1/lots/{made.json()['id']}/withdrawal")
    assert gone.json()["state"] == "withdrawn"
    bad = await client.post(
        "/api/v1/lots", json=body | {"articles": [{"title": "x", "quantity": 1, "gtin": "4099900000019"}]}
    )
    assert (bad.status_code, bad.json()["code"]) == (422, "bad_code")
    assert (await client.get("/api/v1/lots/categories")).json()["categories"][0]["slug"] == "furniture"


async def test_a_threshold_is_published_with_its_lot_and_read_in_steps_by_others(
    client: httpx.AsyncClient, seller: MadePerson
) -> None:
    body = TERMS | {
        "price_mode": "unit", "amount": {"minor": 1500, "currency": "EUR"}, "threshold": 60,
        "articles": [{"title": "Kettle", "quantity": 100}],
    }  # fmt: skip
    bad = await client.post("/api/v1/lots", json=body | {"threshold": 101})
    assert (bad.status_code, bad.json()["code"]) == (422, "threshold_out_of_range")
    made = (await client.post("/api/v1/lots", json=body)).json()
    assert (made["threshold"]["units"], made["threshold"]["state"]) == (60, "open")
    assert made["threshold"]["by"][:19] == made["expires_at"][:19]
    await execute("update lot set threshold_paid = 35 where id = $1", UUID(made["id"]))
    client.headers.update(await bearer(await make_person()))
    told = (await client.get(f"/api/v1/lots/{made['id']}")).json()
    assert (told["threshold"]["paid_at_least"], told["own"]) == (30, None)


async def test_the_openapi_document_has_every_door_with_an_example(client: httpx.AsyncClient, db: None) -> None:
    paths = (await client.get("/api/v1/openapi.json")).json()["paths"]
    for path in ("/api/v1/stock-lists", "/api/v1/stock-lists/{stock_list_id}/publication", "/api/v1/lots/{lot_id}"):
        assert path in paths
