"""The machine that drives random talks about one lot, and checks every rule of a talk at every step."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from uuid import UUID, uuid4

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from exchange.errors import DomainError, Several
from exchange.listings.rules.lots import CostAnswer, Incoterm, spread
from exchange.money import Money
from exchange.offers.rules import talks
from exchange.offers.rules.bids import Bid, BidLine, Stock
from exchange.offers.rules.talks import State, Talk
from exchange.offers.rules.terms import Terms, nearest_of_line, nearest_quantities

SELLER = uuid4()
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)  # a Thursday
DAY = timedelta(days=1)
ASK = 1000


class Bazaar(RuleBasedStateMachine):
    """Two to six buyers and one seller on a lot of one to four lines that may be sold in parts."""

    talks_run = 0
    agreed_with_lines = 0
    outcomes: ClassVar[set[State]] = set()

    @initialize(
        buyers=st.integers(2, 6),
        listed=st.lists(st.integers(1, 30), min_size=1, max_size=4),
        asks=st.lists(st.integers(300, 3000), min_size=4, max_size=4) | st.just([]),
        minimum=st.integers(1, 9),
        multiple=st.integers(1, 6),
        partial=st.sampled_from([True, True, True, False]),
        floor=st.none() | st.integers(560, 720),
        auto_accept=st.none() | st.integers(640, 800),
    )
    def open(
        self,
        buyers: int,
        listed: list[int],
        asks: list[int],
        minimum: int,
        multiple: int,
        partial: bool,
        floor: int | None = None,
        auto_accept: int | None = None,
    ) -> None:
        self.listed = {uuid4(): units for units in listed}
        lot = Terms(
            ask=Money(ASK, "EUR"), partial=partial, minimum=minimum, multiple=multiple,
            covered_from=Money(500, "EUR"),
            floor=Money(floor, "EUR") if floor else None,
            auto_accept=Money(max(auto_accept, floor or 0), "EUR") if auto_accept else None,
            asks={line: Money(ask, "EUR") for line, ask in zip(self.listed, asks, strict=False)},
        )  # fmt: skip
        self.free = dict(self.listed)
        self.now = NOON
        self.talks = [Talk(uuid4(), SELLER, lot) for _ in range(buyers)]
        self.agreed: list[Bid] = []
        Bazaar.talks_run += buyers

    which = st.integers(0, 5)
    side = st.booleans()
    carried = st.sampled_from([Incoterm.FCA, Incoterm.FCA, Incoterm.EXW, Incoterm.DDP])
    old_page = st.sampled_from([None, None, 0, 0, 0, 1, 2])
    """How many moves have been made since the page was opened; None where no page names any."""

    @property
    def stock(self) -> Stock:
        return Stock(sum(self.free.values()), self.free)

    def _try(
        self,
        n: int,
        by_buyer: bool,
        act: str,
        bid: Bid | None = None,
        lines: str | None = None,
        incoterm: Incoterm = Incoterm.FCA,
        old: int | None = None,
    ) -> None:
        n %= len(self.talks)
        before, stock = self.talks[n], self.stock
        by = before.buyer if by_buyer else before.seller
        seen = None if old is None else len(before.moves) - old

        def done(talk: Talk) -> Talk:
            if bid is None:
                return getattr(talks, act)(talk, by=by, at=self.now, seen=seen)  # type: ignore[no-any-return]
            if act == "accept":
                return talks.accept(
                    talk, by=by, price=bid.price, quantity=bid.quantity, lines=bid.mark if lines is None else lines,
                    at=self.now, stock=stock, cost=CostAnswer.AT_OR_ABOVE_COST, seen=seen,
                )  # fmt: skip
            cost = CostAnswer.AT_OR_ABOVE_COST if bid.price.minor % 2 else None
            return talks.move(
                talk, by=by, bid=bid, incoterm=incoterm, at=self.now, expires_at=self.now + 2 * DAY,
                stock=stock, cost=cost, seen=seen,
            )  # fmt: skip

        if by_buyer:
            assert _told(done, before) == _told(done, without_thresholds(before)), "no answer tells the floor"
        try:
            after = done(before)
        except DomainError:
            return
        assert not old, "nobody answers what they have not seen"
        self._check_step(before, after, by, act)
        self.talks[n] = after
        if act == "move":
            self._check_move(before, after)
        if act == "accept":
            live = before.live
            assert live
            assert bid == live.bid, "it names exactly what it accepts, line by line"
            assert lines in (None, live.bid.mark)
            same = [m for m in before.moves if (m.by, m.bid) == (live.by, live.bid)]
            assert old == 0 or same == [live], "whatever else it says, one move only can be meant"
            self._take(live.bid)

    def _take(self, bid: Bid) -> None:
        taken = {line.id: line.quantity for line in bid.lines} or spread(bid.quantity, list(self.free.items()))
        assert sum(taken.values()) == bid.quantity
        self.free = {line: units - taken.get(line, 0) for line, units in self.free.items()}
        self.agreed.append(bid)
        Bazaar.agreed_with_lines += bool(bid.lines)
        self.talks = [self._covered(t) for t in self.talks]

    def _covered(self, talk: Talk) -> Talk:
        """Stock that no longer covers the live move ends it (rule 10), unless the clock was faster."""
        talk = talks.as_it_stands(talk, self.now)
        if talk.live is None or self.stock.covers(talk.live.bid):
            return talk
        return replace(talk, moves=(*talk.moves[:-1], replace(talk.live, state=State.UNAVAILABLE)))

    def _check_move(self, before: Talk, after: Talk) -> None:
        """Rule 6 where two ways of naming the same goods meet: every line to the last unit is the lot as it comes."""
        said, left = after.moves[-1], self.stock.units
        for earlier in before.moves:
            if earlier.by == said.by and (earlier.quantity == said.quantity == left or _goods(earlier) == _goods(said)):
                up, down = (earlier, said) if said.by == after.buyer else (said, earlier)
                assert up.total.minor <= down.total.minor
        rest = left - said.quantity
        assert rest >= 0
        if rest:
            assert after.terms.partial
            assert min(rest, said.quantity) >= after.terms.minimum
        for line in said.lines:
            assert 0 < line.quantity <= self.free[line.id]
            assert line.quantity % after.terms.multiple == 0 or line.quantity == self.free[line.id] or not rest
            assert line.price <= after.terms.ask_of(line.id)

    def _check_step(self, before: Talk, after: Talk, by: UUID, act: str) -> None:
        dead = before.live is None or self.now >= before.live.expires_at
        if act in ("accept", "refuse", "withdraw"):
            assert not dead, "only a live move is answered"
            assert before.live
            assert (before.live.by == by) == (act == "withdraw")
        elif not dead:
            assert before.live
            assert before.live.by != by, "nobody moves twice"
        assert [(m.by, m.bid) for m in after.moves[: len(before.moves)]] == [(m.by, m.bid) for m in before.moves], (
            "what was said stays said"
        )

    @rule(n=which, by_buyer=side, price=st.integers(-5, 1100), quantity=st.integers(0, 130), old=old_page)
    def make_a_wild_move(self, n: int, by_buyer: bool, price: int, quantity: int, old: int | None) -> None:
        self._try(n, by_buyer, "move", Bid(Money(price, "EUR"), quantity), old=old)

    @rule(n=which, by_buyer=side, named=st.lists(st.tuples(st.integers(-1, 31), st.integers(-5, 3100)), min_size=1))
    def make_a_wild_move_on_lines(self, n: int, by_buyer: bool, named: list[tuple[int, int]]) -> None:
        lines = [
            BidLine(line, units, Money(price, "EUR"))
            for line, (units, price) in zip([*self.listed, uuid4()], named, strict=False)
        ]
        self._try(n, by_buyer, "move", Bid.of(lines))

    @rule(n=which, by_buyer=side, closer=st.integers(0, 100), share=st.integers(1, 100), incoterm=carried)
    def make_a_sensible_move(self, n: int, by_buyer: bool, closer: int, share: int, incoterm: Incoterm) -> None:
        talk = self.talks[n % len(self.talks)]
        left = max(1, self.stock.units)
        quantity = (
            talk.live.quantity
            if talk.live and share % 2
            else nearest_quantities(talk.terms, max(1, left * share // 100), left)[0]
        )
        self._try(n, by_buyer, "move", Bid(Money(price_of(by_buyer, closer, ASK), "EUR"), quantity), incoterm=incoterm)

    @rule(n=which, incoterm=carried)
    def take_an_offer_back_and_make_it_again_on_other_terms(self, n: int, incoterm: Incoterm) -> None:
        if live := self.talks[n % len(self.talks)].live:
            self._try(n, True, "withdraw")
            self._try(n, True, "move", live.bid, incoterm=incoterm)

    @rule(
        n=which,
        by_buyer=side,
        closer=st.integers(0, 100),
        shares=st.lists(st.integers(0, 100), min_size=4, max_size=4),
        same=st.booleans(),
    )
    def make_a_sensible_move_on_lines(self, n: int, by_buyer: bool, closer: int, shares: list[int], same: bool) -> None:
        """Some of each line; or, to haggle on, the very goods on the table at prices that moved."""
        talk = self.talks[n % len(self.talks)]
        goods = {line.id: line.quantity for line in talk.live.lines} if talk.live and same else None
        if not goods:
            goods = {
                line: nearest_of_line(talk.terms, left * share // 100, left)[-1]
                for (line, left), share in zip(self.free.items(), shares, strict=False)
                if left and share > 30
            }
        if goods:
            self._try(n, by_buyer, "move", Bid.of(self._priced(talk.terms, goods, by_buyer, closer, shares)))

    def _priced(
        self, lot: Terms, goods: dict[UUID, int], by_buyer: bool, closer: int, bends: list[int]
    ) -> Iterator[BidLine]:
        for (line, units), bend in zip(goods.items(), bends, strict=False):
            price = price_of(by_buyer, closer, lot.ask_of(line).minor) * (90 + bend // 10) // 100
            yield BidLine(line, units, Money(max(1, price), "EUR"))

    @rule(n=which, by_buyer=side, slip=st.sampled_from([0, 0, 0, 1]), more=st.sampled_from([0, 0, 0, 1]), old=old_page)
    def accept(self, n: int, by_buyer: bool, slip: int, more: int, old: int | None) -> None:
        talk = self.talks[n % len(self.talks)]
        if talk.moves:
            last = talk.moves[-1].bid
            bent = Bid(Money(last.price.minor + slip, "EUR"), last.quantity + more, last.lines)
            self._try(n, by_buyer, "accept", bent, old=old)

    @rule(n=which, by_buyer=side)
    def accept_without_the_lines(self, n: int, by_buyer: bool) -> None:
        talk = self.talks[n % len(self.talks)]
        if talk.live and talk.live.lines:
            before = len(self.agreed)
            self._try(n, by_buyer, "accept", talk.live.bid, lines="")
            assert len(self.agreed) == before

    @rule(n=which, old=old_page)
    def accept_what_awaits_an_answer(self, n: int, old: int | None) -> None:
        talk = self.talks[n % len(self.talks)]
        if live := talk.live:
            self._try(n, talk.turn == talk.buyer, "accept", live.bid, old=old)

    @rule(n=which, by_buyer=side, old=old_page)
    def refuse(self, n: int, by_buyer: bool, old: int | None) -> None:
        self._try(n, by_buyer, "refuse", old=old)

    @rule(n=which, by_buyer=side, old=old_page)
    def withdraw(self, n: int, by_buyer: bool, old: int | None) -> None:
        self._try(n, by_buyer, "withdraw", old=old)

    @rule(hours=st.integers(1, 72))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule()
    def the_expiry_job_comes_round(self) -> None:
        self.talks = [talks.as_it_stands(t, self.now) for t in self.talks]
        assert all(t.live is None or t.live.expires_at > self.now for t in self.talks)

    @invariant()
    def never_oversold_in_all_nor_of_any_line(self) -> None:
        assert sum(bid.quantity for bid in self.agreed) + self.stock.units == sum(self.listed.values())
        assert all(0 <= self.free[line] <= units for line, units in self.listed.items())

    @invariant()
    def one_live_offer_per_pair_and_it_is_the_last(self) -> None:
        for talk in self.talks:
            assert all(m.state is not State.LIVE for m in talk.moves[:-1])
            assert talk.live is None or self.stock.covers(talk.live.bid)

    @invariant()
    def at_most_six_moves(self) -> None:
        assert all(len(t.moves) <= 6 for t in self.talks)

    @invariant()
    def totals_are_monotone_for_the_same_goods_and_no_price_is_above_its_ask(self) -> None:
        for talk in self.talks:
            for i, later in enumerate(talk.moves):
                assert Money(0, "EUR") < later.price
                assert all(x.price <= talk.terms.ask_of(x.id) for x in later.lines) or later.price <= talk.terms.ask
                assert abs(2 * (later.total.minor - later.price.minor * later.quantity)) <= later.quantity
                for earlier in talk.moves[:i]:
                    if earlier.by == later.by and _goods(earlier) == _goods(later):
                        up, down = (earlier, later) if later.by == talk.buyer else (later, earlier)
                        assert up.total <= down.total

    @invariant()
    def nobody_moves_twice_while_waiting_for_an_answer(self) -> None:
        for talk in self.talks:
            for earlier, later in zip(talk.moves, talk.moves[1:], strict=False):
                if earlier.state is State.COUNTERED:
                    assert earlier.by != later.by
                else:
                    assert earlier.state in (State.REFUSED, State.WITHDRAWN, State.EXPIRED, State.UNAVAILABLE)
                    assert later.by == talk.buyer, "only the buyer reopens"

    def teardown(self) -> None:
        """Every path ends: left alone, each talk comes to a state that no clock will change."""
        self.now += 3 * DAY
        for talk in getattr(self, "talks", []):
            ended = talks.as_it_stands(talk, self.now)
            self.outcomes.update(m.state for m in ended.moves)
            assert ended.live is None
            assert talks.as_it_stands(ended, self.now + 1000 * DAY) == ended


def _told(act: Callable[[Talk], Talk], talk: Talk) -> object:
    """All that whoever acts is told: the moves as they then stand, or why not."""
    try:
        return act(talk).moves
    except DomainError as refusal:
        every = refusal.refusals if isinstance(refusal, Several) else [refusal]
        return [(type(one), one.field, one.details) for one in every]


def without_thresholds(talk: Talk) -> Talk:
    return replace(talk, terms=replace(talk.terms, floor=None, auto_accept=None))


def _goods(move: talks.Move) -> object:
    return [(line.id, line.quantity) for line in move.lines] or move.quantity


def price_of(by_buyer: bool, closer: int, ask: int) -> int:
    return ask * (600 + 2 * closer if by_buyer else 1000 - 2 * closer) // 1000
