"""Transfers, reversals, refunds, disputes, payouts: the rules settlement leans on, and that the sums always agree."""

from io import BytesIO
from typing import Any

import pytest
import stripe

from tests.sandbox.conftest import Sandbox
from tests.sandbox.test_journey import new_seller, onboard, paid_charge


async def seller_of(sandbox: Sandbox) -> str:
    seller = await new_seller(sandbox)
    await onboard(sandbox, seller.id, "complete")
    return str(seller.id)


async def transfer_of(sandbox: Sandbox, charge: Any, seller: str, amount: int) -> Any:
    return await sandbox.v1.transfers.create_async(
        {"amount": amount, "currency": "eur", "destination": seller, "source_transaction": charge.id}
    )


async def refused(call: Any) -> stripe.StripeError:
    with pytest.raises(stripe.StripeError) as caught:
        await call
    return caught.value


async def total(sandbox: Sandbox, account: str | None = None) -> int:
    """Available and pending euros."""
    options: Any = {"stripe_account": account} if account else {}
    balance = await sandbox.v1.balance.retrieve_async(options=options)
    return sum(part.amount for part in (*balance.available, *balance.pending) if part.currency == "eur")


# ---------------------------------------------------------------- transfers


async def test_transfers_of_a_charge_never_exceed_it(sandbox: Sandbox) -> None:
    charge, seller = await paid_charge(sandbox), await seller_of(sandbox)
    await transfer_of(sandbox, charge, seller, 60_00)
    error = await refused(transfer_of(sandbox, charge, seller, 40_01))
    assert "must not exceed the source amount" in str(error)
    second = await transfer_of(sandbox, charge, seller, 40_00)
    assert second.transfer_group == "deal-1"
    found = await sandbox.v1.transfers.list_async({"transfer_group": "deal-1", "destination": seller})
    assert [t.amount for t in found.data] == [40_00, 60_00]


async def test_without_a_source_only_available_money_is_sent(sandbox: Sandbox) -> None:
    await paid_charge(sandbox)
    seller = await seller_of(sandbox)
    body: Any = {"amount": 50_00, "currency": "eur", "destination": seller}
    assert (await refused(sandbox.v1.transfers.create_async(body))).code == "balance_insufficient"
    await sandbox.v1.topups.create_async({"amount": 50_00, "currency": "eur"})
    assert (await sandbox.v1.transfers.create_async(body)).source_transaction is None


async def test_an_account_that_is_not_active_receives_nothing(sandbox: Sandbox) -> None:
    charge, seller = await paid_charge(sandbox), await new_seller(sandbox)
    error = await refused(transfer_of(sandbox, charge, seller.id, 10_00))
    assert error.code == "insufficient_capabilities_for_transfer"
    error = await refused(transfer_of(sandbox, charge, "acct_nobody", 10_00))
    assert error.code == "resource_missing"


async def test_a_debit_under_way_is_no_source_yet(sandbox: Sandbox) -> None:
    charge = await paid_charge(sandbox, outcome="sepa_debit:AT611904300234573201")
    assert charge.status == "pending"
    error = await refused(transfer_of(sandbox, charge, await seller_of(sandbox), 10_00))
    assert "this one is pending" in str(error)


async def test_a_source_in_another_currency_is_refused(sandbox: Sandbox) -> None:
    charge, seller = await paid_charge(sandbox), await seller_of(sandbox)
    body: Any = {"amount": 1, "currency": "usd", "destination": seller, "source_transaction": charge.id}
    error: Any = await refused(sandbox.v1.transfers.create_async(body))
    assert error.param == "currency"


