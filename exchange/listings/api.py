"""Stock lists and lots as JSON: the same actions as the pages."""

from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response, Router, delete, get, patch, post
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath, FromQuery, JSONBody
from pydantic import BaseModel, ConfigDict, Field

from exchange.companies.queries import company_of
from exchange.errors import N_, Invalid
from exchange.listings.actions.lots import NewLot, publish_lot, withdraw_lot
from exchange.listings.actions.photos import add_photo, remove_photo
from exchange.listings.actions.stock_lists import correct_stock_list, publish_stock_list, upload_stock_list
from exchange.listings.queries.lots import PAGE, LotCard, SeenLot, Wanted, browse, lot_seen_by
from exchange.listings.queries.stock_lists import SeenRow, SeenStockList, rows_seen_by, stock_list_seen_by
from exchange.listings.rules import codes
from exchange.listings.rules.articles import Article, unit_ask
from exchange.listings.rules.categories import CATEGORIES, REGIONS, SECTORS, region_of
from exchange.listings.rules.grades import Grade
from exchange.listings.rules.numbers import Decimals
from exchange.listings.rules.problems import Problem
from exchange.listings.rules.rows import RowState
from exchange.listings.rules.stock_lists import Corrections
from exchange.listings.rules.vocabulary import Role
from exchange.listings.schemas import Amount, PublicationBody
from exchange.listings.spreadsheets import EmptyFile
from exchange.money import Money
from exchange.web.guards import member, signed_in, trading, viewer_of
from exchange.web.render import language_of, told
from exchange.web.translations import say
from exchange.web.viewer import Viewer

Call = Request[Viewer | None, Any, Any]
Parts = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.MULTI_PART)]


class Received(BaseModel):
    """A file taken in; it is being read."""

    id: UUID
    status: str = Field(examples=["received"])
    href: str = Field(description="where to ask how far the reading is")


class Column(BaseModel):
    """One column as mapped."""

    index: int
    header: str
    role: Role
    sure: float = Field(description="0 to 1")
    why: str = Field(description="header, content, person or nothing")
    samples: list[str]
    filled: int
    decimals: str


class Remark(BaseModel):
    """What is wrong with a row, in the language of Accept-Language."""

    code: str
    level: str = Field(description="warned: the row is kept; refused: it cannot be sold")
    field: str
    column: str
    message: str


class Line(BaseModel):
    """A row as understood. Amounts are minor units of the list's currency."""

    title: str
    quantity: int
    seller_ref: str
    gtin: str | None = Field(description="fourteen digits")
    brand: str
    model: str
    category: str | None
    rrp_minor: int | None
    ask_minor: int | None
    grade: Grade | None
    weight_g: int | None


class ListedRow(BaseModel):
    """One row of the file and what became of it."""

    sheet: int
    number: int = Field(description="as a spreadsheet program shows it")
    state: RowState
    line: Line | None
    problems: list[Remark]
    aside: str | None = Field(description="why the row is no article: total, section, parent, picture, …")


class Said(BaseModel):
    """Something to know about the whole list, or why it was refused."""

    code: str
    message: str


class ListedSheet(BaseModel):
    name: str
    rows: int


class StockListBody(BaseModel):
    """A stock list: how far it is, what was understood, and a page of its rows."""

    id: UUID
    file_name: str
    status: str = Field(description="received, reading, read, refused or published")
    progress: int = Field(description="per cent")
    refusal: Said | None
    rows: int = Field(description="articles read: usable + warned + refused")
    usable: int = Field(description="ready without a remark")
    warned: int = Field(description="ready with a remark")
    refused: int = Field(description="cannot be sold as they stand")
    aside: int = Field(description="rows that are no articles, counted apart")
    currency: str
    sheet: int
    header_row: int = Field(description="0 for none")
    sheets: list[ListedSheet]
    columns: list[Column]
    notices: list[Said]
    page: list[ListedRow]
    next: str | None = Field(description="pass as `after` for the next page of rows")


