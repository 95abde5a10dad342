"""Negotiations, their offers, and the frozen copy of what was on sale.

Every row carries its lot's id, so that all rows of a lot can be kept together (design §8). What PostgreSQL enforces
besides the checks below stands in the migration: one live and one agreed offer at most per negotiation, and offers
whose words never change.
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

from exchange.accounts.tables import Person
from exchange.companies.tables import Company
from exchange.listings.tables import Lot, ManifestLine
from exchange.offers.rules.requests import RequestState
from exchange.offers.rules.talks import State
from exchange.wants.tables import Want


class LotCopy(Table, tablename="lot_copy"):
    """What every buyer could read of a lot when a talk began (rule 1): no company, no seller's reference, no secret.

    Talks that began on the same wording share one copy.
    """

    id = UUID(primary_key=True)
    lot_id = ForeignKey(Lot, null=False, on_delete=OnDelete.restrict)
    sha256 = Bytea(null=False)
    content = JSONB(null=False)
    made_at = Timestamptz(null=False)

    one_copy_of_a_wording = Unique([lot_id, sha256])


class Negotiation(Table, tablename="negotiation"):
    """A talk: one buyer, one seller, one lot. The lot's terms of sale are frozen beside the copy of its wording."""

    id = UUID(primary_key=True)
    lot_id = ForeignKey(Lot, null=False, on_delete=OnDelete.restrict)
    lot_copy_id = ForeignKey(LotCopy, null=False, on_delete=OnDelete.restrict)
    buyer_company_id = ForeignKey(Company, null=False, on_delete=OnDelete.restrict)
    seller_company_id = ForeignKey(Company, null=False, on_delete=OnDelete.restrict)

    currency = Varchar(length=3, null=False)
    unit_ask_minor = BigInt(null=False)
    """Per unit, without VAT, as are the three prices below."""
    partial = Boolean(null=False)
    minimum = Integer(null=False)
    multiple = Integer(null=False)
    floor_minor = BigInt(null=True, default=None)
    auto_accept_minor = BigInt(null=True, default=None)
    covered_from_minor = BigInt(null=True, default=None)
    """The lowest price the seller has said to be at or above cost; null when a legal ground covers any price."""

    state = Varchar(length=12, null=False, default=State.LIVE.value)
    """The state of the last move."""
    turn_company_id = ForeignKey(Company, null=True, default=None, on_delete=OnDelete.restrict)
    """Whose answer is awaited while the state is live."""
    moves = SmallInt(null=False, default=0)
    deadline = Timestamptz(null=True, default=None)
    """When the live move expires."""
    opened_at = Timestamptz(null=False)
    changed_at = Timestamptz(null=False)
    agreed_at = Timestamptz(null=True, default=None)

    one_talk_per_pair = Unique([lot_id, buyer_company_id])
    not_with_oneself = Check("buyer_company_id <> seller_company_id")
    at_most_six_moves = Check("moves between 0 and 6")
    known_state = Check("state in ('live', 'agreed', 'refused', 'withdrawn', 'expired', 'unavailable')")
    waits_for_somebody = Check("(state = 'live') = (turn_company_id is not null and deadline is not null)")
    turn_is_a_party = Check("turn_company_id in (buyer_company_id, seller_company_id)")
    agreed_at_an_instant = Check("(state = 'agreed') = (agreed_at is not null)")


