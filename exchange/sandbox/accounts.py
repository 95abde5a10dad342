"""Connected accounts, in v2 (recipients) and as v1 still shows them, and the links to their onboarding page."""

from typing import Literal

from pydantic import Field

from exchange.sandbox.errors import Refusal
from exchange.sandbox.protocol import (
    SHOWN_V1,
    Closed,
    Currency,
    Listed,
    Metadata,
    NoParams,
    PagedV2,
    Params,
    Retrieve,
    merged_metadata,
    page,
    page_v2,
    route,
)
from exchange.sandbox.shapes import Doc, iso, new_id
from exchange.sandbox.store import World, due

Capability = Literal["active", "pending", "restricted"]

#: What the onboarding page asks for. Names of v2 requirement entries, and of v1 fields.
ASKED = {
    "identity.business_details.registered_name": "company.name",
    "identity.business_details.id_numbers": "company.tax_id",
    "external_account": "external_account",
    "terms_of_service": "tos_acceptance.date",
}

# ---------------------------------------------------------------- v2


class TransfersCapability(Closed):
    requested: bool


class StripeBalance(Closed):
    stripe_transfers: TransfersCapability | None = None


class Capabilities(Closed):
    stripe_balance: StripeBalance | None = None


class Recipient(Closed):
    capabilities: Capabilities | None = None


class RecipientUpdate(Recipient):
    applied: bool | None = None


class Configuration(Closed):
    recipient: Recipient | None = None


class ConfigurationUpdate(Closed):
    recipient: RecipientUpdate | None = None


class Responsibilities(Closed):
    fees_collector: Literal["application", "application_custom", "application_express", "stripe"]
    losses_collector: Literal["application", "stripe"]


class Profile(Closed):
    business_url: str | None = None
    doing_business_as: str | None = None
    product_description: str | None = None


class Defaults(Closed):
    currency: Currency | None = None
    locales: list[str] | None = None
    profile: Profile | None = None
    responsibilities: Responsibilities | None = None


class AddressV2(Closed):
    city: str | None = None
    country: str | None = None
    line1: str | None = None
    line2: str | None = None
    postal_code: str | None = None
    state: str | None = None
    town: str | None = None


class IdNumber(Closed):
    type: str
    value: str
    registrar: str | None = None


class BusinessDetails(Closed):
    address: AddressV2 | None = None
    id_numbers: list[IdNumber] | None = None
    phone: str | None = None
    registered_name: str | None = None


class Identity(Closed):
    business_details: BusinessDetails | None = None
    country: str | None = Field(None, pattern=r"^[A-Za-z]{2}$")
    entity_type: Literal["company", "government_entity", "individual", "non_profit"] | None = None


Include = Literal[
    "configuration.customer", "configuration.merchant", "configuration.recipient", "defaults", "future_requirements",
    "identity", "requirements",
]  # fmt: skip


class AccountCreateV2(Closed):
    configuration: Configuration | None = None
    contact_email: str | None = None
    contact_phone: str | None = None
    dashboard: Literal["express", "full", "none"] | None = None
    defaults: Defaults | None = None
    display_name: str | None = None
    identity: Identity | None = None
    include: list[Include] = []
    metadata: Metadata = {}


class AccountUpdateV2(AccountCreateV2):
    configuration: ConfigurationUpdate | None = None  # type: ignore[assignment]  # an update may also close it


class AccountRetrieveV2(Closed):
    include: list[Include] = []


class AccountListV2(PagedV2):
    applied_configurations: list[str] = []
    closed: bool | None = None


class AccountCloseV2(Closed):
    applied_configurations: list[str] = []


@route(
    "POST", "/v2/core/accounts", AccountCreateV2, depth="simplified",
    note="recipient configuration with stripe_balance.stripe_transfers only; four requirements stand for them all",
)  # fmt: skip
async def create_account_v2(world: World, params: AccountCreateV2) -> Doc:
    defaults, identity = params.defaults or Defaults(), params.identity or Identity()
    recipient = params.configuration.recipient if params.configuration else None
    if recipient and not identity.country:
        raise Refusal("identity.country is required for the recipient configuration.", code="identity_country_required")
    who = defaults.responsibilities
    if params.dashboard == "express" and (who is None or who.losses_collector != "application"):
        raise Refusal(
            "The express dashboard requires responsibilities.losses_collector and fees_collector = application.",
            code="account_controller_express_dash_without_application_losses_or_fees",
        )
    account = _new_account(world, email=params.contact_email, country=(identity.country or "FR").upper()) | {
        "_dashboard": params.dashboard or "none",
        "_defaults": defaults.model_dump(exclude_none=True),
        "_display_name": params.display_name,
        "_identity": identity.model_dump(exclude_none=True),
        "_phone": params.contact_phone,
        "_metadata": params.metadata,
        "_recipient": recipient is not None,
        "_asked": list(ASKED) if recipient else [],
        "_transfers": "restricted" if _requests_transfers(recipient) else None,
    }
    await world.add(account, account=None)
    await world.emit_thin("v2.core.account.created", account)
    return account_v2(world, account, params.include)


