"""Units taken out of a lot: never more than there are.

Each function joins the caller's transaction, under the lot's row lock; the CHECKs ``never_oversold`` of the lot and of
each line stand behind it. A reservation carries the id of the agreement (negotiation) it serves, so each of these may
run twice without doing anything twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from exchange.clock import now
from exchange.database import execute, fetchrow, transaction
from exchange.errors import NotSeen
from exchange.listings.rules.lots import LotState, NotForSale, StockTaken, ensure_free, spread, state_after


@dataclass(frozen=True, slots=True)
class Reserved:
    """Units of one manifest line that an agreement holds."""

    line_id: UUID
    quantity: int


async def reserve(
    *, lot_id: UUID, quantity: int, agreement_id: UUID, lines: Mapping[UUID, int] | None = None
) -> list[Reserved]:
    """Take ``quantity`` units of an open lot for an agreement; without ``lines``, from every line in proportion.

    The caller holds the lot's row since before he read it: the lot is locked here too, but its lines are read as they
    were when this statement began. Asked again for the same agreement, answers the same and takes nothing more. Whether
    the quantity fits the terms was settled when it was offered; now only the stock decides. Raises NotSeen, NotForSale,
    StockTaken.
    """
    async with transaction():
        lot = await fetchrow(_LOT_WITH_LINES, lot_id, agreement_id)
        if lot is None:
            raise NotSeen
        if lot["made"]:
            return [Reserved(line, units) for line, units in zip(lot["made"], lot["units"], strict=True)]
        if not LotState(lot["state"]).is_for_sale or lot["expires_at"] <= now():
            raise NotForSale
        if quantity > (left := lot["quantity"] - lot["reserved"] - lot["sold"]):
            raise StockTaken(field="quantity", left=left)
        free = dict(zip(lot["lines"], lot["free"], strict=True))
        if lines is None:
            lines = spread(quantity, list(free.items()))
        ensure_free(lines, free)
        if sum(lines.values()) != quantity:
            raise ValueError("the lines do not add up to the quantity")
        await execute(_RESERVE, agreement_id, lot_id, quantity, now(), list(lines), list(lines.values()))
        return [Reserved(line, units) for line, units in lines.items()]


_LOT_WITH_LINES = """
    select l.state, l.quantity, l.reserved, l.sold, l.expires_at, m.lines, m.free, r.made, r.units
    from lot l, lateral (
        select array_agg(id order by position) as lines, array_agg(quantity - reserved - sold order by position) as free
        from manifest_line where lot_id = l.id
    ) m, lateral (
        select array_agg(t.line_id order by n.position) as made, array_agg(t.quantity order by n.position) as units
        from reservation_line t join manifest_line n on n.id = t.line_id where t.reservation_id = $2
    ) r
    where l.id = $1 for no key update of l
"""
_RESERVE = """
    with made as (insert into reservation (id, lot_id, quantity, state, made_at) values ($1, $2, $3, 'held', $4)),
    taken as (select * from unnest($5::uuid[], $6::int[]) as t(id, units)),
    itemised as (insert into reservation_line (reservation_id, line_id, quantity) select $1, id, units from taken),
    counted as (update manifest_line m set reserved = m.reserved + taken.units from taken where m.id = taken.id)
    update lot set reserved = reserved + $3 where id = $2
"""


async def release_reservation(*, agreement_id: UUID) -> bool:
    """Put the units of an agreement that came to nothing back on sale. False when there was nothing left to release."""
    async with transaction():
        held = await _lock(agreement_id)
        if held is None:
            return False
        await _move(agreement_id, held["lot_id"], held["quantity"], to_sold=False)
        return True


async def mark_sold(*, agreement_id: UUID) -> bool:
    """Turn an agreement's units from reserved to sold, for good. False when it was done before or was released."""
    async with transaction():
        held = await _lock(agreement_id)
        if held is None:
            return False
        await _move(agreement_id, held["lot_id"], held["quantity"], to_sold=True)
        return True


async def _lock(agreement_id: UUID) -> Any:
    """The held reservation, its lot locked first (the one order of locks everywhere)."""
    lot_id = await fetchrow("select lot_id from reservation where id = $1", agreement_id)
    if lot_id is None:
        return None
    await execute("select from lot where id = $1 for no key update", lot_id["lot_id"])
    return await fetchrow("select lot_id, quantity from reservation where id = $1 and state = 'held'", agreement_id)


async def _move(agreement_id: UUID, lot_id: UUID, quantity: int, *, to_sold: bool) -> None:
    await execute(
        "update reservation set state = $2, ended_at = $3 where id = $1",
        agreement_id, "sold" if to_sold else "released", now(),
    )  # fmt: skip
    await execute(
        "update manifest_line m set reserved = m.reserved - r.quantity,"
        " sold = m.sold + case when $2 then r.quantity else 0 end"
        " from reservation_line r where r.reservation_id = $1 and m.id = r.line_id",
        agreement_id, to_sold,
    )  # fmt: skip
    lot = await fetchrow(
        "update lot set reserved = reserved - $2, sold = sold + case when $3 then $2 else 0 end where id = $1"
        " returning state, quantity, sold",
        lot_id, quantity, to_sold,
    )  # fmt: skip
    if lot is not None:
        state = state_after(LotState(lot["state"]), quantity=lot["quantity"], sold=lot["sold"])
        closed = now() if state is LotState.CLEARED else None
        await execute(
            "update lot set state = $2, closed_at = coalesce($3, closed_at) where id = $1", lot_id, state, closed
        )
