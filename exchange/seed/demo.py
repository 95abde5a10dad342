"""The two markets there are: the demo's, and many open lots for load tests."""

from dataclasses import replace

from rich.console import Console

from exchange.database import close_pool, open_pool
from exchange.seed.joining import bring_in
from exchange.seed.progress import progress_for
from exchange.seed.shop_window import fill
from exchange.seed.steps import Scale, Step, sow

COMPANIES = Step("companies", "Companies and their people", bring_in)
LOTS = Step("lots", "Lots on sale", fill)

DEMO = (COMPANIES, LOTS)
LOAD = (COMPANIES, LOTS)


async def plant(*, lots: int | None, number: int) -> None:
    """What `exchange seed` does: the demo's market, or only ``lots`` open lots; tells the terminal how it goes."""
    console = Console()
    await open_pool(size=4)
    try:
        if lots is None:
            sown = await sow(DEMO, number, Scale(), progress_for(console))
        else:
            sown = await sow(LOAD, number, replace(Scale(), lots=lots), progress_for(console))
    finally:
        await close_pool()
    console.print(
        f"The market is laid out ({sown.seconds:.0f} s)."
        if sown.done
        else "The market is there already; it is reused.",
        highlight=False,
    )
