"""Packets of Engine.IO 4 and Socket.IO 5, as one WebSocket carries them: read with care, and written.

The grammar is that of python-engineio and python-socketio, whose packets need no server. Two things are done
around them. JSON is the protocol's own, which bounds depth and digits and has a form for every text. And what
a serverless relay cannot take is refused before or after: binary packets, which come in several frames, and
everything that a client has no business to send. Sources: engine.io-protocol v4, socket.io-protocol v5.

The two packages take 110 ms to import (500 ms where aiohttp and requests are installed, which they try), so
they are imported when the first packet of a process is read or written.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from typing import Any, Final

from chalicelib.notify.sockets.terms import FRAME_BYTES, MESSAGE_BYTES, PING_INTERVAL_S, PING_TIMEOUT_S
from chalicelib.protocol.canonical import canonicalize, parse_json
from chalicelib.protocol.errors import ParseError
from chalicelib.protocol.json_types import JsonObject, JsonValue

ROOT: Final = "/"
PING: Final = "2"
DISCONNECT: Final = "41"

# Engine.IO packet types.
_OPEN, _CLOSE, _PONG, _MESSAGE = 0, 1, 3, 4
_ENGINE_TYPES = frozenset("0123456")
# Socket.IO packet types. Those of the binary packets are 5 and 6, CONNECT_ERROR is the server's.
_CONNECT, _DISCONNECT, _EVENT, _ACK, _CONNECT_ERROR = 0, 1, 2, 3, 4
_SOCKET_TYPES = frozenset("0123")
# Acknowledgement ids beyond this are no whole numbers in JavaScript.
_MOST_ID = 2**53


class Malformed(Exception):
    """No packet, or one that a client must not send here: its socket is to be closed."""


class Kind(Enum):
    """What a client's packet asks for."""

    CLOSE = auto()
    PONG = auto()
    CONNECT = auto()
    DISCONNECT = auto()
    EVENT = auto()
    NOTHING = auto()
    """Upgrades, acknowledgements, pings: nothing that this relay has a use for."""


@dataclass(frozen=True, slots=True)
class Packet:
    """A client's packet. `data` is what it carries, `ack` the id that it wants to be answered with."""

    kind: Kind
    namespace: str = ROOT
    data: JsonValue = None
    ack: int | None = None


def read(text: str) -> Packet:
    """The packet in one text frame. Raises Malformed, and nothing else, whatever the text."""
    if len(text) > MESSAGE_BYTES or text[:1] not in _ENGINE_TYPES or not text:
        raise Malformed
    packet = _library().engine(encoded_packet=text)
    match packet.packet_type:
        case 4:
            return _message(packet.data)
        case 1:
            return Packet(Kind.CLOSE)
        case 3:
            return Packet(Kind.PONG)
        case 0:
            raise Malformed
    return Packet(Kind.NOTHING)


def open_packet(sid: str) -> str:
    """What a server begins with: the session's id and its terms (ms, bytes). No transport to upgrade to."""
    terms = {
        "sid": sid,
        "upgrades": [],
        "pingInterval": PING_INTERVAL_S * 1_000,
        "pingTimeout": PING_TIMEOUT_S * 1_000,
        "maxPayload": FRAME_BYTES,
    }
    return str(_library().engine(_OPEN, terms).encode())


def connected(sid: str) -> str:
    """The client is in the root namespace, under a session id of its own."""
    return _written(_CONNECT, {"sid": sid})


def refused(message: str, data: JsonObject | None = None, *, namespace: str = ROOT) -> str:
    """The client is not let into the namespace; the reference's client does not try again."""
    told: dict[str, JsonValue] = {"message": message}
    if data:
        told["data"] = data
    return _written(_CONNECT_ERROR, told, namespace=namespace)


def event(name: str, *arguments: JsonValue) -> str:
    """An event for the client."""
    return _written(_EVENT, [name, *arguments])


def acknowledgement(ack: int, value: JsonValue) -> str:
    """The answer to the client's event that asked for `ack`."""
    return _written(_ACK, [value], ack=ack)


def _message(text: str) -> Packet:
    if text[:1] not in _SOCKET_TYPES or not text:
        raise Malformed
    try:
        packet = _library().socket(encoded_packet=text)
    except (ValueError, ParseError):
        raise Malformed from None
    if packet.attachment_count or (packet.id is not None and packet.id > _MOST_ID):
        raise Malformed
    return _valid(packet.packet_type, Packet(Kind.NOTHING, packet.namespace or ROOT, packet.data, packet.id))


def _valid(packet_type: int, packet: Packet) -> Packet:
    """The packet with its kind. Raises Malformed if its data do not suit that (socket.io-protocol v5)."""
    data = packet.data
    match packet_type:
        case 0 if data is None or isinstance(data, dict):
            kind = Kind.CONNECT
        case 1 if data is None:
            kind = Kind.DISCONNECT
        case 2 if isinstance(data, list) and data and isinstance(data[0], str | int | float):
            kind = Kind.EVENT
        case 3 if isinstance(data, list):
            kind = Kind.NOTHING
        case _:
            raise Malformed
    return Packet(kind, packet.namespace, data, packet.ack)


def _written(packet_type: int, data: JsonValue, *, namespace: str = ROOT, ack: int | None = None) -> str:
    library = _library()
    # `binary` is said, so that the packet does not search the data for bytes, of which JSON has none.
    packet = library.socket(packet_type, data, namespace=namespace, id=ack, binary=False)
    return str(library.engine(_MESSAGE, packet.encode()).encode())


class _EngineJson:
    """Engine.IO packets carry text here: what looks like JSON stays as it came."""

    @staticmethod
    def loads(_text: str) -> JsonValue:
        raise ValueError

    @staticmethod
    def dumps(value: JsonValue, **_options: object) -> str:
        return canonicalize(value)


class _SocketJson(_EngineJson):
    """The JSON of Socket.IO packets."""

    @staticmethod
    def loads(text: str) -> JsonValue:
        return parse_json(text)


@dataclass(frozen=True, slots=True)
class _Library:
    engine: Any
    socket: Any


@cache
def _library() -> _Library:
    import engineio.packet
    import socketio.packet

    class Engine(engineio.packet.Packet):  # type: ignore[misc]
        json = _EngineJson

    class Socket(socketio.packet.Packet):  # type: ignore[misc]
        json = _SocketJson

    return _Library(Engine, Socket)
