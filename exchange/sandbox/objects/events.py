"""Events as both protocols list them, and the endpoints they are delivered to."""

import secrets
from typing import Literal

from pydantic import Field

from exchange.sandbox.config import PINNED_VERSION, SandboxSettings
from exchange.sandbox.errors import Refusal
from exchange.sandbox.protocol.lists import page, page_v2
from exchange.sandbox.protocol.parameters import (
    Closed,
    Listed,
    Metadata,
    NoParams,
    Paged,
    PagedV2,
    Params,
    Retrieve,
    merged_metadata,
)
from exchange.sandbox.protocol.register import readable, route
from exchange.sandbox.shapes import Doc, iso, new_id
from exchange.sandbox.store import Books, World, known_version

#: Stripe keeps events for 30 days; so does the virtual clock.
HORIZON = 30 * 86_400

# ---------------------------------------------------------------- v1 events


class EventList(Listed):
    type: str | None = None
    types: list[str] | None = Field(None, max_length=20)


async def _with_pending(world: World, event: Doc) -> Doc:
    waiting = await world.sql.fetchval(
        "select count(*) from sandbox.delivery where event = $1 and state = 'waiting'", event["id"]
    )
    return event | {"pending_webhooks": waiting}


@route("GET", "/v1/events/{id}", Retrieve)
async def retrieve_event(world: World, params: Params, id: str) -> Doc:
    event = await world.get(id, "event")
    if event["created"] < world.now - HORIZON:
        raise Refusal(f"No such event: '{id}'", status=404, code="resource_missing", param="id")
    return await _with_pending(world, event)


@route("GET", "/v1/events", EventList)
async def list_events(world: World, params: EventList) -> Doc:
    found = await page(world, "event", params)
    kept = [event for event in found["data"] if event["created"] >= world.now - HORIZON]
    return found | {"data": kept, "has_more": found["has_more"] and len(kept) == len(found["data"])}


# ---------------------------------------------------------------- webhook endpoints


class EndpointCreate(Params):
    url: str
    enabled_events: list[str] = Field(min_length=1)
    api_version: str | None = None
    connect: bool = False
    description: str | None = None
    metadata: Metadata = {}


class EndpointUpdate(Params):
    url: str | None = None
    enabled_events: list[str] | None = None
    description: str | None = None
    disabled: bool | None = None
    metadata: Metadata = {}


def _secret() -> str:
    return f"whsec_sbx{secrets.token_hex(16)}"


def _endpoint(world: World, url: str, events: list[str], *, connect: bool, version: str | None, secret: str) -> Doc:
    return {
        "id": new_id("we"),
        "object": "webhook_endpoint",
        "api_version": version,
        "application": None,
        "created": world.now,
        "description": None,
        "enabled_events": events,
        "livemode": False,
        "metadata": {},
        "status": "enabled",
        "url": url,
        "_connect": connect,
        "_secret": secret,
    }


@route("POST", "/v1/webhook_endpoints", EndpointCreate)
async def create_endpoint(world: World, params: EndpointCreate) -> Doc:
    version = known_version(params.api_version) if params.api_version else None
    endpoint = _endpoint(world, params.url, params.enabled_events, connect=params.connect, version=version,
                         secret=_secret())  # fmt: skip
    endpoint |= {"description": params.description, "metadata": params.metadata}
    await world.add(endpoint)
    return endpoint | {"secret": endpoint["_secret"]}


@route("POST", "/v1/webhook_endpoints/{id}", EndpointUpdate)
async def update_endpoint(world: World, params: EndpointUpdate, id: str) -> Doc:
    endpoint = await world.get(id, "webhook_endpoint")
    endpoint |= params.given("url", "enabled_events", "description")
    endpoint["metadata"] = merged_metadata(endpoint["metadata"], params.metadata)
    if params.disabled is not None:
        endpoint["status"] = "disabled" if params.disabled else "enabled"
    return await world.save(endpoint)


@route("DELETE", "/v1/webhook_endpoints/{id}", NoParams)
async def delete_endpoint(world: World, params: NoParams, id: str) -> Doc:
    await world.get(id, "webhook_endpoint")
    await world.sql.execute("delete from sandbox.object where id = $1", id)
    return {"id": id, "object": "webhook_endpoint", "deleted": True}


readable("/v1/webhook_endpoints", "webhook_endpoint", Paged)

# ---------------------------------------------------------------- v2 events and destinations


class Created(Closed):
    gt: str | None = None
    gte: str | None = None
    lt: str | None = None
    lte: str | None = None


class EventListV2(PagedV2):
    object_id: str | None = None
    types: list[str] | None = None
    created: Created | None = None


Included = Literal["webhook_endpoint.signing_secret", "webhook_endpoint.url"]


class WebhookTarget(Closed):
    url: str


class DestinationCreate(Closed):
    name: str
    type: Literal["webhook_endpoint"]
    event_payload: Literal["snapshot", "thin"]
    enabled_events: list[str] = Field(min_length=1)
    description: str = ""
    events_from: list[Literal["self", "other_accounts", "@self", "@accounts"]] = ["self"]
    include: list[Included] = []
    metadata: Metadata = {}
    snapshot_api_version: str | None = None
    webhook_endpoint: WebhookTarget


