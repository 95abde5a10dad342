"""What the templates of a talk get."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import Response

from exchange.actor import Actor
from exchange.clock import now
from exchange.companies.queries import mask
from exchange.companies.rules import Away, WorkingHours, answers_at
from exchange.errors import DomainError, NotSeen
from exchange.listings.pages.market import names_in
from exchange.listings.pages.stock_lists import half_days
from exchange.listings.rules.categories import BY_SLUG
from exchange.listings.rules.lots import COST_ANSWERS, INCOTERMS
from exchange.listings.rules.thresholds import frozen_in
from exchange.money import Money
from exchange.offers.pages.reading import Typed, nearest_in
from exchange.offers.queries.agreed import Message, messages_of
from exchange.offers.queries.lines import titles_of
from exchange.offers.queries.talks import Negotiated, OnPage, negotiation_on_page, negotiation_seen_by
from exchange.offers.queries.team import OwnSide, own_side_of
from exchange.offers.rules import talks
from exchange.offers.rules.talks import State
from exchange.web.guards import viewer_of
from exchange.web.refusals import again
from exchange.web.render import Web, language_of, render
from exchange.web.stream import mark

SHOW = "offers/show.html"
LINES_SHOWN = 20
"""Lines of an offer in its bubble; all of them stand in its list to download."""


async def refused(request: Web, talk_id: UUID, refusal: DomainError | None, typed: Typed) -> Response[str]:
    """The talk as it is now, why the act was refused if it was, and everything that was typed."""
    if isinstance(refusal, NotSeen):
        raise refusal
    by = viewer_of(request).actor
    talk = await negotiation_on_page(by, talk_id)
    said = await said_beside(by, talk, inside=True)
    context = await talk_shown(request, talk, *said) | {"alone": False, "has_form": False}
    if refusal is None:
        return render(request, SHOW, typed=typed, **context)
    return again(request, SHOW, refusal, typed, **context | {"nearest": nearest_in(refusal)})


async def said_beside(by: Actor, talk: Negotiated, *, inside: bool) -> tuple[list[Message], OwnSide | None]:
    """What is said beside the moves: between two who agreed, and inside the viewer's own company."""
    messages = await messages_of(by, talk.id) if talk.agreed_at else []
    return messages, await own_side_of(by, talk.id) if inside else None


async def talk_mark(by: Actor, talk_id: UUID) -> str:
    """The marks the talk's page would carry now, joined: of its thread, and of what stands inside the company."""
    talk, inside = await negotiation_seen_by(by, talk_id), await own_side_of(by, talk_id)
    messages, _ = await said_beside(by, talk, inside=False)
    return f"{_thread_mark(talk, messages)}.{inside_mark(inside)}"


def _thread_mark(talk: Negotiated, messages: list[Message]) -> str:
    state = talks.as_it_stands(talk.talk, now()).state  # as shown: of a company that was stopped a mark tells nothing
    return mark(talk.seen, state, messages[-1].id if messages else None)


def inside_mark(inside: OwnSide) -> str:
    """The mark of what colleagues do inside their company."""
    return mark(inside.assignee and inside.assignee.person_id, inside.notes[-1].id if inside.notes else None)


def away(
    request: Web, hours: WorkingHours, closed: Away | None = None, team: Iterable[Away | None] = ()
) -> dict[str, Any]:
    """From when a side that does not answer now does again, as the viewer's calendar has it.

    No hour and no reason: whether it is a Sunday, a holiday, a shop that opens late or everybody's absence, a rival
    learns the day only, and more than six days ahead the week: an uncommon day would tell that two masks are one.
    """
    at, zone = now(), ZoneInfo(viewer_of(request).zone)
    today, answers = at.astimezone(zone).date(), answers_at(at, hours, closed, team)
    day = None if answers <= at else answers.astimezone(zone).date()
    far = day is not None and (day - today).days > 6
    return {
        "they_answer_from": day - timedelta(days=day.weekday()) if day and far else day,
        "they_answer_today": day == today,
        "they_answer_in_the_week": far,
    }


def half_days_for(request: Web, slots: Iterable[str]) -> list[tuple[str, str]]:
    """The half days one may wish for collection: those the seller named, else any."""
    named = set(slots)
    return [half for half in half_days(language_of(request)) if not named or half[0] in named]


async def talk_shown(request: Web, page: OnPage, messages: list[Message], inside: OwnSide | None) -> dict[str, Any]:
    me, at = viewer_of(request).actor.company_id, now()
    talk = talks.as_it_stands(page.talk, at)
    is_buyer = me == talk.buyer
    them = talk.seller if is_buyer else talk.buyer
    my_turn = talk.turn == me
    may_reopen = is_buyer and talk.live is None and talk.state is not State.AGREED
    covered = talk.terms.covered_from
    named = {line.id for move in talk.moves for line in move.lines[:LINES_SHOWN]}
    language = language_of(request)
    return {
        "page": page,
        "messages": messages,
        "mark": _thread_mark(page, messages),
        "inside": inside,
        "inside_mark": inside_mark(inside) if inside else "",
        "talk": talk,
        "terms": talk.terms,
        "threshold": frozen_in(page.lot),
        "available": page.available,
        "me": me,
        "is_buyer": is_buyer,
        "other": page.other_name or mask(them, page.lot_id, language),
        "their_hours": page.hours[them],
        **away(request, page.hours[them], page.other_closed, page.other_team),
        "my_turn": my_turn,
        "may_move": bool((my_turn or may_reopen) and talk.moves_left and page.available and not talk.barred),
        "may_accept": my_turn and talk.live is not None and page.stock.covers(talk.live.bid),
        "names": names_in(language),
        "titles": await titles_of(page.lot_id, named) if named else {},
        "lines_shown": LINES_SHOWN,
        "slot_names": dict(half_days(language)),
        "half_days": half_days_for(request, page.lot["slots"]),
        "nearest": [],
        "incoterms": list(INCOTERMS.items()),
        "cost_answers": list(COST_ANSWERS.items()),
        "cost_below": covered if not is_buyer else None,
        "cost_to_accept": bool(not is_buyer and talk.live and talk.terms.cost_wanted(talk.live.bid)),
        "category": BY_SLUG[page.lot["category"]].name if page.lot["category"] in BY_SLUG else page.lot["category"],
        "ask": Money(page.lot["unit_ask_minor"], page.lot["currency"]),
    }
