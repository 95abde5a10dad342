"""Rate limits. What must not be guessed is counted in PostgreSQL, so that every process counts together; how fast the
API may be asked is counted by Litestar in each process, under the name given here.
"""

from datetime import timedelta
from typing import Any

from litestar import Request

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


def asker(request: Request[Any, Any, Any]) -> str:
    """Whose requests are counted together: a person's, else an address's."""
    if request.user is not None:
        return str(request.user.actor.person_id)
    return request.client.host if request.client else ""
