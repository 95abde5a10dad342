"""What an act costs the database: statements really sent, whatever the number of competitors or of lots."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from asyncpg.connection import LoggedQuery

from exchange.database import fetch, fetchval, transaction
from exchange.offers.rules.bids import Bid
from exchange.offers.rules.requests import MOST_LOTS
from tests.offers.stage import euros, staged
from tests.offers.test_lines import bid, lines_on, offered, taken
from tests.offers.test_requests import ask, wanting

pytestmark = pytest.mark.usefixtures("db")
AT_MOST = 8
"""Statements between BEGIN and COMMIT, which the surrounding transaction of the test sends."""


@pytest.mark.parametrize(("competitors", "named"), [(1, False), (30, False), (30, True)])
async def test_an_acceptance_is_eight_statements_at_most_however_many_compete(competitors: int, named: bool) -> None:
    first = await staged()
    await first.accept(await first.offer())  # asyncpg looks an array type up once in a connection's life
    stage = await staged(units=100)
    wanted = bid(*((line, 30, "8") for line in await lines_on(stage))) if named else Bid(euros("8"), 60)
    talk = await offered(stage, wanted)
    for n in range(competitors):
        await stage.offer(quantity=50 if n % 3 == 0 else 40, by=await stage.another_buyer())
    async with noted() as sent:
        await taken(stage, talk, wanted)  # below the ask: the seller's answer on his cost is one of the eight
    assert len(sent) <= AT_MOST, "\n".join(sent)
    assert "insert into journal_entry" in sent[-2], "and the last one queues the jobs: all eight were seen"
    rows = await fetch("select state from negotiation where lot_id = $1", stage.lot_id)
    states = Counter(r["state"] for r in rows)
    ended = -(-competitors // 3)
    assert states == Counter(agreed=1, unavailable=ended, live=competitors - ended)
    told = {r["entrypoint"] for r in await fetch("select entrypoint from pgqueuer")}
    assert told >= {"negotiation.agreed", "offers.uncovered"}
    assert any("cost_statement" in sql for sql in sent)


async def test_asking_twenty_sellers_for_a_price_is_as_many_statements_as_asking_one() -> None:
    stages = [await staged() for _ in range(MOST_LOTS + 2)]
    buyer, counted = stages[0].buyer, []
    await ask(await wanting(buyer), buyer, stages.pop())  # asyncpg looks types up once in a connection's life
    for asked in (stages[:1], stages[1:]):
        want = await wanting(buyer)
        async with noted() as sent:
            outcome = await ask(want, buyer, *asked)
        assert [s.quantity for s in outcome] == [50] * len(asked)
        counted.append(len(sent))
    assert counted[0] == counted[1] < 15, "\n".join(sent)
    assert await fetchval("select count(*) from quote_request where state = 'asked'") == len(stages) + 1
    assert await fetchval("select count(*) from journal_entry where fact = 'quote.asked'") == len(stages) + 1
    assert await fetchval("select count(*) from pgqueuer where entrypoint = 'quote.asked'") == len(stages) + 1


@asynccontextmanager
async def noted() -> AsyncIterator[list[str]]:
    """The statements sent inside the block."""
    sent: list[str] = []

    def note(query: LoggedQuery) -> None:
        sent.append(query.query)

    async with transaction() as tx:
        tx.connection.add_query_logger(note)
        yield sent
        await asyncio.sleep(0)  # the notes come with the loop's next turn
        tx.connection.remove_query_logger(note)
