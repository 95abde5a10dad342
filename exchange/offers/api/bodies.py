"""What programs say and hear of a talk."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from exchange.clock import now
from exchange.companies.queries import mask
from exchange.companies.rules import DealsBand, ReliabilityBand
from exchange.errors import N_, DomainError, Invalid, Several
from exchange.listings.rules.lots import CostAnswer, Incoterm
from exchange.money import Money
from exchange.offers.queries.inbox import Awaits, InboxRow
from exchange.offers.queries.talks import OnPage
from exchange.offers.rules import talks
from exchange.offers.rules.bids import MOST_LINES, Bid, BidLine
from exchange.offers.rules.talks import State
from exchange.web.viewer import Viewer

Price = Annotated[int, Field(gt=0, le=10**12, description="per unit, without VAT, in minor units of the currency")]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$", description="ISO 4217: the lot's")]
Quantity = Annotated[int, Field(gt=0, le=10**9)]


class UnknownCurrency(Invalid):
    message = N_("“%(currency)s” is not a currency. Use the three letters of ISO 4217, like EUR.")


class PriceMissing(Invalid):
    message = N_("Give a price per unit: one for all, or one for each line.")


class QuantityMissing(Invalid):
    message = N_("Say how many units, or name lines with their quantities.")


class QuantityDiffers(Invalid):
    message = N_("The lines come to %(quantity)s units. Leave the quantity out, or give that sum.")


class LineIn(BaseModel):
    """A manifest line with the quantity and the price meant for it."""

    model_config = ConfigDict(extra="forbid")

    line_id: UUID = Field(description="from the lot's manifest")
    quantity: Quantity
    unit_price_minor: Price | None = Field(None, description="where it differs from the move's own `unit_price_minor`")


class MoveIn(BaseModel):
    """An offer or a counter-offer: ``quantity`` units of the lot as it comes, or exactly the ``lines`` named."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "unit_price_minor": 850,
                    "currency": "EUR",
                    "quantity": 120,
                    "incoterm": "FCA",
                    "pickup": ["tue-am", "wed-am"],
                    "message": "Collected within a week of payment.",
                },
                {
                    "currency": "EUR",
                    "lines": [
                        {
                            "line_id": "7f0c4b9e-5f0e-4f3c-9d57-0f8f3f9f2c11",
                            "quantity": 60,
                            "unit_price_minor": 900,
                        },
                        {
                            "line_id": "0b9dd1f4-4f4c-46d4-8a4b-7a1e3a5f9e02",
                            "quantity": 24,
                            "unit_price_minor": 410,
                        },
                    ],
                    "incoterm": "EXW",
                },
            ]
        },
    )

    unit_price_minor: Price | None = Field(None, description="needed unless each line has its own")
    currency: Currency
    quantity: Quantity | None = Field(None, description="needed without `lines`; with them their sum, or nothing")
    lines: list[LineIn] | None = Field(None, max_length=MOST_LINES)
    incoterm: Incoterm
    pickup: Annotated[list[str], Field(max_length=12, description="half days wished for collection")] = []
    message: Annotated[str, Field(max_length=2000)] = ""
    below_cost: CostAnswer | None = Field(None, description="the seller's private answer, where it is asked for")
    seen: int | None = Field(None, ge=0, le=6, description="how many moves you know of; refused when there are more")


class FirstOfferIn(MoveIn):
    """A first offer for a lot."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "lot_id": "a31c7c3c-9a5b-4a79-8d42-5a5bb2f3b1d1",
                "unit_price_minor": 850,
                "currency": "EUR",
                "quantity": 120,
                "incoterm": "FCA",
            }
        },
    )

    lot_id: UUID


class AcceptanceIn(BaseModel):
    """Exactly what is accepted; refused when the live offer says anything else, of a line too."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"unit_price_minor": 850, "currency": "EUR", "quantity": 120, "seen": 3}},
    )

    unit_price_minor: Price | None = Field(None, description="needed without `lines`")
    currency: Currency
    quantity: Quantity | None = Field(None, description="needed without `lines`")
    lines: list[LineIn] | None = Field(
        None, max_length=MOST_LINES, description="every line of the live offer, where it names lines"
    )
    below_cost: CostAnswer | None = None
    seen: int | None = Field(
        None,
        ge=0,
        le=6,
        description="how many moves you know of; needed where this price and quantity were offered before",
    )


