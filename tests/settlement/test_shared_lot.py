"""A lot sold in parts to several buyers: obligation, session, charge and legs are each one's own. Money list 35."""

import pytest

from exchange.database import fetch, fetchrow, fetchval
from exchange.money import Money
from exchange.settlement.actions import deals, events
from exchange.settlement.stripe_gateway import Dispute
from tests.settlement.conftest import Agreed, agree, due_now, onboarded, paid, work
from tests.settlement.fakes import FakeGateway

pytestmark = pytest.mark.usefixtures("committed")


async def four_buyers() -> list[Agreed]:
    first = await agree(quantity=5)
    return [first, *[await agree(quantity=5, on=first) for _ in range(3)]]


async def accepted(agreed: Agreed, gateway: FakeGateway) -> None:
    await paid(agreed, gateway)
    await deals.ship(deal_id=agreed.deal_id, carrier="Geodis", tracking="G1", by=agreed.seller.actor)
    await deals.receive(deal_id=agreed.deal_id, by=agreed.buyer.actor)


async def test_one_of_four_buyers_fails_and_the_three_others_are_settled(gateway: FakeGateway) -> None:
    *good, failing = await four_buyers()
    account = await onboarded(good[0], gateway)
    for agreed in good:
        await accepted(agreed, gateway)
    await due_now(failing)
    await deals.tick(failing.deal_id)
    await work()

    assert [await agreed.state() for agreed in [*good, failing]] == ["settled"] * 3 + ["unpaid"]
    own = await fetchrow(
        "select count(distinct o.id) as obligations, count(distinct p.session_id) as sessions, "
        "count(distinct p.charge_id) as charges, count(distinct l.transfer_id) as transfers from payment p "
        "join payment_obligation o on o.id = p.obligation_id join release_leg l on l.payment_id = p.id"
    )
    assert own is not None
    assert tuple(own) == (3, 3, 3, 3)
    assert [(t.destination, t.amount.minor) for t in gateway.transfers.values()] == [(account, 57_00)] * 3
    lot = await fetchrow("select reserved, sold, quantity from lot where id = $1", failing.lot_id)
    assert lot is not None
    assert tuple(lot) == (0, 15, 20), "what was not paid for is for sale again"
    assert gateway.refunds == {}


async def test_a_chargeback_of_one_buyer_touches_no_other(gateway: FakeGateway) -> None:
    one, other, *_ = await four_buyers()
    await onboarded(one, gateway)
    await paid(one, gateway)
    charge = await fetchval("select charge_id from payment where deal_id = $1", one.deal_id)
    gateway.disputes["dp_1"] = Dispute("dp_1", "needs_response", Money(60_00, "EUR"), charge)
    await events.take_in(gateway.event("charge.dispute.created", {"id": "dp_1"}), "webhook")
    await work()
    await deals.ship(deal_id=one.deal_id, carrier="Geodis", tracking="G1", by=one.seller.actor)
    await deals.receive(deal_id=one.deal_id, by=one.buyer.actor)
    await accepted(other, gateway)
    await work()
    assert (await one.state(), await other.state()) == ("closing", "settled")
    assert [row["deal_id"] for row in await fetch("select deal_id from release_leg where state = 'paid'")] == [
        other.deal_id
    ]
