"""You cannot load what you may not see: every route, every role, a stranger's objects.

For each route with an id in its address the answer about somebody else's object is, to the last byte, the answer about
an object that does not exist. A new route is walked by itself; a new kind of id fails the test until it has an object.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import httpx
import pytest
from litestar.routes import HTTPRoute

from exchange.accounts.actions.sessions import open_session
from exchange.accounts.actions.tokens import issue_token
from exchange.actor import Actor, Role
from exchange.app import create_app
from exchange.companies.actions.members import invite
from exchange.companies.actions.rivals import hide_from
from exchange.companies.rules import Vetting
from exchange.database import fetchrow, fetchval
from exchange.listings.actions.blocks import hide_lot
from exchange.listings.actions.stock_lists import upload_stock_list
from tests.factories import MadePerson, bearer, make_company, make_lot, make_person, sign_in, sign_out
from tests.settlement.conftest import agree

OPEN_TO_ALL = {"secret", "period", "node", "rest", "path", "file_path", "chart"}
"""Parameters that are no object's id: one-time secrets, published figures, addresses."""
REFUSED = {400, 401, 403, 404, 405, 409, 415, 422}


@dataclass(frozen=True)
class Door:
    """One route and method."""

    method: str
    path: str
    parameters: frozenset[str]

    def at(self, ids: dict[str, UUID]) -> str:
        return self.path.format(**{name: ids.get(name, "x") for name in self.parameters})


def doors() -> Iterator[Door]:
    """Every door of the website that names an object."""
    for route in create_app().routes:
        if isinstance(route, HTTPRoute):
            parameters = frozenset(route.path_parameters) - OPEN_TO_ALL
            for method in sorted(set(route.methods) - {"OPTIONS", "HEAD"}):
                if parameters:
                    yield Door(method, route.path_format, frozenset(route.path_parameters))


@pytest.fixture
async def theirs(committed: None) -> dict[str, UUID]:
    """One object of every kind, none of them the walker's, each private or hidden from him."""
    agreed = await agree()
    owner = agreed.seller
    assert owner.company is not None
    company_id = owner.company.id
    await open_session(owner.id, address="127.0.0.1", agent="test")
    await issue_token(by=owner.actor, label="theirs")
    await invite(by=owner.actor, email="colleague@example.org", name="Colleague", role="trader")
    await hide_from(by=owner.actor, rival=(await make_company()).registration, country="FR")
    ids = {
        "lot_id": agreed.lot_id,
        "talk_id": agreed.negotiation_id,
        "negotiation_id": agreed.negotiation_id,
        "deal_id": agreed.deal_id,
        "person_id": owner.id,
        "company_id": company_id,
        "session_id": await fetchval("select id from session where person_id = $1", owner.id),
        "token_id": await fetchval("select id from api_token where person_id = $1", owner.id),
        "invitation_id": await fetchval("select id from invitation where company_id = $1", company_id),
        "rival_id": await fetchval("select id from named_rival where company_id = $1", company_id),
        "stock_list_id": await upload_stock_list(by=owner.actor, file_name="stock.csv", content=b"title;qty\npan;3\n"),
    }
    assert all(ids.values()), ids
    return ids


async def owner_of(lot_id: UUID) -> Actor:
    """Who may hide the lot."""
    row = await fetchrow("select person_id, company_id from lot where id = $1", lot_id)
    assert row is not None
    return Actor(row["person_id"], row["company_id"], Role.OWNER)


async def walkers() -> list[tuple[str, MadePerson | None]]:
    """Everybody who has no business with those objects."""
    unvetted = await make_company(vetting=Vetting.AWAITING)
    return [
        ("a visitor", None),
        ("a rival's owner", await make_person(role=Role.OWNER)),
        ("somebody of a company not vetted yet", await make_person(unvetted, role=Role.OWNER)),
    ]


def plain(answer: httpx.Response, ids: dict[str, UUID]) -> tuple[int, str]:
    """Status and body without the ids asked for and without the form's token, which change anyhow."""
    body = answer.text
    for value in ids.values():
        body = body.replace(str(value), "…")
    body = re.sub(r'name="_csrf_token" value="[^"]*"', "", body)
    location = answer.headers.get("location", "")
    for value in ids.values():
        location = location.replace(str(value), "…")
    return answer.status_code, f"{location}\n{body}"


async def test_no_door_tells_a_strangers_object_from_none(client: httpx.AsyncClient, theirs: dict[str, UUID]) -> None:
    walked = 0
    owner = await owner_of(theirs["lot_id"])
    for who, person in await walkers():
        headers = await bearer(person) if person else {}
        if person is not None:
            await sign_in(client, person)
            assert person.company is not None
            await hide_lot(by=owner, lot_id=theirs["lot_id"], written=person.company.registration)
        else:
            await sign_out(client)
        for door in doors():
            missing = door.parameters - OPEN_TO_ALL - theirs.keys()
            assert not missing, f"{door.path}: put an object for {missing} into this test"
            nothing = {name: uuid4() for name in theirs}
            api = door.path.startswith("/api/")
            answers = [
                plain(
                    await client.request(
                        door.method,
                        door.at(ids),
                        headers=headers if api else {},
                        **({"json": {}} if api and door.method != "GET" else {}),  # type: ignore[arg-type]
                    ),
                    ids,
                )
                for ids in (theirs, nothing)
            ]
            status, told = answers[0]
            turned_away = status in REFUSED or (status == 303 and told.startswith("/sign-in"))
            assert turned_away, f"{who} got {status} from {door.method} {door.path}: {told[:300]}"
            assert answers[0] == answers[1], f"{who} can tell at {door.method} {door.path}:\n{answers[0]}\n{answers[1]}"
            walked += 1
    assert walked > 100


async def test_a_lot_hidden_from_a_rival_is_no_lot_to_him(client: httpx.AsyncClient, committed: None) -> None:
    rival = await make_person(role=Role.OWNER)
    assert rival.company is not None
    seller = await make_person(role=Role.OWNER)
    hidden = await make_lot(seller, title="Hidden from one rival", hidden_from=[rival.company.registration])
    other = await make_person()
    await sign_in(client, rival)
    assert (await client.get(f"/lots/{hidden.id}")).status_code == 404
    assert (await client.get(f"/lots/{hidden.id}/offer")).status_code == 404
    assert "Hidden from one rival" not in (await client.get("/lots")).text
    assert "Hidden from one rival" not in (await client.get("/lots", params={"q": "hidden"})).text
    await sign_in(client, other)
    assert (await client.get(f"/lots/{hidden.id}")).status_code == 200
    assert "Hidden from one rival" in (await client.get("/lots")).text
