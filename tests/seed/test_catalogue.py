"""The goods of the demo market."""

from itertools import chain

from exchange.listings.rules.categories import CATEGORIES
from exchange.listings.rules.codes import read
from exchange.seed.catalogue import brands, products, recovery_percent


def test_every_category_of_the_exchange_has_goods() -> None:
    assert set(products()) == {category.slug for category in CATEGORIES}
    assert all(len(shelf) >= 50 for shelf in products().values())


def test_every_product_has_a_bar_code_of_its_own_that_the_importer_accepts() -> None:
    codes = [product.gtin for product in chain(*products().values())]
    assert len(set(codes)) == len(codes)
    for code in codes:
        found = read(code)
        assert found is not None and found.gtin == code and found.fault is None


def test_names_differ_within_a_category_in_both_languages() -> None:
    for shelf in products().values():
        assert len({product.title("fr") for product in shelf}) == len(shelf)
        assert len({product.title("en") for product in shelf}) == len(shelf)


def test_recovery_lies_in_the_range_of_the_trade() -> None:
    """Resellers' proceeds over retail price run from a sixth to a half, by department."""
    assert all(16 < recovery_percent(slug) < 50 for slug in products())
    assert all(len(set(brands(slug))) == 4 for slug in products())
