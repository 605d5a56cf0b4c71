"""`/hello`, `/health` and `/openapi.json`: whether it is there and well, and what it can do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chalicelib.api import wording
from chalicelib.api.answers import Answer, json_answer, text_answer
from chalicelib.api.edge import Call, Route, Routes


def routes(probe: Callable[[], None], described: Sequence[Route]) -> Routes:
    """The blueprint; `probe` raises Unavailable if the store does not answer, `described` are all routes."""
    collected = Routes("status", wording.own)

    @collected.add("GET", "/hello", "A greeting, as the reference gives it.")
    def hello(_call: Call) -> Answer:
        return text_answer("Hello DM3")

    @collected.add(
        "GET", "/health", "Whether the relay answers; touches neither store nor chain.", result="Health"
    )
    def health(_call: Call) -> Answer:
        return json_answer({"status": "ok"})

    @collected.add("GET", "/health/store", "Whether the store answers, too.", result="Health")
    def health_store(_call: Call) -> Answer:
        probe()
        return json_answer({"status": "ok"})

    @collected.add("GET", "/openapi.json", "This interface as an OpenAPI document.")
    def openapi(_call: Call) -> Answer:
        # Only here, since describing the API is rare and its models take time to import.
        from chalicelib.api.openapi import document

        return json_answer(document(described))

    return collected
