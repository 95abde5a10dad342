"""An open page of what awaits a company says at once what comes to await it."""

from datetime import UTC, datetime
from functools import partial

from litestar import Response, get
from litestar.channels import ChannelsPlugin
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import ServerSentEvent

from exchange.actor import Actor
from exchange.errors import NotSeen
from exchange.offers.queries.inbox import count_awaiting
from exchange.offers.queries.news import news_channel, news_since
from exchange.web.guards import viewer_of
from exchange.web.render import Web, render
from exchange.web.stream import live, opened

NEWS = "offers/_news.html"


@get("/talks/live")
async def listen(request: Web, channels: NamedDependency[ChannelsPlugin], mark: FromQuery[str] = "") -> ServerSentEvent:
    """Tells such a page that somebody asks for a price or has made a move."""
    by = viewer_of(request).actor
    if by.company_id is None:
        raise NotSeen
    return live(channels, news_channel(by.company_id), seen=mark, now=partial(_mark_now, by, mark))


@get("/talks/news")
async def news(request: Web, since: FromQuery[str] = "") -> Response[str]:
    """What the page then says, and the number beside Talks; it takes nothing from under the reader's hands."""
    mark = opened()
    by = viewer_of(request).actor
    found = await news_since(by, _instant(since))
    return render(request, NEWS, fragment=NEWS, opened=mark, news=found, waiting=await count_awaiting(by))


async def _mark_now(by: Actor, mark: str) -> str:
    """The mark itself while nothing has come since."""
    return opened() if await news_since(by, _instant(mark)) else mark


def _instant(mark: str) -> datetime:
    known = mark.isascii() and mark.isdigit() and len(mark) < 15
    return datetime.fromtimestamp(int(mark) / 1000 if known else 0, UTC)
