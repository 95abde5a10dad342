"""The only package that imports ``stripe``: calls, signatures, refusals. What comes back is our own.

Every write takes ``key``, the operation's id: it is the idempotency key and is written into the object's metadata, so
that any event or list leads back to the operation. ``requests`` makes what is asked, ``answers`` reads what comes
back, ``refusals`` says why nothing did.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import stripe

from exchange.settings import settings
from exchange.settlement.rules.drift import Movement
from exchange.settlement.rules.payments import DISPUTE_WON
from exchange.settlement.stripe_gateway.answers import (
    Awaited,
    Cash,
    Charge,
    Dispute,
    Moved,
    News,
    Payout,
    Recipient,
    Refund,
    Session,
    Standing,
    Transfer,
    cash_in,
    movement_in,
    news_in,
    operation_in,
    payout_in,
    plain,
    recipient_in,
    refund_in,
    session_in,
    transfer_in,
)
from exchange.settlement.stripe_gateway.evidence import Disputes
from exchange.settlement.stripe_gateway.refusals import Busy, KeyReused, NoAnswer, Refused, answered
from exchange.settlement.stripe_gateway.requests import (
    Params,
    cash_return_params,
    checkout_params,
    customer_params,
    evidence_params,
    keyed,
    marked,
    recipient_params,
    refund_params,
    reversal_params,
    transfer_params,
)

__all__ = [
    "API_VERSION",
    "LIVE_BASE",
    "Awaited",
    "BadSignature",
    "Busy",
    "Cash",
    "Charge",
    "Dispute",
    "Gateway",
    "KeyReused",
    "Moved",
    "News",
    "NoAnswer",
    "Params",
    "Payout",
    "Recipient",
    "Refund",
    "Refused",
    "Session",
    "Standing",
    "Transfer",
    "cash_return_params",
    "checkout_params",
    "close",
    "customer_params",
    "evidence_params",
    "gateway",
    "read_news",
    "recipient_params",
    "refund_params",
    "reversal_params",
    "transfer_params",
    "use",
]

API_VERSION = "2026-10-28.endive"
"""One version for the client, the webhook endpoints and the sandbox."""

LIVE_BASE = "https://api.stripe.com"


class BadSignature(Exception):
    """No secret of ours signed this body, or too long ago."""


class Gateway(Disputes):
    """The payment service, through one client per process. Refuses to be called while a transaction is open."""

    _client: stripe.StripeClient

    def __init__(self, key: str, base: str | None = None) -> None:
        if key.startswith(("sk_live_", "rk_live_")):
            if not settings().stripe_allow_live:
                raise RuntimeError("a live Stripe key needs STRIPE_ALLOW_LIVE=1")
            if base not in {None, LIVE_BASE}:
                raise RuntimeError("a live Stripe key speaks to api.stripe.com only")
        self.livemode = key.startswith(("sk_live_", "rk_live_"))
        self._http = stripe.HTTPXClient(timeout=15)
        self._client = stripe.StripeClient(
            key,
            base_addresses={"api": base, "connect": base, "files": base, "meter_events": base} if base else None,
            http_client=self._http,
            max_network_retries=2,
            stripe_version=API_VERSION,
        )

    async def close(self) -> None:
        await self._http.close_async()  # type: ignore[no-untyped-call]  # the SDK does not annotate it

    # --- writes: one per kind of operation

    async def create_recipient(self, key: UUID, params: Params) -> Recipient:
        async with answered():
            made = await self._client.v2.core.accounts.create_async(marked(params, key), keyed(key))
        return recipient_in(made)

    async def create_customer(self, key: UUID, params: Params) -> str:
        async with answered():
            made = await self._client.v1.customers.create_async(marked(params, key), keyed(key))
        return made.id

    async def create_session(self, key: UUID, params: Params) -> Session:
        body = marked(params, key)
        body["payment_intent_data"] = marked(params["payment_intent_data"], key)  # its events carry its own metadata
        async with answered():
            made = await self._client.v1.checkout.sessions.create_async(body, keyed(key))
        return session_in(made)

    async def expire_session(self, key: UUID, session: str) -> Session:
        """Close a pay page. Raises Refused when it is complete: paid, or on the way."""
        async with answered():
            made = await self._client.v1.checkout.sessions.expire_async(session, None, keyed(key))
        return session_in(made)

    async def cancel_payment(self, key: UUID, intent: str, session: str) -> Session:
        """Stop waiting for a payment; its session as it is then. Raises Refused when the money is there, or on its way.

        A bank transfer that brought a part of it lies in the customer's cash balance from then on (†).
        """
        async with answered():
            await self._client.v1.payment_intents.cancel_async(intent, {"cancellation_reason": "abandoned"}, keyed(key))
        return await self.session(session)

    async def create_transfer(self, key: UUID, params: Params) -> Transfer:
        async with answered():
            made = await self._client.v1.transfers.create_async(marked(params, key), keyed(key))
        return transfer_in(made)

    async def create_refund(self, key: UUID, params: Params) -> Refund:
        async with answered():
            made = await self._client.v1.refunds.create_async(marked(params, key), keyed(key))
        return refund_in(made)

    async def create_reversal(self, key: UUID, params: Params) -> str:
        body = marked(params, key)
        async with answered():
            made = await self._client.v1.transfers.reversals.create_async(body.pop("transfer"), body, keyed(key))
        return made.id

    async def onboarding_link(self, account: str, *, return_url: str, refresh_url: str) -> str:
        """A single-use address where the seller identifies itself: minted on a click, never stored."""
        onboarding: Any = {
            "return_url": return_url,
            "refresh_url": refresh_url,
            "collection_options": {"fields": "eventually_due"},
        }
        async with answered():
            link = await self._client.v2.core.account_links.create_async(
                {"account": account, "use_case": {"type": "account_onboarding", "account_onboarding": onboarding}}
            )
        return link.url

    # --- reads

    async def session(self, session: str) -> Session:
        async with answered():
            found = await self._client.v1.checkout.sessions.retrieve_async(session, _EXPANDED)
        return session_in(found)

    async def recipient(self, account: str) -> Recipient:
        async with answered():
            found = await self._client.v2.core.accounts.retrieve_async(
                account, {"include": ["configuration.recipient", "requirements"]}
            )
        return recipient_in(found)

    async def refund(self, refund: str) -> Refund:
        async with answered():
            return refund_in(await self._client.v1.refunds.retrieve_async(refund))

    async def cash(self, customer: str) -> Cash:
        """What lies in a buyer's cash balance, and what it was last about."""
        async with answered():
            balance = await self._client.v1.customers.cash_balance.retrieve_async(customer)
            moved = await self._client.v1.customers.cash_balance_transactions.list_async(customer, {"limit": 20})
        return cash_in(plain(balance), [plain(movement) for movement in moved.data])

    async def standing(self, charge: str) -> Standing:
        """What has become of a charge by now: disputes, refunds, the card network's warning."""
        async with answered():
            found = plain(await self._client.v1.charges.retrieve_async(charge))
            warnings = await self._client.v1.radar.early_fraud_warnings.list_async({"charge": charge, "limit": 1})
            disputes, refunds = [], []
            if found["disputed"]:
                listed = await self._client.v1.disputes.list_async({"charge": charge, "limit": 100})
                disputes = [plain(dispute) async for dispute in listed.auto_paging_iter()]
            if found["amount_refunded"]:
                pages = await self._client.v1.refunds.list_async({"charge": charge, "limit": 100})
                refunds = [refund_in(refund) async for refund in pages.auto_paging_iter()]
        return Standing(
            disputes=tuple(dispute["id"] for dispute in disputes),
            against=tuple(dispute["id"] for dispute in disputes if dispute["status"] not in DISPUTE_WON),
            refunds=tuple(refunds),
            fraud_warning=next((warning.id for warning in warnings.data), None),
        )

    async def maker_of(self, charge: str) -> str | None:
        """The operation a charge goes back to: a charge carries what its PaymentIntent was marked with."""
        async with answered():
            return operation_in(plain(await self._client.v1.charges.retrieve_async(charge)))

    async def payout(self, payout: str, account: str | None = None) -> Payout:
        """A payout of a seller's ``account``, or our own."""
        whose: Any = {"stripe_account": account} if account else {}
        async with answered():
            return payout_in(await self._client.v1.payouts.retrieve_async(payout, None, whose))

    async def payouts(self, account: str, since: datetime) -> list[Payout]:
        """The payouts of a seller's account made since then."""
        span: Any = {"created": {"gte": int(since.timestamp())}, "limit": 100}
        async with answered():
            pages = await self._client.v1.payouts.list_async(span, {"stripe_account": account})
            return [payout_in(found) async for found in pages.auto_paging_iter()]

    # --- looking an operation up after its key has died, or its answer was lost

    async def find_session(self, key: UUID, customer: str) -> Session | None:
        async with answered():
            pages = await self._client.v1.checkout.sessions.list_async({"customer": customer, "limit": 100})
            async for found in pages.auto_paging_iter():
                if operation_in(plain(found)) == str(key):
                    return await self.session(found.id)
        return None

    async def find_transfer(self, key: UUID, deal: str) -> Transfer | None:
        async with answered():
            pages = await self._client.v1.transfers.list_async({"transfer_group": deal, "limit": 100})
            async for found in pages.auto_paging_iter():
                if operation_in(plain(found)) == str(key):
                    return transfer_in(found)
        return None

    async def find_cash_return(self, key: UUID, since: datetime) -> Refund | None:
        async with answered():
            pages = await self._client.v1.refunds.list_async({"created": {"gte": int(since.timestamp())}, "limit": 100})
            async for found in pages.auto_paging_iter():
                if operation_in(plain(found)) == str(key):
                    return refund_in(found)
        return None

    async def find_refund(self, key: UUID, charge: str) -> Refund | None:
        async with answered():
            pages = await self._client.v1.refunds.list_async({"charge": charge, "limit": 100})
            async for found in pages.auto_paging_iter():
                if operation_in(plain(found)) == str(key):
                    return refund_in(found)
        return None

    async def find_reversal(self, key: UUID, transfer: str) -> str | None:
        async with answered():
            pages = await self._client.v1.transfers.reversals.list_async(transfer, {"limit": 100})
            async for found in pages.auto_paging_iter():
                if operation_in(plain(found)) == str(key):
                    return found.id
        return None

    async def find_recipient(self, key: UUID) -> Recipient | None:
        async with answered():
            pages = await self._client.v2.core.accounts.list_async({"limit": 100})
            async for found in pages.auto_paging_iter():
                if operation_in(plain(found)) == str(key):
                    return await self.recipient(found.id)
        return None

    # --- events and the balance

    async def events(self, since: datetime) -> list[News]:
        """Snapshot events created since then (Stripe keeps 30 days), oldest first."""
        async with answered():
            pages = await self._client.v1.events.list_async({"created": {"gte": int(since.timestamp())}, "limit": 100})
            found = [news_in(plain(event)) async for event in pages.auto_paging_iter()]
        return found[::-1]

    async def thin_events(self, since: datetime) -> list[News]:
        """Events of accounts created since then, oldest first."""
        async with answered():
            pages = await self._client.v2.core.events.list_async(
                {"created": {"gte": since.strftime("%Y-%m-%dT%H:%M:%SZ")}, "limit": 100}
            )
            found = [news_in(plain(event)) async for event in pages.auto_paging_iter()]
        return sorted(found, key=lambda news: news.created)

    async def movements(self, since: datetime, until: datetime) -> list[Movement]:
        """Every balance transaction created in the span: what moved the platform's balance, by its source."""
        span: Any = {"gte": int(since.timestamp()), "lt": int(until.timestamp())}
        async with answered():
            pages = await self._client.v1.balance_transactions.list_async({"created": span, "limit": 100})
            return [movement_in(row) async for row in pages.auto_paging_iter()]

    async def movements_of(self, source: str) -> list[Movement]:
        """Every balance transaction of one object, whenever it was made; ``txn_…`` is one that has no object."""
        async with answered():
            if source.startswith("txn_"):
                return [movement_in(await self._client.v1.balance_transactions.retrieve_async(source))]
            pages = await self._client.v1.balance_transactions.list_async({"source": source, "limit": 100})
            return [movement_in(row) async for row in pages.auto_paging_iter()]


