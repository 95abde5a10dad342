"""What rarely happens to a payment or a transfer, made to happen in the running sandbox. Numbers: the money list."""

from datetime import timedelta
from uuid import UUID

import pytest

from exchange.actor import Role
from exchange.clock import frozen, now
from exchange.database import execute, fetch, fetchval
from exchange.money import Money
from exchange.settlement import stripe_gateway
from exchange.settlement.actions import deals, operations, payments, reconcile
from exchange.settlement.queries.money import trial_balance
from exchange.settlement.rules.books import Account
from exchange.settlement.rules.deal import NotYourMove
from exchange.settlement.stripe_gateway import Gateway, Params, Refused, Session, transfer_params
from tests.factories import make_company, make_person
from tests.settlement.conftest import Agreed, agree, work
from tests.settlement.service import Service, books_agree, shipped

OPEN = ["planned", "sent", "unknown"]


async def alarms() -> int:
    return int(await fetchval("select count(*) from mail where template = 'settlement_alarm'"))


async def balance() -> dict[Account, int]:
    return {line.account: line.amount.minor for line in await trial_balance()}


async def received(agreed: Agreed) -> None:
    await shipped(agreed)
    await deals.receive(deal_id=agreed.deal_id, by=agreed.buyer.actor)


async def authorised(service: Service) -> tuple[Agreed, str]:
    """A pay page that only authorises the card, as nobody here makes one: paid by the buyer, its PaymentIntent."""
    agreed, ours = await agree(), stripe_gateway.gateway()

    class Reserving(Gateway):
        async def create_session(self, key: UUID, params: Params) -> Session:
            manual = {**params["payment_intent_data"], "capture_method": "manual"}
            return await super().create_session(key, {**params, "payment_intent_data": manual})

    ours.__class__ = Reserving
    await payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor)
    ours.__class__ = Gateway
    await service.pay(agreed)
    await service.post()
    assert await agreed.state() == "awaiting_payment", "promised is not paid"
    assert await agreed.held() == 0
    return agreed, str(await fetchval("select payment_intent_id from payment"))


async def test_a_part_captured_is_not_the_price(service: Service) -> None:
    """[18]"""
    await make_person(role=Role.OPERATOR)
    agreed, intent = await authorised(service)
    answer = await service.http.post(f"/v1/payment_intents/{intent}/capture", data={"amount_to_capture": "9600"})
    assert answer.status_code == 200, answer.text
    await service.control("clock", seconds=10)
    await service.post()
    assert await agreed.state() == "awaiting_payment"
    assert await fetchval("select received_minor from payment where state = 'surplus'") == 96_00
    assert [refund["amount"] for refund in await service.listed("/v1/refunds")] == [96_00]
    assert await alarms() == 1
    assert await agreed.held() == 0
    await service.pay(agreed)
    await service.post()
    assert await agreed.state() == "paid", "what is owed is still owed, and can be paid in full"
    await service.control("clock", seconds=10)
    await service.post()
    await books_agree()


async def test_an_authorisation_that_expires_reopens_what_is_owed(service: Service) -> None:
    """[19]"""
    agreed, _ = await authorised(service)
    await service.control("clock", days=8)
    await service.post()
    assert await fetchval("select state from payment") == "failed"
    assert await balance() == {}, "nothing ever came in"
    await execute("update deal set due_at = due_at + interval '9 days'")
    with frozen(now() + timedelta(days=8)):
        await service.pay(agreed)
    await service.post()
    assert await agreed.state() == "paid", "the buyer could pay again"


async def test_a_balance_too_low_is_waited_out_and_told_once(service: Service) -> None:
    """[24]"""
    await make_person(role=Role.OPERATOR)
    agreed = await agree()
    await service.onboard(agreed)
    await service.pay(agreed)
    await service.post()
    await service.control("calls", kind="no_funds", path="/v1/transfers", times=2)
    await received(agreed)
    await service.post()
    assert await agreed.state() == "closing"
    assert await fetchval("select state from release_leg") == "planned", "the seller has nothing to do"
    for state in ("closing", "settled"):
        await execute("update deal set since = since - interval '1 hour'")
        await execute("update release_leg set retry_at = retry_at - interval '1 hour'")
        await reconcile.poll_objects()
        await service.post()
        assert await agreed.state() == state
    assert await alarms() == 1
    (transfer,) = await service.listed("/v1/transfers")
    assert transfer["source_transaction"] == await fetchval("select charge_id from payment")
    await service.control("clock", seconds=10)
    await service.post()
    await books_agree()


async def test_one_of_three_legs_waits_and_the_others_do_not(service: Service) -> None:
    """[26]"""
    agreed = await agree()
    await service.onboard(agreed)
    charity = await make_person(await make_company(), role=Role.OWNER)
    helper = await make_person(await make_company(), role=Role.OWNER)
    for rank, (person, fixed) in enumerate([(charity, 10_00), (helper, 4_00)], start=1):
        assert person.company
        await execute(
            "insert into release_leg (id, deal_id, lot_id, company_id, rank, weight, fixed_minor, currency, state) "
            "values (gen_random_uuid(), $1, $2, $3, $4, 0, $5, 'EUR', 'planned')",
            agreed.deal_id,
            agreed.lot_id,
            person.company.id,
            rank,
            fixed,
        )
    as_seller = Agreed(charity, agreed.buyer, agreed.lot_id, agreed.negotiation_id, agreed.deal_id)
    await service.onboard(as_seller)
    await service.pay(agreed)
    await service.post()
    await received(agreed)
    await service.post()
    states = [row["state"] for row in await fetch("select state from release_leg order by rank")]
    assert states == ["paid", "paid", "parked"]
    assert sorted(t["amount"] for t in await service.listed("/v1/transfers")) == [10_00, 100_00]
    assert (await agreed.state(), await agreed.held()) == ("closing", 4_00)

    await service.onboard(Agreed(helper, agreed.buyer, agreed.lot_id, agreed.negotiation_id, agreed.deal_id))
    await service.control("clock", seconds=10)
    await service.post()
    assert await agreed.state() == "settled"
    assert sorted(t["amount"] for t in await service.listed("/v1/transfers")) == [4_00, 10_00, 100_00]
    await books_agree()


