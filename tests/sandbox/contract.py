"""Stripe's published schemas as a judge of what the SDK sent and what the sandbox answered.

Lax: the schema as it stands. Strict: every object with ``properties`` closed, so that an invented field fails too.
Must-have: the schemas require little, so the fields settlement leans on are named here. Method: the README beside the
schema files. Nothing here is used at run time.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jsonschema
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from exchange.sandbox.protocol.parameters import unflattened
from exchange.sandbox.protocol.register import ROUTES

FOLDER = Path(__file__).resolve().parents[2] / ".." / "shared" / "stripe"

MUST_HAVE = {
    "checkout.session": {"id", "status", "payment_status", "payment_intent", "url", "amount_total", "currency",
                         "client_reference_id", "metadata", "expires_at", "customer"},
    "payment_intent": {"id", "status", "amount", "amount_received", "currency", "latest_charge", "metadata",
                       "transfer_group", "next_action", "last_payment_error", "client_secret"},
    "charge": {"id", "status", "paid", "captured", "amount", "amount_captured", "amount_refunded", "disputed",
               "balance_transaction", "refunded", "payment_intent", "transfer_group", "metadata",
               "payment_method_details"},
    "refund": {"id", "status", "amount", "charge", "payment_intent", "balance_transaction", "metadata"},
    "transfer": {"id", "amount", "amount_reversed", "reversed", "destination", "source_transaction", "transfer_group",
                 "balance_transaction", "destination_payment", "metadata"},
    "transfer_reversal": {"id", "amount", "transfer", "balance_transaction", "metadata"},
    "balance_transaction": {"id", "amount", "fee", "net", "currency", "source", "type", "status", "available_on"},
    "dispute": {"id", "status", "amount", "charge", "payment_intent", "balance_transactions", "evidence_details"},
    "event": {"id", "type", "data", "api_version", "created", "livemode", "pending_webhooks", "request"},
    "payout": {"id", "status", "amount", "arrival_date", "balance_transaction"},
    "customer": {"id", "email", "metadata"},
    "v2.core.account": {"id", "applied_configurations", "closed", "livemode", "metadata"},
    "v2.core.event": {"id", "type", "created", "livemode"},
}  # fmt: skip


def present() -> bool:
    """Whether the schema files lie beside the checkout."""
    return (FOLDER / "openapi-v1.json").exists()


@cache
def _document(version: str, closed: bool) -> tuple[dict[str, Any], "Registry[Any]"]:
    raw = json.loads((FOLDER / f"openapi-{version}.json").read_text())
    document = _as_json_schema(raw, closed, names=False)
    return document, Registry().with_resource("spec:", DRAFT202012.create_resource(document))


def _as_json_schema(node: Any, closed: bool, names: bool) -> Any:
    """OpenAPI 3.0 to JSON Schema: ``nullable`` becomes a union. Under ``names`` the keys are names, not keywords."""
    if isinstance(node, list):
        return [_as_json_schema(item, closed, False) for item in node]
    if not isinstance(node, dict):
        return node
    into = {"properties", "schemas"}
    made = {key: _as_json_schema(value, closed, not names and key in into) for key, value in node.items()}
    if names:
        return made
    if closed and "properties" in made and "additionalProperties" not in made:
        made["additionalProperties"] = False
    if made.pop("nullable", False):
        made = {"anyOf": [made, {"type": "null"}]}
    return made


@cache
def _validator(version: str, pointer: str, closed: bool) -> jsonschema.Draft202012Validator:
    _, registry = _document(version, closed)
    return jsonschema.Draft202012Validator({"$ref": f"spec:#{pointer}"}, registry=registry)


@cache
def _operation(version: str, method: str, path: str) -> tuple[str, dict[str, Any]] | None:
    """The template in the file that ``path`` fits, with its operation."""
    document, _ = _document(version, False)
    shape = [part for part in path.split("/") if part]
    for template, operations in document["paths"].items():
        parts = [part for part in template.split("/") if part]
        fits = len(parts) == len(shape) and all(p.startswith("{") or p == s for p, s in zip(parts, shape, strict=True))
        if fits and method.lower() in operations:
            return template, operations[method.lower()]
    return None


def _pointer(template: str, method: str, *rest: str) -> str:
    parts = ["paths", template, method.lower(), *rest]
    return "".join("/" + p.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D") for p in parts)


#: Bodies already judged sound, but for their numbers and ids: judging costs milliseconds, and most are alike.
_SOUND: set[tuple[str, str, bool, str]] = set()


def _skeleton(value: Any) -> Any:
    """``value`` with what no schema looks at made equal: numbers, and texts with a digit in them (ids, times)."""
    if isinstance(value, dict):
        return {name: _skeleton(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_skeleton(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return 0
    return "0" if isinstance(value, str) and any(letter.isdigit() for letter in value) else value


class Tally:
    """How many bodies this process has laid before the schemas, and how many of them were at fault."""

    checked = 0
    violations = 0


class Contract:
    """Checks exchanges; ``faults`` are told all at once, so that one run shows them all."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.unjudged: set[str] = set()

    def check(self, method: str, url: str, sent: str, status: int, answered: str) -> None:
        """One call: the request (if it succeeded), the answer, and the objects in it."""
        split = urlsplit(url)
        version = "v2" if split.path.startswith("/v2/") else "v1"
        shape = _shape(method, split.path)
        found = _operation(version, method, split.path)
        if found is None:
            self.unjudged.add(f"{method} {shape}")
            return
        template, operation = found
        where = f"{method} {shape} {status}"
        body = json.loads(answered)
        kind = "200" if status == 200 else "default"
        pointer = _pointer(template, method, "responses", kind, "content", "application/json", "schema")
        for closed in (False, True):
            if version == "v2" and kind == "default" and closed:
                continue  # a union of errors that differ in their codes only
            self._judge(version, pointer, closed, body, f"{where} answer {'strict' if closed else 'lax'}")
        if status == 200:
            self._must_have(body, where)
            self._request(version, template, method, operation, split.query, sent, where)

    def _request(
        self, version: str, template: str, method: str, operation: Any, query: str, sent: str, where: str
    ) -> None:
        if method == "GET":
            known = {parameter["name"].split("[")[0] for parameter in operation.get("parameters", [])}
            names = {name.split("[")[0] for name, _ in parse_qsl(query)}
            names.discard("usage")  # the SDK's own telemetry, sent when it follows a thin event
            if names - known:
                self.faults.append(f"{where} request: unknown {sorted(names - known)}")
            return
        if not sent or method == "DELETE":
            return
        form = "application/json" if version == "v2" else "application/x-www-form-urlencoded"
        body = json.loads(sent) if version == "v2" else _typed(unflattened(parse_qsl(sent, keep_blank_values=True)))
        pointer = _pointer(template, method, "requestBody", "content", form, "schema")
        if template == "/v2/core/account_links":  # dahlia still requires what endive's SDK types no longer have
            for use in body["use_case"].values():
                if isinstance(use, dict):
                    use.setdefault("configurations", ["recipient"])
        self._judge(version, pointer, True, body, f"{where} request")

    def event(self, event: dict[str, Any]) -> None:
        """A webhook's body: the envelope, and the object in it where the file knows it."""
        version = "v2" if event["object"] == "v2.core.event" else "v1"
        where = f"webhook {event['type']}"
        for closed in (False, True):
            self._judge(version, f"/components/schemas/{event['object']}", closed, event, where)
        if version == "v1":
            inner = event["data"]["object"]
            document, _ = _document("v1", False)
            if inner["object"] in document["components"]["schemas"] and not inner.get("deleted"):
                for closed in (False, True):
                    self._judge("v1", f"/components/schemas/{inner['object']}", closed, inner, where)
                self._must_have(inner, where)

    def _must_have(self, body: dict[str, Any], where: str) -> None:
        for item in body["data"] if isinstance(body.get("data"), list) else [body]:
            absent = MUST_HAVE.get(item.get("object", ""), set()) - item.keys()
            if absent and not item.get("deleted"):
                self.faults.append(f"{where}: lacks {sorted(absent)}")

    def _judge(self, version: str, pointer: str, closed: bool, body: Any, where: str) -> None:
        Tally.checked += 1
        alike = (version, pointer, closed, json.dumps(_skeleton(body), sort_keys=True))
        if alike in _SOUND:
            return
        before = len(self.faults)
        for error in _validator(version, pointer, closed).iter_errors(body):
            deepest = _deepest(error)
            at = ".".join(map(str, deepest.absolute_path))
            self.faults.append(f"{where}: {at}: {deepest.message[:300]}")
        if len(self.faults) == before:
            _SOUND.add(alike)
        else:
            Tally.violations += 1


def _deepest(error: jsonschema.ValidationError) -> jsonschema.ValidationError:
    """The most telling error under a union: the one furthest into the document."""
    while error.context:
        error = max(error.context, key=lambda inner: (len(inner.absolute_path), inner.validator != "type"))
    return error


def _shape(method: str, path: str) -> str:
    for route in ROUTES:
        if route.method == method and route.pattern.match(path):
            return route.path
    return path


def _typed(value: Any) -> Any:
    """Form strings as the numbers and booleans they mean; metadata stays text."""
    if isinstance(value, dict):
        return {name: item if name == "metadata" else _typed(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_typed(item) for item in value]
    if value in {"true", "false"}:
        return value == "true"
    return int(value) if isinstance(value, str) and value.isdigit() else value