async def test_reversals_bring_money_back_up_to_the_transfer(sandbox: Sandbox) -> None:
    charge, seller = await paid_charge(sandbox), await seller_of(sandbox)
    transfer = await transfer_of(sandbox, charge, seller, 90_00)
    reversals = sandbox.v1.transfers.reversals
    one = await reversals.create_async(transfer.id, {"amount": 30_00, "metadata": {"operation_id": "op"}})
    assert (await total(sandbox), await total(sandbox, seller)) == (100_00 - 175 - 60_00, 60_00)
    assert "greater than unreversed" in str(await refused(reversals.create_async(transfer.id, {"amount": 60_01})))
    await reversals.create_async(transfer.id)
    whole = await sandbox.v1.transfers.retrieve_async(transfer.id)
    assert (whole.reversed, whole.amount_reversed, len(whole.reversals.data)) == (True, 90_00, 2)
    assert [r.id for r in (await reversals.list_async(transfer.id)).data][-1] == one.id
    assert (await reversals.retrieve_async(transfer.id, one.id)).metadata["operation_id"] == "op"
    assert (await refused(reversals.create_async(transfer.id))).code == "transfer_already_reversed"


async def test_a_reversal_needs_money_at_the_destination(sandbox: Sandbox) -> None:
    charge, seller = await paid_charge(sandbox), await seller_of(sandbox)
    transfer = await transfer_of(sandbox, charge, seller, 90_00)
    await sandbox.control("clock", days=3)
    payout = await sandbox.control("empty", account=seller)
    assert payout["automatic"] is True
    assert (await refused(sandbox.v1.transfers.reversals.create_async(transfer.id))).code == "balance_insufficient"


# ---------------------------------------------------------------- refunds


async def test_refunds_never_exceed_the_charge(sandbox: Sandbox) -> None:
    charge = await paid_charge(sandbox)
    first = await sandbox.v1.refunds.create_async({"payment_intent": charge.payment_intent, "amount": 30_00})
    assert (first.status, first.charge) == ("succeeded", charge.id)
    error = await refused(sandbox.v1.refunds.create_async({"charge": charge.id, "amount": 70_01}))
    assert "greater than unrefunded" in str(error)
    await sandbox.v1.refunds.create_async({"charge": charge.id})
    error = await refused(sandbox.v1.refunds.create_async({"charge": charge.id}))
    assert error.code == "charge_already_refunded"
    whole = await sandbox.v1.charges.retrieve_async(charge.id, {"expand": ["refunds"]})
    assert (whole.refunded, whole.amount_refunded, len(whole.refunds.data)) == (True, 100_00, 2)
    assert await total(sandbox) == -175


async def test_a_refund_without_funds_waits_for_them(sandbox: Sandbox) -> None:
    """The fee has eaten into the charge; the bank covers the rest, unless that is switched off."""
    await sandbox.control("bank-cover", on=False)
    charge = await paid_charge(sandbox)
    refund = await sandbox.v1.refunds.create_async({"charge": charge.id})
    assert (refund.status, refund.pending_reason) == ("pending", "insufficient_funds")
    await sandbox.v1.topups.create_async({"amount": 10_00, "currency": "eur"})
    await sandbox.control("clock", days=1)
    assert (await sandbox.v1.refunds.retrieve_async(refund.id)).status == "succeeded"


async def test_a_bank_transfer_is_refunded_after_a_day(sandbox: Sandbox) -> None:
    charge = await paid_charge(sandbox, outcome="customer_balance:over")
    assert charge is None
    await sandbox.control("clock", days=2)
    charge = (await sandbox.v1.charges.list_async()).data[0]
    refund = await sandbox.v1.refunds.create_async({"charge": charge.id, "amount": 10_00})
    assert (refund.id[:4], refund.status) == ("pyr_", "pending")
    await sandbox.control("clock", days=1)
    assert (await sandbox.v1.refunds.retrieve_async(refund.id)).status == "succeeded"


