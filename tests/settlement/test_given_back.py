"""What is owed to a buyer reaches it once: refunds that are refused or come back, by hand, or taken by its bank."""

from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta

import pytest

from exchange.actor import Role
from exchange.clock import frozen, now
from exchange.database import execute, fetchval
from exchange.money import Money
from exchange.settlement.actions import deals, disputes, events, payments, recourse
from exchange.settlement.actions.release import Disputed
from exchange.settlement.queries.deals import any_deal
from exchange.settlement.queries.money import money_of, unrefunded
from exchange.settlement.queries.purse import seller_money
from exchange.settlement.rules.books import Account, Fact
from exchange.settlement.rules.deal import Move, Side, State
from exchange.settlement.schemas import possible
from exchange.settlement.stripe_gateway import Dispute, Moved
from tests.factories import MadePerson, make_person
from tests.settlement.conftest import (
    Agreed,
    agree,
    alarms,
    balance,
    due_now,
    explained,
    onboarded,
    paid,
    refunded_by_hand,
    refused_refund,
    said,
    work,
)
from tests.settlement.fakes import FakeGateway

pytestmark = pytest.mark.usefixtures("committed")

WHOLE = Money(120_00, "EUR")
"""What the buyer of a deal pays here."""


@pytest.fixture
async def chief(committed: None) -> MadePerson:
    return await make_person(role=Role.OPERATOR)


async def paid_twice(gateway: FakeGateway) -> Agreed:
    """A deal paid on two pages, 120 each: the second is not owed, and its refund is planned."""
    agreed = await agree()
    await payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor)
    first = await agreed.session_id()
    await execute("update payment set state = 'expired' where session_id = $1", first)
    await payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor)
    for session_id in (first, await agreed.session_id()):
        gateway.pays(session_id)
        await payments.come_back(deal_id=agreed.deal_id, session_id=session_id, by=agreed.buyer.actor)
    return agreed


async def returned(gateway: FakeGateway) -> None:
    """The buyer's bank sends our only refund back."""
    (refund,) = gateway.refunds.values()
    gateway.refunds[refund.id] = replace(refund, status="failed")
    gateway._move(refund.id, "refund_failure", refund.amount)
    await events.take_in(gateway.event("refund.failed", {"id": refund.id}), "webhook")
    await work()


async def dispute(gateway: FakeGateway, minor: int, status: str, *, payment: str = "paid") -> None:
    """The buyer's bank takes ``minor`` of a payment, and the dispute stands at ``status``."""
    charge, amount = await fetchval("select charge_id from payment where state = $1", payment), Money(minor, "EUR")
    moved = (Moved("txn_dp", -amount, Money(0, "EUR")),)
    if "dp_1" not in gateway.disputes:
        gateway._move("dp_1", "adjustment", -amount)
    gateway.disputes["dp_1"] = Dispute("dp_1", status, amount, charge, moved)
    await events.take_in(gateway.event("charge.dispute.updated", {"id": "dp_1"}), "webhook")
    await work()


async def coming_back(agreed: Agreed) -> list[tuple[int, str]]:
    """What the buyer reads on its page of money."""
    told = (await seller_money(agreed.buyer.actor)).coming_back
    return [(owed.amount.minor, owed.state) for owed in told]


async def owed(agreed: Agreed) -> int:
    left = await unrefunded(await any_deal(agreed.deal_id))
    return left.returned.minor + left.refused.minor


async def nothing_is_owed(agreed: Agreed, chief: MadePerson) -> None:
    assert not await unrefunded(await any_deal(agreed.deal_id))
    with pytest.raises(recourse.NothingCameBack):
        await recourse.pay_otherwise(deal_id=agreed.deal_id, amount=WHOLE, reference="VIR 1", by=chief.actor)


async def not_shipped(gateway: FakeGateway) -> Agreed:
    """A deal whose buyer was refunded in full, because the seller did not ship."""
    agreed = await agree()
    await paid(agreed, gateway)
    await due_now(agreed)
    await deals.tick(agreed.deal_id)
    await work()
    assert await agreed.state() == "refunded"
    return agreed


