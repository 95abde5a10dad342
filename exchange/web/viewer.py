"""Who looks at a page, as far as every page needs to know."""

from dataclasses import dataclass
from uuid import UUID

from exchange.actor import Actor, Role


@dataclass(frozen=True, slots=True)
class Viewer:
    """A signed-in person. ``vetted`` is False until the operator let the company trade."""

    actor: Actor
    name: str
    company_name: str
    vetted: bool
    language: str
    """``fr`` or ``en``."""
    zone: str
    """IANA time zone."""
    currency: str
    session_id: UUID | None = None
    """The session or API token they came with."""
    stopped: bool = False
    """The company was vetted and may begin no more deals: it finishes those it has."""
    refused: bool = False
    """The operator did not admit the company; its owner may correct the facts and be looked at again."""
    was_vetted: bool = False
    """The operator has let the company trade, now or once."""
    waiting: int = 0
    """Talks that await this company's answer: the badge in the navigation."""

    @property
    def role(self) -> Role:
        return self.actor.role

    @property
    def is_trader(self) -> bool:
        """May list, offer and settle: any member of a company."""
        return self.actor.company_id is not None
