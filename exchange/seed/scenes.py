"""What the last weeks brought: the guests' talks and deals in every state, and other people's."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from exchange.actor import Actor
from exchange.database import fetch, fetchval
from exchange.listings.rules.lots import CostAnswer
from exchange.money import Money
from exchange.offers import actions as talks
from exchange.offers.rules.bids import Bid
from exchange.offers.rules.talks import State as TalkState
from exchange.offers.rules.terms import Terms, nearest_quantities
from exchange.seed.calendar import Calendar
from exchange.seed.chance import chance
from exchange.seed.companies import Company
from exchange.seed.contacts import contacts
from exchange.seed.listings import Listing, incoterm
from exchange.seed.people import COMPETITOR, MERCHANT
from exchange.seed.quotes import quotes
from exchange.seed.shop_window import GUESTS_LOTS, shop
from exchange.seed.stage import Event, Stage
from exchange.seed.steps import Market
from exchange.settlement.actions import claims, deals
from exchange.settlement.queries.claims import lines_of
from exchange.settlement.queries.deals import any_deal
from exchange.settlement.rules.claims import Claimed, Reason
from exchange.settlement.rules.deal import State as DealState


@dataclass(frozen=True, slots=True)
class Haggle:
    """A talk: who buys of which lot, for how much of the ask in percent, move by move, and how it stands."""

    lot: Listing
    buyer: Company
    prices: tuple[int, ...]
    end: TalkState
    day: int
    """Working days before today of the last move; of the answer, where there is one."""


@dataclass(frozen=True, slots=True)
class Affair:
    """A talk that led to a deal, brought as far as ``state``."""

    lot: Listing
    buyer: Company
    state: DealState


# Working days before today on which a deal that now stands in a state was brought there, step by step.
STORIES: dict[DealState, tuple[tuple[int, str], ...]] = {
    DealState.AWAITING_PAYMENT: ((1, "agree"),),
    DealState.PAID: ((3, "agree"), (2, "pay")),
    DealState.READY: ((4, "agree"), (3, "pay"), (2, "make_ready")),
    DealState.UNCOLLECTED: ((13, "agree"), (12, "pay"), (10, "make_ready"), (3, "tick")),
    DealState.SHIPPED: ((5, "agree"), (4, "pay"), (2, "ship")),
    DealState.OVERDUE: ((17, "agree"), (16, "pay"), (15, "ship"), (1, "tick")),
    DealState.DELIVERED: ((7, "agree"), (6, "pay"), (5, "ship"), (2, "arrive")),
    DealState.CLAIMED: ((8, "agree"), (7, "pay"), (6, "ship"), (3, "arrive"), (2, "claim")),
    DealState.OPERATOR: (
        (11, "agree"), (10, "pay"), (9, "ship"), (7, "arrive"), (6, "claim"), (5, "answer"), (4, "escalate"),
    ),
    DealState.CLOSING: ((9, "agree"), (8, "pay"), (7, "ship"), (5, "receive")),
    DealState.SETTLED: ((12, "agree"), (11, "pay"), (10, "ship"), (8, "arrive"), (7, "receive")),
    DealState.PARTLY_REFUNDED: (
        (14, "agree"), (13, "pay"), (12, "ship"), (10, "arrive"), (9, "claim"), (7, "grant"),
    ),
    DealState.REFUNDED: ((10, "agree"), (9, "pay"), (8, "cancel"), (8, "cancel_too")),
    DealState.UNPAID: ((8, "agree"), (4, "tick")),
}  # fmt: skip
WITHOUT_MONEY = frozenset({DealState.AWAITING_PAYMENT, DealState.UNPAID})
FIRST_DAY = 24
"""Working days before today on which the sellers opened their accounts."""

BUYERS_SAY = {
    "fr": ("Nous pouvons enlever dès la semaine prochaine.", "Le prix tient compte du transport à notre charge.",
           "Nous payons le jour même de l’accord.", ""),
    "en": ("We can collect next week.", "The price allows for our transport.", "We pay on the day we agree.", ""),
}  # fmt: skip
SELLERS_SAY = {
    "fr": ("La marchandise est prête à partir.", "Tout est dans son emballage d’origine.",
           "Nous préférons un acheteur qui suit nos marques.", ""),
    "en": ("The goods are ready to leave.", "Everything is in its original packaging.",
           "We would rather have a buyer who keeps to our brands.", ""),
}  # fmt: skip

_Told = tuple[tuple[int, ...], TalkState, int]
SOLD_BY_GUESTS: tuple[_Told, ...] = (
    ((78,), TalkState.LIVE, 1), ((70, 94, 82), TalkState.LIVE, 1), ((85,), TalkState.LIVE, 1),
    ((74, 95), TalkState.LIVE, 1), ((80, 92), TalkState.LIVE, 1), ((66,), TalkState.REFUSED, 3),
    ((72, 96, 80), TalkState.EXPIRED, 7), ((81,), TalkState.WITHDRAWN, 4), ((68, 97), TalkState.REFUSED, 5),
    ((88,), TalkState.LIVE, 1), ((76, 93, 84, 90), TalkState.LIVE, 1),
)  # fmt: skip
"""Moves in percent of the ask, how the talk stands, and the working day of the last move: the guest sells."""
BOUGHT_BY_GUESTS: tuple[_Told, ...] = (
    ((79, 95), TalkState.LIVE, 1), ((75, 97, 83, 92), TalkState.LIVE, 1), ((84, 93), TalkState.LIVE, 1),
    ((82,), TalkState.LIVE, 1), ((77, 96, 86), TalkState.LIVE, 1), ((70,), TalkState.REFUSED, 4),
    ((73, 98), TalkState.EXPIRED, 8), ((69,), TalkState.EXPIRED, 6), ((80,), TalkState.WITHDRAWN, 3),
    ((83, 94), TalkState.REFUSED, 6),
)  # fmt: skip
"""The same: the guest buys."""


def scenes(market: Market, *, with_money: bool) -> list[Event]:
    """Every event in the order of time; without a payment sandbox, nothing that moves money."""
    return sorted(_Play(market).events(with_money=with_money), key=lambda event: event.at)


class _Play:
    """One market's last weeks."""

    def __init__(self, market: Market) -> None:
        self._drawn = chance(market.number, "scenes")
        self._market = market
        self._calendar = Calendar(market.today - timedelta(days=90), market.today)
        self._today = self._calendar.number(market.today)
        society, lots = market.society, shop(market)
        self._merchant, self._competitor = society.company_of(MERCHANT), society.company_of(COMPETITOR)
        own, rival = GUESTS_LOTS[MERCHANT], GUESTS_LOTS[COMPETITOR]
        self._merchants, self._competitors = lots[:own], lots[own : own + rival]
        guests = {self._merchant.group, self._competitor.group}
        rest = [lot for lot in lots[own + rival :] if lot.company.currency == "EUR" and lot.company.group not in guests]
        self._others = [
            lot
            for lot in rest
            if lot.floor is None and lot.auto_accept is None and lot.published_at < market.now - timedelta(days=31)
        ]
        self._spare = self._one_each(self._others[30:-40])
        promised = {lot.id for lot in (*self._others[:30], *self._others[-40:])}
        before = market.now - timedelta(days=7)
        self._asked = [lot for lot in rest if lot.id not in promised and lot.published_at < before]
        self._buyers = [c for c in society.companies if c.currency == "EUR" and c.group not in guests]

    def events(self, *, with_money: bool) -> Iterator[Event]:
        """In no order."""
        affairs = [a for a in self._affairs() if with_money or a.state in WITHOUT_MONEY]
        if with_money:
            late = {a.lot.company.id for a in affairs if a.state is DealState.CLOSING}
            for seller in {a.lot.company.id: a.lot.company for a in affairs}.values():
                if seller.id not in late:
                    yield Event(self._at(FIRST_DAY, 0), partial(_onboard, seller.owner), pays=True)
        for affair in affairs:
            yield from self._affair(affair)
        for haggle in (*self._guests_talks(), *self._others_talks()):
            yield from self._haggle(haggle)
        yield from contacts(self._market, self._spare, [*self._merchants[-2:], *self._competitors[-2:]], self._at)
        yield from quotes(self._market, self._merchants[15:], self._asked, self._at)

    def _one_each(self, lots: list[Listing]) -> list[Listing]:
        """The first lot of each seller."""
        return list({lot.company.group: lot for lot in reversed(lots)}.values())

    def _affairs(self) -> Iterator[Affair]:
        """Deals in every state, the guests on both sides."""
        own, rival, others = iter(self._merchants), iter(self._competitors), iter(self._others)
        state = DealState
        for of in (
            state.AWAITING_PAYMENT, state.PAID, state.READY, state.SHIPPED, state.DELIVERED, state.CLAIMED,
            state.OPERATOR, state.SETTLED, state.PARTLY_REFUNDED,
        ):  # fmt: skip
            yield Affair(next(own), self._competitor, of)
        for of in (state.UNPAID, state.REFUNDED, state.UNCOLLECTED, state.OVERDUE):
            yield Affair(next(own), self._buyer(), of)
        for of in (state.AWAITING_PAYMENT, state.SHIPPED, state.DELIVERED, state.CLAIMED, state.SETTLED):
            yield Affair(next(rival), self._merchant, of)
        for of in (state.READY, state.OVERDUE, state.CLOSING):
            yield Affair(next(others), self._merchant, of)
        for of in (state.PAID, state.UNCOLLECTED, state.DELIVERED):
            yield Affair(next(others), self._competitor, of)
        for of in (state.SETTLED, state.SETTLED, state.OPERATOR, state.CLAIMED, state.SHIPPED, state.REFUNDED):
            lot = next(others)
            yield Affair(lot, self._buyer(lot.company), of)

    def _guests_talks(self) -> Iterator[Haggle]:
        """Talks in every state, the guests on both sides, their turn and the other's."""
        own, rival = self._merchants[13:], self._competitors[5:]
        others = iter(self._others[-40:])
        for guest, lots, first in (
            (self._merchant, own, self._competitor),
            (self._competitor, rival, self._merchant),
        ):
            buyers = [first, first, *(self._buyer() for _ in SOLD_BY_GUESTS)]
            for (prices, end, day), lot, buyer in zip(SOLD_BY_GUESTS, lots, buyers, strict=False):
                yield Haggle(lot, buyer, prices, end, day)
            for prices, end, day in BOUGHT_BY_GUESTS:
                yield Haggle(next(others), guest, prices, end, day)

    def _others_talks(self) -> Iterator[Haggle]:
        """Everybody else's."""
        taken = set()
        for _ in range(self._market.scale.talks):
            lot = self._others[30 + self._drawn.randrange(len(self._others) - 70)]
            buyer = self._buyer(lot.company)
            if (lot.id, buyer.id) not in taken:
                taken.add((lot.id, buyer.id))
                prices, end, day = self._drawn.choice((*SOLD_BY_GUESTS, *BOUGHT_BY_GUESTS))
                yield Haggle(lot, buyer, prices, end, day)

    def _buyer(self, seller: Company | None = None) -> Company:
        """A company that is no guest's, and of another group than ``seller``."""
        while True:
            found = self._drawn.choice(self._buyers)
            if seller is None or found.group != seller.group:
                return found

    def _affair(self, affair: Affair) -> Iterator[Event]:
        """The talk, which one offer, a counter or a second offer ended, and the steps after it."""
        (agreed, _), *steps = STORIES[affair.state]
        prices = self._drawn.choice(((94,), (88, 95), (82, 96, 90)))
        yield from self._haggle(Haggle(affair.lot, affair.buyer, prices, TalkState.AGREED, agreed))
        for event, (day, step) in enumerate(steps, start=6):
            yield Event(self._at(day, event), partial(STEPS[step], affair), pays=True)

    def _haggle(self, haggle: Haggle) -> Iterator[Event]:
        count = len(haggle.prices)
        answered = haggle.end not in (TalkState.LIVE, TalkState.EXPIRED)
        for number, percent in enumerate(haggle.prices, start=1):
            day = haggle.day + count - number + answered
            say = BUYERS_SAY if number % 2 else SELLERS_SAY
            message = self._drawn.choice(say[_mover(haggle, number).language])
            yield Event(self._at(day, number), partial(_offer, haggle, number, percent, message))
        if answered:
            yield Event(self._at(haggle.day, 5), partial(ANSWERS[haggle.end], haggle))
        elif haggle.end is TalkState.EXPIRED:
            yield Event(self._at(haggle.day - 4, 11), _expire)

    def _at(self, day: int, event: int) -> datetime:
        """``day`` working days before today."""
        return self._calendar.at(self._today - day, event, self._drawn)


