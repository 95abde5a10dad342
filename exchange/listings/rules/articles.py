"""Articles on their way from a stock list into lots: how they are grouped, priced and described."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum

from exchange.errors import N_, Invalid
from exchange.listings.rules.grades import Grade
from exchange.money import Money


class NothingToSell(Invalid):
    message = N_("This list holds no row that can be sold. Correct the columns or the rows and try again.")


class QuantityNotStated(Invalid):
    message = N_("The file does not say how many there are. State a quantity for rows without one, then publish.")


class RetailUnknown(Invalid):
    message = N_(
        "Not every row has a retail price, so the price cannot be a share of it. Ask a price each, or for all."
    )


class AskUnknown(Invalid):
    message = N_("Not every row has a price you ask. Choose that column, or ask a price each, or for all.")


class ShareOutOfRange(Invalid):
    message = N_("The share of the retail price is between 1 and 100 %%.")


class PriceTooSmall(Invalid):
    message = N_("This makes less than the smallest coin for one unit. Ask more.")


class OnePriceManyLots(Invalid):
    message = N_("One price for the whole lot does not fit several lots. Ask a price each or a share of retail.")


@dataclass(frozen=True, slots=True)
class Article:
    """One line to be listed. Amounts are minor units of the lot's currency."""

    title: str
    quantity: int
    grade: Grade
    category: str
    seller_ref: str = ""
    gtin: str | None = None
    brand: str = ""
    model: str = ""
    rrp_minor: int | None = None
    ask_minor: int | None = None
    weight_g: int | None = None


class PriceMode(StrEnum):
    """How the seller says what he asks."""

    UNIT = "unit"
    LOT = "lot"
    SHARE = "share"
    """A share of the retail price, line by line."""
    LIST = "list"
    """The prices asked that stand in the list."""


PRICE_MODES = {
    PriceMode.UNIT: N_("A price for each unit"),
    PriceMode.LOT: N_("A price for the whole lot"),
    PriceMode.SHARE: N_("A share of the retail price"),
    PriceMode.LIST: N_("The prices in my list"),
}


@dataclass(frozen=True, slots=True)
class Price:
    """What the seller asks: an amount, or a share of the retail price in ten-thousandths."""

    mode: PriceMode
    amount: Money | None = None
    share_bp: int | None = None


def quantity_of(articles: Sequence[Article]) -> int:
    return sum(a.quantity for a in articles)


def retail_of(articles: Sequence[Article]) -> int | None:
    """Retail value of all units in minor units; None when a line's is unknown."""
    if any(a.rrp_minor is None for a in articles):
        return None
    return sum((a.rrp_minor or 0) * a.quantity for a in articles)


def weight_of(articles: Sequence[Article]) -> int | None:
    """Weight of all units in grams; None when a line's is unknown."""
    if any(a.weight_g is None for a in articles):
        return None
    return sum((a.weight_g or 0) * a.quantity for a in articles)


def unit_ask(articles: Sequence[Article], price: Price, currency: str) -> Money:
    """What one unit costs on average; a lot is offered and counted by the unit.

    Raises RetailUnknown, AskUnknown, ShareOutOfRange, PriceTooSmall.
    """
    units = quantity_of(articles)
    match price.mode:
        case PriceMode.UNIT:
            minor = price.amount.minor if price.amount else 0
        case PriceMode.LOT:
            minor = _nearest(Decimal(price.amount.minor if price.amount else 0) / units)
        case PriceMode.SHARE:
            retail = retail_of(articles)
            if retail is None:
                raise RetailUnknown(field="price_mode")
            if price.share_bp is None or not 100 <= price.share_bp <= 10_000:
                raise ShareOutOfRange(field="share")
            minor = _nearest(Decimal(retail) * price.share_bp / 10_000 / units)
        case PriceMode.LIST:
            if any(a.ask_minor is None for a in articles):
                raise AskUnknown(field="price_mode")
            minor = _nearest(Decimal(sum((a.ask_minor or 0) * a.quantity for a in articles)) / units)
    if minor <= 0:
        raise PriceTooSmall(field="share" if price.mode is PriceMode.SHARE else "amount")
    return Money(minor, currency)


def line_ask(article: Article, price: Price) -> int | None:
    """What one unit of this line is asked for, where lines differ; None when the lot has one price for all."""
    if price.mode is PriceMode.LIST:
        return article.ask_minor
    if price.mode is PriceMode.SHARE and article.rrp_minor is not None and price.share_bp is not None:
        return max(1, _nearest(Decimal(article.rrp_minor) * price.share_bp / 10_000))
    return None


def by_category(articles: Sequence[Article]) -> dict[str, list[Article]]:
    """One group for each category, the largest first."""
    groups: dict[str, list[Article]] = {}
    for article in articles:
        groups.setdefault(article.category, []).append(article)
    return dict(sorted(groups.items(), key=lambda g: (-quantity_of(g[1]), g[0])))


def searched_words(articles: Sequence[Article], limit: int = 30_000) -> str:
    """What the search knows a lot's manifest by: bar codes, brands, models and each title's words once."""
    words: dict[str, None] = {}
    size = 0
    for article in articles:
        for word in (article.gtin or "", (article.gtin or "").lstrip("0"), article.model, *article.title.split()):
            if word and word not in words:
                words[word] = None
                size += len(word) + 1
        if size > limit:
            break
    return " ".join(words)


def _nearest(value: Decimal) -> int:
    return int(value.quantize(Decimal(1), ROUND_HALF_EVEN))
