"""What the market did in its closed quarters: the model, pure and drawn from one number.

Groups differ in size (lognormal, sigma 0.6), each buys and sells, four fifths in its two home sectors; categories are
even but for two planted in one sector: a niche of few groups, and a category with one buyer that takes nearly all.
Source: insight guide §11.
"""

from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from math import cos, pi
from random import Random
from uuid import UUID

from exchange.insight.rules.periods import Quarter
from exchange.listings.rules.categories import CATEGORIES, REGIONS, SECTORS
from exchange.listings.rules.lots import LotState, spread
from exchange.offers.rules.talks import State as TalkState
from exchange.seed.calendar import Calendar
from exchange.seed.chance import chance, drawn_id
from exchange.seed.companies import Company, Group, Society
from exchange.seed.listings import Listing, assortment, grade, line_id, listing, share_asked, weighted

HOME = 0.8
"""The part of a group's trade in its two home sectors."""
UNSOLD = 0.16
"""The part of closed listings of which nothing was sold."""
LOST, SHORT = 0.018, 0.008
"""The part of agreements that were never paid or called off, and of deliveries of which a part was refunded."""
NICHE, NICHE_GROUPS, NICHE_TRADES = "pets", 6, 30
DOMINATED, DOMINATED_TRADES, DOMINATED_BUYERS = "books-media", 60, 8
"""The planted categories, both of leisure: trades are a quarter's, out of 4,000 (insight guide §11)."""
OF_TRADES = 4000
_SEASONS = {"garden": 0.1, "toys-games": -0.08, "sport-outdoor": 0.05, "home-textiles": -0.04}
"""Goods that bring more in spring than in autumn, or the other way."""
_ABROAD = (0.62, {"fr-north": "fr-south", "fr-south": "fr-north", "eu-north": "eu-south", "eu-south": "eu-north"})


class End(StrEnum):
    """How a deal of the past ended."""

    SETTLED = "settled"
    PARTLY_REFUNDED = "partly_refunded"
    REFUNDED = "refunded"
    UNPAID = "unpaid"

    @property
    def sells(self) -> bool:
        """Whether the goods changed hands."""
        return self in {End.SETTLED, End.PARTLY_REFUNDED}


@dataclass(slots=True)
class Move:
    """An offer or a counter-offer; ``price`` is for one unit."""

    by_buyer: bool
    price: int
    at: datetime
    expires_at: datetime


@dataclass(slots=True)
class Deal:
    """What became of an agreement. ``left_at`` is when the goods left; the dates are those of the paid."""

    end: End
    paid_at: datetime
    left_at: datetime
    delivered_at: datetime
    closed_at: datetime


@dataclass(slots=True)
class Talk:
    """One buyer's talk on one listing."""

    id: UUID
    buyer: Company
    quantity: int
    moves: list[Move]
    state: TalkState
    ended_at: datetime
    deal: Deal | None = None
    lines: dict[UUID, int] = field(default_factory=dict)
    """Units agreed on, by manifest line."""


@dataclass(slots=True)
class Closed:
    """A closed listing with its talks."""

    listing: Listing
    talks: list[Talk] = field(default_factory=list)
    sold: list[int] = field(default_factory=list)
    """Units sold of each line."""


@dataclass(frozen=True, slots=True)
class Trader:
    """A group that sells and buys."""

    group: Group
    companies: tuple[Company, ...]


