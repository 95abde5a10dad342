from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.listings.rules import categories, grades
from exchange.listings.rules.grades import Grade
from exchange.listings.rules.lots import (
    Incoterm,
    LotState,
    Packing,
    Terms,
    check_terms,
    last_day,
    quantity_band,
    spread,
    state_after,
)
from exchange.listings.rules.thresholds import THRESHOLD_LIFE
from exchange.money import Money

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)


@given(st.lists(st.integers(1, 400), min_size=1, max_size=40), st.data())
def test_a_part_of_an_assortment_draws_on_every_line_in_proportion(units: list[int], data: st.DataObject) -> None:
    free = [(uuid4(), n) for n in units]
    quantity = data.draw(st.integers(1, sum(units)))
    drawn = spread(quantity, free)
    assert sum(drawn.values()) == quantity
    for line, available in free:
        exact = quantity * available / sum(units)
        assert abs(drawn.get(line, 0) - exact) < 1
        assert drawn.get(line, 0) <= available


def test_terms_are_refused_all_at_once_and_each_names_its_field() -> None:
    terms = Terms(
        unit_ask=Money(0, "EUR"), partial=True, minimum=200, multiple=0, expires_at=NOW - timedelta(days=1),
        incoterm=Incoterm.FCA, packing=Packing.PALLETS, floor=Money(5, "EUR"), auto_accept=Money(2, "EUR"),
        tolerance_bp=900, slots=("someday",),
    )  # fmt: skip
    fields = [fault.field for fault in check_terms(terms, 100, NOW)]
    assert fields == [
        "unit_ask", "minimum", "multiple", "floor", "auto_accept", "expires_on", "tolerance", "slots",
    ]  # fmt: skip


def test_a_lot_has_no_word_for_what_the_law_forbids() -> None:
    names = " ".join(Terms.__dataclass_fields__)
    for forbidden in ("resale", "map", "internet", "territory", "online", "minimum_price", "marketplace", "export"):
        assert forbidden not in names


def test_browse_shows_bands_and_weeks() -> None:
    assert quantity_band(1) == (1, 9)
    assert quantity_band(137) == (100, 249)
    assert quantity_band(1_000_000) == (10000, None)


def test_the_usual_last_day_tells_the_week_a_lot_was_listed_in_and_not_the_day() -> None:
    monday = date(2026, 11, 16)
    assert {last_day(monday + timedelta(days=n)) for n in range(7)} == {date(2027, 1, 10)}
    assert last_day(monday + timedelta(days=7)) == date(2027, 1, 17)
    assert last_day(monday, THRESHOLD_LIFE) == date(2026, 12, 13)


def test_the_state_follows_what_is_sold() -> None:
    assert state_after(LotState.OPEN, quantity=10, sold=0) is LotState.OPEN
    assert state_after(LotState.OPEN, quantity=10, sold=4) is LotState.PART_SOLD
    assert state_after(LotState.PART_SOLD, quantity=10, sold=10) is LotState.CLEARED
    assert state_after(LotState.CLEARED, quantity=10, sold=5) is LotState.PART_SOLD
    assert state_after(LotState.WITHDRAWN, quantity=10, sold=4) is LotState.WITHDRAWN


def test_a_mixed_lot_shows_its_lowest_grade() -> None:
    assert grades.lowest([Grade.A, Grade.C, Grade.B]) is Grade.C


@pytest.mark.parametrize(
    ("word", "grade"),
    [("NEW", Grade.A), ("Neuf", Grade.A), ("Customer Returns", Grade.B), ("Retour client", Grade.B),
     ("Defective", Grade.D), ("Hors service", Grade.D), ("gebraucht", Grade.C), ("Grade B", Grade.B), ("1", None)],
)  # fmt: skip
def test_grades_are_known_by_the_words_of_the_trade(word: str, grade: Grade | None) -> None:
    assert grades.read(word) is grade


def test_the_tree_is_six_sectors_of_five() -> None:
    assert len(categories.SECTORS) == 6
    assert len(categories.REGIONS) == 4
    for sector in categories.SECTORS:
        assert len([c for c in categories.CATEGORIES if c.sector == sector]) == 5
    assert len(categories.BY_SLUG) == 30


@pytest.mark.parametrize(
    ("words", "slug"),
    [("Home & Garden > Outdoor Furniture", "garden"), ("Électroménager", "home-appliances"), ("BEBIDAS", "drinks"),
     ("Default Category/Men/Tops/Hoodies & Sweatshirts", "clothing"), ("Aiguilles im noir 22g", "health"),
     ("qwerty", None)],
)  # fmt: skip
def test_a_category_is_guessed_from_the_sellers_words(words: str, slug: str | None) -> None:
    assert categories.guess(words) == slug


def test_regions_split_france_and_europe() -> None:
    assert categories.region_of("FR", "Île-de-France") == "fr-north"
    assert categories.region_of("FR", "Provence-Alpes-Côte d'Azur") == "fr-south"
    assert categories.region_of("DE") == "eu-north"
    assert categories.region_of("ES") == "eu-south"
