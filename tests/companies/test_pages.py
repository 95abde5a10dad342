"""The doors of businesses, one success, one refusal and one rival each."""

import re

import httpx
import pytest

from exchange.actor import Role
from exchange.companies.rules import Vetting
from exchange.database import fetchrow, fetchval
from tests.factories import MadePerson, make_company, make_person, make_siren, sign_in

PASSWORD = "vélos rouges et verts"
FORM = {
    "email": "ada@example.org",
    "password": PASSWORD,
    "name": "Ada Lovelace",
    "zone": "Europe/Paris",
    "legal_name": "Cycles Byron SARL",
    "country": "FR",
    "registration": "732 829 320",
}


async def post(client: httpx.AsyncClient, path: str, **form: object) -> httpx.Response:
    if "csrf" not in client.cookies:
        await client.get("/about")
    return await client.post(path, data=form, headers={"x-csrf-token": client.cookies["csrf"]})


async def owner_in(client: httpx.AsyncClient, **company: object) -> MadePerson:
    person = await make_person(await make_company(**company), role=Role.OWNER)  # type: ignore[arg-type]  # as given
    await sign_in(client, person)
    return person


async def test_signing_up_says_the_same_to_everybody(client: httpx.AsyncClient, db: None) -> None:
    fresh = await post(client, "/sign-up", **FORM)
    assert fresh.status_code == 200 and "ada@example.org" in fresh.text
    again = await post(client, "/sign-up", **FORM)
    assert again.text == fresh.text
    assert await fetchval("select count(*) from company") == 1


async def test_a_refused_sign_up_points_at_each_field_and_keeps_what_was_typed(
    client: httpx.AsyncClient, db: None
) -> None:
    client.headers["accept-language"] = "fr"
    page = await post(client, "/sign-up", **(FORM | {"registration": "732829321", "password": "court"}))
    assert page.status_code == 422
    assert 'id="f-registration-error"' in page.text and 'id="f-password-error"' in page.text
    assert "Cycles Byron SARL" in page.text and "court" not in re.sub(r"<[^>]+>", "", page.text).split("mot")[0]
    assert 'value="FR" selected' in page.text


async def test_an_unvetted_company_prepares_but_does_not_trade(client: httpx.AsyncClient, db: None) -> None:
    person = await owner_in(client, vetting=Vetting.AWAITING)
    page = await client.get("/company")
    assert page.status_code == 200 and "Being checked" in page.text
    assert person.company and person.company.registration in page.text


async def test_working_hours_are_set_day_by_day(client: httpx.AsyncClient, db: None) -> None:
    person = await owner_in(client)
    form = {"zone": "Europe/Paris", "opens": "08:30", "closes": "12:00"}
    assert (await post(client, "/company/hours", **form, days=["1", "5"])).status_code == 303
    row = await fetchrow("select opens::text, days from company where id = $1", person.actor.company_id)
    assert row and tuple(row) == ("08:30:00", [1, 5])
    wrongs: list[dict[str, object]] = [
        {"days": ["7"]},
        {"days": ["1"], "closes": "08:00"},
        {"days": ["1"], "opens": "soon"},
    ]
    for wrong in wrongs:
        refused = await post(client, "/company/hours", **(form | wrong))
        assert refused.status_code == 422 and 'class="error"' in refused.text
    assert (await post(client, "/company/hours", **form)).status_code == 422


async def test_facts_are_corrected_before_vetting_only(client: httpx.AsyncClient, db: None) -> None:
    person = await owner_in(client, vetting=Vetting.REFUSED)
    form = {"legal_name": "Byron SAS", "registration": "732829320", "vat": ""}
    assert (await post(client, "/company/facts", **form)).status_code == 303
    state = await fetchval("select vetting from company where id = $1", person.actor.company_id)
    assert state == "awaiting"
    await owner_in(client)
    assert (await post(client, "/company/facts", **form)).status_code == 409


async def test_the_block_form_answers_alike_for_members_and_strangers(client: httpx.AsyncClient, db: None) -> None:
    member, stranger = await make_company(), make_siren(700_004)
    await owner_in(client)
    told = []
    for number in (member.registration, stranger):
        answer = await post(client, "/company/rivals", rival=number, country="FR")
        page = await client.get(answer.headers["location"].partition("#")[0])
        listed = re.findall(r"<li[^>]*>(?:(?!</li>).)*" + number + r"(?:(?!</li>).)*</li>", page.text, re.DOTALL)
        assert len(listed) == 1
        told.append(
            (
                answer.status_code,
                answer.headers["location"],
                re.sub(r"[0-9a-f-]{36}|value=\"[^\"]{40,}\"|\d{9}", "", listed[0]),
            )
        )
        assert member.legal_name not in page.text
    assert told[0] == told[1]