def _requests_transfers(recipient: Recipient | None) -> bool:
    balance = recipient.capabilities.stripe_balance if recipient and recipient.capabilities else None
    return bool(balance and balance.stripe_transfers and balance.stripe_transfers.requested)


def _new_account(world: World, *, email: str | None, country: str) -> Doc:
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


async def account_of(world: World, id: str) -> Doc:
    """The connected account ``id``, closed ones included."""
    return await world.get(id, "account")


@route("GET", "/v2/core/accounts/{id}", AccountRetrieveV2)
async def retrieve_account_v2(world: World, params: AccountRetrieveV2, id: str) -> Doc:
    return account_v2(world, await account_of(world, id), params.include)


@route("GET", "/v2/core/accounts", AccountListV2)
async def list_accounts_v2(world: World, params: AccountListV2) -> Doc:
    found = await page_v2(world, "account", params, "(doc->>'_closed')::bool = $2", params.closed or False)
    return found | {"data": [account_v2(world, account, []) for account in found["data"]]}


@route("POST", "/v2/core/accounts/{id}", AccountUpdateV2)
async def update_account_v2(world: World, params: AccountUpdateV2, id: str) -> Doc:
    account = await account_of(world, id)
    sent = params.model_dump(exclude_unset=True)
    for name, own in (("contact_email", "_email"), ("contact_phone", "_phone"), ("display_name", "_display_name"),
                      ("dashboard", "_dashboard")):  # fmt: skip
        if name in sent:
            account[own] = sent[name]
    account["_metadata"] = merged_metadata(account["_metadata"], sent.get("metadata", {}))
    account["_defaults"] |= sent.get("defaults", {})
    account["_identity"] |= sent.get("identity", {})
    recipient = params.configuration.recipient if params.configuration else None
    if recipient:
        account["_recipient"] = recipient.applied is not False
        if _requests_transfers(recipient) and account["_transfers"] is None:
            account |= {"_transfers": "restricted", "_asked": list(ASKED)}
    await world.save(account)
    await world.emit_thin("v2.core.account.updated", account)
    return account_v2(world, account, params.include)


@route("POST", "/v2/core/accounts/{id}/close", AccountCloseV2)
async def close_account_v2(world: World, params: AccountCloseV2, id: str) -> Doc:
    account = await account_of(world, id)
    await close(world, account)
    return account_v2(world, account, [])


async def close(world: World, account: Doc) -> None:
    """The account is no longer there to be paid."""
    account |= {"_closed": True, "_transfers": "restricted" if account["_transfers"] else None}
    await world.save(account)
    await world.emit_thin("v2.core.account.closed", account)
    deauthorized = {"id": new_id("ca"), "object": "application", "name": "SANDBOX"}
    await world.emit("account.application.deauthorized", deauthorized, account=account["id"])


async def set_standing(
    world: World, account: Doc, transfers: Capability, asked: list[str], deadline: str = "currently_due"
) -> None:
    """Verification has come to a result: change capability and requirements, and tell of each."""
    before = account["_transfers"]
    account |= {"_transfers": transfers, "_asked": asked, "_deadline": deadline}
    await world.save(account)
    await world.emit_thin("v2.core.account[requirements].updated", account)
    if before != transfers:
        await world.emit_thin(
            "v2.core.account[configuration.recipient].capability_status_updated", account,
            {"updated_capability": "stripe_balance.stripe_transfers"},
        )  # fmt: skip
    await world.emit("account.updated", account_v1(account), account=account["id"])


# ---------------------------------------------------------------- onboarding links


class Collection(Closed):
    fields: Literal["currently_due", "eventually_due"] = "currently_due"
    future_requirements: Literal["include", "omit"] | None = None


class Onboarding(Closed):
    collection_options: Collection | None = None
    configurations: list[Literal["customer", "merchant", "recipient"]] = ["recipient"]
    refresh_url: str
    return_url: str | None = None


class UseCase(Closed):
    type: Literal["account_onboarding", "account_update"]
    account_onboarding: Onboarding | None = None
    account_update: Onboarding | None = None


class AccountLinkV2(Closed):
    account: str
    use_case: UseCase


@route("POST", "/v2/core/account_links", AccountLinkV2)
async def create_account_link_v2(world: World, params: AccountLinkV2) -> Doc:
    account = await account_of(world, params.account)
    case = params.use_case.account_onboarding or params.use_case.account_update
    if case is None or getattr(params.use_case, params.use_case.type) is None:
        raise Refusal(f"use_case.{params.use_case.type} is required.", code="parameter_missing")
    link = await _new_link(world, account, case.refresh_url, case.return_url, params.use_case.type)
    use_case = params.use_case.model_dump(exclude_none=True)
    use_case[params.use_case.type]["configurations"] = case.configurations
    return {
        "object": "v2.core.account_link",
        "account": account["id"],
        "created": iso(world.now),
        "expires_at": iso(link["expires_at"]),
        "livemode": False,
        "url": link["url"],
        "use_case": use_case,
    }


