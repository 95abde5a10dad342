"""Deals as JSON."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from exchange.listings.queries.thresholds import paid_of
from exchange.listings.schemas import ThresholdCount
from exchange.money import Money, exponent
from exchange.settlement.actions import deals, payments
from exchange.settlement.queries.claims import claim_of, lines_of
from exchange.settlement.queries.deals import Deal, deal_seen_by, deals_of
from exchange.settlement.queries.evidence import photos_of
from exchange.settlement.queries.methods import ways_of
from exchange.settlement.queries.money import money_of, payment_of, unrefunded
from exchange.settlement.rules.claims import Reason
from exchange.settlement.rules.deal import Side
from exchange.settlement.rules.evidence import Occasion
from exchange.settlement.schemas import possible
from exchange.web.guards import member, signed_in, viewer_of
from exchange.web.viewer import Viewer

Call = Request[Viewer | None, Any, Any]


def _known(currency: str) -> str:
    exponent(currency)
    return currency


class Amount(BaseModel):
    """Money: minor units beside an ISO 4217 code."""

    minor: int = Field(examples=[12000])
    currency: Annotated[str, AfterValidator(_known)] = Field(examples=["EUR"])

    @property
    def money(self) -> Money:
        return Money(self.minor, self.currency)


class NextStep(BaseModel):
    """What the deal waits for."""

    whose: Side
    text: str = Field(description="English, addressed to the reader")
    until: datetime | None


class LedgerLine(BaseModel):
    """One movement of the deal's money that is the reader's to see."""

    at: datetime
    fact: str = Field(examples=["paid"])
    amount: Amount


class LineOfClaim(BaseModel):
    """What is claimed of one line, and what the seller finds right."""

    id: UUID
    line_id: str
    label: str
    reason: Reason
    units: int
    loss_percent: int
    answered_percent: int | None


class Claim(BaseModel):
    """A claim; sums before tax."""

    state: str
    said: str
    answer: str
    lines: list[LineOfClaim]
    wanted: Amount
    offered: Amount | None
    settled: Amount | None
    opened_at: datetime
    answer_by: datetime = Field(description="from then on the buyer may ask the operator")


class Photo(BaseModel):
    """A photo of the delivery."""

    id: UUID
    occasion: Occasion
    line_id: str | None
    href: str


class Line(BaseModel):
    """What was sold, line by line."""

    id: str
    label: str
    units: int


class DealSummary(BaseModel):
    """One deal in the list."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "5f0c0f2e-6a52-4a0e-9d43-0c9a4f1f7d11",
                "negotiation_id": "0b6c9ad5-8a4a-4f0b-8a44-3f1c1f4f2c77",
                "lot_id": "7c1d7a52-9d51-4a6a-8a57-1c5a6f0f9e10",
                "label": "Outillage, fin de série",
                "side": "buyer",
                "seller": "Maison Dupont",
                "buyer": "Cycles Le Goff",
                "quantity": 10,
                "unit_price": {"minor": 1000, "currency": "EUR"},
                "net": {"minor": 10000, "currency": "EUR"},
                "vat": {"minor": 2000, "currency": "EUR"},
                "total": {"minor": 12000, "currency": "EUR"},
                "state": "paid",
                "ending": None,
                "agreed_at": "2026-11-20T10:00:00Z",
                "next": {"whose": "seller", "text": "The seller hands the goods …", "until": "2026-11-30T10:00:00Z"},
            }
        }
    )

    id: UUID
    negotiation_id: UUID
    lot_id: UUID
    label: str
    side: Side = Field(description="the reader's")
    seller: str
    buyer: str
    quantity: int
    unit_price: Amount
    net: Amount
    vat: Amount
    total: Amount
    state: str
    ending: str | None
    agreed_at: datetime
    next: NextStep | None


class AwaitedTransfer(BaseModel):
    """A bank transfer that has not arrived, or not whole; it is awaited until `next.until`."""

    arrived: Amount
    missing: Amount
    instructions_url: str


class Part(BaseModel):
    """One receiver's part of the deal's money."""

    id: UUID
    name: str
    amount: Amount | None = Field(description="null until the money is shared out")
    state: str = Field(description="planned, parked, sent or paid", examples=["parked"])


class Unrefunded(BaseModel):
    """What is owed to the buyer and did not reach it."""

    returned: Amount = Field(description="the buyer's bank sent it back")
    refused: Amount = Field(description="the payment service did not make the refund")


