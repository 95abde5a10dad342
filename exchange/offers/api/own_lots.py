"""The list of one's own lots, for programs."""

from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Request, get
from litestar.params import FromQuery
from pydantic import BaseModel, Field

from exchange.listings.rules.lots import LotState
from exchange.offers.queries.own_lots import OwnLot, Shelf, own_lots
from exchange.web.guards import member, viewer_of
from exchange.web.viewer import Viewer


class OwnLotRow(BaseModel):
    """A lot of yours in the list."""

    id: UUID
    title: str
    grade: str
    state: LotState = Field(description="by the clock")
    unit_ask_minor: int
    currency: str
    quantity: int
    left: int
    reserved: int
    expires_at: datetime
    offers: int = Field(description="offers that await your answer")
    requests: int = Field(description="requests for a price that await it")


class OwnLotPage(BaseModel):
    """One page of your lots."""

    items: list[OwnLotRow]
    counts: dict[Shelf, int]
    next: UUID | None = Field(description="pass as `after` for the next page")


@get("/lots/mine", guards=[member], tags=["lots"], summary="Your own lots, and how many answers each awaits")
async def index(
    request: Request[Viewer | None, Any, Any],
    show: FromQuery[Shelf | None] = None,
    q: FromQuery[str] = "",
    after: FromQuery[UUID | None] = None,
) -> OwnLotPage:
    """In any state, the latest first; ``q`` stands in the title."""
    found = await own_lots(viewer_of(request).actor, show=show, words=q, after=after)
    return OwnLotPage(items=[_row(lot) for lot in found.rows], counts=found.counts, next=found.next)


def _row(lot: OwnLot) -> OwnLotRow:
    return OwnLotRow(
        id=lot.id,
        title=lot.title,
        grade=lot.grade,
        state=lot.state,
        unit_ask_minor=lot.unit_ask.minor,
        currency=lot.unit_ask.currency,
        quantity=lot.quantity,
        left=lot.left,
        reserved=lot.reserved,
        expires_at=lot.expires_at,
        offers=lot.offers,
        requests=lot.requests,
    )
