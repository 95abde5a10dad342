"""The European Central Bank's reference rates, as published: what tax in another currency is converted by."""

from piccolo.columns import UUID, Date, Numeric, Timestamptz, Varchar
from piccolo.constraints import Check, Unique
from piccolo.table import Table


class ReferenceRate(Table, tablename="reference_rate"):
    """Units of ``currency`` for one euro on ``day``. Append-only: papers were written with it."""

    id = UUID(primary_key=True)
    day = Date(null=False)
    currency = Varchar(length=3, null=False)
    per_euro = Numeric(null=False)
    """With the decimals the bank gave."""
    loaded_at = Timestamptz(null=False)

    one_rate_a_day = Unique([day, currency])
    positive_rate = Check("per_euro > 0")
