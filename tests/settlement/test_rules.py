"""The rules of settlement: no path pays twice, no cent is lost, everybody knows what comes next."""

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from exchange import payable
from exchange.companies.rules import WorkingHours, standard_rate
from exchange.listings.rules.thresholds import Threshold, ThresholdState
from exchange.money import Money
from exchange.settlement.rules import amounts, books, claims, clocks, deal, drift, payments, timeline, vat
from exchange.settlement.rules.alarms import ALARMS, AlarmKind, called
from exchange.settlement.rules.deal import Move, Side, State

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD"])
RATES = st.integers(0, 3000)


@st.composite
def deals_terms(draw: st.DrawFn) -> amounts.Terms:
    unit = Money(draw(st.integers(1, 10**6)), draw(CURRENCIES))
    return amounts.terms(
        unit * draw(st.integers(1, 5000)), vat_bp=draw(RATES), commission_bp=draw(RATES), commission_vat_bp=draw(RATES)
    )


SHARES = st.lists(st.builds(amounts.Share, st.integers(0, 100), st.none() | st.integers(0, 10**7)), max_size=4).map(
    lambda some: [amounts.Share(1), *some]
)


class TestTheMachine:
    def test_every_open_state_can_reach_an_end(self) -> None:
        reached = set(deal.FINAL) | {State.CLOSING}
        while more := {at for (at, _), arrow in deal.MACHINE.items() if arrow.to in reached and at not in reached}:
            reached |= more
        assert reached == set(State)

    def test_every_open_state_but_the_last_has_a_clock_and_something_happens_when_it_runs_out(self) -> None:
        for state in set(State) - deal.FINAL - {State.CLOSING, State.POOLED}:
            assert state in deal.CLOCKS
            assert (state, Move.LAPSE) in deal.MACHINE
        assert clocks.due(
            State.POOLED, at=NOON, ready_at=None, claimed_at=None, hours=WorkingHours(),
            threshold=Threshold(10, NOON, ThresholdState.OPEN),
        ) == NOON, "paid for a lot with a threshold, it ends with the lot's last day"  # fmt: skip

    def test_nothing_leaves_a_final_state(self) -> None:
        assert not [at for at, _ in deal.MACHINE if at.final]

    def test_money_is_only_shared_out_with_a_reason(self) -> None:
        for (_, move), arrow in deal.MACHINE.items():
            assert (arrow.ending is not None) == (arrow.to in {State.CLOSING, State.UNPAID}), move

    @pytest.mark.parametrize("state", sorted(set(State) - deal.FINAL - {State.AWAITING_PAYMENT, State.CLOSING}))
    def test_after_seventy_five_days_the_operator_can_always_decide(self, state: State) -> None:
        forced = state if state is State.OPERATOR else deal.step(state, Move.ALARM, Side.CLOCK).to
        assert deal.step(forced, Move.DECIDE, Side.OPERATOR).to is State.CLOSING

    def test_the_buyer_cannot_ship_and_the_seller_cannot_receive(self) -> None:
        with pytest.raises(deal.NotYourMove):
            deal.step(State.PAID, Move.SHIP, Side.BUYER)
        with pytest.raises(deal.NotYourMove):
            deal.step(State.SHIPPED, Move.RECEIVE, Side.SELLER)

    def test_goods_are_not_shipped_before_the_payment_is_held(self) -> None:
        with pytest.raises(deal.NotNow):
            deal.step(State.AWAITING_PAYMENT, Move.SHIP, Side.SELLER)

    def test_what_waits_for_a_threshold_does_not_leave(self) -> None:
        assert deal.moves(State.POOLED, Side.SELLER) == deal.moves(State.POOLED, Side.BUYER) == {Move.CANCEL}
        for state in (State.AWAITING_PAYMENT, State.POOLED):
            missed = deal.step(state, Move.MISS, Side.CLOCK).ending
            assert missed is not None
            assert missed.refunds_all
            assert missed.striker is None, "nobody's fault"

    def test_a_silent_buyer_accepts_and_an_idle_seller_refunds(self) -> None:
        assert deal.step(State.DELIVERED, Move.LAPSE, Side.CLOCK).ending is deal.Ending.SILENT
        late = deal.step(State.PAID, Move.LAPSE, Side.CLOCK).ending
        assert late is not None
        assert late.refunds_all
        assert late.striker is Side.SELLER

    def test_the_final_state_says_how_much_went_back(self) -> None:
        assert [deal.ended_as(100, back) for back in (0, 1, 100)] == [
            State.SETTLED,
            State.PARTLY_REFUNDED,
            State.REFUNDED,
        ]
        with pytest.raises(ValueError, match="refund"):
            deal.ended_as(100, 101)


