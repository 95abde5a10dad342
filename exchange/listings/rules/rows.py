"""What one row of a stock list says: a line that can be sold, with remarks, or the reason why not."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from functools import lru_cache

from babel.core import get_global

from exchange.listings.rules import codes, grades, numbers, vocabulary
from exchange.listings.rules.categories import guess
from exchange.listings.rules.codes import CodeFault
from exchange.listings.rules.columns import Column, text_of
from exchange.listings.rules.grades import Grade
from exchange.listings.rules.numbers import Cell
from exchange.listings.rules.problems import Level, Problem
from exchange.listings.rules.vocabulary import Role
from exchange.listings.rules.words import is_blank, one_line, plain
from exchange.money import exponent

MAX_QUANTITY = 1_000_000
MAX_PRICE = Decimal(100_000_000)
_AT_LEAST = re.compile(r"^[>≥+]\s*=?\s*(\d+)$|^(\d+)\s*\+$")
_COUNTED = re.compile(
    r"^([-–−]?[\d\s\u00a0\u202f.,]+?)\s*(?:x|×|pcs?|pi[eè]ces?|pezzi|piezas?|units?|unit[eé]s?|unidades|uds?|u|st(?:ü|u)?c?k?s?|ex|cts?|bo[iî]tes?|cartons?)?\.?$",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"(?<!\d)\d{8,14}(?!\d)")
_SIGNS = {"€": "EUR", "£": "GBP", "¥": "JPY", "zł": "PLN", "kč": "CZK", "ft": "HUF", "₺": "TRY", "lei": "RON",
          "us$": "USD", "r$": "BRL", "fr": "CHF", "euro": "EUR", "euros": "EUR", "$": "USD"}  # fmt: skip
_GRAMS: dict[str, Decimal | int] = {
    **dict.fromkeys(("g", "gr", "gram", "grams", "gramme", "grammes"), 1),
    **dict.fromkeys(("kg", "kgs", "kilo", "kilos"), 1000),
    **dict.fromkeys(("lb", "lbs"), Decimal("453.59237")),
    "oz": Decimal("28.349523125"),
    "t": 1_000_000,
}


class RowState(StrEnum):
    """What became of a row."""

    USABLE = "usable"
    WARNED = "warned"
    REFUSED = "refused"
    ASIDE = "aside"


@dataclass(frozen=True, slots=True)
class Line:
    """One article of a stock list, typed. Amounts are minor units of the list's currency."""

    title: str
    quantity: int
    seller_ref: str = ""
    gtin: str | None = None
    brand: str = ""
    model: str = ""
    category: str | None = None
    """A slug of our own tree, guessed from the seller's words."""
    rrp_minor: int | None = None
    ask_minor: int | None = None
    grade: Grade | None = None
    weight_g: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One row as read: ``line`` is None when it is refused beyond use or set aside."""

    number: int
    state: RowState
    line: Line | None = None
    problems: tuple[Problem, ...] = ()
    aside: str = ""
    """Why the row is no article, a key of `problems.ASIDES`."""


@dataclass(frozen=True)
class Context:
    """What holds for the whole list while its rows are judged."""

    columns: Mapping[Role, Sequence[Column]]
    currency: str
    quantity: int | None = None
    """What the person said every row without a quantity has."""
    quantity_is_given: bool = True
    """Whether some column gives quantities at all."""
    parents: Mapping[str, Mapping[Role, str]] = field(default_factory=dict)
    """Title, brand and category of the article a variant belongs to, by its key."""

    def column(self, role: Role) -> Column | None:
        found = self.columns.get(role)
        return found[0] if found else None

    def cell(self, cells: Sequence[Cell], role: Role) -> Cell:
        column = self.column(role)
        return cells[column.index] if column and column.index < len(cells) else ""

    def text(self, cells: Sequence[Cell], role: Role) -> str:
        text = text_of(self.cell(cells, role))
        return "" if is_blank(text) else text

    def header(self, role: Role) -> str:
        column = self.column(role)
        return column.header if column else ""


def judge(number: int, cells: Sequence[Cell], context: Context) -> Row:
    """Read one row that holds an article."""
    problems: list[Problem] = []
    title = _title(cells, context, problems)
    gtin, own_code = _gtin(cells, context, problems)
    quantity = _quantity(cells, context, problems)
    _check_currency(cells, context, problems)
    rrp = _retail(cells, context, quantity, problems)
    ask = _price(cells, context, Role.ASK, problems)
    grade = _grade(cells, context, problems)
    inherited = context.parents.get(context.text(cells, Role.PARENT), {})
    brand = context.text(cells, Role.BRAND) or inherited.get(Role.BRAND, "")
    words = " ".join(filter(None, (_said(cells, c) for c in context.columns.get(Role.CATEGORY, ()))))
    words = words or inherited.get(Role.CATEGORY, "")
    if any(p.level is Level.REFUSED for p in problems):
        return Row(number, RowState.REFUSED, None, tuple(problems))
    line = Line(
        title=title,
        quantity=quantity or 0,
        seller_ref=one_line(context.text(cells, Role.SELLER_REF), 120) or own_code,
        gtin=gtin,
        brand=one_line(brand, 80),
        model=one_line(context.text(cells, Role.MODEL), 120),
        category=guess(words[:200], title[:200]),
        rrp_minor=rrp,
        ask_minor=ask,
        grade=grade,
        weight_g=_weight(cells, context),
    )
    return Row(number, RowState.WARNED if problems else RowState.USABLE, line, tuple(problems))


def _title(cells: Sequence[Cell], context: Context, problems: list[Problem]) -> str:
    inherited = context.parents.get(context.text(cells, Role.PARENT), {})
    title = (
        context.text(cells, Role.TITLE)
        or inherited.get(Role.TITLE, "")
        or next((t for c in context.columns.get(Role.DESCRIPTION, ()) if (t := _said(cells, c))), "")
        or " ".join(filter(None, (context.text(cells, Role.BRAND), context.text(cells, Role.MODEL))))
    )
    title = one_line(title, 2000)
    if not title:
        problems.append(Problem("title_missing", "title", context.header(Role.TITLE)))
        return ""
    for column in context.columns.get(Role.OPTION, ()):
        option = one_line(_said(cells, column).replace("->", " ").replace(",", ", "), 60)
        if option and not set(option) & set("[]{}#") and f" {plain(option)} " not in f" {plain(title)} ":
            title = f"{title} – {option}"
    if len(title) > 300:
        problems.append(Problem("title_cut", "title", context.header(Role.TITLE)))
    return one_line(title)


def _gtin(cells: Sequence[Cell], context: Context, problems: list[Problem]) -> tuple[str | None, str]:
    """The normal form of the row's bar code, and a code of the shop's own where that stood in its place."""
    fault: tuple[CodeFault, str, str] | None = None
    for column in context.columns.get(Role.GTIN, ()):
        text = _said(cells, column)
        code = codes.read(text) if text else None
        if code is None:
            continue
        if code.gtin:
            if code.fault:
                problems.append(Problem(code.fault, "gtin", column.header, {"value": text[:40]}))
            return code.gtin, ""
        assert code.fault is not None  # noqa: S101 - `Code` has a code or a fault
        if code.fault is CodeFault.WRECKED and (whole := _recover(text, cells)):
            problems.append(Problem("gtin_recovered", "gtin", column.header, {"value": text[:40]}))
            return whole, ""
        fault = fault or (code.fault, text, column.header)
    if fault is None:
        return None, ""
    problems.append(Problem(fault[0], "gtin", fault[2], {"value": fault[1][:40]}))
    return None, codes.unquoted(fault[1]) if fault[0] is CodeFault.IN_STORE else ""


def _recover(wrecked: str, cells: Sequence[Cell]) -> str | None:
    """A whole code elsewhere in the row (an address, a picture's name) that the wrecked one must have been."""
    found = {
        c for cell in cells if isinstance(cell, str) for c in _DIGITS.findall(cell) if codes.wrecked_as(wrecked, c)
    }
    return found.pop().zfill(14) if len(found) == 1 else None


def _quantity(cells: Sequence[Cell], context: Context, problems: list[Problem]) -> int | None:
    column = context.column(Role.QUANTITY)
    header = context.header(Role.QUANTITY)
    cell = context.cell(cells, Role.QUANTITY)
    text = text_of(cell)
    available = plain(context.text(cells, Role.AVAILABILITY))
    if is_blank(text):
        if available in vocabulary.NO:
            problems.append(Problem("out_of_stock", "quantity", context.header(Role.AVAILABILITY)))
        elif context.quantity is not None:
            return context.quantity
        elif not context.quantity_is_given:
            problems.append(Problem("quantity_assumed", "quantity", header))
            return 1
        else:
            problems.append(Problem("quantity_missing", "quantity", header))
        return None
    assert column is not None  # noqa: S101 - a cell that says something has a column
    if isinstance(cell, str):
        if least := _AT_LEAST.match(text):
            units = int(least[1] or least[2])
            problems.append(Problem("quantity_at_least", "quantity", header, {"value": text, "quantity": str(units)}))
            cell = str(units)
        elif counted := _COUNTED.match(text):
            cell = counted[1]
    number = numbers.read(cell, column.decimals)
    shown = {"value": text[:40]}
    if number is None:
        problems.append(Problem("quantity_not_number", "quantity", header, shown))
    elif number < 0:
        problems.append(Problem("quantity_negative", "quantity", header, shown))
    elif number == 0:
        problems.append(Problem("out_of_stock", "quantity", header))
    elif number > MAX_QUANTITY:
        problems.append(Problem("quantity_absurd", "quantity", header, shown))
    elif number != number.to_integral_value():
        problems.append(Problem("quantity_not_whole", "quantity", header, shown))
    else:
        if numbers.is_ambiguous(cell) and not column.proven:
            problems.append(Problem("number_ambiguous", "quantity", header, shown | {"reading": str(number)}))
        return int(number)
    return None


def _retail(cells: Sequence[Cell], context: Context, quantity: int | None, problems: list[Problem]) -> int | None:
    """Retail value of one unit: its own column, else the row's total shared out, else the shop's price."""
    unit = _price(cells, context, Role.RRP, problems)
    total = _price(cells, context, Role.RRP_TOTAL, problems)
    if total is not None and quantity:
        if unit is None:
            return round(Decimal(total) / quantity)
        if abs(unit * quantity - total) > max(total // 100, quantity):
            value = text_of(context.cell(cells, Role.RRP_TOTAL))[:40]
            problems.append(Problem("total_differs", "rrp_total", context.header(Role.RRP_TOTAL), {"value": value}))
    return unit if unit is not None else _price(cells, context, Role.PRICE, problems)


def _price(cells: Sequence[Cell], context: Context, role: Role, problems: list[Problem]) -> int | None:
    column = context.column(role)
    text = context.text(cells, role)
    if column is None or not text:
        return None
    cell = context.cell(cells, role)
    number = numbers.read(cell, column.decimals)
    if number is None:
        problems.append(Problem("price_not_number", role, column.header, {"value": text[:40]}))
        return None
    if number < 0 or number > MAX_PRICE:
        code = "price_negative" if number < 0 else "price_absurd"
        problems.append(Problem(code, role, column.header, {"value": text[:40]}))
        return None
    if numbers.is_ambiguous(cell) and not column.proven:
        details = {"value": text[:40], "reading": f"{number:f}"}
        problems.append(Problem("number_ambiguous", role, column.header, details))
    minor = int(number.scaleb(exponent(context.currency)).quantize(Decimal(1), ROUND_HALF_EVEN))
    return minor or None


def _grade(cells: Sequence[Cell], context: Context, problems: list[Problem]) -> Grade | None:
    text = context.text(cells, Role.GRADE)
    grade = grades.read(text) if text else None
    if text and grade is None:
        problems.append(Problem("grade_unknown", "grade", context.header(Role.GRADE), {"value": text[:40]}))
    return grade


def _check_currency(cells: Sequence[Cell], context: Context, problems: list[Problem]) -> None:
    text = context.text(cells, Role.CURRENCY)
    if not text:
        return
    code = currency_in(text)
    header = context.header(Role.CURRENCY)
    if code is None:
        problems.append(Problem("currency_unknown", "currency", header, {"value": text[:20]}))
    elif code != context.currency:
        details = {"value": code, "currency": context.currency}
        problems.append(Problem("currency_differs", "currency", header, details))


def _weight(cells: Sequence[Cell], context: Context) -> int | None:
    column = context.column(Role.WEIGHT)
    if column is None:
        return None
    cell = context.cell(cells, Role.WEIGHT)
    number = numbers.read(cell, column.decimals)
    unit = plain(context.text(cells, Role.WEIGHT_UNIT))
    if number is None and isinstance(cell, str) and (match := re.match(r"^\s*([\d.,\s]+?)\s*([a-zA-Z]+)\s*$", cell)):
        number, unit = numbers.read(match[1], column.decimals), plain(match[2])
    words = plain(column.header).split()
    factor = _GRAMS.get(unit) or next((_GRAMS[w] for w in words if w in _GRAMS), 1000)
    if "grams" in words:  # Shopify states grams whatever unit its own pages show
        factor = 1
    if number is None or not 0 < number * factor < 10**11:
        return None
    return round(number * factor)


@lru_cache(maxsize=1024)
def currency_in(text: str) -> str | None:
    """The currency a word, sign or amount names (``EUR``, ``€``, ``12,50 €``), or None. A bare ``$`` is USD."""
    stripped = re.sub(r"[\d\s\u00a0\u202f.,'’()+-]", "", text).strip()
    if stripped.upper() in get_global("all_currencies"):
        return stripped.upper()
    return _SIGNS.get(stripped.casefold())


def _said(cells: Sequence[Cell], column: Column) -> str:
    text = text_of(cells[column.index]) if column.index < len(cells) else ""
    return "" if is_blank(text) else text
