"""A whole stock list: which sheet, where its headings are, what each column holds, what became of each row."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from exchange.listings.rules import vocabulary
from exchange.listings.rules.columns import MONEY, Column, recognise, text_of
from exchange.listings.rules.grades import Grade
from exchange.listings.rules.numbers import Cell, Decimals
from exchange.listings.rules.numbers import read as read_number
from exchange.listings.rules.problems import Notice, Problem
from exchange.listings.rules.rows import Context, Row, RowState, currency_in, judge
from exchange.listings.rules.vocabulary import Role
from exchange.listings.rules.words import is_blank, plain

_HEADER_WITHIN = 30
"""A header lies among the first rows that hold anything."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of a file: its cells row by row; the first row is number 1."""

    name: str
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True, slots=True)
class Corrections:
    """What the person says against our reading; everything else is decided here."""

    sheet: int | None = None
    header: int | None = None
    """Number of the header row; 0 for none."""
    roles: Mapping[int, Role] = field(default_factory=dict)
    decimals: Decimals | None = None
    currency: str | None = None
    grade: Grade | None = None
    quantity: int | None = None


@dataclass(frozen=True, slots=True)
class StockList:
    """What a file says."""

    sheets: tuple[int, ...]
    """Index of the sheet read, and of those of the same shape that are read with it."""
    header: int
    """Number of the header row in the first sheet; 0 for none."""
    columns: tuple[Column, ...]
    currency: str
    rows: tuple[tuple[int, Row], ...]
    """Each row with the index of its sheet."""
    notices: tuple[Notice, ...]

    def count(self, state: RowState) -> int:
        return sum(row.state is state for _, row in self.rows)


def read(sheets: Sequence[Sheet], corrections: Corrections | None = None, *, currency: str = "EUR") -> StockList:
    """Read a file; ``currency`` is the company's own, assumed where the file names none."""
    wanted = corrections or Corrections()
    laid = {
        i: _lay_out(sheet, wanted if i == wanted.sheet else replace(wanted, sheet=None))
        for i, sheet in enumerate(sheets)
    }
    main = wanted.sheet if wanted.sheet is not None else max(laid, key=lambda i: (_worth(laid[i]), -i), default=0)
    if main not in laid:
        return StockList((), 0, (), wanted.currency or currency, (), ())
    joined = (main, *(i for i in laid if i != main and wanted.sheet is None and _same_shape(laid[main], laid[i])))
    layout = laid[main]
    if len(joined) > 1:
        body = [cells for i in joined for _, cells in laid[i].body]
        layout = replace(layout, columns=recognise(layout.names, body, wanted.roles, wanted.decimals))
    columns = _by_role(layout.columns)
    code, notices = _currency(columns, layout.body, wanted.currency, currency)
    context = Context(
        columns=columns,
        currency=code,
        quantity=wanted.quantity,
        quantity_is_given=any(c.filled for c in columns.get(Role.QUANTITY, ())),
        parents=_parents(columns, [cells for i in joined for _, cells in laid[i].body]),
    )
    rows = [(i, row) for i in joined for row in _rows(laid[i], context)]
    rows = _marking_twins(rows)
    notices += _notices(sheets, joined, layout, context, rows)
    return StockList(joined, layout.header, layout.columns, code, tuple(rows), tuple(notices))


# --- sheets and headers ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Layout:
    header: int
    names: tuple[str, ...] | None
    body: Sequence[tuple[int, Sequence[Cell]]]
    columns: tuple[Column, ...]


def _lay_out(sheet: Sheet, wanted: Corrections) -> _Layout:
    filled = [(n, row) for n, row in enumerate(sheet.rows, start=1) if any(text_of(c) for c in row)]
    header = wanted.header if wanted.header is not None else _find_header(filled)
    names = next((tuple(text_of(c) for c in row) for n, row in filled if n == header), None)
    body = [(n, row) for n, row in filled if n > header]
    columns = recognise(names, [row for _, row in body], wanted.roles, wanted.decimals)
    return _Layout(header if names else 0, names, body, columns)


def _find_header(filled: Sequence[tuple[int, Sequence[Cell]]]) -> int:
    """The number of the row whose cells are the names of columns, or 0.

    Most known words win. A first row of words alone above a column of numbers is a header in a language we do not know.
    """
    best, best_score = 0, 0.0
    for number, row in filled[:_HEADER_WITHIN]:
        texts = [t for c in row if (t := text_of(c))]
        if len(texts) < 2 or any(not isinstance(c, str) for c in row if text_of(c)):
            continue
        known = [m for t in texts if len(t) <= 80 and (m := vocabulary.meaning(t))]
        roles = {role for role, _ in known if role is not Role.IGNORED}
        score = len(known) / len(texts) * len(roles)
        if (len(roles) >= 2 and len(known) * 2 >= len(texts) and score > best_score) or (
            len(roles) >= 4 and score > best_score
        ):
            best, best_score = number, score
    if best or len(filled) < 3:
        return best
    number, first = filled[0]
    if any(not isinstance(c, str) or read_number(c, Decimals.POINT) is not None for c in first if text_of(c)):
        return 0
    below = [row for _, row in filled[1:50]]
    width = len([c for c in first if text_of(c)])
    numeric = sum(
        all(read_number(row[i], Decimals.POINT) is not None for row in below if i < len(row) and text_of(row[i]))
        and any(i < len(row) and text_of(row[i]) for row in below)
        for i in range(len(first))
        if text_of(first[i])
    )
    return number if width >= 2 and numeric else 0


