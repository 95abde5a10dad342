"""One call, whole: key, version, parameters, idempotency, the endpoint, the answer.

Sources: Stripe's API reference (Authentication, Errors, Expanding, Idempotent requests, Pagination, Versioning) and
settlement guide §7. What could not be verified without a real key is marked † there and here.
"""

import base64
import hashlib
import json
from urllib.parse import parse_qsl

from pydantic import BaseModel

from exchange.sandbox.config import PINNED_VERSION
from exchange.sandbox.errors import Refusal, malformed
from exchange.sandbox.protocol.call_faults import planned_fault, refusal_of, spend
from exchange.sandbox.protocol.expansion import expanded, shown_v1
from exchange.sandbox.protocol.messages import Answer, Call
from exchange.sandbox.protocol.parameters import parsed, unflattened, uploaded
from exchange.sandbox.protocol.register import ABSENT, ROUTES, Route
from exchange.sandbox.shapes import Doc, new_id, rendered
from exchange.sandbox.store import Books, World, known_version


def _answer(status: int, body: str, request_id: str, version: str, **headers: str) -> Answer:
    own = {"Request-Id": request_id, "Stripe-Version": version, "X-Sandbox": "NOT STRIPE"}
    return Answer(status, body.encode(), own | {name.replace("_", "-"): value for name, value in headers.items()})


def _error_body(refusal: Refusal) -> str:
    return json.dumps({"error": refusal.error}, indent=2)


async def answer(books: Books, call: Call) -> Answer:
    """The whole protocol around one endpoint."""
    request_id = new_id("req")
    version = call.headers.get("stripe-version", PINNED_VERSION)
    try:
        _authenticate(books, call)
        version = known_version(version)
        found, ids = _matched(call)
        if found.method == "GET":
            return await _read(books, call, found, ids, request_id, version)
        return await _write(books, call, found, ids, request_id, version)
    except Refusal as refusal:
        body = _error_body(refusal)
        headers = {"Stripe_Should_Retry": "true"} if refusal.error.get("code") == "lock_timeout" else {}
        return _answer(refusal.status, body, request_id, version, **headers)


def _authenticate(books: Books, call: Call) -> None:
    header = call.headers.get("authorization", "")
    scheme, _, key = header.partition(" ")
    if scheme.lower() == "basic":  # stripe-cli and curl -u
        key = base64.b64decode(key + "==").decode(errors="replace").split(":")[0]
    if not key:
        raise Refusal("You did not provide an API key. Use 'Authorization: Bearer sk_test_…'.", status=401,
                      executed=False)  # fmt: skip
    if not key.startswith("sk_test_"):
        raise Refusal(
            "This is a payment sandbox, NOT STRIPE: it takes sk_test_ keys only. If this is a real key, it has been"
            " sent to the wrong address; consider it exposed and roll it.",
            status=401,
            executed=False,
        )
    if key != books.settings.secret_key:
        raise Refusal(f"Invalid API Key provided: sk_test_****{key[-4:]}", status=401, executed=False)


def _matched(call: Call) -> tuple[Route, tuple[str, ...]]:
    for candidate in ROUTES:
        if candidate.method == call.method and (match := candidate.pattern.match(call.path)):
            return candidate, match.groups()
    missed = next((note for path, note in ABSENT.items() if f"{call.path}/".startswith(f"{path}/")), None)
    why = f"The sandbox does not simulate {missed}" if missed else "This sandbox may not simulate it"
    raise Refusal(
        f"Unrecognized request URL ({call.method}: {call.path}). {why}: see /_sandbox/.", status=404, executed=False
    )


def _raw(call: Call, found: Route) -> Doc:
    query = unflattened(parse_qsl(call.query, keep_blank_values=True))
    if found.v2 and call.method == "GET":
        query.pop("usage", None)  # SDK 16.1 sends its own telemetry along when it follows a thin event
    if found.v2 and call.method == "POST":
        try:
            body = json.loads(call.body or b"{}")
        except ValueError:
            raise malformed("The request body is not valid JSON.") from None
        if not isinstance(body, dict):
            raise malformed("The request body must be a JSON object.")
        return query | body
    if call.headers.get("content-type", "").startswith("multipart/form-data"):
        return query | uploaded(call.headers["content-type"], call.body)
    return query | unflattened(parse_qsl(call.body.decode(errors="replace"), keep_blank_values=True))


async def _prepare(world: World, call: Call, version: str, request_id: str) -> None:
    world.version = version
    world.request_id = request_id
    world.path = call.path
    context = call.headers.get("stripe-account") or call.headers.get("stripe-context")
    if context:
        account = await world.find(context)
        if account is None or account["object"] != "account" or account["_closed"]:
            raise Refusal(
                f"The provided key does not have access to account '{context}' (or that account does not exist).",
                status=403, code="account_invalid", executed=False,
            )  # fmt: skip
        world.account = context


