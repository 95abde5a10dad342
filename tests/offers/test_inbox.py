"""The list of talks: filters, counts that follow them, names once agreed, and its page."""

from html import unescape
from uuid import UUID, uuid4

import httpx
import pytest

from exchange.actor import Role
from exchange.companies.actions.members import remove_colleague
from exchange.offers import actions
from exchange.offers.queries.inbox import Assigned, Awaits, Inbox, Side, inbox_of
from tests.factories import MadePerson, bearer, make_person, sign_in
from tests.offers.stage import Stage, staged

pytestmark = pytest.mark.usefixtures("db")


async def _both_sides() -> tuple[Stage, MadePerson, UUID, UUID, UUID]:
    """A company that sells in two talks and buys in a third, with a colleague."""
    stage = await staged()
    colleague = await make_person(stage.seller.company, name="Côme Collègue")
    first = await stage.offer()
    second = await stage.offer("7", by=await stage.another_buyer())
    bought = await (await staged()).offer(by=stage.seller)
    return stage, colleague, first, second, bought


def _ids(inbox: Inbox) -> set[UUID]:
    return {row.id for row in inbox.rows}


async def test_each_filter_keeps_its_talks_and_counts_them() -> None:
    stage, colleague, first, second, bought = await _both_sides()
    await actions.assign_talk(negotiation_id=first, person_id=colleague.id, by=stage.seller.actor)
    me = stage.seller.actor
    sold = await inbox_of(me, side=Side.SELLER)
    assert (_ids(sold), sold.counts) == ({first, second}, {Awaits.ME: 2, Awaits.THEM: 0, Awaits.NOBODY: 0})
    buying = await inbox_of(me, side=Side.BUYER)
    assert (_ids(buying), buying.counts) == ({bought}, {Awaits.ME: 0, Awaits.THEM: 1, Awaits.NOBODY: 0})
    assert _ids(await inbox_of(colleague.actor, assigned=Assigned.MINE)) == {first}
    assert _ids(await inbox_of(me, assigned=Assigned.MINE)) == set()
    assert _ids(await inbox_of(me, assigned=Assigned.NOBODY)) == {second, bought}
    assert _ids(await inbox_of(me, words="SÀBOTS")) == {first, second, bought}
    nothing = await inbox_of(me, words="100%")
    assert (nothing.rows, nothing.counts[Awaits.ME], nothing.next) == ([], 0, None)


async def test_the_counts_of_every_kind_stay_when_one_is_shown() -> None:
    stage, _, first, *_ = await _both_sides()
    await actions.refuse_offer(negotiation_id=first, by=stage.seller.actor)
    shown = await inbox_of(stage.seller.actor, show=Awaits.NOBODY)
    assert (_ids(shown), shown.counts) == ({first}, {Awaits.ME: 1, Awaits.THEM: 1, Awaits.NOBODY: 1})


@pytest.mark.parametrize("show", [None, *Awaits])
async def test_pages_of_one_hold_together_what_the_counts_say(show: Awaits | None) -> None:
    stage, _, first, *_ = await _both_sides()
    await actions.refuse_offer(negotiation_id=first, by=stage.seller.actor)
    seen: list[UUID] = []
    after, counts = None, None
    while True:
        page = await inbox_of(stage.seller.actor, show=show, after=after, limit=1)
        counts = counts or page.counts
        assert page.counts == counts
        seen += [row.id for row in page.rows]
        if (after := page.next) is None:
            break
    assert len(seen) == len(set(seen)) == (counts[show] if show else sum(counts.values()))


async def test_a_cursor_that_left_the_list_begins_again() -> None:
    stage, _, first, *_ = await _both_sides()
    begun = await inbox_of(stage.seller.actor, show=Awaits.ME)
    for lost in (uuid4(), first):
        if lost == first:
            await actions.refuse_offer(negotiation_id=first, by=stage.seller.actor)
            begun = await inbox_of(stage.seller.actor, show=Awaits.ME)
        assert (await inbox_of(stage.seller.actor, show=Awaits.ME, after=lost)).rows == begun.rows


async def test_a_talk_of_somebody_who_left_is_looked_after_by_nobody() -> None:
    stage, colleague, first, *_ = await _both_sides()
    await actions.assign_talk(negotiation_id=first, person_id=colleague.id, by=stage.seller.actor)
    owner = await make_person(stage.seller.company, role=Role.OWNER)
    await remove_colleague(by=owner.actor, person_id=colleague.id)
    row = next(r for r in (await inbox_of(owner.actor)).rows if r.id == first)
    assert row.assignee is None
    assert first in _ids(await inbox_of(owner.actor, assigned=Assigned.NOBODY))


async def test_names_stand_in_the_list_once_agreed_and_not_before(client: httpx.AsyncClient) -> None:
    stage = await staged()
    talk = await stage.offer()
    assert stage.seller.company
    for agreed in (False, True):
        if agreed:
            await stage.accept(talk)
        await sign_in(client, stage.buyer)
        page = unescape((await client.get("/talks")).text)
        client.cookies.clear()
        answer = (await client.get("/api/v1/negotiations", headers=await bearer(stage.buyer))).text
        assert (stage.seller.company.trading_name in page) is agreed
        assert (stage.seller.company.trading_name in answer) is agreed


async def test_the_page_filters_and_keeps_its_filters(client: httpx.AsyncClient) -> None:
    stage, _, first, _, bought = await _both_sides()
    await sign_in(client, stage.seller)
    page = (await client.get("/talks?side=seller&q=sabots&who=nobody")).text
    assert f"/talks/{first}" in page
    assert f"/talks/{bought}" not in page
    assert "show=me" in page
    assert 'value="sabots"' in page
    empty = await client.get("/talks?q=introuvable")
    assert "No talk fits these filters" in empty.text
    for query in ("?side=x&who=y&show=z", "?q=%25%27%3Cscript%3E", f"?after={uuid4()}"):
        answer = await client.get(f"/talks{query}")
        assert answer.status_code == 200
        assert "<script>" not in answer.text.replace("<script src", "")


async def test_programs_filter_too(client: httpx.AsyncClient) -> None:
    stage, colleague, first, _, bought = await _both_sides()
    await actions.assign_talk(negotiation_id=first, person_id=colleague.id, by=stage.seller.actor)
    token = await bearer(colleague)
    mine = (await client.get("/api/v1/negotiations?assigned=mine&role=seller&q=sabots", headers=token)).json()
    assert [(row["id"], row["assigned_to"]) for row in mine["items"]] == [(str(first), "Côme Collègue")]
    assert mine["counts"] == {"me": 1, "them": 0, "nobody": 0}
    other = (await client.get("/api/v1/negotiations?role=buyer", headers=token)).json()
    assert [row["id"] for row in other["items"]] == [str(bought)]
    assert (await client.get("/api/v1/negotiations?role=x", headers=token)).status_code == 400


async def test_the_other_side_cannot_filter_by_our_team() -> None:
    stage, colleague, first, *_ = await _both_sides()
    await actions.assign_talk(negotiation_id=first, person_id=colleague.id, by=stage.seller.actor)
    assert first in _ids(await inbox_of(stage.buyer.actor, assigned=Assigned.NOBODY))
    assert {row.assignee for row in (await inbox_of(stage.buyer.actor)).rows} == {None}
