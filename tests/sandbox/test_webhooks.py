"""Webhooks as a receiver sees them: signed with the real clock, at the endpoint's version, retried, disturbed."""

import asyncio
import json
from typing import Any

import pytest
import stripe

from tests.sandbox.conftest import Sandbox
from tests.sandbox.kept import SECRETS, Received, Receiver
from tests.sandbox.test_journey import new_seller, new_session, onboard, paid_charge, pay


def event_of(received: Received) -> stripe.Event:
    return stripe.Webhook.construct_event(  # type: ignore[no-any-return]  # the SDK leaves it unannotated
        received.body, received.headers["stripe-signature"], SECRETS["platform"]
    )


def typed(hooks: Receiver, *types: str) -> bool:
    return {json.loads(r.body)["type"] for r in hooks.got} >= set(types)


async def test_a_paid_session_is_told_in_events_the_sdk_verifies(sandbox: Sandbox) -> None:
    session = await new_session(sandbox)
    await pay(sandbox, session, "card:4242424242424242")
    await sandbox.hooks.until(lambda h: typed(h, "checkout.session.completed", "payment_intent.succeeded"))
    events = [event_of(r) for r in sandbox.hooks.got if r.path == "/platform"]
    completed: Any = next(e for e in events if e.type == "checkout.session.completed")
    assert (completed.data.object["id"], completed.data.object["payment_status"]) == (session.id, "paid")
    assert completed.api_version == "2026-10-28.endive"
    assert completed.request.id.startswith("req_sbx") if completed.request.id else True
    stored = await sandbox.v1.events.retrieve_async(completed.id)
    assert stored.type == completed.type


async def test_a_stranger_cannot_sign(sandbox: Sandbox) -> None:
    await sandbox.v1.customers.create_async({"email": "a@example.test"})
    await sandbox.hooks.until(lambda h: bool(h.got))
    received = sandbox.hooks.got[0]
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(received.body, received.headers["stripe-signature"], "whsec_other")


async def test_signatures_use_the_real_clock_whatever_the_virtual_one_says(sandbox: Sandbox) -> None:
    await sandbox.control("clock", days=200)
    made = await sandbox.v1.customers.create_async({"email": "a@example.test"})
    await sandbox.hooks.until(lambda h: bool(h.got))
    event: Any = event_of(sandbox.hooks.got[0])
    assert event.created == pytest.approx(made.created, abs=2)


async def test_a_failing_endpoint_is_tried_again_and_then_given_up(sandbox: Sandbox) -> None:
    sandbox.hooks.answers = [500, 500, 200]
    await sandbox.v1.customers.create_async({"email": "a@example.test"})
    await sandbox.hooks.until(lambda h: len(h.got) == 3)
    assert len({json.loads(r.body)["id"] for r in sandbox.hooks.got}) == 1
    sandbox.hooks.answers = [500]
    await sandbox.v1.customers.create_async({"email": "b@example.test"})
    await sandbox.hooks.until(lambda h: len(h.got) == 3 + 1 + len(sandbox.settings.retry_seconds))
    await asyncio.sleep(0.3)
    assert (await sandbox.http.get("/_sandbox/state")).json()["deliveries"] == {"delivered": 1, "given_up": 1}


async def test_an_endpoint_gets_its_own_version_and_only_what_it_asked_for(sandbox: Sandbox) -> None:
    made = await sandbox.v1.webhook_endpoints.create_async(
        {"url": sandbox.hooks.url("old"), "enabled_events": ["charge.succeeded"], "api_version": "2026-05-27.dahlia"}
    )
    assert made.secret.startswith("whsec_")
    await paid_charge(sandbox)
    await sandbox.hooks.until(lambda h: any(r.path == "/old" for r in h.got))
    old = next(r for r in sandbox.hooks.got if r.path == "/old")
    event: Any = stripe.Webhook.construct_event(old.body, old.headers["stripe-signature"], made.secret)
    assert (event.type, event.api_version) == ("charge.succeeded", "2026-05-27.dahlia")
    assert "authorization_code" not in event.data.object
    await sandbox.v1.webhook_endpoints.update_async(made.id, {"disabled": True})
    await sandbox.v1.webhook_endpoints.delete_async(made.id)
    assert len((await sandbox.v1.webhook_endpoints.list_async()).data) == 2
    sandbox.hooks.got.remove(old)  # dahlia's shape is not endive's schema


