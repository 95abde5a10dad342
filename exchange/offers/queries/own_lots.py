"""The company's own lots, as their seller walks through them: what is left of each, and who waits for an answer."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from asyncpg import Record

from exchange.actor import Actor
from exchange.clock import now
from exchange.database import fetch
from exchange.listings.queries.thresholds import threshold_in
from exchange.listings.rules.lots import LotState
from exchange.listings.rules.thresholds import Threshold
from exchange.money import Money
from exchange.offers.queries.inbox import searched
from exchange.offers.queries.requests import JOINED, STANDS


class Shelf(StrEnum):
    """Which of one's lots. A lot that is part sold may be on sale and being settled at once."""

    OFFERED = "offered"
    """An offer for it, or a request for a price, awaits the company's answer."""
    ON_SALE = "on_sale"
    """Some of it can be bought."""
    SETTLING = "settling"
    """Some of it is reserved for buyers who agreed."""
    ENDED = "ended"
    """Neither."""


@dataclass(frozen=True, slots=True)
class OwnLot:
    """A line in the list of one's lots."""

    id: UUID
    title: str
    grade: str
    state: LotState
    """By the clock."""
    unit_ask: Money
    quantity: int
    left: int
    reserved: int
    threshold: Threshold | None
    threshold_paid: int
    expires_at: datetime
    offers: int
    """Offers that await the company's answer."""
    requests: int
    """Requests for a price that await it."""
    most_urgent_request: UUID | None


@dataclass(frozen=True, slots=True)
class OwnLots:
    """One page of them, and how many there are of each kind among all that the words let through."""

    rows: list[OwnLot]
    counts: dict[Shelf, int]
    next: UUID | None


_OWN = f"""
with waiting as (
    select lot_id, count(*) as offers from negotiation
    where turn_company_id = $1 and seller_company_id = $1 and state = 'live' and deadline > $2 group by lot_id
), asked as (
    select q.lot_id, count(*) as requests, (array_agg(q.id order by q.expires_at, q.id))[1] as request_id
    from {JOINED} where q.seller_company_id = $1 and q.state = 'asked' and q.expires_at > $2 and {STANDS}
    group by q.lot_id
), mine as materialized (
    select l.id, l.published_at, coalesce(w.offers, 0) as offers, coalesce(a.requests, 0) as requests, a.request_id,
        l.reserved > 0 as settling,
        l.state in ('open', 'part_sold') and l.expires_at > $2 and l.quantity > l.reserved + l.sold as on_sale
    from lot l left join waiting w on w.lot_id = l.id left join asked a on a.lot_id = l.id
    where l.company_id = $1 and ($6::text is null or position(fold($6) in fold(l.title)) > 0)
), tally as (
    select count(*) filter (where offers + requests > 0) as n_offered, count(*) filter (where on_sale) as n_on_sale,
        count(*) filter (where settling) as n_settling,
        count(*) filter (where not (on_sale or settling)) as n_ended from mine
), page as (
    select * from mine
    where case $3::text when 'offered' then offers + requests > 0 when 'on_sale' then on_sale
            when 'settling' then settling when 'ended' then not (on_sale or settling) else true end
        and (not exists (select from mine where id = $4)
            or (published_at, id) < (select published_at, id from mine where id = $4))
    order by published_at desc, id desc limit $5
)
select t.*, l.id, l.title, l.grade, l.unit_ask_minor, l.currency, l.quantity, l.reserved, l.sold,
    l.threshold, l.threshold_state, l.threshold_paid, l.expires_at, p.offers, p.requests, p.request_id,
    case when l.state in ('open', 'part_sold') and l.expires_at <= $2 then 'expired' else l.state end as state
from tally t left join (page p join lot l on l.id = p.id) on true order by p.published_at desc, p.id desc
"""  # noqa: S608  the constants of the requests


async def own_lots(
    actor: Actor, *, show: Shelf | None = None, words: str = "", after: UUID | None = None, limit: int = 30
) -> OwnLots:
    """One page of the company's lots in any state, the latest first, with the counts, in one round trip.

    ``words`` stand in the title. ``after`` is the last lot of the page before; the first page again when it is not
    the company's.
    """
    found = await fetch(_OWN, actor.company_id, now(), show, after, limit + 1, searched(words))
    rows = [_own_lot(r) for r in found[:limit] if r["id"]]
    counts = {kind: found[0][f"n_{kind}"] for kind in Shelf}
    return OwnLots(rows, counts, rows[-1].id if len(found) > limit else None)


def _own_lot(r: Record) -> OwnLot:
    return OwnLot(
        id=r["id"],
        title=r["title"],
        grade=r["grade"],
        state=LotState(r["state"]),
        unit_ask=Money(r["unit_ask_minor"], r["currency"]),
        quantity=r["quantity"],
        left=r["quantity"] - r["reserved"] - r["sold"],
        reserved=r["reserved"],
        threshold=threshold_in(r),
        threshold_paid=r["threshold_paid"],
        expires_at=r["expires_at"],
        offers=r["offers"],
        requests=r["requests"],
        most_urgent_request=r["request_id"],
    )
