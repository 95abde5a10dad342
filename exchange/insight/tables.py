"""Facts, releases and their private papers. All append-only: triggers refuse any change, for the table's owner too.

No foreign key leads out of here: a fact outlives the company and the deal it tells of, and who belongs to which legal
group is asked anew for each release. Nothing finer than a quarter is kept, because nothing finer is ever told.

Tables with composite keys stand in the migration: ``insight_release_cell`` (period, node_id, metric), its withdrawals,
and ``insight_chart``, a cache of drawings. The web role reads releases and charts; facts it cannot read.
Source: insight guide §3.
"""

from piccolo.columns import UUID, BigInt, Integer, Text, Timestamptz, Varchar
from piccolo.constraints import Check
from piccolo.table import Table


class InsightFact(Table, tablename="insight_fact"):
    """One settled trade."""

    trade_id = UUID(primary_key=True)
    period = Varchar(length=6, null=False, index=True)
    """The quarter it settled in: ``2026Q1``."""
    sector = Varchar(length=80, null=False)
    category = Varchar(length=80, null=False)
    leaf = Varchar(length=80, null=False)
    """Ids of nodes of the tree, from the root's child down; a mixed lot names the same node three times."""
    seller = UUID(null=False)
    buyer = UUID(null=False)
    """Companies; their groups are found when a release is built."""
    units = Integer(null=False)
    rrp_minor = BigInt(null=False)
    """Retail value of the units traded."""
    currency = Varchar(length=3, null=False)
    recovery_bp = Integer(null=False)
    """Settled price over retail value, in ten-thousandths."""
    days_to_clear = Integer(null=False)
    """From publication to settlement."""

    trade_between_two = Check("seller <> buyer")
    trade_of_something = Check("units > 0 and rrp_minor > 0 and recovery_bp >= 0 and days_to_clear >= 0")


class InsightOfferFact(Table, tablename="insight_offer_fact"):
    """One talk on a listing that is closed: what was first offered, and whether it ended in an agreement."""

    negotiation_id = UUID(primary_key=True)
    period = Varchar(length=6, null=False, index=True)
    """The quarter the listing closed in."""
    sector = Varchar(length=80, null=False)
    category = Varchar(length=80, null=False)
    leaf = Varchar(length=80, null=False)
    seller = UUID(null=False)
    buyer = UUID(null=False)
    rrp_minor = BigInt(null=False)
    """Retail value of the units asked for."""
    currency = Varchar(length=3, null=False)
    spread_bp = Integer(null=False)
    """1 - first offer / ask, in ten-thousandths."""
    accepted = Integer(null=False)
    """1 when the talk ended in an agreement, else 0."""

    offer_between_two = Check("seller <> buyer")
    offer_of_something = Check("rrp_minor > 0 and spread_bp between 0 and 10000 and accepted in (0, 1)")


class InsightListingFact(Table, tablename="insight_listing_fact"):
    """One listing that is closed, sold or not."""

    lot_id = UUID(primary_key=True)
    period = Varchar(length=6, null=False, index=True)
    sector = Varchar(length=80, null=False)
    category = Varchar(length=80, null=False)
    leaf = Varchar(length=80, null=False)
    seller = UUID(null=False)
    rrp_minor = BigInt(null=False)
    sold_rrp_minor = BigInt(null=False)
    currency = Varchar(length=3, null=False)

    sold_within_listed = Check("rrp_minor > 0 and sold_rrp_minor between 0 and rrp_minor")


class InsightVoid(Table, tablename="insight_void"):
    """A trade that was undone after its fact was written: it counts in no later release."""

    trade_id = UUID(primary_key=True)
    reason = Text(null=False)
    at = Timestamptz(null=False)


class InsightRelease(Table, tablename="insight_release"):
    """One quarter's figures, frozen."""

    period = Varchar(length=6, primary_key=True)
    id = UUID(null=False, unique=True)
    policy_version = Integer(null=False)
    tree_version = Varchar(length=20, null=False)
    code_sha = Varchar(length=64, null=False)
    """Of the rules' own source files."""
    input_sha256 = Varchar(length=64, null=False)
    rows = Integer(null=False)
    lag_days = Integer(null=False)
    manifest = Text(null=False)
    """Canonical JSON, public: the very bytes that were hashed and signed."""
    manifest_sha256 = Varchar(length=64, null=False)
    signature = Text(null=False)
    """Ed25519 over the manifest, base64."""
    signed_by = Varchar(length=120, null=False)
    frozen_at = Timestamptz(null=False)


class InsightPrivateManifest(Table, tablename="insight_private_manifest"):
    """What only counsel may open: margins, hide lists, the whole policy. Kept ten years (guide §10)."""

    period = Varchar(length=6, primary_key=True)
    body = Text(null=False)