class Mapping(BaseModel):
    """What the person says against our reading. Fields left out are ours to decide."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"roles": {"2": "quantity", "5": "ignored"}, "currency": "EUR", "quantity": 1}},
    )

    sheet: int | None = Field(default=None, ge=0)
    header_row: int | None = Field(default=None, ge=0, description="0 for none")
    roles: dict[int, Role] = {}
    decimals: Decimals | None = None
    currency: str | None = Field(default=None, min_length=3, max_length=3)
    grade: Grade | None = None
    quantity: int | None = Field(default=None, ge=1, le=1_000_000, description="of rows without one")


class MadeLots(BaseModel):
    """The lots a list became."""

    lots: list[UUID]


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


# --- stock lists ----------------------------------------------------------------------------------------------------


@post("/", status_code=202, guards=[member], summary="Upload a stock list")
async def upload(
    request: Call, data: Annotated[dict[str, Any], Body(media_type=RequestEncodingType.MULTI_PART)]
) -> Received:
    """Send the file as `file` (multipart). Answers at once; ask the address in `href` how far the reading is."""
    file = data.get("file")
    if not isinstance(file, UploadFile):
        raise EmptyFile(field="file")
    made = await upload_stock_list(by=viewer_of(request).actor, file_name=file.filename, content=await file.read())
    return Received(id=made, status="received", href=f"/api/v1/stock-lists/{made}")


@get("/{stock_list_id:uuid}", guards=[member], summary="A stock list and a page of its rows")
async def stock_list(
    request: Call,
    stock_list_id: FromPath[UUID],
    only: FromQuery[RowState | None] = None,
    after: FromQuery[str] = "0.0",
    limit: FromQuery[int] = 100,
) -> StockListBody:
    """What was understood. Rows in `only` one state, or all, in pages of at most 500."""
    actor = viewer_of(request).actor
    known = await stock_list_seen_by(actor, stock_list_id)
    sheet, _, number = after.partition(".")
    start = (int(sheet), int(number)) if sheet.isdigit() and number.isdigit() and len(after) < 12 else (0, 0)
    size = min(max(limit, 1), 500)
    rows = [] if known.is_busy else await rows_seen_by(actor, stock_list_id, state=only, after=start, limit=size + 1)
    return _stock_list(known, rows, size, language_of(request))


@patch("/{stock_list_id:uuid}/mapping", guards=[member], summary="Correct how a stock list is read")
async def correct(request: Call, stock_list_id: FromPath[UUID], data: JSONBody[Mapping]) -> StockListBody:
    """The list is read again with the person's word; long lists by a job."""
    actor = viewer_of(request).actor
    corrections = Corrections(
        sheet=data.sheet, header=data.header_row, roles=data.roles, decimals=data.decimals,
        currency=data.currency.upper() if data.currency else None, grade=data.grade, quantity=data.quantity,
    )  # fmt: skip
    await correct_stock_list(by=actor, stock_list_id=stock_list_id, corrections=corrections)
    known = await stock_list_seen_by(actor, stock_list_id)
    rows = [] if known.is_busy else await rows_seen_by(actor, stock_list_id, limit=101)
    return _stock_list(known, rows, 100, language_of(request))


@post("/{stock_list_id:uuid}/publication", guards=[trading], summary="Put a stock list on sale")
async def publish(request: Call, stock_list_id: FromPath[UUID], data: JSONBody[PublicationBody]) -> MadeLots:
    """Every usable and warned row goes into one lot, or one lot for each category."""
    actor = viewer_of(request).actor
    known = await stock_list_seen_by(actor, stock_list_id)
    own = await company_of(actor)
    language = language_of(request)
    publication = data.publication(
        currency=known.currency,
        region=region_of(own.country, own.region),
        names={c.slug: say(language, c.name) for c in CATEGORIES},
    )
    return MadeLots(lots=await publish_stock_list(by=actor, stock_list_id=stock_list_id, publication=publication))


