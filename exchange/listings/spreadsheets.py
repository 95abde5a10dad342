"""From the bytes of a file to sheets of cells, whatever its name claims: XLSX, XLS, ODS, CSV, TSV, HTML, Excel XML.

Formats are recognised by content. Parsing is left to the libraries that do it well; what is ours is to refuse early and
by name what would harm the server or mislead the merchant. `open_sheets` parses in a child process with a limit on its
memory and time: a file made to kill the parser kills only the child. Identifiers stay text: only cells that the file
itself marks as numbers come out as numbers.
"""

import asyncio
import csv
import io
import json
import re
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, datetime
from itertools import islice
from typing import Any

from exchange.errors import N_, DomainError, Invalid, TooLarge
from exchange.listings.rules.numbers import Cell
from exchange.listings.rules.stock_lists import Sheet

MAX_ROWS = 100_000
MAX_COLUMNS = 500
MAX_UNPACKED = 400 * 2**20
MAX_RATIO = 250
CHILD_MEMORY = 2 * 2**30
CHILD_SECONDS = 60
_DELIMITERS = ",;\t|"


class EmptyFile(Invalid):
    message = N_("This file is empty. Export it again and check that it opens with rows in it.")


class HeadingsAlone(Invalid):
    message = N_(
        "This list has headings and no row under them. Export it again with its articles, or upload the file that "
        "holds them."
    )


class NotATable(Invalid):
    message = N_("This is a %(kind)s file, not a table. Export your stock as XLSX, XLS, ODS or CSV.")


class HoldsNoTable(Invalid):
    message = N_("This file holds no table that we can read. Export your stock as XLSX, XLS, ODS or CSV.")


class NotReadable(Invalid):
    message = N_("This file cannot be read: it is cut off or damaged. Save it again and upload it once more.")


class PasswordProtected(Invalid):
    message = N_(
        "This file is protected by a password. Remove it in your spreadsheet program and upload the file again."
    )


class UnpacksTooLarge(TooLarge):
    message = N_("Unpacked, this file is far larger than a stock list can be. Save it without pictures or macros.")


class TooManyRows(TooLarge):
    message = N_("This list has more than %(rows)s rows. Split it into several files.")


class TooManyColumns(TooLarge):
    message = N_("This list has more than %(columns)s columns. Keep those that describe the goods.")


class TookTooLong(Invalid):
    message = N_("This file takes too long to read. Save the list of goods alone, as CSV or XLSX, and try again.")


_REFUSALS: dict[str, type[DomainError]] = {
    kind.__name__: kind
    for kind in (
        EmptyFile, HeadingsAlone, NotATable, HoldsNoTable, NotReadable, PasswordProtected, UnpacksTooLarge,
        TooManyRows, TooManyColumns, TookTooLong,
    )
}  # fmt: skip


def refusal_named(name: str, details: dict[str, Any]) -> DomainError:
    """The refusal a stock list was stored with, to be said in the reader's language."""
    return _REFUSALS.get(name, NotReadable)(field="file", **details)


