"""A seller's account closes, or is to be another one, between agreement and release. Money list 23."""

from datetime import timedelta

import pytest

from exchange.actor import Role
from exchange.clock import frozen, now
from exchange.database import execute, fetch, fetchval
from exchange.settlement.actions import deals, receiving, sellers
from exchange.settlement.rules.accounts import Receiving, receiver
from exchange.settlement.rules.deal import NotYourMove
from tests.factories import make_person
from tests.settlement.conftest import Agreed, agree, onboarded, paid, work
from tests.settlement.fakes import FakeGateway
from tests.settlement.service import Service, books_agree, shipped

OLD, NEW = Receiving("acct_old", "active"), Receiving("acct_new", "active")


@pytest.mark.parametrize(
    ("at_agreement", "current", "goes_to"),
    [
        (OLD, OLD, OLD),
        (OLD, NEW, OLD),
        (None, NEW, NEW),
        (Receiving("acct_old", "restricted"), NEW, Receiving("acct_old", "restricted")),
        (Receiving("acct_old", "closed"), NEW, NEW),
        (None, None, None),
    ],
)
def test_money_goes_where_it_was_agreed_unless_that_is_closed(
    at_agreement: Receiving | None, current: Receiving | None, goes_to: Receiving | None
) -> None:
    assert receiver(at_agreement, current) == goes_to


async def changes(agreed: Agreed, gateway: FakeGateway) -> str:
    """The seller asks for another account and completes it; its id."""
    await receiving.ask_change(by=agreed.seller.actor)
    await sellers.start_onboarding(by=agreed.seller.actor)
    account = str(await fetchval("select account_id from payout_account where standing = 'next'"))
    gateway.onboards(account)
    await sellers.look_at_account(agreed.seller.actor.company_id)  # type: ignore[arg-type]  # it has one
    return account


@pytest.mark.usefixtures("committed")
async def test_a_swap_needs_an_owner_an_operator_and_its_days(gateway: FakeGateway) -> None:
    chief, agreed = await make_person(role=Role.OPERATOR), await agree()
    company = agreed.seller.actor.company_id
    assert company
    with pytest.raises(receiving.NothingToChange):
        await receiving.ask_change(by=agreed.seller.actor)
    old = await onboarded(agreed, gateway)
    await execute("update release_leg set destination = $1", old)  # as if agreed after the account was opened
    await receiving.ask_change(by=agreed.seller.actor)
    with pytest.raises(receiving.ChangeUnderway):
        await receiving.ask_change(by=agreed.seller.actor)
    with pytest.raises(receiving.NotReadyYet):
        await receiving.confirm_change(company_id=company, by=chief.actor)
    await receiving.call_off_change(company_id=company, by=agreed.seller.actor)

    new = await changes(agreed, gateway)
    for stranger in (agreed.buyer, agreed.seller):
        with pytest.raises(NotYourMove):
            await receiving.confirm_change(company_id=company, by=stranger.actor)
    with pytest.raises(NotYourMove):
        await receiving.call_off_change(company_id=company, by=agreed.buyer.actor)
    await receiving.confirm_change(company_id=company, by=chief.actor)
    row_id = await fetchval("select id from payout_account where standing = 'next'")
    await receiving.take_effect(row_id)
    assert await fetchval("select account_id from payout_account where standing = 'current'") == old, "not yet"
    told = await fetchval("select count(*) from mail where template = 'account_change' and recipient = $1",
                          agreed.seller.email)  # fmt: skip
    assert told == 4, "asked, called off, asked again, confirmed"

    with frozen(now() + timedelta(days=10)):
        await receiving.take_effect(row_id)
        await receiving.take_effect(row_id)
    assert await fetchval("select account_id from payout_account where standing = 'current'") == new
    await paid(agreed, gateway)
    await deals.ship(deal_id=agreed.deal_id, carrier="Geodis", tracking="G1", by=agreed.seller.actor)
    await deals.receive(deal_id=agreed.deal_id, by=agreed.buyer.actor)
    await work()
    assert [t.destination for t in gateway.transfers.values()] == [old], "agreed while the old one stood"


async def test_an_account_that_closes_parks_its_money_until_there_is_another(service: Service) -> None:
    chief = await make_person(role=Role.OPERATOR)
    first = await agree()
    await service.onboard(first)
    await service.post()
    old = await fetchval("select account_id from payout_account")
    await execute("update release_leg set destination = $1", old)
    await service.pay(first)
    await service.post()
    await service.control("account", account=old, transfers="closed")
    await shipped(first)
    await deals.receive(deal_id=first.deal_id, by=first.buyer.actor)
    await service.post()
    assert [row["state"] for row in await fetch("select state from release_leg")] == ["parked"]
    assert await fetchval("select count(*) from mail where template = 'deal_parked'") == 1

    await receiving.ask_change(by=first.seller.actor)
    await service.onboard(first)
    await service.post()
    await receiving.confirm_change(company_id=first.seller.actor.company_id, by=chief.actor)  # type: ignore[arg-type]  # it has one
    with frozen(now() + timedelta(days=10)):
        await receiving.take_effect(await fetchval("select id from payout_account where standing = 'next'"))
    await service.post()
    assert await first.state() == "settled"
    (transfer,) = await service.listed("/v1/transfers")
    assert transfer["destination"] not in {old, None}
    assert await fetchval("select count(*) from journal_entry where fact = 'deal.redirected'") == 1
    await service.control("clock", seconds=10)
    await service.post()
    await books_agree()