class Offer(Table, tablename="offer"):
    """One move, signed: who, when, what, under which terms of the exchange (rule 12)."""

    id = UUID(primary_key=True)
    lot_id = ForeignKey(Lot, null=False, on_delete=OnDelete.restrict)
    negotiation_id = ForeignKey(Negotiation, null=False, on_delete=OnDelete.restrict)
    number = SmallInt(null=False)
    company_id = ForeignKey(Company, null=False, on_delete=OnDelete.restrict)
    person_id = ForeignKey(Person, null=False, on_delete=OnDelete.restrict)
    unit_price_minor = BigInt(null=False)
    """Per unit, without VAT; where lines are named, the mean of their prices, rounded."""
    lines_minor = BigInt(null=True, default=None)
    """What the named lines come to, without VAT; null where the lot is bought as it comes (price times quantity)."""
    currency = Varchar(length=3, null=False)
    quantity = Integer(null=False)
    incoterm = Varchar(length=3, null=False)
    pickup = Array(base_column=Varchar(length=6), null=False, default=list)
    """Half days on which the goods would best be fetched: a wish."""
    message = Text(null=False, default="")
    terms_version = Varchar(length=12, null=False)
    made_at = Timestamptz(null=False)
    expires_at = Timestamptz(null=False)

    state = Varchar(length=12, null=False, default=State.LIVE.value)
    answered_at = Timestamptz(null=True, default=None)
    """When it was agreed, countered, declined, withdrawn or found expired or uncovered."""
    answered_by = ForeignKey(Person, null=True, default=None, on_delete=OnDelete.restrict)
    """The second signature at agreement; null where a clock, a threshold or the stock answered."""

    made_told = Boolean(null=False, default=False)
    """Whether the receiver was written to; `answer_told` the maker: a job that runs twice writes once."""
    answer_told = Boolean(null=False, default=False)

    offer_in_order = Unique([negotiation_id, number])
    one_to_six = Check("number between 1 and 6")
    names_a_price = Check("unit_price_minor > 0")
    names_a_quantity = Check("quantity > 0")
    mean_of_the_lines = Check("abs(2 * (lines_minor - unit_price_minor * quantity)) <= quantity")
    ends_later = Check("expires_at > made_at")
    known_incoterm = Check("incoterm in ('EXW', 'FCA', 'DAP', 'DDP')")
    offer_known_state = Check(
        "state in ('live', 'countered', 'agreed', 'refused', 'withdrawn', 'expired', 'unavailable')"
    )
    answered_unless_live = Check("(state = 'live') = (answered_at is null)")


class OfferLine(Table, tablename="offer_line"):
    """One line of an offer that names its lines. They add up to the offer, and never change (see the migration)."""

    id = BigSerial(primary_key=True)
    lot_id = ForeignKey(Lot, null=False, on_delete=OnDelete.restrict)
    offer_id = ForeignKey(Offer, null=False, on_delete=OnDelete.restrict)
    line_id = ForeignKey(ManifestLine, null=False, on_delete=OnDelete.restrict)
    quantity = Integer(null=False)
    unit_price_minor = BigInt(null=False)
    """Without VAT, in the offer's currency."""
    unit_ask_minor = BigInt(null=True, default=None)
    """What was asked for a unit of it under the talk's terms; null where the lot says nothing of single lines."""

    line_named_once = Unique([offer_id, line_id])
    line_bid_for = Check("quantity > 0 and unit_price_minor > 0")
    line_not_above_its_ask = Check("unit_price_minor <= unit_ask_minor")


