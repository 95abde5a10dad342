"""Businesses, their groups, the people who act for them, and whom they hide from."""

from datetime import time

from piccolo.columns import (
    UUID,
    Array,
    Boolean,
    Bytea,
    Date,
    ForeignKey,
    OnDelete,
    SmallInt,
    Text,
    Time,
    Timestamptz,
    Varchar,
)
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from exchange.accounts.tables import Person
from exchange.companies.rules import DealsBand, ReliabilityBand, Vetting


class LegalGroup(Table, tablename="legal_group"):
    """The parent behind one or more companies. Every company has one, most alone in it."""

    id = UUID(primary_key=True)
    name = Varchar(length=200, null=False)
    created_at = Timestamptz(null=False)


class Company(Table, tablename="company"):
    """One business. Two vetted companies never share a register number (partial unique index, raw migration).

    Unvetted ones may: to refuse a number at sign-up would tell anybody who is a member here.
    """

    id = UUID(primary_key=True)
    legal_group_id = ForeignKey(LegalGroup, null=False, on_delete=OnDelete.restrict, index=True)
    legal_name = Varchar(length=200, null=False)
    trading_name = Varchar(length=200, null=False)
    """The name on the shop; the legal name where there is no other."""
    country = Varchar(length=2, null=False)
    region = Varchar(length=80, null=False, default="")
    """Shown to everybody on the company's lots: never a town."""
    registration = Varchar(length=40, null=False, index=True)
    """SIREN in France, else the number in the national register, as ``rules.registration_number`` spells it."""
    vat = Varchar(length=24, null=True, default=None)
    currency = Varchar(length=3, null=False, default="EUR")
    vetting = Varchar(length=8, null=False, default=Vetting.AWAITING.value)
    vetting_reason = Text(null=False, default="")
    vetting_changed_at = Timestamptz(null=False)
    vetted_at = Timestamptz(null=True, default=None)
    """When the operator first let it trade, kept by the database (see the migration): what it agreed on since is its
    own to read and to finish, whatever became of its vetting."""
    created_at = Timestamptz(null=False)
    is_cause = Boolean(null=False, default=False)
    """An association of general interest, as the operator has checked: sellers may give it part of a price."""
    deals_band = Varchar(length=12, null=False, default=DealsBand.FEW.value)
    reliability_band = Varchar(length=12, null=False, default=ReliabilityBand.UNKNOWN.value)

    zone = Varchar(length=64, null=False, default="Europe/Paris")
    opens = Time(null=False, default=time(9))
    closes = Time(null=False, default=time(16))
    days = Array(SmallInt(), null=False, default=[0, 1, 2, 3, 4])
    """Working days, 0 = Monday."""
    closed_from = Date(null=True, default=None)
    closed_until = Date(null=True, default=None)
    """The last day of the company's own holidays; ``rules.Away``."""

    known_vetting = Check("vetting in ('awaiting', 'vetted', 'refused', 'stopped')")
    opens_before_closing = Check("opens < closes")
    closed_in_order = Check("(closed_from is null) = (closed_until is null) and closed_from <= closed_until")
    works_some_day = Check("cardinality(days) between 1 and 7 and days <@ array[0,1,2,3,4,5,6]::smallint[]")


class Membership(Table, tablename="membership"):
    """For which company a person acts, and as what. One company a person: another business takes another address.

    Times of day and days are local to the person's zone.
    """

    id = UUID(primary_key=True)
    person_id = ForeignKey(Person, null=False, unique=True, on_delete=OnDelete.restrict)
    company_id = ForeignKey(Company, null=False, on_delete=OnDelete.restrict, index=True)
    role = Varchar(length=8, null=False)
    created_at = Timestamptz(null=False)

    away_from = Date(null=True, default=None)
    away_until = Date(null=True, default=None)
    """The last day of an absence; ``rules.Away``."""
    quiet_from = Time(null=True, default=None)
    quiet_until = Time(null=True, default=None)
    """The end of the hours without mail; ``rules.Quiet``."""
    summary_at = Time(null=True, default=None)
    """When the daily summary comes; null: when the working day begins."""
    summary_due = Timestamptz(null=True, default=None)
    """When what waits in ``summary_line`` is to leave; null while nothing waits."""
    summed_on = Date(null=True, default=None)
    """The day of the last summary: never two in a day."""

    known_role = Check("role in ('trader', 'owner')")
    away_in_order = Check("(away_from is null) = (away_until is null) and away_from <= away_until")
    quiet_in_order = Check("(quiet_from is null) = (quiet_until is null) and quiet_from < quiet_until")


