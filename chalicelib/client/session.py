"""Signing in at one's own delivery service, without the caller noticing (DESIGN, decision 13)."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode

from chalicelib.client.delivery_service import DeliveryService, path
from chalicelib.client.identity import Identity
from chalicelib.names.normalize import normalize
from chalicelib.protocol.canonical import parse_json
from chalicelib.protocol.errors import Dm3Error, NotFound, SignInRequired, Unavailable
from chalicelib.protocol.json_types import JsonValue
from chalicelib.protocol.signing import sign

# The key that signs a challenge signs messages, too: a service must not get a text of its choice signed.
# A challenge is a JWT (WIRE, "REST"), which the JSON under the signature of a message never looks like.
_NO_ACCOUNT = "There is no account at the delivery service; open one: dm3 profile publish."
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


class Sessions:
    """Session tokens by delivery service, in memory only. Safe for use by several threads."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._tokens: dict[str, str] = {}

    def request(
        self,
        service: DeliveryService,
        method: str,
        where: str,
        *,
        body: JsonValue = None,
        **query: str | None,
    ) -> JsonValue:
        """As `DeliveryService.request`, signed in. A token that is refused with 401 is renewed once."""
        token = self.token(service)
        try:
            return service.request(method, where, body=body, token=token, **query)
        except SignInRequired:
            token = self.token(service, refused=token)
        return service.request(method, where, body=body, token=token, **query)

    def token(self, service: DeliveryService, *, refused: str | None = None) -> str:
        """The token of a session at `service`: the one at hand unless it is `refused`, else a new one.

        Raises NotFound without an account, InvalidInput, Forbidden, Unavailable.
        """
        kept = self._tokens.get(service.name)
        return self._sign_in(service) if kept is None or kept == refused else kept

    def forget(self, service: DeliveryService) -> None:
        """Sign in anew next time."""
        self._tokens.pop(service.name, None)

    def _sign_in(self, service: DeliveryService) -> str:
        """A token for a signed challenge. Raises NotFound without an account, InvalidInput, Forbidden."""
        self.forget(service)
        where = path("auth", self._identity.name)
        try:
            challenge = _text(service.request("GET", where))
        except NotFound:
            raise NotFound(_NO_ACCOUNT) from None
        if not _CHALLENGE.fullmatch(challenge) or not _is_issued_by(challenge, service):
            raise Unavailable("The delivery service gave a challenge that must not be signed.")
        signature = sign(self._identity.keys.signing.private_key, challenge)
        token = _text(service.request("POST", where, body={"challenge": challenge, "signature": signature}))
        if not (token.isascii() and token.isprintable()):
            raise Unavailable("The delivery service gave a token that cannot be used.")
        self._tokens[service.name] = token
        return token


def _is_issued_by(challenge: str, service: DeliveryService) -> bool:
    """Whether the challenge says that `service` has issued it, or does not say who (the reference's).

    A service could fetch a challenge at another one of its user's and have it signed here: the signature
    would open a session there. It cannot alter what the other has issued.
    """
    try:
        claims = parse_json(urlsafe_b64decode(challenge.split(".")[1] + "=="))
        if not isinstance(claims, dict) or "iss" not in claims:
            return True
        issuer = claims["iss"]
        return isinstance(issuer, str) and normalize(issuer) == service.name
    except (Dm3Error, ValueError):
        return False


def _text(value: JsonValue) -> str:
    if not isinstance(value, str):
        raise Unavailable("The delivery service gave an answer that makes no sense.")
    return value
