"""Photographs of the demo's lots: our own drawings, a neutral silhouette for each category on a plain ground."""

import io
from collections.abc import Iterator
from functools import cache

from PIL import Image, ImageDraw, ImageFilter

from exchange.seed.catalogue import shape
from exchange.seed.chance import beside
from exchange.seed.listings import Listing
from exchange.seed.progress import Progress
from exchange.seed.shop_window import GUESTS_LOTS, shop
from exchange.seed.steps import Market
from exchange.seed.writing import copy

SIZE, SMALL = (720, 540), (360, 270)
_GROUNDS = (((236, 233, 226), (206, 201, 191)), ((226, 232, 236), (188, 198, 206)), ((233, 229, 234), (199, 192, 203)))
_INKS = ((74, 92, 106), (122, 88, 70), (84, 104, 82))
_PHOTO = 0xF070
PHOTO = ("id", "lot_id", "position", "width", "height", "content", "thumbnail", "created_at")

# On a field of 100 by 100: r(ectangle, with corner radius), o(val), l(ine, with width), p(olygon), a (ring, with width)
SHAPES: dict[str, str] = {
    "chair": "r 34 18 66 52 6;r 30 50 70 60 4;l 34 60 30 86 4;l 66 60 70 86 4",
    "textile": "r 24 30 76 42 5;r 24 44 76 56 5;r 24 58 76 70 5",
    "pot": "r 28 42 72 74 8;r 24 36 76 42 3;o 46 26 54 34;l 20 50 28 50 5;l 72 50 80 50 5",
    "lamp": "p 36 20 64 20 74 50 26 50;l 50 50 50 80 4;r 36 78 64 84 3",
    "kettle": "p 36 34 64 34 70 80 30 80;a 60 40 82 70 5;p 34 44 22 36 26 34 36 38;o 46 26 54 34",
    "shirt": "p 36 24 44 28 56 28 64 24 82 38 74 48 68 44 68 80 32 80 32 44 26 48 18 38",
    "shoe": "p 22 44 38 44 46 54 70 60 80 68 80 74 22 74;r 20 74 82 79 2",
    "bag": "r 28 42 72 80 8;a 38 24 62 60 5",
    "watch": "r 42 14 58 34 4;r 42 66 58 86 4;o 32 32 68 68",
    "stroller": "p 30 54 50 24 50 54;p 30 54 74 54 66 70 38 70;o 34 72 44 82;o 60 72 70 82;l 74 54 84 36 4",
    "bike": "a 16 46 44 74 4;a 56 46 84 74 4;l 30 60 44 40 3;l 44 40 64 40 3;l 64 40 70 60 3;l 44 40 52 60 3;"
            "l 52 60 64 40 3;l 30 60 52 60 3;l 40 34 48 34 4;l 64 40 62 32 3;l 58 30 68 32 3",
    "tent": "p 50 24 84 76 16 76;p 50 44 60 76 40 76",
    "blocks": "r 26 54 48 76 3;r 52 54 74 76 3;r 39 30 61 52 3",
    "book": "p 22 30 48 36 48 76 22 70;p 78 30 52 36 52 76 78 70",
    "bowl": "p 24 50 76 50 66 74 34 74;o 34 34 44 44;o 48 30 58 40;o 58 36 66 44",
    "phone": "r 37 18 63 82 6;o 47 72 53 78",
    "laptop": "r 28 28 72 60 4;p 24 64 76 64 82 74 18 74",
    "headphones": "a 26 26 74 78 6;r 22 50 34 74 5;r 66 50 78 74 5",
    "gamepad": "r 22 40 78 66 13;o 24 54 42 76;o 58 54 76 76",
    "bulb": "o 34 22 66 58;r 43 56 57 70 3;r 45 71 55 78 3",
    "drill": "r 26 34 66 50 5;p 66 38 78 42 66 46;p 34 50 48 50 52 76 38 76;r 34 74 58 82 3",
    "brush": "r 26 24 74 42 5;l 74 33 82 33 4;l 82 33 82 50 4;l 82 50 50 50 4;r 46 50 54 82 4",
    "tap": "r 42 36 54 80 4;p 42 36 70 36 76 50 68 50 66 46 42 46;r 40 24 56 32 3",
    "plant": "p 36 60 64 60 60 82 40 82;o 28 26 50 56;o 50 26 72 56;o 40 16 60 48",
    "wheel": "a 20 20 80 80 12;o 42 42 58 58;l 50 26 50 74 4;l 26 50 74 50 4",
    "jar": "r 34 34 66 80 7;r 37 22 63 32 3",
    "bottle": "r 45 14 55 38 2;p 45 36 55 36 62 48 62 84 38 84 38 48",
    "flacon": "r 34 44 66 80 8;r 44 32 56 44 2;r 42 22 58 32 3",
    "spray": "p 40 40 60 40 64 82 36 82;r 44 30 56 40 2;p 34 20 60 20 60 30 40 30",
    "cross": "r 42 22 58 78 4;r 22 42 78 58 4",
}  # fmt: skip


