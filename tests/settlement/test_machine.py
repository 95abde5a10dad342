"""The deal's machine against the table of the trade guide, and over random histories with its clocks."""

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from exchange.companies.rules import WorkingHours, is_public_holiday
from exchange.listings.rules.thresholds import Threshold, ThresholdState, decide
from exchange.money import Money
from exchange.settlement.rules import amounts, clocks, deal, timeline
from exchange.settlement.rules.claims import Claimed, PercentOutOfRange, Reason, Sold, Standing, counter
from exchange.settlement.rules.deal import Move, Side, State

AT = datetime(2026, 11, 24, 9, tzinfo=UTC)
FRENCH = WorkingHours(opens=time(9), closes=time(16))
JAPANESE = WorkingHours(zone="Asia/Tokyo", country="JP", opens=time(10), closes=time(19))
"""The seller works in France, the buyer in Japan."""

TURNS: dict[State, dict[Side, str]] = {
    State.AWAITING_PAYMENT: {Side.STRIPE: "pay", Side.CLOCK: "lapse miss"},
    State.POOLED: {Side.CLOCK: "go_ahead miss", Side.SELLER: "cancel", Side.BUYER: "cancel"},
    State.PAID: {Side.SELLER: "make_ready ship cancel", Side.BUYER: "cancel"},
    State.READY: {Side.SELLER: "ship prove cancel", Side.BUYER: "arrive receive claim cancel"},
    State.UNCOLLECTED: {Side.SELLER: "give_up prove", Side.BUYER: "arrive receive claim"},
    State.SHIPPED: {Side.SELLER: "follow prove", Side.BUYER: "arrive receive claim"},
    State.OVERDUE: {Side.SELLER: "prove", Side.BUYER: "arrive receive claim"},
    State.DELIVERED: {Side.BUYER: "receive claim"},
    State.CLAIMED: {Side.SELLER: "answer_claim agree_claim", Side.BUYER: "agree_claim withdraw_claim escalate"},
    State.OPERATOR: {
        Side.SELLER: "answer_claim agree_claim",
        Side.BUYER: "agree_claim withdraw_claim",
        Side.CLOCK: "miss",
    },
    State.CLOSING: {Side.STRIPE: "close"},
}
"""Who may do what, as the guide's table says it. Besides, while money is held: the clocks, the operator, the bank."""


@pytest.mark.parametrize("state", list(State))
def test_nobody_moves_outside_their_turn(state: State) -> None:
    turns = defaultdict(set, {side: set(words.split()) for side, words in TURNS.get(state, {}).items()})
    if state.holds_money and state is not State.CLOSING:
        turns[Side.CLOCK] |= {"alarm"} if state is State.POOLED else {"lapse", "alarm"}
        turns[Side.OPERATOR] |= {"decide"}
        turns[Side.STRIPE] |= {"charge_back", "charge_back_part"}
    for side in Side:
        assert deal.moves(state, side) == turns[side], side


