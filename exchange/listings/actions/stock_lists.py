"""A stock list from the file to the lots: uploaded, read, corrected, published."""

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from uuid import UUID, uuid4

from exchange.actor import Actor
from exchange.clock import now
from exchange.database import announce, execute, fetch, fetchrow, transaction
from exchange.errors import N_, Conflict, DomainError, Invalid, NotAllowed, NotSeen, TooLarge
from exchange.jobs import enqueue
from exchange.journal.actions import record
from exchange.listings.actions.lots import NewLot, publish_lot
from exchange.listings.queries.stock_lists import corrections_from
from exchange.listings.rules.articles import (
    Article,
    NothingToSell,
    OnePriceManyLots,
    Price,
    PriceMode,
    QuantityNotStated,
    by_category,
    unit_ask,
)
from exchange.listings.rules.grades import Grade
from exchange.listings.rules.lots import CostAnswer, Terms
from exchange.listings.rules.rows import Line, RowState
from exchange.listings.rules.stock_lists import Corrections, Sheet, StockList, read
from exchange.listings.spreadsheets import open_sheets
from exchange.listings.spreadsheets.refusals import EmptyFile, HeadingsAlone, refusal_named
from exchange.settings import settings

READ_AT_ONCE = 3000
"""A correction re-reads a list of up to so many rows while the person waits; a longer one is a job."""


class StillReading(Conflict):
    message = N_("This list is still being read. Wait a moment and try again.")


class HeadingsTooFarDown(Invalid):
    message = N_("The list ends at row %(last)s: no row lies under headings in row %(header)s. Give a row above.")


class AlreadyPublished(Conflict):
    message = N_("This list has been published. Upload it again to list more.")


