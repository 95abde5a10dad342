"""Stripe's protocol: the register of routes, keys, versions, parameters, idempotency, paging, expansion, errors.

Every endpoint is a function ``(world, params, *path ids) -> object`` in the register; this file does the rest, the same
way for each. Sources: Stripe's API reference (Authentication, Errors, Expanding, Idempotent requests, Pagination,
Versioning) and settlement guide §7. What could not be verified without a real key is marked † there and here.
"""

import base64
import copy
import hashlib
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal, NamedTuple
from urllib.parse import parse_qsl

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from exchange.sandbox.config import PINNED_VERSION
from exchange.sandbox.errors import Refusal, malformed
from exchange.sandbox.shapes import Doc, iso, new_id, rendered
from exchange.sandbox.store import Books, World, known_version

# ---------------------------------------------------------------- parameters


class Closed(BaseModel):
    """Parameters, or a nested part of them: an unknown name is refused, never ignored."""

    model_config = ConfigDict(extra="forbid")


class Params(Closed):
    """The parameters of one endpoint.

    ``since`` and ``until`` name those that exist only from, or only before, the pinned version.
    """

    since: ClassVar[frozenset[str]] = frozenset()
    until: ClassVar[frozenset[str]] = frozenset()

    expand: list[str] = []

    def given(self, *names: str) -> Doc:
        """Those of ``names`` that were sent; ``""`` unsets, as in Stripe's forms."""
        dump = self.model_dump(exclude_unset=True)
        return {name: (None if dump[name] == "" else dump[name]) for name in names if name in dump}


def _checked_metadata(metadata: dict[str, str]) -> dict[str, str]:
    if len(metadata) > 50:
        raise ValueError("metadata holds at most 50 keys")
    for key, value in metadata.items():
        if len(key) > 40 or len(value) > 500:
            raise ValueError(f"metadata key '{key[:50]}': keys have at most 40 characters, values at most 500")
    return metadata


def _unset_metadata(value: Any) -> Any:
    return {"": ""} if value == "" else value


Metadata = Annotated[dict[str, str], BeforeValidator(_unset_metadata), AfterValidator(_checked_metadata)]


def merged_metadata(old: dict[str, str], new: dict[str, str]) -> dict[str, str]:
    """``old`` with ``new`` laid over: an empty value removes its key, a bare ``""`` removes them all."""
    if new == {"": ""}:
        return {}
    return {key: value for key, value in (old | new).items() if value != ""}


def _lower(value: str) -> str:
    return value.lower()


Currency = Annotated[str, Field(pattern=r"^[A-Za-z]{3}$"), AfterValidator(_lower)]
Amount = Annotated[int, Field(ge=1, le=99_999_999_999)]


class Range(Closed):
    """``created[gte]`` and its kin, in seconds."""

    gt: int | None = None
    gte: int | None = None
    lt: int | None = None
    lte: int | None = None


class Retrieve(Params):
    """No parameters but ``expand``."""


class NoParams(Closed):
    """A call that takes none, not even ``expand``."""


class Paged(Params):
    """A v1 list, newest first."""

    limit: int = Field(10, ge=1, le=100)
    starting_after: str | None = None
    ending_before: str | None = None


class Listed(Paged):
    """A v1 list with Stripe's filter on the time of creation."""

    created: int | Range | None = None


class PagedV2(Closed):
    """A v2 list: ``page`` is the token out of ``next_page_url``."""

    limit: int = Field(20, ge=1, le=100)
    page: str | None = None


# ---------------------------------------------------------------- the register

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


# ---------------------------------------------------------------- lists


