"""Lots as their seller sees them, and as everybody else does: masked, without what would name the seller.

The hot reads (browse, search, one lot) are one SQL text each. Whom the seller hides from is decided in the SQL: a
hidden lot is simply not there.
"""

import json
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from exchange.actor import Actor
from exchange.clock import now
from exchange.companies.rules import pseudonym
from exchange.database import fetch_copy, fetchrow
from exchange.errors import NotSeen
from exchange.listings.queries.thresholds import threshold_in
from exchange.listings.rules import codes
from exchange.listings.rules.categories import CATEGORIES
from exchange.listings.rules.lots import LotState, quantity_band
from exchange.listings.rules.thresholds import Threshold, ThresholdState, told
from exchange.money import Money
from exchange.settings import settings

PAGE = 24
LINES = 50
NEAR = 400
"""How many of the latest lots a search looks through before it fetches all matches by the index."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the visitor looks for; empty fields do not narrow."""

    text: str = ""
    category: str = ""
    sector: str = ""
    grade: str = ""
    country: str = ""
    region: str = ""
    price_from: Money | None = None
    price_to: Money | None = None
    discount: int | None = None
    """At least so many per cent below retail."""

    @property
    def gtin(self) -> str | None:
        return codes.gtin14(self.text)

    @property
    def narrows(self) -> bool:
        return self != Wanted()


@dataclass(frozen=True, slots=True)
class LotCard:
    """A lot in a list. Bands and weeks: what stands here must not make a listing unique (insight guide T9)."""

    id: UUID
    title: str
    category: str
    grade: str
    country: str
    region: str
    brands: tuple[str, ...]
    units_from: int
    units_to: int | None
    unit_ask: Money
    discount: int | None
    partial: bool
    threshold: ThresholdState | None
    """Set when the lot is sold only if enough of it is paid."""
    week: date
    photo: UUID | None
    mine: bool
    seller: str


@dataclass(frozen=True, slots=True)
class SeenLine:
    """One line of a manifest. ``seller_ref`` is filled for the seller alone."""

    id: UUID
    position: int
    gtin: str | None
    title: str
    brand: str
    model: str
    quantity: int
    left: int
    rrp: Money | None
    unit_ask: Money | None
    grade: str
    seller_ref: str


@dataclass(frozen=True, slots=True)
class Private:
    """What only the seller sees of a lot."""

    floor: Money | None
    auto_accept: Money | None
    reserved: int
    sold: int
    stock_list_id: UUID | None
    published_at: datetime
    cost_answer: str | None
    hidden_from: tuple[tuple[UUID, str], ...]


@dataclass(frozen=True, slots=True)
class SeenLot:
    """One lot with its terms and a page of its manifest."""

    id: UUID
    state: LotState
    mine: bool
    seller: str
    """The pseudonym the seller wears on this lot."""
    title: str
    category: str
    region: str
    country: str
    brands: tuple[str, ...]
    grade: str
    packing: str
    weight_g: int | None
    incoterm: str
    slots: tuple[str, ...]
    unit_ask: Money
    ask: Money
    rrp: Money | None
    discount: int | None
    quantity: int
    left: int
    partial: bool
    minimum: int
    multiple: int
    threshold: Threshold | None
    threshold_paid: int  # exact for the seller, in steps for everybody else
    authorised_brand: str
    unmark: bool
    no_warranty: bool
    tolerance_bp: int
    week: date
    expires_at: datetime
    lines_total: int
    lines: tuple[SeenLine, ...]
    next_line: int | None
    photos: tuple[UUID, ...]
    private: Private | None

    @property
    def is_for_sale(self) -> bool:
        return self.state.is_for_sale and self.expires_at > now()