def _mover(haggle: Haggle, number: int) -> Company:
    return haggle.buyer if number % 2 else haggle.lot.company


async def _onboard(owner: Actor, stage: Stage) -> None:
    await stage.sandbox.onboard(owner)


async def _offer(haggle: Haggle, number: int, percent: int, message: str, _: Stage) -> None:
    """Move ``number`` of a talk: the first opens it."""
    lot, by = haggle.lot, _mover(haggle, number).trader
    price = Money(max(1, lot.unit_ask * percent // 100), lot.company.currency)
    quantity, term = _quantity(lot), incoterm(lot)
    if number == 1:
        await talks.open_talk(lot_id=lot.id, bid=Bid(price, quantity), incoterm=term, message=message, by=by)
        return
    await talks.make_move(
        negotiation_id=await _talk(haggle), bid=Bid(price, quantity), incoterm=term, message=message, by=by,
        cost=CostAnswer.OUT_OF_DEMAND,
    )  # fmt: skip


async def _accept(haggle: Haggle, _: Stage) -> None:
    lot, number = haggle.lot, len(haggle.prices)
    price = Money(max(1, lot.unit_ask * haggle.prices[-1] // 100), lot.company.currency)
    await talks.accept_offer(
        negotiation_id=await _talk(haggle), price=price, quantity=_quantity(lot), by=_mover(haggle, number + 1).trader,
        cost=CostAnswer.OUT_OF_DEMAND,
    )  # fmt: skip


async def _refuse(haggle: Haggle, _: Stage) -> None:
    await talks.refuse_offer(negotiation_id=await _talk(haggle), by=_mover(haggle, len(haggle.prices) + 1).trader)


async def _withdraw(haggle: Haggle, _: Stage) -> None:
    await talks.withdraw_offer(negotiation_id=await _talk(haggle), by=_mover(haggle, len(haggle.prices)).trader)


async def _expire(_: Stage) -> None:
    await talks.expire_overdue()


ANSWERS = {TalkState.AGREED: _accept, TalkState.REFUSED: _refuse, TalkState.WITHDRAWN: _withdraw}


def _quantity(lot: Listing) -> int:
    """About half of a lot sold in parts, all of another."""
    ask = Money(lot.unit_ask, lot.company.currency)
    terms = Terms(ask, lot.partial, lot.minimum, lot.multiple)
    return nearest_quantities(terms, lot.quantity // 2, lot.quantity)[0]


async def _talk(haggle: Haggle) -> UUID:
    found = await fetchval(
        "select id from negotiation where lot_id = $1 and buyer_company_id = $2", haggle.lot.id, haggle.buyer.id
    )
    return UUID(str(found))


async def _deal(affair: Affair) -> UUID:
    found = await fetchval(
        "select id from deal where lot_id = $1 and buyer_company_id = $2", affair.lot.id, affair.buyer.id
    )
    return UUID(str(found))


async def _pay(affair: Affair, stage: Stage) -> None:
    await stage.sandbox.pay(await _deal(affair), affair.buyer.trader)


async def _make_ready(affair: Affair, _: Stage) -> None:
    note = f"BE-{affair.lot.id.int % 9000 + 1000}"
    await deals.make_ready(deal_id=await _deal(affair), note=note, by=affair.lot.company.trader)


async def _ship(affair: Affair, _: Stage) -> None:
    tracking = f"{affair.lot.id.int % 10**10:010d}"
    await deals.ship(
        deal_id=await _deal(affair), carrier="Trans-Ardenne", tracking=tracking, by=affair.lot.company.trader
    )


async def _arrive(affair: Affair, _: Stage) -> None:
    await deals.arrive(deal_id=await _deal(affair), by=affair.buyer.trader)


async def _receive(affair: Affair, _: Stage) -> None:
    await deals.receive(deal_id=await _deal(affair), by=affair.buyer.trader)


async def _claim(affair: Affair, _: Stage) -> None:
    """A tenth of the first line is missing."""
    deal = await any_deal(await _deal(affair))
    line = (await lines_of(deal))[0]
    missing = Claimed(line.key, Reason.MISSING, 1 + line.units // 10, 100)
    said = {"fr": "Il manque des cartons sur la deuxième palette.", "en": "Cartons are missing on the second pallet."}
    await claims.claim(deal_id=deal.id, lines=[missing], said=said[affair.buyer.language], by=affair.buyer.trader)


async def _answer(affair: Affair, _: Stage) -> None:
    """The seller offers half."""
    deal_id = await _deal(affair)
    rows = await fetch("select l.id from claim_line l join claim c on c.id = l.claim_id where c.deal_id = $1", deal_id)
    said = {"fr": "Le transporteur a signé pour le compte entier.", "en": "The carrier signed for the full count."}
    company = affair.lot.company
    await claims.answer(
        deal_id=deal_id, percents={row["id"]: 50 for row in rows}, text=said[company.language], by=company.trader
    )


async def _escalate(affair: Affair, _: Stage) -> None:
    await claims.escalate(deal_id=await _deal(affair), by=affair.buyer.trader)


async def _grant(affair: Affair, _: Stage) -> None:
    await claims.agree(deal_id=await _deal(affair), by=affair.lot.company.trader)


async def _cancel(affair: Affair, _: Stage) -> None:
    await deals.cancel(deal_id=await _deal(affair), by=affair.lot.company.trader)


async def _cancel_too(affair: Affair, _: Stage) -> None:
    await deals.cancel(deal_id=await _deal(affair), by=affair.buyer.trader)


async def _tick(affair: Affair, _: Stage) -> None:
    await deals.tick(await _deal(affair))


STEPS: dict[str, Callable[[Affair, Stage], Awaitable[None]]] = {
    "pay": _pay, "make_ready": _make_ready, "ship": _ship, "arrive": _arrive, "receive": _receive, "claim": _claim,
    "answer": _answer, "escalate": _escalate, "grant": _grant, "cancel": _cancel, "cancel_too": _cancel_too,
    "tick": _tick,
}  # fmt: skip
