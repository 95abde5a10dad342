"""The links to the onboarding page, in v2 and v1, and what comes of a visit there."""

from typing import Literal

from exchange.sandbox.errors import Refusal
from exchange.sandbox.objects.account_shapes import account_of
from exchange.sandbox.objects.accounts import set_standing
from exchange.sandbox.protocol.parameters import Closed, Params
from exchange.sandbox.protocol.register import route
from exchange.sandbox.shapes import Doc, iso, new_id
from exchange.sandbox.store import World, due


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


class AccountLinkV1(Params):
    account: str
    refresh_url: str
    return_url: str
    type: Literal["account_onboarding", "account_update"]


@route("POST", "/v1/account_links", AccountLinkV1)
async def create_account_link_v1(world: World, params: AccountLinkV1) -> Doc:
    account = await account_of(world, params.account)
    link = await _new_link(world, account, params.refresh_url, params.return_url, params.type)
    return {name: link[name] for name in ("object", "created", "expires_at", "url")}
