"""What a company of the demo market puts on sale: an assortment, a title, a price, terms."""

from bisect import bisect
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from random import Random
from uuid import UUID

from exchange.listings.rules.articles import Article, searched_words
from exchange.listings.rules.grades import Grade, lowest
from exchange.listings.rules.lots import SLOTS, CostAnswer, Incoterm, LotState, Packing, brands_of
from exchange.seed.catalogue import Product, products, recovery_percent
from exchange.seed.chance import beside
from exchange.seed.companies import Company

GRADES = (Grade.A, Grade.B, Grade.C, Grade.D)
_GRADE_SHARES = (64, 84, 95, 100)
"""Of a hundred lots: new goods, customer returns, untested, not working."""
_GRADE_VALUE = {Grade.A: 100, Grade.B: 74, Grade.C: 52, Grade.D: 24}
"""What goods of a grade bring, in percent of what new ones bring."""
_OCCASIONS = {
    Grade.A: (("surstock", "overstock"), ("fin de série", "end of line"), ("arrêt de gamme", "discontinued range"),
              ("changement de collection", "last season"), ("excédent de stock", "surplus stock")),
    Grade.B: (("retours clients", "customer returns"), ("retours contrôlés", "checked returns")),
    Grade.C: (("non testé", "untested"), ("emballages abîmés", "damaged packaging")),
    Grade.D: (("pour pièces", "for parts"),),
}  # fmt: skip


@dataclass(slots=True)
class Line:
    """So many units of one product."""

    product: Product
    quantity: int
    grade: Grade


@dataclass(slots=True)
class Listing:
    """A lot as its seller publishes it. Amounts in minor units; ``share`` is the ask in percent of retail value."""

    id: UUID
    company: Company
    region: str
    country: str
    category: str
    grade: Grade
    lines: list[Line]
    title: str
    unit_ask: int
    share: float
    partial: bool
    minimum: int
    multiple: int
    floor: int | None
    auto_accept: int | None
    published_at: datetime
    expires_at: datetime
    state: LotState = LotState.OPEN
    closed_at: datetime | None = None
    sold: int = 0

    @property
    def quantity(self) -> int:
        return sum(line.quantity for line in self.lines)

    @property
    def rrp(self) -> int:
        return sum(line.quantity * line.product.rrp_minor for line in self.lines)


def grade(drawn: Random) -> Grade:
    """A lot's grade."""
    return GRADES[bisect(_GRADE_SHARES, drawn.randrange(100))]