async def settled(gateway: FakeGateway) -> Agreed:
    """A deal whose seller was paid."""
    agreed = await agree()
    await onboarded(agreed, gateway)
    await paid(agreed, gateway)
    await deals.ship(deal_id=agreed.deal_id, carrier="Geodis", tracking="G1", by=agreed.seller.actor)
    await deals.receive(deal_id=agreed.deal_id, by=agreed.buyer.actor)
    await work()
    assert await agreed.state() == "settled"
    return agreed


async def test_what_came_back_is_not_owed_once_the_bank_took_it(gateway: FakeGateway, chief: MadePerson) -> None:
    """[30] [34]"""
    agreed = await not_shipped(gateway)
    await returned(gateway)
    assert (await agreed.state(), await owed(agreed)) == ("closing", 120_00)
    assert await coming_back(agreed) == [(120_00, "returned")]
    for status in ("needs_response", "lost"):
        await dispute(gateway, 120_00, status)
        assert await coming_back(agreed) == [], "the bank may pay it"
    assert (await agreed.state(), await agreed.held()) == ("refunded", 0)
    await nothing_is_owed(agreed, chief)


@pytest.mark.parametrize("won", [False, True])
async def test_while_the_bank_has_the_matter_nobody_is_told_to_pay_what_came_back(
    gateway: FakeGateway, chief: MadePerson, won: bool
) -> None:
    """[30] [34]"""
    agreed = await not_shipped(gateway)
    await dispute(gateway, 120_00, "warning_needs_response")
    await execute("delete from mail")
    await returned(gateway)
    await execute(
        "insert into cash_return (id, company_id, deal_id, lot_id, currency, amount_minor, reason, state, created_at) "
        "select gen_random_uuid(), buyer_company_id, id, lot_id, 'EUR', 1200, 'over', 'failed', now() from deal"
    )
    assert await owed(agreed) == 12_00, "a transfer that no payment took is not in dispute"
    assert await coming_back(agreed) == [(12_00, "returned")]
    assert await fetchval("select count(*) from mail") == 0
    await recourse.pay_otherwise(deal_id=agreed.deal_id, amount=Money(12_00, "EUR"), reference="VIR 1", by=chief.actor)
    for forbidden in (
        recourse.pay_otherwise(deal_id=agreed.deal_id, amount=WHOLE, reference="VIR 2", by=chief.actor),
        recourse.refund_again(deal_id=agreed.deal_id, by=chief.actor),
    ):
        with pytest.raises(Disputed):
            await forbidden
    await dispute(gateway, 120_00, "warning_closed" if won else "lost")
    assert (await alarms())[1:] == (["A refund came back: Outillage, fin de série"] if won else [])
    assert await owed(agreed) == (120_00 if won else 0)
    assert await fetchval("select count(*) from mail where template = 'deal_refund_failed'") == won


@pytest.mark.parametrize("bank", [False, True])
async def test_no_button_refunds_what_the_bank_may_take(gateway: FakeGateway, bank: bool) -> None:
    """[34]"""
    agreed = await agree()
    await paid(agreed, gateway)
    if bank:
        await dispute(gateway, 120_00, "needs_response")
    deal = await any_deal(agreed.deal_id)
    assert (Move.CANCEL in possible(deal, Side.BUYER, None).moves) is not bank
    ended = replace(deal, state=State.SETTLED)
    assert possible(ended, Side.OPERATOR, None).refund is not bank
    assert (Move.MAKE_READY in possible(deal, Side.SELLER, None).moves) is not bank, "nor calls the buyer to the goods"
    with pytest.raises(Disputed) if bank else nullcontext():
        await deals.make_ready(deal_id=agreed.deal_id, note="B 1", by=agreed.seller.actor)