class TestTheTimeline:
    @pytest.mark.parametrize("state", list(State))
    @pytest.mark.parametrize("reader", [Side.BUYER, Side.SELLER, Side.OPERATOR])
    def test_every_reader_is_told_what_comes_next_until_the_end(self, state: State, reader: Side) -> None:
        told = timeline.next_step(state, reader, NOON)
        assert (told is None) == state.final
        if told and state is not State.CLOSING:
            assert told.until == NOON
            assert told.otherwise

    def test_the_side_to_move_is_addressed_and_the_other_is_told_about_it(self) -> None:
        mine = timeline.next_step(State.PAID, Side.SELLER, NOON)
        theirs = timeline.next_step(State.PAID, Side.BUYER, NOON)
        assert mine
        assert theirs
        assert mine.whose is theirs.whose is Side.SELLER
        assert mine.text != theirs.text

    @pytest.mark.parametrize("state", State)
    def test_the_operator_is_never_spoken_to_as_a_side(self, state: State) -> None:
        told = timeline.next_step(state, Side.OPERATOR, NOON)
        assert told is None or told.whose is Side.OPERATOR or " you" not in told.text

    def test_an_end_that_was_undone_says_by_whom(self) -> None:
        told = timeline.ended(State.REFUNDED, deal.Ending.RECEIVED, {"deal.charged_back"})
        assert len(told) == 3
        assert "bank" in told[1]
        assert len(timeline.ended(State.REFUNDED, deal.Ending.CHARGED_BACK, {"deal.charged_back"})) == 2, "said once"

    @pytest.mark.parametrize("reader", [Side.BUYER, Side.SELLER, Side.OPERATOR])
    def test_who_has_paid_is_not_told_to_pay_nor_when_the_deal_lapses(self, reader: Side) -> None:
        told = timeline.next_step(State.AWAITING_PAYMENT, reader, NOON, underway=True)
        assert told
        assert (told.whose, told.until, told.otherwise) == (Side.STRIPE, None, None)
        paid = timeline.next_step(State.PAID, reader, NOON, underway=True)
        assert paid == timeline.next_step(State.PAID, reader, NOON), "it has arrived"

    @pytest.mark.parametrize("state", State)
    @pytest.mark.parametrize("reader", [Side.BUYER, Side.SELLER, Side.OPERATOR])
    def test_goods_that_have_not_left_and_money_wait_for_a_bank_that_disputes(self, state: State, reader: Side) -> None:
        told = timeline.next_step(state, reader, NOON, disputed=True)
        if state in {State.POOLED, State.PAID, State.READY, State.UNCOLLECTED, State.CLOSING}:
            assert told
            assert (told.whose, told.until) == (Side.STRIPE, None)
            assert "bank" in told.text
        else:
            assert told == timeline.next_step(state, reader, None if state is State.OVERDUE else NOON)

    def test_every_alarm_says_what_happened_and_what_to_do(self) -> None:
        assert set(ALARMS) == set(get_args(AlarmKind))
        assert {State.OPERATOR, State.UNCOLLECTED} == {to for to in State if called(to, Move.LAPSE, again=False)}

    @pytest.mark.parametrize(
        ("move", "again", "why"),
        [
            (Move.LAPSE, True, "decision_late"),
            (Move.LAPSE, False, "to_decide"),
            (Move.CHARGE_BACK_PART, True, "to_decide"),
            (Move.ANSWER_CLAIM, True, "to_decide"),
            (Move.ALARM, True, "held_too_long"),
        ],
    )
    def test_only_a_clock_that_ran_out_makes_a_decision_late(self, move: Move, again: bool, why: AlarmKind) -> None:
        assert called(State.OPERATOR, move, again=again) == why

    def test_no_text_calls_held_money_by_a_word_it_is_not(self) -> None:
        texts = [*timeline._MINE.values(), *timeline._THEIRS.values(), *timeline._OTHERWISE.values()]
        assert not [text for text in texts if "escrow" in text.lower()]


