"""Cards, SEPA debits, bank transfers, captures: each test method does what its table says."""

from typing import Any

import pytest
import stripe

from tests.sandbox.conftest import Sandbox


async def intent_with(sandbox: Sandbox, method: str, **more: Any) -> Any:
    body = {"amount": 100_00, "currency": "eur", "payment_method": method, "confirm": True, **more}
    return await sandbox.v1.payment_intents.create_async(body)


async def sepa(sandbox: Sandbox, iban: str) -> Any:
    data = {"type": "sepa_debit", "sepa_debit": {"iban": iban}, "billing_details": {"name": "B", "email": "b@x.test"}}
    return await sandbox.v1.payment_intents.create_async(
        {
            "amount": 100_00,
            "currency": "eur",
            "confirm": True,
            "payment_method_data": data,
            "mandate_data": {"customer_acceptance": {"type": "offline"}},
        }
    )


async def bank_transfer(sandbox: Sandbox, amount: int = 100_00) -> Any:
    customer = await sandbox.v1.customers.create_async({"email": "b@example.test"})
    return await sandbox.v1.payment_intents.create_async(
        {
            "amount": amount,
            "currency": "eur",
            "customer": customer.id,
            "confirm": True,
            "allowed_payment_method_types": ["customer_balance"],
            "payment_method_data": {"type": "customer_balance"},
            "payment_method_options": {
                "customer_balance": {
                    "funding_type": "bank_transfer",
                    "bank_transfer": {"type": "eu_bank_transfer", "eu_bank_transfer": {"country": "FR"}},
                }
            },
        }
    )


async def again(sandbox: Sandbox, intent: Any) -> Any:
    return await sandbox.v1.payment_intents.retrieve_async(intent.id, {"expand": ["latest_charge.balance_transaction"]})


async def available(sandbox: Sandbox) -> int:
    return int((await sandbox.v1.balance.retrieve_async()).available[0].amount)


async def test_a_good_card_is_paid_and_available_after_two_days(sandbox: Sandbox) -> None:
    intent = await intent_with(sandbox, "pm_card_visa")
    assert (intent.status, intent.amount_received) == ("succeeded", 100_00)
    assert await available(sandbox) == 0
    await sandbox.control("clock", days=2, seconds=3)
    assert await available(sandbox) == 100_00 - 175
    assert (await sandbox.types())[-1] == "balance.available"


async def test_money_can_be_available_at_once(sandbox: Sandbox) -> None:
    await intent_with(sandbox, "pm_card_bypassPending")
    await sandbox.control("clock", seconds=3)
    assert await available(sandbox) == 100_00 - 175


async def test_the_balance_transaction_comes_late_and_is_told(sandbox: Sandbox) -> None:
    intent = await intent_with(sandbox, "pm_card_visa")
    assert (await again(sandbox, intent)).latest_charge.balance_transaction is None
    await sandbox.control("clock", seconds=3)
    assert (await again(sandbox, intent)).latest_charge.balance_transaction.fee == 175
    assert await sandbox.types() == [
        "payment_intent.created", "charge.succeeded", "payment_intent.succeeded", "charge.updated",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "decline"),
    [
        ("pm_card_chargeDeclined", "generic_decline"),
        ("pm_card_visa_chargeDeclined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("pm_card_chargeCustomerFail", "generic_decline"),
    ],
)
async def test_a_declined_card_is_a_402_and_leaves_a_failed_charge(sandbox: Sandbox, method: str, decline: str) -> None:
    with pytest.raises(stripe.CardError) as refused:
        await intent_with(sandbox, method)
    assert (refused.value.code, refused.value.http_status) == ("card_declined", 402)
    error: Any = refused.value.error
    assert error.decline_code == decline
    intent = await sandbox.v1.payment_intents.retrieve_async(error.payment_intent.id)
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error.decline_code == decline
    assert [c.status for c in (await sandbox.v1.charges.list_async()).data] == ["failed"]
    assert (await sandbox.types())[-2:] == ["charge.failed", "payment_intent.payment_failed"]
    paid = await sandbox.v1.payment_intents.confirm_async(intent.id, {"payment_method": "pm_card_visa"})
    assert paid.status == "succeeded"


async def test_an_unknown_card_is_never_taken_for_good(sandbox: Sandbox) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await intent_with(sandbox, "pm_card_amex")
    assert refused.value.code == "resource_missing"


@pytest.mark.parametrize(("answer", "status"), [("yes", "succeeded"), ("no", "requires_payment_method")])
async def test_the_bank_asks_the_cardholder(sandbox: Sandbox, answer: str, status: str) -> None:
    intent = await intent_with(sandbox, "pm_card_authenticationRequired", return_url="http://127.0.0.1:9/back")
    assert intent.status == "requires_action"
    url = intent.next_action.redirect_to_url.url
    assert "no real money" in (await sandbox.http.get(url)).text
    back = await sandbox.http.post(url, data={"answer": answer})
    assert back.status_code == 303, back.text
    assert back.headers["location"] == "http://127.0.0.1:9/back"
    assert (await again(sandbox, intent)).status == status


@pytest.mark.parametrize(
    ("iban", "days", "status"),
    [
        ("AT611904300234573201", 5, "succeeded"),
        ("AT321904300235473204", 14, "succeeded"),
        ("AT861904300235473202", 5, "requires_payment_method"),
        ("AT051904300235473205", 14, "requires_payment_method"),
    ],
)
async def test_a_sepa_debit_takes_days(sandbox: Sandbox, iban: str, days: int, status: str) -> None:
    intent = await sepa(sandbox, iban)
    assert intent.status == "processing"
    with pytest.raises(stripe.InvalidRequestError):
        await sandbox.v1.payment_intents.cancel_async(intent.id)
    await sandbox.control("clock", days=days - 1)
    assert (await again(sandbox, intent)).status == "processing"
    await sandbox.control("clock", days=1, seconds=5)
    found = await again(sandbox, intent)
    assert found.status == status
    assert found.latest_charge.paid is (status == "succeeded")


