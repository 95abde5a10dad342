"""How a market is written: step by step, each whole or not at all, and what was done is remembered."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property

from exchange import clock
from exchange.database import fetch, fetchval, transaction
from exchange.errors import N_, Conflict
from exchange.journal.actions import record
from exchange.seed.chance import named_id
from exchange.seed.companies import Society, society
from exchange.seed.progress import Progress

_MARKET = named_id(0, "the market of this database")


class NotEmpty(Conflict):
    """Somebody uses this database already."""

    message = N_("This database holds companies that no seed made. A play market is only laid out in an empty one.")


class OtherMarket(Conflict):
    """Another number was sown here."""

    message = N_("This database already holds market number %(number)s. Use another database for another market.")


@dataclass(frozen=True)
class Market:
    """The market of one number, laid around one day, at one scale."""

    number: int
    today: date
    scale: "Scale"

    @cached_property
    def society(self) -> Society:
        return society(self.number)

    @property
    def now(self) -> datetime:
        """The last instant of the market's past: what is open now was made before it."""
        return datetime(self.today.year, self.today.month, self.today.day, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Scale:
    """How much of everything. The defaults are the demo's (issue 2, point 2)."""

    quarters: int = 10
    trades: int = 4000
    """Settled trades a quarter."""
    releases: int = 8
    lots: int = 3000
    """Open lots."""
    pictured: int = 400
    """Of them with photographs."""
    wants: int = 60
    """Of others than the guests."""
    talks: int = 80
    """Talks under way or lately ended, besides the guests' own."""


@dataclass(frozen=True, slots=True)
class Step:
    """One part. ``whole`` ones run in one transaction; others see to it themselves that they can be resumed."""

    name: str
    title: str
    work: Callable[[Market, Progress], Awaitable[None]]
    whole: bool = True


async def begin(number: int, scale: Scale) -> Market:
    """The market this database holds, or will hold. Raises NotEmpty, OtherMarket."""
    seen = await _seen()
    if not seen and await fetchval("select exists (select from company)"):
        raise NotEmpty
    sown, today = next(iter(seen.values()), (number, clock.now().date()))
    if sown != number:
        raise OtherMarket(number=sown)
    return Market(number, today, scale)


async def waiting(steps: Sequence[Step]) -> list[Step]:
    """The steps this database has not seen."""
    seen = await _seen()
    return [step for step in steps if step.name not in seen]


async def take(steps: Sequence[Step], market: Market, progress: Progress) -> None:
    """Run the steps this database has not seen, one after the other."""
    for step in await waiting(steps):
        with progress.step(step.title):
            if step.whole:
                async with transaction():
                    await step.work(market, progress)
                    await _remember(step, market)
            else:
                await step.work(market, progress)
                async with transaction():
                    await _remember(step, market)


async def until_done(name: str) -> None:
    """Wait for a step that another process takes."""
    while name not in await _seen():  # noqa: ASYNC110 - what is awaited happens in the database
        await asyncio.sleep(0.2)


async def _seen() -> dict[str, tuple[int, date]]:
    """The steps done, with the market's number and the day it was laid around."""
    rows = await fetch("select fact, details from journal_entry where subject_id = $1 order by id", _MARKET)
    told = {row["fact"].removeprefix("seed."): json.loads(row["details"]) for row in rows}
    return {step: (details["number"], date.fromisoformat(details["today"])) for step, details in told.items()}


async def _remember(step: Step, market: Market) -> None:
    await record(None, f"seed.{step.name}", _MARKET, number=market.number, today=market.today.isoformat())
