"""Orders of sellers, and who may be named in one."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from exchange.actor import Actor
from exchange.database import fetch, fetchrow, fetchval
from exchange.errors import NotSeen
from exchange.money import Money
from exchange.settlement.rules.receivers import Part


@dataclass(frozen=True, slots=True)
class Receiver:
    """One receiver of an order, as the seller sees it."""

    part: Part
    name: str
    is_cause: bool
    can_receive: bool


@dataclass(frozen=True, slots=True)
class Order:
    """What stands for a lot, or for all lots without an order of their own."""

    own: bool
    """Whether it was made for this very lot, or for all when no lot is asked about."""
    receivers: list[Receiver]

    @property
    def parts(self) -> list[Part]:
        return [receiver.part for receiver in self.receivers]


async def order_at(company_id: UUID, lot_id: UUID | None, at: datetime) -> Order:
    """The order of ``company_id`` that stood at an instant for a lot, or for all lots."""
    order = await fetchrow(
        "select id, lot_id from payout_order where company_id = $1 and (lot_id is null or lot_id = $2) "
        "and made_at <= $3 order by lot_id is null, made_at desc, id limit 1",
        company_id,
        lot_id,
        at,
    )
    if order is None:
        return Order(own=False, receivers=[])
    rows = await fetch(
        "select p.*, c.trading_name, c.is_cause, coalesce(a.status = 'active', false) as can_receive "
        "from payout_part p join company c on c.id = p.company_id "
        "left join payout_account a on a.company_id = p.company_id and a.standing = 'current' "
        "where p.order_id = $1 order by p.rank",
        order["id"],
    )
    return Order(
        own=order["lot_id"] == lot_id,
        receivers=[
            Receiver(
                Part(
                    row["company_id"],
                    row["share_bp"],
                    Money(row["fixed_minor"], row["currency"]) if row["currency"] else None,
                ),
                row["trading_name"],
                row["is_cause"],
                row["can_receive"],
            )
            for row in rows
        ],
    )


async def lot_for_order(actor: Actor, lot_id: UUID) -> tuple[str, str]:
    """The title and the currency of the actor's own lot. Raises NotSeen for anybody else's."""
    row = await fetchrow(
        "select title, currency from lot where id = $1 and company_id = $2",
        lot_id,
        actor.company_id,
    )
    if row is None:
        raise NotSeen
    return row["title"], row["currency"]


async def causes() -> list[tuple[str, str]]:
    """The associations anybody may give to: (id, name)."""
    rows = await fetch("select id, trading_name from company where is_cause and vetting = 'vetted' order by 2")
    return [(str(row["id"]), row["trading_name"]) for row in rows]


async def receiver_named(told: str) -> UUID | None:
    """The company a seller names by an association's id or by the code a partner gave it; None for neither."""
    found = await fetchval(
        "select c.id from company c left join receiving_code r on r.company_id = c.id "
        "where c.vetting = 'vetted' and ((c.is_cause and c.id::text = $1) or r.code = upper($1))",
        told.strip(),
    )
    return UUID(str(found)) if found else None


async def code_of(actor: Actor) -> str | None:
    """The code with which others may name the actor's company as a receiver."""
    code = await fetchval("select code from receiving_code where company_id = $1", actor.company_id)
    return str(code) if code else None
