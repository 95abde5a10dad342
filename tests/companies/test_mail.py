"""What reaches a person: at once, in the day's one summary, or not; when; and how one click ends it."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange import clock
from exchange.accounts.actions.mail import deliver
from exchange.actor import Role
from exchange.companies.actions import mail
from exchange.companies.actions.members import remove_colleague
from exchange.companies.actions.wishes import choose_mail, end_summaries, set_away, set_closed
from exchange.companies.queries import wishes_of
from exchange.companies.rules import (
    Away,
    AwayOutOfOrder,
    AwayTooLong,
    MailKind,
    Quiet,
    Timing,
    Wishes,
    WorkingHours,
    after_work,
    answers_at,
    is_open,
    may_write_at,
    summary_at,
)
from exchange.companies.rules.mail import (
    QuietAllDay,
    QuietOutOfOrder,
    SummaryOutOfHours,
    ensure_sound,
    unsubscribe_token,
    unsubscribing,
)
from exchange.database import execute, fetch, fetchval
from exchange.offers import actions
from exchange.offers.actions import expire_overdue
from exchange.settings import settings
from exchange.settlement.actions.deals import open_deal
from tests.accounts.test_mail import mail_server, smtp  # noqa: F401  a fixture
from tests.companies.test_rules import hours as any_hours
from tests.companies.test_rules import instants
from tests.factories import MadePerson, make_company, make_person, sign_in
from tests.offers.stage import Stage, staged

OFFICE = WorkingHours(opens=time(9), closes=time(16))  # Paris, Monday to Friday
MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)  # 10:00 in Paris
PARIS = ZoneInfo("Europe/Paris")
NOON = Quiet(time(12), time(14))
DAILY = Wishes(dict.fromkeys(MailKind, Timing.DAILY))


def paris(day: int, hour: int, minute: int = 0) -> datetime:
    """A day of November 2026, of which 23 is a Monday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=PARIS)


# --- rules ---


def test_mail_waits_for_the_end_of_quiet_hours() -> None:
    for at, leaves in (
        (paris(23, 10), paris(23, 10)),
        (paris(23, 12), paris(23, 14)),
        (paris(23, 13, 59), paris(23, 14)),
        (paris(23, 20), paris(24, 9)),
        (paris(27, 16), paris(30, 9)),  # Friday evening
    ):
        assert may_write_at(at, OFFICE, NOON) == leaves
    assert may_write_at(paris(23, 13), OFFICE, Quiet(time(12), time(18))) == paris(24, 9), "quiet to the evening"
    assert may_write_at(paris(23, 7), OFFICE, Quiet(time(8), time(11))) == paris(23, 11)


