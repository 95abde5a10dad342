"""You cannot load what you may not see: every door × every role × a stranger's objects (design promise 5).

The doors are read from the application, so a new one is walked the day it is written; one that answers visitors must
be named here.
"""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from litestar.routes import HTTPRoute

from exchange.accounts.actions.sessions import open_session
from exchange.accounts.actions.tokens import issue_token
from exchange.actor import Role
from exchange.app import create_app
from exchange.companies.actions.members import invite
from exchange.companies.actions.rivals import hide_from
from exchange.companies.rules import Vetting
from exchange.database import fetchval
from tests.factories import MadePerson, bearer, make_company, make_person, make_siren, sign_in
from tests.offers.stage import staged
from tests.settlement.conftest import agree

FOR_VISITORS = {
    "/", "/about", "/sign-in", "/sign-up", "/sign-out", "/forgotten", "/outbox", "/language", "/theme", "/healthz",
    "/confirm/{secret}", "/reset/{secret}", "/invitation/{secret}",
    "/unsubscribe/{token}",
    "/{rest}",
    "/static/{file_path}", "/api", "/api/{path}", "/api/openapi.json", "/api/v1/openapi.json", "/api/v1/docs",
    "/webhooks/stripe", "/webhooks/stripe/connect", "/webhooks/stripe/v2",
}  # fmt: skip
"""Doors anybody may knock at. Whatever needs nobody signed in is written here, on purpose."""
PUBLISHED = ("/insight", "/api/v1/insight")
"""Begins the paths of what is published: the same for everybody, visitors too (guide/insight.md)."""
OPEN_TO_MEMBERS = ("/lots/{lot_id}", "/api/v1/lots/{lot_id}", *PUBLISHED)
"""Begins the paths whose objects a stranger is meant to see, masked."""
ENDLESS = ("/live",)
"""Ends the paths of streams, which the operator may open and nobody ends."""
ELSEWHERE = ("/webhooks/", "/static/", "/sign-out", "/money/onboarding")
"""Begins the paths left to their own tests: no viewer, the end of the walk, a call to the payment service."""


@dataclass(frozen=True, slots=True)
class Door:
    method: str
    path: str

    @property
    def is_api(self) -> bool:
        return self.path.startswith("/api/")


def doors() -> Iterator[Door]:
    for route in create_app().routes:
        if isinstance(route, HTTPRoute):
            for method in sorted(set(route.methods) - {"OPTIONS", "HEAD"}):
                yield Door(method, route.path_format)


DOORS = sorted(set(doors()), key=lambda door: (door.path, door.method))


@dataclass(frozen=True, slots=True)
class Strangers:
    """What belongs to others, by the name a path gives it, and the words that must never be read by a third party."""

    ids: dict[str, UUID]
    words: list[str]

    def path(self, door: Door) -> str:
        path = door.path
        for name in [part[1:-1] for part in door.path.split("/") if part.startswith("{")]:
            path = path.replace(f"{{{name}}}", "1" if name == "number" else str(self.ids.get(name) or uuid4()))
        return path


async def strangers() -> Strangers:
    owner = await make_person(await make_company(legal_name="Cormier Outillage SARL"), role=Role.OWNER)
    await sign_in_only(owner)
    await issue_token(by=owner.actor, label="secret till")
    await invite(by=owner.actor, email="invited@cormier.example", name="Inès Invitée", role="trader")
    await hide_from(by=owner.actor, rival=make_siren(800_001), country="FR")
    stage = await staged()
    talk_id = await stage.offer()
    agreed = await agree()
    ids = {
        "person_id": owner.id,
        "company_id": owner.actor.company_id,
        "session_id": await fetchval("select id from session where person_id = $1", owner.id),
        "token_id": await fetchval("select id from api_token where person_id = $1", owner.id),
        "invitation_id": await fetchval("select id from invitation"),
        "rival_id": await fetchval("select id from named_rival"),
        "lot_id": stage.lot_id,
        "talk_id": talk_id,
        "negotiation_id": talk_id,
        "deal_id": agreed.deal_id,
    }
    people = (owner, stage.seller, stage.buyer, agreed.seller, agreed.buyer)
    words = ["secret till", "invited@cormier.example", "Inès Invitée", make_siren(800_001)]
    for person in people:
        assert person.company
        words += [person.name, person.email, person.company.legal_name, person.company.registration]
    return Strangers({name: UUID(str(found)) for name, found in ids.items()}, words)


