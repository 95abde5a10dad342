"""A lot sold only if enough of it is paid: its payments are counted, and once they decide, every deal follows.

The lot is decided in one transaction that holds the lot's deals and then the lot, as a deal's own moves lock them; each
deal follows by a job of its own. A payment that arrives at the same moment comes before the count or after it: counted,
or given back in full like the others (money list 35).
"""

from uuid import UUID

from exchange.clock import now
from exchange.database import execute, fetch, fetchval, transaction
from exchange.jobs import enqueue
from exchange.listings.actions.thresholds import note_count
from exchange.listings.queries.thresholds import threshold_of
from exchange.listings.rules.thresholds import ThresholdState, decide
from exchange.settlement.actions.moves import restart_payment
from exchange.settlement.actions.payments import close_pay_page
from exchange.settlement.queries.deals import DISPUTED, any_deal
from exchange.settlement.rules.deal import State


async def weigh(lot_id: UUID) -> None:
    """Count what is paid of the lot, and decide it where that or its last day does. Safe at any time.

    Its last day decides once no pay page is open any more: who pays on one until it closes has paid in time. Nobody
    waits for a payment that takes days.
    """
    for deal_id in await _weigh(lot_id):
        await close_pay_page(deal_id)


async def _weigh(lot_id: UUID) -> list[UUID]:
    """The deals whose pay pages stand between the lot and its decision."""
    async with transaction():
        await execute("select from deal where lot_id = $1 and closed_at is null order by id for no key update", lot_id)
        threshold = await threshold_of(lot_id, lock=True)
        if threshold is None:
            return []
        if threshold.is_open:
            paying = [
                row["deal_id"]
                for row in await fetch(
                    "select distinct p.deal_id from payment p join deal d on d.id = p.deal_id "
                    "where d.lot_id = $1 and d.state = 'awaiting_payment' and p.state = 'open'",
                    lot_id,
                )
            ]
            over, paid = threshold.over(now()), await _held(lot_id)
            decided = decide(threshold, paid, closed=over and not paying)
            await note_count(lot_id, paid, decided)
            if decided is ThresholdState.OPEN:
                return paying if over else []
            if decided is ThresholdState.MET:
                await _give_time(lot_id)
        for row in await fetch(
            "select id from deal where lot_id = $1 and state in ('awaiting_payment', 'pooled', 'operator')", lot_id
        ):
            await enqueue("deal.due", row["id"])
        return []


async def _held(lot_id: UUID) -> int:
    """Units whose whole price is held: no bank disputes it, and nothing of it went back, not even by hand."""
    units = await fetchval(
        f"select coalesce(sum(d.quantity), 0) from deal d where d.lot_id = $1 and d.state = $2 and not {DISPUTED} "  # noqa: S608  ours
        "and d.net_minor + d.vat_minor <= (select coalesce(-sum(e.amount_minor), 0) from ledger_entry e "
        "left join ledger_posting g on g.id = e.posting_id and e.account = 'external' "
        "left join payment p on p.id = g.payment_id where e.deal_id = d.id "
        "and (e.account = 'held' or e.account = 'external' and p.state is distinct from 'surplus'))",
        lot_id,
        State.POOLED,
    )
    return int(units)


async def _give_time(lot_id: UUID) -> None:
    """The last day no longer presses those who have agreed and not paid: they have the time every buyer has."""
    for row in await fetch("select id from deal where lot_id = $1 and state = 'awaiting_payment' order by id", lot_id):
        await restart_payment(await any_deal(row["id"]))
