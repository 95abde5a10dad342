"""The yearly report of the sellers to the tax authorities."""

import csv
import io
from datetime import UTC, datetime

import pytest

from exchange import clock
from exchange.database import execute
from exchange.money import Money
from exchange.settlement.actions import deals
from exchange.settlement.queries.dac7 import ExchangeUnknown, dac7
from exchange.settlement.rules.dac7 import Quarter, Seller
from exchange.settlement.rules.invoices import Address, Party
from tests.settlement.conftest import agree, onboarded, paid, work
from tests.settlement.fakes import FakeGateway


def seller(*, sales: int, paid: int, country: str = "FR", currency: str = "EUR") -> Seller:
    party = Party("Maison Vauclair SAS", "552100554", None, Address("1 rue", "35000", "Rennes", country))
    quarter = Quarter(sales, Money(paid, currency), Money(0, currency))
    return Seller(party, "acct_1", currency, {1: quarter})


@pytest.mark.parametrize(
    ("found", "reported"),
    [
        (seller(sales=29, paid=2000_00), False),
        (seller(sales=30, paid=1), True),
        (seller(sales=1, paid=2000_01), True),
        (seller(sales=1, paid=2000_01, country="GB"), False),
        (seller(sales=1, paid=2000_01, country="MC"), False),
        (seller(sales=1, paid=1, currency="SEK"), True),
    ],
)
def test_small_sellers_and_those_outside_the_union_are_left_out(found: Seller, reported: bool) -> None:
    assert found.reported is reported


async def test_the_report_names_the_platform(db: None) -> None:
    with pytest.raises(ExchangeUnknown):
        await dac7(2026)


async def test_a_year_of_a_seller_quarter_by_quarter(
    committed: None, gateway: FakeGateway, named_exchange: None
) -> None:
    agreed = await agree(unit_minor=500_00)
    account = await onboarded(agreed, gateway)
    await paid(agreed, gateway)
    await execute("update deal set state = 'delivered' where id = $1", agreed.deal_id)
    await execute(  # one it had before, one it asked for: neither is the account that identifies it
        "insert into payout_account (id, company_id, standing, account_id, livemode, asked_at) select "
        "gen_random_uuid(), company_id, s, 'acct_' || s, false, now() from payout_account, unnest($1::text[]) s",
        ["former", "next"],
    )

    with clock.frozen(datetime(2026, 6, 30, 22, 30, tzinfo=UTC)):  # half past midnight in Paris: the third quarter
        await deals.receive(deal_id=agreed.deal_id, by=agreed.buyer.actor)
        await work()
    (row,) = csv.DictReader(io.StringIO(await dac7(2026)))
    assert agreed.seller.company
    assert (row["legal_name"], row["tin"], row["account_identifier"], row["platform_name"]) == (
        agreed.seller.company.legal_name, agreed.seller.company.registration, account, "Confrère SAS",
    )  # fmt: skip
    assert (row["q3_consideration"], row["q3_fees_with_tax"], row["q3_sales"]) == ("5700.00", "300.00", "1")
    assert (row["q2_consideration"], row["q2_sales"]) == ("0.00", "0")
    assert (row["consideration"], row["fees_with_tax"], row["sales"]) == ("5700.00", "300.00", "1")
    assert list(csv.DictReader(io.StringIO(await dac7(2025)))) == []