_SEEN = (
    "($1::uuid is null or exists (select from company c where c.id = $1 and c.vetting = 'vetted'))"
    " and l.company_id not in (select b.company_id from company_block b where b.rival_id = $1)"
    " and l.id not in (select b.lot_id from lot_block b where b.company_id = $1)"
    " and l.company_id not in (select c.id from company c where c.vetting <> 'vetted' and c.vetted_at is not null)"
)
"""What a company ($1; null: the operator) may see of others' lots. Nothing unless vetted: a lot is hidden from one,
and before that a company may be anybody.
"""
_ON_SALE = "l.state in ('open', 'part_sold')"
_FOR_SALE = f"{_ON_SALE} and l.expires_at > $2"
_CARD = (
    "l.id, l.company_id, l.title, l.category, l.grade, l.country, l.region, l.brands,"
    " l.quantity - l.reserved - l.sold as units, l.unit_ask_minor, l.currency, l.discount, l.partial, l.week,"
    " l.threshold_state"
)
_WHOLE = (
    "l.id, l.company_id, l.stock_list_id, l.state, l.title, l.category, l.region, l.country, l.brands, l.grade,"
    " l.packing, l.weight_g, l.incoterm, l.slots, l.currency, l.unit_ask_minor, l.ask_minor, l.rrp_minor, l.discount,"
    " l.quantity, l.reserved, l.sold, l.partial, l.minimum, l.multiple, l.threshold, l.threshold_state,"
    " l.threshold_paid, l.floor_minor, l.auto_accept_minor, l.authorised_brand, l.unmark, l.no_warranty,"
    " l.tolerance_bp, l.week, l.published_at, l.expires_at"
)
"""Every column but those the search is made of: they are long."""
_LOT = f"""
select {_WHOLE}, (select count(*) from manifest_line m where m.lot_id = l.id) as lines_total,
  (select coalesce(json_agg(m order by m.position), '[]') from (
    select m.id, m.position, m.gtin, m.title, m.brand, m.model, m.quantity, m.quantity - m.reserved - m.sold as left,
      m.rrp_minor, m.unit_ask_minor, m.grade, case when l.company_id = $1 then m.seller_ref else '' end as seller_ref
    from manifest_line m where m.lot_id = l.id and m.position > $4 order by m.position limit $5) as m) as lines,
  array(select p.id::text from photo p where p.lot_id = l.id order by p.position) as photos,
  case when l.company_id = $1 then
    (select s.answer from cost_statement s where s.lot_id = l.id order by s.stated_at desc limit 1) end as cost_answer,
  case when l.company_id = $1 then
    (select json_agg(json_build_array(r.id, r.written) order by r.written) from lot_rival r where r.lot_id = l.id)
  end as hidden_from
from lot l where l.id = $3 and (l.company_id = $1 or ({_FOR_SALE} and {_SEEN}))"""  # noqa: S608  texts are ours
_PHOTO = "(select p.id from photo p where p.lot_id = l.id order by p.position limit 1) as photo"


async def browse(
    actor: Actor, wanted: Wanted, language: str, *, after: UUID | None = None, limit: int = PAGE
) -> list[LotCard]:
    """A page of the market for this viewer, after the lot ``after``; one row more than ``limit`` tells of a next page.

    Without a text: the latest week first, within a week in random order, so that what one seller published together
    does not stand together. With a text: lots whose title or brand says it, then those with it in their lines, in the
    same order; a mistyped word is taken for the nearest known one.
    """
    args: list[object] = [actor.company_id, now()]
    filters = [_FOR_SALE, _SEEN, *_filters(wanted, args)]
    if wanted.text and wanted.gtin is None:
        sql = _search(filters, wanted, args, after, limit)
    else:
        if wanted.gtin is not None:
            args.append(wanted.gtin)
            filters.append(f"l.id in (select m.lot_id from manifest_line m where m.gtin = ${len(args)})")  # noqa: S608  ours
        if after is not None:
            args.append(after)
            filters.append(f"(l.week, l.id) < (select c.week, c.id from lot c where c.id = ${len(args)})")  # noqa: S608  ours
        args.append(limit + 1)
        sql = (
            f"select {_CARD}, {_PHOTO} from lot l where {' and '.join(filters)}"  # noqa: S608  texts are ours
            f" order by l.week desc, l.id desc limit ${len(args)}"
        )
    viewer = actor.company_id
    secret = settings().secret_key.get_secret_value().encode()
    return [_card(row, viewer, secret, language) for row in await fetch_copy(sql, *args)]


async def lot_seen_by(actor: Actor, lot_id: UUID, language: str, *, after_line: int = 0) -> SeenLot:
    """One's own lot in any state; another's while it is for sale and not hidden from the viewer. Raises NotSeen."""
    row = await fetchrow(_LOT, actor.company_id, now(), lot_id, after_line, LINES + 1)
    if row is None:
        raise NotSeen
    return _lot(row, actor, language)


async def photo_seen_by(actor: Actor, photo_id: UUID, *, thumbnail: bool) -> bytes:
    """The bytes of a photo of a lot the viewer may see. Raises NotSeen."""
    column = "thumbnail" if thumbnail else "content"
    row = await fetchrow(
        f"select p.{column} as bytes from photo p join lot l on l.id = p.lot_id where p.id = $3"  # noqa: S608  ours
        f" and (l.company_id = $1 or ({_FOR_SALE} and {_SEEN}))",
        actor.company_id, now(), photo_id,
    )  # fmt: skip
    if row is None:
        raise NotSeen
    content: bytes = row["bytes"]
    return content


