"""The OpenRPC document (spec.open-rpc.org, 1.3), from the models that validate the parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from chalicelib.api.jsonrpc import Method
from chalicelib.api.shapes import input_model, output_model
from chalicelib.protocol import errors
from chalicelib.protocol.json_types import JsonValue

VERSION = "1.0.0"
"""The version of the interface, not of the software."""


def document(methods: Sequence[Method[Any]]) -> JsonValue:
    """The document that describes `methods`."""
    schemas: dict[str, Any] = {}
    described = [_method(method, schemas) for method in methods]
    return {
        "openrpc": "1.3.2",
        "info": {"title": "dm3 delivery service", "version": VERSION},
        "methods": described,
        "components": {
            "schemas": schemas,
            "errors": {kind.__name__: _error(kind) for kind in _errors(errors.Dm3Error)},
        },
    }


def _method(method: Method[Any], schemas: dict[str, Any]) -> dict[str, Any]:
    template = "#/components/schemas/{model}"
    parameters = input_model(method.params).model_json_schema(ref_template=template)
    result = output_model(method.result).model_json_schema(ref_template=template)
    for schema in (parameters, result):
        schemas.update(schema.pop("$defs", {}))
    schemas[method.result] = result
    return {
        "name": method.name,
        "summary": method.summary,
        # By name, too; see the specification of the method's parameters.
        "paramStructure": "either",
        "params": [
            {"name": name, "required": name in parameters.get("required", ()), "schema": schema}
            for name, schema in parameters.get("properties", {}).items()
        ],
        "result": {"name": method.result, "schema": {"$ref": f"#/components/schemas/{method.result}"}},
        "errors": [{"$ref": f"#/components/errors/{kind.__name__}"} for kind in _errors(errors.Dm3Error)],
    }


def _errors(kind: type[errors.Dm3Error]) -> Iterator[type[errors.Dm3Error]]:
    """The error of each code: the children of the base, whose own children share their parents' codes."""
    yield from kind.__subclasses__()


def _error(kind: type[errors.Dm3Error]) -> dict[str, Any]:
    return {"code": kind.code, "message": kind.summary}
