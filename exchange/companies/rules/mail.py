"""What a person is written to about, when, and how several things come in one mail (design promise 6).

Two things are nobody's to switch off: mail about the security of an account, and what asks a company to act in a deal
with money or tells of its money. Missed, the first costs an account and the second a payment, a refund or a strike.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from exchange.companies.rules.hours import WorkingHours, next_opening, windows_ending_after
from exchange.errors import N_, Invalid


class Timing(StrEnum):
    """When a kind of mail comes."""

    NOW = "now"
    DAILY = "daily"
    """In the one summary of the day."""
    NEVER = "never"


class MailKind(StrEnum):
    """What a person chooses about; in the order of the summary."""

    OFFERS = "offers"
    ENDINGS = "endings"
    """Offers and requests of one's own that were declined, ran out, or lost their stock. An agreement is none."""
    MESSAGES = "messages"
    TEAM = "team"
    INTRODUCTIONS = "introductions"
    WANTS = "wants"

    @property
    def default(self) -> Timing:
        """Guide §4: finds come in one mail in working hours; whoever is asked for an answer hears at once."""
        return Timing.DAILY if self is MailKind.WANTS else Timing.NOW

    @property
    def label(self) -> str:
        """English msgid."""
        return {
            MailKind.OFFERS: N_("Offers that await your answer"),
            MailKind.ENDINGS: N_("Offers and requests of yours that came to nothing"),
            MailKind.MESSAGES: N_("Messages after an agreement"),
            MailKind.TEAM: N_("Talks a colleague gives you"),
            MailKind.INTRODUCTIONS: N_("Introductions and their answers"),
            MailKind.WANTS: N_("Lots that meet your wants"),
        }[self]


class UnknownTiming(Invalid):
    message = N_("Choose one of the answers from the list.")


class NotATime(Invalid):
    message = N_("“%(text)s” is not a time of day. Write it like 14:30.")


class QuietOutOfOrder(Invalid):
    message = N_("Give both the beginning and the end of your quiet hours, the beginning first.")


class QuietAllDay(Invalid):
    message = N_("This leaves no hour of your working day for mail. Leave at least one.")


class SummaryOutOfHours(Invalid):
    message = N_("Choose an hour within your working day, from %(opens)s to %(closes)s, outside your quiet hours.")


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours of the working day without mail, from ``start`` to ``end``, local to the person."""

    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person chose about their mail; what they said nothing about goes by its default."""

    timings: Mapping[MailKind, Timing] = field(default_factory=dict)
    quiet: Quiet | None = None
    summary_at: time | None = None
    """When the summary comes; None: when the working day begins."""

    def timing(self, kind: MailKind) -> Timing:
        return self.timings.get(kind, kind.default)


def unsubscribe_token(secret: bytes, person_id: UUID) -> str:
    """What ends a person's summaries with one click (RFC 8058), and does nothing else: it signs nobody in.

    It is good for ever: a mail may be read years later, and to end a summary twice is to end it once.
    """
    return urlsafe_b64encode(person_id.bytes + _signature(secret, person_id)).rstrip(b"=").decode()


def unsubscribing(secret: bytes, token: str) -> UUID | None:
    """Whose token it is; None when it is not one of ours."""
    try:
        told = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        return None
    if len(told) != 32:
        return None
    person_id = UUID(bytes=told[:16])
    return person_id if hmac.compare_digest(told[16:], _signature(secret, person_id)) else None


def _signature(secret: bytes, person_id: UUID) -> bytes:
    return hmac.digest(secret, b"no more summaries for " + person_id.bytes, "sha256")[:16]


SHORTEST = 60
"""Minutes that quiet hours must leave of a working day."""


def ensure_sound(wishes: Wishes, hours: WorkingHours) -> None:
    """Raises QuietOutOfOrder, QuietAllDay, SummaryOutOfHours."""
    quiet, at = wishes.quiet, wishes.summary_at
    if quiet and quiet.start >= quiet.end:
        raise QuietOutOfOrder(field="quiet_until")
    if quiet and not _leaves_time(quiet, hours):
        raise QuietAllDay(field="quiet_until")
    if at and not (hours.opens <= at < hours.closes and not (quiet and quiet.start <= at < quiet.end)):
        raise SummaryOutOfHours(opens=f"{hours.opens:%H:%M}", closes=f"{hours.closes:%H:%M}", field="summary_at")


def may_write_at(at: datetime, hours: WorkingHours, quiet: Quiet | None) -> datetime:
    """``at`` itself in the person's working hours outside their quiet ones, else the first such instant after it. UTC.

    Quiet hours that a later change of the company's hours left no time beside count for nothing.
    """
    opened = next_opening(at, hours)
    if quiet is None or not _leaves_time(quiet, hours):
        return opened
    zone = ZoneInfo(hours.zone)
    for window in windows_ending_after(at, hours):
        start, end = (datetime.combine(window.day, t, zone).astimezone(UTC) for t in (quiet.start, quiet.end))
        instant = max(at.astimezone(UTC), window.opens)
        instant = end if start <= instant < end else instant
        if instant < window.closes:
            return instant
    raise AssertionError("there is always another working day")


def summary_at(at: datetime, hours: WorkingHours, wishes: Wishes, *, after: date | None = None) -> datetime:
    """When the next summary leaves: on the first working day whose hour for it is not past at ``at``. UTC.

    ``after`` is the day of the last one: never two in a day.
    """
    zone = ZoneInfo(hours.zone)
    chosen = wishes.summary_at if wishes.summary_at and hours.opens <= wishes.summary_at < hours.closes else None
    for window in windows_ending_after(at, hours):
        wished = datetime.combine(window.day, chosen, zone).astimezone(UTC) if chosen else window.opens
        instant = may_write_at(wished, hours, wishes.quiet)
        if instant >= at and (after is None or instant.astimezone(zone).date() > after):
            return instant
    raise AssertionError("there is always another working day")


def _leaves_time(quiet: Quiet, hours: WorkingHours) -> bool:
    start, end = max(_minute(quiet.start), _minute(hours.opens)), min(_minute(quiet.end), _minute(hours.closes))
    worked = _minute(hours.closes) - _minute(hours.opens)
    return worked - max(end - start, 0) >= min(SHORTEST, worked)


def _minute(at: time) -> int:
    return 60 * at.hour + at.minute
