"""Money that waits for an account, a bank or a person: whole when it leaves, and nobody forgets it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from exchange.actor import Role
from exchange.clock import frozen, now
from exchange.database import execute, fetch, fetchval
from exchange.money import Money
from exchange.settlement.actions import deals, events, recourse, sellers, waiting
from exchange.settlement.rules.books import Account
from exchange.settlement.stripe_gateway import Dispute, Moved, Refund
from tests.factories import make_company, make_person
from tests.settlement.conftest import (
    Agreed,
    agree,
    alarms,
    balance,
    onboarded,
    open_account,
    paid,
    refunded_by_hand,
    work,
)
from tests.settlement.fakes import FakeGateway

pytestmark = pytest.mark.usefixtures("committed")


async def bank(gateway: FakeGateway, name: str, status: str, minor: int = 120_00) -> None:
    """The buyer's bank takes ``minor`` in the dispute ``name``, or decides it."""
    amount = Money(minor, "EUR")
    if name not in gateway.disputes:
        charge = await fetchval("select charge_id from payment where state = 'paid'")
        gateway._move(name, "adjustment", -amount)
        gateway.disputes[name] = Dispute(name, status, amount, charge, (Moved(f"{name} taken", -amount, amount * 0),))
    else:
        moved = gateway.disputes[name].moved
        if status == "won":
            gateway._move(name, "adjustment", amount)
            moved += (Moved(f"{name} returned", amount, amount * 0),)
        gateway.disputes[name] = replace(gateway.disputes[name], status=status, moved=moved)
    await events.take_in(gateway.event("charge.dispute.updated", {"id": name}), "webhook")
    await work()


async def account_is(status: str, account: str, agreed: Agreed, gateway: FakeGateway) -> None:
    gateway.onboards(account, status)
    assert agreed.seller.company
    await sellers.look_at_account(agreed.seller.company.id)
    await work()


async def received(agreed: Agreed, gateway: FakeGateway) -> None:
    """Paid, sent off and found right: the money is shared out."""
    await paid(agreed, gateway)
    await deals.ship(deal_id=agreed.deal_id, carrier="Geodis", tracking="G1", by=agreed.seller.actor)
    await deals.receive(deal_id=agreed.deal_id, by=agreed.buyer.actor)
    await work()


async def waits_again(gateway: FakeGateway) -> tuple[Agreed, str]:
    """A settled deal whose seller's part came back for a dispute and, won, waits for the seller's account."""
    agreed = await agree()
    account = await onboarded(agreed, gateway)
    await received(agreed, gateway)
    await account_is("restricted", account, agreed, gateway)
    for status in ("needs_response", "won"):
        await bank(gateway, "dp_1", status)
    assert await fetchval("select count(*) from release_leg where state = 'parked'") == 1
    return agreed, account


