"""What was photographed of a delivery."""

from piccolo.columns import UUID, Boolean, Bytea, ForeignKey, Integer, OnDelete, Timestamptz, Varchar
from piccolo.constraints import Check
from piccolo.table import Table

from exchange.settlement.tables import Deal


class DealPhoto(Table, tablename="deal_photo"):
    """A picture one side took of the goods or of a note, stripped of everything but its pixels.

    A draft is its taker's alone, kept while a form is being filled in; the rest is for both sides and the operator.
    """

    id = UUID(primary_key=True)
    deal_id = ForeignKey(Deal, null=False, on_delete=OnDelete.restrict, index=True)
    lot_id = UUID(null=False)
    side = Varchar(length=6, null=False)
    occasion = Varchar(length=8, null=False)
    line_key = Varchar(length=60, null=True, default=None)
    """The line of the deal it shows; ``None`` for the delivery as a whole or a note."""
    draft = Boolean(null=False, default=True)
    width = Integer(null=False)
    height = Integer(null=False)
    content = Bytea(null=False)
    """JPEG, at most 1,600 pixels wide or high."""
    thumbnail = Bytea(null=False)
    """JPEG, at most 400 pixels wide or high."""
    created_at = Timestamptz(null=False)

    known_side = Check("side in ('buyer', 'seller')")
    known_occasion = Check("occasion in ('handover', 'receipt', 'claim', 'answer')")
