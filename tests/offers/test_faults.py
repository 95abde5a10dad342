"""What goes wrong between people, clocks and machines: each has one clear outcome.

Races are real: both sides stand before the lot's locked row, on connections of their own, before it is let go.
"""

import asyncio
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from exchange import clock
from exchange.companies.rules.hours import WorkingHours, _public_holidays
from exchange.database import close_pool, fetch, fetchval, open_pool
from exchange.embedded import POSTGRES_BIN_PATH, EmbeddedServer
from exchange.errors import DomainError
from exchange.listings.actions.lots import change_lot, withdraw_lot
from exchange.listings.rules.lots import Incoterm, Packing, Terms
from exchange.offers import actions
from exchange.offers.queries.talks import negotiation_seen_by
from tests.browser.people import pointed_at
from tests.factories import make_company, make_person, sign_in
from tests.offers.stage import Stage, euros, offer_row, staged

OFFICE = WorkingHours(opens=time(9), closes=time(16))  # Paris
THURSDAY = datetime(2026, 11, 26, 10, tzinfo=UTC)
FORM = {"price": "8.50", "quantity": "40", "incoterm": "FCA", "message": "Collected next week"}
ACCEPTANCE = {"price": "8.00", "quantity": "100", "cost": "end_of_season", "seen": "1"}


async def _at(instant: datetime, act: Callable[[], Awaitable[object]]) -> object:
    with clock.frozen(instant):
        return await act()


class Queue:
    """Acts that wait, in this order, for one lot's row, which another connection holds."""

    def __init__(self, held: asyncpg.Connection) -> None:
        self.held = held
        self.tasks: list[asyncio.Task[object]] = []

    async def join(self, act: Coroutine[Any, Any, object]) -> int:
        """Let ``act`` run until it stands before the row. Returns the process id of its connection."""
        before = await self._waiting()
        self.tasks.append(asyncio.create_task(act))
        async with asyncio.timeout(20):
            while not (new := await self._waiting() - before):
                assert not self.tasks[-1].done(), "it did not wait for the lot's row"
                await asyncio.sleep(0.01)
        return new.pop()

    async def go(self) -> list[str]:
        """Let the row go; "done" or the refusal's name for each act. Anything else is a failure of the test."""
        await self.held.close()
        told = await asyncio.gather(*self.tasks, return_exceptions=True)
        for result in told:
            if isinstance(result, BaseException) and not isinstance(result, DomainError):
                raise result
        return [type(r).__name__ if isinstance(r, DomainError) else "done" for r in told]

    async def _waiting(self) -> set[int]:
        rows = await self.held.fetch(  # unlike pg_stat_activity, this view is read anew inside a transaction
            "select w.pid from pg_locks w where not w.granted and exists (select from pg_locks r "
            "join pg_database d on d.oid = r.database where r.pid = w.pid and d.datname = current_database())"
        )
        return {r["pid"] for r in rows}


@asynccontextmanager
async def before_the_lot(database_url: str, stage: Stage) -> AsyncIterator[Queue]:
    held = await asyncpg.connect(database_url)
    await held.execute("begin")
    await held.execute("select from lot where id = $1 for no key update", stage.lot_id)
    queue = Queue(held)
    try:
        yield queue
    finally:  # whatever failed: nobody waits for ever
        await held.close()
        await asyncio.gather(*queue.tasks, return_exceptions=True)


async def agreements() -> int:
    return int(await fetchval("select count(*) from pgqueuer where entrypoint = 'negotiation.agreed'"))


