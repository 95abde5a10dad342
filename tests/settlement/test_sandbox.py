"""Whole deals with the real Stripe library, over HTTP, against the sandbox; its signed webhooks reach the app."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any

import asyncpg
import httpx
import pytest

from exchange.clock import frozen, now
from exchange.database import execute, fetch, fetchval, transaction
from exchange.money import Money
from exchange.sandbox.app import serve
from exchange.sandbox.config import SandboxSettings, Webhook
from exchange.settings import settings
from exchange.settlement import stripe_gateway
from exchange.settlement.actions import claims, deals, payments, reconcile, sellers
from exchange.settlement.queries.deals import any_deal, lines_of
from exchange.settlement.queries.money import trial_balance
from exchange.settlement.rules.books import Account
from exchange.settlement.rules.claims import Claimed, Reason
from exchange.settlement.stripe_gateway import API_VERSION, Gateway, NoAnswer, Refused, refund_params, transfer_params
from tests.sandbox.conftest import KEY, SECRETS, Receiver, free_port
from tests.sandbox.conftest import _answers as answers
from tests.settlement.conftest import Agreed, agree, due_now, work

PATHS = {"platform": "/webhooks/stripe", "connect": "/webhooks/stripe/connect", "thin": "/webhooks/stripe/v2"}
CARD = "card:4242424242424242"


@dataclass
class Service:
    """The running sandbox, and the post between it and the app."""

    url: str
    http: httpx.AsyncClient
    hooks: Receiver
    app: httpx.AsyncClient
    delivered: int = 0
    statuses: list[int] = field(default_factory=list)

    async def control(self, name: str, **fields: Any) -> None:
        answer = await self.http.post(f"/_sandbox/{name}", json=fields)
        assert answer.status_code == 200, answer.text

    async def post(self) -> None:
        """Hand every webhook that has arrived to the app, signed as it came, and let the worker act on it."""
        quiet = 0
        while quiet < 4:
            await asyncio.sleep(0.05)
            fresh = self.hooks.got[self.delivered :]
            self.delivered += len(fresh)
            for news in fresh:
                answer = await self.app.post(
                    PATHS[PurePosixPath(news.path).name],
                    content=news.body,
                    headers={"stripe-signature": news.headers["stripe-signature"]},
                )
                self.statuses.append(answer.status_code)
            await work()
            quiet = 0 if fresh else quiet + 1

    async def pay(self, agreed: Agreed, outcome: str = CARD) -> str:
        """The buyer clicks on pay and chooses an outcome on the page; where it sends the browser."""
        url = await payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        assert (await self.http.get(url)).status_code == 200
        answer = await self.http.post(url, data={"outcome": outcome})
        return str(answer.headers.get("location", ""))

    async def onboard(self, agreed: Agreed, outcome: str = "complete") -> str:
        """The seller walks through the onboarding page; where it sends the browser."""
        url = await sellers.start_onboarding(by=agreed.seller.actor)
        await self.http.get(url)
        answer = await self.http.post(url, data={"outcome": outcome})
        return str(answer.headers["location"])

    async def listed(self, path: str) -> list[dict[str, Any]]:
        found = (await self.http.get(path)).json()["data"]
        assert isinstance(found, list)
        return found


@pytest.fixture
async def service(
    committed: None, database_url: str, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Service]:
    """The sandbox on a free port, with its webhooks registered as `exchange serve` registers them."""
    for name, kind in (("", "platform"), ("CONNECT_", "connect"), ("THIN_", "thin")):
        monkeypatch.setenv(f"STRIPE_{name}WEBHOOK_SECRETS", f'["whsec_old", "{SECRETS[kind]}"]')
    settings.cache_clear()
    connection = await asyncpg.connect(database_url)
    await connection.execute("drop schema if exists sandbox cascade")
    await connection.close()
    hooks, port = Receiver(), free_port()
    listening = await asyncio.start_server(hooks.serve, "127.0.0.1", hooks.port)
    told = SandboxSettings(
        database_url=database_url,
        secret_key=KEY,
        port=port,
        webhooks=tuple(Webhook(url=hooks.url(kind), secret=secret, kind=kind) for kind, secret in SECRETS.items()),
        retry_seconds=(0.05, 0.05, 0.05),
        tick_seconds=0.05,
    )
    stop = asyncio.Event()
    running = asyncio.create_task(serve(told, stop))
    gateway = Gateway(KEY, told.public_url)
    stripe_gateway.use(gateway)
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(base_url=told.public_url, headers=headers, trust_env=False) as http:
        await answers(http, running)
        try:
            yield Service(told.public_url, http, hooks, client)
        finally:
            stripe_gateway.use(None)
            settings.cache_clear()
            await gateway.close()
            stop.set()
            await running
            listening.close()


async def shipped(agreed: Agreed) -> None:
    await deals.ship(deal_id=agreed.deal_id, carrier="Geodis", tracking="G1", by=agreed.seller.actor)


async def books_agree() -> None:
    with frozen(now() + timedelta(minutes=30)):
        result = await reconcile.match_books()
    assert result.agreed, result.differences
    assert result.movements


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