class TestAmounts:
    @given(deals_terms(), SHARES, st.data())
    def test_a_plan_gives_out_exactly_what_came_in(
        self, terms: amounts.Terms, shares: list[amounts.Share], data: st.DataObject
    ) -> None:
        whole = terms.total.minor
        back = Money(data.draw(st.one_of(st.just(whole - 1), st.integers(0, whole))), terms.total.currency)
        plan = amounts.plan(terms, shares, back)
        parts = [plan.refund, plan.commission, plan.commission_vat, *plan.legs]
        assert sum(part.minor for part in parts) == terms.total.minor
        assert min(part.minor for part in parts) >= 0

    @given(deals_terms())
    def test_a_whole_refund_leaves_nothing_for_anybody_else(self, terms: amounts.Terms) -> None:
        plan = amounts.plan(terms, [amounts.Share(1)], terms.total)
        assert (plan.commission.minor, plan.commission_vat.minor, plan.legs[0].minor) == (0, 0, 0)

    @given(deals_terms())
    def test_without_a_refund_the_seller_gets_price_less_commission(self, terms: amounts.Terms) -> None:
        plan = amounts.plan(terms, [amounts.Share(1)], Money(0, terms.total.currency))
        assert plan.legs == (terms.to_seller,)
        assert plan.commission == terms.commission

    def test_more_than_everything_is_not_refunded(self) -> None:
        terms = amounts.terms(Money(100, "EUR"), vat_bp=2000, commission_bp=300, commission_vat_bp=2000)
        with pytest.raises(amounts.RefundTooLarge):
            amounts.plan(terms, [amounts.Share(1)], Money(121, "EUR"))

    @given(deals_terms(), SHARES, st.integers(1, 6), st.data())
    def test_what_is_taken_back_is_exact_and_a_chain_ends_at_nothing(
        self, terms: amounts.Terms, shares: list[amounts.Share], steps: int, data: st.DataObject
    ) -> None:
        plan = amounts.plan(terms, shares, Money(0, terms.total.currency))
        have = [*plan.legs, plan.commission, plan.commission_vat]
        for _ in range(steps):
            left = sum(part.minor for part in have)
            refund = Money(data.draw(st.one_of(st.just(left), st.integers(0, left))), terms.total.currency)
            back = amounts.take_back(have, refund)
            assert sum(part.minor for part in back) == refund.minor
            have = [had - part for had, part in zip(have, back, strict=True)]
            assert all(part.minor >= 0 for part in have)
        assert not any(amounts.take_back(have, Money(0, terms.total.currency)))

    def test_no_more_is_taken_back_than_went_out(self) -> None:
        with pytest.raises(ValueError, match="went out"):
            amounts.take_back([Money(10, "EUR")], Money(11, "EUR"))

    def test_fixed_sums_come_first_and_as_far_as_the_money_reaches(self) -> None:
        shares = [amounts.Share(1), amounts.Share(0, 300), amounts.Share(0, 900)]
        assert [leg.minor for leg in amounts.legs(Money(1000, "EUR"), shares)] == [0, 300, 700]

    def test_somebody_must_take_the_rest(self) -> None:
        with pytest.raises(ValueError, match="rest"):
            amounts.legs(Money(1000, "EUR"), [amounts.Share(0, 300)])

    @pytest.mark.parametrize(("minor", "currency"), [(49, "EUR"), (100_000_000, "EUR"), (49, "JPY")])
    def test_a_sum_no_method_carries_is_named_before_anybody_pays(self, minor: int, currency: str) -> None:
        with pytest.raises(payable.NotPayable):
            payable.ensure_payable(Money(minor, currency))
        with pytest.raises(payable.OfferNotPayable):
            payable.ensure_offer_payable(Money(minor, currency))
        payable.ensure_payable(Money(50, "EUR"))

    def test_a_claim_before_tax_comes_back_with_its_tax(self) -> None:
        terms = amounts.terms(Money(10_000, "EUR"), vat_bp=2000, commission_bp=300, commission_vat_bp=2000)
        assert amounts.with_vat(Money(1000, "EUR"), terms) == Money(1200, "EUR")
        assert amounts.with_vat(terms.net, terms) == terms.total