async def _new_link(world: World, account: Doc, refresh_url: str, return_url: str | None, use_case: str) -> Doc:
    id = new_id("acctlink")
    return await world.add(
        {
            "id": id,
            "object": "account_link",
            "created": world.now,
            "expires_at": world.now + 300,
            "url": f"{world.settings.public_url}/c/onboarding/{id}",
            "_for": account["id"],
            "_refresh_url": refresh_url,
            "_return_url": return_url or refresh_url,
            "_use_case": use_case,
            "_used": False,
        },
        account=None,
    )


async def finish_onboarding(world: World, link: Doc, outcome: str) -> None:
    """The seller leaves the page: everything given, something left out, or fine now and restricted in three days."""
    account = await account_of(world, link["_for"])
    account["_submitted"] = True
    if outcome == "incomplete":
        await set_standing(world, account, "restricted", ["identity.business_details.id_numbers"])
    else:
        await set_standing(world, account, "active", [])
        if outcome == "restricted_later":
            await world.later(world.now + 3 * 86_400, "account.restrict", account["id"])
    link["_done"] = True
    await world.save(link)
    await world.emit_thin(
        "v2.core.account_link.returned", None,
        {"account_id": account["id"], "configurations": ["recipient"], "use_case": link["_use_case"]},
    )  # fmt: skip


@due("account.restrict")
async def restrict(world: World, id: str) -> None:
    """A later check finds something wrong: no more transfers until it is mended."""
    account = await world.find(id)
    if account and account["_transfers"] == "active":
        await set_standing(world, account, "restricted", ["identity.business_details.id_numbers"], "past_due")


# ---------------------------------------------------------------- v1


class RequestedV1(Closed):
    requested: bool


class CapabilitiesV1(Closed):
    transfers: RequestedV1 | None = None
    card_payments: RequestedV1 | None = None


class AccountCreateV1(Params):
    type: Literal["custom", "express", "standard"] = "standard"
    business_type: Literal["company", "government_entity", "individual", "non_profit"] | None = None
    capabilities: CapabilitiesV1 | None = None
    country: str | None = None
    default_currency: Currency | None = None
    email: str | None = None
    metadata: Metadata = {}


class AccountUpdateV1(Params):
    email: str | None = None
    metadata: Metadata = {}


class AccountLinkV1(Params):
    account: str
    refresh_url: str
    return_url: str
    type: Literal["account_onboarding", "account_update"]


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


@route(
    "POST", "/v1/accounts", AccountCreateV1, depth="simplified",
    note="transferable at once, without onboarding; few of the many fields",
)  # fmt: skip
async def create_account_v1(world: World, params: AccountCreateV1) -> Doc:
    account = _new_account(world, email=params.email, country=params.country or "FR") | {
        "_dashboard": {"custom": "none", "express": "express", "standard": "full"}[params.type],
        "_defaults": {"currency": params.default_currency} if params.default_currency else {},
        "_identity": {"entity_type": params.business_type} if params.business_type else {},
        "_metadata": params.metadata,
        "_recipient": True,
        "_transfers": "active",
        "_type": params.type,
    }
    return await world.add(account, account=None)


@route("GET", "/v1/accounts", Listed)
async def list_accounts_v1(world: World, params: Listed) -> Doc:
    return await page(world, "account", params)


@route("GET", "/v1/accounts/{id}", Retrieve)
async def retrieve_account_v1(world: World, params: Params, id: str) -> Doc:
    return await account_of(world, id)


@route("GET", "/v1/account", Retrieve, depth="simplified", note="the platform's own account has an id and little else")
async def retrieve_own_account(world: World, params: Params) -> Doc:
    if world.account:
        return await account_of(world, world.account)
    own = _new_account(world, email=None, country="FR") | {"_dashboard": "full", "_type": "standard"}
    return own | {"id": "acct_sbxplatform", "created": 0, "_submitted": True}


@route("POST", "/v1/accounts/{id}", AccountUpdateV1)
async def update_account_v1(world: World, params: AccountUpdateV1, id: str) -> Doc:
    account = await account_of(world, id)
    account["_email"] = params.email if params.email is not None else account["_email"]
    account["_metadata"] = merged_metadata(account["_metadata"], params.metadata)
    await world.save(account)
    await world.emit("account.updated", account_v1(account), account=id)
    return account


@route("DELETE", "/v1/accounts/{id}", NoParams)
async def delete_account_v1(world: World, params: NoParams, id: str) -> Doc:
    account = await account_of(world, id)
    await close(world, account)
    return account


@route("POST", "/v1/account_links", AccountLinkV1)
async def create_account_link_v1(world: World, params: AccountLinkV1) -> Doc:
    account = await account_of(world, params.account)
    link = await _new_link(world, account, params.refresh_url, params.return_url, params.type)
    return {name: link[name] for name in ("object", "created", "expires_at", "url")}
