from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.listings.rules import numbers, vocabulary
from exchange.listings.rules.grades import Grade
from exchange.listings.rules.numbers import Decimals
from exchange.listings.rules.rows import RowState
from exchange.listings.rules.stock_lists import Corrections, Sheet, StockList, read
from exchange.listings.rules.vocabulary import Role
from exchange.listings.spreadsheets import read_sheets
from tests.listings.samples import FRENCH_TILL, SHOPIFY, WOOCOMMERCE, gtin, sheet

OPEN = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "open"


def roles(found: StockList) -> dict[str, Role]:
    return {c.header: c.role for c in found.columns if c.role is not Role.IGNORED}


def problems(found: StockList) -> dict[int, set[str]]:
    return {row.number: {p.code for p in row.problems} for _, row in found.rows if row.problems}


def notices(found: StockList) -> set[str]:
    return {n.code for n in found.notices}


# --- families -------------------------------------------------------------------------------------------------------


def test_the_export_of_a_french_till_is_understood() -> None:
    found = read(read_sheets(FRENCH_TILL))
    assert roles(found) == {
        "Référence": Role.SELLER_REF, "Désignation": Role.TITLE, "Code-barres": Role.GTIN, "Marque": Role.BRAND,
        "Rayon": Role.CATEGORY, "Qté en stock": Role.QUANTITY, "PV TTC": Role.PRICE, "Prix d'achat HT": Role.COST,
        "État": Role.GRADE,
    }  # fmt: skip
    kettle, toaster, coffee, plate, total = (row for _, row in found.rows)
    assert kettle.state is RowState.USABLE
    assert kettle.line is not None
    assert (kettle.line.title, kettle.line.quantity, kettle.line.rrp_minor) == ("Bouilloire inox 1,7 L", 12, 3990)
    assert kettle.line.gtin == gtin(1).zfill(14)
    assert toaster.line is not None
    assert toaster.line.gtin is None
    assert toaster.line.grade is Grade.B
    assert coffee.state is RowState.REFUSED
    assert plate.line is not None
    assert (plate.line.quantity, plate.line.category) == (1250, "tableware")
    assert total.aside == "total"
    assert problems(found) == {3: {"gtin_bad_check_digit"}, 4: {"quantity_negative"}, 5: {"gtin_wrecked"}}


def test_a_cost_is_set_aside_and_appears_nowhere() -> None:
    found = read(read_sheets(FRENCH_TILL))
    assert "cost_set_aside" in notices(found)
    assert "1820" not in repr([row.line for _, row in found.rows])


def test_variants_of_a_shopify_export_take_their_title_from_the_article() -> None:
    found = read(read_sheets(SHOPIFY))
    small, medium, picture, hat = (row for _, row in found.rows)
    assert small.line is not None
    assert (small.line.title, small.line.brand, small.line.rrp_minor) == ("Rain coat – S", "Brumaire", 9900)
    assert small.line.gtin == gtin(11).zfill(14)
    assert {p.code for p in medium.problems} == {"out_of_stock"}
    assert picture.aside == "picture"
    assert hat.line is not None
    assert (hat.line.title, hat.line.rrp_minor) == ("Wool hat", 1900)


def test_parents_and_downloads_of_a_woocommerce_export_are_set_aside() -> None:
    found = read(read_sheets(WOOCOMMERCE))
    assert [row.aside for _, row in found.rows] == ["parent", "", "", "not_goods"]
    red, blue = (row.line for _, row in found.rows if row.line)
    assert (red.title, red.quantity, red.category) == ("Cotton T-shirt – Red", 14, "clothing")
    assert blue.category == "clothing"


