"""Who pushes: the relay's P-256 key, by which push services know it again (VAPID, RFC 8292).

A browser subscribes for this key. Whoever has another one cannot push to it.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

TOKEN_LIFETIME_S: Final = 12 * 3_600
"""RFC 8292 allows 24 hours; half of it leaves room for clocks that differ."""


@dataclass(frozen=True)
class Vapid:
    """`private_key` is the scalar (32 bytes). `subject` is a `mailto:` or `https:` URL to reach the operator.

    Raises ValueError, when it is first used, for a scalar that is not one of the curve.
    """

    private_key: bytes = field(repr=False)
    subject: str

    @cached_property
    def public_key(self) -> str:
        """The uncompressed point as base64url, as browsers take it for `applicationServerKey`."""
        # Imported where it is needed: it takes tens of milliseconds.
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return urlsafe_b64encode(point).decode().rstrip("=")

    def authorization(self, endpoint: str, now_s: int) -> str:
        """The `Authorization` header for a push to `endpoint`: a token that only its server can use."""
        import jwt

        url = urlsplit(endpoint)
        claims = {
            "aud": f"{url.scheme}://{url.netloc}",
            "exp": now_s + TOKEN_LIFETIME_S,
            "sub": self.subject,
        }
        return f"vapid t={jwt.encode(claims, self._key, algorithm='ES256')}, k={self.public_key}"

    @cached_property
    def _key(self) -> EllipticCurvePrivateKey:
        from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key

        return derive_private_key(int.from_bytes(self.private_key, "big"), SECP256R1())