async def page(world: World, kind: str, params: Paged, **fixed: str) -> Doc:
    """One page of this account's objects of ``kind``; every further field of ``params`` filters on its equal."""
    conditions, args = ["kind = $1", "account is not distinct from $2"], [kind, world.account]

    def where(condition: str, *values: Any) -> None:
        for value in values:
            args.append(value)
            condition = condition.replace("?", f"${len(args)}", 1)
        conditions.append(condition)

    paging = {"expand", "limit", "starting_after", "ending_before", "created", "types"}
    filters = {n: v for n, v in params.model_dump().items() if n not in paging and v is not None} | fixed
    for name, value in filters.items():
        where("doc->>? = ?", name, str(value))
    created = getattr(params, "created", None)
    if isinstance(created, int):
        where("created = ?", created)
    elif created is not None:
        for sign, value in ((">", created.gt), (">=", created.gte), ("<", created.lt), ("<=", created.lte)):
            if value is not None:
                where(f"created {sign} ?", value)
    if types := getattr(params, "types", None):
        where("doc->>'type' = any(?)", types)
    backwards = params.ending_before is not None
    for cursor, sign in ((params.starting_after, "<"), (params.ending_before, ">")):
        if cursor is not None:
            name = "starting_after" if sign == "<" else "ending_before"
            if not await world.sql.fetchval("select 1 from sandbox.object where id = $1 and kind = $2", cursor, kind):
                raise Refusal(f"No such {kind}: '{cursor}'", code="resource_missing", param=name)
            where(f"seq {sign} (select seq from sandbox.object where id = ?)", cursor)  # noqa: S608 - a fixed text
    rows = await world.sql.fetch(
        f"select doc from sandbox.object where {' and '.join(conditions)}"  # noqa: S608 - fixed texts, values are args
        f" order by seq {'asc' if backwards else 'desc'} limit {params.limit + 1}",
        *args,
    )
    data = [row["doc"] for row in rows[: params.limit]]
    if backwards:
        data.reverse()
    return {"object": "list", "url": world.path, "has_more": len(rows) > params.limit, "data": data}


async def page_v2(world: World, kind: str, params: PagedV2, where: str = "true", *args: Any) -> Doc:
    """One v2 page; the token of the next one is the last object's id."""
    if params.page:
        args = (*args, params.page)
        where += f" and seq < (select seq from sandbox.object where id = ${len(args) + 1})"  # noqa: S608 - a fixed text
    found = await world.select(kind, where, *args, tail=f"order by seq desc limit {params.limit + 1}")
    data = found[: params.limit]
    following = f"{world.path}?limit={params.limit}&page={data[-1]['id']}" if len(found) > params.limit else None
    return {"data": data, "next_page_url": following, "previous_page_url": None}


# ---------------------------------------------------------------- expand[]

_EXPANDABLE: dict[str, set[str]] = {
    "payment_intent": {"customer", "latest_charge", "payment_method"},
    "charge": {
        "customer", "payment_intent", "balance_transaction", "failure_balance_transaction", "transfer",
        "source_transfer", "refunds",
    },
    "checkout.session": {"customer", "payment_intent", "line_items"},
    "refund": {"charge", "payment_intent", "balance_transaction", "failure_balance_transaction"},
    "transfer": {"balance_transaction", "destination", "destination_payment", "source_transaction"},
    "transfer_reversal": {"balance_transaction", "destination_payment_refund", "source_refund", "transfer"},
    "balance_transaction": {"source"},
    "dispute": {"charge", "payment_intent"},
    "payout": {"balance_transaction", "failure_balance_transaction", "original_payout", "reversed_by"},
    "topup": {"balance_transaction"},
    "customer": {"cash_balance"},
    "payment_method": {"customer"},
    "price": {"product"},
    "product": {"default_price"},
}  # fmt: skip

Include = Callable[[World, Doc], Awaitable[Any]]

#: Fields that an object only has when asked for.
INCLUDES: dict[tuple[str, str], Include] = {}

#: Kinds whose stored form is not the one v1 shows.
SHOWN_V1: dict[str, Callable[[Doc], Doc]] = {}


