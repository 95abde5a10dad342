"""Shapes both doors share: the terms of a lot as a form or a JSON body gives them."""

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from exchange.clock import now
from exchange.errors import DomainError, Several
from exchange.listings.actions.stock_lists import Publication
from exchange.listings.rules.articles import Price, PriceMode, ShareOutOfRange
from exchange.listings.rules.grades import Grade
from exchange.listings.rules.lots import (
    DEFAULT_LIFE,
    MAX_TOLERANCE_BP,
    CostAnswer,
    CostNotAnswered,
    ExpiryOutOfRange,
    Incoterm,
    Packing,
    QuantityNotPositive,
    Terms,
    UnknownChoice,
    end_of,
    last_day,
)
from exchange.listings.rules.thresholds import THRESHOLD_LIFE, Threshold, ThresholdState
from exchange.money import Money

_E = TypeVar("_E", bound=StrEnum)


class Amount(BaseModel):
    """Money: minor units beside an ISO 4217 code."""

    minor: int = Field(ge=0, le=10**15, examples=[1250])
    currency: str = Field(min_length=3, max_length=3, examples=["EUR"])

    @classmethod
    def of(cls, money: Money) -> "Amount":
        return cls(minor=money.minor, currency=money.currency)

    @property
    def money(self) -> Money:
        try:
            return Money(self.minor, self.currency)
        except ValueError:
            raise UnknownChoice(field="currency", value=self.currency) from None


class ThresholdCount(BaseModel):
    """Sold only if enough of the lot is paid: what is needed, what is there."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"units": 60, "paid_at_least": 36, "by": "2026-11-30T22:00:00Z", "state": "open"}}
    )

    units: int = Field(description="that must be paid for any of the lot to be sold")
    paid_at_least: int = Field(description="exact for the seller, in steps for everybody else")
    by: datetime = Field(description="the last instant to pay")
    state: ThresholdState = Field(description="open until it is decided, once")

    @classmethod
    def of(cls, threshold: Threshold | None, paid: int) -> "ThresholdCount | None":
        if threshold is None:
            return None
        return cls(units=threshold.units, paid_at_least=paid, by=threshold.by, state=threshold.state)


class PublicationBody(BaseModel):
    """How a stock list becomes a lot, or one lot for each category."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "title": "Enamel pans, end of line", "category": "tableware", "region": "fr-north",
                "price_mode": "share", "share_percent": 25, "partial": True, "minimum": 20, "multiple": 10,
                "incoterm": "FCA", "packing": "pallets", "grade": "A", "origin_declared": True,
                "cost_answer": "out_of_demand", "split": False,
            }
        }
    )  # fmt: skip

    title: str = Field(max_length=140)
    category: str = Field(description="slug of a category; rows whose category is not known get it")
    region: str | None = Field(default=None, description="slug of a region; unset: the company's own")
    price_mode: PriceMode = PriceMode.UNIT
    amount: Amount | None = Field(default=None, description="price a unit or for the lot, ex VAT")
    share_percent: Decimal | None = Field(default=None, ge=1, le=100, description="of the retail price")
    partial: bool = False
    minimum: int = Field(default=1, ge=1)
    multiple: int = Field(default=1, ge=1)
    threshold: int | None = Field(
        default=None,
        ge=2,
        description="sold only if at least so many units are paid by the end of `expires_on`; until then payments are "
        "held and nothing ships, else every buyer is refunded in full. Fixed once published; 30 days at most",
        examples=[60],
    )
    floor: Amount | None = Field(default=None, description="hidden: offers below it are declined, a unit")
    auto_accept: Amount | None = Field(default=None, description="hidden: offers from it on are accepted, a unit")
    expires_on: date | None = None
    incoterm: Incoterm = Incoterm.FCA
    packing: Packing = Packing.CARTONS
    slots: list[str] = Field(default=[], description="half days to fetch the goods, such as mon-am")
    grade: Grade = Field(default=Grade.A, description="of rows whose condition the file does not tell")
    authorised_brand: str = Field(default="", max_length=80)
    unmark: bool = False
    no_warranty: bool = False
    tolerance_percent: Decimal = Field(default=Decimal(5), ge=0, le=5)
    origin_declared: bool = False
    cost_answer: CostAnswer | None = None
    split: bool = Field(default=False, description="one lot for each category")
    hidden_from: list[str] = Field(default=[], max_length=20, description="rivals: number or full name, member or not")

    def terms(self, currency: str) -> Terms:
        """The terms, in the list's currency; the price of a unit is worked out per lot."""
        return Terms(
            unit_ask=self.amount.money if self.amount else Money(0, currency),
            partial=self.partial,
            minimum=self.minimum,
            multiple=self.multiple,
            expires_at=end_of(
                self.expires_on or last_day(now().date(), DEFAULT_LIFE if self.threshold is None else THRESHOLD_LIFE)
            ),
            incoterm=self.incoterm,
            packing=self.packing,
            floor=self.floor.money if self.floor else None,
            auto_accept=self.auto_accept.money if self.auto_accept else None,
            authorised_brand=" ".join(self.authorised_brand.split()),
            unmark=self.unmark,
            no_warranty=self.no_warranty,
            tolerance_bp=int(self.tolerance_percent * 100),
            slots=tuple(self.slots),
            threshold=self.threshold,
        )

    @property
    def price(self) -> Price:
        share = None if self.share_percent is None else int(self.share_percent * 100)
        return Price(self.price_mode, self.amount.money if self.amount else None, share)

    def publication(self, *, currency: str, region: str, names: dict[str, str]) -> Publication:
        """The whole, with the company's ``region`` where none is chosen and category ``names`` for split titles."""
        return Publication(
            title=" ".join(self.title.split()),
            category=self.category,
            region=self.region or region,
            price=self.price,
            terms=self.terms(currency),
            cost_answer=self.cost_answer,
            origin_declared=self.origin_declared,
            grade=self.grade,
            split=self.split,
            category_names=names,
            hidden_from=self.hidden_from,
        )


