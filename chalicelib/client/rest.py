"""REST requests to one server: JSON in, JSON out, refusals as errors of the tree."""

from __future__ import annotations

from urllib.parse import urlencode

from chalicelib.client import failures
from chalicelib.client.patience import Patience
from chalicelib.client.transport import Request, Response, Transport
from chalicelib.protocol.canonical import DEFAULT_MAX_DEPTH, canonicalize, parse_json
from chalicelib.protocol.errors import ParseError, Unavailable
from chalicelib.protocol.json_types import JsonValue

JSON_TYPE = "application/json"
# A page wraps its envelopes a few levels deep, and each may be as deep by itself as JSON may be.
_MAX_ANSWER_DEPTH = 2 * DEFAULT_MAX_DEPTH
# Routes of the reference that have nothing to say answer with this word, as text.
_DONE = (b"", b"OK")


class Rest:
    """Asks the server at `base` (a URL without a slash at its end), as often as `patience` allows."""

    def __init__(self, base: str, transport: Transport, patience: Patience) -> None:
        self._base = base
        self._transport = transport
        self._patience = patience

    def request(
        self, method: str, path: str, *, body: JsonValue = None, token: str | None = None, **query: str | None
    ) -> JsonValue:
        """The JSON of an answer, None if it has no body or says OK. `path` is already percent-encoded.

        Raises Unavailable, LimitExceeded, SignInRequired (401), Forbidden, NotFound, InvalidInput.
        """
        given = {name: value for name, value in query.items() if value is not None}
        url = f"{self._base}{path}" + (f"?{urlencode(given)}" if given else "")
        headers = {} if body is None else {"content-type": JSON_TYPE}
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        content = b"" if body is None else canonicalize(body).encode()
        return self._patience.run(lambda: self._once(Request(method, url, headers, content)))

    def _once(self, request: Request) -> JsonValue:
        response = self._transport.exchange(request)
        if response.status >= 400:
            raise failures.from_http(response)
        return None if response.body.strip() in _DONE else json_of(response)


def json_of(response: Response) -> JsonValue:
    """The JSON that a server answered. Raises Unavailable."""
    try:
        return parse_json(response.body, max_depth=_MAX_ANSWER_DEPTH)
    except ParseError:
        raise Unavailable("The delivery service gave an answer that is not JSON.") from None
