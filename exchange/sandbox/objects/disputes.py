"""Disputes: a buyer's bank takes the money back, or only asks; the platform argues, accepts, wins or loses."""

from typing import Literal

from pydantic import Field

from exchange.sandbox.errors import Refusal
from exchange.sandbox.objects.balance import DISPUTE_FEE, move
from exchange.sandbox.objects.charges import settle
from exchange.sandbox.protocol.parameters import Closed, Listed, Metadata, Params, Retrieve, merged_metadata
from exchange.sandbox.protocol.register import readable, route
from exchange.sandbox.shapes import DAY, Doc, new_id
from exchange.sandbox.store import World, due

EVIDENCE_DAYS = 7

_EVIDENCE = (
    "access_activity_log", "billing_address", "cancellation_policy", "cancellation_policy_disclosure",
    "cancellation_rebuttal", "customer_communication", "customer_email_address", "customer_name",
    "customer_purchase_ip", "customer_signature", "duplicate_charge_documentation", "duplicate_charge_explanation",
    "duplicate_charge_id", "product_description", "receipt", "refund_policy", "refund_policy_disclosure",
    "refund_refusal_explanation", "service_date", "service_documentation", "shipping_address", "shipping_carrier",
    "shipping_date", "shipping_documentation", "shipping_tracking_number", "uncategorized_file", "uncategorized_text",
)  # fmt: skip


#: Those of them that are files, by their id.
_FILES = frozenset({
    "cancellation_policy", "customer_communication", "customer_signature", "duplicate_charge_documentation", "receipt",
    "refund_policy", "service_documentation", "shipping_documentation", "uncategorized_file",
})  # fmt: skip


class Evidence(Closed):
    """Texts, and ids of files uploaded for the purpose; what is in them is not looked at."""

    access_activity_log: str | None = Field(None, max_length=20_000)
    billing_address: str | None = Field(None, max_length=5_000)
    cancellation_policy: str | None = None
    cancellation_policy_disclosure: str | None = Field(None, max_length=20_000)
    cancellation_rebuttal: str | None = Field(None, max_length=20_000)
    customer_communication: str | None = None
    customer_email_address: str | None = Field(None, max_length=5_000)
    customer_name: str | None = Field(None, max_length=5_000)
    customer_purchase_ip: str | None = Field(None, max_length=5_000)
    customer_signature: str | None = None
    duplicate_charge_documentation: str | None = None
    duplicate_charge_explanation: str | None = Field(None, max_length=20_000)
    duplicate_charge_id: str | None = Field(None, max_length=5_000)
    product_description: str | None = Field(None, max_length=20_000)
    receipt: str | None = None
    refund_policy: str | None = None
    refund_policy_disclosure: str | None = Field(None, max_length=20_000)
    refund_refusal_explanation: str | None = Field(None, max_length=20_000)
    service_date: str | None = Field(None, max_length=5_000)
    service_documentation: str | None = None
    shipping_address: str | None = Field(None, max_length=5_000)
    shipping_carrier: str | None = Field(None, max_length=5_000)
    shipping_date: str | None = Field(None, max_length=5_000)
    shipping_documentation: str | None = None
    shipping_tracking_number: str | None = Field(None, max_length=5_000)
    uncategorized_file: str | None = None
    uncategorized_text: str | None = Field(None, max_length=20_000)


class DisputeUpdate(Params):
    evidence: Evidence | None = None
    metadata: Metadata = {}
    submit: bool = True


class DisputeList(Listed):
    charge: str | None = None
    payment_intent: str | None = None


async def open_dispute(
    world: World, charge: Doc, *, inquiry: bool = False, reason: str = "fraudulent", amount: int | None = None
) -> Doc:
    """The buyer's bank opens a dispute (takes amount and fee at once), or an inquiry (takes nothing).

    ``amount`` is a part of what is left of the charge; by default all of it.

    Raises:
        Refusal: the charge is not paid, already disputed, or was refunded in full; more than is left of it.
    """
    method = charge["payment_method_details"]["type"]
    if charge["status"] != "succeeded" or charge["disputed"] or charge["refunded"]:
        raise Refusal("Only a paid charge, neither disputed nor fully refunded, can be disputed.")
    if method == "customer_balance":
        raise Refusal("Bank transfers cannot be disputed.")
    left = charge["amount_captured"] - charge["amount_refunded"]
    if amount is not None and not 0 < amount <= left:
        raise Refusal(f"At most {left} of this charge can be disputed.", param="amount")
    await settle(world, charge)
    due_by = world.now + EVIDENCE_DAYS * DAY
    dispute: Doc = {
        "id": new_id("dp"),
        "object": "dispute",
        "amount": amount or left,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": world.now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": dict.fromkeys(_EVIDENCE) | {"enhanced_evidence": {}},
        "evidence_details": {"due_by": due_by, "enhanced_eligibility": {}, "has_evidence": False, "past_due": False,
                             "submission_count": 0},
        "intended_submission_method": None,
        "is_charge_refundable": inquiry,
        "livemode": False,
        "metadata": {},
        "network_reason_code": "10.4" if method == "card" else None,
        "payment_intent": charge["payment_intent"],
        "reason": reason,
        "status": "warning_needs_response" if inquiry else "needs_response",
    }  # fmt: skip
    if method == "card":
        case_type = "inquiry" if inquiry else "chargeback"
        dispute["payment_method_details"] = {"card": {"brand": "visa", "case_type": case_type,
                                                      "network_reason_code": "10.4"}, "type": "card"}  # fmt: skip
    if method == "sepa_debit":
        dispute["status"] = "lost"  # the scheme's no-questions refund: nothing to argue
    await world.add(dispute)
    charge["disputed"] = True
    await world.save(charge)
    if not inquiry:
        await _book(world, dispute, -dispute["amount"], DISPUTE_FEE, "dispute")
    await world.emit("charge.dispute.created", dispute)
    if not inquiry:
        await world.emit("charge.dispute.funds_withdrawn", dispute)
    if dispute["status"] == "lost":
        await world.emit("charge.dispute.closed", dispute)
    else:
        await world.later(due_by, "dispute.overdue", dispute["id"])
    return dispute


