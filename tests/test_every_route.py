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
from exchange.clock import now
from exchange.companies.actions.members import invite
from exchange.companies.actions.rivals import hide_from
from exchange.companies.rules import Vetting
from exchange.database import fetchval
from exchange.listings.actions.lots import withdraw_lot
from exchange.listings.actions.stock_lists import upload_stock_list
from exchange.listings.tables import Photo
from exchange.settlement.tables.evidence import DealPhoto
from exchange.settlement.tables.papers import Paper, PaperSeries
from tests.conftest import _website
from tests.factories import MadePerson, bearer, make_company, make_person, make_siren, sign_in
from tests.introductions.test_introductions import introduce
from tests.offers.stage import staged
from tests.offers.test_requests import ask, wanting
from tests.settlement.conftest import Agreed, agree

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
OPEN_TO_MEMBERS = {
    "/lots/{lot_id}", "/api/v1/lots/{lot_id}", "/lots/{lot_id}/introduction", "/lots/{lot_id}/offer",
    "/lots/{lot_id}/offer/lines", "/lots/{lot_id}/offer/lines.csv", "/lots/{lot_id}/offer/lines/file",
    "/photos/{photo_id}",
}  # fmt: skip
"""The paths whose objects a stranger is meant to see, masked, as long as the lot is for sale."""
LINE = "Sabot 0"
"""A line's title in such a lot."""
OPERATORS = ("/operator", "/metrics")
"""Begins the paths that nobody but the operator may knock at."""
ENDLESS = ("/live",)
"""Ends the paths of streams, which the operator may open and nobody ends."""
ELSEWHERE = ("/webhooks/", "/static/", "/sign-out", "/money/onboarding", "/talks/live")
"""Begins the paths left to their own tests: no viewer, the end of the walk, a call to the payment service, an endless
stream of one's own company."""


@dataclass(frozen=True, slots=True)
class Door:
    method: str
    path: str

    @property
    def is_api(self) -> bool:
        return self.path.startswith("/api/")


def doors() -> Iterator[Door]:
    for route in _website().routes:
        if isinstance(route, HTTPRoute):
            for method in sorted(set(route.methods) - {"OPTIONS", "HEAD"}):
                yield Door(method, route.path_format)


DOORS = sorted(set(doors()), key=lambda door: (door.path, door.method))


@dataclass(frozen=True, slots=True)
class Strangers:
    """What belongs to others, by the name a path gives it, and the words that must never be read by a third party."""

    ids: dict[str, UUID]
    words: list[str]
    closed: dict[str, UUID]
    """A lot that is no longer for sale, and its photo."""

    def words_in(self, text: str) -> list[str]:
        return [word for word in self.words if re.search(rf"{re.escape(word)}(?!\d)", text)]

    def path(self, door: Door) -> str:
        """The door with their things in it. A name of an id that none of them has is a mistake of this test."""
        photos = {"photo_id": self.ids["deal_photo_id"]} if "/deals/" in door.path else {}
        return filled(door, self.ids | photos)


def filled(door: Door, ids: dict[str, UUID] | None) -> str:
    """The door's path with ``ids`` in it; None: with ids of nothing."""
    path = door.path
    for name in re.findall(r"{(\w+)}", door.path):
        random = ids is None or not name.endswith("_id")
        path = path.replace(f"{{{name}}}", "1" if name == "number" else str(uuid4() if random else (ids or {})[name]))
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
    talked, closed = await staged(), await staged()
    want_id = await wanting(stage.buyer)
    await ask(want_id, stage.buyer, talked)
    await withdraw_lot(lot_id=closed.lot_id, by=closed.seller.actor)
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
        "want_id": want_id,
        "request_id": await fetchval("select id from quote_request"),
        "introduction_id": await introduce(talked),
        "stock_list_id": await upload_stock_list(by=owner.actor, file_name="till.csv", content=b"title;quantity\n"),
        "photo_id": await photo(stage.lot_id),
        "deal_photo_id": await deal_photo(agreed),
        "paper_id": await paper(agreed),
        "leg_id": await fetchval("select id from release_leg where deal_id = $1", agreed.deal_id),
        "operation_id": uuid4(),  # these three are named by the operator's doors alone, and nobody has one
        "strike_id": uuid4(),
        "suspension_id": uuid4(),
    }
    people = (owner, stage.seller, stage.buyer, talked.seller, talked.buyer, agreed.seller, agreed.buyer)
    words = ["secret till", "invited@cormier.example", "Inès Invitée", make_siren(800_001)]
    for person in people:
        assert person.company
        words += [person.name, person.email, person.company.legal_name, person.company.registration]
    things = {name: UUID(str(found)) for name, found in ids.items()}
    return Strangers(things, words, {"lot_id": closed.lot_id, "photo_id": await photo(closed.lot_id)})


