"""The doors of talks for programs."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.factories import MadePerson, bearer, make_company, make_person
from tests.offers.stage import Stage, staged

pytestmark = pytest.mark.usefixtures("db")
AT = "/api/v1/negotiations"


def _move(price: int = 850, quantity: int = 40, **more: Any) -> dict[str, Any]:
    return {"unit_price_minor": price, "currency": "EUR", "quantity": quantity, "incoterm": "FCA"} | more


async def _open(client: httpx.AsyncClient, stage: Stage, **more: Any) -> dict[str, Any]:
    answer = await client.post(AT, json=_move(lot_id=str(stage.lot_id)) | more, headers=await bearer(stage.buyer))
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def _post(
    client: httpx.AsyncClient, who: MadePerson, talk: str, noun: str, body: dict[str, Any]
) -> httpx.Response:
    return await client.post(f"{AT}/{talk}/{noun}", json=body, headers=await bearer(who))


async def test_an_offer_a_counter_and_an_acceptance(client: httpx.AsyncClient) -> None:
    stage = await staged()
    talk = await _open(client, stage)
    assert (talk["state"], talk["awaits"], talk["role"], talk["moves_left"]) == ("live", "them", "buyer", 5)
    assert talk["offers"][0]["total_minor"] == 34_000
    countered = await _post(client, stage.seller, talk["id"], "offers", _move(900, below_cost="end_of_season", seen=1))
    assert countered.status_code == 201, countered.text
    body = {"unit_price_minor": 900, "currency": "EUR", "quantity": 40}
    assert (await _post(client, stage.buyer, talk["id"], "acceptance", body | {"seen": 1})).status_code == 409
    agreed = await _post(client, stage.buyer, talk["id"], "acceptance", body | {"seen": 2})
    assert agreed.status_code == 201
    assert stage.seller.company
    assert agreed.json()["other"] == stage.seller.company.trading_name
    assert await stage.left() == 60
    listed = (await client.get(AT, headers=await bearer(stage.seller))).json()
    assert [(r["id"], r["state"], r["role"]) for r in listed["items"]] == [(talk["id"], "agreed", "seller")]
    assert listed["counts"] == {"me": 0, "them": 0, "nobody": 1}


async def test_before_agreement_neither_side_learns_a_name(client: httpx.AsyncClient) -> None:
    stage = await staged()
    talk = await _open(client, stage)
    for side, other in ((stage.buyer, stage.seller), (stage.seller, stage.buyer)):
        for path in (f"{AT}/{talk['id']}", AT):
            text = (await client.get(path, headers=await bearer(side))).text
            assert other.company
            for name in (other.name, other.company.trading_name, str(other.company.id), str(other.id)):
                assert name not in text


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"unit_price_minor": 899, "currency": "EUR", "quantity": 40}, "offer_changed"),
        ({"unit_price_minor": 850, "currency": "EUR", "quantity": 39}, "offer_changed"),
        ({"unit_price_minor": 850, "currency": "EUR", "quantity": 40}, "cost_unanswered"),
        ({"unit_price_minor": 850, "currency": "ZZZ", "quantity": 40}, "unknown_currency"),
    ],
)
async def test_a_refusal_is_a_problem_document(client: httpx.AsyncClient, body: dict[str, Any], code: str) -> None:
    stage = await staged()
    talk = await _open(client, stage)
    answer = await _post(client, stage.seller, talk["id"], "acceptance", body)
    assert answer.status_code in (409, 422)
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json()["code"] == code
    assert await stage.state(talk["id"]) == "live"


@pytest.mark.parametrize(
    "wrong", [{"quantity": 0}, {"unit_price_minor": -5}, {"unit_price_minor": "ten"}, {"currency": "euro"}, {"more": 1}]
)
async def test_rubbish_is_refused_before_anything_happens(client: httpx.AsyncClient, wrong: dict[str, Any]) -> None:
    stage = await staged()
    answer = await client.post(AT, json=_move(lot_id=str(stage.lot_id)) | wrong, headers=await bearer(stage.buyer))
    assert answer.status_code in (400, 422)


async def test_refusal_and_withdrawal(client: httpx.AsyncClient) -> None:
    stage = await staged()
    talk = await _open(client, stage)
    assert (await _post(client, stage.buyer, talk["id"], "refusal", {})).json()["code"] == "not_your_turn"
    assert (await _post(client, stage.seller, talk["id"], "withdrawal", {})).json()["code"] == "not_your_offer"
    assert (await _post(client, stage.buyer, talk["id"], "withdrawal", {"seen": 1})).json()["state"] == "withdrawn"
    again = await client.post(AT, json=_move(870, lot_id=str(stage.lot_id)), headers=await bearer(stage.buyer))
    assert again.json()["id"] == talk["id"]
    assert (await _post(client, stage.seller, talk["id"], "refusal", {"seen": 2})).json()["state"] == "refused"


async def test_a_repeated_request_with_one_key_makes_one_offer(client: httpx.AsyncClient) -> None:
    stage = await staged()
    headers = await bearer(stage.buyer) | {"Idempotency-Key": str(uuid4())}
    answers = [await client.post(AT, json=_move(lot_id=str(stage.lot_id)), headers=headers) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert len(answers[1].json()["offers"]) == 1


async def test_a_stranger_and_a_newcomer_see_nothing(client: httpx.AsyncClient) -> None:
    stage = await staged()
    talk = await _open(client, stage)
    stranger = await bearer(await make_person())
    assert (await client.get(f"{AT}/{talk['id']}", headers=stranger)).status_code == 404
    for noun, body in (("offers", _move()), ("acceptance", _move() | {}), ("refusal", {}), ("withdrawal", {})):
        body.pop("incoterm", None) if noun == "acceptance" else None
        assert (await client.post(f"{AT}/{talk['id']}/{noun}", json=body, headers=stranger)).status_code == 404
    assert (await client.get(AT)).status_code == 401
    from exchange.companies.rules import Vetting

    newcomer = await bearer(await make_person(await make_company(vetting=Vetting.AWAITING)))
    assert (await client.get(AT, headers=newcomer)).status_code == 403
