"""Deals, what is owed, paid, shared out and given back, and whose accounts it moves between.

Every row of a deal carries its lot's id, so that a deal's rows can be kept together (design §8). Triggers and partial
indexes stand in the migration: append-only ledger, balanced postings, nothing given out that did not come in.
"""

from piccolo.columns import (
    UUID,
    Array,
    BigInt,
    Boolean,
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
from exchange.listings.tables import Lot
from exchange.offers.tables import Negotiation
from exchange.settlement.rules.accounts import Standing
from exchange.settlement.rules.deal import State
from exchange.settlement.rules.payments import LegState, PaymentState, RefundState, ReversalState


class Deal(Table, tablename="deal"):
    """One agreement on its way to *settled*. Prices, tax and commission are frozen when it opens."""

    id = UUID(primary_key=True)
    negotiation_id = ForeignKey(Negotiation, null=False, unique=True, on_delete=OnDelete.restrict)
    lot_id = ForeignKey(Lot, null=False, on_delete=OnDelete.restrict, index=True)
    seller_company_id = ForeignKey(Company, null=False, on_delete=OnDelete.restrict, index=True)
    buyer_company_id = ForeignKey(Company, null=False, on_delete=OnDelete.restrict, index=True)
    label = Varchar(length=200, null=False)
    """The lot's title when it was agreed."""
    quantity = Integer(null=False)
    unit_price_minor = BigInt(null=False)
    """Where single lines were agreed at their own prices, the mean of them, rounded; `net_minor` is exact."""
    currency = Varchar(length=3, null=False)
    net_minor = BigInt(null=False)
    vat_regime = Varchar(length=16, null=False)
    vat_rate_bp = Integer(null=False)
    vat_minor = BigInt(null=False)
    commission_minor = BigInt(null=False)
    commission_vat_minor = BigInt(null=False)
    state = Varchar(length=20, null=False, default=State.AWAITING_PAYMENT.value)
    since = Timestamptz(null=False)
    """When it entered its state."""
    due_at = Timestamptz(null=True, default=None)
    """When the state's clock runs out."""
    agreed_at = Timestamptz(null=False)
    paid_at = Timestamptz(null=True, default=None)
    ready_at = Timestamptz(null=True, default=None)
    alarm_at = Timestamptz(null=True, default=None)
    """Seventy-five days after payment: the operator must decide."""
    called_at = Timestamptz(null=True, default=None)
    """When the operator was last called about money of the deal that waits for somebody to have it."""
    closed_at = Timestamptz(null=True, default=None)
    ending = Varchar(length=20, null=True, default=None)
    refund_minor = BigInt(null=False, default=0)
    """What goes, or went, back to the buyer, tax included."""
    cancel_asked_by = Varchar(length=6, null=True, default=None)
    carrier = Varchar(length=80, null=False, default="")
    tracking = Varchar(length=80, null=False, default="")
    """The carrier's number, or the number of the collection note."""
    proof = Text(null=False, default="")
    """What the seller showed as proof of delivery."""
    news = Text(null=False, default="")
    """What the carrier said last, as the seller told it."""
    received_at = Timestamptz(null=True, default=None)
    """When the goods came into the buyer's hands."""
    reserves = Text(null=False, default="")
    """What the buyer wrote on the delivery note when the goods arrived."""
    decision = Text(null=False, default="")
    """Why the operator shared the money out as it did."""

    known_state = Check(
        "state in ('awaiting_payment', 'pooled', 'paid', 'ready', 'uncollected', 'shipped', 'overdue', 'delivered', "
        "'claimed', 'operator', 'closing', 'settled', 'partly_refunded', 'refunded', 'unpaid')"
    )
    ends_for_a_reason = Check(
        "(ending is not null) = (state in ('closing', 'settled', 'partly_refunded', 'refunded', 'unpaid'))"
    )
    closed_when_final = Check(
        "(closed_at is not null) = (state in ('settled', 'partly_refunded', 'refunded', 'unpaid'))"
    )
    two_companies = Check("seller_company_id <> buyer_company_id")
    adds_up = Check(
        "quantity > 0 and unit_price_minor > 0 and abs(2 * (net_minor - quantity * unit_price_minor)) <= quantity"
    )
    not_negative = Check("vat_minor >= 0 and commission_minor >= 0 and commission_vat_minor >= 0 and vat_rate_bp >= 0")
    refund_within = Check("refund_minor between 0 and net_minor + vat_minor")
    money_needs_payment = Check("paid_at is not null or state in ('awaiting_payment', 'unpaid')")


class PaymentObligation(Table, tablename="payment_obligation"):
    """What one buyer owes for a deal; its amount never changes."""

    id = UUID(primary_key=True)
    deal_id = ForeignKey(Deal, null=False, unique=True, on_delete=OnDelete.restrict)
    lot_id = UUID(null=False)
    buyer_company_id = ForeignKey(Company, null=False, on_delete=OnDelete.restrict)
    currency = Varchar(length=3, null=False)
    amount_minor = BigInt(null=False)
    state = Varchar(length=6, null=False, default="due")
    due_at = Timestamptz(null=False)

    positive = Check("amount_minor > 0")
    known_state = Check("state in ('due', 'paid', 'lapsed')")


class Payment(Table, tablename="payment"):
    """One attempt to pay. At most one is open, processing or paid per obligation (partial unique index)."""

    id = UUID(primary_key=True)
    obligation_id = ForeignKey(PaymentObligation, null=False, on_delete=OnDelete.restrict, index=True)
    deal_id = ForeignKey(Deal, null=False, on_delete=OnDelete.restrict, index=True)
    lot_id = UUID(null=False)
    state = Varchar(length=10, null=False, default=PaymentState.OPEN.value)
    session_id = Varchar(length=120, null=True, default=None, unique=True)
    session_url = Text(null=True, default=None)
    payment_intent_id = Varchar(length=120, null=True, default=None, unique=True)
    charge_id = Varchar(length=120, null=True, default=None, unique=True)
    method = Varchar(length=40, null=True, default=None)
    currency = Varchar(length=3, null=False)
    received_minor = BigInt(null=False, default=0)
    fee_minor = BigInt(null=True, default=None)
    available_on = Timestamptz(null=True, default=None)
    arrived_minor = BigInt(null=False, default=0)
    """What a bank transfer has brought so far, while it does not cover the sum."""
    transfer_reference = Varchar(length=60, null=True, default=None)
    """What the buyer's bank transfer should quote; set from then on when one is awaited."""
    instructions_url = Text(null=True, default=None)
    """Where the payment service tells the buyer how to make the transfer."""
    fraud_warning = Varchar(length=120, null=True, default=None)
    """The card network's warning that this payment may be fraud: nothing is released until the operator clears it."""
    warning_cleared_at = Timestamptz(null=True, default=None)
    expires_at = Timestamptz(null=False)
    livemode = Boolean(null=False)
    created_at = Timestamptz(null=False)
    checked_at = Timestamptz(null=True, default=None)
    """When Stripe was last asked about it."""

    known_state = Check("state in ('open', 'processing', 'paid', 'failed', 'expired', 'surplus')")
    received_when_paid = Check("(received_minor > 0) = (state in ('paid', 'surplus')) and received_minor >= 0")
    arrived_not_negative = Check("arrived_minor >= 0")


class ReleaseLeg(Table, tablename="release_leg"):
    """One receiver's right to a deal's money, frozen at agreement; its amount is known when the money is shared out."""

    id = UUID(primary_key=True)
    deal_id = ForeignKey(Deal, null=False, on_delete=OnDelete.restrict)
    lot_id = UUID(null=False)
    company_id = ForeignKey(Company, null=False, on_delete=OnDelete.restrict, index=True)
    rank = SmallInt(null=False, default=0)
    weight = Integer(null=False)
    fixed_minor = BigInt(null=True, default=None)
    currency = Varchar(length=3, null=False)
    payment_id = ForeignKey(Payment, null=True, default=None, on_delete=OnDelete.restrict, index=True)
    amount_minor = BigInt(null=True, default=None)
    state = Varchar(length=8, null=False, default=LegState.PLANNED.value)
    destination = Varchar(length=120, null=True, default=None)
    transfer_id = Varchar(length=120, null=True, default=None, unique=True)
    refused_for = Varchar(length=80, null=True, default=None)
    """Stripe's reason why it was not sent, the last time it refused."""
    refused_at = Timestamptz(null=True, default=None)
    """When it gave that reason first."""
    retry_at = Timestamptz(null=True, default=None)
    """When it is asked again."""
    paid_at = Timestamptz(null=True, default=None)

    once_each = Unique([deal_id, rank])
    known_state = Check("state in ('planned', 'parked', 'sent', 'paid')")
    not_negative = Check("weight >= 0 and coalesce(fixed_minor, 0) >= 0 and coalesce(amount_minor, 0) >= 0")
    sent_whole = Check("state in ('planned', 'parked') or (amount_minor is not null and payment_id is not null)")


class Refund(Table, tablename="refund"):
    """Money on its way back to the buyer of one payment.

    ``owed``, generated by the database: whether it was refused or came back, and the buyer does not have it yet.
    """

    id = UUID(primary_key=True)
    payment_id = ForeignKey(Payment, null=False, on_delete=OnDelete.restrict, index=True)
    deal_id = ForeignKey(Deal, null=False, on_delete=OnDelete.restrict, index=True)
    lot_id = UUID(null=False)
    currency = Varchar(length=3, null=False)
    amount_minor = BigInt(null=False)
    reason = Varchar(length=20, null=False)
    state = Varchar(length=16, null=False, default=RefundState.PLANNED.value)
    refund_id = Varchar(length=120, null=True, default=None, unique=True)
    created_at = Timestamptz(null=False)

    positive = Check("amount_minor > 0")
    known_state = Check(
        "state in ('planned', 'pending', 'requires_action', 'succeeded', 'failed', 'canceled', 'otherwise')"
    )


class CashReturn(Table, tablename="cash_return"):
    """Money a buyer sent by bank transfer that no payment took, on its way back: too much, too little, or too late.

    ``owed`` as of a refund.
    """

    id = UUID(primary_key=True)
    company_id = ForeignKey(Company, null=False, on_delete=OnDelete.restrict, index=True)
    deal_id = ForeignKey(Deal, null=False, on_delete=OnDelete.restrict, index=True)
    """The deal it was most likely sent for."""
    lot_id = UUID(null=False)
    currency = Varchar(length=3, null=False)
    amount_minor = BigInt(null=False)
    reason = Varchar(length=5, null=False)
    state = Varchar(length=16, null=False, default=RefundState.PLANNED.value)
    refund_id = Varchar(length=120, null=True, default=None, unique=True)
    created_at = Timestamptz(null=False)

    positive = Check("amount_minor > 0")
    known_reason = Check("reason in ('over', 'short', 'late')")
    known_state = Check(
        "state in ('planned', 'pending', 'requires_action', 'succeeded', 'failed', 'canceled', 'otherwise')"
    )


class Dispute(Table, tablename="dispute"):
    """A buyer's bank disputes a payment: while it is open, nothing of that deal is released or refunded."""

    id = UUID(primary_key=True)
    payment_id = ForeignKey(Payment, null=False, on_delete=OnDelete.restrict, index=True)
    lot_id = UUID(null=False)
    dispute_id = Varchar(length=120, null=False, unique=True)
    status = Varchar(length=30, null=False)
    """In Stripe's words; ``won``, ``lost``, ``warning_closed`` and ``prevented`` are over."""
    currency = Varchar(length=3, null=False)
    amount_minor = BigInt(null=False)
    reason = Varchar(length=60, null=False, default="general")
    """Why the bank disputes it, in Stripe's words."""
    due_by = Timestamptz(null=True, default=None)
    """Until when the bank takes evidence."""
    taken_back = Boolean(null=False, default=False)
    """Whether those already paid were asked to give their part back."""
    over = Boolean(null=False, default=False)
    """Whether its end is in the books: from then on the deal's money moves again."""


class TransferReversal(Table, tablename="transfer_reversal"):
    """A part of a leg on its way back from its receiver: for a refund, or for a dispute; exactly one of the two."""

    id = UUID(primary_key=True)
    leg_id = ForeignKey(ReleaseLeg, null=False, on_delete=OnDelete.restrict, index=True)
    deal_id = ForeignKey(Deal, null=False, on_delete=OnDelete.restrict, index=True)
    lot_id = UUID(null=False)
    refund_id = ForeignKey(Refund, null=True, default=None, on_delete=OnDelete.restrict, index=True)
    dispute_id = ForeignKey(Dispute, null=True, default=None, on_delete=OnDelete.restrict, index=True)
    currency = Varchar(length=3, null=False)
    amount_minor = BigInt(null=False)
    state = Varchar(length=7, null=False, default=ReversalState.PLANNED.value)
    reversal_id = Varchar(length=120, null=True, default=None, unique=True)
    created_at = Timestamptz(null=False)

    positive = Check("amount_minor > 0")
    one_cause = Check("(refund_id is null) <> (dispute_id is null)")
    known_state = Check("state in ('planned', 'done', 'short', 'dropped')")


class PayoutAccount(Table, tablename="payout_account"):
    """Where a company's money goes, went, or is to go: an account at Stripe, as last retrieved.

    At most one of a company is current and one the next (partial unique indexes).
    """

    id = UUID(primary_key=True)
    company_id = ForeignKey(Company, null=False, on_delete=OnDelete.restrict, index=True)
    standing = Varchar(length=7, null=False, default=Standing.CURRENT.value)
    account_id = Varchar(length=120, null=True, default=None, unique=True)
    status = Varchar(length=12, null=False, default="pending")
    """Of the capability to receive transfers, in Stripe's words."""
    requirements = Array(Text(), null=False, default=[])
    """What Stripe still asks for."""
    livemode = Boolean(null=False)
    retrieved_at = Timestamptz(null=True, default=None)
    asked_at = Timestamptz(null=True, default=None)
    """When an owner asked to be paid here from now on."""
    effective_at = Timestamptz(null=True, default=None)
    """When it takes the current one's place: set when the operator confirmed, some days ahead."""

    known_standing = Check("standing in ('current', 'next', 'former')")
    confirmed_when_asked = Check("effective_at is null or asked_at is not null")


class PaymentCustomer(Table, tablename="payment_customer"):
    """A buyer as Stripe knows it."""

    id = UUID(primary_key=True)
    company_id = ForeignKey(Company, null=False, unique=True, on_delete=OnDelete.restrict)
    customer_id = Varchar(length=120, null=True, default=None, unique=True)
    livemode = Boolean(null=False)
    cash_changed_at = Timestamptz(null=True, default=None)
    """When money last left its cash balance by our doing: what was read of the balance before then is stale."""
