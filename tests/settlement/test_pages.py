"""Deals through the browser's doors."""

import re
from datetime import timedelta

import httpx
import pytest

from exchange import clock
from exchange.actor import Role
from exchange.database import execute, fetch, fetchval
from exchange.money import Money
from exchange.settlement.actions import deals, events
from exchange.settlement.pages.shown import deal_mark
from exchange.settlement.rules.drift import Movement
from exchange.settlement.stripe_gateway import Dispute
from tests.factories import make_person, sign_in
from tests.settlement.conftest import Agreed, agree, onboarded, paid, work
from tests.settlement.fakes import FakeGateway

pytestmark = pytest.mark.usefixtures("committed")


def _mark(page: httpx.Response) -> str:
    found = re.search(r'data-mark="(\w+)"', page.text)
    assert found
    return found[1]


async def test_the_whole_journey_page_by_page(client: httpx.AsyncClient, gateway: FakeGateway) -> None:
    agreed = await agree()
    at = f"/deals/{agreed.deal_id}"
    account = await onboarded(agreed, gateway)

    await sign_in(client, agreed.buyer)
    listed = await client.get("/deals")
    assert listed.status_code == 200
    assert agreed.seller.company
    assert agreed.seller.company.trading_name in listed.text, "agreement has revealed the other side"
    page = await client.get(at)
    assert page.status_code == 200, page.text
    assert "€120.00" in page.text
    sent = await client.post(f"{at}/payment")
    assert sent.status_code == 303, sent.text
    assert sent.headers["location"].startswith("https://pay.example/")
    assert (await client.post(f"{at}/payment")).headers["location"] == sent.headers["location"]
    gateway.pays(await agreed.session_id())
    back = await client.get(f"{at}/payment", params={"cs": await agreed.session_id()})
    assert back.headers["location"] == at
    paid = await client.get(at)
    assert "€120.00 held" in paid.text
    assert "held until receipt" in paid.text
    assert _mark(paid) != _mark(page), "an open page asks again"

    await sign_in(client, agreed.seller)
    shown = _mark(await client.get(at))
    refused = await client.post(f"{at}/shipment", data={"how": "carrier", "carrier": "Geodis", "tracking": ""})
    assert refused.status_code == 422
    assert 'value="Geodis"' in refused.text, "what was typed is kept"
    assert 'aria-invalid="true"' in refused.text
    assert _mark(refused) == shown == await deal_mark(agreed.seller.actor, agreed.deal_id), "nothing to ask again for"
    done = await client.post(f"{at}/shipment", data={"how": "carrier", "carrier": "Geodis", "tracking": "G1"})
    assert done.status_code == 303

    await sign_in(client, agreed.buyer)
    assert (await client.post(f"{at}/receipt", data={"verdict": "right"})).status_code == 303
    await work()
    page = await client.get(at)
    assert "settled" in page.text
    assert "Commission" not in page.text, "what the seller pays the exchange is not the buyer's"

    await sign_in(client, agreed.seller)
    page = await client.get(at)
    assert "€114.00" in page.text
    assert "€1.75" not in page.text, "what the exchange pays its payment service is nobody else's"
    money = await client.get("/money")
    assert "€114.00" in money.text
    assert [t.destination for t in gateway.transfers.values()] == [account]


async def test_the_page_in_french_speaks_french(client: httpx.AsyncClient, gateway: FakeGateway) -> None:
    agreed = await agree()
    await paid(agreed, gateway)
    reader = await make_person(agreed.seller.company, language="fr")
    await sign_in(client, reader)
    page = await client.get(f"/deals/{agreed.deal_id}")
    assert "retenu jusqu’à réception" in page.text
    for word in ("escrow", "séquestre", "What happens next", "Every cent"):
        assert word not in page.text


async def test_a_disputed_payment_is_said_to_each_side_before_the_goods_leave(
    client: httpx.AsyncClient, gateway: FakeGateway
) -> None:
    agreed = await agree()
    await onboarded(agreed, gateway)
    await paid(agreed, gateway)
    charge = await fetchval("select charge_id from payment")
    for status in ("needs_response", "under_review"):
        gateway.disputes["dp_1"] = Dispute("dp_1", status, Money(120_00, "EUR"), charge)
        await events.take_in(gateway.event("charge.dispute.updated", {"id": "dp_1"}), "webhook")
        await work()
    told = {row["recipient"]: row["text"] for row in await fetch("select * from mail where template = 'deal_disputed'")}
    assert len(told) == await fetchval("select count(*) from mail where template = 'deal_disputed'"), "once each"
    assert "Do not hand over the goods" in told[agreed.seller.email]
    assert "Do not hand over" not in told[agreed.buyer.email]

    at = f"/deals/{agreed.deal_id}"
    for reader, said in ((agreed.buyer, "ask your bank to withdraw it"), (agreed.seller, "Do not hand over the goods")):
        await sign_in(client, reader)
        page = (await client.get(at)).text
        assert said in page
        assert "Hand the goods to a carrier" not in page
    with clock.frozen(clock.now() + timedelta(days=30)):
        await deals.tick(agreed.deal_id)
        assert await agreed.state() == "paid", "a seller told to keep the goods is not late"
        gateway.disputes["dp_1"] = Dispute("dp_1", "won", Money(120_00, "EUR"), charge)
        await events.take_in(gateway.event("charge.dispute.closed", {"id": "dp_1"}), "webhook")
        await work()
        assert await agreed.state() == "paid"
        assert await fetchval("select due_at from deal") > clock.now() + timedelta(days=9), "its time counts anew"
    assert "Hand the goods to a carrier" in (await client.get(at)).text


