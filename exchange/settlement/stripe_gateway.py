"""The only file that imports ``stripe``: calls, signatures, error mapping. What comes back is our own.

Every write takes ``key``, the operation's id: it is the idempotency key and is written into the object's metadata, so
that any event or list leads back to the operation. Requests are plain parameters made by the ``*_params`` functions
below and frozen in the operation's row, so a second try sends the very same body.
"""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import stripe

from exchange.database import in_transaction
from exchange.errors import N_, Conflict, Unavailable
from exchange.money import Money
from exchange.settings import settings
from exchange.settlement.rules.drift import Movement

API_VERSION = "2026-10-28.endive"
"""One version for the client, the webhook endpoints and the sandbox."""

LIVE_BASE = "https://api.stripe.com"

Params = dict[str, Any]


class NoAnswer(Unavailable):
    """The call may have done its work or not: ask again with the same key."""

    message = N_("The payment service does not answer at the moment. Nothing is lost; try again in a few minutes.")


class Busy(Unavailable):
    """The call was turned away before it did anything: wait and ask again."""

    message = N_("The payment service is busy. Try again in a moment.")


class Refused(Conflict):
    """Stripe said no, for good; ``code`` is its reason, ``request_id`` its trace."""

    message = N_("The payment service refused: %(reason)s")

    def __init__(self, *, reason: str, stripe_code: str | None, request_id: str | None) -> None:
        super().__init__(reason=reason)
        self.stripe_code = stripe_code
        self.request_id = request_id


class KeyReused(Refused):
    """One key, two different bodies: a fault of ours. Stop and call a person."""


class BadSignature(Exception):
    """No secret of ours signed this body, or too long ago."""


@dataclass(frozen=True, slots=True)
class Session:
    """A Checkout Session with what its PaymentIntent and charge say."""

    id: str
    url: str | None
    reference: str | None
    operation_id: str | None
    livemode: bool
    status: str
    paid: bool
    amount: Money
    intent_id: str | None
    intent_status: str | None
    received_minor: int | None
    charge: "Charge | None"


@dataclass(frozen=True, slots=True)
class Charge:
    """What reached us; ``fee`` is known once its balance transaction exists."""

    id: str
    method: str | None
    amount: Money
    fee: Money | None
    available_on: datetime | None


@dataclass(frozen=True, slots=True)
class Refund:
    id: str
    status: str
    amount: Money
    operation_id: str | None
    charge_id: str | None


@dataclass(frozen=True, slots=True)
class Transfer:
    id: str
    amount: Money
    destination: str
    operation_id: str | None


@dataclass(frozen=True, slots=True)
class Dispute:
    id: str
    status: str
    amount: Money
    charge_id: str
    moved: "tuple[Moved, ...]" = ()
    """What the bank took from our balance, and gave back; nothing for an inquiry."""


@dataclass(frozen=True, slots=True)
class Moved:
    """One balance transaction of a dispute: ``amount`` is signed, ``fee`` is taken beside it."""

    id: str
    amount: Money
    fee: Money


@dataclass(frozen=True, slots=True)
class Recipient:
    """A seller's account; money can be sent to it while ``active``."""

    id: str
    status: str
    """Of the capability to receive transfers: ``active``, ``pending``, ``restricted``, ``unsupported``, ``closed``."""
    due: tuple[str, ...]
    """What Stripe still asks of the seller."""
    operation_id: str | None

    @property
    def active(self) -> bool:
        return self.status == "active"


@dataclass(frozen=True, slots=True)
class News:
    """An event, verified or fetched: a hint that something changed."""

    id: str
    thin: bool
    type: str
    created: datetime
    livemode: bool
    account: str | None
    object_id: str | None
    api_version: str | None
    payload: Params


def recipient_params(*, email: str, name: str, country: str, currency: str) -> Params:
    """A company that receives transfers and sees an Express dashboard (settlement guide §2, *Accounts*)."""
    transfers = {"stripe_balance": {"stripe_transfers": {"requested": True}}}
    return {
        "contact_email": email,
        "display_name": name,
        "dashboard": "express",
        "identity": {"country": country.lower(), "entity_type": "company"},
        "configuration": {"recipient": {"capabilities": transfers}},
        "defaults": {
            "currency": currency.lower(),
            "responsibilities": {"fees_collector": "application", "losses_collector": "application"},
        },
        "include": ["configuration.recipient", "requirements"],
    }


