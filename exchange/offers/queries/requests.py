"""Requests for a price: those a seller is to answer, and what became of those a buyer sent."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from exchange.actor import Actor
from exchange.clock import now
from exchange.database import execute, fetch, fetchrow, fetchval
from exchange.errors import NotSeen
from exchange.listings.rules.lots import INCOTERMS, Incoterm
from exchange.money import Money
from exchange.offers.queries.inbox import searched
from exchange.offers.queries.profiles import COLUMNS as PROFILE
from exchange.offers.queries.profiles import Profile, profile_in
from exchange.offers.queries.team import falls_to
from exchange.offers.rules.requests import Request, RequestState


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as one of its two sides sees it."""

    id: UUID
    lot_id: UUID
    lot_title: str
    request: Request
    state: RequestState
    """By the clock."""
    message: str
    asked_at: datetime
    unit_ask: Money
    left: int
    talk_id: UUID | None
    """The talk that the quote began."""
    buyer: Profile


STANDS = """(w.closed_at is null and b.vetting = 'vetted' and s.vetting = 'vetted'
    and b.legal_group_id <> s.legal_group_id)"""
"""Whether the buyer of the request ``q`` still wants a price, and an agreement may come of it."""
JOINED = """quote_request q join lot l on l.id = q.lot_id join want w on w.id = q.want_id
    join company b on b.id = q.buyer_company_id join company s on s.id = q.seller_company_id"""
_ASKED = f"""
    select q.*, l.title, l.unit_ask_minor, l.currency, n.id as talk_id, {STANDS} as stands, {PROFILE},
        case when l.state in ('open', 'part_sold') and l.expires_at > {{now}} then l.quantity - l.reserved - l.sold
            else 0 end as units_left
    from {JOINED} join company x on x.id = b.id
    left join negotiation n on n.lot_id = q.lot_id and n.buyer_company_id = q.buyer_company_id
"""  # noqa: S608  the constants above


_AWAITING = f"""
    q.seller_company_id = $1 and q.state = 'asked' and q.expires_at > $2 and {STANDS}
    and ($3::text is null or position(fold($3) in fold(l.title)) > 0)
"""


async def requests_to(actor: Actor, *, words: str = "", limit: int = 100) -> list[Asked]:
    """What the company as a seller is asked for a price on and has not answered, the nearest deadline first.

    ``words`` stand in the lot's title.
    """
    rows = await fetch(
        f"{_ASKED.format(now='$2')} where {_AWAITING} order by q.expires_at, q.id limit $4",
        actor.company_id,
        now(),
        searched(words),
        limit,
    )
    return [_asked(r) for r in rows]


async def count_requests_to(actor: Actor, *, words: str = "") -> int:
    """How many requests await the company's price."""
    return int(
        await fetchval(
            f"select count(*) from {JOINED} where {_AWAITING}",  # noqa: S608  the constants above
            actor.company_id,
            now(),
            searched(words),
        )
    )


async def requests_from(actor: Actor, want_id: UUID) -> list[Asked]:
    """What the company asked from this want of its own, the latest first."""
    rows = await fetch(
        f"{_ASKED.format(now='$3')} where q.want_id = $2 and q.buyer_company_id = $1 order by q.asked_at desc, q.id",
        actor.company_id,
        want_id,
        now(),
    )
    return [_asked(r) for r in rows]


async def request_to(actor: Actor, request_id: UUID, *, lock: bool = False) -> Asked:
    """A request the company is to answer as the seller; ``lock`` holds the lot's row first. Raises NotSeen."""
    if lock:
        await execute(
            "select from lot l join quote_request q on q.lot_id = l.id where q.id = $1 and q.seller_company_id = $2 "
            "for no key update of l",
            request_id,
            actor.company_id,
        )
    row = await fetchrow(
        f"{_ASKED.format(now='$3')} where q.id = $1 and q.seller_company_id = $2",
        request_id,
        actor.company_id,
        now(),
    )
    if row is None:
        raise NotSeen
    return _asked(row)