async def test_a_sepa_debit_may_be_disputed_with_nothing_to_argue(sandbox: Sandbox) -> None:
    intent = await sepa(sandbox, "AT591904300235473203")
    await sandbox.control("clock", days=5, seconds=10)
    disputes = await sandbox.v1.disputes.list_async({"payment_intent": intent.id})
    assert [d.status for d in disputes.data] == ["lost"]


async def test_an_exact_bank_transfer_pays(sandbox: Sandbox) -> None:
    intent = await bank_transfer(sandbox)
    told = intent.next_action.display_bank_transfer_instructions
    assert (intent.status, told.amount_remaining) == ("requires_action", 100_00)
    assert "SANDBOX" in told.financial_addresses[0].iban.account_holder_name
    await sandbox.control("bank-transfer", payment_intent=intent.id)
    assert (await again(sandbox, intent)).status == "succeeded"


async def test_a_short_bank_transfer_waits_for_the_rest(sandbox: Sandbox) -> None:
    intent = await bank_transfer(sandbox)
    await sandbox.control("bank-transfer", payment_intent=intent.id, amount=40_00)
    found = await again(sandbox, intent)
    assert found.status == "requires_action"
    assert found.next_action.display_bank_transfer_instructions.amount_remaining == 60_00
    assert "payment_intent.partially_funded" in await sandbox.types()
    await sandbox.control("bank-transfer", payment_intent=intent.id)
    assert (await again(sandbox, intent)).amount_received == 100_00


async def test_what_is_sent_too_much_stays_in_the_cash_balance_and_can_be_refunded(sandbox: Sandbox) -> None:
    intent = await bank_transfer(sandbox)
    await sandbox.control("bank-transfer", payment_intent=intent.id, amount=130_00)
    assert (await again(sandbox, intent)).status == "succeeded"
    cash = await sandbox.v1.customers.cash_balance.retrieve_async(intent.customer)
    assert cash.available.to_dict() == {"eur": 30_00}
    assert (await sandbox.types())[-1] == "cash_balance.funds_available"
    refund = {"origin": "customer_balance", "customer": intent.customer, "amount": 30_00, "currency": "eur"}
    await sandbox.v1.refunds.create_async(refund)
    cash = await sandbox.v1.customers.cash_balance.retrieve_async(intent.customer)
    assert cash.available.to_dict() == {"eur": 0}


async def test_part_payments_go_back_when_the_payment_is_given_up(sandbox: Sandbox) -> None:
    intent = await bank_transfer(sandbox)
    await sandbox.control("bank-transfer", payment_intent=intent.id, amount=40_00)
    await sandbox.v1.payment_intents.cancel_async(intent.id)
    cash = await sandbox.v1.customers.cash_balance.retrieve_async(intent.customer)
    assert cash.available.to_dict() == {"eur": 40_00}


async def test_part_of_an_authorisation_can_be_captured(sandbox: Sandbox) -> None:
    intent = await intent_with(sandbox, "pm_card_visa", capture_method="manual")
    assert (intent.status, intent.amount_capturable) == ("requires_capture", 100_00)
    with pytest.raises(stripe.InvalidRequestError):
        await sandbox.v1.payment_intents.capture_async(intent.id, {"amount_to_capture": 100_01})
    taken = await sandbox.v1.payment_intents.capture_async(intent.id, {"amount_to_capture": 80_00})
    assert (taken.status, taken.amount_received) == ("succeeded", 80_00)
    await sandbox.control("clock", seconds=3)
    assert (await again(sandbox, intent)).latest_charge.balance_transaction.amount == 80_00


async def test_an_authorisation_dies_after_seven_days(sandbox: Sandbox) -> None:
    intent = await intent_with(sandbox, "pm_card_visa", capture_method="manual")
    await sandbox.control("clock", days=8)
    found = await again(sandbox, intent)
    assert (found.status, found.cancellation_reason) == ("canceled", "automatic")


async def test_methods_offered_are_cut_down_silently(sandbox: Sandbox) -> None:
    intent = await sandbox.v1.payment_intents.create_async(
        {"amount": 1000, "currency": "usd", "allowed_payment_method_types": ["card", "sepa_debit"]}
    )
    assert intent.payment_method_types == ["card"]


async def test_an_intent_can_be_changed_until_it_is_paid(sandbox: Sandbox) -> None:
    intent = await sandbox.v1.payment_intents.create_async({"amount": 1000, "currency": "eur"})
    changed = await sandbox.v1.payment_intents.update_async(intent.id, {"amount": 2000, "description": "d"})
    assert (changed.amount, changed.description) == (2000, "d")
    await sandbox.v1.payment_intents.confirm_async(intent.id, {"payment_method": "pm_card_visa"})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await sandbox.v1.payment_intents.update_async(intent.id, {"amount": 3000})
    assert refused.value.code == "payment_intent_unexpected_state"


async def test_a_methods_customer_is_respected(sandbox: Sandbox) -> None:
    owner = await sandbox.v1.customers.create_async({"email": "o@example.test"})
    method = await sandbox.v1.payment_methods.attach_async("pm_card_visa", {"customer": owner.id})
    assert [m.id for m in (await sandbox.v1.payment_methods.list_async({"customer": owner.id})).data] == [method.id]
    with pytest.raises(stripe.InvalidRequestError):
        await intent_with(sandbox, method.id)
    assert (await intent_with(sandbox, method.id, customer=owner.id)).status == "succeeded"
