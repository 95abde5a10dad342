from datetime import UTC, datetime

import pytest
from babel.numbers import format_currency
from hypothesis import given
from hypothesis import strategies as st

from exchange.money import Money
from exchange.settlement.rules.deal import NotYet
from exchange.web.formats import full, locale_of, money
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


@pytest.mark.parametrize(
    ("zone", "english", "french"),
    [
        ("Europe/Dublin", "09:56 IST", "09:56 (heure : Irlande)"),
        ("Europe/Paris", "10:56 CEST", "10:56 (heure d’Europe centrale)"),
        ("Africa/Casablanca", "09:56 UTC+01", "09:56 (heure : Maroc)"),
    ],
)
def test_an_instant_on_a_paper_names_the_zone_its_hour_is_of(zone: str, english: str, french: str) -> None:
    at = datetime(2024, 4, 19, 8, 56, tzinfo=UTC)
    assert full(at, "en", zone).endswith(english)
    assert full(at, "fr", zone).endswith(french)
