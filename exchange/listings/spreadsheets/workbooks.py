"""Workbooks: XLSX, ODS, XLS of every age, and the XML of Excel 2003. Looked at before anything is unpacked."""

import io
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from exchange.listings.rules.numbers import Cell
from exchange.listings.spreadsheets.refusals import (
    NotATable,
    NotReadable,
    PasswordProtected,
    UnpacksTooLarge,
    check_size,
)

MAX_UNPACKED = 400 * 2**20
MAX_RATIO = 250

Named = Iterator[tuple[str, Iterator[list[Cell]]]]
"""Sheets by name, row by row."""


def check_zip(content: bytes) -> None:
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


def workbook(content: bytes) -> Named:
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        for sheet in book.sheets_metadata:
            if sheet.visible is SheetVisibleEnum.Visible and sheet.typ is SheetTypeEnum.WorkSheet:
                table = book.get_sheet_by_name(sheet.name)
                if table.end is None:
                    continue
                check_size(table.end[0] + 1, 0)
                yield sheet.name, ([_cell(v) for v in row] for row in table.to_python(skip_empty_area=False))
    except PasswordError as e:
        raise PasswordProtected(field="file") from e
    except (CalamineError, OSError, ValueError) as e:
        raise NotReadable(field="file") from e


def old_workbook(content: bytes) -> Named:
    """BIFF 2 to 8. Calamine is the stricter reader of modern XLS; xlrd alone knows the bare BIFF of old programs."""
    import xlrd

    if content.startswith(b"\xd0\xcf"):
        try:
            yield from list(workbook(content))
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


def excel_xml(content: bytes) -> Named:
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
            check_size(at, 0)
            rows.extend([] for _ in range(at - 1 - len(rows)))
            cells: list[Cell] = []
            for cell in row.iter(f"{ss}Cell"):
                column = int(cell.get(f"{ss}Index") or len(cells) + 1)
                check_size(0, column)
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
