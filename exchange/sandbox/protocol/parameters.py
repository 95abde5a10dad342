"""What callers send: closed types, forms unflattened, refusals that name the parameter."""

import hashlib
import re
from email.message import Message
from email.parser import BytesParser
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from exchange.sandbox.config import PINNED_VERSION
from exchange.sandbox.errors import Refusal, malformed
from exchange.sandbox.shapes import Doc


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


def uploaded(content_type: str, body: bytes) -> Doc:
    """A form with files, each as its name, its size and what it is known by again; the bytes are let go.

    Raises:
        Refusal: a body that is no such form.
    """
    form = BytesParser().parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    if not form.is_multipart():
        raise malformed("Could not parse your multipart request.")
    fields: list[tuple[str, str]] = []
    for part in form.get_payload():
        if not isinstance(part, Message):
            raise malformed("Could not parse your multipart request.")
        name = str(part.get_param("name", "", "content-disposition"))
        content = part.get_payload(decode=True)
        if not isinstance(content, bytes):
            raise malformed("Could not parse your multipart request.")
        filename = part.get_filename()
        if filename is None:
            fields.append((name, content.decode(errors="replace")))
        else:
            told = {"name": filename, "size": str(len(content)), "sha256": hashlib.sha256(content).hexdigest(),
                    "begins": content[:8].hex()}  # fmt: skip
            fields += [(f"{name}[{key}]", value) for key, value in told.items()]
    return unflattened(fields)


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
