"""The doors of people: sign-in, mail links, the account page, the outbox."""

import re

import httpx
import pytest

import exchange.accounts.jobs  # noqa: F401  makes the handlers known
from exchange.accounts.actions.passwords import hash_password
from exchange.accounts.actions.people import send_link
from exchange.accounts.actions.sessions import TRIES_PER_EMAIL
from exchange.accounts.rules import LinkPurpose
from exchange.actor import Role
from exchange.database import execute, fetchval
from exchange.jobs import perform_due
from exchange.settings import Settings
from tests.factories import MadePerson, make_person, sign_in

PASSWORD = "vélos rouges et verts"


async def somebody(language: str = "en") -> MadePerson:
    return await make_person(role=Role.OWNER, language=language, password_hash=await hash_password(PASSWORD))


async def post(client: httpx.AsyncClient, path: str, **form: str) -> httpx.Response:
    if "csrf" not in client.cookies:
        await client.get("/about")
    return await client.post(path, data=form, headers={"x-csrf-token": client.cookies["csrf"]})


async def test_signing_in_sets_a_fresh_cookie_scripts_cannot_read_and_goes_where_one_wanted(
    client: httpx.AsyncClient, db: None
) -> None:
    person = await somebody()
    client.cookies.set("session", "planted-by-somebody-else")
    assert (await client.get("/account")).headers["location"] == "/sign-in?next=%2Faccount"
    answer = await post(client, "/sign-in", email=person.email, password=PASSWORD, next="/account")
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith("session="))
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/" in cookie
    assert "planted-by-somebody-else" not in cookie
    client.cookies.delete("session")
    client.cookies.set("session", cookie.split(";")[0].removeprefix("session="))
    assert person.email in (await client.get("/account")).text


@pytest.mark.parametrize(
    "elsewhere", ["//rival.example/", "https://rival.example/", "/\\rival.example", "/\t/rival.example"]
)
async def test_signing_in_never_leads_to_another_site(client: httpx.AsyncClient, db: None, elsewhere: str) -> None:
    person = await somebody()
    answer = await post(client, "/sign-in", email=person.email, password=PASSWORD, next=elsewhere)
    assert answer.headers["location"] == "/"


async def test_a_refused_sign_in_keeps_the_address_and_not_the_password(client: httpx.AsyncClient, db: None) -> None:
    person = await somebody()
    known = await post(client, "/sign-in", email=person.email, password="a wrong password")
    unknown = await post(client, "/sign-in", email="nobody@example.org", password="a wrong password")
    assert known.status_code == unknown.status_code == 422
    assert person.email in known.text and "a wrong password" not in known.text
    assert known.text.replace(person.email, "nobody@example.org") == unknown.text


async def test_too_many_tries_say_when_to_return(client: httpx.AsyncClient, db: None) -> None:
    for _ in range(TRIES_PER_EMAIL):
        await post(client, "/sign-in", email="nobody@example.org", password="a wrong password")
    answer = await post(client, "/sign-in", email="nobody@example.org", password="a wrong password")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 900


async def test_a_link_is_confirmed_by_a_button_not_by_looking(client: httpx.AsyncClient, db: None) -> None:
    person = await somebody()
    await execute("update person set confirmed_at = null where id = $1", person.id)
    await send_link(person.id, LinkPurpose.CONFIRM)
    text = await fetchval("select text from mail where recipient = $1", person.email)
    link = re.search(r"http://[^/]+(/confirm/\S+)", text)
    assert link
    assert person.email in (await client.get(link[1])).text
    assert await fetchval("select confirmed_at from person where id = $1", person.id) is None
    assert (await post(client, link[1])).headers["location"] == "/sign-in"
    assert await fetchval("select confirmed_at from person where id = $1", person.id) is not None
    assert (await client.get(link[1])).status_code == 409
    assert (await post(client, link[1])).status_code == 409


