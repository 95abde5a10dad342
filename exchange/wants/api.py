"""The doors of wants for programs."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Router, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from pydantic import BaseModel, ConfigDict, Field

from exchange.clock import now
from exchange.listings.rules.grades import Grade
from exchange.listings.rules.lots import Incoterm
from exchange.money import Money
from exchange.wants import actions
from exchange.wants.queries import OwnWant, matches_seen_by, want_seen_by, wants_of
from exchange.wants.rules import Closeness, Wanted, codes
from exchange.web.guards import trading, viewer_of
from exchange.web.viewer import Viewer

Call = Request[Viewer | None, Any, Any]
Units = Annotated[int, Field(ge=1, le=10**9)]


class WantIn(BaseModel):
    """Standing demand: at least one of category, brand and gtins."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "category": "footwear",
                "brand": "Sabotier",
                "worst_grade": "B",
                "quantity_min": 50,
                "price_ceiling_minor": 900,
                "expires_at": "2027-03-31T22:00:00Z",
            }
        },
    )

    category: str | None = None
    brand: Annotated[str, Field(max_length=80)] = ""
    gtins: Annotated[list[str], Field(max_length=500)] = []
    worst_grade: Grade = Grade.D
    quantity_min: Units = 1
    quantity_max: Units | None = None
    price_ceiling_minor: int | None = Field(None, gt=0, le=10**12, description="per unit, in your company's currency")
    regions: list[str] = []
    incoterms: list[Incoterm] = []
    expires_at: datetime


class WantOut(BaseModel):
    """One of your wants."""

    id: UUID
    open: bool
    category: str | None
    brand: str
    gtins: list[str]
    worst_grade: Grade
    quantity_min: int
    quantity_max: int | None
    price_ceiling_minor: int | None
    currency: str | None
    regions: list[str]
    incoterms: list[Incoterm]
    created_at: datetime
    expires_at: datetime
    lots: int = Field(description="lots for sale that meet it now")


class MatchOut(BaseModel):
    """A lot that meets a want."""

    lot_id: UUID
    title: str
    category: str
    grade: Grade
    country: str
    available: int
    unit_ask_minor: int
    currency: str
    closeness: Closeness
    seller: str = Field(description="the seller's mask on this lot")


class WantWithMatches(WantOut):
    """One of your wants with the lots that meet it, closest first."""

    matches: list[MatchOut]


class WantPage(BaseModel):
    """One page of wants; ``next`` is the ``after`` of the following one."""

    items: list[WantOut]
    next: UUID | None


@get("/", summary="Your wants")
async def index(request: Call, after: FromQuery[UUID | None] = None) -> WantPage:
    found = await wants_of(viewer_of(request).actor, after=after, limit=51)
    return WantPage(items=[WantOut(**_out(w)) for w in found[:50]], next=found[49].id if len(found) > 50 else None)


@post("/", summary="Say what you look for")
async def open_want(request: Call, data: JSONBody[WantIn]) -> WantWithMatches:
    viewer = viewer_of(request)
    expires_at = data.expires_at if data.expires_at.tzinfo else data.expires_at.replace(tzinfo=now().tzinfo)
    wanted = Wanted(
        quantity_min=data.quantity_min,
        quantity_max=data.quantity_max,
        expires_at=expires_at,
        category=data.category,
        brand=data.brand,
        gtins=codes(" ".join(data.gtins)),
        worst_grade=data.worst_grade,
        ceiling=None if data.price_ceiling_minor is None else Money(data.price_ceiling_minor, viewer.currency),
        regions=tuple(data.regions),
        incoterms=tuple(data.incoterms),
    )
    return await _shown(viewer, await actions.open_want(wanted=wanted, currency=viewer.currency, by=viewer.actor))


@get("/{want_id:uuid}", summary="A want with the lots that meet it")
async def show(request: Call, want_id: FromPath[UUID]) -> WantWithMatches:
    return await _shown(viewer_of(request), want_id)


@post("/{want_id:uuid}/closure", summary="Stop looking for it")
async def close(request: Call, want_id: FromPath[UUID]) -> WantWithMatches:
    viewer = viewer_of(request)
    await actions.close_want(want_id=want_id, by=viewer.actor)
    return await _shown(viewer, want_id)


async def _shown(viewer: Viewer, want_id: UUID) -> WantWithMatches:
    want = await want_seen_by(viewer.actor, want_id)
    matches = await matches_seen_by(viewer.actor, want_id, viewer.language)
    return WantWithMatches(
        **_out(want),
        matches=[
            MatchOut(
                lot_id=m.lot_id,
                title=m.title,
                category=m.category,
                grade=m.grade,
                country=m.country,
                available=m.left,
                unit_ask_minor=m.unit_ask.minor,
                currency=m.unit_ask.currency,
                closeness=m.closeness,
                seller=m.seller,
            )
            for m in matches
        ],
    )


def _out(want: OwnWant) -> dict[str, Any]:
    wanted = want.wanted
    return {
        "id": want.id,
        "open": want.is_open(now()),
        "category": wanted.category,
        "brand": wanted.brand,
        "gtins": list(wanted.gtins),
        "worst_grade": wanted.worst_grade,
        "quantity_min": wanted.quantity_min,
        "quantity_max": wanted.quantity_max,
        "price_ceiling_minor": wanted.ceiling.minor if wanted.ceiling else None,
        "currency": wanted.ceiling.currency if wanted.ceiling else None,
        "regions": list(wanted.regions),
        "incoterms": list(wanted.incoterms),
        "created_at": want.created_at,
        "expires_at": wanted.expires_at,
        "lots": want.lots,
    }


router = Router("/wants", route_handlers=[index, open_want, show, close], guards=[trading], tags=["wants"])
