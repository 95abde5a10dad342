"""The journal's one table."""

from piccolo.columns import JSONB, UUID, BigSerial, Timestamptz, Varchar
from piccolo.columns.indexes import IndexMethod
from piccolo.table import Table


class JournalEntry(Table, tablename="journal_entry"):
    """One thing done. ``person_id`` is null for what the exchange itself did (a clock ran out)."""

    id = BigSerial(primary_key=True)
    at = Timestamptz(null=False)
    person_id = UUID(null=True, default=None, index=True)
    company_id = UUID(null=True, default=None)
    fact = Varchar(length=80, null=False)
    subject_id = UUID(null=False, index=True, index_method=IndexMethod.btree)
    details = JSONB(null=False, default="{}")