@pytest.mark.parametrize(
    ("header", "price"),
    [
        ("Artikelnummer|Bezeichnung|EAN|Bestand|UVP|EK", Role.RRP),
        ("Código|Descripción|Código de barras|Existencias|PVP|Coste", Role.RRP),
        ("Codice articolo|Descrizione|EAN|Giacenza|Prezzo|Costo", Role.PRICE),
        ("Artikelnummer|Omschrijving|EAN-code|Voorraad|Adviesprijs|Inkoopprijs", Role.RRP),
        ("Referência|Descrição|EAN|Quantidade|Preço|Preço de custo", Role.PRICE),
        ("Réf.|Libellé|Gencod|Stock dispo|PVC TTC|PA HT", Role.RRP),
        ("default_code|name|barcode|qty_available|lst_price|standard_price", Role.PRICE),
    ],
)
def test_headers_are_known_in_seven_languages(header: str, price: Role) -> None:
    expected = (Role.SELLER_REF, Role.TITLE, Role.GTIN, Role.QUANTITY, price, Role.COST)
    body = [(f"A{n}", f"Article nr {n} rouge", gtin(n), str(n), "12,50", "8,00") for n in range(1, 6)]
    found = read(sheet(header.split("|"), *body))
    assert tuple(c.role for c in found.columns) == expected
    assert found.count(RowState.USABLE) == 5


def test_a_list_without_headings_is_known_by_what_it_holds() -> None:
    found = read(sheet(*((f"Desk lamp with arm, model {n}", "3", f"${n}9.90", gtin(n)) for n in range(1, 8))))
    assert [c.role for c in found.columns] == [Role.TITLE, Role.QUANTITY, Role.RRP, Role.GTIN]
    assert {"no_header", "dollar_assumed"} <= notices(found)
    assert found.rows[0][1].number == 1


def test_a_title_above_the_headings_and_headings_repeated_are_no_articles() -> None:
    head = ("Libellé", "Quantité", "PPC")
    found = read(sheet(("Déstockage été",), (), head, ("Chaise pliante", "4", "30"), head, ("Table basse", "2", "80"),
                       ("Sous-total", "6", "280")))  # fmt: skip
    assert found.header == 3
    assert [(row.number, row.state) for _, row in found.rows] == [
        (4, RowState.USABLE), (5, RowState.ASIDE), (6, RowState.USABLE), (7, RowState.ASIDE)
    ]  # fmt: skip


def test_sheets_of_one_shape_are_read_together_and_others_are_named() -> None:
    head = ("Name", "Qty")
    found = read(
        [Sheet("Paris", [head, ("Chair", "2")]), Sheet("Notes", [("call back",)]), Sheet("Lyon", [head, ("Desk", "1")])]
    )
    assert found.sheets == (0, 2)
    assert [(at, row.number) for at, row in found.rows] == [(0, 2), (2, 2)]
    assert {"sheets_joined", "sheets_unread"} <= notices(found)


# --- quantities and prices ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "code"),
    [("-3", "quantity_negative"), ("0", "out_of_stock"), ("2,5", "quantity_not_whole"), ("99999999", "quantity_absurd"),
     ("viele", "quantity_not_number"), ("", "quantity_missing"), ("10+", "quantity_at_least")],
)  # fmt: skip
def test_a_quantity_that_cannot_be_is_told_and_the_other_rows_are_kept(written: str, code: str) -> None:
    found = read(sheet(("Name", "Qty"), ("Chair", written), ("Desk", "1"), ("Lamp", "2"), ("Rug", "3")))
    assert problems(found) == {2: {code}}
    assert found.count(RowState.USABLE) == 3


@pytest.mark.parametrize(
    ("written", "code"), [("-5", "price_negative"), ("999999999999", "price_absurd"), ("call us", "price_not_number")]
)
def test_a_price_that_cannot_be_is_told(written: str, code: str) -> None:
    found = read(sheet(("Name", "Qty", "RRP"), ("Chair", "1", written), ("Desk", "1", "80"), ("Rug", "3", "40")))
    assert problems(found) == {2: {code}}


def test_a_file_without_quantities_asks_for_them_instead_of_refusing_every_row() -> None:
    rows = sheet(("Name", "EAN"), ("Chair", gtin(1)), ("Desk", gtin(2)))
    found = read(rows)
    assert "no_quantity" in notices(found)
    assert problems(found) == {2: {"quantity_assumed"}, 3: {"quantity_assumed"}}
    stated = read(rows, Corrections(quantity=6))
    assert [row.line.quantity for _, row in stated.rows if row.line] == [6, 6]
    assert stated.count(RowState.USABLE) == 2


