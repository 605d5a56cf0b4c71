from __future__ import annotations

from base64 import urlsafe_b64decode

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey

from chalicelib.notify.channels.vapid import TOKEN_LIFETIME_S, Vapid
from tests.unit.notify.desk_world import VAPID

NOW_S = 1_700_000_000


def verified(header: str, audience: str) -> dict[str, object]:
    """What a push service reads out of the header: the token's claims, if the key it names has signed it."""
    scheme, _, parameters = header.partition(" ")
    assert scheme == "vapid"
    given = dict(part.strip().split("=", 1) for part in parameters.split(","))
    point = urlsafe_b64decode(given["k"] + "=" * (-len(given["k"]) % 4))
    key = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), point)
    claims: dict[str, object] = jwt.decode(
        given["t"], key, algorithms=["ES256"], audience=audience, options={"verify_exp": False}
    )
    return claims


def test_the_public_key_is_what_browsers_take() -> None:
    point = urlsafe_b64decode(VAPID.public_key + "=")
    assert (len(point), point[0]) == (65, 4)
    assert "=" not in VAPID.public_key


@pytest.mark.parametrize(
    ("endpoint", "audience"),
    [
        ("https://push.example/send/1?a=b", "https://push.example"),
        ("http://127.0.0.1:8080/1", "http://127.0.0.1:8080"),
    ],
)
def test_a_token_is_for_one_push_service_and_half_a_day(endpoint: str, audience: str) -> None:
    claims = verified(VAPID.authorization(endpoint, NOW_S), audience)
    assert claims == {"aud": audience, "exp": NOW_S + TOKEN_LIFETIME_S, "sub": VAPID.subject}
    with pytest.raises(jwt.InvalidAudienceError):
        verified(VAPID.authorization(endpoint, NOW_S), "https://other.example")


def test_a_scalar_that_is_none_is_told() -> None:
    with pytest.raises(ValueError, match="private_value"):
        _ = Vapid(bytes(32), "mailto:operator@relay.example").public_key


def test_the_private_key_is_not_printed() -> None:
    assert "pppp" not in repr(VAPID)
