from __future__ import annotations

import pytest
from ens.utils import dns_encode_name, raw_name_to_hash  # type: ignore[import-untyped]  # ens has no types
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.names.encoding import MAX_NAME_BYTES, dns_encode, namehash
from chalicelib.protocol.errors import InvalidName

_names = st.lists(st.from_regex(r"[a-z0-9]{1,20}", fullmatch=True), min_size=1, max_size=5).map(".".join)


@given(_names)
@settings(deadline=None, max_examples=50)
def test_both_equal_web3(name: str) -> None:
    assert dns_encode(name) == dns_encode_name(name)
    assert namehash(name) == raw_name_to_hash(name)


def test_vectors_of_eip_137() -> None:
    assert namehash("eth").hex() == "93cdeb708b7545dc668eb9280176169d1c33cfd8ed6f04690a0bcc88a93fc4ae"
    assert namehash("foo.eth").hex() == "de9b09fd7c5f901e23a3f19fecc54828e9c848539801e86591bd9801b019f84f"


def test_wire_format() -> None:
    assert dns_encode("caf\u00e9.eth") == b"\x05caf\xc3\xa9\x03eth\x00"


@pytest.mark.parametrize("name", ["", "a..b", "a" * 256, "\ud800"])
def test_labels_that_cannot_be_encoded(name: str) -> None:
    for encode in (dns_encode, namehash):
        with pytest.raises(InvalidName):
            encode(name)


def test_the_whole_is_bounded() -> None:
    fits = ".".join(["a"] * (MAX_NAME_BYTES // 2 - 1))
    assert len(dns_encode(fits)) == MAX_NAME_BYTES - 1
    with pytest.raises(InvalidName):
        dns_encode(fits + ".a")
