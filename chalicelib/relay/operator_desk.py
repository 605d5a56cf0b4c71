"""The operator, calling from outside: known by a token, of which the relay knows the hash alone.

The token has high entropy, so its plain SHA-256 gives nothing away, and neither do the relay's settings. A
wrong one is charged to the source; the right one is never refused, however many wrong ones came before it.
"""

from __future__ import annotations

import hmac
from hashlib import sha256

from chalicelib.protocol.errors import Forbidden, NotFound, SignInRequired
from chalicelib.protocol.json_types import JsonObject, JsonValue
from chalicelib.relay.operator_book import OperatorBook
from chalicelib.relay.operator_rules import OperatorRules
from chalicelib.relay.quota import Quotas, operator_failures
from chalicelib.relay.settings import Limits
from chalicelib.relay.tokens import bearer
from chalicelib.relay.vault import text_bytes


class RelayOperator:
    """Implements `service.Operator`. Without a hash of a token there is no operator to be known."""

    def __init__(
        self, *, book: OperatorBook, quotas: Quotas, limits: Limits, token_sha256: bytes | None
    ) -> None:
        self._book = book
        self._quotas = quotas
        self._limits = limits
        self._token_sha256 = token_sha256

    def authenticate(self, authorization: str | None, *, source: str) -> None:
        """See `service.Operator.authenticate`."""
        if self._token_sha256 is None:
            raise NotFound
        token = bearer(authorization)
        if not token:
            raise SignInRequired("The operator's token is missing.")
        if not hmac.compare_digest(sha256(text_bytes(token)).digest(), self._token_sha256):
            self._quotas.charge(operator_failures(self._limits, source))
            raise Forbidden("This is not the operator's token.")

    def rules(self) -> JsonObject:
        """See `service.Operator.rules`."""
        return self._book.read().to_json()

    def set_rules(self, document: JsonValue) -> JsonObject:
        """See `service.Operator.set_rules`."""
        rules = OperatorRules.parse(document)
        self._book.put(rules)
        return rules.to_json()
