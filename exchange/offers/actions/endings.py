"""How a request for a price ends without one, and who is told."""

from typing import Any
from uuid import UUID

from exchange.clock import now
from exchange.companies.actions.mail import letter, notify
from exchange.companies.rules import MailKind
from exchange.database import fetch, fetchval, transaction
from exchange.jobs import enqueue_all
from exchange.journal.actions import record
from exchange.offers.queries.requests import JOINED, STANDS, request_ended


async def end_requests(*, lot_id: UUID | None = None, at_most: int = 500) -> int:
    """End what nobody has answered in time, what is asked about a lot that has nothing left to sell, for a want that is
    closed, and between two who may not deal with each other any more.

    Returns how many. With ``lot_id`` those of one lot.
    """
    async with transaction():
        ended = await fetch(_END, now(), lot_id, at_most)
        for row in ended:
            await record(None, f"quote.{row['state']}", row["id"])
        if ended:
            await enqueue_all(*(("quote.answered", row["id"]) for row in ended))
    return len(ended)


_END = f"""
    update quote_request q set state = case when q.expires_at <= $1 then 'expired' else 'closed' end,
        answered_at = least(q.expires_at, $1)
    from (select q.id from {JOINED}
          where q.state = 'asked' and ($2::uuid is null or q.lot_id = $2)
          and (q.expires_at <= $1 or l.expires_at <= $1 or l.state not in ('open', 'part_sold')
               or l.quantity - l.reserved - l.sold = 0 or not {STANDS})
          order by q.id limit $3 for no key update of q skip locked) over
    where q.id = over.id and q.state = 'asked' returning q.id, q.state
"""  # noqa: S608  the constants of the queries


async def tell_of_no_quote(*, request_id: UUID) -> None:
    """Write to who asked for a price that none comes, once, in their working hours."""
    async with transaction():
        first = await fetchval(
            "update quote_request set answer_told = true where id = $1 and not answer_told returning id", request_id
        )
        told = await request_ended(request_id) if first else None
        if told:
            await notify(told.receiver, "quote_answered", about=request_id, told=told)


@letter("quote_answered", MailKind.ENDINGS)
async def _no_price(request_id: UUID, _: UUID) -> dict[str, Any] | None:
    told = await request_ended(request_id)
    return {"told": told} if told else None
