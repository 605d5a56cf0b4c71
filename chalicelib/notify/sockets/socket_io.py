"""The dialect of the reference's client: events over Socket.IO 5 over Engine.IO 4 (WIRE, "Sockets").

Nothing but the root namespace, text, and what that client uses. A packet that has no business here ends the
socket, as it does with the published servers; so does an event before the client is authorised. What the
client is told in words is told in the reference's.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from chalicelib.notify.sockets import packets
from chalicelib.notify.sockets.core import Core
from chalicelib.notify.sockets.open_socket import OpenSocket
from chalicelib.notify.sockets.packets import Kind, Malformed, Packet
from chalicelib.protocol.errors import (
    Dm3Error,
    InternalError,
    InvalidEnvelope,
    InvalidParams,
    LimitExceeded,
    TooBig,
    Unauthorized,
    Unavailable,
    UnknownReceiver,
)
from chalicelib.protocol.json_types import JsonObject, JsonValue
from chalicelib.relay.values import Account

SUBMIT = "submitMessage"
TOKEN_FAILED = "check token has failed for WS"  # noqa: S105 - the reference's words
_WORDS: Mapping[type[Dm3Error], str] = {
    InvalidEnvelope: "invalid schema",
    InvalidParams: "invalid schema",
    UnknownReceiver: "unknown account",
    TooBig: "Message is too large",
}
_NAMESPACE_CHARS = 100


class SocketIo:
    """Implements `core.Dialogue`."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._registry = core.registry

    def take(self, socket: OpenSocket, text: str) -> None:
        """See `core.Dialogue.take`."""
        try:
            packet = packets.read(text)
        except Malformed:
            self._registry.close(socket)
            return
        match packet.kind:
            case Kind.PONG:
                self._core.ponged(socket)
            case Kind.CONNECT:
                self._connect(socket, packet)
            case Kind.EVENT:
                self._event(socket, packet)
            case Kind.CLOSE | Kind.DISCONNECT:
                self._registry.close(socket)

    def refuse(self, socket: OpenSocket, text: str, error: Dm3Error) -> None:
        """See `core.Dialogue.refuse`: an event that asks for an acknowledgement gets one with the error."""
        try:
            packet = packets.read(text)
        except Malformed:
            return
        if packet.kind is Kind.EVENT and packet.ack is not None:
            self._registry.post(socket, packets.acknowledgement(packet.ack, {"error": error.message}))

    def _connect(self, socket: OpenSocket, packet: Packet) -> None:
        if socket.account is not None or len(packet.namespace) > _NAMESPACE_CHARS:
            self._registry.close(socket)
        elif packet.namespace != packets.ROOT:
            self._registry.post(socket, packets.refused("Invalid namespace", namespace=packet.namespace))
        else:
            self._sign_in(socket, packet.data)

    def _sign_in(self, socket: OpenSocket, auth: JsonValue) -> None:
        """The client takes a refusal as final; what may pass only cuts it off, and it comes back."""
        sessions = self._core.relay.sessions
        try:
            name, token = _credentials(auth)
            authenticate = partial(
                sessions.authenticate_socket, token, name, source=socket.source, opens=True
            )
            signed_in = self._core.sign_in(socket, authenticate)
        except (Unavailable, InternalError):
            self._registry.close(socket)
        except LimitExceeded as error:
            data = {"code": error.code, "retryAfter": error.retry_after_s}
            self._turn_away(socket, packets.refused(error.message, data))
        except Dm3Error:
            self._turn_away(socket, packets.refused(TOKEN_FAILED))
        else:
            sid = self._registry.sid(signed_in)
            if self._registry.post(signed_in, packets.connected(sid)):
                self._registry.post(signed_in, packets.event("authorized"))

    def _turn_away(self, socket: OpenSocket, text: str) -> None:
        if self._registry.post(socket, text):
            self._registry.close(socket)

    def _event(self, socket: OpenSocket, packet: Packet) -> None:
        account = socket.account
        if account is None or packet.namespace != packets.ROOT or not isinstance(packet.data, list):
            self._registry.close(socket)
            return
        name, *arguments = packet.data
        if name != SUBMIT or packet.ack is None:
            # Whoever wants no answer would never learn that an envelope was refused.
            return
        answer = self._submit(socket, account, arguments[0] if arguments else None)
        self._registry.post(socket, packets.acknowledgement(packet.ack, answer))

    def _submit(self, socket: OpenSocket, account: Account, argument: JsonValue) -> JsonObject:
        """What the event is answered with; the misspelt member is the reference's."""
        if not isinstance(argument, dict) or "envelop" not in argument:
            return {"error": "invalid schema"}
        try:
            self._require_token(socket, account, argument.get("token"))
            self._core.submit(socket, argument["envelop"])
        except Unauthorized as error:
            return {"error": error.message}
        except Dm3Error as error:
            return {"error": _WORDS.get(type(error), error.message)}
        return {"response": "success"}

    def _require_token(self, socket: OpenSocket, account: Account, token: JsonValue) -> None:
        """Raises Unauthorized unless `token` is one of the account that the socket speaks for."""
        try:
            if not isinstance(token, str):
                raise Unauthorized
            sessions = self._core.relay.sessions
            shown = sessions.authenticate_socket(token, account.name, source=socket.source)
            if shown.inbox != account.inbox:
                raise Unauthorized
        except Unauthorized:
            raise Unauthorized(TOKEN_FAILED) from None


def _credentials(auth: JsonValue) -> tuple[str, str]:
    """Name and token of `{account: {ensName}, token}`. Raises Unauthorized."""
    account = auth.get("account") if isinstance(auth, dict) else None
    name = account.get("ensName") if isinstance(account, dict) else None
    token = auth.get("token") if isinstance(auth, dict) else None
    if not isinstance(name, str) or not isinstance(token, str):
        raise Unauthorized
    return name, token
