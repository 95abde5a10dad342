"""Lots as JSON: browsed, shown, written directly, pictured, taken down."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, delete, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath, FromQuery, JSONBody
from pydantic import BaseModel, ConfigDict, Field

from exchange.companies.queries import company_of
from exchange.errors import N_, Invalid
from exchange.listings.actions.lots import NewLot, publish_lot, withdraw_lot
from exchange.listings.actions.photos import add_photo, remove_photo
from exchange.listings.queries.lots import PAGE, LotCard, SeenLot, Wanted, browse, lot_seen_by
from exchange.listings.rules import codes
from exchange.listings.rules.articles import Article, unit_ask
from exchange.listings.rules.categories import CATEGORIES, REGIONS, SECTORS, region_of
from exchange.listings.rules.grades import Grade
from exchange.listings.rules.thresholds import ThresholdState
from exchange.listings.schemas import Amount, PublicationBody, ThresholdCount
from exchange.listings.spreadsheets.refusals import EmptyFile
from exchange.money import Money
from exchange.web.api_document import Parts
from exchange.web.guards import browsing, signed_in, trading, viewer_of
from exchange.web.render import language_of
from exchange.web.translations import say
from exchange.web.viewer import Viewer

Call = Request[Viewer | None, Any, Any]


class ArticleBody(BaseModel):
    """One line of a lot written directly."""

    title: str = Field(min_length=1, max_length=300)
    quantity: int = Field(ge=1, le=1_000_000)
    grade: Grade = Grade.A
    category: str | None = None
    seller_ref: str = Field(default="", max_length=120)
    gtin: str | None = None
    brand: str = Field(default="", max_length=80)
    model: str = Field(default="", max_length=120)
    rrp_minor: int | None = Field(default=None, gt=0)
    ask_minor: int | None = Field(default=None, gt=0)
    weight_g: int | None = Field(default=None, gt=0)


class NewLotBody(PublicationBody):
    """A lot without a stock list."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "title": "Enamel pans, end of line", "category": "tableware", "price_mode": "unit",
                "amount": {"minor": 1250, "currency": "EUR"}, "origin_declared": True,
                "partial": True, "minimum": 10, "threshold": 60,
                "cost_answer": "at_or_above_cost", "articles": [{"title": "Enamel pan 24 cm", "quantity": 120}],
            }
        }
    )  # fmt: skip

    articles: list[ArticleBody] = Field(min_length=1, max_length=5000)


class Card(BaseModel):
    """A lot in a list: bands and weeks only."""

    id: UUID
    title: str
    category: str
    grade: Grade
    country: str
    region: str
    brands: list[str]
    units_from: int
    units_to: int | None
    unit_ask: Amount
    discount_percent: int | None = Field(description="below retail")
    partial: bool
    threshold_state: ThresholdState | None = Field(description="set when it is sold only if enough of it is paid")
    week: str = Field(description="Monday of the week it was listed")
    mine: bool
    seller: str = Field(description="the pseudonym the seller wears on this lot alone")


class Cards(BaseModel):
    items: list[Card]
    next: UUID | None = Field(description="pass as `after` for the next page")


class ManifestLine(BaseModel):
    id: UUID
    position: int
    gtin: str | None
    title: str
    brand: str
    model: str
    quantity: int
    left: int
    rrp: Amount | None
    unit_ask: Amount | None
    grade: Grade
    seller_ref: str = Field(description="yours; empty on lots of others")


class OwnTerms(BaseModel):
    """What only the seller sees."""

    floor: Amount | None
    auto_accept: Amount | None
    reserved: int
    sold: int
    cost_answer: str | None
    hidden_from: list[str]


class LotBody(BaseModel):
    """One lot."""

    id: UUID
    state: str
    mine: bool
    seller: str
    title: str
    category: str
    region: str
    country: str
    brands: list[str]
    grade: Grade
    packing: str
    weight_g: int | None
    incoterm: str
    slots: list[str]
    unit_ask: Amount
    ask: Amount
    rrp: Amount | None
    discount_percent: int | None
    quantity: int
    left: int
    partial: bool
    minimum: int
    multiple: int
    threshold: ThresholdCount | None = Field(description="null: each buyer's deal stands alone")
    authorised_brand: str
    unmark: bool
    no_warranty: bool
    tolerance_basis_points: int
    week: str
    expires_at: str
    lines_total: int
    lines: list[ManifestLine]
    next_line: int | None = Field(description="pass as `line` for the next page of the manifest")
    photos: list[str]
    own: OwnTerms | None


