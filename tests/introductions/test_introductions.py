"""The respectful first contact: five parts, working hours, limits that link nothing, answers, and both doors."""

import re
from dataclasses import asdict, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from exchange import clock
from exchange.clock import now
from exchange.companies.rules import WorkingHours
from exchange.companies.tables import CompanyBlock
from exchange.database import execute, fetch, fetchval
from exchange.errors import NotSeen, Several
from exchange.introductions import actions, rules
from exchange.introductions.queries import introduction_seen_by, introductions_of
from exchange.introductions.rules import Answer, Parts, State
from tests.factories import bearer, make_company, make_person, sign_in
from tests.offers.stage import Stage, staged

pytestmark = pytest.mark.usefixtures("db")
PARTS = Parts(
    "A garden shop in the west.",
    "We sell clogs all year round.",
    "I saw your lot on the market.",
    "We could take each end of season.",
    "On weekday mornings, through this page.",
)


async def introduce(stage: Stage, **more: Any) -> UUID:
    given: dict[str, Any] = {"lot_id": stage.lot_id, "parts": PARTS, "gives_name": False, "by": stage.buyer.actor}
    return await actions.introduce(**given | more)


def notices(page: str) -> list[str]:
    return re.findall(r'<div class="notice.*?</div></div>', page, re.DOTALL)


async def test_it_arrives_in_the_recipients_hours() -> None:
    saturday = datetime(2026, 11, 28, 12, tzinfo=UTC)
    with clock.frozen(saturday):
        stage = await staged(seller=await make_company(hours=WorkingHours(opens=time(9), closes=time(16))))
        sent = await introduce(stage)
        with pytest.raises(NotSeen):
            await introduction_seen_by(stage.seller.actor, sent)
        assert await introductions_of(stage.seller.actor, "en") == []
    for minute, seen in ((59, 0), (60, 1)):
        with clock.frozen(datetime(2026, 11, 30, 7, tzinfo=UTC) + timedelta(minutes=minute)):
            assert len(await introductions_of(stage.seller.actor, "en")) == seen


async def test_no_door_tells_the_sender_when_the_seller_opens_or_two_lots_could_be_linked(
    client: httpx.AsyncClient,
) -> None:
    early = WorkingHours(opens=time(7, 10), closes=time(11, 50), days=frozenset({2, 3, 4}))
    with clock.frozen(datetime(2026, 11, 28, 12, tzinfo=UTC)):
        told = []
        for hours in (early, WorkingHours(opens=time(9), closes=time(16))):
            stage = await staged(seller=await make_company(hours=hours))
            await sign_in(client, stage.buyer)
            form = (await client.get(f"/lots/{stage.lot_id}/introduction")).text
            at = (await client.post(f"/lots/{stage.lot_id}/introduction", data=asdict(PARTS))).headers["location"]
            shown = (await client.get(at)).text
            sent = (await client.get(f"/api/v1{at}", headers=await bearer(stage.buyer))).json()
            assert sent["closes_at"] is None
            told.append((notices(form), notices(shown)))
    assert told[0] == told[1]
    assert all(told[0])


async def test_names_are_seen_by_both_once_accepted_and_by_nobody_before() -> None:
    stage = await staged()
    assert stage.buyer.company
    assert stage.seller.company
    sent = await introduce(stage)
    for side in (stage.buyer, stage.seller):
        assert not (await introduction_seen_by(side.actor, sent)).other_named
    await actions.answer(introduction_id=sent, answer=Answer.ACCEPT, by=stage.seller.actor)
    assert (await introduction_seen_by(stage.buyer.actor, sent)).other == stage.seller.company.trading_name
    assert (await introduction_seen_by(stage.seller.actor, sent)).other == stage.buyer.company.trading_name


