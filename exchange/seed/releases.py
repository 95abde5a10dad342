"""The step that publishes: the oldest quarters' figures, each frozen at the instant its lag was over."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from exchange import clock
from exchange.database import fetch
from exchange.insight.actions.release import release
from exchange.insight.queries import evidence
from exchange.insight.rules.periods import Quarter, lag
from exchange.insight.rules.policy import Policy
from exchange.seed.calendar import closed_quarters
from exchange.seed.chance import chance, drawn_ids
from exchange.seed.progress import Progress
from exchange.seed.steps import Market, until_done

MORNING = timedelta(hours=33)
"""A release is frozen in the morning after its lag, not at midnight."""


def released_quarters(market: Market) -> Sequence[Quarter]:
    """The quarters whose figures are out: not the first, whose groups nobody had seen trade before, and not the last,
    which still ages.
    """
    scale = market.scale
    return closed_quarters(market.today, scale.quarters)[-scale.releases - 1 : -1]


async def publish(market: Market, progress: Progress) -> None:
    """Releases that are not there yet, oldest first; each stands by itself."""
    there = {row["period"] for row in await fetch("select period from insight_release")}
    quarters, scale = released_quarters(market), market.scale
    for done, quarter in enumerate(quarters, start=1):
        await until_done(f"quarter {done + scale.quarters - scale.releases - 1}")
        if str(quarter) not in there:
            with clock.frozen(await _instant(quarter, market.now)), drawn_ids(chance(market.number, f"{quarter}")):
                await release(period=str(quarter))
        progress.at(done, len(quarters))


async def _instant(quarter: Quarter, latest: datetime) -> datetime:
    policy = Policy()
    due = quarter.end + lag(await evidence.p90_days_to_clear(quarter, policy), policy)
    return max(due, min(due + MORNING, latest))
