"""How a market is written: step by step, each whole or not at all, and what was done is remembered."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from exchange import clock
from exchange.database import fetchval, transaction
from exchange.errors import N_, Conflict
from exchange.seed.companies import Society, society
from exchange.seed.marks import mark, marks
from exchange.seed.progress import Progress


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

    @property
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
    pictured: int = 3
    """Of how many of them one has photographs; the guests' all have."""
    wants: int = 60
    """Of others than the guests."""
    talks: int = 60
    """Talks under way or lately ended, besides the guests' own."""


@dataclass(frozen=True, slots=True)
class Step:
    """One part. ``whole`` ones run in one transaction; others see to it themselves that they can be resumed."""

    name: str
    title: str
    work: Callable[[Market, Progress], Awaitable[None]]
    whole: bool = True
    ahead: Callable[[Market], object] | None = None
    """What a strand that begins with this step thinks up, and keeps, before the market is ready to be written in."""


async def begin(number: int, scale: Scale) -> Market:
    """The market this database holds, or will hold. Raises NotEmpty, OtherMarket."""
    seen = await marks()
    if not seen and await fetchval("select exists (select from company)"):
        raise NotEmpty
    sown, today = next(iter(seen.values()), (number, clock.now().date()))
    if sown != number:
        raise OtherMarket(number=sown)
    return Market(number, today, scale)


async def waiting(steps: Sequence[Step]) -> list[Step]:
    """The steps this database has not seen."""
    seen = await marks()
    return [step for step in steps if step.name not in seen]


async def take(steps: Sequence[Step], market: Market, progress: Progress) -> None:
    """Run the steps this database has not seen, one after the other."""
    for step in await waiting(steps):
        with progress.step(step.title):
            if step.whole:
                async with transaction():
                    await step.work(market, progress)
                    await mark(step.name, market.number, market.today)
            else:
                await step.work(market, progress)
                async with transaction():
                    await mark(step.name, market.number, market.today)


async def until_done(name: str) -> None:
    """Wait for a step that another process takes."""
    while name not in await marks():  # noqa: ASYNC110 - what is awaited happens in the database
        await asyncio.sleep(0.2)
