"""The inbox of Stripe's news: stored once, handled once, believed never.

An event is a hint that an object changed. Its handling retrieves the object as it is now, with no transaction open,
then takes it over and marks the event handled in one transaction.
"""

import json
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from uuid import UUID, uuid4

from exchange.clock import now
from exchange.database import execute, fetchrow, fetchval, transaction
from exchange.errors import N_, Invalid, Unavailable
from exchange.jobs import enqueue
from exchange.settlement.actions import cash, operations, payments, payouts, refunds, sellers
from exchange.settlement.actions.disputes import take_dispute
from exchange.settlement.actions.warnings import take_warning
from exchange.settlement.rules.payments import PaymentState
from exchange.settlement.stripe_gateway import API_VERSION, News, Params, gateway

log = logging.getLogger(__name__)

Effect = Callable[[], Awaitable[None]]

HANDLED_PREFIXES = (
    "cash_balance.",
    "checkout.session.",
    "customer_cash_balance_transaction.",
    "payment_intent.succeeded",
    "payment_intent.processing",
    "payment_intent.payment_failed",
    "payment_intent.partially_funded",
    "payment_intent.canceled",
    "charge.updated",
    "charge.dispute.",
    "radar.early_fraud_warning.",
    "refund.",
    "transfer.",
    "v2.core.account",
)
"""What is looked at; anything else is kept in the inbox and marked handled (settlement guide §5 lists them)."""


ARRIVED = frozenset({PaymentState.PAID, PaymentState.SURPLUS})
"""Nothing more can become of a payment itself; what was refunded or disputed of it is other objects' news."""


class WrongMode(Invalid):
    """Test news for a live exchange, or the reverse."""

    message = N_("This event belongs to another mode (test or live) than this exchange runs in.")


class WrongVersion(Invalid):
    """An endpoint of ours was registered for another version of the payment service's interface."""

    message = N_("This event is written in another version (%(version)s) than this exchange speaks.")


class TooEarly(Unavailable):
    """News of a charge whose payment is not in the books: it is handled later."""

    message = N_("The payment this is about is not known yet. It is asked for again.")


async def take_in(news: News, source: str) -> bool:
    """Store an event once and queue its handling; False when it was here before. Raises WrongMode, WrongVersion.

    A polled event is in the version it was made in; only its object's id is believed, so any will do.
    """
    if news.livemode is not gateway().livemode:
        raise WrongMode
    if source == "webhook" and not news.thin and news.api_version != API_VERSION:
        raise WrongVersion(version=news.api_version or "none")
    async with transaction():
        stored = await fetchval(
            "insert into stripe_event (id, event_id, thin, type, api_version, created_at, livemode, account, "
            "object_id, payload, source, received_at, attempts, last_error) "
            "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, '') "
            "on conflict (event_id) do nothing returning id",
            uuid4(),
            news.id,
            news.thin,
            news.type,
            news.api_version,
            news.created,
            news.livemode,
            news.account,
            news.object_id,
            json.dumps(news.payload),
            source,
            now(),
        )
        if stored is not None:
            await enqueue("stripe.event", stored)
    return stored is not None


async def handle(event_id: UUID) -> None:
    """Act on an event, once: its effects and its being handled commit together.

    Every payment is on our own account: of the snapshots of what happens on a seller's, only its payouts are heard.
    """
    event = await fetchrow(
        "update stripe_event set attempts = attempts + 1 where id = $1 and handled_at is null "
        "returning type, object_id, payload, thin, account",
        event_id,
    )
    if event is None:
        return
    effect = None
    if event["account"] is not None and not event["thin"]:
        if event["type"].startswith("payout."):
            effect = await _payout(event["object_id"], event["account"])
    elif event["type"].startswith(HANDLED_PREFIXES):
        effect = await _effect_of(event["type"], event["object_id"], json.loads(event["payload"]))
    async with transaction(alone=True):
        if effect is not None:
            await effect()
        await execute("update stripe_event set handled_at = $2 where id = $1", event_id, now())