class DealDetail(DealSummary):
    """One deal with its money, its claim and what the reader may do."""

    held: Amount
    threshold: ThresholdCount | None = Field(description="of the lot, where it is sold only if enough of it is paid")
    refund: Amount
    commission: Amount | None = Field(description="tax included; null for the buyer, whom it does not concern")
    ledger: list[LedgerLine]
    lines: list[Line]
    claim: Claim | None
    carrier: str
    tracking: str
    reserves: str = Field(description="what the buyer wrote on the delivery note")
    decision: str = Field(description="the operator's reasons, where it decided")
    photos: list[Photo]
    awaited_transfer: AwaitedTransfer | None = Field(description="null for the seller, and where none is awaited")
    parts: list[Part] = Field(description="empty for the buyer, whom it does not concern")
    unrefunded: Unrefunded | None = Field(description="null for the seller, and where nothing is")
    may: list[str] = Field(description="moves the reader may make now", examples=[["ship", "cancel"]])


class PayPage(BaseModel):
    """Where the buyer pays: the payment service's own page."""

    url: str
    methods: list[str] = Field(
        description="which ways carry the sum in its currency: card, sepa_debit, customer_balance (bank transfer)",
        examples=[["card", "customer_balance"]],
    )


class Shipment(BaseModel):
    """Handed to a carrier (`carrier` and `tracking`), or ready for collection under a `note`."""

    model_config = ConfigDict(json_schema_extra={"example": {"carrier": "Geodis", "tracking": "6A12345678901"}})

    carrier: str = Field(default="", max_length=80)
    tracking: str = Field(default="", max_length=80)
    note: str = Field(default="", max_length=80)


class CarriersNews(BaseModel):
    """What the carrier said last."""

    model_config = ConfigDict(json_schema_extra={"example": {"news": "Seen at the Orléans hub on 22 November, 6:10."}})

    news: str = Field(default="", max_length=2000)


class ProofOfDelivery(BaseModel):
    """Who signed the note, when, under which number."""

    model_config = ConfigDict(json_schema_extra={"example": {"proof": "Signed by Mme Roy, 22 November, note 4711."}})

    proof: str = Field(default="", max_length=2000)


@get("/", guards=[signed_in])
async def my_deals(
    request: Call, after: FromQuery[UUID | None] = None, limit: FromQuery[int] = 30
) -> list[DealSummary]:
    """The company's deals, those that await it first. ``after`` is the last id of the page before."""
    actor = viewer_of(request).actor
    found = await deals_of(actor, after=after, limit=max(1, min(limit, 100)))
    return [DealSummary(**_summary(deal, deal.side_of(actor))) for deal in found]


@get("/{deal_id:uuid}", guards=[signed_in])
async def show(request: Call, deal_id: FromPath[UUID]) -> DealDetail:
    """One deal."""
    return await detail(request, deal_id)


@post("/{deal_id:uuid}/payment", guards=[member], status_code=HTTP_201_CREATED)
async def pay(request: Call, deal_id: FromPath[UUID]) -> PayPage:
    """The address of the deal's one pay page; asked twice, the same."""
    actor = viewer_of(request).actor
    url = await payments.pay(deal_id=deal_id, by=actor)
    return PayPage(url=url, methods=list((await ways_of(await deal_seen_by(actor, deal_id))).methods))


@post("/{deal_id:uuid}/shipment", guards=[member], status_code=HTTP_200_OK)
async def ship(request: Call, deal_id: FromPath[UUID], data: JSONBody[Shipment]) -> DealDetail:
    """The seller has handed the goods over, or they are ready."""
    actor = viewer_of(request).actor
    if data.note:
        await deals.make_ready(deal_id=deal_id, note=data.note, by=actor)
    else:
        await deals.ship(deal_id=deal_id, carrier=data.carrier, tracking=data.tracking, by=actor)
    return await detail(request, deal_id)


@post("/{deal_id:uuid}/cancellation", guards=[member], status_code=HTTP_200_OK)
async def cancel(request: Call, deal_id: FromPath[UUID]) -> DealDetail:
    """Ask to call the deal off; when the other side has asked too, the buyer is refunded in full."""
    await deals.cancel(deal_id=deal_id, by=viewer_of(request).actor)
    return await detail(request, deal_id)


@post("/{deal_id:uuid}/withdrawal", guards=[member], status_code=HTTP_200_OK)
async def give_up(request: Call, deal_id: FromPath[UUID]) -> DealDetail:
    """The seller cancels what the buyer never collected, from the fourteenth day on."""
    await deals.give_up(deal_id=deal_id, by=viewer_of(request).actor)
    return await detail(request, deal_id)


