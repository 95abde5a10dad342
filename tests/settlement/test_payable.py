"""What one payment carries, and how finely: the money list's lines 37 and 38, pure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.money import Money
from exchange.payable import (
    HIGHEST_VAT_BP,
    NotRound,
    OfferNotPayable,
    ensure_offer_payable,
    ensure_payable,
    least,
    most,
    most_before_vat,
    step,
    units,
)
from exchange.settlement.rules import amounts
from exchange.settlement.stripe_gateway.answers import money_in, movement_in

CURRENCIES = ("EUR", "JPY", "KWD", "BHD", "HUF", "TWD", "ISK", "UGX", "CLP")


@given(currency=st.sampled_from(CURRENCIES), data=st.data())
def test_what_may_be_offered_can_be_paid_whatever_its_tax(currency: str, data: st.DataObject) -> None:
    size = step(currency)
    bounds = least(currency).minor // size + 1, most_before_vat(currency).minor // size
    net = Money(data.draw(st.integers(*bounds)) * size, currency)
    ensure_offer_payable(net)
    terms = amounts.terms(
        net, vat_bp=data.draw(st.integers(0, HIGHEST_VAT_BP)), commission_bp=500, commission_vat_bp=2000
    )
    ensure_payable(terms.total)


@given(
    currency=st.sampled_from(CURRENCIES),
    net=st.integers(1, 10_000),
    refunded=st.integers(0, 10_000),
    weights=st.lists(st.integers(1, 50), min_size=1, max_size=4),
    fixed=st.integers(0, 100_000),
)
def test_every_sum_of_a_deal_is_one_the_payment_service_moves(
    currency: str, net: int, refunded: int, weights: list[int], fixed: int
) -> None:
    size = step(currency)
    terms = amounts.terms(Money(net * size, currency), vat_bp=1990, commission_bp=333, commission_vat_bp=2000)
    refund = Money(refunded * terms.total.minor // 10_000 // size * size, currency)
    shared = amounts.plan(terms, [*(amounts.Share(w) for w in weights), amounts.Share(0, fixed)], refund)
    parts = [shared.refund, shared.commission, shared.commission_vat, *shared.legs]
    assert sum(part.minor for part in parts) == terms.total.minor
    assert not any(part.minor % size for part in parts)
    back = amounts.take_back(parts, terms.total - refund)
    assert not any(part.minor % size for part in back)
    assert amounts.with_vat(Money(terms.net.minor // 3, currency), terms).minor % size == 0


@pytest.mark.parametrize(
    ("minor", "currency"), [(12_345, "KWD"), (1_234_567, "HUF"), (50_001, "BHD"), (1_000_050, "TWD")]
)
def test_a_sum_too_fine_for_its_currency_is_refused_by_name(minor: int, currency: str) -> None:
    with pytest.raises(NotRound):
        ensure_offer_payable(Money(minor, currency))


def test_the_dearest_offer_leaves_room_for_the_tax() -> None:
    ensure_offer_payable(Money(787_401_56, "EUR"))
    with pytest.raises(OfferNotPayable):
        ensure_offer_payable(Money(787_401_57, "EUR"))


@pytest.mark.parametrize(("minor", "currency", "written"), [(1234, "ISK", 123_400), (1234, "JPY", 1234), (5, "EUR", 5)])
def test_what_has_no_decimals_is_written_as_stripe_writes_it(minor: int, currency: str, written: int) -> None:
    assert units(Money(minor, currency)) == written
    assert money_in(written, currency.lower()) == Money(minor, currency)


@pytest.mark.parametrize("currency", CURRENCIES)
def test_the_dearest_sum_has_eight_digits_as_stripe_writes_it(currency: str) -> None:
    assert len(str(units(most(currency)))) == 8
    assert len(str(units(Money(most(currency).minor + step(currency), currency)))) == 9


def test_half_a_krona_is_no_sum() -> None:
    with pytest.raises(ValueError, match="ISK"):
        money_in(12_345, "isk")


@pytest.mark.parametrize(
    ("currency", "net", "read"), [("eur", -7, ("EUR", -7)), ("xqz", -7, ("xqz", -7)), ("isk", 12_345, ("isk", 12_345))]
)
def test_a_movement_is_read_whatever_its_currency(currency: str, net: int, read: tuple[str, int]) -> None:
    found = movement_in({"id": "txn_1", "source": None, "type": "transfer", "currency": currency, "net": net})
    assert (found.source, (found.currency, found.net_minor)) == ("txn_1", read)
