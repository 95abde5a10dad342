"""Requests for a price under way: those the guests are asked, and one the competitor sent to several sellers."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID

from exchange.clock import now
from exchange.database import fetchval
from exchange.listings.rules.grades import Grade
from exchange.listings.rules.lots import CostAnswer
from exchange.money import Money
from exchange.offers import actions
from exchange.offers.rules.bids import Bid
from exchange.seed.chance import chance
from exchange.seed.companies import Company
from exchange.seed.contacts import At
from exchange.seed.listings import Listing, incoterm
from exchange.seed.people import COMPETITOR, MERCHANT
from exchange.seed.stage import Event, Stage
from exchange.seed.steps import Market
from exchange.wants.actions import open_want
from exchange.wants.rules import Wanted

ASKED = 4
"""Sellers of others than the guests that the competitor asks."""
WORDS = {
    "fr": "Nous cherchons cette marque pour la saison. Quel serait votre prix ?",
    "en": "We are looking for this brand for the season. What would your price be?",
}


def quotes(market: Market, own: Sequence[Listing], others: Sequence[Listing], at: At) -> Iterator[Event]:
    """Events in no order; ``own`` are lots of the merchant's, ``others`` open ones of companies that are no guests."""
    society, drawn = market.society, chance(market.number, "quotes")
    merchant, competitor = society.company_of(MERCHANT), society.company_of(COMPETITOR)
    alike = {lot.id: _alike(lot, others) for lot in own}
    first, second = sorted(own, key=lambda lot: -len(alike[lot.id]))[:2]
    sellers = alike[first.id][:ASKED]
    yield Event(at(2, 9), partial(_want, competitor, first))
    yield Event(at(1, 1), partial(_ask, competitor, first, [first, *sellers]))
    for event, lot, act in zip((6, 7), sellers, (_quote, _decline), strict=False):
        yield Event(at(1, event), partial(act, lot, competitor))
    groups = {merchant.group, competitor.group}
    stranger = drawn.choice([c for c in society.companies if c.currency == "EUR" and c.group not in groups])
    yield Event(at(2, 10), partial(_want, stranger, second))
    yield Event(at(1, 2), partial(_ask, stranger, second, [second]))


def _alike(like: Listing, lots: Sequence[Listing]) -> list[Listing]:
    """Lots of the same brand and category, one of each seller."""
    found = {lot.company.group: lot for lot in lots if lot.category == like.category and _brand(like) in _brands(lot)}
    return list(found.values())


def _brands(lot: Listing) -> set[str]:
    return {line.product.brand for line in lot.lines}


def _brand(lot: Listing) -> str:
    return lot.lines[0].product.brand


async def _want(buyer: Company, like: Listing, _: Stage) -> None:
    wanted = Wanted(1, now() + timedelta(days=90), category=like.category, brand=_brand(like), worst_grade=Grade.D)
    await open_want(wanted=wanted, currency=buyer.currency, by=buyer.trader)


async def _ask(buyer: Company, like: Listing, lots: Sequence[Listing], _: Stage) -> None:
    want = await fetchval(
        "select id from want where company_id = $1 and category = $2 and brand = $3 order by created_at desc limit 1",
        buyer.id, like.category, _brand(like),
    )  # fmt: skip
    await actions.ask_for_quotes(
        want_id=want, lots=[lot.id for lot in lots], quantity=like.quantity // 2, incoterm=incoterm(like),
        message=WORDS[buyer.language], by=buyer.trader,
    )  # fmt: skip


async def _quote(lot: Listing, buyer: Company, _: Stage) -> None:
    quantity = await fetchval(
        "select quantity from quote_request where lot_id = $1 and buyer_company_id = $2", lot.id, buyer.id
    )
    price = Money(max(1, lot.unit_ask * 92 // 100), lot.company.currency)
    await actions.quote(
        request_id=await _request(lot, buyer), bid=Bid(price, quantity), incoterm=incoterm(lot), by=lot.company.trader,
        cost=CostAnswer.OUT_OF_DEMAND,
    )  # fmt: skip


async def _decline(lot: Listing, buyer: Company, _: Stage) -> None:
    await actions.decline_requests(request_ids=[await _request(lot, buyer)], by=lot.company.trader)


async def _request(lot: Listing, buyer: Company) -> UUID:
    found = await fetchval("select id from quote_request where lot_id = $1 and buyer_company_id = $2", lot.id, buyer.id)
    return UUID(str(found))
