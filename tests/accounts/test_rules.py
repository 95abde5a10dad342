"""Addresses, passwords, devices, the life of a session."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.accounts import rules
from exchange.errors import Invalid

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("text", ["ada@example.org", " Ada.Lovelace+stock@EXAMPLE.org ", "o'neil@sub.example.co.uk"])
def test_addresses_people_have_are_taken(text: str) -> None:
    assert rules.email_address(text).endswith(("example.org", "example.co.uk"))


@pytest.mark.parametrize(
    "text", ["", "ada", "ada@", "@example.org", "ada@example", "a b@example.org", "a@b.org\nBcc: x@y.org"]
)
def test_what_is_no_address_is_refused_at_its_field(text: str) -> None:
    with pytest.raises(rules.NotAnAddress) as refusal:
        rules.email_address(text)
    assert refusal.value.field == "email"


@given(st.text(max_size=60))
def test_no_address_smuggles_a_line_into_a_mail_head(text: str) -> None:
    try:
        address = rules.email_address(text)
    except rules.NotAnAddress:
        return
    assert "\n" not in address and "\r" not in address and address.isascii()


@pytest.mark.parametrize(
    "password", ["correct horse battery", "vélos rouges et verts", "k7#pQ9!xw2Lm", "x1 y2 z3 w4 v5"]
)
def test_long_passwords_nobody_would_try_are_taken(password: str) -> None:
    rules.ensure_password(password, "ada@example.org", "Ada Lovelace")


@pytest.mark.parametrize(
    ("password", "refusal"),
    [
        ("short", rules.PasswordTooShort),
        ("elevenchars", rules.PasswordTooShort),
        ("x" * 201, rules.PasswordTooLong),
        ("aaaaaaaaaaaa", rules.PasswordTooEasy),
        ("Password1234!", rules.PasswordTooEasy),
        ("motdepasse2026", rules.PasswordTooEasy),
        ("azertyuiop12", rules.PasswordTooEasy),
        ("123456789012", rules.PasswordTooEasy),
        ("LovelaceLovelace", rules.PasswordTooEasy),
        ("Ada.Lovelace.1", rules.PasswordTooEasy),
    ],
)
def test_short_and_guessable_passwords_are_refused(password: str, refusal: type[Invalid]) -> None:
    with pytest.raises(refusal) as caught:
        rules.ensure_password(password, "ada.lovelace@example.org", "Ada Lovelace")
    assert caught.value.field == "password"


def test_a_device_is_named_in_words_a_person_knows() -> None:
    firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
    edge = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0"
    phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Safari/604.1"
    assert [rules.device(a) for a in (firefox, edge, phone, "curl/8")] == [
        "Firefox, Windows", "Edge, Windows", "Safari, iPhone", "",
    ]  # fmt: skip