async def asked_since(actor: Actor, since: datetime) -> int:
    """How many lots the company has asked about since then."""
    return int(
        await fetchval(
            "select count(*) from quote_request where buyer_company_id = $1 and asked_at > $2", actor.company_id, since
        )
    )


async def lots_known_to(actor: Actor, lots: list[UUID]) -> set[UUID]:
    """Those of ``lots`` the company has asked about already, or talks about."""
    rows = await fetch(
        "select lot_id from quote_request where buyer_company_id = $1 and lot_id = any($2) "
        "union select lot_id from negotiation where buyer_company_id = $1 and lot_id = any($2)",
        actor.company_id,
        lots,
    )
    return {r["lot_id"] for r in rows}


@dataclass(frozen=True, slots=True)
class RequestTold:
    """A request for the mail that tells its seller."""

    id: UUID
    lot_title: str
    quantity: int
    delivery: str
    """English msgid."""
    message: str
    expires_at: datetime
    receiver: UUID


async def request_told(request_id: UUID) -> RequestTold | None:
    """A request that still waits, with who of the seller's is written to: who listed the lot, else an owner."""
    row = await fetchrow(
        "select q.id, l.title as lot_title, q.quantity, q.incoterm, q.message, q.expires_at, "  # noqa: S608  the constants
        f"q.seller_company_id, l.person_id from {JOINED} "
        f"where q.id = $1 and q.state = 'asked' and q.expires_at > $2 and {STANDS}",
        request_id,
        now(),
    )
    receiver = await falls_to(request_id, row["seller_company_id"], known=row["person_id"]) if row else None
    if row is None or receiver is None:
        return None
    return RequestTold(
        id=row["id"],
        lot_title=row["lot_title"],
        quantity=row["quantity"],
        delivery=INCOTERMS[Incoterm(row["incoterm"])],
        message=row["message"],
        expires_at=row["expires_at"],
        receiver=receiver,
    )


@dataclass(frozen=True, slots=True)
class RequestEnded:
    """A request that no price came for: for the mail that tells who asked."""

    lot_title: str
    want_id: UUID
    quantity: int
    state: RequestState
    receiver: UUID


async def request_ended(request_id: UUID) -> RequestEnded | None:
    """None while it waits, or once a price was named; none for a buyer who closed the want, or may not buy any more:
    that is the reason, and it was told it."""
    row = await fetchrow(
        "select q.want_id, q.quantity, q.state, q.buyer_company_id, q.person_id, l.title "  # noqa: S608  the constant
        f"from {JOINED} where q.id = $1 and q.state not in ('asked', 'quoted') and w.closed_at is null "
        "and b.vetting = 'vetted' and b.legal_group_id <> s.legal_group_id",
        request_id,
    )
    receiver = await falls_to(request_id, row["buyer_company_id"], known=row["person_id"]) if row else None
    if row is None or receiver is None:
        return None
    return RequestEnded(row["title"], row["want_id"], row["quantity"], RequestState(row["state"]), receiver)


def _asked(r: Record) -> Asked:
    state = RequestState(r["state"])
    request = Request(
        buyer=r["buyer_company_id"],
        seller=r["seller_company_id"],
        quantity=r["quantity"],
        incoterm=Incoterm(r["incoterm"]),
        expires_at=r["expires_at"],
        state=RequestState.CLOSED if state is RequestState.ASKED and not r["stands"] else state,
        pickup=tuple(r["pickup"]),
    )
    return Asked(
        id=r["id"],
        lot_id=r["lot_id"],
        lot_title=r["title"],
        request=request,
        state=request.at(now()),
        message=r["message"],
        asked_at=r["asked_at"],
        unit_ask=Money(r["unit_ask_minor"], r["currency"]),
        left=r["units_left"],
        talk_id=r["talk_id"],
        buyer=profile_in(r),
    )
