"""Real commits on many connections: what happens in the same instant has one clear outcome."""

import asyncio
from collections import Counter
from collections.abc import Awaitable
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import pytest

from exchange import clock
from exchange.database import engine, fetch, fetchval, transaction
from exchange.errors import DomainError
from exchange.offers import actions
from exchange.offers.queries.agreed import contract_seen_by
from tests.offers.stage import Stage, staged

pytestmark = pytest.mark.usefixtures("committed")
RIVALS = 200


async def _outcomes(*acts: Awaitable[object]) -> Counter[str]:
    """How often each act succeeded ("done") or met which refusal; anything else is a failure of the test."""
    results = await asyncio.gather(*acts, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, DomainError):
            raise result
    return Counter(type(r).__name__ if isinstance(r, DomainError) else "done" for r in results)


async def _crowd(stage: Stage, quantity: int) -> list[UUID]:
    crowd = [await stage.another_buyer() for _ in range(RIVALS)]
    return [await stage.offer(quantity=quantity, by=buyer) for buyer in crowd]


async def test_two_hundred_acceptances_of_the_last_unit_make_one_agreement() -> None:
    stage = await staged(units=1)
    open_talks = await _crowd(stage, 1)
    outcomes = await _outcomes(*(stage.accept(talk, quantity=1) for talk in open_talks))
    assert outcomes == {"done": 1, "NoLongerAvailable": RIVALS - 1}
    states = Counter(r["state"] for r in await fetch("select state from negotiation"))
    assert states == {"agreed": 1, "unavailable": RIVALS - 1}
    assert await stage.left() == 0
    assert await fetchval("select count(*) from pgqueuer where entrypoint = 'negotiation.agreed'") == 1


async def test_two_hundred_buyers_accept_counters_on_fifty_units_and_none_is_sold_twice() -> None:
    stage = await staged(units=50)
    open_talks = await _crowd(stage, 1)
    for talk in open_talks:
        await stage.counter(talk, "9", 1)
    outcomes = await _outcomes(*(stage.accept(t, "9", 1, by=b) for t, b in zip(open_talks, stage.buyers, strict=True)))
    assert outcomes == {"done": 50, "NoLongerAvailable": RIVALS - 50}
    assert await fetchval("select reserved from lot") == 50
    assert await fetchval("select sum(quantity) from reservation where state = 'held'") == 50
    assert await fetchval("select sum(reserved) from manifest_line") == 50


async def test_offers_pouring_in_while_the_last_unit_goes_meet_a_clear_refusal() -> None:
    stage = await staged(units=1)
    first = await stage.offer(quantity=1)
    crowd = [await stage.another_buyer() for _ in range(40)]
    outcomes = await _outcomes(
        *(stage.offer(quantity=1, by=b) for b in crowd[:20]),
        stage.accept(first, quantity=1),
        *(stage.offer(quantity=1, by=b) for b in crowd[20:]),
    )
    assert set(outcomes) <= {"done", "NothingLeft", "LotClosed"}
    live = await fetchval("select count(*) from negotiation where state = 'live'")
    assert (live, await stage.state(first)) == (0, "agreed"), "no offer stays open on a lot that is gone"


@pytest.mark.parametrize("seconds", range(6))
async def test_acceptance_and_withdrawal_in_one_instant_have_one_outcome(seconds: int) -> None:
    stage = await staged(units=1)
    talk = await stage.offer(quantity=1)
    acts = [stage.accept(talk, quantity=1), stage.withdraw(talk)]
    outcomes = await _outcomes(*(acts if seconds % 2 else reversed(acts)))
    state = await stage.state(talk)
    assert outcomes["done"] == 1
    assert outcomes == {"done": 1, "AlreadyAgreed" if state == "agreed" else "OfferWithdrawn": 1}
    assert await stage.left() == (0 if state == "agreed" else 1)


@pytest.mark.parametrize("late", [False, True])
async def test_acceptance_beside_the_expiry_job_is_decided_by_the_clock(late: bool) -> None:
    with clock.frozen(datetime(2026, 11, 26, 10, tzinfo=UTC)):
        stage = await staged(units=1)
        talk = await stage.offer(quantity=1)
        due = await fetchval("select deadline from negotiation where id = $1", talk)
    at = due if late else due.replace(microsecond=0) - (due.resolution)
    with clock.frozen(at):
        outcomes = await _outcomes(stage.accept(talk, quantity=1), actions.expire_overdue())
    assert outcomes["OfferExpired"] == (1 if late else 0)
    assert await stage.state(talk) == ("expired" if late else "agreed")


async def test_two_colleagues_who_act_at_once_make_one_move() -> None:
    stage = await staged()
    outcomes = await _outcomes(*(stage.offer("8") for _ in range(10)))
    assert outcomes == {"done": 1, "NotYourTurn": 9}
    assert await fetchval("select count(*) from offer") == 1


async def test_a_counter_and_an_acceptance_of_what_it_replaces_cannot_both_stand() -> None:
    stage = await staged()
    talk = await stage.offer()
    outcomes = await _outcomes(stage.counter(talk, "9"), stage.accept(talk), stage.refuse(talk))
    assert outcomes["done"] == 1
    assert set(outcomes) <= {"done", "NotYourTurn", "AlreadyAgreed", "OfferRefused"}


async def test_a_refused_message_leaves_no_talk_behind() -> None:
    stage = await staged()
    with pytest.raises(DomainError):
        await stage.offer(message="appelez-moi")
    assert await fetchval("select count(*) from negotiation") + await fetchval("select count(*) from lot_copy") == 0


async def test_an_acceptance_cut_off_before_its_commit_leaves_nothing_and_can_be_repeated(database_url: str) -> None:
    stage = await staged()
    talk = await stage.offer()

    async def cut_off() -> None:
        async with transaction():
            await stage.accept(talk)
            other = await asyncpg.connect(database_url)
            pid = await fetchval("select pg_backend_pid()")
            assert await other.fetchval("select pg_terminate_backend($1, 5000)", pid), "gone before the commit"
            await other.close()

    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
        await asyncio.create_task(cut_off())
    assert (await stage.state(talk), await stage.left()) == ("live", 100)
    assert await fetchval("select count(*) from pgqueuer where entrypoint = 'negotiation.agreed'") == 0
    await stage.accept(talk)
    assert await stage.state(talk) == "agreed"


async def test_a_note_and_an_assignment_wake_no_page_of_the_other_side() -> None:
    stage = await staged()
    talk = await stage.offer()
    heard: list[str] = []
    ear = await asyncpg.connect(**engine().config)
    try:
        await ear.add_listener(f"talk_{talk.hex}", lambda *event: heard.append(str(event[3])))
        await actions.write_note(negotiation_id=talk, text="Plancher à 8,20", by=stage.seller.actor)
        await actions.assign_talk(negotiation_id=talk, person_id=stage.seller.id, by=stage.seller.actor)
        await actions.refuse_offer(negotiation_id=talk, by=stage.seller.actor)
        while not heard:
            await asyncio.sleep(0.01)
    finally:
        await ear.close()
    assert [fact.split()[0] for fact in heard] == ["offer.refused"]


async def test_an_agreement_that_commits_has_its_contract() -> None:
    stage = await staged()
    talk = await stage.offer()
    await stage.accept(talk)
    assert (await contract_seen_by(stage.buyer.actor, talk)).quantity == 100
