"""Reading the forms of talks."""

from typing import Annotated
from uuid import UUID

from litestar.enums import RequestEncodingType
from litestar.params import Body

from exchange.errors import N_, DomainError, Invalid
from exchange.listings.rules.lots import CostAnswer, Incoterm
from exchange.money import Money, NotAnAmount
from exchange.offers.rules.terms import WholeLotOnly

Typed = dict[str, str | list[str]]
Form = Annotated[Typed, Body(media_type=RequestEncodingType.URL_ENCODED)]


class NotAQuantity(Invalid):
    message = N_("“%(text)s” is not a quantity. Write a whole number, like 120.")


class NotAChoice(Invalid):
    message = N_("Choose one of the answers from the list.")


def text_in(data: Typed, name: str) -> str:
    """What stands in a field that is sent once; empty when it is absent."""
    value = data.get(name, "")
    return value if isinstance(value, str) else value[0]


def texts_in(data: Typed, name: str) -> list[str]:
    """What is ticked under one name."""
    value = data.get(name, [])
    return [value] if isinstance(value, str) else value


def price_in(data: Typed, currency: str) -> Money:
    try:
        return Money.parse(text_in(data, "price"), currency)
    except NotAnAmount as refusal:
        refusal.field = "price"
        raise


def quantity_in(data: Typed, name: str = "quantity") -> int:
    text = "".join(text_in(data, name).split())
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise NotAQuantity(text=text_in(data, name)[:40], field=name)
    return int(text)


def incoterm_in(data: Typed) -> Incoterm:
    if text_in(data, "incoterm") not in set(Incoterm):
        raise NotAChoice(field="incoterm")
    return Incoterm(text_in(data, "incoterm"))


def cost_in(data: Typed) -> CostAnswer | None:
    text = text_in(data, "cost")
    if not text:
        return None
    if text not in set(CostAnswer):
        raise NotAChoice(field="cost")
    return CostAnswer(text)


def seen_in(data: Typed, name: str = "seen") -> int | None:
    text = text_in(data, name)
    return int(text) if text.isascii() and text.isdigit() and len(text) == 1 else None


def ticked_in(data: Typed) -> dict[UUID, int]:
    """The talks ticked in a list, each with the number of moves that the list showed of it; a tick without that number
    has shown none."""
    ticked = [UUID(t) for t in texts_in(data, "talk") if is_uuid(t)]
    return {t: seen_in(data, f"seen.{t}") or 0 for t in ticked}


def filled_in(data: Typed) -> Typed | None:
    """The form with the quantity of the button that was pressed to fill it in (``quantity=48``); None when none was."""
    name, _, quantity = text_in(data, "fill").partition("=")
    return {**data, name: quantity} if name else None


def nearest_in(refusal: DomainError) -> list[int]:
    """The quantities a refusal offers instead: buttons that fill the form."""
    found = [refusal.details.get(name) for name in ("nearest", "lower", "upper")]
    if isinstance(refusal, WholeLotOnly):
        found.append(refusal.details["quantity"])
    return [n for n in found if isinstance(n, int)]


def is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
