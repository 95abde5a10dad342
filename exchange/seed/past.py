"""The steps that write the closed quarters: lots, talks, deals, money, books and the facts insight reads.

Rows that a model must think up come by COPY; what follows from them (what is owed, paid, transferred, booked) is
derived by the database, in statements that pass the constraints and triggers live data passes. These trades were paid
before this exchange's payment sandbox existed: they carry no object of it, and the daily match leaves them alone.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from uuid import UUID

from exchange.database import execute
from exchange.insight.actions.facts import record_facts
from exchange.insight.rules.facts import ListingFact, OfferFact, Place, TradeFact
from exchange.money import Money
from exchange.offers.actions.saving import LOT_COPY
from exchange.offers.rules.talks import TERMS_VERSION
from exchange.offers.rules.talks import State as TalkState
from exchange.seed.calendar import closed_quarters
from exchange.seed.chance import beside
from exchange.seed.companies import Company
from exchange.seed.history import Closed, Deal, End, History, Move, Talk
from exchange.seed.listings import COST, LINE, LOT, cost_row, line_id, line_rows, lot_row
from exchange.seed.progress import Progress
from exchange.seed.steps import Market
from exchange.seed.writing import copy, look_over
from exchange.settings import settings
from exchange.settlement.rules import amounts, vat
from exchange.settlement.rules.deal import Ending

_COPY, _DEAL = 0xC09E, 0xDEA1

NEGOTIATION = (
    "id", "lot_id", "lot_copy_id", "buyer_company_id", "seller_company_id", "currency", "unit_ask_minor", "partial",
    "minimum", "multiple", "floor_minor", "auto_accept_minor", "state", "moves", "opened_at", "changed_at", "agreed_at",
)  # fmt: skip
OFFER = (
    "id", "lot_id", "negotiation_id", "number", "company_id", "person_id", "unit_price_minor", "currency", "quantity",
    "incoterm", "message", "terms_version", "made_at", "expires_at", "state", "answered_at", "answered_by", "made_told",
    "answer_told",
)  # fmt: skip
RESERVATION = ("id", "lot_id", "quantity", "state", "made_at", "ended_at")
DEAL = (
    "id", "negotiation_id", "lot_id", "seller_company_id", "buyer_company_id", "label", "quantity", "unit_price_minor",
    "currency", "net_minor", "vat_regime", "vat_rate_bp", "vat_minor", "commission_minor", "commission_vat_minor",
    "state", "since", "agreed_at", "paid_at", "ready_at", "closed_at", "ending", "refund_minor", "carrier", "tracking",
    "proof",
)  # fmt: skip
_thinker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="seed")
_FOLLOWING = Path(__file__).with_name("following.sql").read_text()
_CARRIERS = ("Messagerie du Ponant", "Trans-Ardenne", "Rhin Fret", "Palette Express")


@dataclass(frozen=True, slots=True)
class Sale:
    """An agreement of the past with all that was counted out for it."""

    id: UUID
    closed: Closed
    talk: Talk
    deal: Deal
    terms: amounts.Terms
    tax: vat.Tax
    refund: int


def quarter_step(index: int, *, stride: int) -> Callable[[Market, Progress], Awaitable[None]]:
    """The work of writing closed quarter number ``index``, 0 the oldest; this process writes every ``stride``th."""

    async def write(market: Market, progress: Progress) -> None:
        closed = await asyncio.wrap_future(think(market, index=index))
        if index + stride < market.scale.quarters:
            think(market, index=index + stride)  # while the database writes this one
        progress.at(1, 3)
        sales = await write_quarter(closed)
        progress.at(2, 3)
        await write_facts(closed, sales)
        progress.at(3, 3)

    return write


@lru_cache(maxsize=2)
def think(market: Market, index: int) -> "Future[list[Closed]]":
    """What closed in quarter number ``index``, 0 the oldest, thought up by a thread."""
    return _thinker.submit(lambda: list(_history(market).quarter(index)))


@lru_cache(maxsize=1)
def _history(market: Market) -> History:
    scale = market.scale
    return History(market.number, market.society, closed_quarters(market.today, scale.quarters), scale.trades)


async def write_quarter(closed: list[Closed]) -> list[Sale]:
    """Lots, talks, deals, money and books of one quarter, in the order of their ids: neighbours in every index."""
    closed = sorted(closed, key=lambda c: c.listing.id.int)
    await _write_lots(closed)
    sales = await _write_talks(closed)
    await _write_deals(sales)
    return sales


async def _write_lots(closed: list[Closed]) -> None:
    await copy("lot", LOT, [lot_row(c.listing) for c in closed])
    await copy("manifest_line", LINE, [row for c in closed for row in line_rows(c.listing, c.sold)])
    await copy("cost_statement", COST, [cost_row(c.listing) for c in closed])


async def _write_talks(closed: list[Closed]) -> list[Sale]:
    talked = [c for c in closed if c.talks]
    await execute(
        # materialized: put together once for the row and its hash
        "with made as materialized (select t.id, t.lot_id, c.content, t.at "  # noqa: S608 - a constant of the talks
        "from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) t(id, lot_id, at) "
        f"cross join lateral ({LOT_COPY} where l.id = t.lot_id) c) "
        "insert into lot_copy (id, lot_id, sha256, content, made_at) "
        "select id, lot_id, sha256(convert_to(content::text, 'UTF8')), content, at from made",
        [beside(c.listing.id, _COPY) for c in talked],
        [c.listing.id for c in talked],
        [min(t.moves[0].at for t in c.talks) for c in talked],
    )
    talks = sorted(((c, t) for c in talked for t in c.talks), key=lambda both: both[1].id.int)
    await copy("negotiation", NEGOTIATION, [_negotiation(c, t) for c, t in talks])
    await copy("offer", OFFER, [row for c, t in talks for row in _offers(c, t)])
    sales = [_sale(c, t, t.deal) for c, t in talks if t.deal]
    await copy("reservation", RESERVATION, [_reservation(s) for s in sales])
    await copy(
        "reservation_line",
        ("reservation_id", "line_id", "quantity"),
        [(s.talk.id, line, units) for s in sales for line, units in s.talk.lines.items()],
    )
    # a quarter's contracts at once; at the commit the database would write each by itself. The planner must know by now
    # how many rows there are, and nothing else: the content of texts would take it as long as writing them
    await look_over(
        "negotiation (id, lot_id, lot_copy_id, state), offer (negotiation_id, state), lot_copy (id), lot (id), "
        "manifest_line (id, lot_id), reservation_line (reservation_id, line_id)"
    )
    await execute("select write_contracts($1)", [s.talk.id for s in sales])
    return sales


def _negotiation(c: Closed, talk: Talk) -> tuple[object, ...]:
    lot = c.listing
    agreed = talk.ended_at if talk.state is TalkState.AGREED else None
    return (
        talk.id, lot.id, beside(lot.id, _COPY), talk.buyer.id, lot.company.id, lot.company.currency, lot.unit_ask,
        lot.partial, lot.minimum, lot.multiple, lot.floor, lot.auto_accept, talk.state.value, len(talk.moves),
        talk.moves[0].at, talk.ended_at, agreed,
    )  # fmt: skip


def _offers(c: Closed, talk: Talk) -> list[tuple[object, ...]]:
    lot = c.listing
    ends: list[tuple[TalkState, object]] = [
        *((TalkState.COUNTERED, later.at) for _, later in pairwise(talk.moves)), (talk.state, talk.ended_at),
    ]  # fmt: skip
    return [
        (
            beside(talk.id, number), lot.id, talk.id, number, author.id, author.trader.person_id, move.price,
            lot.company.currency, talk.quantity, "FCA", "", TERMS_VERSION, move.at, move.expires_at, state.value, ended,
            _answerer(state, author, talk.buyer if author is lot.company else lot.company), True, True,
        )
        for number, (move, (state, ended)) in enumerate(zip(talk.moves, ends, strict=True), start=1)
        for author in (_author(c, talk, move),)
    ]  # fmt: skip


def _author(c: Closed, talk: Talk, move: Move) -> Company:
    return talk.buyer if move.by_buyer else c.listing.company


def _answerer(state: TalkState, author: Company, other: Company) -> UUID | None:
    """Who ended an offer: nobody where a clock or the stock did."""
    if state in {TalkState.EXPIRED, TalkState.UNAVAILABLE}:
        return None
    return (author if state is TalkState.WITHDRAWN else other).trader.person_id


def _sale(c: Closed, talk: Talk, deal: Deal) -> Sale:
    """What the agreement came to, by the rules a live one is counted by."""
    goods, on_commission = _taxes(c.listing.company, talk.buyer, talk.ended_at.date())
    currency = c.listing.company.currency
    terms = amounts.terms(
        Money(talk.moves[-1].price, currency) * talk.quantity, vat_bp=goods.rate_bp,
        commission_bp=settings().commission_basis_points, commission_vat_bp=on_commission.rate_bp,
    )  # fmt: skip
    refund = 0
    if deal.end is End.REFUNDED:
        refund = terms.total.minor
    elif deal.end is End.PARTLY_REFUNDED:
        refund = amounts.with_vat(_claimed(talk, terms.net), terms).minor
    return Sale(beside(talk.id, _DEAL), c, talk, deal, terms, goods, refund)


def _claimed(talk: Talk, net: Money) -> Money:
    """What a short or damaged delivery cost the seller: 8 to 23 % of the price."""
    return net.share(800 + talk.id.int % 1500)


@lru_cache(maxsize=65536)
def _taxes(seller: Company, buyer: Company, day: date) -> tuple[vat.Tax, vat.Tax]:
    sells = vat.Trader(seller.country, seller.vat)
    goods = vat.of_goods(sells, vat.Trader(buyer.country, buyer.vat), day)
    return goods, vat.of_commission(settings().exchange_country, sells, day)


def _reservation(sale: Sale) -> tuple[object, ...]:
    """Sold for good, or put back on sale."""
    state = "sold" if sale.deal.end.sells else "released"
    return (sale.talk.id, sale.closed.listing.id, sale.talk.quantity, state, sale.talk.ended_at, sale.deal.closed_at)


async def _write_deals(sales: list[Sale]) -> None:
    """The deals, and in the database all that follows from them."""
    await copy("deal", DEAL, map(_deal, sales))
    await execute(_FOLLOWING)


def _deal(sale: Sale) -> tuple[object, ...]:
    talk, deal, terms, lot = sale.talk, sale.deal, sale.terms, sale.closed.listing
    paid = deal.end is not End.UNPAID
    sent = deal.end.sells
    collected = sent and sale.id.int % 5 == 0
    carrier = _CARRIERS[sale.id.int % 4] if sent and not collected else ""
    return (
        sale.id, talk.id, lot.id, lot.company.id, talk.buyer.id, lot.title, talk.quantity, talk.moves[-1].price,
        terms.net.currency, terms.net.minor, sale.tax.regime.value, sale.tax.rate_bp, terms.vat.minor,
        terms.commission.minor, terms.commission_vat.minor, deal.end.value, deal.closed_at, talk.ended_at,
        deal.paid_at if paid else None, deal.left_at if collected else None, deal.closed_at, _ending(sale).value,
        sale.refund, carrier, f"{sale.id.int % 10**9:09d}" if sent else "", "",
    )  # fmt: skip


def _ending(sale: Sale) -> Ending:
    match sale.deal.end:
        case End.SETTLED:
            return Ending.SILENT if sale.id.int % 9 == 0 else Ending.RECEIVED
        case End.PARTLY_REFUNDED:
            return Ending.CLAIM_AGREED
        case End.REFUNDED:
            return Ending.NOT_SHIPPED if sale.id.int % 2 else Ending.CANCELLED
        case End.UNPAID:
            return Ending.UNPAID


async def write_facts(closed: list[Closed], sales: list[Sale]) -> None:
    """As the facts of live trades are written: settled ones, talks on closed listings, closed listings."""
    places = {c.listing.id: Place.of({c.listing.category: c.listing.rrp}, c.listing.region) for c in closed}
    prices = {c.listing.id: _retail(c) for c in closed}
    await record_facts(
        trades=[
            TradeFact(
                s.id, s.deal.closed_at, places[lot.id], lot.company.id, s.talk.buyer.id, s.talk.quantity,
                sum(prices[lot.id][line] * units for line, units in s.talk.lines.items()), s.terms.net.minor,
                lot.company.currency, lot.published_at,
            )
            for s in sales
            if s.deal.end is End.SETTLED
            for lot in (s.closed.listing,)
        ],
        offers=[
            OfferFact(
                t.id, lot.closed_at or t.ended_at, places[lot.id], lot.company.id, t.buyer.id,
                max(1, lot.rrp * t.quantity // lot.quantity), lot.company.currency, lot.unit_ask, t.moves[0].price,
                t.state is TalkState.AGREED,
            )
            for c in closed
            for lot in (c.listing,)
            for t in c.talks
        ],
        listings=[
            ListingFact(
                lot.id, lot.closed_at or lot.expires_at, places[lot.id], lot.company.id, lot.rrp,
                sum(sold * line.product.rrp_minor for sold, line in zip(c.sold, lot.lines, strict=True)),
                lot.company.currency,
            )
            for c in closed
            for lot in (c.listing,)
        ],
    )  # fmt: skip


def _retail(c: Closed) -> dict[UUID, int]:
    """The retail price of a unit of each line."""
    return {line_id(c.listing, at): line.product.rrp_minor for at, line in enumerate(c.listing.lines)}
