"""Invoices, kept for good, and what it takes to write them: a company's address and its mandate."""

from piccolo.columns import (
    UUID,
    BigInt,
    Boolean,
    Bytea,
    Date,
    ForeignKey,
    Integer,
    OnDelete,
    Text,
    Timestamptz,
    Varchar,
)
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from exchange.accounts.tables import Person
from exchange.companies.tables import Company
from exchange.settlement.rules.papers import Handover, Wait
from exchange.settlement.tables import Deal


class Invoicing(Table, tablename="invoicing"):
    """What an invoice must say of a company and its register does not: where it is, and which VAT options it took."""

    company_id = ForeignKey(Company, primary_key=True, null=False, on_delete=OnDelete.restrict)
    street = Varchar(length=120, null=False)
    postcode = Varchar(length=20, null=False)
    city = Varchar(length=80, null=False)
    delivery_street = Varchar(length=120, null=False, default="")
    """Where its goods are brought, if elsewhere; in its own country."""
    delivery_postcode = Varchar(length=20, null=False, default="")
    delivery_city = Varchar(length=80, null=False, default="")
    franchise = Boolean(null=False, default=False)
    """Small, and without VAT on what it sells (art. 293 B CGI)."""
    on_debits = Boolean(null=False, default=False)
    """It opted to pay VAT when it invoices."""
    changed_at = Timestamptz(null=False)

    whole_address = Check("street <> '' and postcode <> '' and city <> ''")
    whole_delivery_address = Check(
        "(delivery_street = '') = (delivery_city = '') and (delivery_street = '') = (delivery_postcode = '')"
    )


class InvoiceMandate(Table, tablename="invoice_mandate"):
    """A seller's written mandate to invoice in its name: which text, by whom, when (art. 289 I-2 CGI). Append-only."""

    id = UUID(primary_key=True)
    company_id = ForeignKey(Company, null=False, on_delete=OnDelete.restrict)
    version = Varchar(length=12, null=False)
    language = Varchar(length=2, null=False)
    """In which the text was read."""
    person_id = ForeignKey(Person, null=False, on_delete=OnDelete.restrict)
    accepted_at = Timestamptz(null=False)

    once_a_version = Unique([company_id, version])


class PaperSeries(Table, tablename="paper_series"):
    """One issuer's numbers. The row is what is locked while the next one is given; the numbers stand on the papers."""

    issuer_id = UUID(primary_key=True)
    """The seller's company; the exchange itself has the id of zeros."""
    begun_at = Timestamptz(null=False)


class Paper(Table, tablename="paper"):
    """An invoice or a credit note as it was issued. Append-only; the database refuses a number that leaves a gap."""

    id = UUID(primary_key=True)
    deal_id = ForeignKey(Deal, null=False, on_delete=OnDelete.restrict, index=True)
    lot_id = UUID(null=False)
    kind = Varchar(length=20, null=False)
    issuer_id = ForeignKey(PaperSeries, null=False, on_delete=OnDelete.restrict)
    number = Integer(null=False)
    label = Varchar(length=20, null=False)
    """The number as it is printed."""
    corrects_id: ForeignKey["Paper"] = ForeignKey("self", null=True, default=None, on_delete=OnDelete.restrict)
    issued_on = Date(null=False)
    issued_at = Timestamptz(null=False)
    language = Varchar(length=2, null=False)
    currency = Varchar(length=3, null=False)
    net_minor = BigInt(null=False)
    vat_minor = BigInt(null=False)
    own_currency = Varchar(length=3, null=True, default=None)
    """The supplier's, where the tax is charged in another: the tax in it, and the day of its rates, beside it."""
    own_vat_minor = BigInt(null=True, default=None)
    rate_day = Date(null=True, default=None)
    pdf = Bytea(null=False)
    """PDF/A-3 with the XML inside."""
    xml = Bytea(null=False)
    """The same invoice as Factur-X (EN 16931)."""

    number_once = Unique([issuer_id, number])
    known_kind = Check("kind in ('invoice', 'credit_note', 'commission', 'commission_credit')")
    credit_names_its_invoice = Check("(corrects_id is not null) = (kind in ('credit_note', 'commission_credit'))")
    above_zero = Check("number > 0 and net_minor > 0 and vat_minor >= 0")
    own_tax_whole = Check("num_nulls(own_currency, own_vat_minor, rate_day) in (0, 3) and own_vat_minor >= 0")


class PaperDue(Table, tablename="paper_due"):
    """A deal whose papers are not all written, and what they wait for."""

    deal_id = ForeignKey(Deal, primary_key=True, null=False, on_delete=OnDelete.restrict)
    lot_id = UUID(null=False)
    since = Timestamptz(null=False)
    waits_for = Varchar(length=8, null=False, default=Wait.WRITING.value)
    faults = Text(null=False, default="")
    """What the checks found wrong, for the operator."""

    known_wait = Check("waits_for in ('writing', 'seller', 'buyer', 'exchange', 'rate', 'refused')")


class PaperHandover(Table, tablename="paper_handover"):
    """How far a paper is on its way to the seller's approved platform."""

    paper_id = ForeignKey(Paper, primary_key=True, null=False, on_delete=OnDelete.restrict)
    state = Varchar(length=12, null=False, default=Handover.TO_HAND_OVER.value)
    reference = Varchar(length=120, null=False, default="")
    """The platform's, where there is one."""
    attempts = Integer(null=False, default=0)
    """How often a connector was called for it; none: the seller said so, or nobody has tried."""
    next_at = Timestamptz(null=True, default=None)
    """When it is called again; nothing where it is not."""
    why = Text(null=False, default="")
    """What the platform said of a rejected one, or why it could not be asked."""
    changed_at = Timestamptz(null=False)

    known_state = Check("state in ('to_hand_over', 'handed_over', 'accepted', 'rejected')")
