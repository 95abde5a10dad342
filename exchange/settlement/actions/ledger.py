"""The one way a figure of money comes to be."""

from uuid import UUID, uuid4

from exchange.clock import now
from exchange.database import execute, fetchval
from exchange.settlement.rules.books import Posting


async def post(
    posting: Posting | None,
    reference: object,
    *,
    deal_id: UUID | None,
    lot_id: UUID | None,
    stripe_object: str | None = None,
    payment_id: UUID | None = None,
) -> bool:
    """Book ``posting`` about ``reference``, in the current transaction; False when this fact is booked already.

    ``deal_id`` and ``lot_id`` are None for what is no deal's. ``stripe_object`` is the charge, refund or transfer whose
    balance transaction the posting mirrors; ``payment_id`` the payment that was given back by hand, if it was.
    """
    if posting is None:
        return False
    posting_id = await fetchval(
        "insert into ledger_posting (id, at, fact, reference, deal_id, lot_id, stripe_object, payment_id) "
        "values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (fact, reference) do nothing returning id",
        uuid4(),
        now(),
        posting.fact.value,
        str(reference),
        deal_id,
        lot_id,
        stripe_object,
        payment_id,
    )
    if posting_id is None:
        return False
    # one statement, because the database checks the balance of every posting at the end of each
    await execute(
        "insert into ledger_entry (posting_id, deal_id, account, currency, amount_minor) "
        "select $1, $2, * from unnest($3::text[], $4::text[], $5::bigint[])",
        posting_id,
        deal_id,
        [entry.account.value for entry in posting.entries],
        [entry.amount.currency for entry in posting.entries],
        [entry.amount.minor for entry in posting.entries],
    )
    return True
