"""What may happen in a talk, by noun: moves, answers, weighing by thresholds, a side's own team, the telling of people.
``saving`` writes what they decide.

Every action locks the lot's row before it reads, so that rivals come one after the other.
"""

from exchange.offers.actions.answers import (
    accept_offer,
    close_lot,
    close_uncovered,
    end_barred,
    expire_overdue,
    refuse_offer,
    refuse_offers,
    weigh_offer,
    withdraw_offer,
)
from exchange.offers.actions.endings import end_requests, tell_of_no_quote
from exchange.offers.actions.messages import tell_of_message, write_message
from exchange.offers.actions.moves import make_move, open_talk
from exchange.offers.actions.requests import ask_for_quotes, decline_requests, quote, tell_of_request
from exchange.offers.actions.several import counter_offers
from exchange.offers.actions.team import assign_talk, tell_assignee, write_note
from exchange.offers.actions.telling import tell_of_answer, tell_of_offer, tell_uncovered

__all__ = [
    "accept_offer",
    "ask_for_quotes",
    "assign_talk",
    "close_lot",
    "close_uncovered",
    "counter_offers",
    "decline_requests",
    "end_barred",
    "end_requests",
    "expire_overdue",
    "make_move",
    "open_talk",
    "quote",
    "refuse_offer",
    "refuse_offers",
    "tell_assignee",
    "tell_of_answer",
    "tell_of_message",
    "tell_of_no_quote",
    "tell_of_offer",
    "tell_of_request",
    "tell_uncovered",
    "weigh_offer",
    "withdraw_offer",
    "write_message",
    "write_note",
]