async def test_a_deal_is_paid_held_and_sent_in_one_currency(service: Service) -> None:
    """[37] [39] In one that Stripe writes with two decimals, always zero: its sums are a hundred times ours."""
    agreed = await agree(currency="ISK", unit_minor=10_000)
    await service.onboard(agreed)
    await service.pay(agreed)
    await service.post()
    charge = await fetchval("select charge_id from payment")
    account = await fetchval("select account_id from payout_account")
    euros = transfer_params(destination=account, amount=Money(1_00, "EUR"), charge=charge, deal=agreed.deal_id)
    with pytest.raises(Refused, match="currency"):
        await stripe_gateway.gateway().create_transfer(agreed.lot_id, euros)
    await received(agreed)
    await service.control("clock", seconds=10)
    await service.post()
    assert await agreed.state() == "settled"
    assert {line.amount.currency for line in await trial_balance()} == {"ISK"}
    (transfer,) = await service.listed("/v1/transfers")
    assert (transfer["currency"], transfer["amount"]) == ("isk", 114_000_00)
    await books_agree()


async def test_news_in_another_version_is_turned_away_and_the_poll_brings_it(service: Service) -> None:
    """[43]"""
    agreed = await agree()
    await service.pay(agreed)
    answers = await service.deliver_as("2026-08-26.dahlia")
    assert answers
    assert set(answers) == {400}
    assert await fetchval("select count(*) from stripe_event") == 0
    await reconcile.poll_events()
    await work()
    assert await agreed.state() == "paid"


async def test_the_sandbox_refuses_a_version_it_does_not_know(service: Service) -> None:
    """[43]"""
    for version, status in ((stripe_gateway.API_VERSION, 200), ("2019-01-01.nonsense", 400)):
        answer = await service.http.get("/v1/balance", headers={"Stripe-Version": version})
        assert answer.status_code == status, answer.text


@pytest.mark.parametrize("kind", ["error_500", "error_500_after", "rate_limit", "lock_timeout"])
async def test_a_transfer_that_fails_on_its_way_is_made_once(service: Service, kind: str) -> None:
    """[12] [13] [16] [17]"""
    agreed = await agree()
    await service.onboard(agreed)
    await service.pay(agreed)
    await service.post()
    await service.control("calls", kind=kind, path="/v1/transfers")
    await received(agreed)
    await service.control("clock", seconds=10)
    await service.post()
    for _ in range(3):
        await execute("update stripe_operation set tried_at = tried_at - interval '1 hour'")
        for row in await fetch("select id from stripe_operation where kind = 'transfer' and state = any($1)", OPEN):
            await operations.drive(row["id"])
    await service.post()
    assert await agreed.state() == "settled"
    assert [t["amount"] for t in await service.listed("/v1/transfers")] == [114_00]
    await books_agree()


async def test_a_refund_by_hand_stops_releases_until_the_operator_owns_it(service: Service) -> None:
    """[46]"""
    chief, agreed, other = await make_person(role=Role.OPERATOR), await agree(), await agree()
    for deal in (agreed, other):
        await service.onboard(deal)
        await service.pay(deal)
    await service.post()
    await service.control("clock", seconds=10)
    await service.control("dashboard-refund", charge=await charge_of(agreed), amount=7_00)
    await service.post()
    with frozen(now() + timedelta(minutes=30)):
        result = await reconcile.match_books()
    (found,) = result.differences
    assert (found.source[:3], found.minor) == ("re_", -7_00)
    await received(other)
    await service.post()
    assert await other.state() == "closing", "nothing leaves while the books differ"

    with pytest.raises(NotYourMove):
        await reconcile.explain(source=found.source, currency="EUR", by=agreed.buyer.actor)
    for source, currency in (("re_invented", "EUR"), (found.source, "USD")):
        with pytest.raises(reconcile.NothingToExplain):
            await reconcile.explain(source=source, currency=currency, by=chief.actor)
    with frozen(now() + timedelta(minutes=40)):
        assert (await reconcile.explain(source=found.source, currency="EUR", by=chief.actor)).agreed
        with pytest.raises(reconcile.NothingToExplain):
            await reconcile.explain(source=found.source, currency="EUR", by=chief.actor)
    await execute("update pgqueuer set execute_after = now()")
    await service.post()
    assert await other.state() == "settled"
    assert (await balance())[Account.EXTERNAL] == 7_00

    await deals.decide(
        deal_id=agreed.deal_id, refund=Money(7_00, "EUR"), reasons="given back by hand already", by=chief.actor
    )
    await service.post()
    assert (await agreed.state(), (await balance())[Account.EXTERNAL]) == ("partly_refunded", 0)
    assert len(await service.listed("/v1/refunds")) == 1, "what was given by hand is not given again"
    assert sorted(t["amount"] for t in await service.listed("/v1/transfers")) == [120_00 - 7_00 - 5_64, 114_00]
    await books_agree()


async def charge_of(agreed: Agreed) -> str:
    return str(await fetchval("select charge_id from payment where deal_id = $1", agreed.deal_id))
