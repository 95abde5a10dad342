"""What stays inside a company: who looks after a talk, notes, which colleague did what."""

import re
from datetime import UTC, date, datetime, time, timedelta
from html import unescape
from uuid import UUID, uuid4

import httpx
import pytest

from exchange import clock
from exchange.actor import Role
from exchange.companies.actions.members import remove_colleague
from exchange.companies.actions.wishes import set_away, set_closed
from exchange.companies.rules import WorkingHours
from exchange.database import execute, fetch, fetchrow, fetchval
from exchange.errors import NotSeen
from exchange.offers import actions
from exchange.offers.queries.talks import offer_told
from exchange.offers.queries.team import own_side_of
from exchange.offers.rules.team import NotAColleague, NothingWritten, TooMuchWritten
from tests.factories import MadePerson, bearer, make_company, make_person, sign_in
from tests.offers.stage import Stage, staged

pytestmark = pytest.mark.usefixtures("db")
OFFICE = WorkingHours(opens=time(9), closes=time(16))  # Paris
SECRET = "Plancher à 8,20, on peut lâcher le transport"


async def _with_a_colleague() -> tuple[Stage, UUID, MadePerson]:
    stage = await staged()
    colleague = await make_person(stage.seller.company, name="Côme Collègue")
    return stage, await stage.offer(message="Bonjour"), colleague


async def test_a_talk_is_given_to_a_colleague_and_back_to_nobody() -> None:
    stage, talk, colleague = await _with_a_colleague()
    for chosen in (colleague.id, stage.seller.id, stage.seller.id):
        await actions.assign_talk(negotiation_id=talk, person_id=chosen, by=stage.seller.actor)
        assignee = (await own_side_of(stage.seller.actor, talk)).assignee
        assert assignee
        assert assignee.person_id == chosen
    await actions.assign_talk(negotiation_id=talk, person_id=None, by=colleague.actor)
    assert (await own_side_of(stage.seller.actor, talk)).assignee is None


async def test_a_talk_is_given_to_nobody_outside_the_company() -> None:
    stage, talk, _ = await _with_a_colleague()
    for outsider in (stage.buyer.id, uuid4()):
        with pytest.raises(NotAColleague):
            await actions.assign_talk(negotiation_id=talk, person_id=outsider, by=stage.seller.actor)


async def test_a_rival_neither_assigns_nor_notes_nor_reads() -> None:
    _, talk, _ = await _with_a_colleague()
    rival = (await make_person()).actor
    with pytest.raises(NotSeen):
        await actions.assign_talk(negotiation_id=talk, person_id=None, by=rival)
    with pytest.raises(NotSeen):
        await actions.write_note(negotiation_id=talk, text="x", by=rival)
    with pytest.raises(NotSeen):
        await own_side_of(rival, talk)


async def test_a_note_says_something_and_not_too_much() -> None:
    stage, talk, _ = await _with_a_colleague()
    with pytest.raises(NothingWritten):
        await actions.write_note(negotiation_id=talk, text=" \n", by=stage.seller.actor)
    with pytest.raises(TooMuchWritten):
        await actions.write_note(negotiation_id=talk, text="x" * 2001, by=stage.seller.actor)


async def test_mail_goes_to_the_assignee_and_to_nobody_who_has_left() -> None:
    stage, talk, colleague = await _with_a_colleague()
    offer_id = await fetchval("select id from offer where negotiation_id = $1", talk)

    async def receiver() -> UUID | None:
        told = await offer_told(offer_id)
        return told.receiver if told else None

    assert await receiver() == stage.seller.id, "who listed the lot"
    await actions.assign_talk(negotiation_id=talk, person_id=colleague.id, by=stage.seller.actor)
    assert await receiver() == colleague.id
    owner = await make_person(stage.seller.company, role=Role.OWNER)
    await remove_colleague(by=owner.actor, person_id=colleague.id)
    assert await receiver() == stage.seller.id
    await remove_colleague(by=owner.actor, person_id=stage.seller.id)
    assert await receiver() == owner.id


async def test_the_colleague_is_told_once_and_not_about_their_own_choice() -> None:
    stage, talk, colleague = await _with_a_colleague()
    await actions.assign_talk(negotiation_id=talk, person_id=stage.seller.id, by=stage.seller.actor)
    await actions.assign_talk(negotiation_id=talk, person_id=colleague.id, by=stage.seller.actor)
    assignment = await fetchval("select id from talk_assignment")
    before = await fetchval("select count(*) from mail")
    for _ in range(2):
        await actions.tell_assignee(assignment_id=assignment)
    mails = await fetch("select * from mail")
    assert len(mails) == before + 1
    assert any(colleague.email in str(dict(mail)) for mail in mails)


