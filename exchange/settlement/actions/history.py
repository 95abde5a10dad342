"""Settled deals of the past, written in bulk: for the demonstration's market and for bringing books over.

Every row passes the same constraints and triggers as live data; a deal of the past differs in one thing only: it has no
object at Stripe, so the daily match leaves it out. What the exchange earned is booked as paid out to its bank, which
leaves the balance at Stripe to the deals that Stripe knows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from exchange.database import transaction
from exchange.money import Money
from exchange.settlement.rules import books
from exchange.settlement.rules.amounts import Share, Terms, plan
from exchange.settlement.rules.books import Posting
from exchange.settlement.rules.deal import Ending, ended_as
from exchange.settlement.rules.vat import Tax

PAY_LATEST = timedelta(days=2)
"""How long after the agreement a deal of the past was due."""


@dataclass(frozen=True, slots=True)
class Past:
    """One deal that has ended: agreed, paid and closed at the given instants. ``refund`` includes tax.

    Its negotiation, lot and companies stand in the database already.
    """

    negotiation_id: UUID
    lot_id: UUID
    seller_company_id: UUID
    buyer_company_id: UUID
    label: str
    quantity: int
    unit_price: Money
    terms: Terms
    tax: Tax
    agreed_at: datetime
    paid_at: datetime
    closed_at: datetime
    refund: Money
    ending: Ending = Ending.RECEIVED


_COLUMNS = {
    "deal": "id negotiation_id lot_id seller_company_id buyer_company_id label quantity unit_price_minor currency "
    "net_minor vat_regime vat_rate_bp vat_minor commission_minor commission_vat_minor state since agreed_at paid_at "
    "closed_at ending refund_minor carrier tracking proof",
    "payment_obligation": "id deal_id lot_id buyer_company_id currency amount_minor state due_at",
    "payment": "id obligation_id deal_id lot_id state method currency received_minor fee_minor expires_at livemode "
    "created_at",
    "refund": "id payment_id deal_id lot_id currency amount_minor reason state created_at",
    "release_leg": "id deal_id lot_id company_id rank weight currency payment_id amount_minor state paid_at",
    "ledger_posting": "id at fact reference deal_id lot_id",
    "ledger_entry": "posting_id deal_id account currency amount_minor",
}
"""The tables a deal of the past fills, in the order of their foreign keys."""


async def write_history(deals: Iterable[Past]) -> list[UUID]:
    """Write deals of the past with all their money, in one transaction; returns their ids in the same order."""
    rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in _COLUMNS}
    ids = [_rows_of(deal, rows) for deal in deals]
    async with transaction() as tx:
        for table, columns in _COLUMNS.items():
            await _copy(tx.connection, table, columns.split(), rows[table])
    return ids


async def _copy(
    connection: asyncpg.Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    if rows:
        await connection.copy_records_to_table(table, records=rows, columns=columns)


def _rows_of(past: Past, rows: dict[str, list[tuple[Any, ...]]]) -> UUID:
    deal_id, owed_id, payment_id, leg_id, refund_id = (uuid4() for _ in range(5))
    terms, currency, lot = past.terms, past.terms.net.currency, past.lot_id
    shared = plan(terms, [Share(1)], past.refund)
    state = ended_as(terms.total.minor, past.refund.minor)
    rows["deal"].append(
        (
            deal_id, past.negotiation_id, lot, past.seller_company_id, past.buyer_company_id, past.label,
            past.quantity, past.unit_price.minor, currency, terms.net.minor, past.tax.regime.value, past.tax.rate_bp,
            terms.vat.minor, terms.commission.minor, terms.commission_vat.minor, state.value, past.closed_at,
            past.agreed_at, past.paid_at, past.closed_at, past.ending.value, past.refund.minor, "", "", "",
        )
    )  # fmt: skip
    rows["payment_obligation"].append(
        (owed_id, deal_id, lot, past.buyer_company_id, currency, terms.total.minor, "paid", past.agreed_at + PAY_LATEST)
    )
    rows["payment"].append(
        (
            payment_id, owed_id, deal_id, lot, "paid", "history", currency, terms.total.minor, 0,
            past.agreed_at + PAY_LATEST, False, past.paid_at,
        )
    )  # fmt: skip
    (leg,) = shared.legs
    rows["release_leg"].append(
        (
            leg_id, deal_id, lot, past.seller_company_id, 0, 1, currency, payment_id, leg.minor, "paid",
            past.closed_at,
        )
    )  # fmt: skip
    if past.refund:
        rows["refund"].append(
            (
                refund_id, payment_id, deal_id, lot, currency, past.refund.minor, past.ending.value, "succeeded",
                past.closed_at,
            )
        )  # fmt: skip

    def post(posting: Posting | None, reference: UUID, at: datetime) -> None:
        if posting is None:
            return
        posting_id = uuid4()
        rows["ledger_posting"].append((posting_id, at, posting.fact.value, str(reference), deal_id, lot))
        for entry in posting.entries:
            rows["ledger_entry"].append(
                (posting_id, deal_id, entry.account.value, entry.amount.currency, entry.amount.minor)
            )

    post(books.paid(terms.total), payment_id, past.paid_at)
    if past.refund:
        post(books.refunded(past.refund), refund_id, past.closed_at)
    post(books.earned(shared.commission, shared.commission_vat), deal_id, past.closed_at)
    if leg:
        post(books.transferred(leg), leg_id, past.closed_at)
    post(books.paid_out(shared.commission + shared.commission_vat), deal_id, past.closed_at)
    return deal_id
