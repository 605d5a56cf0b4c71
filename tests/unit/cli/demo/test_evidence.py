"""The search of the demo must find what is there, or finding nothing proves nothing."""

from __future__ import annotations

import zlib
from base64 import b64encode, urlsafe_b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.cli.demo.evidence import StoredItem, found

NAME = "alice.eth"
ADDRESS = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


def item(content: bytes, name: str = "payload") -> StoredItem:
    return StoredItem("inbox", {"pk": b"\x00" * 32, name: content})


@pytest.mark.parametrize(
    "content",
    [
        NAME.encode(),
        b"xx" + NAME.upper().encode() + b"yy",
        NAME.encode().hex().encode(),
        zlib.compress(b'{"from":"alice.eth"}'),
        b64encode(NAME.encode()),
        b64encode(b"1" + NAME.encode() + b"2"),
        b64encode(b"12" + NAME.encode() + b"3"),
        urlsafe_b64encode(b"12" + NAME.encode()),
    ],
)
def test_a_name_is_found_in_every_usual_form(content: bytes) -> None:
    assert found([item(b"nothing"), item(content)], NAME)


@pytest.mark.parametrize(
    "content",
    [ADDRESS.encode(), ADDRESS[2:].lower().encode(), b"\x01" + bytes.fromhex(ADDRESS[2:]) + b"\x02"],
)
def test_an_address_is_found_as_text_and_as_bytes(content: bytes) -> None:
    assert found([item(content)], ADDRESS)


def test_an_attribute_may_be_named_after_somebody() -> None:
    assert found([item(b"", name=NAME)], NAME)


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=12), st.binary(max_size=12))
def test_what_is_around_does_not_hide_it(before: bytes, after: bytes) -> None:
    assert found([item(before + NAME.encode() + after)], NAME)
    assert found([item(b64encode(before + b"Nobody between us" + after))], "Nobody between us")


def test_what_is_not_there_is_not_found() -> None:
    assert not found([item(bytes(range(256)) * 20), item(zlib.compress(b"bob"))], NAME)
    assert not found([], NAME)
