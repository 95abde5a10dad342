"""What passes between the exchange and Stripe: every intended call, every piece of news, how far it was read."""

from piccolo.columns import JSON, UUID, Boolean, Integer, Text, Timestamptz, Varchar
from piccolo.constraints import Check
from piccolo.table import Table

from exchange.settlement.rules.payments import OperationState


class StripeOperation(Table, tablename="stripe_operation"):
    """One intended write at Stripe. Its id is the idempotency key; its request never changes (a trigger sees to it)."""

    id = UUID(primary_key=True)
    kind = Varchar(length=20, null=False)
    subject_id = UUID(null=False, index=True)
    """The payment, leg, refund or company the call is for."""
    deal_id = UUID(null=True, default=None, index=True)
    lot_id = UUID(null=True, default=None)
    request = JSON(null=False)
    request_hash = Varchar(length=64, null=False)
    """SHA-256 of the request's text: a row whose request does not match it is never sent."""
    api_version = Varchar(length=40, null=False)
    livemode = Boolean(null=False)
    state = Varchar(length=8, null=False, default=OperationState.PLANNED.value)
    stripe_id = Varchar(length=120, null=True, default=None)
    planned_at = Timestamptz(null=False)
    first_sent_at = Timestamptz(null=True, default=None)
    tried_at = Timestamptz(null=True, default=None)
    """When the latest attempt began."""
    attempts = Integer(null=False, default=0)
    last_error = Text(null=False, default="")
    last_request_id = Varchar(length=80, null=True, default=None)

    known_kind = Check(
        "kind in ('account.create', 'customer.create', 'checkout.create', 'session.expire', 'pi.cancel', 'refund', "
        "'cash.return', 'transfer', 'reversal')"
    )
    known_state = Check("state in ('planned', 'sent', 'done', 'failed', 'unknown', 'held')")


class StripeEvent(Table, tablename="stripe_event"):
    """The inbox: every event once, however often and by whatever way it comes."""

    id = UUID(primary_key=True)
    event_id = Varchar(length=120, null=False, unique=True)
    thin = Boolean(null=False)
    type = Varchar(length=120, null=False)
    api_version = Varchar(length=40, null=True, default=None)
    created_at = Timestamptz(null=False)
    livemode = Boolean(null=False)
    account = Varchar(length=120, null=True, default=None)
    object_id = Varchar(length=120, null=True, default=None)
    payload = JSON(null=False)
    source = Varchar(length=7, null=False)
    received_at = Timestamptz(null=False)
    handled_at = Timestamptz(null=True, default=None)
    attempts = Integer(null=False, default=0)
    last_error = Text(null=False, default="")

    known_source = Check("source in ('webhook', 'poll')")


class StripeCursor(Table, tablename="stripe_cursor"):
    """How far the poll of a stream of events, or of sellers' payouts, has come."""

    stream = Varchar(length=20, primary_key=True)
    seen_until = Timestamptz(null=False)
