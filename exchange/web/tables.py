"""What the web layer itself must remember across processes."""

from piccolo.columns import UUID, Bytea, Integer, SmallInt, Timestamptz, Varchar
from piccolo.constraints import Unique
from piccolo.table import Table


class IdempotentReply(Table, tablename="idempotent_reply"):
    """The answer to an API POST that carried an ``Idempotency-Key``, replayed to a repeat for 24 hours."""

    id = UUID(primary_key=True)
    person_id = UUID(null=False)
    key = Varchar(length=255, null=False)
    request_hash = Bytea(null=False)
    """SHA-256 of method, path and body: the same key with another request is refused."""
    status = SmallInt(null=True, default=None)
    """Null while the first request is still being worked on."""
    headers = Varchar(length=2000, null=False, default="")
    body = Bytea(null=True, default=None)
    created_at = Timestamptz(null=False, index=True)

    one_per_person = Unique([person_id, key])


class RateCount(Table, tablename="rate_count"):
    """Requests counted per bucket and window, for every process together."""

    bucket = Varchar(length=200, primary_key=True)
    window_started_at = Timestamptz(null=False)
    hits = Integer(null=False, default=0)