class QuoteRequest(Table, tablename="quote_request"):
    """A buyer asks a seller for a price on a lot that meets a want: once per pair, binding nobody."""

    id = UUID(primary_key=True)
    lot_id = ForeignKey(Lot, null=False, on_delete=OnDelete.restrict)
    want_id = ForeignKey(Want, null=False, on_delete=OnDelete.restrict, index=True)
    buyer_company_id = ForeignKey(Company, null=False, on_delete=OnDelete.restrict, index=True)
    seller_company_id = ForeignKey(Company, null=False, on_delete=OnDelete.restrict, index=True)
    person_id = ForeignKey(Person, null=False, on_delete=OnDelete.restrict)
    quantity = Integer(null=False)
    incoterm = Varchar(length=3, null=False)
    pickup = Array(base_column=Varchar(length=6), null=False, default=list)
    message = Text(null=False, default="")
    asked_at = Timestamptz(null=False)
    expires_at = Timestamptz(null=False)
    state = Varchar(length=8, null=False, default=RequestState.ASKED.value)
    answered_at = Timestamptz(null=True, default=None)
    answered_by = ForeignKey(Person, null=True, default=None, on_delete=OnDelete.restrict)
    told = Boolean(null=False, default=False)
    """Whether the seller was written to; `answer_told` the buyer, where no price came."""
    answer_told = Boolean(null=False, default=False)

    asked_once = Unique([lot_id, buyer_company_id])
    asks_another = Check("buyer_company_id <> seller_company_id")
    asks_for_units = Check("quantity > 0 and expires_at > asked_at")
    request_known_incoterm = Check("incoterm in ('EXW', 'FCA', 'DAP', 'DDP')")
    request_known_state = Check("state in ('asked', 'quoted', 'declined', 'expired', 'closed')")
    answered_unless_asked = Check("(state = 'asked') = (answered_at is null)")


class TalkAssignment(Table, tablename="talk_assignment"):
    """Who of one side looks after a talk: its mail goes to them. The other side never learns that there is one."""

    id = UUID(primary_key=True)
    lot_id = ForeignKey(Lot, null=False, on_delete=OnDelete.restrict)
    negotiation_id = ForeignKey(Negotiation, null=False, on_delete=OnDelete.restrict)
    company_id = ForeignKey(Company, null=False, on_delete=OnDelete.restrict)
    person_id = ForeignKey(Person, null=False, on_delete=OnDelete.restrict, index=True)
    assigned_by = ForeignKey(Person, null=False, on_delete=OnDelete.restrict)
    assigned_at = Timestamptz(null=False)
    told = Boolean(null=False, default=False)
    """Whether the colleague was written to."""

    one_assignee_a_side = Unique([negotiation_id, company_id])


class TalkNote(Table, tablename="talk_note"):
    """What colleagues of one side write to each other about a talk. Read by their own company alone, for ever."""

    id = UUID(primary_key=True)
    lot_id = ForeignKey(Lot, null=False, on_delete=OnDelete.restrict)
    negotiation_id = ForeignKey(Negotiation, null=False, on_delete=OnDelete.restrict, index=True)
    company_id = ForeignKey(Company, null=False, on_delete=OnDelete.restrict)
    person_id = ForeignKey(Person, null=False, on_delete=OnDelete.restrict)
    body = Text(null=False)
    written_at = Timestamptz(null=False)

    note_says_something = Check("body <> ''")


class TalkMessage(Table, tablename="talk_message"):
    """What the two sides write to each other after they agreed: the deal's thread."""

    id = UUID(primary_key=True)
    lot_id = ForeignKey(Lot, null=False, on_delete=OnDelete.restrict)
    negotiation_id = ForeignKey(Negotiation, null=False, on_delete=OnDelete.restrict, index=True)
    company_id = ForeignKey(Company, null=False, on_delete=OnDelete.restrict)
    person_id = ForeignKey(Person, null=False, on_delete=OnDelete.restrict)
    body = Text(null=False)
    written_at = Timestamptz(null=False)
    told = Boolean(null=False, default=False)
    """Whether the other side was written to."""

    message_says_something = Check("body <> ''")


class Contract(Table, tablename="contract"):
    """What two companies agreed, frozen with who they were: lines, prices, conditions, terms version, signatures.

    The database writes it itself when the transaction that agrees commits (``write_contracts`` in the migration), so no
    agreement is without one; it never changes after.
    """

    negotiation_id = ForeignKey(Negotiation, primary_key=True, null=False, on_delete=OnDelete.restrict)
    lot_id = ForeignKey(Lot, null=False, on_delete=OnDelete.restrict)
    content = JSONB(null=False)
    sha256 = Bytea(null=False)
    """Of the content's text: two papers with the same mark say the same."""
    made_at = Timestamptz(null=False)
