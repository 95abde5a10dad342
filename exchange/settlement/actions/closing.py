"""The end of a deal: when nothing of it is held any more, and open again when something is."""

from exchange.database import announce, execute, fetchval
from exchange.jobs import enqueue
from exchange.journal.actions import record
from exchange.listings.actions.reservations import mark_sold
from exchange.settlement.actions.moves import enter
from exchange.settlement.queries.deals import Deal
from exchange.settlement.rules.deal import Move, Side, State, ended_as, step


async def close_if_done(deal: Deal) -> None:
    """End the deal when all of its money has reached its receivers; the current transaction holds the deal's row."""
    if deal.state is not State.CLOSING:
        return
    open_parts = await fetchval(
        "select exists (select from release_leg where deal_id = $1 and state <> 'paid') "
        "or exists (select from refund r join payment p on p.id = r.payment_id "
        "where r.deal_id = $1 and p.state = 'paid' and r.state = 'planned')",
        deal.id,
    )
    if open_parts or await held(deal):
        return
    end = ended_as(deal.terms.total.minor, deal.refund.minor)
    await enter(deal, Move.CLOSE, step(deal.state, Move.CLOSE, Side.STRIPE), None, to=end)
    await mark_sold(agreement_id=deal.negotiation_id)  # unless they are for sale again
    if end in {State.SETTLED, State.PARTLY_REFUNDED}:
        await enqueue("deal.settled", deal.id)


async def held(deal: Deal) -> int:
    return int(
        await fetchval(
            "select coalesce(-sum(amount_minor), 0) from ledger_entry where deal_id = $1 and account = 'held'", deal.id
        )
    )


async def end_again(deal: Deal) -> None:
    """A deal that had ended gave more back to its buyer since: once nothing of it is held, it ended otherwise."""
    if not deal.state.final or deal.state is State.UNPAID or await held(deal):
        return
    await execute(
        "update deal set state = $2 where id = $1", deal.id, ended_as(deal.terms.total.minor, deal.refund.minor).value
    )
    await announce(deal.channel, "deal.ended_again", deal.id)


async def reopen(deal: Deal) -> None:
    """A refund of a deal that had ended did not reach the buyer: the deal is open until the buyer has its money."""
    if deal.state.final and await held(deal):
        await execute("update deal set state = 'closing', closed_at = null where id = $1", deal.id)
        await record(None, "deal.reopened", deal.id)
        await announce(deal.channel, "deal.reopened", deal.id)