# --- the same instant -----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("committed")
class TestSameInstant:
    @pytest.mark.parametrize("first", ["acceptance", "withdrawal"])
    async def test_an_acceptance_and_the_withdrawal(self, database_url: str, first: str) -> None:
        stage = await staged()
        talk = await stage.offer()
        async with before_the_lot(database_url, stage) as queue:
            for act in (stage.accept, stage.withdraw) if first == "acceptance" else (stage.withdraw, stage.accept):
                await queue.join(act(talk))
            accepted = first == "acceptance"
            assert await queue.go() == ["done", "AlreadyAgreed" if accepted else "OfferWithdrawn"]
            assert await stage.state(talk) == ("agreed" if accepted else "withdrawn")
            assert (await stage.left(), await agreements()) == ((0, 1) if accepted else (100, 0))

    @pytest.mark.parametrize("first", ["acceptance", "clock"])
    async def test_an_acceptance_in_the_last_moment_and_the_expiry_job(self, database_url: str, first: str) -> None:
        stage = await staged()
        talk = await stage.offer()
        due = await fetchval("select deadline from negotiation where id = $1", talk)
        async with before_the_lot(database_url, stage) as queue:
            acts = [_at(due - due.resolution, lambda: stage.accept(talk)), _at(due, actions.expire_overdue)]
            for act in acts if first == "acceptance" else reversed(acts):
                await queue.join(act)
            told = await queue.go()
            if first == "acceptance":
                assert (told, await stage.state(talk)) == (["done", "done"], "agreed")
                assert queue.tasks[1].result() == 0, "the job expired nothing"
            else:
                assert (told, await stage.state(talk)) == (["done", "OfferExpired"], "expired")
                assert queue.tasks[0].result() == 1
            assert await stage.left() == (0 if first == "acceptance" else 100)
            assert await agreements() == (1 if first == "acceptance" else 0)

    @pytest.mark.parametrize(
        ("first", "second", "told", "state"),
        [
            ("accept", "refuse", "AlreadyAgreed", "agreed"),
            ("refuse", "accept", "OfferRefused", "refused"),
            ("accept", "counter", "AlreadyAgreed", "agreed"),
            ("counter", "accept", "NotYourTurn", "live"),
            ("accept", "accept", "AlreadyAgreed", "agreed"),
            ("refuse", "refuse", "OfferRefused", "refused"),
        ],
    )
    async def test_two_colleagues(self, database_url: str, first: str, second: str, told: str, state: str) -> None:
        stage = await staged()
        talk, colleague = await stage.offer(), await make_person(stage.seller.company)
        async with before_the_lot(database_url, stage) as queue:
            await queue.join(getattr(stage, first)(talk))
            await queue.join(getattr(stage, second)(talk, by=colleague))
            assert await queue.go() == ["done", told]
            assert await stage.state(talk) == state
            assert (await offer_row(talk, 1))["answered_by"] == stage.seller.id, "the first one signed, nobody else"

    @pytest.mark.parametrize("first", ["acceptance", "lot withdrawn"])
    async def test_an_acceptance_and_the_lot_taken_down(self, database_url: str, first: str) -> None:
        stage = await staged()
        talk = await stage.offer()
        await stage.counter(talk)
        async with before_the_lot(database_url, stage) as queue:
            accept = stage.accept(talk, "9", by=stage.buyer)
            take_down = withdraw_lot(by=stage.seller.actor, lot_id=stage.lot_id)
            for act in (accept, take_down) if first == "acceptance" else (take_down, accept):
                await queue.join(act)
            assert await queue.go() == ["done", "LotInTalks" if first == "acceptance" else "LotClosed"]
            assert await agreements() == (1 if first == "acceptance" else 0)

    async def test_one_acceptance_sent_ten_times(self, database_url: str) -> None:
        stage = await staged()
        talk = await stage.offer(quantity=60)
        async with before_the_lot(database_url, stage) as queue:
            for _ in range(10):
                await queue.join(stage.accept(talk, quantity=60))
            assert await queue.go() == ["done"] + ["AlreadyAgreed"] * 9
            assert (await stage.left(), await agreements()) == (40, 1)

    async def test_a_connection_lost_before_the_lots_row_leaves_nothing_and_the_rival_behind_goes_on(
        self, database_url: str
    ) -> None:
        stage = await staged(units=1)
        talk, rivals = await stage.offer(quantity=1), await stage.offer(quantity=1, by=await stage.another_buyer())
        async with before_the_lot(database_url, stage) as queue:
            pid = await queue.join(stage.accept(talk, quantity=1))
            await queue.join(stage.accept(rivals, quantity=1))
            lost = queue.tasks.pop(0)
            assert await queue.held.fetchval("select pg_terminate_backend($1, 5000)", pid)
            with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, ConnectionError)):
                await lost
            assert await queue.go() == ["done"]
            assert (await stage.state(rivals), await stage.state(talk)) == ("agreed", "unavailable")
            assert (await stage.left(), await agreements()) == (0, 1)


