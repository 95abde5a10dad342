"""The claims desk, account statements and the ledger as a file."""

import csv
import io
from datetime import timedelta
from decimal import Decimal

import httpx
import pytest

from exchange.actor import Role
from exchange.clock import frozen, now
from exchange.money import Money
from exchange.settlement.actions import deals
from exchange.settlement.queries.money import trial_balance
from exchange.settlement.rules.books import Account
from exchange.settlement.rules.fec import COLUMNS, NUMBERS, ZONE, row
from tests.factories import make_person, sign_in
from tests.settlement.conftest import agree, onboarded, paid, work
from tests.settlement.fakes import FakeGateway

pytestmark = pytest.mark.usefixtures("committed")
READ = ("/operator/claims", "/operator/money/statement", "/operator/money/export.csv", "/operator/money/export.txt")


async def test_every_entry_is_in_the_file_and_the_file_is_the_trial_balance(
    client: httpx.AsyncClient, gateway: FakeGateway
) -> None:
    with frozen(now() - timedelta(days=3)):
        asked = await agree(currency="JPY", unit_minor=1000)
        await paid(asked, gateway)
    agreed = await agree()
    await onboarded(agreed, gateway)
    await paid(agreed, gateway)
    await deals.ship(deal_id=agreed.deal_id, carrier="G", tracking="1", by=agreed.seller.actor)
    await deals.receive(deal_id=agreed.deal_id, by=agreed.buyer.actor)
    await work()
    await sign_in(client, await make_person(role=Role.OPERATOR))
    today = now().astimezone(ZONE).date()
    answer = await client.get("/operator/money/export.csv", params={"first": str(today - timedelta(days=4))})
    assert answer.headers["content-disposition"].endswith('.csv"')
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))
    assert tuple(rows[0]) == COLUMNS
    assert [int(r["EcritureNum"]) for r in rows] == sorted(int(r["EcritureNum"]) for r in rows)
    assert {int(r["EcritureNum"]) for r in rows} == set(range(1, int(rows[-1]["EcritureNum"]) + 1)), "no gap"
    for line in await trial_balance():
        mine = [r for r in rows if (r["CompteNum"], r["Idevise"]) == (NUMBERS[line.account], line.amount.currency)]
        total = sum(Decimal(r["Debit"].replace(",", ".")) - Decimal(r["Credit"].replace(",", ".")) for r in mine)
        assert total == line.amount.decimal, line
    told = list({r["EcritureNum"]: r["EcritureLib"].split(" – ")[0] for r in rows}.values())
    assert told[:4] == ["Paid by the buyer, held", "Fee of the payment service, borne by the exchange"] * 2
    tabs = (await client.get("/operator/money/export.txt", params={"first": str(today)})).text.splitlines()
    assert tabs[0].split("\t") == list(COLUMNS)
    late = [r for r in rows if r["Idevise"] == "EUR"]
    assert [t.split("\t")[2] for t in tabs[1:]] == [r["EcritureNum"] for r in late], "the same number in every file"
    assert int(late[0]["EcritureNum"]) > 1

    page = await client.get(
        "/operator/money/statement", params={"account": "held", "currency": "EUR", "first": str(today)}
    )
    assert "€120.00" in page.text
    assert "Closing balance" in page.text
    nonsense = await client.get("/operator/money/statement", params={"account": "x", "currency": "?", "first": "32"})
    assert nonsense.status_code == 422
    backwards = {"first": "2026-02-01", "last": "2026-01-01"}
    assert (await client.get("/operator/money/export.csv", params=backwards)).status_code == 422


async def test_only_the_operator_reads_the_desks(client: httpx.AsyncClient, gateway: FakeGateway) -> None:
    agreed = await agree()
    await sign_in(client, agreed.seller)
    for path in READ:
        assert (await client.get(path)).status_code == 403, path


def test_a_line_of_the_file_is_a_debit_or_a_credit_with_a_comma() -> None:
    told = dict(
        zip(
            COLUMNS,
            row(number=7, at=now(), account=Account.HELD, name="x", piece="p", text="t", amount=Money(-1205, "EUR")),
            strict=True,
        )
    )
    assert (told["Debit"], told["Credit"], told["CompteNum"]) == ("0,00", "12,05", "467100")
