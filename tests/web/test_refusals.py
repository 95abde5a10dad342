"""What went wrong under a door is told as what it is: the database gone, or our own fault."""

import re
from uuid import uuid4

import asyncpg
import httpx
import pytest

from exchange.errors import TooMany
from exchange.offers.api import talks
from exchange.offers.pages import inbox
from exchange.web import idempotency
from tests.factories import bearer, make_person, sign_in

pytestmark = pytest.mark.usefixtures("db")
AT = "/api/v1/negotiations"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (asyncpg.ConnectionDoesNotExistError(), 503, "database_away"),
        (asyncpg.CannotConnectNowError(), 503, "database_away"),
        (asyncpg.InternalClientError(), 503, "database_away"),
        (ConnectionRefusedError(), 503, "database_away"),
        (FileNotFoundError(), 500, "broken"),
        (asyncpg.InterfaceError("misused"), 500, "broken"),
    ],
)
async def test_a_database_that_is_gone_is_no_fault_of_ours(
    error: Exception, status: int, code: str, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object, **__: object) -> None:
        raise error

    headers = await bearer(await make_person())
    monkeypatch.setattr(talks, "inbox_of", fails)
    told = await client.get(AT, headers=headers)
    assert (told.status_code, told.json()["code"]) == (status, code)


@pytest.mark.parametrize("door", [AT, "/talks"], ids=["program", "person"])
async def test_our_own_fault_is_told_by_a_reference_that_the_log_carries_and_nothing_else(
    door: str, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(*_: object, **__: object) -> None:
        raise RuntimeError("the secret of the kitchen")

    person = await make_person()
    headers = await bearer(person) if door == AT else {}
    if door != AT:
        await sign_in(client, person)
    monkeypatch.setattr(talks, "inbox_of", fails)
    monkeypatch.setattr(inbox, "inbox_of", fails)
    told = await client.get(door, headers=headers)
    assert told.status_code == 500
    assert "kitchen" not in told.text
    (reference,) = re.findall(r"name the reference ([0-9a-f]{8})\.", told.text)
    assert f"reference {reference}" in caplog.text


async def test_an_answer_that_can_no_longer_be_kept_is_given_all_the_same(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: object) -> None:
        raise ConnectionRefusedError

    headers = await bearer(await make_person()) | {"Idempotency-Key": str(uuid4())}
    monkeypatch.setattr(idempotency, "execute", gone)
    assert (await client.post(f"{AT}/{uuid4()}/refusal", json={}, headers=headers)).status_code == 404


@pytest.mark.parametrize(
    ("asked", "title", "detail"),
    [
        ("en-GB,en;q=0.9", "Nothing here", "There is nothing at this address"),
        ("de", "Il n’y a rien ici", "Il n’y a rien à cette adresse"),
    ],
    ids=["stated", "the account's"],
)
async def test_a_problem_document_speaks_the_language_the_program_states(
    asked: str, title: str, detail: str, client: httpx.AsyncClient
) -> None:
    """The title names the kind, the detail tells this case (RFC 9457, section 3.1)."""
    headers = await bearer(await make_person(language="fr")) | {"Accept-Language": asked}
    told = (await client.get(f"{AT}/{uuid4()}", headers=headers)).json()
    assert told["title"] == title
    assert told["detail"].startswith(detail)


@pytest.mark.parametrize("sent", [{}, {"currency": "EUR", "incoterm": "FCA"}], ids=["several", "one"])
async def test_fields_left_out_are_each_named_in_the_callers_language(
    sent: dict[str, str], client: httpx.AsyncClient
) -> None:
    headers = await bearer(await make_person()) | {"Accept-Language": "fr"}
    told = await client.post(AT, json=sent, headers=headers)
    missing = {"currency", "incoterm", "lot_id"} - sent.keys()
    assert told.status_code == 400
    assert {(e["field"], e["detail"]) for e in told.json()["errors"]} == {
        (field, "Ce champ est nécessaire et n’a pas été envoyé.") for field in missing
    }


async def test_a_damaged_address_is_told_to_a_person_without_the_words_of_a_program(
    client: httpx.AsyncClient,
) -> None:
    await sign_in(client, await make_person(language="fr"))
    told = await client.get("/lots?after=xyz")
    assert told.status_code == 400
    assert "Une partie de cette adresse ou de ce formulaire manque" in told.text
    assert "UUID" not in told.text


def test_a_wait_is_told_in_whole_minutes() -> None:
    assert [str(TooMany(retry_after=seconds)) for seconds in (1, 60, 61)] == [
        f"Too many attempts. Try again in {minutes} min." for minutes in (1, 1, 2)
    ]
