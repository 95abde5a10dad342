"""The market: browse, search, one lot, its photos."""

from functools import cache, lru_cache
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from babel import Locale
from litestar import Response, get
from litestar.params import FromPath, FromQuery
from markupsafe import Markup, escape

from exchange.listings.pages.stock_lists import category_options, term_options
from exchange.listings.queries.lots import PAGE, LotCard, SeenLot, Wanted, browse, lot_seen_by, photo_seen_by
from exchange.listings.rules.categories import BY_SLUG, REGIONS, SECTORS
from exchange.listings.rules.grades import LABELS as GRADES
from exchange.listings.rules.thresholds import ThresholdState
from exchange.money import Money, NotAnAmount
from exchange.web.formats import money, number, percent
from exchange.web.guards import browsing, signed_in, viewer_of
from exchange.web.render import Web, fragment, language_of, render
from exchange.web.translations import say

COUNTRIES = (
    "FR", "BE", "CH", "DE", "ES", "IT", "LU", "NL", "PT", "AT", "CZ", "DK", "FI", "GB", "GR", "HR", "HU", "IE", "PL",
    "RO", "SE", "SI", "SK",
)  # fmt: skip
DISCOUNTS = (30, 50, 60, 70, 80, 90)


@get("/lots", guards=[browsing])
async def market(
    request: Web,
    q: FromQuery[str] = "",
    category: FromQuery[str] = "",
    grade: FromQuery[str] = "",
    country: FromQuery[str] = "",
    region: FromQuery[str] = "",
    price_from: FromQuery[str] = "",
    price_to: FromQuery[str] = "",
    discount: FromQuery[str] = "",
    after: FromQuery[UUID | None] = None,
) -> Response[str]:
    """Lots on sale. What cannot be a filter narrows nothing; a price or a discount that cannot is named."""
    viewer = viewer_of(request)
    language = viewer.language
    wanted = Wanted(
        text=q.strip()[:200],
        category=category if category in BY_SLUG else "",
        sector=category if category in SECTORS else "",
        grade=grade if grade in GRADES else "",
        country=country if len(country) == 2 else "",
        region=region if region in REGIONS else "",
        price_from=_amount(price_from, viewer.currency),
        price_to=_amount(price_to, viewer.currency),
        discount=int(discount) if discount.isdigit() and int(discount) <= 100 else None,
    )
    typed = ((price_from, wanted.price_from), (price_to, wanted.price_to), (discount, wanted.discount))
    cards = await browse(viewer.actor, wanted, language, after=after)
    asked = (
        ("q", q), ("category", category), ("grade", grade), ("country", country), ("region", region),
        ("price_from", price_from), ("price_to", price_to), ("discount", discount),
    )  # fmt: skip
    kept = urlencode([pair for pair in asked if pair[1]])
    more = f"/lots?{kept}{'&' if kept else ''}after={cards[PAGE - 1].id}" if len(cards) > PAGE else None
    return render(
        request,
        "listings/market.html",
        fragment="listings/_market.html",
        cards=Markup("").join(_card(card, language) for card in cards[:PAGE]),
        panel=_panel(language, viewer.currency, asked if len(kept) < 400 else (), wanted.narrows),
        wanted=wanted,
        unread=[text.strip()[:40] for text, read in typed if text.strip() and read is None],
        next_href=more,
        first_href=f"/lots?{kept}" if after else None,
    )


@get("/lots/{lot_id:uuid}", guards=[signed_in])
async def show(request: Web, lot_id: FromPath[UUID], line: FromQuery[int] = 0) -> Response[str]:
    """One lot with its terms and a page of its manifest."""
    language, viewer = language_of(request), viewer_of(request)
    lot = await lot_seen_by(viewer.actor, lot_id, language, after_line=max(line, 0))
    if lot.mine:
        return render(request, "listings/lot.html", body=None, may_offer=False, **_told(lot, line, language))
    body = _body(lot, line, language, viewer.zone, viewer.is_trader)
    return render(request, "listings/lot.html", lot=lot, body=body)


@get("/photos/{photo_id:uuid}", guards=[signed_in])
async def photo(request: Web, photo_id: FromPath[UUID], small: FromQuery[bool] = False) -> Response[bytes]:
    """A photo of a lot the viewer may see; it never changes."""
    content = await photo_seen_by(viewer_of(request).actor, photo_id, thumbnail=small)
    return Response(
        content,
        media_type="image/jpeg",
        headers={"Cache-Control": "private, max-age=86400, immutable"},
    )