def _filters(wanted: Wanted, args: list[object]) -> list[str]:
    found = []
    for column, value in (
        ("category", wanted.category),
        ("grade", wanted.grade),
        ("country", wanted.country),
        ("region", wanted.region),
    ):
        if value:
            args.append(value)
            found.append(f"l.{column} = ${len(args)}")
    if wanted.sector and not wanted.category:
        args.append([c.slug for c in CATEGORIES if c.sector == wanted.sector])
        found.append(f"l.category = any (${len(args)})")
    for money, sign in ((wanted.price_from, ">="), (wanted.price_to, "<=")):
        if money is not None:
            args.extend((money.currency, money.minor))
            found.append(f"l.currency = ${len(args) - 1} and l.unit_ask_minor {sign} ${len(args)}")
    if wanted.discount is not None:
        args.append(wanted.discount)
        found.append(f"l.discount >= ${len(args)}")
    return found


def _search(filters: list[str], wanted: Wanted, args: list[object], after: UUID | None, limit: int) -> str:
    """Correct each word, match in both languages: lots whose name says it, then those with it in their lines."""
    args.append(" ".join(wanted.text.split())[:120])
    text = len(args)
    args.append(limit + 1)
    page = len(args)
    top = "'infinity'::date, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid"
    start = f"values (true, {top}), (false, {top})"
    if after is not None:
        args.append(after)
        start = (
            "with last as (select searchable(name_of_lot(c.title, c.brands)) @@ (select q from query) as named,"  # noqa: S608  ours
            f" c.week, c.id from lot c where c.id = ${len(args)})"
            f" select * from last union all select false, {top} from last where named"
        )
    return f"""
with query as materialized (
  select plainto_tsquery('french', words) || plainto_tsquery('english', words) as q from (
    select string_agg(coalesce(
      case when length(a.word) < 4 or a.word ~ '[0-9]' or exists (select from search_word s where s.word = a.word)
           then a.word end,
      (select s.word from search_word s where s.word % a.word order by similarity(s.word, a.word) desc, s.word limit 1),
      a.word), ' ' order by a.n) as words
    from regexp_split_to_table(fold(${text}), '[^a-z0-9]+') with ordinality as a(word, n)
    where a.word <> '') as corrected),
start as materialized (
  select s.*,
    case when numnode(q) > 0 then q && quote_literal(word_of_week(least(s.week, latest.week)))::tsquery end as q_of_week
  from ({start}) as s (named, week, id), query,
    (select coalesce(max(l.week), '2000-01-03') as week from lot l where {_ON_SALE}) as latest),
{_latest("named", "l.search_name @@ {q}", "s.named", filters, page)},
{
        _latest(
            "lines",
            "l.search @@ {q} and not l.search_name @@ (select q from query)",
            f"not s.named and (select count(*) from named) < ${page}",
            filters,
            page,
        )
    }
select l.*, {_PHOTO} from (
  select *, true as named from named union all select *, false from lines
  order by named desc, week desc, id desc limit ${page}) as l
order by named desc, week desc, id desc"""  # noqa: S608  ours


def _latest(name: str, matches: str, start: str, filters: list[str], page: int) -> str:
    """The page's matches as the table ``name``, the latest week first, after the row ``start`` s (nothing without one).

    A common word fills the page from the `NEAR` latest lots of the market, most others from their week's lots, which
    the index knows; a word that does not is rare enough to fetch every lot with it. By the index alone, the commonest
    word would cost as much as all lots.
    """
    begin = f"(l.week, l.id) < (select s.week, s.id from start s where {start})"  # noqa: S608  ours
    rest = f"{' and '.join(filters)} order by l.week desc, l.id desc limit ${page}"
    every = matches.format(q="(select q from query)")
    in_week = matches.format(q=f"(select s.q_of_week from start s where {start})")  # noqa: S608  ours

    def unless(filled: str, some: str) -> str:
        return f"""
  select {_CARD} from (
    select * from lot l where (select count(*) from {filled}) < ${page}
      and exists (select from start s where {start}) and {some} offset 0) as l
  where {begin} and {rest}"""  # noqa: S608  ours

    return f"""
{name}_near as materialized (
  select {_CARD} from (
    select * from lot l where {_ON_SALE} and {begin} order by l.week desc, l.id desc limit {NEAR}) as l
  where {every} and {rest}),
{name}_week as materialized ({unless(f"{name}_near", in_week)}),
{name}_late as materialized (
  select * from {name}_near where (select count(*) from {name}_near) = ${page}
  union all select * from {name}_week where (select count(*) from {name}_week) = ${page}),
{name} as materialized (
  select * from {name}_late union all ({unless(f"{name}_late", every)}))"""  # noqa: S608  ours


