"""What each side reads of transfers that came short, warnings, refunds that came back, and accounts that change."""

from dataclasses import replace
from datetime import timedelta
from unittest.mock import AsyncMock

import httpx
import pytest

from exchange.actor import Role
from exchange.clock import frozen, now
from exchange.database import execute, fetch, fetchval
from exchange.money import Money
from exchange.settlement.actions import deals, events, payments, reconcile, sellers
from exchange.settlement.queries.deals import any_deal
from exchange.settlement.queries.money import money_of, payment_of
from exchange.settlement.rules.deal import Side
from exchange.settlement.stripe_gateway import Awaited, NoAnswer
from tests.factories import bearer, make_person, sign_in
from tests.settlement.conftest import agree, onboarded, paid, work
from tests.settlement.fakes import FakeGateway

pytestmark = pytest.mark.usefixtures("committed")


async def test_the_buyer_reads_what_is_left_to_transfer_and_where(
    client: httpx.AsyncClient, gateway: FakeGateway
) -> None:
    agreed = await agree()
    await payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor)
    awaited = Awaited(Money(45_00, "EUR"), "REF1", "https://pay.example/instructions")
    gateway.becomes(
        await agreed.session_id(), status="complete", intent_id="pi_1", intent_status="requires_action", awaited=awaited
    )
    seen = await payment_of(agreed.deal_id)
    assert seen
    await payments.refresh(seen.id)
    pages = {}
    for name, person in (("buyer", agreed.buyer), ("seller", agreed.seller)):
        await sign_in(client, person)
        pages[name] = (await client.get(f"/deals/{agreed.deal_id}")).text
    assert "€75.00 has arrived, €45.00 is still due." in pages["buyer"]
    assert 'href="https://pay.example/instructions"' in pages["buyer"]
    assert "instructions" not in pages["seller"]


async def test_what_is_held_never_tells_the_buyer_the_commission(gateway: FakeGateway) -> None:
    chief, agreed = await make_person(role=Role.OPERATOR), await agree()
    await paid(agreed, gateway)

    async def held() -> list[int]:
        deal = await any_deal(agreed.deal_id)
        return [(await money_of(deal, side)).held.minor for side in (Side.BUYER, Side.SELLER, Side.OPERATOR)]

    assert await held() == [120_00] * 3
    await deals.decide(
        deal_id=agreed.deal_id, refund=Money(30_00, "EUR"), reasons="Half of it is gone.", by=chief.actor
    )
    assert await held() == [30_00, 115_50, 115_50], "its own refund has not left"
    await work()
    assert await agreed.state() == "closing", "the seller has no account yet"
    assert await held() == [0, 85_50, 85_50]


async def test_only_the_operator_reads_of_a_warning_and_settles_what_came_back(
    client: httpx.AsyncClient, gateway: FakeGateway
) -> None:
    chief, agreed = await make_person(role=Role.OPERATOR), await agree()
    await paid(agreed, gateway)
    await execute("update payment set fraud_warning = 'issfr_1'")
    await execute(
        "insert into cash_return (id, company_id, deal_id, lot_id, currency, amount_minor, reason, state, created_at) "
        "select gen_random_uuid(), buyer_company_id, id, lot_id, 'EUR', 1200, 'over', 'failed', now() from deal"
    )
    at = f"/deals/{agreed.deal_id}"
    pages = {}
    for name, person in (("buyer", agreed.buyer), ("seller", agreed.seller), ("operator", chief)):
        await sign_in(client, person)
        pages[name] = (await client.get(at)).text
    assert f"{at}/clearance" in pages["operator"]
    assert f"{at}/other-refund" in pages["operator"]
    assert '<input type="hidden" name="amount" value="12.00">' in pages["operator"]
    assert "Your bank returned €12.00" in pages["buyer"]
    for side in ("buyer", "seller"):
        assert "fraud" not in pages[side]
        assert f"{at}/other-refund" not in pages[side]
    assert "€12.00" not in pages["seller"]

    refused = await client.post(f"{at}/other-refund", data={"amount": "12.00", "reference": ""})
    assert (refused.status_code, "Enter the reference" in refused.text) == (422, True)
    assert (await client.post(f"{at}/other-refund", data={"amount": "12.00", "reference": "VIR 1"})).status_code == 303
    assert (await client.post(f"{at}/clearance")).status_code == 303


async def test_an_account_is_changed_through_the_pages(client: httpx.AsyncClient, gateway: FakeGateway) -> None:
    chief, agreed = await make_person(role=Role.OPERATOR), await agree()
    await onboarded(agreed, gateway)
    company = agreed.seller.actor.company_id
    assert company
    await sign_in(client, agreed.seller)
    assert "/money/account-change" in (await client.get("/money")).text
    assert (await client.post("/money/account-change")).status_code == 303
    assert "/money/account-change/withdrawal" in (await client.get("/money")).text
    await sellers.start_onboarding(by=agreed.seller.actor)
    for account in gateway.recipients:
        gateway.onboards(account)
    await sellers.look_at_account(company)

    await sign_in(client, chief)
    at = f"/operator/account-changes/{company}"
    assert f"{at}/confirmation" in (await client.get("/operator/money")).text
    assert (await client.post(f"{at}/confirmation")).status_code == 303
    assert "takes effect on" in (await client.get("/operator/money")).text
    assert (await client.post(f"{at}/withdrawal")).status_code == 303
    assert (await client.post(f"{at}/withdrawal")).status_code == 409


