"""What the sandbox remembers of a connected account, and how v2 and v1 show it."""

from typing import Literal

from exchange.sandbox.protocol.expansion import SHOWN_V1
from exchange.sandbox.shapes import Doc, iso, new_id
from exchange.sandbox.store import World

Capability = Literal["active", "pending", "restricted"]

#: What the onboarding page asks for. Names of v2 requirement entries, and of v1 fields.
ASKED = {
    "identity.business_details.registered_name": "company.name",
    "identity.business_details.id_numbers": "company.tax_id",
    "external_account": "external_account",
    "terms_of_service": "tos_acceptance.date",
}

Include = Literal[
    "configuration.customer", "configuration.merchant", "configuration.recipient", "defaults", "future_requirements",
    "identity", "requirements",
]  # fmt: skip


def new_account(world: World, *, email: str | None, country: str) -> Doc:
    """What the sandbox remembers of an account; both protocols' shapes are drawn from it."""
    return {
        "id": new_id("acct"),
        "object": "account",
        "created": world.now,
        "_closed": False,
        "_email": email,
        "_phone": None,
        "_country": country,
        "_dashboard": "none",
        "_defaults": {},
        "_display_name": None,
        "_identity": {},
        "_metadata": {},
        "_recipient": False,
        "_asked": [],
        "_deadline": "currently_due",
        "_submitted": False,
        "_transfers": None,
        "_type": "none",
    }


async def account_of(world: World, id: str) -> Doc:
    """The connected account ``id``, closed ones included."""
    return await world.get(id, "account")


def account_v2(world: World, account: Doc, include: list[Include]) -> Doc:
    """The v2 object; parts not named in ``include`` stay away, as Stripe answers null or nothing for them."""
    shown: Doc = {
        "id": account["id"],
        "object": "v2.core.account",
        "applied_configurations": ["recipient"] if account["_recipient"] else [],
        "closed": account["_closed"],
        "created": iso(account["created"]),
        "dashboard": account["_dashboard"],
        "livemode": False,
        "metadata": account["_metadata"],
    }
    named = {"contact_email": "_email", "contact_phone": "_phone", "display_name": "_display_name"}
    shown |= {name: account[own] for name, own in named.items() if account[own] is not None}
    if "configuration.recipient" in include and account["_recipient"]:
        capabilities = {"stripe_balance": {"stripe_transfers": _capability(account)}} if account["_transfers"] else {}
        shown["configuration"] = {"recipient": {"applied": True, "capabilities": capabilities}}
    if "defaults" in include:
        responsibilities = account["_defaults"].get("responsibilities", {}) | {"requirements_collector": "stripe"}
        shown["defaults"] = account["_defaults"] | {"responsibilities": responsibilities}
    if "identity" in include:
        shown["identity"] = account["_identity"]
    if "requirements" in include:
        shown["requirements"] = _requirements(account)
    if "future_requirements" in include:
        shown["future_requirements"] = {"entries": []}
    return shown


def _capability(account: Doc) -> Doc:
    reasons = {
        "active": [],
        "pending": [{"code": "requirements_pending_verification", "resolution": "no_resolution"}],
        "restricted": [{"code": "requirements_past_due", "resolution": "provide_info"}],
    }
    return {"status": account["_transfers"], "status_details": reasons[account["_transfers"]]}


def _requirements(account: Doc) -> Doc:
    deadline = {"status": account["_deadline"]}
    entries = [
        {
            "awaiting_action_from": "user",
            "description": name,
            "errors": [],
            "impact": {"restricts_capabilities": [{
                "capability": "stripe_balance.stripe_transfers", "configuration": "recipient", "deadline": deadline}]},
            "minimum_deadline": deadline,
            "requested_reasons": [{"code": "routine_onboarding"}],
        }
        for name in account["_asked"]
    ]  # fmt: skip
    return {"entries": entries, **({"summary": {"minimum_deadline": deadline}} if entries else {})}


def account_v1(account: Doc) -> Doc:
    """The v1 object, drawn from the same memory."""
    if account["_closed"]:
        return {"id": account["id"], "object": "account", "deleted": True}
    active = account["_transfers"] == "active"
    asked = [ASKED[name] for name in account["_asked"]]
    currency = account["_defaults"].get("currency") or "eur"
    return {
        "id": account["id"],
        "object": "account",
        "business_profile": None,
        "business_type": account["_identity"].get("entity_type"),
        "capabilities": {"transfers": "active" if active else "inactive"} if account["_transfers"] else {},
        "charges_enabled": False,
        "controller": {
            "fees": {"payer": "application"},
            "is_controller": True,
            "losses": {"payments": "application"},
            "requirement_collection": "stripe",
            "stripe_dashboard": {"type": account["_dashboard"]},
            "type": "application",
        },
        "country": account["_country"],
        "created": account["created"],
        "default_currency": currency,
        "details_submitted": account["_submitted"],
        "email": account["_email"],
        "external_accounts": {"object": "list", "data": [], "has_more": False,
                              "url": f"/v1/accounts/{account['id']}/external_accounts"},
        "future_requirements": _requirements_v1([]),
        "metadata": account["_metadata"],
        "payouts_enabled": active,
        "requirements": _requirements_v1(asked, account["_deadline"]),
        "type": account["_type"],
    }  # fmt: skip


def _requirements_v1(asked: list[str], deadline: str = "currently_due") -> Doc:
    return {
        "alternatives": [],
        "current_deadline": None,
        "currently_due": asked,
        "disabled_reason": "requirements.past_due" if asked else None,
        "errors": [],
        "eventually_due": asked,
        "past_due": asked if deadline == "past_due" else [],
        "pending_verification": [],
    }


SHOWN_V1["account"] = account_v1
