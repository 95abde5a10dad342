"""What stands released. Nothing here reads a fact but the names of the quarters that have some."""

from dataclasses import dataclass
from uuid import UUID

from exchange.database import fetch, fetchrow, fetchval
from exchange.errors import NotSeen


@dataclass(frozen=True, slots=True)
class PublishedCell:
    """A cell that was published."""

    release_id: UUID
    metric: str


async def released_periods() -> list[str]:
    """Oldest first."""
    return [row["period"] for row in await fetch("select period from insight_release order by period")]


async def unreleased_periods() -> list[str]:
    """Quarters with trades after the last release, oldest first. For the job role."""
    rows = await fetch(
        "select distinct period from insight_fact"
        " where period > coalesce((select max(period) from insight_release), '') order by period"
    )
    return [row["period"] for row in rows]


async def last_manifest_sha() -> str | None:
    """The manifest hash of the newest release: the next one names it."""
    found: str | None = await fetchval("select manifest_sha256 from insight_release order by period desc limit 1")
    return found


async def published_cell(period: str, node_id: str, metric: str) -> PublishedCell:
    """The cell, when it is published and not withdrawn. Raises NotSeen."""
    row = await fetchrow(
        "select r.id, c.metric from insight_release_cell c join insight_release r using (period)"
        " where c.period = $1 and c.node_id = $2 and c.metric = $3 and c.status = 'published' and not exists"
        " (select from insight_release_withdrawal w where (w.period, w.node_id, w.metric) = ($1, $2, $3))",
        period,
        node_id,
        metric,
    )
    if row is None:
        raise NotSeen
    return PublishedCell(row["id"], row["metric"])