@post("/{deal_id:uuid}/news", guards=[member], status_code=HTTP_200_OK)
async def follow(request: Call, deal_id: FromPath[UUID], data: JSONBody[CarriersNews]) -> DealDetail:
    """The carrier has moved the goods, and said so: its time to deliver counts anew."""
    await deals.follow(deal_id=deal_id, news=data.news, by=viewer_of(request).actor)
    return await detail(request, deal_id)


@post("/{deal_id:uuid}/proof", guards=[member], status_code=HTTP_200_OK)
async def prove(request: Call, deal_id: FromPath[UUID], data: JSONBody[ProofOfDelivery]) -> DealDetail:
    """The seller shows that the buyer has the goods. Photos kept for `handover` go with it."""
    await deals.prove_delivery(deal_id=deal_id, proof=data.proof, by=viewer_of(request).actor)
    return await detail(request, deal_id)


def amount_of(money: Money) -> Amount:
    return Amount(minor=money.minor, currency=money.currency)


def _summary(deal: Deal, side: Side) -> dict[str, Any]:
    step = deal.next_for(side)
    return {
        "id": deal.id,
        "negotiation_id": deal.negotiation_id,
        "lot_id": deal.lot_id,
        "label": deal.label,
        "side": side,
        "seller": deal.seller_name,
        "buyer": deal.buyer_name,
        "quantity": deal.quantity,
        "unit_price": amount_of(deal.unit_price),
        "net": amount_of(deal.terms.net),
        "vat": amount_of(deal.terms.vat),
        "total": amount_of(deal.terms.total),
        "state": deal.state.value,
        "ending": deal.ending.value if deal.ending else None,
        "agreed_at": deal.agreed_at,
        "next": NextStep(whose=step.whose, text=step.text, until=step.until) if step else None,
    }


async def detail(request: Call, deal_id: UUID) -> DealDetail:
    actor = viewer_of(request).actor
    deal = await deal_seen_by(actor, deal_id)
    side = deal.side_of(actor)
    money, found = await money_of(deal, side), await claim_of(deal)
    may = possible(deal, side, found)
    payment = await payment_of(deal.id) if side is not Side.SELLER else None
    owed = await unrefunded(deal) if side is not Side.SELLER else None
    return DealDetail(
        **_summary(deal, side),
        held=amount_of(money.held),
        threshold=ThresholdCount.of(deal.threshold, await paid_of(deal.lot_id, exactly=side is not Side.BUYER)),
        refund=amount_of(deal.refund),
        commission=None if side is Side.BUYER else amount_of(deal.terms.fee),
        ledger=[LedgerLine(at=line.at, fact=line.fact.value, amount=amount_of(line.amount)) for line in money.postings],
        lines=[Line(id=line.key, label=line.label, units=line.units) for line in await lines_of(deal)],
        claim=Claim(
            state=found.state,
            said=found.said,
            answer=found.answer,
            lines=[
                LineOfClaim(
                    id=line.id,
                    line_id=line.key,
                    label=line.label,
                    reason=Reason(line.reason),
                    units=line.units,
                    loss_percent=line.loss_percent,
                    answered_percent=line.answered_percent,
                )
                for line in found.lines
            ],
            wanted=amount_of(found.wanted),
            offered=amount_of(found.offered) if found.offered is not None else None,
            settled=amount_of(found.settled) if found.settled is not None else None,
            opened_at=found.opened_at,
            answer_by=found.escalate_from,
        )
        if found
        else None,
        carrier=deal.carrier,
        tracking=deal.tracking,
        reserves=deal.reserves,
        decision=deal.decision,
        photos=[
            Photo(id=p.id, occasion=p.occasion, line_id=p.line_key, href=f"/api/v1/deals/{deal.id}/photos/{p.id}")
            for p in await photos_of(deal, side)
            if not p.draft
        ],
        awaited_transfer=AwaitedTransfer(
            arrived=amount_of(payment.arrived),
            missing=amount_of(payment.missing),
            instructions_url=payment.instructions_url,
        )
        if payment and payment.state == "processing" and payment.instructions_url
        else None,
        parts=[
            Part(
                id=leg.id,
                name=leg.name,
                amount=amount_of(leg.amount) if leg.amount is not None else None,
                state=leg.state,
            )
            for leg in money.legs
        ],
        unrefunded=Unrefunded(returned=amount_of(owed.returned), refused=amount_of(owed.refused)) if owed else None,
        may=sorted([move.value for move in may.moves] + (["pay"] if may.pay else [])),
    )


HANDLERS: list[Any] = [my_deals, show, pay, ship, follow, prove, cancel, give_up]
