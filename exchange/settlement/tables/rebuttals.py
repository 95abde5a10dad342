"""What the exchange hands in when a buyer's bank disputes a payment."""

from piccolo.columns import JSON, UUID, Bytea, ForeignKey, OnDelete, Text, Timestamptz, Varchar
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from exchange.accounts.tables import Person
from exchange.settlement.tables import Deal, Dispute


class Rebuttal(Table, tablename="rebuttal"):
    """One answer to a dispute, frozen when the operator handed it in: a bank takes one."""

    id = UUID(primary_key=True)
    dispute_id = ForeignKey(Dispute, null=False, on_delete=OnDelete.restrict, index=True)
    deal_id = ForeignKey(Deal, null=False, on_delete=OnDelete.restrict, index=True)
    lot_id = UUID(null=False)
    texts = JSON(null=False)
    """By the names Stripe has for them."""
    person_id = ForeignKey(Person, null=False, on_delete=OnDelete.restrict)
    made_at = Timestamptz(null=False)
    state = Varchar(length=8, null=False, default="planned")
    why = Text(null=False, default="")
    """What the payment service said when it refused."""

    known_rebuttal_state = Check("state in ('planned', 'sent', 'refused')")


class RebuttalPaper(Table, tablename="rebuttal_paper"):
    """One paper of an answer, with its bytes; the payment service's id of it once it is there."""

    id = UUID(primary_key=True)
    rebuttal_id = ForeignKey(Rebuttal, null=False, on_delete=OnDelete.restrict)
    deal_id = UUID(null=False)
    lot_id = UUID(null=False)
    field = Varchar(length=40, null=False)
    """The name Stripe has for it."""
    filename = Varchar(length=120, null=False)
    content = Bytea(null=False)
    file_id = Varchar(length=120, null=True, default=None)

    rebuttal_paper_once = Unique([rebuttal_id, field])
