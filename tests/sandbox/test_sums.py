"""Random operations, refused or not: the sums agree after every one, and replaying changes nothing."""

import asyncio
import os
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange.sandbox import faults
from exchange.sandbox.config import SandboxSettings
from exchange.sandbox.errors import Refusal
from exchange.sandbox.objects import accounts_v1, balance, disputes, payouts
from exchange.sandbox.protocol.calls import answer
from exchange.sandbox.protocol.messages import Call
from exchange.sandbox.protocol.parameters import Retrieve
from exchange.sandbox.store import Books
from tests.conftest import fresh_database
from tests.sandbox.kept import KEY, forget

AMOUNTS = st.integers(1, 60_00)
PLACE = st.integers(0, 5)
OPERATIONS = st.one_of(
    st.tuples(st.just("pay"), st.sampled_from(["pm_card_visa", "pm_card_bypassPending", "pm_card_chargeDeclined",
              "pm_card_refundFail", "pm_card_pendingRefund", "pm_card_createDispute"]), st.integers(50, 60_00)),
    st.tuples(st.just("debit"), st.sampled_from(["AT611904300234573201", "AT861904300235473202",
              "AT591904300235473203"]), st.integers(50, 60_00)),
    st.tuples(st.just("refund"), PLACE, AMOUNTS),
    st.tuples(st.just("end"), PLACE, st.sampled_from(["succeeded", "failed"])),
    st.tuples(st.just("undo"), PLACE, st.sampled_from(["canceled", "failed"])),
    st.tuples(st.just("transfer"), PLACE, AMOUNTS),
    st.tuples(st.just("reverse"), PLACE, AMOUNTS),
    st.tuples(st.just("dispute"), PLACE, st.booleans()),
    st.tuples(st.just("decide"), PLACE, st.booleans()),
    st.tuples(st.just("payout"), PLACE, AMOUNTS),
    st.tuples(st.just("topup"), PLACE, AMOUNTS),
    st.tuples(st.just("wait"), st.sampled_from([5, 86_400, 3 * 86_400, 10 * 86_400]), st.none()),
)  # fmt: skip


