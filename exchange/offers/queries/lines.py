"""The manifest lines of a lot that is talked about, with what is left of each and what is asked for it."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from exchange.database import fetch
from exchange.listings.rules import codes
from exchange.money import Money
from exchange.offers.rules.bids import Listed, Stock, line_asks


@dataclass(frozen=True, slots=True)
class ShelfLine:
    """One line as both sides see it. No seller's reference: that would tell who he is."""

    id: UUID
    number: int
    """From 1, in the manifest's order."""
    gtin: str | None
    title: str
    brand: str
    model: str
    grade: str
    left: int
    rrp: Money | None
    ask: Money | None
    """Per unit; None where the lot says nothing of single lines, and its mean ask holds for each."""


async def shelf_of(lot_id: UUID, ask: Money) -> list[ShelfLine]:
    """Every line of a lot whose mean ask per unit is ``ask``. The caller has loaded the lot or its talk by viewer."""
    rows = await fetch(
        "select id, gtin, title, brand, model, grade, quantity, quantity - reserved - sold as units_left, rrp_minor, "
        "unit_ask_minor from manifest_line where lot_id = $1 order by position",
        lot_id,
    )
    asks = line_asks(ask, (Listed(r["id"], r["quantity"], r["unit_ask_minor"], r["rrp_minor"]) for r in rows))
    return [
        ShelfLine(
            id=r["id"],
            number=number,
            gtin=r["gtin"] and codes.shown(r["gtin"]),
            title=r["title"],
            brand=r["brand"],
            model=r["model"],
            grade=r["grade"],
            left=r["units_left"],
            rrp=None if r["rrp_minor"] is None else Money(r["rrp_minor"], ask.currency),
            ask=asks.get(r["id"]),
        )
        for number, r in enumerate(rows, start=1)
    ]


def stock_on(shelf: Iterable[ShelfLine], units: int) -> Stock:
    """What is left of the lot line by line, where ``units`` are left in all."""
    return Stock(units, {line.id: line.left for line in shelf})


async def titles_of(lot_id: UUID, lines: Iterable[UUID]) -> dict[UUID, str]:
    """What these lines of a lot are called. The caller has loaded a talk about the lot by viewer."""
    rows = await fetch("select id, title from manifest_line where lot_id = $1 and id = any($2)", lot_id, list(lines))
    return {r["id"]: r["title"] for r in rows}
