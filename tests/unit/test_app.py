from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import app as deployed

ROOT = Path(__file__).resolve().parents[2]
NEVER = {"web3", "eth_account", "eth_abi", "boto3", "ens_normalize"}
WORKERS = {"outbox", "untold", "sockets", "greetings", "webhooks", "email", "push", "sms", "minute"}
# What only those need who answer callers.
SERVING = {"pydantic", "jwt", "chalicelib.bootstrap", "chalicelib.names.providers"}


def imported(handler: str | None) -> set[str]:
    """The modules that a fresh process has after `import app`, started for `handler` as Lambda does."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("DM3_")}
    if handler is not None:
        environment["_HANDLER"] = handler
    run = subprocess.run(
        [sys.executable, "-c", "import app, sys; print(' '.join(sys.modules))"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(run.stdout.split())


def test_the_api_function_imports_ahead_what_its_first_request_needs() -> None:
    modules = imported("app.app")
    assert {"botocore.session", "chalicelib.bootstrap", "chalicelib.api.models", "jwt"} <= modules
    assert not NEVER & modules


def test_the_functions_of_sockets_import_ahead_what_their_first_event_needs() -> None:
    modules = imported("app.websocket_message")
    assert {"botocore.session", "chalicelib.bootstrap", "chalicelib.carriers", "jwt"} <= modules
    assert not NEVER & modules


def test_a_worker_imports_ahead_what_it_needs_and_nothing_of_callers_and_the_chain() -> None:
    modules = imported("app.outbox")
    assert {"botocore.session", "chalicelib.carriers"} <= modules
    assert not (NEVER | SERVING) & modules


@pytest.mark.parametrize("handler", [None, "app.bodies"])
def test_elsewhere_the_start_is_cheap(handler: str | None) -> None:
    modules = imported(handler)
    assert not {"botocore.session", "pydantic", "nacl.bindings"} & modules
    assert not NEVER & modules


def test_lambda_finds_every_function_under_the_name_that_chalice_packages() -> None:
    functions = {one.name: one.handler_string for one in deployed.app.pure_lambda_functions}
    assert functions == {name: f"app.{name}" for name in WORKERS | {"bodies"}}
    sockets = {route: one.handler_string for route, one in deployed.app.websocket_handlers.items()}
    assert sockets == {
        "$connect": "app.websocket_connect",
        "$default": "app.websocket_message",
        "$disconnect": "app.websocket_disconnect",
    }


def test_what_lambda_calls_reaches_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[tuple[str, Any]] = []

    def work(name: str, event: Any) -> str:  # noqa: ANN401 - any event
        called.append((name, event))
        return f"{name} answers"

    monkeypatch.setattr(deployed.wiring, "work", work)
    for name in sorted(WORKERS):
        assert getattr(deployed, name)({"Records": [name]}, None) == f"{name} answers"
    assert called == [(name, {"Records": [name]}) for name in sorted(WORKERS)]


def test_what_the_gateway_sends_reaches_the_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")  # Lambda sets it, and Chalice asks for it
    called: list[tuple[str, Any]] = []

    def socket(route: str, event: Any) -> dict[str, int]:  # noqa: ANN401 - any event
        called.append((route, event))
        return {"statusCode": 403}

    monkeypatch.setattr(deployed.wiring, "socket", socket)
    event = {"requestContext": {"domainName": "d", "stage": "api", "connectionId": "c", "apiId": "a"}}
    for route in ("connect", "message", "disconnect"):
        answer = getattr(deployed, f"websocket_{route}")(event, None)
        assert answer == {"statusCode": 403}
    assert called == [(route, event) for route in ("connect", "message", "disconnect")]
