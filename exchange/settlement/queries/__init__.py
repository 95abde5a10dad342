"""Every SELECT of settlement: deals by viewer, money, and what the operator checks."""

import asyncpg

from exchange.database import fetchrow


async def one(sql: str, *args: object) -> asyncpg.Record:
    """The row that must be there. Raises LookupError when it is not: a fault of ours, not the asker's."""
    row = await fetchrow(sql, *args)
    if row is None:
        raise LookupError(sql)
    return row
