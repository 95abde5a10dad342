"""The form for lines of a lot, whatever they are named for: a first offer, a counter, the answer to a request.

What was filled in travels with the form, so nothing is kept before it is sent and nothing is lost on the way.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from litestar import Response
from litestar.datastructures import UploadFile

from exchange.errors import DomainError, NotSeen, Several
from exchange.listings.rules.lots import COST_ANSWERS, INCOTERMS
from exchange.listings.spreadsheets import open_sheets
from exchange.listings.spreadsheets.refusals import EmptyFile
from exchange.money import Money, NotAnAmount, exponent
from exchange.offers.pages.reading import NotAQuantity, Typed, filled_in, text_in
from exchange.offers.pages.sheets import Filled, filled_in_file
from exchange.offers.pages.shown import half_days_for
from exchange.offers.queries.lines import ShelfLine, stock_on
from exchange.offers.rules.bids import Bid, BidLine
from exchange.offers.rules.talks import Move
from exchange.offers.rules.terms import NoPrice, Terms, ensure_price, ensure_quantity, nearest_of_line
from exchange.web.refusals import again
from exchange.web.render import Web, language_of, render

PAGE = "offers/lines.html"
WHOLE = 100
"""So many lines stand in the form as they are; of a longer manifest, those filled in and a page of others."""
SHOWN, MOST_FILLED = 50, 200


@dataclass(frozen=True, slots=True)
class Desk:
    """What one fills in a list for: a lot, in a first offer or in a talk."""

    at: str
    """The form's own address."""
    back: str
    title: str
    terms: Terms
    available: int
    shelf: list[ShelfLine]
    incoterm: str
    slots: tuple[str, ...]
    last: Move | None = None
    """What is on the table, or was last said."""
    seen: int | None = None
    sells: bool = False
    wanted: int | None = None
    """Units a price was asked for, where this is the answer."""

    @property
    def digits(self) -> int:
        """Digits after the decimal sign of the currency."""
        return exponent(self.terms.ask.currency)

    @property
    def by_number(self) -> dict[int, ShelfLine]:
        return {line.number: line for line in self.shelf}


def said_last(request: Web, desk: Desk) -> dict[int, Filled]:
    """What the form begins with: the lines of the last move; else, of a lot that is sold whole, every line whole."""
    if desk.last and desk.last.lines:
        return written(request, desk.shelf, desk.last)
    return {} if desk.terms.partial else {line.number: Filled(str(line.left)) for line in desk.shelf if line.left}


def written(request: Web, shelf: Iterable[ShelfLine], move: Move) -> dict[int, Filled]:
    """The lines of a move as they would be filled in."""
    said = {line.id: line for line in move.lines}
    comma = "," if language_of(request) == "fr" else "."
    return {
        line.number: Filled(str(said[line.id].quantity), str(said[line.id].price.decimal).replace(".", comma))
        for line in shelf
        if line.id in said
    }


# --- reading ---


def _filled(desk: Desk, data: Typed) -> dict[int, Filled]:
    """What was filled in, by the line's number: in fields, and in the box that carries what no field shows."""
    found: dict[int, Filled] = {}
    for entry in text_in(data, "rest").split():
        number, _, wrote = entry.partition(":")
        quantity, _, price = wrote.partition(":")
        if number.isdecimal():
            found[int(number)] = Filled(quantity, price)
    for name in data:
        kind, _, number = name.partition(".")
        if kind == "quantity" and number.isdecimal():
            found[int(number)] = Filled(text_in(data, name).strip()[:40], text_in(data, f"price.{number}").strip()[:40])
    return {n: wrote for n, wrote in sorted(found.items()) if n in desk.by_number and (wrote.quantity or wrote.price)}


def bid_of(desk: Desk, data: Typed) -> Bid:
    """The bid that was filled in. Raises every fault of a line at once, as Several."""
    lines, faults = [], list[DomainError]()
    for number, wrote in _filled(desk, data).items():
        if not wrote.quantity:
            continue
        try:
            lines.append(_line(desk, number, wrote, text_in(data, "price")))
        except DomainError as fault:
            faults.append(fault)
    if faults:
        raise Several(faults)
    return Bid.of(lines)


def _line(desk: Desk, number: int, wrote: Filled, for_all: str) -> BidLine:
    digits = "".join(wrote.quantity.split())
    if not digits.isascii() or not digits.isdigit() or len(digits) > 9:
        raise NotAQuantity(text=wrote.quantity, field=f"quantity.{number}")
    if not (price := wrote.price or for_all.strip()):
        raise NoPrice(field=f"price.{number}")
    try:
        named = Money.parse(price, desk.terms.ask.currency)
    except NotAnAmount as refusal:
        refusal.field = f"price.{number}" if wrote.price else "price"
        raise
    return BidLine(desk.by_number[number].id, int(digits), named)


# --- the page ---


async def uploaded(request: Web, desk: Desk) -> Response[str]:
    form = await request.form()
    file = form.get("file")
    try:
        if not isinstance(file, UploadFile):
            raise EmptyFile(field="file")
        filled = filled_in_file(await open_sheets(await file.read()), len(desk.shelf))
    except DomainError as refusal:
        return again(request, PAGE, refusal, {}, **_context(request, desk, {}, said_last(request, desk)))
    return shown(request, desk, {}, filled, checked=True)