class ADealsLife(RuleBasedStateMachine):
    """Anybody tries anything at any time; clocks strike as they are due, some of them late."""

    @initialize(unit=st.integers(1, 10**6), units=st.integers(1, 500), pooled=st.booleans())
    def agree(self, unit: int, units: int, pooled: bool) -> None:
        by = AT + timedelta(days=5)
        self.threshold = Threshold(10, by, ThresholdState.OPEN) if pooled else None
        self.went_ahead = not pooled
        self.terms = amounts.terms(Money(unit, "EUR") * units, vat_bp=2000, commission_bp=500, commission_vat_bp=2000)
        self.now = AT
        self.state = State.AWAITING_PAYMENT
        self.paid_at: datetime | None = None
        self.ready_at: datetime | None = None
        self.claimed_at: datetime | None = None
        self.alarm_at: datetime | None = None
        self.due_at = self.clock(State.AWAITING_PAYMENT)
        self.ending: deal.Ending | None = None
        self.shared: amounts.Plan | None = None

    def clock(self, state: State, at: datetime | None = None) -> datetime | None:
        whose = deal.CLOCKS[state].whose if state in deal.CLOCKS else Side.SELLER
        hours = JAPANESE if whose is Side.BUYER else FRENCH
        return clocks.due(
            state,
            at=at or self.now,
            ready_at=self.ready_at,
            claimed_at=self.claimed_at,
            hours=hours,
            threshold=self.threshold,
        )

    def move(self, move: Move, by: Side, part: int = 0) -> None:
        before = self.state
        arrow = deal.step(before, move, by)
        self.state = deal.ended_as(self.terms.total.minor, self.back()) if move is Move.CLOSE else arrow.to
        if move is Move.PAY and self.threshold and self.threshold.state is not ThresholdState.MET:
            self.state = State.POOLED
        assert self.went_ahead or move not in {Move.MAKE_READY, Move.SHIP, Move.ARRIVE, Move.RECEIVE, Move.PROVE}
        assert move is not Move.MISS or (self.threshold and self.threshold.missed)
        self.paid_at = self.now if move is Move.PAY else self.paid_at
        self.ready_at = self.now if move is Move.MAKE_READY else self.ready_at
        self.claimed_at = self.now if move is Move.CLAIM else self.claimed_at
        if move is Move.PAY:
            self.alarm_at = self.now + timedelta(days=deal.HELD_AT_MOST.days)
        if move is Move.ALARM:
            self.alarm_at = self.now + timedelta(days=deal.ALARM_AGAIN.days)
        if self.state is not before or move is Move.FOLLOW:
            self.due_at = self.clock(self.state)
        elif move is Move.LAPSE:
            self.due_at = None
        if arrow.ending is not None:
            assert self.ending is None, "a deal ends once"
            self.ending = arrow.ending
            if arrow.to is State.CLOSING:
                total = self.terms.total
                refund = total.minor if arrow.ending.refunds_all else total.minor * part // 100
                self.shared = amounts.plan(self.terms, [amounts.Share(1)], Money(refund, "EUR"))

    def back(self) -> int:
        return self.shared.refund.minor if self.shared else 0

    @rule(move=st.sampled_from(list(Move)), by=st.sampled_from(list(Side)), part=st.integers(0, 100))
    def somebody_tries(self, move: Move, by: Side, part: int) -> None:
        if by is Side.CLOCK:
            return
        before = self.state
        try:
            self.move(move, by, part)
        except (deal.NotNow, deal.NotYourMove):
            assert self.state is before
        else:
            assert not before.final, "nothing leaves an end"

    @rule(days=st.integers(0, 20))
    def time_passes(self, days: int) -> None:
        self.now += timedelta(days=days, hours=7)

    @rule(paid=st.integers(0, 20))
    def the_lots_payments_are_counted(self, paid: int) -> None:
        if self.threshold:
            decided = decide(self.threshold, paid, closed=self.threshold.over(self.now))
            self.threshold = replace(self.threshold, state=decided)
            self.went_ahead = decided is ThresholdState.MET
            if self.state is State.AWAITING_PAYMENT:
                self.due_at = self.clock(self.state, AT)

    @rule()
    def a_clock_strikes(self) -> None:
        struck = clocks.struck(
            self.state, due_at=self.due_at, alarm_at=self.alarm_at, at=self.now, threshold=self.threshold
        )
        if struck:
            self.move(struck, Side.CLOCK)

    @invariant()
    def every_cent_has_an_owner(self) -> None:
        if getattr(self, "shared", None):
            assert self.shared
            parts = [self.shared.refund, self.shared.commission, self.shared.commission_vat, *self.shared.legs]
            assert sum(part.minor for part in parts) == self.terms.total.minor

    @invariant()
    def what_waits_for_somebody_has_a_clock_or_a_caller(self) -> None:
        if hasattr(self, "state") and self.state not in deal.FINAL | {State.CLOSING}:
            assert self.due_at or self.alarm_at

    def teardown(self) -> None:
        """Left alone, with an operator who answers the alarm, every deal ends, and no later than that alarm."""
        for _ in range(12):
            if not hasattr(self, "state") or self.state.final:
                break
            if self.state is State.CLOSING:
                self.move(Move.CLOSE, Side.STRIPE)
                continue
            self.now = max(self.now, min(at for at in (self.due_at, self.alarm_at) if at))
            if self.threshold and self.now >= self.threshold.by:
                self.now += timedelta(seconds=1)
                self.the_lots_payments_are_counted(0)
            late = self.alarm_at is not None and self.now >= self.alarm_at
            self.a_clock_strikes()
            if late and self.state is State.OPERATOR:
                self.move(Move.DECIDE, Side.OPERATOR, 50)
        else:
            raise AssertionError(f"{self.state} never ends")
        if hasattr(self, "state"):
            assert (self.state is State.UNPAID) == (self.paid_at is None)


