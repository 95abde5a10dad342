"""Offers and counter-offers."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from exchange.actor import Actor
from exchange.clock import now
from exchange.companies.queries import own_names
from exchange.contact_details import ensure_no_contact_details
from exchange.database import announce, transaction
from exchange.errors import N_, Invalid
from exchange.jobs import enqueue
from exchange.journal.actions import record
from exchange.listings.rules.lots import CostAnswer, Incoterm
from exchange.offers.actions.saving import company_of, save_cost, save_move, save_request_met, save_talk, supersede
from exchange.offers.actions.weighing import weigh_later
from exchange.offers.queries.lines import shelf_of, stock_on
from exchange.offers.queries.lots import lot_offered_to
from exchange.offers.queries.news import news_channel
from exchange.offers.queries.talks import Negotiated, negotiation_seen_by
from exchange.offers.rules import refusals, talks
from exchange.offers.rules.bids import Bid, Stock
from exchange.offers.rules.talks import Talk
from exchange.offers.rules.terms import LotClosed

LONGEST_MESSAGE = 2000


class MessageTooLong(Invalid):
    message = N_("Keep the message under %(most)s characters.")


async def open_talk(
    *, lot_id: UUID, bid: Bid, incoterm: Incoterm, pickup: Sequence[str] = (), message: str = "", by: Actor
) -> UUID:
    """A vetted buyer makes a first offer for another group's lot; a frozen copy of the lot is kept. Returns the talk.

    Where a talk about the lot was closed before, this opens it again with the moves left.
    """
    async with transaction():
        lot = await lot_offered_to(by, lot_id, lock=True)
        buyer = company_of(by)
        if lot.seller == buyer:
            raise refusals.OwnLot
        if not lot.is_for_sale:
            raise LotClosed
        negotiation_id = lot.talk_id or await save_talk(lot, buyer)
        if request_id := await save_request_met(lot_id, buyer, by):
            await record(by, "quote.quoted", request_id)
        await make_move(
            negotiation_id=negotiation_id, bid=bid, incoterm=incoterm, pickup=pickup, message=message, by=by
        )
        return negotiation_id


async def make_move(
    *,
    negotiation_id: UUID,
    bid: Bid,
    incoterm: Incoterm,
    pickup: Sequence[str] = (),
    message: str = "",
    by: Actor,
    cost: CostAnswer | None = None,
    seen: int | None = None,
    asked: bool = False,
) -> UUID:
    """The side whose turn it is makes an offer or a counter-offer. Returns the offer.

    ``cost`` is the seller's private answer where the price is below what he answered for; ``seen`` the number of moves
    the person had before their eyes; ``asked`` says that the buyer asked for a price, so that the seller may open.
    """
    async with transaction():
        held = await negotiation_seen_by(by, negotiation_id, lock=True)
        held = replace(held, talk=replace(held.talk, asked=asked))
        message = await checked(message, by)
        at, mover = now(), company_of(by)
        talk, stock = await _with_lines(held) if bid.lines else (held.talk, held.stock)
        after = talks.move(
            talk,
            by=mover,
            bid=bid,
            incoterm=incoterm,
            at=at,
            expires_at=talks.deadline(at, held.hours[talk.other(mover)]),
            stock=stock,
            pickup=tuple(pickup),
            cost=cost,
            seen=seen,
        )
        if held.talk.live:
            await supersede(held, after.moves[-2], by)
        offer_id = await save_move(held, after, message, by)
        await save_cost(held, after, cost, by, "counter")
        answer = talks.automatic_answer(after)
        if answer is None:
            await enqueue("offer.made", offer_id)
        else:
            await weigh_later(held, offer_id)
        await record(by, "offer.made", held.id, number=len(after.moves))
        await announce(held.channel, "offer.made", held.id, news_channel(talk.other(mover)))
        return offer_id


async def _with_lines(held: Negotiated) -> tuple[Talk, Stock]:
    """The talk and the stock with every line of the lot: what a move that names lines is measured by."""
    shelf = await shelf_of(held.lot_id, held.talk.terms.ask)
    asks = {line.id: line.ask for line in shelf if line.ask}
    stock = replace(held.stock, lines=stock_on(shelf, held.available).lines)
    return replace(held.talk, terms=replace(held.talk.terms, asks=asks)), stock


async def checked(message: str, by: Actor) -> str:
    """The message of a masked writer, trimmed. Raises MessageTooLong, ContactDetails."""
    message = message.strip()
    if len(message) > LONGEST_MESSAGE:
        raise MessageTooLong(most=LONGEST_MESSAGE, field="message")
    if message:
        ensure_no_contact_details(message, names=await own_names(by))
    return message
