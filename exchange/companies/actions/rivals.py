"""Whom a company hides from. The owner writes; who that is, if a member at all, only the database knows."""

from collections import defaultdict
from datetime import timedelta
from uuid import UUID, uuid4

from exchange.actor import Actor
from exchange.clock import now
from exchange.companies.queries import company_of
from exchange.companies.rules import UnknownCountry, Vetting, countries, fold_name, rival_key
from exchange.database import execute, fetch, fetchval, transaction
from exchange.errors import N_, Invalid, NotSeen
from exchange.journal.actions import record
from exchange.web import limits


class OwnCompany(Invalid):
    message = N_("This is your own company.")


async def hide_from(*, by: Actor, rival: str, country: str) -> None:
    """Hide everything from ``rival``, a number or a full name, member or not, now or later, and from its legal group.

    The answer and the list are the same for members and strangers. Naming twice is no error.
    Raises NobodyNamed, OwnCompany, UnknownCountry, TooMany, and what the number checks raise.
    """
    if country not in countries():
        raise UnknownCountry(field="country", country=country[:40])
    written = " ".join(rival.split())[:200]
    try:
        kind, value = rival_key(written, country)
    except Invalid as refusal:
        refusal.field = "rival"
        raise
    await limits.count(f"hide:{by.company_id}", at_most=100, per=timedelta(days=1))
    async with transaction():
        own = await company_of(by, lock=True)
        own_names = fold_name(own.legal_name), fold_name(own.trading_name)
        if value in (f"{own.country}:{own.registration}", own.vat, *own_names):
            raise OwnCompany(field="rival")
        await execute(
            "insert into named_rival (id, company_id, written, kind, value, created_at) "
            "values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
            uuid4(),
            own.id,
            written,
            kind,
            value,
            now(),
        )
        await resolve_blocks(own.id)
        await record(by, "rival.named", own.id)


async def show_again(*, by: Actor, rival_id: UUID) -> None:
    """Take a name off the list. Raises NotSeen."""
    async with transaction():
        own = await company_of(by, lock=True)
        gone = await fetchval(
            "delete from named_rival where id = $1 and company_id = $2 returning id", rival_id, own.id
        )
        if gone is None:
            raise NotSeen
        await resolve_blocks(own.id)
        await record(by, "rival.unnamed", own.id)


async def resolve_blocks(company_id: UUID | None = None) -> None:
    """Make `company_block` say what the named rivals mean today, for one company or (None) for all.

    A named member's whole legal group is meant: a sister company would be a spyhole. Never one's own group.
    """
    groups: dict[UUID, list[UUID]] = defaultdict(list)
    group_of: dict[UUID, UUID] = {}
    known_by: dict[tuple[str, str], set[UUID]] = defaultdict(set)
    for c in await fetch(
        "select id, legal_group_id, country, registration, vat, legal_name, trading_name, vetting from company"
    ):
        group_of[c["id"]] = c["legal_group_id"]
        if c["vetting"] != Vetting.VETTED:
            continue  # sees nothing yet; resolved anew the day it is vetted
        groups[c["legal_group_id"]].append(c["id"])
        known_by["registration", f"{c['country']}:{c['registration']}"].add(c["legal_group_id"])
        known_by["vat", c["vat"] or ""].add(c["legal_group_id"])
        for name in (c["legal_name"], c["trading_name"]):
            known_by["name", fold_name(name)].add(c["legal_group_id"])
    meant = {
        (n["company_id"], rival)
        for n in await fetch(
            "select company_id, kind, value from named_rival where $1::uuid is null or company_id = $1", company_id
        )
        for group in known_by.get((n["kind"], n["value"]), ())
        if group != group_of[n["company_id"]]
        for rival in groups[group]
    }
    kept = {
        (b["company_id"], b["rival_id"])
        for b in await fetch(
            "select company_id, rival_id from company_block where $1::uuid is null or company_id = $1", company_id
        )
    }
    for company, rival in kept - meant:
        await execute("delete from company_block where company_id = $1 and rival_id = $2", company, rival)
    for company, rival in meant - kept:
        await execute(
            "insert into company_block (id, company_id, rival_id) values ($1, $2, $3) on conflict do nothing",
            uuid4(),
            company,
            rival,
        )
