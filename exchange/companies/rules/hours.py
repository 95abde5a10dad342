"""When a company works (guide/domain.md §5, §6.3; design promise 6).

Every instant that comes in or goes out is an aware ``datetime`` in UTC; every day and time of day is local to the
company's zone.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import count
from typing import Self
from zoneinfo import ZoneInfo

import holidays

from exchange.accounts.rules import zones
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
        if self.zone not in zones():
            raise UnknownZone(field="zone", zone=self.zone)
        if self.country not in countries():
            raise UnknownCountry(field="country", country=self.country)
        if self.opens >= self.closes:
            raise HoursOutOfOrder(field="closes")
        if not self.days or not self.days <= set(range(7)):
            raise NoWorkingDay(field="days")


@dataclass(frozen=True, slots=True)
class Away:
    """Out of office from the ``first`` day to the ``last``, both included, in the zone of who is away.

    It shifts no clock: it says to whom mail goes, and to the other side of a talk from when there is an answer.
    """

    first: date
    last: date

    @classmethod
    def of(cls, first: date | None, last: date | None) -> Self | None:
        """The absence that is kept, where there is one."""
        return cls(first, last) if first and last else None

    def covers(self, day: date) -> bool:
        return self.first <= day <= self.last


class AwayOutOfOrder(Invalid):
    message = N_("The last day comes before the first. Give both days, the first one first.")


class AwayTooLong(Invalid):
    message = N_("An absence ends within a year from now. Give its last day.")


def absence(first: date | None, last: date | None, today: date) -> Away | None:
    """The absence these days mean; None when neither is given. Raises AwayOutOfOrder, AwayTooLong."""
    if first is None and last is None:
        return None
    if first is None or last is None or last < first:
        raise AwayOutOfOrder(field="last_day")
    if last > today + LONGEST_ABSENCE:
        raise AwayTooLong(field="last_day")
    return Away(first, last)


LONGEST_ABSENCE = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Window:
    """One day's working time, as UTC instants."""

    day: date
    opens: datetime
    closes: datetime


def is_open(at: datetime, hours: WorkingHours) -> bool:
    """Whether the company works at ``at``; the closing instant itself is closed."""
    window = _window(at.astimezone(ZoneInfo(hours.zone)).date(), hours)
    return window is not None and window.opens <= at < window.closes


def next_opening(at: datetime, hours: WorkingHours) -> datetime:
    """``at`` itself when the company is open, else the first instant after it at which it opens. UTC."""
    return max(at.astimezone(UTC), next(windows_ending_after(at, hours)).opens)


def answers_at(at: datetime, hours: WorkingHours, closed: Away | None, team: Iterable[Away | None]) -> datetime:
    """From when somebody of a company answers: the first of its ``team`` to be back, once it is open again. UTC."""
    return max(at.astimezone(UTC), next(_attended(at, hours, closed, team)).opens)


def after_work(
    at: datetime, worked: timedelta, hours: WorkingHours, closed: Away | None, team: Iterable[Away | None]
) -> datetime:
    """When somebody of a company has worked for so long since ``at``: what is left at closing goes on at the next
    opening with somebody there. UTC."""
    for window in _attended(at, hours, closed, team):
        begins = max(at.astimezone(UTC), window.opens)
        if begins + worked < window.closes:
            return begins + worked
        worked -= window.closes - begins
    raise AssertionError("there is always another working day")


def _attended(at: datetime, hours: WorkingHours, closed: Away | None, team: Iterable[Away | None]) -> Iterator[Window]:
    """The working days not over at ``at`` on which the company is not closed nor everybody of its ``team`` away."""
    mates = list(team)
    for window in windows_ending_after(at, hours):
        there = not mates or any(not (away and away.covers(window.day)) for away in mates)
        if there and not (closed and closed.covers(window.day)):
            yield window


def is_public_holiday(day: date, country: str) -> bool:
    """Whether ``day`` is a national public holiday of ``country``."""
    return day in _public_holidays(country)


def after_business_days(at: datetime, days: int, hours: WorkingHours) -> datetime:
    """The instant ``days`` business days after ``at``: Thursday 15:00 and 2 days make Monday 15:00. UTC.

    Out of hours the count starts at the next opening. The time worked on the first day is kept on the last, so a
    change to or from summer time moves nothing a person sees.
    """
    if days < 0:
        raise ValueError("business days are counted forwards")
    start = next_opening(at, hours)
    windows = windows_ending_after(start, hours)
    first = last = next(windows)
    for _ in range(days):
        last = next(windows)
    return min(last.opens + (start - first.opens), last.closes)


def _window(day: date, hours: WorkingHours) -> Window | None:
    if day.weekday() not in hours.days or day in _public_holidays(hours.country):
        return None
    zone = ZoneInfo(hours.zone)
    opens = datetime.combine(day, hours.opens, zone).astimezone(UTC)
    closes = datetime.combine(day, hours.closes, zone).astimezone(UTC)
    return Window(day, opens, closes) if opens < closes else None  # hours that fall into the gap of a clock change


def windows_ending_after(at: datetime, hours: WorkingHours) -> Iterator[Window]:
    """The company's working days that are not over at ``at``, one after the other, without end."""
    today = at.astimezone(ZoneInfo(hours.zone)).date()
    for offset in count():
        window = _window(today + timedelta(days=offset), hours)
        if window is not None and window.closes > at:
            yield window


@cache
def _public_holidays(country: str) -> "holidays.HolidayBase | frozenset[date]":
    """National public holidays; a country the ``holidays`` package does not know has none."""
    try:
        return holidays.country_holidays(country)
    except NotImplementedError:
        return frozenset()
