"""The articles of the demo market, with bar codes, models, weights and retail prices."""

from dataclasses import dataclass
from functools import cache

from stdnum import ean

from exchange.listings.rules.categories import BY_SLUG
from exchange.listings.rules.words import plain
from exchange.seed.goods import SHELVES, VARIANTS, Shelf

_DEMONSTRATION = "952"
"""The prefix GS1 keeps for demonstrations and examples: no real article carries it."""
_LINES = (85, 96, 108, 125)
"""A brand's price level in percent of the article's, from the plain brand to the dear one."""


@dataclass(frozen=True, slots=True)
class Product:
    """One article of one brand. ``gtin`` has fourteen digits, ``rrp_minor`` is in euro cents."""

    gtin: str
    category: str
    brand: str
    model: str
    french: str
    english: str
    article_french: str
    article_english: str
    rrp_minor: int
    weight_g: int

    def title(self, language: str) -> str:
        """Its name in the seller's language, as a line of a stock list has it."""
        return self.french if language == "fr" else self.english

    def article(self, language: str) -> str:
        """What it is, without variant: for the title of a lot."""
        return self.article_french if language == "fr" else self.article_english

    @property
    def sector(self) -> str:
        return BY_SLUG[self.category].sector


@cache
def products() -> dict[str, tuple[Product, ...]]:
    """Every article by category, in a fixed order: neighbours are variants of one article."""
    made: dict[str, tuple[Product, ...]] = {}
    number = 0
    for shelf in SHELVES:
        found = []
        for position, article in enumerate(_articles(shelf)):
            for level, brand in enumerate(shelf.brands):
                variants = VARIANTS[shelf.variants]
                for variant in range(2):
                    number += 1
                    words = variants[(position + 2 * level + variant) % len(variants)]
                    found.append(_product(number, shelf, article, brand, level, position, words))
        made[shelf.category] = tuple(found)
    return made


def recovery_percent(category: str) -> int:
    """What new goods of ``category`` bring on average, in percent of their retail price."""
    return next(shelf.recovery for shelf in SHELVES if shelf.category == category)


def shape(category: str) -> str:
    """The silhouette drawn for ``category``."""
    return next(shelf.shape for shelf in SHELVES if shelf.category == category)


def brands(category: str) -> tuple[str, ...]:
    """The brands sold in ``category``."""
    return next(shelf.brands for shelf in SHELVES if shelf.category == category)


_Article = tuple[str, str, int, int]


def _articles(shelf: Shelf) -> list[_Article]:
    rows = (line.split(" | ") for line in shelf.articles.strip().splitlines())
    return [(fr.strip(), en, int(euros) * 100, int(float(kilos) * 1000)) for fr, en, euros, kilos in rows]


def _product(
    number: int, shelf: Shelf, article: _Article, brand: str, level: int, position: int, variant: tuple[str, str]
) -> Product:
    french, english, rrp, grams = article
    digits = f"{_DEMONSTRATION}{number * 7919 % 10**9:09d}"
    initials = "".join(word[0] for word in plain(brand).split()).upper()
    return Product(
        gtin="0" + digits + ean.calc_check_digit(digits),
        category=shelf.category,
        brand=brand,
        model=f"{initials}{position + 1}{level + 1}-{number % 97:02d}",
        french=f"{french}{',' * (',' in french)} {brand}, {variant[0]}",
        english=f"{brand} {english[0].lower() + english[1:] if english[1:2].islower() else english}, {variant[1]}",
        article_french=french,
        article_english=english,
        rrp_minor=max(190, rrp * _LINES[level] // 1000 * 10 - 10),
        weight_g=grams,
    )
