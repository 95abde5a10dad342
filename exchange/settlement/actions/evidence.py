"""Photos of a delivery: kept as drafts while a form is filled in, handed in with what they prove.

A browser cannot be given a file back; so a photo that came with a refused form stays here until the form is right.
"""

from uuid import UUID, uuid4

from exchange.actor import Actor
from exchange.clock import now
from exchange.database import execute, fetchval, transaction
from exchange.errors import NotSeen
from exchange.listings.actions.photos import clean_photo
from exchange.settlement.queries.deals import Deal, deal_seen_by
from exchange.settlement.rules.deal import NotYourMove, Side
from exchange.settlement.rules.evidence import MOST, EnoughDealPhotos, Occasion, PhotoHandedIn


async def keep_photo(
    *, deal_id: UUID, occasion: Occasion, content: bytes, by: Actor, line_key: str | None = None
) -> UUID:
    """Keep a photo as its taker's own draft, without anything but its pixels. Returns its id.

    Raises NotSeen, NotYourMove, NotAPhoto, PhotoTooLarge, EnoughDealPhotos.
    """
    side = (await deal_seen_by(by, deal_id)).side_of(by)
    if side is not (Side.BUYER if occasion in {Occasion.RECEIPT, Occasion.CLAIM} else Side.SELLER):
        raise NotYourMove
    large, small, width, height = await clean_photo(content)
    async with transaction():
        deal = await deal_seen_by(by, deal_id, lock=True)
        kept = await fetchval(
            "select count(*) from deal_photo where deal_id = $1 and side = $2 and occasion = $3",
            deal_id,
            side.value,
            occasion.value,
        )
        if kept >= MOST:
            raise EnoughDealPhotos(field="photo", most=MOST)
        photo_id = uuid4()
        await execute(
            "insert into deal_photo (id, deal_id, lot_id, side, occasion, line_key, draft, width, height, content, "
            "thumbnail, created_at) values ($1, $2, $3, $4, $5, $6, true, $7, $8, $9, $10, $11)",
            photo_id, deal_id, deal.lot_id, side.value, occasion.value, line_key, width, height, large, small, now(),
        )  # fmt: skip
        return photo_id


async def take_out(*, deal_id: UUID, photo_id: UUID, by: Actor) -> None:
    """Throw one's own draft away. Raises NotSeen, PhotoHandedIn."""
    async with transaction():
        deal = await deal_seen_by(by, deal_id, lock=True)
        draft = await fetchval(
            "select draft from deal_photo where id = $1 and deal_id = $2 and side = $3",
            photo_id,
            deal_id,
            deal.side_of(by).value,
        )
        if draft is None:
            raise NotSeen
        if not draft:
            raise PhotoHandedIn
        await execute("delete from deal_photo where id = $1", photo_id)


async def hand_in(deal: Deal, side: Side, occasion: Occasion) -> None:
    """What ``side`` kept for ``occasion`` is for both sides from now on; joins the current transaction."""
    await execute(
        "update deal_photo set draft = false where deal_id = $1 and side = $2 and occasion = $3 and draft",
        deal.id,
        side.value,
        occasion.value,
    )


async def forget_drafts() -> None:
    """Drafts of forms nobody sent in thirty days, or whose deal has ended, are thrown away."""
    await execute(
        "delete from deal_photo p using deal d where d.id = p.deal_id and p.draft "
        "and (d.closed_at is not null or p.created_at < $1::timestamptz - interval '30 days')",
        now(),
    )
