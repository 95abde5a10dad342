"""Deals as JSON."""

import httpx
import pytest

from exchange.actor import Role
from exchange.database import execute, fetchval
from exchange.settlement.actions import deals, events
from tests.factories import bearer, make_person
from tests.settlement.conftest import agree, onboarded, paid, work
from tests.settlement.fakes import FakeGateway
from tests.settlement.test_dock import picture

pytestmark = pytest.mark.usefixtures("committed")


async def test_the_whole_journey_as_json(client: httpx.AsyncClient, gateway: FakeGateway) -> None:
    agreed = await agree()
    await onboarded(agreed, gateway)
    at = f"/api/v1/deals/{agreed.deal_id}"
    buyer, seller = await bearer(agreed.buyer), await bearer(agreed.seller)

    listed = (await client.get("/api/v1/deals", headers=buyer)).json()
    assert [deal["id"] for deal in listed] == [str(agreed.deal_id)]
    assert listed[0]["next"]["whose"] == "buyer"
    assert listed[0]["total"] == {"minor": 12000, "currency": "EUR"}

    page = await client.post(f"{at}/payment", headers=buyer | {"Idempotency-Key": "1"})
    assert page.status_code == 201
    assert (await client.post(f"{at}/payment", headers=buyer)).json() == page.json()
    gateway.pays(await agreed.session_id())
    await client.get(f"{at}", headers=buyer)
    news = gateway.event("checkout.session.completed", {"id": await agreed.session_id()})
    await events.take_in(news, "webhook")
    await work()

    early = await client.post(f"{at}/receipt", headers=buyer)
    assert (early.status_code, early.json()["code"]) == (409, "not_now")
    wrong = await client.post(f"{at}/shipment", headers=buyer, json={"carrier": "Geodis", "tracking": "G1"})
    assert (wrong.status_code, wrong.json()["code"]) == (403, "not_your_move")
    missing = await client.post(f"{at}/shipment", headers=seller, json={"carrier": "Geodis"})
    assert missing.status_code == 422
    assert missing.json()["errors"][0]["field"] == "tracking"
    sent = await client.post(f"{at}/shipment", headers=seller, json={"carrier": "Geodis", "tracking": "G1"})
    assert sent.json()["state"] == "shipped"
    assert sent.json()["commission"] == {"minor": 600, "currency": "EUR"}
    assert "receive" not in sent.json()["may"]

    done = await client.post(f"{at}/receipt", headers=buyer)
    assert done.json()["state"] == "closing"
    await work()
    final = (await client.get(at, headers=buyer)).json()
    assert (final["state"], final["held"]["minor"]) == ("settled", 0)
    assert final["commission"] is None
    assert [line["fact"] for line in final["ledger"]] == ["paid"]


async def test_a_claim_as_json(client: httpx.AsyncClient, gateway: FakeGateway) -> None:
    agreed = await agree()
    await paid(agreed, gateway)
    await deals.ship(deal_id=agreed.deal_id, carrier="Geodis", tracking="G1", by=agreed.seller.actor)
    buyer = await bearer(agreed.buyer)
    at = f"/api/v1/deals/{agreed.deal_id}"
    line = next(x for x in (await client.get(at, headers=buyer)).json()["lines"] if x["label"] == "Ponceuse")
    too_many = await client.post(
        f"{at}/claims", headers=buyer, json={"lines": [{"line_id": line["id"], "reason": "missing", "units": 99}]}
    )
    assert (too_many.status_code, too_many.json()["code"]) == (422, "too_many_claimed")
    wanted = {"occasion": "claim", "line_id": line["id"]}
    kept = await client.post(f"{at}/photos", headers=buyer, params=wanted, files={"photo": ("a.jpg", picture())})
    assert kept.status_code == 201, kept.text
    made = await client.post(
        f"{at}/claims", headers=buyer, json={"lines": [{"line_id": line["id"], "reason": "missing", "units": 2}]}
    )
    assert made.status_code == 201
    assert made.json()["claim"]["wanted"] == {"minor": 3000, "currency": "EUR"}
    assert [photo["line_id"] for photo in made.json()["photos"]] == [line["id"]]
    assert "escalate" not in made.json()["may"]

    seller = await bearer(agreed.seller)
    assert (await client.get(kept.json()["href"], headers=seller)).headers["content-type"] == "image/jpeg"
    (claimed,) = made.json()["claim"]["lines"]
    answered = await client.post(
        f"{at}/claims/answer", headers=seller, json={"lines": [{"id": claimed["id"], "percent": 50}], "text": "half"}
    )
    assert answered.json()["claim"]["offered"]["minor"] == 1500
    assert answered.json()["next"]["whose"] == "buyer"
    agreed_on = await client.post(f"{at}/claims/agreement", headers=buyer)
    assert (agreed_on.json()["state"], agreed_on.json()["refund"]["minor"]) == ("closing", 1800)
    assert (await client.post(f"{at}/claims/withdrawal", headers=buyer)).status_code == 409


