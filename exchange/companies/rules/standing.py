"""Legal groups, vetting, and what others are told of a company's record (design §5; guide/domain.md §10)."""

from enum import StrEnum
from typing import Self

from exchange.errors import N_, Conflict, Invalid, NotAllowed


class SameLegalGroup(NotAllowed):
    """Both companies have the same parent: their trade would be no market."""

    message = N_(
        "This company belongs to your own legal group. Companies of one group cannot trade with each other here."
    )


class Vetting(StrEnum):
    """Where a company stands with the operator. Only a vetted company trades, or is seen by others at all."""

    AWAITING = "awaiting"
    VETTED = "vetted"
    REFUSED = "refused"
    """Told why; its owner may correct the facts, which asks the operator again."""
    STOPPED = "stopped"
    """Finishes its deals and begins none, until the operator lifts it."""


class AlreadyDecided(Conflict):
    message = N_("This company's state has changed since you opened the page. Look at it again.")


class NoReason(Invalid):
    message = N_("Say why, in a sentence the company can act on. It is sent to its owner.")


_DECISIONS = {
    Vetting.AWAITING: {Vetting.VETTED, Vetting.REFUSED},
    Vetting.VETTED: {Vetting.REFUSED, Vetting.STOPPED},  # the yearly review may withdraw what was given
    Vetting.STOPPED: {Vetting.VETTED, Vetting.REFUSED},
    Vetting.REFUSED: {Vetting.AWAITING, Vetting.VETTED},
}


def ensure_decidable(state: Vetting, to: Vetting, reason: str = "") -> None:
    """A refusal needs a reason of ten letters or more. Raises AlreadyDecided, NoReason."""
    if to not in _DECISIONS[state]:
        raise AlreadyDecided
    if to is Vetting.REFUSED and len(reason.strip()) < 10:
        raise NoReason(field="reason")


class _Band(StrEnum):
    """A figure shown to others as a range only: an exact count would let a rival follow a masked company."""

    label: str

    def __new__(cls, value: str, label: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        return member


class DealsBand(_Band):
    """Settled deals of the last twelve months. ``label`` is an English msgid."""

    FEW = "few", N_("fewer than 5 deals")
    SOME = "some", N_("5 to 19 deals")
    MANY = "many", N_("20 to 99 deals")
    VERY_MANY = "very_many", N_("100 deals or more")


class ReplyBand(_Band):
    """Share of the offers and introductions answered before their clock ran out, last twelve months."""

    UNKNOWN = "unknown", N_("too few requests to tell")
    RARELY = "rarely", N_("answers fewer than half")
    OFTEN = "often", N_("answers more than half")
    NEARLY_ALWAYS = "nearly_always", N_("answers 9 in 10 or more")


def deals_band(settled: int) -> DealsBand:
    """The band of ``settled`` deals in twelve months."""
    if settled < 5:
        return DealsBand.FEW
    if settled < 20:
        return DealsBand.SOME
    return DealsBand.MANY if settled < 100 else DealsBand.VERY_MANY


def reply_band(answered: int, asked: int) -> ReplyBand:
    """The band of ``answered`` out of ``asked``; nothing is said below five requests."""
    if asked < 5:
        return ReplyBand.UNKNOWN
    if 10 * answered >= 9 * asked:
        return ReplyBand.NEARLY_ALWAYS
    return ReplyBand.OFTEN if 2 * answered >= asked else ReplyBand.RARELY


class ReliabilityBand(_Band):
    """Share of the ended deals of twelve months in which the company kept its side of the bargain."""

    UNKNOWN = "unknown", N_("too few deals to tell")
    MIXED = "mixed", N_("kept its word in fewer than 8 deals in 10")
    GOOD = "good", N_("kept its word in at least 8 deals in 10")
    SOLID = "solid", N_("kept its word in at least 19 deals in 20")


def reliability_band(ended: int, kept: int) -> ReliabilityBand:
    """The band of ``kept`` out of ``ended`` deals; nothing is said below five."""
    if ended < 5:
        return ReliabilityBand.UNKNOWN
    if kept * 20 >= ended * 19:
        return ReliabilityBand.SOLID
    return ReliabilityBand.GOOD if kept * 10 >= ended * 8 else ReliabilityBand.MIXED