def _worth(layout: _Layout) -> float:
    roles = {c.role for c in layout.columns if c.filled} - {Role.IGNORED, Role.OPTION}
    if Role.TITLE not in roles and Role.GTIN not in roles:
        return 0.0
    weight = len(roles) + 3 * (Role.QUANTITY in roles) + 2 * (Role.TITLE in roles) + bool(roles & MONEY)
    return float(weight * min(len(layout.body), 1000) ** 0.5)


def _same_shape(one: _Layout, other: _Layout) -> bool:
    return bool(
        one.names and other.names and [plain(n) for n in one.names] == [plain(n) for n in other.names] and other.body
    )


def _by_role(columns: Sequence[Column]) -> dict[Role, list[Column]]:
    found: dict[Role, list[Column]] = {}
    for column in sorted(columns, key=lambda c: (-c.sure, c.index)):
        found.setdefault(column.role, []).append(column)
    for several in (Role.CATEGORY, Role.OPTION, Role.DESCRIPTION):
        found.get(several, []).sort(key=lambda c: c.index)
    return found


# --- rows -----------------------------------------------------------------------------------------------------------


def _rows(layout: _Layout, context: Context) -> Iterator[Row]:
    names = [plain(n) for n in layout.names or ()]
    usual = sorted(sum(bool(text_of(c)) for c in row) for _, row in layout.body[:500])
    median = usual[len(usual) // 2] if usual else 0
    has_children = _has_children(layout, context)
    counted = 0
    for number, cells in layout.body:
        reason = _aside(cells, context, names, median, counted, has_children=has_children)
        if reason:
            yield Row(number, RowState.ASIDE, aside=reason)
            continue
        row = judge(number, cells, context)
        counted += row.line.quantity if row.line else 0
        yield row


def _aside(
    cells: Sequence[Cell], context: Context, names: Sequence[str], median: int, counted: int, *, has_children: bool
) -> str:
    """Why a row is no article, or nothing."""
    texts = [text_of(c) for c in cells]
    if names and [plain(t) for t in texts][: len(names)] == names:
        return "repeated_header"
    if kind := plain(context.text(cells, Role.KIND)):
        if kind in vocabulary.PARENT_KINDS and has_children:
            return "parent"
        if set(kind.split()) & vocabulary.NOT_GOODS or kind in vocabulary.NOT_GOODS:
            return "not_goods"
    title = context.text(cells, Role.TITLE)
    said = [t for t in texts if t]
    if not _names_article(cells, context) and any(vocabulary.TOTAL_WORDS.match(plain(t)) for t in said):
        return "total"
    if not title and not context.text(cells, Role.PARENT) and counted:
        quantity = read_number(context.cell(cells, Role.QUANTITY), Decimals.POINT)
        if quantity is not None and quantity == counted and not _names_article(cells, context):
            return "total"
    if (
        context.text(cells, Role.PARENT)
        and not title
        and not any(
            context.text(cells, role)
            for role in (Role.OPTION, Role.PRICE, Role.RRP, Role.QUANTITY, Role.SELLER_REF, Role.GTIN)
        )
    ):
        return "picture"
    if len(said) == 1 and median >= 3 and read_number(said[0], Decimals.POINT) is None:
        return "section"
    return ""


def _names_article(cells: Sequence[Cell], context: Context) -> bool:
    """Whether the row has a code of its own, or a title beside more than sums."""
    if context.text(cells, Role.GTIN):
        return True
    title, ref = context.text(cells, Role.TITLE), context.text(cells, Role.SELLER_REF)
    return bool(
        (title and not vocabulary.TOTAL_WORDS.match(plain(title)) and not vocabulary.TOTAL_WORDS.match(plain(ref)))
        or (title and ref and not vocabulary.TOTAL_WORDS.match(plain(ref)))
    )


def _has_children(layout: _Layout, context: Context) -> bool:
    kinds = {plain(context.text(cells, Role.KIND)) for _, cells in layout.body}
    return bool(kinds & vocabulary.GOODS_KINDS)


def _parents(columns: Mapping[Role, Sequence[Column]], body: Sequence[Sequence[Cell]]) -> dict[str, dict[Role, str]]:
    """Title, brand and category by the key variants point to: a shared handle, a parent's reference, ``id:…``."""
    if Role.PARENT not in columns:
        return {}
    context = Context(columns=columns, currency="EUR")
    identity = [c for role in (Role.IGNORED, Role.SELLER_REF) for c in columns.get(role, ()) if plain(c.header) == "id"]
    found: dict[str, dict[Role, str]] = {}
    for cells in body:
        told = {role: context.text(cells, role) for role in (Role.TITLE, Role.BRAND, Role.CATEGORY)}
        if not told[Role.TITLE]:
            continue
        keys = [context.text(cells, Role.PARENT), context.text(cells, Role.SELLER_REF)]
        keys += [f"id:{text_of(cells[c.index])}" for c in identity if c.index < len(cells)]
        for key in filter(None, keys):
            found.setdefault(key, told)
    return found


def _marking_twins(rows: list[tuple[int, Row]]) -> list[tuple[int, Row]]:
    """Warn where one bar code stands for two different articles."""
    first: dict[str, tuple[int, str]] = {}
    marked = []
    for sheet, row in rows:
        if row.line and row.line.gtin:
            number, title = first.setdefault(row.line.gtin, (row.number, plain(row.line.title)))
            if number != row.number and title != plain(row.line.title):
                problem = Problem("gtin_two_products", "gtin", "", {"row": str(number)})
                row = replace(row, state=RowState.WARNED, problems=(*row.problems, problem))
        marked.append((sheet, row))
    return marked


# --- currency and notices -------------------------------------------------------------------------------------------


def _currency(
    columns: Mapping[Role, Sequence[Column]],
    body: Sequence[tuple[int, Sequence[Cell]]],
    chosen: str | None,
    own: str,
) -> tuple[str, list[Notice]]:
    """The currency of the list: the person's, a column's codes, a sign in cells or headers, the company's own."""
    if chosen:
        return chosen, []
    context = Context(columns=columns, currency=own)
    named = Counter(c for _, cells in body if (t := context.text(cells, Role.CURRENCY)) and (c := currency_in(t)))
    if named:
        return named.most_common(1)[0][0], []
    priced = [c for role in MONEY for c in columns.get(role, ())]
    marked: Counter[str] = Counter()
    dollars = 0
    for _, cells in body[:500]:
        for column in priced:
            text = text_of(cells[column.index]) if column.index < len(cells) else ""
            if code := currency_in(text):
                marked[code] += 1
                dollars += text.strip().startswith("$") or text.strip().endswith("$")
    for column in priced:
        for word in (*plain(column.header).split(), *(s for s in "€£$" if s in column.header)):
            if code := currency_in(word.upper() if len(word) == 3 else word):
                marked[code] += 1
                dollars += word == "$"
    if marked:
        code = marked.most_common(1)[0][0]
        return code, [Notice("dollar_assumed", {"currency": code})] if code == "USD" and dollars else []
    return own, [Notice("currency_assumed", {"currency": own})] if priced else []


def _notices(
    sheets: Sequence[Sheet],
    joined: Sequence[int],
    layout: _Layout,
    context: Context,
    rows: Sequence[tuple[int, Row]],
) -> list[Notice]:
    notices = []
    if rows and all(row.state is RowState.ASIDE for _, row in rows):
        notices.append(Notice("no_article"))
    if layout.names is None:
        notices.append(Notice("no_header"))
    quantity = context.column(Role.QUANTITY)
    if quantity is None:
        notices.append(Notice("no_quantity"))
    elif not quantity.filled:
        notices.append(Notice("empty_quantity", {"column": quantity.header}))
    if not any(c.filled for role in MONEY for c in context.columns.get(role, ())):
        notices.append(Notice("no_price"))
    if not any(c.filled for c in context.columns.get(Role.GRADE, ())):
        notices.append(Notice("no_grade"))
    if costs := [c.header for c in context.columns.get(Role.COST, ()) if c.filled]:
        notices.append(Notice("cost_set_aside", {"columns": ", ".join(costs)}))
    zeros = sum(
        read_number(context.cell(cells, role), Decimals.POINT) == 0 and not is_blank(context.text(cells, role))
        for _, cells in layout.body
        for role in (Role.RRP, Role.PRICE)
    )
    if zeros:
        notices.append(Notice("zero_prices", {"count": str(zeros)}))
    if len(joined) > 1:
        notices.append(Notice("sheets_joined", {"sheets": ", ".join(sheets[i].name for i in joined)}))
    if unread := [s.name for i, s in enumerate(sheets) if i not in joined and s.rows]:
        notices.append(Notice("sheets_unread", {"sheets": ", ".join(unread)}))
    return notices
