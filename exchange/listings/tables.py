"""Stock lists, lots, manifest lines, reservations, photos.

Never a column for a minimum resale price, an internet ban or a territory (design promise 8).
"""

from piccolo.columns import (
    JSONB,
    UUID,
    Array,
    BigInt,
    BigSerial,
    Boolean,
    Bytea,
    ForeignKey,
    Integer,
    OnDelete,
    SmallInt,
    Text,
    Timestamptz,
    Varchar,
)
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from exchange.companies.tables import Company


class StockList(Table, tablename="stock_list"):
    """A file a merchant dropped, kept private to the company, and what was understood of it."""

    id = UUID(primary_key=True)
    company_id = ForeignKey(Company, null=False, on_delete=OnDelete.restrict, index=True)
    person_id = UUID(null=False)
    file_name = Varchar(length=255, null=False)
    content = Bytea(null=False)
    sha256 = Bytea(null=False)
    status = Varchar(length=12, null=False, default="received")
    """received → reading → read → published; or refused, with `refusal`."""
    refusal = Varchar(length=80, null=False, default="")
    refusal_details = JSONB(null=False, default="{}")
    sheets = JSONB(null=False, default="[]")
    """Name and number of rows of each sheet read."""
    corrections = JSONB(null=False, default="{}")
    """What the person corrected: sheet, header row, roles, decimals, currency, defaults."""
    columns = JSONB(null=False, default="[]")
    """The columns as mapped, with why and samples."""
    notices = JSONB(null=False, default="[]")
    currency = Varchar(length=3, null=False, default="EUR")
    rows = Integer(null=False, default=0)
    usable = Integer(null=False, default=0)
    warned = Integer(null=False, default=0)
    refused = Integer(null=False, default=0)
    aside = Integer(null=False, default=0)
    """Rows that are no goods: totals, repeated headers, parents of variants, pictures."""
    progress = SmallInt(null=False, default=0)
    """Per cent of the reading done."""
    reading = UUID(null=True, default=None)
    """Which reading the rows belong to: a later correction overtakes an earlier one still running."""
    created_at = Timestamptz(null=False)
    read_at = Timestamptz(null=True, default=None)

    known_status = Check("status in ('received', 'reading', 'read', 'refused', 'published')")


class StockListRow(Table, tablename="stock_list_row"):
    """One row of a stock list: its cells as the file holds them, and what became of it."""

    id = BigSerial(primary_key=True)
    stock_list_id = ForeignKey(StockList, null=False, on_delete=OnDelete.cascade)
    sheet = SmallInt(null=False, default=0)
    number = Integer(null=False)
    """The row's number as a spreadsheet program shows it, from 1."""
    cells = JSONB(null=False, default="[]")
    state = Varchar(length=8, null=True, default=None)
    """usable, warned, refused or aside; null for rows of a sheet that is not used."""
    line = JSONB(null=True, default=None)
    problems = JSONB(null=False, default="[]")

    one_of_each = Unique([stock_list_id, sheet, number])
    known_state = Check("state in ('usable', 'warned', 'refused', 'aside')")


