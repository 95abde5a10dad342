"""The doors of talks for programs: negotiations, and the nouns one posts to them."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Router, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from pydantic import BaseModel, ConfigDict, Field

from exchange.clock import now
from exchange.companies.queries import mask
from exchange.errors import N_, Invalid
from exchange.listings.rules.lots import CostAnswer, Incoterm
from exchange.money import Money
from exchange.offers import actions
from exchange.offers.queries.agreed import Contract, Signature, contract_seen_by, messages_of
from exchange.offers.queries.inbox import Assigned, Awaits, InboxRow, Side, inbox_of
from exchange.offers.queries.talks import OnPage, negotiation_on_page, negotiation_seen_by
from exchange.offers.queries.team import own_side_of
from exchange.offers.rules import talks
from exchange.offers.rules.talks import State
from exchange.web.guards import trading, viewer_of
from exchange.web.viewer import Viewer

Call = Request[Viewer | None, Any, Any]
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


class AssignmentIn(BaseModel):
    """Who of your team looks after the talk; null for nobody in particular."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"person_id": "0a3c8a52-7f0e-4f0b-9d2c-6d6f1c1f5a10"}}
    )

    person_id: UUID | None


class NoteIn(BaseModel):
    """A note for your own company."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"text": "We can go down to 8.50 if they take all."}}
    )

    text: str


class MateOut(BaseModel):
    """A colleague of yours."""

    person_id: UUID
    name: str


class NoteOut(BaseModel):
    """A note of your own company."""

    id: UUID
    colleague: str
    text: str
    written_at: datetime


class InsideOut(BaseModel):
    """What your side of a talk keeps to itself: the other side is never shown any of it."""

    assigned_to: MateOut | None
    team: list[MateOut] = Field(description="who may look after it")
    notes: list[NoteOut] = Field(description="the latest hundred, oldest first")


class MessageIn(BaseModel):
    """A word to the other side of an agreement."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"text": "Our lorry comes on Tuesday."}})

    text: str


class MessageOut(BaseModel):
    """What one side wrote to the other after they agreed."""

    id: UUID
    by: str = Field(description="`me` or `them`")
    colleague: str | None = Field(description="who wrote it, on your own side only")
    text: str
    written_at: datetime


class PartyOut(BaseModel):
    """A company as it was when it agreed."""

    legal_name: str
    trading_name: str
    country: str
    region: str
    registration: str
    vat: str | None


class SignatureOut(BaseModel):
    """Who bound their company."""

    side: str = Field(description="`buyer` or `seller`")
    person: str
    at: datetime


class ContractOut(BaseModel):
    """What was agreed, frozen; the same for both sides."""

    negotiation_id: UUID
    mark: str = Field(description="two contracts with the same mark say the same")
    seller: PartyOut
    buyer: PartyOut
    lot: dict[str, Any] = Field(description="the frozen description with its conditions of resale")
    lines: list[dict[str, Any]]
    quantity: int
    unit_price_minor: int
    total_minor: int = Field(description="without VAT")
    currency: str
    incoterm: Incoterm
    message: str
    terms_version: str
    offered: SignatureOut
    accepted: SignatureOut


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


@get("/", summary="Your talks: what awaits you first")
async def index(
    request: Call,
    awaits: FromQuery[Awaits | None] = None,
    role: FromQuery[Side | None] = None,
    assigned: FromQuery[Assigned | None] = None,
    q: FromQuery[str] = "",
    after: FromQuery[UUID | None] = None,
) -> NegotiationPage:
    """``role`` is yours; ``assigned`` is ``mine`` or ``nobody``; ``q`` stands in the lot's title."""
    viewer = viewer_of(request)
    inbox = await inbox_of(viewer.actor, show=awaits, side=role, assigned=assigned, words=q, after=after)
    return NegotiationPage(items=[_row(r, viewer.language) for r in inbox.rows], counts=inbox.counts, next=inbox.next)


@post("/", summary="Make a first offer")
async def open_talk(request: Call, data: JSONBody[FirstOfferIn]) -> NegotiationOut:
    viewer = viewer_of(request)
    talk_id = await actions.open_talk(
        lot_id=data.lot_id,
        price=_money(data),
        quantity=data.quantity,
        incoterm=data.incoterm,
        message=data.message,
        by=viewer.actor,
    )
    return await _shown(viewer, talk_id)


@get("/{negotiation_id:uuid}", summary="A talk with its offers")
async def show(request: Call, negotiation_id: FromPath[UUID]) -> NegotiationOut:
    return await _shown(viewer_of(request), negotiation_id)


@post("/{negotiation_id:uuid}/offers", summary="Make an offer or a counter-offer")
async def make_move(request: Call, negotiation_id: FromPath[UUID], data: JSONBody[MoveIn]) -> NegotiationOut:
    viewer = viewer_of(request)
    await actions.make_move(
        negotiation_id=negotiation_id,
        price=_money(data),
        quantity=data.quantity,
        incoterm=data.incoterm,
        message=data.message,
        by=viewer.actor,
        cost=data.below_cost,
        seen=data.seen,
    )
    return await _shown(viewer, negotiation_id)


@post("/{negotiation_id:uuid}/acceptance", summary="Accept exactly the live offer")
async def accept(request: Call, negotiation_id: FromPath[UUID], data: JSONBody[AcceptanceIn]) -> NegotiationOut:
    viewer = viewer_of(request)
    await actions.accept_offer(
        negotiation_id=negotiation_id,
        price=_money(data),
        quantity=data.quantity,
        by=viewer.actor,
        cost=data.below_cost,
    )
    return await _shown(viewer, negotiation_id)


