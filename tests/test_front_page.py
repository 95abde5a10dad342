"""The first page knows who you are."""

import re

import httpx
import pytest

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


@pytest.mark.parametrize(
    ("vetting", "said"),
    [(Vetting.AWAITING, "being checked"), (Vetting.REFUSED, "could not admit"), (Vetting.STOPPED, "no new deals")],
)
async def test_a_company_that_may_not_trade_reads_why_and_no_link_leads_to_a_refusal(
    vetting: Vetting, said: str, client: httpx.AsyncClient, db: None
) -> None:
    http = await sign_in(client, await make_person(await make_company(vetting=vetting), role=Role.OWNER))
    page = (await http.get("/")).text
    assert said in page
    links = set(re.findall(r'<a[^>]*href="(/[^"#]*)"', page))
    assert {"/company", "/insight"} <= links
    assert ("/talks" in links) is (vetting is Vetting.STOPPED)
    for link in sorted(links):
        assert (await http.get(link)).status_code < 400, link


async def test_an_owner_gives_the_addresses_while_the_company_is_checked(client: httpx.AsyncClient, db: None) -> None:
    http = await sign_in(client, await make_person(await make_company(vetting=Vetting.AWAITING), role=Role.OWNER))
    told = {"street": "12 rue des Lilas", "postcode": "35000", "city": "Rennes"}
    assert (await http.post("/money/invoicing", data=told)).status_code == 303
    page = (await http.get("/money/invoicing")).text
    assert "12 rue des Lilas" in page
    assert 'action="/money/mandate"' not in page


async def test_a_company_not_admitted_is_not_told_that_it_is_being_checked(client: httpx.AsyncClient, db: None) -> None:
    http = await sign_in(client, await make_person(await make_company(vetting=Vetting.REFUSED)))
    refused = await http.get("/lots")
    assert refused.status_code == 403
    assert "Your company was not admitted" in refused.text


async def test_the_operator_goes_to_the_desk(client: httpx.AsyncClient, db: None) -> None:
    http = await sign_in(client, await make_person(role=Role.OPERATOR))
    assert (await http.get("/")).headers["location"] == "/operator"
