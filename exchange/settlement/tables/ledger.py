"""The ledger, and its comparison with Stripe's balance."""

from piccolo.columns import JSON, UUID, BigInt, BigSerial, Boolean, ForeignKey, Integer, OnDelete, Timestamptz, Varchar
from piccolo.constraints import Check, Unique
from piccolo.table import Table


class LedgerPosting(Table, tablename="ledger_posting"):
    """One fact of money, posted once: (fact, reference) is unique. Append-only."""

    id = UUID(primary_key=True)
    at = Timestamptz(null=False)
    fact = Varchar(length=20, null=False)
    reference = Varchar(length=120, null=False)
    """The id of the payment, refund, leg or deal it is about."""
    deal_id = UUID(null=True, default=None, index=True)
    lot_id = UUID(null=True, default=None)
    stripe_object = Varchar(length=120, null=True, default=None, index=True)
    """The charge, refund or transfer whose balance transaction this mirrors."""
    payment_id = UUID(null=True, default=None)
    """The payment it gave back by hand, or took from what was: their sum is what still counts for its refunds."""

    once = Unique([fact, reference])


class LedgerEntry(Table, tablename="ledger_entry"):
    """``amount_minor`` on ``account``: debit positive, credit negative. Append-only, balanced per posting."""

    id = BigSerial(primary_key=True)
    posting_id = ForeignKey(LedgerPosting, null=False, on_delete=OnDelete.restrict, index=True)
    deal_id = UUID(null=True, default=None)
    account = Varchar(length=12, null=False)
    currency = Varchar(length=3, null=False)
    amount_minor = BigInt(null=False)

    not_zero = Check("amount_minor <> 0")
    known_account = Check(
        "account in ('stripe', 'cash', 'bank', 'held', 'commission', 'vat', 'fees', 'surplus', 'receivable', "
        "'disputed', 'losses', 'external')"
    )


class SetAside(Table, tablename="set_aside"):
    """What moved our balance in a currency the books cannot hold, and the operator has looked at. Append-only."""

    id = UUID(primary_key=True)
    at = Timestamptz(null=False)
    source = Varchar(length=120, null=False, index=True)
    """The object at the payment service that moved it."""
    currency = Varchar(length=10, null=False)
    """In small letters, as the payment service writes it; ``minor`` is in its units."""
    minor = BigInt(null=False)


class Reconciliation(Table, tablename="reconciliation"):
    """One comparison of our books with Stripe's. While the latest found a difference, nothing is released."""

    id = UUID(primary_key=True)
    at = Timestamptz(null=False, index=True)
    movements = Integer(null=False)
    differences = JSON(null=False)
    agreed = Boolean(null=False)
