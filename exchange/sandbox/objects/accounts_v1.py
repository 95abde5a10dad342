"""Connected accounts as v1 still makes and shows them."""

from typing import Literal

from exchange.sandbox.objects.account_shapes import account_of, account_v1, new_account
from exchange.sandbox.objects.accounts import close
from exchange.sandbox.protocol.lists import page
from exchange.sandbox.protocol.parameters import (
    Closed,
    Currency,
    Listed,
    Metadata,
    NoParams,
    Params,
    Retrieve,
    merged_metadata,
)
from exchange.sandbox.protocol.register import route
from exchange.sandbox.shapes import Doc
from exchange.sandbox.store import World


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


@route(
    "POST", "/v1/accounts", AccountCreateV1, depth="simplified",
    note="transferable at once, without onboarding; few of the many fields",
)  # fmt: skip
async def create_account_v1(world: World, params: AccountCreateV1) -> Doc:
    account = new_account(world, email=params.email, country=params.country or "FR") | {
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
    own = new_account(world, email=None, country="FR") | {"_dashboard": "full", "_type": "standard"}
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
