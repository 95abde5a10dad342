"""Whole deals with the real Stripe library, over HTTP, against the sandbox; its signed webhooks reach the app."""

import asyncio
from datetime import timedelta

import pytest

from exchange.clock import follow as follow_offset
from exchange.clock import now
from exchange.database import execute, fetch, fetchval, transaction
from exchange.jobs import hasten
from exchange.money import Money
from exchange.settings import settings
from exchange.settlement import stripe_gateway
from exchange.settlement.actions import claims, deals, payments, reconcile
from exchange.settlement.queries.claims import lines_of
from exchange.settlement.queries.deals import any_deal
from exchange.settlement.queries.money import trial_balance
from exchange.settlement.rules.books import Account
from exchange.settlement.rules.claims import Claimed, Reason
from exchange.settlement.stripe_gateway import API_VERSION, Gateway, NoAnswer, Refused, refund_params, transfer_params
from exchange.virtual_time import follow
from tests.sandbox.kept import KEY
from tests.settlement.conftest import agree, due_now, work
from tests.settlement.service import Service, books_agree, shipped


async def test_a_deal_from_agreement_to_the_sellers_balance(service: Service) -> None:
    agreed = await agree()
    back = await service.onboard(agreed)
    assert back.endswith("/money/onboarding/return")
    await service.post()
    assert await fetchval("select status from payout_account") == "active", "the thin event told us"

    back = await service.pay(agreed)
    assert f"/deals/{agreed.deal_id}/payment?cs={await agreed.session_id()}" in back
    await service.post()
    assert await agreed.state() == "paid", "the webhook alone, without the browser"
    assert await agreed.held() == 120_00
    await service.control("clock", seconds=10)
    await service.post()
    assert await fetchval("select fee_minor from payment") > 0, "the charge's balance transaction came late"

    await shipped(agreed)
    await deals.receive(deal_id=agreed.deal_id, by=agreed.buyer.actor)
    await service.post()
    assert await agreed.state() == "settled"
    (transfer,) = await service.listed("/v1/transfers")
    charge = await fetchval("select charge_id from payment")
    assert (transfer["amount"], transfer["source_transaction"]) == (114_00, charge)
    assert transfer["transfer_group"] == str(agreed.deal_id)
    assert set(service.statuses) == {200}
    assert await fetchval("select count(*) from stripe_event where handled_at is null") == 0
    await books_agree()
    balances = {line.account: line.amount.minor for line in await trial_balance()}
    assert sum(balances.values()) == balances[Account.HELD] == 0


async def test_a_double_click_makes_one_session_at_stripe(service: Service) -> None:
    agreed = await agree()
    urls = await asyncio.gather(
        *(payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor) for _ in range(5)), return_exceptions=True
    )
    assert len({url for url in urls if isinstance(url, str)}) == 1, urls
    assert len(await service.listed("/v1/checkout/sessions")) == 1


async def test_a_declined_card_can_be_followed_by_a_good_one(service: Service) -> None:
    agreed = await agree()
    await service.pay(agreed, "card:4000000000000002")
    await service.post()
    assert await agreed.state() == "awaiting_payment"
    await service.pay(agreed)
    await service.post()
    assert await agreed.state() == "paid"
    assert len(await service.listed("/v1/checkout/sessions")) == 1


async def test_a_direct_debit_takes_its_days(service: Service) -> None:
    agreed = await agree()
    await service.pay(agreed, "sepa_debit:AT611904300234573201")
    await service.post()
    assert await agreed.state() == "awaiting_payment"
    assert await fetchval("select state from payment") == "processing"
    await service.control("clock", seconds=8 * 24 * 3600)
    await service.post()
    assert await agreed.state() == "paid"


async def test_a_direct_debit_that_fails_frees_the_goods(service: Service) -> None:
    agreed = await agree()
    await service.pay(agreed, "sepa_debit:AT861904300235473202")
    await service.post()
    await due_now(agreed)
    await service.control("clock", seconds=8 * 24 * 3600)
    await service.post()
    assert await fetchval("select state from payment") == "failed"
    assert await agreed.state() == "unpaid"
    assert await fetchval("select reserved from lot where id = $1", agreed.lot_id) == 0


async def test_a_claim_refunds_its_part_and_pays_the_rest(service: Service) -> None:
    agreed = await agree()
    await service.onboard(agreed)
    await service.pay(agreed)
    await service.post()
    await shipped(agreed)
    line = next(x for x in await lines_of(await any_deal(agreed.deal_id)) if x.label == "Ponceuse")
    await claims.claim(
        deal_id=agreed.deal_id,
        lines=[Claimed(line.key, Reason.MISSING, 2, 100)],
        said="",
        by=agreed.buyer.actor,
    )
    await claims.agree(deal_id=agreed.deal_id, by=agreed.seller.actor)
    await service.control("clock", seconds=10)
    await service.post()
    assert await agreed.state() == "partly_refunded"
    assert [refund["amount"] for refund in await service.listed("/v1/refunds")] == [36_00]
    assert [transfer["amount"] for transfer in await service.listed("/v1/transfers")] == [79_80]
    await books_agree()


