"""What speaks against a company, and what the operator does about it."""

from piccolo.columns import UUID, ForeignKey, OnDelete, Text, Timestamptz, Varchar
from piccolo.constraints import Check
from piccolo.table import Table

from exchange.companies.tables import Company


class Strike(Table, tablename="strike"):
    """One breach by a company, with the deal it belongs to where there is one; a lifted one no longer counts."""

    id = UUID(primary_key=True)
    company_id = ForeignKey(Company, null=False, on_delete=OnDelete.restrict, index=True)
    reason = Varchar(length=16, null=False)
    deal_id = UUID(null=True, default=None)
    said = Text(null=False, default="")
    """What the operator saw, where the operator made it."""
    at = Timestamptz(null=False)
    lifted_at = Timestamptz(null=True, default=None)
    lifted_why = Text(null=False, default="")

    known_reason = Check(
        "reason in ('unpaid', 'not_collected', 'not_shipped', 'undelivered', 'bait', 'contact_details')"
    )
    lifted_for_a_reason = Check("(lifted_at is null) = (lifted_why = '')")


class Suspension(Table, tablename="suspension"):
    """A company that is told to stop trading: with reasons, after a notice, and with an appeal."""

    id = UUID(primary_key=True)
    company_id = ForeignKey(Company, null=False, on_delete=OnDelete.restrict, index=True)
    state = Varchar(length=9, null=False, default="noticed")
    reasons = Text(null=False)
    noticed_at = Timestamptz(null=False)
    starts_at = Timestamptz(null=False)
    appeal = Text(null=False, default="")
    appealed_at = Timestamptz(null=True, default=None)
    answer = Text(null=False, default="")
    answered_at = Timestamptz(null=True, default=None)
    ended_at = Timestamptz(null=True, default=None)

    known_state = Check("state in ('noticed', 'suspended', 'withdrawn', 'lifted')")
    ended_when_over = Check("(ended_at is not null) = (state in ('withdrawn', 'lifted'))")
    appealed_with_words = Check("(appealed_at is null) = (appeal = '')")
    answered_with_words = Check(
        "(answered_at is null) = (answer = '') and (answered_at is null or appealed_at is not null)"
    )
