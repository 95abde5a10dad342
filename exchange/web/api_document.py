"""The API's description as it is served: what Litestar's own leaves out of it.

Litestar drops the examples of our pydantic models, tells of refusals a shape that we never answer, and knows nothing of
the ``Idempotency-Key`` that a middleware reads.
"""

from typing import TYPE_CHECKING, Annotated, Any

from litestar import Request
from litestar.enums import RequestEncodingType
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import OpenAPIType, Schema
from litestar.params import Body
from litestar.plugins.pydantic import PydanticSchemaPlugin
from litestar.typing import FieldDefinition

if TYPE_CHECKING:
    from litestar._openapi.schema_generation import SchemaCreator

Parts = Annotated[
    dict[str, Any],
    Body(
        media_type=RequestEncodingType.MULTI_PART,
        schema_extra={
            "properties": {"file": Schema(type=OpenAPIType.STRING, content_media_type="application/octet-stream")},
            "required": ["file"],
        },
    ),
]
"""A form whose part ``file`` is the file."""

PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "A refusal (RFC 9457). `title` names the kind, `detail` tells this case, in the caller's language.",
    "required": ["type", "title", "status", "detail", "code", "instance"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "the last part of `type`: what a program looks at"},
        "instance": {"type": "string", "description": "the path that was called"},
        "errors": {
            "type": "array",
            "description": "where a field of the call is meant",
            "items": {
                "type": "object",
                "required": ["field", "code", "detail"],
                "properties": {
                    "field": {"type": ["string", "null"]},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
    "examples": [
        {
            "type": "urn:confrere:problem:empty_file",
            "title": "Something does not fit",
            "status": 422,
            "detail": "This file is empty. Export it again and check that it opens with rows in it.",
            "code": "empty_file",
            "instance": "/api/v1/stock-lists",
            "errors": [
                {
                    "field": "file",
                    "code": "empty_file",
                    "detail": "This file is empty. Export it again and check that it opens with rows in it.",
                }
            ],
        }
    ],
}
REFUSED = {
    "description": "Refused, nothing was changed: 400 not understood, 401 no valid token, 403 not open to you, 404 not "
    "there or not to be seen, 409 changed in the meantime, 413 too large, 422 does not fit, 429 too often, 503 away.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "maxLength": 255, "examples": ["7f0c0c1e-5d0a-4c58-9f57-1f6f3c6f7a10"]},
    "description": "Your own, new for each new request: within 24 hours the same key gets the first answer again.",
}


class ModelExamples(PydanticSchemaPlugin):
    """Takes over the examples a model gives in ``json_schema_extra``, and what its docstring says."""

    @classmethod
    def for_pydantic_model(cls, field_definition: FieldDefinition, schema_creator: "SchemaCreator") -> Schema:
        schema = super().for_pydantic_model(field_definition, schema_creator)
        model = field_definition.annotation
        extra = model.model_config.get("json_schema_extra") or {}
        if extra == getattr(model.__base__, "model_config", {}).get("json_schema_extra"):
            extra = {}  # inherited: the example of a smaller body
        schema.examples = extra.get("examples") or ([extra["example"]] if "example" in extra else None)
        schema.description = model.__doc__
        return schema


class Description(JsonRenderPlugin):
    """Serves the description, completed."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        return super().render(request, completed(openapi_schema))


def completed(document: dict[str, Any]) -> dict[str, Any]:
    """``document`` with the refusals as they are answered, and the key every POST takes."""
    components = document["components"]
    return document | {
        "components": components | {"schemas": components["schemas"] | {"Problem": PROBLEM}},
        "paths": {
            path: {method: _operation(method, told) for method, told in methods.items()}
            for path, methods in document["paths"].items()
        },
    }


def _operation(method: str, told: dict[str, Any]) -> dict[str, Any]:
    answers = {status: answer for status, answer in told["responses"].items() if status < "400"}
    own = told.get("parameters", [])
    return (
        told
        | {"responses": answers | {"default": REFUSED}}
        | ({"parameters": [*own, KEY]} if method == "post" else {"parameters": own} if own else {})
    )
