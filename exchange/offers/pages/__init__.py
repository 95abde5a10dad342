"""The doors of talks for people, by noun: the first offer, the talk with its live thread, the list of one's talks."""

from litestar import Router

from exchange.offers.pages import agreed, first, inbox, lines, requests, several, talk, team
from exchange.web.guards import trading

router = Router(
    "/",
    route_handlers=[
        first.offer_form,
        first.offer,
        lines.first,
        lines.first_file,
        lines.first_filled,
        lines.open_talk,
        lines.next_move,
        lines.next_file,
        lines.said_file,
        lines.next_filled,
        lines.make_move,
        requests.ask_form,
        requests.ask,
        requests.show,
        requests.quote,
        requests.decline,
        several.index,
        several.counter,
        inbox.index,
        inbox.refuse_several,
        talk.show,
        talk.listen,
        talk.make_move,
        talk.accept,
        talk.refuse,
        talk.withdraw,
        agreed.contract,
        agreed.write_message,
        team.inside,
        team.assign,
        team.write_note,
    ],
    guards=[trading],
)