# --- the database goes away -----------------------------------------------------------------------------------------


@pytest.fixture
async def own_server(database_url: str, tmp_path: Path) -> AsyncIterator[EmbeddedServer]:
    """A throw-away PostgreSQL with our tables, which this test may crash; the pool is open on it."""
    schema = subprocess.run(  # noqa: ASYNC221  nothing else runs yet
        [POSTGRES_BIN_PATH / "pg_dump", "--schema-only", "--no-owner", "--no-privileges", database_url],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    server = EmbeddedServer(tmp_path / "pg", options=["synchronous_commit=on", "fsync=off"])
    server.start()
    try:
        fresh = await asyncpg.connect(server.url)
        await fresh.execute("\n".join(line for line in schema.splitlines() if not line.startswith("\\")))
        await fresh.close()
        with pointed_at(server.url):
            await open_pool(size=4)
            try:
                yield server
            finally:
                await close_pool()
    finally:
        server.stop()


async def test_a_database_that_restarts_in_the_middle_of_an_acceptance_has_agreed_nothing_and_the_second_press_agrees(
    own_server: EmbeddedServer, client: httpx.AsyncClient
) -> None:
    stage = await staged()
    talk = await stage.offer()
    await sign_in(client, stage.seller)
    assert (await client.get(f"/talks/{talk}")).status_code == 200
    press = partial(client.post, f"/talks/{talk}/acceptance", data=ACCEPTANCE)
    async with before_the_lot(own_server.url, stage) as queue:
        pressed = asyncio.create_task(press())
        await queue.join(asyncio.wait_for(pressed, 20))
        assert own_server.process
        own_server.process.send_signal(signal.SIGQUIT)  # no clean stop: as when the power fails
        own_server.process.wait(20)
        (outcome,) = await asyncio.gather(*queue.tasks, return_exceptions=True)
    own_server.start()
    assert isinstance(outcome, httpx.Response)
    assert outcome.status_code == 503
    assert "It was done whole or not at all" in outcome.text
    assert (await stage.state(talk), await stage.left(), await agreements()) == ("live", 100, 0)
    answers = [await press() for _ in range(2)]
    assert [a.status_code for a in answers] == [303, 409]
    assert (await stage.state(talk), await stage.left(), await agreements()) == ("agreed", 0, 1)


# --- old pages ------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("db")
class TestOldPages:
    async def test_a_first_offer_submitted_twice_is_made_once(self, client: httpx.AsyncClient) -> None:
        stage = await staged()
        await sign_in(client, stage.buyer)
        answers = [await client.post(f"/lots/{stage.lot_id}/offer", data=FORM) for _ in range(2)]
        assert [a.status_code for a in answers] == [303, 409]
        assert "Your own offer still awaits their answer" in answers[1].text
        assert await fetchval("select count(*) from offer") == 1

    async def test_an_acceptance_submitted_twice_agrees_once(self, client: httpx.AsyncClient) -> None:
        stage = await staged()
        talk = await stage.offer()
        await sign_in(client, stage.seller)
        answers = [await client.post(f"/talks/{talk}/acceptance", data=ACCEPTANCE) for _ in range(2)]
        assert [a.status_code for a in answers] == [303, 409]
        assert "You have already agreed on this lot" in answers[1].text
        assert (await stage.left(), await agreements()) == (0, 1)

    @pytest.mark.parametrize("then", ["countered", "agreed", "withdrawn"])
    @pytest.mark.parametrize("button", ["acceptance", "refusal", "offers"])
    async def test_the_back_button_brings_no_old_answer_back(
        self, client: httpx.AsyncClient, then: str, button: str
    ) -> None:
        stage = await staged()
        talk = await stage.offer()
        if then == "agreed":
            await stage.accept(talk)
        elif then == "countered":
            await stage.counter(talk)
        else:
            await stage.withdraw(talk)
            await stage.offer(incoterm=Incoterm.DDP)  # the price on the old page, but now delivered
        before = await _everything(talk)
        await sign_in(client, stage.seller)
        old_forms = {"acceptance": ACCEPTANCE, "refusal": {"seen": "1"}, "offers": FORM | {"price": "9", "seen": "1"}}
        answer = await client.post(f"/talks/{talk}/{button}", data=old_forms[button])
        assert answer.status_code == 409
        assert await _everything(talk) == before

    async def test_a_lot_repriced_between_page_and_click_is_refused_with_the_new_price(
        self, client: httpx.AsyncClient
    ) -> None:
        stage = await staged()
        await sign_in(client, stage.buyer)
        assert (await client.get(f"/lots/{stage.lot_id}/offer")).status_code == 200
        await change_lot(by=stage.seller.actor, lot_id=stage.lot_id, **_cheaper())
        answer = await client.post(f"/lots/{stage.lot_id}/offer", data=FORM)
        assert answer.status_code == 422
        assert "The price asked is €7.00 per unit" in answer.text
        assert "Collected next week" in answer.text, "what was typed is kept"
        assert await fetchval("select count(*) from offer") == 0

    async def test_a_lot_changed_between_page_and_click_changes_no_talk_under_way(
        self, client: httpx.AsyncClient
    ) -> None:
        stage = await staged()
        talk = await stage.offer()
        await change_lot(by=stage.seller.actor, lot_id=stage.lot_id, **_cheaper())
        await sign_in(client, stage.seller)
        assert (await client.post(f"/talks/{talk}/acceptance", data=ACCEPTANCE)).status_code == 303
        kept = await offer_row(talk, 1)
        assert (kept["state"], kept["unit_price_minor"], kept["quantity"]) == ("agreed", 800, 100)

    async def test_a_lot_taken_down_between_page_and_click_is_refused(self, client: httpx.AsyncClient) -> None:
        stage = await staged()
        talk = await stage.offer()
        await stage.counter(talk)
        await withdraw_lot(by=stage.seller.actor, lot_id=stage.lot_id)
        await sign_in(client, stage.buyer)
        answer = await client.post(f"/talks/{talk}/acceptance", data={"price": "9.00", "quantity": "100"})
        assert answer.status_code == 409
        await sign_in(client, await stage.another_buyer())
        answer = await client.post(f"/lots/{stage.lot_id}/offer", data=FORM)
        assert answer.status_code == 409
        assert "This lot is no longer for sale. Nothing was agreed." in answer.text
        assert await agreements() == 0


async def _everything(talk: UUID) -> list[tuple[object, ...]]:
    rows = await fetch(
        "select n.*, o.* from negotiation n join offer o on o.negotiation_id = n.id where n.id = $1", talk
    )
    return sorted((tuple(r.values()) for r in rows), key=str)


def _cheaper() -> dict[str, Any]:
    """The staged lot at 7.00 a unit, in parts of 50."""
    from exchange.listings.rules.lots import CostAnswer

    return {
        "terms": Terms(
            unit_ask=euros("7"), partial=True, minimum=1, multiple=1, expires_at=clock.now() + timedelta(days=30),
            incoterm=Incoterm.FCA, packing=Packing.CARTONS,
        ),
        "cost_answer": CostAnswer.AT_OR_ABOVE_COST,
    }  # fmt: skip


# --- clocks ---------------------------------------------------------------------------------------------------------


@contextmanager
def holiday(day: date) -> Iterator[None]:
    """A public holiday that France did not have until now."""
    french = _public_holidays("FR")
    assert isinstance(french, dict)
    assert day not in french
    french[day] = "Journée nouvelle"
    try:
        yield
    finally:
        del french[day]


@pytest.mark.usefixtures("db")
class TestClocks:
    @pytest.mark.parametrize(
        ("made", "due"),
        [
            # clocks go back on 25 October 2026: Friday 15:00 in Paris is due on Tuesday 15:00, an hour later in UTC
            (datetime(2026, 10, 23, 13, tzinfo=UTC), datetime(2026, 10, 27, 14, tzinfo=UTC)),
            # and forward on 28 March 2027; the Monday after is Easter's
            (datetime(2027, 3, 26, 14, tzinfo=UTC), datetime(2027, 3, 31, 13, tzinfo=UTC)),
        ],
    )
    async def test_a_clock_change_inside_a_deadline_is_kept_by_job_and_answer_alike(
        self, made: datetime, due: datetime
    ) -> None:
        with clock.frozen(made):
            stage = await staged(seller=await make_company(hours=OFFICE))
            in_time, too_late = (
                await stage.offer(quantity=50),
                await stage.offer(quantity=50, by=await stage.another_buyer()),
            )
        with clock.frozen(due - timedelta(seconds=1)):
            assert await actions.expire_overdue() == 0
            await stage.accept(in_time, quantity=50)
        with clock.frozen(due):
            with pytest.raises(DomainError) as refused:
                await stage.accept(too_late, quantity=50)
            assert type(refused.value).__name__ == "OfferExpired"
            assert await actions.expire_overdue() == 1

    async def test_a_holiday_added_later_moves_the_next_deadline_and_none_already_given(self) -> None:
        with clock.frozen(THURSDAY):
            stage = await staged(seller=await make_company(hours=OFFICE))
            talk = await stage.offer(quantity=50)
            due = await fetchval("select deadline from negotiation where id = $1", talk)
            assert due == datetime(2026, 11, 30, 10, tzinfo=UTC)
            with holiday(date(2026, 11, 30)):
                later = await stage.offer(quantity=50, by=await stage.another_buyer())
                assert (await offer_row(later, 1))["expires_at"] == datetime(2026, 12, 1, 10, tzinfo=UTC)
                assert (await negotiation_seen_by(stage.seller.actor, talk)).talk.moves[0].expires_at == due
        with holiday(date(2026, 11, 30)), clock.frozen(due):
            assert await actions.expire_overdue() == 1
        assert (await stage.state(talk), await stage.state(later)) == ("expired", "live")

    async def test_after_a_day_without_worker_the_clocks_run_out_in_order_and_no_talk_answered_in_time_is_touched(
        self,
    ) -> None:
        with clock.frozen(THURSDAY):
            stage = await staged(units=500, seller=await make_company(hours=OFFICE))
        unanswered = []
        for minutes in (40, 10, 30, 20, 0):  # the later ones first: the order of the rows is not that of the clocks
            with clock.frozen(THURSDAY + timedelta(minutes=minutes)):
                unanswered.append(await stage.offer(by=await stage.another_buyer()))
        with clock.frozen(THURSDAY):
            accepted, countered, refused = [await stage.offer(by=await stage.another_buyer()) for _ in range(3)]
        with clock.frozen(datetime(2026, 11, 30, 9, tzinfo=UTC)):  # Monday, an hour before the first clock runs out
            await stage.accept(accepted)
            await stage.counter(countered)
            await stage.refuse(refused)
        with clock.frozen(datetime(2026, 12, 1, 12, tzinfo=UTC)):  # the worker was down for more than a day
            assert await actions.expire_overdue(at_most=2) == 2
            assert await actions.expire_overdue() == 3
            assert await actions.expire_overdue() == 0
        assert [await stage.state(t) for t in (accepted, countered, refused)] == ["agreed", "live", "refused"]
        ends = await fetch(
            "select o.negotiation_id, o.answered_at, o.expires_at from journal_entry j "
            "join offer o on o.negotiation_id = j.subject_id where j.fact = 'offer.expired' order by j.id"
        )
        assert {r["negotiation_id"] for r in ends} == set(unanswered)
        assert all(r["answered_at"] == r["expires_at"] for r in ends), "each ended when its own clock said so"
        assert all(one["expires_at"] < next_one["expires_at"] for one, next_one in pairwise(ends))
        told = await fetch("select payload from pgqueuer where entrypoint = 'offer.answered' order by id")
        makers = [
            await fetchval("select negotiation_id from offer where id = $1", UUID(bytes=r["payload"])) for r in told
        ]
        assert makers == [refused, *(r["negotiation_id"] for r in ends)], "and their makers hear in that order"