async def test_a_refund_that_was_refused_as_json(client: httpx.AsyncClient, gateway: FakeGateway) -> None:
    agreed = await agree()
    await paid(agreed, gateway)
    at = f"/api/v1/deals/{agreed.deal_id}"
    buyer, seller = await bearer(agreed.buyer), await bearer(agreed.seller)
    chief = await bearer(await make_person(role=Role.OPERATOR))
    assert (await client.post(f"{at}/cancellation", headers=buyer)).json()["state"] == "paid"
    assert (await client.post(f"{at}/cancellation", headers=seller)).json()["state"] == "closing"
    gateway.refuses["refund"] = "expired_or_canceled_card"
    await work()
    refused = {"returned": {"minor": 0, "currency": "EUR"}, "refused": {"minor": 12000, "currency": "EUR"}}
    for reader, sees in ((buyer, refused), (seller, None), (chief, refused)):
        assert (await client.get(at, headers=reader)).json()["unrefunded"] == sees
    assert (await client.post(f"{at}/refund-again", headers=buyer)).status_code == 403
    assert (await client.post(f"{at}/refund-again", headers=chief)).json()["unrefunded"] is None, "on its way again"
    await work()
    whole = {"minor": 12000, "currency": "EUR"}
    unnamed = await client.post(f"{at}/other-refund", headers=chief, json={"amount": whole})
    assert (unnamed.status_code, unnamed.json()["code"]) == (422, "reference_missing")
    by_transfer = await client.post(f"{at}/other-refund", headers=chief, json={"amount": whole, "reference": "VIR 1"})
    assert (by_transfer.json()["state"], by_transfer.json()["unrefunded"]) == ("refunded", None)


async def test_a_decision_a_parked_part_and_a_late_refund_as_json(
    client: httpx.AsyncClient, gateway: FakeGateway
) -> None:
    agreed = await agree()
    await paid(agreed, gateway)
    at = f"/api/v1/deals/{agreed.deal_id}"
    chief = await bearer(await make_person(role=Role.OPERATOR))
    for minor, currency in ((60_00, "eur"), (60_00, ""), (10**30, "EUR")):
        odd = {"refund": {"minor": minor, "currency": currency}, "reasons": "half of it never came"}
        assert (await client.post(f"{at}/decision", headers=chief, json=odd)).status_code in {400, 422}
    shared = {"refund": {"minor": 60_00, "currency": "EUR"}, "reasons": "half of it never came"}
    assert (await client.post(f"{at}/decision", headers=chief, json=shared)).json()["state"] == "closing"
    await work()
    (part,) = (await client.get(at, headers=chief)).json()["parts"]
    assert (part["state"], part["amount"]["minor"]) == ("parked", 57_00)
    assert (await client.get(at, headers=await bearer(agreed.buyer))).json()["parts"] == []
    gift = f"{at}/parts/{part['id']}/gift"
    assert (await client.post(gift, headers=chief, json={"to": "the post"})).status_code == 400
    own = await client.post(gift, headers=chief, json={"to": "seller"})
    assert (own.status_code, own.json()["code"]) == (409, "leg_not_waiting"), "it is the seller's own"
    assert (await client.post(gift, headers=chief, json={"to": "buyer"})).json()["refund"]["minor"] == 117_00
    await work()
    assert (await client.get(at, headers=chief)).json()["state"] == "partly_refunded"
    late = await client.post(f"{at}/refund", headers=chief, json={"refund": {"minor": 3_00, "currency": "EUR"}})
    assert late.json()["refund"]["minor"] == 120_00
    await work()
    assert (await client.get(at, headers=chief)).json()["state"] == "refunded"


async def test_a_rival_sees_nothing_and_changes_nothing(client: httpx.AsyncClient, gateway: FakeGateway) -> None:
    agreed = await agree()
    rival = await bearer(await make_person())
    at = f"/api/v1/deals/{agreed.deal_id}"
    assert (await client.get("/api/v1/deals", headers=rival)).json() == []
    for answer in (
        await client.get(at, headers=rival),
        await client.post(f"{at}/payment", headers=rival),
        await client.post(f"{at}/shipment", headers=rival, json={"carrier": "x", "tracking": "x"}),
        await client.post(f"{at}/receipt", headers=rival),
        await client.post(f"{at}/claims", headers=rival, json={"lines": []}),
    ):
        assert answer.status_code == 404, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
    assert await fetchval("select count(*) from payment") == 0
    assert (await client.get(at)).status_code == 401


async def test_pages_of_deals_follow_each_other_without_loss(client: httpx.AsyncClient, gateway: FakeGateway) -> None:
    agreed = await agree()
    for _ in range(2):
        other = await agree()
        await _give(other.deal_id, agreed.buyer.company.id)  # type: ignore[union-attr]  # it has one
    buyer = await bearer(agreed.buyer)
    seen: list[str] = []
    while page := (
        await client.get("/api/v1/deals", headers=buyer, params={"limit": 1} | ({"after": seen[-1]} if seen else {}))
    ).json():
        seen += [deal["id"] for deal in page]
    assert len(seen) == len(set(seen)) == 3


async def _give(deal_id: object, company_id: object) -> None:
    await execute("update deal set buyer_company_id = $2 where id = $1", deal_id, company_id)
