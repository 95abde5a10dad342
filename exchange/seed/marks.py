"""What a seed has done in this database, kept in the journal. Imports little: a second start asks here and is done."""

import json
from datetime import date
from uuid import UUID

from asyncpg.exceptions import InvalidCatalogNameError, UndefinedTableError

from exchange.database import close_pool, fetch, open_pool
from exchange.journal.actions import record

_MARKET = UUID("1d5b7f0a-8c1e-4c53-9a4f-5eed00000001")
"""What the marks are about: the market of this database."""


async def marks() -> dict[str, tuple[int, date]]:
    """The steps done, with the market's number and the day it was laid around."""
    rows = await fetch("select fact, details from journal_entry where subject_id = $1 order by id", _MARKET)
    told = {row["fact"].removeprefix("seed."): json.loads(row["details"]) for row in rows}
    return {step: (details["number"], date.fromisoformat(details["today"])) for step, details in told.items()}


async def mark(step: str, number: int, today: date) -> None:
    """Note that ``step`` is done, in the current transaction."""
    await record(None, f"seed.{step}", _MARKET, number=number, today=today.isoformat())


def whole(lots: int | None) -> str:
    """The mark that nothing is left to do: of the demo's market, or of so many open lots."""
    return "demo" if lots is None else f"{lots} lots"


async def is_laid_out(*, lots: int | None, number: int) -> bool:
    """Whether this very market stands there already; where there is no database or no table yet, it does not."""
    try:
        await open_pool(size=1)
    except InvalidCatalogNameError:
        return False
    try:
        done = (await marks()).get(whole(lots))
    except UndefinedTableError:
        return False
    finally:
        await close_pool()
    return done is not None and done[0] == number