async def test_a_refund_may_fail_later_and_the_money_comes_back(sandbox: Sandbox) -> None:
    body: Any = {"amount": 100_00, "currency": "eur", "payment_method": "pm_card_refundFail", "confirm": True}
    intent = await sandbox.v1.payment_intents.create_async(body)
    refund = await sandbox.v1.refunds.create_async({"payment_intent": intent.id, "amount": 50_00})
    assert refund.status == "succeeded"
    before = await total(sandbox)
    await sandbox.control("clock", days=1)
    refund = await sandbox.v1.refunds.retrieve_async(refund.id, {"expand": ["charge", "failure_balance_transaction"]})
    assert (refund.status, refund.failure_reason) == ("failed", "declined")
    assert refund.failure_balance_transaction.amount == 50_00
    assert refund.charge.amount_refunded == 0
    assert await total(sandbox) == before + 50_00
    assert [type for type in await sandbox.types() if type.startswith("refund")][-2:] == [
        "refund.failed",
        "refund.updated",
    ]


async def test_some_refunds_wait(sandbox: Sandbox) -> None:
    body: Any = {"amount": 100_00, "currency": "eur", "payment_method": "pm_card_pendingRefund", "confirm": True}
    intent = await sandbox.v1.payment_intents.create_async(body)
    refund = await sandbox.v1.refunds.create_async({"payment_intent": intent.id, "amount": 1_00})
    assert refund.status == "pending"
    await sandbox.control("refund", refund=refund.id, status="succeeded")
    assert (await sandbox.v1.refunds.retrieve_async(refund.id)).status == "succeeded"


# ---------------------------------------------------------------- disputes


async def test_a_dispute_takes_amount_and_fee_and_blocks_refunds(sandbox: Sandbox) -> None:
    charge = await paid_charge(sandbox)
    dispute = await sandbox.control("dispute", charge=charge.payment_intent)
    assert (dispute["status"], dispute["amount"]) == ("needs_response", 100_00)
    assert await total(sandbox) == -175 - 20_00
    assert (await refused(sandbox.v1.refunds.create_async({"charge": charge.id}))).code == "charge_disputed"
    types = await sandbox.types()
    assert types[-2:] == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]


@pytest.mark.parametrize(
    ("text", "status", "left"), [("winning_evidence", "won", 80_00), ("losing_evidence", "lost", 0)]
)
async def test_evidence_decides_a_dispute(sandbox: Sandbox, text: str, status: str, left: int) -> None:
    charge = await paid_charge(sandbox)
    dispute = await sandbox.control("dispute", charge=charge.id)
    sent = await sandbox.v1.disputes.update_async(dispute["id"], {"evidence": {"uncategorized_text": text}})
    assert sent.status == "under_review"
    await sandbox.control("clock", days=1)
    found = await sandbox.v1.disputes.list_async({"payment_intent": charge.payment_intent})
    assert found.data[0].status == status
    assert await total(sandbox) == (left or -20_00) - 175


async def test_files_are_handed_in_with_a_dispute(sandbox: Sandbox) -> None:
    charge = await paid_charge(sandbox)
    dispute = await sandbox.control("dispute", charge=charge.id)

    async def upload(content: bytes, key: str) -> Any:
        file = BytesIO(content)
        file.name = "note.pdf"
        params: Any = {"file": file, "purpose": "dispute_evidence"}
        return await sandbox.v1.files.create_async(params, {"idempotency_key": key})

    pdf = b"%PDF-1.7\r\n\x00\xff\xfe\r--\n" + bytes(range(256))
    made = await upload(pdf, "one")
    assert (made.filename, made.size, made.type) == ("note.pdf", len(pdf), "pdf")
    assert (await upload(pdf, "one")).id == made.id, "under its key it is one file"
    assert (await refused(upload(pdf + b"!", "one"))).code is None, "and under its key no other"
    assert "PDF" in str((await refused(upload(b"<html>", "two"))).user_message)
    assert [file.id for file in (await sandbox.v1.files.list_async({"purpose": "dispute_evidence"})).data] == [made.id]

    update = sandbox.v1.disputes.update_async
    assert (await refused(update(dispute["id"], {"evidence": {"receipt": "file_unknown"}}))).code == "resource_missing"
    staged = await update(dispute["id"], {"evidence": {"receipt": made.id}, "submit": False})
    assert (staged.status, staged.evidence_details.submission_count) == ("needs_response", 0)
    sent = await update(dispute["id"], {"evidence": {"uncategorized_text": "winning_evidence"}})
    assert (sent.status, sent.evidence.receipt, sent.evidence_details.submission_count) == ("under_review", made.id, 1)
    assert "submitted" in str((await refused(update(dispute["id"], {"evidence": {"receipt": made.id}}))).user_message)


