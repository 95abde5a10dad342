"""The doors of talks for people: the first offer, the talk with its live thread, the list of one's talks."""

from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import Response, Router, get, post
from litestar.channels import ChannelsPlugin
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath, FromQuery
from litestar.response import ServerSentEvent

from exchange.actor import Actor
from exchange.clock import now
from exchange.companies.queries import mask
from exchange.companies.rules import WorkingHours, is_open, next_opening
from exchange.errors import N_, DomainError, Invalid, NotSeen
from exchange.listings.rules.categories import BY_SLUG
from exchange.listings.rules.lots import COST_ANSWERS, INCOTERMS, CostAnswer, Incoterm
from exchange.money import Money, NotAnAmount
from exchange.offers import actions
from exchange.offers.queries.agreed import Message, contract_seen_by, messages_of
from exchange.offers.queries.inbox import Assigned, Awaits, Side, inbox_of
from exchange.offers.queries.lots import LotOffered, lot_offered_to
from exchange.offers.queries.talks import OnPage, negotiation_on_page, negotiation_seen_by
from exchange.offers.queries.team import OwnSide, own_side_of
from exchange.offers.rules import talks
from exchange.offers.rules.talks import State
from exchange.web.guards import trading, viewer_of
from exchange.web.refusals import again
from exchange.web.render import Web, language_of, render, see_other
from exchange.web.stream import live

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
FormWithLists = Annotated[dict[str, str | list[str]], Body(media_type=RequestEncodingType.URL_ENCODED)]
SHOW, THREAD, CONTRACT = "offers/show.html", "offers/_thread.html", "offers/contract.html"
NEW, INDEX = "offers/new.html", "offers/index.html"


class NotAQuantity(Invalid):
    message = N_("“%(text)s” is not a quantity. Write a whole number, like 120.")


class NotAChoice(Invalid):
    message = N_("Choose one of the answers from the list.")


# --- the first offer ---


@get("/lots/{lot_id:uuid}/offer")
async def offer_form(request: Web, lot_id: FromPath[UUID]) -> Response[str]:
    """A first offer; where a talk about the lot has begun, that talk."""
    lot = await lot_offered_to(viewer_of(request).actor, lot_id)
    if lot.talk_id:
        return see_other(request, f"/talks/{lot.talk_id}")
    return render(request, NEW, **_lot(request, lot))


@post("/lots/{lot_id:uuid}/offer")
async def offer(request: Web, lot_id: FromPath[UUID], data: Form) -> Response[str]:
    """The talk begins."""
    by = viewer_of(request).actor
    lot = await lot_offered_to(by, lot_id)
    try:
        talk_id = await actions.open_talk(
            lot_id=lot_id,
            price=_price(data, lot.terms.ask.currency),
            quantity=_quantity(data),
            incoterm=_incoterm(data),
            message=data.get("message", ""),
            by=by,
        )
    except NotSeen:
        raise
    except DomainError as refusal:
        return again(request, NEW, refusal, data, **_lot(request, await lot_offered_to(by, lot_id)))
    return see_other(request, f"/talks/{talk_id}", flash=N_("Your offer is on the table. The seller has been told."))


# --- the list ---


@get("/talks")
async def index(
    request: Web,
    show: FromQuery[str] = "",
    side: FromQuery[str] = "",
    who: FromQuery[str] = "",
    q: FromQuery[str] = "",
    after: FromQuery[UUID | None] = None,
) -> Response[str]:
    """What awaits me first, then what awaits them, then what has ended; a filter nobody knows filters nothing."""
    chosen = Awaits(show) if show in set(Awaits) else None
    of_side = Side(side) if side in set(Side) else None
    assigned = Assigned(who) if who in set(Assigned) else None
    actor = viewer_of(request).actor
    inbox = await inbox_of(actor, show=chosen, side=of_side, assigned=assigned, words=q, after=after)
    filters = {"side": of_side, "who": assigned, "q": q.strip()}
    language = language_of(request)
    return render(
        request,
        INDEX,
        inbox=inbox,
        show=chosen or "",
        filters=filters,
        kept={name: value for name, value in filters.items() if value},
        masks={row.id: row.other_name or mask(row.other, row.lot_id, language) for row in inbox.rows},
        after=after,
    )


@post("/talks/refusals")
async def refuse_several(request: Web, data: FormWithLists) -> Response[str]:
    """Decline the ticked offers; there is no accepting in bulk (rule 14)."""
    ticked = data.get("talk", [])
    ids = [UUID(t) for t in ([ticked] if isinstance(ticked, str) else ticked) if _is_uuid(t)]
    declined = await actions.refuse_offers(negotiation_ids=ids, by=viewer_of(request).actor)
    return see_other(request, "/talks", flash=N_("Offers declined: %(count)s."), count=declined)


# --- one talk ---


