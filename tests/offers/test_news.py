"""What comes to await a company is said at once on its open pages, and on nobody else's."""

import asyncio
import re

import asyncpg
import httpx
import pytest
from litestar.response import ServerSentEvent

from exchange.offers.pages import news
from exchange.offers.queries.news import news_channel
from exchange.web.sign_in import VIEWERS
from tests.factories import MadePerson, make_person, sign_in
from tests.offers.stage import staged
from tests.offers.test_requests import ask, wanting


async def opened(client: httpx.AsyncClient, who: MadePerson, path: str = "/talks") -> str:
    """The mark of a page that ``who`` opens now."""
    await sign_in(client, who)
    page = (await client.get(path)).text
    assert 'data-live="/talks/live"' in page and "notice" not in page
    (mark,) = re.findall(r'hx-get="/talks/news\?since=(\d+)"', page)
    assert f'data-mark="{mark}"' in page
    return str(mark)


def beside_talks(page: str) -> str:
    """What the navigation says awaits the reader."""
    shown = r'<span id="waiting" class="count"( hidden)?[^>]*><span [^>]*>[^<]*</span>(\d+)<'
    (hidden, number), *more = re.findall(shown, page)
    assert not more and bool(hidden) == (number == "0")
    return str(number)


async def told(client: httpx.AsyncClient, mark: str) -> str:
    answer = await client.get("/talks/news", params={"since": mark}, headers={"hx-request": "true"})
    assert "<html" not in answer.text and "data-mark" in answer.text
    assert 'hx-swap-oob="true"' in answer.text
    page = re.sub(r'<span id="waiting".*?</span>\d+</span>', "", answer.text)
    return " ".join(re.sub("<[^>]*>", " ", page).split())


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("path", ["/", "/talks", "/lots/mine"])
async def test_an_open_page_of_the_seller_hears_of_requests_and_offers(client: httpx.AsyncClient, path: str) -> None:
    stage = await staged()
    mark = await opened(client, stage.seller, path)
    assert await told(client, mark) == ""
    await ask(await wanting(stage.buyer), stage.buyer, stage)
    assert "Somebody asks you for a price: Sabots" in await told(client, mark)
    talk = await stage.offer(by=await stage.another_buyer())
    assert "2 new offers and requests" in await told(client, mark)
    assert await told(client, str(int(mark) + 60_000)) == "", "what stood there already is no news"
    await stage.withdraw(talk, by=stage.buyers[0])
    assert "Somebody asks" in await told(client, mark), "what was taken back awaits nobody"


@pytest.mark.usefixtures("db")
async def test_the_number_beside_talks_moves_with_the_notice_and_with_an_open_talk(client: httpx.AsyncClient) -> None:
    stage = await staged()
    await sign_in(client, stage.seller)
    assert beside_talks((await client.get("/talks")).text) == "0"
    talk, other = await stage.offer(), await stage.offer(by=await stage.another_buyer())
    for page in ("/talks/news?since=0", f"/talks/{talk}?seen=1"):
        assert beside_talks((await client.get(page, headers={"hx-request": "true"})).text) == "2", page
    await stage.counter(talk)
    await stage.withdraw(other, by=stage.buyers[0])
    assert beside_talks((await client.get(f"/talks/{talk}?seen=1", headers={"hx-request": "true"})).text) == "0"
    await sign_in(client, stage.buyer)
    assert beside_talks((await client.get("/lots")).text) == "1"


@pytest.mark.usefixtures("db")
async def test_the_buyer_hears_of_the_answer_and_a_stranger_of_nothing(client: httpx.AsyncClient) -> None:
    stage, stranger = await staged(), await make_person()
    mark = await opened(client, stage.buyer)
    talk = await stage.offer()
    assert await told(client, mark) == "", "nobody is told of what he did himself"
    await sign_in(client, stage.seller)
    said = await told(client, mark)
    assert "A buyer makes you an offer: Sabots" in said and "Achille" not in said
    await stage.counter(talk)
    assert await told(client, mark) == ""
    await sign_in(client, stage.buyer)
    assert "The seller has answered you: Sabots" in await told(client, mark)
    await sign_in(client, stranger)
    assert await told(client, mark) == ""


async def test_what_comes_is_announced_to_the_company_that_is_to_answer(committed: None, database_url: str) -> None:
    stage, heard = await staged(), list[str]()
    assert stage.seller.company and stage.buyer.company
    seller, buyer = news_channel(stage.seller.company.id), news_channel(stage.buyer.company.id)
    listening = await asyncpg.connect(database_url)
    for channel in (seller, buyer):
        await listening.add_listener(channel, lambda *told: heard.append(f"{told[2]} {told[3].partition(' ')[0]}"))
    forgotten = list[str]()
    await listening.add_listener(VIEWERS, lambda *told: forgotten.append(told[3]))
    try:
        await ask(await wanting(stage.buyer), stage.buyer, stage)
        await stage.counter(await stage.offer())
        async with asyncio.timeout(5):
            while len(heard) < 3:
                await asyncio.sleep(0.01)
    finally:
        await listening.close()
    assert heard == [f"{seller} quote.asked", f"{seller} offer.made", f"{buyer} offer.made"]
    sides = [f"waiting {side.company.id}" for side in (stage.seller, stage.buyer) if side.company]
    assert set(forgotten) == set(sides), "the number beside Talks is asked for anew, by every process"
    assert forgotten.count(sides[1]) == 1, "the buyer's, when he is answered"


@pytest.mark.usefixtures("db")
async def test_a_page_listens_to_its_own_company_alone(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    who, heard = await make_person(), list[str]()

    def listening(_: object, *names: str, **__: object) -> ServerSentEvent:
        heard.extend(names)
        return ServerSentEvent([])

    monkeypatch.setattr(news, "live", listening)
    assert (await client.get("/talks/live")).status_code == 303
    await sign_in(client, who)
    assert (await client.get("/talks/live?mark=rubbish")).status_code == 200
    assert who.company
    assert heard == [news_channel(who.company.id)]


async def test_a_broken_mark_is_as_old_as_can_be() -> None:
    assert [news._instant(mark).year for mark in ("", "x", "-5", "9" * 40, "٣")] == [1970] * 5
    assert news._instant("99999999999999").year > 2026
