from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.protocol.encoding import decode_base64, decode_hex, encode_base64, encode_hex, utf8
from chalicelib.protocol.errors import InvalidEncoding
from tests.unit.protocol.strategies import TEXTS, accepts_or_refuses

# As Node 20 decodes them: `Buffer.from(text, "base64")`.
NODE = {
    "YWJj": "616263",
    "YW Jj\n": "616263",
    "-_-_": "fbffbf",
    "YQ==YQ==": "61",
    "YWJjZ": "616263",
    "\u0141/": "03",  # the low byte of U+0141 is "A"
    "😀YWJj": "",  # the low byte of its first half is "="
}


@pytest.mark.parametrize(("text", "data"), NODE.items())
def test_base64_is_read_as_node_reads_it(text: str, data: str) -> None:
    assert decode_base64(text).hex() == data


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=50))
def test_bytes_survive_base64_and_hex(data: bytes) -> None:
    assert decode_base64(encode_base64(data)) == data
    assert decode_base64(encode_base64(data).rstrip("=").replace("+", "-").replace("/", "_")) == data
    assert decode_hex(encode_hex(data)) == data


@pytest.mark.parametrize("text", ["", "00", "0x0", "0X00", "0xgg", "0x00 ", "0x00\n"])
def test_hex_has_one_form(text: str) -> None:
    with pytest.raises(InvalidEncoding):
        decode_hex(text)


def test_utf8_of_surrogates() -> None:
    assert utf8("\udc00") == b"\xed\xb0\x80"
    assert utf8("\ud83d" + "\ude00") == "😀".encode()
    for text in ("\ud800", "a\ud83d", "\udc00\ud800"):
        with pytest.raises(InvalidEncoding):
            utf8(text)


@settings(deadline=None, max_examples=100)
@given(TEXTS)
def test_any_text_is_decoded_or_refused(text: str) -> None:
    assert isinstance(decode_base64(text), bytes)
    accepts_or_refuses(lambda: decode_hex(text))
    accepts_or_refuses(lambda: utf8(text))
