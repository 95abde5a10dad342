"""Stock lists of our own writing, in the shapes merchants send: made in code, so that nobody's data is kept here."""

import io
import zipfile
from collections.abc import Sequence
from functools import cache

import openpyxl
from stdnum import ean

from exchange.listings.rules.numbers import Cell
from exchange.listings.rules.stock_lists import Sheet


def gtin(n: int, prefix: str = "40999") -> str:
    """An EAN-13 with a right check digit."""
    body = f"{prefix}{n:0{12 - len(prefix)}}"
    return body + str(ean.calc_check_digit(body))


def sheet(*rows: Sequence[Cell], name: str = "") -> list[Sheet]:
    return [Sheet(name, rows)]


FRENCH_TILL = (
    "Référence;Désignation;Code-barres;Marque;Rayon;Qté en stock;PV TTC;Prix d'achat HT;État\r\n"
    f"BR-01;Bouilloire inox 1,7 L;{gtin(1)};Volcana;Électroménager;12;39,90;18,20;Neuf\r\n"
    f"BR-02;Grille-pain deux fentes;{gtin(2)[:-1]}0;Volcana;Électroménager;5;24,90;11,00;Retour client\r\n"
    f"BR-03;Cafetière « Matinale »;{gtin(3)};;Électroménager;-2;59,90;30,00;Neuf\r\n"
    "BR-04;Assiette plate faïence;3,60E+12;Terraluz;Vaisselle;1 250;4,50;1,10;Neuf\r\n"
    ";TOTAL;;;;1267;;;\r\n"
).encode("cp1252")

SHOPIFY = (
    "Handle,Title,Body (HTML),Vendor,Type,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Qty,Variant Price,"
    "Variant Compare At Price,Variant Barcode,Image Src,Cost per item\n"
    f"rain-coat,Rain coat,<p>Light</p>,Brumaire,Coats,Size,S,RC-S,4,79.00,99.00,'{gtin(11)},https://x.test/1.jpg,31\n"
    f"rain-coat,,,,,,M,RC-M,0,79.00,99.00,{gtin(12)},https://x.test/2.jpg,31\n"
    "rain-coat,,,,,,,,,,,,https://x.test/3.jpg,\n"
    f"wool-hat,Wool hat,,Brumaire,Hats,Title,Default Title,WH,9,19.00,,{gtin(13)},,7\n"
).encode()

WOOCOMMERCE = (
    b"ID,Type,SKU,Name,Stock,Regular price,Categories,Parent,Attribute 1 name,Attribute 1 value(s)\n"
    b'7,variable,tee,Cotton T-shirt,,,Clothing > T-shirts,,Colour,"Red, Blue"\n'
    b"8,variation,tee-red,Cotton T-shirt,14,15,,tee,Colour,Red\n"
    b"9,variation,tee-blue,Cotton T-shirt,6,15,,id:7,Colour,Blue\n"
    b'10,"simple, virtual",card,Gift card,,25,Gifts,,,\n'
)


def workbook(*sheets: tuple[str, Sequence[Sequence[Cell]]]) -> bytes:
    """An XLSX file."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets:
        made = book.create_sheet(name)
        for row in rows:
            made.append(list(row))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


@cache
def bomb() -> bytes:
    """A small XLSX whose one sheet unpacks to half a gigabyte."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as entry:
            for _ in range(512):
                entry.write(b"0" * 2**20)
    return file.getvalue()
