"""The relay as AWS Lambda runs it: composition only.

`app` answers HTTP requests, `bodies` is called by the stream of the inbox table. What they do is told in
`chalicelib.api` and `chalicelib.process`; what they need is built when it is first needed.
"""

from __future__ import annotations

import os
from typing import Any

from chalicelib.api.application import application
from chalicelib.config import Settings, SweeperSettings
from chalicelib.process import Sweeper, Wiring, import_ahead

wiring = Wiring(lambda: Settings.read(os.environ))
sweeper = Sweeper(lambda: SweeperSettings.read(os.environ))
app = application(wiring.relay, wiring.probe, wiring.metrics.flush)
if os.environ.get("_HANDLER") == "app.app":  # set by Lambda: this is the API function, not the sweeper
    import_ahead()


@app.lambda_function(name="bodies")
def bodies(event: dict[str, Any], _context: object) -> None:
    """Delete the bodies of deleted messages. What raises is repeated by the stream."""
    sweeper.sweep(event)
