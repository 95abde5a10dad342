"""The doors of talks for programs, by noun: negotiations, and the nouns one posts to them."""

from litestar import Router

from exchange.offers.api import agreed, requests, several, talks, team
from exchange.web.guards import trading

negotiations = Router(
    "/negotiations",
    route_handlers=[
        talks.index,
        talks.open_talk,
        talks.show,
        talks.make_move,
        talks.accept,
        talks.refuse,
        talks.withdraw,
        several.counter,
        several.refuse,
        agreed.contract,
        agreed.messages,
        agreed.write_message,
        team.inside,
        team.assign,
        team.write_note,
    ],
    guards=[trading],
    tags=["negotiations"],
)
router = Router("/", route_handlers=[negotiations, requests.router])