async def test_a_sender_who_gives_the_name_shows_it_and_still_no_telephone_number() -> None:
    stage = await staged()
    assert stage.buyer.company
    named = replace(PARTS, who_i_am=f"We are {stage.buyer.company.trading_name} in the west.")
    with pytest.raises(Several):
        await introduce(stage, parts=named)
    with pytest.raises(Several):
        await introduce(stage, parts=replace(PARTS, when_to_reach_me="call me on 06 12 34 56 78"), gives_name=True)
    sent = await introduce(stage, parts=named, gives_name=True)
    assert (await introduction_seen_by(stage.seller.actor, sent)).other == stage.buyer.company.trading_name
    assert not (await introduction_seen_by(stage.buyer.actor, sent)).other_named


async def test_no_refusal_picks_the_recipient_out_of_a_list_of_suspects() -> None:
    stage = await staged(seller=await make_company(legal_name="Sabots Réunis SARL"))
    suspects = replace(PARTS, who_i_am="We deal with Dupont Sport, Sabots Réunis and Intersport.")
    await introduce(stage, parts=suspects)


async def test_one_pending_and_thirty_days_of_rest_after_a_refusal() -> None:
    stage = await staged()
    sent = await introduce(stage)
    with pytest.raises(rules.StillPending):
        await introduce(stage)
    await actions.answer(introduction_id=sent, answer=Answer.DECLINE, by=stage.seller.actor)
    with pytest.raises(rules.TooSoon):
        await introduce(stage)
    with pytest.raises(rules.AlreadyAnswered):
        await actions.answer(introduction_id=sent, answer=Answer.ACCEPT, by=stage.seller.actor)
    with clock.frozen(now() + timedelta(days=31)):
        await introduce(stage)


async def test_what_is_held_looks_to_the_sender_like_any_other_so_that_two_lots_stay_unlinked() -> None:
    first = await staged()
    assert first.seller.company
    second = await staged(seller=first.seller.company)
    await introduce(first)
    held = await introduce(second, by=first.buyer.actor)
    seen = await introduction_seen_by(first.buyer.actor, held)
    assert seen.state is State.SENT
    assert len(await introductions_of(first.seller.actor, "en")) == 1
    with pytest.raises(NotSeen):
        await introduction_seen_by(first.seller.actor, held)
    assert await fetchval("select count(*) from pgqueuer where entrypoint = 'introduction.sent'") == 1


async def test_a_block_reads_like_a_refusal_and_lasts() -> None:
    first = await staged()
    assert first.seller.company
    sent = await introduce(first)
    await actions.answer(introduction_id=sent, answer=Answer.BLOCK, by=first.seller.actor)
    assert (await introduction_seen_by(first.buyer.actor, sent)).state is State.DECLINED
    second = await staged(seller=first.seller.company)
    with clock.frozen(now() + timedelta(days=59)):
        await introduce(second, by=first.buyer.actor)
        assert len(await introductions_of(first.seller.actor, "en")) == 1


async def test_twenty_a_month_at_most() -> None:
    stage = await staged()
    for _ in range(rules.PER_MONTH):
        await introduce(await staged(), by=stage.buyer.actor)
    with pytest.raises(rules.MonthlyLimit):
        await introduce(stage)


async def test_an_unanswered_one_closes_quietly() -> None:
    stage = await staged()
    sent = await introduce(stage)
    with clock.frozen(now() + timedelta(days=40)):
        assert (await introduction_seen_by(stage.buyer.actor, sent)).state is State.CLOSED
        with pytest.raises(rules.AlreadyAnswered):
            await actions.answer(introduction_id=sent, answer=Answer.ACCEPT, by=stage.seller.actor)


async def test_who_may_not() -> None:
    stage = await staged()
    assert stage.seller.company
    assert stage.buyer.company
    with pytest.raises(rules.NotToOneself):
        await introduce(stage, by=stage.seller.actor)
    sent = await introduce(stage)
    with pytest.raises(NotSeen):
        await actions.answer(introduction_id=sent, answer=Answer.ACCEPT, by=stage.buyer.actor)
    await CompanyBlock(id=uuid4(), company_id=stage.seller.company.id, rival_id=stage.buyer.company.id).save()
    with pytest.raises(NotSeen):
        await introduce(stage)


