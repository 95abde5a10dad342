"""A company's money as JSON."""

from datetime import datetime
from typing import Any

from litestar import get
from pydantic import BaseModel, Field

from exchange.errors import NotSeen
from exchange.settlement.api.deals import Amount, Call, amount_of
from exchange.settlement.queries.purse import payouts_of
from exchange.web.guards import member, viewer_of


class Payout(BaseModel):
    """What the payment service paid out to the company's bank, or tried to."""

    amount: Amount
    state: str = Field(description="pending, in_transit, paid, canceled or failed", examples=["paid"])
    arrives_at: datetime | None = Field(description="null where it will not arrive")
    refused_because: str | None = Field(description="English: why the bank refused it; null where it did not")


@get("/payouts", guards=[member])
async def payouts(request: Call) -> list[Payout]:
    """What went on to the company's bank, the latest ten first."""
    company_id = viewer_of(request).actor.company_id
    if company_id is None:
        raise NotSeen
    return [
        Payout(
            amount=amount_of(payout.amount),
            state=payout.state,
            arrives_at=payout.arrives_at if payout.arrives else None,
            refused_because=payout.why if payout.refused else None,
        )
        for payout in await payouts_of(company_id)
    ]


HANDLERS: list[Any] = [payouts]