# --- lots -----------------------------------------------------------------------------------------------------------


@get("/", guards=[signed_in], summary="Browse and search lots on sale")
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


router = Router(
    "/",
    route_handlers=[
        Router("/stock-lists", route_handlers=[upload, stock_list, correct, publish], tags=["stock lists"]),
        Router("/lots", route_handlers=[lots, categories, publish_directly, lot, withdraw, add, remove], tags=["lots"]),
    ],
)


# --- read models to JSON --------------------------------------------------------------------------------------------


def _stock_list(known: SeenStockList, rows: list[SeenRow], size: int, language: str) -> StockListBody:
    page = rows[:size]
    return StockListBody(
        id=known.id, file_name=known.file_name, status=known.status, progress=known.progress,
        refusal=Said(code=known.refusal.code, message=told(known.refusal, language, "UTC")) if known.refusal else None,
        rows=known.rows, usable=known.usable, warned=known.warned, refused=known.refused, aside=known.aside,
        currency=known.currency, sheet=known.sheet, header_row=known.header,
        sheets=[ListedSheet(name=name, rows=count) for name, count in known.sheets],
        columns=[
            Column(
                index=c.index, header=c.header, role=c.role, sure=c.sure, why=c.why,
                samples=[] if c.role is Role.COST else list(c.samples), filled=c.filled, decimals=c.decimals,
            )
            for c in known.columns
        ],
        notices=[Said(code=n.code, message=say(language, n.message, **n.details)) for n in known.notices],
        page=[_row(row, language) for row in page],
        next=f"{page[-1].sheet}.{page[-1].number}" if len(rows) > size else None,
    )  # fmt: skip


def _row(row: SeenRow, language: str) -> ListedRow:
    line = row.line
    return ListedRow(
        sheet=row.sheet,
        number=row.number,
        state=row.state,
        line=Line(**{name: getattr(line, name) for name in Line.model_fields}) if line else None,
        problems=[
            Remark(
                code=p.code,
                level=p.level,
                field=p.field,
                column=p.column,
                message=say(language, p.message, **p.details),
            )
            for p in row.problems
        ],
        aside=row.aside or None,
    )


def _remark(problem: Problem, language: str) -> Remark:
    message = say(language, problem.message, **problem.details)
    return Remark(
        code=problem.code, level=problem.level, field=problem.field, column=problem.column, message=message
    )  # fmt: skip


def _amount(money: Money | None) -> Amount | None:
    return None if money is None else Amount.of(money)


def _card(card: LotCard) -> Card:
    return Card(
        id=card.id, title=card.title, category=card.category, grade=Grade(card.grade), country=card.country,
        region=card.region, brands=list(card.brands), units_from=card.units_from, units_to=card.units_to,
        unit_ask=Amount.of(card.unit_ask), discount_percent=card.discount, partial=card.partial,
        week=card.week.isoformat(), mine=card.mine, seller=card.seller,
    )  # fmt: skip


def _lot(lot: SeenLot) -> LotBody:
    own = lot.private
    return LotBody(
        id=lot.id, state=lot.state, mine=lot.mine, seller=lot.seller, title=lot.title, category=lot.category,
        region=lot.region, country=lot.country, brands=list(lot.brands), grade=Grade(lot.grade), packing=lot.packing,
        weight_g=lot.weight_g, incoterm=lot.incoterm, slots=list(lot.slots), unit_ask=Amount.of(lot.unit_ask),
        ask=Amount.of(lot.ask), rrp=_amount(lot.rrp), discount_percent=lot.discount, quantity=lot.quantity,
        left=lot.left, partial=lot.partial, minimum=lot.minimum,
        multiple=lot.multiple, authorised_brand=lot.authorised_brand, unmark=lot.unmark,
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
