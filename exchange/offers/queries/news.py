"""What came to await a company while a page of its was open."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from exchange.actor import Actor
from exchange.clock import now
from exchange.database import fetch
from exchange.offers.queries.requests import JOINED, STANDS


@dataclass(frozen=True, slots=True)
class News:
    """A request for a price or the other side's move, which awaits the company's answer."""

    id: UUID
    """Of the request or of the talk."""
    lot_title: str
    is_request: bool
    is_buyer: bool

    @property
    def path(self) -> str:
        return f"/{'requests' if self.is_request else 'talks'}/{self.id}"


def news_channel(company_id: UUID) -> str:
    """Where the open pages of a company listen for what comes to await it."""
    return f"news_{company_id.hex}"


async def news_since(actor: Actor, since: datetime) -> list[News]:
    """What came since then and still awaits the company's answer, the latest first."""
    rows = await fetch(
        f"""
        select q.id, l.title, true as is_request, false as is_buyer, q.asked_at as at from {JOINED}
        where q.seller_company_id = $1 and q.asked_at > $3 and q.state = 'asked' and q.expires_at > $2 and {STANDS}
        union all
        select n.id, c.content ->> 'title', false, n.buyer_company_id = $1, o.made_at
        from negotiation n join offer o on o.negotiation_id = n.id and o.number = n.moves
        join lot_copy c on c.id = n.lot_copy_id
        where n.turn_company_id = $1 and n.state = 'live' and n.deadline > $2 and o.made_at > $3
        order by at desc, id limit 100
        """,  # noqa: S608  the constants of the queries
        actor.company_id,
        now(),
        since,
    )
    return [News(r["id"], r["title"], r["is_request"], r["is_buyer"]) for r in rows]