class TestVat:
    FR, FR2 = vat.Trader("FR", "FR40303265045"), vat.Trader("FR", "FR03552081317")
    DE, DE_UNNUMBERED = vat.Trader("DE", "DE136695976"), vat.Trader("DE", None)
    US, MC, NO = vat.Trader("US", None), vat.Trader("MC", "FR53000004605"), vat.Trader("NO", None)

    @pytest.mark.parametrize(
        ("seller", "buyer", "tax"),
        [
            (FR, FR2, vat.Tax(vat.Regime.DOMESTIC, 2000)),
            (FR, DE, vat.Tax(vat.Regime.INTRA_EU, 0)),
            (FR, DE_UNNUMBERED, vat.Tax(vat.Regime.DOMESTIC, 2000)),
            (DE, FR, vat.Tax(vat.Regime.INTRA_EU, 0)),
            (FR, US, vat.Tax(vat.Regime.EXPORT, 0)),
            (MC, FR, vat.Tax(vat.Regime.DOMESTIC, 2000)),
            (DE, MC, vat.Tax(vat.Regime.INTRA_EU, 0)),
            (NO, NO, vat.Tax(vat.Regime.DOMESTIC, 2500)),
        ],
    )
    def test_goods(self, seller: vat.Trader, buyer: vat.Trader, tax: vat.Tax) -> None:
        assert vat.of_goods(seller, buyer, date(2026, 11, 22)) == tax

    def test_the_commission_is_taxed_at_home_and_declared_by_the_seller_abroad(self) -> None:
        day = date(2026, 11, 22)
        assert vat.of_commission("FR", self.FR, day) == vat.Tax(vat.Regime.DOMESTIC, 2000)
        assert vat.of_commission("FR", self.DE, day) == vat.Tax(vat.Regime.REVERSE_CHARGE, 0)
        assert vat.of_commission("FR", self.MC, day) == vat.Tax(vat.Regime.DOMESTIC, 2000)

    def test_a_rate_is_the_one_of_the_day(self) -> None:
        assert standard_rate("EE", date(2025, 6, 30)) == 2200
        assert standard_rate("EE", date(2025, 7, 1)) == 2400


