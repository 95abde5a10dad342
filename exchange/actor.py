"""On whose behalf something is done."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """What a person may do in the exchange."""

    TRADER = "trader"
    """Lists, offers, settles for the company."""
    OWNER = "owner"
    """A trader who also manages the team, the onboarding with the payment service, blocks and tokens."""
    OPERATOR = "operator"
    """Runs the exchange itself: vets companies, decides claims, freezes releases. Has no company, trades nothing."""


@dataclass(frozen=True, slots=True)
class Actor:
    """A signed-in person and the company they act for (``None`` for the operator)."""

    person_id: UUID
    company_id: UUID | None
    role: Role = Role.TRADER

    @property
    def is_operator(self) -> bool:
        return self.role is Role.OPERATOR

    @property
    def is_owner(self) -> bool:
        return self.role is Role.OWNER
