"""Frames of the plain dialect, as the relay writes them: one JSON object each, told apart by `type`."""

from __future__ import annotations

from chalicelib.notify.sockets.terms import PING_INTERVAL_S
from chalicelib.protocol.canonical import canonicalize
from chalicelib.protocol.errors import Dm3Error, LimitExceeded, Unavailable
from chalicelib.protocol.json_types import JsonValue
from chalicelib.relay.ports import InboxKey
from chalicelib.relay.values import StoredMessage, Submitted

PING = '{"type":"ping"}'
PONG = '{"type":"pong"}'

Ref = str | int | None
"""What a client marks its frames with, and finds in the answers."""


def subscribed() -> str:
    """The socket speaks for the account; `pingInterval` in seconds."""
    return _frame("subscribed", pingInterval=PING_INTERVAL_S)


def message(stored: StoredMessage, cursor: str | None) -> str:
    """One message of the inbox. `cursor` continues behind it; a live message (None) moves no cursor."""
    return _frame("message", message=stored.to_json(), cursor=cursor)


def announcement(key: InboxKey, cursor: str | None, fetch: str) -> str:
    """A message too large for a socket. The paged API gives it first with the cursor `fetch`."""
    return _frame(
        "announcement",
        messageId=key.message_id.hex(),
        storedAt=key.stored_at_ms,
        cursor=cursor,
        fetch=fetch,
    )


def caught_up(cursor: str, *, more: bool) -> str:
    """Everything asked for has been sent, up to `cursor`; with `more`, the client goes on by `resume`."""
    return _frame("caughtUp", cursor=cursor, more=more)


def acknowledged(count: int, ref: Ref) -> str:
    """That many messages are deleted."""
    return _frame("acknowledged", ref, count=count)


def submitted(result: Submitted, ref: Ref) -> str:
    """The envelope is accepted, with the relay's receipt."""
    return _frame("submitted", ref, receipt=result.receipt.to_json(), duplicate=result.duplicate)


def error(refusal: Dm3Error, ref: Ref = None) -> str:
    """Why something was refused, with the codes of JSON-RPC; `data.retryAfter` (s) if waiting may help."""
    data: dict[str, JsonValue] = {name: str(value) for name, value in refusal.data.items()}
    if isinstance(refusal, LimitExceeded | Unavailable):
        data["retryAfter"] = refusal.retry_after_s
    members: dict[str, JsonValue] = {"code": refusal.code, "message": refusal.message}
    if data:
        members["data"] = data
    return _frame("error", ref, **members)


def _frame(kind: str, ref: Ref = None, **members: JsonValue) -> str:
    told = {} if ref is None else {"ref": ref}
    return canonicalize({"type": kind, **members, **told})
