"""The charge is asked once more just before its money leaves, against the sandbox. Money list 27."""

from datetime import timedelta

import pytest

from exchange.actor import Role
from exchange.clock import frozen, now
from exchange.database import execute, fetchval
from exchange.settlement.actions import deals, warnings
from exchange.settlement.rules.deal import NotYourMove
from tests.factories import make_person
from tests.settlement.conftest import Agreed, agree, work
from tests.settlement.service import Service, books_agree, shipped
from tests.settlement.test_hard_cases import alarms, charge_of


async def about_to_leave(service: Service) -> Agreed:
    """A deal whose goods are accepted; its transfer is planned, and not yet asked of Stripe."""
    agreed = await agree()
    await service.onboard(agreed)
    await service.pay(agreed)
    await service.post()
    await service.control("clock", seconds=10)
    await service.post()
    await shipped(agreed)
    await deals.receive(deal_id=agreed.deal_id, by=agreed.buyer.actor)
    await work("deal.release")
    assert await fetchval("select state from release_leg") == "sent"
    return agreed


async def transfers(service: Service) -> list[int]:
    return [transfer["amount"] for transfer in await service.listed("/v1/transfers")]


async def test_a_dispute_nobody_told_us_of_stops_the_transfer(service: Service) -> None:
    agreed = await about_to_leave(service)
    await service.control("webhooks", drop_percent=100)
    await service.control("dispute", charge=await charge_of(agreed))
    await work()
    assert await transfers(service) == []
    assert await fetchval("select state from release_leg") == "planned"
    dispute = await fetchval("select dispute_id from dispute where not over")
    await service.control("webhooks")
    await service.control("verdict", dispute=dispute, won=True)
    await service.post()
    assert (await agreed.state(), await transfers(service)) == ("settled", [114_00])
    await books_agree()


async def test_a_fraud_warning_stops_the_transfer_until_the_operator_has_looked(service: Service) -> None:
    chief, agreed = await make_person(role=Role.OPERATOR), await about_to_leave(service)
    await service.control("webhooks", hold=True)
    await service.control("fraud-warning", charge=await charge_of(agreed))
    await work()
    await service.control("webhooks")
    await service.post()
    assert (await agreed.state(), await transfers(service), await alarms()) == ("closing", [], 1)
    with pytest.raises(NotYourMove):
        await warnings.clear_warning(deal_id=agreed.deal_id, by=agreed.seller.actor)
    await warnings.clear_warning(deal_id=agreed.deal_id, by=chief.actor)
    await service.post()
    assert (await agreed.state(), await transfers(service)) == ("settled", [114_00])
    with pytest.raises(warnings.NothingToClear):
        await warnings.clear_warning(deal_id=agreed.deal_id, by=chief.actor)


async def test_a_refund_by_hand_stops_the_transfer_and_the_books_say_so(service: Service) -> None:
    agreed = await about_to_leave(service)
    await service.control("dashboard-refund", charge=await charge_of(agreed), amount=7_00)
    await work()
    assert await transfers(service) == []
    await execute("update pgqueuer set execute_after = now()")
    with frozen(now() + timedelta(minutes=30)):
        await work("books.compare", "deal.release", "stripe.operation")
    assert await fetchval("select agreed from reconciliation order by at desc limit 1") is False
    assert (await agreed.state(), await transfers(service)) == ("closing", [])
