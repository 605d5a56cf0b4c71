"""The operator's own rules at a relay, which come before those of receivers. Needs the operator's token."""

from __future__ import annotations

from typing import Final

from chalicelib.client.patience import Patience
from chalicelib.client.rest import Rest
from chalicelib.client.transport import Transport
from chalicelib.protocol.errors import InvalidInput, Unavailable
from chalicelib.protocol.json_types import JsonObject, JsonValue

_RULES: Final = "/operator/rules"


class Operator:
    """Reads and replaces the operator's rules of the relay at `url`, whose API begins there.

    Both raise Unavailable, Unauthorized for another token, and NotFound at a relay that has no operator's
    token.
    """

    def __init__(
        self, url: str, token: str, transport: Transport, *, patience: Patience | None = None
    ) -> None:
        if not (token.isascii() and token.isprintable() and token):
            raise InvalidInput("The operator's token is not one that can be sent.")
        self._rest = Rest(url.rstrip("/"), transport, patience or Patience())
        self._token = token

    def rules(self) -> JsonObject:
        """`{block, minimumVersion, limits}`: who is blocked, the oldest version taken, limits of sources."""
        return _object(self._rest.request("GET", _RULES, token=self._token))

    def set_rules(self, rules: JsonObject) -> JsonObject:
        """Replace the rules by these; what the relay keeps now. Raises InvalidInput, too."""
        return _object(self._rest.request("PUT", _RULES, body=rules, token=self._token))


def _object(answer: JsonValue) -> JsonObject:
    if not isinstance(answer, dict):
        raise Unavailable("The relay gave an answer that makes no sense.")
    return answer
