"""Requests for a price: sent from a want to the lots that meet it, answered with a quote, or declined."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from exchange.actor import Actor
from exchange.clock import now
from exchange.companies.actions.mail import letter, notify
from exchange.companies.rules import MailKind
from exchange.database import execute, fetch, fetchval, transaction
from exchange.errors import Conflict, DomainError, NotSeen
from exchange.jobs import enqueue, enqueue_all
from exchange.journal.actions import record, record_all
from exchange.listings.rules.lots import SLOTS, CostAnswer, Incoterm
from exchange.offers.actions.moves import checked, make_move
from exchange.offers.actions.saving import company_of, save_talk
from exchange.offers.queries.lots import LotOffered, lot_offered_to, lots_offered_to
from exchange.offers.queries.requests import asked_since, lots_known_to, request_to, request_told
from exchange.offers.rules import refusals, talks
from exchange.offers.rules.bids import Bid
from exchange.offers.rules.requests import (
    AlreadyAsked,
    RequestAnswered,
    RequestState,
    WantOver,
    ensure_bounded,
    quantity_asked,
)
from exchange.offers.rules.terms import LotClosed
from exchange.wants.queries import matches_seen_by, want_seen_by


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a request for one of the lots: the quantity asked about, or why it was not sent."""

    lot_id: UUID
    quantity: int | None
    refusal: DomainError | None = None
    title: str | None = None
    """The lot's, while it meets the want."""


async def ask_for_quotes(
    *,
    want_id: UUID,
    lots: Sequence[UUID],
    quantity: int,
    incoterm: Incoterm,
    pickup: Sequence[str] = (),
    message: str = "",
    by: Actor,
) -> list[Sent]:
    """A buyer asks the sellers of these lots, which meet the want, for a price. Returns what became of each.

    Lots that no longer meet the want, are hidden from the buyer or never were there raise the same NotSeen, lot by lot.
    Raises WantOver, NoLotChosen, TooManyLots, DailyLimit, NotAHalfDay, ContactDetails.
    """
    chosen = list(dict.fromkeys(lots))
    if not set(pickup) <= set(SLOTS):
        raise refusals.NotAHalfDay(field="pickup")
    async with transaction():
        await execute("select from company where id = $1 for no key update", by.company_id)  # its requests are counted
        want = await want_seen_by(by, want_id)
        if not want.is_open(now()):
            raise WantOver
        ensure_bounded(len(chosen), await asked_since(by, now() - timedelta(days=1)))
        message = await checked(message, by)
        matching = {match.lot_id: match.title for match in await matches_seen_by(by, want_id, "en")}
        known = await lots_known_to(by, chosen)
        seen = await lots_offered_to(by, [lot for lot in chosen if lot in matching and lot not in known])
        if any(not lot.buyer_vetted for lot in seen.values()):
            raise refusals.NotVetted
        refused = {lot_id: _not_asked(lot_id in known, seen.get(lot_id)) for lot_id in chosen}
        asked = [seen[lot_id] for lot_id in chosen if not refused[lot_id]]
        quantities = {lot.id: quantity_asked(lot.terms, quantity, lot.available) for lot in asked}
        await _save(want_id, asked, quantities, incoterm, pickup, message, by)
        return [Sent(lot, quantities.get(lot), refused[lot], matching.get(lot)) for lot in chosen]


def _not_asked(is_known: bool, lot: LotOffered | None) -> DomainError | None:
    if is_known:
        return AlreadyAsked()
    if lot is None:
        return NotSeen()
    return None if lot.available else LotClosed()


async def _save(
    want_id: UUID,
    lots: Sequence[LotOffered],
    quantities: Mapping[UUID, int],
    incoterm: Incoterm,
    pickup: Sequence[str],
    message: str,
    by: Actor,
) -> None:
    """One request for each lot, in as many statements for twenty as for one."""
    at, ids = now(), [uuid4() for _ in lots]
    if not lots:
        return
    await fetch(
        "insert into quote_request (id, lot_id, want_id, buyer_company_id, seller_company_id, person_id, quantity, "
        "incoterm, pickup, message, asked_at, expires_at, state, told, answer_told) "
        "select x.id, x.lot, $6, $7, x.seller, $8, x.quantity, $9, $10, $11, $12, x.until, 'asked', false, false "
        "from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::timestamptz[]) "
        "as x (id, lot, seller, quantity, until) "
        "returning pg_notify('news_' || replace(seller_company_id::text, '-', ''), 'quote.asked ' || id)",
        ids,
        [lot.id for lot in lots],
        [lot.seller for lot in lots],
        [quantities[lot.id] for lot in lots],
        [talks.deadline(at, lot.seller_hours) for lot in lots],
        want_id,
        company_of(by),
        by.person_id,
        incoterm.value,
        list(pickup),
        message,
        at,
    )
    await record_all(by, "quote.asked", ids)
    await enqueue_all(*(("quote.asked", request_id) for request_id in ids))


async def quote(
    *,
    request_id: UUID,
    bid: Bid,
    incoterm: Incoterm,
    message: str = "",
    by: Actor,
    cost: CostAnswer | None = None,
) -> UUID:
    """The seller answers a request with a price: the first move of a talk, under all its rules. Returns the talk.

    Raises RequestAnswered, LotClosed and what `make_move` raises.
    """
    async with transaction():
        asked = await request_to(by, request_id, lock=True)
        asked.request.ensure_open(now())
        lot = await lot_offered_to(Actor(by.person_id, asked.request.buyer), asked.lot_id)  # as the buyer sees it
        if not lot.is_for_sale:
            raise LotClosed
        talk_id = lot.talk_id or await save_talk(lot, asked.request.buyer)
        await make_move(
            negotiation_id=talk_id,
            bid=bid,
            incoterm=incoterm,
            pickup=asked.request.pickup,
            message=message,
            by=by,
            cost=cost,
            seen=0,
            asked=True,
        )
        await _answer(request_id, RequestState.QUOTED, by)
        return talk_id


async def decline_requests(*, request_ids: Sequence[UUID], by: Actor) -> int:
    """The seller declines requests, several at once; those answered meanwhile are left alone. Returns how many."""
    declined = 0
    for request_id in sorted(set(request_ids)):
        try:
            async with transaction():
                asked = await request_to(by, request_id, lock=True)
                asked.request.ensure_open(now())
                await _answer(request_id, RequestState.DECLINED, by)
                await enqueue("quote.answered", request_id)
        except (Conflict, NotSeen):
            continue
        declined += 1
    return declined


async def tell_of_request(*, request_id: UUID) -> None:
    """Write to the seller that somebody asks for a price, once, in their working hours."""
    async with transaction():
        first = await fetchval(
            "update quote_request set told = true where id = $1 and not told returning id", request_id
        )
        told = await request_told(request_id) if first else None
        if told:
            await notify(told.receiver, "quote_asked", about=request_id, told=told)


@letter("quote_asked", MailKind.OFFERS)
async def _still_asked(request_id: UUID, _: UUID) -> dict[str, Any] | None:
    told = await request_told(request_id)
    return {"told": told} if told else None


async def _answer(request_id: UUID, state: RequestState, by: Actor) -> None:
    """Raises RequestAnswered where the clock was faster."""
    answered = await fetchval(
        "update quote_request set state = $2, answered_at = $3, answered_by = $4 where id = $1 and state = 'asked' "
        "returning id",
        request_id,
        state.value,
        now(),
        by.person_id,
    )
    if answered is None:
        raise RequestAnswered
    await record(by, f"quote.{state}", request_id)
