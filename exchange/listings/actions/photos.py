"""Photos: decoded, stripped of all but their pixels, encoded anew. Nothing of the sender's file is kept."""

import asyncio
import io
import warnings
from uuid import UUID, uuid4

from PIL import Image, ImageOps, UnidentifiedImageError

from exchange.actor import Actor
from exchange.clock import now
from exchange.database import execute, fetchrow, transaction
from exchange.errors import NotSeen
from exchange.journal.actions import record
from exchange.listings.rules.photos import (
    MAX_PHOTOS,
    MAX_PIXELS,
    SIDE,
    THUMBNAIL_SIDE,
    EnoughPhotos,
    NotAPhoto,
    PhotoTooLarge,
)
from exchange.settings import settings

_FORMATS = ("JPEG", "PNG", "WEBP")


async def add_photo(*, by: Actor, lot_id: UUID, content: bytes) -> UUID:
    """Add a photo to one's own lot. Raises NotSeen, NotAPhoto, PhotoTooLarge, EnoughPhotos."""
    large, small, width, height = await clean_photo(content)
    async with transaction():
        lot = await fetchrow(
            "select (select count(*) from photo p where p.lot_id = l.id) as photos,"
            " (select coalesce(max(position), 0) from photo p where p.lot_id = l.id) as last"
            " from lot l where l.id = $1 and l.company_id = $2 for no key update",
            lot_id, by.company_id,
        )  # fmt: skip
        if lot is None:
            raise NotSeen
        if lot["photos"] >= MAX_PHOTOS:
            raise EnoughPhotos(most=MAX_PHOTOS, field="photo")
        photo_id = uuid4()
        await execute(
            "insert into photo (id, lot_id, position, width, height, content, thumbnail, created_at)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8)",
            photo_id, lot_id, lot["last"] + 1, width, height, large, small, now(),
        )  # fmt: skip
        await record(by, "lot.photo_added", lot_id)
        return photo_id


async def remove_photo(*, by: Actor, lot_id: UUID, photo_id: UUID) -> None:
    """Take a photo off one's own lot. Raises NotSeen."""
    async with transaction():
        gone = await fetchrow(
            "delete from photo p using lot l where p.id = $1 and p.lot_id = $2 and l.id = p.lot_id"
            " and l.company_id = $3 returning p.id",
            photo_id, lot_id, by.company_id,
        )  # fmt: skip
        if gone is None:
            raise NotSeen
        await record(by, "lot.photo_removed", lot_id)


async def clean_photo(content: bytes) -> tuple[bytes, bytes, int, int]:
    """The picture and its thumbnail as fresh JPEGs, turned upright, without a byte of metadata; width and height.

    Raises NotAPhoto, PhotoTooLarge.
    """
    limit = settings().upload_limit
    if len(content) > limit:
        raise PhotoTooLarge(limit=limit // 2**20, field="photo")
    return await asyncio.to_thread(_clean, content)


def _clean(content: bytes) -> tuple[bytes, bytes, int, int]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=_FORMATS) as opened:
                if opened.width * opened.height > MAX_PIXELS:
                    raise PhotoTooLarge(limit=settings().upload_limit // 2**20, field="photo")
                upright = ImageOps.exif_transpose(opened).convert("RGB")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as e:
        raise PhotoTooLarge(limit=settings().upload_limit // 2**20, field="photo") from e
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as e:
        raise NotAPhoto(field="photo") from e
    pixels = Image.frombytes("RGB", upright.size, upright.tobytes())
    large, (width, height) = _jpeg(pixels, SIDE)
    small, _ = _jpeg(pixels, THUMBNAIL_SIDE)
    return large, small, width, height


def _jpeg(pixels: Image.Image, side: int) -> tuple[bytes, tuple[int, int]]:
    copy = pixels.copy()
    copy.thumbnail((side, side))
    out = io.BytesIO()
    copy.save(out, "JPEG", quality=82, optimize=True)
    return out.getvalue(), copy.size