async def _book(world: World, dispute: Doc, amount: int, fee: int, category: str) -> None:
    booked = await move(world, type="adjustment", amount=amount, fee=fee, currency=dispute["currency"],
                        source=dispute["id"], account=dispute["_account"], category=category)  # fmt: skip
    dispute["balance_transactions"].append({n: v for n, v in booked.items() if not n.startswith("_")})
    await world.save(dispute)


@due("dispute.overdue")
async def _overdue(world: World, id: str) -> None:
    dispute = await world.find(id)
    if dispute and dispute["status"] in {"needs_response", "warning_needs_response"}:
        dispute["evidence_details"]["past_due"] = True
        await close(world, dispute, "lost" if dispute["status"] == "needs_response" else "warning_closed")


@route("POST", "/v1/disputes/{id}", DisputeUpdate)
async def update_dispute(world: World, params: DisputeUpdate, id: str) -> Doc:
    dispute = await world.get(id, "dispute")
    if params.evidence and dispute["status"] not in {"needs_response", "warning_needs_response"}:
        raise Refusal(f"This dispute is {dispute['status']}: its evidence was submitted, or came too late.")
    dispute["metadata"] = merged_metadata(dispute["metadata"], params.metadata)
    if params.evidence:
        sent = params.evidence.model_dump(exclude_unset=True)
        for name in _FILES & sent.keys():
            await _ensure_evidence(world, name, sent[name])
        dispute["evidence"] |= sent
        dispute["evidence_details"]["has_evidence"] = any(dispute["evidence"][name] for name in _EVIDENCE)
        if params.submit:
            dispute["evidence_details"]["submission_count"] += 1
            warning = dispute["status"].startswith("warning")
            dispute["status"] = "warning_under_review" if warning else "under_review"
            verdict = _verdict(sent.get("uncategorized_text"))
            await world.later(world.now + DAY, f"dispute.{verdict}", id)
    await world.save(dispute)
    await world.emit("charge.dispute.updated", dispute)
    return dispute


async def _ensure_evidence(world: World, name: str, file: str | None) -> None:
    """Raises Refusal for what is no file uploaded as evidence; an empty value takes a staged one back."""
    if file and (await world.get(file, "file"))["purpose"] != "dispute_evidence":
        raise Refusal(f"The file {file} was not uploaded as dispute_evidence.", param=f"evidence[{name}]")


def _verdict(text: str | None) -> Literal["won", "lost"]:
    """Stripe's test mode: evidence ``winning_evidence`` wins, ``losing_evidence`` loses; other texts win here."""
    return "lost" if text == "losing_evidence" else "won"


@due("dispute.won")
async def _won(world: World, id: str) -> None:
    await decide(world, id, won=True)


@due("dispute.lost")
async def _lost(world: World, id: str) -> None:
    await decide(world, id, won=False)


async def decide(world: World, id: str, *, won: bool) -> None:
    """The bank decides an open dispute; an inquiry is closed either way."""
    dispute = await world.find(id)
    if dispute and dispute["status"] not in {"won", "lost", "warning_closed"}:
        warning = dispute["status"].startswith("warning")
        await close(world, dispute, "warning_closed" if warning else "won" if won else "lost")


async def close(world: World, dispute: Doc, status: Literal["won", "lost", "warning_closed"]) -> None:
    """The end of a dispute; after a win the amount comes back, the fee does not."""
    dispute["status"] = status
    await world.save(dispute)
    if status == "won":
        await _book(world, dispute, dispute["amount"], 0, "dispute_reversal")
        await world.emit("charge.dispute.funds_reinstated", dispute)
    if status == "warning_closed":
        charge = await world.known(dispute["charge"])
        charge["disputed"] = False
        await world.save(charge)
    await world.emit("charge.dispute.closed", dispute)


@route("POST", "/v1/disputes/{id}/close", Retrieve)
async def close_dispute(world: World, params: Params, id: str) -> Doc:
    dispute = await world.get(id, "dispute")
    if dispute["status"] in {"won", "lost", "warning_closed"}:
        raise Refusal(f"This dispute is already closed ({dispute['status']}).", code="dispute_already_closed")
    await close(world, dispute, "warning_closed" if dispute["status"].startswith("warning") else "lost")
    return dispute


readable("/v1/disputes", "dispute", DisputeList)
