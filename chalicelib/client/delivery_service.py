"""One delivery service, as a client calls it: JSON-RPC for senders, REST for its own accounts.

Requests carry an `id`, so the service answers as JSON-RPC 2.0 and the dm3 specification say (WIRE,
"JSON-RPC"); what services of the reference answer instead (results as JSON text, a bare "OK") is understood.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import quote

from chalicelib.client import failures
from chalicelib.client.patience import Patience
from chalicelib.client.rest import JSON_TYPE, Rest, json_of
from chalicelib.client.transport import Request, Response, Transport
from chalicelib.protocol.canonical import canonicalize, parse_json
from chalicelib.protocol.errors import (
    Dm3Error,
    InvalidInput,
    NotFound,
    ParseError,
    Unavailable,
    UnknownReceiver,
)
from chalicelib.protocol.extension import ProfileExtension
from chalicelib.protocol.json_types import JsonObject, JsonValue
from chalicelib.protocol.profile import DeliveryServiceProfile
from chalicelib.protocol.properties import DeliveryServiceProperties
from chalicelib.protocol.receipt import Receipt

_LIVE_SCHEMES = {"https": "wss", "http": "ws"}
_NONSENSE = "The delivery service gave an answer that makes no sense."

Parsed = TypeVar("Parsed")


@dataclass(frozen=True, slots=True)
class Accepted:
    """The answer to a submission. Services of the reference give no receipt."""

    receipt: Receipt | None
    duplicate: bool


class DeliveryService:
    """Calls the delivery service `name`, whose profile on ENS is `profile`.

    Every method raises Unavailable (no answer, or none that makes sense) and LimitExceeded, after as many
    tries as `patience` allows, and otherwise the error that the service tells.
    """

    def __init__(
        self, name: str, profile: DeliveryServiceProfile, transport: Transport, patience: Patience
    ) -> None:
        self.name = name
        self.profile = profile
        self._base = profile.url.rstrip("/")
        self._transport = transport
        self._patience = patience
        self._rest = Rest(self._base, transport, patience)

    @property
    def live_url(self) -> str:
        """Where its live connections are opened (`wss:`, or `ws:` where the service is called by `http:`)."""
        scheme, separator, rest = self._base.partition(":")
        return f"{_LIVE_SCHEMES.get(scheme.lower(), scheme)}{separator}{rest}/live"

    def submit(self, envelope: JsonObject) -> Accepted:
        """`dm3_submitMessage`. The receipt is as it came: whoever asks verifies it."""
        result = self._call("dm3_submitMessage", canonicalize(envelope))
        if result == "OK":
            return Accepted(None, duplicate=False)
        duplicate = isinstance(result, dict) and result.get("duplicate") is True
        return Accepted(_understood(Receipt.parse, result), duplicate)

    def properties(self) -> DeliveryServiceProperties:
        """`dm3_getDeliveryServiceProperties`."""
        return _understood(DeliveryServiceProperties.parse, self._call("dm3_getDeliveryServiceProperties"))

    def extension(self, receiver: str) -> ProfileExtension:
        """`dm3_getProfileExtension`. Raises UnknownReceiver if `receiver` has no account there."""
        try:
            answer = self._call("dm3_getProfileExtension", receiver)
        except NotFound:
            raise UnknownReceiver from None  # the answer says no more than that something is not found
        return _understood(ProfileExtension.parse, answer)

    def request(
        self, method: str, path: str, *, body: JsonValue = None, token: str | None = None, **query: str | None
    ) -> JsonValue:
        """As `Rest.request`."""
        return self._rest.request(method, path, body=body, token=token, **query)

    def _call(self, method: str, *params: JsonValue) -> JsonValue:
        return self._patience.run(lambda: self._call_once(method, params))

    def _call_once(self, method: str, params: tuple[JsonValue, ...]) -> JsonValue:
        identifier = secrets.token_hex(8)
        body: JsonObject = {"jsonrpc": "2.0", "id": identifier, "method": method, "params": list(params)}
        response = self._transport.exchange(
            Request("POST", f"{self._base}/rpc", {"content-type": JSON_TYPE}, canonicalize(body).encode())
        )
        if response.status == 200 and response.body.strip() == b"OK":
            return "OK"
        return _result(response, identifier)


def path(*segments: str) -> str:
    """An absolute path of percent-encoded segments."""
    return "".join(f"/{quote(segment, safe='')}" for segment in segments)


def _understood(parse: Callable[[JsonValue], Parsed], value: JsonValue) -> Parsed:
    """What `parse` makes of a result. Nonsense counts as no answer."""
    try:
        return parse(value)
    except InvalidInput:
        raise Unavailable(_NONSENSE) from None


def _result(response: Response, identifier: str) -> JsonValue:
    """The `result` of a JSON-RPC answer. Raises the error it tells, or what the status stands for."""
    try:
        answer = json_of(response)
    except Dm3Error:
        answer = None
    if not isinstance(answer, dict) or answer.get("id", identifier) not in (identifier, None):
        raise _without_meaning(response)
    if isinstance(answer.get("error"), dict):
        raise failures.from_rpc(answer["error"], response)
    if "result" not in answer:
        raise _without_meaning(response)
    result = answer["result"]
    # The reference puts JSON text into its results.
    return _text_or_json(result) if isinstance(result, str) else result


def _without_meaning(response: Response) -> Dm3Error:
    if response.status >= 400:
        return failures.from_http(response)
    return Unavailable(_NONSENSE)


def _text_or_json(text: str) -> JsonValue:
    try:
        return parse_json(text)
    except ParseError:
        return text
