"""The list of one's talks."""

from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromQuery

from exchange.companies.queries import mask
from exchange.errors import N_
from exchange.offers import actions
from exchange.offers.pages.reading import Form, ticked_in
from exchange.offers.queries.inbox import Assigned, Awaits, Side, inbox_of
from exchange.offers.queries.requests import count_requests_to, requests_to
from exchange.web.guards import viewer_of
from exchange.web.render import Web, language_of, render, see_other
from exchange.web.stream import opened

INDEX = "offers/index.html"
MOST_ASKED = 100
"""Requests for a price on one page."""


@get("/talks")
async def index(
    request: Web,
    show: FromQuery[str] = "",
    side: FromQuery[str] = "",
    who: FromQuery[str] = "",
    q: FromQuery[str] = "",
    after: FromQuery[UUID | None] = None,
) -> Response[str]:
    """What awaits me first, then what awaits them, then what has ended; a filter nobody knows filters nothing."""
    chosen = Awaits(show) if show in set(Awaits) else None
    of_side = Side(side) if side in set(Side) else None
    assigned = Assigned(who) if who in set(Assigned) else None
    actor, mark = viewer_of(request).actor, opened()
    inbox = await inbox_of(actor, show=chosen, side=of_side, assigned=assigned, words=q, after=after)
    # requests come to the seller's side, and no colleague looks after one before it is a talk
    none = of_side is Side.BUYER or assigned is Assigned.MINE
    here = not none and chosen in (None, Awaits.ME) and not after
    asked = await requests_to(actor, words=q, limit=MOST_ASKED) if here else []
    counted = none or (here and len(asked) < MOST_ASKED)
    requests = len(asked) if counted else await count_requests_to(actor, words=q)
    filters = {"side": of_side, "who": assigned, "q": q.strip()}
    language = language_of(request)
    return render(
        request,
        INDEX,
        inbox=inbox,
        asked=asked,
        opened=mark,
        requests=requests,
        asked_masks={r.id: mask(r.request.buyer, r.lot_id, language) for r in asked},
        show=chosen or "",
        filters=filters,
        kept={name: value for name, value in filters.items() if value},
        masks={row.id: row.other_name or mask(row.other, row.lot_id, language) for row in inbox.rows},
        after=after,
    )


@post("/talks/refusals")
async def refuse_several(request: Web, data: Form) -> Response[str]:
    """Decline the ticked offers; there is no accepting in bulk (rule 14)."""
    ticked = ticked_in(data)
    declined = await actions.refuse_offers(seen=ticked, by=viewer_of(request).actor)
    changed = len(ticked) - declined
    flash = N_("Offers declined: %(count)s. Left alone because they have changed meanwhile: %(changed)s. Look again.")
    return see_other(
        request,
        "/talks",
        flash=flash if changed else N_("Offers declined: %(count)s."),
        count=declined,
        changed=changed,
    )