async def upload_stock_list(*, by: Actor, file_name: str, content: bytes) -> UUID:
    """Keep a file and have it read by a job. Raises EmptyFile, TooLarge, NotAllowed."""
    if by.company_id is None:
        raise NotAllowed
    if not content:
        raise EmptyFile(field="file")
    limit = settings().upload_limit
    if len(content) > limit:
        raise TooLarge(limit=limit // 2**20, field="file")
    async with transaction():
        stock_list_id = uuid4()
        await execute(
            "insert into stock_list (id, company_id, person_id, file_name, content, sha256, currency, created_at)"
            " select $1, $2, $3, $4, $5, $6, currency, $7 from company where id = $2",
            stock_list_id, by.company_id, by.person_id, _shown_name(file_name), content,
            hashlib.sha256(content).digest(), now(),
        )  # fmt: skip
        await record(by, "stock_list.received", stock_list_id, bytes=len(content))
        await enqueue("stock_list.received", stock_list_id)
        return stock_list_id


async def read_stock_list(stock_list_id: UUID) -> None:
    """Parse a received file and judge its rows. Run twice, it reads twice and leaves the same."""
    taken = await fetchrow(
        "update stock_list set status = 'reading', progress = 5 where id = $1 and status in ('received', 'reading')"
        " returning content, currency, corrections, company_id",
        stock_list_id,
    )
    if taken is None:
        return
    try:
        sheets = await open_sheets(taken["content"])
    except DomainError as refusal:
        await _refuse(stock_list_id, refusal)
        return
    await _progress(stock_list_id, 40)
    own = await fetchrow("select currency from company where id = $1", taken["company_id"])
    corrections = corrections_from(json.loads(taken["corrections"]))
    currency = own["currency"] if own else taken["currency"]
    found = await asyncio.to_thread(read, sheets, corrections, currency=currency)
    if not found.rows:
        await _refuse(stock_list_id, HeadingsAlone())
        return
    await _progress(stock_list_id, 60)
    await _store_cells(stock_list_id, sheets)
    await _keep(stock_list_id, found)


async def correct_stock_list(*, by: Actor, stock_list_id: UUID, corrections: Corrections) -> None:
    """Take the person's word on columns, headings, numbers and defaults, and judge every row again.

    Raises NotSeen, StillReading, AlreadyPublished, HeadingsTooFarDown, and what the list was refused for.
    """
    async with transaction():
        known = await _own_list(by, stock_list_id)
        rows, last = await _extent(stock_list_id, corrections.sheet)
        if corrections.header is not None and corrections.header >= last:
            raise HeadingsTooFarDown(header=corrections.header, last=last, field="header")
        at_once = rows <= READ_AT_ONCE
        await execute(
            "update stock_list set corrections = $2, status = $3, progress = 60 where id = $1",
            stock_list_id, json.dumps(_corrections_told(corrections)), "read" if at_once else "reading",
        )  # fmt: skip
        await record(by, "stock_list.corrected", stock_list_id)
        if at_once:
            await _reread(stock_list_id, corrections, known)
        else:
            await enqueue("stock_list.corrected", stock_list_id)


async def reread_stock_list(stock_list_id: UUID) -> None:
    """Judge the rows of a corrected list again, as a job."""
    known = await fetchrow(
        "select l.corrections, c.currency from stock_list l join company c on c.id = l.company_id"
        " where l.id = $1 and l.status = 'reading'",
        stock_list_id,
    )
    if known is not None:
        await _reread(stock_list_id, corrections_from(json.loads(known["corrections"])), known["currency"])


@dataclass(frozen=True, slots=True)
class Publication:
    """How a stock list becomes lots. ``terms.unit_ask`` is worked out from ``price`` for each lot."""

    title: str
    category: str
    region: str
    price: Price
    terms: Terms
    cost_answer: CostAnswer | None
    origin_declared: bool
    grade: Grade
    """For rows whose condition the file does not tell."""
    split: bool = False
    """One lot for each category instead of one lot."""
    category_names: Mapping[str, str] | None = None
    """What categories are called in the seller's language: completes the titles when split."""
    hidden_from: Sequence[str] = ()


async def publish_stock_list(*, by: Actor, stock_list_id: UUID, publication: Publication) -> list[UUID]:
    """Make one lot, or one a category, of every row that can be sold.

    Raises NotSeen, StillReading, AlreadyPublished, NothingToSell, QuantityNotStated, and what `publish_lot` and
    `unit_ask` raise.
    """
    async with transaction():
        await _own_list(by, stock_list_id)
        rows = await fetch(
            "select line, problems from stock_list_row where stock_list_id = $1 and state in ('usable', 'warned')"
            " order by sheet, number",
            stock_list_id,
        )
        if not rows:
            raise NothingToSell(field="articles")
        if any(p["code"] == "quantity_assumed" for row in rows for p in json.loads(row["problems"])):
            raise QuantityNotStated(field="quantity")
        articles = [_article(json.loads(row["line"]), publication) for row in rows]
        groups = by_category(articles) if publication.split else {publication.category: articles}
        if len(groups) > 1 and publication.price.mode is PriceMode.LOT:
            raise OnePriceManyLots(field="price_mode")
        made = []
        for category, group in groups.items():
            asked = unit_ask(group, publication.price, publication.terms.unit_ask.currency)
            title = publication.title
            if len(groups) > 1:
                name = (publication.category_names or {}).get(category, category)
                title = f"{title[: 138 - len(name)]} – {name}" if title else name
            lot = NewLot(
                title=title,
                category=category,
                region=publication.region,
                articles=group,
                price=publication.price,
                terms=replace(publication.terms, unit_ask=asked),
                cost_answer=publication.cost_answer,
                origin_declared=publication.origin_declared,
                hidden_from=publication.hidden_from,
            )
            made.append(await publish_lot(by=by, lot=lot, stock_list_id=stock_list_id))
        await execute("update stock_list set status = 'published' where id = $1", stock_list_id)
        await record(by, "stock_list.published", stock_list_id, lots=len(made))
        return made


# --- reading --------------------------------------------------------------------------------------------------------


async def _store_cells(stock_list_id: UUID, sheets: Sequence[Sheet]) -> None:
    records = [
        (stock_list_id, at, number, json.dumps(list(cells)), "[]")
        for at, sheet in enumerate(sheets)
        for number, cells in enumerate(sheet.rows, start=1)
    ]
    told = json.dumps([{"name": s.name.replace("\x00", ""), "rows": len(s.rows)} for s in sheets])
    async with transaction() as tx:
        await execute("delete from stock_list_row where stock_list_id = $1", stock_list_id)
        await tx.connection.copy_records_to_table(
            "stock_list_row",
            records=[(i, at, n, cells.replace("\\u0000", ""), p) for i, at, n, cells, p in records],
            columns=("stock_list_id", "sheet", "number", "cells", "problems"),
        )
        await execute("update stock_list set sheets = $2 where id = $1", stock_list_id, told)


async def _extent(stock_list_id: UUID, sheet: int | None) -> tuple[int, int]:
    """How many rows a list has in all, and the number of the last one in ``sheet``, or in any."""
    found = await fetchrow(
        "select count(*) as rows, coalesce(max(number) filter (where $2::int is null or sheet = $2), 0) as last"
        " from stock_list_row where stock_list_id = $1",
        stock_list_id, sheet,
    )  # fmt: skip
    return (found["rows"], found["last"]) if found else (0, 0)


async def _reread(stock_list_id: UUID, corrections: Corrections, currency: str) -> None:
    rows = await fetch(
        "select sheet, cells from stock_list_row where stock_list_id = $1 order by sheet, number", stock_list_id
    )
    names = await fetchrow("select sheets from stock_list where id = $1", stock_list_id)
    tables: list[list[list[str | int | float]]] = [[] for _ in json.loads(names["sheets"] if names else "[]")]
    for row in rows:
        tables[row["sheet"]].append(json.loads(row["cells"]))
    named = [s["name"] for s in json.loads(names["sheets"] if names else "[]")]
    sheets = [Sheet(name, table) for name, table in zip(named, tables, strict=True)]
    await _keep(stock_list_id, await asyncio.to_thread(read, sheets, corrections, currency=currency))


async def _keep(stock_list_id: UUID, found: StockList) -> None:
    """Store what was understood of a list."""
    rows = [(at, row) for at, row in found.rows]
    async with transaction():
        await execute(
            "update stock_list_row set state = null, line = null, problems = '[]' where stock_list_id = $1",
            stock_list_id,
        )
        for start in range(0, len(rows), 5000):
            part = rows[start : start + 5000]
            await execute(
                "update stock_list_row r set state = t.state, line = t.line::jsonb, problems = t.problems::jsonb"
                " from unnest($2::smallint[], $3::int[], $4::text[], $5::text[], $6::text[])"
                " as t(sheet, number, state, line, problems)"
                " where r.stock_list_id = $1 and r.sheet = t.sheet and r.number = t.number",
                stock_list_id,
                [at for at, _ in part],
                [row.number for _, row in part],
                [row.state.value for _, row in part],
                [json.dumps(asdict(row.line)) if row.line else None for _, row in part],
                [
                    json.dumps([asdict(p) for p in row.problems] or ([{"code": row.aside}] if row.aside else []))
                    for _, row in part
                ],
            )
        await execute(
            "update stock_list set status = 'read', progress = 100, read_at = $2, columns = $3, notices = $4,"
            " currency = $5, rows = $6, usable = $7, warned = $8, refused = $9, aside = $10"
            " where id = $1 and status <> 'published'",
            stock_list_id, now(), json.dumps(_columns_told(found)),
            json.dumps([asdict(n) for n in found.notices]), found.currency,
            sum(row.state is not RowState.ASIDE for _, row in rows), found.count(RowState.USABLE),
            found.count(RowState.WARNED), found.count(RowState.REFUSED), found.count(RowState.ASIDE),
        )  # fmt: skip
        await announce(f"stock-list-{stock_list_id}", "stock_list.read", stock_list_id)


def _columns_told(found: StockList) -> dict[str, object]:
    return {
        "sheet": found.sheets[0] if found.sheets else 0,
        "header": found.header,
        "columns": [
            {
                "index": c.index, "header": c.header[:120], "role": c.role.value, "sure": c.sure, "why": c.why.value,
                "samples": list(c.samples), "filled": c.filled, "decimals": c.decimals.value, "proven": c.proven,
            }
            for c in found.columns
        ],
    }  # fmt: skip


def _corrections_told(corrections: Corrections) -> dict[str, object]:
    return {
        "sheet": corrections.sheet,
        "header": corrections.header,
        "roles": {str(i): role.value for i, role in corrections.roles.items()},
        "decimals": corrections.decimals,
        "currency": corrections.currency,
        "grade": corrections.grade,
        "quantity": corrections.quantity,
    }


async def _refuse(stock_list_id: UUID, refusal: DomainError) -> None:
    async with transaction():
        await execute(
            "update stock_list set status = 'refused', progress = 100, refusal = $2, refusal_details = $3"
            " where id = $1",
            stock_list_id, type(refusal).__name__, json.dumps(refusal.details),
        )  # fmt: skip
        await record(None, "stock_list.refused", stock_list_id, reason=type(refusal).__name__)
        await announce(f"stock-list-{stock_list_id}", "stock_list.refused", stock_list_id)


async def _progress(stock_list_id: UUID, per_cent: int) -> None:
    async with transaction():
        await execute("update stock_list set progress = $2 where id = $1", stock_list_id, per_cent)
        await announce(f"stock-list-{stock_list_id}", "stock_list.progress", stock_list_id)


async def _own_list(by: Actor, stock_list_id: UUID) -> str:
    """Lock a list that can be worked on; returns the currency of its company."""
    known = await fetchrow(
        "select l.status, l.refusal, l.refusal_details, c.currency"
        " from stock_list l join company c on c.id = l.company_id"
        " where l.id = $1 and l.company_id = $2 for no key update of l",
        stock_list_id, by.company_id,
    )  # fmt: skip
    if known is None:
        raise NotSeen
    if known["status"] in {"received", "reading"}:
        raise StillReading
    if known["status"] == "published":
        raise AlreadyPublished
    if known["status"] == "refused":
        raise refusal_named(known["refusal"], json.loads(known["refusal_details"]))
    currency: str = known["currency"]
    return currency


def _article(told: dict[str, str | int | None], publication: Publication) -> Article:
    line = Line(**told)  # type: ignore[arg-type]  # written by `asdict` of a Line
    return Article(
        title=line.title,
        quantity=line.quantity,
        grade=Grade(line.grade) if line.grade else publication.grade,
        category=line.category or publication.category,
        seller_ref=line.seller_ref,
        gtin=line.gtin,
        brand=line.brand,
        model=line.model,
        rrp_minor=line.rrp_minor,
        ask_minor=line.ask_minor,
        weight_g=line.weight_g,
    )


def _shown_name(file_name: str) -> str:
    """The last part of the name the browser sent: for the seller's own eyes."""
    name = file_name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(c for c in name if c.isprintable())[-255:] or "stock-list"
