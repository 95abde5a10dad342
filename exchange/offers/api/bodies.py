"""What programs say and hear of a talk."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from exchange.clock import now
from exchange.companies.queries import mask
from exchange.errors import N_, Invalid
from exchange.listings.rules.lots import CostAnswer, Incoterm
from exchange.money import Money
from exchange.offers.queries.inbox import Awaits, InboxRow
from exchange.offers.queries.talks import OnPage
from exchange.offers.rules import talks
from exchange.offers.rules.talks import State
from exchange.web.viewer import Viewer

Price = Annotated[int, Field(gt=0, le=10**12, description="per unit, without VAT, in minor units of the currency")]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$", description="ISO 4217: the lot's")]
Quantity = Annotated[int, Field(gt=0, le=10**9)]


class UnknownCurrency(Invalid):
    message = N_("“%(currency)s” is not a currency. Use the three letters of ISO 4217, like EUR.")


class MoveIn(BaseModel):
    """An offer or a counter-offer."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "unit_price_minor": 850,
                "currency": "EUR",
                "quantity": 120,
                "incoterm": "FCA",
                "message": "Collected within a week of payment.",
            }
        },
    )

    unit_price_minor: Price
    currency: Currency
    quantity: Quantity
    incoterm: Incoterm
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
    """Exactly what is accepted; refused when the live offer says anything else."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"unit_price_minor": 850, "currency": "EUR", "quantity": 120}},
    )

    unit_price_minor: Price
    currency: Currency
    quantity: Quantity
    below_cost: CostAnswer | None = None


class AnswerIn(BaseModel):
    """A refusal or a withdrawal; an empty object will do."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"seen": 3}})

    seen: int | None = Field(None, ge=0, le=6, description="how many moves you know of; refused when there are more")


class OfferOut(BaseModel):
    """One move as both sides see it."""

    number: int
    by: str = Field(description="`me` or `them`")
    colleague: str | None = Field(description="who made it, on your own side only")
    answered_by: str | None = Field(description="who answered it, on your own side only")
    unit_price_minor: int
    total_minor: int
    currency: str
    quantity: int
    incoterm: Incoterm
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
    by: str
    assigned_to: str | None = Field(description="which colleague of yours looks after it")


class NegotiationPage(BaseModel):
    """One page of talks; ``next`` is the ``after`` of the following one."""

    items: list[NegotiationRow]
    counts: dict[Awaits, int]
    next: UUID | None


def money_of(data: MoveIn | AcceptanceIn) -> Money:
    try:
        return Money(data.unit_price_minor, data.currency)
    except ValueError as e:
        raise UnknownCurrency(currency=data.currency, field="currency") from e


def talk_out(page: OnPage, viewer: Viewer) -> NegotiationOut:
    me = viewer.actor.company_id
    talk = talks.run_clock(page.talk, now())
    is_buyer = me == talk.buyer
    live = talk.live
    return NegotiationOut(
        id=page.id,
        lot_id=page.lot_id,
        lot_title=page.lot["title"],
        role="buyer" if is_buyer else "seller",
        other=page.other_name or mask(talk.seller if is_buyer else talk.buyer, page.lot_id, viewer.language),
        other_legal_name=page.other_legal_name,
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
                incoterm=move.incoterm,
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
        by="me" if r.by_me else "them",
        assigned_to=r.assignee,
    )