class History:
    """The closed quarters of one market."""

    def __init__(self, number: int, society: Society, quarters: list[Quarter], trades: int) -> None:
        self._number = number
        self._quarters = quarters
        self._trades = trades
        first = quarters[0].first_day - timedelta(days=120)
        self._calendar = Calendar(first, quarters[-1].end.date() + timedelta(days=70))
        self._traders = [
            Trader(group, euro) for group in society.groups if (euro := tuple(c for c in group.companies if _euro(c)))
        ]
        self._reach = weighted([trader.group.size for trader in self._traders])
        self._at_home = {sector: [t for t in self._traders if sector in t.group.home] for sector in SECTORS}
        self._home_reach = {sector: weighted([t.group.size for t in found]) for sector, found in self._at_home.items()}
        leisure = [t for t in self._at_home["leisure"] if t.group.home != society.groups[0].home]
        self._niche = leisure[:NICHE_GROUPS]
        self._dominant = leisure[NICHE_GROUPS]
        self._few = leisure[NICHE_GROUPS + 1 : NICHE_GROUPS + 1 + DOMINATED_BUYERS]
        self._slugs = {
            sector: [c.slug for c in CATEGORIES if c.sector == sector and c.slug not in (NICHE, DOMINATED)]
            for sector in SECTORS
        }
        drawn = chance(number, "drift")
        market = _walk(drawn, len(quarters), 0.05)
        self._drift = {
            sector: [a * b for a, b in zip(market, _walk(drawn, len(quarters), 0.05), strict=True)]
            for sector in SECTORS
        }
        self._pace = {sector: _walk(drawn, len(quarters), 0.08) for sector in SECTORS}

    def quarter(self, index: int) -> Iterator[Closed]:
        """Every listing closed in the quarter; so many of its trades settled in it."""
        quarter = self._quarters[index]
        drawn = chance(self._number, f"quarter {quarter}")
        for category, settled in self._planned():
            while settled > 0:
                closed = self._listing(drawn, index, category, settled)
                settled -= sum(t.deal is not None and t.deal.end is End.SETTLED for t in closed.talks)
                yield closed

    def _planned(self) -> list[tuple[str | None, int]]:
        """Trades by planted category; the rest wherever the groups are at home."""
        niche = NICHE_TRADES * self._trades // OF_TRADES
        dominated = DOMINATED_TRADES * self._trades // OF_TRADES
        return [(NICHE, niche), (DOMINATED, dominated), (None, self._trades - niche - dominated)]

    def _listing(self, drawn: Random, index: int, planted: str | None, room: int) -> Closed:
        """One listing, sold in one to three parts, or not at all."""
        seller, category, sector = self._seller(drawn, planted)
        company = seller.companies[drawn.randrange(len(seller.companies))]
        of_grade = grade(drawn)
        lines = assortment(drawn, category, of_grade, drawn.choice((1, 1, 1, 2, 2, 3)), drawn.lognormvariate(13.4, 0.6))
        units = sum(line.quantity for line in lines)
        parts = 0 if drawn.random() < UNSOLD else min(room, units, drawn.choice((1, 1, 1, 2, 2, 3)))
        if planted == DOMINATED:
            parts = min(parts, 1)  # its one buyer takes nearly every lot whole
        quarter = self._quarters[index]
        begin, end = self._calendar.number(quarter.first_day), self._calendar.number(quarter.plus(1).first_day)
        last = begin + int(drawn.random() * (end - begin))
        settled = [*sorted(max(begin, last - drawn.randrange(7)) for _ in range(parts - 1)), last]
        took = min(34, max(6, round(drawn.lognormvariate(2.15, 0.42) * min(1.15, self._pace[sector][index]))))
        published = settled[0] - took
        drift = self._drift[sector][index] * (1 + _SEASONS.get(category, 0) * cos(pi * (quarter.number - 2) / 2))
        made = listing(
            drawn, drawn_id(drawn), company, _place(drawn, company), lines,
            share_asked(drawn, category, of_grade, drift * _hand(company)),
            self._calendar.at(published, 0, drawn), self._calendar.at(published + 43, 0, drawn),
        )  # fmt: skip
        closed = Closed(made)
        self._sell(drawn, closed, seller, sector, planted, published, settled if parts else [])
        self._others(drawn, closed, seller, sector, published, last, sold_out=made.sold == made.quantity)
        _close(drawn, closed, self._calendar.at(last, 12, drawn))
        return closed

    def _sell(
        self, drawn: Random, closed: Closed, seller: Trader, sector: str, planted: str | None,
        published: int, settled: list[int],
    ) -> None:  # fmt: skip
        made = closed.listing
        if len(settled) > 1:
            made.partial, made.multiple, made.minimum = True, 1, max(1, made.quantity // 20)
        left = made.quantity
        free = {line_id(made, at): line.quantity for at, line in enumerate(made.lines)}
        taken: set[int] = set()
        for part, day in enumerate(settled):
            rest = len(settled) - part - 1
            quantity = left if not rest else max(1, min(left - rest, round(left * drawn.uniform(0.3, 0.6))))
            if made.partial and not rest and left > 4 * made.minimum and drawn.random() < 0.25:
                quantity = left - max(made.minimum, left // 4)
            buyer = self._buyer(drawn, sector, seller, taken, planted)
            taken.add(buyer.group)
            lines = spread(quantity, [*free.items()])
            chanced = drawn.random()
            if chanced < LOST and day - published > 12 and not planted:
                other = self._buyer(drawn, sector, seller, taken, planted)
                taken.add(other.group)
                end = End.REFUNDED if chanced < LOST / 3 else End.UNPAID
                lost = self._agreed(drawn, made, other, quantity, published, published + 6, end)
                closed.talks.append(replace(lost, lines=lines))
            end = End.PARTLY_REFUNDED if chanced > 1 - SHORT else End.SETTLED
            sale = self._agreed(drawn, made, buyer, quantity, published, day, end)
            closed.talks.append(replace(sale, lines=lines))
            for line, units in lines.items():
                free[line] -= units
            made.sold += quantity
            left -= quantity
        closed.sold = [line.quantity - free[line_id(made, at)] for at, line in enumerate(made.lines)]

    def _agreed(
        self, drawn: Random, made: Listing, buyer: Company, quantity: int, published: int, day: int, end: End
    ) -> Talk:
        """A talk that led to a deal closed on working day ``day``."""
        agreed = day - drawn.randrange(3, max(4, min(7, day - published)))
        count = drawn.choice((1, 1, 1, 1, 1, 2, 2, 2, 3, 4))
        final = max(1, round(made.unit_ask * (1 - abs(drawn.gauss(0.08, 0.07)))))
        moves = self._moves(drawn, made.unit_ask, final, count, published, agreed)
        paid = min(agreed + drawn.randrange(2), day)
        left = min(paid + 1, day)
        delivered = max(left, day - drawn.randrange(3))
        at = self._calendar.at
        deal = Deal(end, at(paid, 8, drawn), at(left, 9, drawn), at(delivered, 10, drawn), at(day, 11, drawn))
        return Talk(drawn_id(drawn), buyer, quantity, moves, TalkState.AGREED, at(agreed, 7, drawn), deal)

    def _others(
        self, drawn: Random, closed: Closed, seller: Trader, sector: str, published: int, last: int,
        sold_out: bool,
    ) -> None:  # fmt: skip
        """Talks that came to nothing."""
        made = closed.listing
        taken = {talk.buyer.group for talk in closed.talks}
        for _ in range(drawn.choice((0, 0, 0, 1, 1, 2))):
            buyer = self._buyer(drawn, sector, seller, taken, None)
            taken.add(buyer.group)
            state = drawn.choice((
                TalkState.REFUSED, TalkState.REFUSED, TalkState.EXPIRED, TalkState.WITHDRAWN,
                TalkState.UNAVAILABLE if sold_out else TalkState.REFUSED,
            ))  # fmt: skip
            ended = max(published + 1, last - drawn.randrange(3, 9))
            count = drawn.choice((1, 1, 1, 2))
            price = max(1, round(made.unit_ask * drawn.uniform(0.5, 0.9)))
            moves = self._moves(drawn, made.unit_ask, price, count, published, ended)
            over = moves[-1].expires_at if state is TalkState.EXPIRED else self._calendar.at(ended, 7, drawn)
            quantity = made.quantity if not made.partial else max(made.minimum, made.quantity // 2)
            closed.talks.append(Talk(drawn_id(drawn), buyer, quantity, moves, state, over))

    def _moves(self, drawn: Random, ask: int, final: int, count: int, published: int, ended: int) -> list[Move]:
        """Offers that rise and counters that fall until they meet at ``final``; the last is made on day ``ended``."""
        moves = []
        low = high = final
        for back in range(count):
            number = count - back
            by_buyer = number % 2 == 1
            if back:
                if by_buyer:
                    low = max(1, min(low - 1, round(low * drawn.uniform(0.82, 0.97)))) if low > 1 else 1
                else:
                    high = min(ask, max(high + 1, round((high + ask) / 2)))
            price = final if not back else low if by_buyer else high
            day = max(published, ended - back)
            made_at = self._calendar.at(day, number, drawn)
            moves.append(Move(by_buyer, price, made_at, self._calendar.at(day + 2, number, drawn)))
        return moves[::-1]

    def _seller(self, drawn: Random, planted: str | None) -> tuple[Trader, str, str]:
        """Who sells what: group, category, sector."""
        if planted == NICHE:
            return self._niche[drawn.randrange(len(self._niche))], NICHE, "leisure"
        if planted == DOMINATED:
            others = [t for t in self._at_home["leisure"] if t is not self._dominant]
            return others[drawn.randrange(len(others))], DOMINATED, "leisure"
        trader = self._traders[bisect(self._reach, drawn.random() * self._reach[-1])]
        if drawn.random() < HOME:
            sector = trader.group.home[drawn.randrange(2)]
        else:
            sector = [*SECTORS][drawn.randrange(len(SECTORS))]
        slugs = self._slugs[sector]
        return trader, slugs[drawn.randrange(len(slugs))], sector

    def _buyer(self, drawn: Random, sector: str, seller: Trader, taken: set[int], planted: str | None) -> Company:
        """A company of a group that is neither the seller's nor has bought of this listing."""
        most = self._dominant.companies[0]
        if planted == DOMINATED and drawn.random() < 0.85 and most.group not in (*taken, seller.companies[0].group):
            return most
        while True:
            if planted:
                pool = self._niche if planted == NICHE else self._few
                found = pool[drawn.randrange(len(pool))]
            elif drawn.random() < HOME:
                found = self._pick(drawn, sector)
            else:
                found = self._traders[bisect(self._reach, drawn.random() * self._reach[-1])]
            company = found.companies[drawn.randrange(len(found.companies))]
            if found.group is not seller.group and company.group not in taken:
                return company

    def _pick(self, drawn: Random, sector: str) -> Trader:
        reach = self._home_reach[sector]
        return self._at_home[sector][bisect(reach, drawn.random() * reach[-1])]


def _euro(company: Company) -> bool:
    """Companies of other currencies joined lately: they have no past here."""
    return company.currency == "EUR"


def _walk(drawn: Random, steps: int, stride: float) -> list[float]:
    """A level around 1 that wanders by about ``stride`` a quarter and does not get lost."""
    level, levels = 1.0, []
    for _ in range(steps):
        level = min(1.18, max(0.85, level + drawn.gauss((1 - level) / 4, stride)))
        levels.append(level)
    return levels


def _hand(company: Company) -> float:
    """Some sell better than others, always."""
    return 0.92 + (company.id.int >> 64) % 1000 / 6250


def _place(drawn: Random, company: Company) -> tuple[str, str]:
    """Most goods lie at home, some in the company's other warehouses."""
    if drawn.random() < _ABROAD[0]:
        return company.country, company.region_slug
    region = [*REGIONS][drawn.randrange(len(REGIONS))]
    country = {"eu-north": "BE", "eu-south": "ES"}.get(region, "FR")
    return (company.country if region == company.region_slug else country), region


def _close(drawn: Random, closed: Closed, at: datetime) -> None:
    """The listing's end: cleared, or what was left withdrawn, expired, given away."""
    made = closed.listing
    if made.sold == made.quantity:
        made.state = LotState.CLEARED
        made.closed_at = max(t.deal.closed_at for t in closed.talks if t.deal and t.deal.end.sells)
        return
    made.state = drawn.choice((LotState.EXPIRED, LotState.EXPIRED, LotState.WITHDRAWN, LotState.DONATED))
    made.closed_at = at
    if made.state is not LotState.WITHDRAWN:
        made.expires_at = at