def customer_params(*, email: str) -> Params:
    """A buyer; no name leaves us."""
    return {"email": email}


def checkout_params(
    *, customer: str, obligation: UUID, deal: UUID, label: str, total: Money, expires_at: datetime, back_to: str
) -> Params:
    """A hosted pay page for one obligation. ``label`` names the goods in general: no company's name goes here."""
    return {
        "mode": "payment",
        "customer": customer,
        "client_reference_id": str(obligation),
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": total.currency.lower(),
                    "unit_amount": total.minor,
                    "product_data": {"name": label},
                },
            }
        ],
        "payment_intent_data": {"transfer_group": str(deal)},
        "expires_at": int(expires_at.timestamp()),
        "success_url": f"{back_to}?cs={{CHECKOUT_SESSION_ID}}",
        "cancel_url": back_to,
    }


def transfer_params(*, destination: str, amount: Money, charge: str, deal: UUID) -> Params:
    """One leg, tied to its charge: it succeeds before the money is available and never sends more than came in."""
    return {
        "destination": destination,
        "amount": amount.minor,
        "currency": amount.currency.lower(),
        "source_transaction": charge,
        "transfer_group": str(deal),
    }


def refund_params(*, charge: str, amount: Money) -> Params:
    return {"charge": charge, "amount": amount.minor}


def reversal_params(*, transfer: str, amount: Money) -> Params:
    return {"transfer": transfer, "amount": amount.minor}


