"""A seller orders part of its money to go to others; a deal freezes the order that stood when it was agreed."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from exchange.actor import Actor
from exchange.clock import now
from exchange.companies.actions.mail import notify_company
from exchange.database import execute, fetchval, transaction
from exchange.errors import N_, Invalid, NotSeen
from exchange.journal.actions import record
from exchange.money import Money
from exchange.settings import settings
from exchange.settlement.queries.receivers import lot_for_order, order_at, receiver_named
from exchange.settlement.rules.receivers import Part, ensure_order, shares


class UnknownReceiver(Invalid):
    """The same answer for a wrong code and for a company that gave none: nobody learns who is a member."""

    message = N_("Nobody has this code. Ask the receiver for the code on its page “My money”.")


async def add_receiver(
    *, by: Actor, lot_id: UUID | None, receiver: str, share_bp: int | None, fixed: Money | None
) -> None:
    """One more receiver in the order for a lot, or for all lots: an association's id, or a code a partner gave.

    The receiver is written to the first time this seller names it, never again.
    Raises NotSeen, UnknownReceiver, and what an order may not say.
    """
    async with transaction():
        company_id = await _locked(by, lot_id)
        named = await receiver_named(receiver)
        if named is None:
            raise UnknownReceiver(field="receiver")
        parts = [*(await order_at(company_id, lot_id, now())).parts, Part(named, share_bp, fixed)]
        ensure_order(parts, seller=company_id, for_all_lots=lot_id is None)
        told = await fetchval(
            "select exists (select from payout_part p join payout_order o on o.id = p.order_id "
            "where o.company_id = $1 and p.company_id = $2)",
            company_id,
            named,
        )
        await _save(by, company_id, lot_id, parts)
        if not told:
            await notify_company(
                named, "receiver_named", seller=await _name(company_id), url=f"{settings().base_url}/money"
            )


async def take_out_receiver(*, by: Actor, lot_id: UUID | None, receiver_id: UUID) -> None:
    """One receiver less in the order for a lot, or for all lots. Raises NotSeen."""
    async with transaction():
        company_id = await _locked(by, lot_id)
        parts = (await order_at(company_id, lot_id, now())).parts
        left = [part for part in parts if part.company_id != receiver_id]
        if len(left) == len(parts):
            raise NotSeen
        await _save(by, company_id, lot_id, left)


async def make_code(*, by: Actor) -> None:
    """The code with which others may name the actor's company as a receiver; a new one ends the old one."""
    if by.company_id is None:
        raise NotSeen
    async with transaction():
        letters = [secrets.choice("ABCDEFGHJKLMNPQRSTUVWXYZ23456789") for _ in range(12)]
        await execute(
            "insert into receiving_code (id, company_id, code, made_at) values ($1, $2, $3, $4) "
            "on conflict (company_id) do update set code = excluded.code, made_at = excluded.made_at",
            uuid4(),
            by.company_id,
            "-".join("".join(letters[i : i + 4]) for i in (0, 4, 8)),
            now(),
        )
        await record(by, "receiving_code.made", by.company_id)


async def freeze_legs(deal_id: UUID, lot_id: UUID, seller: UUID, currency: str, agreed_at: datetime) -> None:
    """Give every receiver its right to the deal's money, by the order that stood when it was agreed."""
    parts = (await order_at(seller, lot_id, agreed_at)).parts
    to = [seller, *(part.company_id for part in parts)]
    for rank, (company_id, share) in enumerate(zip(to, shares(parts), strict=True)):
        await execute(
            "insert into release_leg (id, deal_id, lot_id, company_id, rank, weight, fixed_minor, currency, state) "
            "values ($1, $2, $3, $4, $5, $6, $7, $8, 'planned')",
            uuid4(),
            deal_id,
            lot_id,
            company_id,
            rank,
            share.weight,
            share.fixed_minor,
            currency,
        )


async def _locked(by: Actor, lot_id: UUID | None) -> UUID:
    """The actor's company, its row locked: two orders at once would each forget the other's receiver."""
    if by.company_id is None:
        raise NotSeen
    await execute("select from company where id = $1 for no key update", by.company_id)
    if lot_id is not None:
        await lot_for_order(by, lot_id)
    return by.company_id


async def _save(by: Actor, company_id: UUID, lot_id: UUID | None, parts: Sequence[Part]) -> None:
    order_id = uuid4()
    await execute(
        "insert into payout_order (id, company_id, lot_id, made_at, made_by) values ($1, $2, $3, $4, $5)",
        order_id,
        company_id,
        lot_id,
        now(),
        by.person_id,
    )
    for rank, part in enumerate(parts):
        await execute(
            "insert into payout_part (id, order_id, rank, company_id, share_bp, fixed_minor, currency) "
            "values ($1, $2, $3, $4, $5, $6, $7)",
            uuid4(),
            order_id,
            rank,
            part.company_id,
            part.share_bp,
            part.fixed.minor if part.fixed else None,
            part.fixed.currency if part.fixed else None,
        )
    await record(by, "payout_order.made", lot_id or company_id)


async def _name(company_id: UUID) -> str:
    return str(await fetchval("select trading_name from company where id = $1", company_id))
