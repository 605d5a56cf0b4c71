"""The relay as AWS Lambda runs it: composition only.

`app` answers HTTP requests, `bodies` is called by the stream of the inbox table. What they do is told in
`chalicelib.api` and `chalicelib.process`; what they need is built when it is first needed.
"""

from __future__ import annotations

import os
from typing import Any

from chalice.app import WebsocketEvent

from chalicelib.api.application import application
from chalicelib.config import Settings, SweeperSettings
from chalicelib.process import Sweeper, Wiring, import_ahead

wiring = Wiring(lambda: Settings.read(os.environ))
sweeper = Sweeper(lambda: SweeperSettings.read(os.environ))
app = application(
    wiring.relay, wiring.probe, wiring.metrics.flush, origin_secret=os.environ.get("DM3_ORIGIN_SECRET")
)
app.experimental_feature_flags.update(["WEBSOCKETS"])
if os.environ.get("_HANDLER") == "app.app":  # set by Lambda: this is the API function, not the sweeper
    import_ahead()


@app.lambda_function(name="bodies")
def bodies(event: dict[str, Any], _context: object) -> None:
    """Delete the bodies of deleted messages. What raises is repeated by the stream."""
    sweeper.sweep(event)


@app.lambda_function(name="outbox")
def outbox(event: dict[str, Any], _context: object) -> Any:  # noqa: ANN401 - Lambda's own shapes
    """Publish what the inbox's stream tells of new messages."""
    return wiring.worker("outbox", event)


@app.lambda_function(name="untold")
def untold(event: dict[str, Any], _context: object) -> Any:  # noqa: ANN401 - as above
    """Tell what the outbox could not."""
    return wiring.worker("untold", event)


@app.lambda_function(name="sockets")
def sockets(event: dict[str, Any], _context: object) -> Any:  # noqa: ANN401 - as above
    """Push to open sockets."""
    return wiring.worker("sockets", event)


@app.lambda_function(name="greetings")
def greetings(event: dict[str, Any], _context: object) -> Any:  # noqa: ANN401 - as above
    """Send the first packet to sockets that have just been opened."""
    return wiring.worker("greetings", event)


@app.lambda_function(name="webhooks")
def webhooks(event: dict[str, Any], _context: object) -> Any:  # noqa: ANN401 - as above
    """Call webhooks."""
    return wiring.worker("webhooks", event)


@app.lambda_function(name="email")
def email(event: dict[str, Any], _context: object) -> Any:  # noqa: ANN401 - as above
    """Wake by e-mail."""
    return wiring.worker("email", event)


@app.lambda_function(name="push")
def push(event: dict[str, Any], _context: object) -> Any:  # noqa: ANN401 - as above
    """Wake by web push."""
    return wiring.worker("push", event)


@app.lambda_function(name="sms")
def sms(event: dict[str, Any], _context: object) -> Any:  # noqa: ANN401 - as above
    """Wake by SMS."""
    return wiring.worker("sms", event)


@app.lambda_function(name="minute")
def minute(event: dict[str, Any], _context: object) -> Any:  # noqa: ANN401 - as above
    """Do what is due, and ping."""
    return wiring.worker("minute", event)


@app.on_ws_connect(name="websocket_connect")
def websocket_connect(event: WebsocketEvent) -> Any:  # noqa: ANN401 - as above
    """A socket is being opened."""
    return wiring.socket("connect", event.to_dict())


@app.on_ws_message(name="websocket_message")
def websocket_message(event: WebsocketEvent) -> Any:  # noqa: ANN401 - as above
    """A frame came."""
    return wiring.socket("message", event.to_dict())


@app.on_ws_disconnect(name="websocket_disconnect")
def websocket_disconnect(event: WebsocketEvent) -> Any:  # noqa: ANN401 - as above
    """A socket is gone."""
    return wiring.socket("disconnect", event.to_dict())
