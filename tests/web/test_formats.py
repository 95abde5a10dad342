from datetime import UTC, datetime

from babel.numbers import format_currency
from hypothesis import given
from hypothesis import strategies as st

from exchange.money import Money
from exchange.settlement.rules.deal import NotYet
from exchange.web.formats import locale_of, money
from exchange.web.render import told

CURRENCIES = ["EUR", "USD", "GBP", "CHF", "JPY", "KWD", "CLP", "PLN", "SEK", "CZK", "HUF"]


@given(st.integers(-(10**9), 10**14), st.sampled_from(CURRENCIES), st.sampled_from(["fr", "en"]))
def test_an_amount_is_written_as_babel_writes_it(minor: int, currency: str, language: str) -> None:
    amount = Money(minor, currency)
    assert money(amount, language) == format_currency(amount.decimal, currency, locale=locale_of(language))


def test_a_refusal_tells_an_instant_as_pages_do() -> None:
    since = datetime(2030, 12, 4, 15, tzinfo=UTC)
    assert "5 déc. 2030, 0:00" in told(NotYet(since=since), "fr", "Asia/Tokyo")
    assert "4 Dec 2030, 15:00" in told(NotYet(since=since), "en", "UTC")
