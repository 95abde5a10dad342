"""The arithmetic of the policy, one rule at a time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.insight.rules import tree as trees
from exchange.insight.rules.periods import NotAQuarter, Quarter, lag
from exchange.insight.rules.policy import Policy, WeakerThanTheFloor
from exchange.insight.rules.price import MIDDLE, figure, smaller_side, stand, weigh, window_mean
from exchange.insight.rules.rounding import STEPS, band, half_up, index, r10
from exchange.insight.rules.volume import BOTH, Ends, Flow, Side, balanced, margin, safe, steady, withstands_insiders
from tests.insight.markets import tree

POLICY = Policy()
ENDS: st.SearchStrategy[Ends] = st.tuples(st.integers(0, 14), st.integers(0, 14)).filter(lambda e: e[0] != e[1])
FLOWS = st.dictionaries(ENDS, st.integers(0, 10_000), min_size=1, max_size=60).map(lambda a: Flow(a, 3 * len(a)))


@pytest.mark.parametrize(
    ("name", "weaker", "floor"),
    [
        ("groups", 4, 5), ("records", 9, 10), ("vote_cap", 26, 25), ("range_cap", 11, 10), ("range_from", 19, 20),
        ("top1", 26, 25), ("top2", 61, 60), ("margin", 9, 10), ("coalition", 0, 1), ("churn", 26, 25),
        ("lag_days", 89, 90), ("lag_clearings", 2, 3), ("node_groups", 9, 10), ("eligible_trades", 2, 3),
        ("eligible_counterparties", 1, 2),
    ],
)  # fmt: skip
def test_no_setting_crosses_a_floor(name: str, weaker: int, floor: int) -> None:
    assert getattr(replace(POLICY, **{name: floor}), name) == floor  # type: ignore[arg-type]  # a name per case
    with pytest.raises(WeakerThanTheFloor):
        replace(POLICY, **{name: weaker})  # type: ignore[arg-type]  # the same


def test_p_percent_and_the_coalition_are_not_told() -> None:
    assert not {"margin", "coalition", "top1", "top2", "churn", "range_cap"} & POLICY.public().keys()
    assert set(POLICY.public()) < set(POLICY.whole())


@given(st.floats(-1000, 1000))
def test_half_up_is_the_nearest_whole_number_and_halves_go_up(value: float) -> None:
    assert abs(half_up(value) - value) <= 0.5 + 1e-6
    assert [half_up(x) for x in (0.5, 1.5, 2.5, -0.5, 2.4999)] == [1, 2, 3, 0, 2]


@given(st.integers(20, 10**15))
def test_r10_is_a_preferred_number_within_one_half_step(total: int) -> None:
    rounded = r10(total)
    digits = str(rounded).rstrip("0") or "0"
    assert digits in {str(step).rstrip("0") for step in STEPS}
    assert rounded**2 * 100 <= total**2 * 130  # a step is x1.26, half of one x1.13, the square of that below 1.30
    assert total**2 * 100 <= rounded**2 * 130
    assert r10(rounded) == rounded


@given(st.lists(st.integers(0, 10**9), min_size=2))
def test_r10_keeps_the_order(totals: list[int]) -> None:
    rounded = [r10(total) for total in sorted(totals)]
    assert all(a <= b for a, b in pairwise(rounded))


def test_r10_of_little_and_nothing() -> None:
    assert [r10(n) for n in (0, 1, 2, 9, 10, 112, 113, 142, 891, 895)] == [0, 1, 2, 10, 10, 100, 126, 158, 800, 1000]


def test_bands_and_the_index() -> None:
    assert [band(n) for n in (10, 19, 20, 49, 50, 500)] == ["10-19", "10-19", "20-49", "20-49", "50+", "50+"]
    assert [index(126, 100), index(100, 126), index(200, 200)] == [126, 79, 100]


@given(st.dictionaries(ENDS, st.floats(0, 100), min_size=1, max_size=80))
def test_votes_sum_to_one_and_keep_the_cap_or_are_refused(votes: dict[Ends, float]) -> None:
    weights = weigh(votes, POLICY.vote_cap)
    if weights is None:
        return
    assert sum(weights.values()) == pytest.approx(1)
    for side in BOTH:
        for group in {ends[side] for ends in votes}:
            assert sum(w for ends, w in weights.items() if ends[side] == group) <= 0.20 * 1.0006


def test_four_groups_cannot_share_a_vote_capped_at_a_fifth() -> None:
    assert weigh([(s, b) for s in range(4) for b in range(10, 30)], 20) is None
    assert weigh([(s, b) for s in range(5) for b in range(10, 30)], 20) is not None


def test_a_group_has_one_vote_however_many_buyers_it_has() -> None:
    weights = weigh([(0, b) for b in range(10, 30)] + [(s, s + 10) for s in range(1, 20)], 20)
    assert weights is not None
    assert sum(w for (s, _), w in weights.items() if s == 0) == pytest.approx(1 / 20)


def test_the_middle_half_forgets_the_extremes() -> None:
    calm = [(40.0, 0.1)] * 10
    wild = [(0.0, 0.1), (0.0, 0.1), *[(40.0, 0.1)] * 6, (100.0, 0.1), (100.0, 0.1)]
    assert window_mean(calm, MIDDLE) == window_mean(wild, MIDDLE) == pytest.approx(40)


@given(st.dictionaries(ENDS, st.floats(0, 100), min_size=30, max_size=120))
def test_a_figure_lies_among_its_values_and_its_range_in_order(votes: dict[Ends, float]) -> None:
    standing = stand(votes, POLICY)
    if standing is None:
        return
    found = figure(votes, standing)
    assert half_up(min(votes.values())) <= found.value <= half_up(max(votes.values()))
    assert (found.low is None) == (found.high is None)
    if found.low is not None and found.high is not None:
        assert found.low <= found.high


def test_the_middle_range_waits_for_twenty_groups_a_side() -> None:
    def votes(groups: int) -> dict[Ends, float]:
        return {(s, 100 + (s + d) % groups): 30.0 + s for s in range(groups) for d in range(3)}

    nineteen, twenty = stand(votes(19), POLICY), stand(votes(20), POLICY)
    assert nineteen is not None
    assert twenty is not None
    assert figure(votes(19), nineteen).low is None
    assert figure(votes(20), twenty).low is not None


def test_sellers_alone_vote_where_there_are_no_buyers() -> None:
    votes: dict[Ends, float] = {(s, None): float(s) for s in range(10)}
    assert smaller_side(votes) == 10
    standing = stand(votes, POLICY)
    assert standing is not None
    assert figure(votes, standing).value == 5


def ring(groups: int, amount: int = 100) -> dict[Ends, int]:
    return {(g, (g + d) % groups): amount for g in range(groups) for d in (1, 2, 3)}


@pytest.mark.parametrize(
    ("heavy", "fine"), [(300, True), (1200, False), (3000, False)], ids=["tenth", "above a quarter", "half"]
)
def test_nobody_may_stand_out(heavy: int, fine: bool) -> None:
    amounts = ring(12) | {(0, 1): heavy}
    assert balanced(Flow(amounts, 60), Side.SELLER, POLICY) is fine


@given(FLOWS)
def test_what_is_safe_survives_every_coalition_by_brute_force(flow: Flow) -> None:
    """The pruned loop says what plain enumeration of all coalitions says."""
    groups = sorted({g for ends in flow.amounts for g in ends if g is not None})
    coalitions = [(a,) for a in groups] + [(a, b) for a in groups for b in groups if a < b]

    def holds(coalition: tuple[int, ...], side: Side) -> bool:
        left = {e: x for e, x in flow.amounts.items() if e[0] not in coalition and e[1] not in coalition}
        largest = max(Flow(left).totals(side).values(), default=0)
        return 100 * (sum(left.values()) - largest) >= POLICY.margin * largest

    assert withstands_insiders(flow, BOTH, POLICY) == all(holds(k, side) for k in coalitions for side in BOTH)


@given(FLOWS, FLOWS)
def test_churn_watches_entrants_and_leavers(now: Flow, before: Flow) -> None:
    for side in BOTH:
        then, here = before.totals(side), now.totals(side)
        strangers = [100 * x / sum(here.values()) for g, x in here.items() if g not in then]
        leavers = [100 * x / sum(then.values()) for g, x in then.items() if g not in here]
        assert steady(now, before, side, POLICY) == (max(strangers + leavers, default=0) <= POLICY.churn)


def test_counsel_reads_how_near_a_total_comes_to_each_rule() -> None:
    cell = Flow(ring(12) | {(0, 1): 400}, 36)  # the first sells 600 of 3,900
    ago = Flow({**cell.amounts, (0, 20): 300})
    assert margin(cell, None, BOTH, POLICY) == {"groups": 12, "records": 36, "top1": 16, "top2": 24, "rest": 450}
    assert margin(cell, ago, BOTH, POLICY)["churn"] == 8


def test_the_first_quarter_has_no_churn_and_an_empty_one_before_it_makes_everybody_an_entrant() -> None:
    cell = Flow(ring(12), 36)
    assert safe(cell, None, BOTH, POLICY)
    assert safe(cell, cell, BOTH, POLICY)
    assert safe(cell, Flow(), BOTH, POLICY)  # each enters with a twelfth
    assert not safe(cell, Flow({(20, 21): 1}), BOTH, POLICY)  # a leaver held everything


def test_a_quarter_is_a_calendar_quarter() -> None:
    q = Quarter.parse("2026q1")
    assert (str(q), str(q.plus(-1)), str(q.plus(4))) == ("2026Q1", "2025Q4", "2027Q1")
    assert q.end == datetime(2026, 4, 1, tzinfo=UTC)
    assert Quarter.holding(q.end - timedelta(microseconds=1)) == q
    assert q.year_to_date == ("2025Q2", "2025Q3", "2025Q4", "2026Q1")
    for text in ("2026", "2026Q5", "2026M1", ""):
        with pytest.raises(NotAQuarter):
            Quarter.parse(text)


def test_the_lag_is_ninety_days_or_three_clearings() -> None:
    assert lag(30, POLICY) == timedelta(days=90)
    assert lag(31, POLICY) == timedelta(days=93)


def test_a_lot_goes_where_four_fifths_of_it_belong() -> None:
    assert trees.leaf_of({"a": 80, "b": 20}) == "a"
    assert trees.leaf_of({"a": 79, "b": 21}) == trees.MIXED
    assert trees.leaf_of({}) == trees.MIXED


def test_the_tree_nests_and_names_thin_nodes() -> None:
    grown = tree(2, 2, 2)
    assert len(grown.nodes) == 1 + 1 + 2 + 4 + 8
    assert grown.ancestors("s0/c1/r0") == ("all", "s0", "s0/c1")
    assert grown.order[0] == "all"
    assert sum(len(grown.leaves(child)) for child in grown.children("all")) == len(grown.leaves("all"))
    assert trees.thin(grown, dict.fromkeys(grown.order, 20) | {"s1": 19}, 20) == {"s1"}
