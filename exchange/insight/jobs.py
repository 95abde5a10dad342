"""What happens later: a settled deal becomes a fact, closed listings are counted, charts are drawn ahead of readers."""

import logging
from uuid import UUID

from exchange.insight import actions
from exchange.insight.rules.taxonomy import TREE
from exchange.insight.rules.timing import NothingToRelease
from exchange.jobs import every, handles

log = logging.getLogger(__name__)


@handles("deal.settled")
async def record_trade(deal_id: UUID) -> None:
    """The trade is one drop in a figure, months later."""
    await actions.record_trade(deal_id=deal_id)


@handles("insight.release_asked")
async def release(_: UUID) -> None:
    """The operator asked for the next release; asked twice, the second finds nothing waiting."""
    try:
        made = await actions.release()
    except NothingToRelease:
        log.info("no quarter waits for its release")
    else:
        log.info("released %s: %s of %s cells published", made.period, made.published, made.cells)


@handles("insight.released")
async def draw_ahead(_: UUID) -> None:
    """The pages most read are drawn before anybody asks."""
    await actions.draw_ahead(TREE)


@every("10 2 * * *")
async def record_closed_listings() -> None:
    """By night: what closed, and what was offered on it."""
    while await actions.record_closed_listings():
        pass