async def test_the_other_side_finds_no_trace_of_notes_assignment_or_colleagues(client: httpx.AsyncClient) -> None:
    """Its pages and API answers are the same, letter for letter, as before anything happened inside."""
    stage, talk, colleague = await _with_a_colleague()
    await stage.counter(talk, "9")
    paths = ("/talks", f"/talks/{talk}", f"/lots/{stage.lot_id}")
    api = ("/api/v1/negotiations", f"/api/v1/negotiations/{talk}", f"/api/v1/negotiations/{talk}/team")
    token = await bearer(stage.buyer)

    async def seen_by_buyer() -> list[str]:
        await sign_in(client, stage.buyer)
        pages = [(await client.get(path)).text for path in paths]
        pages.append((await client.get(f"/talks/{talk}", headers={"hx-request": "true"})).text)
        client.cookies.clear()
        answers = [await client.get(path, headers=token) for path in api]
        assert [a.status_code for a in answers] == [200, 200, 200]
        return [re.sub(r'value="[^"]{40,}"', "", unescape(page)) for page in pages] + [a.text for a in answers]

    with clock.frozen(clock.now()):
        before = await seen_by_buyer()
        await actions.write_note(negotiation_id=talk, text=SECRET, by=colleague.actor)
        await actions.assign_talk(negotiation_id=talk, person_id=colleague.id, by=stage.seller.actor)
        after = await seen_by_buyer()
    assert after == before
    for text in after:
        assert SECRET not in text
        assert colleague.name not in text
        assert stage.seller.name not in text
    own = await own_side_of(stage.buyer.actor, talk)
    assert (own.notes, own.assignee) == ([], None)
    mails = [str(dict(m)) for m in await fetch("select * from mail")]
    assert not [m for m in mails if SECRET in m]
    await sign_in(client, stage.seller)
    page = unescape((await client.get(f"/talks/{talk}")).text)
    assert SECRET in page
    assert "Côme Collègue" in page


async def test_notes_stay_inside_after_agreement_too(client: httpx.AsyncClient) -> None:
    stage, talk, colleague = await _with_a_colleague()
    await actions.write_note(negotiation_id=talk, text=SECRET, by=colleague.actor)
    await stage.accept(talk)
    token = await bearer(stage.buyer)
    await sign_in(client, stage.buyer)
    assert SECRET not in unescape((await client.get(f"/talks/{talk}")).text)
    client.cookies.clear()
    assert SECRET not in (await client.get(f"/api/v1/negotiations/{talk}", headers=token)).text
    assert SECRET not in (await client.get(f"/api/v1/negotiations/{talk}/team", headers=token)).text


async def test_nothing_inside_moves_the_talk() -> None:
    _, talk, colleague = await _with_a_colleague()
    before = await fetchrow("select * from negotiation where id = $1", talk)
    await actions.write_note(negotiation_id=talk, text=SECRET, by=colleague.actor)
    await actions.assign_talk(negotiation_id=talk, person_id=colleague.id, by=colleague.actor)
    assert await fetchrow("select * from negotiation where id = $1", talk) == before


async def test_who_answered_is_shown_to_their_own_side_only(client: httpx.AsyncClient) -> None:
    stage, talk, colleague = await _with_a_colleague()
    await actions.refuse_offer(negotiation_id=talk, by=colleague.actor)
    for side, knows in ((stage.seller, True), (stage.buyer, False)):
        await sign_in(client, side)
        assert ("Côme Collègue" in _thread(await client.get(f"/talks/{talk}"))) is knows
        client.cookies.clear()
        answer = (await client.get(f"/api/v1/negotiations/{talk}", headers=await bearer(side))).json()
        assert answer["offers"][0]["answered_by"] == ("Côme Collègue" if knows else None)


async def test_a_colleagues_move_bears_their_name_on_their_own_side_only(client: httpx.AsyncClient) -> None:
    stage, talk, colleague = await _with_a_colleague()
    await stage.counter(talk, "9", by=colleague)
    for side, knows in ((stage.seller, True), (stage.buyer, False)):
        await sign_in(client, side)
        page = _thread(await client.get(f"/talks/{talk}"))
        assert ("<strong>Côme Collègue</strong>" in page) is knows
    await sign_in(client, colleague)
    assert "<strong>You</strong>" in _thread(await client.get(f"/talks/{talk}"))