async def test_v2_events_are_thin_and_lead_to_the_account(sandbox: Sandbox) -> None:
    seller = await new_seller(sandbox)
    await onboard(sandbox, seller.id, "complete")
    changed = "v2.core.account[configuration.recipient].capability_status_updated"
    await sandbox.hooks.until(lambda h: typed(h, changed, "v2.core.account_link.returned"))
    thin = {json.loads(r.body)["type"]: r for r in sandbox.hooks.got if r.path == "/thin"}
    assert {"v2.core.account.created", "v2.core.account[requirements].updated"} <= thin.keys()
    notice: Any = sandbox.client.parse_event_notification(
        thin[changed].body, thin[changed].headers["stripe-signature"], SECRETS["thin"]
    )
    assert notice.related_object.id == seller.id
    account = await notice.fetch_related_object_async()
    assert account.id == seller.id
    event = await notice.fetch_event_async()
    assert event.data.updated_capability == "stripe_balance.stripe_transfers"
    listed = await sandbox.v2.events.list_async({"object_id": seller.id, "types": [changed]})
    assert [e.id for e in listed.data] == [notice.id]
    with pytest.raises(ValueError, match="thin event"):
        stripe.Webhook.construct_event(thin[changed].body, thin[changed].headers["stripe-signature"], SECRETS["thin"])


async def test_a_connected_accounts_events_go_to_the_connect_endpoint(sandbox: Sandbox) -> None:
    seller = await new_seller(sandbox)
    await onboard(sandbox, seller.id, "incomplete")
    await sandbox.hooks.until(lambda h: any(r.path == "/connect" for r in h.got))
    body = json.loads(next(r for r in sandbox.hooks.got if r.path == "/connect").body)
    assert (body["type"], body["account"]) == ("account.updated", seller.id)
    assert body["data"]["object"]["requirements"]["currently_due"] == ["company.tax_id"]
    assert not any(r.path == "/platform" for r in sandbox.hooks.got)


async def test_webhooks_can_be_dropped_doubled_and_held(sandbox: Sandbox) -> None:
    await sandbox.control("webhooks", drop_percent=100)
    await sandbox.v1.customers.create_async({"email": "lost@example.test"})
    await _quiet(sandbox, dropped=1)
    await sandbox.control("webhooks", double_percent=100)
    await sandbox.v1.customers.create_async({"email": "twice@example.test"})
    await sandbox.hooks.until(lambda h: len(h.got) == 2)
    assert sandbox.hooks.got[0].body == sandbox.hooks.got[1].body
    await sandbox.control("webhooks", hold=True, shuffle=True)
    await sandbox.v1.customers.create_async({"email": "held@example.test"})
    await asyncio.sleep(0.2)
    assert len(sandbox.hooks.got) == 2
    await sandbox.control("calm")
    await sandbox.hooks.until(lambda h: len(h.got) == 3)
    assert len((await sandbox.v1.events.list_async({"type": "customer.created"})).data) == 3


async def _quiet(sandbox: Sandbox, **deliveries: int) -> None:
    for _ in range(100):
        if (await sandbox.http.get("/_sandbox/state")).json()["deliveries"] == deliveries:
            return
        await asyncio.sleep(0.03)
    raise AssertionError("the webhooks did not come to rest")


async def test_destinations_show_url_and_secret_only_when_asked(sandbox: Sandbox) -> None:
    made = await sandbox.v2.event_destinations.create_async(
        {
            "name": "mine",
            "type": "webhook_endpoint",
            "event_payload": "thin",
            "enabled_events": ["v2.core.account.created"],
            "webhook_endpoint": {"url": sandbox.hooks.url("mine")},
            "include": ["webhook_endpoint.signing_secret", "webhook_endpoint.url"],
        }
    )
    assert made.webhook_endpoint.signing_secret.startswith("whsec_sbx")
    bare = await sandbox.v2.event_destinations.retrieve_async(made.id)
    assert "webhook_endpoint" not in bare
    assert len((await sandbox.v2.event_destinations.list_async()).data) == 2


async def test_events_are_forgotten_after_thirty_days(sandbox: Sandbox) -> None:
    await sandbox.v1.customers.create_async({"email": "a@example.test"})
    event = (await sandbox.v1.events.list_async()).data[0]
    await sandbox.control("clock", days=31)
    assert (await sandbox.v1.events.list_async()).data == []
    with pytest.raises(stripe.InvalidRequestError):
        await sandbox.v1.events.retrieve_async(event.id)