@given(at=instants, hours=any_hours, start=st.integers(0, 1380), length=st.integers(1, 1439), chosen=st.times())
def test_nothing_leaves_outside_working_hours_or_within_quiet_ones_whatever_was_chosen(
    at: datetime, hours: WorkingHours, start: int, length: int, chosen: time
) -> None:
    end = min(start + length, 1439)
    quiet = Quiet(time(start // 60, start % 60), time(end // 60, end % 60))
    leaves = may_write_at(at, hours, quiet)
    assert leaves >= at
    assert is_open(leaves, hours)
    summed = summary_at(at, hours, Wishes(quiet=quiet, summary_at=chosen))
    assert summed >= at
    assert is_open(summed, hours)
    day = summed.astimezone(ZoneInfo(hours.zone)).date()
    later = summary_at(summed, hours, Wishes(quiet=quiet, summary_at=chosen), after=day)
    assert later.astimezone(ZoneInfo(hours.zone)).date() > day, "never two in a day"
    try:
        ensure_sound(Wishes(quiet=quiet), hours)
    except QuietAllDay:
        return
    for instant in (leaves, summed):
        assert not quiet.start <= instant.astimezone(ZoneInfo(hours.zone)).time() < quiet.end


@pytest.mark.parametrize(
    ("wishes", "refusal"),
    [
        (Wishes(quiet=Quiet(time(14), time(12))), QuietOutOfOrder),
        (Wishes(quiet=Quiet(time(9, 30), time(16))), QuietAllDay),
        (Wishes(summary_at=time(16)), SummaryOutOfHours),
        (Wishes(summary_at=time(13), quiet=NOON), SummaryOutOfHours),
    ],
)
def test_wishes_that_leave_no_time_for_mail_are_refused(wishes: Wishes, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        ensure_sound(wishes, OFFICE)


def test_the_first_to_be_back_answers_and_a_closed_company_answers_when_it_opens() -> None:
    week, day = Away(date(2026, 11, 23), date(2026, 11, 29)), Away(date(2026, 11, 23), date(2026, 11, 23))
    at = paris(23, 10)
    assert answers_at(at, OFFICE, None, [week, None]) == at
    assert answers_at(at, OFFICE, None, [week, day]) == paris(24, 9)
    assert answers_at(at, OFFICE, None, [week]) == paris(30, 9)
    assert answers_at(at, OFFICE, week, [None, day]) == paris(30, 9)
    assert answers_at(at, OFFICE, week, []) == paris(30, 9)


def test_work_left_at_closing_goes_on_when_somebody_is_there_again() -> None:
    week, day = Away(date(2026, 11, 23), date(2026, 11, 29)), Away(date(2026, 11, 24), date(2026, 11, 24))
    half_an_hour = timedelta(minutes=30)
    assert after_work(paris(23, 10), half_an_hour, OFFICE, None, [None]) == paris(23, 10, 30)
    assert after_work(paris(23, 15, 50), half_an_hour, OFFICE, None, []) == paris(24, 9, 20)
    assert after_work(paris(23, 15, 50), half_an_hour, OFFICE, day, []) == paris(25, 9, 20)
    assert after_work(paris(23, 15, 50), half_an_hour, OFFICE, None, [day]) == paris(25, 9, 20)
    assert after_work(paris(23, 15, 50), half_an_hour, OFFICE, None, [day, None]) == paris(24, 9, 20)
    assert after_work(paris(22, 12), half_an_hour, OFFICE, week, [None]) == paris(30, 9, 30)
    assert after_work(paris(27, 15, 50), timedelta(hours=8), OFFICE, None, []) == paris(30, 16, 50) + timedelta(
        hours=17
    )


def test_a_token_ends_the_summaries_of_its_person_and_is_made_by_us_alone() -> None:
    person, secret = uuid4(), b"our secret"
    token = unsubscribe_token(secret, person)
    assert unsubscribing(secret, token) == person
    forged = ("A" if token[-5] != "A" else "B").join((token[:-5], token[-4:]))
    for wrong in (forged, token[:-3], token + "AA", "", "é", "%" * 40, unsubscribe_token(b"other", person)):
        assert unsubscribing(secret, wrong) is None


# --- the summary ---


async def summaries(person: MadePerson | UUID) -> list[str]:
    rows = await fetch(
        "select text from mail where person_id = $1 and template = 'summary' order by due_at",
        person if isinstance(person, UUID) else person.id,
    )
    return [r["text"] for r in rows]


async def tell(stage: Stage) -> None:
    """Run the jobs of what has happened, as the worker would."""
    for row in await fetch("delete from pgqueuer where entrypoint in ('offer.made', 'offer.answered') returning *"):
        by_fact = {"offer.made": actions.tell_of_offer, "offer.answered": actions.tell_of_answer}
        await by_fact[row["entrypoint"]](offer_id=UUID(bytes=row["payload"]))


@pytest.mark.usefixtures("db")
class TestSummary:
    @pytest.fixture
    async def stage(self) -> AsyncIterator[Stage]:
        with clock.frozen(MONDAY):
            stage = await staged(seller=await make_company(hours=OFFICE))
            await choose_mail(by=stage.seller.actor, wishes=DAILY)
            yield stage

    async def test_it_comes_once_at_the_next_opening_and_tells_what_still_stands(self, stage: Stage) -> None:
        await execute("update person set language = 'fr' where id = $1", stage.seller.id)
        kept = await stage.offer("8.25", 40)
        gone = await stage.offer(by=await stage.another_buyer())
        await tell(stage)
        await stage.withdraw(gone, by=stage.buyers[0])
        with clock.frozen(paris(23, 23)):
            await mail.send_summaries()
        assert await summaries(stage.seller) == []
        with clock.frozen(paris(24, 9)):
            for _ in range(2):
                await mail.send_summaries()
        (text,) = await summaries(stage.seller)
        assert (f"/talks/{kept}" in text, f"/talks/{gone}" in text) == (True, False)
        assert "OFFRES QUI ATTENDENT VOTRE RÉPONSE" in text
        assert "40 unités à 8,25\N{NO-BREAK SPACE}€ l’unité" in text
        assert "Répondez avant le" in text
        subject, due = await _sent(stage.seller)
        assert (subject, due) == ("Votre récapitulatif du 24 novembre 2026", paris(24, 9))

    async def test_it_is_never_empty(self, stage: Stage) -> None:
        talk = await stage.offer()
        await tell(stage)
        await stage.withdraw(talk)
        with clock.frozen(paris(24, 9)):
            await mail.send_summaries()
            assert await summaries(stage.seller) == []
            assert await fetchval("select count(*) from summary_line") == 0
            assert await stage.offer("8.50") == talk
            await tell(stage)
        with clock.frozen(paris(25, 9)):
            await mail.send_summaries()
        (text,) = await summaries(stage.seller)
        assert f"/talks/{talk}" in text

    async def test_after_days_without_worker_there_is_one_and_the_next_comes_on_another_day(self, stage: Stage) -> None:
        for day in (23, 24, 25):  # due on Tuesday; the worker was down until Thursday, before opening
            with clock.frozen(paris(day, 11)):
                await stage.offer(quantity=10, by=await stage.another_buyer())
                await tell(stage)
        with clock.frozen(paris(26, 8, 30)):
            await mail.send_summaries()
        (text,) = await summaries(stage.seller)
        assert text.count("/talks/") == 2, "and what expired meanwhile is not in it"
        assert (await _sent(stage.seller))[1] == paris(26, 9)
        with clock.frozen(paris(26, 8, 45)):  # something else before that very summary leaves
            await stage.offer(quantity=10, by=await stage.another_buyer())
            await tell(stage)
        for at in (paris(26, 9), paris(26, 15), paris(27, 9), paris(27, 10)):
            with clock.frozen(at):
                await mail.send_summaries()
        assert [text.count("/talks/") for text in await summaries(stage.seller)] == [2, 1]
        assert (await _sent(stage.seller))[1] == paris(27, 9)

    async def test_an_agreement_is_nobodys_choice_and_told_once_to_all_but_who_accepted(self, stage: Stage) -> None:
        await choose_mail(by=stage.buyer.actor, wishes=Wishes(dict.fromkeys(MailKind, Timing.NEVER)))
        refused, agreed = (
            await stage.offer(quantity=10, by=stage.buyer),
            await stage.offer(quantity=10, by=await stage.another_buyer()),
        )
        await choose_mail(by=stage.buyers[0].actor, wishes=Wishes(dict.fromkeys(MailKind, Timing.NEVER)))
        await stage.refuse(refused)
        await stage.accept(agreed, quantity=10)
        colleague = await make_person(stage.seller.company)
        await tell(stage)
        await open_deal(agreed)
        told = await fetch("select person_id, subject, text from mail")
        assert {(r["person_id"], r["subject"][:6]) for r in told} == {
            (stage.buyers[0].id, "Agreed"), (colleague.id, "Agreed"),
        }  # fmt: skip
        assert len(told) == 2
        assert "to choose" not in told[0]["text"]

    async def test_the_hour_chosen_holds_for_what_waits_already(self, stage: Stage) -> None:
        await stage.offer()
        await tell(stage)
        await choose_mail(by=stage.seller.actor, wishes=Wishes(DAILY.timings, summary_at=time(15)))
        with clock.frozen(paris(23, 14, 59)):
            await mail.send_summaries()
        assert await summaries(stage.seller) == []
        with clock.frozen(paris(23, 15)):
            await mail.send_summaries()
        assert len(await summaries(stage.seller)) == 1

    async def test_one_that_fails_stops_no_other_and_is_tried_again(self, stage: Stage) -> None:
        await stage.offer()
        await tell(stage)
        with clock.frozen(paris(23, 8)):
            other = await staged(seller=await make_company(hours=OFFICE))
            await choose_mail(by=other.seller.actor, wishes=DAILY)
        await execute(  # a mail nobody reads any more, of a release long gone
            "insert into summary_line (id, person_id, template, about, happened_at) values ($1, $2, 'old', $1, $3)",
            uuid4(), other.seller.id, MONDAY,
        )  # fmt: skip
        await execute("update membership set summary_due = $2 where person_id = $1", other.seller.id, MONDAY)
        with clock.frozen(paris(24, 9)):
            await mail.send_summaries()
        assert len(await summaries(stage.seller)) == 1
        assert await fetchval("select summary_due from membership where person_id = $1", other.seller.id) == MONDAY

    async def test_who_leaves_is_written_to_no_more(self, stage: Stage) -> None:
        await stage.offer()
        await tell(stage)
        owner = await make_person(stage.seller.company, role=Role.OWNER)
        await remove_colleague(by=owner.actor, person_id=stage.seller.id)
        with clock.frozen(paris(24, 9)):
            assert await mail.send_summaries() == 0


async def _sent(person: MadePerson) -> tuple[str, datetime]:
    row = (
        await fetch(
            "select subject, due_at from mail where person_id = $1 and template = 'summary' order by due_at desc",
            person.id,
        )
    )[0]
    return row["subject"], row["due_at"]


# --- mail that waits ---


@pytest.mark.usefixtures("db")
class TestWaiting:
    @pytest.fixture
    async def stage(self) -> Stage:
        with clock.frozen(MONDAY):
            return await staged(seller=await make_company(hours=OFFICE), buyer=await make_company(hours=OFFICE))

    async def test_an_offer_of_friday_night_withdrawn_on_saturday_is_not_told_on_monday(self, stage: Stage) -> None:
        with clock.frozen(paris(27, 18)):
            gone = await stage.offer(by=(other := await stage.another_buyer()))
            kept = await stage.offer("8.25", 40)
            await tell(stage)
            assert [due for _, due in await _told(stage.seller)] == [paris(30, 9)] * 2
        with clock.frozen(paris(28, 11)):
            await stage.withdraw(gone, by=other)
        with clock.frozen(paris(30, 9)):
            await _leave()
        ((text, _),) = await _told(stage.seller)
        assert f"/talks/{kept}" in text

    async def test_what_came_of_an_offer_is_not_told_where_the_talk_has_gone_on(self, stage: Stage) -> None:
        with clock.frozen(paris(27, 18)):
            await stage.refuse(talk := await stage.offer("8", 40))
            await tell(stage)
            assert [due for _, due in await _told(stage.buyer)] == [paris(30, 9)]
        with clock.frozen(paris(28, 11)):
            assert await stage.offer("8.50", 40) == talk
        with clock.frozen(paris(30, 9)):
            await _leave()
        assert await _told(stage.buyer) == []

    async def test_a_mail_says_how_things_stand_when_it_leaves(self, stage: Stage) -> None:
        with clock.frozen(paris(27, 18)):
            await stage.offer()
            await tell(stage)
            await execute("update person set language = 'fr' where id = $1", stage.seller.id)
        with clock.frozen(paris(30, 9)):
            await _leave()
        ((text, _),) = await _told(stage.seller)
        assert text.startswith("Bonjour")

    async def test_a_worker_that_was_down_writes_to_nobody_at_night_nor_of_what_is_over(self, stage: Stage) -> None:
        with clock.frozen(paris(23, 15)):
            await stage.refuse(await stage.offer())
            late = await stage.offer(by=await stage.another_buyer())
        with clock.frozen(paris(23, 22)):  # the worker is back after hours
            await tell(stage)
            await _leave()
            assert {due for person in (stage.seller, stage.buyer) for _, due in await _told(person)} == {paris(24, 9)}
        with clock.frozen(paris(24, 22)):  # down again all day
            await _leave()
            assert [due for _, due in await _told(stage.buyer)] == [paris(25, 9)]
        with clock.frozen(paris(26, 9)):
            await expire_overdue()
            await _leave()
        assert await _told(stage.seller) == [], "nobody is asked to answer what has run out"
        assert await stage.state(late) == "expired"
        ((text, _),) = await _told(stage.buyer)
        assert "was declined" in text

    async def test_who_chose_the_summary_meanwhile_gets_no_mail_and_who_left_none_at_all(self, stage: Stage) -> None:
        with clock.frozen(paris(27, 18)):
            await stage.refuse(await stage.offer())
            await stage.offer(by=await stage.another_buyer())
            await tell(stage)
            await choose_mail(by=stage.seller.actor, wishes=DAILY)
            await execute("delete from membership where person_id = $1", stage.buyer.id)
        with clock.frozen(paris(30, 9)):
            await _leave()
            assert (await _told(stage.seller), await _told(stage.buyer)) == ([], [])
            assert await fetchval("select person_id from summary_line") == stage.seller.id


async def _leave() -> None:
    """The worker comes round: each mail's job runs, early or late."""
    for row in await fetch("select id from mail where sent_at is null order by created_at"):
        await mail.send_letter(mail_id=row["id"])


async def _told(person: MadePerson) -> list[tuple[str, datetime]]:
    rows = await fetch("select text, due_at from mail where person_id = $1 order by created_at", person.id)
    return [(r["text"], r["due_at"]) for r in rows]


# --- one click ---


@pytest.mark.usefixtures("db", "smtp")
async def test_a_mail_program_ends_the_summaries_with_one_click_that_signs_nobody_in(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with clock.frozen(MONDAY):
        stage = await staged(seller=await make_company(hours=OFFICE))
        some = Wishes({MailKind.OFFERS: Timing.DAILY, MailKind.WANTS: Timing.DAILY})
        await choose_mail(by=stage.seller.actor, wishes=some)
        talk = await stage.offer(by=await stage.another_buyer())
        await stage.counter(talk)
        await stage.offer()
        await tell(stage)
    with clock.frozen(paris(24, 9)):
        await mail.send_summaries()
    async with mail_server() as (url, taken):
        monkeypatch.setenv("SMTP_URL", url)
        settings.cache_clear()
        for row in await fetch("select id from mail"):
            await deliver(row["id"])
    (sent,) = (m for m in taken if m["List-Unsubscribe"])
    assert sent["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = str(sent["List-Unsubscribe"])
    assert address.startswith(f"<{settings().base_url}/unsubscribe/")
    path = address.strip("<>").removeprefix(settings().base_url)
    assert path in sent.get_content()

    asked = await client.get(path)
    assert asked.status_code == 200
    assert (await wishes_of(stage.seller.actor)).wishes.timing(MailKind.OFFERS) is Timing.DAILY, (
        "a look changes nothing"
    )
    client.cookies.clear()  # a mail program has none, and no token of our forms
    for _ in range(2):
        answer = await client.post(path, data={"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
        assert "no daily summary" in answer.text
    timings = (await wishes_of(stage.seller.actor)).wishes.timing
    assert [timings(k) for k in (MailKind.OFFERS, MailKind.WANTS, MailKind.TEAM)] == [
        Timing.NEVER, Timing.NEVER, Timing.NOW,
    ]  # fmt: skip
    assert (await client.get("/account/mail")).status_code == 303, "nobody is signed in"
    assert (await client.post(path[:-2] + "AA", data={})).status_code == 404


@pytest.mark.usefixtures("db", "smtp")
async def test_no_header_and_no_word_of_an_offers_mail_knows_the_other_side(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = await staged()
    await stage.counter(await stage.offer(message="Bonjour"), message="Volontiers")
    await tell(stage)
    async with mail_server() as (url, taken):
        monkeypatch.setenv("SMTP_URL", url)
        settings.cache_clear()
        for row in await fetch("select id from mail order by created_at"):
            await deliver(row["id"])
    (countered,) = taken
    assert countered["To"] == f"{stage.buyer.name} <{stage.buyer.email}>"
    assert set(countered.keys()) == {
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Type", "Content-Transfer-Encoding",
        "MIME-Version",
    }  # fmt: skip
    whole = f"{countered.items()} {countered.get_content()}"
    assert settings().mail_from.rpartition("@")[2].strip(">") in countered["From"]
    assert stage.seller.company
    theirs = stage.seller.company
    for word in (theirs.legal_name, theirs.trading_name, theirs.registration, stage.seller.name, stage.seller.email):
        assert word not in whole
    for known in (theirs.id, stage.seller.id, stage.buyer.id, stage.lot_id):
        assert str(known) not in whole
        assert known.hex not in whole
    assert whole.count("http") == 1, "one link"


@pytest.mark.usefixtures("db")
async def test_ended_summaries_take_what_waited_with_them() -> None:
    with clock.frozen(MONDAY):
        stage = await staged(seller=await make_company(hours=OFFICE))
        await choose_mail(by=stage.seller.actor, wishes=DAILY)
        await stage.offer()
        await tell(stage)
        await end_summaries(person_id=stage.seller.id)
    with clock.frozen(paris(24, 9)):
        await mail.send_summaries()
    assert await fetchval("select count(*) from mail where person_id = $1", stage.seller.id) == 0


# --- the pages ---


@pytest.mark.usefixtures("db")
async def test_the_page_keeps_what_is_chosen_and_what_is_typed_wrong(client: httpx.AsyncClient) -> None:
    person = await make_person(await make_company(hours=OFFICE))
    await sign_in(client, person)
    form = {kind.value: "daily" for kind in MailKind} | {"summary_at": "11:00", "quiet_from": "12:00"}
    refused = await client.post("/account/mail", data=form)
    assert refused.status_code == 422
    assert 'value="12:00"' in refused.text
    assert (await client.post("/account/mail", data=form | {"quiet_until": "13:30"})).status_code == 303
    own = (await wishes_of(person.actor)).wishes
    assert own == Wishes(dict.fromkeys(MailKind, Timing.DAILY), Quiet(time(12), time(13, 30)), time(11))
    page = (await client.get("/account/mail")).text
    assert 'value="13:30"' in page
    assert page.count('<option value="daily" selected>') == len(MailKind)
    for wrong in ({"summary_at": "noon"}, {"offers": "weekly"}, {"summary_at": "17:00"}):
        assert (await client.post("/account/mail", data=form | {"quiet_until": "13:30"} | wrong)).status_code == 422
    assert (await wishes_of(person.actor)).wishes == own


@pytest.mark.usefixtures("db")
async def test_an_absence_is_set_and_taken_back_and_only_owners_close_the_company(client: httpx.AsyncClient) -> None:
    person = await make_person(await make_company(hours=OFFICE))
    await sign_in(client, person)
    days = {"first_day": "2026-12-01", "last_day": "2026-12-04"}
    with clock.frozen(MONDAY):
        assert (await client.post("/account/absence", data=days)).status_code == 303
        assert (await wishes_of(person.actor)).away == Away(date(2026, 12, 1), date(2026, 12, 4))
        assert (await client.post("/account/absence", data=days | {"last_day": ""})).status_code == 422
        assert (await client.post("/account/absence", data={"first_day": "", "last_day": ""})).status_code == 303
        assert (await wishes_of(person.actor)).away is None
        assert (await client.post("/company/closing", data=days)).status_code == 403
        for first, last, refusal in (
            (date(2026, 12, 4), date(2026, 12, 1), AwayOutOfOrder),
            (date(2026, 12, 4), date(2026, 12, 4) + timedelta(days=400), AwayTooLong),
        ):
            with pytest.raises(refusal):
                await set_away(by=person.actor, first=first, last=last)
            with pytest.raises(refusal):
                await set_closed(by=person.actor, first=first, last=last)
