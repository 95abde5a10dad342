"""The list of a lot's lines as a file: downloaded, filled in with any spreadsheet program, and uploaded again."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Response

from exchange.errors import N_, Invalid
from exchange.listings.rules.stock_lists import Sheet
from exchange.money import Money
from exchange.offers.queries.lines import ShelfLine
from exchange.web.translations import LANGUAGES, say

NUMBER, QUANTITY, PRICE = N_("No."), N_("Your quantity"), N_("Your price per unit, without VAT")
HEADERS = (
    NUMBER, N_("Article"), N_("Brand"), N_("Model"), N_("Bar code"), N_("Condition"), N_("Units left"),
    N_("Asked per unit, without VAT"), QUANTITY, PRICE,
)  # fmt: skip


class NotThisList(Invalid):
    message = N_(
        "This is not the list of this lot: a column “No.”, “Your quantity” or “Your price per unit, without VAT” is "
        "missing. Download the list, fill in the two last columns and upload it again."
    )


class NothingFilledIn(Invalid):
    message = N_("No quantity is filled in. Write one in the column “Your quantity” and upload the list again.")


@dataclass(frozen=True, slots=True)
class Filled:
    """What somebody wrote for one line, as they wrote it."""

    quantity: str = ""
    price: str = ""


def file_of(
    shelf: Sequence[ShelfLine], filled: Mapping[int, Filled], ask: Money, language: str, name: str
) -> Response[bytes]:
    """The list as CSV, in the reader's language and figures; what was filled in so far stands in it."""
    out = io.StringIO()
    rows = csv.writer(out, delimiter=";" if language == "fr" else ",")
    rows.writerow([say(language, header) for header in HEADERS])
    for line in shelf:
        wrote = filled.get(line.number, Filled())
        words = (line.title, line.brand, line.model, line.gtin or "", line.grade)
        asked = str((line.ask or ask).decimal).replace(".", "," if language == "fr" else ".")
        rows.writerow([line.number, *map(_plain, words), line.left, asked, wrote.quantity, wrote.price])
    return Response(
        ("\ufeff" + out.getvalue()).encode(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "private, no-store"},
    )


def filled_in_file(sheets: Sequence[Sheet], lines: int) -> dict[int, Filled]:
    """What stands in the two columns to fill in, by the line's number. Raises NotThisList, NothingFilledIn."""
    for sheet in sheets:
        for at, row in enumerate(sheet.rows):
            places = [_place(row, header) for header in (NUMBER, QUANTITY, PRICE)]
            if None not in places:
                return _filled(sheet.rows[at + 1 :], [place for place in places if place is not None], lines)
    raise NotThisList(field="file")


def _filled(rows: Sequence[Sequence[Any]], places: list[int], lines: int) -> dict[int, Filled]:
    found: dict[int, Filled] = {}
    for row in rows:
        number, quantity, price = (_text(row[place]) if place < len(row) else "" for place in places)
        if number.isascii() and number.isdigit() and 1 <= int(number) <= lines and (quantity or price):
            found[int(number)] = Filled(quantity, price)
    if not any(f.quantity for f in found.values()):
        raise NothingFilledIn(field="file")
    return found


def _place(row: Sequence[Any], header: str) -> int | None:
    names = {say(language, header).casefold() for language in LANGUAGES}
    return next((at for at, cell in enumerate(row) if str(cell).strip().casefold() in names), None)


def _text(cell: Any) -> str:
    """A cell as a person would type it: a spreadsheet keeps 12 as 12.0."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()[:40]


def _plain(words: str) -> str:
    """Words that a spreadsheet program would take for a formula are made words again."""
    return f"'{words}" if words.startswith(("=", "+", "-", "@", "\t", "\r")) else words