class Place(BaseModel):
    """A leaf of the tree, or a branch."""

    slug: str
    name: str
    sector: str | None = None


class Tree(BaseModel):
    """The exchange's categories and regions."""

    sectors: list[Place]
    categories: list[Place]
    regions: list[Place]


class AddedPhoto(BaseModel):
    id: UUID
    href: str


class BadCode(Invalid):
    """A bar code in a lot written directly must be right."""

    message = N_("“%(value)s” is no valid bar code. Check its digits or leave it out.")


@get("/", guards=[browsing], summary="Browse and search lots on sale")
async def lots(
    request: Call,
    q: FromQuery[str] = "",
    category: FromQuery[str] = "",
    grade: FromQuery[Grade | None] = None,
    country: FromQuery[str] = "",
    region: FromQuery[str] = "",
    currency: FromQuery[str] = "EUR",
    price_from: FromQuery[int | None] = None,
    price_to: FromQuery[int | None] = None,
    discount: FromQuery[int | None] = None,
    after: FromQuery[UUID | None] = None,
) -> Cards:
    """Prices are minor units of `currency`, a unit; `discount` is per cent below retail, at least; `category` may be a
    sector."""
    wanted = Wanted(
        text=q.strip()[:200],
        category="" if category in SECTORS else category,
        sector=category if category in SECTORS else "",
        grade=grade.value if grade else "",
        country=country.upper(),
        region=region,
        price_from=None if price_from is None else Amount(minor=price_from, currency=currency).money,
        price_to=None if price_to is None else Amount(minor=price_to, currency=currency).money,
        discount=discount,
    )
    found = await browse(viewer_of(request).actor, wanted, language_of(request), after=after)
    return Cards(items=[_card(c) for c in found[:PAGE]], next=found[PAGE - 1].id if len(found) > PAGE else None)


@post("/", guards=[trading], summary="Publish a lot without a stock list")
async def publish_directly(request: Call, data: JSONBody[NewLotBody]) -> LotBody:
    """The lines stand in the body."""
    actor = viewer_of(request).actor
    own = await company_of(actor)
    currency = data.amount.currency if data.amount else own.currency
    articles = [_article(a, data) for a in data.articles]
    price = data.price
    terms = replace(data.terms(currency), unit_ask=unit_ask(articles, price, currency))
    lot = NewLot(
        title=data.title,
        category=data.category,
        region=data.region or region_of(own.country, own.region),
        articles=articles,
        price=price,
        terms=terms,
        cost_answer=data.cost_answer,
        origin_declared=data.origin_declared,
        hidden_from=data.hidden_from,
    )
    lot_id = await publish_lot(by=actor, lot=lot)
    return _lot(await lot_seen_by(actor, lot_id, language_of(request)))


@get("/{lot_id:uuid}", guards=[signed_in], summary="One lot and a page of its manifest")
async def lot(request: Call, lot_id: FromPath[UUID], line: FromQuery[int] = 0) -> LotBody:
    """One's own in any state; another's while it is on sale."""
    return _lot(await lot_seen_by(viewer_of(request).actor, lot_id, language_of(request), after_line=max(line, 0)))


@post("/{lot_id:uuid}/withdrawal", guards=[trading], summary="Take a lot off the market")
async def withdraw(request: Call, lot_id: FromPath[UUID]) -> LotBody:
    """Refused while an agreement holds part of it."""
    actor = viewer_of(request).actor
    await withdraw_lot(by=actor, lot_id=lot_id)
    return _lot(await lot_seen_by(actor, lot_id, language_of(request)))


@post("/{lot_id:uuid}/photos", guards=[trading], summary="Add a photo to a lot")
async def add(
    request: Call,
    lot_id: FromPath[UUID],
    data: Parts,
) -> AddedPhoto:
    """Send the picture as `photo` (multipart). It is decoded and encoded anew; nothing else of the file is kept."""
    file = data.get("photo")
    if not isinstance(file, UploadFile):
        raise EmptyFile(field="photo")
    photo_id = await add_photo(by=viewer_of(request).actor, lot_id=lot_id, content=await file.read())
    return AddedPhoto(id=photo_id, href=f"/photos/{photo_id}")