DOORS = [
    ("GET", ""),
    ("GET", "/live"),
    ("POST", "/payment"),
    ("GET", "/payment?cs=cs_1"),
    ("POST", "/shipment"),
    ("POST", "/news"),
    ("POST", "/proof"),
    ("POST", "/arrival"),
    ("GET", "/receipt"),
    ("POST", "/receipt"),
    ("GET", "/photos/5f0c0f2e-6a52-4a0e-9d43-0c9a4f1f7d11"),
    ("POST", "/cancellation"),
    ("POST", "/withdrawal"),
    ("GET", "/claims/new"),
    ("POST", "/claims"),
    ("POST", "/claims/answer"),
    ("POST", "/claims/agreement"),
    ("POST", "/claims/withdrawal"),
    ("POST", "/claims/escalation"),
]


async def test_a_rival_sees_nothing_and_changes_nothing(client: httpx.AsyncClient, gateway: FakeGateway) -> None:
    agreed = await agree()
    await paid(agreed, gateway)
    await sign_in(client, await make_person(role=Role.OWNER))
    assert agreed.seller.company
    typed = {"how": "carrier", "carrier": "x", "tracking": "x", "proof": "x", "offered": "1"}
    for verb, path in DOORS:
        answer = await client.request(verb, f"/deals/{agreed.deal_id}{path}", data=typed if verb == "POST" else None)
        assert answer.status_code == 404, (verb, path, answer.text)
        assert agreed.seller.company.trading_name not in answer.text
    assert await agreed.state() == "paid"


async def test_a_foreign_session_in_the_return_address_is_refused_by_name(
    client: httpx.AsyncClient, gateway: FakeGateway
) -> None:
    mine, other = await agree(), await agree()
    await paid(other, gateway)
    await sign_in(client, mine.buyer)
    answer = await client.get(f"/deals/{mine.deal_id}/payment", params={"cs": await other.session_id()})
    assert answer.status_code == 404
    assert "does not belong to this deal" in answer.text
    assert await mine.state() == "awaiting_payment"


async def test_a_claim_line_by_line_keeps_what_was_typed(client: httpx.AsyncClient, gateway: FakeGateway) -> None:
    agreed = await agree()
    await onboarded(agreed, gateway)
    await paid(agreed, gateway)
    await deals.ship(deal_id=agreed.deal_id, carrier="Geodis", tracking="G1", by=agreed.seller.actor)
    line = str(await fetchval("select id from manifest_line where lot_id = $1 and title = 'Ponceuse'", agreed.lot_id))
    await sign_in(client, agreed.buyer)
    at = f"/deals/{agreed.deal_id}/claims"
    assert "Ponceuse" in (await client.get(f"{at}/new")).text
    refused = await client.post(at, data={f"missing-{line}": "99", "said": "Two boxes were empty"})
    assert refused.status_code == 422
    assert "Two boxes were empty" in refused.text
    assert "Ponceuse" in refused.text
    for nonsense in ("-1", "1.5", "٣", "9" * 30):
        assert (await client.post(at, data={f"missing-{line}": nonsense})).status_code == 422
    assert (await client.post(at, data={f"missing-{line}": "2", "said": "Empty"})).status_code == 303
    await sign_in(client, agreed.seller)
    page = await client.get(f"/deals/{agreed.deal_id}")
    assert "2 units missing" in page.text
    claimed = await fetchval("select id from claim_line")
    refused = await client.post(f"{at}/answer", data={f"percent-{claimed}": "a lot", "answer": "We counted them"})
    assert refused.status_code == 422
    assert "We counted them" in refused.text
    assert (await client.post(f"{at}/agreement")).status_code == 303
    await work()
    assert await agreed.state() == "partly_refunded"


async def test_the_seller_is_led_to_the_onboarding_and_back(client: httpx.AsyncClient, gateway: FakeGateway) -> None:
    agreed = await agree()
    await sign_in(client, agreed.seller)
    assert "Where shall your money go?" in (await client.get("/money")).text
    away = await client.post("/money/onboarding")
    assert away.headers["location"].startswith("https://onboard.example/")
    account = await fetchval("select account_id from payout_account")
    back = await client.get("/money/onboarding/return")
    assert back.headers["location"] == "/money"
    assert "is not ready yet" in (await client.get("/money")).text
    gateway.onboards(account)
    await client.get("/money/onboarding/return")
    assert "can receive money" in (await client.get("/money")).text