class DestinationUpdate(Closed):
    name: str | None = None
    description: str | None = None
    enabled_events: list[str] | None = None
    include: list[Included] = []
    metadata: Metadata = {}


class DestinationRetrieve(Closed):
    include: list[Included] = []


class DestinationList(PagedV2):
    include: list[Included] = []


@route("GET", "/v2/core/events/{id}", NoParams)
async def retrieve_event_v2(world: World, params: NoParams, id: str) -> Doc:
    return await world.get(id, "v2.core.event")


@route("GET", "/v2/core/events", EventListV2)
async def list_events_v2(world: World, params: EventListV2) -> Doc:
    where, args = "created >= $2", [world.now - HORIZON]
    extra: list[object] = []
    if params.object_id:
        extra.append(params.object_id)
        where += f" and doc->'related_object'->>'id' = ${len(extra) + 2}"
    if params.types:
        extra.append(params.types)
        where += f" and doc->>'type' = any(${len(extra) + 2})"
    for sign, value in _bounds(params.created):
        extra.append(value)
        where += f" and (doc->>'created')::timestamptz {sign} ${len(extra) + 2}::text::timestamptz"
    return await page_v2(world, "v2.core.event", params, where, *args, *extra)


def _bounds(created: Created | None) -> list[tuple[str, str]]:
    if created is None:
        return []
    signs = ((">", created.gt), (">=", created.gte), ("<", created.lt), ("<=", created.lte))
    return [(sign, value) for sign, value in signs if value is not None]


def _destination(world: World, name: str, url: str, events: list[str], secret: str) -> Doc:
    return {
        "id": new_id("ed_test"),
        "object": "v2.core.event_destination",
        "created": iso(world.now),
        "description": "",
        "enabled_events": events,
        "event_payload": "thin",
        "events_from": ["self"],
        "livemode": False,
        "metadata": {},
        "name": name,
        "status": "enabled",
        "type": "webhook_endpoint",
        "updated": iso(world.now),
        "_url": url,
        "_secret": secret,
    }


def _shown(destination: Doc, include: list[Included]) -> Doc:
    target = {}
    if "webhook_endpoint.url" in include:
        target["url"] = destination["_url"]
    if "webhook_endpoint.signing_secret" in include:
        target["signing_secret"] = destination["_secret"]
    return destination | ({"webhook_endpoint": target} if target else {})


@route(
    "POST", "/v2/core/event_destinations", DestinationCreate, depth="simplified",
    note="thin payloads to webhook endpoints; snapshots go through /v1/webhook_endpoints",
)  # fmt: skip
async def create_destination(world: World, params: DestinationCreate) -> Doc:
    if params.event_payload != "thin":
        raise Refusal("The sandbox delivers snapshots through /v1/webhook_endpoints.", param="event_payload")
    made = _destination(world, params.name, params.webhook_endpoint.url, params.enabled_events, _secret())
    made |= {"description": params.description, "events_from": params.events_from, "metadata": params.metadata}
    await world.add(made, account=None)
    return _shown(made, params.include)


@route("GET", "/v2/core/event_destinations/{id}", DestinationRetrieve)
async def retrieve_destination(world: World, params: DestinationRetrieve, id: str) -> Doc:
    return _shown(await world.get(id, "v2.core.event_destination"), params.include)


@route("POST", "/v2/core/event_destinations/{id}", DestinationUpdate)
async def update_destination(world: World, params: DestinationUpdate, id: str) -> Doc:
    destination = await world.get(id, "v2.core.event_destination")
    sent = params.model_dump(exclude_unset=True, exclude={"include"})
    sent["metadata"] = merged_metadata(destination["metadata"], sent.get("metadata", {}))
    destination |= sent | {"updated": iso(world.now)}
    return _shown(await world.save(destination), params.include)


@route("GET", "/v2/core/event_destinations", DestinationList)
async def list_destinations(world: World, params: DestinationList) -> Doc:
    found = await page_v2(world, "v2.core.event_destination", params)
    return found | {"data": [_shown(destination, params.include) for destination in found["data"]]}


# ---------------------------------------------------------------- endpoints named in the settings


async def register(books: Books, settings: SandboxSettings) -> None:
    """Make sure that the endpoints named in the settings exist, with those secrets, at the pinned version."""
    async with books.writing() as world:
        for hook in settings.webhooks:
            thin = hook.kind == "thin"
            kind = "v2.core.event_destination" if thin else "webhook_endpoint"
            known = await world.select(kind, "doc->>$2 = $3", "_url" if thin else "url", hook.url)
            for doc in known:
                if thin or doc["_connect"] == (hook.kind == "connect"):
                    await world.save(doc | {"_secret": hook.secret, "status": "enabled"})
                    break
            else:
                await world.add(
                    _destination(world, "settings", hook.url, ["*"], hook.secret)
                    if thin
                    else _endpoint(world, hook.url, ["*"], connect=hook.kind == "connect", version=PINNED_VERSION,
                                   secret=hook.secret)
                )  # fmt: skip
