"""The register of routes: each endpoint is a function ``(world, params, *path ids) -> object``."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel

from exchange.sandbox.protocol.lists import page
from exchange.sandbox.protocol.parameters import Paged, Params, Retrieve, merged_metadata
from exchange.sandbox.shapes import Doc
from exchange.sandbox.store import World

Endpoint = Callable[..., Awaitable[Doc]]

Depth = Literal["simulated", "simplified"]


@dataclass(frozen=True)
class Route:
    """One endpoint, and how honest it is: ``simplified`` says in ``note`` in what."""

    method: str
    path: str
    params: type[BaseModel]
    endpoint: Endpoint
    depth: Depth
    note: str
    pattern: re.Pattern[str] = field(repr=False)

    @property
    def v2(self) -> bool:
        return self.path.startswith("/v2/")


ROUTES: list[Route] = []

#: What Stripe has and the sandbox has not: the beginning of a path, and what one would look for there.
ABSENT: dict[str, str] = {}


def absent(path: str, note: str) -> None:
    """Say that everything at and under ``path`` is left out; a call there is told so."""
    ABSENT[path] = note


def route(
    method: str, path: str, params: type[BaseModel] = Retrieve, *, depth: Depth = "simulated", note: str = ""
) -> Callable[[Endpoint], Endpoint]:
    """Register an endpoint. ``{names}`` in the path are handed over in order."""
    pattern = re.compile("^" + re.sub(r"\{\w+\}", r"([^/]+)", path) + "$")

    def register(endpoint: Endpoint) -> Endpoint:
        ROUTES.append(Route(method, path, params, endpoint, depth, note, pattern))
        return endpoint

    return register


def readable(path: str, kind: str, listed: type[Paged] | None = None, **defaults: str) -> None:
    """Register retrieve, and list with the filters that ``listed`` names, for objects of ``kind``."""

    @route("GET", f"{path}/{{id}}", Retrieve)
    async def retrieve(world: World, params: Params, id: str) -> Doc:
        return await world.get(id, kind)

    if listed:

        @route("GET", path, listed)
        async def many(world: World, params: Paged) -> Doc:
            return await page(world, kind, params)


def updatable(path: str, kind: str, params: type[Params], event: str | None = None) -> None:
    """Register an update that lays what was sent over the object."""

    @route("POST", f"{path}/{{id}}", params)
    async def update(world: World, params: Params, id: str) -> Doc:
        return await overlay(world, await world.get(id, kind), params, event)


async def overlay(world: World, doc: Doc, params: Params, event: str | None = None) -> Doc:
    """Lay the sent parameters over ``doc``, merge metadata, tell of it with ``previous_attributes``."""
    sent = params.given(*(name for name in type(params).model_fields if name != "expand"))
    if "metadata" in sent:
        sent["metadata"] = merged_metadata(doc["metadata"], sent["metadata"])
    before = {name: doc.get(name) for name, value in sent.items() if doc.get(name) != value}
    doc |= sent
    await world.save(doc)
    if event and before:
        await world.emit(event, doc, previous=before)
    return doc
