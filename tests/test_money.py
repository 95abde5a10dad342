"""No cent is lost, none is made."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.money import Money, NotAnAmount

currencies = st.sampled_from(["EUR", "JPY", "KWD", "GBP"])
amounts = st.builds(Money, st.integers(-(10**13), 10**13), currencies)


@given(amounts, st.lists(st.integers(0, 10**6), min_size=1, max_size=12).filter(any))
def test_a_split_sums_to_the_whole_and_each_part_is_within_a_unit_of_its_share(
    whole: Money, weights: list[int]
) -> None:
    parts = whole.allocate(weights)
    assert sum(p.minor for p in parts) == whole.minor
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part.minor - whole.minor * weight / sum(weights)) < 1 or abs(whole.minor) > 2**52


@given(amounts)
def test_what_is_written_is_read_again(amount: Money) -> None:
    assert Money.parse(str(amount.decimal), amount.currency) == amount
    assert Money.parse(str(amount.decimal).replace(".", ","), amount.currency) == amount


@pytest.mark.parametrize("text", ["", "abc", "1.005", "1e400", "NaN", "12..5", "-"])
def test_text_that_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(NotAnAmount):
        Money.parse(text, "EUR")


def test_the_currency_decides_the_digits() -> None:
    assert Money(1250, "EUR").decimal == Decimal("12.50")
    assert Money(1250, "JPY").decimal == Decimal(1250)
    assert Money(1250, "KWD").decimal == Decimal("1.250")
    with pytest.raises(ValueError, match="ISO 4217"):
        Money(1, "XYZ")


def test_two_currencies_never_mix() -> None:
    with pytest.raises(ValueError, match="EUR beside JPY"):
        _ = Money(1, "EUR") + Money(1, "JPY")


@given(st.integers(0, 10**12), st.integers(0, 10_000))
def test_a_share_is_rounded_once_to_the_nearest_unit(minor: int, basis_points: int) -> None:
    assert abs(Money(minor, "EUR").share(basis_points).minor - Decimal(minor) * basis_points / 10_000) <= Decimal("0.5")
