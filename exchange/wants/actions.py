"""Say what one looks for, close it, find what meets it, tell of it."""

from typing import Any
from uuid import UUID, uuid4

from exchange.actor import Actor
from exchange.clock import now
from exchange.companies.actions.mail import comes_now, letter, may_be_written_to_at, notify
from exchange.companies.queries import correspondent
from exchange.companies.rules import MailKind
from exchange.database import execute, fetch, transaction
from exchange.errors import NotSeen
from exchange.jobs import enqueue
from exchange.journal.actions import record
from exchange.wants.queries import count_untold, open_wants, untold_matches, want_seen_by
from exchange.wants.rules import MOST_OPEN, TooManyWants, WantClosed, Wanted, ensure_sound


async def open_want(*, wanted: Wanted, currency: str, by: Actor) -> UUID:
    """A company says what it knows how to sell; lots already for sale are matched at once. Returns the want."""
    if by.company_id is None:
        raise NotSeen
    at = now()
    ensure_sound(wanted, at)
    async with transaction():
        await execute("select from company where id = $1 for no key update", by.company_id)  # its wants are counted
        if await open_wants(by) >= MOST_OPEN:
            raise TooManyWants(most=MOST_OPEN)
        want_id = uuid4()
        await execute(
            "insert into want (id, company_id, person_id, category, brand, gtins, worst_grade, quantity_min, "
            "quantity_max, ceiling_minor, currency, regions, incoterms, created_at, expires_at) "
            "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
            want_id,
            by.company_id,
            by.person_id,
            wanted.category,
            wanted.brand.strip(),
            list(wanted.gtins),
            wanted.worst_grade.value,
            wanted.quantity_min,
            wanted.quantity_max,
            wanted.ceiling.minor if wanted.ceiling else None,
            wanted.ceiling.currency if wanted.ceiling else currency,
            list(wanted.regions),
            [i.value for i in wanted.incoterms],
            at,
            wanted.expires_at,
        )
        await _match(want_id=want_id)
        # the person sees these on the page that follows: no mail for them
        await execute("update want_match set told_at = $2 where want_id = $1", want_id, at)
        await record(by, "want.opened", want_id)
        return want_id


async def close_want(*, want_id: UUID, by: Actor) -> None:
    """The company no longer looks for it."""
    async with transaction():
        want = await want_seen_by(by, want_id, lock=True)
        if not want.is_open(now()):
            raise WantClosed
        await execute("update want set closed_at = $2 where id = $1", want_id, now())
        await record(by, "want.closed", want_id)
        await enqueue("want.closed", want_id)  # what it asked sellers for ends


async def match_lot(*, lot_id: UUID) -> None:
    """Find the open wants a new lot meets; whose they are hears of it with the day's summary, or as they chose."""
    async with transaction():
        for person_id in sorted(await _match(lot_id=lot_id)):
            if await comes_now(person_id, "want_matches", person_id):
                await enqueue("wants.matched", person_id)


async def tell_of_matches(*, person_id: UUID) -> None:
    """Write to a person of everything found since they were last told, once, as it stands in their working hours.

    Several such jobs may run side by side: what the first tells of, the others do not find any more.
    """
    async with transaction():
        await correspondent(person_id, lock=True)
        if not await comes_now(person_id, "want_matches", person_id):
            return
        if (at := await may_be_written_to_at(person_id)) > now():
            await enqueue("wants.matched", person_id, at=at)
        elif found := await _found_for(person_id, person_id):
            await notify(person_id, "want_matches", **found)


@letter("want_matches", MailKind.WANTS)
async def _found_for(_: UUID, person_id: UUID) -> dict[str, Any] | None:
    """What was found and can still be bought, from now on told; the rest is told next time, and counted now."""
    to = (await correspondent(person_id)).to
    found = await untold_matches(person_id, to.language)
    if not found:
        return None
    await execute(
        "update want_match set told_at = $3 where told_at is null and (want_id, lot_id) in "
        "(select * from unnest($1::uuid[], $2::uuid[]))",
        [m.want_id for m in found],
        [m.lot_id for m in found],
        now(),
    )
    return {"found": found, "more": await count_untold(person_id)}


async def _match(*, want_id: UUID | None = None, lot_id: UUID | None = None) -> set[UUID]:
    """Write the matches of one want or of one lot; returns the persons whose wants they are.

    By bar code, else by brand, else by category where the want names neither code nor brand: each way has its index, so
    that a want costs what it finds, not what is for sale. Hidden lots, the company's own and its group's never match.
    The ceiling is left out here: an ask may come down.
    """
    want, lot = ("w.id = $1", "true") if lot_id is None else ("true", "l.id = $1")
    rows = await fetch(
        f"""
        insert into want_match (id, want_id, lot_id, closeness, found_at)
        select gen_random_uuid(), w.id, l.id, near.closeness, $2
        from want w
        join company b on b.id = w.company_id
        cross join lateral (
            select distinct on (lot_id) lot_id, closeness
            from (
                select l.id as lot_id, 1 as rank, 'gtin' as closeness
                from manifest_line m join lot l on l.id = m.lot_id where m.gtin = any(w.gtins) and {lot}
                union all
                select l.id, 2, 'brand' from lot l
                where w.brand <> '' and fold_each(l.brands::text[]) @> fold_each(array[w.brand]::text[])
                and l.state in ('open', 'part_sold')
                and (w.category is null or w.category = l.category) and {lot}
                union all
                select l.id, 3, 'category' from lot l
                where w.brand = '' and cardinality(w.gtins) = 0 and w.category = l.category
                and l.state in ('open', 'part_sold') and {lot}
            ) ways
            order by lot_id, rank
        ) near
        join lot l on l.id = near.lot_id
        join company s on s.id = l.company_id
        where {want} and w.closed_at is null and w.expires_at > $2
        and l.state in ('open', 'part_sold') and l.expires_at > $2
        and b.vetting = 'vetted' and s.vetting = 'vetted' and b.legal_group_id <> s.legal_group_id
        and l.grade <= w.worst_grade and l.quantity - l.reserved - l.sold >= w.quantity_min
        and (w.quantity_max is null or l.partial or l.quantity <= w.quantity_max)
        and (l.minimum <= coalesce(w.quantity_max, l.minimum))
        and (cardinality(w.regions) = 0 or l.region = any(w.regions))
        and (cardinality(w.incoterms) = 0 or l.incoterm = any(w.incoterms))
        and not exists (select from company_block k where k.company_id = l.company_id and k.rival_id = w.company_id)
        and not exists (select from lot_block k where k.lot_id = l.id and k.company_id = w.company_id)
        on conflict (want_id, lot_id) do nothing
        returning (select person_id from want where id = want_id) as person_id
        """,  # noqa: S608 - fixed conditions
        want_id or lot_id,
        now(),
    )
    return {r["person_id"] for r in rows}
