from babel.numbers import format_currency
from hypothesis import given
from hypothesis import strategies as st

from exchange.money import Money
from exchange.web.formats import locale_of, money

CURRENCIES = ["EUR", "USD", "GBP", "CHF", "JPY", "KWD", "CLP", "PLN", "SEK", "CZK", "HUF"]


@given(st.integers(-(10**9), 10**14), st.sampled_from(CURRENCIES), st.sampled_from(["fr", "en"]))
def test_an_amount_is_written_as_babel_writes_it(minor: int, currency: str, language: str) -> None:
    amount = Money(minor, currency)
    assert money(amount, language) == format_currency(amount.decimal, currency, locale=locale_of(language))
