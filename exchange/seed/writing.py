"""Many rows at once: COPY passes every constraint and trigger."""

from collections.abc import Iterable, Sequence

from exchange.database import execute, fetch, transaction
from exchange.seed.progress import Progress
from exchange.seed.steps import Market


async def copy(table: str, columns: Sequence[str], rows: Iterable[tuple[object, ...]]) -> None:
    """Append ``rows`` to ``table`` in the current transaction."""
    async with transaction() as tx:
        await tx.connection.copy_records_to_table(table, columns=list(columns), records=rows)


async def insert(table: str, columns: Sequence[str], rows: Iterable[tuple[object, ...]]) -> None:
    """The same row by row, for types COPY cannot send (citext)."""
    places = ", ".join(f"${n}" for n in range(1, len(columns) + 1))
    sql = f"insert into {table} ({', '.join(columns)}) values ({places})"  # noqa: S608 - names from this package
    async with transaction() as tx:
        await tx.connection.executemany(sql, rows)


async def look_over(tables: str) -> None:
    """Tell the planner what ``tables``, or some of their columns, hold by now. The autovacuum looks closer later."""
    async with transaction():
        await execute("set local default_statistics_target = 25")
        await execute(f"analyze {tables}")


async def look_over_all(_: Market, progress: Progress) -> None:
    """The step after which the planner knows the market.

    Table by table, but for those a release looks over itself: neither strand holds what the other waits for.
    """
    tables = await fetch(
        "select quote_ident(tablename) as name from pg_tables where schemaname = 'public' "
        "and tablename not like 'insight%' and tablename <> 'company'"
    )
    for done, table in enumerate(tables, start=1):
        await look_over(table["name"])
        progress.at(done, len(tables))