async def _run(world: World, found: Route, params: BaseModel, ids: tuple[str, ...]) -> str:
    result = await found.endpoint(world, params, *ids)
    if not found.v2:
        result = shown_v1(result)
        if result.get("object") == "list":
            result["data"] = [shown_v1(item) for item in result["data"]]
        for path in getattr(params, "expand", []):
            if path.count(".") > 3:
                raise malformed("You cannot expand more than 4 levels of a property.", param="expand")
            await expanded(world, result, path.split("."), path)
    return json.dumps(rendered(result, now=world.now, version=world.version), indent=2)


async def _read(books: Books, call: Call, found: Route, ids: tuple[str, ...], request_id: str, version: str) -> Answer:
    params = parsed(found.params, _raw(call, found), version)
    async with books.reading() as world:
        await _prepare(world, call, version, request_id)
        body = await _run(world, found, params, ids)
        fault = planned_fault(world, call)
    if fault and fault["kind"] in {"error_500", "error_500_after", "rate_limit"}:
        async with books.writing() as world:
            await spend(world, fault)
        raise refusal_of(fault["kind"])
    return _answer(200, body, request_id, version)


async def _write(books: Books, call: Call, found: Route, ids: tuple[str, ...], request_id: str, version: str) -> Answer:
    key = call.headers.get("idempotency-key")
    scope = call.headers.get("stripe-account") or ""
    if key is None:
        return await _execute(books, call, found, ids, request_id, version, None)
    if not key or len(key) > 255:
        raise malformed("The idempotency key must have between 1 and 255 characters.", "idempotency_key_invalid")
    if (scope, key) in books.in_flight:
        raise Refusal(
            f"There is currently another in-progress request using this Idempotent Key ({key}).",
            status=409, type="idempotency_error", code="idempotency_key_in_use", executed=False,
        )  # fmt: skip
    books.in_flight.add((scope, key))
    try:
        return await _execute(books, call, found, ids, request_id, version, key)
    finally:
        books.in_flight.discard((scope, key))


async def _execute(
    books: Books, call: Call, found: Route, ids: tuple[str, ...], request_id: str, version: str, key: str | None
) -> Answer:
    raw = _raw(call, found)
    scope = call.headers.get("stripe-account") or ""
    whole = json.dumps([call.method, call.path, raw], sort_keys=True)
    fingerprint = hashlib.sha256(whole.encode()).hexdigest()
    async with books.writing() as world:
        await _prepare(world, call, version, request_id)
        world.idempotency_key = key
        if key is not None:
            earlier = await world.sql.fetchrow(
                "select * from sandbox.answer where account = $1 and key = $2 and expires > $3", scope, key, world.now
            )
            if earlier is not None:
                if earlier["fingerprint"] != fingerprint:
                    raise Refusal(
                        "Keys for idempotent requests can only be used with the same endpoint and parameters they were"
                        f" first used with. Try using a key other than '{key}' if you meant to execute a different"
                        " request.",
                        type="idempotency_error", executed=False,
                    )  # fmt: skip
                replayed = {"Idempotent_Replayed": "true", "Idempotency_Key": key}
                return _answer(earlier["status"], earlier["body"], request_id, version, **replayed)
        fault = planned_fault(world, call)
        if fault:
            await spend(world, fault)
        kind = fault["kind"] if fault else ""
        if kind in {"rate_limit", "lock_timeout", "conflict"}:
            refusal = refusal_of(kind)
            refusal.keep = True  # the fault is spent
            raise refusal
        status, body = 200, ""
        if kind in {"error_500", "no_funds"}:
            refusal = refusal_of(kind)
            status, body = refusal.status, _error_body(refusal)
        else:
            params = parsed(found.params, raw, version)
            try:
                async with _undone_unless_kept(world):
                    body = await _run(world, found, params, ids)
            except Refusal as refusal:
                if not refusal.executed:
                    raise
                refusal.error["request_log_url"] = f"{world.settings.public_url}/_sandbox/#{request_id}"
                status, body = refusal.status, _error_body(refusal)
        if kind == "error_500_after":
            status, body = 500, _error_body(refusal_of(kind))
        if key is not None and not (found.v2 and status >= 400):  # v2 runs a failed call again †
            life = 30 * 86_400 if found.v2 else 86_400
            await world.sql.execute(
                "insert into sandbox.answer values ($1, $2, $3, $4, $5, $6) on conflict (account, key) do update set"
                " fingerprint = excluded.fingerprint, status = excluded.status, body = excluded.body,"
                " expires = excluded.expires",
                scope, key, fingerprint, status, body, world.now + life,
            )  # fmt: skip
    stall = float(fault.get("seconds", 20)) if fault and kind == "timeout_after" else 0.0
    headers = {"Idempotency_Key": key} if key else {}
    return _answer(status, body, request_id, version, **headers)._replace(stall=stall)


class _undone_unless_kept:  # noqa: N801 - used as a statement, like contextlib's own
    """A savepoint that a refusal rolls back, unless the refusal keeps what was done."""

    def __init__(self, world: World) -> None:
        self.savepoint = world.sql.transaction()

    async def __aenter__(self) -> None:
        await self.savepoint.start()

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None or (isinstance(error, Refusal) and error.keep):
            await self.savepoint.commit()
        else:
            await self.savepoint.rollback()