async def test_who_withdrew_is_shown_to_their_own_side_only(client: httpx.AsyncClient) -> None:
    stage, talk, _ = await _with_a_colleague()
    colleague = await make_person(stage.buyer.company, name="Bérénice Binôme")
    await actions.withdraw_offer(negotiation_id=talk, by=colleague.actor)
    for side, knows in ((stage.buyer, True), (stage.seller, False)):
        await sign_in(client, side)
        assert ("Bérénice Binôme" in _thread(await client.get(f"/talks/{talk}"))) is knows


def _thread(page: httpx.Response) -> str:
    return unescape(page.text.split('id="thread"')[1].split("</aside>")[0].split("<aside")[0])


async def test_the_doors_for_people_assign_note_and_keep_a_refused_note(client: httpx.AsyncClient) -> None:
    stage, talk, colleague = await _with_a_colleague()
    await sign_in(client, stage.seller)
    assert (await client.post(f"/talks/{talk}/assignment", data={"person": str(colleague.id)})).status_code == 303
    assert (await client.post(f"/talks/{talk}/assignment", data={"person": "rubbish"})).status_code == 422
    assert (await client.post(f"/talks/{talk}/assignment", data={"person": ""})).status_code == 303
    assert (await client.post(f"/talks/{talk}/notes", data={"text": SECRET})).status_code == 303
    long = await client.post(f"/talks/{talk}/notes", data={"text": "mot " * 600})
    assert long.status_code == 422
    assert "mot mot" in long.text, "what was typed is kept"


async def test_an_open_page_asks_for_the_inside_alone_and_colleagues_see_who_is_away(client: httpx.AsyncClient) -> None:
    stage, talk, colleague = await _with_a_colleague()
    await actions.write_note(negotiation_id=talk, text=SECRET, by=colleague.actor)
    await actions.assign_talk(negotiation_id=talk, person_id=colleague.id, by=stage.seller.actor)
    today = clock.now().date()
    await set_away(by=colleague.actor, first=today - timedelta(days=1), last=today + timedelta(days=9))
    await sign_in(client, stage.seller)
    part = await client.get(f"/talks/{talk}/team", headers={"hx-request": "true"})
    assert SECRET in unescape(part.text)
    assert "<form" not in part.text
    assert "away until" in part.text
    assert (await client.get(f"/talks/{talk}/team")).headers["location"] == f"/talks/{talk}#team"
    assert "Côme Collègue, away until" in await _page(client, stage.seller, f"/talks/{talk}")
    await sign_in(client, stage.buyer)
    part = await client.get(f"/talks/{talk}/team", headers={"hx-request": "true"})
    assert SECRET not in unescape(part.text)
    assert "Collègue" not in part.text


async def test_the_doors_for_programs_assign_and_note(client: httpx.AsyncClient) -> None:
    stage, talk, colleague = await _with_a_colleague()
    token, at = await bearer(stage.seller), f"/api/v1/negotiations/{talk}"
    given = await client.post(f"{at}/assignment", headers=token, json={"person_id": str(colleague.id)})
    assert given.json()["assigned_to"]["name"] == colleague.name
    noted = await client.post(f"{at}/notes", headers=token, json={"text": SECRET})
    assert [n["text"] for n in noted.json()["notes"]] == [SECRET]
    refused = await client.post(f"{at}/assignment", headers=token, json={"person_id": str(stage.buyer.id)})
    assert refused.status_code == 422
    stranger = await bearer(await make_person())
    assert (await client.get(f"{at}/team", headers=stranger)).status_code == 404


@pytest.mark.parametrize(
    ("at", "says"),
    [
        (datetime(2026, 11, 21, 12, tzinfo=UTC), "answers from Monday"),  # a Saturday
        (datetime(2026, 11, 23, 5, tzinfo=UTC), "answers later today"),
        (datetime(2026, 11, 23, 10, tzinfo=UTC), None),
        (datetime(2026, 12, 24, 20, tzinfo=UTC), "answers from Monday"),  # Christmas is a Friday
    ],
)
async def test_who_is_closed_is_shown_by_the_day_they_answer_and_no_more(
    client: httpx.AsyncClient, at: datetime, says: str | None
) -> None:
    hours = WorkingHours("Europe/Paris", "FR", time(7, 43), time(16, 17))
    with clock.frozen(at):
        stage = await staged(seller=await make_company(hours=hours))
        form = await _page(client, stage.buyer, f"/lots/{stage.lot_id}/offer")
        page = await _page(client, stage.buyer, f"/talks/{await stage.offer()}")
    for text in (form, page):
        assert (says in text) if says else ("losed now" not in text)
    assert "7:43" not in form
    assert "olida" not in form + page.split("<aside")[0], "the reason stays theirs"


