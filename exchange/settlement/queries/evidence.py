"""Photos of a delivery, for those who may see them."""

from dataclasses import dataclass
from uuid import UUID

from exchange.actor import Actor
from exchange.database import fetch, fetchrow
from exchange.errors import NotSeen
from exchange.settlement.queries.deals import Deal, deal_seen_by
from exchange.settlement.rules.deal import Side
from exchange.settlement.rules.evidence import Occasion


@dataclass(frozen=True, slots=True)
class Shot:
    """One photo of a delivery."""

    id: UUID
    deal_id: UUID
    side: Side
    occasion: Occasion
    line_key: str | None
    draft: bool

    @property
    def href(self) -> str:
        return f"/deals/{self.deal_id}/photos/{self.id}"


async def photos_of(deal: Deal, side: Side) -> list[Shot]:
    """What was handed in, and the reader's own drafts, oldest first; the caller has loaded the deal by viewer."""
    rows = await fetch(
        "select id, deal_id, side, occasion, line_key, draft from deal_photo "
        "where deal_id = $1 and (not draft or side = $2) order by created_at, id",
        deal.id,
        side.value,
    )
    return [
        Shot(r["id"], r["deal_id"], Side(r["side"]), Occasion(r["occasion"]), r["line_key"], r["draft"]) for r in rows
    ]


async def photo_seen_by(actor: Actor, deal_id: UUID, photo_id: UUID, *, small: bool) -> bytes:
    """The bytes of a photo of a delivery. Raises NotSeen for strangers, and for the other side's drafts."""
    side = (await deal_seen_by(actor, deal_id)).side_of(actor)
    row = await fetchrow(
        "select case when $4 then thumbnail else content end as bytes from deal_photo "
        "where id = $1 and deal_id = $2 and (not draft or side = $3)",
        photo_id,
        deal_id,
        side.value,
        small,
    )
    if row is None:
        raise NotSeen
    content: bytes = row["bytes"]
    return content
