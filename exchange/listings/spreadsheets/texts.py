"""Tables in text: CSV and its kin in whatever encoding and with whatever sign between cells, and HTML."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

from exchange.listings.rules.numbers import Cell
from exchange.listings.spreadsheets.refusals import MAX_COLUMNS, MAX_ROWS, HoldsNoTable
from exchange.listings.spreadsheets.workbooks import Named

_DELIMITERS = ",;\t|"


def html_tables(content: bytes) -> Named:
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


def delimited(content: bytes) -> Named:
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
