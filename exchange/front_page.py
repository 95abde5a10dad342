"""The front door: what Confrère is, for visitors; what awaits them today, for members; the desk, for the operator.

The one page that looks into several domains at once, which is why it stands above them.
"""

from dataclasses import dataclass, replace
from uuid import UUID

from litestar import Response, Router, get

from exchange.actor import Actor
from exchange.companies.actions.recognition import recognise_session, recognise_token
from exchange.offers.queries.inbox import Awaits, InboxRow, count_awaiting, inbox_of
from exchange.offers.queries.requests import Asked, requests_to
from exchange.settlement.queries.deals import Deal, deals_of
from exchange.settlement.rules.deal import Side
from exchange.settlement.rules.timeline import Next
from exchange.web.render import Web, render, see_other
from exchange.web.stream import opened
from exchange.web.viewer import Viewer

SHOWN = 6
"""Talks, requests and deals each; the rest is a link away."""


@dataclass(frozen=True, slots=True)
class Awaiting:
    """A deal in which the next step is this company's."""

    id: UUID
    label: str
    other: str
    step: Next


@get("/")
async def front(request: Web) -> Response[str]:
    """Everybody's first page."""
    viewer = request.user
    if viewer is None:
        return render(request, "home.html")
    if viewer.actor.is_operator:
        return see_other(request, "/operator")
    mark = opened()
    talks: list[InboxRow] = []
    asked: list[Asked] = []
    deals: list[Awaiting] = []
    if viewer.was_vetted:
        talks = (await inbox_of(viewer.actor, show=Awaits.ME, limit=SHOWN)).rows
        asked = await requests_to(viewer.actor, limit=SHOWN) if viewer.vetted else []
        deals = awaiting(viewer.actor, await deals_of(viewer.actor, limit=2 * SHOWN))[:SHOWN]
    return render(request, "today.html", talks=talks, asked=asked, deals=deals, opened=mark)


def awaiting(actor: Actor, deals: list[Deal]) -> list[Awaiting]:
    """Those of ``deals`` in which ``actor`` is the one to act, with what is to be done."""
    found = []
    for deal in deals:
        side = deal.side_of(actor)
        step = deal.next_for(side)
        if step is not None and step.whose is side and side is not Side.OPERATOR:
            found.append(Awaiting(deal.id, deal.label, deal.other_name(side), step))
    return found


async def by_session(secret: str) -> Viewer | None:
    """The viewer behind a session cookie, with the number the navigation shows beside Talks."""
    return await _with_waiting(await recognise_session(secret))


async def by_token(secret: str) -> Viewer | None:
    """The viewer behind an API token."""
    return await recognise_token(secret)


async def _with_waiting(viewer: Viewer | None) -> Viewer | None:
    if viewer is None or not viewer.vetted or viewer.actor.company_id is None:
        return viewer
    return replace(viewer, waiting=await count_awaiting(viewer.actor))


router = Router("/", route_handlers=[front], include_in_schema=False)
