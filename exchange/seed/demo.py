"""The two markets there are: the demo's, and many open lots for load tests."""

import logging
from dataclasses import replace

from rich.console import Console

from exchange.database import close_pool, open_pool
from exchange.seed.joining import bring_in
from exchange.seed.past import quarter_step
from exchange.seed.progress import progress_for
from exchange.seed.releases import publish
from exchange.seed.replay import play
from exchange.seed.shop_window import fill
from exchange.seed.steps import Scale, Step, sow

COMPANIES = Step("companies", "Companies and their people", bring_in)
LOTS = Step("lots", "Lots on sale", fill)


def demo(scale: Scale) -> list[Step]:
    """The steps of the demo's market."""
    return [
        COMPANIES,
        *(
            Step(f"quarter {n}", f"Past trade, quarter {n} of {scale.quarters}", quarter_step(n - 1))
            for n in range(1, scale.quarters + 1)
        ),
        LOTS,
        Step("talks", "Talks and deals under way", play, whole=False),
        Step("releases", "Published figures", publish, whole=False),
    ]


def load(_: Scale) -> list[Step]:
    """The steps of a shop window to load: companies and open lots, nothing else."""
    return [COMPANIES, LOTS]


async def plant(*, lots: int | None, number: int) -> None:
    """What `exchange seed` does: the demo's market, or only ``lots`` open lots; tells the terminal how it goes."""
    console = Console()
    logging.getLogger("exchange").setLevel(logging.CRITICAL)  # the alarms of the play's own deals wake nobody
    await open_pool(size=4)
    try:
        scale = Scale() if lots is None else replace(Scale(), lots=lots)
        steps = demo(scale) if lots is None else load(scale)
        sown = await sow(steps, number, scale, progress_for(console))
    finally:
        await close_pool()
    console.print(
        f"The market is laid out ({sown.seconds:.0f} s)."
        if sown.done
        else "The market is there already; it is reused.",
        highlight=False,
    )