class Lot(Table, tablename="lot"):
    """What is sold: one or more manifest lines on one set of terms, under a mask."""

    id = UUID(primary_key=True)
    company_id = ForeignKey(Company, null=False, on_delete=OnDelete.restrict, index=True)
    stock_list_id = ForeignKey(StockList, null=True, default=None, on_delete=OnDelete.restrict, index=True)
    person_id = UUID(null=False)
    state = Varchar(length=12, null=False, default="open")
    title = Varchar(length=140, null=False)
    category = Varchar(length=40, null=False)
    """A slug of `rules.categories.CATEGORIES`."""
    region = Varchar(length=12, null=False)
    """A slug of `rules.categories.REGIONS`."""
    country = Varchar(length=2, null=False)
    brands = Array(base_column=Varchar(length=80), null=False)
    grade = Varchar(length=1, null=False)
    """The lowest of its lines."""
    packing = Varchar(length=12, null=False)
    weight_g = BigInt(null=True, default=None)
    incoterm = Varchar(length=3, null=False)
    slots = Array(base_column=Varchar(length=6), null=False)

    currency = Varchar(length=3, null=False)
    unit_ask_minor = BigInt(null=False)
    """Price asked for one unit, ex VAT."""
    ask_minor = BigInt(null=False)
    """Price asked for all listed units: unit price times quantity."""
    rrp_minor = BigInt(null=True, default=None)
    """Retail value of all listed units; null when a line's is unknown."""
    quantity = Integer(null=False)
    """Units listed."""
    reserved = Integer(null=False, default=0)
    sold = Integer(null=False, default=0)
    partial = Boolean(null=False, default=False)
    minimum = Integer(null=False, default=1)
    multiple = Integer(null=False, default=1)
    floor_minor = BigInt(null=True, default=None)
    """Per unit, hidden: offers below are declined automatically."""
    auto_accept_minor = BigInt(null=True, default=None)
    """Per unit, hidden: offers at or above are accepted automatically."""
    threshold = Integer(null=True, default=None)
    """Sold only if at least so many units are paid by the end of the sale; null: each buyer's deal stands alone."""
    threshold_state = Varchar(length=6, null=True, default=None)
    """open → met or missed, decided once (trigger)."""
    threshold_paid = Integer(null=False, default=0)
    """Units paid and held, as last counted; exact for the seller alone."""
    authorised_brand = Varchar(length=80, null=False, default="")
    """Only authorised dealers of this brand may buy (VBER 2022/720 art. 4(c)(i)(2)); empty: anybody."""
    unmark = Boolean(null=False, default=False)
    """Remove the seller's price tags and shop name; keep the source confidential."""
    no_warranty = Boolean(null=False, default=False)
    """No hidden-defect warranty, between professionals of one speciality."""
    tolerance_bp = SmallInt(null=False, default=500)
    """Claim tolerance in ten-thousandths of the deal's price."""
    origin_declared = Boolean(null=False, default=False)
    """First sold in the EEA by the mark's owner or with his consent: compulsory."""
    search_text = Text(null=False, default="")
    """Bar codes and words of the lines. While the lot is for sale, `search_name` (tsvector) is generated from its title
    and brands, `search` from these and this text."""
    published_at = Timestamptz(null=False)
    expires_at = Timestamptz(null=False)
    closed_at = Timestamptz(null=True, default=None)

    known_state = Check("state in ('open', 'part_sold', 'cleared', 'withdrawn', 'expired', 'donated')")
    never_oversold = Check("reserved >= 0 and sold >= 0 and reserved + sold <= quantity")
    known_grade = Check("grade in ('A', 'B', 'C', 'D')")
    positive = Check("quantity > 0 and unit_ask_minor > 0 and ask_minor = unit_ask_minor * quantity")
    orderable = Check("minimum between 1 and quantity and multiple between 1 and quantity")
    sane_floor = Check("floor_minor between 1 and unit_ask_minor")
    sane_auto_accept = Check("auto_accept_minor between coalesce(floor_minor, 1) and unit_ask_minor")
    reachable_threshold = Check("threshold between 2 and quantity")
    known_threshold_state = Check("threshold_state in ('open', 'met', 'missed')")
    threshold_has_a_state = Check("(threshold is null) = (threshold_state is null)")
    sane_tolerance = Check("tolerance_bp between 0 and 500")
    declared = Check("origin_declared")


