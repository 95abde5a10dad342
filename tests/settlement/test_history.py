"""Deals of the past in bulk: the same books, the same guards."""

from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from exchange.clock import now
from exchange.database import execute, fetch, fetchrow, fetchval
from exchange.money import Money
from exchange.settlement.actions.history import Past, write_history
from exchange.settlement.queries.money import trial_balance
from exchange.settlement.rules import amounts, vat
from exchange.settlement.rules.books import Account
from exchange.settlement.rules.deal import Ending
from tests.factories import make_company, make_lot, make_person

pytestmark = pytest.mark.usefixtures("committed")


async def past_deals(count: int) -> list[Past]:
    """``count`` deals of one seller, every fifth partly and every seventh wholly refunded."""
    seller = await make_company()
    lot = await make_lot(await make_person(seller))
    copy, agreed = uuid4(), now() - timedelta(days=200)
    await execute(
        "insert into lot_copy (id, lot_id, sha256, content, made_at) values ($1, $2, $3, '{}', $4)",
        copy,
        lot.id,
        copy.bytes,
        agreed,
    )
    terms = amounts.terms(Money(1_999, "EUR") * 7, vat_bp=2000, commission_bp=500, commission_vat_bp=2000)
    found = []
    ids = [uuid4() for _ in range(count)]
    buyers = [uuid4() for _ in range(count)]
    await execute(
        "insert into company (id, legal_group_id, legal_name, trading_name, country, region, registration, vetting, "
        "vetting_reason, vetting_changed_at, created_at) "
        "select i, $2, 'B', 'B', 'FR', '', left(i::text, 40), 'vetted', '', $3, $3 from unnest($1::uuid[]) i",
        buyers,
        seller.legal_group_id,
        agreed,
    )
    await execute(
        "insert into negotiation (id, lot_id, lot_copy_id, buyer_company_id, seller_company_id, currency, "
        "unit_ask_minor, partial, minimum, multiple, state, moves, opened_at, changed_at, agreed_at) "
        "select i, $2, $3, b, $5, 'EUR', 1999, true, 1, 1, 'agreed', 1, $6, $6, $6 "
        "from unnest($1::uuid[], $4::uuid[]) as t(i, b)",
        ids,
        lot.id,
        copy,
        buyers,
        seller.id,
        agreed,
    )
    for n, (negotiation, buyer) in enumerate(zip(ids, buyers, strict=True)):
        back = terms.total.minor if n % 7 == 3 else 1_234 if n % 5 == 2 else 0
        found.append(
            Past(
                negotiation_id=negotiation,
                lot_id=UUID(str(lot.id)),
                seller_company_id=seller.id,
                buyer_company_id=buyer,
                label="Outillage",
                quantity=7,
                unit_price=Money(1_999, "EUR"),
                terms=terms,
                tax=vat.Tax(vat.Regime.DOMESTIC, 2000),
                agreed_at=agreed,
                paid_at=agreed + timedelta(hours=3),
                closed_at=agreed + timedelta(days=9),
                refund=Money(back, "EUR"),
                ending=Ending.NOT_SHIPPED if n % 7 == 3 else Ending.CLAIM_AGREED if back else Ending.RECEIVED,
            )
        )
    return found


async def test_past_deals_stand_with_balanced_books(database_url: str) -> None:
    deals = await past_deals(70)
    ids = await write_history(deals)
    assert len(ids) == len(set(ids)) == 70
    states = {row["state"]: row["n"] for row in await fetch("select state, count(*) n from deal group by state")}
    assert states == {"refunded": 10, "partly_refunded": 12, "settled": 48}
    balances = {line.account: line.amount.minor for line in await trial_balance()}
    assert balances[Account.HELD] == 0
    assert balances[Account.STRIPE] == 0, "the balance at Stripe belongs to the deals Stripe knows"
    assert sum(balances.values()) == 0
    assert balances[Account.BANK] == -balances[Account.COMMISSION] - balances[Account.VAT] > 0


async def test_a_past_deal_that_gives_out_too_much_is_refused_whole(database_url: str) -> None:
    (deal,) = await past_deals(1)
    await write_history([deal])
    row = await fetchrow("select id, payment_id from release_leg")
    assert row
    with pytest.raises(asyncpg.CheckViolationError, match="would give out"):
        await execute("update release_leg set amount_minor = amount_minor + 100000 where id = $1", row["id"])
    with pytest.raises(asyncpg.UniqueViolationError):
        await write_history([deal])
    assert await fetchval("select count(*) from ledger_posting") == 4, "nothing of the second is kept"
