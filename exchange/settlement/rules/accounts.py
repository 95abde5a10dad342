"""Where a company's money goes, and how that changes: the owner asks, the operator confirms, some days pass.

Source: settlement guide §8, line 23. Who takes over a seller's e-mail must not be able to take over its money: the
change needs a second person, and everybody in the company reads of it while it can still be called off.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from exchange.errors import N_


class Standing(StrEnum):
    """What a company's account is to it."""

    CURRENT = "current"
    NEXT = "next"
    """Asked for; it takes the current one's place when confirmed and the days are over."""
    FORMER = "former"
    """Money of deals agreed while it was the current one still goes here."""


COOL_OFF_DAYS = 3
"""Business days between the operator's confirmation and the change."""


@dataclass(frozen=True, slots=True)
class Receiving:
    """An account as last retrieved."""

    account_id: str
    status: str

    @property
    def active(self) -> bool:
        return self.status == "active"

    @property
    def closed(self) -> bool:
        return self.status == "closed"


def receiver(frozen: Receiving | None, current: Receiving | None) -> Receiving | None:
    """Where a leg goes: the account frozen at agreement; the current one if there was none, or if it is closed."""
    return current if frozen is None or frozen.closed else frozen


_NO_SUCH_ACCOUNT = N_("The bank knows no account of that number.")
_BLOCKED = N_("The account is blocked.")
_REFUSALS: Mapping[str, str] = {
    "account_closed": N_("The account is closed."),
    "account_frozen": _BLOCKED,
    "bank_account_restricted": _BLOCKED,
    "incorrect_account_holder_name": N_("The account is in another name."),
    "invalid_account_number": _NO_SUCH_ACCOUNT,
    "invalid_currency": N_("The account takes no money in this currency."),
    "no_account": _NO_SUCH_ACCOUNT,
}
"""Source: the payment service's list of payout failures; others say nothing a seller could act on."""


def bank_refusal(failure: str | None) -> str:
    """Why a bank did not take a payout, as a message id, from the payment service's name of the ``failure``."""
    return _REFUSALS.get(failure or "", N_("The bank gave no reason."))