class AnswerIn(BaseModel):
    """A refusal or a withdrawal; an empty object will do."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"seen": 3}})

    seen: int | None = Field(None, ge=0, le=6, description="how many moves you know of; refused when there are more")


class LineOut(BaseModel):
    """A line of an offer."""

    line_id: UUID
    quantity: int
    unit_price_minor: int
    total_minor: int
    unit_ask_minor: int = Field(description="asked for a unit of it; the lot's mean where no more is known")


class OfferOut(BaseModel):
    """One move as both sides see it."""

    number: int
    by: str = Field(description="`me` or `them`")
    colleague: str | None = Field(description="who made it, on your own side only")
    answered_by: str | None = Field(description="who answered it, on your own side only")
    unit_price_minor: int = Field(description="the mean, rounded, where lines have prices of their own")
    total_minor: int = Field(description="exact")
    currency: str
    quantity: int
    lines: list[LineOut] = Field(description="the lines named; empty where the lot is meant as it comes")
    incoterm: Incoterm
    pickup: list[str]
    message: str
    state: State
    made_at: datetime
    expires_at: datetime


class NegotiationOut(BaseModel):
    """A talk as one of its two sides sees it."""

    id: UUID
    lot_id: UUID
    lot_title: str
    role: str = Field(description="`buyer` or `seller`: yours")
    other: str = Field(description="the other side's mask for this lot; their trading name once agreed")
    other_legal_name: str | None = Field(description="null before agreement")
    other_country: str
    other_region: str
    other_deals: DealsBand = Field(description="settled in the last twelve months: a band, never a figure")
    other_reliability: ReliabilityBand = Field(description="how many of them it kept its word in")
    state: State
    awaits: Awaits
    deadline: datetime | None
    moves_left: int
    available: int = Field(description="units the lot has left now; offers reserve none")
    unit_ask_minor: int
    currency: str
    partial: bool
    minimum: int
    multiple: int
    offers: list[OfferOut]


class NegotiationRow(BaseModel):
    """A talk in the list."""

    id: UUID
    lot_id: UUID
    lot_title: str
    role: str
    other: str
    state: State
    awaits: Awaits
    deadline: datetime | None
    moves_left: int
    unit_price_minor: int
    total_minor: int
    currency: str
    quantity: int
    names_lines: bool
    by: str
    assigned_to: str | None = Field(description="which colleague of yours looks after it")


class NegotiationPage(BaseModel):
    """One page of talks; ``next`` is the ``after`` of the following one."""

    items: list[NegotiationRow]
    counts: dict[Awaits, int]
    next: UUID | None


def bid_of(data: MoveIn | AcceptanceIn) -> Bid:
    """What a body bids for or accepts. Raises PriceMissing, QuantityMissing, QuantityDiffers, UnknownCurrency."""
    price = _money(data.unit_price_minor, data.currency)
    if data.lines is None:
        if price is None:
            raise PriceMissing(field="unit_price_minor")
        if data.quantity is None:
            raise QuantityMissing(field="quantity")
        return Bid(price, data.quantity)
    lines = []
    for line in data.lines:
        own = _money(line.unit_price_minor, data.currency) or price
        if own is None:
            raise PriceMissing(field=f"lines.{line.line_id}.unit_price_minor")
        lines.append(BidLine(line.line_id, line.quantity, own))
    bid = Bid.of(lines)
    if data.quantity not in (None, bid.quantity):
        raise QuantityDiffers(quantity=bid.quantity, field="quantity")
    return bid


@contextmanager
def fields_as_sent() -> Iterator[None]:
    """Refusals name the fields of the bodies above; the rules have shorter names for them."""
    try:
        yield
    except DomainError as refusal:
        for one in refusal.refusals if isinstance(refusal, Several) else [refusal]:
            head, _, last = (one.field or "").rpartition(".")
            one.field = one.field and f"{head}.{_AS_SENT.get(last, last)}".lstrip(".")
        raise


_AS_SENT = {"price": "unit_price_minor", "cost": "below_cost"}


def _money(minor: int | None, currency: str) -> Money | None:
    return None if minor is None else money_in(minor, currency)


def money_in(minor: int, currency: str) -> Money:
    """The amount a body names. Raises UnknownCurrency."""
    try:
        return Money(minor, currency)
    except ValueError as e:
        raise UnknownCurrency(currency=currency, field="currency") from e


def talk_out(page: OnPage, viewer: Viewer) -> NegotiationOut:
    me = viewer.actor.company_id
    talk = talks.as_it_stands(page.talk, now())
    is_buyer = me == talk.buyer
    live = talk.live
    return NegotiationOut(
        id=page.id,
        lot_id=page.lot_id,
        lot_title=page.lot["title"],
        role="buyer" if is_buyer else "seller",
        other=page.other_name or mask(talk.seller if is_buyer else talk.buyer, page.lot_id, viewer.language),
        other_legal_name=page.other_legal_name,
        other_country=page.other.country,
        other_region=page.other.region,
        other_deals=page.other.deals,
        other_reliability=page.other.reliability,
        state=talk.moves[-1].state,
        awaits=Awaits.NOBODY if live is None else Awaits.ME if talk.turn == me else Awaits.THEM,
        deadline=live.expires_at if live else None,
        moves_left=talk.moves_left,
        available=page.available,
        unit_ask_minor=talk.terms.ask.minor,
        currency=talk.terms.ask.currency,
        partial=talk.terms.partial,
        minimum=talk.terms.minimum,
        multiple=talk.terms.multiple,
        offers=[
            OfferOut(
                number=said.number,
                by="me" if move.by == me else "them",
                colleague=said.person_name,
                answered_by=said.answered_by,
                unit_price_minor=move.price.minor,
                total_minor=move.total.minor,
                currency=move.price.currency,
                quantity=move.quantity,
                lines=[
                    LineOut(
                        line_id=line.id,
                        quantity=line.quantity,
                        unit_price_minor=line.price.minor,
                        total_minor=line.total.minor,
                        unit_ask_minor=talk.terms.ask_of(line.id).minor,
                    )
                    for line in move.lines
                ],
                incoterm=move.incoterm,
                pickup=list(move.pickup),
                message=said.message,
                state=move.state,
                made_at=move.made_at,
                expires_at=move.expires_at,
            )
            for said, move in zip(page.said, talk.moves, strict=True)
        ],
    )


def row_out(r: InboxRow, language: str) -> NegotiationRow:
    return NegotiationRow(
        id=r.id,
        lot_id=r.lot_id,
        lot_title=r.lot_title,
        role="buyer" if r.is_buyer else "seller",
        other=r.other_name or mask(r.other, r.lot_id, language),
        state=r.state,
        awaits=r.awaits,
        deadline=r.deadline if r.awaits is not Awaits.NOBODY else None,
        moves_left=r.moves_left,
        unit_price_minor=r.price.minor,
        total_minor=r.total.minor,
        currency=r.price.currency,
        quantity=r.quantity,
        names_lines=r.lines,
        by="me" if r.by_me else "them",
        assigned_to=r.assignee,
    )