async def test_a_forgotten_password_page_by_page(client: httpx.AsyncClient, db: None) -> None:
    person = await somebody()
    known = await post(client, "/forgotten", email=person.email)
    unknown = await post(client, "/forgotten", email="nobody@example.org")
    assert known.status_code == 200
    assert known.text.replace(person.email, "nobody@example.org") == unknown.text
    await perform_due()
    text = await fetchval("select text from mail where recipient = $1", person.email)
    link = re.search(r"http://[^/]+(/reset/\S+)", text)
    assert link
    assert (await client.get(link[1])).status_code == 200
    short = await post(client, link[1], password="short")
    assert short.status_code == 422 and "12 characters" in short.text
    assert (await post(client, link[1], password="trois camions bleus")).headers["location"] == "/sign-in"
    assert (await client.get(link[1])).status_code == 409
    assert (await post(client, "/sign-in", email=person.email, password="trois camions bleus")).status_code == 303


async def test_the_account_page_in_both_languages_changes_preferences(client: httpx.AsyncClient, db: None) -> None:
    person = await somebody(language="fr")
    await sign_in(client, person)
    assert '<html lang="fr"' in (await client.get("/account")).text
    answer = await post(client, "/account", name="Ada Byron", language="en", zone="Europe/London")
    assert answer.headers["location"] == "/account"
    page = (await client.get("/account")).text
    assert '<html lang="en"' in page and "Ada Byron" in page
    refused = await post(client, "/account", name="Ada Byron", language="en", zone="Mars")
    assert refused.status_code == 422 and 'id="f-zone-error"' in refused.text


async def test_a_token_is_shown_once_and_works(client: httpx.AsyncClient, db: None) -> None:
    person = await somebody()
    await sign_in(client, person)
    page = (await post(client, "/account/tokens", label="till")).text
    token = re.search(r"cfr_[\w-]{43}", page)
    assert token
    again = (await client.get("/account")).text
    assert token[0] not in again and "till" in again
    answer = await client.get("/api/v1/me", headers={"Authorization": f"Bearer {token[0]}"})
    assert answer.json()["email"] == person.email
    revocation = re.search(r"/account/tokens/[0-9a-f-]{36}/revocation", again)
    assert revocation
    await post(client, revocation[0])
    assert (await client.get("/api/v1/me", headers={"Authorization": f"Bearer {token[0]}"})).status_code == 401


async def test_another_device_is_signed_out_from_the_page_and_a_strangers_is_not_there(
    client: httpx.AsyncClient, db: None
) -> None:
    person, stranger = await somebody(), await somebody()
    await sign_in(client, stranger)
    theirs = await fetchval("select id from session where person_id = $1", stranger.id)
    await sign_in(client, person)
    mine = await fetchval("select id from session where person_id = $1", person.id)
    assert (await post(client, f"/account/sessions/{theirs}/revocation")).status_code == 404
    await sign_in(client, person)
    page = (await client.get("/account")).text
    assert f"/account/sessions/{mine}/revocation" in page and str(theirs) not in page
    assert (await post(client, f"/account/sessions/{mine}/revocation")).status_code == 303
    assert (await post(client, "/account/sessions/others/revocation")).status_code == 303
    assert await fetchval("select count(*) from session where revoked_at is null and person_id = $1", person.id) == 1


async def test_signing_out_ends_the_session_itself(client: httpx.AsyncClient, db: None) -> None:
    person = await somebody()
    await sign_in(client, person)
    secret = client.cookies["session"]
    assert (await post(client, "/sign-out")).headers["location"] == "/"
    client.cookies.set("session", secret)
    assert (await client.get("/account")).status_code == 303


async def test_the_outbox_is_in_the_demo_only(
    client: httpx.AsyncClient, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await somebody()
    await send_link(person.id, LinkPurpose.RESET)
    assert (await client.get("/outbox")).status_code == 404
    monkeypatch.setattr(Settings, "is_demo", property(lambda _: True))
    page = await client.get("/outbox")
    assert page.status_code == 200 and person.email in page.text and "/reset/" in page.text


@pytest.mark.parametrize(
    "path",
    [
        "/account",
        "/account/password",
        "/account/tokens",
        "/account/sessions/others/revocation",
        "/account/sessions/3b0a3bd5-94a4-4ff3-a7f5-2b1f9d3f7c11/revocation",
        "/account/tokens/3b0a3bd5-94a4-4ff3-a7f5-2b1f9d3f7c11/revocation",
    ],
)
async def test_a_visitor_is_sent_to_the_door(client: httpx.AsyncClient, db: None, path: str) -> None:
    answer = await post(client, path, label="x", name="x")
    assert answer.status_code == 303 and answer.headers["location"].startswith("/sign-in")
