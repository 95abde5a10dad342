"""The first page knows who you are."""

from collections.abc import AsyncIterator

import httpx
import pytest

from exchange.accounts.actions.sessions import open_session
from exchange.actor import Role
from exchange.companies.rules import Vetting
from exchange.web.sign_in import session_cookie
from tests.factories import MadePerson, make_company, make_person


@pytest.fixture
async def as_person(client: httpx.AsyncClient, db: None) -> AsyncIterator[object]:
    async def enter(person: MadePerson) -> httpx.AsyncClient:
        client.cookies.set(session_cookie(), await open_session(person.id, address="127.0.0.1", agent="test"))
        return client

    yield enter


async def test_a_visitor_reads_what_confrere_is(client: httpx.AsyncClient, db: None) -> None:
    page = await client.get("/", headers={"Accept-Language": "fr"})
    assert page.status_code == 200
    assert "concurrents" in page.text


async def test_a_member_whom_nothing_awaits_is_told_what_to_do_next(as_person: object) -> None:
    http = await as_person(await make_person(name="Anaïs Roy", language="fr"))  # type: ignore[operator]
    page = await http.get("/")
    assert "Bonjour Anaïs" in page.text
    assert 'href="/stock-lists/new"' in page.text


async def test_a_company_not_vetted_yet_reads_why_it_waits(as_person: object) -> None:
    company = await make_company(vetting=Vetting.AWAITING)
    http = await as_person(await make_person(company))  # type: ignore[operator]
    assert "being checked" in (await http.get("/")).text


async def test_the_operator_goes_to_the_desk(as_person: object) -> None:
    http = await as_person(await make_person(role=Role.OPERATOR))  # type: ignore[operator]
    assert (await http.get("/")).headers["location"] == "/operator"
