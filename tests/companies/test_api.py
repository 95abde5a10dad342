"""Who a token acts for."""

import httpx

from exchange.actor import Role
from tests.factories import bearer, make_person


async def test_a_token_knows_its_person_and_company(client: httpx.AsyncClient, db: None) -> None:
    person = await make_person(role=Role.OWNER)
    assert person.company
    headers = await bearer(person)
    me = (await client.get("/api/v1/me", headers=headers)).json()
    assert (me["id"], me["role"], me["company_id"]) == (str(person.id), "owner", str(person.company.id))
    own = (await client.get("/api/v1/company", headers=headers)).json()
    assert own["registration"] == person.company.registration
    assert own["working_hours"]["days"] == [0, 1, 2, 3, 4, 5, 6]


async def test_the_operator_has_no_company_and_a_visitor_no_answer(client: httpx.AsyncClient, db: None) -> None:
    headers = await bearer(await make_person(role=Role.OPERATOR))
    assert (await client.get("/api/v1/me", headers=headers)).json()["company_id"] is None
    refused = await client.get("/api/v1/company", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "traders_only")
    for path in ("/api/v1/me", "/api/v1/company"):
        assert (await client.get(path)).status_code == 401
        assert (await client.get(path, headers={"Authorization": "Bearer cfr_nonsense"})).status_code == 401


async def test_a_session_cookie_opens_no_api_door(client: httpx.AsyncClient, db: None) -> None:
    from tests.factories import sign_in

    await sign_in(client, await make_person())
    assert (await client.get("/api/v1/me")).status_code == 401
