from __future__ import annotations

from base64 import b64decode, b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey, VerifyKey
from standardwebhooks import Webhook

from chalicelib.notify.webhooks.signing import Signature, kind_of, new_secret, public_key, signed_headers
from tests.unit.notify.webhooks.receiver import in_the_time_of
from tests.unit.relay.ports import HandClock, SeededChance


def test_the_example_of_the_published_library() -> None:
    """The vector of the specification's own tests: same secret, id, time and body, same signature."""
    headers = signed_headers(
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1_614_265_330_000,
        '{"test": 2432232314}',
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_secrets_say_what_they_are() -> None:
    chance = SeededChance()
    shared, pair = new_secret(Signature.V1, chance), new_secret(Signature.V1A, chance)
    assert (kind_of(shared), kind_of(pair)) == (Signature.V1, Signature.V1A)
    assert len(b64decode(shared.removeprefix("whsec_"))) == 32
    seed = b64decode(pair.removeprefix("whsk_"))[:32]
    assert public_key(shared) is None
    assert public_key(pair) == "whpk_" + b64encode(bytes(SigningKey(seed).verify_key)).decode()
    assert new_secret(Signature.V1, chance) != shared


@given(st.text(max_size=200), st.integers(0, 4_000_000_000_000), st.integers(1, 2))
def test_whatever_is_sent_verifies(body: str, at_ms: int, secrets: int) -> None:
    chance = SeededChance()
    body = body.encode(errors="replace").decode()
    shared = [new_secret(Signature.V1, chance) for _ in range(secrets)]
    headers = signed_headers(shared, "msg_1", at_ms, body)
    with pytest.MonkeyPatch.context() as patch:
        in_the_time_of(HandClock(at_ms), patch)
        for secret in shared:
            Webhook(secret).verify(body, headers, json_parse=False)
    pairs = [new_secret(Signature.V1A, chance) for _ in range(secrets)]
    headers = signed_headers(pairs, "msg_1", at_ms, body)
    signatures = headers["webhook-signature"].split(" ")
    for secret, signature in zip(pairs, signatures, strict=True):
        key = VerifyKey(b64decode(str(public_key(secret)).removeprefix("whpk_")))
        key.verify(f"msg_1.{at_ms // 1_000}.{body}".encode(), b64decode(signature.removeprefix("v1a,")))