class TestClaims:
    SOLD = (claims.Sold("a", "Sander", 10, 3000), claims.Sold("b", "Drill", 5, 1000))
    NET = Money(80_000, "EUR")

    def test_a_line_costs_its_share_of_the_reference_price(self) -> None:
        assert claims.line_prices(self.NET, self.SOLD) == {"a": Money(60_000, "EUR"), "b": Money(20_000, "EUR")}

    def test_missing_units_are_due_in_full_whatever_the_tolerance(self) -> None:
        claimed = [claims.Claimed("b", claims.Reason.MISSING, 1, 100)]
        assert claims.value(self.NET, self.SOLD, claimed) == Money(4_000, "EUR")

    def test_condition_at_the_tolerance_is_worth_nothing_and_above_it_all(self) -> None:
        at = [claims.Claimed("b", claims.Reason.DAMAGED, 1, 100)]
        above = [claims.Claimed("b", claims.Reason.DAMAGED, 2, 55)]
        assert claims.value(self.NET, self.SOLD, at) == Money(0, "EUR")
        assert claims.value(self.NET, self.SOLD, above) == Money(4_400, "EUR")

    def test_a_claim_names_no_more_than_was_sold_also_over_two_lines_of_the_form(self) -> None:
        twice = [claims.Claimed("b", claims.Reason.MISSING, 3, 100), claims.Claimed("b", claims.Reason.WRONG, 3, 50)]
        with pytest.raises(claims.TooManyClaimed):
            claims.value(self.NET, self.SOLD, twice)

    @pytest.mark.parametrize(
        ("claimed", "refusal"),
        [
            ([], claims.NothingClaimed),
            ([claims.Claimed("x", claims.Reason.MISSING, 1, 100)], claims.NothingClaimed),
            ([claims.Claimed("a", claims.Reason.DAMAGED, 0, 100)], claims.NothingClaimed),
            ([claims.Claimed("a", claims.Reason.DAMAGED, 1, 101)], claims.LossOutOfRange),
        ],
    )
    def test_nonsense_is_refused(self, claimed: list[claims.Claimed], refusal: type[Exception]) -> None:
        with pytest.raises(refusal):
            claims.value(self.NET, self.SOLD, claimed)

    @given(
        st.lists(st.tuples(st.integers(1, 50), st.integers(0, 10**6)), min_size=1, max_size=6), st.integers(1, 10**8)
    )
    def test_everything_missing_is_worth_the_price(self, lines: list[tuple[int, int]], net: int) -> None:
        sold = [claims.Sold(str(n), str(n), units, weight) for n, (units, weight) in enumerate(lines)]
        claimed = [claims.Claimed(line.key, claims.Reason.MISSING, line.units, 100) for line in sold]
        assert claims.value(Money(net, "EUR"), sold, claimed) == Money(net, "EUR")