async def _effect_of(kind: str, object_id: str | None, payload: Params) -> Effect | None:
    """What the event changes here, its object retrieved; None when it is nothing of ours."""
    if "cash_balance" in kind:
        return await _cash(payload["data"]["object"].get("customer"))
    if object_id is None:
        return None
    if kind.startswith("v2.core.account"):
        return await _account(object_id)
    if kind.startswith("charge.dispute."):
        dispute = await gateway().dispute(object_id)
        await _ensure_known(dispute.charge_id)
        return partial(take_dispute, dispute)
    about = payload["data"]["object"]
    if kind.startswith("radar."):
        await _ensure_known(about["charge"])
        return partial(take_warning, about["charge"], object_id)
    operation_id = (about.get("metadata") or {}).get("operation_id")
    if kind.startswith("refund."):
        return await _refund(object_id, operation_id, created=kind == "refund.created")
    if kind.startswith("transfer."):
        return await _operation(operation_id)
    if kind.startswith("checkout.session."):
        return await _payment("session_id", object_id, operation_id)
    if kind.startswith("payment_intent."):
        return await _payment("payment_intent_id", object_id, operation_id)
    return await _payment("payment_intent_id", about.get("payment_intent"), operation_id, fee=True)  # charge.updated


async def _ensure_known(charge_id: str) -> None:
    """News of a charge may overtake that of its payment, which is then asked about first (money list 9).

    Raises TooEarly when the charge is of a payment of ours that is not in the books all the same.
    """
    known = "select exists (select from payment where charge_id = $1)"
    if await fetchval(known, charge_id):
        return
    maker = await gateway().maker_of(charge_id)
    ours = await fetchval("select subject_id from stripe_operation where id::text = $1", maker)
    if ours is None:
        return
    await payments.refresh(ours)
    if not await fetchval(known, charge_id):
        raise TooEarly


async def _operation(operation_id: str | None) -> Effect | None:
    """News of an object an operation of ours made: the operation ends now, if its answer never reached us."""
    found = await operations.operation_of(UUID(operation_id)) if operation_id else None
    if found is None or found.state.final:
        return None
    made = await operations.look_up(found)
    return partial(operations.complete, found, made) if made is not None else None


async def _payment(column: str, value: str | None, operation_id: str | None, *, fee: bool = False) -> Effect | None:
    """News of a payment. Of one that has arrived only what the payment service kept of it is left to hear (``fee``)."""
    payment = await fetchrow(
        f"select id, session_id, state, fee_minor from payment where {column} = $1",  # noqa: S608  one of two fixed names
        value,
    )
    if payment is None and operation_id is not None:
        payment = await fetchrow(
            "select p.id, p.session_id, p.state, p.fee_minor from payment p "
            "join stripe_operation o on o.subject_id = p.id where o.id = $1",
            UUID(operation_id),
        )
    if payment is None:
        return None
    if payment["state"] in ARRIVED and (payment["fee_minor"] is not None or not fee):
        return None
    if payment["session_id"] is None:
        return await _operation(operation_id)  # the event overtook the answer that makes the session known
    return partial(payments.settle, payment["id"], await gateway().session(payment["session_id"]))


async def _refund(refund_id: str, operation_id: str | None, *, created: bool) -> Effect | None:
    """News of a refund; that it was ``created`` is no news of one we hold."""
    for sql, take in (
        ("select id from refund where refund_id = $1", refunds.take_refund),
        ("select id from cash_return where refund_id = $1", cash.take_return),
    ):
        ours = await fetchval(sql, refund_id)
        if ours is not None:
            return None if created else partial(take, ours, await gateway().refund(refund_id))
    return await _operation(operation_id)


async def _cash(customer_id: str | None) -> Effect | None:
    """A buyer's cash balance has something in it, or moved: it is looked at by its own job."""
    company = await fetchval("select company_id from payment_customer where customer_id = $1", customer_id)
    return partial(enqueue, "cash.look", company) if company is not None else None


async def _payout(payout_id: str, account_id: str) -> Effect | None:
    ours = await fetchval("select id from payout_account where account_id = $1", account_id)
    if ours is None:
        return None
    return partial(payouts.take_payout, ours, await gateway().payout(payout_id, account_id))


async def _account(account_id: str) -> Effect | None:
    ours = await fetchval("select id from payout_account where account_id = $1", account_id)
    if ours is None:
        return None
    asked_at = now()
    return partial(sellers.take_account, ours, await gateway().recipient(account_id), asked_at)
