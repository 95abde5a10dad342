"""The journey of a deal, as settlement makes it: the real SDK over HTTP, the buyer and the seller on the pages."""

from typing import Any

from tests.sandbox.conftest import Sandbox

ONBOARDING: dict[str, Any] = {
    "type": "account_onboarding",
    "account_onboarding": {
        "configurations": ["recipient"],
        "collection_options": {"fields": "eventually_due"},
        "refresh_url": "http://127.0.0.1:9/refresh",
        "return_url": "http://127.0.0.1:9/return",
    },
}


async def new_seller(sandbox: Sandbox) -> Any:
    """A seller's account as settlement guide §2 makes it, not yet onboarded."""
    transfers = {"stripe_balance": {"stripe_transfers": {"requested": True}}}
    return await sandbox.v2.accounts.create_async(
        {
            "contact_email": "ada@example.test",
            "display_name": "Ada SARL",
            "dashboard": "express",
            "identity": {"country": "fr", "entity_type": "company"},
            "configuration": {"recipient": {"capabilities": transfers}},
            "defaults": {
                "currency": "eur",
                "responsibilities": {"fees_collector": "application", "losses_collector": "application"},
            },
            "include": ["configuration.recipient", "requirements"],
        }
    )


async def onboard(sandbox: Sandbox, account: str, outcome: str) -> str:
    """Walk the onboarding page; where it sends the browser."""
    link = await sandbox.v2.account_links.create_async({"account": account, "use_case": ONBOARDING})
    assert (await sandbox.http.get(link.url)).status_code == 200
    answer = await sandbox.http.post(link.url, data={"outcome": outcome})
    return answer.headers["location"]


async def status_of(sandbox: Sandbox, account: str) -> str:
    found = await sandbox.v2.accounts.retrieve_async(account, {"include": ["configuration.recipient"]})
    return str(found["configuration"]["recipient"]["capabilities"]["stripe_balance"]["stripe_transfers"]["status"])


async def new_session(sandbox: Sandbox, amount: int = 100_00, **more: Any) -> Any:
    """A buyer's Checkout Session as settlement guide §2 makes it."""
    customer = await sandbox.v1.customers.create_async({"email": "buyer@example.test"})
    return await sandbox.v1.checkout.sessions.create_async(
        {
            "mode": "payment",
            "customer": customer.id,
            "client_reference_id": "obligation-1",
            "line_items": [
                {
                    "price_data": {"currency": "eur", "unit_amount": amount, "product_data": {"name": "Lot"}},
                    "quantity": 1,
                }
            ],
            "metadata": {"operation_id": "op-1"},
            "payment_intent_data": {"metadata": {"operation_id": "op-1"}, "transfer_group": "deal-1"},
            "success_url": "http://127.0.0.1:9/paid?cs={CHECKOUT_SESSION_ID}",
            "cancel_url": "http://127.0.0.1:9/cancel",
            **more,
        }
    )


async def pay(sandbox: Sandbox, session: Any, outcome: str) -> Any:
    """Choose an outcome on the pay page."""
    answer = await sandbox.http.post(f"/c/pay/{session.id}", data={"outcome": outcome})
    assert answer.status_code < 500, answer.text
    return answer


async def retrieved(sandbox: Sandbox, session: str) -> Any:
    """The session with its PaymentIntent and charge."""
    return await sandbox.v1.checkout.sessions.retrieve_async(session, {"expand": ["payment_intent.latest_charge"]})


async def paid_charge(sandbox: Sandbox, amount: int = 100_00, outcome: str = "card:4242424242424242") -> Any:
    """A paid session's charge."""
    session = await new_session(sandbox, amount)
    await pay(sandbox, session, outcome)
    session = await retrieved(sandbox, session.id)
    return session.payment_intent.latest_charge


async def test_a_deal_from_onboarding_to_the_sellers_balance(sandbox: Sandbox) -> None:
    seller = await new_seller(sandbox)
    assert await status_of(sandbox, seller.id) == "restricted"
    assert await onboard(sandbox, seller.id, "complete") == "http://127.0.0.1:9/return"
    assert await status_of(sandbox, seller.id) == "active"

    session = await new_session(sandbox)
    assert session.payment_status == "unpaid"
    assert session.url.startswith(sandbox.settings.public_url)
    answer = await pay(sandbox, session, "card:4242424242424242")
    assert answer.headers["location"] == f"http://127.0.0.1:9/paid?cs={session.id}"

    session = await retrieved(sandbox, session.id)
    charge = session.payment_intent.latest_charge
    assert (session.status, session.payment_status) == ("complete", "paid")
    assert charge.transfer_group == "deal-1"
    assert charge.metadata["operation_id"] == "op-1"
    assert charge.balance_transaction is None

    await sandbox.control("clock", seconds=3)
    charge = await sandbox.v1.charges.retrieve_async(charge.id, {"expand": ["balance_transaction"]})
    assert (charge.balance_transaction.fee, charge.balance_transaction.status) == (175, "pending")

    transfer = await sandbox.v1.transfers.create_async(
        {
            "amount": 95_00,
            "currency": "eur",
            "destination": seller.id,
            "source_transaction": charge.id,
            "transfer_group": "deal-1",
            "metadata": {"operation_id": "op-2"},
        },
        {"idempotency_key": "op-2"},
    )
    assert transfer.destination_payment
    theirs = await sandbox.v1.balance.retrieve_async(options={"stripe_account": seller.id})
    assert theirs.pending[0].amount == 95_00
    await sandbox.control("clock", days=2)
    ours = await sandbox.v1.balance.retrieve_async()
    theirs = await sandbox.v1.balance.retrieve_async(options={"stripe_account": seller.id})
    assert (ours.available[0].amount, theirs.available[0].amount) == (100_00 - 175 - 95_00, 95_00)