def test_the_decimal_sign_is_decided_by_the_column() -> None:
    assert numbers.style_of(["90.750", "12.500", "3.000"]).decimals is Decimals.COMMA
    assert numbers.style_of(["90.750", "12.5"]).decimals is Decimals.POINT
    assert numbers.style_of(["1.234,50", "90.750"]).decimals is Decimals.COMMA
    assert numbers.style_of(["0.750", "90.750"]).decimals is Decimals.POINT
    assert numbers.style_of(["1,234", "12"], Decimals.COMMA) == numbers.Style(Decimals.COMMA, proven=False)


@pytest.mark.parametrize(
    ("written", "decimals", "value"),
    [("1.234,50 €", ",", "1234.50"), ("$1,234.50", ".", "1234.50"), ("1 234,5", ",", "1234.5"),
     ("1'234.50", ".", "1234.50"), ("(12.50)", ".", "-12.50"), ("EUR 12", ".", "12"),
     ("90.750", ",", "90750"), ("90.750", ".", "90.750"),
     ("1,14", ".", "1.14"), ("12.50 HT", ".", "12.50"), ("-3", ".", "-3"), ("abc", ".", None),
     ("1.2.3,4,5", ".", None),
     (".5", ".", "0.5"), ("20 %", ".", "20")],
)  # fmt: skip
def test_an_amount_is_read_as_its_column_is_written(written: str, decimals: str, value: str | None) -> None:
    read_value = numbers.read(written, Decimals(decimals))
    assert read_value == (None if value is None else Decimal(value))


def test_a_number_that_could_be_read_two_ways_is_shown_to_the_person() -> None:
    rows = sheet(("Name", "Qty", "Price"), ("Chair", "1", "1.500"), ("Desk", "2", "2.250"))
    assert problems(read(rows)) == {2: {"number_ambiguous"}, 3: {"number_ambiguous"}}
    settled = read(rows, Corrections(decimals=Decimals.POINT))
    assert not problems(settled)
    assert settled.rows[0][1].line is not None
    assert settled.rows[0][1].line.rrp_minor == 150


def test_a_total_is_shared_out_and_a_wrong_one_is_told() -> None:
    found = read(sheet(("Name", "Qty", "Ext. Retail"), ("Chair", "4", "100"), ("Desk", "2", "90")))
    assert [row.line.rrp_minor for _, row in found.rows if row.line] == [2500, 4500]
    both = read(sheet(("Name", "Qty", "Retail", "Ext. Retail"), ("Chair", "4", "25", "80"), ("Desk", "2", "45", "90")))
    assert problems(both) == {2: {"total_differs"}}


def test_the_currency_is_the_files_own_before_the_companys() -> None:
    assert read(sheet(("Name", "Qty", "RRP (€)"), ("Chair", "1", "20")), currency="CHF").currency == "EUR"
    assert read(sheet(("Name", "Qty", "RRP"), ("Chair", "1", "£20")), currency="EUR").currency == "GBP"
    assert read(sheet(("Name", "Qty", "RRP"), ("Chair", "1", "20")), currency="CHF").currency == "CHF"
    mixed = read(sheet(("Name", "Qty", "RRP", "Currency"), ("A chair", "1", "20", "EUR"), ("B", "1", "2", "EUR"),
                       ("C", "1", "2", "USD"), ("D", "1", "2", "shells")))  # fmt: skip
    assert problems(mixed) == {4: {"currency_differs"}, 5: {"currency_unknown"}}


# --- codes ----------------------------------------------------------------------------------------------------------


def test_a_code_cut_by_a_spreadsheet_is_taken_from_another_cell_of_the_row() -> None:
    code = gtin(77)
    cut = f"{int(code):.2E}"
    found = read(sheet(("EAN", "Name", "Qty", "url"), (cut, "Chair", "1", f"https://x.test/{code}/chair"),
                       (cut, "Desk", "1", "")))  # fmt: skip
    assert found.rows[0][1].line is not None
    assert found.rows[0][1].line.gtin == code.zfill(14)
    assert problems(found) == {2: {"gtin_recovered"}, 3: {"gtin_wrecked"}}