def assortment(drawn: Random, category: str, grade: Grade, lines: int, value: float) -> list[Line]:
    """``lines`` products worth about ``value`` cents of retail price together; often of one brand."""
    shelf = products()[category]
    brand = shelf[drawn.randrange(len(shelf))].brand
    own = [p for p in shelf if p.brand == brand]
    pool = own if lines <= len(own) and drawn.random() < 0.6 else list(shelf)
    start, step = drawn.randrange(len(pool)), drawn.choice((1, 1, 5, 7))
    picked = {id(p): p for p in (pool[(start + n * step) % len(pool)] for n in range(lines))}
    each = value / len(picked)
    made = []
    for product in picked.values():
        units = max(2, round(each * drawn.uniform(0.5, 1.5) / product.rrp_minor))
        made.append(Line(product, units if units < 24 else units // 6 * 6, grade))
    if grade is not Grade.A and len(made) > 3:
        made[0].grade = Grade.A
    return made


def title(drawn: Random, lines: list[Line], grade: Grade, language: str) -> str:
    """What the lot is called: goods, brand and occasion, never a quantity (insight guide T9)."""
    french, english = drawn.choice(_OCCASIONS[grade])
    occasion = french if language == "fr" else english
    articles = list(dict.fromkeys(line.product.article(language) for line in lines))
    brands = list(dict.fromkeys(line.product.brand for line in lines))
    brand = brands[0] if len(brands) == 1 else ""
    if len(articles) == 1:
        return " – ".join(part for part in (articles[0], brand, occasion) if part)[:140]
    head = " – ".join(part for part in (brand, occasion) if part)
    goods = ", ".join([articles[0], *(a[0].lower() + a[1:] if a[1:2].islower() else a for a in articles[1:3])])
    colon = "\u00a0: " if language == "fr" else ": "
    more = ", …" if len(articles) > 3 else ""
    return f"{head[0].upper()}{head[1:]}{colon}{goods}{more}"[:140]


def share_asked(drawn: Random, category: str, grade: Grade, drift: float = 1.0) -> float:
    """The ask in percent of retail value: what such goods bring, and something to talk about."""
    brings = recovery_percent(category) * _GRADE_VALUE[grade] / 100 * drift
    return min(92.0, max(2.0, brings * drawn.lognormvariate(0, 0.16) * drawn.uniform(1.06, 1.32)))


def listing(
    drawn: Random,
    id: UUID,
    company: Company,
    place: tuple[str, str],
    lines: list[Line],
    share: float,
    published_at: datetime,
    expires_at: datetime,
) -> Listing:
    """The lot on terms that fit it; ``place`` is country and region."""
    quantity = sum(line.quantity for line in lines)
    rrp = sum(line.quantity * line.product.rrp_minor for line in lines)
    worst = lowest(line.grade for line in lines)
    ask = max(1, round(rrp * share / 100 / quantity))
    partial = quantity >= 20 and drawn.random() < 0.6
    multiple = drawn.choice((1, 1, 2, 6)) if partial else 1
    minimum = max(multiple, round(quantity * drawn.uniform(0.05, 0.25)) // multiple * multiple) if partial else 1
    floor = max(1, round(ask * drawn.uniform(0.62, 0.8))) if drawn.random() < 0.35 else None
    auto = round(ask * drawn.uniform(0.93, 0.99)) if drawn.random() < 0.1 else None
    return Listing(
        id=id,
        company=company,
        country=place[0],
        region=place[1],
        category=lines[0].product.category,
        grade=worst,
        lines=lines,
        title=title(drawn, lines, worst, company.language),
        unit_ask=ask,
        share=share,
        partial=partial,
        minimum=minimum,
        multiple=multiple,
        floor=floor,
        auto_accept=max(auto, floor or 1) if auto else None,
        published_at=published_at,
        expires_at=expires_at,
    )


LOT = (
    "id", "company_id", "person_id", "state", "title", "category", "region", "country", "brands", "grade", "packing",
    "weight_g", "incoterm", "slots", "currency", "unit_ask_minor", "ask_minor", "rrp_minor", "quantity", "reserved",
    "sold", "partial", "minimum", "multiple", "floor_minor", "auto_accept_minor", "authorised_brand", "unmark",
    "no_warranty", "tolerance_bp", "origin_declared", "search_text", "published_at", "expires_at",
    "closed_at",
)  # fmt: skip
LINE = (
    "id", "lot_id", "position", "seller_ref", "gtin", "title", "brand", "model", "category", "quantity", "reserved",
    "sold", "rrp_minor", "unit_ask_minor", "grade", "weight_g",
)  # fmt: skip
COST = ("id", "lot_id", "person_id", "answer", "occasion", "stated_at")
_COST_ANSWERS = (CostAnswer.AT_OR_ABOVE_COST, CostAnswer.END_OF_SEASON, CostAnswer.OUT_OF_DEMAND)


def lot_row(made: Listing) -> tuple[object, ...]:
    """The lot as its table keeps it, ``LOT`` in order. What is drawn by chance hangs on the lot's id alone."""
    pick = made.id.int & 0xFFFF
    weight = sum(line.quantity * line.product.weight_g for line in made.lines)
    packing = (
        Packing.PARCELS if weight < 60_000 else Packing.CARTONS if weight < 400_000
        else Packing.PALLETS if weight < 9_000_000 else Packing.TRUCKLOAD
    )  # fmt: skip
    quantity = made.quantity
    articles = [_article(line, made.company.language) for line in made.lines]
    return (
        made.id, made.company.id, made.company.trader.person_id, made.state.value, made.title, made.category,
        made.region, made.country, brands_of(line.product.brand for line in made.lines), made.grade.value,
        packing.value, weight, incoterm(made).value,
        [SLOTS[pick % 10], SLOTS[pick % 10 + 2]], made.company.currency, made.unit_ask, made.unit_ask * quantity,
        made.rrp, quantity, 0, made.sold, made.partial, made.minimum, made.multiple, made.floor, made.auto_accept,
        made.lines[0].product.brand if pick % 23 == 0 else "", pick % 5 == 0, pick % 7 == 0,
        300 if pick % 6 == 0 else 500, True, searched_words(articles), made.published_at, made.expires_at,
        made.closed_at,
    )  # fmt: skip


def line_rows(made: Listing, sold: Iterable[int] = ()) -> list[tuple[object, ...]]:
    """The lot's manifest, ``LINE`` in order; ``sold`` units of each line, none unless given."""
    sold_units = [*sold] or [0] * len(made.lines)
    return [
        (
            line_id(made, at), made.id, at + 1, f"R{line.product.model}-{made.id.int >> at & 0xFFF:03X}",
            line.product.gtin, line.product.title(made.company.language), line.product.brand, line.product.model,
            line.product.category, line.quantity, 0, sold_units[at], line.product.rrp_minor,
            max(1, round(line.product.rrp_minor * made.share / 100)), line.grade.value, line.product.weight_g,
        )
        for at, line in enumerate(made.lines)
    ]  # fmt: skip


def incoterm(made: Listing) -> Incoterm:
    """Who carries the goods."""
    return (Incoterm.FCA, Incoterm.FCA, Incoterm.EXW, Incoterm.DAP)[(made.id.int & 0xFFFF) % 4]


def line_id(made: Listing, at: int) -> UUID:
    """The id of the line at index ``at``."""
    return beside(made.id, at + 1)


def cost_row(made: Listing) -> tuple[object, ...]:
    """The seller's answer on selling below cost, given at publication."""
    answer = _COST_ANSWERS[made.id.int % 10 // 4]
    return (beside(made.id, 0xC057), made.id, made.company.trader.person_id, answer.value, "publication",
            made.published_at)  # fmt: skip


def weighted(sizes: list[float]) -> list[float]:
    """Running sums, to draw an index by weight with ``bisect``."""
    return list(accumulate(sizes))


def _article(line: Line, language: str) -> Article:
    product = line.product
    return Article(
        title=product.title(language), quantity=line.quantity, grade=line.grade, category=product.category,
        gtin=product.gtin, brand=product.brand, model=product.model, rrp_minor=product.rrp_minor,
    )  # fmt: skip
