"""A lot sold only if enough of it is paid: held until then, all or nobody, decided once. Money list 35."""

import asyncio
from datetime import datetime, timedelta

import httpx
import pytest

from exchange.actor import Role
from exchange.clock import frozen, now
from exchange.database import fetch, fetchrow, fetchval, transaction
from exchange.listings.actions.lots import expire_lots
from exchange.settlement.actions import deals, events, payments, thresholds
from exchange.settlement.queries.deals import any_deal
from exchange.settlement.queries.standing import facts_of
from exchange.settlement.rules.deal import NotNow
from exchange.settlement.stripe_gateway import Dispute
from tests.factories import bearer, make_person, sign_in
from tests.settlement.conftest import Agreed, agree, due_now, onboarded, paid, refunded_by_hand, somebody_waits, work
from tests.settlement.fakes import FakeGateway
from tests.settlement.service import Service, books_agree

pytestmark = pytest.mark.usefixtures("committed")

SOON = timedelta(hours=3)


async def buyers(n: int = 2, *, threshold: int | None = None, sale_ends: timedelta = SOON) -> list[Agreed]:
    """So many buyers of five units each of one lot of twenty; all must pay unless a ``threshold`` says otherwise."""
    first = await agree(quantity=5, threshold=threshold or 5 * n, sale_ends=sale_ends)
    return [first, *[await agree(quantity=5, on=first) for _ in range(n - 1)]]


async def states(all_: list[Agreed]) -> list[str]:
    return [await agreed.state() for agreed in all_]


async def count(agreed: Agreed) -> tuple[int, str]:
    row = await fetchrow("select threshold_paid, threshold_state from lot where id = $1", agreed.lot_id)
    assert row is not None
    return row["threshold_paid"], row["threshold_state"]


async def last_instant(agreed: Agreed) -> datetime:
    ends: datetime = await fetchval("select expires_at from lot where id = $1", agreed.lot_id)
    return ends


async def begins_to_pay(agreed: Agreed) -> str:
    await payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor)
    return await agreed.session_id()


async def test_one_of_four_buyers_fails_and_the_three_others_are_refunded_on_the_last_day(gateway: FakeGateway) -> None:
    *good, failing = everybody = await buyers(4)
    for agreed in good:
        await paid(agreed, gateway)
    await work()
    assert await states(everybody) == ["pooled"] * 3 + ["awaiting_payment"]
    assert await count(failing) == (15, "open")
    for move in (
        deals.ship(deal_id=good[0].deal_id, carrier="Geodis", tracking="G1", by=good[0].seller.actor),
        deals.make_ready(deal_id=good[0].deal_id, note="B1", by=good[0].seller.actor),
    ):
        with pytest.raises(NotNow):
            await move

    by, told = await last_instant(failing), await fetchval("select count(*) from mail")
    with frozen(by):
        await thresholds.weigh(failing.lot_id)
        assert await count(failing) == (15, "open"), "the last instant is still in time"
    with frozen(by + timedelta(seconds=1)):
        for _ in range(2):  # however often it is told
            await thresholds.weigh(failing.lot_id)
            for agreed in everybody:
                await deals.tick(agreed.deal_id)
            await work()
        assert await expire_lots() == 1
    assert await count(failing) == (15, "missed")
    assert await states(everybody) == ["refunded"] * 3 + ["unpaid"]
    assert [refund.amount.minor for refund in gateway.refunds.values()] == [60_00] * 3
    assert [await agreed.held() for agreed in everybody] == [0] * 4
    lot = await fetchrow("select state, reserved, sold from lot where id = $1", failing.lot_id)
    assert lot is not None
    assert tuple(lot) == ("expired", 0, 0)
    assert await fetchval("select count(*) from mail") > told
    assert {row["ending"] for row in await fetch("select ending from deal")} == {"missed"}
    assert await fetchval("select count(*) from strike") == 0, "nobody is at fault when the sale ends before the time"
    assert failing.buyer.company
    assert (await facts_of(failing.buyer.company.id)).bought == 0


