"""Calls that fail on purpose, as planned at ``/_sandbox/``."""

import random

from exchange.sandbox.errors import Refusal
from exchange.sandbox.protocol.messages import Call
from exchange.sandbox.shapes import Doc
from exchange.sandbox.store import World


def planned_fault(world: World, call: Call) -> Doc | None:
    """The first planned fault that fits this call, if chance wants it so."""
    for planned in world.faults.get("calls", []):
        fits = planned.get("method", call.method) == call.method and planned.get("path", "") in call.path
        if fits and random.random() * 100 < planned.get("percent", 100):  # noqa: S311 - chance, not secrecy
            return dict(planned)
    return None


async def spend(world: World, fault: Doc) -> None:
    planned = world.faults["calls"]
    for entry in planned:
        if {**entry, "times": 0} == {**fault, "times": 0}:
            entry["times"] -= 1
            break
    world.faults["calls"] = [entry for entry in planned if entry["times"] > 0]
    await world.remember("faults", world.faults)


def refusal_of(kind: str) -> Refusal:
    if kind == "rate_limit":
        return Refusal("Too many requests (sandbox fault).", status=429, code="rate_limit", executed=False)
    if kind == "lock_timeout":
        return Refusal(
            "This object cannot be accessed right now because another API request is accessing it (sandbox fault).",
            status=429, code="lock_timeout", executed=False,
        )  # fmt: skip
    if kind == "conflict":
        return Refusal("There is currently another in-progress request using this Idempotent Key (sandbox fault).",
                       status=409, type="idempotency_error", code="idempotency_key_in_use", executed=False)  # fmt: skip
    if kind == "no_funds":
        return Refusal("You have insufficient available funds in your Stripe account (sandbox fault).",
                       code="balance_insufficient")  # fmt: skip
    return Refusal("An unknown error occurred (sandbox fault).", status=500, type="api_error")