async def test_a_trader_may_not_open_the_companys_account(client: httpx.AsyncClient, gateway: FakeGateway) -> None:
    agreed = await agree()
    trader = await make_person(agreed.seller.company)
    await sign_in(client, trader)
    assert (await client.post("/money/onboarding")).status_code == 403
    assert not gateway.calls


async def test_the_operator_reads_the_books_and_nobody_else(client: httpx.AsyncClient, gateway: FakeGateway) -> None:
    agreed = await agree()
    await onboarded(agreed, gateway)
    await paid(agreed, gateway)
    operator = await make_person(role=Role.OPERATOR)
    await sign_in(client, operator)
    page = await client.get("/operator/money")
    assert page.status_code == 200, page.text
    assert "Held for deals" in page.text
    assert (await client.post("/operator/money/comparison")).status_code == 303
    assert (await client.get(f"/deals/{agreed.deal_id}")).status_code == 200
    await sign_in(client, agreed.seller)
    assert (await client.get("/operator/money")).status_code == 403
    assert (await client.post(f"/deals/{agreed.deal_id}/decision", data={"refund": "0"})).status_code == 403


async def test_the_operator_decides_on_the_page(client: httpx.AsyncClient, gateway: FakeGateway) -> None:
    agreed: Agreed = await agree()
    await onboarded(agreed, gateway)
    await paid(agreed, gateway)
    await sign_in(client, await make_person(role=Role.OPERATOR))
    at = f"/deals/{agreed.deal_id}"
    why = {"reasons": "Both sides share the damage."}
    assert (await client.post(f"{at}/decision", data={"refund": "500", **why})).status_code == 422
    assert (await client.post(f"{at}/decision", data={"refund": "12.00"})).status_code == 422, "no reasons"
    assert (await client.post(f"{at}/decision", data={"refund": "12.00", **why})).status_code == 303
    for side in (agreed.buyer, agreed.seller):
        await sign_in(client, side)
        assert "Both sides share the damage." in (await client.get(at)).text
    await work()
    assert await agreed.state() == "partly_refunded"


async def test_the_operator_refunds_an_ended_deal_on_its_page(client: httpx.AsyncClient, gateway: FakeGateway) -> None:
    agreed: Agreed = await agree()
    await onboarded(agreed, gateway)
    await paid(agreed, gateway)
    operator = await make_person(role=Role.OPERATOR)
    await sign_in(client, operator)
    at = f"/deals/{agreed.deal_id}"
    assert (await client.post(f"{at}/refund", data={"refund": "1.00"})).status_code == 409, "it has not ended"
    assert (await client.post(f"{at}/decision", data={"refund": "0", "reasons": "all was right"})).status_code == 303
    await work()
    assert "Refund the buyer" in (await client.get(at)).text
    assert (await client.post(f"{at}/refund", data={"refund": "500"})).status_code == 422
    assert (await client.post(f"{at}/refund", data={"refund": "12.00"})).status_code == 303
    await work()
    assert await agreed.state() == "partly_refunded"
    for side in (agreed.buyer, agreed.seller):
        await sign_in(client, side)
        page = await client.get(at)
        assert "Refund the buyer" not in page.text
        assert ("Taken back from the seller" in page.text) is (side is agreed.seller)
        assert (await client.post(f"{at}/refund", data={"refund": "1.00"})).status_code == 403


async def test_a_difference_is_explained_on_the_page(client: httpx.AsyncClient, gateway: FakeGateway) -> None:
    await sign_in(client, await make_person(role=Role.OPERATOR))
    await execute(
        "insert into reconciliation (id, at, movements, differences, agreed) values (gen_random_uuid(), now(), 1, $1, "
        "false)",
        '[{"source": "tr_by_hand", "currency": "EUR", "theirs_minor": -500, "ours_minor": 0}, '
        '{"source": "tr_far", "currency": "xqz", "theirs_minor": -1500, "ours_minor": 0}]',
    )
    gateway.moved.append((clock.now(), Movement("txn_1", "tr_by_hand", "transfer", "EUR", -500)))
    page = await client.get("/operator/money")
    assert "We did this by hand" in page.text
    assert "-1,500 xqz" in page.text
    assert "set it aside" in page.text
    at = "/operator/money/explanation"
    assert (await client.post(at, data={"source": "re_other", "currency": "EUR"})).status_code == 409
    assert (await client.post(at, data={"source": "tr_by_hand", "currency": "EUR"})).status_code == 303
    booked = await fetchval("select amount_minor from ledger_entry where account = 'external'")
    assert booked == 500
