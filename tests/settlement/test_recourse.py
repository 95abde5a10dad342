"""Money that comes back: refunds after release, chargebacks before and after it, against the running sandbox."""

import pytest

from exchange.actor import Role
from exchange.database import fetch, fetchval
from exchange.money import Money
from exchange.settlement.actions import deals, operations, recourse
from exchange.settlement.actions.release import Disputed
from exchange.settlement.queries.money import trial_balance
from exchange.settlement.rules.amounts import RefundTooLarge
from exchange.settlement.rules.books import Account
from exchange.settlement.rules.deal import NotNow, NotYourMove
from tests.factories import MadePerson, make_person
from tests.settlement.conftest import Agreed, agree, due_now, work
from tests.settlement.service import Service, books_agree, shipped

DISPUTE_FEE = 20_00


async def paid_deal(service: Service, *, onboard: bool = True) -> Agreed:
    agreed = await agree()
    if onboard:
        await service.onboard(agreed)
    await service.pay(agreed)
    await service.post()
    await service.control("clock", seconds=10)
    await service.post()
    return agreed


async def settled_deal(service: Service) -> Agreed:
    agreed = await paid_deal(service)
    await shipped(agreed)
    await deals.receive(deal_id=agreed.deal_id, by=agreed.buyer.actor)
    await service.post()
    assert await agreed.state() == "settled"
    return agreed


async def emptied(service: Service) -> None:
    """The seller takes all of its money out, as soon as it is there."""
    await service.control("clock", days=3)
    await service.control("empty", account=await fetchval("select account_id from payout_account"))
    await service.post()


async def dispute(service: Service, **part: int) -> str:
    charge = await fetchval("select charge_id from payment where state = 'paid'")
    await service.control("dispute", charge=charge, **part)
    await service.post()
    return str(await fetchval("select dispute_id from dispute"))


async def decided(service: Service, dispute_id: str, *, won: bool) -> None:
    await service.control("verdict", dispute=dispute_id, won=won)
    await service.post()


async def operator() -> MadePerson:
    return await make_person(role=Role.OPERATOR)


async def mailed(which: str) -> list[str]:
    return [row["text"] for row in await fetch(f"select text from mail where {which}")]  # noqa: S608  fixed texts


async def balance() -> dict[Account, int]:
    return {line.account: line.amount.minor for line in await trial_balance()}


async def refunded_deal_is_square(agreed: Agreed) -> None:
    assert await agreed.state() == "refunded"
    assert await agreed.held() == 0
    assert await fetchval("select refund_minor from deal") == 120_00
    books = await balance()
    assert (books[Account.COMMISSION], books[Account.VAT]) == (0, 0), "no commission on what was given back"
    await books_agree()


class TestRefundAfterRelease:
    """[29]"""

    async def test_the_leg_comes_back_before_the_refund_goes_out(self, service: Service) -> None:
        agreed, chief = await settled_deal(service), await operator()
        await recourse.refund_released(deal_id=agreed.deal_id, refund=Money(120_00, "EUR"), by=chief.actor)
        assert not await service.listed("/v1/refunds"), "nothing is refunded before the leg is back"
        await service.post()
        (transfer,) = await service.listed("/v1/transfers")
        assert transfer["amount_reversed"] == transfer["amount"] == 114_00
        assert [refund["amount"] for refund in await service.listed("/v1/refunds")] == [120_00]
        await refunded_deal_is_square(agreed)

    async def test_a_chain_of_parts_ends_exactly_at_nothing(self, service: Service) -> None:
        agreed, chief = await settled_deal(service), await operator()
        for minor in (33_33, 33_34, 53_33):
            await recourse.refund_released(deal_id=agreed.deal_id, refund=Money(minor, "EUR"), by=chief.actor)
            with pytest.raises(recourse.RefundUnderway):
                await recourse.refund_released(deal_id=agreed.deal_id, refund=Money(1, "EUR"), by=chief.actor)
            await service.post()
        await refunded_deal_is_square(agreed)

    async def test_what_an_empty_account_cannot_give_back_it_owes(self, service: Service) -> None:
        agreed, chief = await settled_deal(service), await operator()
        await emptied(service)
        await recourse.refund_released(deal_id=agreed.deal_id, refund=Money(120_00, "EUR"), by=chief.actor)
        await service.post()
        assert [refund["amount"] for refund in await service.listed("/v1/refunds")] == [120_00]
        assert (await balance())[Account.RECEIVABLE] == 114_00
        await refunded_deal_is_square(agreed)
        assert await fetchval("select count(*) from mail where template = 'settlement_alarm'") == 1

        await recourse.ask_again()
        await work()
        assert (await balance())[Account.RECEIVABLE] == 114_00, "still empty, still owed"
        assert await fetchval("select count(*) from mail where template = 'settlement_alarm'") == 1

    async def test_a_seller_that_has_money_again_pays_what_it_owes(self, service: Service) -> None:
        agreed, chief = await settled_deal(service), await operator()
        account = await fetchval("select account_id from payout_account")
        await emptied(service)
        await recourse.refund_released(deal_id=agreed.deal_id, refund=Money(120_00, "EUR"), by=chief.actor)
        await service.post()
        payouts = await service.http.get("/v1/payouts", headers={"Stripe-Account": account})
        await service.control("fail-payout", payout=payouts.json()["data"][0]["id"])
        await service.post()
        assert len(await mailed("template = 'payout_failed'")) == 1, "its bank refused what it had taken out"
        await recourse.ask_again()
        await recourse.ask_again()
        await service.post()
        assert (await balance())[Account.RECEIVABLE] == 0
        (transfer,) = await service.listed("/v1/transfers")
        assert transfer["amount_reversed"] == 114_00
        await refunded_deal_is_square(agreed)

    async def test_only_the_operator_and_only_what_is_left(self, service: Service) -> None:
        agreed, chief = await settled_deal(service), await operator()
        refund = Money(1_00, "EUR")
        for side in (agreed.buyer, agreed.seller):
            with pytest.raises(NotYourMove):
                await recourse.refund_released(deal_id=agreed.deal_id, refund=refund, by=side.actor)
        for wrong in (Money(0, "EUR"), Money(120_01, "EUR"), Money(1_00, "USD")):
            with pytest.raises(RefundTooLarge):
                await recourse.refund_released(deal_id=agreed.deal_id, refund=wrong, by=chief.actor)
        open_deal = await agree()
        with pytest.raises(NotNow):
            await recourse.refund_released(deal_id=open_deal.deal_id, refund=refund, by=chief.actor)


