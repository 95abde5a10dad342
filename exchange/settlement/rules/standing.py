"""Strikes, suspension and what a company's record comes to. Source: domain guide §10.

Facts only: what speaks against a company is what its deals ended in, or what the operator saw and wrote down.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from exchange.companies.rules import ReliabilityBand, reliability_band
from exchange.errors import N_, Conflict, Invalid

WINDOW = timedelta(days=365)
"""How long a strike counts, and which deals a record is made of."""
STRIKES = 3
"""As many within the window, and the operator may stop a company."""
NOTICE = timedelta(days=15)
"""Between the notice of a suspension and its beginning."""
TRUSTED_DEALS, TRUSTED_CANCELLED_BP = 10, 500


class StrikeReason(StrEnum):
    """What a strike is for; the first four are endings of deals, the last two the operator sees."""

    UNPAID = "unpaid"
    NOT_COLLECTED = "not_collected"
    NOT_SHIPPED = "not_shipped"
    UNDELIVERED = "undelivered"
    BAIT = "bait"
    """Goods offered that were never to be had, or never as described."""
    CONTACT_DETAILS = "contact_details"
    """Contact details given to dodge the exchange."""

    @property
    def label(self) -> str:
        """English msgid."""
        return {
            StrikeReason.UNPAID: N_("did not pay in time"),
            StrikeReason.NOT_COLLECTED: N_("did not collect the goods"),
            StrikeReason.NOT_SHIPPED: N_("did not hand over the goods in time"),
            StrikeReason.UNDELIVERED: N_("could not prove the delivery"),
            StrikeReason.BAIT: N_("offered goods that were not to be had"),
            StrikeReason.CONTACT_DETAILS: N_("gave contact details to go round the exchange"),
        }[self]


BY_OPERATOR = (StrikeReason.BAIT, StrikeReason.CONTACT_DETAILS)


class SuspensionState(StrEnum):
    """Where a suspension stands."""

    NOTICED = "noticed"
    """Told, with reasons; it begins when the notice is over."""
    SUSPENDED = "suspended"
    WITHDRAWN = "withdrawn"
    """Called off before it began."""
    LIFTED = "lifted"


class TooFewStrikes(Conflict):
    message = N_("A company is stopped after %(strikes)s strikes in twelve months; this one has fewer.")


class AlreadyNoticed(Conflict):
    message = N_("This company has its notice already.")


class NoSuspension(Conflict):
    message = N_("This has been decided since you opened the page. Look at it again.")


class AlreadyAppealed(Conflict):
    message = N_("Your appeal is with the operator. You are told as soon as it is decided.")


class WordsMissing(Invalid):
    message = N_("Say why, in a sentence or more: the other side reads it.")


def counting(struck: Iterable[datetime], at: datetime) -> int:
    """How many of the strikes made at these instants, lifted ones left out, still count ``at``."""
    return sum(1 for when in struck if at - WINDOW < when <= at)


def ensure_words(text: str, *, field: str) -> str:
    """``text``, cut to what is kept. Raises WordsMissing below ten letters."""
    if len(text.strip()) < 10:
        raise WordsMissing(field=field)
    return text.strip()[:2000]


def begins(starts_at: datetime, *, appealed: bool, answered: bool, at: datetime) -> bool:
    """Whether a noticed suspension begins ``at``: the notice is over, and no appeal waits for its answer."""
    return starts_at <= at and (answered or not appealed)


@dataclass(frozen=True, slots=True)
class Facts:
    """A company's deals that ended within the window."""

    bought: int
    paid: int
    """Of those it bought, how many it paid."""
    sold: int
    """Deals it sold that were paid."""
    handed_over: int
    claims_upheld: int
    """Against it as the seller, wholly or in part."""
    cancelled: int
    """Called off by both sides."""
    not_collected: int

    @property
    def ended(self) -> int:
        return self.bought + self.sold

    @property
    def kept(self) -> int:
        """Deals in which it kept its word."""
        broken = self.bought - self.paid + self.sold - self.handed_over + self.claims_upheld + self.not_collected
        return self.ended - broken

    @property
    def band(self) -> ReliabilityBand:
        return reliability_band(self.ended, self.kept)

    @property
    def trusted(self) -> bool:
        """Ten deals, under five per cent of them called off, its word kept."""
        few = self.cancelled * 10_000 < TRUSTED_CANCELLED_BP * self.ended
        return self.ended >= TRUSTED_DEALS and few and self.band is ReliabilityBand.SOLID