async def test_all_webhooks_dropped_the_polls_find_everything(service: Service) -> None:
    agreed = await agree()
    await service.onboard(agreed)
    await service.pay(agreed)
    await service.control("clock", seconds=10)
    await asyncio.sleep(0.2)
    await execute("delete from pgqueuer")
    await execute("update stripe_operation set planned_at = planned_at - interval '1 hour'")
    await reconcile.poll_events()
    await work()
    assert await agreed.state() == "paid"
    await shipped(agreed)
    await deals.receive(deal_id=agreed.deal_id, by=agreed.buyer.actor)
    await reconcile.poll_events()
    await work()
    assert await agreed.state() == "settled"
    await books_agree()


async def test_an_open_page_is_closed_at_stripe_when_the_deal_lapses(service: Service) -> None:
    agreed = await agree()
    await payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor)
    await due_now(agreed)
    await deals.tick(agreed.deal_id)
    await service.post()
    assert await agreed.state() == "unpaid"
    (session,) = await service.listed("/v1/checkout/sessions")
    assert session["status"] == "expired"


async def test_the_same_key_with_another_body_is_refused_by_name(service: Service) -> None:
    """[14]"""
    gateway = stripe_gateway.gateway()
    key = (await fetch("select gen_random_uuid() as id"))[0]["id"]
    first = await gateway.create_customer(key, {"email": "a@example.org"})
    assert await gateway.create_customer(key, {"email": "a@example.org"}) == first
    with pytest.raises(stripe_gateway.KeyReused):
        await gateway.create_customer(key, {"email": "b@example.org"})


async def test_a_transfer_beyond_its_charge_is_refused_at_stripe_too(service: Service) -> None:
    """[25]"""
    agreed = await agree()
    await service.onboard(agreed)
    await service.pay(agreed)
    await service.post()
    charge = await fetchval("select charge_id from payment")
    account = await fetchval("select account_id from payout_account")
    gateway = stripe_gateway.gateway()
    key = (await fetch("select gen_random_uuid() as id"))[0]["id"]
    too_much = transfer_params(destination=account, amount=Money(120_01, "EUR"), charge=charge, deal=agreed.deal_id)
    with pytest.raises(Refused) as refused:
        await gateway.create_transfer(key, too_much)
    assert refused.value.request_id
    with pytest.raises(Refused):
        await gateway.create_refund(key, refund_params(charge=charge, amount=Money(120_01, "EUR")))


async def test_the_gateway_refuses_to_call_while_a_transaction_is_open(service: Service) -> None:
    with pytest.raises(RuntimeError, match="transaction"):
        async with transaction():
            await stripe_gateway.gateway().session("cs_1")


async def test_a_service_that_does_not_answer_is_unavailable_and_nothing_is_lost(service: Service) -> None:
    agreed = await agree()
    dead = Gateway(KEY, "http://127.0.0.1:9")
    alive = stripe_gateway.gateway()
    stripe_gateway.use(dead)
    try:
        with pytest.raises((NoAnswer, payments.PayPageNotReady)):
            await payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor)
    finally:
        await dead.close()
        stripe_gateway.use(alive)
    await service.pay(agreed)
    await service.post()
    assert await agreed.state() == "paid"


def test_a_live_key_never_meets_the_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuntimeError, match="STRIPE_ALLOW_LIVE"):
        Gateway("sk_live_x")
    monkeypatch.setenv("STRIPE_ALLOW_LIVE", "1")
    settings.cache_clear()
    try:
        with pytest.raises(RuntimeError, match=r"api\.stripe\.com"):
            Gateway("sk_live_x", "http://127.0.0.1:9")
    finally:
        monkeypatch.delenv("STRIPE_ALLOW_LIVE")
        settings.cache_clear()


def test_one_version_is_spoken_by_client_and_sandbox() -> None:
    from exchange.sandbox.config import PINNED_VERSION

    assert API_VERSION == PINNED_VERSION


async def test_the_exchanges_clock_follows_the_sandboxs_and_planned_jobs_come_sooner(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIPE_SECRET_KEY", KEY)
    monkeypatch.setenv("STRIPE_API_BASE", service.url)
    settings.cache_clear()
    agreed = await agree()
    before = now()
    await service.control("clock", days=6)
    try:
        moved = await follow()
        assert timedelta(days=5.9) < moved < timedelta(days=6.1)
        assert now() - before > timedelta(days=5.9)
        assert await follow() == timedelta(0), "looked at again, it has not moved"
        await hasten(moved)
        await work("deal.due")
        assert await agreed.state() == "unpaid"
    finally:
        follow_offset(timedelta(0))
        monkeypatch.undo()
        settings.cache_clear()