TestADealsLife = ADealsLife.TestCase
TestADealsLife.settings = settings(
    max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def test_a_clock_counts_the_business_days_of_the_company_it_runs_for() -> None:
    thursday = datetime(2026, 11, 19, 14, tzinfo=UTC)  # 15:00 in Paris, past closing in Tokyo
    due = {
        hours: clocks.due(State.AWAITING_PAYMENT, at=thursday, ready_at=None, claimed_at=None, hours=hours)
        for hours in (FRENCH, JAPANESE)
    }
    assert due[FRENCH] == datetime(2026, 11, 23, 14, tzinfo=UTC)
    assert due[JAPANESE] == datetime(2026, 11, 25, 1, tzinfo=UTC), "Monday the 23rd is a holiday in Japan"


def test_the_operators_days_count_from_the_claim_and_collection_from_the_day_the_goods_were_ready() -> None:
    before = AT - timedelta(days=5)
    ready = clocks.due(State.UNCOLLECTED, at=AT, ready_at=before, claimed_at=None, hours=FRENCH)
    assert ready == before + timedelta(days=14)
    asked = clocks.due(State.OPERATOR, at=AT, ready_at=None, claimed_at=before, hours=FRENCH)
    assert asked == clocks.runs_out(deal.CLOCKS[State.OPERATOR], before, FRENCH)


@pytest.mark.parametrize("state", list(deal.REMIND_AFTER))
def test_a_reminder_leaves_a_working_day(state: State) -> None:
    clock = deal.CLOCKS[state] if state is not State.CLAIMED else deal.ANSWER_CLOCK
    reminded = clocks.reminder(state, AT, FRENCH)
    assert reminded is not None
    assert clocks.runs_out(clock, AT, FRENCH) - reminded >= timedelta(hours=24)


def test_the_letter_to_the_carrier_leaves_public_holidays_out() -> None:
    def closed(day: date) -> bool:
        return is_public_holiday(day, "FR")

    assert clocks.letter_by(date(2026, 11, 9), closed) == date(2026, 11, 13), "the 11th is a holiday"
    assert clocks.letter_by(date(2026, 11, 23), closed) == date(2026, 11, 26)


def test_whose_turn_it_is_in_a_claim_follows_its_answer() -> None:
    def told(reader: Side, claim: Standing) -> timeline.Next:
        step = timeline.next_step(State.CLAIMED, reader, AT + timedelta(days=9), claim)
        assert step
        return step

    asked, late, answered = (Standing(a, AT, b) for a, b in ((False, False), (False, True), (True, False)))
    assert (told(Side.SELLER, asked).whose, told(Side.SELLER, asked).until) == (Side.SELLER, AT)
    assert told(Side.BUYER, late).until == AT + timedelta(days=9)
    assert told(Side.BUYER, late).text != told(Side.BUYER, asked).text
    assert {told(side, answered).whose for side in (Side.BUYER, Side.SELLER, Side.OPERATOR)} == {Side.BUYER}


def test_an_answer_is_worth_its_percentages_and_never_more_than_is_claimed() -> None:
    sold = [Sold("a", "Sander", 10, 3000), Sold("b", "Drill", 5, 1000)]
    claimed = [Claimed("a", Reason.MISSING, 2, 100), Claimed("b", Reason.DAMAGED, 5, 60)]
    assert counter(Money(800_00, "EUR"), sold, claimed, [50, 30]) == Money(60_00 + 60_00, "EUR")
    assert not counter(Money(800_00, "EUR"), sold, claimed, [0, 0])
    for wrong in ([101, 0], [0, 61], [-1, 0]):
        with pytest.raises(PercentOutOfRange):
            counter(Money(800_00, "EUR"), sold, claimed, wrong)
