from __future__ import annotations

import base64
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.protocol.cid import SINGLE_BLOCK_BYTES, Cid, parse_cid, verified_content
from chalicelib.protocol.errors import InvalidProfile
from tests.unit.protocol.strategies import TEXTS, accepts_or_refuses

# The file "hello world\n" as `ipfs add` names it: version 0, the same in version 1, and with raw leaves.
CONTENT = b"hello world\n"
V0 = "QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o"
V1_DAG_PB = "bafybeicg2rebjoofv4kbyovkw7af3rpiitvnl6i7ckcywaq6xjcxnc2mby"
V1_RAW = "bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4"
RAW, DAG_PB = 0x55, 0x70


def cid_bytes(text: str) -> bytes:
    cid = parse_cid(text)
    return bytes([1, cid.codec, 0x12, 0x20]) + cid.digest


def based(data: bytes, alphabet: str) -> str:
    number, digits = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, len(alphabet))
        digits = alphabet[digit] + digits
    return digits


@pytest.mark.parametrize("text", [V0, V1_DAG_PB, V1_RAW, V1_RAW.upper()])
def test_content_is_what_its_identifier_names(text: str) -> None:
    cid = parse_cid(text)
    assert verified_content(cid, CONTENT) == CONTENT
    with pytest.raises(InvalidProfile):
        verified_content(cid, CONTENT + b"!")


def test_every_base_names_the_same() -> None:
    data = cid_bytes(V1_RAW)
    base58 = "z" + based(data, "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")
    base36 = "k" + based(data, "0123456789abcdefghijklmnopqrstuvwxyz")
    for text in (base58, base36, base36.upper(), "f" + data.hex(), "F" + data.hex().upper()):
        assert parse_cid(text) == parse_cid(V1_RAW)
    assert parse_cid(V0) == parse_cid(V1_DAG_PB)


@pytest.mark.parametrize(
    "text",
    [
        *["", "Qm", "QmCid1", V0[:-1], V0[:-1] + "0", "b", "z0", "fzz", "x" + V1_RAW, "b" * 200],
        "f0155" + "1220" + "00" * 31,  # too short
        "f0155" + "1320" + "00" * 32,  # not SHA-256
        "f0171" + "1220" + "00" * 32,  # dag-cbor
        "f0255" + "1220" + "00" * 32,  # version 2
    ],
)
def test_what_cannot_be_checked_is_refused(text: str) -> None:
    with pytest.raises(InvalidProfile):
        parse_cid(text)


def block(data: bytes, *, type_: int = 2, links: bytes = b"", extra: bytes = b"") -> bytes:
    """A dag-pb block with UnixFS inside; lengths below 128 only."""
    unixfs = bytes([0x08, type_, 0x12, len(data)]) + data + bytes([0x18, len(data)]) + extra
    return links + bytes([0x0A, len(unixfs)]) + unixfs


def cid_of(data: bytes) -> Cid:
    return Cid(DAG_PB, sha256(data).digest())


@pytest.mark.parametrize("type_", [0, 2])
def test_a_gateway_may_answer_with_the_block(type_: int) -> None:
    made = block(CONTENT, type_=type_)
    assert verified_content(cid_of(made), made) == CONTENT
    assert verified_content(cid_of(made), CONTENT) == CONTENT


def test_an_empty_file() -> None:
    made = b"\x0a\x04\x08\x02\x18\x00"
    assert verified_content(cid_of(made), made) == b""
    assert verified_content(cid_of(made), b"") == b""


REFUSED = {
    "directory": block(b"", type_=1),
    "links to other blocks": block(b"", links=b"\x12\x02\x0a\x00"),
    "sizes of other blocks": block(b"", extra=b"\x20\x05"),
    "no UnixFS": b"",
    "UnixFS is a number": b"\x08\x01",
    "data is a number": b"\x0a\x04\x08\x02\x10\x05",
    "ends early": b"\x0a\x7f\x08",
    "endless number": b"\x08" + b"\xff" * 20,
    "other wire type": b"\x0d\0\0\0\0",
}


@pytest.mark.parametrize("made", REFUSED.values(), ids=REFUSED.keys())
def test_blocks_that_are_no_file_of_one_block_are_refused(made: bytes) -> None:
    with pytest.raises(InvalidProfile):
        verified_content(cid_of(made), made)


def test_a_file_of_many_blocks_is_refused_clearly() -> None:
    with pytest.raises(InvalidProfile, match="larger than one IPFS block"):
        verified_content(parse_cid(V0), bytes(SINGLE_BLOCK_BYTES + 1))


@settings(deadline=None, max_examples=100)
@given(TEXTS, st.binary(max_size=60))
def test_any_identifier_and_any_block_are_read_or_refused(text: str, data: bytes) -> None:
    accepts_or_refuses(lambda: parse_cid(text))
    accepts_or_refuses(lambda: parse_cid("b" + base64.b32encode(data).decode().rstrip("=").lower()))
    accepts_or_refuses(lambda: parse_cid("f" + data.hex()))
    accepts_or_refuses(lambda: verified_content(cid_of(data), data))
