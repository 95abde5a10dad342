"""Photos of a delivery: what they are taken for, and how many."""

from enum import StrEnum

from exchange.errors import N_, Conflict, Invalid

MOST = 12
"""Photos of one side for one occasion."""


class Occasion(StrEnum):
    """What a photo is taken for."""

    HANDOVER = "handover"
    """The seller: the goods as they left, the note both signed, the carrier's proof."""
    RECEIPT = "receipt"
    """The buyer, at the dock: the goods as they came, the note with its reserves."""
    CLAIM = "claim"
    ANSWER = "answer"
    """The seller, to a claim."""


class EnoughDealPhotos(Invalid):
    """More pictures than anybody looks at."""

    message = N_("%(most)s photos are enough here. Take one out first.")


class PhotoHandedIn(Conflict):
    """The other side has seen it."""

    message = N_("This photo belongs to the deal now; it cannot be taken out any more.")
