"""The first page knows who you are."""

import httpx

from exchange.actor import Role
from exchange.companies.rules import Vetting
from tests.factories import make_company, make_person, sign_in


async def test_a_visitor_reads_what_confrere_is(client: httpx.AsyncClient, db: None) -> None:
    page = await client.get("/", headers={"Accept-Language": "fr"})
    assert page.status_code == 200
    assert "concurrents" in page.text


async def test_a_member_whom_nothing_awaits_is_told_what_to_do_next(client: httpx.AsyncClient, db: None) -> None:
    http = await sign_in(client, await make_person(name="Anaïs Roy", language="fr"))
    page = await http.get("/")
    assert "Bonjour Anaïs" in page.text
    assert 'href="/stock-lists/new"' in page.text


async def test_a_company_not_vetted_yet_reads_why_it_waits(client: httpx.AsyncClient, db: None) -> None:
    company = await make_company(vetting=Vetting.AWAITING)
    http = await sign_in(client, await make_person(company))
    assert "being checked" in (await http.get("/")).text


async def test_the_operator_goes_to_the_desk(client: httpx.AsyncClient, db: None) -> None:
    http = await sign_in(client, await make_person(role=Role.OPERATOR))
    assert (await http.get("/")).headers["location"] == "/operator"
