"""Random talks of two to six buyers about one lot, as it comes and line by line: every rule holds at every step.

``HYPOTHESIS_PROFILE=thorough uv run pytest tests/offers/test_bazaar.py -s`` runs some ten thousand talks and says so.
"""

from collections import Counter
from dataclasses import replace
from typing import ClassVar
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from exchange.errors import DomainError
from exchange.listings.rules.lots import CostAnswer, Incoterm
from exchange.money import Money
from exchange.offers.rules import talks
from exchange.offers.rules.bids import Bid, BidLine
from exchange.offers.rules.requests import Request, RequestAnswered, RequestState, quantity_asked
from exchange.offers.rules.talks import State, Talk
from exchange.offers.rules.terms import Answer, ensure_quantity
from tests.offers.bazaar import ASK, DAY, Bazaar, price_of, without_thresholds


class Market(Bazaar):
    """The same, where buyers also ask for prices, and the seller's hidden thresholds answer for him."""

    requests_run = 0
    answers: ClassVar[Counter[Answer]] = Counter()
    ends: ClassVar[set[RequestState]] = set()

    def __init__(self) -> None:
        super().__init__()
        self.requests: dict[UUID, Request] = {}

    def _stands(self, talk: Talk) -> RequestState | None:
        """The state, by the clock, of the buyer's request."""
        request = self.requests.get(talk.buyer)
        return request.at(self.now) if request else None

    def _end(self, talk: Talk, state: RequestState) -> None:
        assert self._stands(talk) is RequestState.ASKED, "a request ends once"
        self.requests[talk.buyer] = replace(self.requests[talk.buyer], state=state)

    def _check_move(self, before: Talk, after: Talk) -> None:
        super()._check_move(before, after)
        if after.moves[-1].by == after.buyer and self._stands(after) is RequestState.ASKED:
            self._end(after, RequestState.QUOTED)  # the buyer's own offer takes the place of the request

    @rule(n=Bazaar.which, wanted=st.integers(1, 130))
    def ask_for_a_price(self, n: int, wanted: int) -> None:
        talk, stock = self.talks[n % len(self.talks)], self.stock
        if talk.buyer in self.requests or talk.moves or not stock.units:
            return
        quantity = quantity_asked(talk.terms, wanted, stock.units)
        ensure_quantity(talk.terms, Bid(Money(ASK, "EUR"), quantity), stock)  # what is asked about can be quoted
        self.requests[talk.buyer] = Request(
            talk.buyer, talk.seller, quantity, Incoterm.FCA, self.now + 2 * DAY, RequestState.ASKED
        )
        Market.requests_run += 1

    @rule(n=Bazaar.which, closer=st.integers(0, 100), by_line=st.booleans())
    def quote(self, n: int, closer: int, by_line: bool) -> None:
        n %= len(self.talks)
        before, stock, price = self.talks[n], self.stock, Money(price_of(False, closer, ASK), "EUR")
        request = self.requests.get(before.buyer)
        if request is None:
            return
        every = [BidLine(line, left, min(price, before.terms.ask_of(line))) for line, left in self.free.items() if left]
        over = self._stands(before) is not RequestState.ASKED
        try:
            request.ensure_open(self.now)
            assert not over, "an ended request is never quoted"
            after = talks.move(
                replace(before, asked=True), by=before.seller, incoterm=request.incoterm, at=self.now, seen=0,
                bid=Bid.of(every) if by_line and every else Bid(price, request.quantity),
                expires_at=self.now + 2 * DAY, stock=stock, cost=CostAnswer.AT_OR_ABOVE_COST,
            )  # fmt: skip
        except RequestAnswered:
            assert over
            return
        except DomainError:
            return
        assert not before.moves, "a quote opens the talk"
        self._check_move(before, after)
        self._end(before, RequestState.QUOTED)
        self.talks[n] = replace(after, asked=False)

    @rule(n=Bazaar.which)
    def decline_the_request(self, n: int) -> None:
        talk = self.talks[n % len(self.talks)]
        if self._stands(talk) is RequestState.ASKED:
            self._end(talk, RequestState.DECLINED)

    @rule()
    def the_job_for_requests_comes_round(self) -> None:
        self.requests = {buyer: replace(asked, state=asked.at(self.now)) for buyer, asked in self.requests.items()}

    @rule()
    def the_thresholds_answer(self) -> None:
        for n in range(len(self.talks)):
            self._weigh(n)

    def _weigh(self, n: int) -> None:
        talk = self.talks[n] = talks.as_it_stands(self.talks[n], self.now)
        answer, terms, live = talks.automatic_answer(talk), talk.terms, talk.live
        if answer is None or live is None or not self.stock.covers(live.bid):
            return
        assert live.by == talk.buyer
        asked = sum(terms.ask_of(x.id).minor * x.quantity for x in live.lines) or ASK * live.quantity
        if answer is Answer.REFUSE:
            assert terms.floor
            assert live.total.minor * ASK < terms.floor.minor * asked
            by_hand = talks.refuse(without_thresholds(talk), by=talk.seller, at=self.now)
            self._try(n, False, "refuse")
            assert self.talks[n].moves == by_hand.moves, "like a person's answer"
        else:
            assert terms.auto_accept
            assert live.total.minor * ASK >= terms.auto_accept.minor * asked
            after = talks.accept(
                talk, by=talk.seller, price=live.price, quantity=live.quantity, lines=live.bid.mark, at=self.now,
                stock=self.stock, seen=len(talk.moves),
            )  # fmt: skip
            self._check_step(talk, after, talk.seller, "accept")
            self.talks[n] = after
            self._take(live.bid)
        Market.answers[answer] += 1

    @invariant()
    def the_seller_begins_only_where_a_price_was_asked_for(self) -> None:
        for talk in self.talks:
            if talk.moves and talk.moves[0].by == talk.seller:
                assert self.requests[talk.buyer].state is RequestState.QUOTED

    def teardown(self) -> None:
        super().teardown()
        for request in self.requests.values():
            assert request.at(self.now) is not RequestState.ASKED
            self.ends.add(request.at(self.now))


