import io
import zipfile

import pytest
import xlrd  # noqa: F401  the old format's reader must be installed

from exchange.errors import DomainError
from exchange.listings.rules.columns import text_of
from exchange.listings.spreadsheets import open_sheets, read_sheets
from exchange.listings.spreadsheets.refusals import (
    EmptyFile,
    HoldsNoTable,
    NotATable,
    NotReadable,
    PasswordProtected,
    TooManyColumns,
    TooManyRows,
    UnpacksTooLarge,
)
from tests.listings.samples import FRENCH_TILL, bomb, workbook


def cells(content: bytes) -> list[list[str]]:
    return [[text_of(c) for c in row] for row in read_sheets(content)[0].rows]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le"])
def test_text_is_read_in_the_encoding_it_was_written_in(encoding: str) -> None:
    text = "Désignation;Qté\r\nThéière émaillée à 12 €;3\r\nPoêle à crêpes;4\r\n"
    assert cells(text.encode(encoding)) == [
        ["Désignation", "Qté"],
        ["Théière émaillée à 12 €", "3"],
        ["Poêle à crêpes", "4"],
    ]


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(sign: str) -> None:
    text = sign.join(("Name", "Qty", "Note")) + "\n" + sign.join(('"Pan, large; blue"', "3", '"two\nlines"')) + "\n"
    assert cells(text.encode()) == [["Name", "Qty", "Note"], ["Pan, large; blue", "3", "two\nlines"]]


def test_the_row_that_names_the_delimiter_keeps_its_number() -> None:
    rows = read_sheets(b"sep=;\r\nName;Qty\r\nPan;3\r\n")[0].rows
    assert [list(r) for r in rows] == [[], ["Name", "Qty"], ["Pan", "3"]]


def test_a_quote_never_closed_does_not_swallow_the_list() -> None:
    lines = ["Name,Qty", '"12 inch pan,1'] + [f"Pan number {n} of the long series,{n}" for n in range(2000)]
    assert len(cells("\n".join(lines).encode())) == 2002


def test_codes_in_a_workbook_stay_whole() -> None:
    content = workbook(("Stock", [("EAN", "Name"), (4099900000018, "Pan"), ("0012345678905", "Lid"), (12.5, "x")]))
    assert cells(content)[1:] == [["4099900000018", "Pan"], ["0012345678905", "Lid"], ["12.5", "x"]]


def test_hidden_sheets_are_not_read() -> None:
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(workbook(("Stock", [("Name",), ("Pan",)]), ("Margins", [("secret",)]))))
    book["Margins"].sheet_state = "hidden"
    file = io.BytesIO()
    book.save(file)
    assert [s.name for s in read_sheets(file.getvalue())] == ["Stock"]


def test_html_is_known_whatever_its_name() -> None:
    page = b"<html><body><table><tr><th>Name</th><th>Qty</th></tr><tr><td colspan=2>Pan &amp; lid</td></tr></table>"
    assert cells(page) == [["Name", "Qty"], ["Pan & lid"]]


def test_the_xml_of_old_excel_is_read() -> None:
    xml = (
        '<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
        'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="Stock"><Table>'
        '<Row><Cell><Data ss:Type="String">EAN</Data></Cell><Cell ss:Index="3"><Data ss:Type="String">Qty</Data></Cell>'
        '</Row><Row ss:Index="3"><Cell><Data ss:Type="String">0012</Data></Cell></Row></Table></Worksheet></Workbook>'
    )
    assert cells(xml.encode()) == [["EAN", "", "Qty"], [], ["0012"]]


ENTITIES = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY f SYSTEM "file:///etc/passwd">]><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">'
    b'<Worksheet Name="x"><Table><Row><Cell><Data>&f;&b;</Data></Cell></Row></Table></Worksheet></Workbook>'
)


def test_entities_are_never_resolved() -> None:
    assert cells(ENTITIES) == [["&f;&b;"]]


def _zip(**entries: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return file.getvalue()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
GOOD = workbook(("Stock", [("Name", "Qty"), ("Pan", 3)]))


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"", EmptyFile),
        (b"\xef\xbb\xbf \r\n", EmptyFile),
        (workbook(("Empty", [])), EmptyFile),
        (GOOD[: len(GOOD) // 2], NotReadable),
        (OLE + b"\x00" * 600 + "EncryptedPackage".encode("utf-16-le"), PasswordProtected),
        (OLE + b"\x17" * 600, NotReadable),
        (b"%PDF-1.7 stock", NotATable),
        (b"\x89PNG\r\n\x1a\n....", NotATable),
        (b'{"stock": []}', NotATable),
        (bytes(range(256)) * 40, HoldsNoTable),
        (b"MZ\x90\x00\x03" + bytes(60), HoldsNoTable),
        (_zip(**{"readme.txt": b"hello"}), NotATable),
        (_zip(**{"word/document.xml": b"<w/>", "[Content_Types].xml": b"<Types/>"}), NotATable),
        (b"Name\n" + b"Pan\n" * 100_001, TooManyRows),
        (b",".join([b"x"] * 16_000) + b"\n", TooManyColumns),
    ],
    ids=[
        "nothing", "blank", "no rows", "half", "password", "damaged", "pdf", "picture", "json", "rubbish", "program",
        "archive", "text document", "rows", "columns",
    ],
)  # fmt: skip
def test_what_is_no_stock_list_is_refused_by_name(content: bytes, refusal: type[DomainError]) -> None:
    with pytest.raises(refusal) as told:
        read_sheets(content)
    assert told.value.field == "file"


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    with pytest.raises(UnpacksTooLarge):
        read_sheets(bomb())


async def test_the_child_process_reads_as_we_do_and_hands_back_refusals() -> None:
    rows = (await open_sheets(FRENCH_TILL))[0].rows
    assert [list(r) for r in rows] == [list(r) for r in read_sheets(FRENCH_TILL)[0].rows]
    with pytest.raises(NotATable, match="PDF"):
        await open_sheets(b"%PDF-1.7")


async def test_a_sheet_that_would_eat_all_memory_ends_only_the_child() -> None:
    corner = workbook(("Huge", [("Name",)]))
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(corner)) as good, zipfile.ZipFile(file, "w") as bad:
        for entry in good.infolist():
            content = good.read(entry)
            if entry.filename.endswith("sheet1.xml"):
                cell = b'<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row></sheetData>'
                content = content.replace(b"</sheetData>", cell)
            bad.writestr(entry, content)
    with pytest.raises((UnpacksTooLarge, TooManyRows)):
        await open_sheets(file.getvalue())