async def test_an_unanswered_dispute_is_lost(sandbox: Sandbox) -> None:
    charge = await paid_charge(sandbox)
    dispute = await sandbox.control("dispute", charge=charge.id)
    await sandbox.control("clock", days=8)
    assert (await sandbox.v1.disputes.retrieve_async(dispute["id"])).status == "lost"


async def test_an_inquiry_takes_no_money(sandbox: Sandbox) -> None:
    body: Any = {"amount": 1000, "currency": "eur", "payment_method": "pm_card_createDisputeInquiry", "confirm": True}
    intent = await sandbox.v1.payment_intents.create_async(body)
    await sandbox.control("clock", seconds=5)
    dispute = (await sandbox.v1.disputes.list_async({"payment_intent": intent.id})).data[0]
    assert (dispute.status, dispute.balance_transactions) == ("warning_needs_response", [])
    closed = await sandbox.v1.disputes.close_async(dispute.id)
    assert closed.status == "warning_closed"


async def test_a_dispute_opened_by_the_card_itself(sandbox: Sandbox) -> None:
    body: Any = {"amount": 1000, "currency": "eur", "payment_method": "pm_card_createDispute", "confirm": True}
    intent = await sandbox.v1.payment_intents.create_async(body)
    await sandbox.control("clock", seconds=5)
    dispute = (await sandbox.v1.disputes.list_async({"payment_intent": intent.id})).data[0]
    lost = await sandbox.v1.disputes.close_async(dispute.id)
    assert lost.status == "lost"
    assert (await refused(sandbox.v1.disputes.close_async(dispute.id))).code == "dispute_already_closed"


async def test_a_fraud_warning_is_told(sandbox: Sandbox) -> None:
    charge = await paid_charge(sandbox)
    await sandbox.control("fraud-warning", charge=charge.id)
    assert (await sandbox.types())[-1] == "radar.early_fraud_warning.created"


# ---------------------------------------------------------------- payouts


async def test_a_payout_arrives_or_comes_back(sandbox: Sandbox) -> None:
    await sandbox.v1.topups.create_async({"amount": 100_00, "currency": "eur"})
    too_much: Any = {"amount": 100_01, "currency": "eur"}
    assert (await refused(sandbox.v1.payouts.create_async(too_much))).code == "balance_insufficient"
    one = await sandbox.v1.payouts.create_async({"amount": 40_00, "currency": "eur"})
    two = await sandbox.v1.payouts.create_async({"amount": 20_00, "currency": "eur"})
    three = await sandbox.v1.payouts.create_async({"amount": 10_00, "currency": "eur"})
    assert (await sandbox.v1.payouts.cancel_async(two.id)).status == "canceled"
    await sandbox.control("fail-payout", payout=three.id)
    await sandbox.control("clock", days=1)
    assert (await sandbox.v1.payouts.retrieve_async(one.id)).status == "paid"
    assert (await sandbox.v1.payouts.retrieve_async(three.id)).failure_code == "account_closed"
    assert await total(sandbox) == 60_00


async def test_every_movement_can_be_listed_by_its_source(sandbox: Sandbox) -> None:
    charge, seller = await paid_charge(sandbox), await seller_of(sandbox)
    transfer = await transfer_of(sandbox, charge, seller, 90_00)
    for source, amount in ((charge.id, 100_00), (transfer.id, -90_00)):
        found = await sandbox.v1.balance_transactions.list_async({"source": source, "expand": ["data.source"]})
        assert [(t.amount, t.source.id) for t in found.data] == [(amount, source)]