async def test_who_does_not_pay_in_time_leaves_the_others_their_chance(gateway: FakeGateway) -> None:
    *good, failing = everybody = await buyers(sale_ends=timedelta(days=20))
    for agreed in good:
        await paid(agreed, gateway)
    await due_now(failing)
    await deals.tick(failing.deal_id)
    await work()
    assert await states(everybody) == ["pooled", "unpaid"]
    assert await fetchval("select count(*) from strike") == 1
    another = await agree(quantity=5, on=failing)
    await paid(another, gateway)
    await work()
    assert await states([*good, another]) == ["paid"] * 2
    assert await count(failing) == (10, "met")


async def test_once_enough_is_paid_the_sale_goes_ahead_for_all(gateway: FakeGateway) -> None:
    *good, slow = everybody = await buyers(threshold=5)
    await onboarded(slow, gateway)
    for agreed in good:
        await paid(agreed, gateway)
    await work()
    assert await states(everybody) == ["paid", "awaiting_payment"]
    row = await fetchrow(
        "select min(due_at) filter (where state = 'paid') - max(since) filter (where state = 'paid') as to_ship, "
        "min(due_at) filter (where state = 'awaiting_payment') as to_pay from deal"
    )
    assert row is not None
    assert row["to_ship"] > timedelta(days=9), "the seller's clock starts with the threshold"
    assert row["to_pay"] > await last_instant(slow), "the sale's end no longer presses who has not paid"
    with frozen(await last_instant(slow) + timedelta(minutes=1)):
        await thresholds.weigh(slow.lot_id)
        await paid(slow, gateway)
        await work()
        for agreed in everybody:
            await deals.ship(deal_id=agreed.deal_id, carrier="Geodis", tracking="G1", by=agreed.seller.actor)
            await deals.receive(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        await work()
    assert await states(everybody) == ["settled"] * 2
    assert gateway.refunds == {}
    assert [t.amount.minor for t in gateway.transfers.values()] == [57_00] * 2


@pytest.mark.parametrize("counted_later", [timedelta(0), timedelta(days=2)])
async def test_paid_at_the_last_instant_is_in_time(gateway: FakeGateway, counted_later: timedelta) -> None:
    *good, last = everybody = await buyers()
    for agreed in good:
        await paid(agreed, gateway)
    by, session_id = await last_instant(last), await begins_to_pay(last)
    gateway.pays(session_id)
    with frozen(by):
        await payments.come_back(deal_id=last.deal_id, session_id=session_id, by=last.buyer.actor)
    with frozen(by + counted_later):
        await thresholds.weigh(last.lot_id)
        await work()
    assert await count(last) == (10, "met")
    assert await states(everybody) == ["paid"] * 2


@pytest.mark.parametrize("first", ["payment", "expiry"])
async def test_a_payment_and_the_end_at_one_moment_have_one_outcome(gateway: FakeGateway, first: str) -> None:
    """The end waits for the open page to close: paid on it, the payment counts, whoever hears of it first."""
    *good, last = everybody = await buyers()
    for agreed in good:
        await paid(agreed, gateway)
    by, session_id = await last_instant(last), await begins_to_pay(last)
    gateway.pays(session_id)
    with frozen(by + timedelta(seconds=1)):
        both = [
            payments.come_back(deal_id=last.deal_id, session_id=session_id, by=last.buyer.actor),
            thresholds.weigh(last.lot_id),
        ]
        await asyncio.gather(*(both if first == "payment" else reversed(both)))
        await work()
    assert await count(last) == (10, "met")
    assert await states(everybody) == ["paid"] * 2
    assert gateway.refunds == {}


async def test_the_count_waits_for_a_payment_that_is_being_booked(gateway: FakeGateway) -> None:
    *good, last = everybody = await buyers()
    for agreed in good:
        await paid(agreed, gateway)
    session_id, locked = await begins_to_pay(last), asyncio.Event()
    gateway.becomes(session_id, status="complete", intent_status="processing")
    await payments.come_back(deal_id=last.deal_id, session_id=session_id, by=last.buyer.actor)
    gateway.pays(session_id)
    payment_id = await fetchval("select id from payment where session_id = $1", session_id)

    async def arrives() -> None:
        async with transaction():
            await any_deal(last.deal_id, lock=True)
            locked.set()
            await somebody_waits()
            await payments.settle(payment_id, gateway.sessions[session_id])

    async def ends() -> None:
        await locked.wait()
        await thresholds.weigh(last.lot_id)

    with frozen(await last_instant(last) + timedelta(seconds=1)):
        await asyncio.gather(arrives(), ends())
        await work()
    assert await count(last) == (10, "met")
    assert await states(everybody) == ["paid"] * 2


async def test_nobody_waits_for_a_payment_that_takes_days_and_it_goes_back_whole(gateway: FakeGateway) -> None:
    *good, slow = everybody = await buyers()
    for agreed in good:
        await paid(agreed, gateway)
    session_id = await begins_to_pay(slow)
    gateway.becomes(session_id, status="complete", intent_status="processing")
    await payments.come_back(deal_id=slow.deal_id, session_id=session_id, by=slow.buyer.actor)
    with frozen(await last_instant(slow) + timedelta(seconds=1)):
        await thresholds.weigh(slow.lot_id)
        await work()
        assert await states(everybody) == ["refunded", "awaiting_payment"]
        gateway.pays(session_id)
        await payments.come_back(deal_id=slow.deal_id, session_id=session_id, by=slow.buyer.actor)
        await work()
    assert await states(everybody) == ["refunded"] * 2
    assert await count(slow) == (5, "missed")
    assert [refund.amount.minor for refund in gateway.refunds.values()] == [60_00] * 2
    assert await fetchval("select count(*) from payment where state = 'surplus'") == 0


async def test_a_page_left_open_is_closed_before_the_end_is_decided(gateway: FakeGateway) -> None:
    *good, leaves = everybody = await buyers()
    for agreed in good:
        await paid(agreed, gateway)
    await begins_to_pay(leaves)
    with frozen(await last_instant(leaves) + timedelta(seconds=1)):
        await deals.tick(leaves.deal_id)  # its own clock asks for the count, and judges nobody before
        assert await leaves.state() == "awaiting_payment"
        await work()
        with pytest.raises(payments.NothingToPay):
            await payments.pay(deal_id=leaves.deal_id, by=leaves.buyer.actor)
    assert await states(everybody) == ["refunded", "unpaid"]


async def test_a_buyer_that_fails_takes_its_units_out_of_the_count(gateway: FakeGateway) -> None:
    disputed, cancels, last = everybody = await buyers(3, threshold=20)
    for agreed in everybody:
        await paid(agreed, gateway)
    await work()

    async def bank(agreed: Agreed, name: str, status: str) -> None:
        charge = await fetchval("select charge_id from payment where deal_id = $1", agreed.deal_id)
        total = (await any_deal(agreed.deal_id)).terms.total
        gateway.disputes[name] = Dispute(name, status, total, charge)
        kind = "created" if status == "needs_response" else "closed"
        await events.take_in(gateway.event(f"charge.dispute.{kind}", {"id": name}), "webhook")
        await work()

    await bank(disputed, "dp_1", "needs_response")
    assert await count(disputed) == (10, "open")
    for side in (cancels.buyer, cancels.seller):
        await deals.cancel(deal_id=cancels.deal_id, by=side.actor)
    await work()
    assert await count(disputed) == (5, "open")
    assert await cancels.state() == "refunded"
    await bank(disputed, "dp_1", "won")
    assert await count(disputed) == (10, "open"), "its money is held again"
    with frozen(await last_instant(last) + timedelta(seconds=1)):
        await thresholds.weigh(last.lot_id)
        await work()
    assert await states([disputed, last]) == ["refunded"] * 2


async def test_what_the_operator_gave_back_by_hand_counts_no_more(gateway: FakeGateway) -> None:
    (one,) = await buyers(1, threshold=20)
    await paid(one, gateway)
    await work()
    assert await count(one) == (5, "open")
    await refunded_by_hand(gateway, 60_00, "re_hand", by=await make_person(role=Role.OPERATOR))
    await work()
    assert await count(one) == (0, "open")
    with frozen(await last_instant(one) + timedelta(seconds=1)):
        await thresholds.weigh(one.lot_id)
        await work()
    assert (await one.state(), await one.held()) == ("refunded", 0)
    assert list(gateway.refunds) == ["re_hand"], "nothing is given twice"


async def test_a_disputed_payment_is_not_refunded_until_the_bank_has_decided(gateway: FakeGateway) -> None:
    (one,) = await buyers(1, threshold=20)
    await paid(one, gateway)
    charge = await fetchval("select charge_id from payment where deal_id = $1", one.deal_id)
    gateway.disputes["dp_1"] = Dispute("dp_1", "needs_response", (await any_deal(one.deal_id)).terms.total, charge)
    await events.take_in(gateway.event("charge.dispute.created", {"id": "dp_1"}), "webhook")
    with frozen(await last_instant(one) + timedelta(seconds=1)):
        await work()
        await thresholds.weigh(one.lot_id)
        await work()
        assert (await one.state(), gateway.refunds) == ("pooled", {})
        gateway.disputes["dp_1"] = Dispute("dp_1", "won", (await any_deal(one.deal_id)).terms.total, charge)
        await events.take_in(gateway.event("charge.dispute.closed", {"id": "dp_1"}), "webhook")
        await work()
    assert await one.state() == "refunded"


async def test_a_deal_opened_after_the_end_ends_like_the_others(gateway: FakeGateway) -> None:
    (first,) = await buyers(1)
    late = await agree(quantity=5, on=first, opened=False)
    with frozen(await last_instant(first) + timedelta(seconds=1)):
        await thresholds.weigh(first.lot_id)
        await deals.open_deal(late.negotiation_id)
        await work()
        late = await late.opened()
    assert await states([first, late]) == ["unpaid"] * 2
    assert await fetchval("select count(*) from strike") == 0


async def test_each_reads_what_is_theirs_of_the_count(client: httpx.AsyncClient, gateway: FakeGateway) -> None:
    *good, last = await buyers(threshold=15)
    for agreed in good:
        await paid(agreed, gateway)
    await work()
    at, names = f"/deals/{good[0].deal_id}", []
    for other in (*good[1:], last):
        assert other.buyer.company
        names += [other.buyer.company.trading_name, other.buyer.company.legal_name, str(other.deal_id)]

    await sign_in(client, good[0].buyer)
    page = (await client.get(at)).text
    assert "At least 4 of the 15 units needed are paid." in page, "in steps of two"
    assert "until enough of the lot is paid" in page
    api = {"client": await bearer(good[0].buyer), "seller": await bearer(good[0].seller)}
    told = (await client.get(f"/api/v1{at}", headers=api["client"])).json()
    assert (told["state"], told["threshold"]["paid_at_least"], told["may"]) == ("pooled", 4, ["cancel"])
    for name in names:
        assert name not in page + str(told), "who else buys stays hidden"

    await sign_in(client, good[0].seller)
    page = (await client.get(at)).text
    assert "5 of the 15 units needed are paid." in page
    assert f"{at}/shipment" not in page
    assert f"{at}/papers/pro-forma" in page
    assert f"{at}/papers/note" not in page, "nothing is handed over yet"
    told = (await client.get(f"/api/v1{at}", headers=api["seller"])).json()
    assert told["threshold"]["paid_at_least"] == 5
    sent = await client.post(
        f"/api/v1{at}/shipment", headers=api["seller"], json={"carrier": "Geodis", "tracking": "1"}
    )
    assert sent.status_code == 409

    await sign_in(client, last.buyer)
    page = (await client.get(f"/deals/{last.deal_id}")).text
    assert "This lot is sold only if 15 units of it are paid by" in page
    assert "a direct debit takes about five working days" in page


async def test_one_of_four_fails_at_stripe_and_the_books_agree(service: Service) -> None:
    *good, failing = everybody = await buyers(4, sale_ends=timedelta(hours=20))
    for agreed in good:
        await service.pay(agreed)
    await service.pay(failing, "sepa_debit:AT861904300235473202")
    await service.post()
    assert await states(everybody) == ["pooled"] * 3 + ["awaiting_payment"]
    await service.control("clock", seconds=8 * 24 * 3600)
    await service.post()
    assert await fetchval("select state from payment where deal_id = $1", failing.deal_id) == "failed"
    with frozen(max(await last_instant(failing), now()) + timedelta(seconds=1)):
        await thresholds.weigh(failing.lot_id)
        await service.post()
    assert await states(everybody) == ["refunded"] * 3 + ["unpaid"]
    assert [refund["amount"] for refund in await service.listed("/v1/refunds")] == [60_00] * 3
    assert await service.listed("/v1/transfers") == []
    await books_agree()
