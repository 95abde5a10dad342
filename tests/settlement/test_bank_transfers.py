"""Bank transfers short, over and late, against the sandbox: the buyer's money is never lost. Money list 21."""

from exchange.actor import Role
from exchange.database import fetch, fetchrow, fetchval
from exchange.money import Money
from exchange.settlement.actions import cash, deals, payments, recourse
from exchange.settlement.queries.money import payment_of
from exchange.settlement.rules.books import Account
from tests.factories import make_person
from tests.settlement.conftest import Agreed, agree, due_now
from tests.settlement.service import Service, books_agree
from tests.settlement.test_hard_cases import alarms, balance


async def mailed(template: str) -> list[str]:
    return [row["text"] for row in await fetch("select text from mail where template = $1", template)]


async def returned() -> list[tuple[int, str, str]]:
    return [tuple(row) for row in await fetch("select amount_minor, reason, state from cash_return")]


async def nothing_is_left(*, moved: bool) -> None:
    found = await balance()
    assert (found.get(Account.CASH), found.get(Account.SURPLUS)) == (0, 0)
    await books_agree(moved=moved)


async def lapses(service: Service, agreed: Agreed) -> None:
    await due_now(agreed)
    await deals.tick(agreed.deal_id)
    await service.post()
    assert await agreed.state() == "unpaid"


async def test_a_short_transfer_shows_the_rest_and_goes_back_at_the_deadline(service: Service) -> None:
    agreed = await agree()
    await service.pay(agreed, "customer_balance:short")
    await service.control("clock", seconds=10)
    await service.post()
    seen = await payment_of(agreed.deal_id)
    assert seen
    assert (seen.state, seen.arrived.minor, seen.missing.minor) == ("processing", 60_00, 60_00)
    assert [text.count("€60.00") for text in await mailed("deal_short")] == [2]
    assert await payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor) == seen.instructions_url
    assert await agreed.held() == 0, "a part of the price is not the price"

    await lapses(service, agreed)
    intent = await fetchval("select payment_intent_id from payment")
    assert (await service.http.get(f"/v1/payment_intents/{intent}")).json()["status"] == "canceled"
    assert [(r["amount"], r["charge"]) for r in await service.listed("/v1/refunds")] == [(60_00, None)]
    assert await returned() == [(60_00, "short", "pending")]
    assert len(await mailed("deal_returned")) == 1
    await service.control("clock", days=2)
    await service.post()
    assert await returned() == [(60_00, "short", "succeeded")]
    await nothing_is_left(moved=False)


async def test_the_rest_of_a_short_transfer_pays_the_deal(service: Service) -> None:
    agreed = await agree()
    await service.pay(agreed, "customer_balance:short")
    await service.control("clock", seconds=10)
    await service.post()
    await service.control("bank-transfer", payment_intent=await fetchval("select payment_intent_id from payment"))
    await service.post()
    assert (await agreed.state(), await agreed.held()) == ("paid", 120_00)
    assert await returned() == []
    await service.control("clock", seconds=10)
    await service.post()
    await books_agree()


async def test_what_came_above_the_sum_goes_back_at_once(service: Service) -> None:
    agreed = await agree()
    await service.pay(agreed, "customer_balance:over")
    await service.control("clock", seconds=10)
    await service.post()
    assert (await agreed.state(), await agreed.held()) == ("paid", 120_00)
    assert await returned() == [(12_00, "over", "pending")]
    assert "€12.00" in (await mailed("deal_returned"))[0]
    await service.control("clock", seconds=10)
    await service.post()
    await nothing_is_left(moved=True)


async def test_a_transfer_that_comes_when_nothing_is_due_goes_back_whole(service: Service) -> None:
    agreed = await agree()
    await service.pay(agreed, "customer_balance:late")
    await service.post()
    await lapses(service, agreed)
    assert await returned() == []
    await service.control("clock", days=4)
    await service.post()
    assert await returned() == [(120_00, "late", "pending")]
    assert await fetchval("select reserved from lot where id = $1", agreed.lot_id) == 0
    await nothing_is_left(moved=False)


async def test_money_the_buyers_bank_does_not_take_calls_a_person_and_is_not_sent_again(service: Service) -> None:
    chief, agreed = await make_person(role=Role.OPERATOR), await agree()
    await service.pay(agreed, "customer_balance:over")
    await service.control("clock", seconds=10)
    await service.post()
    row = await fetchrow("select id, refund_id from cash_return")
    assert row
    await service.control("refund", refund=row["refund_id"], status="failed")
    await service.post()
    assert await returned() == [(12_00, "over", "failed")]
    assert await alarms() == 1
    found = await balance()
    assert (found[Account.CASH], found[Account.SURPLUS]) == (12_00, -12_00)
    await recourse.pay_otherwise(
        deal_id=agreed.deal_id, amount=Money(12_00, "EUR"), reference="VIR 4711", by=chief.actor
    )
    await cash.look_at_return(row["id"])
    await cash.look_at_all_cash()
    await service.control("clock", seconds=10)
    await service.post()
    await books_agree()
    assert await returned() == [(12_00, "over", "otherwise")], "in the buyer's name still, and never sent twice"
    assert (await balance())[Account.SURPLUS] == 0