class TestPayments:
    OWED = Money(12_000, "EUR")

    def session(self, **changed: object) -> payments.Retrieved:
        facts: dict[str, object] = {
            "reference": "ob",
            "livemode": False,
            "status": "complete",
            "paid": True,
            "intent_status": "succeeded",
            "amount": self.OWED,
            "received_minor": 12_000,
        }
        return payments.Retrieved(**(facts | changed))  # type: ignore[arg-type]  # a table of cases

    @pytest.mark.parametrize(
        ("changed", "proof"),
        [
            ({}, payments.Proof.PAID),
            ({"reference": "another"}, payments.Proof.FOREIGN),
            ({"reference": None}, payments.Proof.FOREIGN),
            ({"livemode": True}, payments.Proof.FOREIGN),
            ({"received_minor": 11_999}, payments.Proof.MISMATCH),
            ({"amount": Money(12_000, "USD")}, payments.Proof.MISMATCH),
            ({"status": "open", "paid": False, "received_minor": None}, payments.Proof.OPEN),
            ({"status": "expired", "paid": False}, payments.Proof.EXPIRED),
            ({"paid": False, "intent_status": "processing"}, payments.Proof.PROCESSING),
            ({"paid": False, "intent_status": "requires_payment_method"}, payments.Proof.FAILED),
        ],
    )
    def test_only_the_right_sum_for_the_right_obligation_counts_as_paid(
        self, changed: dict[str, object], proof: payments.Proof
    ) -> None:
        assert payments.proof(self.session(**changed), reference="ob", livemode=False, owed=self.OWED) is proof

    @given(st.permutations(list(payments.PaymentState)))
    def test_news_in_any_order_never_undoes_a_payment(self, news: list[payments.PaymentState]) -> None:
        state = payments.PaymentState.OPEN
        for told in news:
            if payments.advance(state, told):
                state = told
        assert state in {payments.PaymentState.PAID, payments.PaymentState.SURPLUS}

    def test_a_key_is_not_trusted_in_its_last_hour(self) -> None:
        assert payments.key_alive(None, NOON)
        assert payments.key_alive(NOON - timedelta(hours=22), NOON)
        assert not payments.key_alive(NOON - timedelta(hours=23), NOON)

    def test_a_refusal_is_asked_about_again_ever_later_and_at_least_every_six_hours(self) -> None:
        since = at = datetime(2026, 11, 22, tzinfo=UTC)
        waits = []
        for _ in range(9):
            again = payments.retry(since, at)
            waits.append((again - at).total_seconds() / 60)
            at = again
        assert waits == [5, 5, 10, 20, 40, 80, 160, 320, 360]

    @given(st.integers(0, 10_000), st.integers())
    def test_waiting_grows_but_never_past_a_quarter_of_an_hour_and_a_quarter(self, attempts: int, seed: int) -> None:
        wait = payments.back_off(attempts, Random(seed))
        assert timedelta(seconds=1) <= wait <= timedelta(minutes=15) * 1.25

    @given(st.timedeltas(timedelta(days=-2), timedelta(days=30)))
    def test_a_pay_page_lives_as_long_as_stripe_lets_it(self, ahead: timedelta) -> None:
        life = payments.session_expiry(NOON + ahead, NOON) - NOON
        assert timedelta(minutes=30) < life < timedelta(hours=24)


class TestTheBooks:
    def test_an_unbalanced_posting_cannot_even_be_written_down(self) -> None:
        with pytest.raises(ValueError, match="balance"):
            books.Posting(
                books.Fact.PAID,
                (books.Entry(books.Account.STRIPE, Money(2, "EUR")), books.Entry(books.Account.HELD, Money(-1, "EUR"))),
            )
        with pytest.raises(ValueError, match="two entries"):
            books.Posting(books.Fact.PAID, ())

    def test_currencies_do_not_make_up_for_each_other(self) -> None:
        with pytest.raises(ValueError, match="balance"):
            books.Posting(
                books.Fact.PAID,
                (books.Entry(books.Account.STRIPE, Money(2, "EUR")), books.Entry(books.Account.HELD, Money(-2, "USD"))),
            )

    def test_no_commission_is_no_posting(self) -> None:
        assert books.earned(Money(0, "EUR"), Money(0, "EUR")) is None

    def test_a_difference_is_found_on_either_side(self) -> None:
        theirs = [
            drift.Movement("txn_1", "ch_1", "charge", "EUR", 970),
            drift.Movement("txn_2", "re_1", "refund", "EUR", -100),
        ]
        ours = {("ch_1", "EUR"): 970, ("tr_1", "EUR"): -50}
        assert [(d.source, d.minor) for d in drift.differences(theirs, ours)] == [("re_1", -100), ("tr_1", 50)]
        assert not drift.differences(theirs[:1], {("ch_1", "EUR"): 970})