class TestDisputeBeforeRelease:
    """[32]"""

    async def test_lost_nothing_is_released_and_the_fee_is_booked(self, service: Service) -> None:
        agreed = await paid_deal(service)
        fees = (await balance())[Account.FEES]
        lost = await dispute(service)
        await books_agree()
        books = await balance()
        assert (books[Account.DISPUTED], books[Account.FEES] - fees) == (120_00, DISPUTE_FEE)
        await decided(service, lost, won=False)
        assert not await service.listed("/v1/transfers")
        assert not await service.listed("/v1/refunds"), "the bank has refunded"
        assert await fetchval("select ending from deal") == "charged_back"
        assert await fetchval("select reserved from lot where id = $1", agreed.lot_id) == 0, "never left: on sale again"
        told = await mailed("text like '%bank decided for the buyer%'")
        assert told
        assert not [text for text in told if "stands still" in text], "the bank has decided"
        await refunded_deal_is_square_without_commission(agreed)

    async def test_lost_after_receipt_with_the_seller_not_yet_payable(self, service: Service) -> None:
        agreed = await paid_deal(service, onboard=False)
        await shipped(agreed)
        await deals.receive(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        await service.post()
        assert await fetchval("select state from release_leg") == "parked"
        await decided(service, await dispute(service), won=False)
        assert await fetchval("select sold from lot where id = $1", agreed.lot_id) == 10, "the goods are with the buyer"
        await refunded_deal_is_square(agreed)

    async def test_lost_for_a_part_the_operator_shares_out_the_rest(self, service: Service) -> None:
        agreed, chief = await paid_deal(service), await operator()
        await decided(service, await dispute(service, amount=50_00), won=False)
        assert (await agreed.state(), await agreed.held()) == ("operator", 70_00)
        told = await mailed("subject like 'The bank has decided for %'")
        assert ["The operator of the exchange hears both sides and decides." in text for text in told] == [True, True]
        assert not [text for text in told if "taken back" in text], "nothing had been sent"
        await deals.decide(
            deal_id=agreed.deal_id, refund=Money(0, "EUR"), reasons="the seller keeps the rest", by=chief.actor
        )
        await service.post()
        assert (await agreed.state(), await agreed.held()) == ("partly_refunded", 0)
        assert await fetchval("select refund_minor from deal") == 50_00, "never less than the bank gave"
        assert not await service.listed("/v1/refunds")
        (transfer,) = await service.listed("/v1/transfers")
        assert transfer["amount"] == await fetchval("select amount_minor from release_leg") < 70_00
        assert await fetchval("select count(*) from stripe_operation where state = 'failed'") == 0
        await books_agree()

    async def test_won_the_deal_goes_on(self, service: Service) -> None:
        agreed = await paid_deal(service)
        await shipped(agreed)
        won = await dispute(service)
        await deals.receive(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        await service.post()
        assert not await service.listed("/v1/transfers")
        await decided(service, won, won=True)
        assert await agreed.state() == "settled"
        assert [transfer["amount"] for transfer in await service.listed("/v1/transfers")] == [114_00]
        await books_agree()

    async def test_an_inquiry_takes_nothing_and_stops_everything(self, service: Service) -> None:
        agreed = await paid_deal(service)
        await service.control("dispute", charge=await fetchval("select charge_id from payment"), inquiry=True)
        await service.post()
        await shipped(agreed)
        await deals.receive(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        await service.post()
        assert not await service.listed("/v1/transfers")
        await service.control("clock", days=8)
        await service.post()
        assert await agreed.state() == "settled"
        assert Account.DISPUTED not in await balance()
        await books_agree()


async def refunded_deal_is_square_without_commission(agreed: Agreed) -> None:
    assert await agreed.state() == "refunded"
    assert await agreed.held() == 0
    assert Account.COMMISSION not in await balance(), "none was ever earned"
    assert (await balance())[Account.DISPUTED] == 0
    await books_agree()


class TestDisputeAfterRelease:
    """[33]"""

    async def test_lost_the_leg_came_back_and_the_bank_keeps_it(self, service: Service) -> None:
        agreed = await settled_deal(service)
        lost = await dispute(service)
        (transfer,) = await service.listed("/v1/transfers")
        assert transfer["amount_reversed"] == 114_00, "taken back as soon as the bank took it from us"
        await decided(service, lost, won=False)
        assert not await service.listed("/v1/refunds")
        assert (await balance())[Account.DISPUTED] == 0
        await refunded_deal_is_square(agreed)

    async def test_won_the_leg_is_sent_again(self, service: Service) -> None:
        agreed = await settled_deal(service)
        await decided(service, await dispute(service), won=True)
        transfers = await service.listed("/v1/transfers")
        assert [(t["amount"], t["amount_reversed"]) for t in transfers] == [(114_00, 0), (114_00, 114_00)]
        assert await agreed.state() == "settled"
        assert await fetchval("select sum(amount_minor) from ledger_entry where account = 'commission'") == -5_00
        assert await agreed.held() == 0
        await books_agree()

    async def test_lost_for_a_part_the_seller_keeps_the_rest(self, service: Service) -> None:
        agreed = await settled_deal(service)
        await decided(service, await dispute(service, amount=50_00), won=False)
        (transfer,) = await service.listed("/v1/transfers")
        assert 0 < transfer["amount_reversed"] < 50_00
        assert (await agreed.state(), await agreed.held()) == ("partly_refunded", 0)
        assert await fetchval("select refund_minor from deal") == 50_00
        assert (await balance()).get(Account.LOSSES, 0) == 0
        await books_agree()

    async def test_lost_with_an_empty_account_the_seller_owes(self, service: Service) -> None:
        agreed = await settled_deal(service)
        await emptied(service)
        await decided(service, await dispute(service), won=False)
        books = await balance()
        assert (books[Account.RECEIVABLE], books.get(Account.LOSSES, 0)) == (114_00, 0)
        await refunded_deal_is_square(agreed)

    async def test_won_with_an_empty_account_nothing_is_sent_twice(self, service: Service) -> None:
        agreed = await settled_deal(service)
        await emptied(service)
        await decided(service, await dispute(service), won=True)
        assert [t["amount_reversed"] for t in await service.listed("/v1/transfers")] == [0]
        assert Account.RECEIVABLE not in await balance()
        assert await agreed.held() == 0
        await books_agree()

    async def test_the_same_news_three_times_is_one_reversal(self, service: Service) -> None:
        """[7]"""
        await service.control("webhooks", double_percent=100)
        agreed = await settled_deal(service)
        await decided(service, await dispute(service), won=False)
        await service.post()
        assert await fetchval("select count(*) from transfer_reversal") == 1
        await refunded_deal_is_square(agreed)


class TestRefundThatComesBack:
    """[30]"""

    async def test_the_deal_is_open_until_the_operator_has_paid_another_way(self, service: Service) -> None:
        agreed, chief = await paid_deal(service), await operator()
        for side in (agreed.buyer, agreed.seller):
            await deals.cancel(deal_id=agreed.deal_id, by=side.actor)
        await service.post()
        assert await agreed.state() == "refunded"
        with pytest.raises(recourse.NothingCameBack):
            await recourse.pay_otherwise(
                deal_id=agreed.deal_id, amount=Money(120_00, "EUR"), reference="VIR 1", by=chief.actor
            )
        await service.control("refund", refund=await fetchval("select refund_id from refund"), status="failed")
        await service.post()
        assert (await agreed.state(), await agreed.held()) == ("closing", 120_00)
        for template in ("settlement_alarm", "deal_refund_failed"):
            assert await fetchval("select count(*) from mail where template = $1", template) == 1
        with pytest.raises(NotYourMove):
            await recourse.pay_otherwise(
                deal_id=agreed.deal_id, amount=Money(120_00, "EUR"), reference="VIR 1", by=agreed.buyer.actor
            )
        with pytest.raises(recourse.ReferenceMissing):
            await recourse.pay_otherwise(
                deal_id=agreed.deal_id, amount=Money(120_00, "EUR"), reference=" ", by=chief.actor
            )

        await recourse.pay_otherwise(
            deal_id=agreed.deal_id, amount=Money(120_00, "EUR"), reference="VIR 1", by=chief.actor
        )
        assert (await agreed.state(), await agreed.held()) == ("refunded", 0)
        assert (await balance())[Account.BANK] == -120_00
        with pytest.raises(recourse.NothingCameBack):
            await recourse.pay_otherwise(
                deal_id=agreed.deal_id, amount=Money(120_00, "EUR"), reference="VIR 1", by=chief.actor
            )
        await books_agree()


class TestRefundWhileDisputed:
    """[34]"""

    async def test_no_side_gets_a_refund_until_the_bank_has_decided(self, service: Service) -> None:
        agreed, chief = await paid_deal(service), await operator()
        won = await dispute(service)
        await deals.cancel(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        with pytest.raises(Disputed):
            await deals.cancel(deal_id=agreed.deal_id, by=agreed.seller.actor)
        with pytest.raises(Disputed):
            await deals.decide(
                deal_id=agreed.deal_id, refund=Money(1_00, "EUR"), reasons="we try it all the same", by=chief.actor
            )
        await due_now(agreed)
        await deals.tick(agreed.deal_id)
        assert await agreed.state() == "paid", "not even the clock refunds"
        assert not await service.listed("/v1/refunds")

        await decided(service, won, won=True)
        assert await agreed.state() == "paid", "the seller was told to wait: its time counts anew"
        await deals.cancel(deal_id=agreed.deal_id, by=agreed.seller.actor)
        await service.control("clock", seconds=10)
        await service.post()
        assert await agreed.state() == "refunded"
        assert [refund["amount"] for refund in await service.listed("/v1/refunds")] == [120_00]
        await books_agree()

    async def test_nor_after_release(self, service: Service) -> None:
        agreed, chief = await settled_deal(service), await operator()
        await dispute(service)
        with pytest.raises(Disputed):
            await recourse.refund_released(deal_id=agreed.deal_id, refund=Money(1_00, "EUR"), by=chief.actor)

    async def test_a_refund_the_dispute_overtook_is_made_when_it_is_won(self, service: Service) -> None:
        """[27]"""
        agreed = await paid_deal(service)
        await due_now(agreed)
        await deals.tick(agreed.deal_id)
        await service.control("dispute", charge=await fetchval("select charge_id from payment"))
        await service.post()
        assert await fetchval("select state from refund") == "failed", "Stripe refused it: the bank has the matter"
        await decided(service, str(await fetchval("select dispute_id from dispute")), won=True)
        assert await agreed.state() == "refunded"
        assert await agreed.held() == 0
        await books_agree()

    async def test_a_refund_the_dispute_overtook_is_never_made_when_it_is_lost(self, service: Service) -> None:
        """[27]"""
        agreed = await paid_deal(service)
        await due_now(agreed)
        await deals.tick(agreed.deal_id)
        await service.control("dispute", charge=await fetchval("select charge_id from payment"))
        await service.post()
        await decided(service, str(await fetchval("select dispute_id from dispute")), won=False)
        assert not await service.listed("/v1/refunds")
        await refunded_deal_is_square_without_commission(agreed)

    async def test_a_transfer_the_dispute_did_not_overtake_comes_back(self, service: Service) -> None:
        """[27]"""
        agreed = await paid_deal(service)
        await shipped(agreed)
        await deals.receive(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        await work("deal.release")
        planned = await fetchval("select id from stripe_operation where kind = 'transfer'")
        await service.control("calls", kind="error_500_after", path="/v1/transfers", times=10)
        await operations.drive(planned)
        await service.control("calm")
        assert await fetchval("select state from release_leg") == "sent", "made at Stripe; the answer was lost"
        lost = await dispute(service)
        (transfer,) = await service.listed("/v1/transfers")
        assert transfer["amount_reversed"] == 114_00
        await decided(service, lost, won=False)
        await refunded_deal_is_square(agreed)