async def sign_in_only(person: MadePerson) -> None:
    await open_session(person.id, address="192.0.2.1", agent="test")


def told(answer: httpx.Response) -> tuple[int, str, str]:
    """What an answer gives away beside its words: status, where it leads, the name of the refusal."""
    code = answer.json().get("code", "") if "problem+json" in answer.headers.get("content-type", "") else ""
    return answer.status_code, re.sub(r"[0-9a-f-]{36}", "ID", answer.headers.get("location", "")), code


async def knock(client: httpx.AsyncClient, door: Door, path: str, headers: dict[str, str]) -> httpx.Response:
    body: dict[str, Any] = {}
    if door.method == "POST":
        body = {"json": {}} if door.is_api else {"data": {"nothing": "at all"}}
    async with asyncio.timeout(10):
        return await client.request(door.method, path, headers=headers, **body)


async def test_a_visitor_is_sent_to_the_door(client: httpx.AsyncClient, db: None) -> None:
    await client.get("/about")
    headers = {"x-csrf-token": client.cookies["csrf"]}
    wrong = []
    for door in DOORS:
        if door.path not in FOR_VISITORS and not door.path.startswith(PUBLISHED):
            answer = await knock(client, door, Strangers({}, []).path(door), headers)
            sent = answer.status_code == 303 and answer.headers["location"].startswith("/sign-in")
            if answer.status_code != 401 if door.is_api else not sent:
                wrong.append(f"{door.method} {door.path}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("role", ["trader", "owner", "unvetted owner", "operator"])
async def test_no_door_breaks_or_shows_a_strangers_things(client: httpx.AsyncClient, db: None, role: str) -> None:
    theirs = await strangers()
    if role == "operator":
        person = await make_person(role=Role.OPERATOR)
    else:
        vetting = Vetting.AWAITING if role == "unvetted owner" else Vetting.VETTED
        company = await make_company(vetting=vetting)
        person = await make_person(company, role=Role.TRADER if role == "trader" else Role.OWNER)
    token = await bearer(person)
    await sign_in(client, person)
    wrong: list[str] = []
    for door in DOORS:
        if door.path.startswith(ELSEWHERE) or (role == "operator" and door.path.endswith(ENDLESS)):
            continue
        if role == "operator" and door.method == "POST":
            continue  # may change what the rest of the walk leans on; each is tried in its own domain
        answer = await knock(client, door, theirs.path(door), token if door.is_api else {})
        said = f"{door.method} {door.path}: {answer.status_code}"
        if answer.status_code >= 500:
            wrong.append(f"{said} breaks")
        if role == "operator":
            continue
        if found := [word for word in theirs.words if word in answer.text]:
            wrong.append(f"{said} tells {found}")
        if "_id}" in door.path and not door.path.startswith(OPEN_TO_MEMBERS):
            nothing = Strangers({}, []).path(door)
            absent = await knock(client, door, nothing, token if door.is_api else {})
            if told(answer) != told(absent):
                wrong.append(f"{said}: a stranger's thing differs from nothing: {told(answer)}, {told(absent)}")
        if door.path.startswith(("/operator", "/metrics")) and answer.status_code != 403:
            wrong.append(f"{said} is not the operator's alone")
    assert not wrong, "\n".join(wrong)


async def test_every_door_named_for_visitors_is_there_or_answers_as_nothing(
    client: httpx.AsyncClient, db: None
) -> None:
    for path in FOR_VISITORS - {"/webhooks/stripe", "/webhooks/stripe/connect", "/webhooks/stripe/v2"}:
        answer = await client.get(path.replace("{", "").replace("}", ""))
        assert answer.status_code < 500, path
