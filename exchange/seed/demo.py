"""The two markets there are, the demo's and a shop window to load, and how their steps are spread over processes."""

import asyncio
import gc
import logging
import multiprocessing
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.forkserver import ensure_running
from multiprocessing.process import BaseProcess
from queue import Empty
from time import perf_counter

import uvloop
from rich.console import Console

from exchange.database import close_pool, migrate, open_pool, transaction
from exchange.embedded import die_with_parent
from exchange.errors import N_, Unavailable
from exchange.jobs import load_handlers
from exchange.seed.joining import bring_in
from exchange.seed.marks import mark, marks, whole
from exchange.seed.past import quarter_step, think
from exchange.seed.pictures import hang
from exchange.seed.progress import News, Progress, Screen, Told
from exchange.seed.releases import publish
from exchange.seed.replay import play
from exchange.seed.shop_window import fill, shop
from exchange.seed.steps import Market, Scale, Step, begin, take, until_done
from exchange.seed.writing import look_over_all
from exchange.settlement.actions.standing import draw_bands

_strands = multiprocessing.get_context("forkserver")

COMPANIES = Step("companies", "Companies and their people", bring_in)
PICTURES = Step("pictures", "Photographs", hang)
TALKS = Step("talks", "Talks and deals under way", play, whole=False, ahead=shop)
RELEASES = Step("releases", "Published figures", publish, whole=False)


class Interrupted(Unavailable):
    """A part of the seed died."""

    message = N_("The seed was interrupted. Start it again: it goes on where it stopped.")


@dataclass(frozen=True, slots=True)
class Layout:
    """What is done first, and the strands that may then be done at the same time."""

    first: Sequence[Step]
    strands: Mapping[str, Sequence[Step]]

    @property
    def steps(self) -> list[Step]:
        """All, in an order that works without a second process."""
        return [*self.first, *(step for strand in self.strands.values() for step in strand)]


def demo(scale: Scale) -> Layout:
    """The demo's market: its past, every other quarter by itself, beside its present.

    Figures are published as the past appears. The lots come first, and with them nearly every word lots are found by:
    the strands would wait for one another's new words.
    """
    past = [
        Step(
            f"quarter {n}", f"Past trade, quarter {n} of {scale.quarters}", quarter_step(n - 1, stride=2),
            ahead=partial(think, index=n - 1),
        )
        for n in range(1, scale.quarters + 1)
    ]  # fmt: skip
    strands = {
        "odd quarters": past[0::2],
        "even quarters": [*past[1::2], _statistics(scale)],
        "present": [TALKS, PICTURES],
        "figures": [RELEASES],
    }
    return Layout([COMPANIES, _lots(scale)], strands)


def load(scale: Scale) -> Layout:
    """Companies and open lots, nothing else."""
    return Layout([COMPANIES], {"present": [_lots(scale), _statistics(scale)]})


def _lots(scale: Scale) -> Step:
    return Step(whole(scale.lots), "Lots on sale", fill)


def _statistics(scale: Scale) -> Step:
    """Once for each size a market grows to."""
    return Step(f"{whole(scale.lots)}, statistics", "Statistics", look_over_all, whole=False)


LAYOUTS: Mapping[str, Callable[[Scale], Layout]] = {"demo": demo, "load": load}


async def lay_out(layout: Layout, market: Market, progress: Progress) -> None:
    """Every step in this process."""
    await take(layout.steps, market, progress)


async def plant(*, lots: int | None, number: int) -> None:
    """What `exchange seed` does: the demo's market, or only ``lots`` open lots; tells the terminal how it goes.

    Raises MigrationFailed, NotEmpty, OtherMarket, Interrupted.
    """
    kind, scale = ("demo", Scale()) if lots is None else ("load", replace(Scale(), lots=lots))
    layout, console, began = LAYOUTS[kind](scale), Console(), perf_counter()
    _strands.set_forkserver_preload([__name__])
    ensure_running()  # it imports everything once, for all strands, while the first steps are taken
    await migrate()
    await open_pool(size=2)
    try:
        market = await begin(number, scale)
        with Screen(console) as screen:
            await _take(kind, layout, market, screen)
        if whole(lots) not in await marks():
            await draw_bands()
            async with transaction():
                await mark(whole(lots), number, market.today)
    finally:
        await close_pool()
    console.print(f"The market is laid out ({perf_counter() - began:.0f} s).", highlight=False)


async def _take(kind: str, layout: Layout, market: Market, screen: Screen) -> None:
    """Each strand in a process of its own, which thinks while the first steps are taken here; the first that dies ends
    the others.
    """
    news: multiprocessing.Queue[News] = _strands.Queue()
    processes: list[BaseProcess] = [
        _strands.Process(target=_strand, args=(kind, name, market, news), daemon=True) for name in layout.strands
    ]
    first = asyncio.ensure_future(take(layout.first, market, Told("first", screen.show)))
    try:
        for process in processes:
            await asyncio.to_thread(process.start)  # waits for the imports of the process they are forked from
        while any(process.is_alive() for process in processes):
            _show(news, screen)
            if any(process.exitcode for process in processes):
                raise Interrupted
            if first.done():
                first.result()
            await asyncio.sleep(0.1)
        _show(news, screen)
        if any(process.exitcode for process in processes):
            raise Interrupted
    finally:
        first.cancel()
        for process in processes:
            if process.pid is not None:
                process.terminate()


def _show(news: "multiprocessing.Queue[News]", screen: Screen) -> None:
    while True:
        try:
            screen.show(news.get_nowait())
        except Empty:
            return


def _strand(kind: str, name: str, market: Market, news: "multiprocessing.Queue[News]") -> None:
    """One strand, in its own process, which ends with the one that started it and by its hand."""
    die_with_parent(signal.SIGTERM)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()  # a strand makes millions of rows, no circles worth looking for, and ends
    uvloop.run(_take_strand(LAYOUTS[kind](market.scale), name, market, Told(name, news.put)))


async def _take_strand(layout: Layout, name: str, market: Market, progress: Progress) -> None:
    steps = layout.strands[name]
    if ahead := steps[0].ahead:
        ahead(market)
    load_handlers()
    logging.getLogger("exchange").setLevel(logging.CRITICAL)  # the alarms of the play's own deals wake nobody
    # nobody waits for the disk at each commit: the last one, by the process that started this one, covers them all
    await open_pool(size=2, server_settings={"synchronous_commit": "off"})
    try:
        await until_done(layout.first[-1].name)
        await take(steps, market, progress)
    finally:
        await close_pool()
