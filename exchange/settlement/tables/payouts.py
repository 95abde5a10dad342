"""What leaves a company's account at the payment service for its bank."""

from piccolo.columns import UUID, BigInt, ForeignKey, OnDelete, Timestamptz, Varchar
from piccolo.constraints import Check
from piccolo.table import Table

from exchange.settlement.tables import PayoutAccount


class Payout(Table, tablename="payout"):
    """One payout of a company's account, as last retrieved: the payment service makes them by itself."""

    id = UUID(primary_key=True)
    payout_account_id = ForeignKey(PayoutAccount, null=False, on_delete=OnDelete.restrict, index=True)
    payout_id = Varchar(length=120, null=False, unique=True)
    currency = Varchar(length=3, null=False)
    amount_minor = BigInt(null=False)
    state = Varchar(length=10, null=False)
    """In Stripe's words; ``failed`` and ``canceled`` are for good, and ``paid`` may still turn out as failed."""
    failure = Varchar(length=80, null=True, default=None)
    """Why the bank refused it, as Stripe names it."""
    created_at = Timestamptz(null=False)
    arrives_at = Timestamptz(null=False)

    positive = Check("amount_minor > 0")
    known_state = Check("state in ('pending', 'in_transit', 'paid', 'canceled', 'failed')")