class ADealsMoney(RuleBasedStateMachine):
    """A deal driven at random, every piece of news from Stripe possibly told again and late.

    Postings are kept as the database keeps them: one per fact and reference, a second is refused.
    """

    @initialize(terms=deals_terms(), shares=SHARES)
    def agree(self, terms: amounts.Terms, shares: list[amounts.Share]) -> None:
        self.terms, self.shares = terms, shares
        self.state = State.AWAITING_PAYMENT
        self.ending: deal.Ending | None = None
        self.posted: dict[tuple[books.Fact, str], books.Posting] = {}
        self.plan: amounts.Plan | None = None
        self.claimed = Money(0, terms.total.currency)
        self.received = self.sent_back = 0
        self.sent_to_legs: dict[int, int] = {}

    def post(self, posting: books.Posting | None, reference: str) -> bool:
        if posting is None or (posting.fact, reference) in self.posted:
            return False
        self.posted[posting.fact, reference] = posting
        return True

    def held(self) -> int:
        entries = [entry for posting in self.posted.values() for entry in posting.entries]
        return -sum(entry.amount.minor for entry in entries if entry.account is books.Account.HELD)

    @rule(move=st.sampled_from(list(Move)), by=st.sampled_from(list(Side)), part=st.fractions(0, 1))
    def somebody_moves(self, move: Move, by: Side, part: float) -> None:
        if move in {Move.PAY, Move.CLOSE}:
            return
        try:
            arrow = deal.step(self.state, move, by)
        except (deal.NotNow, deal.NotYourMove):
            return
        self.state = arrow.to
        if arrow.to is State.CLOSING:
            assert arrow.ending
            assert self.plan is None, "the money of a deal is shared out once"
            self.ending = arrow.ending
            total = self.terms.total
            refund = Money(int(total.minor * part), total.currency)
            if arrow.ending.refunds_all:
                refund = total
            elif arrow.ending not in {deal.Ending.CLAIM_AGREED, deal.Ending.DECIDED}:
                refund = Money(0, total.currency)
            self.plan = amounts.plan(self.terms, self.shares, refund)

    @rule()
    def stripe_says_paid(self) -> None:
        if self.state is State.AWAITING_PAYMENT:
            if self.post(books.paid(self.terms.total), "payment"):
                self.received += self.terms.total.minor
                self.state = deal.step(self.state, Move.PAY, Side.STRIPE).to
        elif self.state is State.UNPAID:
            self.post(books.surplus_paid(self.terms.total), "payment")
            self.post(books.surplus_refunded(self.terms.total), "payment")

    @precondition(lambda self: self.state is State.CLOSING)
    @rule(leg=st.integers(0, 4))
    def stripe_says_transferred(self, leg: int) -> None:
        assert self.plan
        due = leg < len(self.plan.legs) and bool(self.plan.legs[leg])
        if due and self.post(books.transferred(self.plan.legs[leg]), f"leg {leg}"):
            self.sent_to_legs[leg] = self.sent_to_legs.get(leg, 0) + self.plan.legs[leg].minor

    @precondition(lambda self: self.state is State.CLOSING)
    @rule()
    def stripe_says_refunded(self) -> None:
        assert self.plan
        if self.plan.refund and self.post(books.refunded(self.plan.refund), "refund"):
            self.sent_back += self.plan.refund.minor

    @precondition(lambda self: self.state is State.CLOSING)
    @rule()
    def the_commission_is_booked(self) -> None:
        assert self.plan
        self.post(books.earned(self.plan.commission, self.plan.commission_vat), "deal")

    @precondition(lambda self: self.state is State.CLOSING)
    @rule()
    def it_closes_when_nothing_is_held(self) -> None:
        if self.held() == 0:
            deal.step(self.state, Move.CLOSE, Side.STRIPE)
            self.state = deal.ended_as(self.received, self.sent_back)

    @invariant()
    def nothing_is_paid_twice_and_held_money_is_never_negative(self) -> None:
        if not hasattr(self, "state"):
            return
        assert 0 <= self.held() <= self.terms.total.minor
        assert sum(self.sent_to_legs.values()) + self.sent_back <= self.received <= self.terms.total.minor
        if self.state.final:
            assert self.held() == 0
        entries = [e for posting in self.posted.values() for e in posting.entries]
        assert sum(e.amount.minor for e in entries if e.account is books.Account.SURPLUS) == 0


TestADealsMoney = ADealsMoney.TestCase
TestADealsMoney.settings = settings(
    max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