async def hang(market: Market, _: Progress) -> None:
    """Photographs for the guests' lots and for some of the others, one or two each."""
    await copy("photo", PHOTO, (row for made in _pictured(market) for row in _rows(made)))


def _pictured(market: Market) -> Iterator[Listing]:
    guests = sum(GUESTS_LOTS.values())
    for number, made in enumerate(shop(market)):
        if number < guests or number % market.scale.pictured == 0:
            yield made


def _rows(made: Listing) -> Iterator[tuple[object, ...]]:
    look = made.id.int >> 40
    for position in range(1, 2 + look % 2):
        large, small = picture(shape(made.category), (look + position) % 2)
        yield (
            beside(made.id, _PHOTO + position), made.id, position, *SIZE, large, small, made.published_at,
        )  # fmt: skip


@cache
def picture(name: str, light: int) -> tuple[bytes, bytes]:
    """A silhouette as a photograph and its thumbnail, both JPEG, in one of two lights."""
    width, height = SIZE
    mask = _silhouette(name)
    look = [*SHAPES].index(name) + light
    pale, dark = _GROUNDS[look % 3]
    ramp = Image.linear_gradient("L").resize(SIZE)
    scene = Image.composite(Image.new("RGB", SIZE, dark), Image.new("RGB", SIZE, pale), ramp)
    left = (width - height) // 2
    shadow = Image.new("L", SIZE, 0)
    shadow.paste(mask.point([level // 3 for level in range(256)]), (left + 10, 14))
    scene.paste((60, 58, 54), (0, 0), shadow.filter(ImageFilter.BoxBlur(9)))
    scene.paste(_INKS[look // 3 % 3], (left, 0), mask)
    return _jpeg(scene), _jpeg(scene.reduce(2))


@cache
def _silhouette(name: str) -> Image.Image:
    """The shape as a mask, drawn at twice its size for smooth edges."""
    size = SIZE[1] * 2
    mask = Image.new("L", (size, size), 0)
    for stroke in SHAPES[name].split(";"):
        _draw(ImageDraw.Draw(mask), stroke, size / 100)
    return mask.reduce(2)


def _draw(canvas: ImageDraw.ImageDraw, stroke: str, scale: float) -> None:
    kind, *numbers = stroke.split()
    at = [float(n) * scale for n in numbers]
    match kind:
        case "r":
            canvas.rounded_rectangle(at[:4], radius=at[4], fill=255)
        case "o":
            canvas.ellipse(at, fill=255)
        case "l":
            canvas.line(at[:4], fill=255, width=round(at[4]))
        case "a":
            canvas.arc(at[:4], 0, 360, fill=255, width=round(at[4]))
        case _:
            canvas.polygon(at, fill=255)


def _jpeg(image: Image.Image) -> bytes:
    held = io.BytesIO()
    image.save(held, "JPEG", quality=78)
    return held.getvalue()
