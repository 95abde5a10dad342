"""The seller answers several buyers of one lot at once; each answer is a move of its own, under every rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from exchange.actor import Actor
from exchange.errors import DomainError, NotSeen
from exchange.listings.rules.lots import CostAnswer
from exchange.money import Money
from exchange.offers.actions.moves import make_move
from exchange.offers.queries.talks import negotiation_seen_by
from exchange.offers.rules.bids import Bid
from exchange.offers.rules.refusals import NothingToAnswer, NotYourTurn
from exchange.offers.rules.talks import Move


@dataclass(frozen=True, slots=True)
class Countered:
    """What became of the counter-offer to one buyer."""

    negotiation_id: UUID
    bid: Bid | None
    refusal: DomainError | None = None


async def counter_offers(
    *,
    negotiation_ids: Sequence[UUID],
    price: Money,
    quantity: int | None = None,
    message: str = "",
    seen: Mapping[UUID, int] | None = None,
    cost: CostAnswer | None = None,
    by: Actor,
) -> list[Countered]:
    """Counter several buyers with one ``price`` per unit, while stock lasts (rule 8). Returns what became of each.

    Without ``quantity`` each is countered for the goods they asked for: as many units, or the lines they named, each at
    this price; on their own delivery terms. ``seen`` is how many moves of each talk the person had before their eyes.
    Nothing is accepted in bulk (rule 14): who agrees first, buys.
    """
    answered = []
    for negotiation_id in dict.fromkeys(negotiation_ids):
        try:
            bid = await _counter(negotiation_id, price, quantity, message, (seen or {}).get(negotiation_id), cost, by)
            answered.append(Countered(negotiation_id, bid))
        except NotSeen:
            continue
        except DomainError as refusal:
            answered.append(Countered(negotiation_id, None, refusal))
    return answered


async def _counter(
    negotiation_id: UUID,
    price: Money,
    quantity: int | None,
    message: str,
    seen: int | None,
    cost: CostAnswer | None,
    by: Actor,
) -> Bid:
    held = await negotiation_seen_by(by, negotiation_id)
    live = held.talk.live
    if live is None:
        raise NothingToAnswer
    if live.by == by.company_id or held.talk.seller != by.company_id:
        raise NotYourTurn
    bid = _bid(live, price, quantity)
    await make_move(
        negotiation_id=negotiation_id, bid=bid, incoterm=live.incoterm, pickup=live.pickup, message=message,
        seen=held.seen if seen is None else seen, cost=cost, by=by,
    )  # fmt: skip
    return bid


def _bid(live: Move, price: Money, quantity: int | None) -> Bid:
    if quantity is None and live.lines:
        return Bid.of(replace(line, price=price) for line in live.lines)
    return Bid(price, quantity or live.quantity)
