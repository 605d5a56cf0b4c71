"""What the API answers with, before Chalice sees it.

Every text is written by the canonical JSON of the protocol, which has a form for everything that can be
parsed (a lone surrogate, a number too large for a double), so no stored message can spoil an answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from chalicelib.protocol.canonical import canonicalize
from chalicelib.protocol.errors import Dm3Error, LimitExceeded, Unavailable
from chalicelib.protocol.json_types import JsonValue

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer. `code` is the JSON-RPC code of the error it tells, for the log."""

    status: int
    body: str
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=lambda: _NO_HEADERS)
    code: int | None = None


def json_answer(
    value: JsonValue, status: int = 200, headers: Mapping[str, str] = _NO_HEADERS, code: int | None = None
) -> Answer:
    """`value` as JSON."""
    return Answer(status, canonicalize(value), JSON, headers, code)


def text_answer(text: str, status: int = 200, code: int | None = None) -> Answer:
    """`text` as plain text."""
    return Answer(status, text, TEXT, code=code)


def empty_answer(status: int) -> Answer:
    """No body at all."""
    return Answer(status, "", TEXT)


def told_data(error: Dm3Error) -> dict[str, object]:
    """The error's data, with `retryAfter` (s) where trying again may help: in a batch there is no header."""
    if isinstance(error, (LimitExceeded, Unavailable)):
        return {**error.data, "retryAfter": error.retry_after_s}
    return error.data


def retry_headers(error: Dm3Error) -> Mapping[str, str]:
    """`Retry-After` (whole seconds, RFC 9110 section 10.2.3) for an error that may pass, else nothing.

    A receiver's quota passes, too, with the day.
    """
    after_s = told_data(error).get("retryAfter")
    return _NO_HEADERS if after_s is None else {"Retry-After": str(after_s)}


def refusal(error: Dm3Error) -> Answer:
    """The error as the reference writes it: its HTTP status and `{"error": sentence}`."""
    return json_answer({"error": error.message}, error.status, retry_headers(error), error.code)
