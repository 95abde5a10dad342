"""Why an act in a talk is refused, in words that say what became of it and what to do."""

from exchange.errors import N_, Conflict, Invalid, NotAllowed
from exchange.offers.rules.bids import Bid


class AlreadyAgreed(Conflict):
    message = N_("You have already agreed on this lot. The deal is under way.")


class OwnLot(NotAllowed):
    message = N_("This is your own company's lot. You cannot make an offer for it.")


class NotVetted(NotAllowed):
    message = N_("Your company may make and accept offers as soon as the operator lets it trade. Nothing was agreed.")


class OfferRefused(Conflict):
    message = N_("This offer has been declined. The talk is closed; the buyer may open it again with a new offer.")


class OfferWithdrawn(Conflict):
    message = N_("This offer has just been withdrawn by the side that made it. Nothing was agreed.")


class OfferExpired(Conflict):
    message = N_("The time to answer this offer has run out. Nothing was agreed; the buyer may make a new offer.")


class NoLongerAvailable(Conflict):
    message = N_("What is left for sale no longer covers this offer. Nothing was agreed.")


class NothingToAnswer(Conflict):
    message = N_("No offer awaits an answer here. Look at the talk again.")


class NotYourTurn(Conflict):
    message = N_("Your own offer still awaits their answer. Wait for it, or withdraw yours.")


class NotYourOffer(NotAllowed):
    message = N_("Only the side that made an offer can withdraw it. You can decline it instead.")


class BuyerOpens(NotAllowed):
    message = N_("The talk is closed. Only the buyer can open it again, with a new offer.")


class NoMovesLeft(Conflict):
    message = N_(
        "All six moves of this talk have been made. The last offer can be accepted or declined, not countered."
    )


class OfferChanged(Conflict):
    message = N_(
        "The offer has changed: it now says %(quantity)s units at %(price)s each, %(total)s in all. Look at it, "
        "delivery and message included, and decide anew."
    )

    @classmethod
    def to(cls, bid: Bid) -> "OfferChanged":
        return cls(quantity=bid.quantity, price=bid.price, total=bid.total)


class LowerThanBefore(Invalid):
    message = N_(
        "For the same goods you have already offered %(price)s per unit, %(total)s in all. A new offer cannot be lower."
    )


class HigherThanBefore(Invalid):
    message = N_(
        "For the same goods you have already asked %(price)s per unit, %(total)s in all. A counter-offer cannot be "
        "higher."
    )


class BetterToAccept(Invalid):
    message = N_(
        "Their offer is at least as good for you: %(quantity)s units at %(price)s each, %(total)s in all. Accept it "
        "instead."
    )


class NotAHalfDay(Invalid):
    message = N_("Choose the half days for collection from the list.")


class CostUnanswered(Invalid):
    message = N_(
        "This is below the lowest price you have answered for. Say whether it is at or above your cost, or on which "
        "legal ground it is below. Only you see the answer."
    )