async def photo(lot_id: UUID) -> UUID:
    made = Photo(
        id=uuid4(), lot_id=lot_id, position=0, width=1, height=1, content=b"x", thumbnail=b"x", created_at=now()
    )
    await made.save()
    return made.id


async def deal_photo(agreed: Agreed) -> UUID:
    made = DealPhoto(
        id=uuid4(), deal_id=agreed.deal_id, lot_id=agreed.lot_id, side="seller", occasion="handover", draft=False,
        width=1, height=1, content=b"x", thumbnail=b"x", created_at=now(),
    )  # fmt: skip
    await made.save()
    return made.id


async def paper(agreed: Agreed) -> UUID:
    issuer = agreed.seller.actor.company_id
    await PaperSeries(issuer_id=issuer, begun_at=now()).save()
    made = Paper(
        id=uuid4(), deal_id=agreed.deal_id, lot_id=agreed.lot_id, kind="invoice", issuer_id=issuer, number=1,
        label="F-1", issued_on=now().date(), issued_at=now(), language="fr", currency="EUR", net_minor=1, vat_minor=0,
        pdf=b"x", xml=b"x",
    )  # fmt: skip
    await made.save()
    return made.id


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
            answer = await knock(client, door, filled(door, None), headers)
            sent = answer.status_code == 303 and answer.headers["location"].startswith("/sign-in")
            if answer.status_code != 401 if door.is_api else not sent:
                wrong.append(f"{door.method} {door.path}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("role", ["trader", "owner", "stopped owner", "unvetted owner", "operator"])
async def test_no_door_breaks_or_shows_a_strangers_things(client: httpx.AsyncClient, db: None, role: str) -> None:
    theirs = await strangers()
    if role == "operator":
        person = await make_person(role=Role.OPERATOR)
    else:
        vetting = {"unvetted owner": Vetting.AWAITING, "stopped owner": Vetting.STOPPED}.get(role, Vetting.VETTED)
        company = await make_company(vetting=vetting)
        person = await make_person(company, role=Role.TRADER if role == "trader" else Role.OWNER)
    token = await bearer(person)
    await sign_in(client, person)
    wrong: list[str] = []
    for door in sorted(DOORS, key=lambda door: (door.method, door.path)):  # what changes things comes last
        if door.path.startswith(ELSEWHERE) or (role == "operator" and door.path.endswith(ENDLESS)):
            continue
        answer = await knock(client, door, theirs.path(door), token if door.is_api else {})
        said = f"{door.method} {door.path}: {answer.status_code}"
        if answer.status_code >= 500 and answer.status_code != 503:  # the payment service is not there
            wrong.append(f"{said} breaks")
        if role == "operator":
            continue
        if found := theirs.words_in(answer.text):
            wrong.append(f"{said} tells {found}")
        if "_id}" in door.path and not door.path.startswith(PUBLISHED):
            is_open = door.path in OPEN_TO_MEMBERS and role in ("trader", "owner")
            if is_open:
                answer = await knock(client, door, filled(door, theirs.closed), token if door.is_api else {})
            absent = await knock(client, door, filled(door, None), token if door.is_api else {})
            if is_open and door.method == "POST":  # a form says that the lot has just closed
                if LINE in answer.text:
                    wrong.append(f"{said}: a closed lot's lines are shown")
            elif told(answer) != told(absent):
                wrong.append(f"{said}: a stranger's thing differs from nothing: {told(answer)}, {told(absent)}")
        if door.path.startswith(OPERATORS) and answer.status_code != 403:
            wrong.append(f"{said} is not the operator's alone")
    assert not wrong, "\n".join(wrong)


async def test_every_door_named_for_visitors_is_there_or_answers_as_nothing(
    client: httpx.AsyncClient, db: None
) -> None:
    for path in FOR_VISITORS - {"/webhooks/stripe", "/webhooks/stripe/connect", "/webhooks/stripe/v2"}:
        answer = await client.get(path.replace("{", "").replace("}", ""))
        assert answer.status_code < 500, path
