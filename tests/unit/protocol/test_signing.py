from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.protocol.encoding import encode_base64
from chalicelib.protocol.errors import InvalidEncoding
from chalicelib.protocol.signing import sign, verify
from tests.unit.protocol.people import ALICE_SIGNING, STRANGER_SIGNING
from tests.unit.protocol.strategies import TEXTS, accepts_or_refuses

PUBLIC, PRIVATE = ALICE_SIGNING.public_key, ALICE_SIGNING.private_key


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=50), st.text(max_size=50))
def test_a_signature_fits_one_text_and_one_key(text: str, other: str) -> None:
    signature = sign(PRIVATE, text)
    assert verify(PUBLIC, text, signature)
    assert verify(PUBLIC, other, signature) == (text == other)
    assert not verify(STRANGER_SIGNING.public_key, text, signature)


def test_wrong_lengths_are_refused() -> None:
    signature = sign(PRIVATE, "text")
    for key in ("", PUBLIC, encode_base64(bytes(65))):
        with pytest.raises(InvalidEncoding):
            sign(key, "text")
    with pytest.raises(InvalidEncoding):
        verify(PRIVATE, "text", signature)
    with pytest.raises(InvalidEncoding):
        verify(PUBLIC, "text", signature[:80])
    with pytest.raises(InvalidEncoding):
        verify(PUBLIC, "\ud800", signature)


@settings(deadline=None, max_examples=100)
@given(TEXTS, TEXTS, TEXTS)
def test_any_signature_is_judged_or_refused(key: str, text: str, signature: str) -> None:
    accepts_or_refuses(lambda: verify(key, text, signature))
    accepts_or_refuses(lambda: verify(PUBLIC, text, signature))
    accepts_or_refuses(lambda: sign(key, text))
