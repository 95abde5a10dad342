"""By which ways a sum can be paid, at each boundary, and how long a new buyer's direct debit is held."""

from datetime import UTC, datetime, timedelta

import pytest

from exchange.clock import frozen
from exchange.database import fetchval
from exchange.money import Money
from exchange.payable import most
from exchange.settlement.actions import deals, release
from exchange.settlement.queries.deals import any_deal
from exchange.settlement.queries.methods import known_debtor, ways_of
from exchange.settlement.rules.methods import GIVEN_BACK_WITHIN, Limits, Method, leaves_from, ways
from tests.factories import sign_in
from tests.settlement.conftest import agree
from tests.settlement.service import Service, shipped

CARD, SEPA, TRANSFER = Method.CARD, Method.SEPA, Method.TRANSFER
LIMITS = Limits(card={}, debit=10_000, exposure=20_000)
TIGHT = Limits(card={"EUR": 25_000, "PLN": 1}, debit=10_000, exposure=20_000)


@pytest.mark.parametrize(
    ("limits", "minor", "currency", "debited", "methods", "why"),
    [
        (LIMITS, 50, "EUR", 0, (CARD, SEPA, TRANSFER), ""),
        (LIMITS, 10_000_00, "EUR", 0, (CARD, SEPA, TRANSFER), ""),
        (LIMITS, 10_000_01, "EUR", 0, (CARD, TRANSFER), "A direct debit carries at most"),
        (LIMITS, 5_000_00, "EUR", 15_000_00, (CARD, SEPA, TRANSFER), ""),
        (LIMITS, 5_000_01, "EUR", 15_000_00, (CARD, TRANSFER), "Your direct debits"),
        (LIMITS, most("EUR").minor, "EUR", 0, (CARD, TRANSFER), "A direct debit carries at most"),
        (LIMITS, 100_00, "GBP", 0, (CARD, TRANSFER), ""),
        (LIMITS, 100, "JPY", 0, (CARD, TRANSFER), ""),
        (LIMITS, 100_00, "PLN", 0, (CARD,), ""),
        (LIMITS, 100_000, "KWD", 0, (CARD,), ""),
        (TIGHT, 25_000_00, "EUR", 0, (CARD, TRANSFER), "A direct debit carries at most"),
        (TIGHT, 25_000_01, "EUR", 0, (TRANSFER,), "A card carries at most"),
        (TIGHT, 100_00, "PLN", 0, (CARD,), ""),
        (Limits({}, 0, 20_000), 100_00, "EUR", 0, (CARD, TRANSFER), "A direct debit carries at most"),
    ],
)
def test_a_sum_is_offered_the_ways_that_carry_it_and_one_sentence_why_not_others(
    limits: Limits, minor: int, currency: str, debited: int, methods: tuple[Method, ...], why: str
) -> None:
    found = ways(Money(minor, currency), limits, debited=Money(debited, "EUR"))
    assert found.methods == methods
    assert found.why.startswith(why) and bool(found.why) is bool(why)
    assert bool(found.details) is bool(why)


def test_only_a_new_buyers_direct_debit_is_held() -> None:
    at = datetime(2026, 11, 2, 9, tzinfo=UTC)
    assert leaves_from("sepa_debit", at, 14, known=False) == at + timedelta(days=14)
    assert leaves_from("sepa_debit", at, 14, known=True) == at
    assert leaves_from("card", at, 14, known=False) == leaves_from("customer_balance", at, 14, known=False) == at


async def test_a_new_buyers_debit_is_held_its_days_and_the_seller_reads_why(service: Service) -> None:
    agreed = await agree()
    await service.onboard(agreed)
    await service.pay(agreed, "sepa_debit:AT611904300234573201")
    (session,) = await service.listed("/v1/checkout/sessions")
    assert session["payment_method_types"] == ["card", "sepa_debit", "customer_balance"]
    left = (await ways_of(await any_deal(agreed.deal_id))).methods
    assert left == (CARD, SEPA, TRANSFER), "120 of 20,000 euros leave room"
    await service.control("clock", days=8)
    await service.post()
    assert await agreed.state() == "paid"
    await shipped(agreed)
    await deals.receive(deal_id=agreed.deal_id, by=agreed.buyer.actor)
    await service.post()
    assert await agreed.state() == "closing" and not await service.listed("/v1/transfers")
    await sign_in(service.app, agreed.seller)
    assert "can still return" in (await service.app.get(f"/deals/{agreed.deal_id}")).text
    assert "can still be returned" in (await service.app.get("/money")).text
    await sign_in(service.app, agreed.buyer)
    assert "can still return" not in (await service.app.get(f"/deals/{agreed.deal_id}")).text

    paid_at = (await any_deal(agreed.deal_id)).paid_at
    assert paid_at
    buyer = agreed.buyer.actor.company_id
    assert buyer and not await known_debtor(buyer, paid_at)
    planned = "select count(*) from stripe_operation where kind = 'transfer'"
    for seconds, transfers in ((-1, 0), (1, 1)):
        with frozen(paid_at + timedelta(days=14, seconds=seconds)):
            await release.release(agreed.deal_id)
        assert await fetchval(planned) == transfers
    await service.post()
    assert await agreed.state() == "settled"
    assert [transfer["amount"] for transfer in await service.listed("/v1/transfers")] == [114_00]
    assert await known_debtor(buyer, paid_at + GIVEN_BACK_WITHIN), "from then on its debits are not held"
