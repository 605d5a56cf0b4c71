from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

import app as deployed
from chalicelib.api.application import application
from chalicelib.api.logs import METRICS
from infra.local.gateway import Gateway

ROOT = Path(__file__).resolve().parents[3]

# Each would cost a start of the function a tenth of a second to a second and a half.
HEAVY = (
    "boto3",
    "botocore",
    "click",
    "ens_normalize",
    "eth_abi",
    "eth_account",
    "eth_hash",
    "jsonschema",
    "moto",
    "requests",
    "web3",
)

ROUTES = {
    ("POST", "/rpc"),
    ("GET", "/hello"),
    ("GET", "/health"),
    ("GET", "/health/store"),
    ("GET", "/openapi.json"),
    ("GET", "/auth/{ensName}"),
    ("POST", "/auth/{ensName}"),
    ("POST", "/auth/{ensName}/sign-out-everywhere"),
    ("GET", "/profile/{ensName}"),
    ("POST", "/profile/{ensName}"),
    ("GET", "/delivery/messages/incoming/{ensName}"),
    ("GET", "/delivery/messages/{ensName}/contact/{contact}"),
    ("POST", "/delivery/messages/{ensName}/syncAcknowledgements"),
    ("GET", "/inbox/{ensName}"),
    ("POST", "/inbox/{ensName}/acknowledgements"),
    ("GET", "/rules/{ensName}"),
    ("PUT", "/rules/{ensName}"),
    ("POST", "/rules/{ensName}/lists"),
    ("DELETE", "/rules/{ensName}"),
    ("GET", "/account/{ensName}"),
    ("GET", "/account/{ensName}/export"),
    ("DELETE", "/account/{ensName}"),
    ("GET", "/notifications/global/{ensName}"),
    ("POST", "/notifications/global/{ensName}"),
    ("GET", "/notifications/{ensName}"),
    ("POST", "/notifications/{ensName}"),
    ("POST", "/notifications/otp/{ensName}"),
    ("POST", "/notifications/otp/verify/{ensName}"),
    ("POST", "/notifications/channel/{ensName}"),
    ("DELETE", "/notifications/channel/{ensName}/{second}"),
    ("GET", "/notifications/settings/{ensName}"),
    ("PUT", "/notifications/settings/{ensName}"),
    ("GET", "/unsubscribe/{token}"),
    ("POST", "/unsubscribe/{token}"),
    ("GET", "/webhooks/{ensName}"),
    ("POST", "/webhooks/{ensName}"),
    ("DELETE", "/webhooks/{ensName}/{endpoint}"),
    ("GET", "/webhooks/{ensName}/{endpoint}/log"),
    ("POST", "/webhooks/{ensName}/{endpoint}/pause"),
    ("POST", "/webhooks/{ensName}/{endpoint}/replay"),
    ("POST", "/webhooks/{ensName}/{endpoint}/rotate"),
    ("POST", "/webhooks/{ensName}/{endpoint}/test"),
    ("POST", "/webhooks/{ensName}/{endpoint}/verify"),
    ("GET", "/operator/rules"),
    ("PUT", "/operator/rules"),
}


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """The modules that a fresh process has loaded after `import app`."""
    program = "import app, json, sys; print(json.dumps(list(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(json.loads(run.stdout))


@pytest.mark.parametrize("module", HEAVY)
def test_the_function_starts_without(loaded: set[str], module: str) -> None:
    assert module not in loaded


def test_the_function_starts_without_describing_itself(loaded: set[str]) -> None:
    assert not {"chalicelib.api.openrpc", "chalicelib.api.openapi", "pydantic", "urllib3", "Crypto"} & loaded


def test_every_route_is_there_and_no_other() -> None:
    routes = {(method, path) for path, views in deployed.app.routes.items() for method in views}
    assert routes == ROUTES


def test_every_route_has_cors_and_takes_any_content_type() -> None:
    for views in deployed.app.routes.values():
        for view in views.values():
            assert view.cors is not None
            assert view.content_types == []


def test_settings_that_are_missing_are_no_stack_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DM3_RELAY_NAME", raising=False)
    event = {
        "headers": {},
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {"httpMethod": "GET", "resourcePath": "/health/store"},
        "body": None,
    }
    answer = deployed.app(event, None)
    assert answer["statusCode"] == 500
    assert "DM3" not in answer["body"]


def test_the_end_of_every_request_is_told_whatever_came_of_it() -> None:
    ended: list[int] = []

    def fail() -> NoReturn:
        raise ZeroDivisionError

    gateway = Gateway(application(fail, fail, fail, lambda: ended.append(1)), threads=1)
    statuses = [gateway.answer(_scope(path), b"").status for path in ("/hello", "/health/store")]
    gateway.close()
    assert statuses == [200, 500]
    assert ended == [1, 1]


def test_what_the_function_counts_is_written_at_the_end_of_a_request(
    caplog: pytest.LogCaptureFixture,
) -> None:
    gateway = Gateway(deployed.app, threads=1)
    deployed.wiring.metrics("ChainUnavailable")
    assert gateway.answer(_scope("/hello"), b"").status == 200
    gateway.close()
    written = [record.__dict__["fields"] for record in caplog.records if record.name == METRICS.name]
    assert [line["ChainUnavailable"] for line in written] == [1]


def _scope(path: str) -> dict[str, object]:
    members = {"type": "http", "method": "GET", "path": path, "query_string": b"", "http_version": "1.1"}
    return {**members, "headers": []}