async def _expanded(world: World, doc: Doc, path: list[str], whole: str) -> None:
    name, rest = path[0], path[1:]
    if doc.get("object") == "list" and name == "data":
        for item in doc["data"]:
            if rest:
                await _expanded(world, item, rest, whole)
        return
    kind = doc.get("object", "")
    if name not in _EXPANDABLE.get(kind, set()):
        if isinstance(doc.get(name), dict) and rest:
            await _expanded(world, doc[name], rest, whole)
            return
        raise malformed(f"This property cannot be expanded ({whole}).", param="expand")
    if (kind, name) in INCLUDES and not isinstance(doc.get(name), dict):
        doc[name] = await INCLUDES[kind, name](world, doc)
    elif isinstance(doc.get(name), str):
        found = await world.find(doc[name])
        if found is not None:
            doc[name] = _shown_v1(found)
    if rest and isinstance(doc.get(name), dict):
        await _expanded(world, doc[name], rest, whole)


def _shown_v1(doc: Doc) -> Doc:
    return copy.deepcopy(SHOWN_V1[doc["object"]](doc) if doc.get("object") in SHOWN_V1 else doc)


# ---------------------------------------------------------------- forms

_PART = re.compile(r"\[([^\[\]]*)\]")


def unflattened(pairs: list[tuple[str, str]]) -> Doc:
    """``a[b][0][c]=1`` as nested dicts and lists; ``a[]=1`` appends."""
    tree: Doc = {}
    for name, value in pairs:
        head, *_ = name.split("[", 1)
        parts = [head, *_PART.findall(name)]
        node = tree
        for depth, part in enumerate(parts):
            key = part if part else str(len(node))
            if depth == len(parts) - 1:
                node[key] = value
            else:
                inner = node.setdefault(key, {})
                if not isinstance(inner, dict):
                    raise malformed(f"Invalid object: {name} is both a value and an object.", param=head)
                node = inner
    return {name: _listed(name, value) for name, value in tree.items()}


def _listed(name: str, value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and name != "metadata" and all(key.isdigit() for key in value):
        return [_listed("", item) for _, item in sorted(value.items(), key=lambda pair: int(pair[0]))]
    return {key: _listed(key, item) for key, item in value.items()}


def parsed(model: type[BaseModel], raw: Doc, version: str) -> BaseModel:
    """``raw`` as ``model``.

    Raises:
        Refusal: in Stripe's words, naming the first parameter that is wrong, as ``a[b]``.
    """
    if version == PINNED_VERSION:
        for name in getattr(model, "until", frozenset()) & raw.keys():
            code = f"{name}_no_longer_supported"
            message = f"`{name}` is no longer supported in {version}. Use `allowed_{name}` or dynamic payment methods."
            raise malformed(message, code, name)
    else:
        for name in getattr(model, "since", frozenset()) & raw.keys():
            raise malformed(f"Received unknown parameter: {name}", "parameter_unknown", name)
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False)
        first = next((fault for fault in faults if fault["type"] == "extra_forbidden"), faults[0])
        raise _refusal_of(dict(first)) from None


def _refusal_of(fault: dict[str, Any]) -> Refusal:
    names = [str(part) for part in fault["loc"] if not _is_branch(part)]
    param = names[0] + "".join(f"[{name}]" for name in names[1:]) if names else ""
    kind, value = fault["type"], fault.get("input")
    if kind == "extra_forbidden":
        return malformed(f"Received unknown parameter: {param}", "parameter_unknown", param)
    if kind == "missing":
        return malformed(f"Missing required param: {param}.", "parameter_missing", param)
    if kind.startswith("int_"):
        return malformed(f"Invalid integer: {value}", "parameter_invalid_integer", param)
    if kind.startswith("bool_"):
        return malformed(f"Invalid boolean: {value}", None, param)
    if kind == "greater_than_equal":
        message = f"Invalid {param}: this value is below the least allowed ({value})."
        return malformed(message, "parameter_invalid_integer", param)
    if kind == "string_too_short":
        return malformed(f"You passed an empty string for '{param}'.", "parameter_invalid_empty", param)
    return malformed(f"Invalid {param}: {fault['msg']}", None, param)


