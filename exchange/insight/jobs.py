"""What happens later: a settled deal becomes a fact, closed listings are counted, charts are drawn ahead of readers."""

from uuid import UUID

from exchange.insight import actions
from exchange.jobs import every, handles


@handles("deal.settled")
async def record_trade(deal_id: UUID) -> None:
    """The trade is one drop in a figure, months later."""
    await actions.record_trade(deal_id=deal_id)


@every("10 2 * * *")
async def record_closed_listings() -> None:
    """By night: what closed, and what was offered on it."""
    while await actions.record_closed_listings():
        pass