async def test_a_day_more_than_a_week_ahead_is_told_by_its_week(client: httpx.AsyncClient) -> None:
    hours = WorkingHours("Europe/Paris", "FR", time(9), time(16), frozenset({4}))
    with clock.frozen(datetime(2026, 12, 19, 12, tzinfo=UTC)):  # Fridays only, and the next two are holidays
        stage = await staged(seller=await make_company(hours=hours))
        assert "answers in the week of 4 January 2027" in await _page(
            client, stage.buyer, f"/lots/{stage.lot_id}/offer"
        )


@pytest.mark.parametrize("who", ["everybody", "the company"])
async def test_an_absence_is_shown_to_the_other_side_by_its_end_and_shifts_no_clock(
    client: httpx.AsyncClient, who: str
) -> None:
    tuesday = datetime(2026, 11, 24, 10, tzinfo=UTC)
    with clock.frozen(tuesday):
        stage = await staged(seller=await make_company(hours=OFFICE))
        colleague = await make_person(stage.seller.company)
        talk = await stage.offer()
        deadline = await fetchval("select deadline from negotiation")
        assert "losed now" not in await _page(client, stage.buyer, f"/talks/{talk}")
        for last, says in (
            (date(2026, 11, 27), "answers from Monday"),
            (date(2026, 12, 9), "in the week of 7 December"),
        ):
            days = {"first": tuesday.date(), "last": last}
            if who == "the company":
                await set_closed(by=stage.seller.actor, **days)
            else:
                await set_away(by=stage.seller.actor, **days)
                await set_away(by=colleague.actor, first=None, last=None)
                page = await _page(client, stage.buyer, f"/talks/{talk}")
                assert "losed now" not in page, "a colleague is there"
                await set_away(by=colleague.actor, **days)
            page = await _page(client, stage.buyer, f"/talks/{talk}")
            assert says in page
            assert "losed now" not in await _page(client, await make_person(), f"/lots/{stage.lot_id}/offer"), (
                "who talks about nothing yet could link the lots of one seller by such days"
            )
        assert await fetchval("select deadline from negotiation") == deadline


async def test_mail_about_a_talk_goes_to_a_colleague_who_is_there_when_it_leaves() -> None:
    friday_evening = datetime(2026, 11, 27, 20, tzinfo=UTC)
    with clock.frozen(friday_evening):
        stage = await staged(seller=await make_company(hours=OFFICE))
        colleague = await make_person(stage.seller.company)
        await stage.offer()
        offer_id = await fetchval("select id from offer")

        async def receiver() -> UUID | None:
            told = await offer_told(offer_id)
            return told.receiver if told else None

        assert await receiver() == stage.seller.id
        await set_away(by=stage.seller.actor, first=date(2026, 11, 27), last=date(2026, 11, 29))
        assert await receiver() == stage.seller.id, "back on Monday, when the mail leaves"
        await set_away(by=stage.seller.actor, first=date(2026, 11, 30), last=date(2026, 12, 2))
        assert await receiver() == colleague.id
        await set_away(by=colleague.actor, first=date(2026, 11, 28), last=date(2026, 12, 2))
        assert await receiver() == stage.seller.id, "nobody is there: whose talk it is"


async def _page(client: httpx.AsyncClient, person: MadePerson, path: str) -> str:
    await sign_in(client, person)
    return unescape((await client.get(path)).text)


async def test_a_note_is_no_empty_row_in_the_database() -> None:
    stage, talk, _ = await _with_a_colleague()
    with pytest.raises(Exception, match="note_says_something"):
        await execute(
            "insert into talk_note (id, lot_id, negotiation_id, company_id, person_id, body, written_at) "
            "select $1, lot_id, id, seller_company_id, $2, '', now() from negotiation where id = $3",
            uuid4(),
            stage.seller.id,
            talk,
        )