@get("/talks/{talk_id:uuid}")
async def show(
    request: Web, talk_id: FromPath[UUID], seen: FromQuery[int | None] = None, writing: FromQuery[bool] = False
) -> Response[str]:
    """The talk. An open page asks for its thread alone; ``seen`` and ``writing`` say that it holds a form already."""
    by = viewer_of(request).actor
    talk = await negotiation_on_page(by, talk_id)
    alone = bool(request.headers.get("hx-request"))
    said = await _said_beside(by, talk, inside=not alone)
    has_form = seen is not None or writing
    return render(request, SHOW, fragment=THREAD, **_talk(request, talk, *said), alone=alone, has_form=has_form)


@get("/talks/{talk_id:uuid}/live")
async def listen(request: Web, talk_id: FromPath[UUID], channels: NamedDependency[ChannelsPlugin]) -> ServerSentEvent:
    """Tells an open page that something changed."""
    talk = await negotiation_seen_by(viewer_of(request).actor, talk_id)
    return live(channels, talk.channel)


@post("/talks/{talk_id:uuid}/offers")
async def make_move(request: Web, talk_id: FromPath[UUID], data: Form) -> Response[str]:
    """An offer or a counter-offer."""
    by = viewer_of(request).actor
    talk = await negotiation_seen_by(by, talk_id)
    try:
        await actions.make_move(
            negotiation_id=talk_id,
            price=_price(data, talk.talk.terms.ask.currency),
            quantity=_quantity(data),
            incoterm=_incoterm(data),
            message=data.get("message", ""),
            by=by,
            cost=_cost(data),
            seen=_seen(data),
        )
    except DomainError as refusal:
        return await _refused(request, talk_id, refusal, data)
    return see_other(
        request, f"/talks/{talk_id}", flash=N_("Your offer is on the table. The other side has been told.")
    )


@post("/talks/{talk_id:uuid}/acceptance")
async def accept(request: Web, talk_id: FromPath[UUID], data: Form) -> Response[str]:
    """Accept exactly the price and the quantity the form shows."""
    by = viewer_of(request).actor
    talk = await negotiation_seen_by(by, talk_id)
    try:
        await actions.accept_offer(
            negotiation_id=talk_id,
            price=_price(data, talk.talk.terms.ask.currency),
            quantity=_quantity(data),
            by=by,
            cost=_cost(data),
        )
    except DomainError as refusal:
        return await _refused(request, talk_id, refusal, {})
    return see_other(request, f"/talks/{talk_id}", flash=N_("Agreed. You now see each other's names."))


@post("/talks/{talk_id:uuid}/refusal")
async def refuse(request: Web, talk_id: FromPath[UUID], data: Form) -> Response[str]:
    """Decline the live offer."""
    try:
        await actions.refuse_offer(negotiation_id=talk_id, by=viewer_of(request).actor, seen=_seen(data))
    except DomainError as refusal:
        return await _refused(request, talk_id, refusal, {})
    return see_other(request, f"/talks/{talk_id}", flash=N_("Declined. The other side will be told."))


@post("/talks/{talk_id:uuid}/withdrawal")
async def withdraw(request: Web, talk_id: FromPath[UUID], data: Form) -> Response[str]:
    """Take one's own live offer back."""
    try:
        await actions.withdraw_offer(negotiation_id=talk_id, by=viewer_of(request).actor, seen=_seen(data))
    except DomainError as refusal:
        return await _refused(request, talk_id, refusal, {})
    return see_other(request, f"/talks/{talk_id}", flash=N_("Your offer is withdrawn."))


# --- once agreed ---


@get("/talks/{talk_id:uuid}/contract")
async def contract(request: Web, talk_id: FromPath[UUID]) -> Response[str]:
    """What was agreed, frozen; made to be printed."""
    agreed = await contract_seen_by(viewer_of(request).actor, talk_id)
    category = BY_SLUG.get(agreed.lot["category"])
    return render(
        request,
        CONTRACT,
        contract=agreed,
        category=category.name if category else agreed.lot["category"],
        delivery=INCOTERMS[agreed.incoterm],
    )


@post("/talks/{talk_id:uuid}/messages")
async def write_message(request: Web, talk_id: FromPath[UUID], data: Form) -> Response[str]:
    """A word to the other side of an agreement."""
    try:
        text = data.get("message", "")
        await actions.write_message(negotiation_id=talk_id, text=text, by=viewer_of(request).actor)
    except DomainError as refusal:
        refusal.field = refusal.field and "message"
        return await _refused(request, talk_id, refusal, data)
    return see_other(request, f"/talks/{talk_id}#messages", flash=N_("Your message is sent."))


# --- inside one's own company ---


@post("/talks/{talk_id:uuid}/assignment")
async def assign(request: Web, talk_id: FromPath[UUID], data: Form) -> Response[str]:
    """A colleague looks after the talk, or nobody in particular."""
    chosen = data.get("person", "")
    try:
        if chosen and not _is_uuid(chosen):
            raise NotAChoice(field="person")
        person_id = UUID(chosen) if chosen else None
        await actions.assign_talk(negotiation_id=talk_id, person_id=person_id, by=viewer_of(request).actor)
    except DomainError as refusal:
        return await _refused(request, talk_id, refusal, {})
    flash = (
        N_("Your colleague looks after this talk now.") if chosen else N_("Nobody in particular looks after it now.")
    )
    return see_other(request, f"/talks/{talk_id}#team", flash=flash)


