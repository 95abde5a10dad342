"""When a company works (guide/domain.md §5, §6.3; design promise 6).

Every instant that comes in or goes out is an aware ``datetime`` in UTC; every day and time of day is local to the
company's zone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import count
from zoneinfo import ZoneInfo, available_timezones

import holidays

from exchange.companies.rules.places import UnknownCountry, countries
from exchange.errors import N_, Invalid


class UnknownZone(Invalid):
    message = N_("“%(zone)s” is not a time zone we know. Choose one from the list, for example Europe/Paris.")


class HoursOutOfOrder(Invalid):
    message = N_("The closing time must be later than the opening time, on the same day.")


class NoWorkingDay(Invalid):
    message = N_("Choose at least one working day.")


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """When a company works: ``opens`` to ``closes`` local time, on ``days`` (0 = Monday), public holidays left out.

    Raises UnknownZone, UnknownCountry, HoursOutOfOrder, NoWorkingDay.
    """

    zone: str = "Europe/Paris"
    country: str = "FR"
    opens: time = time(9)
    closes: time = time(16)
    days: frozenset[int] = frozenset(range(5))

    def __post_init__(self) -> None:
        if self.zone not in _zones():
            raise UnknownZone(field="zone", zone=self.zone)
        if self.country not in countries():
            raise UnknownCountry(field="country", country=self.country)
        if self.opens >= self.closes:
            raise HoursOutOfOrder(field="closes")
        if not self.days or not self.days <= set(range(7)):
            raise NoWorkingDay(field="days")


def is_open(at: datetime, hours: WorkingHours) -> bool:
    """Whether the company works at ``at``; the closing instant itself is closed."""
    window = _window(at.astimezone(ZoneInfo(hours.zone)).date(), hours)
    return window is not None and window.opens <= at < window.closes


def next_opening(at: datetime, hours: WorkingHours) -> datetime:
    """``at`` itself when the company is open, else the first instant after it at which it opens. UTC."""
    return max(at.astimezone(UTC), next(_windows_ending_after(at, hours)).opens)


def after_business_days(at: datetime, days: int, hours: WorkingHours) -> datetime:
    """The instant ``days`` business days after ``at``: Thursday 15:00 and 2 days make Monday 15:00. UTC.

    Out of hours the count starts at the next opening. The time worked on the first day is kept on the last, so a
    change to or from summer time moves nothing a person sees.
    """
    if days < 0:
        raise ValueError("business days are counted forwards")
    start = next_opening(at, hours)
    windows = _windows_ending_after(start, hours)
    first = last = next(windows)
    for _ in range(days):
        last = next(windows)
    return min(last.opens + (start - first.opens), last.closes)


@dataclass(frozen=True, slots=True)
class _Window:
    """One day's working time, as UTC instants."""

    opens: datetime
    closes: datetime


def _window(day: date, hours: WorkingHours) -> _Window | None:
    if day.weekday() not in hours.days or day in _public_holidays(hours.country):
        return None
    zone = ZoneInfo(hours.zone)
    opens = datetime.combine(day, hours.opens, zone).astimezone(UTC)
    closes = datetime.combine(day, hours.closes, zone).astimezone(UTC)
    return _Window(opens, closes) if opens < closes else None  # hours that fall into the gap of a clock change


def _windows_ending_after(at: datetime, hours: WorkingHours) -> Iterator[_Window]:
    today = at.astimezone(ZoneInfo(hours.zone)).date()
    for offset in count():
        window = _window(today + timedelta(days=offset), hours)
        if window is not None and window.closes > at:
            yield window


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


@cache
def _public_holidays(country: str) -> "holidays.HolidayBase | frozenset[date]":
    """National public holidays; a country the ``holidays`` package does not know has none."""
    try:
        return holidays.country_holidays(country)
    except NotImplementedError:
        return frozenset()
