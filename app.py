"""The relay as AWS Lambda runs it: composition only.

`app` answers HTTP requests, the functions `websocket_…` sockets; the others are called by the stream of the
inbox table, by queues and by the clock. What they do is told in `chalicelib.api`, `chalicelib.notify` and
`chalicelib.process`; what they need is built when it is first needed.
"""

from __future__ import annotations

import os
from typing import Any

from chalicelib.api.application import application
from chalicelib.config import Settings, SweeperSettings, WorkerSettings
from chalicelib.functions import websocket, worker
from chalicelib.process import Sweeper, Wiring, import_ahead

wiring = Wiring(lambda: Settings.read(os.environ), lambda: WorkerSettings.read(os.environ))
sweeper = Sweeper(lambda: SweeperSettings.read(os.environ))
app = application(
    wiring.relay,
    wiring.notify,
    wiring.probe,
    wiring.metrics.flush,
    origin_secret=os.environ.get("DM3_ORIGIN_SECRET"),
)
app.experimental_feature_flags.update(["WEBSOCKETS"])
import_ahead(os.environ.get("_HANDLER", ""))  # set by Lambda: the handler of this function


@app.lambda_function(name="bodies")
def bodies(event: dict[str, Any], _context: object) -> None:
    """Delete the bodies of deleted messages. What raises is repeated by the stream."""
    sweeper.sweep(event)


# Behind the inbox's stream: tells the topic of new messages. What it cannot tell goes to the second.
outbox = app.lambda_function(name="outbox")(worker(wiring, "outbox"))
untold = app.lambda_function(name="untold")(worker(wiring, "untold"))
# Behind the queues: push to open sockets, greet new ones, call webhooks, wake people.
sockets = app.lambda_function(name="sockets")(worker(wiring, "sockets"))
greetings = app.lambda_function(name="greetings")(worker(wiring, "greetings"))
webhooks = app.lambda_function(name="webhooks")(worker(wiring, "webhooks"))
email = app.lambda_function(name="email")(worker(wiring, "email"))
push = app.lambda_function(name="push")(worker(wiring, "push"))
sms = app.lambda_function(name="sms")(worker(wiring, "sms"))
# Behind the clock: what is due, and pings.
minute = app.lambda_function(name="minute")(worker(wiring, "minute"))
# Behind the WebSocket API. Chalice cannot call them in a blueprint.
websocket_connect = app.on_ws_connect(name="websocket_connect")(websocket(wiring, "connect"))
websocket_message = app.on_ws_message(name="websocket_message")(websocket(wiring, "message"))
websocket_disconnect = app.on_ws_disconnect(name="websocket_disconnect")(websocket(wiring, "disconnect"))
