"""The doors of talks for people, by noun: the first offer, the talk with its live thread, the lists of one's talks and
lots."""

from litestar import Router

from exchange.offers.pages import agreed, first, inbox, lines, news, own_lots, requests, several, talk, team
from exchange.web.guards import member, settling, trading

dealing = Router(
    "/",
    route_handlers=[
        first.offer_form,
        first.offer,
        inbox.refuse_several,
        lines.first,
        lines.first_file,
        lines.first_filled,
        lines.open_talk,
        lines.next_move,
        lines.next_file,
        lines.next_filled,
        lines.make_move,
        lines.asked,
        lines.asked_file,
        lines.asked_filled,
        lines.quote,
        news.listen,
        news.news,
        requests.ask_form,
        requests.ask,
        requests.show,
        requests.quote,
        requests.decline,
        several.index,
        several.counter,
        talk.make_move,
        talk.accept,
        talk.refuse,
        talk.withdraw,
    ],
    guards=[trading],
)
"""What concerns offers: a company that was stopped has none that lives."""
finishing = Router(
    "/",
    route_handlers=[
        inbox.index,
        lines.said_file,
        talk.show,
        talk.listen,
        agreed.contract,
        agreed.write_message,
        team.inside,
        team.assign,
        team.write_note,
    ],
    guards=[settling],
)
"""What a company that was stopped needs too: to read what it agreed on, and to finish that with the other side."""
listing = Router("/", route_handlers=[own_lots.index], guards=[member])
"""What one has listed, or may once the company is let in."""
router = Router("/", route_handlers=[dealing, finishing, listing])
