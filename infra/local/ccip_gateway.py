"""A gateway of ERC-3668 (CCIP-Read) on the laptop: it keeps records of names off chain and signs its answers.

It is asked with GET and with POST, and answers batches (ENSIP-21) for clients that do not ask gateways by
themselves. It can be told to misbehave.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Self

from chalicelib.names.encoding import dns_encode
from chalicelib.names.normalize import normalize
from chalicelib.protocol.encoding import decode_hex, encode_hex
from chalicelib.protocol.errors import Dm3Error
from infra.local.ccip_answers import LIFETIME_S, Records, SigningKey, answer
from infra.local.node import LOOPBACK

_POLL_S = 0.02


class Behaviour(Enum):
    """What the gateway does when it is asked."""

    HONEST = "answers"
    SLOW = "answers after `delay_s`"
    BROKEN = "says 503"
    UNKNOWN = "says 404"
    NONSENSE = "says 200 and nothing that can be understood"
    LYING = "answers, signed by somebody else"
    LATE = "answers, with a signature that has expired"


class CcipGateway:
    """A running gateway on loopback, at `port` (0: any free one). Use as a context manager, or `stop` it.

    `signer` is the address that signs, `requests` counts the HTTP requests. Raises OSError if the port is
    taken.
    """

    def __init__(self, port: int = 0) -> None:
        self._key, self._wrong_key = SigningKey(), SigningKey()
        self._records: dict[bytes, Records] = {}
        self.signer = self._key.address
        self.behaviour = Behaviour.HONEST
        self.delay_s = 1.0
        self.requests = 0
        self._server = _Server(self, port)
        self.url = f"http://{LOOPBACK}:{self._server.server_port}"
        self._thread = Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": _POLL_S}, daemon=True
        )
        self._thread.start()

    @property
    def get_url(self) -> str:
        """The template by which clients ask with GET."""
        return self.url + "/{sender}/{data}.json"

    @property
    def post_url(self) -> str:
        """The URL to which clients POST."""
        return self.url + "/"

    def set(self, name: str, *, address: str | None = None, texts: Mapping[str, str] | None = None) -> None:
        """Replaces the records of `name`. Raises `InvalidName`."""
        self._records[dns_encode(normalize(name))] = Records(address, texts or {})

    def answer(self, sender: str, data: str) -> bytes:
        """The honest answer to `data` (`0x…`) of the contract `sender`. Raises `Dm3Error` if none exists."""
        return answer(self._records, self._key, decode_hex(sender), decode_hex(data), LIFETIME_S)

    def reply(self, sender: object, data: object) -> tuple[int, bytes]:
        """The status and the body for a request with these two members."""
        self.requests += 1
        behaviour = self.behaviour
        if behaviour is Behaviour.SLOW:
            time.sleep(self.delay_s)
        if behaviour is Behaviour.BROKEN:
            return 503, b'{"message": "out of order"}'
        if behaviour is Behaviour.UNKNOWN:
            return 404, b'{"message": "not found"}'
        if behaviour is Behaviour.NONSENSE:
            return 200, b"<html>"
        key = self._wrong_key if behaviour is Behaviour.LYING else self._key
        lifetime_s = -LIFETIME_S if behaviour is Behaviour.LATE else LIFETIME_S
        try:
            asked = decode_hex(str(sender)), decode_hex(str(data))
            answered = answer(self._records, key, *asked, lifetime_s)
        except Dm3Error as error:
            return 400, json.dumps({"message": error.message}).encode()
        return 200, json.dumps({"data": encode_hex(answered)}).encode()

    def stop(self) -> None:
        """Ends the server; doing so twice is no error."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, gateway: CcipGateway, port: int) -> None:
        super().__init__((LOOPBACK, port), _Handler)
        self.gateway = gateway

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no event."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        """`/{sender}/{data}.json`."""
        _, _, rest = self.path.partition("/")
        sender, _, data = rest.removesuffix(".json").partition("/")
        self._send(*self.server.gateway.reply(sender, data))

    def do_POST(self) -> None:
        """`{"sender": …, "data": …}`."""
        try:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            reply = self.server.gateway.reply(asked["sender"], asked["data"])
        except (KeyError, TypeError, ValueError):
            reply = 400, b'{"message": "not a question"}'
        self._send(*reply)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Nothing is logged."""

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
