"""Who else a seller's money goes to, on the seller's order."""

from piccolo.columns import UUID, BigInt, ForeignKey, OnDelete, SmallInt, Timestamptz, Varchar
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from exchange.accounts.tables import Person
from exchange.companies.tables import Company
from exchange.listings.tables import Lot


class PayoutOrder(Table, tablename="payout_order"):
    """How a seller wants the money of its deals shared out: of one lot, or of all that have no order of their own.

    Never changed: a new order takes its place, and a deal keeps to the one that stood when it was agreed. An order
    without parts says: all to ourselves.
    """

    id = UUID(primary_key=True)
    company_id = ForeignKey(Company, null=False, on_delete=OnDelete.restrict, index=True)
    lot_id = ForeignKey(Lot, null=True, default=None, on_delete=OnDelete.restrict, index=True)
    made_at = Timestamptz(null=False)
    made_by = ForeignKey(Person, null=False, on_delete=OnDelete.restrict)


class PayoutPart(Table, tablename="payout_part"):
    """One receiver of an order: a share of what reaches the seller's side, or a fixed sum of it."""

    id = UUID(primary_key=True)
    order_id = ForeignKey(PayoutOrder, null=False, on_delete=OnDelete.restrict)
    rank = SmallInt(null=False)
    company_id = ForeignKey(Company, null=False, on_delete=OnDelete.restrict)
    share_bp = SmallInt(null=True, default=None)
    """In ten-thousandths."""
    fixed_minor = BigInt(null=True, default=None)
    currency = Varchar(length=3, null=True, default=None)

    payout_part_in_order = Unique([order_id, rank])
    one_kind = Check("(share_bp is null) <> (fixed_minor is null) and (fixed_minor is null) = (currency is null)")
    positive = Check("coalesce(share_bp, 1) > 0 and coalesce(fixed_minor, 1) > 0")


class ReceivingCode(Table, tablename="receiving_code"):
    """What a company hands to a seller so that the seller may name it as a receiver."""

    id = UUID(primary_key=True)
    company_id = ForeignKey(Company, null=False, unique=True, on_delete=OnDelete.restrict)
    code = Varchar(length=14, null=False, unique=True)
    made_at = Timestamptz(null=False)
