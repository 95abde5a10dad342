"""The doors of talks for programs, by noun: negotiations, the nouns one posts to them, and one's own lots."""

from litestar import Router

from exchange.offers.api import agreed, own_lots, requests, several, talks, team
from exchange.web.guards import settling, trading

dealing = Router(
    "/",
    route_handlers=[
        talks.open_talk,
        talks.make_move,
        talks.accept,
        talks.refuse,
        talks.withdraw,
        several.counter,
        several.refuse,
    ],
    guards=[trading],
)
"""What concerns offers: a company that was stopped has none that lives."""
finishing = Router(
    "/",
    route_handlers=[
        talks.index,
        talks.show,
        agreed.contract,
        agreed.messages,
        agreed.write_message,
        team.inside,
        team.assign,
        team.write_note,
    ],
    guards=[settling],
)
"""What a company that was stopped needs too: to read what it agreed on, and to finish that with the other side."""
negotiations = Router("/negotiations", route_handlers=[dealing, finishing], tags=["negotiations"])
router = Router("/", route_handlers=[negotiations, requests.router, own_lots.index])
