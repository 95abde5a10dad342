"""From the bytes of a file to sheets of cells, whatever its name claims: XLSX, XLS, ODS, CSV, TSV, HTML, Excel XML.

Formats are recognised by content. Parsing is left to the libraries that do it well; what is ours is to refuse early and
by name what would harm the server or mislead the merchant. `open_sheets` parses in a child process with a limit on its
memory and time: a file made to kill the parser kills only the child. Identifiers stay text: only cells that the file
itself marks as numbers come out as numbers.
"""

import asyncio
import json
import sys
from collections.abc import Callable, Iterator

from exchange.listings.rules.numbers import Cell
from exchange.listings.rules.stock_lists import Sheet
from exchange.listings.spreadsheets.refusals import (
    EmptyFile,
    NotATable,
    PasswordProtected,
    TookTooLong,
    UnpacksTooLarge,
    check_size,
    refusal_named,
)
from exchange.listings.spreadsheets.texts import delimited, html_tables
from exchange.listings.spreadsheets.workbooks import Named, check_zip, excel_xml, old_workbook, workbook

CHILD_SECONDS = 60


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


def _format_of(content: bytes) -> Callable[[bytes], Named]:
    head = content[:8192].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if content.startswith(b"PK\x03\x04"):
        check_zip(content)
        return workbook
    if content.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        if "EncryptedPackage".encode("utf-16-le") in content:
            raise PasswordProtected(field="file")
        return old_workbook
    if content[:2] in {b"\x09\x00", b"\x09\x02", b"\x09\x04", b"\x09\x08"} and content[3:4] == b"\x00":
        return old_workbook
    if head.startswith(b"<?xml") and b"urn:schemas-microsoft-com:office:spreadsheet" in head:
        return excel_xml
    if head.startswith((b"<!doctype html", b"<html", b"<table", b"<head", b"<meta", b"<body", b"<div")) or (
        head.startswith(b"<") and b"<table" in head
    ):
        return html_tables
    for magic, kind in _OTHERS.items():
        if content.startswith(magic):
            raise NotATable(kind=kind, field="file")
    if head.startswith((b"{", b"[{")):
        raise NotATable(kind="JSON", field="file")
    if head.startswith(b"<?xml"):
        raise NotATable(kind="XML", field="file")
    return delimited


_OTHERS = {
    b"%PDF": "PDF", b"\x89PNG": "PNG", b"\xff\xd8\xff": "JPEG", b"GIF8": "GIF", b"\x1f\x8b": "GZIP", b"Rar!": "RAR",
    b"7z\xbc\xaf": "7-Zip", b"{\\rtf": "RTF", b"BZh": "BZIP2", b"SQLite format 3": "SQLite",
}  # fmt: skip
"""How other files begin, and the proper name of their kind."""


def _trimmed(rows: Iterator[list[Cell]]) -> list[list[Cell]]:
    """The rows without empty cells and rows at their ends; within the limits."""
    table: list[list[Cell]] = []
    filled = 0
    for row in rows:
        width = next((i for i in range(len(row), 0, -1) if row[i - 1] != ""), 0)
        check_size(len(table) if width else 0, width)
        table.append(row[:width])
        filled = len(table) if width else filled
    return table[:filled]