async def test_the_seller_reads_why_its_money_does_not_leave(client: httpx.AsyncClient, gateway: FakeGateway) -> None:
    agreed = await agree()
    await onboarded(agreed, gateway)
    await paid(agreed, gateway)
    await deals.ship(deal_id=agreed.deal_id, carrier="Geodis", tracking="G1", by=agreed.seller.actor)
    await deals.receive(deal_id=agreed.deal_id, by=agreed.buyer.actor)
    await sign_in(client, agreed.seller)
    for why, said in (
        ("select", "about to leave"),
        (
            "insert into reconciliation (id, at, movements, differences, agreed) "
            "values (gen_random_uuid(), now(), 0, '[]', false)",
            "the exchange is checking its books",
        ),
        ("update payment set fraud_warning = 'issfr_1'", "being checked before it leaves"),
        (
            "insert into dispute (id, payment_id, lot_id, dispute_id, status, currency, amount_minor, over) "
            "select gen_random_uuid(), id, lot_id, 'dp_1', 'needs_response', 'EUR', 1, false from payment",
            "bank disputes it",
        ),
        ("update release_leg set state = 'sent'", "on its way"),
    ):
        await execute(why)
        page = (await client.get("/money")).text
        assert said in page.partition("Deal by deal")[2], why
        assert "fraud" not in page


async def test_a_seller_whose_bank_refuses_its_money_is_told_once_and_where_to_mend_it(
    client: httpx.AsyncClient, gateway: FakeGateway
) -> None:
    agreed = await agree()
    account = await onboarded(agreed, gateway)
    earlier = gateway.pays_out(account, Money(20_00, "EUR"))
    await events.take_in(gateway.event("payout.paid", {"id": earlier}, account=account), "webhook")
    await work()
    await sign_in(client, agreed.seller)
    page = (await client.get("/money")).text
    assert "Paid out to your bank" in page
    assert "€20.00" in page
    assert "refused" not in page

    refused = gateway.pays_out(account, Money(114_00, "EUR"), "failed", "account_closed")
    foreign = gateway.pays_out("acct_of_nobody_here", Money(1_00, "EUR"), "failed", "account_closed")
    for payout, whose in ((refused, account), (refused, account), (foreign, "acct_of_nobody_here"), (earlier, account)):
        await events.take_in(gateway.event("payout.failed", {"id": payout}, account=whose), "webhook")
        await work()
    page = (await client.get("/money")).text
    assert "Your bank refused €114.00" in page
    assert "The account is closed." in page
    assert 'action="/money/onboarding"' in page
    last, first = (await client.get("/api/v1/money/payouts", headers=await bearer(agreed.seller))).json()
    assert (last["state"], last["arrives_at"]) == ("failed", None)
    assert (last["amount"]["minor"], last["refused_because"]) == (114_00, "The account is closed.")
    assert (first["state"], first["refused_because"]) == ("paid", None)
    for other, answer in ((agreed.buyer, 200), (await make_person(role=Role.OPERATOR), 403)):
        theirs = await client.get("/api/v1/money/payouts", headers=await bearer(other))
        assert theirs.status_code == answer
        assert "11400" not in theirs.text
    (mail,) = await fetch("select recipient, text from mail where template = 'payout_failed'")
    assert mail["recipient"] == agreed.seller.email
    assert "€114.00" in mail["text"]


async def test_a_refusal_nobody_told_us_of_is_found_the_next_day(gateway: FakeGateway) -> None:
    agreed = await agree()
    account = await onboarded(agreed, gateway)
    await paid(agreed, gateway)
    await deals.ship(deal_id=agreed.deal_id, carrier="Geodis", tracking="G1", by=agreed.seller.actor)
    await deals.receive(deal_id=agreed.deal_id, by=agreed.buyer.actor)
    await work()
    gateway.pays_out(account, Money(-3_00, "EUR"))  # what the account lacked, taken from its bank
    gateway.pays_out(account, Money(114_00, "EUR"), "failed", "no_account")
    for _ in range(2):
        await reconcile.poll_payouts()
    assert await fetchval("select count(*) from mail where template = 'payout_failed'") == 1
    assert await fetchval("select count(*) from payout") == 1, "what went on to its bank"


async def test_a_payout_that_fails_while_nobody_works_is_found_however_late(gateway: FakeGateway) -> None:
    agreed = await agree()
    account = await onboarded(agreed, gateway)
    await paid(agreed, gateway)
    await deals.ship(deal_id=agreed.deal_id, carrier="Geodis", tracking="G1", by=agreed.seller.actor)
    await deals.receive(deal_id=agreed.deal_id, by=agreed.buyer.actor)
    await work()
    payout = gateway.pays_out(account, Money(114_00, "EUR"))
    await reconcile.poll_payouts()
    assert await fetchval("select state from payout") == "paid"
    owner, found = gateway.paid_out[payout]
    gateway.paid_out[payout] = owner, replace(found, status="failed", failure="no_account")
    silent, whole = AsyncMock(side_effect=NoAnswer), gateway.payouts
    for days, answer in ((70, silent), (71, whole)):
        gateway.payouts = answer  # type: ignore[method-assign]  # for that day the service is silent
        with frozen(now() + timedelta(days=days)):
            await reconcile.match_books()
            await reconcile.poll_payouts()
    assert await fetchval("select state from payout") == "failed"
    assert await fetchval("select count(*) from mail where template = 'payout_failed'") == 1
