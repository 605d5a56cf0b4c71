"""The OpenAPI document (3.1) of the REST routes, from the models that validate their bodies."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from chalicelib.api.edge import Route
from chalicelib.api.openrpc import VERSION
from chalicelib.api.shapes import input_model, output_model
from chalicelib.protocol.json_types import JsonValue

_TEMPLATE = "#/components/schemas/{model}"


def document(routes: Iterable[Route]) -> JsonValue:
    """The document that describes `routes`."""
    schemas: dict[str, Any] = {}
    paths: dict[str, Any] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "dm3 delivery service", "version": VERSION},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "session": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "operator": {"type": "http", "scheme": "bearer"},
            },
        },
    }


# One sentence, in the shape that the reference's client expects of the route.
_REFUSAL: dict[str, Any] = {
    "description": "A refusal; the body tells why in one sentence.",
    "headers": {
        "Retry-After": {
            "description": "With 429 and 503: seconds after which to try again.",
            "schema": {"type": "integer"},
        }
    },
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {"error": {"type": "string"}, "message": {"type": "string"}},
            }
        },
        "text/plain": {"schema": {"type": "string"}},
    },
}
_SIGN_IN = {"description": "No token, or a session's that has expired or was revoked: signing in cures it."}


def _operation(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    success: dict[str, Any] = {"description": "Success."}
    if route.result is not None:
        success["content"] = _content(output_model(route.result), schemas)
    operation: dict[str, Any] = {
        "summary": route.summary,
        "parameters": [_parameter("path", name) for name in re.findall(r"{(\w+)}", route.path)]
        + [_parameter("query", name) for name in route.query],
        "responses": {
            str(route.status): success,
            "default": _REFUSAL,
        },
    }
    if route.body is not None:
        operation["requestBody"] = {"required": True, "content": _content(input_model(route.body), schemas)}
    if route.signed_in or route.operator:
        operation["security"] = [{"session" if route.signed_in else "operator": []}]
        operation["responses"]["401"] = _SIGN_IN
    return operation


def _parameter(place: str, name: str) -> dict[str, Any]:
    return {"in": place, "name": name, "required": place == "path", "schema": {"type": "string"}}


def _content(model: type[BaseModel], schemas: dict[str, Any]) -> dict[str, Any]:
    schema = model.model_json_schema(ref_template=_TEMPLATE)
    schemas.update(schema.pop("$defs", {}))
    schemas[model.__name__] = schema
    return {"application/json": {"schema": {"$ref": _TEMPLATE.format(model=model.__name__)}}}
