"""An agreed negotiation and everything around it; a payment service in memory."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import httpx
import pytest

from exchange.actor import Role
from exchange.clock import frozen, now
from exchange.database import execute, fetch, fetchrow, fetchval
from exchange.jobs import _handlers, perform
from exchange.listings.actions.reservations import reserve
from exchange.listings.tables import Lot, ManifestLine
from exchange.money import Money
from exchange.offers.tables import LotCopy, Negotiation, Offer
from exchange.settings import settings
from exchange.settlement import jobs as settlement_jobs
from exchange.settlement import stripe_gateway
from exchange.settlement.actions import deals, payments, reconcile, sellers
from exchange.settlement.queries.money import trial_balance
from exchange.settlement.rules.books import Account
from exchange.settlement.stripe_gateway import Refund, Refused
from tests.factories import MadePerson, make_company, make_person
from tests.settlement.fakes import FakeGateway

if TYPE_CHECKING:
    from tests.sandbox.kept import Kept
    from tests.settlement.service import Service


@dataclass(frozen=True, slots=True)
class Agreed:
    """Two companies that have just agreed, and the deal it became."""

    seller: MadePerson
    buyer: MadePerson
    lot_id: UUID
    negotiation_id: UUID
    deal_id: UUID

    async def state(self) -> str:
        return str(await fetchval("select state from deal where id = $1", self.deal_id))

    async def opened(self) -> "Agreed":
        """The same, once its deal was opened late."""
        found = await fetchval("select id from deal where negotiation_id = $1", self.negotiation_id)
        return replace(self, deal_id=found)

    async def session_id(self) -> str:
        return str(
            await fetchval(
                "select session_id from payment where deal_id = $1 order by created_at desc limit 1", self.deal_id
            )
        )

    async def held(self) -> int:
        return int(
            await fetchval(
                "select coalesce(-sum(amount_minor), 0) from ledger_entry where deal_id = $1 and account = 'held'",
                self.deal_id,
            )
        )


LOT = (
    '{"title": "Outillage, fin de série", "category": "tools", "grade": "A", "tolerance_bp": 500, '
    '"authorised_brand": "Volcana", "unmark": true, "no_warranty": false, "lines": []}'
)
"""What every buyer could read of the lot."""


async def agree(
    *,
    unit_minor: int = 10_00,
    quantity: int = 10,
    currency: str = "EUR",
    buyer_country: str = "FR",
    opened: bool = True,
    on: Agreed | None = None,
    threshold: int | None = None,
    sale_ends: timedelta = timedelta(days=30),
) -> Agreed:
    """A French seller's lot of two lines and a buyer who agreed to ``quantity`` of its 20 units.

    ``on`` is an agreement of another buyer: this one is about the same lot. With a ``threshold``, so many units must be
    paid before the sale ends.
    """
    seller = on.seller if on else await make_person(await make_company(currency=currency), role=Role.OWNER)
    buyer = await make_person(await make_company(country=buyer_country, vat="FR40303265045"), role=Role.OWNER)
    assert seller.company
    assert buyer.company
    lot_id, negotiation_id, copy_id, at = on.lot_id if on else uuid4(), uuid4(), uuid4(), now()
    if on is None:
        await _list(lot_id, seller, currency, unit_minor, threshold, at + sale_ends)
    await LotCopy(id=copy_id, lot_id=lot_id, sha256=copy_id.bytes, content=LOT, made_at=at).save()
    await Negotiation(
        id=negotiation_id,
        lot_id=lot_id,
        lot_copy_id=copy_id,
        buyer_company_id=buyer.company.id,
        seller_company_id=seller.company.id,
        currency=currency,
        unit_ask_minor=unit_minor,
        partial=True,
        minimum=1,
        multiple=1,
        state="agreed",
        moves=1,
        opened_at=at,
        changed_at=at,
        agreed_at=at,
    ).save()
    await Offer(
        id=uuid4(),
        lot_id=lot_id,
        negotiation_id=negotiation_id,
        number=1,
        company_id=buyer.company.id,
        person_id=buyer.id,
        unit_price_minor=unit_minor,
        currency=currency,
        quantity=quantity,
        incoterm="EXW",
        terms_version="1",
        made_at=at,
        expires_at=at + timedelta(days=2),
        state="agreed",
        answered_at=at,
    ).save()
    await reserve(lot_id=lot_id, quantity=quantity, agreement_id=negotiation_id)
    if opened:
        await deals.open_deal(negotiation_id)
    row = await fetchrow("select id from deal where negotiation_id = $1", negotiation_id)
    return Agreed(seller, buyer, lot_id, negotiation_id, row["id"] if row else uuid4())


async def _list(
    lot_id: UUID, seller: MadePerson, currency: str, unit_minor: int, threshold: int | None, ends: datetime
) -> None:
    assert seller.company
    at = now()
    await Lot(
        id=lot_id,
        company_id=seller.company.id,
        person_id=seller.id,
        title="Outillage, fin de série",
        category="tools",
        region="bretagne",
        country="FR",
        brands=[],
        grade="A",
        packing="cartons",
        incoterm="EXW",
        slots=[],
        currency=currency,
        unit_ask_minor=unit_minor,
        ask_minor=unit_minor * 20,
        quantity=20,
        partial=True,
        threshold=threshold,
        threshold_state="open" if threshold else None,
        origin_declared=True,
        published_at=at,
        expires_at=ends,
    ).save()
    for position, (title, rrp) in enumerate([("Ponceuse", 30_00), ("Perceuse", 10_00)]):
        await ManifestLine(
            id=uuid4(),
            lot_id=lot_id,
            position=position,
            title=title,
            category="tools",
            quantity=10,
            rrp_minor=rrp,
            grade="A",
        ).save()


async def onboarded(agreed: Agreed, gateway: FakeGateway) -> str:
    """The seller's account, open and able to receive."""
    return await open_account(agreed.seller, gateway)