def filled_again(request: Web, desk: Desk, data: Typed) -> Response[str]:
    """The form with other lines, a quantity that a button filled in, or what it comes to and whether that fits."""
    data = filled_in(data) or data
    return shown(request, desk, data, _filled(desk, data), checked=text_in(data, "do") == "check")


def shown(
    request: Web, desk: Desk, data: Typed, filled: Mapping[int, Filled], *, checked: bool = False
) -> Response[str]:
    if checked:
        try:
            bid = bid_of(desk, {**_as_typed(filled), "price": text_in(data, "price")})
            stock = stock_on(desk.shelf, desk.available)
            asks = {line.id: line.ask for line in desk.shelf if line.ask}
            ensure_quantity(desk.terms, bid, stock)
            ensure_price(Terms(desk.terms.ask, desk.terms.partial, asks=asks), bid)
        except DomainError as refusal:
            return refused(request, desk, refusal, {**data, **_as_typed(filled)})
    return render(request, PAGE, typed=data, **_context(request, desk, data, filled))


def refused(request: Web, desk: Desk, refusal: DomainError, data: Typed) -> Response[str]:
    if isinstance(refusal, NotSeen):
        raise refusal
    ids = {str(line.id): line.number for line in desk.shelf}
    for one in refusal.refusals if isinstance(refusal, Several) else [refusal]:
        head, _, rest = (one.field or "").partition(".")
        line, _, name = rest.partition(".")
        if head == "lines" and line in ids:  # the rules know lines by id, the form by number
            one.field = f"{name}.{ids[line]}"
    return again(request, PAGE, refusal, data, **_context(request, desk, data, _filled(desk, data), refusal))


def _as_typed(filled: Mapping[int, Filled]) -> Typed:
    typed: Typed = {f"quantity.{n}": wrote.quantity for n, wrote in filled.items()}
    return typed | {f"price.{n}": wrote.price for n, wrote in filled.items()}


def _context(
    request: Web, desk: Desk, data: Typed, filled: Mapping[int, Filled], refusal: DomainError | None = None
) -> dict[str, Any]:
    words = text_in(data, "q").strip()
    wrong = _wrong_lines(refusal)
    first = sorted(filled, key=lambda n: (n not in wrong, n))[:MOST_FILLED]
    skip = int(page) if (page := text_in(data, "page")).isdecimal() and len(page) < 5 else 0
    if len(desk.shelf) <= WHOLE and not words:
        numbers, more = [line.number for line in desk.shelf], False
    else:
        others = [line.number for line in desk.shelf if line.left and line.number not in filled and _fits(line, words)]
        here = others[skip * SHOWN : (skip + 1) * SHOWN]
        numbers, more = sorted(first) + here, len(others) > (skip + 1) * SHOWN
    shown = set(numbers)
    hidden = {n: wrote for n, wrote in filled.items() if n not in shown}
    return {
        "desk": desk,
        "rows": [(desk.by_number[n], filled.get(n, Filled())) for n in numbers],
        "near": _near(desk, filled, wrong),
        "rest": " ".join(f"{n}:{wrote.quantity}:{wrote.price.replace(' ', '')}" for n, wrote in hidden.items()),
        "hidden": len(hidden),
        "words": words,
        "next_page": skip + 1 if more else None,
        "sum": _sum(desk, filled, data),
        "hidden_sum": _sum(desk, hidden, data),
        "incoterms": list(INCOTERMS.items()),
        "half_days": half_days_for(request, desk.slots),
        "cost_answers": list(COST_ANSWERS.items()) if desk.sells else [],
        "cost_below": desk.terms.covered_from if desk.sells else None,
    }


def _fits(line: ShelfLine, words: str) -> bool:
    said = f"{line.title} {line.brand} {line.model} {line.gtin or ''}".casefold()
    return all(word in said for word in words.casefold().split())


def _wrong_lines(refusal: DomainError | None) -> set[int]:
    wrong = refusal.refusals if isinstance(refusal, Several) else [refusal] if refusal else []
    last = [(r.field or "").rpartition(".")[2] for r in wrong]
    return {int(n) for n in last if n.isdecimal()}


def _near(desk: Desk, filled: Mapping[int, Filled], wrong: Iterable[int]) -> dict[int, tuple[int, ...]]:
    """The quantities that would fit, for lines whose quantity does not."""
    found = {}
    for number in wrong:
        digits = "".join(filled.get(number, Filled()).quantity.split())
        left = desk.by_number[number].left
        if digits.isascii() and digits.isdigit() and len(digits) < 10 and left:
            found[number] = tuple(n for n in nearest_of_line(desk.terms, int(digits), left) if n != int(digits))
    return found


def _sum(desk: Desk, filled: Mapping[int, Filled], data: Typed) -> Bid | None:
    """What the lines that can be read come to."""
    lines = []
    for number, wrote in filled.items():
        if wrote.quantity:
            try:
                lines.append(_line(desk, number, wrote, text_in(data, "price")))
            except DomainError:
                continue
    return Bid.of(lines) if sum(line.quantity for line in lines) else None
