"""Challenges and session tokens: JSON Web Tokens (RFC 7519, HS256), made and read.

Each kind has a key of its own, derived from the relay's session secret, so that neither passes for the other.
Both are bound to this relay (`iss`), to an account (`sub`, a keyed hash: no address stands in a token) and
carry the name as `account`, where the reference's client has it. Times are judged by the relay's clock port.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Any

from chalicelib.protocol.encoding import encode_base64
from chalicelib.relay.ports import Chance, Clock

CHALLENGE_LIFETIME_S = 15 * 60
SESSION_LIFETIME_S = 60 * 60
REOPENING_S = 24 * 60 * 60
"""How long after it first opened a socket a token reopens one, expired or not."""
_MAX_TOKEN_CHARS = 4_096
_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class Challenge:
    """A challenge that this relay has issued and that has not expired."""

    name: str
    subject: str
    challenge_id: str
    expires_at_s: int


@dataclass(frozen=True, slots=True)
class Session:
    """A session token that this relay has issued and that has not expired."""

    name: str
    subject: str
    epoch: str


def bearer(authorization: str | None) -> str:
    """The token of an `Authorization: Bearer` header (RFC 6750), "" if there is none."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


class Tokens:
    """Makes and reads the two kinds of token."""

    def __init__(self, session_key: bytes, issuer: str, clock: Clock, chance: Chance) -> None:
        self._challenge_key = hmac.digest(session_key, b"challenge", "sha256")
        self._session_key = hmac.digest(session_key, b"session", "sha256")
        self._issuer = issuer
        self._clock = clock
        self._chance = chance

    def challenge(self, name: str, subject: bytes) -> str:
        """A challenge for `name`, good for 15 minutes."""
        claims = {"challenge": self._chance.token(_ID_BYTES).hex()}
        return self._sign(self._challenge_key, name, subject, claims, CHALLENGE_LIFETIME_S)

    def session(self, name: str, subject: bytes, epoch: bytes) -> str:
        """A session token, good for one hour."""
        return self._sign(self._session_key, name, subject, {"epoch": epoch.hex()}, SESSION_LIFETIME_S)

    def read_challenge(self, token: str) -> Challenge | None:
        """What `token` says, or None if it is not a valid challenge of this relay."""
        claims = self._read(self._challenge_key, token)
        if claims is None:
            return None
        return Challenge(claims["account"], claims["sub"], claims["challenge"], claims["exp"])

    def read_session(self, token: str) -> Session | None:
        """What `token` says, or None if it is not a valid session token of this relay."""
        claims = self._read(self._session_key, token)
        return None if claims is None else Session(claims["account"], claims["sub"], claims["epoch"])

    def read_late_session(self, token: str) -> Session | None:
        """As `read_session`, but the token may have expired up to 24 hours ago: it could reopen a socket."""
        claims = self._read(self._session_key, token, late_s=REOPENING_S)
        return None if claims is None else Session(claims["account"], claims["sub"], claims["epoch"])

    def _sign(self, key: bytes, name: str, subject: bytes, claims: dict[str, str], lifetime_s: int) -> str:
        # PyJWT takes 60 ms to import; most calls of the relay need no token.
        import jwt

        now_s = self._clock.now_ms() // 1_000
        common = {"account": name, "sub": encode_base64(subject), "iss": self._issuer}
        times = {"iat": now_s, "nbf": now_s, "exp": now_s + lifetime_s}
        return str(jwt.encode({**common, **claims, **times}, key, algorithm="HS256"))

    def _read(self, key: bytes, token: str, *, late_s: int = 0) -> dict[str, Any] | None:
        import jwt

        if len(token) > _MAX_TOKEN_CHARS:
            return None
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=["HS256"],
                issuer=self._issuer,
                # Judged below, by the relay's own clock.
                options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
            )
        except (jwt.PyJWTError, ValueError):
            return None
        return claims if claims["exp"] + late_s > self._clock.now_ms() // 1_000 else None
