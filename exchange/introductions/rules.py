"""The five parts of a first contact, its limits, its answers. Pure."""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum

from exchange.companies.rules import WorkingHours, after_business_days
from exchange.contact_details import ensure_no_contact_details
from exchange.errors import N_, Conflict, DomainError, Invalid, NotAllowed, Several, TooMany

SHORTEST, LONGEST = 10, 600
"""Characters of each part: a sentence at least, a paragraph at most."""
PER_MONTH = 20
MONTH = timedelta(days=30)
REST = timedelta(days=30)
"""After a refusal, how long the same sender waits."""
DAYS_TO_ANSWER = 10
"""Business days of the recipient; then it is closed quietly (guide/domain.md §7)."""


class State(StrEnum):
    """Where an introduction stands."""

    SENT = "sent"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    BLOCKED = "blocked"
    """Declined for good; the sender is told the same as for a refusal."""
    CLOSED = "closed"
    """Not answered in time."""


class Answer(StrEnum):
    """What a recipient may say."""

    ACCEPT = "accepted"
    DECLINE = "declined"
    BLOCK = "blocked"


class PartLength(Invalid):
    message = N_("Write between %(least)s and %(most)s characters.")


class NotToOneself(NotAllowed):
    message = N_("This is a lot of your own legal group.")


class StillPending(Conflict):
    message = N_("Your introduction to this seller still waits for an answer. Give them time.")


class TooSoon(Conflict):
    message = N_("This seller declined your introduction less than 30 days ago. Please respect that.")


class AlreadyIntroduced(Conflict):
    message = N_("This seller has accepted your introduction already.")


class MonthlyLimit(TooMany):
    message = N_("You have sent %(most)s introductions in 30 days, which is the most. Write to fewer people, better.")


class AlreadyAnswered(Conflict):
    message = N_("This introduction has been answered or has been closed.")


@dataclass(frozen=True, slots=True)
class Parts:
    """The five parts."""

    who_i_am: str
    what_i_do: str
    how_i_heard: str
    my_idea: str
    when_to_reach_me: str


def checked(parts: Parts, *, names: list[str]) -> Parts:
    """The parts, trimmed. ``names`` are the masked writer's own. Raises Several of PartLength and ContactDetails."""
    trimmed = Parts(**{f.name: getattr(parts, f.name).strip() for f in fields(parts)})
    faults: list[DomainError] = []
    for part in fields(trimmed):
        text = getattr(trimmed, part.name)
        if not SHORTEST <= len(text) <= LONGEST:
            faults.append(PartLength(least=SHORTEST, most=LONGEST, field=part.name))
            continue
        try:
            ensure_no_contact_details(text, names=names, field=part.name)
        except Invalid as refusal:
            faults.append(refusal)
    if faults:
        raise Several(faults)
    return trimmed


def ensure_welcome(last: State, answered_at: datetime | None, now: datetime) -> None:
    """Whether another introduction about the same lot may be sent, ``last`` being the latest.

    Raises StillPending, AlreadyIntroduced, TooSoon.
    """
    if last is State.SENT:
        raise StillPending
    if last is State.ACCEPTED:
        raise AlreadyIntroduced
    if last in (State.DECLINED, State.BLOCKED) and answered_at is not None and now < answered_at + REST:
        raise TooSoon


def is_held(states: list[tuple[State, datetime | None]], now: datetime) -> bool:
    """Whether an introduction is kept from a recipient for what the same sender wrote about other lots of theirs.

    The sender is not told: a refusal would show that two lots are of one seller. Held ones close quietly.
    """
    return any(
        state in (State.SENT, State.BLOCKED)
        or (state is State.DECLINED and answered is not None and now < answered + REST)
        for state, answered in states
    )


def ensure_within_limit(sent_in_a_month: int) -> None:
    """Raises MonthlyLimit."""
    if sent_in_a_month >= PER_MONTH:
        raise MonthlyLimit(most=PER_MONTH, retry_after=24 * 3600)


def ensure_open(state: State, closes_at: datetime, now: datetime) -> None:
    """Raises AlreadyAnswered when it was answered or its time is up."""
    if state is not State.SENT or now >= closes_at:
        raise AlreadyAnswered


def closes_at(delivered_at: datetime, recipient: WorkingHours) -> datetime:
    """When an unanswered introduction is closed."""
    return after_business_days(delivered_at, DAYS_TO_ANSWER, recipient)
