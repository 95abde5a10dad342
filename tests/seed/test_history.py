"""The model of the closed quarters, without a database."""

from collections import Counter
from datetime import date
from statistics import quantiles

import pytest

from exchange.insight.rules.periods import Quarter
from exchange.listings.rules.lots import LotState
from exchange.offers.rules.talks import State
from exchange.seed.calendar import closed_quarters
from exchange.seed.companies import society
from exchange.seed.history import DOMINATED, NICHE, NICHE_GROUPS, Closed, End, History

TODAY = date(2026, 11, 22)
SOCIETY = society(1)


@pytest.fixture(scope="module")
def closed() -> list[Closed]:
    """Two quarters of 1,000 trades."""
    model = History(1, SOCIETY, closed_quarters(TODAY, 2), 1000)
    return [*model.quarter(0), *model.quarter(1)]


def test_the_closed_quarters_end_before_today() -> None:
    quarters = closed_quarters(TODAY, 10)
    assert [str(quarters[0]), str(quarters[-1])] == ["2024Q2", "2026Q3"]
    assert len(quarters) == 10


def test_a_quarter_does_not_depend_on_the_others() -> None:
    quarters = closed_quarters(TODAY, 2)
    whole = History(1, SOCIETY, quarters, 100)
    list(whole.quarter(0))
    alone = History(1, SOCIETY, quarters, 100)
    assert [c.listing for c in whole.quarter(1)] == [c.listing for c in alone.quarter(1)]


def test_so_many_trades_settle_in_each_quarter(closed: list[Closed]) -> None:
    settled = Counter(
        str(Quarter.holding(talk.deal.closed_at))
        for c in closed
        for talk in c.talks
        if talk.deal and talk.deal.end is End.SETTLED
    )
    assert settled == {"2026Q2": 1000, "2026Q3": 1000}


def test_nine_tenths_clear_within_thirty_days_so_that_the_lag_stays_at_ninety(closed: list[Closed]) -> None:
    days = [(t.deal.closed_at - c.listing.published_at).days for c in closed for t in c.talks if t.deal]
    assert quantiles(days, n=10)[-1] <= 30


def test_buyers_go_up_sellers_go_down_and_nobody_passes_the_ask(closed: list[Closed]) -> None:
    for c in closed:
        for talk in c.talks:
            bids = [m.price for m in talk.moves if m.by_buyer]
            asks = [m.price for m in talk.moves if not m.by_buyer]
            assert bids == sorted(bids) and asks == sorted(asks, reverse=True)
            assert [m.by_buyer for m in talk.moves] == [n % 2 == 0 for n in range(len(talk.moves))]
            assert 1 <= len(talk.moves) <= 6
            assert max(m.price for m in talk.moves) <= c.listing.unit_ask


def test_everything_happens_in_its_order(closed: list[Closed]) -> None:
    for c in closed:
        for talk in c.talks:
            instants = [c.listing.published_at, *(m.at for m in talk.moves), talk.ended_at]
            if talk.deal:
                deal = talk.deal
                instants += [deal.paid_at, deal.left_at, deal.delivered_at, deal.closed_at]
            assert instants == sorted(instants)


def test_no_more_is_sold_than_was_listed(closed: list[Closed]) -> None:
    for c in closed:
        sold = sum(t.quantity for t in c.talks if t.deal and t.deal.end.sells)
        assert sold == sum(c.sold) == c.listing.sold <= c.listing.quantity
        assert (c.listing.state is LotState.CLEARED) == (sold == c.listing.quantity)
        for talk in c.talks:
            assert (talk.state is State.AGREED) == (talk.deal is not None)
            assert not talk.deal or sum(talk.lines.values()) == talk.quantity


def test_nobody_trades_within_its_group_or_twice_on_one_lot(closed: list[Closed]) -> None:
    for c in closed:
        buyers = [talk.buyer.group for talk in c.talks]
        assert c.listing.company.group not in buyers
        assert len(set(buyers)) == len(buyers)


def test_the_planted_categories_are_a_niche_and_a_dominated_one() -> None:
    closed = list(History(1, SOCIETY, closed_quarters(TODAY, 1), 4000).quarter(0))
    sales = [(c.listing, t) for c in closed for t in c.talks if t.deal and t.deal.end is End.SETTLED]
    niche = [(lot.company.group, t.buyer.group) for lot, t in sales if lot.category == NICHE]
    assert len(niche) == 30
    assert len({group for pair in niche for group in pair}) <= NICHE_GROUPS
    dominated = Counter(t.buyer.group for lot, t in sales if lot.category == DOMINATED)
    assert dominated.total() == 60
    assert dominated.most_common(1)[0][1] >= 40