HANDLERS: list[Any] = [market, show, photo]


@cache
def names_in(language: str) -> dict[str, dict[str, str]]:
    """Slugs and codes in the reader's words."""
    return {
        "category": {slug: say(language, c.name) for slug, c in BY_SLUG.items()},
        "region": {slug: say(language, name) for slug, name in REGIONS.items()},
        "country": dict(Locale.parse(language).territories),
    }


@cache
def _terms(language: str) -> dict[str, dict[str, str]]:
    return {name: dict(pairs) for name, pairs in term_options(language).items() if isinstance(pairs, list)}


@lru_cache(maxsize=1024)
def _panel(language: str, currency: str, asked: tuple[tuple[str, str], ...], narrows: bool) -> Markup:
    """The filters as they stand for what is asked: a hundred choices that one visitor after the other gets alike."""
    territories = Locale.parse(language).territories
    html = fragment(
        "listings/_filters.html",
        language,
        asked=dict.fromkeys(_ASKED, "") | dict(asked),
        currency=currency,
        narrows=narrows,
        categories=[*((slug, say(language, name)) for slug, name in SECTORS.items()), *category_options(language)],
        grades=[(g.value, f"{g.value} · {say(language, label)}") for g, label in GRADES.items()],
        countries=sorted(((c, territories[c]) for c in COUNTRIES), key=lambda pair: pair[1]),
        regions=[(slug, say(language, name)) for slug, name in REGIONS.items()],
        discounts=DISCOUNTS,
    )
    return Markup(html)  # noqa: S704  rendered, and escaped, by Jinja


_ASKED = ("q", "category", "grade", "country", "region", "price_from", "price_to", "discount")
_HOLES = ("photo", "category", "tone", "grade", "id", "title", "low", "high", "country", "seller", "price", "discount")


@lru_cache(maxsize=64)
def _pattern(
    language: str, photo: bool, mine: bool, discount: bool, open_ended: bool, threshold: ThresholdState | None
) -> str:
    """The card of one kind with ``%(name)s`` where its own words go: a page has two dozen of them and renders none."""
    marks = {name: f"\ue000{name}\ue001" for name in _HOLES}
    kind = {"photo": photo, "mine": mine, "discount": discount, "open_ended": open_ended, "threshold": threshold}
    html = fragment("listings/_card.html", language, kind=kind, hole=marks)
    return html.replace("%", "%%").replace("\ue000", "%(").replace("\ue001", ")s")


def _told(lot: SeenLot, first_line: int, language: str) -> dict[str, Any]:
    return {"lot": lot, "first_line": first_line, "names": names_in(language), "terms": _terms(language)}


@lru_cache(maxsize=512)
def _body(lot: SeenLot, first_line: int, language: str, zone: str, may_offer: bool) -> Markup:
    """A lot as every rival reads it, as long as nothing of it changes: the lot itself is the key."""
    html = fragment("listings/_lot.html", language, zone=zone, may_offer=may_offer, **_told(lot, first_line, language))
    return Markup(html)  # noqa: S704  rendered, and escaped, by Jinja


@lru_cache(maxsize=8192)
def _card(card: LotCard, language: str) -> Markup:
    names = names_in(language)
    pattern = _pattern(
        language, card.photo is not None, card.mine, bool(card.discount), card.units_to is None, card.threshold
    )
    html = pattern % {
        "photo": card.photo,
        "category": escape(names["category"][card.category]),
        "tone": card.grade.lower(),
        "grade": card.grade,
        "id": card.id,
        "title": escape(card.title),
        "low": number(card.units_from, language),
        "high": number(card.units_to or 0, language),
        "country": escape(names["country"].get(card.country, card.country)),
        "seller": escape(card.seller),
        "price": escape(money(card.unit_ask, language)),
        "discount": percent((card.discount or 0) / 100, language),
    }
    return Markup(html)  # noqa: S704  every word of a person's is escaped above


def _amount(text: str, currency: str) -> Money | None:
    try:
        amount = Money.parse(text, currency)
    except NotAnAmount:
        return None
    return amount if amount.minor >= 0 else None
