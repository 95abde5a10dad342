"""The list of one's own lots."""

from uuid import UUID

from litestar import Response, get
from litestar.params import FromQuery

from exchange.offers.queries.own_lots import Shelf, own_lots
from exchange.web.guards import viewer_of
from exchange.web.render import Web, render
from exchange.web.stream import opened


@get("/lots/mine")
async def index(
    request: Web, show: FromQuery[str] = "", q: FromQuery[str] = "", after: FromQuery[UUID | None] = None
) -> Response[str]:
    """Everything the company lists or listed, the latest first; a filter nobody knows filters nothing."""
    chosen, mark = Shelf(show) if show in set(Shelf) else None, opened()
    return render(
        request,
        "offers/own_lots.html",
        lots=await own_lots(viewer_of(request).actor, show=chosen, words=q, after=after),
        show=chosen or "",
        words=q.strip(),
        after=after,
        opened=mark,
    )
