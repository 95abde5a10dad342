"""When a quarter may be released, and the refusals of those that may not. Guide §0.6."""

from datetime import datetime, timedelta

from exchange.errors import N_, Conflict
from exchange.insight.rules.periods import Quarter


class StillAgeing(Conflict):
    """The quarter has not aged long enough."""

    message = N_("%(period)s may be released from %(day)s on: figures wait until they no longer serve to agree prices.")


class ReleasedAlready(Conflict):
    """A release is never made twice."""

    message = N_("%(period)s is released already. A release is never changed; a wrong cell can be withdrawn.")


class OlderThanTheLast(Conflict):
    """Releases follow one another."""

    message = N_("%(period)s is older than the last release, %(last)s. Releases are made in order.")


class NothingToRelease(Conflict):
    """No quarter with trades has aged long enough and is not released."""

    message = N_("There is nothing to release: every quarter that is old enough is released already.")


class NoTrades(Conflict):
    """An empty quarter."""

    message = N_("There is no settled trade in %(period)s: there is nothing to release.")


def ensure_aged(period: Quarter, wait: timedelta, now: datetime) -> None:
    """Raises StillAgeing before the end of ``period`` plus ``wait``."""
    due = period.end + wait
    if now < due:
        raise StillAgeing(period=str(period), day=due.date().isoformat())


def ensure_next(period: Quarter, released: list[str]) -> None:
    """Raises ReleasedAlready, OlderThanTheLast."""
    if str(period) in released:
        raise ReleasedAlready(period=str(period))
    if released and str(period) < max(released):
        raise OlderThanTheLast(period=str(period), last=max(released))