def test_a_shops_own_code_becomes_its_private_reference() -> None:
    own = gtin(5, "2000")
    found = read(sheet(("EAN", "Name", "Qty"), (own, "Chair", "1"), (gtin(6), "Desk", "1")))
    line = found.rows[0][1].line
    assert line is not None
    assert (line.gtin, line.seller_ref) == (None, own)


def test_one_code_for_two_articles_is_told() -> None:
    found = read(
        sheet(("EAN", "Name", "Qty"), (gtin(1), "Chair", "1"), (gtin(1), "Desk", "1"), (gtin(1), "Chair", "2"))
    )
    assert problems(found) == {3: {"gtin_two_products"}}


# --- what the person corrects ---------------------------------------------------------------------------------------


def test_the_persons_word_is_never_questioned() -> None:
    rows = sheet(("A", "B", "C"), ("12", "Chair", "5"), ("40", "Desk", "7"))
    found = read(rows, Corrections(header=1, roles={0: Role.RRP, 1: Role.TITLE, 2: Role.QUANTITY}, currency="GBP"))
    assert [c.role for c in found.columns] == [Role.RRP, Role.TITLE, Role.QUANTITY]
    assert found.currency == "GBP"
    assert [row.line.rrp_minor for _, row in found.rows if row.line] == [1200, 4000]
    assert read(rows, Corrections(header=0)).rows[0][1].number == 1


CELLS = st.one_of(st.text(max_size=12), st.integers(-1000, 10**13), st.floats(allow_nan=False, allow_infinity=False))


@given(st.lists(st.lists(CELLS, max_size=6), max_size=12))
def test_no_table_whatever_breaks_the_reader(rows: list[list[numbers.Cell]]) -> None:
    found = read(sheet(("Name", "Qty", "RRP", "EAN"), *rows))
    filled = [row for row in rows if any(str(c).strip() for c in row)]
    assert len(found.rows) == len(filled)
    for _, row in found.rows:
        if row.line:
            assert row.line.title
            assert 0 < row.line.quantity <= 1_000_000
            assert row.line.rrp_minor is None or row.line.rrp_minor > 0


def test_every_role_has_a_name_for_people() -> None:
    assert set(vocabulary.LABELS) == set(Role)


# --- the real files, where they lie beside the checkout -------------------------------------------------------------

REAL = {
    "01": (3, 0, 0), "02": (60, 0, 0), "03": (53, 0, 0), "04": (15, 0, 0), "05": (43, 0, 0), "06": (0, 2, 0),
    "07": (0, 7, 0), "08": (0, 18, 0), "09": (0, 333, 0), "10": (0, 97, 0), "12": (3, 2, 0), "13": (19, 0, 2),
    "14": (751, 60, 310), "15": (2152, 95, 171), "16": (0, 637, 0), "17": (0, 51, 0), "18": (0, 1385, 1),
    "19": (0, 32, 0), "20": (1847, 0, 0), "21": (0, 118, 81),
}  # fmt: skip
"""Usable, warned and refused rows of each file, as found by looking at it."""


@pytest.mark.parametrize("number", sorted(REAL))
def test_the_best_is_made_of_a_real_file(number: str) -> None:
    files = sorted(OPEN.glob(f"{number}-*"))
    if not files:
        pytest.skip("no real files beside the checkout")
    found = read(read_sheets(files[0].read_bytes()))
    assert (found.count(RowState.USABLE), found.count(RowState.WARNED), found.count(RowState.REFUSED)) == REAL[number]
    costs = [c for c in found.columns if "cost" in c.header.lower() or "wholesale" in c.header.lower()]
    assert all(c.role in {Role.COST, Role.IGNORED} for c in costs)
    for _, row in found.rows:
        assert row.state is not RowState.REFUSED or row.problems
        if row.line:
            assert "<" not in row.line.title or ">" not in row.line.title
