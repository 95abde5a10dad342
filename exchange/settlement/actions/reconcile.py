"""The three loops that make lost news harmless: events are polled, objects are asked about, books are compared."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from uuid import UUID, uuid4

import asyncpg

from exchange.actor import Actor
from exchange.clock import now
from exchange.database import execute, fetch, fetchrow, fetchval, transaction
from exchange.errors import N_, Conflict
from exchange.jobs import enqueue
from exchange.journal.actions import record
from exchange.money import Money
from exchange.settlement.actions import operations, payments, payouts, sellers
from exchange.settlement.actions.events import take_in
from exchange.settlement.actions.ledger import post
from exchange.settlement.actions.notices import alarm_books, alarm_payout, alarm_stuck
from exchange.settlement.actions.refunds import count_by_hand
from exchange.settlement.queries.deals import any_deal
from exchange.settlement.queries.money import Reconciled, stuck
from exchange.settlement.rules import books
from exchange.settlement.rules.deal import NotYourMove
from exchange.settlement.rules.drift import Difference, Movement, differences
from exchange.settlement.rules.payments import REFUND_IDS
from exchange.settlement.stripe_gateway import Busy, NoAnswer, Refused, gateway

log = logging.getLogger(__name__)


class NothingToExplain(Conflict):
    """The difference has gone, or never was."""

    message = N_("This difference is not in the last comparison. Compare the books again.")


OVERLAP = timedelta(minutes=10)
"""How far before its cursor the event poll begins again: events are not listed in the order they happen."""

STUCK = timedelta(days=1)
"""How long something may go on without an end before a person is told."""

QUIET = timedelta(minutes=2)
"""How long an object may be silent before it is asked about."""

GRACE = timedelta(minutes=5)
"""Movements younger than this may still be on their way into our books."""

LOOK_BACK = timedelta(days=1)
"""How much of what agreed already is compared again: a movement and its posting may lie on two sides of midnight."""


async def poll_events() -> int:
    """Take in every event since the last poll; returns how many were new (money list 10).

    A stream begins anew where it began this time if one of its events could not be taken in.
    """
    new = 0
    for stream, listed in (("snapshot", gateway().events), ("thin", gateway().thin_events)):
        with _guarded(stream, "events"):
            began = now()
            since = await _read_until(stream) - OVERLAP
            failed = 0
            for news in await listed(max(since, began - timedelta(days=29))):
                failed += 1
                with _guarded("event", news.id):
                    new += await take_in(news, "poll")
                    failed -= 1
            if not failed:
                await _note_read(stream, began)
    return new


async def _read_until(stream: str) -> datetime:
    """When the last reading of ``stream`` that was whole began; the first intent of all where none was."""
    seen: datetime | None = await fetchval("select seen_until from stripe_cursor where stream = $1", stream)
    return seen or await _first_intent()


async def _note_read(stream: str, began: datetime) -> None:
    await execute(
        "insert into stripe_cursor (stream, seen_until) values ($1, $2) "
        "on conflict (stream) do update set seen_until = excluded.seen_until",
        stream,
        began,
    )


async def poll_objects() -> None:
    """Ask about everything that should have ended: operations, payments, refunds, accounts, events, clocks.

    One that fails is asked again at the next poll; it hides no other.
    """
    quiet = now() - QUIET
    for subject in await _ids(
        "select id from stripe_operation where state in ('planned', 'sent', 'unknown') and planned_at < $1 "
        "and (tried_at is null or tried_at < $1)",
        quiet,
    ):
        with _guarded("operation", subject):
            await operations.drive(subject)
    for subject in await _ids(
        "select id from payment where (state in ('open', 'processing') or (state = 'paid' and fee_minor is null)) "
        "and created_at < $1 and (checked_at is null or checked_at < $1)",
        quiet,
    ):
        with _guarded("payment", subject):
            await payments.refresh(subject)
    for fact, sql in _OVERDUE.items():
        with _guarded(fact, "sweep"):
            async with transaction():
                for subject in await _ids(sql, quiet):
                    await enqueue(fact, subject, once=f"{fact} {subject}")
    for subject in await _ids(
        "select distinct a.company_id from payout_account a join release_leg l on l.company_id = a.company_id "
        "where a.status not in ('active', 'closed') and l.state = 'parked' "
        "and (a.retrieved_at is null or a.retrieved_at < $1)",
        quiet,
    ):
        with _guarded("account", subject):
            await sellers.look_at_account(subject)


_OVERDUE: Mapping[str, str] = {
    "negotiation.agreed": "select id from negotiation n where state = 'agreed' and agreed_at < $1 "
    "and agreed_at > $1::timestamptz - interval '30 days' "
    "and not exists (select from deal where negotiation_id = n.id)",
    "stripe.event": "select id from stripe_event where handled_at is null and received_at < $1",
    "refund.look": "select id from refund where state in ('pending', 'requires_action') and created_at < $1",
    "cash_return.look": "select id from cash_return where state in ('pending', 'requires_action') and created_at < $1",
    "dispute.look": "select id from dispute where not over and $1::timestamptz is not null",
    "deal.due": "select id from deal where (due_at < $1 or alarm_at < $1 and state <> 'closing') and closed_at is null",
    "deal.release": "select id from deal where state = 'closing' and since < $1 union select d.id from deal d "
    "join release_leg l on l.deal_id = d.id where d.closed_at is not null and l.state in ('planned', 'parked') "
    "and l.payment_id is not null",
}
"""What should have happened by itself to rows left alone since then, by the fact whose handler does it."""


@contextmanager
def _guarded(what: str, which: object) -> Iterator[None]:
    """Let nothing out but the log's line: what is behind the poll's loops goes on."""
    try:
        yield
    except (NoAnswer, Busy, Refused) as silence:
        log.warning("poll: %s %s: %s", what, which, silence)
    except Exception:
        log.exception("poll: %s %s failed", what, which)


async def _ids(sql: str, at: datetime) -> list[UUID]:
    return [row[0] for row in await fetch(sql, at)]


async def match_books() -> Reconciled:
    """Compare every balance transaction with our postings; a difference stops releases until it is gone.

    What our own payouts, top-ups and fees moved is booked here as it is found: their balance transactions are all the
    proof there is. It begins at the last day that agreed, so a difference is found again until it is explained, and the
    past that agreed is not read each night. What differs there is looked at over its whole life before it is believed.
    History brought in from before the exchange used Stripe carries no Stripe object and is no part of it.
    """
    until = now() - GRACE
    since = await _matched_until()
    theirs = await gateway().movements(since, until)
    await _book_own(theirs)
    seen = list({movement.source for movement in theirs})
    rows = await fetch(_OURS + "where at >= $1 and at < $2 or source = any($3) group by 1, 2", since, until, seen)
    found = await _in_full(differences(theirs, _sums(rows)))
    result = Reconciled(now(), len(theirs), found, agreed=not found)
    async with transaction():
        before = await fetchval("select agreed from reconciliation order by at desc limit 1")
        await execute(
            "insert into reconciliation (id, at, movements, differences, agreed) values ($1, $2, $3, $4, $5)",
            uuid4(),
            result.at,
            result.movements,
            json.dumps(
                [
                    {
                        "source": d.source,
                        "currency": d.currency,
                        "theirs_minor": d.theirs_minor,
                        "ours_minor": d.ours_minor,
                    }
                    for d in found
                ]
            ),
            result.agreed,
        )
        if found and before is not False:
            await alarm_books(result)
        if result.agreed and before is False:
            for row in await fetch("select id from deal where state = 'closing'"):
                await enqueue("deal.release", row["id"])
    return result


async def _book_own(theirs: Sequence[Movement]) -> None:
    """Book each movement once, by its id; earlier versions booked by source and kind, and what they booked stays so."""
    theirs = [movement for movement in theirs if not movement.foreign]
    refused = {m.source: await gateway().payout(m.source) for m in theirs if m.kind == "payout_failure"}
    rows = await fetch(
        "select fact, reference from ledger_posting where reference = any($1)", [f"{m.source} {m.kind}" for m in theirs]
    )
    booked = {(row["fact"], row["reference"]) for row in rows}
    async with transaction():
        for movement in theirs:
            posting = books.own(movement.kind, Money(movement.net_minor, movement.currency))
            if posting is None or (posting.fact.value, f"{movement.source} {movement.kind}") in booked:
                continue
            news = await post(posting, movement.id, deal_id=None, lot_id=None, stripe_object=movement.source)
            if news and movement.kind == "payout_failure":
                await alarm_payout(refused[movement.source])


_OURS = (
    "select source, currency, sum(minor) as minor from (select p.at, p.stripe_object as source, e.currency, "
    "e.amount_minor as minor from ledger_posting p join ledger_entry e on e.posting_id = p.id "
    "where e.account = 'stripe' and p.stripe_object is not null "
    "union all select at, source, currency, minor from set_aside) ours "
)


def _sums(rows: Sequence[asyncpg.Record]) -> dict[tuple[str, str], int]:
    return {(row["source"], row["currency"]): int(row["minor"]) for row in rows}


async def _matched_until() -> datetime:
    """The day of the last comparison that agreed, and the day before; the first intent of all where none has."""
    agreed: datetime | None = await fetchval("select max(at) from reconciliation where agreed")
    day = (agreed or await _first_intent()) - GRACE - LOOK_BACK
    return datetime.combine(day.astimezone(UTC).date(), time(), UTC)


async def _in_full(suspects: Sequence[Difference]) -> list[Difference]:
    """Which of ``suspects`` still differ when all their movements and postings count, whenever they happened."""
    sources = {d.source for d in suspects}
    if not sources:
        return []
    theirs = [movement for source in sorted(sources) for movement in await gateway().movements_of(source)]
    rows = await fetch(_OURS + "where source = any($1) group by 1, 2", list(sources))
    return differences(theirs, _sums(rows))


async def explain(*, source: str, currency: str, by: Actor) -> Reconciled:
    """The operator takes a difference on itself: what was done by hand at Stripe is booked as *external*.

    What our books cannot hold, for its currency, is set aside. It is booked as it stands now, not as it was last
    compared; the books are compared again at once, so releases go on.
    Raises NotYourMove, NothingToExplain.
    """
    if not by.is_operator:
        raise NotYourMove
    last = await fetchrow("select id, differences from reconciliation order by at desc limit 1")
    named = [
        d
        for d in (Difference(**each) for each in json.loads(last["differences"] if last else "[]"))
        if (d.source, d.currency) == (source, currency)
    ]
    found = next((d for d in await _in_full(named) if d.currency == currency), None)
    if last is None or found is None:
        raise NothingToExplain
    refund = await gateway().refund(source) if source.startswith(REFUND_IDS) and not found.foreign else None
    async with transaction():
        await fetchrow("select from reconciliation where id = $1 for no key update", last["id"])
        ours = _sums(await fetch(_OURS + "where source = $1 group by 1, 2", source))
        if ours.get((source, currency), 0) != found.ours_minor:
            raise NothingToExplain
        await record(by, "books.explained", last["id"], source=source)
        if found.foreign:
            await execute(
                "insert into set_aside (id, at, source, currency, minor) values ($1, $2, $3, $4, $5)",
                uuid4(),
                now(),
                source,
                currency,
                found.minor,
            )
        else:
            await _book_external(found, refund.charge_id if refund else None)
    return await match_books()


async def _book_external(found: Difference, refunded: str | None) -> None:
    """Book what was done by hand, to the charge ``refunded`` or to none, in the current transaction."""
    payment = await fetchrow("select id, deal_id from payment where charge_id = $1", refunded)
    about = payment["deal_id"] if payment else await _deal_of(found.source)
    deal = await any_deal(about, lock=True) if about else None
    await post(
        books.external(found.theirs - found.ours),
        f"{found.source} {uuid4()}",
        deal_id=deal.id if deal else None,
        lot_id=deal.lot_id if deal else None,
        stripe_object=found.source,
        payment_id=payment["id"] if payment else None,
    )
    if deal is not None and payment is not None:
        await count_by_hand(deal, payment["id"])


async def _deal_of(source: str) -> UUID | None:
    """The deal that an object at Stripe is about."""
    found: UUID | None = await fetchval(
        "select deal_id from ledger_posting where stripe_object = $1 and deal_id is not null limit 1", source
    )
    return found


async def poll() -> None:
    """What makes lost webhooks and dead workers harmless, every few minutes."""
    await poll_events()
    await poll_objects()


async def poll_payouts() -> None:
    """What became of the payouts of sellers that were sent money, once a day: no bank's refusal is lost.

    It begins some weeks before the last day all were read, however long ago that was.
    """
    began = now()
    since = await _read_until("payouts") - payouts.LOOK_BACK
    failed = 0
    for row_id, account in await payouts.accounts_paid(since):
        failed += 1
        with _guarded("payouts", account):
            await payouts.look_at_payouts(row_id, account, since)
            failed -= 1
    if not failed:
        await _note_read("payouts", began)


async def tell_stuck() -> None:
    """What has not ended for a day, and jobs that were given up: the operator is written to, once a day."""
    found = await stuck(now() - STUCK)
    if found:
        async with transaction():
            await alarm_stuck(found)


async def reconcile() -> Reconciled:
    """All three loops once: what ``exchange reconcile`` runs; it exits 0 when the books agree, 1 when not."""
    await poll()
    return await match_books()


async def _first_intent() -> datetime:
    first: datetime | None = await fetchval("select min(planned_at) from stripe_operation")
    return first or now()