@post("/{negotiation_id:uuid}/refusal", summary="Decline the live offer")
async def refuse(request: Call, negotiation_id: FromPath[UUID], data: JSONBody[AnswerIn]) -> NegotiationOut:
    viewer = viewer_of(request)
    await actions.refuse_offer(negotiation_id=negotiation_id, by=viewer.actor, seen=data.seen)
    return await _shown(viewer, negotiation_id)


@post("/{negotiation_id:uuid}/withdrawal", summary="Take your own live offer back")
async def withdraw(request: Call, negotiation_id: FromPath[UUID], data: JSONBody[AnswerIn]) -> NegotiationOut:
    viewer = viewer_of(request)
    await actions.withdraw_offer(negotiation_id=negotiation_id, by=viewer.actor, seen=data.seen)
    return await _shown(viewer, negotiation_id)


@get("/{negotiation_id:uuid}/contract", summary="What was agreed, frozen")
async def contract(request: Call, negotiation_id: FromPath[UUID]) -> ContractOut:
    return _contract(await contract_seen_by(viewer_of(request).actor, negotiation_id))


@get("/{negotiation_id:uuid}/messages", summary="What you wrote to each other since you agreed")
async def messages(request: Call, negotiation_id: FromPath[UUID]) -> list[MessageOut]:
    return await _messages(viewer_of(request), negotiation_id)


@post("/{negotiation_id:uuid}/messages", summary="Write to the other side of an agreement")
async def write_message(request: Call, negotiation_id: FromPath[UUID], data: JSONBody[MessageIn]) -> list[MessageOut]:
    viewer = viewer_of(request)
    await actions.write_message(negotiation_id=negotiation_id, text=data.text, by=viewer.actor)
    return await _messages(viewer, negotiation_id)


@get("/{negotiation_id:uuid}/team", summary="Who of your team looks after a talk, and your notes")
async def inside(request: Call, negotiation_id: FromPath[UUID]) -> InsideOut:
    return await _inside(viewer_of(request), negotiation_id)


@post("/{negotiation_id:uuid}/assignment", summary="Give a talk to a colleague")
async def assign(request: Call, negotiation_id: FromPath[UUID], data: JSONBody[AssignmentIn]) -> InsideOut:
    viewer = viewer_of(request)
    await actions.assign_talk(negotiation_id=negotiation_id, person_id=data.person_id, by=viewer.actor)
    return await _inside(viewer, negotiation_id)


@post("/{negotiation_id:uuid}/notes", summary="Write a note for your own company")
async def write_note(request: Call, negotiation_id: FromPath[UUID], data: JSONBody[NoteIn]) -> InsideOut:
    viewer = viewer_of(request)
    await actions.write_note(negotiation_id=negotiation_id, text=data.text, by=viewer.actor)
    return await _inside(viewer, negotiation_id)


async def _messages(viewer: Viewer, negotiation_id: UUID) -> list[MessageOut]:
    await negotiation_seen_by(viewer.actor, negotiation_id)
    return [
        MessageOut(
            id=m.id,
            by="me" if m.mine else "them",
            colleague=m.person_name,
            text=m.body,
            written_at=m.written_at,
        )
        for m in await messages_of(viewer.actor, negotiation_id)
    ]


def _contract(agreed: Contract) -> ContractOut:
    def signed(by: Signature) -> SignatureOut:
        return SignatureOut(side=by.side, person=by.person, at=by.at)

    return ContractOut(
        negotiation_id=agreed.negotiation_id,
        mark=agreed.mark,
        seller=PartyOut(**asdict(agreed.seller)),
        buyer=PartyOut(**asdict(agreed.buyer)),
        lot=agreed.lot,
        lines=agreed.lines,
        quantity=agreed.quantity,
        unit_price_minor=agreed.unit_price.minor,
        total_minor=agreed.total.minor,
        currency=agreed.unit_price.currency,
        incoterm=agreed.incoterm,
        message=agreed.message,
        terms_version=agreed.terms_version,
        offered=signed(agreed.offered),
        accepted=signed(agreed.accepted),
    )


async def _inside(viewer: Viewer, negotiation_id: UUID) -> InsideOut:
    own = await own_side_of(viewer.actor, negotiation_id)
    return InsideOut(
        assigned_to=MateOut(person_id=own.assignee.person_id, name=own.assignee.name) if own.assignee else None,
        team=[MateOut(person_id=m.person_id, name=m.name) for m in own.team],
        notes=[NoteOut(id=n.id, colleague=n.person_name, text=n.body, written_at=n.written_at) for n in own.notes],
    )


def _money(data: MoveIn | AcceptanceIn) -> Money:
    try:
        return Money(data.unit_price_minor, data.currency)
    except ValueError as e:
        raise UnknownCurrency(currency=data.currency, field="currency") from e


async def _shown(viewer: Viewer, negotiation_id: UUID) -> NegotiationOut:
    return _out(await negotiation_on_page(viewer.actor, negotiation_id), viewer)


def _out(page: OnPage, viewer: Viewer) -> NegotiationOut:
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


def _row(r: InboxRow, language: str) -> NegotiationRow:
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


router = Router(
    "/negotiations",
    route_handlers=[
        index,
        open_talk,
        show,
        make_move,
        accept,
        refuse,
        withdraw,
        contract,
        messages,
        write_message,
        inside,
        assign,
        write_note,
    ],
    guards=[trading],
    tags=["negotiations"],
)
