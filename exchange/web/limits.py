"""Rate limits counted in PostgreSQL, so that every process counts together."""

from datetime import timedelta

from exchange.clock import now
from exchange.database import execute, fetchrow
from exchange.errors import TooMany


async def count(bucket: str, *, at_most: int, per: timedelta) -> None:
    """Count one hit in ``bucket``; windows of length ``per`` start at the first hit.

    Raises TooMany with the seconds to wait when ``at_most`` is passed. Call it outside a transaction, so that the
    count stays when what follows is refused.
    """
    at = now()
    row = await fetchrow(
        "insert into rate_count as c (bucket, window_started_at, hits) values ($1, $2, 1) "
        "on conflict (bucket) do update set "
        "hits = case when c.window_started_at > $3 then c.hits + 1 else 1 end, "
        "window_started_at = case when c.window_started_at > $3 then c.window_started_at else $2 end "
        "returning hits, window_started_at",
        bucket,
        at,
        at - per,
    )
    if row is not None and row["hits"] > at_most:
        wait = row["window_started_at"] + per - at
        raise TooMany(retry_after=max(1, int(wait.total_seconds()) + 1))


async def forget(bucket: str) -> None:
    """Start the bucket anew, after a success."""
    await execute("delete from rate_count where bucket = $1", bucket)