async def test_what_came_back_and_was_then_taken_counts_once(gateway: FakeGateway, chief: MadePerson) -> None:
    """[30] [34]"""
    agreed = await settled(gateway)
    await recourse.refund_released(deal_id=agreed.deal_id, refund=Money(60_00, "EUR"), by=chief.actor)
    await work()
    await returned(gateway)
    for status in ("needs_response", "lost"):
        await dispute(gateway, 60_00, status)
    assert (await agreed.state(), await agreed.held()) == ("partly_refunded", 0)
    assert await fetchval("select refund_minor from deal") == 60_00
    await nothing_is_owed(agreed, chief)


async def test_of_a_surplus_that_came_back_the_bank_takes_what_is_owed(gateway: FakeGateway, chief: MadePerson) -> None:
    """[2] [30] [34]"""
    agreed = await paid_twice(gateway)
    await work()
    await returned(gateway)
    for status in ("needs_response", "lost"):
        await dispute(gateway, 120_00, status, payment="surplus")
    assert (await balance())[Account.SURPLUS] == 0
    told = "select count(*) from mail where template = 'deal_disputed' and subject like 'The bank has decided for %'"
    assert await fetchval(told) == 2, "both waited"
    await nothing_is_owed(agreed, chief)


async def test_the_time_to_prove_the_delivery_counts_anew_when_the_bank_has_decided(gateway: FakeGateway) -> None:
    """[32]"""
    agreed, began = await agree(), now()
    await paid(agreed, gateway)
    await deals.ship(deal_id=agreed.deal_id, carrier="Geodis", tracking="G1", by=agreed.seller.actor)
    await due_now(agreed)
    await deals.tick(agreed.deal_id)
    await dispute(gateway, 120_00, "needs_response")
    with frozen(began + timedelta(days=30)):
        await deals.tick(agreed.deal_id)
        assert (await any_deal(agreed.deal_id)).next_for(Side.SELLER).until is None  # type: ignore[union-attr]
        gateway.disputes["dp_1"] = replace(gateway.disputes["dp_1"], status="won")
        await disputes.look_at_dispute(await fetchval("select id from dispute"))
        await deals.tick(agreed.deal_id)
        assert await agreed.state() == "overdue", "its time begins anew, it is not over"
    with frozen(began + timedelta(days=40)):
        await deals.tick(agreed.deal_id)
        assert await agreed.state() == "closing"


async def test_a_clock_that_counts_anew_reminds_once(gateway: FakeGateway) -> None:
    """[32]"""
    agreed, began = await agree(), now()
    await paid(agreed, gateway)
    await dispute(gateway, 120_00, "warning_needs_response")
    with frozen(began + timedelta(days=6)):
        await dispute(gateway, 120_00, "warning_closed")
    reminded = []
    for days in (7, 13):
        with frozen(began + timedelta(days=days, hours=1)):
            await deals.remind_side(agreed.deal_id)
        reminded.append(await fetchval("select count(*) from mail where template = 'deal_reminder'"))
    assert reminded == [0, 1], "the job of the old count finds that there is time"


@pytest.mark.parametrize("surplus", [False, True])
async def test_a_hand_counts_for_what_came_back(gateway: FakeGateway, chief: MadePerson, surplus: bool) -> None:
    """[30] [46]"""
    agreed = await (paid_twice if surplus else not_shipped)(gateway)
    await work()
    await returned(gateway)
    for left, minor in ((80_00, 40_00), (0, 80_00)):
        await refunded_by_hand(gateway, minor, f"re_{left}", by=chief, state="surplus" if surplus else "paid")
        assert await owed(agreed) == left
    await nothing_is_owed(agreed, chief)
    books = await balance()
    assert (books.get(Account.SURPLUS, 0), books[Account.EXTERNAL]) == (0, 0)
    assert await agreed.state() == ("paid" if surplus else "refunded")


async def test_what_was_paid_another_way_is_what_is_owed_or_nothing_is_booked(
    gateway: FakeGateway, chief: MadePerson
) -> None:
    """[30]"""
    agreed = await not_shipped(gateway)
    await returned(gateway)
    await refunded_by_hand(gateway, 40_00, "re_hand", by=chief)
    with pytest.raises(recourse.OwedChanged, match="80"):
        await recourse.pay_otherwise(deal_id=agreed.deal_id, amount=WHOLE, reference="VIR 1", by=chief.actor)
    assert (await owed(agreed), Account.BANK in await balance()) == (80_00, False)
    await recourse.pay_otherwise(deal_id=agreed.deal_id, amount=Money(80_00, "EUR"), reference="VIR 1", by=chief.actor)
    assert (await agreed.state(), await agreed.held()) == ("refunded", 0)