class Gateway:
    """The payment service, through one client per process. Refuses to be called while a transaction is open."""

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
        async with _answered():
            made = await self._client.v2.core.accounts.create_async(_marked(params, key), _keyed(key))
        return _recipient(made)

    async def create_customer(self, key: UUID, params: Params) -> str:
        async with _answered():
            made = await self._client.v1.customers.create_async(_marked(params, key), _keyed(key))
        return made.id

    async def create_session(self, key: UUID, params: Params) -> Session:
        body = _marked(params, key)
        body["payment_intent_data"] = _marked(params["payment_intent_data"], key)  # its events carry its own metadata
        async with _answered():
            made = await self._client.v1.checkout.sessions.create_async(body, _keyed(key))
        return _session(made)

    async def expire_session(self, key: UUID, session: str) -> Session:
        """Close a pay page. Raises Refused when it is complete: paid, or on the way."""
        async with _answered():
            made = await self._client.v1.checkout.sessions.expire_async(session, None, _keyed(key))
        return _session(made)

    async def create_transfer(self, key: UUID, params: Params) -> Transfer:
        async with _answered():
            made = await self._client.v1.transfers.create_async(_marked(params, key), _keyed(key))
        return _transfer(made)

    async def create_refund(self, key: UUID, params: Params) -> Refund:
        async with _answered():
            made = await self._client.v1.refunds.create_async(_marked(params, key), _keyed(key))
        return _refund(made)

    async def create_reversal(self, key: UUID, params: Params) -> str:
        body = _marked(params, key)
        async with _answered():
            made = await self._client.v1.transfers.reversals.create_async(body.pop("transfer"), body, _keyed(key))
        return made.id

    async def onboarding_link(self, account: str, *, return_url: str, refresh_url: str) -> str:
        """A single-use address where the seller identifies itself: minted on a click, never stored."""
        onboarding: Any = {
            "return_url": return_url,
            "refresh_url": refresh_url,
            "collection_options": {"fields": "eventually_due"},
        }
        async with _answered():
            link = await self._client.v2.core.account_links.create_async(
                {"account": account, "use_case": {"type": "account_onboarding", "account_onboarding": onboarding}}
            )
        return link.url

    # --- reads

    async def session(self, session: str) -> Session:
        async with _answered():
            found = await self._client.v1.checkout.sessions.retrieve_async(session, _EXPANDED)
        return _session(found)

    async def recipient(self, account: str) -> Recipient:
        async with _answered():
            found = await self._client.v2.core.accounts.retrieve_async(
                account, {"include": ["configuration.recipient", "requirements"]}
            )
        return _recipient(found)

    async def refund(self, refund: str) -> Refund:
        async with _answered():
            return _refund(await self._client.v1.refunds.retrieve_async(refund))

    async def dispute(self, dispute: str) -> Dispute:
        async with _answered():
            d = _plain(await self._client.v1.disputes.retrieve_async(dispute))
        moved = tuple(
            Moved(m["id"], Money(m["amount"], m["currency"].upper()), Money(m["fee"], m["currency"].upper()))
            for m in d["balance_transactions"]
        )
        return Dispute(d["id"], d["status"], Money(d["amount"], d["currency"].upper()), d["charge"], moved)

    # --- looking an operation up after its key has died, or its answer was lost

    async def find_session(self, key: UUID, customer: str) -> Session | None:
        async with _answered():
            pages = await self._client.v1.checkout.sessions.list_async({"customer": customer, "limit": 100})
            async for found in pages.auto_paging_iter():
                if _operation(_plain(found)) == str(key):
                    return await self.session(found.id)
        return None

    async def find_transfer(self, key: UUID, deal: str) -> Transfer | None:
        async with _answered():
            pages = await self._client.v1.transfers.list_async({"transfer_group": deal, "limit": 100})
            async for found in pages.auto_paging_iter():
                if _operation(_plain(found)) == str(key):
                    return _transfer(found)
        return None

    async def find_refund(self, key: UUID, charge: str) -> Refund | None:
        async with _answered():
            pages = await self._client.v1.refunds.list_async({"charge": charge, "limit": 100})
            async for found in pages.auto_paging_iter():
                if _operation(_plain(found)) == str(key):
                    return _refund(found)
        return None

    async def find_reversal(self, key: UUID, transfer: str) -> str | None:
        async with _answered():
            pages = await self._client.v1.transfers.reversals.list_async(transfer, {"limit": 100})
            async for found in pages.auto_paging_iter():
                if _operation(_plain(found)) == str(key):
                    return found.id
        return None

    async def find_recipient(self, key: UUID) -> Recipient | None:
        async with _answered():
            pages = await self._client.v2.core.accounts.list_async({"limit": 100})
            async for found in pages.auto_paging_iter():
                if _operation(_plain(found)) == str(key):
                    return await self.recipient(found.id)
        return None

    # --- events and the balance

    async def events(self, since: datetime) -> list[News]:
        """Snapshot events created since then (Stripe keeps 30 days), oldest first."""
        async with _answered():
            pages = await self._client.v1.events.list_async({"created": {"gte": int(since.timestamp())}, "limit": 100})
            found = [_news(_plain(event)) async for event in pages.auto_paging_iter()]
        return found[::-1]

    async def thin_events(self, since: datetime) -> list[News]:
        """Events of accounts created since then, oldest first."""
        async with _answered():
            pages = await self._client.v2.core.events.list_async(
                {"created": {"gte": since.strftime("%Y-%m-%dT%H:%M:%SZ")}, "limit": 100}
            )
            found = [_news(_plain(event)) async for event in pages.auto_paging_iter()]
        return sorted(found, key=lambda news: news.created)

    async def movements(self, since: datetime, until: datetime) -> list[Movement]:
        """Every balance transaction created in the span: what moved the platform's balance, by its source."""
        span: Any = {"gte": int(since.timestamp()), "lt": int(until.timestamp())}
        async with _answered():
            pages = await self._client.v1.balance_transactions.list_async({"created": span, "limit": 100})
            return [_movement(row) async for row in pages.auto_paging_iter()]

    async def movements_of(self, source: str) -> list[Movement]:
        """Every balance transaction of one object, whenever it was made; ``txn_…`` is one that has no object."""
        async with _answered():
            if source.startswith("txn_"):
                return [_movement(await self._client.v1.balance_transactions.retrieve_async(source))]
            pages = await self._client.v1.balance_transactions.list_async({"source": source, "limit": 100})
            return [_movement(row) async for row in pages.auto_paging_iter()]


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
        return _news(body)
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


# --- how Stripe is spoken to and understood

_EXPANDED: Any = {"expand": ["payment_intent.latest_charge.balance_transaction"]}


