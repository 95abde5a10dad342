"""Whatever buyer, seller, bank, operator and the payment service do in whatever order: the books say what happened.

Ledger, balance and the sum of all balance transactions are one; nobody is given twice what came in once; once nothing
is left to be done every account holds what the payment service and the deal's terms say, each receiver has its share
and the exchange its commission; news, calls and comparisons that are repeated change nothing.
"""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from exchange.actor import Role
from exchange.clock import frozen, now
from exchange.database import execute, fetch, fetchval
from exchange.errors import DomainError
from exchange.money import Money
from exchange.settlement import stripe_gateway
from exchange.settlement.actions import deals, events, operations, payments, reconcile, recourse, sellers
from exchange.settlement.queries.deals import any_deal
from exchange.settlement.queries.money import unrefunded
from exchange.settlement.rules.books import Account
from exchange.settlement.rules.deal import ended_as
from exchange.settlement.stripe_gateway import Dispute, Moved, Refund
from tests.conftest import _empty
from tests.factories import make_person
from tests.settlement.conftest import agree, balance, onboarded, open_account, paid, work
from tests.settlement.fakes import FEE, FakeGateway

PLACE = st.integers(0, 3)
AMOUNT = st.sampled_from([1, 33_33, 60_00, 120_00])
OPERATIONS = st.one_of(
    st.tuples(st.sampled_from(["pay_twice", "receive", "cancel", "debtors"])),
    st.tuples(st.sampled_from(["explain", "otherwise", "again"])),
    st.tuples(st.just("judge"), st.sampled_from([33_33, 60_01])),
    st.tuples(st.just("account"), st.booleans()),
    st.tuples(st.just("refund"), AMOUNT),
    st.tuples(st.just("hand"), PLACE, AMOUNT, st.sampled_from(["re", "pyr"])),
    st.tuples(st.just("bounce"), PLACE),
    st.tuples(st.just("refuse"), st.sampled_from(["refund", "reversal"]), st.booleans()),
    st.tuples(st.just("dispute"), PLACE, AMOUNT, st.sampled_from(["needs_response", "won", "lost", "lost"])),
    st.tuples(st.just("decide"), PLACE, st.sampled_from(["won", "lost"])),
    st.tuples(st.just("topup"), PLACE, AMOUNT, st.sampled_from(["topup", "topup_reversal"])),
    st.tuples(st.just("payout"), PLACE, AMOUNT, st.sampled_from(["payout", "payout_failure", "payout_cancel"])),
)


