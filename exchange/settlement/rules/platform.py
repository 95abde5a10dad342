"""What an approved platform (*plateforme agréée*) is to the exchange: an interface, for whoever connects one.

Since 1 September 2026 invoices between French businesses travel through such platforms, each business choosing its own
(domain guide §9). The exchange is none. It makes the Factur-X file, hands it over if a connector for the issuer's
platform is installed, and keeps how far it came. Without one the paper stays ``to_hand_over``: the seller downloads it,
sends it through its platform and says so.

To connect a platform, write a class with the one method of ``ApprovedPlatform`` and install it at start with
``exchange.settlement.actions.handover.use``. Its answer is stored and the method is called again for what is not final.
"""

from dataclasses import dataclass
from datetime import date
from typing import Protocol
from uuid import UUID

from exchange.settlement.rules.invoices import Kind
from exchange.settlement.rules.papers import Handover


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


class ApprovedPlatform(Protocol):
    """A connector. Called outside any transaction; may raise to be called again later."""

    async def hand_over(self, paper: Issued, known: Progress) -> Progress:
        """Deposit ``paper``, or ask how it stands when ``known`` says it was deposited. Must bear being repeated."""
        ...
