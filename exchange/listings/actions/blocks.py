"""Hiding one lot from chosen rivals. The seller writes a name; who that is, if anybody, only the database knows."""

from collections import defaultdict
from uuid import UUID, uuid4

from exchange.actor import Actor
from exchange.companies.rules import fold_name, rival_key
from exchange.database import execute, fetch, fetchrow, transaction
from exchange.errors import Invalid, NotSeen
from exchange.journal.actions import record


async def hide_lot(*, by: Actor, lot_id: UUID, written: str) -> None:
    """Hide the lot from a rival, a number or a full name, member or not, now or later, and from his legal group.

    The answer is the same for members and strangers. Raises NotSeen, NobodyNamed and what the number checks raise.
    """
    async with transaction():
        own = await fetchrow(
            "select c.country from lot l join company c on c.id = l.company_id where l.id = $1 and l.company_id = $2",
            lot_id, by.company_id,
        )  # fmt: skip
        if own is None:
            raise NotSeen
        text = " ".join(written.split())[:200]
        try:
            kind, value = rival_key(text, own["country"])
        except Invalid as refusal:
            refusal.field = "hidden_from"
            raise
        await execute(
            "insert into lot_rival (id, lot_id, written, kind, value) values ($1, $2, $3, $4, $5)"
            " on conflict do nothing",
            uuid4(), lot_id, text, kind, value,
        )  # fmt: skip
        await resolve_lot_blocks(lot_id)
        await record(by, "lot.hidden", lot_id)


async def show_lot_again(*, by: Actor, lot_id: UUID, rival_id: UUID) -> None:
    """Take a name off the lot's list. Raises NotSeen."""
    async with transaction():
        gone = await fetchrow(
            "delete from lot_rival r using lot l where r.id = $1 and r.lot_id = $2 and l.id = r.lot_id"
            " and l.company_id = $3 returning r.id",
            rival_id, lot_id, by.company_id,
        )  # fmt: skip
        if gone is None:
            raise NotSeen
        await resolve_lot_blocks(lot_id)
        await record(by, "lot.shown", lot_id)


async def resolve_lot_blocks(lot_id: UUID | None = None) -> None:
    """Make `lot_block` say what the names written mean today, for one lot or (None) for all on sale.

    A named member's whole legal group is meant, as in companies: a sister company would be a spyhole.
    """
    async with transaction():
        named = await fetch(
            "select r.lot_id, r.kind, r.value, c.legal_group_id from lot_rival r join lot l on l.id = r.lot_id"
            " join company c on c.id = l.company_id where case when $1::uuid is null"
            " then l.state in ('open', 'part_sold') else l.id = $1 end",
            lot_id,
        )
        if not named and lot_id is None:
            return
        groups: dict[UUID, list[UUID]] = defaultdict(list)
        known_by: dict[tuple[str, str], set[UUID]] = defaultdict(set)
        for c in await fetch(
            "select id, legal_group_id, country, registration, vat, legal_name, trading_name from company"
            " where vetting = 'vetted'"
        ):
            group = c["legal_group_id"]
            groups[group].append(c["id"])
            known_by["registration", f"{c['country']}:{c['registration']}"].add(group)
            known_by["vat", c["vat"] or ""].add(group)
            for name in (c["legal_name"], c["trading_name"]):
                known_by["name", fold_name(name)].add(group)
        meant = {
            (row["lot_id"], company)
            for row in named
            for group in known_by.get((row["kind"], row["value"]), ())
            if group != row["legal_group_id"]
            for company in groups[group]
        }
        lots = [lot_id] if lot_id else list({row["lot_id"] for row in named})
        kept = {
            (b["lot_id"], b["company_id"])
            for b in await fetch("select lot_id, company_id from lot_block where lot_id = any($1::uuid[])", lots)
        }
        for lot, company in kept - meant:
            await execute("delete from lot_block where lot_id = $1 and company_id = $2", lot, company)
        for lot, company in meant - kept:
            await execute(
                "insert into lot_block (id, lot_id, company_id) values ($1, $2, $3) on conflict do nothing",
                uuid4(), lot, company,
            )  # fmt: skip