def _is_branch(part: object) -> bool:
    """Pydantic names the branch of a union it tried (``Range``, ``function-after[…]``); a client never wrote that."""
    return isinstance(part, str) and (part[:1].isupper() or "[" in part or part in {"int", "str", "constrained-str"})


# ---------------------------------------------------------------- one call


class Call(NamedTuple):
    """A request, reduced to what the protocol looks at."""

    method: str
    path: str
    query: str
    body: bytes
    headers: dict[str, str]


class Answer(NamedTuple):
    """What goes back. ``stall`` seconds pass before it does (a simulated timeout)."""

    status: int
    body: bytes
    headers: dict[str, str]
    stall: float = 0


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
    raise Refusal(
        f"Unrecognized request URL ({call.method}: {call.path}). This sandbox may not simulate it: see /_sandbox/.",
        status=404,
        executed=False,
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
        result = _shown_v1(result)
        if result.get("object") == "list":
            result["data"] = [_shown_v1(item) for item in result["data"]]
        for path in getattr(params, "expand", []):
            if path.count(".") > 3:
                raise malformed("You cannot expand more than 4 levels of a property.", param="expand")
            await _expanded(world, result, path.split("."), path)
    return json.dumps(rendered(result, now=world.now, version=world.version), indent=2)


async def _read(books: Books, call: Call, found: Route, ids: tuple[str, ...], request_id: str, version: str) -> Answer:
    params = parsed(found.params, _raw(call, found), version)
    async with books.reading() as world:
        await _prepare(world, call, version, request_id)
        body = await _run(world, found, params, ids)
        fault = _fault(world, call)
    if fault and fault["kind"] in {"error_500", "error_500_after", "rate_limit"}:
        async with books.writing() as world:
            await _spend(world, fault)
        raise _fault_refusal(fault["kind"])
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
        fault = _fault(world, call)
        if fault:
            await _spend(world, fault)
        kind = fault["kind"] if fault else ""
        if kind in {"rate_limit", "lock_timeout"}:
            refusal = _fault_refusal(kind)
            refusal.keep = True  # the fault is spent
            raise refusal
        status, body = 200, ""
        if kind in {"error_500", "no_funds"}:
            refusal = _fault_refusal(kind)
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
            status, body = 500, _error_body(_fault_refusal(kind))
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


# ---------------------------------------------------------------- faults on calls


def _fault(world: World, call: Call) -> Doc | None:
    """The first planned fault that fits this call."""
    for planned in world.faults.get("calls", []):
        if planned.get("method", call.method) == call.method and planned.get("path", "") in call.path:
            return dict(planned)
    return None


async def _spend(world: World, fault: Doc) -> None:
    planned = world.faults["calls"]
    for entry in planned:
        if {**entry, "times": 0} == {**fault, "times": 0}:
            entry["times"] -= 1
            break
    world.faults["calls"] = [entry for entry in planned if entry["times"] > 0]
    await world.remember("faults", world.faults)


def _fault_refusal(kind: str) -> Refusal:
    if kind == "rate_limit":
        return Refusal("Too many requests (sandbox fault).", status=429, code="rate_limit", executed=False)
    if kind == "lock_timeout":
        return Refusal(
            "This object cannot be accessed right now because another API request is accessing it (sandbox fault).",
            status=429, code="lock_timeout", executed=False,
        )  # fmt: skip
    if kind == "no_funds":
        return Refusal("You have insufficient available funds in your Stripe account (sandbox fault).",
                       code="balance_insufficient")  # fmt: skip
    return Refusal("An unknown error occurred (sandbox fault).", status=500, type="api_error")


def wire_time(world: World) -> str:
    """Virtual now in v2's spelling."""
    return iso(world.now)
