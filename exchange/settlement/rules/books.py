"""The ledger's accounts and the posting each fact makes: double entry, summing to zero in every currency.

A debit is positive, a credit negative: what the exchange has stands above zero, what it owes below.
"""

from dataclasses import dataclass
from enum import StrEnum

from exchange.money import Money


class Account(StrEnum):
    """Where money stands."""

    STRIPE = "stripe"
    """Our balance at the payment service, pending and available."""
    CASH = "cash"
    """With the payment service in a buyer's name: sent by bank transfer, taken by no payment, on its way back."""
    BANK = "bank"
    """Our own bank account: what was paid out to ourselves."""
    HELD = "held"
    """Owed to the two sides of a deal until its money is shared out."""
    COMMISSION = "commission"
    """Earned, before tax."""
    VAT = "vat"
    """Tax on our commission, owed to the state."""
    FEES = "fees"
    """What the payment service charges us."""
    SURPLUS = "surplus"
    """Paid twice, too much or too late: owed back to the buyer at once."""
    RECEIVABLE = "receivable"
    """A seller owes us: refunded to the buyer, not yet got back."""
    DISPUTED = "disputed"
    """Taken by a buyer's bank that has not decided yet."""
    LOSSES = "losses"
    """Disputes lost and not recovered."""
    EXTERNAL = "external"
    """Moved at the payment service by hand: waiting for the operator to say why."""


class Fact(StrEnum):
    """What a posting records. One fact about one thing is posted once."""

    PAID = "paid"
    SURPLUS_PAID = "surplus_paid"
    FEE = "fee"
    REFUNDED = "refunded"
    SURPLUS_REFUNDED = "surplus_refunded"
    REFUND_FAILED = "refund_failed"
    TRANSFERRED = "transferred"
    EARNED = "earned"
    REVERSED = "reversed"
    DISPUTE_TAKEN = "dispute_taken"
    DISPUTE_RETURNED = "dispute_returned"
    DISPUTE_LOST = "dispute_lost"
    GIVEN_BACK = "given_back"
    ADVANCED = "advanced"
    RECOVERED = "recovered"
    EXTERNAL = "external"
    PAID_OUT = "paid_out"
    PAID_IN = "paid_in"
    PAID_OTHERWISE = "paid_otherwise"
    BY_HAND = "by_hand"
    CASH_ARRIVED = "cash_arrived"
    CASH_RETURNED = "cash_returned"
    CASH_BACK_AGAIN = "cash_back_again"


@dataclass(frozen=True, slots=True)
class Entry:
    """``amount`` on ``account``: debit positive, credit negative, never zero."""

    account: Account
    amount: Money


@dataclass(frozen=True, slots=True)
class Posting:
    """A balanced group of entries."""

    fact: Fact
    entries: tuple[Entry, ...]

    def __post_init__(self) -> None:
        if any(not entry.amount for entry in self.entries) or len(self.entries) < 2:
            raise ValueError("a posting has at least two entries, none of them zero")
        for currency in {entry.amount.currency for entry in self.entries}:
            if sum(e.amount.minor for e in self.entries if e.amount.currency == currency):
                raise ValueError(f"{self.fact} does not balance in {currency}")


def _move(fact: Fact, amount: Money, debit: Account, credit: Account) -> Posting:
    return Posting(fact, (Entry(debit, amount), Entry(credit, -amount)))


def paid(amount: Money) -> Posting:
    """The buyer's money arrived and is held."""
    return _move(Fact.PAID, amount, Account.STRIPE, Account.HELD)


def surplus_paid(amount: Money) -> Posting:
    """Money arrived that is not owed: a second payment, or one after the deal lapsed."""
    return _move(Fact.SURPLUS_PAID, amount, Account.STRIPE, Account.SURPLUS)


def fee(amount: Money) -> Posting:
    """What the payment service kept of a payment, as its balance transaction says."""
    return _move(Fact.FEE, amount, Account.FEES, Account.STRIPE)


def refunded(amount: Money) -> Posting:
    """Held money went back to the buyer."""
    return _move(Fact.REFUNDED, amount, Account.HELD, Account.STRIPE)


def surplus_refunded(amount: Money) -> Posting:
    """Money that was not owed went back."""
    return _move(Fact.SURPLUS_REFUNDED, amount, Account.SURPLUS, Account.STRIPE)


def refund_failed(amount: Money, *, surplus: bool = False) -> Posting:
    """A refund came back from the buyer's bank: the money is held, or owed back, again."""
    return _move(Fact.REFUND_FAILED, amount, Account.STRIPE, Account.SURPLUS if surplus else Account.HELD)


def paid_otherwise(amount: Money, *, surplus: bool = False) -> Posting:
    """What a buyer's bank had returned reached the buyer from our own bank account."""
    return _move(Fact.PAID_OTHERWISE, amount, Account.SURPLUS if surplus else Account.HELD, Account.BANK)