def test_random_talks_of_many_buyers_keep_every_rule() -> None:
    runs = 4 * settings().max_examples  # 100; HYPOTHESIS_PROFILE=thorough makes it 4,000
    run_state_machine_as_test(Market, settings=settings(max_examples=runs, stateful_step_count=40, deadline=None))
    print(
        f"{Bazaar.talks_run} talks run; {Bazaar.agreed_with_lines} agreements on named lines; "
        f"{Market.requests_run} requests for a price; thresholds: "
        + ", ".join(f"{answer} {count}" for answer, count in sorted(Market.answers.items()))
    )
    assert Bazaar.talks_run >= 2 * runs


def test_the_bazaar_of_those_random_talks_knows_every_way_to_end() -> None:
    """Chance does not walk each of them in each run: here they are walked on purpose."""

    class Walked(Bazaar):
        outcomes: ClassVar[set[State]] = set()

    def all_ten(price: int) -> Bid:
        return Bid(Money(price, "EUR"), 10)

    bazaar = Walked()
    bazaar.open(buyers=6, listed=[6, 4], asks=[], minimum=1, multiple=1, partial=True)
    first, second = bazaar.listed
    some = Bid.of([BidLine(first, 2, Money(800, "EUR"))])
    every_line = Bid.of([BidLine(first, 6, Money(900, "EUR")), BidLine(second, 4, Money(700, "EUR"))])
    bazaar._try(0, True, "move", all_ten(800))
    bazaar.time_passes(72)
    bazaar.the_expiry_job_comes_round()
    for n in range(1, 6):
        bazaar._try(n, True, "move", {4: every_line, 5: some}.get(n, all_ten(800)))
    bazaar._try(1, False, "refuse")
    bazaar._try(2, True, "withdraw")
    bazaar._try(3, False, "move", all_ten(900))
    bazaar._try(4, False, "accept", every_line)
    bazaar.teardown()
    assert Walked.outcomes == set(State) - {State.LIVE}
    assert [t.state for t in bazaar.talks] == [
        State.EXPIRED, State.REFUSED, State.WITHDRAWN, State.UNAVAILABLE, State.AGREED, State.UNAVAILABLE,
    ]  # fmt: skip


def test_the_bazaar_knows_every_way_a_request_ends_and_every_threshold() -> None:
    class Walked(Market):
        ends: ClassVar[set[RequestState]] = set()

    bazaar = Walked()
    bazaar.open(buyers=6, listed=[30], asks=[], minimum=1, multiple=1, partial=True, floor=700, auto_accept=950)
    for n in range(4):
        bazaar.ask_for_a_price(n, 5)
    bazaar.quote(0, 10, by_line=True)
    bazaar.decline_the_request(1)
    bazaar._try(2, True, "move", Bid(Money(800, "EUR"), 5))
    bazaar.time_passes(72)
    bazaar.the_expiry_job_comes_round()
    bazaar.the_job_for_requests_comes_round()
    for n in range(4):
        bazaar.quote(n, 10, by_line=False)
    bazaar._try(4, True, "move", Bid(Money(699, "EUR"), 5))
    bazaar._try(5, True, "move", Bid(Money(950, "EUR"), 5))
    bazaar.the_thresholds_answer()
    assert [t.state for t in bazaar.talks] == [
        State.EXPIRED, None, State.EXPIRED, None, State.REFUSED, State.AGREED,
    ]  # fmt: skip
    assert bazaar.talks[0].moves[0].by == bazaar.talks[0].seller
    bazaar.teardown()
    assert Walked.ends == {RequestState.QUOTED, RequestState.DECLINED, RequestState.EXPIRED}