class MailChoice(Table, tablename="mail_choice"):
    """What a person chose about one kind of mail; without a row the kind's default holds (``rules.MailKind``)."""

    id = UUID(primary_key=True)
    person_id = ForeignKey(Person, null=False, on_delete=OnDelete.restrict)
    kind = Varchar(length=16, null=False)
    timing = Varchar(length=8, null=False)

    one_choice_a_kind = Unique([person_id, kind])
    known_kind_of_mail = Check("kind in ('offers', 'endings', 'messages', 'team', 'introductions', 'wants')")
    known_timing = Check("timing in ('now', 'daily', 'never')")


class SummaryLine(Table, tablename="summary_line"):
    """What a person's next summary tells of: a mail's template and its subject, read when the summary leaves."""

    id = UUID(primary_key=True)
    person_id = ForeignKey(Person, null=False, on_delete=OnDelete.restrict)
    template = Varchar(length=60, null=False)
    about = UUID(null=False)
    happened_at = Timestamptz(null=False)

    told_of_once = Unique([person_id, template, about])


class Invitation(Table, tablename="invitation"):
    """A seat offered to a colleague by mail, until accepted, withdrawn or expired."""

    id = UUID(primary_key=True)
    company_id = ForeignKey(Company, null=False, on_delete=OnDelete.restrict, index=True)
    invited_by = ForeignKey(Person, null=False, on_delete=OnDelete.restrict)
    email = Varchar(length=254, null=False)
    """``citext`` in the database (raw migration)."""
    name = Varchar(length=120, null=False)
    role = Varchar(length=8, null=False)
    token_hash = Bytea(null=False, unique=True, secret=True)
    created_at = Timestamptz(null=False)
    expires_at = Timestamptz(null=False)
    accepted_at = Timestamptz(null=True, default=None)
    withdrawn_at = Timestamptz(null=True, default=None)

    known_role = Check("role in ('trader', 'owner')")


class NamedRival(Table, tablename="named_rival"):
    """Whom a company said it hides from, as its owner wrote it, member or not: nobody learns which from the list.

    ``kind`` and ``value`` are the key that finds the rival now or the day it joins (``rules.rival_key``).
    """

    id = UUID(primary_key=True)
    company_id = ForeignKey(Company, null=False, on_delete=OnDelete.restrict)
    written = Varchar(length=200, null=False)
    kind = Varchar(length=12, null=False)
    value = Varchar(length=240, null=False)
    created_at = Timestamptz(null=False)

    named_rival_once = Unique([company_id, kind, value])
    known_kind = Check("kind in ('registration', 'vat', 'name')")


class CompanyBlock(Table, tablename="company_block"):
    """``company_id`` hides everything from ``rival_id``. What follows from the named rivals; never shown to anybody.

    Kept by ``actions.resolve_blocks`` whenever a name is added or removed or a company is vetted. Hot queries ask:
    ``not exists (select from company_block b where b.company_id = <seller> and b.rival_id = <viewer>)``.
    """

    id = UUID(primary_key=True)
    company_id = ForeignKey(Company, null=False, on_delete=OnDelete.restrict)
    rival_id = ForeignKey(Company, null=False, on_delete=OnDelete.restrict, index=True)

    company_block_once = Unique([company_id, rival_id])
    not_oneself = Check("company_id <> rival_id")
