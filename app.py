"""The relay as AWS Lambda runs it: composition only.

`app` answers HTTP requests, `bodies` is called by the stream of the inbox table. What either does is told in
`chalicelib.api` and `chalicelib.bootstrap`; both are built when they are first needed.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from chalicelib.api.application import application
from chalicelib.bootstrap import Sweeper, Wiring
from chalicelib.config import Settings, SweeperSettings

wiring = Wiring(lambda: Settings.read(os.environ))
app = application(wiring.relay, wiring.probe)


@cache
def _sweeper() -> Sweeper:
    return Sweeper(SweeperSettings.read(os.environ))


@app.lambda_function(name="bodies")
def bodies(event: dict[str, Any], _context: object) -> None:
    """Delete the bodies of deleted messages. What raises is repeated by the stream."""
    _sweeper().sweep(event)
