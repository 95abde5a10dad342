"""Deals on a real PostgreSQL, with a payment service in memory. Numbers in brackets are those of the money list."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from unittest.mock import AsyncMock
from uuid import UUID, uuid4

import asyncpg
import pytest

from exchange.actor import Role
from exchange.clock import frozen, now
from exchange.database import execute, fetch, fetchrow, fetchval, transaction
from exchange.errors import NotSeen, Unavailable
from exchange.money import Money
from exchange.payable import NotPayable
from exchange.settlement.actions import (
    claims,
    customers,
    deals,
    disputes,
    events,
    operations,
    payments,
    reconcile,
    recourse,
    release,
    sellers,
)
from exchange.settlement.actions.ledger import post
from exchange.settlement.actions.moves import reminder_of
from exchange.settlement.actions.waiting import call_about_waiting
from exchange.settlement.queries.claims import lines_of, tolerance_of
from exchange.settlement.queries.deals import any_deal, history_of
from exchange.settlement.queries.money import money_of, stuck, trial_balance, troubles, unrefunded
from exchange.settlement.rules.books import Account, Fact, own
from exchange.settlement.rules.claims import Claimed, Reason
from exchange.settlement.rules.deal import Move, NotNow, NotYet, NotYourMove, Side
from exchange.settlement.rules.drift import Movement
from exchange.settlement.rules.timeline import HAPPENED
from exchange.settlement.schemas import possible
from exchange.settlement.stripe_gateway import Busy, Dispute, KeyReused, Moved, NoAnswer, Refund, Refused, Session
from tests.factories import make_person
from tests.settlement.conftest import (
    Agreed,
    agree,
    alarms,
    balance,
    due_now,
    onboarded,
    paid,
    refunded_by_hand,
    refused_refund,
    said,
    somebody_waits,
    waiting,
    work,
)
from tests.settlement.fakes import FEE, FakeGateway

pytestmark = pytest.mark.usefixtures("committed")


async def sent(agreed: Agreed, gateway: FakeGateway) -> None:
    await paid(agreed, gateway)
    await deals.ship(deal_id=agreed.deal_id, carrier="Geodis", tracking="G1", by=agreed.seller.actor)


async def received(agreed: Agreed, gateway: FakeGateway) -> None:
    await sent(agreed, gateway)
    await deals.receive(deal_id=agreed.deal_id, by=agreed.buyer.actor)


async def reserved_and_sold(agreed: Agreed) -> tuple[int, int]:
    row = await fetchrow("select reserved, sold from lot where id = $1", agreed.lot_id)
    assert row
    return row["reserved"], row["sold"]


async def silence() -> None:
    """Stripe was last asked so long ago that nothing can be on its way."""
    hour = "interval '1 hour'"
    await execute(f"update stripe_operation set planned_at = planned_at - {hour}, tried_at = tried_at - {hour}")  # noqa: S608  fixed text


class TestOpening:
    async def test_an_agreement_told_twice_is_one_deal(self) -> None:
        agreed = await agree()
        await deals.open_deal(agreed.negotiation_id)
        assert await fetchval("select count(*) from deal") == 1
        assert await fetchval("select count(*) from payment_obligation") == 1

    async def test_price_tax_and_commission_are_frozen(self) -> None:
        agreed = await agree(unit_minor=10_00, quantity=10)
        deal = await any_deal(agreed.deal_id)
        assert (deal.terms.net.minor, deal.terms.vat.minor) == (100_00, 20_00)
        assert (deal.terms.commission.minor, deal.terms.commission_vat.minor) == (5_00, 1_00)

    async def test_goods_for_another_member_state_carry_no_vat(self) -> None:
        agreed = await agree(buyer_country="DE")
        seller = agreed.seller.company
        assert seller
        deal = await any_deal(agreed.deal_id)
        assert (deal.vat_regime, deal.terms.vat.minor) == ("intra_eu", 0)

    async def test_a_talk_that_did_not_end_in_agreement_is_no_deal(self) -> None:
        with pytest.raises(NotSeen):
            await deals.open_deal(uuid4())


class TestTheWholeWay:
    async def test_from_agreement_to_the_sellers_money(self, gateway: FakeGateway) -> None:
        agreed = await agree()
        account = await onboarded(agreed, gateway)
        await paid(agreed, gateway)
        assert await agreed.state() == "paid"
        assert await agreed.held() == 120_00

        await deals.ship(deal_id=agreed.deal_id, carrier="Geodis", tracking="G1", by=agreed.seller.actor)
        await deals.arrive(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        await deals.receive(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        assert await agreed.state() == "closing"
        await work()

        assert await agreed.state() == "settled"
        assert [(t.destination, t.amount.minor) for t in gateway.transfers.values()] == [(account, 114_00)]
        assert await agreed.held() == 0
        assert await reserved_and_sold(agreed) == (0, 10)
        assert await balance() == {
            Account.STRIPE: 6_00 - FEE,
            Account.COMMISSION: -5_00,
            Account.VAT: -1_00,
            Account.FEES: FEE,
            Account.HELD: 0,
        }
        assert await waiting("deal.settled") == 1

    async def test_both_sides_are_told_but_not_the_one_who_moved(self, gateway: FakeGateway) -> None:
        agreed = await agree()
        await paid(agreed, gateway)
        await execute("delete from mail")
        await deals.ship(deal_id=agreed.deal_id, carrier="Geodis", tracking="G1", by=agreed.seller.actor)
        told = await fetch("select recipient::text, subject, text from mail")
        assert [row["recipient"] for row in told] == [agreed.buyer.email]
        assert "The goods are on their way" in told[0]["text"]

    async def test_collection_instead_of_shipping(self, gateway: FakeGateway) -> None:
        agreed = await agree()
        await onboarded(agreed, gateway)
        await paid(agreed, gateway)
        with pytest.raises(deals.NoteMissing):
            await deals.make_ready(deal_id=agreed.deal_id, note=" ", by=agreed.seller.actor)
        await deals.make_ready(deal_id=agreed.deal_id, note="BE-1", by=agreed.seller.actor)
        await deals.receive(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        await work()
        assert await agreed.state() == "settled"


class TestWhoMayDoWhat:
    async def test_a_stranger_sees_no_deal(self, gateway: FakeGateway) -> None:
        agreed = await agree()
        stranger = await make_person()
        for verb in (deals.receive, deals.arrive, deals.cancel, deals.give_up, payments.pay):
            with pytest.raises(NotSeen):
                await verb(deal_id=agreed.deal_id, by=stranger.actor)

    async def test_each_side_keeps_to_its_own_steps(self, gateway: FakeGateway) -> None:
        agreed = await agree()
        with pytest.raises(NotYourMove):
            await payments.pay(deal_id=agreed.deal_id, by=agreed.seller.actor)
        with pytest.raises(NotNow):
            await deals.ship(deal_id=agreed.deal_id, carrier="G", tracking="1", by=agreed.seller.actor)
        await paid(agreed, gateway)
        with pytest.raises(NotYourMove):
            await deals.ship(deal_id=agreed.deal_id, carrier="G", tracking="1", by=agreed.buyer.actor)
        with pytest.raises(deals.CarrierMissing):
            await deals.ship(deal_id=agreed.deal_id, carrier="G", tracking="", by=agreed.seller.actor)


class TestPaying:
    async def test_a_double_click_leads_to_one_page(self, gateway: FakeGateway) -> None:
        """[1]"""
        agreed = await agree()
        first = await payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        again = await payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        assert first == again
        assert gateway.made("session") == 1

    async def test_clicks_at_the_same_time_lead_to_one_page(self, gateway: FakeGateway) -> None:
        """[1]"""
        agreed = await agree()
        urls = await asyncio.gather(
            *(payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor) for _ in range(8)), return_exceptions=True
        )
        assert len({url for url in urls if isinstance(url, str)}) == 1, urls
        assert await fetchval("select count(*) from payment") == 1
        assert gateway.made("session") == 1

    async def test_redirect_webhook_and_poll_together_count_once(self, gateway: FakeGateway) -> None:
        """[3] [4] [7] [8]"""
        agreed = await agree()
        await payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        session_id = await agreed.session_id()
        gateway.pays(session_id)
        for _ in range(3):
            for kind in ("checkout.session.completed", "checkout.session.async_payment_succeeded"):
                await events.take_in(gateway.event(kind, {"id": session_id}), "webhook")
        await payments.come_back(deal_id=agreed.deal_id, session_id=session_id, by=agreed.buyer.actor)
        await work()
        await reconcile.poll_objects()
        assert await agreed.state() == "paid"
        assert await agreed.held() == 120_00

    async def test_a_webhook_before_the_browser_leaves_nothing_for_it_to_do(self, gateway: FakeGateway) -> None:
        """[3]"""
        agreed = await agree()
        await payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        session_id = await agreed.session_id()
        gateway.pays(session_id)
        await events.take_in(gateway.event("checkout.session.completed", {"id": session_id}), "webhook")
        await work()
        assert await agreed.state() == "paid", "before the browser is back"
        told = await fetchval("select count(*) from mail")
        await payments.come_back(deal_id=agreed.deal_id, session_id=session_id, by=agreed.buyer.actor)
        await work()
        assert (await agreed.state(), await agreed.held()) == ("paid", 120_00)
        assert await fetchval("select count(*) from mail") == told
        assert await fetchval("select count(*) from ledger_posting where fact = 'paid'") == 1

    async def test_the_webhook_alone_settles_when_the_browser_never_returns(self, gateway: FakeGateway) -> None:
        """[5]"""
        agreed = await agree()
        await payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        gateway.pays(await agreed.session_id())
        await events.take_in(gateway.event("checkout.session.completed", {"id": await agreed.session_id()}), "webhook")
        await work()
        assert await agreed.state() == "paid"

    async def test_another_deals_session_in_the_return_address_is_refused(self, gateway: FakeGateway) -> None:
        """[6]"""
        one, other = await agree(), await agree()
        for agreed in (one, other):
            await payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        gateway.pays(await other.session_id())
        for foreign in (await other.session_id(), "cs_invented"):
            with pytest.raises(payments.ForeignSession):
                await payments.come_back(deal_id=one.deal_id, session_id=foreign, by=one.buyer.actor)
        assert await one.state() == "awaiting_payment"

    async def test_a_session_that_names_another_obligation_pays_nothing(self, gateway: FakeGateway) -> None:
        """[6]"""
        agreed = await agree()
        await payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        session_id = await agreed.session_id()
        gateway.pays(session_id)
        gateway.becomes(session_id, reference="somebody else's")
        await payments.come_back(deal_id=agreed.deal_id, session_id=session_id, by=agreed.buyer.actor)
        assert await agreed.state() == "awaiting_payment"
        assert await fetchval("select count(*) from journal_entry where fact = 'payment.foreign'") == 1

    async def test_another_sum_than_is_owed_goes_back_whole_and_a_person_is_told(self, gateway: FakeGateway) -> None:
        """[45]"""
        await make_person(role=Role.OPERATOR)
        agreed = await agree()
        await payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        gateway.pays(await agreed.session_id(), amount=Money(119_00, "EUR"))
        await payments.come_back(deal_id=agreed.deal_id, session_id=await agreed.session_id(), by=agreed.buyer.actor)
        await work()
        assert await agreed.state() == "awaiting_payment"
        assert [refund.amount.minor for refund in gateway.refunds.values()] == [119_00]
        assert (await balance())[Account.SURPLUS] == 0
        assert await fetchval("select count(*) from mail where template = 'settlement_alarm'") == 1

    async def test_two_pages_paid_is_one_payment_and_one_refund(self, gateway: FakeGateway) -> None:
        """[2]"""
        await make_person(role=Role.OPERATOR)
        agreed = await agree()
        await payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        first = await agreed.session_id()
        await execute("update payment set state = 'expired' where session_id = $1", first)
        await payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        second = await agreed.session_id()
        assert first != second
        gateway.pays(first)
        gateway.pays(second)
        for session_id in (first, second):
            await payments.come_back(deal_id=agreed.deal_id, session_id=session_id, by=agreed.buyer.actor)
        await work()
        assert await agreed.held() == 120_00
        assert len(gateway.refunds) == 1
        states = await fetch("select state from payment order by created_at")
        assert [row["state"] for row in states] == ["paid", "surplus"]
        (told,) = await alarms()
        assert told.startswith("Money arrived that was not owed")

    async def test_a_late_fee_is_booked_when_it_is_known(self, gateway: FakeGateway) -> None:
        """[40]"""
        agreed = await agree()
        await payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        session_id = await agreed.session_id()
        gateway.pays(session_id, fee=False)
        await payments.come_back(deal_id=agreed.deal_id, session_id=session_id, by=agreed.buyer.actor)
        assert Account.FEES not in await balance()
        gateway.settles(session_id)
        intent = gateway.sessions[session_id].intent_id
        news = gateway.event("charge.updated", {"id": "ch_1", "payment_intent": intent})
        await events.take_in(news, "webhook")
        await work()
        assert (await balance())[Account.FEES] == FEE

    async def test_what_can_change_nothing_is_not_asked_about(
        self, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        agreed = await agree()
        await paid(agreed, gateway)
        await due_now(agreed)
        await deals.tick(agreed.deal_id)
        await work()
        assert await agreed.state() == "refunded"
        (refund,) = gateway.refunds
        session_id = await agreed.session_id()
        intent = gateway.sessions[session_id].intent_id
        monkeypatch.setattr(gateway, "session", None)
        monkeypatch.setattr(gateway, "refund", None)
        for kind, about in (
            ("checkout.session.completed", {"id": session_id}),
            ("payment_intent.succeeded", {"id": intent}),
            ("charge.updated", {"id": "ch_1", "payment_intent": intent}),
            ("charge.refunded", {"id": "ch_1", "payment_intent": intent}),
            ("refund.created", {"id": refund}),
        ):
            await events.take_in(gateway.event(kind, about), "webhook")
        await work()
        assert await fetchval("select count(*) from stripe_event where handled_at is null") == 0
        await events.take_in(gateway.event("refund.updated", {"id": refund}), "webhook")
        with pytest.raises(TypeError):
            await work()

    async def test_money_on_its_way_keeps_the_goods_and_no_second_page_opens(self, gateway: FakeGateway) -> None:
        """[20]"""
        agreed = await agree()
        await payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        session_id = await agreed.session_id()
        gateway.becomes(session_id, status="complete", intent_status="processing", intent_id="pi_slow")
        await payments.come_back(deal_id=agreed.deal_id, session_id=session_id, by=agreed.buyer.actor)
        with pytest.raises(payments.PaymentUnderway):
            await payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        with frozen(await fetchval("select due_at from deal") - timedelta(minutes=1)):
            await deals.remind_side(agreed.deal_id)
        assert not await fetchval("select count(*) from mail where template = 'deal_reminder'"), "it has paid"
        awaited = (await any_deal(agreed.deal_id)).next_for(Side.BUYER)
        assert awaited
        assert (awaited.whose, awaited.until) == (Side.STRIPE, None)
        await due_now(agreed)
        await deals.tick(agreed.deal_id)
        assert await agreed.state() == "awaiting_payment"
        assert await reserved_and_sold(agreed) == (10, 0)

        gateway.becomes(session_id, intent_status="requires_payment_method")
        await events.take_in(gateway.event("payment_intent.payment_failed", {"id": "pi_slow"}), "webhook")
        await work()
        assert await agreed.state() == "unpaid"
        assert await reserved_and_sold(agreed) == (0, 0)

    async def test_a_sum_no_card_carries_is_refused_before_stripe_is_asked(self, gateway: FakeGateway) -> None:
        """[38]"""
        agreed = await agree(unit_minor=10_000_000_00 // 10, quantity=10)
        with pytest.raises(NotPayable):
            await payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        assert not gateway.calls

    async def test_paying_what_is_paid_or_lapsed_is_refused(self, gateway: FakeGateway) -> None:
        agreed, lapsed = await agree(), await agree()
        await paid(agreed, gateway)
        with pytest.raises(payments.AlreadyPaid):
            await payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        await due_now(lapsed)
        await deals.tick(lapsed.deal_id)
        with pytest.raises(payments.NothingToPay):
            await payments.pay(deal_id=lapsed.deal_id, by=lapsed.buyer.actor)

    async def test_yen_are_not_cents(self, gateway: FakeGateway) -> None:
        """[37]"""
        agreed = await agree(unit_minor=1_000, currency="JPY")
        await onboarded(agreed, gateway)
        await received(agreed, gateway)
        await work()
        assert await agreed.state() == "settled"
        assert {line.amount.currency for line in await trial_balance()} == {"JPY"}


class TestLostAnswers:
    async def test_no_answer_is_asked_for_again_under_the_same_key(self, gateway: FakeGateway) -> None:
        """[12] [13]"""
        agreed = await agree()
        await onboarded(agreed, gateway)
        await received(agreed, gateway)
        gateway.lost.append(NoAnswer())
        await work()
        assert await agreed.state() == "closing"
        state = await fetchval("select state from stripe_operation where kind = 'transfer'")
        assert state == "unknown"

        await silence()
        await reconcile.poll_objects()
        assert await agreed.state() == "settled"
        assert len(gateway.transfers) == 1

    async def test_tries_side_by_side_are_one_deed(self, gateway: FakeGateway) -> None:
        """[12] [13]"""
        agreed = await agree()
        await onboarded(agreed, gateway)
        await received(agreed, gateway)
        gateway.failures += [NoAnswer() for _ in range(6)]
        await work()
        operation = await fetchval("select id from stripe_operation where kind = 'transfer'")
        for _ in range(5):
            await operations.drive(operation)
        assert gateway.made("transfer") == 1, "while one may be on its way, all ask under one key"

        class Slow(type(gateway)):  # type: ignore[misc]  # the gateway in use, which answers late
            async def find_transfer(self, key: UUID, deal: str) -> None:
                await operations.drive(key)  # another driver sends it, after Stripe has listed none

        await silence()
        gateway.__class__ = Slow
        await operations.drive(operation)
        assert (gateway.made("transfer"), len(gateway.transfers)) == (1, 1)
        assert await agreed.state() == "settled"

    async def test_a_key_used_for_something_else_is_looked_up_or_held_for_a_person(self, gateway: FakeGateway) -> None:
        """[14]"""
        chief = await make_person(role=Role.OPERATOR)
        reused = KeyReused(reason="other parameters", stripe_code="idempotency_error", request_id="req_1")
        for done in (True, False):
            agreed = await agree()
            await onboarded(agreed, gateway)
            await received(agreed, gateway)
            (gateway.lost if done else gateway.failures).append(reused)
            await work()
            assert await agreed.state() == ("settled" if done else "closing")
        assert await fetchval("select count(*) from mail where template = 'settlement_alarm'") == 1
        held = await fetchval("select id from stripe_operation where state = 'held'")
        await silence()
        await reconcile.poll_objects()
        await operations.drive(held)
        assert len(gateway.transfers) == 1, "nobody asks until a person has looked"
        with frozen(now() + timedelta(days=2)):
            found = await stuck(now() - timedelta(days=1))
            assert (found.operations, found.held) == (0, 1)
            await reconcile.tell_stuck()
        assert "held until you say" in await said("settlement_stuck")

        with pytest.raises(NotYourMove):
            await operations.renew_held(operation_id=held, by=agreed.seller.actor)
        await operations.renew_held(operation_id=held, by=chief.actor)
        with pytest.raises(operations.NotHeld):
            await operations.renew_held(operation_id=held, by=chief.actor)
        await work()
        assert (await agreed.state(), len(gateway.transfers)) == ("settled", 2)

    async def test_a_request_changed_after_it_was_decided_is_never_sent(self, gateway: FakeGateway) -> None:
        """[14]"""
        chief, agreed = await make_person(role=Role.OPERATOR), await agree()
        await onboarded(agreed, gateway)
        await received(agreed, gateway)
        await work("deal.release")
        change = "update stripe_operation set request = replace($1::text, '11400', '11401')::json where kind = $2"
        asked = await fetchval("select request from stripe_operation where kind = 'transfer'")
        with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
            await execute(change, asked, "transfer")
        async with transaction():
            await execute("set local session_replication_role = replica")  # as a restored table, or a hand, might
            await execute(change, asked, "transfer")
        operation = await fetchval("select id from stripe_operation where kind = 'transfer'")
        for _ in range(2):
            await operations.drive(operation)
        assert not gateway.made("transfer")
        assert len(await alarms()) == 1
        assert [(t.state, t.changed) for t in await troubles()] == [("held", True)]
        with pytest.raises(operations.RequestChanged):
            await operations.renew_held(operation_id=operation, by=chief.actor)

        async with transaction():
            await execute("set local session_replication_role = replica")
            await execute("update stripe_operation set request = $1 where id = $2", asked, operation)
        await operations.renew_held(operation_id=operation, by=chief.actor)
        await work()
        assert [transfer.amount.minor for transfer in gateway.transfers.values()] == [114_00]

    async def test_a_person_is_called_about_a_held_call_of_no_deal(self, gateway: FakeGateway) -> None:
        """[14]"""
        await make_person(role=Role.OPERATOR)
        agreed = await agree()
        gateway.failures.append(KeyReused(reason="other parameters", stripe_code="", request_id=None))
        with pytest.raises(Unavailable):
            await sellers.start_onboarding(by=agreed.seller.actor)
        assert await alarms() == ["An order to the payment service was mixed up with another"]

    async def test_however_often_the_poll_tries_one_job_stays_queued(self, gateway: FakeGateway) -> None:
        """[10]"""
        agreed = await agree()
        await onboarded(agreed, gateway)
        await received(agreed, gateway)
        gateway.failures += [Busy() for _ in range(4)]
        await work()
        for _ in range(3):
            await silence()
            await reconcile.poll_objects()
        assert not gateway.failures
        assert await waiting("stripe.operation") == 1

    async def test_being_turned_away_is_waited_out(self, gateway: FakeGateway) -> None:
        """[16] [17]"""
        agreed = await agree()
        await onboarded(agreed, gateway)
        await received(agreed, gateway)
        gateway.failures += [Busy(), Busy()]
        await work()
        assert await waiting("stripe.operation") == 1, "the next try waits its time"
        operation = await fetchval("select id from stripe_operation where kind = 'transfer'")
        await operations.drive(operation)
        await operations.drive(operation)
        await work()
        assert await agreed.state() == "settled"
        assert gateway.made("transfer") == 1

    async def test_after_a_day_the_object_is_looked_up_and_not_made_again(self, gateway: FakeGateway) -> None:
        """[15]"""
        agreed = await agree()
        await onboarded(agreed, gateway)
        await received(agreed, gateway)
        gateway.lost.append(NoAnswer())
        await work()
        gateway.answers.clear()  # the key has died: sent again it would pay again
        with frozen(now() + timedelta(hours=25)):
            await operations.drive(await fetchval("select id from stripe_operation where kind = 'transfer'"))
        await work()
        assert len(gateway.transfers) == 1
        assert await agreed.state() == "settled"

    async def test_after_a_day_with_proof_that_nothing_happened_a_new_operation_does_it(
        self, gateway: FakeGateway
    ) -> None:
        """[13] [15]"""
        agreed = await agree()
        await onboarded(agreed, gateway)
        await received(agreed, gateway)
        gateway.failures.append(NoAnswer())
        await work()
        with frozen(now() + timedelta(hours=25)):
            await operations.drive(await fetchval("select id from stripe_operation where kind = 'transfer'"))
        await work()
        assert len(gateway.transfers) == 1
        assert await agreed.state() == "settled"
        states = await fetch("select state from stripe_operation where kind = 'transfer' order by planned_at")
        assert [row["state"] for row in states] == ["failed", "done"]

    async def test_an_event_may_overtake_the_answer_that_made_its_object(self, gateway: FakeGateway) -> None:
        """[9]"""
        agreed = await agree()
        await onboarded(agreed, gateway)
        await received(agreed, gateway)
        gateway.lost.append(NoAnswer())
        await work()
        (transfer,) = gateway.transfers.values()
        news = gateway.event(
            "transfer.created", {"id": transfer.id, "metadata": {"operation_id": transfer.operation_id}}
        )
        await events.take_in(news, "webhook")
        await work("stripe.event")
        assert await agreed.state() == "settled"
        assert len(gateway.transfers) == 1

    @pytest.mark.parametrize("kind", ["charge.dispute.created", "radar.early_fraud_warning.created"])
    async def test_news_of_a_payment_we_do_not_know_yet_waits_for_it(self, gateway: FakeGateway, kind: str) -> None:
        """[9]"""
        agreed = await agree()
        await payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        session_id = await agreed.session_id()
        charge = gateway.pays(session_id)
        late = gateway.sessions[session_id]
        gateway.becomes(session_id, status="open", paid=False, intent_status=None)
        gateway.maker_of = AsyncMock(return_value=late.operation_id)  # type: ignore[method-assign]  # it names its maker
        gateway.disputes["dp_1"] = Dispute("dp_1", "needs_response", Money(120_00, "EUR"), charge.id)
        about = {"id": "dp_1" if "dispute" in kind else "issfr_1", "charge": charge.id}
        await events.take_in(gateway.event(kind, about), "webhook")
        with pytest.raises(events.TooEarly):
            await work("stripe.event")
        assert await fetchval("select count(*) from stripe_event where handled_at is null") == 1

        gateway.sessions[session_id] = late
        await events.handle(await fetchval("select id from stripe_event"))
        assert await agreed.state() == "paid"
        found = "select count(*) from dispute" if "dispute" in kind else "select count(fraud_warning) from payment"
        assert await fetchval(found) == 1
        assert await fetchval("select count(*) from stripe_event where handled_at is null") == 0

    async def test_a_pay_page_whose_answer_was_lost_is_the_same_page_at_the_next_click(
        self, gateway: FakeGateway
    ) -> None:
        """[1] [12]"""
        agreed = await agree()
        await customers.customer_of(agreed.buyer.company.id, agreed.buyer.actor)  # type: ignore[union-attr]  # it has one
        gateway.lost.append(NoAnswer())
        with pytest.raises(payments.PayPageNotReady):
            await payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        url = await payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        assert len(gateway.sessions) == 1
        assert url == next(iter(gateway.sessions.values())).url

    async def test_all_webhooks_lost_the_poll_finds_everything(self, gateway: FakeGateway) -> None:
        """[10]"""
        agreed = await agree()
        await payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        session_id = await agreed.session_id()
        gateway.pays(session_id)
        gateway.event("checkout.session.completed", {"id": session_id})
        assert await reconcile.poll_events() == 1
        assert await reconcile.poll_events() == 0
        await work()
        assert await agreed.state() == "paid"

    async def test_a_handler_that_dies_midway_leaves_the_event_unhandled(self, gateway: FakeGateway) -> None:
        """[11]"""
        agreed = await agree()
        await payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        session_id = await agreed.session_id()
        gateway.pays(session_id)
        await events.take_in(gateway.event("checkout.session.completed", {"id": session_id}), "webhook")
        await execute("alter table deal add constraint broken check (state <> 'paid') not valid")
        try:
            with pytest.raises(asyncpg.CheckViolationError):
                await work("stripe.event")
        finally:
            await execute("alter table deal drop constraint broken")
        assert await fetchval("select count(*) from stripe_event where handled_at is null") == 1
        assert await agreed.held() == 0, "no effect without the event being handled"
        await execute("update stripe_event set received_at = $1", now() - timedelta(hours=1))
        await reconcile.poll_objects()
        await work()
        assert await agreed.state() == "paid"
        assert await fetchval("select count(*) from stripe_event where handled_at is null") == 0

    async def test_stripe_is_not_called_inside_a_transaction(self, gateway: FakeGateway) -> None:
        agreed = await agree()
        with pytest.raises(Exception, match=r"nested|transaction"):
            async with transaction():
                await payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        assert not gateway.calls


class TestSellersAccount:
    async def test_a_person_is_called_every_week_while_money_waits_for_an_account(self, gateway: FakeGateway) -> None:
        """[22]"""
        await make_person(role=Role.OPERATOR)
        agreed = await agree()
        await received(agreed, gateway)
        await work()
        due = await fetchval("select alarm_at from deal")
        assert await alarms() == []
        for week in range(2):
            for late in (timedelta(minutes=-1), timedelta(minutes=1), timedelta(days=1)):
                with frozen(due + timedelta(days=7 * week) + late):
                    await call_about_waiting()
            calls = [told for told in await alarms() if told.startswith("A receiver still cannot be paid")]
            assert len(calls) == week + 1

    async def test_money_waits_for_an_account_and_leaves_by_itself(self, gateway: FakeGateway) -> None:
        """[22]"""
        agreed = await agree()
        await received(agreed, gateway)
        await work()
        assert await agreed.state() == "closing"
        assert await fetchval("select state from release_leg") == "parked"
        assert await fetchval("select count(*) from mail where template = 'deal_parked'") == 1
        await release.release(agreed.deal_id)
        assert await fetchval("select count(*) from mail where template = 'deal_parked'") == 1, "told once"

        await sellers.start_onboarding(by=agreed.seller.actor)
        account = await fetchval("select account_id from payout_account")
        await work()
        assert await agreed.state() == "closing", "an account that is not ready receives nothing"
        gateway.onboards(account)
        kind = "v2.core.account[configuration.recipient].capability_status_updated"
        await events.take_in(gateway.event(kind, {"id": account}), "webhook")
        await work()
        assert await agreed.state() == "settled"

    @pytest.mark.parametrize("to", [Side.SELLER, Side.BUYER])
    async def test_what_a_receiver_cannot_be_paid_the_operator_gives_to_another(
        self, gateway: FakeGateway, to: Side
    ) -> None:
        """[22]"""
        chief, charity = await make_person(role=Role.OPERATOR), await make_person()
        agreed = await agree(opened=False)
        account = await onboarded(agreed, gateway)
        await deals.open_deal(agreed.negotiation_id)
        agreed = await agreed.opened()
        await execute(
            "insert into release_leg (id, deal_id, lot_id, company_id, rank, weight, fixed_minor, currency, state) "
            "values (gen_random_uuid(), $1, $2, $3, 1, 0, 1000, 'EUR', 'planned')",
            agreed.deal_id,
            agreed.lot_id,
            charity.company.id,  # type: ignore[union-attr]  # it has one
        )
        await received(agreed, gateway)
        await work()
        legs = await fetch("select id from release_leg where state = 'parked'")
        assert (len(legs), await agreed.held()) == (1, 10_00)
        with frozen(now() + timedelta(days=76)):
            await call_about_waiting()
            assert await fetchval("select count(*) from mail where template = 'settlement_alarm'") == 1
        chosen = {"deal_id": agreed.deal_id, "leg_id": legs[0]["id"], "to": to}
        with pytest.raises(NotYourMove):
            await recourse.give_leg(**chosen, by=agreed.seller.actor)
        await recourse.give_leg(**chosen, by=chief.actor)
        given = await fetch("select destination from release_leg where state = 'planned'")
        assert [leg["destination"] for leg in given] == ([account] if to is Side.SELLER else []), "as it was agreed"
        with pytest.raises(recourse.LegNotWaiting):
            await recourse.give_leg(**chosen, by=chief.actor)
        await work()
        assert await agreed.held() == 0
        assert await agreed.state() == ("settled" if to is Side.SELLER else "partly_refunded")
        assert [r.amount.minor for r in gateway.refunds.values()] == ([] if to is Side.SELLER else [10_00])
        told = {row["recipient"] for row in await fetch("select recipient from mail where template = 'leg_given'")}
        assert told == {charity.email, agreed.seller.email, *([agreed.buyer.email] if to is Side.BUYER else [])}
        happened = {happened.fact for happened in await history_of(await any_deal(agreed.deal_id))} & set(HAPPENED)
        assert ("deal.leg_given" in happened) is (to is Side.BUYER), "the seller's order is not the buyer's business"

    async def test_each_click_mints_a_fresh_link_to_one_account(self, gateway: FakeGateway) -> None:
        agreed = await agree()
        links = {await sellers.start_onboarding(by=agreed.seller.actor) for _ in range(3)}
        assert len(links) == 3
        assert gateway.made("recipient") == 1

    async def test_a_refused_transfer_is_parked_and_a_person_is_told(self, gateway: FakeGateway) -> None:
        """[22] [23]"""
        await make_person(role=Role.OPERATOR)
        agreed = await agree()
        account = await onboarded(agreed, gateway)
        gateway.onboards(account, status="closed")
        await received(agreed, gateway)
        await work()
        assert await fetchval("select state from release_leg") == "parked"
        assert await agreed.held() == 114_00
        assert await fetchval("select status from payout_account") == "closed"
        assert await fetchval("select count(*) from mail where template = 'settlement_alarm'") == 1

    async def test_each_new_reason_is_told_once_and_the_tries_are_spaced(self, gateway: FakeGateway) -> None:
        """[22] [24]"""
        await make_person(role=Role.OPERATOR)
        agreed = await agree()
        await onboarded(agreed, gateway)
        await received(agreed, gateway)
        told = []
        for code in ("balance_insufficient", "balance_insufficient", "account_invalid", "account_invalid"):
            gateway.refuses["transfer"] = code
            await execute("update release_leg set retry_at = null")
            await release.release(agreed.deal_id)
            await work()
            await release.release(agreed.deal_id)
            await work()
            told.append(
                [
                    await fetchval("select count(*) from mail where template = $1", template)
                    for template in ("settlement_alarm", "deal_parked")
                ]
            )
        assert told == [[1, 0], [1, 0], [2, 1], [2, 1]]
        tries = await fetchval("select count(*) from stripe_operation where kind = 'transfer'")
        assert tries == len(told), "not again before its time"
        gateway.refuses.clear()
        await release.release_parked(agreed.seller.company.id)  # type: ignore[union-attr]  # it has one
        await work()
        assert await agreed.state() == "settled"

    async def test_older_news_of_an_account_does_not_overwrite_newer(self, gateway: FakeGateway) -> None:
        """[8]"""
        agreed = await agree()
        account = await onboarded(agreed, gateway)
        row = await fetchval("select id from payout_account where account_id = $1", account)
        async with transaction():
            stale = await gateway.recipient(account)
            gateway.onboards(account, status="restricted")
            await sellers.take_account(row, stale, now() - timedelta(minutes=1))
            await sellers.take_account(row, await gateway.recipient(account), now())
            await sellers.take_account(row, stale, now() - timedelta(minutes=1))
        assert await fetchval("select status from payout_account") == "restricted"


class TestClocks:
    async def test_an_unpaid_deal_lapses_and_the_goods_are_for_sale_again(self, gateway: FakeGateway) -> None:
        agreed = await agree()
        await deals.tick(agreed.deal_id)
        assert await agreed.state() == "awaiting_payment", "not before its time"
        await due_now(agreed)
        await deals.tick(agreed.deal_id)
        assert await agreed.state() == "unpaid"
        assert await reserved_and_sold(agreed) == (0, 0)

    async def test_an_open_pay_page_is_closed_before_the_goods_are_freed(self, gateway: FakeGateway) -> None:
        agreed = await agree()
        await payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        await due_now(agreed)
        await deals.tick(agreed.deal_id)
        assert gateway.sessions[await agreed.session_id()].status == "expired"
        await work()
        assert await agreed.state() == "unpaid"

    async def test_a_page_paid_in_the_last_second_keeps_the_goods(self, gateway: FakeGateway) -> None:
        agreed = await agree()
        await payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        await due_now(agreed)
        gateway.pays(await agreed.session_id())
        await deals.tick(agreed.deal_id)
        await work()
        assert await agreed.state() == "paid"
        assert await reserved_and_sold(agreed) == (10, 0)

    async def test_money_after_the_lapse_goes_back(self, gateway: FakeGateway) -> None:
        """[21]"""
        agreed = await agree()
        await payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        session_id = await agreed.session_id()
        await due_now(agreed)
        await deals.tick(agreed.deal_id)
        await work()
        gateway.pays(session_id)
        await payments.come_back(deal_id=agreed.deal_id, session_id=session_id, by=agreed.buyer.actor)
        await work()
        assert await agreed.state() == "unpaid"
        assert [refund.amount.minor for refund in gateway.refunds.values()] == [120_00]
        assert (await balance())[Account.SURPLUS] == 0

    async def test_a_seller_who_does_not_ship_refunds(self, gateway: FakeGateway) -> None:
        """[28]"""
        agreed = await agree()
        await paid(agreed, gateway)
        await due_now(agreed)
        await deals.tick(agreed.deal_id)
        await work()
        assert await agreed.state() == "refunded"
        assert await fetchval("select ending from deal") == "not_shipped"
        assert not gateway.transfers
        assert await agreed.held() == 0
        assert (await balance()).get(Account.COMMISSION, 0) == 0
        assert await reserved_and_sold(agreed) == (0, 0)

    async def test_a_silent_buyer_is_reminded_and_then_accepts(self, gateway: FakeGateway) -> None:
        agreed = await agree()
        await onboarded(agreed, gateway)
        await sent(agreed, gateway)
        await deals.prove_delivery(deal_id=agreed.deal_id, proof="signed by Dupont", by=agreed.seller.actor)
        await deals.remind_side(agreed.deal_id)
        assert await fetchval("select count(*) from mail where template = 'deal_reminder'") == 0, "there is time yet"
        when = await reminder_of(await any_deal(agreed.deal_id))
        assert when
        due = await fetchval("select due_at from deal")
        with frozen(when):
            await deals.remind_side(agreed.deal_id)
        assert due - when >= timedelta(hours=24)
        assert await fetchval("select count(*) from mail where template = 'deal_reminder'") == 1
        await due_now(agreed)
        await deals.tick(agreed.deal_id)
        await work()
        assert await agreed.state() == "settled"
        assert await fetchval("select ending from deal") == "silent"

    async def test_goods_nobody_saw_arrive_are_asked_about_and_then_refunded(self, gateway: FakeGateway) -> None:
        agreed = await agree()
        await sent(agreed, gateway)
        await due_now(agreed)
        await deals.tick(agreed.deal_id)
        assert await agreed.state() == "overdue"
        await due_now(agreed)
        await deals.tick(agreed.deal_id)
        await work()
        assert await agreed.state() == "refunded"
        assert await reserved_and_sold(agreed) == (0, 10), "lost goods are not for sale again"

    async def test_what_nobody_collects_may_be_cancelled_from_the_fourteenth_day(self, gateway: FakeGateway) -> None:
        agreed = await agree()
        await paid(agreed, gateway)
        await deals.make_ready(deal_id=agreed.deal_id, note="BE-1", by=agreed.seller.actor)
        await due_now(agreed)
        await deals.tick(agreed.deal_id)
        assert await agreed.state() == "uncollected"
        with pytest.raises(NotYet):
            await deals.give_up(deal_id=agreed.deal_id, by=agreed.seller.actor)
        with frozen(now() + timedelta(days=15)):
            await deals.give_up(deal_id=agreed.deal_id, by=agreed.seller.actor)
        await work()
        assert await agreed.state() == "refunded"

    async def test_after_seventy_five_days_the_operator_is_called(self, gateway: FakeGateway) -> None:
        operator = await make_person(role=Role.OPERATOR)
        agreed = await agree()
        await onboarded(agreed, gateway)
        await sent(agreed, gateway)
        with frozen(now() + timedelta(days=76)):
            await deals.tick(agreed.deal_id)
            assert await agreed.state() == "operator"
            told = await fetchval("select count(*) from mail where template = 'deal'")
        with frozen(now() + timedelta(days=77, minutes=1)):
            await deals.tick(agreed.deal_id)
            assert await alarms() == ["Money has been held for seventy-five days: Outillage, fin de série"] * 2
            assert await fetchval("select count(*) from mail where template = 'deal'") == told, "no news to the sides"
            with pytest.raises(deals.ReasonsMissing):
                await deals.decide(deal_id=agreed.deal_id, refund=Money(60_00, "EUR"), reasons=" ", by=operator.actor)
            await deals.decide(
                deal_id=agreed.deal_id, refund=Money(60_00, "EUR"), reasons="held for too long", by=operator.actor
            )
        await work()
        assert await agreed.state() == "partly_refunded"

    @pytest.mark.parametrize(("refund", "left"), [(120_00, (0, 0)), (119_99, (0, 10))])
    async def test_goods_that_never_left_are_for_sale_again_when_the_whole_price_goes_back(
        self, gateway: FakeGateway, refund: int, left: tuple[int, int]
    ) -> None:
        operator = await make_person(role=Role.OPERATOR)
        agreed = await agree()
        await onboarded(agreed, gateway)
        await paid(agreed, gateway)
        with frozen(now() + timedelta(days=76)):
            await deals.tick(agreed.deal_id)
            await deals.decide(
                deal_id=agreed.deal_id, refund=Money(refund, "EUR"), reasons="never handed over", by=operator.actor
            )
        await work()
        assert (await any_deal(agreed.deal_id)).state.final
        assert await reserved_and_sold(agreed) == left

    async def test_the_sweep_catches_up_after_a_stopped_worker(self, gateway: FakeGateway) -> None:
        """[44]"""
        agreed = await agree()
        await execute("delete from pgqueuer")
        await execute("update deal set due_at = $1", now() - timedelta(minutes=5))
        await reconcile.poll_objects()
        await work()
        assert await agreed.state() == "unpaid"

    async def test_one_bad_row_stops_no_other(self, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch) -> None:
        """[10] [44]"""
        await make_person(role=Role.OPERATOR)
        bad, good, unopened = await agree(), await agree(), await agree(opened=False)
        for agreed in (bad, good):
            await onboarded(agreed, gateway)
            await payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor)
            gateway.pays(await agreed.session_id())
        broken, session = await bad.session_id(), gateway.session

        async def retrieved(session_id: str) -> Session:
            if session_id == broken:
                raise LookupError(session_id)
            return await session(session_id)

        monkeypatch.setattr(gateway, "session", retrieved)
        monkeypatch.setattr(gateway, "events", None)
        await execute("delete from pgqueuer")
        await execute("update payment set created_at = created_at - interval '1 hour'")
        await execute("update negotiation set agreed_at = agreed_at - interval '1 hour'")
        await reconcile.poll()
        await work("negotiation.agreed")
        assert [await bad.state(), await good.state()] == ["awaiting_payment", "paid"]
        assert await (await unopened.opened()).state() == "awaiting_payment"

        await reconcile.tell_stuck()
        assert await fetchval("select count(*) from mail where template = 'settlement_stuck'") == 0
        await events.take_in(gateway.event("charge.updated", {"id": "ch_1"}), "webhook")
        with frozen(now() + timedelta(days=2)):
            await reconcile.tell_stuck()
        assert await fetchval("select count(*) from mail where template = 'settlement_stuck'") == 1

    async def test_cancelling_takes_two(self, gateway: FakeGateway) -> None:
        agreed = await agree()
        await paid(agreed, gateway)
        await deals.cancel(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        await deals.cancel(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        assert await agreed.state() == "paid"
        await deals.cancel(deal_id=agreed.deal_id, by=agreed.seller.actor)
        await work()
        assert await agreed.state() == "refunded"
        assert await reserved_and_sold(agreed) == (0, 0)


class TestClaims:
    async def claimed(self, agreed: Agreed, *, units: int = 2) -> None:
        line = next(x for x in await lines_of(await any_deal(agreed.deal_id)) if x.label == "Ponceuse")
        await claims.claim(
            deal_id=agreed.deal_id,
            lines=[Claimed(line.key, Reason.MISSING, units, 100)],
            said="Two are missing",
            by=agreed.buyer.actor,
        )

    async def test_an_agreed_claim_refunds_its_part_and_pays_the_rest(self, gateway: FakeGateway) -> None:
        """[28] [36]"""
        agreed = await agree()
        await onboarded(agreed, gateway)
        await sent(agreed, gateway)
        await self.claimed(agreed)
        assert await agreed.state() == "claimed"
        await claims.agree(deal_id=agreed.deal_id, by=agreed.seller.actor)
        await work()
        assert await agreed.state() == "partly_refunded"
        # 5 sanders of 30 and 5 drills of 10 for 100.00: a sander costs 15.00, two are 30.00, with VAT 36.00
        assert [refund.amount.minor for refund in gateway.refunds.values()] == [36_00]
        books = await balance()
        assert books[Account.HELD] == 0
        assert (books[Account.COMMISSION], books[Account.VAT]) == (-3_50, -70)
        assert [t.amount.minor for t in gateway.transfers.values()] == [120_00 - 36_00 - 3_50 - 70]

    async def test_the_seller_offers_less_and_the_buyer_takes_it(self, gateway: FakeGateway) -> None:
        agreed = await agree()
        await onboarded(agreed, gateway)
        await sent(agreed, gateway)
        await self.claimed(agreed)
        with pytest.raises(claims.NothingOffered):
            await claims.agree(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        (line,) = [row["id"] for row in await fetch("select id from claim_line")]
        with pytest.raises(claims.WhyMissing):
            await claims.answer(deal_id=agreed.deal_id, percents={}, text=" ", by=agreed.seller.actor)
        for percent in (20, 50):
            await claims.answer(
                deal_id=agreed.deal_id, percents={line: percent}, text="One was there", by=agreed.seller.actor
            )
        with pytest.raises(claims.LowerThanBefore):
            await claims.answer(deal_id=agreed.deal_id, percents={line: 49}, text="", by=agreed.seller.actor)
        assert (await any_deal(agreed.deal_id)).next_for(Side.BUYER).whose is Side.BUYER  # type: ignore[union-attr]
        await claims.agree(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        await work()
        assert [refund.amount.minor for refund in gateway.refunds.values()] == [18_00]

    async def test_the_tolerance_is_the_contracts_and_not_what_the_lot_says_later(self, gateway: FakeGateway) -> None:
        agreed = await agree()
        await execute("update lot set tolerance_bp = 0")
        deal = await any_deal(agreed.deal_id)
        assert await tolerance_of(deal) == 0
        await execute(
            "insert into contract (negotiation_id, lot_id, content, sha256, made_at) values ($1, $2, $3, '', now())",
            agreed.negotiation_id,
            agreed.lot_id,
            '{"lot": {"tolerance_bp": 300}}',
        )
        assert await tolerance_of(deal) == 300

    async def test_a_seller_who_says_nothing_is_told_on(self, gateway: FakeGateway) -> None:
        agreed = await agree()
        await sent(agreed, gateway)
        await self.claimed(agreed)
        await execute("delete from mail")
        await claims.tell_late(agreed.deal_id)
        assert not await fetchval("select count(*) from mail"), "its time is not over"
        with frozen(now() + timedelta(days=6)):
            await claims.tell_late(agreed.deal_id)
        told = await fetchval("select text from mail where recipient = $1", agreed.buyer.email)
        assert "ask the operator to decide" in told

    async def test_a_withdrawn_claim_pays_the_seller_in_full(self, gateway: FakeGateway) -> None:
        agreed = await agree()
        await onboarded(agreed, gateway)
        await sent(agreed, gateway)
        await self.claimed(agreed)
        await claims.withdraw(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        await work()
        assert await agreed.state() == "settled"

    async def test_the_buyer_escalates_once_the_seller_had_its_time(self, gateway: FakeGateway) -> None:
        operator = await make_person(role=Role.OPERATOR)
        agreed = await agree()
        await onboarded(agreed, gateway)
        await sent(agreed, gateway)
        await self.claimed(agreed)
        with pytest.raises(NotYet):
            await claims.escalate(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        with frozen(now() + timedelta(days=6)):
            await claims.escalate(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        assert await agreed.state() == "operator"
        assert await alarms() == ["A deal waits for your decision: Outillage, fin de série"]
        await deals.decide(
            deal_id=agreed.deal_id, refund=Money(120_00, "EUR"), reasons="nothing was right", by=operator.actor
        )
        await work()
        assert await agreed.state() == "refunded"
        assert await fetchval("select state from claim") == "decided"
        assert await reserved_and_sold(agreed) == (0, 10), "the buyer has them"

    async def test_within_the_tolerance_nothing_is_due(self, gateway: FakeGateway) -> None:
        agreed = await agree()
        await sent(agreed, gateway)
        line = (await lines_of(await any_deal(agreed.deal_id)))[1]
        with pytest.raises(claims.BelowTolerance):
            await claims.claim(
                deal_id=agreed.deal_id,
                lines=[Claimed(line.key, Reason.DAMAGED, 1, 50)],
                said="a scratch",
                by=agreed.buyer.actor,
            )
        assert await agreed.state() == "shipped"


class TestRefundsAndDisputes:
    async def test_a_refund_that_the_bank_returns_is_held_again_and_a_person_is_called(
        self, gateway: FakeGateway
    ) -> None:
        """[30]"""
        chief, agreed = await make_person(role=Role.OPERATOR), await agree()
        await paid(agreed, gateway)
        await due_now(agreed)
        await deals.tick(agreed.deal_id)
        await work()
        (refund,) = gateway.refunds.values()
        gateway.refunds[refund.id] = type(refund)(
            refund.id, "failed", refund.amount, refund.operation_id, refund.charge_id
        )
        await events.take_in(gateway.event("refund.failed", {"id": refund.id}), "webhook")
        await work()
        assert await agreed.held() == 120_00
        assert await fetchval("select count(*) from mail where template = 'settlement_alarm'") == 1
        await recourse.pay_otherwise(
            deal_id=agreed.deal_id, amount=Money(120_00, "EUR"), reference="VIR 1", by=chief.actor
        )
        await events.take_in(gateway.event("refund.updated", {"id": refund.id}), "webhook")  # a note on it
        await work()
        with pytest.raises(recourse.NothingCameBack):
            await recourse.pay_otherwise(
                deal_id=agreed.deal_id, amount=Money(120_00, "EUR"), reference="VIR 1", by=chief.actor
            )

    @pytest.mark.parametrize("by_hand", ["re_hand", "pyr_hand"])
    async def test_a_refund_made_by_hand_counts_for_the_one_that_was_refused(
        self, gateway: FakeGateway, by_hand: str
    ) -> None:
        """[46]"""
        chief, agreed = await make_person(role=Role.OPERATOR), await refused_refund(gateway)
        with pytest.raises(NotYourMove):
            await recourse.refund_again(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        await refunded_by_hand(gateway, 120_00, by_hand, by=chief)
        assert (await agreed.state(), await agreed.held()) == ("refunded", 0)
        assert list(gateway.refunds) == [by_hand]
        assert (await balance())[Account.EXTERNAL] == 0
        with pytest.raises(recourse.NothingRefused):
            await recourse.refund_again(deal_id=agreed.deal_id, by=chief.actor)

    @pytest.mark.parametrize("otherwise", [False, True])
    async def test_of_a_refused_refund_only_what_no_hand_gave_is_left_to_pay(
        self, gateway: FakeGateway, otherwise: bool
    ) -> None:
        """[46]"""
        chief, agreed = await make_person(role=Role.OPERATOR), await refused_refund(gateway)
        await refunded_by_hand(gateway, 40_00, "re_first", by=chief)
        left = await unrefunded(await any_deal(agreed.deal_id))
        assert (left.refused.minor, await agreed.held()) == (80_00, 80_00)
        if otherwise:
            await recourse.pay_otherwise(
                deal_id=agreed.deal_id, amount=Money(80_00, "EUR"), reference="VIR 9", by=chief.actor
            )
            assert "€80.00" in await said("deal_paid_otherwise")
        else:
            await refunded_by_hand(gateway, 80_00, "re_second", by=chief)
        assert (await agreed.state(), await agreed.held()) == ("refunded", 0)
        books = await balance()
        assert (books[Account.EXTERNAL], books.get(Account.BANK, 0)) == (0, -80_00 if otherwise else 0)

    async def test_a_hand_that_was_quicker_than_the_refusal_leaves_nothing_to_call_a_person_for(
        self, gateway: FakeGateway
    ) -> None:
        """[46]"""
        chief, agreed = await make_person(role=Role.OPERATOR), await agree()
        await paid(agreed, gateway)
        await due_now(agreed)
        await deals.tick(agreed.deal_id)
        await refunded_by_hand(gateway, 120_00, "re_hand", by=chief)
        gateway.failures.append(Refused(reason="no", stripe_code="charge_already_refunded", request_id=None))
        await work()
        assert (await agreed.state(), await agreed.held()) == ("refunded", 0)
        assert not await alarms()

    @pytest.mark.parametrize(("given", "way"), [(120_00, "otherwise"), (120_00, "again"), (40_00, "hand")])
    async def test_a_refund_by_hand_that_comes_back_after_it_counted_is_owed_again(
        self, gateway: FakeGateway, given: int, way: str
    ) -> None:
        """[30] [46]"""
        chief, agreed = await make_person(role=Role.OPERATOR), await refused_refund(gateway)
        await refunded_by_hand(gateway, given, "re_hand", by=chief)
        if given < 120_00:
            await refunded_by_hand(gateway, 120_00 - given, "re_rest", by=chief)
        assert await agreed.state() == "refunded"
        gateway.refunds["re_hand"] = replace(gateway.refunds["re_hand"], status="failed")
        gateway._move("re_hand", "refund_failure", Money(given, "EUR"))
        with frozen(now() + timedelta(minutes=10)):
            await reconcile.match_books()
            assert (await reconcile.explain(source="re_hand", currency="EUR", by=chief.actor)).agreed
        assert (await agreed.state(), await agreed.held()) == ("closing", given), "open until the buyer has its money"
        assert (await unrefunded(await any_deal(agreed.deal_id))).refused.minor == given
        assert (await balance())[Account.EXTERNAL] == 0
        assert len(await alarms()) == 2, "of the refusal, and of this"
        assert f"€{given // 100}.00" in await said("deal_refund_failed")
        if way == "otherwise":
            await recourse.pay_otherwise(
                deal_id=agreed.deal_id, amount=Money(given, "EUR"), reference="VIR 9", by=chief.actor
            )
        elif way == "again":
            await recourse.refund_again(deal_id=agreed.deal_id, by=chief.actor)
            await work()
        else:
            await refunded_by_hand(gateway, given, "re_anew", by=chief)
        assert (await agreed.state(), await agreed.held()) == ("refunded", 0)
        assert (await balance())[Account.EXTERNAL] == 0

    async def test_a_hand_that_gave_a_surplus_back_counts_for_it_and_not_for_the_deal(
        self, gateway: FakeGateway
    ) -> None:
        """[2] [46]"""
        chief, agreed = await make_person(role=Role.OPERATOR), await agree()
        await payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        first = await agreed.session_id()
        await execute("update payment set state = 'expired' where session_id = $1", first)
        await payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        second = await agreed.session_id()
        gateway.refuses["refund"] = "charge_already_refunded"
        for session_id in (first, second):
            gateway.pays(session_id)
            await payments.come_back(deal_id=agreed.deal_id, session_id=session_id, by=agreed.buyer.actor)
        await work()
        charge = await fetchval("select charge_id from payment where state = 'surplus'")
        for minor, name in ((50_00, "re_a"), (70_00, "re_b")):
            gateway.refunds[name] = Refund(name, "succeeded", Money(minor, "EUR"), None, charge)
            gateway._move(name, "refund", Money(-minor, "EUR"))
            with frozen(now() + timedelta(minutes=10)):
                await reconcile.match_books()
                assert (await reconcile.explain(source=name, currency="EUR", by=chief.actor)).agreed
        books = await balance()
        assert (books[Account.SURPLUS], books[Account.EXTERNAL], await agreed.held()) == (0, 0, 120_00)
        assert not await unrefunded(await any_deal(agreed.deal_id)), "nothing is left to pay another way"

    @pytest.mark.parametrize("otherwise", [False, True])
    async def test_a_refund_refused_after_release_has_a_way_out(self, gateway: FakeGateway, otherwise: bool) -> None:
        """[29] [30]"""
        chief, agreed = await make_person(role=Role.OPERATOR), await agree()
        await onboarded(agreed, gateway)
        await received(agreed, gateway)
        await work()
        await execute("update deal set alarm_at = alarm_at - interval '90 days'")
        await recourse.refund_released(deal_id=agreed.deal_id, refund=Money(60_00, "EUR"), by=chief.actor)
        gateway.refuses["refund"] = "expired_or_canceled_card"
        await work()
        assert (await agreed.state(), await agreed.held()) == ("closing", 60_00), "open until the buyer has its money"
        for days, calls in ((0, 1), (8, 2)):
            with frozen(now() + timedelta(days=days)):
                await call_about_waiting()
            assert await alarms() == ["A refund was refused: Outillage, fin de série"] * calls, "once a week"
        await execute(
            "insert into dispute (id, payment_id, lot_id, dispute_id, status, currency, amount_minor, over) "
            "select gen_random_uuid(), id, lot_id, 'dp_1', 'needs_response', 'EUR', 1, false from payment"
        )
        with frozen(now() + timedelta(days=16)):
            await call_about_waiting()
        assert len(await alarms()) == 2, "nothing can be done while the buyer's bank has the matter"
        await execute("update dispute set over = true")
        gateway.refuses.clear()
        if otherwise:
            await recourse.pay_otherwise(
                deal_id=agreed.deal_id, amount=Money(60_00, "EUR"), reference="VIR 7", by=chief.actor
            )
        else:
            await recourse.refund_again(deal_id=agreed.deal_id, by=chief.actor)
            await work()
        assert (await agreed.state(), await agreed.held()) == ("partly_refunded", 0)
        assert len(gateway.refunds) == (not otherwise)
        with pytest.raises(recourse.NothingCameBack):
            await recourse.pay_otherwise(
                deal_id=agreed.deal_id, amount=Money(60_00, "EUR"), reference="VIR 7", by=chief.actor
            )

    async def test_nothing_is_released_while_the_payment_is_disputed(self, gateway: FakeGateway) -> None:
        """[27] [32] [34]"""
        agreed = await agree()
        await onboarded(agreed, gateway)
        await sent(agreed, gateway)
        charge = await fetchval("select charge_id from payment")
        gateway.disputes["dp_1"] = Dispute("dp_1", "needs_response", Money(120_00, "EUR"), charge)
        await events.take_in(gateway.event("charge.dispute.created", {"id": "dp_1"}), "webhook")
        await work()
        await deals.receive(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        await work()
        assert not gateway.transfers
        gateway.disputes["dp_1"] = Dispute("dp_1", "won", Money(120_00, "EUR"), charge)
        await events.take_in(gateway.event("charge.dispute.closed", {"id": "dp_1"}), "webhook")
        await work()
        assert await agreed.state() == "settled"

    @pytest.mark.parametrize("lapsed", [False, True])
    async def test_the_time_to_collect_stands_still_while_the_bank_decides_and_counts_anew_afterwards(
        self, gateway: FakeGateway, lapsed: bool
    ) -> None:
        """[32]"""
        agreed, began = await agree(), now()
        await paid(agreed, gateway)
        await deals.make_ready(deal_id=agreed.deal_id, note="BE-1", by=agreed.seller.actor)
        if lapsed:
            await due_now(agreed)
            await deals.tick(agreed.deal_id)
        before = await agreed.state()
        assert before == ("uncollected" if lapsed else "ready")
        charge = await fetchval("select charge_id from payment")
        gateway.disputes["dp_1"] = Dispute("dp_1", "needs_response", Money(120_00, "EUR"), charge)
        await disputes.look_at_charge(await fetchval("select id from payment"))
        for days in (7, 20, 39):
            with frozen(began + timedelta(days=days)):
                await deals.tick(agreed.deal_id)
                assert Move.GIVE_UP not in possible(await any_deal(agreed.deal_id), Side.SELLER, None).moves
        assert await agreed.state() == before, "the seller was told to keep the goods"
        with frozen(began + timedelta(days=40)):
            gateway.disputes["dp_1"] = replace(gateway.disputes["dp_1"], status="won")
            await disputes.look_at_dispute(await fetchval("select id from dispute"))
        with frozen(began + timedelta(days=53)):
            await deals.tick(agreed.deal_id)
            assert await agreed.state() == "uncollected"
            with pytest.raises(NotYet):
                await deals.give_up(deal_id=agreed.deal_id, by=agreed.seller.actor)
        with frozen(began + timedelta(days=54, minutes=1)):
            await deals.give_up(deal_id=agreed.deal_id, by=agreed.seller.actor)

    async def test_who_waited_for_a_deal_sees_what_happened_to_it_meanwhile(self, gateway: FakeGateway) -> None:
        """[27]"""
        agreed, locked = await agree(), asyncio.Event()
        await paid(agreed, gateway)
        charge = await fetchval("select charge_id from payment")

        async def takes_it() -> None:
            async with transaction():
                await any_deal(agreed.deal_id, lock=True)
                locked.set()
                await somebody_waits()
                await disputes.take_dispute(Dispute("dp_1", "needs_response", Money(120_00, "EUR"), charge))

        async def waits_for_it() -> bool:
            await locked.wait()
            async with transaction():
                return (await any_deal(agreed.deal_id, lock=True)).disputed

        _, disputed = await asyncio.gather(takes_it(), waits_for_it())
        assert disputed

    async def test_a_debt_asked_for_again_while_the_dispute_is_won_is_sent_back(self, gateway: FakeGateway) -> None:
        """[33]"""
        agreed = await agree()
        account = await onboarded(agreed, gateway)
        await received(agreed, gateway)
        await work()
        gateway.empty.add(account)
        charge, whole = await fetchval("select charge_id from payment"), Money(120_00, "EUR")
        moved = (Moved("txn_1", -whole, Money(20_00, "EUR")), Moved("txn_2", whole, Money(0, "EUR")))
        gateway.disputes["dp_1"] = Dispute("dp_1", "needs_response", whole, charge, moved[:1])
        await events.take_in(gateway.event("charge.dispute.created", {"id": "dp_1"}), "webhook")
        await work()
        assert await fetchval("select state from transfer_reversal") == "short"

        await recourse.ask_again()
        gateway.empty.clear()
        gateway.disputes["dp_1"] = Dispute("dp_1", "won", whole, charge, moved)
        await events.take_in(gateway.event("charge.dispute.closed", {"id": "dp_1"}), "webhook")
        await work("stripe.event")
        assert await fetchval("select over from dispute") is False, "what comes back is waited for"
        await work()
        assert (await agreed.state(), await agreed.held()) == ("settled", 0)
        assert [t.destination for t in gateway.transfers.values()] == [account, account]
        assert await fetchval("select count(distinct destination) from release_leg") == 1

    async def test_who_asks_for_a_debt_and_who_wins_the_dispute_at_once_agree(self, gateway: FakeGateway) -> None:
        """[33]"""
        agreed, locked = await agree(), asyncio.Event()
        account = await onboarded(agreed, gateway)
        await received(agreed, gateway)
        await work()
        gateway.empty.add(account)
        charge, whole = await fetchval("select charge_id from payment"), Money(120_00, "EUR")
        moved = (Moved("txn_1", -whole, Money(20_00, "EUR")), Moved("txn_2", whole, Money(0, "EUR")))
        gateway.disputes["dp_1"] = Dispute("dp_1", "needs_response", whole, charge, moved[:1])
        await disputes.look_at_charge(await fetchval("select id from payment"))
        await work()
        assert await fetchval("select state from transfer_reversal") == "short"
        gateway.empty.clear()
        gateway.disputes["dp_1"] = Dispute("dp_1", "won", whole, charge, moved)

        async def asks() -> None:
            async with transaction():
                await recourse.ask_again()
                locked.set()
                await somebody_waits()

        async def wins() -> None:
            await locked.wait()
            await disputes.look_at_dispute(await fetchval("select id from dispute"))

        await asyncio.gather(asks(), wins())
        await work()
        assert await fetchval("select over from dispute")
        assert (await agreed.state(), await agreed.held()) == ("settled", 0)
        assert [t.destination for t in gateway.transfers.values()] == [account, account]


class TestTheBooks:
    async def test_no_statement_can_add_an_unbalanced_posting(self, gateway: FakeGateway) -> None:
        agreed = await agree()
        await paid(agreed, gateway)
        posting = await fetchval("select id from ledger_posting limit 1")
        with pytest.raises(asyncpg.CheckViolationError, match="does not balance"):
            await execute(
                "insert into ledger_entry (posting_id, account, currency, amount_minor) values ($1, 'fees', 'EUR', 1)",
                posting,
            )

    async def test_what_was_booked_in_one_instant_is_told_in_the_order_it_happens(self, gateway: FakeGateway) -> None:
        with frozen(now()):
            for _ in range(5):  # ids are random: one deal might come right by chance
                agreed = await agree()
                await paid(agreed, gateway)
                told = await money_of(await any_deal(agreed.deal_id), Side.OPERATOR)
                assert [line.fact for line in told.postings] == [Fact.PAID, Fact.FEE]

    async def test_the_ledger_only_grows(self, gateway: FakeGateway) -> None:
        agreed = await agree()
        await paid(agreed, gateway)
        for table in ("ledger_entry", "ledger_posting"):
            for statement in ("update {} set id = id", "delete from {}", "truncate {} cascade"):
                with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
                    await execute(statement.format(table))

    async def test_a_deal_cannot_give_out_more_than_it_holds(self, gateway: FakeGateway) -> None:
        """[25] [31]"""
        agreed = await agree()
        await paid(agreed, gateway)
        payment = await fetchval("select id from payment")
        with pytest.raises(asyncpg.CheckViolationError, match="would give out"):
            await execute(
                "update release_leg set amount_minor = 12001, payment_id = $1 where deal_id = $2",
                payment,
                agreed.deal_id,
            )
        with pytest.raises(asyncpg.CheckViolationError, match="more than it holds"):
            async with transaction():
                posting = uuid4()
                await execute(
                    "insert into ledger_posting (id, at, fact, reference, deal_id) values ($1, now(), 'x', 'x', $2)",
                    posting,
                    agreed.deal_id,
                )
                await execute(
                    "insert into ledger_entry (posting_id, deal_id, account, currency, amount_minor) "
                    "values ($1, $2, 'held', 'EUR', 12001), ($1, $2, 'stripe', 'EUR', -12001)",
                    posting,
                    agreed.deal_id,
                )

    async def test_a_deal_cannot_be_closed_while_it_holds_money(self, gateway: FakeGateway) -> None:
        agreed = await agree()
        await paid(agreed, gateway)
        with pytest.raises(asyncpg.CheckViolationError, match="is closed and holds"):
            await execute(
                "update deal set state = 'settled', ending = 'received', closed_at = now() where id = $1",
                agreed.deal_id,
            )

    async def test_books_that_agree_with_stripes(self, gateway: FakeGateway) -> None:
        agreed = await agree()
        await onboarded(agreed, gateway)
        await received(agreed, gateway)
        await work()
        with frozen(now() + timedelta(minutes=10)):
            result = await reconcile.match_books()
        assert result.agreed, result
        assert result.movements == 2

    async def test_the_exchanges_own_movements_explain_themselves(self, gateway: FakeGateway) -> None:
        """[47]"""
        await make_person(role=Role.OPERATOR)
        gateway.pays_out(None, Money(500, "EUR"), "failed", "account_closed", name="po_1")
        moves = [("po_1", "payout", -500), ("po_1", "payout_failure", 500), ("po_2", "payout", -300)]
        for source, kind, minor in [*moves, ("tu_1", "topup", 50), ("txn_1", "stripe_fee", -7)]:
            gateway._move(source, kind, Money(minor, "EUR"))
        for minutes in (10, 20):
            with frozen(now() + timedelta(minutes=minutes)):
                assert (await reconcile.match_books()).agreed
            assert await balance() == {Account.BANK: 250, Account.FEES: 7, Account.STRIPE: -257}
        told = await said("payout_failed")
        assert "The account is closed." in told
        assert "exchange's bank" in told
        assert "by itself" in told, "nobody but the operator pays it out anew"

    async def test_one_object_may_move_the_same_way_twice(self, gateway: FakeGateway) -> None:
        """[47]"""
        for kind, minor in [("topup", 500), ("topup_reversal", -200), ("topup_reversal", -200), ("topup", 50)]:
            gateway._move("tu_1", kind, Money(minor, "EUR"))
            with frozen(now() + timedelta(minutes=10)):
                assert (await reconcile.match_books()).agreed
        assert await balance() == {Account.BANK: -150, Account.STRIPE: 150}

    async def test_a_currency_our_books_do_not_know_is_one_difference_and_stops_no_other(
        self, gateway: FakeGateway
    ) -> None:
        """[39] [47]"""
        chief, at = await make_person(role=Role.OPERATOR), now()
        gateway._move("tu_1", "topup", Money(500, "EUR"))
        gateway.moved += [(at, Movement(f"txn_{n}", "re_far", "refund", "xqz", -7)) for n in "ab"]
        with frozen(at + timedelta(minutes=10)):
            (found,) = (await reconcile.match_books()).differences
            assert (found.source, found.currency, found.minor, found.foreign) == ("re_far", "xqz", -14, True)
            assert (await reconcile.explain(source="re_far", currency="xqz", by=chief.actor)).agreed
            gateway.moved.append((at, Movement("txn_c", "re_far", "refund_failure", "xqz", 7)))
            assert [d.minor for d in (await reconcile.match_books()).differences] == [7], "it moved again"
        assert await balance() == {Account.BANK: -500, Account.STRIPE: 500}
        with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
            await execute("delete from set_aside")

    async def test_what_an_earlier_version_booked_is_not_booked_again(self, gateway: FakeGateway) -> None:
        """[47]"""
        gateway._move("tu_1", "topup", Money(500, "EUR"))
        posting = own("topup", Money(500, "EUR"))
        async with transaction():
            await post(posting, "tu_1 topup", deal_id=None, lot_id=None, stripe_object="tu_1")
        with frozen(now() + timedelta(minutes=10)):
            assert (await reconcile.match_books()).agreed
        assert (await balance())[Account.STRIPE] == 500

    async def test_a_difference_stops_releases_until_it_is_gone(self, gateway: FakeGateway) -> None:
        """[46] [47]"""
        await make_person(role=Role.OPERATOR)
        agreed = await agree()
        await onboarded(agreed, gateway)
        await sent(agreed, gateway)
        gateway._move("re_by_hand", "refund", Money(-5_00, "EUR"))
        with frozen(now() + timedelta(minutes=10)):
            result = await reconcile.match_books()
        assert [(d.source, d.minor) for d in result.differences] == [("re_by_hand", -5_00)]
        assert await fetchval("select count(*) from mail where template = 'settlement_books'") == 1

        await deals.receive(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        await work()
        assert not gateway.transfers

        gateway._move("re_by_hand", "refund_failure", Money(5_00, "EUR"))
        with frozen(now() + timedelta(minutes=20)):
            assert (await reconcile.match_books()).agreed
        await work()
        assert await agreed.state() == "settled"

    async def test_a_difference_is_explained_as_it_stands_and_again_when_it_comes_back(
        self, gateway: FakeGateway
    ) -> None:
        """[46] [47]"""
        chief, agreed = await make_person(role=Role.OPERATOR), await agree()
        await onboarded(agreed, gateway)
        await received(agreed, gateway)
        gateway.lost.append(NoAnswer())
        await work()
        (transfer,) = gateway.transfers
        with frozen(now() + timedelta(minutes=10)):
            assert [d.minor for d in (await reconcile.match_books()).differences] == [-114_00]
            assert (await reconcile.explain(source=transfer, currency="EUR", by=chief.actor)).agreed
            await operations.drive(await fetchval("select id from stripe_operation where kind = 'transfer'"))
            assert [d.minor for d in (await reconcile.match_books()).differences] == [114_00], (
                "it was our own after all"
            )
            gateway._move(transfer, "adjustment", Money(-114_00, "EUR"))
            with pytest.raises(reconcile.NothingToExplain):
                await reconcile.explain(source=transfer, currency="EUR", by=chief.actor)
            gateway._move(transfer, "adjustment", Money(114_00, "EUR"))
            assert (await reconcile.explain(source=transfer, currency="EUR", by=chief.actor)).agreed
        assert (await balance())[Account.EXTERNAL] == 0

    async def test_what_agreed_is_not_read_again_and_a_late_change_to_it_is(self, gateway: FakeGateway) -> None:
        """[47]"""
        agreed = await agree()
        await onboarded(agreed, gateway)
        await received(agreed, gateway)
        await work()
        charge = await fetchval("select charge_id from payment")
        gateway.moved = [(at - timedelta(days=3), movement) for at, movement in gateway.moved]
        await execute("insert into reconciliation values (gen_random_uuid(), now(), 2, '[]', true)")
        with frozen(now() + timedelta(minutes=10)):
            result = await reconcile.match_books()
            assert (result.movements, result.agreed) == (0, True), "they lie before what agreed"
            gateway._move(charge, "adjustment", Money(-1, "EUR"))
            (found,) = (await reconcile.match_books()).differences
            assert (found.source, found.minor) == (charge, -1)
        with frozen(now() + timedelta(days=9)):
            assert not (await reconcile.match_books()).agreed, "a difference is found until it is explained"

    async def test_a_payment_that_was_converted_calls_a_person_once(self, gateway: FakeGateway) -> None:
        """[39]"""
        await make_person(role=Role.OPERATOR)
        agreed = await agree()
        await payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        session_id = await agreed.session_id()
        charge = gateway.pays(session_id)
        gateway.becomes(session_id, charge=replace(charge, fee=Money(FEE, "USD")))
        for _ in range(2):
            await payments.come_back(deal_id=agreed.deal_id, session_id=session_id, by=agreed.buyer.actor)
        assert Account.FEES not in await balance(), "no fee of another currency in this deal's books"
        assert await fetchval("select count(*) from mail where template = 'settlement_alarm'") == 1

    async def test_the_wrong_mode_is_not_let_in(self, gateway: FakeGateway) -> None:
        """[41]"""
        with pytest.raises(events.WrongMode):
            await events.take_in(gateway.event("charge.updated", {"id": "ch_1"}, livemode=True), "webhook")
        assert await fetchval("select count(*) from stripe_event") == 0

    async def test_news_of_nothing_we_know_is_kept_and_harmless(self, gateway: FakeGateway) -> None:
        for kind in ("payment_intent.succeeded", "charge.refunded", "customer.created", "transfer.created"):
            await events.take_in(gateway.event(kind, {"id": "x_unknown"}), "webhook")
        await work()
        assert await fetchval("select count(*) from stripe_event where handled_at is not null") == 4