@asynccontextmanager
async def _answered() -> AsyncIterator[None]:
    """Refuse to call inside a transaction; turn the library's errors into what they mean for us."""
    if in_transaction():
        raise RuntimeError("Stripe is never called while a transaction is open")
    try:
        yield
    except stripe.APIConnectionError as e:
        raise NoAnswer from e
    except stripe.RateLimitError as e:
        raise Busy from e
    except stripe.StripeError as e:
        if e.code in {"idempotency_key_in_use", "lock_timeout"}:
            raise Busy from e
        kind = KeyReused if isinstance(e, stripe.IdempotencyError) else Refused
        if e.http_status is None or e.http_status >= 500:
            raise NoAnswer from e
        if e.http_status in {401, 403} and kind is Refused:
            raise Busy from e  # our key is wrong or was rolled: nothing happened there, and it heals
        raise kind(reason=e.user_message or str(e), stripe_code=e.code, request_id=e.request_id) from e


def _keyed(key: UUID) -> Any:
    return {"idempotency_key": str(key)}


def _marked(params: Params, key: UUID) -> Any:
    return {**params, "metadata": {**params.get("metadata", {}), "operation_id": str(key)}}


def _plain(found: Any) -> Params:
    return found if isinstance(found, dict) else cast(Params, found.to_dict(for_json=True))


def _operation(found: Params) -> str | None:
    return (found.get("metadata") or {}).get("operation_id")


def _at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _session(found: Any) -> Session:
    s = _plain(found)
    intent = s.get("payment_intent")
    expanded = intent if isinstance(intent, dict) else None
    charge = expanded.get("latest_charge") if expanded else None
    return Session(
        id=s["id"],
        url=s.get("url"),
        reference=s.get("client_reference_id"),
        operation_id=_operation(s),
        livemode=s["livemode"],
        status=s["status"],
        paid=s["payment_status"] == "paid",
        amount=Money(s["amount_total"], s["currency"].upper()),
        intent_id=expanded["id"] if expanded else intent,
        intent_status=expanded["status"] if expanded else None,
        received_minor=expanded["amount_received"] if expanded else None,
        charge=_charge(charge) if isinstance(charge, dict) else None,
    )


def _charge(found: Params) -> Charge:
    balance = found.get("balance_transaction")
    settled = balance if isinstance(balance, dict) else None
    return Charge(
        id=found["id"],
        method=(found.get("payment_method_details") or {}).get("type"),
        amount=Money(found["amount_captured"], found["currency"].upper()),
        fee=Money(settled["fee"], settled["currency"].upper()) if settled else None,
        available_on=_at(settled["available_on"]) if settled else None,
    )


def _refund(found: Any) -> Refund:
    r = _plain(found)
    return Refund(r["id"], r["status"], Money(r["amount"], r["currency"].upper()), _operation(r), r.get("charge"))


def _transfer(found: Any) -> Transfer:
    t = _plain(found)
    return Transfer(t["id"], Money(t["amount"], t["currency"].upper()), t["destination"], _operation(t))


def _recipient(found: Any) -> Recipient:
    a = _plain(found)
    configuration = (a.get("configuration") or {}).get("recipient") or {}
    balance = (configuration.get("capabilities") or {}).get("stripe_balance") or {}
    entries = (a.get("requirements") or {}).get("entries") or []
    return Recipient(
        id=a["id"],
        status="closed" if a.get("closed") else (balance.get("stripe_transfers") or {}).get("status", "pending"),
        due=tuple(entry["description"] for entry in entries),
        operation_id=_operation(a),
    )


def _movement(row: Any) -> Movement:
    return Movement(
        source=str(row["source"] or row["id"]),
        kind=row["type"],
        currency=row["currency"].upper(),
        net_minor=row["net"],
    )


def _news(event: Params) -> News:
    thin = event["object"] == "v2.core.event"
    about = (event.get("related_object") or {}) if thin else event["data"]["object"]
    created = datetime.fromisoformat(event["created"]) if thin else _at(event["created"])
    return News(
        id=event["id"],
        thin=thin,
        type=event["type"],
        created=created,
        livemode=event["livemode"],
        account=event.get("account") or event.get("context"),
        object_id=about.get("id"),
        api_version=event.get("api_version"),
        payload=event,
    )