async def open_sheets(content: bytes) -> list[Sheet]:
    """`read_sheets` in a process of its own. Raises what it raises, and TookTooLong."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "exchange.listings.spreadsheets",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        told, _ = await asyncio.wait_for(child.communicate(content), CHILD_SECONDS)
    except TimeoutError:
        raise TookTooLong(field="file") from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != 0:  # the limits have ended it
        raise UnpacksTooLarge(field="file")
    answer = json.loads(told)
    if "refusal" in answer:
        raise refusal_named(answer["refusal"], answer["details"])
    return [Sheet(name, rows) for name, rows in answer["sheets"]]


def read_sheets(content: bytes) -> list[Sheet]:
    """Every visible sheet that holds anything. Raises the refusals above."""
    if not content.strip(b"\x00\t\r\n \xef\xbb\xbf"):
        raise EmptyFile(field="file")
    sheets = []
    for name, rows in _format_of(content)(content):
        table = _trimmed(rows)
        if table:
            sheets.append(Sheet(name, table))
    if not sheets:
        raise EmptyFile(field="file")
    return sheets


_Named = Iterator[tuple[str, Iterator[list[Cell]]]]


def _format_of(content: bytes) -> Callable[[bytes], _Named]:
    head = content[:8192].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if content.startswith(b"PK\x03\x04"):
        _check_zip(content)
        return _workbook
    if content.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        if "EncryptedPackage".encode("utf-16-le") in content:
            raise PasswordProtected(field="file")
        return _old_workbook
    if content[:2] in {b"\x09\x00", b"\x09\x02", b"\x09\x04", b"\x09\x08"} and content[3:4] == b"\x00":
        return _old_workbook
    if head.startswith(b"<?xml") and b"urn:schemas-microsoft-com:office:spreadsheet" in head:
        return _excel_xml
    if head.startswith((b"<!doctype html", b"<html", b"<table", b"<head", b"<meta", b"<body", b"<div")) or (
        head.startswith(b"<") and b"<table" in head
    ):
        return _html
    for magic, kind in _OTHERS.items():
        if content.startswith(magic):
            raise NotATable(kind=kind, field="file")
    if head.startswith((b"{", b"[{")):
        raise NotATable(kind="JSON", field="file")
    if head.startswith(b"<?xml"):
        raise NotATable(kind="XML", field="file")
    return _text


_OTHERS = {
    b"%PDF": "PDF", b"\x89PNG": "PNG", b"\xff\xd8\xff": "JPEG", b"GIF8": "GIF", b"\x1f\x8b": "GZIP", b"Rar!": "RAR",
    b"7z\xbc\xaf": "7-Zip", b"{\\rtf": "RTF", b"BZh": "BZIP2", b"SQLite format 3": "SQLite",
}  # fmt: skip
"""How other files begin, and the proper name of their kind."""


# --- workbooks ------------------------------------------------------------------------------------------------------


def _check_zip(content: bytes) -> None:
    """Look at the directory before anything is unpacked."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        entries = archive.infolist()
        names = {entry.filename for entry in entries}
        if any(entry.flag_bits & 1 for entry in entries):
            raise PasswordProtected(field="file")
        unpacked = sum(entry.file_size for entry in entries)
        packed = sum(entry.compress_size for entry in entries)
        if len(entries) > 5000 or unpacked > MAX_UNPACKED or unpacked > MAX_RATIO * max(packed, 2**16):
            raise UnpacksTooLarge(field="file")
        if "META-INF/manifest.xml" in names and "mimetype" in names:
            if b"encryption-data" in archive.read("META-INF/manifest.xml"):
                raise PasswordProtected(field="file")
            if b"spreadsheet" not in archive.read("mimetype"):
                raise NotATable(kind="OpenDocument", field="file")
        elif any(name.endswith(".iwa") for name in names):
            raise NotATable(kind="Apple Numbers", field="file")
        elif not any(name.startswith("xl/") for name in names):
            raise NotATable(kind="ZIP" if "[Content_Types].xml" not in names else "Office", field="file")
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, ValueError) as e:
        raise NotReadable(field="file") from e


def _workbook(content: bytes) -> _Named:
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        for sheet in book.sheets_metadata:
            if sheet.visible is SheetVisibleEnum.Visible and sheet.typ is SheetTypeEnum.WorkSheet:
                table = book.get_sheet_by_name(sheet.name)
                if table.end is None:
                    continue
                _check_size(table.end[0] + 1, 0)
                yield sheet.name, ([_cell(v) for v in row] for row in table.to_python(skip_empty_area=False))
    except PasswordError as e:
        raise PasswordProtected(field="file") from e
    except (CalamineError, OSError, ValueError) as e:
        raise NotReadable(field="file") from e


def _old_workbook(content: bytes) -> _Named:
    """BIFF 2 to 8. Calamine is the stricter reader of modern XLS; xlrd alone knows the bare BIFF of old programs."""
    import xlrd

    if content.startswith(b"\xd0\xcf"):
        try:
            yield from list(_workbook(content))
        except NotReadable:
            pass
        else:
            return
    try:
        book = xlrd.open_workbook(file_contents=content, logfile=io.StringIO(), on_demand=True)
        for sheet in book.sheets():
            if sheet.visibility == 0:
                yield sheet.name, ([_old_cell(c, book.datemode) for c in sheet.row(i)] for i in range(sheet.nrows))
    except xlrd.XLRDError as e:
        if "encrypted" in str(e):
            raise PasswordProtected(field="file") from e
        raise NotReadable(field="file") from e
    except Exception as e:  # xlrd trips over damaged records in many ways
        raise NotReadable(field="file") from e


