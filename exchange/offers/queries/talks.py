"""One talk."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from asyncpg import Record

from exchange.actor import Actor
from exchange.clock import now
from exchange.companies.rules import Away, SameLegalGroup, Vetting, WorkingHours
from exchange.database import execute, fetch, fetchrow, fetchval
from exchange.errors import DomainError, NotSeen
from exchange.listings.rules.lots import INCOTERMS, Incoterm, LotState
from exchange.money import Money
from exchange.offers.queries.profiles import COLUMNS as PROFILE
from exchange.offers.queries.profiles import Profile, profile_in
from exchange.offers.queries.team import falls_to
from exchange.offers.rules.bids import Bid, BidLine, Stock
from exchange.offers.rules.refusals import NotVetted
from exchange.offers.rules.talks import MOVES, Move, State, Talk
from exchange.offers.rules.terms import Terms


def talk_channel(negotiation_id: UUID) -> str:
    """Where the open pages of a talk listen."""
    return f"talk_{negotiation_id.hex}"


@dataclass(frozen=True, slots=True)
class Said:
    """What surrounds a move: its words and, for its own side only, which colleague made it."""

    id: UUID
    number: int
    move: Move
    message: str
    answered_at: datetime | None
    person_name: str | None = None
    answered_by: str | None = None
    """Which colleague answered it, for the side that answered (or withdrew) only."""


@dataclass(frozen=True, slots=True)
class Negotiated:
    """A talk as its parties and the rules see it."""

    id: UUID
    lot_id: UUID
    talk: Talk
    said: tuple[Said, ...]
    stock: Stock
    """What the lot has left to agree on now, with the lines that the last move names; nothing once it is closed, past
    its date, or its seller may not sell to this buyer."""
    hours: dict[UUID, WorkingHours]
    opened_at: datetime
    agreed_at: datetime | None

    @property
    def available(self) -> int:
        """Units left in all."""
        return self.stock.units

    @property
    def channel(self) -> str:
        return talk_channel(self.id)

    @property
    def seen(self) -> int:
        """How many moves there are: a form names it, so that an answer meets the offer it was written for."""
        return len(self.said)


@dataclass(frozen=True, slots=True)
class OnPage(Negotiated):
    """A talk with what its page shows besides: the frozen lot, and names where they are revealed."""

    lot: dict[str, Any]
    """The frozen copy without its lines."""
    lines: list[dict[str, Any]]
    """The first lines of the copy."""
    line_count: int
    other: Profile
    other_name: str | None
    """Trading name of the other side, once agreed."""
    other_legal_name: str | None
    other_closed: Away | None
    """The other side's company holidays; the next, when each of its people is away: for the day they answer from."""
    other_team: tuple[Away | None, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """An offer and what became of it: for the mail that tells its author, or its receiver when it is new."""

    id: UUID
    negotiation_id: UUID
    lot_title: str
    state: State
    move: Move
    message: str
    author: UUID
    """Who is written to on its own side: the colleague who looks after the talk, else who made it."""
    receiver: UUID
    """The same on the other side: who looks after it, else who moved last there, else who listed the lot."""
    by_seller: bool
    moves_left: int
    is_last: bool
    """Whether no move has followed it."""

    @property
    def delivery(self) -> str:
        """English msgid."""
        return INCOTERMS[self.move.incoterm]


_LINES = """
    case when o.lines_minor is not null then (select json_agg(json_build_array(x.line_id, x.quantity,
        x.unit_price_minor, x.unit_ask_minor, m.quantity - m.reserved - m.sold) order by m.position)
     from offer_line x join manifest_line m on m.id = x.line_id where x.offer_id = o.id) end
"""
"""The lines an offer names: id, quantity, price, ask, and units left now."""
_SIDES = "$2 in (n.buyer_company_id, n.seller_company_id)"
_TALK = f"""
    n.*, l.state as lot_state, l.expires_at as lot_expires_at, l.quantity - l.reserved - l.sold as lot_left,
    b.zone as b_zone, b.country as b_country, b.opens as b_opens, b.closes as b_closes, b.days as b_days,
    s.zone as s_zone, s.country as s_country, s.opens as s_opens, s.closes as s_closes, s.days as s_days,
    b.vetting as b_vetting, s.vetting as s_vetting, b.legal_group_id = s.legal_group_id as one_group,
    (select json_agg(json_build_object('id', o.id, 'number', o.number, 'company', o.company_id, 'price',
        o.unit_price_minor, 'quantity', o.quantity, 'incoterm', o.incoterm, 'message', o.message, 'made_at', o.made_at,
        'expires_at', o.expires_at, 'state', o.state, 'answered_at', o.answered_at, 'pickup', o.pickup,
        'lines', {_LINES},
        'person', case when o.company_id = $2 then p.name end,
        'answered_by', case when (o.company_id = $2) = (o.state = 'withdrawn') then a.name end) order by o.number)
     from offer o join person p on p.id = o.person_id left join person a on a.id = o.answered_by
     where o.negotiation_id = n.id) as offers
"""  # noqa: S608  the constant above
_FROM = """
    from negotiation n join lot l on l.id = n.lot_id
    join company b on b.id = n.buyer_company_id join company s on s.id = n.seller_company_id
"""
_ON_PAGE = f"""
    select {_TALK}, c.content - 'lines' as copy, jsonb_array_length(c.content -> 'lines') as line_count,
        jsonb_path_query_array(c.content, '$.lines[0 to 49]') as lines, {PROFILE},
        case when n.state = 'agreed' then x.trading_name end as other_name,
        case when n.state = 'agreed' then x.legal_name end as other_legal_name,
        json_build_array(x.closed_from, x.closed_until, (select json_agg(json_build_array(m.away_from, m.away_until))
            from membership m where m.company_id = x.id)) as other_absences
    {_FROM} join lot_copy c on c.id = n.lot_copy_id
    join company x on x.id = case when n.buyer_company_id = $2 then n.seller_company_id else n.buyer_company_id end
    where n.id = $1 and {_SIDES}
"""  # noqa: S608  the constants above


async def ensure_party(actor: Actor, negotiation_id: UUID) -> None:
    """Raises NotSeen for everybody but the two sides of the talk; loads nothing of it."""
    party = f"select true from negotiation n where n.id = $1 and {_SIDES}"  # noqa: S608  the constant above
    if not await fetchval(party, negotiation_id, actor.company_id):
        raise NotSeen


async def negotiation_seen_by(actor: Actor, negotiation_id: UUID, *, lock: bool = False) -> Negotiated:
    """The talk, for one of its two sides; ``lock`` takes the lot's row first, which holds every talk about it still.

    Raises NotSeen for everybody else.
    """
    return await _negotiation(negotiation_id, actor.company_id, lock=lock)


async def negotiation_on_page(actor: Actor, negotiation_id: UUID) -> OnPage:
    """The talk with all its page shows, in one round trip. Raises NotSeen."""
    row = await fetchrow(_ON_PAGE, negotiation_id, actor.company_id)
    if row is None:
        raise NotSeen
    found = _read(row)
    first, last, team = json.loads(row["other_absences"])
    lot = json.loads(row["copy"])
    return OnPage(
        **{name: getattr(found, name) for name in Negotiated.__slots__},
        lot=lot,
        lines=json.loads(row["lines"]),
        line_count=row["line_count"],
        other=profile_in(row, region=lot["region"] if actor.company_id == found.talk.buyer else None),
        other_name=row["other_name"],
        other_legal_name=row["other_legal_name"],
        other_closed=_away(first, last),
        other_team=tuple(_away(*days) for days in team or ()),
    )


async def negotiation_of_offer(offer_id: UUID, *, lock: bool = False) -> Negotiated:
    """The talk an offer belongs to: for the exchange's own acts, which no person asks for. Raises NotSeen."""
    negotiation_id = await fetchval("select negotiation_id from offer where id = $1", offer_id)
    return await _negotiation(negotiation_id, None, lock=lock)


async def negotiation_to_end(negotiation_id: UUID) -> Negotiated:
    """The talk under its lot's lock: for the clock and the operator, who are no party. Raises NotSeen."""
    return await _negotiation(negotiation_id, None, lock=True)


async def live_talks_of(company_id: UUID) -> list[UUID]:
    """Talks of the company in which an offer waits for an answer, its own or the other side's."""
    rows = await fetch(
        "select id from negotiation where state = 'live' and $1 in (buyer_company_id, seller_company_id) order by id",
        company_id,
    )
    return [r["id"] for r in rows]


async def overdue(at: datetime, limit: int) -> list[UUID]:
    """Talks whose live move's time is up, the oldest deadline first: what a day's pause left is caught up in order."""
    rows = await fetch(
        "select id from negotiation where state = 'live' and deadline <= $1 order by deadline, id limit $2", at, limit
    )
    return [r["id"] for r in rows]


async def _negotiation(negotiation_id: UUID | None, company_id: UUID | None, *, lock: bool) -> Negotiated:
    party = f"and ($2::uuid is null or {_SIDES})"
    if lock:
        # a statement of its own, like `lots.lock_lot`, for the parties alone
        await execute(
            f"select from lot l join negotiation n on n.lot_id = l.id where n.id = $1 {party} for no key update of l",
            negotiation_id,
            company_id,
        )
    row = await fetchrow(f"select {_TALK} {_FROM} where n.id = $1 {party}", negotiation_id, company_id)
    if row is None:
        raise NotSeen
    return _read(row)


def _read(row: Record) -> Negotiated:
    currency = row["currency"]

    def money(column: str) -> Money | None:
        return None if row[column] is None else Money(row[column], currency)

    offers = json.loads(row["offers"] or "[]")
    said = tuple(_said(o, currency) for o in offers)
    named = [line for o in offers for line in o["lines"] or ()]
    asks = {UUID(line[0]): Money(line[3], currency) for line in named if line[3] is not None}
    terms = Terms(
        ask=Money(row["unit_ask_minor"], currency),
        partial=row["partial"],
        minimum=row["minimum"],
        multiple=row["multiple"],
        floor=money("floor_minor"),
        auto_accept=money("auto_accept_minor"),
        covered_from=money("covered_from_minor"),
        asks=asks,
    )
    barred = _barred(row)
    for_sale = LotState(row["lot_state"]).is_for_sale and row["lot_expires_at"] > now()
    return Negotiated(
        id=row["id"],
        lot_id=row["lot_id"],
        talk=Talk(
            row["buyer_company_id"],
            row["seller_company_id"],
            terms,
            tuple(s.move for s in said),
            barred=barred,
        ),
        said=said,
        stock=Stock(row["lot_left"], {UUID(line[0]): line[4] for line in named})
        if for_sale and row["seller_company_id"] not in barred
        else Stock(0, {}, closed=row["lot_left"] > 0),
        hours={row["buyer_company_id"]: _hours(row, "b_"), row["seller_company_id"]: _hours(row, "s_")},
        opened_at=row["opened_at"],
        agreed_at=row["agreed_at"],
    )


def _barred(row: Record) -> dict[UUID, type[DomainError]]:
    sides = {row["buyer_company_id"]: row["b_vetting"], row["seller_company_id"]: row["s_vetting"]}
    if row["one_group"]:
        return dict.fromkeys(sides, SameLegalGroup)
    return {company: NotVetted for company, vetting in sides.items() if vetting != Vetting.VETTED}


def _said(o: dict[str, Any], currency: str) -> Said:
    move = Move(
        by=UUID(o["company"]),
        bid=_bid(Money(o["price"], currency), o["quantity"], o["lines"]),
        incoterm=Incoterm(o["incoterm"]),
        made_at=datetime.fromisoformat(o["made_at"]),
        expires_at=datetime.fromisoformat(o["expires_at"]),
        state=State(o["state"]),
        pickup=tuple(o["pickup"]),
    )
    answered = datetime.fromisoformat(o["answered_at"]) if o["answered_at"] else None
    return Said(UUID(o["id"]), o["number"], move, o["message"], answered, o["person"], o["answered_by"])


def _bid(price: Money, quantity: int, lines: list[list[Any]] | None) -> Bid:
    if not lines:
        return Bid(price, quantity)
    return Bid.of(BidLine(UUID(line[0]), line[1], Money(line[2], price.currency)) for line in lines)


def _hours(row: Record, prefix: str = "") -> WorkingHours:
    zone, country, opens, closes, days = (row[prefix + c] for c in ("zone", "country", "opens", "closes", "days"))
    return WorkingHours(zone, country, opens, closes, frozenset(days))


def _away(first: str | None, last: str | None) -> Away | None:
    return Away.of(*(date.fromisoformat(day) if day else None for day in (first, last)))


_TOLD = f"""
    select o.*, n.moves, {_LINES} as lines, c.content ->> 'title' as title, n.seller_company_id,
        case when o.company_id = n.buyer_company_id then n.seller_company_id else n.buyer_company_id end
            as told_company,
        coalesce((select a.person_id from offer a where a.negotiation_id = o.negotiation_id
            and a.company_id <> o.company_id order by a.number desc limit 1),
            case when o.company_id <> n.seller_company_id then l.person_id else (select q.person_id from quote_request q
                where q.lot_id = n.lot_id and q.buyer_company_id = n.buyer_company_id) end) as known_there
    from offer o join negotiation n on n.id = o.negotiation_id join lot_copy c on c.id = n.lot_copy_id
    join lot l on l.id = o.lot_id where o.id = $1
"""  # noqa: S608  the constant above


async def offer_told(offer_id: UUID) -> Answered | None:
    """An offer with the two people it concerns."""
    r = await fetchrow(_TOLD, offer_id)
    if r is None:
        return None
    author = await falls_to(r["negotiation_id"], r["company_id"], known=r["person_id"])
    receiver = await falls_to(r["negotiation_id"], r["told_company"], known=r["known_there"])
    if author is None or receiver is None:
        return None
    move = Move(
        by=r["company_id"],
        bid=_bid(Money(r["unit_price_minor"], r["currency"]), r["quantity"], json.loads(r["lines"] or "[]")),
        incoterm=Incoterm(r["incoterm"]),
        made_at=r["made_at"],
        expires_at=r["expires_at"],
        state=State(r["state"]),
        pickup=tuple(r["pickup"]),
    )
    return Answered(
        id=r["id"],
        negotiation_id=r["negotiation_id"],
        lot_title=r["title"],
        state=move.state,
        move=move,
        message=r["message"],
        author=author,
        receiver=receiver,
        by_seller=r["company_id"] == r["seller_company_id"],
        moves_left=MOVES - r["number"],
        is_last=r["number"] == r["moves"],
    )
