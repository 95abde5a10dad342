"""The market's days: trade happens from Monday to Friday, in the hours when everybody works."""

from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from random import Random

from exchange.insight.rules.periods import Quarter

OPENS = time(8)
"""UTC: nine or ten o'clock for most of the market."""
_EVENTS = [timedelta(minutes=36 * event) for event in range(13)]
_WITHIN = [timedelta(seconds=67 * n) for n in range(27)]
"""Half an hour in steps: nobody acts on the full minute."""


@lru_cache(maxsize=4)
def working_days(first: date, last: date) -> tuple[date, ...]:
    """Mondays to Fridays from ``first`` to ``last``, both included."""
    every = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return tuple(day for day in every if day.weekday() < 5)


def closed_quarters(today: date, count: int) -> list[Quarter]:
    """The last ``count`` quarters that are over on ``today``, oldest first."""
    running = Quarter.holding(today)
    return [running.plus(back) for back in range(-count, 0)]


class Calendar:
    """Working days by number, so that "three working days earlier" is a subtraction."""

    def __init__(self, first: date, last: date) -> None:
        self._days = working_days(first, last)
        self._opens = [datetime.combine(day, OPENS, UTC) for day in self._days]

    def number(self, day: date) -> int:
        """The number of ``day``, or of the first working day after it."""
        return bisect_left(self._days, day)

    def at(self, day: int, event: int, drawn: Random) -> datetime:
        """An instant on a day: the later of two events on one day has the higher number, 0 to 12."""
        return self._opens[day] + _EVENTS[event] + _WITHIN[int(drawn.random() * 27)]
