from __future__ import annotations

from typing import Any

import pytest

from chalicelib.api import openapi, openrpc
from chalicelib.api.application import application
from chalicelib.api.edge import Route
from chalicelib.api.results import MODELS
from chalicelib.api.rpc import methods
from chalicelib.protocol.errors import Dm3Error


def nowhere() -> Any:  # noqa: ANN401 - never returns
    raise AssertionError("describing needs no relay")


OPENRPC: Any = openrpc.document(methods(nowhere))
ROUTES = [
    Route("POST", "/auth/{ensName}", "s", "SignIn", "Text", 200, False, ()),  # noqa: FBT003
    Route("GET", "/inbox/{ensName}", "s", None, "Page", 200, True, ("cursor",)),  # noqa: FBT003
    Route("POST", "/x", "s", "Acknowledgements", None, 204, True, ()),  # noqa: FBT003
]
OPENAPI: Any = openapi.document(ROUTES)


def references(value: Any) -> set[str]:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        here = {value["$ref"]} if "$ref" in value else set()
        return here.union(*(references(member) for member in value.values()))
    return set().union(*(references(member) for member in value)) if isinstance(value, list) else set()


@pytest.mark.parametrize("document", [OPENRPC, OPENAPI], ids=["OpenRPC", "OpenAPI"])
def test_every_reference_leads_somewhere(document: Any) -> None:  # noqa: ANN401
    found = references(document)
    assert found
    for reference in found:
        place = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def test_parameters_are_described_in_their_order() -> None:
    submit = next(method for method in OPENRPC["methods"] if method["name"] == "dm3_submitMessage")
    assert [(param["name"], param["required"]) for param in submit["params"]] == [
        ("envelope", True),
        ("token", False),
    ]


def test_every_code_of_the_specification_is_described() -> None:
    codes = {error["code"] for error in OPENRPC["components"]["errors"].values()}
    assert codes == {
        -32700,
        *range(-32603, -32599),
        *range(-32006, -31999),
        -32010,
        -32011,
    }
    assert all(issubclass(kind, Dm3Error) for kind in Dm3Error.__subclasses__())


def test_a_route_is_described_with_its_parameters_body_and_security() -> None:
    sign_in = OPENAPI["paths"]["/auth/{ensName}"]["post"]
    assert sign_in["parameters"] == [
        {"in": "path", "name": "ensName", "required": True, "schema": {"type": "string"}}
    ]
    assert sign_in["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/SignIn")
    assert "security" not in sign_in
    page = OPENAPI["paths"]["/inbox/{ensName}"]["get"]
    assert page["security"] == [{"session": []}]
    assert page["parameters"][1] == {
        "in": "query",
        "name": "cursor",
        "required": False,
        "schema": {"type": "string"},
    }
    assert "204" in OPENAPI["paths"]["/x"]["post"]["responses"]
    assert OPENAPI["components"]["schemas"]["SignIn"]["required"] == ["challenge", "signature"]


def test_what_routes_and_methods_promise_is_described() -> None:
    for method in methods(nowhere):
        assert method.result in MODELS
    app = application(nowhere, nowhere, nowhere)
    assert "/openapi.json" in app.routes
