"""Connected accounts in v2 (recipients), and what becomes of them."""

from typing import Literal

from pydantic import Field

from exchange.sandbox.errors import Refusal
from exchange.sandbox.objects.account_shapes import (
    ASKED,
    Capability,
    Include,
    account_of,
    account_v1,
    account_v2,
    new_account,
)
from exchange.sandbox.protocol.lists import page_v2
from exchange.sandbox.protocol.parameters import Closed, Currency, Metadata, PagedV2, merged_metadata
from exchange.sandbox.protocol.register import route
from exchange.sandbox.shapes import Doc, new_id
from exchange.sandbox.store import World


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
    account = new_account(world, email=params.contact_email, country=(identity.country or "FR").upper()) | {
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