@pytest.mark.parametrize(
    "barring", ["vetting = 'stopped'", "legal_group_id = (select legal_group_id from company where id = $2)"]
)
async def test_no_names_are_exchanged_with_who_was_stopped_or_merged_meanwhile(barring: str) -> None:
    stage = await staged()
    sent = await introduce(stage)
    await execute(f"update company set {barring} where id = $1 and $2::uuid is not null",  # noqa: S608
                  stage.buyer.actor.company_id, stage.seller.actor.company_id)  # fmt: skip
    with pytest.raises(rules.AlreadyAnswered):
        await actions.answer(introduction_id=sent, answer=Answer.ACCEPT, by=stage.seller.actor)
    seen = await introduction_seen_by(stage.seller.actor, sent)
    assert (seen.state, seen.other_named) == (State.CLOSED, False)
    assert (await introduction_seen_by(stage.buyer.actor, sent)).state is State.SENT, "and the other learns nothing"
    await actions.tell_recipient(introduction_id=sent)
    assert await fetchval("select count(*) from mail where person_id = $1", stage.seller.id) == 0


async def test_the_two_mails_name_nobody_before_agreement() -> None:
    stage = await staged()
    sent = await introduce(stage)
    await actions.tell_recipient(introduction_id=sent)
    await actions.answer(introduction_id=sent, answer=Answer.DECLINE, by=stage.seller.actor)
    await actions.tell_sender(introduction_id=sent)
    mails = await fetch("select person_id, text from mail order by created_at")
    assert {m["person_id"] for m in mails} == {stage.seller.id, stage.buyer.id}
    assert stage.buyer.company
    assert stage.buyer.company.trading_name not in mails[0]["text"]


async def test_the_pages(client: httpx.AsyncClient) -> None:
    stage = await staged()
    await sign_in(client, stage.buyer)
    assert (await client.get(f"/lots/{stage.lot_id}/introduction")).status_code == 200
    refused = await client.post(f"/lots/{stage.lot_id}/introduction", data=asdict(PARTS) | {"my_idea": "no"})
    assert refused.status_code == 422
    assert "We sell clogs all year round." in refused.text
    sent = await client.post(f"/lots/{stage.lot_id}/introduction", data=asdict(PARTS))
    assert sent.status_code == 303
    where = sent.headers["location"]
    assert (await client.get(where)).status_code == 200
    again = await client.post(f"/lots/{stage.lot_id}/introduction", data=asdict(PARTS))
    assert again.status_code == 409
    await sign_in(client, stage.seller)
    page = await client.get(where)
    assert stage.buyer.company
    assert stage.buyer.company.trading_name not in page.text
    assert (await client.post(f"{where}/answer", data={"answer": "accepted"})).status_code == 303
    assert stage.buyer.company.trading_name in (await client.get(where)).text
    assert (await client.post(f"{where}/answer", data={"answer": "accepted"})).status_code == 409
    await sign_in(client, await make_person(language="fr"))
    assert (await client.get(where)).status_code == 404
    assert (await client.get("/introductions")).status_code == 200


async def test_the_api(client: httpx.AsyncClient) -> None:
    stage = await staged()
    mine, theirs = await bearer(stage.buyer), await bearer(stage.seller)
    body = asdict(PARTS) | {"lot_id": str(stage.lot_id)}
    sent = await client.post("/api/v1/introductions", json=body, headers=mine)
    assert (sent.status_code, sent.json()["direction"]) == (201, "sent")
    assert (await client.post("/api/v1/introductions", json=body, headers=mine)).json()["code"] == "still_pending"
    at = f"/api/v1/introductions/{sent.json()['id']}"
    assert (await client.get("/api/v1/introductions", headers=theirs)).json()["items"][0]["direction"] == "received"
    stranger = await bearer(await make_person())
    assert (await client.get(at, headers=stranger)).status_code == 404
    answered = await client.post(f"{at}/answer", json={"answer": "declined"}, headers=theirs)
    assert answered.json()["state"] == "declined"
