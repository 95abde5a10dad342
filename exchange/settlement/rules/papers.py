"""Which papers a deal owes: an invoice once it is received, a credit note for each refund, the commission's two.

Source: domain guide §9: *pro forma until receipt, then final; credit note per refund; separate commission invoice*.
What is due follows from what was decided and what was written before; asking twice gives the same answer.
"""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from exchange.errors import N_, Invalid
from exchange.money import Money
from exchange.settlement.rules.deal import Side, State
from exchange.settlement.rules.invoices import Kind

MANDATE_VERSION = "2026-09"
"""Of the invoicing mandate's text (template ``settlement/_mandate.html``): another text is another version."""
CONTEST_DAYS = 15
"""How long the seller may contest an invoice written in its name (art. 289 I-2 CGI: in the delay agreed)."""

EXCHANGE = UUID(int=0)
"""Who issues the exchange's own papers, where a seller is named by its company's id."""
PREFIXES = {False: "CF", True: "CX"}
"""Of numbers: those written in a seller's name, which stand beside the seller's own; and the exchange's own."""


class Wait(StrEnum):
    """Why papers that are due are not written yet."""

    WRITING = "writing"
    SELLER = "seller"
    """The seller's address or mandate is missing, or the number under which it owes the VAT it charges."""
    BUYER = "buyer"
    """The buyer's address is missing."""
    EXCHANGE = "exchange"
    """The exchange does not know its own name and address: a setting."""
    RATE = "rate"
    """The tax must be told in another currency too, and the rate of its day is not among the exchange's yet."""
    REFUSED = "refused"
    """The checks found something wrong; the operator has been told."""


class Handover(StrEnum):
    """How far a paper is on its way to the seller's approved platform (*plateforme agréée*)."""

    TO_HAND_OVER = "to_hand_over"
    HANDED_OVER = "handed_over"
    ACCEPTED = "accepted"
    REJECTED = "rejected"

    @property
    def final(self) -> bool:
        """Whether nothing more is asked about it."""
        return self in {Handover.ACCEPTED, Handover.REJECTED}


class AddressMissing(Invalid):
    """An address that is none."""

    message = N_("Write the whole address: street and number, postcode, town.")


@dataclass(frozen=True, slots=True)
class Owed:
    """A paper that is due, with its amounts."""

    kind: Kind
    net: Money
    vat: Money


@dataclass(frozen=True, slots=True)
class Standing:
    """A deal's money and what has been written about it. ``invoiced`` and ``credited`` include tax."""

    state: State
    total: Money
    net: Money
    refund: Money
    """What went back to the buyer so far, or is decided to."""
    invoiced: Money
    credited: Money
    commission: Money
    """Earned and not given back, before tax, as the ledger has it; its tax beside it."""
    commission_vat: Money
    commission_invoiced: Money
    """Net of what was credited, before tax; its tax beside it."""
    commission_vat_invoiced: Money


def number_of(issuer: UUID, number: int) -> str:
    """A paper's number as it is printed: its series and its place in it."""
    return f"{PREFIXES[issuer == EXCHANGE]}-{number:06d}"


def goods_owed(at: Standing) -> Owed | None:
    """The next paper between seller and buyer. A deal that was paid back whole before receipt was no sale: none."""
    if not (at.state is State.CLOSING or at.state.final) or at.state is State.UNPAID:
        return None
    if not at.invoiced:
        return Owed(Kind.INVOICE, at.net, at.total - at.net) if at.refund < at.total else None
    back = at.refund - at.credited
    net = Money(_net_until(at, at.refund) - _net_until(at, at.credited), back.currency)
    return Owed(Kind.CREDIT_NOTE, net, back - net) if back.minor > 0 and net else None


def _net_until(at: Standing, refunded: Money) -> int:
    """Before tax, of the first ``refunded``: cumulative, so that any chain of refunds ends exactly at the price."""
    return (2 * at.net.minor * refunded.minor + at.total.minor) // (2 * at.total.minor)


def commission_owed(at: Standing) -> Owed | None:
    """The next paper between the exchange and the seller: what was earned beyond what is invoiced, or given back."""
    net, vat = at.commission - at.commission_invoiced, at.commission_vat - at.commission_vat_invoiced
    if net.minor > 0:
        return Owed(Kind.COMMISSION, net, vat)
    if net.minor < 0:
        return Owed(Kind.COMMISSION_CREDIT, -net, -vat)
    return None


def shown_to(side: Side, kind: Kind) -> bool:
    """Whether ``side`` of a deal may have a paper: the commission is nothing the buyer learns of."""
    return not (side is Side.BUYER and kind.is_commission)