def publication_from(form: dict[str, str | list[str]], currency: str) -> PublicationBody:
    """A web form's fields as the same shape. Raises what was wrong, each with its field."""
    read = _Fields(form, currency)
    body = PublicationBody.model_construct(
        title=read.text("title"),
        category=read.text("category"),
        region=read.text("region") or None,
        price_mode=read.choice("price_mode", PriceMode, PriceMode.UNIT),
        amount=read.amount("amount"),
        share_percent=read.percent("share"),
        partial=read.text("partial") == "1",
        minimum=read.whole("minimum"),
        multiple=read.whole("multiple"),
        threshold=read.whole("threshold") if read.text("threshold") else None,
        floor=read.amount("floor"),
        auto_accept=read.amount("auto_accept"),
        expires_on=read.day("expires_on"),
        incoterm=read.choice("incoterm", Incoterm, Incoterm.FCA),
        packing=read.choice("packing", Packing, Packing.CARTONS),
        slots=read.many("slots"),
        grade=read.choice("grade", Grade, Grade.A),
        authorised_brand=read.text("authorised_brand")[:80],
        unmark=bool(read.text("unmark")),
        no_warranty=bool(read.text("no_warranty")),
        tolerance_percent=read.percent("tolerance", Decimal(MAX_TOLERANCE_BP) / 100) or Decimal(0),
        origin_declared=bool(read.text("origin_declared")),
        cost_answer=read.choice("cost_answer", CostAnswer, None, CostNotAnswered(field="cost_answer")),
        split=read.text("split") == "1",
        hidden_from=[line for line in read.text("hidden_from").splitlines() if line.strip()][:20],
    )
    if read.faults:
        raise read.faults[0] if len(read.faults) == 1 else Several(read.faults)
    return body


class _Fields:
    """Reads the fields of a form and gathers what is wrong with them."""

    def __init__(self, form: dict[str, str | list[str]], currency: str) -> None:
        self.form, self.currency = form, currency
        self.faults: list[DomainError] = []

    def text(self, name: str) -> str:
        value = self.form.get(name, "")
        return (value if isinstance(value, str) else value[0] if value else "").strip()

    def many(self, name: str) -> list[str]:
        value = self.form.get(name, [])
        return [value] if isinstance(value, str) and value else list(value)

    def amount(self, name: str) -> Amount | None:
        if not (text := self.text(name)):
            return None
        try:
            money = Money.parse(text, self.currency)
        except DomainError as fault:
            fault.field = name
            self.faults.append(fault)
            return None
        return Amount.model_construct(minor=money.minor, currency=money.currency)

    def percent(self, name: str, otherwise: Decimal | None = None) -> Decimal | None:
        if not (text := self.text(name).replace(",", ".").rstrip("% ")):
            return otherwise
        try:
            return Decimal(text)
        except InvalidOperation:
            self.faults.append(ShareOutOfRange(field=name))
            return None

    def whole(self, name: str) -> int:
        text = self.text(name) or "1"
        if not text.isascii() or not text.isdigit() or len(text) > 9:
            self.faults.append(QuantityNotPositive(field=name))
            return 1
        return int(text)

    def day(self, name: str) -> date | None:
        if not (text := self.text(name)):
            return None
        try:
            return date.fromisoformat(text)
        except ValueError:
            self.faults.append(ExpiryOutOfRange(field=name, days=180))
            return None

    def choice(self, name: str, kind: type[_E], otherwise: _E | None, missing: DomainError | None = None) -> Any:
        text = self.text(name)
        try:
            return kind(text) if text else otherwise
        except ValueError:
            self.faults.append(UnknownChoice(field=name, value=text[:40]))
            return otherwise
        finally:
            if not text and missing is not None:
                self.faults.append(missing)
