"""Structured logs: one JSON object a line, and nothing in it that a caller sent.

A line of the access log has the request's id, HTTP method, route *template*, status, duration and error
code. It never has a name, an address, a token or ciphertext; a defect is logged by its type and the place
it was raised, not by its text, since texts of foreign exceptions repeat values.
"""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

ACCESS = logging.getLogger("dm3.access")
DEFECTS = logging.getLogger("dm3.defect")
METRICS = logging.getLogger("dm3.metrics")

_FRAMES = 4


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON: level, event, and the fields given as `extra={"fields": …}`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without exception texts."""
        fields: Mapping[str, object] = getattr(record, "fields", {})
        return json.dumps({"level": record.levelname, "event": record.getMessage(), **fields})


def configure(stream: TextIO | None = None) -> None:
    """Write the relay's logs to `stream` (default: standard error), once, and to nowhere else."""
    log = logging.getLogger("dm3")
    if log.handlers:
        return
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False


def access(
    *, request_id: str, method: str, route: str, status: int, duration_ms: float, code: int | None
) -> None:
    """One request has been answered."""
    fields = {
        "request_id": request_id,
        "method": method,
        "route": route,
        "status": status,
        "duration_ms": round(duration_ms, 1),
        "code": code,
    }
    ACCESS.info("request", extra={"fields": fields})


def defect(error: BaseException) -> None:
    """Something failed that should not have: the type of the error and the innermost places."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    places = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    DEFECTS.error("defect", extra={"fields": {"type": type(error).__name__, "at": places}})


def misconfigured(error: Exception) -> None:
    """The operator's settings cannot be used; `error` says in one sentence why, and repeats no value."""
    DEFECTS.error("misconfigured", extra={"fields": {"reason": str(error)}})
