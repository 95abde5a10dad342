"""Disputes of a deal, and what was handed in against them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from exchange.clock import now
from exchange.database import fetchrow
from exchange.money import Money
from exchange.settlement.queries.deals import Deal
from exchange.settlement.rules.rebuttals import asks


@dataclass(frozen=True, slots=True)
class Contested:
    """A dispute as the operator has to answer it."""

    id: UUID
    stripe_id: str
    status: str
    reason: str
    amount: Money
    due_by: datetime | None
    state: str | None
    """Of the latest answer: ``planned`` while it is on its way, ``sent``, ``refused``; ``None`` where there is none."""
    why: str
    """What was said of one that was refused."""

    @property
    def handed_in(self) -> bool:
        return self.state in {"planned", "sent"}

    @property
    def asks(self) -> bool:
        """Whether it is the operator's turn."""
        return not self.handed_in and asks(self.status, self.due_by, now())


async def contested(deal: Deal) -> Contested | None:
    """The deal's dispute that is not decided, the one to be answered first; the caller has loaded the deal."""
    row = await fetchrow(
        "select x.*, r.state, coalesce(r.why, '') as why from dispute x join payment p on p.id = x.payment_id "
        "left join lateral (select state, why from rebuttal where dispute_id = x.id order by made_at desc limit 1) r "
        "on true where p.deal_id = $1 and not x.over "
        "order by coalesce(r.state in ('planned', 'sent'), false), x.due_by, x.id limit 1",
        deal.id,
    )
    if row is None:
        return None
    return Contested(
        id=row["id"],
        stripe_id=row["dispute_id"],
        status=row["status"],
        reason=row["reason"],
        amount=Money(row["amount_minor"], row["currency"]),
        due_by=row["due_by"],
        state=row["state"],
        why=row["why"],
    )
