"""The plain dialect: one JSON object a frame, told apart by `type` (docs/sockets.md).

A client subscribes with a token and the cursor it had, is given the backlog from there, and then what comes
in. Its cursor moves with the backlog alone: only reading the inbox in order tells that nothing lies before a
position. A live message may come before an older one, so it moves no cursor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial

from chalicelib.notify.sockets import plain_frames
from chalicelib.notify.sockets.core import Core
from chalicelib.notify.sockets.open_socket import OpenSocket
from chalicelib.notify.sockets.plain_frames import Ref
from chalicelib.notify.sockets.terms import BACKLOG_BYTES, BACKLOG_MESSAGES, MESSAGE_BYTES
from chalicelib.notify.sockets.voices import fetch_cursor, fits
from chalicelib.protocol.canonical import parse_json
from chalicelib.protocol.errors import (
    Dm3Error,
    InvalidParams,
    InvalidRequest,
    MethodNotFound,
    SignInRequired,
    TooBig,
)
from chalicelib.protocol.json_types import JsonObject, JsonValue
from chalicelib.relay.ports import InboxKey
from chalicelib.relay.positions import Position, Positions
from chalicelib.relay.values import Account, Page, StoredMessage

_REF_CHARS = 128
_MOST_REF = 2**53
_Act = Callable[[OpenSocket, Account, JsonObject, Ref], None]


class PlainJson:
    """Implements `core.Dialogue`."""

    def __init__(self, core: Core, positions: Positions) -> None:
        self._core = core
        self._registry = core.registry
        self._positions = positions
        self._acts: Mapping[str, _Act] = {
            "resume": self._resume,
            "acknowledge": self._acknowledge,
            "submit": self._submit,
            "ping": self._ping,
            "pong": self._pong,
        }

    def take(self, socket: OpenSocket, text: str) -> None:
        """See `core.Dialogue.take`. What comes before a subscription, and is none, ends the socket."""
        ref: Ref = None
        try:
            frame = _parse(text)
            ref = _ref(frame)
            self._act(socket, frame, ref)
        except Dm3Error as error:
            there = self._registry.post(socket, plain_frames.error(error, ref))
            if there and socket.account is None:
                self._registry.close(socket)

    def refuse(self, socket: OpenSocket, _text: str, error: Dm3Error) -> None:
        """See `core.Dialogue.refuse`. The frame is not read."""
        self._registry.post(socket, plain_frames.error(error))

    def _act(self, socket: OpenSocket, frame: JsonObject, ref: Ref) -> None:
        kind = frame.get("type")
        if kind == "subscribe":
            self._subscribe(socket, frame)
            return
        if socket.account is None:
            raise SignInRequired
        if not isinstance(kind, str) or kind not in self._acts:
            raise MethodNotFound("There is no such type of frame.")
        self._acts[kind](socket, socket.account, frame, ref)

    def _subscribe(self, socket: OpenSocket, frame: JsonObject) -> None:
        """The row is written before `subscribed` is said, and the inbox read after it.

        So nothing is committed unseen by both push and backlog, and a client may pass over what comes before
        `subscribed`.
        """
        if socket.account is not None:
            raise InvalidRequest("The socket has subscribed already.")
        name, token = _text(frame, "name"), _text(frame, "token")
        cursor = None if frame.get("cursor") is None else _text(frame, "cursor")
        sessions = self._core.relay.sessions
        authenticate = partial(sessions.authenticate, f"Bearer {token}", name, source=socket.source)
        signed_in = self._core.sign_in(socket, authenticate)
        account = authenticated(signed_in)
        try:
            self._positions.read_cursor(account.inbox, cursor)
            if self._registry.post(signed_in, plain_frames.subscribed()):
                self._catch_up(signed_in, account, self._core.pages(account, cursor))
        except Dm3Error:
            self._registry.forget(signed_in)
            raise

    def _resume(self, socket: OpenSocket, account: Account, frame: JsonObject, _ref: Ref) -> None:
        self._catch_up(socket, account, self._core.pages(account, _text(frame, "cursor")))

    def _acknowledge(self, socket: OpenSocket, account: Account, frame: JsonObject, ref: Ref) -> None:
        count = self._core.acknowledge(account, frame.get("ids"))
        self._registry.post(socket, plain_frames.acknowledged(count, ref))

    def _submit(self, socket: OpenSocket, _account: Account, frame: JsonObject, ref: Ref) -> None:
        result = self._core.submit(socket, frame.get("envelope"))
        self._registry.post(socket, plain_frames.submitted(result, ref))

    def _ping(self, socket: OpenSocket, _account: Account, _frame: JsonObject, _ref: Ref) -> None:
        self._registry.post(socket, plain_frames.PONG)

    def _pong(self, socket: OpenSocket, _account: Account, _frame: JsonObject, _ref: Ref) -> None:
        self._core.ponged(socket)

    def _catch_up(self, socket: OpenSocket, account: Account, pages: Iterable[Page]) -> None:
        """Post the messages of `pages` until it is enough for one call, and say how far that reached."""
        messages = size_bytes = 0
        for page in pages:
            for stored in page.messages:
                size = self._tell(socket, account, stored)
                if not size:
                    return
                messages, size_bytes = messages + 1, size_bytes + size
            if not page.more or messages >= BACKLOG_MESSAGES or size_bytes >= BACKLOG_BYTES:
                self._registry.post(socket, plain_frames.caught_up(page.cursor, more=page.more))
                return

    def _tell(self, socket: OpenSocket, account: Account, stored: StoredMessage) -> int:
        """Post the message, or that it is there; how many characters, 0 if the socket was gone.

        The cursor beside it restarts as a follower's does, 60 s before it.
        """
        key = InboxKey(stored.stored_at_ms, bytes.fromhex(stored.message_id))
        cursor = self._positions.cursor_of(account.inbox, Position(after=key, newest=key, at_end=True))
        text = plain_frames.message(stored, cursor)
        if fits(text):
            with suppress(TooBig):
                return len(text) if self._registry.post(socket, text) else 0
        fetch = fetch_cursor(self._positions, account.inbox, key)
        text = plain_frames.announcement(key, cursor, fetch)
        return len(text) if self._registry.post(socket, text) else 0


def authenticated(socket: OpenSocket) -> Account:
    """The account of a socket that has signed in."""
    assert socket.account is not None  # noqa: S101 - `Core.sign_in` has put it there
    return socket.account


def _parse(text: str) -> JsonObject:
    if len(text) > MESSAGE_BYTES:
        raise TooBig("The frame is larger than this service accepts.")
    frame = parse_json(text)
    if not isinstance(frame, dict):
        raise InvalidRequest("A frame is one JSON object.")
    return frame


def _ref(frame: JsonObject) -> Ref:
    ref = frame.get("ref")
    if ref is None or (isinstance(ref, str) and len(ref) <= _REF_CHARS):
        return ref
    if isinstance(ref, int) and not isinstance(ref, bool) and abs(ref) <= _MOST_REF:
        return ref
    raise InvalidParams("A ref is a short text or a whole number.")


def _text(frame: JsonObject, member: str) -> str:
    value: JsonValue = frame.get(member)
    if not isinstance(value, str):
        raise InvalidParams(f"The frame has no text as {member}.")
    return value
