"""Stock lists as JSON: uploaded, read, corrected, put on sale."""

from typing import Any
from uuid import UUID

from litestar import Request, Router, get, patch, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath, FromQuery, JSONBody
from pydantic import BaseModel, ConfigDict, Field

from exchange.companies.queries import company_of
from exchange.listings.actions.stock_lists import correct_stock_list, publish_stock_list, upload_stock_list
from exchange.listings.queries.stock_lists import SeenRow, SeenStockList, rows_seen_by, stock_list_seen_by
from exchange.listings.rules.categories import CATEGORIES, region_of
from exchange.listings.rules.grades import Grade
from exchange.listings.rules.numbers import Decimals
from exchange.listings.rules.problems import Problem
from exchange.listings.rules.rows import RowState
from exchange.listings.rules.stock_lists import Corrections
from exchange.listings.rules.vocabulary import Role
from exchange.listings.schemas import PublicationBody
from exchange.listings.spreadsheets.refusals import EmptyFile
from exchange.web.api_document import Parts
from exchange.web.guards import member, trading, viewer_of
from exchange.web.render import language_of, told
from exchange.web.translations import say
from exchange.web.viewer import Viewer

Call = Request[Viewer | None, Any, Any]


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


@post("/", status_code=202, guards=[member], summary="Upload a stock list")
async def upload(request: Call, data: Parts) -> Received:
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


router = Router("/stock-lists", route_handlers=[upload, stock_list, correct, publish], tags=["stock lists"])


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
        problems=[_remark(problem, language) for problem in row.problems],
        aside=row.aside or None,
    )


def _remark(problem: Problem, language: str) -> Remark:
    message = say(language, problem.message, **problem.details)
    return Remark(
        code=problem.code, level=problem.level, field=problem.field, column=problem.column, message=message
    )  # fmt: skip