@pytest.mark.parametrize(("end", "taken"), [("won", 0), ("lost", 60_00), ("lost", 120_00)])
async def test_a_part_that_waits_is_less_only_once_the_dispute_is_lost(
    gateway: FakeGateway, end: str, taken: int
) -> None:
    """[32] [33]"""
    agreed, account = await waits_again(gateway)
    whole = next(iter(gateway.transfers.values())).amount.minor
    for status in ("needs_response", end):
        await bank(gateway, "dp_2", status, taken or 60_00)
    await account_is("active", account, agreed, gateway)
    again = [transfer.amount.minor for transfer in gateway.transfers.values()][1:]
    assert again == ([] if taken == 120_00 else [whole - taken * whole // 120_00])
    books = await balance()
    assert (await agreed.held(), books.get(Account.LOSSES, 0)) == (0, 0)
    assert await agreed.state() == {0: "settled", 60_00: "partly_refunded", 120_00: "refunded"}[taken]


@pytest.mark.parametrize("end", ["won", "lost"])
async def test_what_was_sent_comes_back_at_once_though_another_part_waits(gateway: FakeGateway, end: str) -> None:
    """[33]"""
    agreed, helper = await agree(), await make_person(await make_company(), role=Role.OWNER)
    assert helper.company
    await execute(
        "insert into release_leg (id, deal_id, lot_id, company_id, rank, weight, fixed_minor, currency, state) "
        "select gen_random_uuid(), id, lot_id, $1, 1, 0, 400, 'EUR', 'planned' from deal",
        helper.company.id,
    )
    await onboarded(agreed, gateway)
    await received(agreed, gateway)
    assert (await agreed.state(), await agreed.held()) == ("closing", 4_00)
    await bank(gateway, "dp_1", "needs_response")
    sent = next(iter(gateway.transfers.values())).amount.minor
    assert [row["amount_minor"] for row in await fetch("select amount_minor from transfer_reversal")] == [sent]
    await bank(gateway, "dp_1", end)
    await open_account(helper, gateway)
    await work()
    assert (await agreed.state(), await agreed.held()) == ("settled" if end == "won" else "refunded", 0)
    again = [transfer.amount.minor for transfer in gateway.transfers.values()][1:]
    assert sorted(again) == ([4_00, sent] if end == "won" else [])
    books = await balance()
    assert (books.get(Account.LOSSES, 0), books.get(Account.DISPUTED, 0)) == (0, 0)


async def test_of_two_disputes_each_has_its_own_money_back(gateway: FakeGateway) -> None:
    """[33]"""
    agreed = await agree()
    await onboarded(agreed, gateway)
    await received(agreed, gateway)
    for name in ("dp_1", "dp_2"):
        await bank(gateway, name, "needs_response", 60_00)
    for name in ("dp_1", "dp_2"):
        await bank(gateway, name, "lost", 60_00)
    assert (await agreed.state(), await agreed.held()) == ("refunded", 0)
    assert (await balance()).get(Account.LOSSES, 0) == 0


async def test_a_refund_that_hands_cover_whole_ends_the_deal_anew(gateway: FakeGateway) -> None:
    """[29] [46]"""
    chief = await make_person(role=Role.OPERATOR)
    agreed, _ = await waits_again(gateway)
    await refunded_by_hand(gateway, 120_00, "re_hand", by=chief)
    await recourse.refund_released(deal_id=agreed.deal_id, refund=Money(120_00, "EUR"), by=chief.actor)
    await work()
    assert (await agreed.state(), await agreed.held()) == ("refunded", 0)


async def test_a_person_is_called_each_week_about_whatever_waits_in_whatever_state_its_deal_is(
    gateway: FakeGateway,
) -> None:
    """[21] [22] [30]"""
    await make_person(role=Role.OPERATOR)
    agreed, _ = await waits_again(gateway)
    await execute(
        "insert into cash_return (id, company_id, deal_id, lot_id, currency, amount_minor, reason, state, created_at) "
        "select gen_random_uuid(), buyer_company_id, id, lot_id, 'EUR', 1200, 'over', 'failed', now() from deal"
    )
    assert await agreed.state() == "settled"
    began, transferred, parked = now(), "A bank transfer could not be sent back", "A receiver still cannot be paid"
    calls = []
    for days in (1, 2, 8, 76, 77, 83):
        before = len(await alarms())
        with frozen(began + timedelta(days=days, minutes=-days)):
            await waiting.call_about_waiting()
        calls.append([call.split(":")[0] for call in (await alarms())[before:]])
    assert calls == [[transferred], [], [transferred], [transferred, parked], [], [transferred, parked]]


async def test_a_refund_by_hand_that_came_back_unseen_holds_no_part_back(gateway: FakeGateway) -> None:
    """[27] [46]"""
    agreed = await agree()
    await onboarded(agreed, gateway)
    await paid(agreed, gateway)
    charge = await fetchval("select charge_id from payment")
    gateway.refunds["re_hand"] = Refund("re_hand", "failed", Money(60_00, "EUR"), None, charge)
    await deals.ship(deal_id=agreed.deal_id, carrier="Geodis", tracking="G1", by=agreed.seller.actor)
    await deals.receive(deal_id=agreed.deal_id, by=agreed.buyer.actor)
    await work()
    assert await agreed.state() == "settled"
