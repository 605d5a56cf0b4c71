from __future__ import annotations

import logging
from typing import Any, NoReturn

import pytest

from chalicelib.config import InvalidSettings, Settings, WorkerSettings
from chalicelib.notify.compose import Workshop
from chalicelib.process import Wiring
from chalicelib.protocol.errors import InternalError, Unavailable
from chalicelib.relay.service import Relay
from tests.unit.test_config import COMPLETE, TELLING

EMPTY: dict[str, Any] = {"Records": []}
CONNECT = {"requestContext": {"connectionId": "c", "identity": {"sourceIp": "192.0.2.1"}}, "headers": {}}


def no_settings() -> NoReturn:
    raise AssertionError("nobody asked for what only the relay needs")


class Silent:
    """A client of AWS that is never called."""

    def __init__(self, service: str) -> None:
        self.service = service


class Down:
    """A client of AWS that does not answer."""

    def __getattr__(self, _operation: str) -> Any:  # noqa: ANN401 - whatever is asked
        from botocore.exceptions import EndpointConnectionError

        def fail(**_asked: object) -> NoReturn:
            raise EndpointConnectionError(endpoint_url="")

        return fail


def worker_settings() -> WorkerSettings:
    return WorkerSettings.read({**COMPLETE, **TELLING})


def test_a_worker_is_built_without_what_only_the_relay_needs() -> None:
    made: list[str] = []

    def clients(service: str) -> Silent:
        made.append(service)
        return Silent(service)

    wiring = Wiring(no_settings, worker_settings, clients=clients)
    assert wiring.work("outbox", EMPTY) == {"batchItemFailures": []}
    assert set(made) == {"dynamodb", "s3", "sns", "sqs"}
    assert wiring.work("greetings", EMPTY) == {"batchItemFailures": []}
    assert "apigatewaymanagementapi" in made


def test_what_a_worker_counts_is_written_at_the_end_of_its_event(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "dm3.metrics")
    wiring = Wiring(no_settings, worker_settings, clients=lambda _: Down())
    event = {"Records": [{"messageId": "1", "body": "nonsense"}]}
    assert wiring.work("webhooks", event) == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    (line,) = [record.__dict__["fields"] for record in caplog.records if record.name == "dm3.metrics"]
    assert (line["NotificationFailed"], line["Queue"]) == (1, "webhooks")


def test_wrong_settings_are_the_operators_affair(caplog: pytest.LogCaptureFixture) -> None:
    def wrong() -> NoReturn:
        raise InvalidSettings("The environment variable DM3_KEYS is missing.")

    wiring = Wiring(wrong)
    for use in (wiring.relay, wiring.notify, wiring.probe, lambda: wiring.work("minute", {})):
        with pytest.raises(InternalError):
            use()
    assert wiring.socket("connect", CONNECT) == {"statusCode": 500}
    assert [record.__dict__["fields"]["reason"] for record in caplog.records if record.name == "dm3.defect"]


def test_keys_that_cannot_be_read_now_are_read_at_the_next_event() -> None:
    class Ssm:
        down = True

        def get_parameter(self, **_asked: object) -> dict[str, Any]:
            from botocore.exceptions import ReadTimeoutError

            if self.down:
                raise ReadTimeoutError(endpoint_url="")
            return {"Parameter": {"Value": COMPLETE["DM3_KEYS"]}}

    ssm = Ssm()
    settings = WorkerSettings.read({**COMPLETE, **TELLING, "DM3_KEYS": "", "DM3_KEYS_PARAMETER": "/keys"})
    wiring = Wiring(
        no_settings, lambda: settings, clients=lambda service: ssm if service == "ssm" else Silent(service)
    )
    with pytest.raises(Unavailable):
        wiring.work("outbox", EMPTY)
    ssm.down = False
    assert wiring.work("outbox", EMPTY) == {"batchItemFailures": []}


def test_a_socket_is_answered_whatever_happens() -> None:
    def fail() -> NoReturn:
        raise ZeroDivisionError

    assert Wiring(fail).socket("message", CONNECT) == {"statusCode": 500}
    settings = Settings.read({**COMPLETE, **TELLING})
    down = Wiring(lambda: settings, clients=lambda _: Down())
    assert down.socket("connect", CONNECT) == {"statusCode": 503}
    assert down.socket("disconnect", CONNECT) == {"statusCode": 200}


def test_a_socket_is_opened_without_what_wakes_people() -> None:
    made: list[str] = []

    def clients(service: str) -> Down:
        made.append(service)
        return Down()

    Wiring(lambda: Settings.read({**COMPLETE, **TELLING}), clients=clients).socket("connect", CONNECT)
    assert "apigatewaymanagementapi" in made
    assert not {"sns", "sesv2"} & set(made)


def test_a_socket_behind_a_distribution_comes_from_where_the_distribution_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: dict[str, Any] = {}

    def notify(_self: Workshop, _relay: Relay, **more: object) -> None:
        given.update(more)

    monkeypatch.setattr(Workshop, "notify", notify)
    settings = Settings.read({**COMPLETE, **TELLING, "DM3_SOURCE_SUBMITS_PER_MINUTE": "7"})
    Wiring(lambda: settings, clients=Silent).notify()
    behind = {"X-Dm3-Origin": "hush", "X-Dm3-Viewer": "198.51.100.1"}
    source_of = given["source_of"]
    assert source_of({**CONNECT, "headers": behind}) == "198.51.100.1"
    assert source_of({**CONNECT, "headers": {**behind, "X-Dm3-Origin": "guessed"}}) == "192.0.2.1"
    assert source_of({**CONNECT, "headers": None}) == "192.0.2.1"
    assert given["limits"].source_submits_per_minute == 7, "the operator's limits hold for sockets, too"
