"""The seller's hidden thresholds answer an offer as a person would: in his hours, a while later, never too late."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import pytest

from exchange import clock
from exchange.companies.rules import WorkingHours
from exchange.database import execute, fetchrow
from exchange.offers import actions
from exchange.offers.actions.weighing import PAUSE
from tests.factories import MadeCompany, make_company
from tests.offers.stage import offer_row, staged
from tests.offers.test_actions import queued
from tests.offers.test_faults import before_the_lot

OFFICE = WorkingHours(opens=time(9), closes=time(16))  # Paris; 8:00 to 15:00 UTC in winter
THURSDAY = datetime(2026, 11, 26, 10, tzinfo=UTC)
FRIDAY = datetime(2026, 11, 27, 8, tzinfo=UTC)  # when the office opens
MONDAY = FRIDAY + timedelta(days=3)
SLACK = timedelta(seconds=1)
"""What the database's own clock adds while a test's stands still."""


async def office() -> MadeCompany:
    return await make_company(hours=OFFICE)


async def the_job(at: datetime) -> tuple[UUID, datetime]:
    """The one automatic answer that waits, taken from the queue, and when it is due by the clock of ``at``."""
    row = await fetchrow(
        "delete from pgqueuer where entrypoint = 'offer.weighed' returning payload, execute_after - created as wait"
    )
    assert row
    return UUID(bytes=row["payload"]), at + row["wait"]


@pytest.mark.usefixtures("db")
class TestAnswers:
    async def test_a_low_offer_is_declined_by_a_job_that_nobody_can_tell_from_a_person(self) -> None:
        with clock.frozen(THURSDAY):
            stage = await staged(floor="6", seller=await office())
            talk = await stage.offer("5")
            assert await stage.state(talk) == "live"
            assert await queued("offer.made") == []
        offer_id, due = await the_job(THURSDAY)
        assert THURSDAY + PAUSE[0] <= due <= THURSDAY + PAUSE[1] + SLACK
        with clock.frozen(due):
            await actions.weigh_offer(offer_id=offer_id)
            await actions.weigh_offer(offer_id=offer_id)
        row = await offer_row(talk, 1)
        assert (row["state"], row["answered_by"]) == ("refused", None)

    async def test_a_good_offer_is_accepted_by_the_job(self) -> None:
        stage = await staged(auto_accept="9")
        talk = await stage.offer("9")
        (offer_id,) = await queued("offer.weighed")
        await actions.weigh_offer(offer_id=offer_id)
        await actions.weigh_offer(offer_id=offer_id)
        assert (await stage.state(talk), await stage.left()) == ("agreed", 0)

    async def test_a_good_offer_made_again_after_a_withdrawal_is_accepted_too(self) -> None:
        stage = await staged(auto_accept="9")
        talk = await stage.offer("9")
        await stage.withdraw(talk)
        await stage.offer("9")
        for offer_id in await queued("offer.weighed"):  # the first one's job does nothing
            await actions.weigh_offer(offer_id=offer_id)
        assert [(await offer_row(talk, n))["state"] for n in (1, 2)] == ["withdrawn", "agreed"]

    async def test_an_offer_answered_meanwhile_is_left_alone(self) -> None:
        stage = await staged(floor="6")
        talk = await stage.offer("5")
        (offer_id,) = await queued("offer.weighed")
        await stage.counter(talk, "9")
        await actions.weigh_offer(offer_id=offer_id)
        assert await stage.state(talk) == "live"


@pytest.mark.usefixtures("db")
class TestHours:
    async def test_late_in_the_day_the_rest_of_the_pause_is_worked_the_next_morning(self) -> None:
        evening = FRIDAY.replace(hour=14, minute=55)
        with clock.frozen(evening):
            stage = await staged(floor="6", seller=await office())
            await stage.offer("5")
        _, due = await the_job(evening)
        rest = timedelta(minutes=5)
        assert MONDAY + PAUSE[0] - rest <= due <= MONDAY + PAUSE[1] - rest + SLACK

    @pytest.mark.parametrize("who", ["company", "everybody"])
    async def test_while_the_seller_is_closed_or_away_he_answers_nobody(self, who: str) -> None:
        seller = await office()
        stage = await staged(floor="6", seller=seller)
        first, last = date(2026, 11, 26), date(2026, 11, 29)
        if who == "company":
            await execute(
                "update company set closed_from = $2, closed_until = $3 where id = $1", seller.id, first, last
            )
        else:
            await execute(
                "update membership set away_from = $2, away_until = $3 where company_id = $1", seller.id, first, last
            )
        with clock.frozen(THURSDAY):
            await stage.offer("5")
        _, due = await the_job(THURSDAY)
        assert MONDAY + PAUSE[0] <= due <= MONDAY + PAUSE[1] + SLACK

    async def test_a_worker_that_was_down_answers_in_the_sellers_hours_and_not_when_it_comes_back(self) -> None:
        with clock.frozen(THURSDAY):
            stage = await staged(floor="6", seller=await office())
            talk = await stage.offer("5")
        offer_id, due = await the_job(THURSDAY)
        assert due < FRIDAY
        back = THURSDAY.replace(hour=21)
        with clock.frozen(back):
            await actions.weigh_offer(offer_id=offer_id)
        assert await stage.state(talk) == "live"
        again, due = await the_job(back)
        assert again == offer_id
        assert FRIDAY + PAUSE[0] <= due <= FRIDAY + PAUSE[1] + SLACK
        with clock.frozen(due):
            await actions.weigh_offer(offer_id=offer_id)
        assert await stage.state(talk) == "refused"

    async def test_a_worker_that_was_down_past_the_deadline_answers_nothing(self) -> None:
        with clock.frozen(THURSDAY):
            stage = await staged(auto_accept="9", seller=await office())
            talk = await stage.offer("9")
        offer_id, _ = await the_job(THURSDAY)
        with clock.frozen(THURSDAY + timedelta(days=6)):
            await actions.weigh_offer(offer_id=offer_id)
        assert (await stage.state(talk), await stage.left()) == ("live", 100), "the clock's own job ends it"


@pytest.mark.usefixtures("committed")
class TestInstant:
    @pytest.mark.parametrize("first", ["answer", "withdrawal"])
    async def test_an_automatic_answer_and_the_withdrawal(self, database_url: str, first: str) -> None:
        stage = await staged(auto_accept="9")
        talk = await stage.offer("9")
        (offer_id,) = await queued("offer.weighed")
        async with before_the_lot(database_url, stage) as queue:
            acts = [actions.weigh_offer(offer_id=offer_id), stage.withdraw(talk)]
            for act in acts if first == "answer" else reversed(acts):
                await queue.join(act)
            assert await queue.go() == (["done", "AlreadyAgreed"] if first == "answer" else ["done", "done"])
        assert await stage.state(talk) == ("agreed" if first == "answer" else "withdrawn")
        assert await stage.left() == (0 if first == "answer" else 100)
