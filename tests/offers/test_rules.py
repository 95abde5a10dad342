"""The fourteen rules, one by one, and thousands of random talks on a partial lot."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.companies.rules import WorkingHours
from exchange.listings.rules.lots import CostAnswer, Incoterm
from exchange.money import Money
from exchange.offers.rules import refusals, talks, terms
from exchange.offers.rules.bids import Bid, Stock
from exchange.offers.rules.talks import State, Talk
from exchange.offers.rules.terms import Answer, Terms, ensure_quantity, nearest_quantities

BUYER, SELLER = uuid4(), uuid4()
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)  # a Thursday
DAY = timedelta(days=1)


def euros(text: str) -> Money:
    return Money.parse(text, "EUR")


TERMS = Terms(ask=euros("10"), partial=True, minimum=20, multiple=10)


def moved(
    talk: Talk,
    by: UUID = BUYER,
    price: str = "8",
    quantity: int = 100,
    *,
    at: datetime = NOON,
    incoterm: Incoterm = Incoterm.FCA,
    available: int = 100,
    cost: CostAnswer | None = None,
    seen: int | None = None,
) -> Talk:
    return talks.move(
        talk,
        by=by,
        bid=Bid(euros(price), quantity),
        incoterm=incoterm,
        at=at,
        expires_at=at + 2 * DAY,
        stock=Stock(available, {}),
        cost=cost,
        seen=seen,
    )


def fresh(lot: Terms = TERMS) -> Talk:
    return Talk(BUYER, SELLER, lot)


def accepted(
    talk: Talk,
    by: UUID,
    price: str,
    quantity: int,
    at: datetime = NOON,
    available: int = 100,
    seen: int | None = None,
) -> Talk:
    stock = Stock(available, {})
    return talks.accept(talk, by=by, price=euros(price), quantity=quantity, at=at, stock=stock, seen=seen)


class TestQuantity:
    @pytest.mark.parametrize(("quantity", "nearest"), [(5, (20,)), (20, (20,)), (25, (20, 30)), (85, (80, 105))])
    def test_the_nearest_valid_quantities_are_offered(self, quantity: int, nearest: tuple[int, ...]) -> None:
        assert nearest_quantities(TERMS, quantity, 105) == nearest

    def test_a_part_that_leaves_too_little_to_sell_is_refused_with_what_would_fit(self) -> None:
        with pytest.raises(terms.QuantityBetween, match="80 and 100"):
            ensure_quantity(TERMS, Bid(euros("8"), 90), Stock(100, {}))

    def test_taking_all_is_always_right(self) -> None:
        ensure_quantity(TERMS, Bid(euros("8"), 7), Stock(7, {}))

    def test_a_whole_lot_is_not_split(self) -> None:
        with pytest.raises(terms.WholeLotOnly, match="all 100"):
            ensure_quantity(replace(TERMS, partial=False), Bid(euros("8"), 50), Stock(100, {}))

    @pytest.mark.parametrize("quantity", [0, -3])
    def test_no_quantity_is_no_offer(self, quantity: int) -> None:
        with pytest.raises(terms.NoQuantity):
            ensure_quantity(TERMS, Bid(euros("8"), quantity), Stock(100, {}))

    @given(
        minimum=st.integers(1, 30), multiple=st.integers(1, 12), available=st.integers(1, 80), asked=st.integers(1, 120)
    )
    def test_nearest_means_nearest(self, minimum: int, multiple: int, available: int, asked: int) -> None:
        lot = replace(TERMS, minimum=minimum, multiple=multiple)
        valid = {q for q in range(minimum, available + 1) if q % multiple == 0 and available - q >= minimum} | {
            available
        }
        below, above = {q for q in valid if q <= asked}, {q for q in valid if q >= asked}
        expected = {asked} if asked in valid else {*sorted(below)[-1:], *sorted(above)[:1]}
        assert nearest_quantities(lot, asked, available) == tuple(sorted(expected))


class TestMoves:
    def test_nobody_moves_twice_in_a_row(self) -> None:
        with pytest.raises(refusals.NotYourTurn):
            moved(moved(fresh()), price="9")

    def test_the_seller_cannot_open_a_talk(self) -> None:
        with pytest.raises(refusals.BuyerOpens):
            moved(fresh(), SELLER)

    def test_a_counter_ends_the_offer_before_it(self) -> None:
        talk = moved(moved(fresh()), SELLER, "9")
        assert [m.state for m in talk.moves] == [State.COUNTERED, State.LIVE]
        assert talk.turn == BUYER

    def test_quantity_and_incoterm_may_be_countered(self) -> None:
        talk = moved(moved(fresh()), SELLER, "8", 50, incoterm=Incoterm.DAP)
        assert talk.live
        assert (talk.live.quantity, talk.live.incoterm, talk.live.total) == (50, Incoterm.DAP, euros("400"))

    def test_the_seventh_move_is_refused_and_the_sixth_known_as_the_last(self) -> None:
        talk = fresh()
        for n in range(6):
            assert talk.moves_left == 6 - n
            talk = moved(talk, (BUYER, SELLER)[n % 2], f"{5 + n / 10:.1f}" if n % 2 == 0 else f"{9 - n / 10:.1f}")
        with pytest.raises(refusals.NoMovesLeft):
            moved(talk, BUYER, "8")
        assert accepted(talk, BUYER, "8.5", 100).state is State.AGREED

    def test_moves_that_came_to_nothing_count(self) -> None:
        talk = fresh()
        for _ in range(6):
            talk = talks.withdraw(moved(talk), by=BUYER, at=NOON)
        with pytest.raises(refusals.NoMovesLeft):
            moved(talk)

    def test_a_buyer_never_goes_down_at_the_same_quantity(self) -> None:
        talk = moved(moved(fresh(), price="8"), SELLER, "9.5")
        with pytest.raises(refusals.LowerThanBefore, match=r"8\.00"):
            moved(talk, BUYER, "7.99")
        assert moved(talk, BUYER, "7", 50).live

    def test_a_seller_never_goes_up_at_the_same_quantity_nor_above_the_ask(self) -> None:
        talk = moved(moved(moved(fresh()), SELLER, "9"), BUYER, "8.50")
        with pytest.raises(refusals.HigherThanBefore):
            moved(talk, SELLER, "9.01")
        with pytest.raises(terms.AboveAsk):
            moved(talk, SELLER, "10.01", 50)

    def test_a_counter_that_gives_more_than_they_ask_is_a_slip(self) -> None:
        with pytest.raises(refusals.BetterToAccept):
            moved(moved(fresh(), price="8"), SELLER, "8")
        talk = moved(moved(fresh(), price="8"), SELLER, "9")
        with pytest.raises(refusals.BetterToAccept):
            moved(talk, BUYER, "9.50")

    def test_an_answer_to_an_offer_that_has_changed_is_refused(self) -> None:
        talk = moved(talks.withdraw(moved(fresh()), by=BUYER, at=NOON), BUYER, "9", 50)
        with pytest.raises(refusals.OfferChanged, match=r"50 units at 9\.00"):
            moved(talk, SELLER, "9.50", 50, seen=1)
        with pytest.raises(refusals.OfferChanged):
            talks.refuse(talk, by=SELLER, at=NOON, seen=1)

    def test_an_acceptance_means_the_terms_it_has_seen_not_only_the_price(self) -> None:
        collected = moved(fresh(), incoterm=Incoterm.EXW)
        talk = moved(talks.withdraw(collected, by=BUYER, at=NOON), incoterm=Incoterm.DDP)
        for seen in (1, None):  # the page before, and somebody who does not say which of the two is meant
            with pytest.raises(refusals.OfferChanged, match=r"100 units at 8\.00"):
                accepted(talk, SELLER, "8", 100, seen=seen)
        assert accepted(talk, SELLER, "8", 100, seen=2).moves[-1].incoterm is Incoterm.DDP

    @pytest.mark.parametrize("price", ["0", "-1"])
    def test_a_price_is_above_zero(self, price: str) -> None:
        with pytest.raises(terms.NoPrice):
            moved(fresh(), price=price)

    def test_a_price_is_in_the_lots_currency(self) -> None:
        with pytest.raises(terms.OtherCurrency):
            talks.move(
                fresh(),
                by=BUYER,
                bid=Bid(Money(800, "GBP"), 100),
                incoterm=Incoterm.FCA,
                at=NOON,
                expires_at=NOON + DAY,
                stock=Stock(100, {}),
            )


class TestEnds:
    def test_declining_ends_the_talk_and_the_buyer_may_reopen_with_the_moves_left(self) -> None:
        talk = talks.refuse(moved(fresh()), by=SELLER, at=NOON)
        assert talk.state is State.REFUSED
        with pytest.raises(refusals.OfferRefused):
            moved(talk, SELLER, "9")
        assert moved(talk, BUYER, "8.50").moves_left == 4

    def test_only_the_author_withdraws_and_only_the_other_declines(self) -> None:
        talk = moved(fresh())
        with pytest.raises(refusals.NotYourOffer):
            talks.withdraw(talk, by=SELLER, at=NOON)
        with pytest.raises(refusals.NotYourTurn):
            talks.refuse(talk, by=BUYER, at=NOON)

    def test_at_its_very_instant_the_clock_has_run_out_even_before_the_job_comes(self) -> None:
        talk = moved(fresh())
        just_before = NOON + 2 * DAY - timedelta(microseconds=1)
        assert accepted(talk, SELLER, "8", 100, at=just_before).state is State.AGREED
        with pytest.raises(refusals.OfferExpired):
            accepted(talk, SELLER, "8", 100, at=NOON + 2 * DAY)
        with pytest.raises(refusals.OfferExpired):
            talks.withdraw(talk, by=BUYER, at=NOON + 2 * DAY)
        assert talks.as_it_stands(talk, just_before) is talk

    def test_after_expiry_the_buyer_reopens_without_waiting_for_the_job(self) -> None:
        talk = moved(moved(fresh()), BUYER, "8.20", at=NOON + 3 * DAY)
        assert [m.state for m in talk.moves] == [State.EXPIRED, State.LIVE]

    def test_a_withdrawn_offer_is_not_accepted(self) -> None:
        with pytest.raises(refusals.OfferWithdrawn):
            accepted(talks.withdraw(moved(fresh()), by=BUYER, at=NOON), SELLER, "8", 100)

    @pytest.mark.parametrize(("price", "quantity"), [("8.01", 100), ("8", 90)])
    def test_accept_names_the_price_and_quantity_it_accepts(self, price: str, quantity: int) -> None:
        with pytest.raises(refusals.OfferChanged, match=r"100 units at 8\.00"):
            accepted(moved(fresh()), SELLER, price, quantity)

    def test_an_agreement_is_made_once(self) -> None:
        talk = accepted(moved(fresh()), SELLER, "8", 100)
        with pytest.raises(refusals.AlreadyAgreed):
            accepted(talk, SELLER, "8", 100)
        with pytest.raises(refusals.AlreadyAgreed):
            moved(talk)


class TestSellersSecrets:
    LOT = replace(TERMS, floor=euros("6"), auto_accept=euros("9"), covered_from=euros("9"))

    @pytest.mark.parametrize(("price", "answer"), [("5.99", Answer.REFUSE), ("6", None), ("9", Answer.ACCEPT)])
    def test_the_thresholds_answer_the_buyer(self, price: str, answer: Answer | None) -> None:
        assert talks.automatic_answer(moved(fresh(self.LOT), price=price)) is answer

    def test_the_thresholds_never_answer_the_seller(self) -> None:
        counter = moved(moved(fresh(self.LOT), price="6"), SELLER, "9.50")
        assert talks.automatic_answer(counter) is None

    def test_below_the_price_answered_for_the_seller_says_why(self) -> None:
        talk = moved(fresh(self.LOT), price="7")
        with pytest.raises(refusals.CostUnanswered):
            moved(talk, SELLER, "8")
        with pytest.raises(refusals.CostUnanswered):
            accepted(talk, SELLER, "7", 100)

    def test_at_or_above_cost_covers_that_price_and_a_ground_covers_any(self) -> None:
        talk = moved(fresh(self.LOT), price="7")
        assert moved(talk, SELLER, "8", cost=CostAnswer.AT_OR_ABOVE_COST).terms.covered_from == euros("8")
        assert moved(talk, SELLER, "8", cost=CostAnswer.END_OF_SEASON).terms.covered_from is None

    def test_the_buyer_is_never_asked(self) -> None:
        talk = moved(moved(fresh(self.LOT), price="6"), SELLER, "8", cost=CostAnswer.AT_OR_ABOVE_COST)
        assert accepted(talk, BUYER, "8", 100).state is State.AGREED

    def test_what_auto_accept_takes_was_answered_when_it_was_set(self) -> None:
        lot = replace(self.LOT, covered_from=euros("10"))
        assert accepted(moved(fresh(lot), price="9"), SELLER, "9", 100).state is State.AGREED


class TestDeadline:
    def test_thursday_at_15_is_due_on_monday_at_15(self) -> None:
        hours = WorkingHours(zone="Europe/Paris")
        thursday = datetime(2026, 11, 26, 14, tzinfo=UTC)
        assert talks.deadline(thursday, hours) == datetime(2026, 11, 30, 14, tzinfo=UTC)

    def test_a_clock_change_inside_moves_nothing_a_person_sees(self) -> None:
        hours = WorkingHours(zone="Europe/Paris")
        friday_summer = datetime(2026, 10, 23, 13, tzinfo=UTC)  # 15:00 in Paris; clocks go back on the 25th
        assert talks.deadline(friday_summer, hours) == datetime(2026, 10, 27, 14, tzinfo=UTC)  # 15:00 again