class ManifestLine(Table, tablename="manifest_line"):
    """One article of a lot. ``seller_ref`` is for the seller's eyes only."""

    id = UUID(primary_key=True)
    lot_id = ForeignKey(Lot, null=False, on_delete=OnDelete.restrict)
    position = Integer(null=False)
    seller_ref = Varchar(length=120, null=False, default="")
    gtin = Varchar(length=14, null=True, default=None, index=True)
    """Always fourteen digits (`rules.codes.gtin14`)."""
    title = Varchar(length=300, null=False)
    brand = Varchar(length=80, null=False, default="")
    model = Varchar(length=120, null=False, default="")
    category = Varchar(length=40, null=False)
    quantity = Integer(null=False)
    reserved = Integer(null=False, default=0)
    sold = Integer(null=False, default=0)
    rrp_minor = BigInt(null=True, default=None)
    """Retail value of one unit, in the lot's currency."""
    unit_ask_minor = BigInt(null=True, default=None)
    grade = Varchar(length=1, null=False)
    weight_g = BigInt(null=True, default=None)

    in_order = Unique([lot_id, position])
    line_never_oversold = Check("reserved >= 0 and sold >= 0 and reserved + sold <= quantity and quantity > 0")
    line_known_grade = Check("grade in ('A', 'B', 'C', 'D')")


class Reservation(Table, tablename="reservation"):
    """Units taken out of a lot for one agreement; its id is the agreement's (the negotiation's) own."""

    id = UUID(primary_key=True)
    lot_id = ForeignKey(Lot, null=False, on_delete=OnDelete.restrict, index=True)
    quantity = Integer(null=False)
    state = Varchar(length=8, null=False, default="held")
    """held → sold or released."""
    made_at = Timestamptz(null=False)
    ended_at = Timestamptz(null=True, default=None)

    known_reservation_state = Check("state in ('held', 'sold', 'released')")
    reserves_something = Check("quantity > 0")


class ReservationLine(Table, tablename="reservation_line"):
    """How many units of which line a reservation takes."""

    id = BigSerial(primary_key=True)
    reservation_id = ForeignKey(Reservation, null=False, on_delete=OnDelete.restrict)
    line_id = ForeignKey(ManifestLine, null=False, on_delete=OnDelete.restrict)
    quantity = Integer(null=False)

    one_per_line = Unique([reservation_id, line_id])
    takes_something = Check("quantity > 0")


class CostStatement(Table, tablename="cost_statement"):
    """The seller's answer on reselling below cost (L442-5 C.com.): private, dated, signed, never changed."""

    id = UUID(primary_key=True)
    lot_id = ForeignKey(Lot, null=False, on_delete=OnDelete.restrict, index=True)
    person_id = UUID(null=False)
    answer = Varchar(length=20, null=False)
    occasion = Varchar(length=20, null=False)
    """publication, price_change, auto_accept, counter or acceptance."""
    stated_at = Timestamptz(null=False)


class LotRival(Table, tablename="lot_rival"):
    """Whom a seller hides one lot from, as he wrote it, member or not (``companies.rules.rival_key``)."""

    id = UUID(primary_key=True)
    lot_id = ForeignKey(Lot, null=False, on_delete=OnDelete.restrict)
    written = Varchar(length=200, null=False)
    kind = Varchar(length=12, null=False)
    value = Varchar(length=240, null=False)

    lot_rival_once = Unique([lot_id, kind, value])


class LotBlock(Table, tablename="lot_block"):
    """``company_id`` may not see the lot. What follows from `LotRival`; never shown to anybody."""

    id = UUID(primary_key=True)
    lot_id = ForeignKey(Lot, null=False, on_delete=OnDelete.restrict)
    company_id = ForeignKey(Company, null=False, on_delete=OnDelete.restrict)

    lot_block_pair = Unique([company_id, lot_id])


class SearchWord(Table, tablename="search_word"):
    """Every word of a lot: what a mistyped word is corrected to. Kept by triggers."""

    word = Varchar(length=40, primary_key=True)


class Photo(Table, tablename="photo"):
    """A picture of a lot, decoded, stripped of everything but its pixels, and encoded anew."""

    id = UUID(primary_key=True)
    lot_id = ForeignKey(Lot, null=False, on_delete=OnDelete.restrict)
    position = SmallInt(null=False)
    width = Integer(null=False)
    height = Integer(null=False)
    content = Bytea(null=False)
    """JPEG, at most 1,600 pixels wide or high."""
    thumbnail = Bytea(null=False)
    """JPEG, at most 400 pixels wide or high."""
    created_at = Timestamptz(null=False)

    photo_in_order = Unique([lot_id, position])