def _old_cell(cell: Any, datemode: int) -> Cell:
    import xlrd

    if cell.ctype == xlrd.XL_CELL_DATE:
        try:
            return str(xlrd.xldate_as_datetime(cell.value, datemode).date().isoformat())
        except (ValueError, OverflowError):
            return float(cell.value)
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return "true" if cell.value else "false"
    return "" if cell.ctype == xlrd.XL_CELL_ERROR else _cell(cell.value)


def _cell(value: object) -> Cell:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | str():
            return value
        case float():
            return int(value) if value.is_integer() and abs(value) < 1e15 else value
        case datetime():
            return value.isoformat(sep=" ", timespec="minutes")
        case date():
            return value.isoformat()
        case None:
            return ""
    return str(value)


def _excel_xml(content: bytes) -> _Named:
    """The XML of Excel 2003, which many shops still save as ``.xls``. Entities are never resolved."""
    from lxml import etree

    ss = "{urn:schemas-microsoft-com:office:spreadsheet}"
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=True)
    root = etree.fromstring(content, parser)
    if root is None:
        raise NotReadable(field="file")
    for sheet in root.iter(f"{ss}Worksheet"):
        rows: list[list[Cell]] = []
        for row in sheet.iter(f"{ss}Row"):
            at = int(row.get(f"{ss}Index") or len(rows) + 1)
            _check_size(at, 0)
            rows.extend([] for _ in range(at - 1 - len(rows)))
            cells: list[Cell] = []
            for cell in row.iter(f"{ss}Cell"):
                column = int(cell.get(f"{ss}Index") or len(cells) + 1)
                _check_size(0, column)
                cells.extend("" for _ in range(column - 1 - len(cells)))
                data = cell.find(f"{ss}Data")
                text = "".join(data.itertext()) if data is not None else ""
                number = data is not None and data.get(f"{ss}Type") == "Number"
                cells.append(_number(text) if number else text)
            rows.append(cells)
        yield sheet.get(f"{ss}Name") or "", iter(rows)


def _number(text: str) -> Cell:
    try:
        return _cell(float(text))
    except ValueError:
        return text


# --- text -----------------------------------------------------------------------------------------------------------


def _html(content: bytes) -> _Named:
    from lxml import html

    declared = re.search(rb"charset\s*=\s*[\"']?([\w-]+)", content[:4096])
    try:
        text = content.decode(declared[1].decode("ascii")) if declared else _decoded(content)
    except (LookupError, UnicodeDecodeError):
        text = _decoded(content)
    root = html.document_fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", text))
    tables = [t for t in root.iter("table") if t.find(".//table") is None]
    for number, table in enumerate(tables, start=1):
        yield f"{number}", (_html_row(row) for row in table.iter("tr"))


def _html_row(row: Any) -> list[Cell]:
    cells: list[Cell] = []
    for cell in row.iterchildren("td", "th"):
        cells.append(" ".join(cell.text_content().split()))
        span = cell.get("colspan") or "1"
        cells.extend("" for _ in range(min(int(span), MAX_COLUMNS) - 1 if span.isdigit() else 0))
    return cells


def _text(content: bytes) -> _Named:
    text = _decoded(content)
    told, _, rest = text.partition("\n")
    if match := re.fullmatch(r"sep=(.)\r?", told, re.IGNORECASE):
        # the row stays, so that rows keep the numbers a spreadsheet program shows
        yield "", iter([[], *_records(rest, match[1])])
        return
    yield "", iter(_records(text, _delimiter_of(text)))