@delete("/{lot_id:uuid}/photos/{photo_id:uuid}", guards=[trading], summary="Remove a photo")
async def remove(request: Call, lot_id: FromPath[UUID], photo_id: FromPath[UUID]) -> None:
    """Answers 204."""
    await remove_photo(by=viewer_of(request).actor, lot_id=lot_id, photo_id=photo_id)


@get("/categories", guards=[signed_in], summary="The tree of categories and regions")
async def categories(request: Call) -> Response[Tree]:
    """Slugs with their names in the language of Accept-Language."""
    language = language_of(request)
    tree = Tree(
        sectors=[Place(slug=slug, name=say(language, name)) for slug, name in SECTORS.items()],
        categories=[Place(slug=c.slug, name=say(language, c.name), sector=c.sector) for c in CATEGORIES],
        regions=[Place(slug=slug, name=say(language, name)) for slug, name in REGIONS.items()],
    )
    return Response(tree, headers={"Cache-Control": "private, max-age=3600"})


router = Router("/lots", route_handlers=[lots, categories, publish_directly, lot, withdraw, add, remove], tags=["lots"])


def _amount(money: Money | None) -> Amount | None:
    return None if money is None else Amount.of(money)


def _card(card: LotCard) -> Card:
    return Card(
        id=card.id, title=card.title, category=card.category, grade=Grade(card.grade), country=card.country,
        region=card.region, brands=list(card.brands), units_from=card.units_from, units_to=card.units_to,
        unit_ask=Amount.of(card.unit_ask), discount_percent=card.discount, partial=card.partial,
        threshold_state=card.threshold, week=card.week.isoformat(), mine=card.mine, seller=card.seller,
    )  # fmt: skip


def _lot(lot: SeenLot) -> LotBody:
    own = lot.private
    return LotBody(
        id=lot.id, state=lot.state, mine=lot.mine, seller=lot.seller, title=lot.title, category=lot.category,
        region=lot.region, country=lot.country, brands=list(lot.brands), grade=Grade(lot.grade), packing=lot.packing,
        weight_g=lot.weight_g, incoterm=lot.incoterm, slots=list(lot.slots), unit_ask=Amount.of(lot.unit_ask),
        ask=Amount.of(lot.ask), rrp=_amount(lot.rrp), discount_percent=lot.discount, quantity=lot.quantity,
        left=lot.left, partial=lot.partial, minimum=lot.minimum, multiple=lot.multiple,
        threshold=ThresholdCount.of(lot.threshold, lot.threshold_paid),
        authorised_brand=lot.authorised_brand, unmark=lot.unmark,
        no_warranty=lot.no_warranty, tolerance_basis_points=lot.tolerance_bp,
        week=lot.week.isoformat(), expires_at=lot.expires_at.isoformat(), lines_total=lot.lines_total,
        lines=[
            ManifestLine(
                id=m.id, position=m.position, gtin=m.gtin, title=m.title, brand=m.brand, model=m.model,
                quantity=m.quantity, left=m.left, rrp=_amount(m.rrp), unit_ask=_amount(m.unit_ask),
                grade=Grade(m.grade), seller_ref=m.seller_ref,
            )
            for m in lot.lines
        ],
        next_line=lot.next_line,
        photos=[f"/photos/{p}" for p in lot.photos],
        own=OwnTerms(
            floor=_amount(own.floor), auto_accept=_amount(own.auto_accept), reserved=own.reserved, sold=own.sold,
            cost_answer=own.cost_answer, hidden_from=[written for _, written in own.hidden_from],
        )
        if own
        else None,
    )  # fmt: skip


def _article(body: ArticleBody, lot: NewLotBody) -> Article:
    gtin = codes.gtin14(body.gtin) if body.gtin else None
    if body.gtin and gtin is None:
        raise BadCode(field="articles", value=body.gtin[:40])
    return Article(
        title=" ".join(body.title.split()), quantity=body.quantity, grade=body.grade,
        category=body.category or lot.category, seller_ref=body.seller_ref, gtin=gtin, brand=body.brand,
        model=body.model, rrp_minor=body.rrp_minor, ask_minor=body.ask_minor, weight_g=body.weight_g,
    )  # fmt: skip
