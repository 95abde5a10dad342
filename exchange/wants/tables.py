"""Wants and the lots that meet them."""

from piccolo.columns import UUID, Array, BigInt, ForeignKey, Integer, OnDelete, Timestamptz, Varchar
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from exchange.accounts.tables import Person
from exchange.companies.tables import Company
from exchange.listings.tables import Lot


class Want(Table, tablename="want"):
    """Standing demand of one company. ``ceiling_minor`` per unit is told to nobody."""

    id = UUID(primary_key=True)
    company_id = ForeignKey(Company, null=False, on_delete=OnDelete.restrict, index=True)
    person_id = ForeignKey(Person, null=False, on_delete=OnDelete.restrict)
    """Who said it, and is told of matches."""
    category = Varchar(length=40, null=True, default=None)
    brand = Varchar(length=80, null=False, default="")
    gtins = Array(base_column=Varchar(length=14), null=False)
    """Fourteen digits each."""
    worst_grade = Varchar(length=1, null=False)
    quantity_min = Integer(null=False)
    quantity_max = Integer(null=True, default=None)
    ceiling_minor = BigInt(null=True, default=None)
    currency = Varchar(length=3, null=False)
    regions = Array(base_column=Varchar(length=12), null=False)
    """Empty: anywhere; so with the incoterms."""
    incoterms = Array(base_column=Varchar(length=3), null=False)
    created_at = Timestamptz(null=False)
    expires_at = Timestamptz(null=False)
    closed_at = Timestamptz(null=True, default=None)

    wants_something = Check("category is not null or brand <> '' or cardinality(gtins) > 0")
    want_known_grade = Check("worst_grade in ('A', 'B', 'C', 'D')")
    sane_range = Check("quantity_min >= 1 and quantity_max >= quantity_min")
    positive_ceiling = Check("ceiling_minor > 0")


class WantMatch(Table, tablename="want_match"):
    """A lot that meets a want. Whether it is still for sale and within the ceiling is asked when it is shown."""

    id = UUID(primary_key=True)
    want_id = ForeignKey(Want, null=False, on_delete=OnDelete.restrict)
    lot_id = ForeignKey(Lot, null=False, on_delete=OnDelete.restrict, index=True)
    closeness = Varchar(length=8, null=False)
    found_at = Timestamptz(null=False)
    told_at = Timestamptz(null=True, default=None)

    one_match = Unique([want_id, lot_id])
    known_closeness = Check("closeness in ('gtin', 'brand', 'category')")