def read_news(raw: bytes, signature: str | None, secrets: Sequence[str]) -> News:
    """The event in ``raw``, which one of ``secrets`` signed within the last five minutes.

    Raises BadSignature; ValueError for a signed body that is no event.
    """
    for secret in secrets:
        try:
            stripe.WebhookSignature.verify_header(raw, signature, secret, stripe.Webhook.DEFAULT_TOLERANCE)
        except (stripe.SignatureVerificationError, UnicodeDecodeError):
            continue
        body = json.loads(raw)
        if not isinstance(body, dict) or body.get("object") not in {"event", "v2.core.event"}:
            raise ValueError("a signed body that is no event")
        return news_in(body)
    raise BadSignature


_current: Gateway | None = None


def gateway() -> Gateway:
    """This process's gateway, made from the settings at first use."""
    global _current
    if _current is None:
        key = settings().stripe_secret_key
        if key is None:
            raise NoAnswer
        _current = Gateway(key.get_secret_value(), settings().stripe_api_base)
    return _current


def use(other: Gateway | None) -> None:
    """Put ``other`` in its place: for tests; ``None`` forgets it."""
    global _current
    _current = other


async def close() -> None:
    """Give the connections of this process's gateway back, at its end."""
    global _current
    if _current is not None:
        await _current.close()
        _current = None


# --- how Stripe is spoken to

_EXPANDED: Any = {"expand": ["payment_intent.latest_charge.balance_transaction"]}
