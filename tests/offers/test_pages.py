"""The doors of talks for people."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from html import unescape
from uuid import UUID, uuid4

import httpx
import pytest
from litestar.response import ServerSentEvent

from exchange import clock
from exchange.clock import now
from exchange.companies.actions.vetting import keep_bands
from exchange.companies.rules import DealsBand, ReliabilityBand
from exchange.companies.tables import CompanyBlock
from exchange.database import execute, fetchval
from exchange.offers import actions
from exchange.offers.pages.shown import talk_mark
from tests.factories import MadePerson, bearer, make_company, make_person, sign_in
from tests.offers.stage import Stage, staged
from tests.offers.test_statements import noted

pytestmark = pytest.mark.usefixtures("db")
MOVE = {"price": "8,50", "quantity": "40", "incoterm": "FCA", "message": "Collected next week"}


async def _get(client: httpx.AsyncClient, person: MadePerson, path: str, **headers: str) -> httpx.Response:
    await sign_in(client, person)
    return await client.get(path, headers=headers)


async def _post(client: httpx.AsyncClient, person: MadePerson, path: str, **form: str) -> httpx.Response:
    await sign_in(client, person)
    return await client.post(path, data=form)


def _names(stage: Stage) -> list[str]:
    assert stage.seller.company
    assert stage.buyer.company
    return [
        name
        for side in (stage.seller, stage.buyer)
        for name in (side.company.legal_name, side.company.trading_name, str(side.company.id), side.name)  # type: ignore[union-attr]
    ]


async def test_a_page_carries_the_mark_of_what_it_shows(client: httpx.AsyncClient) -> None:
    stage = await staged()
    talk, by = await stage.offer(), stage.seller.actor
    colleague = await make_person(stage.seller.company)

    async def marks(**headers: str) -> str:
        page = await _get(client, stage.seller, f"/talks/{talk}", **headers)
        return ".".join(re.findall(r'data-mark="(\w+)"', page.text))

    seen = [await marks()]
    for happens in (
        lambda: actions.assign_talk(negotiation_id=talk, person_id=colleague.id, by=by),
        lambda: actions.write_note(negotiation_id=talk, text="Plancher à 8", by=by),
        lambda: stage.counter(talk),
        lambda: stage.withdraw(talk, by=stage.seller),
        lambda: stage.offer("9"),
        lambda: stage.accept(talk, "9"),
        lambda: actions.write_message(negotiation_id=talk, text="Quai 3", by=by),
    ):
        assert await talk_mark(by, talk) == seen[-1], "a stream opened now has nothing to say"
        await happens()
        seen.append(await marks())
    assert len(set(seen)) == len(seen)
    thread = await marks(**{"hx-request": "true"})
    inside = (await client.get(f"/talks/{talk}/team", headers={"hx-request": "true"})).text
    assert thread == seen[-1].split(".")[0], "what is asked for anew brings its own"
    assert seen[-1].split(".")[1] in inside


async def test_a_stream_loads_its_talk_once_and_after_it_listens(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = await staged()
    talk, marks = await stage.offer(), list[str]()

    def listening(_: object, *names: str, now: Callable[[], Awaitable[str]], **__: object) -> ServerSentEvent:
        async def events() -> AsyncIterator[str]:
            await stage.counter(talk)  # between the page and its stream
            marks.append(await now())
            yield names[0]

        return ServerSentEvent(events())

    monkeypatch.setattr("exchange.offers.pages.talk.live", listening)
    page = await _get(client, stage.seller, f"/talks/{talk}")
    asked = f"/talks/{talk}/live"
    async with noted() as sent:
        assert talk.hex in (await client.get(asked)).text
    loads = [sql for sql in sent if "n.*, l.state as lot_state" in sql]
    assert len(loads) == 2, "the counter's, and the stream's one"
    assert marks[0].split(".")[0] not in page.text
    await sign_in(client, await make_person())
    async with noted() as sent:
        assert (await client.get(asked)).status_code == 404
    assert not [sql for sql in sent if "n.*" in sql]


async def test_a_first_offer_begins_a_talk(client: httpx.AsyncClient) -> None:
    stage = await staged()
    form = await _get(client, stage.buyer, f"/lots/{stage.lot_id}/offer")
    assert form.status_code == 200
    answer = await _post(client, stage.buyer, f"/lots/{stage.lot_id}/offer", **MOVE)
    assert answer.status_code == 303
    page = await client.get(answer.headers["location"])
    assert page.status_code == 200
    assert "8.50" in page.text
    assert "340.00" in page.text, "the total"
    again = await client.get(f"/lots/{stage.lot_id}/offer")
    assert again.headers["location"] == answer.headers["location"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"price": "dix"}, "price"),
        ({"price": "-3"}, "price"),
        ({"price": "11"}, "price"),
        ({"quantity": "1,5"}, "quantity"),
        ({"quantity": "101"}, "quantity"),
        ({"quantity": "99999999999999"}, "quantity"),
        ({"incoterm": "XXX"}, "incoterm"),
        ({"message": "call me at the shop"}, "message"),
        ({"message": "x" * 2001}, "message"),
    ],
)
async def test_a_refused_form_keeps_what_was_typed_and_points_at_the_field(
    client: httpx.AsyncClient, wrong: dict[str, str], field: str
) -> None:
    stage = await staged()
    sent = MOVE | wrong
    answer = await _post(client, stage.buyer, f"/lots/{stage.lot_id}/offer", **sent)
    assert answer.status_code == 422
    assert re.search(rf'name="{field}"[^>]*aria-invalid="true"', answer.text)
    if field != "message":
        assert "Collected next week" in answer.text
    if field == "quantity":
        assert f'value="{sent["quantity"]}"' in answer.text


async def test_a_masked_page_holds_no_name_and_the_agreed_one_does(client: httpx.AsyncClient) -> None:
    stage = await staged()
    talk = await stage.offer(message="Bonjour")
    await stage.counter(talk, "9")
    for side in (stage.buyer, stage.seller):
        own = {side.name, side.company.trading_name if side.company else ""}
        for path in (f"/talks/{talk}", "/talks", f"/lots/{stage.lot_id}/offer"):
            page = await _get(client, side, path)
            text = unescape(page.text)
            assert [n for n in _names(stage) if n in text and not any(n in o or o in n for o in own)] == []
    await _post(client, stage.buyer, f"/talks/{talk}/acceptance", price="9.00", quantity="100")
    page = await client.get(f"/talks/{talk}")
    assert stage.seller.company
    assert stage.seller.company.trading_name in unescape(page.text)


async def test_each_side_reads_place_and_record_of_the_other_as_bands_within_the_talk_alone(
    client: httpx.AsyncClient,
) -> None:
    stage = await staged()
    assert stage.seller.company
    assert stage.buyer.company
    for company, deals, reliability in (
        (stage.seller.company, DealsBand.MANY, ReliabilityBand.SOLID),
        (stage.buyer.company, DealsBand.FEW, ReliabilityBand.UNKNOWN),
    ):
        await keep_bands(company.id, deals, reliability)
    await execute("update company set country = 'IE', region = 'Connacht' where id = $1", stage.buyer.company.id)
    assert "20 to 99 deals" not in (await _get(client, stage.buyer, f"/lots/{stage.lot_id}")).text
    talk = await stage.offer()
    seller = (await _get(client, stage.buyer, f"/talks/{talk}")).text
    assert "Northern France · France" in seller
    assert "In the last twelve months: 20 to 99 deals, kept its word in at least 19 deals in 20<" in seller
    buyer = (await _get(client, stage.seller, f"/talks/{talk}")).text
    assert "Northern Europe · Ireland" in buyer
    assert "Connacht" not in buyer
    assert "In the last twelve months: fewer than 5 deals<" in buyer
    told = (await client.get(f"/api/v1/negotiations/{talk}", headers=await bearer(stage.buyer))).json()
    assert [told[f"other_{what}"] for what in ("country", "region", "deals", "reliability")] == [
        "FR", "fr-north", "many", "solid",
    ]  # fmt: skip


async def test_the_seller_counters_and_the_buyer_accepts(client: httpx.AsyncClient) -> None:
    stage = await staged()
    talk = await stage.offer()
    countered = await _post(
        client, stage.seller, f"/talks/{talk}/offers", **MOVE | {"price": "9", "cost": "end_of_season", "seen": "1"}
    )
    assert countered.status_code == 303
    page = await _get(client, stage.buyer, f"/talks/{talk}")
    hidden = dict(re.findall(r'<input type="hidden" name="(price|quantity|seen)" value="([^"]+)"', page.text))
    assert hidden == {"price": "9.00", "quantity": "40", "seen": "2"}
    assert "in all, without VAT, handed to the carrier (FCA). You both are bound" in unescape(page.text)
    accepted = await client.post(f"/talks/{talk}/acceptance", data=hidden)
    assert accepted.status_code == 303
    assert await stage.left() == 60


async def test_a_stale_form_is_refused_and_what_was_typed_is_kept(client: httpx.AsyncClient) -> None:
    stage = await staged()
    talk = await stage.offer("8")
    await stage.withdraw(talk)
    await stage.offer("8.20")
    answer = await _post(
        client, stage.seller, f"/talks/{talk}/offers", **MOVE | {"seen": "1", "message": "Precious words"}
    )
    assert answer.status_code == 409
    assert "Precious words" in answer.text
    assert await fetchval("select count(*) from offer") == 2


async def test_an_acceptance_of_a_changed_price_is_refused_with_the_new_one(client: httpx.AsyncClient) -> None:
    stage = await staged()
    talk = await stage.offer("8")
    answer = await _post(client, stage.seller, f"/talks/{talk}/acceptance", price="7.00", quantity="100")
    assert answer.status_code == 409
    assert "€8.00" in answer.text
    assert await stage.state(talk) == "live"


async def test_below_the_answered_price_the_seller_is_asked_on_the_form_itself(client: httpx.AsyncClient) -> None:
    stage = await staged()
    talk = await stage.offer("8")
    page = await _get(client, stage.seller, f"/talks/{talk}")
    assert 'id="accept-cost"' in page.text
    refused = await client.post(f"/talks/{talk}/acceptance", data={"price": "8", "quantity": "100"})
    assert refused.status_code == 422
    accepted = await client.post(
        f"/talks/{talk}/acceptance", data={"price": "8", "quantity": "100", "cost": "end_of_season"}
    )
    assert accepted.status_code == 303
    buyers = await _get(client, stage.buyer, f"/talks/{talk}")
    assert "cost" not in buyers.text


@pytest.mark.parametrize(("noun", "state"), [("refusal", "refused"), ("withdrawal", "withdrawn")])
async def test_an_offer_is_declined_or_withdrawn(client: httpx.AsyncClient, noun: str, state: str) -> None:
    stage = await staged()
    talk = await stage.offer()
    side = stage.seller if noun == "refusal" else stage.buyer
    assert (await _post(client, side, f"/talks/{talk}/{noun}", seen="1")).status_code == 303
    assert await stage.state(talk) == state
    assert (await client.post(f"/talks/{talk}/{noun}", data={"seen": "1"})).status_code == 409


async def test_a_rival_sees_nothing(client: httpx.AsyncClient) -> None:
    stage = await staged()
    talk, rival = await stage.offer(), await make_person()
    missing = await _get(client, rival, f"/talks/{uuid4()}")
    seen = await client.get(f"/talks/{talk}")
    assert (seen.status_code, missing.status_code) == (404, 404)
    assert seen.text.replace(str(talk), "") == re.sub(r"[0-9a-f-]{36}", "", missing.text) or len(seen.text) == len(
        missing.text
    )
    for noun in ("offers", "acceptance", "refusal", "withdrawal"):
        answer = await client.post(f"/talks/{talk}/{noun}", data=MOVE)
        assert answer.status_code == 404, noun
    assert (await client.get(f"/talks/{talk}/live")).status_code == 404
    assert str(talk) not in (await client.get("/talks")).text


async def test_a_blocked_rivals_offer_form_is_the_one_of_a_lot_that_does_not_exist(client: httpx.AsyncClient) -> None:
    stage = await staged()
    assert stage.seller.company
    assert stage.buyer.company
    await CompanyBlock(id=uuid4(), company_id=stage.seller.company.id, rival_id=stage.buyer.company.id).save()
    hidden = await _get(client, stage.buyer, f"/lots/{stage.lot_id}/offer")
    missing = await client.get(f"/lots/{UUID(int=1)}/offer")
    assert (hidden.status_code, missing.status_code) == (404, 404)
    posted = await client.post(f"/lots/{stage.lot_id}/offer", data=MOVE)
    assert posted.status_code == 404


async def test_an_open_page_gets_the_thread_alone_and_a_form_only_when_it_has_none(client: httpx.AsyncClient) -> None:
    stage = await staged()
    talk = await stage.offer()
    part = await _get(client, stage.seller, f"/talks/{talk}", **{"hx-request": "true"})
    assert "<html" not in part.text
    assert 'id="answer" hx-swap-oob' in part.text
    typing = await _get(client, stage.seller, f"/talks/{talk}?seen=1", **{"hx-request": "true"})
    assert "<textarea" not in typing.text, "what somebody types in is never replaced"
    assert 'id="seen"' in typing.text
    waiting = await _get(client, stage.buyer, f"/talks/{talk}", **{"hx-request": "true"})
    assert "<textarea" not in waiting.text


async def test_the_clock_is_shown_in_both_zones(client: httpx.AsyncClient) -> None:
    from exchange.companies.rules import WorkingHours

    stage = await staged(seller=await make_company(country="GB", hours=WorkingHours("Europe/London", "GB")))
    talk = await stage.offer()
    page = await _get(client, stage.buyer, f"/talks/{talk}")
    assert "their time" in page.text


async def test_the_list_says_what_awaits_whom_and_declines_the_ticked(client: httpx.AsyncClient) -> None:
    stage = await staged()
    first, second = await stage.offer(), await stage.offer("7", by=await stage.another_buyer())
    page = await _get(client, stage.seller, "/talks")
    assert page.text.count('name="talk"') == 2
    stale = dict(re.findall(r'name="(seen\.[^"]+)" value="([^"]+)"', page.text))
    await stage.withdraw(second, by=stage.buyers[0])
    await stage.offer("9", by=stage.buyers[0])
    ticked = {"talk": [str(first), str(second), "rubbish"]}
    answer = await client.post("/talks/refusals", data=ticked | stale)
    assert answer.status_code == 303
    assert [await stage.state(first), await stage.state(second)] == ["refused", "live"], "the better offer was unseen"
    assert "changed meanwhile: 1" in unescape((await client.get("/talks")).text)
    await client.post("/talks/refusals", data={"talk": str(second)})
    assert await stage.state(second) == "live", "a tick that shows nothing declines nothing"
    for show in ("", "?show=me", "?show=them", "?show=nobody", "?show=rubbish"):
        assert (await client.get(f"/talks{show}")).status_code == 200


@pytest.mark.parametrize("ending", ["refuse", "withdraw", "accept", "expire", "sell"])
async def test_every_end_has_a_page_in_both_languages(client: httpx.AsyncClient, ending: str) -> None:
    stage = await staged()
    at = now()
    talk = await stage.offer()
    if ending == "sell":
        await stage.accept(await stage.offer(by=await stage.another_buyer()))
    elif ending == "expire":
        at += timedelta(days=30)
    else:
        await getattr(stage, ending)(talk)
    with clock.frozen(at + timedelta(seconds=1)):
        for side in (stage.seller, stage.buyer, await make_person(stage.buyer.company, language="fr")):
            assert (await _get(client, side, f"/talks/{talk}")).status_code == 200
            assert (await _get(client, side, "/talks")).status_code == 200
