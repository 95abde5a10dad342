"""What a buyer says is not right with a delivery."""

from piccolo.columns import UUID, BigInt, ForeignKey, Integer, OnDelete, SmallInt, Text, Timestamptz, Varchar
from piccolo.constraints import Check
from piccolo.table import Table

from exchange.settlement.tables import Deal


class Claim(Table, tablename="claim"):
    """What a buyer says is not right with a delivery; sums before tax."""

    id = UUID(primary_key=True)
    deal_id = ForeignKey(Deal, null=False, unique=True, on_delete=OnDelete.restrict)
    lot_id = UUID(null=False)
    state = Varchar(length=9, null=False, default="open")
    said = Text(null=False, default="")
    wanted_minor = BigInt(null=False)
    offered_minor = BigInt(null=True, default=None)
    answer = Text(null=False, default="")
    opened_at = Timestamptz(null=False)
    escalate_from = Timestamptz(null=False)
    """When the buyer may turn to the operator: the seller's time to answer has passed."""
    settled_minor = BigInt(null=True, default=None)
    answered_at = Timestamptz(null=True, default=None)

    known_state = Check("state in ('open', 'answered', 'agreed', 'withdrawn', 'decided')")
    not_negative = Check("wanted_minor >= 0 and coalesce(offered_minor, 0) >= 0 and coalesce(settled_minor, 0) >= 0")


class ClaimLine(Table, tablename="claim_line"):
    """One line of a claim: so many units, for this reason, have lost so much of their value."""

    id = UUID(primary_key=True)
    claim_id = ForeignKey(Claim, null=False, on_delete=OnDelete.restrict, index=True)
    lot_id = UUID(null=False)
    line_key = Varchar(length=60, null=False)
    label = Varchar(length=200, null=False)
    reason = Varchar(length=8, null=False)
    units = Integer(null=False)
    loss_percent = SmallInt(null=False)
    answered_percent = SmallInt(null=True, default=None)
    """The loss the seller finds right."""

    known_reason = Check("reason in ('missing', 'damaged', 'wrong')")
    within = Check("units > 0 and loss_percent between 1 and 100")
    answered_within = Check("answered_percent between 0 and loss_percent")