@post("/talks/{talk_id:uuid}/notes")
async def write_note(request: Web, talk_id: FromPath[UUID], data: Form) -> Response[str]:
    """A note that only one's own company reads."""
    try:
        await actions.write_note(negotiation_id=talk_id, text=data.get("text", ""), by=viewer_of(request).actor)
    except DomainError as refusal:
        return await _refused(request, talk_id, refusal, data)
    return see_other(request, f"/talks/{talk_id}#team", flash=N_("The note is kept. Only your company reads it."))


# --- what the templates get ---


async def _refused(request: Web, talk_id: UUID, refusal: DomainError, typed: dict[str, str]) -> Response[str]:
    """The talk as it is now, why the act was refused, and everything that was typed."""
    if isinstance(refusal, NotSeen):
        raise refusal
    by = viewer_of(request).actor
    talk = await negotiation_on_page(by, talk_id)
    said = await _said_beside(by, talk, inside=True)
    return again(request, SHOW, refusal, typed, **_talk(request, talk, *said), alone=False, has_form=False)


async def _said_beside(by: Actor, talk: OnPage, *, inside: bool) -> tuple[list[Message], OwnSide | None]:
    """What is said beside the moves: between two who agreed, and inside the viewer's own company."""
    messages = await messages_of(by, talk.id) if talk.agreed_at else []
    return messages, await own_side_of(by, talk.id) if inside else None


def _lot(request: Web, lot: LotOffered) -> dict[str, Any]:
    return {
        "lot": lot,
        "terms": lot.terms,
        "available": lot.available,
        "incoterms": list(INCOTERMS.items()),
        "seller_mask": mask(lot.seller, lot.id, language_of(request)),
        **_away(request, lot.seller_hours),
    }


def _away(request: Web, hours: WorkingHours) -> dict[str, Any]:
    """The day from which a side that is closed now answers again, as the viewer's calendar has it.

    No hour and no reason: whether it is a Sunday, a holiday or a shop that opens late, a rival learns the day only.
    """
    at, zone = now(), ZoneInfo(viewer_of(request).zone)
    day = None if is_open(at, hours) else next_opening(at, hours).astimezone(zone).date()
    return {"they_answer_from": day, "they_answer_today": day == at.astimezone(zone).date()}


def _talk(request: Web, page: OnPage, messages: list[Message], inside: OwnSide | None) -> dict[str, Any]:
    me, at = viewer_of(request).actor.company_id, now()
    talk = talks.run_clock(page.talk, at)
    is_buyer = me == talk.buyer
    them = talk.seller if is_buyer else talk.buyer
    my_turn = talk.turn == me
    may_reopen = is_buyer and talk.live is None and talk.state is not State.AGREED
    covered = talk.terms.covered_from
    return {
        "page": page,
        "messages": messages,
        "inside": inside,
        "talk": talk,
        "terms": talk.terms,
        "available": page.available,
        "me": me,
        "is_buyer": is_buyer,
        "other": page.other_name or mask(them, page.lot_id, language_of(request)),
        "their_hours": page.hours[them],
        **_away(request, page.hours[them]),
        "my_turn": my_turn,
        "may_move": bool((my_turn or may_reopen) and talk.moves_left and page.available),
        "may_accept": my_turn and talk.live is not None and talk.live.quantity <= page.available,
        "incoterms": list(INCOTERMS.items()),
        "cost_answers": list(COST_ANSWERS.items()),
        "cost_below": covered if not is_buyer else None,
        "cost_to_accept": bool(not is_buyer and talk.live and talks.cost_wanted(talk, talk.live.price)),
        "category": BY_SLUG[page.lot["category"]].name if page.lot["category"] in BY_SLUG else page.lot["category"],
        "ask": Money(page.lot["unit_ask_minor"], page.lot["currency"]),
    }


# --- reading forms ---


def _price(data: dict[str, str], currency: str) -> Money:
    try:
        return Money.parse(data.get("price", ""), currency)
    except NotAnAmount as refusal:
        refusal.field = "price"
        raise


def _quantity(data: dict[str, str]) -> int:
    text = "".join(data.get("quantity", "").split())
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise NotAQuantity(text=data.get("quantity", "")[:40], field="quantity")
    return int(text)


def _incoterm(data: dict[str, str]) -> Incoterm:
    if data.get("incoterm") not in set(Incoterm):
        raise NotAChoice(field="incoterm")
    return Incoterm(data["incoterm"])


def _cost(data: dict[str, str]) -> CostAnswer | None:
    if not data.get("cost"):
        return None
    if data["cost"] not in set(CostAnswer):
        raise NotAChoice(field="cost")
    return CostAnswer(data["cost"])


def _seen(data: dict[str, str]) -> int | None:
    text = data.get("seen", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) == 1 else None


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


router = Router(
    "/",
    route_handlers=[
        offer_form,
        offer,
        index,
        refuse_several,
        show,
        listen,
        make_move,
        accept,
        refuse,
        withdraw,
        contract,
        write_message,
        assign,
        write_note,
    ],
    guards=[trading],
)