class Play:
    """One run of operations through the protocol, over the same books."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.calls: list[tuple[Call, int, bytes]] = []

    async def call(self, path: str, **form: Any) -> None:
        body = "&".join(f"{name}={value}" for name, value in form.items()).encode()
        headers = {"authorization": f"Bearer {KEY}", "idempotency-key": f"key-{len(self.calls)}"}
        sent = Call("POST", path, "", body, headers)
        got = await answer(self.books, sent)
        assert got.status in {200, 400, 402}, got.body
        self.calls.append((sent, got.status, got.body))

    async def ids(self, kind: str) -> list[str]:
        async with self.books.reading() as world:
            return [doc["id"] for doc in await world.select(kind, "account is null")]

    async def one(self, kind: str, place: int) -> str | None:
        found = await self.ids(kind)
        return found[place % len(found)] if found else None

    async def do(self, operation: tuple[Any, ...], seller: str) -> None:
        name, first, second = operation
        if name == "pay":
            await self.call("/v1/payment_intents", amount=second, currency="eur", payment_method=first, confirm="true")
        elif name == "debit":
            await self.call("/v1/payment_intents", amount=second, currency="eur", confirm="true", **{
                "payment_method_data[type]": "sepa_debit", "payment_method_data[sepa_debit][iban]": first,
                "payment_method_data[billing_details][name]": "B",
                "payment_method_data[billing_details][email]": "b@x.test",
                "mandate_data[customer_acceptance][type]": "offline",
            })  # fmt: skip
        elif name == "refund" and (charge := await self.one("charge", first)):
            await self.call("/v1/refunds", charge=charge, amount=second)
        elif name == "transfer" and (charge := await self.one("charge", first)):
            await self.call("/v1/transfers", amount=second, currency="eur", destination=seller,
                            source_transaction=charge)  # fmt: skip
        elif name == "reverse" and (transfer := await self.one("transfer", first)):
            await self.call(f"/v1/transfers/{transfer}/reversals", amount=second)
        elif name == "payout":
            await self.call("/v1/payouts", amount=second, currency="eur")
        elif name == "topup":
            await self.call("/v1/topups", amount=second, currency="eur")
        elif name == "wait":
            await faults.advance(self.books, faults.Advance(seconds=first))
        elif name in {"dispute", "decide", "end", "undo"}:
            await self.bank(name, first, second)

    async def bank(self, name: str, place: int, how: Any) -> None:
        try:
            async with self.books.writing() as world:
                if name == "dispute" and (charge := await self.one("charge", place)):
                    await disputes.open_dispute(world, await world.known(charge), inquiry=how)
                elif name == "decide" and (dispute := await self.one("dispute", place)):
                    await disputes.decide(world, dispute, won=how)
                elif name == "end" and (refund := await self.one("refund", place)):
                    await faults.end_refund(world, faults.RefundEnd(refund=refund, status=how))
                elif name == "undo" and (payout := await self.one("payout", place)):
                    if how == "failed":
                        await faults.fail_payout(world, faults.Payout(payout=payout))
                    else:
                        await payouts.cancel_payout(world, Retrieve(), payout)
        except Refusal:
            pass


async def check(books: Books, seller: str) -> list[tuple[str, int]]:
    """The invariants; returns the sum of each account's books."""
    async with books.reading() as world:
        sums = []
        for account in (None, seller):
            moved = await world.select("balance_transaction", "account is not distinct from $2", account)
            free, held = (await balance.funds(world, account)).get("eur", (0, 0))
            assert free + held == sum(doc["amount"] - doc["fee"] for doc in moved)
            assert all(doc["net"] == doc["amount"] - doc["fee"] for doc in moved)
            sums.append((str(account), free + held))
        charges = await world.select("charge", "account is null")
        transfers = await world.select("transfer")
        refunds = await world.select("refund", "account is null")
        for charge in charges:
            returned = sum(r["amount"] for r in refunds if r["charge"] == charge["id"] and r["status"] != "failed")
            assert returned == charge["amount_refunded"] <= charge["amount_captured"]
            sent = [t for t in transfers if t["source_transaction"] == charge["id"]]
            assert sum(t["amount"] - t["amount_reversed"] for t in sent) <= charge["amount_captured"]
        for transfer in transfers:
            back = await world.select("transfer_reversal", "doc->>'transfer' = $2", transfer["id"])
            assert sum(r["amount"] for r in back) == transfer["amount_reversed"] <= transfer["amount"]
        return sums


async def play(url: str, operations: list[tuple[Any, ...]]) -> None:
    books = Books(SandboxSettings(database_url=url, secret_key=KEY))
    await books.open()
    await forget(books)
    try:
        async with books.writing() as world:
            seller = (await accounts_v1.create_account_v1(world, accounts_v1.AccountCreateV1()))["id"]
        game = Play(books)
        for operation in operations:
            await game.do(operation, seller)
            sums = await check(books, seller)
        dead = {i for i, (_, status, _) in enumerate(game.calls) if status == 400}  # may be parameters: not remembered
        if not any(name == "wait" and seconds >= 86_400 for name, seconds, _ in operations):
            for index, (sent, status, body) in enumerate(game.calls):
                again = await answer(books, sent)
                assert (again.status, again.body) == (status, body) or index in dead
            assert await check(books, seller) == sums
    finally:
        await books.close()


def test_the_sums_agree_whatever_is_done() -> None:
    own = fresh_database(f"sums_{os.getpid()}")  # a running sandbox keeps no turns with a loop of this test's own

    @settings(
        max_examples=settings().max_examples,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        derandomize=True,
    )
    @given(st.lists(OPERATIONS, min_size=5, max_size=25))
    def run(operations: list[tuple[Any, ...]]) -> None:
        asyncio.run(play(own, operations))

    run()
