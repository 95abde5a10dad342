"""Numbers as people write them: the decimal sign is decided once for a column, never cell by cell.

``90.750`` is ninety thousand in a column of pesos and ninety and three quarters in a column of kilograms: only its
neighbours can tell.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

Cell: TypeAlias = str | int | float
"""A cell as the file holds it: text, or a number the file itself marks as one."""

_CURRENCY_WORD = r"(?:[A-Z]{3}|[€$£¥₺₹₽₩]|kr\.?|zł|Kč|Ft|lei|лв|CHF|R\$|US\$|CA\$|A\$|Fr\.?|euros?)"
_MONEY = re.compile(
    rf"^(?P<sign>[-–−(]?)\s*(?:{_CURRENCY_WORD})?\s*(?P<sign2>[-–−]?)"
    r"(?P<body>[\d][\d\s\u00a0\u202f'’.,]*|[.,]\d+)"
    rf"\s*%?\s*(?:{_CURRENCY_WORD})?\s*(?:HT|TTC|/\s*\w+)?\s*\)?$",
    re.IGNORECASE,
)
_SPACES = re.compile(r"[\s\u00a0\u202f'’]")


class Decimals(StrEnum):
    """The sign before the fraction."""

    POINT = "."
    COMMA = ","


@dataclass(frozen=True, slots=True)
class Style:
    """How the numbers of a column are written; `proven` when a cell leaves no other reading."""

    decimals: Decimals
    proven: bool


def style_of(cells: Iterable[Cell], otherwise: Decimals | None = None) -> Style:
    """Decide the decimal sign of a column from all its cells.

    A cell is evidence when only one reading is possible: both signs (the last is the decimal one), one sign twice
    (thousands), one sign not before exactly three digits, or a leading zero (``0,750``). Without evidence,
    ``otherwise`` (what the file's other columns say); without that, a sign always before three digits marks thousands.
    """
    votes = {Decimals.POINT: 0, Decimals.COMMA: 0}
    groups = {".": 0, ",": 0}
    for cell in cells:
        body = _body(cell)
        if body is None:
            continue
        points, commas = body.count("."), body.count(",")
        if points and commas:
            votes[Decimals(max(".,", key=body.rfind))] += 1
        elif points > 1:
            votes[Decimals.COMMA] += 1
        elif commas > 1:
            votes[Decimals.POINT] += 1
        elif points or commas:
            sign = "." if points else ","
            whole, fraction = body.split(sign)
            if len(fraction) != 3 or whole in {"", "0"} or len(whole) > 3 or whole.startswith("0"):
                votes[Decimals(sign)] += 1
            else:
                groups[sign] += 1
    if votes[Decimals.POINT] != votes[Decimals.COMMA]:
        return Style(max(votes, key=lambda d: votes[d]), proven=True)
    if votes[Decimals.POINT]:  # a tie: a badly mixed column; the file's other columns decide
        return Style(otherwise or Decimals.POINT, proven=False)
    if otherwise:
        return Style(otherwise, proven=False)
    if groups["."] or groups[","]:
        return Style(Decimals.COMMA if groups["."] >= groups[","] else Decimals.POINT, proven=False)
    return Style(Decimals.POINT, proven=False)


def read(cell: Cell, decimals: Decimals) -> Decimal | None:
    """The number in ``cell``, or ``None``. Currency and percent signs and spaces are no part of it.

    A sign that cannot mark thousands where it stands (``1,14`` in a column of points) is a decimal one all the same.
    """
    if isinstance(cell, int | float):
        return Decimal(repr(cell)) if cell == cell and abs(cell) != float("inf") else None
    match = _MONEY.match(cell.strip())
    if not match:
        return None
    body = _SPACES.sub("", match["body"])
    other = "," if decimals is Decimals.POINT else "."
    if decimals.value in body and other in body:
        if body.rfind(other) > body.rfind(decimals.value) and body.count(other) == 1:
            decimals, other = Decimals(other), decimals.value
        body = body.replace(other, "")
    elif body.count(other) == 1 and len(body.split(other)[1]) != 3:
        decimals = Decimals(other)
    elif body.count(decimals.value) > 1:
        body = body.replace(decimals.value, "")
    else:
        body = body.replace(other, "")
    body = body.replace(decimals.value, ".").rstrip(".")
    if body.count(".") > 1 or not body:
        return None
    negative = bool(match["sign"] or match["sign2"])
    return -Decimal(body) if negative else Decimal(body)


def is_ambiguous(cell: Cell) -> bool:
    """Whether the cell alone could be read both ways: one sign before exactly three digits."""
    body = _body(cell)
    return bool(body and re.fullmatch(r"[1-9]\d{0,2}[.,]\d{3}", body))


def _body(cell: Cell) -> str | None:
    if not isinstance(cell, str):
        return None
    match = _MONEY.match(cell.strip())
    return _SPACES.sub("", match["body"]) if match else None
