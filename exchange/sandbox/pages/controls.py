"""The controls: the clock, the disturbances, the bank's and the Dashboard's hand; what is simulated and what not."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from litestar import MediaType, Response, get, post
from litestar.params import FromPath
from pydantic import BaseModel, ValidationError

from exchange.sandbox import faults
from exchange.sandbox.errors import Refusal
from exchange.sandbox.objects import balance
from exchange.sandbox.pages.rendering import Asked, as_json, books_of, form_of, nothing, show
from exchange.sandbox.protocol.register import ABSENT, ROUTES
from exchange.sandbox.shapes import Doc, rendered


@get("/_sandbox")
async def controls_page(request: Asked) -> Response[str]:
    return await _controls(request)


async def _controls(request: Asked, *, done: str | None = None, refusal: str | None = None) -> Response[str]:
    async with books_of(request).reading() as world:
        state = await _state_of(world)
        clock = faults.clock(world)
        events = await world.select("event", tail="order by seq desc limit 15")
    return show(
        request, "controls.html", status=422 if refusal else 200, clock=clock, state=state, events=events,
        controls=faults.CONTROLS.values(), fields=_fields, routes=sorted(ROUTES, key=lambda r: (r.path, r.method)),
        absent=ABSENT, done=done, refusal=refusal, faults=json.dumps(state["faults"]) if state["faults"] else "",
    )  # fmt: skip


def _fields(fields: type[BaseModel]) -> list[tuple[str, Any, list[str]]]:
    """Name, default and allowed values of each field, for the form."""
    found = []
    for name, field in fields.model_fields.items():
        allowed = list(getattr(field.annotation, "__args__", ())) if "Literal" in str(field.annotation) else []
        allowed = ["false", "true"] if field.annotation is bool else allowed
        default = (
            "" if field.is_required() else str(field.default).lower() if field.annotation is bool else field.default
        )
        found.append((name, default, allowed))
    return found


async def _state_of(world: Any) -> Doc:
    world.account = None
    deliveries = await world.sql.fetch("select state, count(*) as n from sandbox.delivery group by state")
    return {
        "balance": await balance.balance(world),
        "deliveries": {row["state"]: row["n"] for row in deliveries},
        "due": await world.sql.fetchval("select count(*) from sandbox.due"),
        "faults": world.faults,
    }


@get("/_sandbox/state")
async def state(request: Asked) -> Response[str]:
    async with books_of(request).reading() as world:
        told = faults.clock(world) | await _state_of(world)
    return as_json(told)


@get("/_sandbox/clock")
async def clock(request: Asked) -> Response[str]:
    async with books_of(request).reading() as world:
        return as_json(faults.clock(world))


@get("/_sandbox/routes")
async def routes(request: Asked) -> Response[str]:
    return as_json([{"method": r.method, "path": r.path, "depth": r.depth, "note": r.note} for r in ROUTES])


@post("/_sandbox/clock", status_code=200)
async def advance_clock(request: Asked) -> Response[str]:
    return await _acted(request, "clock")


@post("/_sandbox/{name:str}", status_code=200)
async def act(request: Asked, name: FromPath[str]) -> Response[str]:
    return await _acted(request, name)


async def _acted(request: Asked, name: str) -> Response[str]:
    """One control, by form or by JSON; each answers in kind."""
    wants_json = "json" in request.headers.get("content-type", "")
    found = faults.CONTROLS.get(name)
    if found is None and name != "clock":
        return as_json({"error": f"No such control: {name}"}, 404) if wants_json else nothing(request)
    body = await request.body()
    try:
        sent = (
            json.loads(body or b"{}") if wants_json else {k: v for k, v in (await form_of(request)).items() if v != ""}
        )
        if found is None:
            told = await faults.advance(books_of(request), faults.Advance.model_validate(sent))
        else:
            fields = found.fields.model_validate(sent)
            async with books_of(request).writing() as world:
                told = rendered(await found.act(world, fields), now=world.now)
    except (Refusal, ValidationError, ValueError) as refusal:
        words = str(refusal) if not isinstance(refusal, ValidationError) else _first(refusal)
        return as_json({"error": words}, 422) if wants_json else await _controls(request, refusal=words)
    return as_json(told) if wants_json else await _controls(request, done=json.dumps(told, indent=1)[:2_000])


def _first(error: ValidationError) -> str:
    fault = error.errors()[0]
    return f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"


@get("/_sandbox/sandbox.css")
async def stylesheet() -> Response[str]:
    headers = {"Cache-Control": "max-age=3600", "X-Sandbox": "NOT STRIPE"}
    return Response(_css(), headers=headers, media_type=MediaType.CSS)


@cache
def _css() -> str:
    return files("exchange.sandbox").joinpath("static/sandbox.css").read_text()


@get("/healthz")
async def healthz(request: Asked) -> Response[str]:
    """200 once the sandbox's own tables answer."""
    async with books_of(request).reading() as world:
        return as_json(faults.clock(world))


doors = [controls_page, state, clock, routes, advance_clock, act, stylesheet, healthz]
