"""What can keep a fetch from an answer, in words that a program can tell apart.

To most callers these are `Unavailable` and `TooBig` and nothing more. Whoever must tell somebody else why a
server was not reached (a webhook's log) looks at `reason`, `answered_status` and `answer`.
"""

from __future__ import annotations

from enum import StrEnum

from chalicelib.fetching.ports import Answer
from chalicelib.protocol.errors import TooBig, Unavailable


class FetchReason(StrEnum):
    """Why there is no answer that could be used."""

    BUSY = "busy"
    """This process follows too many links already: it says nothing about the server."""
    UNRESOLVED = "unresolved"
    """The host's name leads to no address, or not in time."""
    UNREACHABLE = "unreachable"
    """No address takes a connection."""
    UNTRUSTED = "untrusted"
    """TLS failed: most likely the certificate."""
    TIMED_OUT = "timed_out"
    BROKEN_OFF = "broken_off"
    """The connection ended before the answer did."""
    NOT_HTTP = "not_http"
    REDIRECTED = "redirected"
    UNREADABLE = "unreadable"
    """The answer is compressed, or framed in an unknown way, which was not asked for."""


class FetchFailed(Unavailable):
    """There is no answer, for `reason`. `answered_status` is the server's, if it got as far as that."""

    def __init__(self, message: str, *, reason: FetchReason, answered_status: int | None = None) -> None:
        self.reason = reason
        self.answered_status = answered_status
        super().__init__(message)


class AnswerTooLong(TooBig):
    """The body is longer than is read. `answer` has status, headers, and the part that was read."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__("The answer of a server that was asked is longer than is read.")
