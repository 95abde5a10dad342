"""At the dock, with a phone: photos, reserves, receipt and claim."""

import io

import httpx
import pytest
from PIL import Image

from exchange.actor import Role
from exchange.database import fetch, fetchval
from exchange.settlement.actions import deals
from exchange.settlement.actions.evidence import forget_drafts
from exchange.settlement.rules.evidence import MOST
from tests.factories import make_person, sign_in
from tests.settlement.conftest import Agreed, agree, paid
from tests.settlement.fakes import FakeGateway

pytestmark = pytest.mark.usefixtures("committed")

PLACE = b"Rue des Rivaux"


def picture(note: bytes = PLACE) -> bytes:
    """A phone's picture, sideways, with a remark in its metadata."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, note.decode()
    out = io.BytesIO()
    Image.new("RGB", (40, 20), "brown").save(out, "JPEG", exif=exif)
    assert note in out.getvalue()
    return out.getvalue()


def phone(*fields: str) -> list[tuple[str, tuple[str, bytes, str]]]:
    return [(field, ("IMG_0042.jpg", picture(), "image/jpeg")) for field in fields]


async def shipped(gateway: FakeGateway) -> Agreed:
    agreed = await agree()
    await paid(agreed, gateway)
    await deals.ship(deal_id=agreed.deal_id, carrier="Geodis", tracking="G1", by=agreed.seller.actor)
    return agreed


async def test_a_refused_claim_keeps_its_photos_and_a_made_one_shows_them_to_both_sides_alone(
    client: httpx.AsyncClient, gateway: FakeGateway
) -> None:
    agreed = await shipped(gateway)
    at = f"/deals/{agreed.deal_id}"
    line = await fetchval("select id from manifest_line where title = 'Ponceuse'")
    await sign_in(client, agreed.buyer)
    refused = await client.post(
        f"{at}/claims", data={"said": "Crushed"}, files=phone(f"photo-{line}", "photo", "photo")
    )
    assert refused.status_code == 422
    assert "Crushed" in refused.text
    assert refused.text.count("?small=1") == 3
    assert "3 photos" not in refused.text, "one belongs to its line"
    one, two, three = [row["id"] for row in await fetch("select id from deal_photo order by created_at")]
    own = await client.get(f"{at}/photos/{one}")
    assert own.status_code == 200
    assert PLACE not in own.content
    assert Image.open(io.BytesIO(own.content)).size == (20, 40), "turned upright"

    operator = await make_person(role=Role.OPERATOR)
    for other in (agreed.seller, operator):
        await sign_in(client, other)
        assert (await client.get(f"{at}/photos/{one}")).status_code == 404, "a draft is its taker's"

    await sign_in(client, agreed.buyer)
    made = await client.post(
        f"{at}/claims",
        data={f"damaged-{line}": "5", f"loss-{line}": "60", "reserves": "2 boxes crushed", "without": str(two)},
    )
    assert made.status_code == 303, made.text
    for reader in (agreed.seller, operator, agreed.buyer):
        await sign_in(client, reader)
        page = await client.get(at)
        assert f"{at}/photos/{one}?small=1" in page.text
        assert f"{at}/photos/{three}" in page.text
        assert str(two) not in page.text
        assert "2 boxes crushed" in page.text
        assert (await client.get(f"{at}/photos/{one}?small=1")).status_code == 200
    assert "must leave by" in page.text, "the buyer is told of the letter to the carrier"
    await sign_in(client, await make_person(role=Role.OWNER))
    assert (await client.get(f"{at}/photos/{one}")).status_code == 404
    letter = await fetchval("select text from mail where template = 'deal_letter'")
    assert "Geodis" in letter


async def test_what_is_no_photo_is_refused_by_name_and_the_others_are_kept(
    client: httpx.AsyncClient, gateway: FakeGateway
) -> None:
    agreed = await shipped(gateway)
    await sign_in(client, agreed.buyer)
    files = [*phone("photo"), ("photo", ("note.pdf", b"%PDF-1.7", "application/pdf"))]
    answer = await client.post(f"/deals/{agreed.deal_id}/receipt", data={"verdict": "right"}, files=files)
    assert answer.status_code == 422
    assert "no photo we can read" in answer.text
    assert answer.text.count("?small=1") == 1
    assert await agreed.state() == "shipped", "nobody is paid by a form that was refused"
    many = await client.post(f"/deals/{agreed.deal_id}/receipt", data={}, files=phone(*["photo"] * MOST))
    assert "are enough here" in many.text
    await sign_in(client, agreed.seller)
    refused = await client.post(f"/deals/{agreed.deal_id}/receipt", data={}, files=phone("photo"))
    assert refused.status_code == 403
    assert await fetchval("select count(*) from deal_photo") == MOST


async def test_the_goods_arrive_are_noted_and_turn_out_wrong(client: httpx.AsyncClient, gateway: FakeGateway) -> None:
    agreed = await shipped(gateway)
    at = f"/deals/{agreed.deal_id}"
    await sign_in(client, agreed.buyer)
    page = await client.get(f"{at}/receipt")
    assert 'capture="environment"' in page.text
    assert (await client.post(f"{at}/receipt")).status_code == 422, "silence is no verdict"
    checking = {"verdict": "checking", "reserves": "One pallet short"}
    assert (await client.post(f"{at}/receipt", data=checking, files=phone("photo"))).status_code == 303
    assert await agreed.state() == "delivered"
    assert not await fetchval("select draft from deal_photo"), "handed in with the receipt"
    assert await fetchval("select count(*) from mail where template = 'deal_letter'") == 1
    wrong = await client.post(f"{at}/receipt", data={"verdict": "wrong", "reserves": "One pallet short, one wet"})
    assert wrong.headers["location"] == f"{at}/claims/new"
    assert "one wet" in (await client.get(f"{at}/claims/new")).text, "said once is said"
    assert await agreed.state() == "delivered"


async def test_the_seller_tells_what_the_carrier_says_and_shows_the_signed_note(
    client: httpx.AsyncClient, gateway: FakeGateway
) -> None:
    agreed = await shipped(gateway)
    at, before = f"/deals/{agreed.deal_id}", await fetchval("select due_at from deal")
    await sign_in(client, agreed.seller)
    assert (await client.post(f"{at}/news", data={"news": " "})).status_code == 422
    assert (await client.post(f"{at}/news", data={"news": "Lyon depot, this morning"})).status_code == 303
    assert await fetchval("select due_at from deal") > before, "the goods have moved: the count starts anew"
    shown = await client.post(f"{at}/proof", data={"proof": "Signed by Dupont"}, files=phone("photo"))
    assert shown.status_code == 303
    await sign_in(client, agreed.buyer)
    page = await client.get(at)
    assert "Lyon depot" in page.text
    assert f"{at}/photos/" in page.text


async def test_drafts_nobody_sent_do_not_stay(client: httpx.AsyncClient, gateway: FakeGateway) -> None:
    agreed = await shipped(gateway)
    await sign_in(client, agreed.buyer)
    await client.post(f"/deals/{agreed.deal_id}/claims", data={}, files=phone("photo"))
    await forget_drafts()
    assert await fetchval("select count(*) from deal_photo") == 1
    await deals.receive(deal_id=agreed.deal_id, by=agreed.buyer.actor)
    await forget_drafts()
    assert await fetchval("select count(*) from deal_photo") == 1, "the deal is still closing"
