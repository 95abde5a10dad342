"""What an acceptance costs the database: statements really sent, whatever the number of competitors."""

import asyncio
from collections import Counter

import pytest
from asyncpg.connection import LoggedQuery

from exchange.database import fetch, transaction
from exchange.offers.rules.bids import Bid
from tests.offers.stage import euros, staged
from tests.offers.test_lines import bid, lines_on, offered, taken

pytestmark = pytest.mark.usefixtures("db")
AT_MOST = 8
"""Statements between BEGIN and COMMIT, which the surrounding transaction of the test sends (issue 3, "how fast")."""


@pytest.mark.parametrize(("competitors", "named"), [(1, False), (30, False), (30, True)])
async def test_an_acceptance_is_eight_statements_at_most_however_many_compete(competitors: int, named: bool) -> None:
    first = await staged()
    await first.accept(await first.offer())  # asyncpg looks an array type up once in a connection's life
    stage = await staged(units=100)
    wanted = bid(*((line, 30, "8") for line in await lines_on(stage))) if named else Bid(euros("8"), 60)
    talk = await offered(stage, wanted)
    for n in range(competitors):
        await stage.offer(quantity=50 if n % 3 == 0 else 40, by=await stage.another_buyer())
    sent: list[str] = []

    def note(query: LoggedQuery) -> None:
        sent.append(query.query)

    async with transaction() as tx:
        tx.connection.add_query_logger(note)
        await taken(stage, talk, wanted)  # below the ask: the seller's answer on his cost is one of the eight
        await asyncio.sleep(0)  # the notes come with the loop's next turn
        tx.connection.remove_query_logger(note)

    assert len(sent) <= AT_MOST, "\n".join(sent)
    assert "insert into journal_entry" in sent[-2], "and the last one queues the jobs: all eight were seen"
    rows = await fetch("select state from negotiation where lot_id = $1", stage.lot_id)
    states = Counter(r["state"] for r in rows)
    ended = -(-competitors // 3)
    assert states == Counter(agreed=1, unavailable=ended, live=competitors - ended)
    told = {r["entrypoint"] for r in await fetch("select entrypoint from pgqueuer")}
    assert told >= {"negotiation.agreed", "offers.uncovered"}
    assert any("cost_statement" in sql for sql in sent)
