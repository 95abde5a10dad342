"""Quarters that never overlap, and how long a figure ages before it is told. Guide §0.6 and §7."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Self

from exchange.errors import N_, Invalid
from exchange.insight.rules.policy import Policy


class NotAQuarter(Invalid):
    """Text that names no calendar quarter."""

    message = N_("“%(text)s” is not a quarter. Write it like 2026Q1.")


@dataclass(frozen=True, slots=True, order=True)
class Quarter:
    """A calendar quarter, UTC: the only grain of time there is. ``str()`` gives ``2026Q1``."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``2026Q1``. Raises NotAQuarter."""
        found = re.fullmatch(r"(20\d\d)Q([1-4])", text.strip().upper())
        if not found:
            raise NotAQuarter(text=text[:20], field="period")
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def holding(cls, at: datetime | date) -> Self:
        """The quarter an instant or a day falls in."""
        day = at.astimezone(UTC).date() if isinstance(at, datetime) else at
        return cls(day.year, (day.month + 2) // 3)

    def __str__(self) -> str:
        return f"{self.year}Q{self.number}"

    def plus(self, quarters: int) -> Self:
        """So many quarters later; negative for earlier."""
        years, number = divmod(self.number - 1 + quarters, 4)
        return type(self)(self.year + years, number + 1)

    @property
    def first_day(self) -> date:
        return date(self.year, 3 * self.number - 2, 1)

    @property
    def end(self) -> datetime:
        """The first instant after it."""
        after = self.plus(1).first_day
        return datetime(after.year, after.month, after.day, tzinfo=UTC)

    @property
    def year_to_date(self) -> tuple[str, ...]:
        """The names of this quarter and the three before it: the twelve months in which a group shows it is real."""
        return tuple(str(self.plus(-back)) for back in (3, 2, 1, 0))


def lag(p90_days_to_clear: int, policy: Policy) -> timedelta:
    """How long after its end a quarter may be released: ``max(lag_days, lag_clearings x P90)``."""
    return timedelta(days=max(policy.lag_days, policy.lag_clearings * p90_days_to_clear))