class Play:
    """One deal of 120.12, paid, of which the seller gives a third away, and all that happens to its money."""

    async def begin(self) -> None:
        self.gateway = FakeGateway()
        stripe_gateway.use(self.gateway)
        self.chief = (await make_person(role=Role.OPERATOR)).actor
        self.deal = await agree(unit_minor=10_01)
        friend = await make_person(role=Role.OWNER)
        assert friend.company
        await execute(
            "insert into release_leg (id, deal_id, lot_id, company_id, rank, weight, currency, state) "
            "select gen_random_uuid(), deal_id, lot_id, $1, 1, 1, currency, 'planned' from release_leg",
            friend.company.id,
        )
        await execute("update release_leg set weight = 2 where rank = 0")
        await open_account(friend, self.gateway)
        self.seller_account = await onboarded(self.deal, self.gateway)
        await paid(self.deal, self.gateway)
        self.paid_otherwise = 0

    async def do(self, name: str, *how: Any) -> None:
        with suppress(DomainError):  # a refusal is an answer
            await getattr(self, name)(*how)
        await work()
        await self.check()

    async def pay_twice(self) -> None:
        session_id = await self.deal.session_id()
        await payments.come_back(deal_id=self.deal.deal_id, session_id=session_id, by=self.deal.buyer.actor)
        if len(self.gateway.charges) == 1:
            await execute(
                "insert into payment (id, obligation_id, deal_id, lot_id, state, session_id, currency, received_minor, "
                "arrived_minor, expires_at, livemode, created_at) select gen_random_uuid(), obligation_id, deal_id, "
                "lot_id, 'expired', 'cs_twice', currency, 0, 0, expires_at, false, created_at from payment"
            )
            self.gateway.sessions["cs_twice"] = replace(
                self.gateway.sessions[session_id], id="cs_twice", status="open", paid=False, charge=None
            )
            self.gateway.pays("cs_twice")
            await payments.refresh(await fetchval("select id from payment where session_id = 'cs_twice'"))

    async def receive(self) -> None:
        await deals.ship(deal_id=self.deal.deal_id, carrier="G", tracking="1", by=self.deal.seller.actor)
        await deals.receive(deal_id=self.deal.deal_id, by=self.deal.buyer.actor)

    async def judge(self, minor: int) -> None:
        await deals.decide(
            deal_id=self.deal.deal_id, refund=Money(minor, "EUR"), reasons="both are right", by=self.chief
        )

    async def account(self, active: bool) -> None:
        self.gateway.onboards(self.seller_account, "active" if active else "restricted")
        assert self.deal.seller.company
        await sellers.look_at_account(self.deal.seller.company.id)

    async def cancel(self) -> None:
        for side in (self.deal.buyer, self.deal.seller):
            await deals.cancel(deal_id=self.deal.deal_id, by=side.actor)

    async def refund(self, minor: int) -> None:
        await recourse.refund_released(deal_id=self.deal.deal_id, refund=Money(minor, "EUR"), by=self.chief)

    async def again(self) -> None:
        await recourse.refund_again(deal_id=self.deal.deal_id, by=self.chief)

    async def debtors(self) -> None:
        await recourse.ask_again()

    async def otherwise(self) -> None:
        await self.explain()
        left = await unrefunded(await any_deal(self.deal.deal_id))
        owed = left.returned + left.refused
        await recourse.pay_otherwise(deal_id=self.deal.deal_id, amount=owed, reference="VIR", by=self.chief)
        self.paid_otherwise += owed.minor

    async def hand(self, place: int, minor: int, prefix: str) -> None:
        charge = list(self.gateway.charges)[place % len(self.gateway.charges)]
        if minor <= self.left(charge) - self.paid_otherwise:
            made = Refund(self.gateway.id(prefix), "succeeded", Money(minor, "EUR"), None, charge)
            self.gateway.refunds[made.id] = made
            self.gateway._move(made.id, "refund", -made.amount)

    async def bounce(self, place: int) -> None:
        arrived = [refund for refund in self.gateway.refunds.values() if refund.status == "succeeded"]
        if arrived:
            refund = arrived[place % len(arrived)]
            self.gateway.refunds[refund.id] = replace(refund, status="failed")
            self.gateway._move(refund.id, "refund_failure", refund.amount)
            await events.take_in(self.gateway.event("refund.failed", {"id": refund.id}), "webhook")

    async def refuse(self, kind: str, yes: bool) -> None:
        if yes:
            self.gateway.refuses[kind] = "refused"
        else:
            self.gateway.refuses.pop(kind, None)

    async def dispute(self, place: int, minor: int, status: str) -> None:
        charge = list(self.gateway.charges)[place % len(self.gateway.charges)]
        known = [each for each in self.gateway.disputes.values() if each.charge_id == charge]
        name, amount = f"dp_{charge}_{len(known)}", Money(min(minor, self.left(charge) - self.paid_otherwise), "EUR")
        if len(known) < 2 and amount.minor > 0:
            moved = Moved(self.gateway.id("txn"), -amount, Money(20_00, "EUR"))
            self.gateway._move(name, "adjustment", -amount - Money(20_00, "EUR"))
            self.gateway.disputes[name] = Dispute(name, "needs_response", amount, charge, (moved,))
            await events.take_in(self.gateway.event("charge.dispute.created", {"id": name}), "webhook")
            await work()
            if status != "needs_response":
                await self.decide(list(self.gateway.disputes).index(name), status)

    async def decide(self, place: int, status: str) -> None:
        for name, found in list(self.gateway.disputes.items())[place:][:1]:
            if found.status == "needs_response":
                moved = found.moved
                if status == "won":
                    moved += (Moved(self.gateway.id("txn"), found.amount, Money(0, "EUR")),)
                    self.gateway._move(name, "adjustment", found.amount)
                self.gateway.disputes[name] = replace(found, status=status, moved=moved)
                await events.take_in(self.gateway.event("charge.dispute.closed", {"id": name}), "webhook")

    async def topup(self, place: int, minor: int, kind: str) -> None:
        amount = Money(minor, "EUR")
        self.gateway._move(f"tu_{place}", kind, amount if kind == "topup" else -amount)

    async def payout(self, place: int, minor: int, kind: str) -> None:
        amount = Money(minor, "EUR")
        self.gateway.pays_out(None, amount, "failed", "account_closed", name=f"po_{place}")
        self.gateway._move(f"po_{place}", kind, -amount if kind == "payout" else amount)

    async def explain(self) -> None:
        """The operator says of every difference that it was done by hand."""
        with frozen(now() + timedelta(minutes=10)):
            for _ in range(9):
                result = await reconcile.match_books()
                if result.agreed:
                    return
                found = result.differences[0]
                assert self.gateway.refunds[found.source].operation_id is None, "what is our own explains itself"
                await reconcile.explain(source=found.source, currency="EUR", by=self.chief)
        raise AssertionError("the books never agree")

    def left(self, charge: str) -> int:
        """What of a charge neither a refund nor a dispute that is not won has given back."""
        back = sum(
            r.amount.minor for r in self.gateway.refunds.values() if (r.charge_id, r.status) == (charge, "succeeded")
        )
        taken = sum(
            d.amount.minor for d in self.gateway.disputes.values() if d.charge_id == charge and d.status != "won"
        )
        return self.gateway.charges[charge].amount.minor - back - taken

    async def check(self) -> None:
        """Nobody was given twice what came in once."""
        assert sum(self.left(charge) for charge in self.gateway.charges) >= self.paid_otherwise

    async def come_to_rest(self) -> None:
        """Nothing is in the way any more: banks decide, accounts can be paid, the operator does what waits for it."""
        self.gateway.refuses.clear()
        self.gateway.empty.clear()
        for place in range(len(self.gateway.disputes)):
            await self.do("decide", place, "won")
        await self.do("account", True)
        if not (await any_deal(self.deal.deal_id)).state.final:
            await self.do("receive")
            await self.do("judge", 33_33)
        for deed in ("debtors", "otherwise", "explain"):
            await self.do(deed)

    async def shared_out(self) -> None:
        """Each account, receiver and bank has what the payment service moved and the terms give it."""
        books, deal = await balance(), await any_deal(self.deal.deal_id)
        assert deal.state is ended_as(deal.terms.total.minor, deal.refund.minor)
        for empty in (Account.HELD, Account.SURPLUS, Account.DISPUTED, Account.LOSSES, Account.RECEIVABLE):
            assert not books.get(empty), empty
        disputes = list(self.gateway.disputes.values())
        assert books[Account.FEES] == FEE * len(self.gateway.charges) + 20_00 * len(disputes)
        own = sum(movement.net_minor for _, movement in self.gateway.moved if movement.source.startswith(("tu", "po")))
        assert books.get(Account.BANK, 0) == -own - self.paid_otherwise
        assert sum(self.left(c) for c in self.gateway.charges) - self.paid_otherwise + books.get(
            Account.EXTERNAL, 0
        ) == (deal.terms.total.minor - deal.refund.minor), (
            "the buyer has what its refund says, and what hands gave it beside"
        )
        parts = [0, 0]
        for sent in self.gateway.transfers.values():
            parts[sent.destination != self.seller_account] += sent.amount.minor
        for transfer, minor, _ in self.gateway.reversals.values():
            parts[self.gateway.transfers[transfer].destination != self.seller_account] -= minor
        earned = [-books.get(account, 0) for account in (Account.COMMISSION, Account.VAT)]
        assert sum(parts) + sum(earned) == deal.terms.total.minor - deal.refund.minor
        # exact where the money was shared out once; each time a part comes back rounds each share anew
        again = await fetchval(
            "select (select count(*) from refund where reason = 'released') + "
            "(select count(*) from dispute where taken_back)"
        )
        terms, left = deal.terms, deal.terms.total.minor - deal.refund.minor
        for share, whole in zip(earned, (terms.commission.minor, terms.commission_vat.minor), strict=True):
            assert -again <= share - whole * left // terms.total.minor <= again
        seller, friend = Money(left - sum(earned), "EUR").allocate([2, 1])
        assert abs(parts[0] - seller.minor) <= again
        assert abs(parts[1] - friend.minor) <= again

    async def end(self) -> None:
        await self.explain()
        await work()
        await self.explain()
        await self.come_to_rest()
        await self.shared_out()
        stripe = await fetchval("select sum(amount_minor) from ledger_entry where account = 'stripe'")
        assert stripe == sum(movement.net_minor for _, movement in self.gateway.moved)
        assert not await fetchval("select sum(amount_minor) from ledger_entry")
        by_hand = await fetchval("select coalesce(sum(amount_minor), 0) from ledger_entry where account = 'external'")
        assert by_hand >= 0, "what was given by hand and came back is owed again"
        before = await self.books()
        for news in self.gateway.news:
            await events.take_in(news, "poll")
            await events.handle(await fetchval("select id from stripe_event where event_id = $1", news.id))
        for row in await fetch("select id from stripe_operation where state = 'done'"):
            await operations.drive(row["id"])
        await reconcile.poll_objects()
        await work()
        await self.explain()
        assert await self.books() == before, "what is repeated changes nothing"

    async def books(self) -> list[tuple[Any, ...]]:
        rows = await fetch("select posting_id, account, amount_minor from ledger_entry order by id")
        return [tuple(row) for row in rows]


async def play(url: str, happens: list[tuple[Any, ...]]) -> None:
    await _empty(url)
    game = Play()
    await game.begin()
    for name, *how in happens:
        await game.do(name, *how)
    await game.end()


async def test_the_books_agree_whatever_happens(committed: None, database_url: str) -> None:
    """[36] [46] [47]"""
    loop = asyncio.get_running_loop()

    @settings(
        max_examples=settings().max_examples // 3,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(st.lists(OPERATIONS, min_size=8, max_size=20))
    def run(happens: list[tuple[Any, ...]]) -> None:
        asyncio.run_coroutine_threadsafe(play(database_url, happens), loop).result()

    try:
        await asyncio.to_thread(run)
    finally:
        stripe_gateway.use(None)
