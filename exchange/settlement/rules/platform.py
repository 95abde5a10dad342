"""What an approved platform (*plateforme agréée*) is to the exchange: an interface, for whoever connects one.

Since 1 September 2026 invoices between French businesses travel through such platforms, each business choosing its own
(domain guide §9). The exchange is none. It makes the Factur-X file, hands it over if a connector for the issuer's
platform is installed, and keeps how far it came. Without one the paper stays ``to_hand_over``: the seller downloads it,
sends it through its platform and says so.

To connect a platform, write a class with the one method of ``ApprovedPlatform``, which takes no argument to make, and
name it in the setting ``PLATFORM_CONNECTOR`` as ``package.module:Class``. The worker makes one and calls it when a
paper is issued, and again until its answer is final: after one minute, then two, four, … six hours; the same after an
exception, whose text the operator reads. When the tenth call fails, or the twentieth, the operator is called; it goes
on. What the seller has sent by hand is left alone.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol
from uuid import UUID

from exchange.settlement.rules.invoices import Kind
from exchange.settlement.rules.papers import Handover

SOONEST, LATEST = timedelta(minutes=1), timedelta(hours=6)
ALARM_AFTER = 10
"""Calls, some twelve hours of them: about how long a platform may be away without anybody being called."""


def next_call(attempts: int) -> timedelta:
    """How long after call number ``attempts`` the next one is made: doubling, within bounds."""
    return min(SOONEST * (1 << min(max(attempts - 1, 0), 12)), LATEST)


@dataclass(frozen=True, slots=True)
class Issued:
    """A paper as a platform takes it."""

    id: UUID
    """Stable: a platform that is handed the same paper twice knows it by this."""
    kind: Kind
    number: str
    day: date
    issuer_registration: str
    """SIREN of the business whose platform it is, or its foreign register number."""
    xml: bytes
    """Factur-X, profile EN 16931, checked against the reform's *Flux 2* rules for French issuers."""
    pdf: bytes
    """PDF/A-3 with that XML inside."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a platform has come with a paper."""

    state: Handover
    reference: str = ""
    """The platform's own, to ask again with."""
    why: str = ""
    """Of a rejected paper: what is wrong with it, for its issuer."""


class ApprovedPlatform(Protocol):
    """A connector. Called outside any transaction; may raise anything, to be called again later."""

    async def hand_over(self, paper: Issued, known: Progress) -> Progress:
        """Deposit ``paper``, or ask how it stands when ``known`` says it was deposited. Must bear being repeated."""
        ...