async def open_account(owner: MadePerson, gateway: FakeGateway) -> str:
    """A company's account, open and able to receive."""
    await sellers.start_onboarding(by=owner.actor)
    assert owner.company
    account = str(await fetchval("select account_id from payout_account where company_id = $1", owner.company.id))
    gateway.onboards(account)
    await sellers.look_at_account(owner.company.id)
    return account


async def somebody_waits() -> None:
    """Until a connection to this test's database waits for a lock."""
    waiting = (
        "select exists (select from pg_locks l join pg_stat_activity a using (pid) "
        "where not l.granted and a.datname = current_database())"
    )
    while not await fetchval(waiting):
        await asyncio.sleep(0)


async def paid(agreed: Agreed, gateway: FakeGateway) -> None:
    """The buyer has paid and the money is held."""
    await payments.pay(deal_id=agreed.deal_id, by=agreed.buyer.actor)
    session_id = await agreed.session_id()
    gateway.pays(session_id)
    await payments.come_back(deal_id=agreed.deal_id, session_id=session_id, by=agreed.buyer.actor)


async def due_now(agreed: Agreed) -> None:
    """The clock of the deal's state has just run out."""
    await execute("update deal set due_at = $2 where id = $1", agreed.deal_id, now() - timedelta(seconds=1))


@pytest.fixture
def named_exchange(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An exchange that knows its own name, as invoices and reports print it."""
    for name, value in {
        "NAME": "Confrère SAS", "REGISTRATION": "732829320", "VAT": "FR44732829320", "STREET": "1 place du Marché",
        "POSTCODE": "75002", "CITY": "Paris",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"EXCHANGE_{name}", value)
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
async def gateway() -> AsyncIterator[FakeGateway]:
    """A payment service in memory, in the place of the real one."""
    fake = FakeGateway()
    stripe_gateway.use(fake)
    yield fake
    stripe_gateway.use(None)


@pytest.fixture
async def service(
    committed: None, kept_sandbox: "Kept", client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator["Service"]:
    """The running sandbox as it is when new, with its webhooks registered as `exchange serve` registers them."""
    from tests.settlement.service import running  # it needs this module's own deals

    async with running(kept_sandbox, client, monkeypatch) as started:
        yield started


async def work(*facts: str, rounds: int = 50) -> None:
    """Do settlement's jobs that are due, as the worker would (only ``facts``, if given); others' stay queued."""
    mine = list(facts) or [fact for fact in _handlers if _handlers[fact].__module__ == settlement_jobs.__name__]
    for _ in range(rounds):
        row = await fetchrow(
            "delete from pgqueuer where id = (select id from pgqueuer where entrypoint = any($1) "
            "and execute_after <= now() order by id limit 1) returning entrypoint, payload",
            mine,
        )
        if row is None:
            return
        await perform(row["entrypoint"], UUID(bytes=row["payload"]))
    raise AssertionError("settlement's jobs never come to rest")


async def waiting(fact: str) -> int:
    """How many jobs of ``fact`` are queued."""
    return int(await fetchval("select count(*) from pgqueuer where entrypoint = $1", fact))


async def alarms() -> list[str]:
    """What the operator was called about."""
    rows = await fetch("select subject from mail where template = 'settlement_alarm' order by created_at")
    return [row["subject"] for row in rows]


async def said(template: str) -> str:
    """What stands in the only mail of its kind."""
    (row,) = await fetch("select subject, text from mail where template = $1", template)
    return f"{row['subject']}\n{row['text']}"


async def balance() -> dict[Account, int]:
    return {line.account: line.amount.minor for line in await trial_balance()}


async def refused_refund(gateway: FakeGateway) -> Agreed:
    """A paid deal whose seller did not ship; Stripe refused to refund the buyer's 120."""
    agreed = await agree()
    await paid(agreed, gateway)
    await due_now(agreed)
    await deals.tick(agreed.deal_id)
    gateway.failures.append(Refused(reason="no", stripe_code="charge_already_refunded", request_id=None))
    await work()
    assert (await agreed.state(), await agreed.held()) == ("closing", 120_00)
    return agreed


async def refunded_by_hand(gateway: FakeGateway, minor: int, name: str, *, by: MadePerson, state: str = "paid") -> None:
    """The operator refunds the buyer at Stripe itself, and explains the difference in the books."""
    amount = Money(minor, "EUR")
    charge = await fetchval("select charge_id from payment where state = $1", state)
    gateway.refunds[name] = Refund(name, "succeeded", amount, None, charge)
    await explained(gateway, name, "refund", -amount, by=by)


async def explained(gateway: FakeGateway, name: str, kind: str, moved: Money, *, by: MadePerson) -> None:
    """An object moved the balance by nobody's order here; the operator says that it was done by hand."""
    gateway._move(name, kind, moved)
    with frozen(now() + timedelta(minutes=10)):
        await reconcile.match_books()
        assert (await reconcile.explain(source=name, currency="EUR", by=by.actor)).agreed
