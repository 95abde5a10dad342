"""The rule that guards an acceptance and the statement that ends offers agree on what stock no longer covers."""

from collections import Counter
from contextlib import suppress
from datetime import timedelta
from random import Random
from uuid import UUID

import pytest

from exchange import clock
from exchange.clock import now
from exchange.database import fetch
from exchange.errors import DomainError
from exchange.offers.queries.talks import negotiation_to_end
from exchange.offers.rules.bids import Bid, Stock
from tests.factories import make_company, make_person
from tests.offers.stage import Stage, euros, staged
from tests.offers.test_lines import bid, lines_on, offered, taken

pytestmark = pytest.mark.usefixtures("db")


@pytest.mark.parametrize("seed", range(3))
async def test_an_agreement_ends_exactly_the_offers_that_the_rule_calls_uncovered(seed: int) -> None:
    chance, outcomes = Random(seed), Counter[str]()
    buyers = [await make_person(await make_company()) for _ in range(9)]
    for _ in range(4):
        stage, said, overdue = await staged(units=chance.randint(6, 40)), dict[UUID, Bid](), set[UUID]()
        for number, buyer in enumerate(buyers):
            wanted = await some(stage, chance)
            with clock.frozen(now() - timedelta(days=20 if number < 2 else 0)), suppress(DomainError):
                said[talk := await offered(stage, wanted, by=buyer)] = wanted
                overdue |= {talk} if number < 2 else set()
        agreed = max(said.keys() - overdue, key=lambda talk: (said[talk].quantity, talk))
        await taken(stage, agreed, said[agreed])
        left = await what_is_left(stage)
        for talk, wanted in said.items():
            if talk != agreed:
                expected = "live" if talk in overdue or left.covers(wanted) else "unavailable"
                assert await stage.state(talk) == expected
                outcomes[expected] += 1
            held = await negotiation_to_end(talk)
            assert held.stock.covers(wanted) == left.covers(wanted), "what the acceptance would be measured by"
    assert outcomes["live"] and outcomes["unavailable"]


async def some(stage: Stage, chance: Random) -> Bid:
    """Some of the lot as it comes, or some of one line or both."""
    lines = await lines_on(stage)
    units = (await what_is_left(stage)).units
    if chance.random() < 0.4:
        return Bid(euros("8"), chance.randint(1, units))
    named = chance.sample(lines, chance.randint(1, len(lines)))
    return bid(*((line, chance.randint(1, max(1, units // 3)), "8") for line in named))


async def what_is_left(stage: Stage) -> Stock:
    rows = await fetch("select id, quantity - reserved - sold as n from manifest_line where lot_id = $1", stage.lot_id)
    return Stock(await stage.left(), {r["id"]: r["n"] for r in rows})
