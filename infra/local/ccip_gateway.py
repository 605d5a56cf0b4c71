"""A gateway of ERC-3668 (CCIP-Read) on the laptop: it keeps records of names off chain and signs its answers.

It answers the lookups of infra/local/contracts/offchain_resolver.vy, in both forms (GET and POST), and as a
batch gateway (ENSIP-21) for clients that do not ask gateways by themselves. It can be told to misbehave.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Final, Self

from coincurve import PrivateKey

from chalicelib.names import abi
from chalicelib.names.encoding import dns_encode
from chalicelib.names.normalize import normalize
from chalicelib.protocol.encoding import decode_hex, encode_hex
from chalicelib.protocol.errors import Dm3Error, InvalidEncoding, InvalidInput
from chalicelib.protocol.hashing import keccak256
from chalicelib.protocol.wallet import wallet_address
from infra.local.node import LOOPBACK

LIFETIME_S: Final = 300
MAX_QUERIES: Final = 8

_LOOKUP: Final = abi.selector("lookup(bytes,bytes,uint256)")
_ADDR: Final = abi.selector("addr(bytes32)")
_TEXT: Final = abi.selector("text(bytes32,string)")
_QUERY: Final = abi.selector("query((address,string[],bytes)[])")
_HTTP_ERROR: Final = "HttpError(uint16,string)"


class Behaviour(Enum):
    """What the gateway does when it is asked."""

    HONEST = "answers"
    SLOW = "answers after `delay_s`"
    BROKEN = "says 503"
    NONSENSE = "says 200 and nothing that can be understood"
    LYING = "answers, signed by somebody else"
    LATE = "answers, with a signature that has expired"


@dataclass(frozen=True, slots=True)
class _Records:
    address: str | None = None
    texts: Mapping[str, str] = field(default_factory=dict)


class CcipGateway:
    """A running gateway on loopback, at `port` (0: any free one). Use as a context manager, or `stop` it.

    `signer` is the address that signs; `requests` counts the HTTP requests. Raises OSError if the port is
    taken.
    """

    def __init__(self, port: int = 0) -> None:
        self._key, self._wrong_key = PrivateKey(), PrivateKey()
        self.signer = wallet_address(self._key.secret)
        self.behaviour = Behaviour.HONEST
        self.delay_s = 1.0
        self.requests = 0
        self._records: dict[bytes, _Records] = {}
        self._server = _server(self, port)
        self.url = f"http://{LOOPBACK}:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
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
        self._records[dns_encode(normalize(name))] = _Records(address, texts or {})

    def stop(self) -> None:
        """Ends the server; doing so twice is no error."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def answer(self, sender: str, data: str) -> bytes:
        """The answer to `data` (`0x…`) for the contract `sender`. Raises `Dm3Error` if it is no question."""
        question = decode_hex(data)
        if question.startswith(_QUERY):
            return self._batch(question[abi.SELECTOR_BYTES :])
        return self._signed(decode_hex(sender), question)

    def _batch(self, arguments: bytes) -> bytes:
        """`(bool[] failures, bytes[] responses)` of the queries `(address, string[], bytes)[]`.

        All are answered here, whatever their URLs: other gateways are not asked.
        """
        queries = abi.read_bytes_array(_as_bytes_array(arguments), 0, at_most=MAX_QUERIES)
        failures, responses = [], []
        for query in queries:
            try:
                responses.append(self._signed(abi.read_address(query, 0), abi.read_bytes(query, 2)))
                failures.append(0)
            except Dm3Error:
                responses.append(_http_error(400, "not a question"))
                failures.append(1)
        return b""
