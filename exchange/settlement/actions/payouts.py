"""What a seller has been sent goes on to its bank; when the bank refuses it, the seller is told.

The payment service pays out by itself, from the seller's own account: nothing of it is on our balance.
"""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from exchange.database import fetch, transaction
from exchange.journal.actions import record
from exchange.settlement.actions.notices import tell_payout_failed
from exchange.settlement.queries import one
from exchange.settlement.stripe_gateway import Payout, gateway

LOOK_BACK = timedelta(days=30)
"""For how long a payout is looked at again after it was read: a bank refuses within some days, at times weeks."""

KEPT = timedelta(days=90)
"""The longest that money may lie in an account before it is paid out (settlement guide §2, *Hold limits*)."""


async def take_payout(row_id: UUID, payout: Payout) -> None:
    """Take over how a payout of an account of ours stands, in the current transaction: event and poll end here.

    One below zero takes from the bank what the account lacks: nothing of it went on to the bank, and it is not kept.
    """
    if payout.amount.minor <= 0:
        return
    row = await one(
        "insert into payout (id, payout_account_id, payout_id, currency, amount_minor, state, failure, created_at, "
        "arrives_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (payout_id) do update set "
        "state = case when payout.state in ('failed', 'canceled') then payout.state else excluded.state end, "
        "failure = coalesce(excluded.failure, payout.failure), arrives_at = excluded.arrives_at "
        "returning old.state as before, new.state, "
        "(select company_id from payout_account where id = payout_account_id)",
        uuid4(),
        row_id,
        payout.id,
        payout.amount.currency,
        payout.amount.minor,
        payout.status,
        payout.failure,
        payout.created,
        payout.arrives,
    )
    if row["state"] == "failed" and row["before"] != "failed":
        await record(None, "payout.failed", row["company_id"], code=payout.failure)
        await tell_payout_failed(row["company_id"], payout.amount, payout.failure)


async def accounts_paid(since: datetime) -> list[tuple[UUID, str]]:
    """The accounts that may have paid out since then, of which a piece of news may have been lost."""
    rows = await fetch(
        "select a.id, a.account_id from payout_account a where a.status <> 'closed' and exists (select from "
        "release_leg l where l.destination = a.account_id and l.paid_at > $1)",
        since - KEPT,
    )
    return [(row["id"], row["account_id"]) for row in rows]


async def look_at_payouts(row_id: UUID, account_id: str, since: datetime) -> None:
    """Ask Stripe how the payouts stand that an account made since then, and take them over."""
    found = await gateway().payouts(account_id, since)
    async with transaction(alone=True):
        for payout in found:
            await take_payout(row_id, payout)
