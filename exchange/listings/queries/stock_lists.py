"""A company's own stock lists: nobody else ever sees them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from exchange.actor import Actor
from exchange.database import fetch, fetchrow
from exchange.errors import DomainError, NotSeen
from exchange.listings.rules.grades import Grade
from exchange.listings.rules.numbers import Decimals
from exchange.listings.rules.problems import Notice, Problem
from exchange.listings.rules.rows import Line, RowState
from exchange.listings.rules.stock_lists import Corrections
from exchange.listings.rules.vocabulary import Role
from exchange.listings.spreadsheets.refusals import refusal_named

PAGE = 50


@dataclass(frozen=True, slots=True)
class MappedColumn:
    """One column as understood, with cells to judge it by."""

    index: int
    header: str
    role: Role
    sure: float
    why: str
    samples: tuple[str, ...]
    filled: int
    decimals: str
    proven: bool

    @property
    def letter(self) -> str:
        """The column's name in a spreadsheet program: A, B, … AA."""
        letters, n = "", self.index + 1
        while n:
            n, rest = divmod(n - 1, 26)
            letters = chr(65 + rest) + letters
        return letters


@dataclass(frozen=True, slots=True)
class SeenRow:
    """One row and what became of it."""

    sheet: int
    number: int
    state: RowState
    cells: tuple[str, ...]
    line: Line | None
    problems: tuple[Problem, ...]
    aside: str


@dataclass(frozen=True, slots=True)
class SeenStockList:
    """A stock list as its owner sees it."""

    id: UUID
    file_name: str
    status: str
    progress: int
    refusal: DomainError | None
    sheets: tuple[tuple[str, int], ...]
    sheet: int
    header: int
    columns: tuple[MappedColumn, ...]
    corrections: Corrections
    notices: tuple[Notice, ...]
    currency: str
    rows: int
    usable: int
    warned: int
    refused: int
    aside: int
    created_at: datetime
    problems: tuple[tuple[str, int], ...]
    """How often each problem occurs, the most frequent first."""

    @property
    def is_busy(self) -> bool:
        return self.status in {"received", "reading"}

    @property
    def sellable(self) -> int:
        return self.usable + self.warned


_COLUMNS = (
    "id, file_name, status, progress, refusal, refusal_details, sheets, columns, corrections, notices, currency, rows,"
    " usable, warned, refused, aside, created_at"
)


async def stock_list_seen_by(actor: Actor, stock_list_id: UUID) -> SeenStockList:
    """One's own company's list. Raises NotSeen."""
    row = await fetchrow(
        f"select {_COLUMNS}, (select coalesce(json_agg(json_build_array(code, times) order by times desc, code), '[]')"  # noqa: S608  ours
        " from (select p->>'code' as code, count(*) as times from stock_list_row r, jsonb_array_elements(r.problems) p"
        " where r.stock_list_id = l.id and r.state in ('warned', 'refused') group by 1) as counted) as counts"
        " from stock_list l where id = $1 and company_id = $2",
        stock_list_id, actor.company_id,
    )  # fmt: skip
    if row is None:
        raise NotSeen
    return _seen(row, json.loads(row["counts"]))


async def own_stock_lists(actor: Actor, limit: int = 30) -> list[SeenStockList]:
    """The company's latest lists."""
    rows = await fetch(
        f"select {_COLUMNS} from stock_list where company_id = $1 order by created_at desc, id limit $2",  # noqa: S608  ours
        actor.company_id, limit,
    )  # fmt: skip
    return [_seen(row, []) for row in rows]


async def rows_seen_by(
    actor: Actor,
    stock_list_id: UUID,
    *,
    state: RowState | None = None,
    after: tuple[int, int] = (0, 0),
    limit: int = PAGE,
) -> list[SeenRow]:
    """A page of rows after (sheet, number), of one state or all that were read."""
    rows = await fetch(
        "select r.sheet, r.number, r.state, r.cells, r.line, r.problems from stock_list_row r"
        " join stock_list l on l.id = r.stock_list_id where l.id = $1 and l.company_id = $2"
        " and case when $3::text is null then r.state is not null else r.state = $3 end"
        " and (r.sheet, r.number) > ($4, $5) order by r.sheet, r.number limit $6",
        stock_list_id, actor.company_id, state.value if state else None, *after, limit,
    )  # fmt: skip
    return [_row(row) for row in rows]


def corrections_from(told: Mapping[str, Any]) -> Corrections:
    """Corrections as they were kept."""
    return Corrections(
        sheet=told.get("sheet"),
        header=told.get("header"),
        roles={int(i): Role(role) for i, role in (told.get("roles") or {}).items()},
        decimals=Decimals(told["decimals"]) if told.get("decimals") else None,
        currency=told.get("currency"),
        grade=Grade(told["grade"]) if told.get("grade") else None,
        quantity=told.get("quantity"),
    )


def _seen(row: Any, counts: list[tuple[str, int]]) -> SeenStockList:
    told = json.loads(row["columns"]) or {"sheet": 0, "header": 0, "columns": []}
    return SeenStockList(
        id=row["id"],
        file_name=row["file_name"],
        status=row["status"],
        progress=row["progress"],
        refusal=refusal_named(row["refusal"], json.loads(row["refusal_details"])) if row["refusal"] else None,
        sheets=tuple((s["name"], s["rows"]) for s in json.loads(row["sheets"])),
        sheet=told["sheet"],
        header=told["header"],
        columns=tuple(
            MappedColumn(**(c | {"role": Role(c["role"]), "samples": tuple(c["samples"])})) for c in told["columns"]
        ),
        corrections=corrections_from(json.loads(row["corrections"])),
        notices=tuple(Notice(n["code"], n["details"]) for n in json.loads(row["notices"])),
        currency=row["currency"],
        rows=row["rows"],
        usable=row["usable"],
        warned=row["warned"],
        refused=row["refused"],
        aside=row["aside"],
        created_at=row["created_at"],
        problems=tuple((code, times) for code, times in counts),
    )


def _row(row: Any) -> SeenRow:
    told = json.loads(row["problems"])
    aside = row["state"] == RowState.ASIDE
    return SeenRow(
        sheet=row["sheet"],
        number=row["number"],
        state=RowState(row["state"]),
        cells=tuple(str(c) for c in json.loads(row["cells"])),
        line=Line(**json.loads(row["line"])) if row["line"] else None,
        problems=() if aside else tuple(Problem(p["code"], p["field"], p["column"], p["details"]) for p in told),
        aside=told[0]["code"] if aside and told else "",
    )
