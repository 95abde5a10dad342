"""The ledger read entry by entry: a statement of one account, and everything for an accountant."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from exchange.database import fetch, fetchval
from exchange.money import Money
from exchange.settlement.rules.books import Account, Fact

CHUNK = 2000
"""Postings read at a time."""


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One entry on an account, with the balance after it."""

    id: int
    at: datetime
    fact: Fact
    deal_id: UUID | None
    label: str | None
    amount: Money
    balance: Money


@dataclass(frozen=True, slots=True)
class Statement:
    """An account in one currency between two instants; opening plus lines is closing."""

    opening: Money
    lines: list[StatementLine]
    closing: Money
    """At the end of the period, whatever page is shown."""


async def statement(
    account: Account, currency: str, since: datetime, until: datetime, *, after: int | None, limit: int
) -> Statement:
    """The entries from ``since`` until before ``until``, oldest first; ``after`` is the last of the page before."""
    totals = await fetch(
        "select coalesce(sum(e.amount_minor) filter (where p.at < $3), 0)::bigint as opening, "
        "coalesce(sum(e.amount_minor), 0)::bigint as closing "
        "from ledger_entry e join ledger_posting p on p.id = e.posting_id "
        "where e.account = $1 and e.currency = $2 and p.at < $4",
        account.value,
        currency,
        since,
        until,
    )
    opening = int(totals[0]["opening"])
    rows = await fetch(
        "select * from (select e.id, p.at, p.fact, e.deal_id, d.label, e.amount_minor, "
        "sum(e.amount_minor) over (order by p.at, e.id)::bigint as running, "
        "row_number() over (order by p.at, e.id) as n from ledger_entry e join ledger_posting p on p.id = e.posting_id "
        "left join deal d on d.id = e.deal_id where e.account = $1 and e.currency = $2 and p.at >= $3 and p.at < $4) x "
        "where n > coalesce((select count(*) from ledger_entry e join ledger_posting p on p.id = e.posting_id "
        "where e.account = $1 and e.currency = $2 and p.at >= $3 and (p.at, e.id) <= "
        "(select q.at, f.id from ledger_entry f join ledger_posting q on q.id = f.posting_id where f.id = $5)), 0) "
        "order by n limit $6",
        account.value,
        currency,
        since,
        until,
        after,
        limit,
    )
    return Statement(
        Money(opening, currency),
        [
            StatementLine(
                row["id"],
                row["at"],
                Fact(row["fact"]),
                row["deal_id"],
                row["label"],
                Money(row["amount_minor"], currency),
                Money(opening + row["running"], currency),
            )
            for row in rows
        ],
        Money(int(totals[0]["closing"]), currency),
    )


async def currencies() -> list[str]:
    """Those the ledger has entries in."""
    return [row["currency"] for row in await fetch("select distinct currency from ledger_entry order by 1")]


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry for an accountant; ``number`` is its posting's, counted without a gap from the first of the ledger."""

    number: int
    at: datetime
    fact: Fact
    reference: str
    deal_id: UUID | None
    label: str | None
    account: Account
    amount: Money


async def entries(since: datetime, until: datetime) -> AsyncIterator[list[Entry]]:
    """Every entry from ``since`` until before ``until``, by posting, in pieces: a year is too long for the memory.

    Postings of one instant stand in the order in which they can happen, and have the same number whatever the period.
    """
    number: int = await fetchval("select count(*) from ledger_posting where at < $1", since)
    at, place, last = since, 0, UUID(int=0)
    while True:
        rows = await fetch(
            "select p.id, p.at, p.place, p.fact, p.reference, p.deal_id, d.label, e.account, e.currency, "
            "e.amount_minor from (select * from (select *, array_position($6::text[], fact::text) as place "
            "from ledger_posting where at >= $1 and at < $4) x where (at, place, id) > ($1, $2::int, $3::uuid) "
            "order by at, place, id limit $5) p "
            "join ledger_entry e on e.posting_id = p.id left join deal d on d.id = p.deal_id "
            "order by p.at, p.place, p.id, e.id",
            at,
            place,
            last,
            until,
            CHUNK,
            list(Fact),
        )
        if not rows:
            return
        found = []
        for row in rows:
            if row["id"] != last:
                number, at, place, last = number + 1, row["at"], row["place"], row["id"]
            found.append(
                Entry(
                    number,
                    row["at"],
                    Fact(row["fact"]),
                    row["reference"],
                    row["deal_id"],
                    row["label"],
                    Account(row["account"]),
                    Money(row["amount_minor"], row["currency"]),
                )
            )
        yield found