def _decoded(content: bytes) -> str:
    """The text of a file whose encoding nobody stated. Raises HoldsNoTable when it is no text."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(mark):
            return content.decode(encoding, errors="replace")
    sample = content[:65536]
    if b"\x00" in sample:
        even, odd = sample[::2].count(0), sample[1::2].count(0)
        if min(even, odd) * 20 > max(even, odd) or max(even, odd) * 5 < len(sample):
            raise HoldsNoTable(field="file")
        return content.decode("utf-16-be" if even > odd else "utf-16-le", errors="replace")
    if sum(byte < 32 and byte not in b"\t\n\r\x0b\x0c\x1a\x1b" for byte in sample) * 200 > len(sample):
        raise HoldsNoTable(field="file")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as e:
        if e.start >= len(content) - 3 and e.start > 0:  # cut in the middle of the last letter
            return content[: e.start].decode("utf-8")
    from charset_normalizer import from_bytes

    high = bytes(b for b in content if b >= 128)
    if len(high) * 2 > len(content):
        raise HoldsNoTable(field="file")
    likely = ["cp1252", "iso8859_15", "cp1250", "cp850", "mac_roman", "cp1251"]
    lines = b"\n".join(islice((line for line in content.split(b"\n") if any(b >= 128 for b in line)), 400))
    found = from_bytes(lines, cp_isolation=likely).best()
    encoding = found.encoding if found else "cp1252"
    if encoding in {"cp1250", "cp1251"} or all(b >= 0xA0 for b in high):
        # Western merchants outnumber the rest: another alphabet must be plain before it is believed
        western = lines.decode("cp1252", errors="replace")
        if sum(c in "éèêëàâäçôöûüùîïñßæœÉÈÀÇÊÄÖÜáíóúÁÍÓÚ°€’–«»®™" for c in western) * 2 >= len(high[:4000]):
            encoding = "cp1252"
    return content.decode(encoding, errors="replace")


def _delimiter_of(text: str) -> str:
    """The sign that cuts most of the first records into the same number of cells, and into most."""
    sample = text[:200_000]
    best, best_score = ",", 0.0
    for delimiter in _DELIMITERS:
        widths = Counter(len(r) for r in islice(_parsed(sample, delimiter), 300) if any(c.strip() for c in r))
        if not widths:
            continue
        width, times = max(widths.items(), key=lambda item: (item[1] * min(item[0], 12), item[0]))
        score = times / widths.total() * min(width, 12) ** 0.5 if width > 1 else 0
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _records(text: str, delimiter: str) -> list[list[Cell]]:
    """The records of a delimited text. A quote that is never closed must not swallow the rest of the file."""
    records = list(islice(_parsed(text, delimiter), MAX_ROWS + 2))
    swallowed = any(len(cell) > 30_000 and cell.count("\n") > 100 for record in records for cell in record)
    if swallowed:
        lines = csv.reader(text.splitlines(), delimiter=delimiter, quoting=csv.QUOTE_NONE)
        records = list(islice(lines, MAX_ROWS + 2))
    return [[*record] for record in records]


def _parsed(text: str, delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(2**24)
    return csv.reader(io.StringIO(text.replace("\x00", ""), newline=""), delimiter=delimiter)


# --- every format ---------------------------------------------------------------------------------------------------


def _trimmed(rows: Iterator[list[Cell]]) -> list[list[Cell]]:
    """The rows without empty cells and rows at their ends; within the limits."""
    table: list[list[Cell]] = []
    filled = 0
    for row in rows:
        width = next((i for i in range(len(row), 0, -1) if row[i - 1] != ""), 0)
        _check_size(len(table) if width else 0, width)
        table.append(row[:width])
        filled = len(table) if width else filled
    return table[:filled]


def _check_size(rows: int, columns: int) -> None:
    if rows > MAX_ROWS:
        raise TooManyRows(rows=MAX_ROWS, field="file")
    if columns > MAX_COLUMNS:
        raise TooManyColumns(columns=MAX_COLUMNS, field="file")


def _main() -> None:
    """The child: a file on standard input, JSON on standard output, limits on everything between."""
    try:
        import resource
    except ImportError:  # no such limits on Windows
        pass
    else:
        resource.setrlimit(resource.RLIMIT_AS, (CHILD_MEMORY, CHILD_MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (CHILD_SECONDS, CHILD_SECONDS))
    content = sys.stdin.buffer.read()
    answer: dict[str, Any]
    try:
        answer = {"sheets": [[s.name, s.rows] for s in read_sheets(content)]}
    except DomainError as refusal:
        answer = {"refusal": type(refusal).__name__, "details": refusal.details}
    except MemoryError:
        answer = {"refusal": UnpacksTooLarge.__name__, "details": {}}
    except Exception:
        answer = {"refusal": NotReadable.__name__, "details": {}}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    _main()
