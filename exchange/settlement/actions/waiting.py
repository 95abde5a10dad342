"""Money that was decided upon and still has not reached somebody: the operator is called until it has."""

from exchange.clock import now
from exchange.database import fetch, transaction
from exchange.settlement.actions.notices import alarm
from exchange.settlement.queries import one
from exchange.settlement.queries.deals import Deal, any_deal
from exchange.settlement.rules.alarms import CALLED_AGAIN


async def call_about_waiting() -> None:
    """Once a day: of each deal, whatever its state, the operator is called about each reason, once a week.

    About a part that no account can receive from the seventy-fifth day after the payment on.
    """
    for row in await fetch(
        "select id from deal where (called_at is null or called_at <= $1) and id in "
        "(select deal_id from release_leg where state = 'parked' union select deal_id from refund where owed "
        "union select deal_id from cash_return where owed)",
        now() - CALLED_AGAIN,
    ):
        async with transaction():
            await _call(await any_deal(row["id"], lock=True))


async def _call(deal: Deal) -> None:
    """While the buyer's bank has the matter, only about bank transfers no payment took: nothing else is possible."""
    waits = await one(
        "select exists (select from release_leg where deal_id = $1 and state = 'parked') as parked, "
        "exists (select from refund where deal_id = $1 and owed and refund_id is null) as refused, "
        "exists (select from refund where deal_id = $1 and owed and refund_id is not null) as returned, "
        "exists (select from cash_return where deal_id = $1 and owed) as transferred",
        deal.id,
    )
    if waits["transferred"]:
        await alarm("return_failed", deal)
    if deal.disputed:
        return
    if waits["parked"] and deal.alarm_at is not None and deal.alarm_at <= now():
        await alarm("parked_too_long", deal)
    if waits["refused"]:
        await alarm("refund_refused", deal)
    if waits["returned"]:
        await alarm("refund_failed", deal)
