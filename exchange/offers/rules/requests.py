"""A request for a price, sent from a want to the lots that meet it: it binds nobody and is no move.

An offer binds, so the same offer to twenty sellers could buy twenty lots. A request names no price: whoever answers it
makes the first move, a quote under all the rules of a talk, and the buyer then takes one, or none (guide §4: a match is
no offer; §6 rules 2 and 5: a move states a price, and answers somebody).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from exchange.errors import N_, Conflict, Invalid, TooMany
from exchange.listings.rules.lots import Incoterm
from exchange.offers.rules.terms import Terms, nearest_quantities

MOST_LOTS = 20
"""Lots of one request."""
MOST_A_DAY = 40
"""Lots a company asks about in twenty-four hours: enough to buy, too few to sound the market out."""


class RequestState(StrEnum):
    """What became of a request."""

    ASKED = "asked"
    QUOTED = "quoted"
    """The seller has answered with a price, or the buyer has made an offer of his own: the rest is a talk."""
    DECLINED = "declined"
    EXPIRED = "expired"
    CLOSED = "closed"
    """Before the seller answered, the lot was taken down, ran out or was sold to others, the buyer closed the want, or
    one of the two may not deal with the other any more. Which of these is told to nobody else."""


class NoLotChosen(Invalid):
    message = N_("Choose at least one lot to ask about.")


class TooManyLots(Invalid):
    message = N_("One request goes to at most %(most)s lots. Choose the best.")


class DailyLimit(TooMany):
    message = N_("Your company has asked about %(most)s lots in the last 24 hours, which is the most. Go on tomorrow.")


class AlreadyAsked(Conflict):
    message = N_("You have asked about this lot already, or you talk about it.")


class RequestAnswered(Conflict):
    message = N_("This request has been answered or has run out.")


class WantOver(Conflict):
    message = N_("This want is closed. Open a new one to ask for prices.")


@dataclass(frozen=True, slots=True)
class Request:
    """How many units a buyer asks a price for, and on which terms."""

    buyer: UUID
    seller: UUID
    quantity: int
    incoterm: Incoterm
    expires_at: datetime
    state: RequestState
    pickup: tuple[str, ...] = ()

    def at(self, instant: datetime) -> RequestState:
        """Where it stands by the clock: unanswered, it runs out at the instant it names."""
        over = self.state is RequestState.ASKED and instant >= self.expires_at
        return RequestState.EXPIRED if over else self.state

    def ensure_open(self, instant: datetime) -> None:
        """Raises RequestAnswered."""
        if self.at(instant) is not RequestState.ASKED:
            raise RequestAnswered


def ensure_bounded(lots: int, asked_today: int) -> None:
    """Raises NoLotChosen, TooManyLots, DailyLimit."""
    if not lots:
        raise NoLotChosen(field="lots")
    if lots > MOST_LOTS:
        raise TooManyLots(most=MOST_LOTS, field="lots")
    if lots + asked_today > MOST_A_DAY:
        raise DailyLimit(most=MOST_A_DAY, retry_after=3600, field="lots")


def quantity_asked(terms: Terms, wanted: int, available: int) -> int:
    """The quantity to ask one lot about: what is wanted, or the nearest it is sold in, the larger of two."""
    return nearest_quantities(terms, wanted, available)[-1]
