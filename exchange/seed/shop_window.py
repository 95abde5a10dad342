"""The step that fills the market place: open lots with their manifests."""

import asyncio
from bisect import bisect
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import lru_cache
from itertools import islice

from exchange.listings.rules.categories import CATEGORIES
from exchange.listings.rules.grades import Grade
from exchange.listings.rules.lots import DEFAULT_LIFE, end_of, last_day
from exchange.seed.chance import chance, named_id
from exchange.seed.companies import Company
from exchange.seed.listings import (
    COST,
    LINE,
    LOT,
    Listing,
    assortment,
    cost_row,
    grade,
    line_rows,
    listing,
    lot_row,
    share_asked,
    weighted,
)
from exchange.seed.marks import marks
from exchange.seed.people import COMPETITOR, MERCHANT
from exchange.seed.progress import Progress
from exchange.seed.steps import Market
from exchange.seed.writing import copy, look_over

GUESTS_LOTS = {MERCHANT: 24, COMPETITOR: 16}
"""How many of the open lots are the guests' companies' own."""
_BATCH = 2000
_FEW = (1, 1, 1, 2, 2, 3, 4, 5, 6, 8, 10, 12, 14, 18, 22, 28, 34, 40)
"""How many lines a lot has: 1 to 40, most of them few."""
_LIFE = DEFAULT_LIFE + timedelta(weeks=2)
"""Nothing on sale when the market is laid out ends that day."""


async def fill(market: Market, progress: Progress) -> None:
    """The scale's number of open lots, less those an earlier, smaller one put there."""
    written = max((int(name.split()[0]) for name in await marks() if name.endswith(" lots")), default=0)
    lots = islice(open_lots(market), written, None)
    with ThreadPoolExecutor(max_workers=1) as thinker:
        coming = thinker.submit(_batch, lots)
        while batch := await asyncio.wrap_future(coming):
            coming = thinker.submit(_batch, lots)  # thought up while the database writes the one before
            lot_rows, lines, costs = batch
            await copy("lot", LOT, lot_rows)
            await copy("manifest_line", LINE, lines)
            await copy("cost_statement", COST, costs)
            written += len(lot_rows)
            progress.at(written, market.scale.lots)
    await look_over("company, lot, manifest_line")


Rows = list[tuple[object, ...]]


def _batch(lots: Iterator[Listing]) -> tuple[Rows, Rows, Rows] | None:
    """The next lots as rows, with their lines and cost statements; None after the last."""
    batch = list(islice(lots, _BATCH))
    if not batch:
        return None
    lines = [row for made in batch for row in line_rows(made)]
    return [lot_row(made) for made in batch], lines, [cost_row(made) for made in batch]


@lru_cache(maxsize=1)
def shop(market: Market) -> tuple[Listing, ...]:
    """All open lots, kept for whoever looks at them more than once."""
    return tuple(open_lots(market))


def open_lots(market: Market) -> Iterator[Listing]:
    """The open lots, the guests' first; the same for the same market."""
    drawn = chance(market.number, "open lots")
    society = market.society
    reach = weighted([group.size for group in society.groups])
    guests = [society.company_of(guest) for guest, count in GUESTS_LOTS.items() for _ in range(count)]
    slugs = {sector: [c.slug for c in CATEGORIES if c.sector == sector] for sector in {c.sector for c in CATEGORIES}}
    sectors = sorted(slugs)
    for number in range(market.scale.lots):
        if number < len(guests):
            company = guests[number]
        else:
            group = society.groups[bisect(reach, drawn.random() * reach[-1])]
            company = group.companies[drawn.randrange(len(group.companies))]
        home = society.groups[company.group].home
        own = number < len(guests)
        sector = home[drawn.randrange(2)] if own or drawn.random() < 0.8 else sectors[drawn.randrange(len(sectors))]
        category = slugs[sector][drawn.randrange(len(slugs[sector]))]
        of_grade = Grade.A if own and number % 3 else grade(drawn)
        lines = assortment(drawn, category, of_grade, drawn.choice(_FEW), drawn.lognormvariate(14.0, 0.9))
        ago = drawn.random() * 55 if not own else 54 - 1.6 * (number % GUESTS_LOTS[MERCHANT])
        published = market.now - timedelta(days=ago, minutes=drawn.randrange(600))
        made = listing(
            drawn, named_id(market.number, f"open lot {number}"), company, place(company), lines,
            share_asked(drawn, category, of_grade), published, end_of(last_day(published.date(), _LIFE)),
        )  # fmt: skip
        if own:
            made.floor = made.auto_accept = None  # people, not thresholds, answer in the guests' talks
        yield made


def place(company: Company) -> tuple[str, str]:
    """Country and region of the company's own warehouse."""
    return company.country, company.region_slug