def _card(row: Any, viewer: UUID | None, secret: bytes, language: str) -> LotCard:
    low, high = quantity_band(row["units"])
    return LotCard(
        id=row["id"],
        title=row["title"],
        category=row["category"],
        grade=row["grade"],
        country=row["country"],
        region=row["region"],
        brands=tuple(row["brands"]),
        units_from=low,
        units_to=high,
        unit_ask=Money(row["unit_ask_minor"], row["currency"]),
        discount=row["discount"],
        partial=row["partial"],
        threshold=ThresholdState(row["threshold_state"]) if row["threshold_state"] else None,
        week=row["week"],
        photo=row["photo"],
        mine=row["company_id"] == viewer,
        seller=pseudonym(secret, row["company_id"], row["id"], language),
    )


def _lot(row: Any, actor: Actor, language: str) -> SeenLot:
    currency = row["currency"]

    def money(minor: int | None) -> Money | None:
        return None if minor is None else Money(minor, currency)

    mine = actor.company_id is not None and row["company_id"] == actor.company_id
    lines = _lines(row["lines"], currency)
    more = len(lines) > LINES
    secret = settings().secret_key.get_secret_value().encode()
    return SeenLot(
        id=row["id"],
        state=LotState(row["state"]),
        mine=mine,
        seller=pseudonym(secret, row["company_id"], row["id"], language),
        title=row["title"],
        category=row["category"],
        region=row["region"],
        country=row["country"],
        brands=tuple(row["brands"]),
        grade=row["grade"],
        packing=row["packing"],
        weight_g=row["weight_g"],
        incoterm=row["incoterm"],
        slots=tuple(row["slots"]),
        unit_ask=Money(row["unit_ask_minor"], currency),
        ask=Money(row["ask_minor"], currency),
        rrp=money(row["rrp_minor"]),
        discount=row["discount"],
        quantity=row["quantity"],
        left=row["quantity"] - row["reserved"] - row["sold"],
        partial=row["partial"],
        minimum=row["minimum"],
        multiple=row["multiple"],
        threshold=threshold_in(row),
        threshold_paid=row["threshold_paid"] if mine else told(row["threshold_paid"], row["threshold"] or 1),
        authorised_brand=row["authorised_brand"],
        unmark=row["unmark"],
        no_warranty=row["no_warranty"],
        tolerance_bp=row["tolerance_bp"],
        week=row["week"],
        expires_at=row["expires_at"],
        lines_total=row["lines_total"],
        lines=lines[:LINES],
        next_line=lines[LINES - 1].position if more else None,
        photos=tuple(UUID(photo) for photo in row["photos"]),
        private=Private(
            floor=money(row["floor_minor"]),
            auto_accept=money(row["auto_accept_minor"]),
            reserved=row["reserved"],
            sold=row["sold"],
            stock_list_id=row["stock_list_id"],
            published_at=row["published_at"],
            cost_answer=row["cost_answer"],
            hidden_from=tuple((UUID(i), written) for i, written in json.loads(row["hidden_from"] or "[]")),
        )
        if mine
        else None,
    )  # fmt: skip


@lru_cache(maxsize=1024)
def _lines(listed: str, currency: str) -> tuple[SeenLine, ...]:
    """Lines as PostgreSQL lists them in JSON, read once: a manifest changes only when something of it is sold."""

    def money(minor: int | None) -> Money | None:
        return None if minor is None else Money(minor, currency)

    return tuple(
        SeenLine(
            id=UUID(m["id"]), position=m["position"], gtin=m["gtin"] and codes.shown(m["gtin"]), title=m["title"],
            brand=m["brand"], model=m["model"], quantity=m["quantity"], left=m["left"], rrp=money(m["rrp_minor"]),
            unit_ask=money(m["unit_ask_minor"]), grade=m["grade"], seller_ref=m["seller_ref"],
        )
        for m in json.loads(listed)
    )  # fmt: skip
