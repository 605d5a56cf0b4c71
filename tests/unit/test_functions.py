from __future__ import annotations

from typing import Any

from chalicelib.config import Settings
from chalicelib.functions import websocket, worker
from chalicelib.process import Wiring


class Event:
    def to_dict(self) -> dict[str, Any]:
        return {"requestContext": {}}


def test_a_function_has_the_name_by_which_chalice_packages_it() -> None:
    wiring = Wiring(lambda: Settings.read({}))
    assert worker(wiring, "outbox").__name__ == "outbox"
    assert websocket(wiring, "connect").__name__ == "websocket_connect"


def test_a_socket_of_a_relay_that_is_set_up_wrongly_is_refused() -> None:
    wiring = Wiring(lambda: Settings.read({}))
    assert websocket(wiring, "connect")(Event()) == {"statusCode": 500}
