"""How a seller orders its money to be shared out: what an order may say, and the rights it gives.

Source: domain guide §3 (part solidaire: on the seller's order part of the price goes straight to an association, a cash
gift of the seller's); settlement guide §2, *Consignment, charity*.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from exchange.errors import N_, Invalid
from exchange.money import Money
from exchange.settlement.rules.amounts import Share

MOST_RECEIVERS = 5
MOST_SHARED_BP = 7_500
"""Three quarters of what reaches the seller's side: it contains the VAT, which the seller owes to the state."""


class TooManyReceivers(Invalid):
    message = N_("A price is shared among %(most)s receivers at most. Take one out first.")


class TooMuchShared(Invalid):
    message = N_("At most %(most)s %% may go to others: what reaches you contains the VAT, which you owe to the state.")


class ReceiverTwice(Invalid):
    message = N_("This receiver is in the order already. Take it out first to change its part.")


class OneselfAsReceiver(Invalid):
    message = N_("The rest is yours anyway. Name somebody else.")


class PartMissing(Invalid):
    message = N_("Name a share between 0.01 and 75 %%, or a sum.")


class SumForAllLots(Invalid):
    message = N_("A sum can only be ordered for one lot. For all lots, name a share.")


@dataclass(frozen=True, slots=True)
class Part:
    """One receiver of an order: ``share_bp`` ten-thousandths of what reaches the seller's side, or a sum of it."""

    company_id: UUID
    share_bp: int | None = None
    fixed: Money | None = None


def ensure_order(parts: Sequence[Part], *, seller: UUID, for_all_lots: bool) -> None:
    """Raises what is wrong with an order of ``seller``'s: any of the refusals above."""
    if len(parts) > MOST_RECEIVERS:
        raise TooManyReceivers(field="receiver", most=MOST_RECEIVERS)
    for part in parts:
        if part.company_id == seller:
            raise OneselfAsReceiver(field="receiver")
        if (part.share_bp is None) == (part.fixed is None):
            raise PartMissing(field="share")
        if (part.share_bp is not None and part.share_bp <= 0) or (part.fixed is not None and part.fixed.minor <= 0):
            raise PartMissing(field="share")
        if part.fixed is not None and for_all_lots:
            raise SumForAllLots(field="fixed")
    if len({part.company_id for part in parts}) < len(parts):
        raise ReceiverTwice(field="receiver")
    if sum(part.share_bp or 0 for part in parts) > MOST_SHARED_BP:
        raise TooMuchShared(field="share", most=MOST_SHARED_BP // 100)


def shares(parts: Sequence[Part]) -> list[Share]:
    """The rights of a deal: the seller's first, then each receiver's; sums are paid first, shares are of the rest."""
    own = Share(10_000 - sum(part.share_bp or 0 for part in parts))
    return [own, *(Share(p.share_bp or 0, p.fixed.minor if p.fixed else None) for p in parts)]