@pytest.mark.parametrize("way", ["otherwise", "hand"])
async def test_a_surplus_given_back_by_hand_that_comes_back_is_owed_again(
    gateway: FakeGateway, chief: MadePerson, way: str
) -> None:
    """[2] [46]"""
    gateway.refuses["refund"] = "charge_already_refunded"
    agreed = await paid_twice(gateway)
    await work()
    await refunded_by_hand(gateway, 120_00, "re_hand", by=chief, state="surplus")
    before = await alarms()
    await explained(gateway, "re_hand", "refund_failure", Money(120_00, "EUR"), by=chief)
    assert (await owed(agreed), (await balance())[Account.SURPLUS]) == (120_00, -120_00)
    assert (await alarms())[len(before) :] == ["A refund came back: Outillage, fin de série"]
    assert "€120.00" in await said("deal_refund_failed")
    if way == "otherwise":
        await recourse.pay_otherwise(deal_id=agreed.deal_id, amount=WHOLE, reference="VIR 1", by=chief.actor)
    else:
        await refunded_by_hand(gateway, 120_00, "re_again", by=chief, state="surplus")
    books = await balance()
    assert (books[Account.SURPLUS], books[Account.EXTERNAL], await agreed.state()) == (0, 0, "paid")
    assert not await fetchval("select count(*) from ledger_posting where deal_id is null"), "each cent on its page"
    told = await money_of(await any_deal(agreed.deal_id), Side.SELLER)
    assert [line.fact for line in told.postings] == [Fact.PAID], "what the buyer did not owe is not the seller's matter"
    await nothing_is_owed(agreed, chief)


async def test_a_surplus_given_back_by_hand_before_ours_was_refused_is_not_owed(
    gateway: FakeGateway, chief: MadePerson
) -> None:
    """[2] [46]"""
    agreed = await paid_twice(gateway)
    await refunded_by_hand(gateway, 120_00, "re_hand", by=chief, state="surplus")
    gateway.refuses["refund"] = "charge_already_refunded"
    before = await alarms()
    await work()
    assert (await alarms(), (await balance())[Account.SURPLUS]) == (before, 0)
    await nothing_is_owed(agreed, chief)


async def test_what_is_explained_of_a_refund_of_ours_is_not_given_to_the_buyer(
    gateway: FakeGateway, chief: MadePerson
) -> None:
    """[46]"""
    agreed = await settled(gateway)
    for minor in (60_00, 30_00):
        await recourse.refund_released(deal_id=agreed.deal_id, refund=Money(minor, "EUR"), by=chief.actor)
        await work()
        if minor == 60_00:
            (ours,) = gateway.refunds
            await explained(gateway, ours, "refund", Money(-1_00, "EUR"), by=chief)  # what the service took for it
    assert [refund.amount.minor for refund in gateway.refunds.values()] == [60_00, 30_00]


async def test_one_object_that_moves_to_and_fro_is_explained_each_time(gateway: FakeGateway, chief: MadePerson) -> None:
    """[46] [47]"""
    for minor in (-5_00, 5_00, -5_00):
        await explained(gateway, "tr_hand", "transfer", Money(minor, "EUR"), by=chief)
    assert (await balance())[Account.EXTERNAL] == 5_00


async def test_a_refused_refund_covered_by_the_bank_is_never_made(gateway: FakeGateway, chief: MadePerson) -> None:
    """[31] [34]"""
    agreed = await refused_refund(gateway)
    assert await coming_back(agreed) == [(120_00, "refused")]
    for status in ("needs_response", "lost"):
        await dispute(gateway, 120_00, status)
    assert (await agreed.state(), await agreed.held(), gateway.made("refund")) == ("refunded", 0, 1)
    await nothing_is_owed(agreed, chief)
