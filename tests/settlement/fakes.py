"""A payment service in memory, with the gateway's own few functions: for the tests of actions.

It keeps Stripe's promises that settlement leans on: a key used again returns the first answer, a session belongs to one
customer, nothing leaves a charge that did not come in.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID

from exchange.database import in_transaction
from exchange.money import Money
from exchange.settlement.rules.drift import Movement
from exchange.settlement.rules.payments import DISPUTE_WON
from exchange.settlement.stripe_gateway import (
    API_VERSION,
    Charge,
    Dispute,
    Gateway,
    News,
    Params,
    Payout,
    Recipient,
    Refund,
    Refused,
    Session,
    Standing,
    Transfer,
)

FEE = 175


class FakeGateway(Gateway):
    """``failures`` are raised by the next writes, before they do anything; ``lost`` after they have done it."""

    def __init__(self) -> None:
        self.livemode = False
        self.answers: dict[UUID, Any] = {}
        self.calls: list[tuple[str, UUID]] = []
        self.failures: list[Exception] = []
        self.lost: list[Exception] = []
        self.refuses: dict[str, str] = {}
        """Why the writes of a kind are refused."""
        self.sessions: dict[str, Session] = {}
        self.session_of: dict[UUID, str] = {}
        self.charges: dict[str, Charge] = {}
        self.transfers: dict[str, Transfer] = {}
        self.refunds: dict[str, Refund] = {}
        self.recipients: dict[str, Recipient] = {}
        self.disputes: dict[str, Dispute] = {}
        self.reversals: dict[str, tuple[str, int, str]] = {}
        self.empty: set[str] = set()
        """Accounts that can give nothing back."""
        self.paid_out: dict[str, tuple[str | None, Payout]] = {}
        """Payouts by their id, each with its seller's account."""
        self.moved: list[tuple[datetime, Movement]] = []
        self.news: list[News] = []
        self._next = count(1)

    async def close(self) -> None: ...

    def _do(self, what: str, key: UUID, work: Callable[[], Any]) -> Any:
        assert not in_transaction(), "Stripe is never called while a transaction is open"
        self.calls.append((what, key))
        if what in self.refuses:
            raise Refused(reason="no", stripe_code=self.refuses[what], request_id=None)
        if self.failures:
            raise self.failures.pop(0)
        if key not in self.answers:
            self.answers[key] = work()
        if self.lost:
            raise self.lost.pop(0)
        return self.answers[key]

    def id(self, prefix: str) -> str:
        return f"{prefix}_fake{next(self._next)}"

    def made(self, what: str) -> int:
        """How many different deeds of a kind were asked for."""
        return len({key for kind, key in self.calls if kind == what})

    # --- writes

    async def create_recipient(self, key: UUID, params: Params) -> Recipient:
        def work() -> Recipient:
            made = Recipient(self.id("acct"), "restricted", ("company.tax_id",), str(key))
            self.recipients[made.id] = made
            return made

        found: Recipient = self._do("recipient", key, work)
        return found

    async def create_customer(self, key: UUID, params: Params) -> str:
        return str(self._do("customer", key, lambda: self.id("cus")))

    async def create_session(self, key: UUID, params: Params) -> Session:
        price = params["line_items"][0]["price_data"]

        def work() -> Session:
            session_id = self.id("cs")
            made = Session(
                id=session_id,
                url=f"https://pay.example/{session_id}",
                reference=params["client_reference_id"],
                operation_id=str(key),
                livemode=False,
                status="open",
                paid=False,
                amount=Money(price["unit_amount"], price["currency"].upper()),
                intent_id=None,
                intent_status=None,
                received_minor=None,
                charge=None,
            )
            self.sessions[session_id] = made
            self.session_of[key] = session_id
            return made

        found: Session = self._do("session", key, work)
        return found

    async def expire_session(self, key: UUID, session: str) -> Session:
        def work() -> Session:
            if self.sessions[session].status != "open":
                raise Refused(reason="not open", stripe_code=None, request_id=None)
            self.sessions[session] = replace(self.sessions[session], status="expired")
            return self.sessions[session]

        found: Session = self._do("expire", key, work)
        return found

    async def create_transfer(self, key: UUID, params: Params) -> Transfer:
        def work() -> Transfer:
            amount = Money(params["amount"], params["currency"].upper())
            made = Transfer(self.id("tr"), amount, params["destination"], str(key))
            if not self.recipients[made.destination].active:
                raise Refused(reason="no", stripe_code="insufficient_capabilities_for_transfer", request_id=None)
            self.transfers[made.id] = made
            self._move(made.id, "transfer", -amount)
            return made

        found: Transfer = self._do("transfer", key, work)
        return found

    async def create_refund(self, key: UUID, params: Params) -> Refund:
        def work() -> Refund:
            whole = self.charges[params["charge"]].amount
            back = sum(
                r.amount.minor
                for r in self.refunds.values()
                if r.charge_id == params["charge"] and r.status != "failed"
            )
            back += sum(
                d.amount.minor
                for d in self.disputes.values()
                if d.charge_id == params["charge"] and d.moved and d.status not in DISPUTE_WON
            )
            if back + params["amount"] > whole.minor:
                raise Refused(reason="more than came in", stripe_code="charge_already_refunded", request_id=None)
            currency = whole.currency
            made = Refund(self.id("re"), "succeeded", Money(params["amount"], currency), str(key), params["charge"])
            self.refunds[made.id] = made
            self._move(made.id, "refund", -made.amount)
            return made

        found: Refund = self._do("refund", key, work)
        return found

    async def create_reversal(self, key: UUID, params: Params) -> str:
        def work() -> str:
            sent = self.transfers[params["transfer"]]
            if sent.destination in self.empty:
                raise Refused(reason="empty", stripe_code="balance_insufficient", request_id=None)
            made = self.id("trr")
            self.reversals[made] = (sent.id, int(params["amount"]), str(key))
            self._move(made, "transfer_refund", Money(params["amount"], sent.amount.currency))
            return made

        return str(self._do("reversal", key, work))

    async def onboarding_link(self, account: str, *, return_url: str, refresh_url: str) -> str:
        return f"https://onboard.example/{account}/{next(self._next)}"

    # --- what happens at the service

    def pays(self, session_id: str, *, amount: Money | None = None, fee: bool = True) -> Charge:
        """The buyer pays on the page."""
        session = self.sessions[session_id]
        amount = amount or session.amount
        known = Money(FEE, amount.currency) if fee else None
        charge = Charge(self.id("ch"), "card", amount, known, datetime(2030, 1, 1, tzinfo=UTC) if fee else None)
        self.charges[charge.id] = charge
        self.sessions[session_id] = replace(
            session,
            status="complete",
            paid=True,
            intent_id=self.id("pi"),
            intent_status="succeeded",
            received_minor=amount.minor,
            charge=charge,
        )
        if fee:
            self._move(charge.id, "charge", amount - Money(FEE, amount.currency))
        return charge

    def settles(self, session_id: str) -> None:
        """The charge's balance transaction comes to be, late."""
        session = self.sessions[session_id]
        assert session.charge
        fee = Money(FEE, session.amount.currency)
        charge = replace(session.charge, fee=fee, available_on=datetime(2030, 1, 1, tzinfo=UTC))
        self.sessions[session_id] = replace(session, charge=charge)
        self._move(charge.id, "charge", charge.amount - fee)

    def becomes(self, session_id: str, **changed: Any) -> None:
        self.sessions[session_id] = replace(self.sessions[session_id], **changed)

    def onboards(self, account: str, status: str = "active") -> None:
        self.recipients[account] = replace(self.recipients[account], status=status, due=())

    def _move(self, source: str, kind: str, amount: Money) -> None:
        self.moved.append((datetime.now(UTC), Movement(self.id("txn"), source, kind, amount.currency, amount.minor)))

    # --- reads

    async def session(self, session: str) -> Session:
        return self.sessions[session]

    async def recipient(self, account: str) -> Recipient:
        return self.recipients[account]

    async def refund(self, refund: str) -> Refund:
        return self.refunds[refund]

    async def standing(self, charge: str) -> Standing:
        disputes = [d for d in self.disputes.values() if d.charge_id == charge]
        refunds = tuple(r for r in self.refunds.values() if r.charge_id == charge)
        against = tuple(d.id for d in disputes if d.status not in DISPUTE_WON)
        return Standing(tuple(d.id for d in disputes), against, refunds, None)

    async def payout(self, payout: str, account: str | None = None) -> Payout:
        owner, found = self.paid_out[payout]
        assert owner == account
        return found

    async def payouts(self, account: str, since: datetime) -> list[Payout]:
        return [found for owner, found in self.paid_out.values() if owner == account and found.created >= since]

    async def maker_of(self, charge: str) -> str | None:
        return next((s.operation_id for s in self.sessions.values() if s.charge and s.charge.id == charge), None)

    async def dispute(self, dispute: str) -> Dispute:
        return self.disputes[dispute]

    async def find_session(self, key: UUID, customer: str) -> Session | None:
        found = self.session_of.get(key)
        return self.sessions[found] if found else None

    async def find_transfer(self, key: UUID, deal: str) -> Transfer | None:
        return next((t for t in self.transfers.values() if t.operation_id == str(key)), None)

    async def find_refund(self, key: UUID, charge: str) -> Refund | None:
        return next((r for r in self.refunds.values() if r.operation_id == str(key)), None)

    async def find_reversal(self, key: UUID, transfer: str) -> str | None:
        return next((made for made, (_, _, marked) in self.reversals.items() if marked == str(key)), None)

    async def find_recipient(self, key: UUID) -> Recipient | None:
        return next((r for r in self.recipients.values() if r.operation_id == str(key)), None)

    async def events(self, since: datetime) -> list[News]:
        return [news for news in self.news if not news.thin]

    async def thin_events(self, since: datetime) -> list[News]:
        return [news for news in self.news if news.thin]

    async def movements(self, since: datetime, until: datetime) -> list[Movement]:
        return [movement for at, movement in self.moved if since <= at < until]

    async def movements_of(self, source: str) -> list[Movement]:
        return [movement for _, movement in self.moved if movement.source == source]

    def pays_out(
        self, account: str | None, amount: Money, status: str = "paid", failure: str | None = None, name: str = ""
    ) -> str:
        """The service sends a seller's money, or our own, on to the bank."""
        at, payout = datetime.now(UTC), name or self.id("po")
        self.paid_out[payout] = account, Payout(payout, status, amount, failure, at, at)
        return payout

    def event(
        self,
        kind: str,
        about: Params,
        *,
        event_id: str | None = None,
        livemode: bool = False,
        account: str | None = None,
    ) -> News:
        """News of something, as it would arrive."""
        thin = kind.startswith("v2.")
        payload = {"data": {"object": about}, "type": kind}
        news = News(
            id=event_id or self.id("evt"),
            thin=thin,
            type=kind,
            created=datetime.now(UTC),
            livemode=livemode,
            account=account,
            object_id=about["id"],
            api_version=None if thin else API_VERSION,
            payload=payload,
        )
        self.news.append(news)
        return news
