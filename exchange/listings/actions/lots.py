"""What a seller does with lots: publish, change, withdraw, hide; and what the clock does: let them expire."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from exchange.actor import Actor
from exchange.clock import now
from exchange.contact_details import ensure_no_contact_details
from exchange.database import execute, fetch, fetchrow, transaction
from exchange.errors import DomainError, NotAllowed, NotSeen, Several
from exchange.jobs import enqueue
from exchange.journal.actions import record
from exchange.listings.actions.blocks import hide_lot
from exchange.listings.rules import grades
from exchange.listings.rules.articles import (
    Article,
    NothingToSell,
    Price,
    line_ask,
    quantity_of,
    retail_of,
    searched_words,
    weight_of,
)
from exchange.listings.rules.categories import BY_SLUG, REGIONS
from exchange.listings.rules.lots import (
    CostAnswer,
    CostNotAnswered,
    LotInTalks,
    LotState,
    NotForSale,
    OriginNotDeclared,
    Terms,
    ThresholdDatedOtherwise,
    TitleMissing,
    UnknownChoice,
    brands_of,
    check_terms,
)
from exchange.listings.rules.thresholds import ThresholdState


@dataclass(frozen=True, slots=True)
class NewLot:
    """What is to be published."""

    title: str
    category: str
    region: str
    articles: Sequence[Article]
    price: Price
    terms: Terms
    cost_answer: CostAnswer | None
    origin_declared: bool
    hidden_from: Sequence[str] = ()
    """Rivals as the seller writes them: a register number, a VAT number or a name."""


async def publish_lot(*, by: Actor, lot: NewLot, stock_list_id: UUID | None = None) -> UUID:
    """Put a lot on sale. Raises Several with every reason against it, ContactDetails, NotAllowed."""
    if by.company_id is None:
        raise NotAllowed
    quantity = quantity_of(lot.articles)
    if not quantity:
        raise NothingToSell(field="articles")
    async with transaction():
        seller = await fetchrow(
            "select legal_name, trading_name, country from company where id = $1 and vetting = 'vetted'", by.company_id
        )
        if seller is None:
            raise NotAllowed
        faults: list[DomainError] = [*check_terms(lot.terms, quantity, now())]
        title = " ".join(lot.title.split())
        if not 3 <= len(title) <= 140:
            faults.append(TitleMissing(field="title"))
        if lot.category not in BY_SLUG:
            faults.append(UnknownChoice(field="category", value=lot.category))
        if lot.region not in REGIONS:
            faults.append(UnknownChoice(field="region", value=lot.region))
        if not lot.origin_declared:
            faults.append(OriginNotDeclared(field="origin_declared"))
        if lot.cost_answer is None:
            faults.append(CostNotAnswered(field="cost_answer"))
        if faults:
            raise faults[0] if len(faults) == 1 else Several(faults)
        names = (seller["legal_name"], seller["trading_name"])
        ensure_no_contact_details(title, names=names, field="title")
        _ensure_lines_name_nobody(lot.articles, names)
        lot_id = uuid4()
        await _insert(lot_id, by, seller["country"], title, lot, stock_list_id)
        await _insert_lines(lot_id, lot)
        await state_cost(by=by, lot_id=lot_id, answer=lot.cost_answer, occasion="publication")  # type: ignore[arg-type]  # checked above
        for written in lot.hidden_from:
            await hide_lot(by=by, lot_id=lot_id, written=written)
        await record(by, "lot.published", lot_id, units=quantity)
        await enqueue("lot.published", lot_id)
        return lot_id


async def change_lot(
    *,
    by: Actor,
    lot_id: UUID,
    title: str | None = None,
    terms: Terms | None = None,
    cost_answer: CostAnswer | None = None,
) -> None:
    """Change a lot's title or terms; talks under way keep the copy they began with (domain guide §6.1).

    A new price or automatic acceptance needs a new answer on the purchase price. A threshold never changes, nor does
    the end of the sale while it is open: ThresholdDatedOtherwise.
    """
    async with transaction():
        lot = await _own_lot(by, lot_id)
        if not LotState(lot["state"]).is_for_sale:
            raise NotForSale
        if title is not None:
            title = " ".join(title.split())
            if not 3 <= len(title) <= 140:
                raise TitleMissing(field="title")
            ensure_no_contact_details(title, names=(lot["legal_name"], lot["trading_name"]), field="title")
            await execute("update lot set title = $2 where id = $1", lot_id, title)
        if terms is not None:
            if lot["threshold_state"] == ThresholdState.OPEN:
                if terms.expires_at.date() != lot["expires_at"].date():
                    raise ThresholdDatedOtherwise(field="expires_on")
                terms = replace(terms, threshold=lot["threshold"], expires_at=lot["expires_at"])
            faults: list[DomainError] = [*check_terms(terms, lot["quantity"], now())]
            cheaper = terms.unit_ask.minor < lot["unit_ask_minor"]
            automatic = terms.auto_accept is not None and terms.auto_accept.minor != lot["auto_accept_minor"]
            if (cheaper or automatic) and cost_answer is None:
                faults.append(CostNotAnswered(field="cost_answer"))
            if faults:
                raise faults[0] if len(faults) == 1 else Several(faults)
            await _update_terms(lot_id, lot["quantity"], terms)
            if cost_answer is not None:
                occasion = "auto_accept" if automatic and not cheaper else "price_change"
                await state_cost(by=by, lot_id=lot_id, answer=cost_answer, occasion=occasion)
        await record(by, "lot.changed", lot_id)


async def withdraw_lot(*, by: Actor, lot_id: UUID) -> None:
    """Take what is left off the market. Raises LotInTalks while an agreement holds part of it."""
    async with transaction():
        lot = await _own_lot(by, lot_id)
        if not LotState(lot["state"]).is_for_sale:
            raise NotForSale
        if lot["reserved"]:
            raise LotInTalks
        await _close(lot_id, LotState.WITHDRAWN)
        await record(by, "lot.withdrawn", lot_id)


async def donate_lot(*, by: Actor, lot_id: UUID) -> None:
    """Note that an expired or withdrawn lot was given away (AGEC law, domain guide §3, Unsold goods)."""
    async with transaction():
        lot = await _own_lot(by, lot_id)
        if LotState(lot["state"]) not in {LotState.EXPIRED, LotState.WITHDRAWN}:
            raise NotForSale
        await execute("update lot set state = 'donated' where id = $1", lot_id)
        await record(by, "lot.donated", lot_id)


async def expire_lots() -> int:
    """Close every lot whose time is up and of which nothing is reserved. Returns how many."""
    async with transaction():
        rows = await fetch(
            "select id from lot where state in ('open', 'part_sold') and expires_at <= $1 and reserved = 0"
            " order by id limit 500 for no key update skip locked",
            now(),
        )
        for row in rows:
            await _close(row["id"], LotState.EXPIRED)
            await record(None, "lot.expired", row["id"])
        return len(rows)


async def state_cost(*, by: Actor, lot_id: UUID, answer: CostAnswer, occasion: str) -> None:
    """Keep the seller's dated answer on reselling below cost (L442-5 C.com.).

    ``occasion``: publication, price_change, auto_accept, counter or acceptance. Private to the seller.
    """
    await execute(
        "insert into cost_statement (id, lot_id, person_id, answer, occasion, stated_at)"
        " values ($1, $2, $3, $4, $5, $6)",
        uuid4(), lot_id, by.person_id, answer.value, occasion, now(),
    )  # fmt: skip


async def _own_lot(by: Actor, lot_id: UUID) -> Any:
    lot = await fetchrow(
        "select l.*, c.legal_name, c.trading_name from lot l join company c on c.id = l.company_id"
        " where l.id = $1 and l.company_id = $2 for no key update of l",
        lot_id, by.company_id,
    )  # fmt: skip
    if lot is None:
        raise NotSeen
    return lot


async def _close(lot_id: UUID, state: LotState) -> None:
    await execute("update lot set state = $2, closed_at = $3 where id = $1", lot_id, state.value, now())
    await enqueue("lot.closed", lot_id)


async def _insert(lot_id: UUID, by: Actor, country: str, title: str, lot: NewLot, stock_list_id: UUID | None) -> None:
    terms, quantity = lot.terms, quantity_of(lot.articles)
    row: dict[str, object] = {
        "id": lot_id,
        "company_id": by.company_id,
        "stock_list_id": stock_list_id,
        "person_id": by.person_id,
        "state": LotState.OPEN.value,
        "title": title,
        "category": lot.category,
        "region": lot.region,
        "country": country,
        "brands": brands_of(a.brand for a in lot.articles),
        "grade": grades.lowest(a.grade for a in lot.articles).value,
        "weight_g": weight_of(lot.articles),
        "currency": terms.unit_ask.currency,
        "rrp_minor": retail_of(lot.articles),
        "quantity": quantity,
        "reserved": 0,
        "sold": 0,
        "threshold": terms.threshold,
        "threshold_state": ThresholdState.OPEN.value if terms.threshold else None,
        "origin_declared": True,
        "search_text": searched_words(lot.articles),
        "published_at": now(),
        **_term_columns(terms, quantity),
    }
    names = ", ".join(row)
    places = ", ".join(f"${i}" for i in range(1, len(row) + 1))
    await execute(f"insert into lot ({names}) values ({places})", *row.values())  # noqa: S608  names are ours


async def _update_terms(lot_id: UUID, quantity: int, terms: Terms) -> None:
    row = _term_columns(terms, quantity)
    sets = ", ".join(f"{name} = ${i}" for i, name in enumerate(row, start=2))
    await execute(f"update lot set {sets} where id = $1", lot_id, *row.values())  # noqa: S608  names are ours


def _term_columns(terms: Terms, quantity: int) -> dict[str, str | int | bool | datetime | list[str] | None]:
    return {
        "packing": terms.packing.value,
        "incoterm": terms.incoterm.value,
        "slots": list(terms.slots),
        "unit_ask_minor": terms.unit_ask.minor,
        "ask_minor": terms.unit_ask.minor * quantity,
        "partial": terms.partial,
        "minimum": terms.minimum,
        "multiple": terms.multiple,
        "floor_minor": terms.floor.minor if terms.floor else None,
        "auto_accept_minor": terms.auto_accept.minor if terms.auto_accept else None,
        "authorised_brand": terms.authorised_brand,
        "unmark": terms.unmark,
        "no_warranty": terms.no_warranty,
        "tolerance_bp": terms.tolerance_bp,
        "expires_at": terms.expires_at,
    }


async def _insert_lines(lot_id: UUID, lot: NewLot) -> None:
    columns: list[tuple[object, ...]] = [
        (
            uuid4(), lot_id, position, a.seller_ref, a.gtin, a.title, a.brand, a.model, a.category, a.quantity,
            a.rrp_minor, line_ask(a, lot.price), a.grade.value, a.weight_g,
        )
        for position, a in enumerate(lot.articles, start=1)
    ]  # fmt: skip
    async with transaction() as tx:
        await tx.connection.copy_records_to_table(
            "manifest_line",
            records=columns,
            columns=(
                "id", "lot_id", "position", "seller_ref", "gtin", "title", "brand", "model", "category", "quantity",
                "rrp_minor", "unit_ask_minor", "grade", "weight_g",
            ),
        )  # fmt: skip


_REACHES = re.compile(r"@|www\.|\btel\b|\+\d{2}[ .\-(]?\d|(?<!\d)0\d(?:[ .\-]\d\d){4}(?!\d)")
"""What makes a manifest line worth a closer look; bare figures are article numbers there."""


def _ensure_lines_name_nobody(articles: Sequence[Article], names: Sequence[str]) -> None:
    """Raises ContactDetails when a line's title would tell whose stock it is."""
    own = [name.casefold() for name in names if len(name) >= 4]
    for article in articles:
        folded = article.title.casefold()
        if any(name in folded for name in own) or _REACHES.search(folded):
            ensure_no_contact_details(article.title, names=names, field="articles")