def refunded_by_hand(amount: Money, *, surplus: bool = False) -> Posting:
    """What the operator gave back by hand at the payment service was owed to the deal's buyer."""
    return _move(Fact.BY_HAND, amount, Account.SURPLUS if surplus else Account.HELD, Account.EXTERNAL)


def hand_returned(amount: Money, *, surplus: bool = False) -> Posting:
    """What was given back by hand, and counted, did not reach the buyer: it is held, or owed back, again."""
    return _move(Fact.REFUND_FAILED, amount, Account.EXTERNAL, Account.SURPLUS if surplus else Account.HELD)


def transferred(amount: Money) -> Posting:
    """A leg reached its receiver's account."""
    return _move(Fact.TRANSFERRED, amount, Account.HELD, Account.STRIPE)


def earned(commission: Money, commission_vat: Money) -> Posting | None:
    """The commission leaves what is held; ``None`` where there is none to take."""
    whole = commission + commission_vat
    if not whole:
        return None
    entries = [Entry(Account.HELD, whole), Entry(Account.COMMISSION, -commission), Entry(Account.VAT, -commission_vat)]
    return Posting(Fact.EARNED, tuple(entry for entry in entries if entry.amount))


def reversed_transfer(amount: Money) -> Posting:
    """A leg, or a part of it, came back from its receiver: held again, for the buyer."""
    return _move(Fact.REVERSED, amount, Account.STRIPE, Account.HELD)


def given_back(commission: Money, commission_vat: Money) -> Posting | None:
    """The exchange's part of what goes back to the buyer after the money was shared out; ``None`` for nothing."""
    whole = commission + commission_vat
    if not whole:
        return None
    entries = [Entry(Account.COMMISSION, commission), Entry(Account.VAT, commission_vat), Entry(Account.HELD, -whole)]
    return Posting(Fact.GIVEN_BACK, tuple(entry for entry in entries if entry.amount))


def advanced(amount: Money) -> Posting:
    """A receiver's account could not give its part back: the exchange lends it, the receiver owes it."""
    return _move(Fact.ADVANCED, amount, Account.RECEIVABLE, Account.HELD)


def recovered(amount: Money) -> Posting:
    """What a receiver owed came back from its account."""
    return _move(Fact.RECOVERED, amount, Account.STRIPE, Account.RECEIVABLE)


def dispute_moved(amount: Money, fee: Money) -> Posting:
    """A buyer's bank took ``-amount`` while it decides, or gave ``amount`` back; the payment service took ``fee``."""
    fact = Fact.DISPUTE_TAKEN if amount.minor < 0 else Fact.DISPUTE_RETURNED
    entries = [Entry(Account.STRIPE, amount - fee), Entry(Account.DISPUTED, -amount), Entry(Account.FEES, fee)]
    return Posting(fact, tuple(entry for entry in entries if entry.amount))


def dispute_lost(amount: Money, backed: Money, *, surplus: bool = False) -> Posting:
    """The bank keeps ``amount`` for the buyer: ``backed`` of it was held for that, the rest is the exchange's loss."""
    source = Account.SURPLUS if surplus else Account.HELD
    entries = [Entry(source, backed), Entry(Account.LOSSES, amount - backed), Entry(Account.DISPUTED, -amount)]
    return Posting(Fact.DISPUTE_LOST, tuple(entry for entry in entries if entry.amount))


BETWEEN_BANK_AND_BALANCE = frozenset({"payout", "payout_failure", "payout_cancel", "topup", "topup_reversal"})
"""Kinds of balance transaction by which our own money goes to our bank, and comes from there."""

CHARGED = frozenset({"stripe_fee", "contribution"})
"""Kinds by which the payment service takes what it charges the exchange itself, and no deal."""


def own(kind: str, moved: Money) -> Posting | None:
    """What a balance transaction of ``kind`` that is no deal's makes of our own money; ``None`` for any other kind.

    ``moved`` is what it moved our balance by, signed.
    """
    if not moved:
        return None
    if kind in BETWEEN_BANK_AND_BALANCE:
        return _move(Fact.PAID_OUT if moved.minor < 0 else Fact.PAID_IN, moved, Account.STRIPE, Account.BANK)
    return fee(-moved) if kind in CHARGED else None


def cash_arrived(amount: Money) -> Posting:
    """A bank transfer brought money that no payment took."""
    return _move(Fact.CASH_ARRIVED, amount, Account.CASH, Account.SURPLUS)


def cash_returned(amount: Money) -> Posting:
    """It left for the bank account it came from."""
    return _move(Fact.CASH_RETURNED, amount, Account.SURPLUS, Account.CASH)


def cash_back_again(amount: Money) -> Posting:
    """That bank did not take it: it lies in the buyer's name again."""
    return _move(Fact.CASH_BACK_AGAIN, amount, Account.CASH, Account.SURPLUS)


def external(amount: Money) -> Posting:
    """The balance at the payment service moved by a hand other than ours; ``amount`` is signed."""
    return _move(Fact.EXTERNAL, amount, Account.STRIPE, Account.EXTERNAL)
