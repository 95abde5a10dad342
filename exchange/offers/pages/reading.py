"""Reading the forms of talks."""

from typing import Annotated
from uuid import UUID

from litestar.enums import RequestEncodingType
from litestar.params import Body

from exchange.errors import N_, Invalid
from exchange.listings.rules.lots import CostAnswer, Incoterm
from exchange.money import Money, NotAnAmount

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
FormWithLists = Annotated[dict[str, str | list[str]], Body(media_type=RequestEncodingType.URL_ENCODED)]


class NotAQuantity(Invalid):
    message = N_("“%(text)s” is not a quantity. Write a whole number, like 120.")


class NotAChoice(Invalid):
    message = N_("Choose one of the answers from the list.")


def price_in(data: dict[str, str], currency: str) -> Money:
    try:
        return Money.parse(data.get("price", ""), currency)
    except NotAnAmount as refusal:
        refusal.field = "price"
        raise


def quantity_in(data: dict[str, str]) -> int:
    text = "".join(data.get("quantity", "").split())
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise NotAQuantity(text=data.get("quantity", "")[:40], field="quantity")
    return int(text)


def incoterm_in(data: dict[str, str]) -> Incoterm:
    if data.get("incoterm") not in set(Incoterm):
        raise NotAChoice(field="incoterm")
    return Incoterm(data["incoterm"])


def cost_in(data: dict[str, str]) -> CostAnswer | None:
    if not data.get("cost"):
        return None
    if data["cost"] not in set(CostAnswer):
        raise NotAChoice(field="cost")
    return CostAnswer(data["cost"])


def seen_in(data: dict[str, str]) -> int | None:
    text = data.get("seen", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) == 1 else None


def is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