async def test_a_traders_page_shows_no_forms_and_the_doors_are_closed(client: httpx.AsyncClient, db: None) -> None:
    trader = await make_person()
    await sign_in(client, trader)
    page = await client.get("/company")
    assert page.status_code == 200 and 'action="/company' not in page.text
    for path in ("/company/hours", "/company/shop", "/company/facts", "/company/rivals", "/team/invitations"):
        assert (await post(client, path, name="x")).status_code == 403
    assert (await client.get("/team")).status_code == 403
    assert (await client.get("/operator")).status_code == 403


async def test_the_team_page_invites_and_the_link_seats(client: httpx.AsyncClient, db: None) -> None:
    await owner_in(client)
    refused = await post(client, "/team/invitations", name="Bob Martin", email="bob", role="trader")
    assert refused.status_code == 422 and 'id="f-email-error"' in refused.text
    await post(client, "/team/invitations", name="Bob Martin", email="bob@example.org", role="trader")
    assert "bob@example.org" in (await client.get("/team")).text
    text = await fetchval("select text from mail where recipient = 'bob@example.org'")
    link = re.search(r"http://[^/]+(/invitation/\S+)", text)
    assert link
    client.cookies.delete("session")
    assert (await client.get(link[1])).status_code == 200
    form = {"name": "Bob Martin", "zone": "Europe/Paris"}
    short = await post(client, link[1], **form, password="short")
    assert short.status_code == 422 and 'id="f-password-error"' in short.text
    assert (await post(client, link[1], **form, password="trois camions bleus")).status_code == 303
    assert (await client.get(link[1])).status_code == 409
    answer = await post(client, "/sign-in", email="bob@example.org", password="trois camions bleus")
    assert answer.status_code == 303


async def test_the_last_owner_stays_and_says_why(client: httpx.AsyncClient, db: None) -> None:
    person = await owner_in(client)
    page = (await client.get("/team")).text
    assert "needs an owner" in page and f"/team/{person.id}/" not in page
    answer = await post(client, f"/team/{person.id}/removal")
    assert answer.status_code == 409 and "needs an owner" in answer.text


async def test_a_strangers_team_is_not_there(client: httpx.AsyncClient, db: None) -> None:
    stranger = await make_person(role=Role.OWNER)
    await owner_in(client)
    assert (await post(client, f"/team/{stranger.id}/removal")).status_code == 404
    assert (await post(client, f"/team/{stranger.id}/role", role="trader")).status_code == 404


async def test_the_operator_vets_refuses_and_groups(client: httpx.AsyncClient, db: None) -> None:
    one, other = await make_company(vetting=Vetting.AWAITING), await make_company(vetting=Vetting.AWAITING)
    await make_person(one, role=Role.OWNER)
    await sign_in(client, await make_person(role=Role.OPERATOR))
    desk = (await client.get("/operator")).text
    assert one.legal_name in desk and other.legal_name in desk
    page = await client.get(f"/operator/companies/{one.id}")
    assert page.status_code == 200 and one.registration in page.text
    assert (await post(client, f"/operator/companies/{one.id}/group", group="Groupe Byron")).status_code == 303
    assert (await post(client, f"/operator/companies/{one.id}/vetting")).status_code == 303
    assert (await post(client, f"/operator/companies/{one.id}/vetting")).status_code == 409
    assert (await post(client, f"/operator/companies/{other.id}/refusal", reason="no")).status_code == 422
    assert (
        await post(client, f"/operator/companies/{other.id}/refusal", reason="The extract is too old.")
    ).status_code == 303
    assert one.legal_name in (await client.get("/operator?standing=vetted")).text
    assert "The extract is too old." in (await client.get(f"/operator/companies/{other.id}")).text
    assert (await client.get("/company")).status_code == 403
    missing = "/operator/companies/3b0a3bd5-94a4-4ff3-a7f5-2b1f9d3f7c11"
    assert (await client.get(missing)).status_code == (await post(client, f"{missing}/vetting")).status_code == 404


@pytest.mark.parametrize("path", ["", "/vetting", "/refusal", "/group"])
async def test_no_member_comes_near_the_operators_doors(client: httpx.AsyncClient, db: None, path: str) -> None:
    target = await make_company(vetting=Vetting.AWAITING)
    await owner_in(client)
    url = f"/operator/companies/{target.id}{path}"
    answer = await (post(client, url, reason="A long enough reason") if path else client.get(url))
    assert answer.status_code == 403 and target.legal_name not in answer.text
    assert await fetchval("select vetting from company where id = $1", target.id) == "awaiting"


@pytest.mark.parametrize("language", ["fr", "en"])
async def test_every_page_is_whole_in_both_languages(client: httpx.AsyncClient, db: None, language: str) -> None:
    person = await owner_in(client)
    client.cookies.set("language", language)
    for path in ("/company", "/team", "/account"):
        page = await client.get(path)
        assert page.status_code == 200 and f'<html lang="{language}"' in page.text and person.name in page.text
    client.cookies.delete("session")
    for path in ("/sign-in", "/sign-up", "/forgotten", "/invitation/none", "/reset/none", "/confirm/none"):
        assert f'<html lang="{language}"' in (await client.get(path)).text
