from __future__ import annotations

import base64
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.protocol.canonical import canonicalize
from chalicelib.protocol.errors import InvalidProfile
from chalicelib.protocol.json_types import JsonObject
from chalicelib.protocol.profile import profile_hash
from chalicelib.protocol.profile_uri import (
    InlineProfile,
    IpfsProfile,
    LinkedProfile,
    data_uri,
    link_hash,
    parse_profile_uri,
    verify_linked,
)
from tests.unit.protocol.strategies import TEXTS, accepts_or_refuses

VALUE: JsonObject = {"url": "https://ds.example/a%20b", "name": "é😀"}
TEXT = canonicalize(VALUE)
BODY = TEXT.encode()
HASH = profile_hash(VALUE)
CID = "bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4"  # of b"hello world\n"


@pytest.mark.parametrize(
    "record",
    [
        data_uri(VALUE),
        "data:application/json," + quote(TEXT),
        "data:application/json;charset=utf-8," + quote(TEXT),
        "data:application/json;base64," + base64.b64encode(BODY).decode(),
        "data:application/json;base64," + quote(base64.b64encode(BODY).decode()),
        "data:application/json;base64," + base64.urlsafe_b64encode(BODY).decode().rstrip("="),
        "data:application/json," + BODY.decode("latin-1"),
    ],
    ids=["plain", "url-encoded", "charset", "base64", "both", "url-safe", "bytes as characters"],
)
def test_every_form_of_a_record_is_read(record: str) -> None:
    assert parse_profile_uri(record) == InlineProfile(VALUE)


def test_latin_1_is_read_where_it_is_announced() -> None:
    value = {"name": "Ã¼"}
    text = canonicalize(value)
    assert parse_profile_uri("data:application/json;charset=iso-8859-1," + text) == InlineProfile(value)
    # Without the announcement the two characters are the bytes of one, as in the reference.
    assert parse_profile_uri("data:application/json," + text) == InlineProfile({"name": "ü"})


REFUSED = [
    "",
    "alice.eth",
    "ftp://x/?dm3Hash=" + HASH,
    "data:,{}",
    "data:text/plain,{}",
    "data:application/json",
    "data:application/json,",
    "data:application/json,[]",
    "data:application/json,{\n}",
    "data:application/json,%FF",
    "data:application/json,{\ud800",
    "data:application/json;charset=utf-16le,{}",
    "data:application/json;base64,AAAA",
    "https://?dm3Hash=" + HASH,
    "https://x/",
    "https://x/?dm3Hash",
    "https://x/?dm3Hash=0x00",
    "https://x/?dm3Hash=" + HASH.upper(),
    f"https://x/?dm3Hash={HASH}&dm3Hash={HASH}",
    "https://x/#?dm3Hash=" + HASH,
    "ipfs://",
    "ipfs://QmCid1",
    f"ipfs:{CID}",
    f"ipfs://{CID}/path",
    f"ipfs://{CID}?x=1",
]


@pytest.mark.parametrize("record", REFUSED)
def test_what_is_no_profile_uri_is_refused(record: str) -> None:
    with pytest.raises(InvalidProfile):
        parse_profile_uri(record)


def test_links_say_what_they_lead_to() -> None:
    for url in (
        f"https://x/p?a=1&dm3Hash={HASH}#f",
        f"HTTP://x?dm3Hash={HASH[2:]}",
        f"https://x/?dm3%48ash={HASH}",
    ):
        assert parse_profile_uri(f" {url} ") == LinkedProfile(url, HASH)
        assert link_hash(url) == HASH


def test_what_is_fetched_must_be_what_the_link_was_made_for() -> None:
    link = LinkedProfile("https://x/", HASH)
    assert verify_linked(link, BODY) == VALUE
    assert verify_linked(link, b" " + BODY + b"\n") == VALUE
    for body in (b"", b"{}", b"[1]", b"\xff", BODY.replace(b"ds", b"es")):
        with pytest.raises(InvalidProfile):
            verify_linked(link, body)


def test_ipfs_links_carry_their_own_hash() -> None:
    link = parse_profile_uri(f"ipfs://{CID}/")
    assert link == IpfsProfile(CID)
    assert isinstance(link, IpfsProfile)
    with pytest.raises(InvalidProfile, match="not JSON"):
        verify_linked(link, b"hello world\n")
    with pytest.raises(InvalidProfile, match="not what"):
        verify_linked(link, BODY)


DATA = "data:application/json"
PREFIXES = st.sampled_from(
    [
        "",
        DATA,
        DATA + ",",
        DATA + ";base64,",
        DATA + ";charset=",
        "ipfs://",
        "https://",
        "https://x/?dm3Hash=",
    ]
)


@settings(deadline=None, max_examples=150)
@given(PREFIXES, TEXTS, st.binary(max_size=40))
def test_any_text_is_a_profile_uri_or_refused(prefix: str, text: str, body: bytes) -> None:
    accepts_or_refuses(lambda: parse_profile_uri(prefix + text))
    accepts_or_refuses(lambda: parse_profile_uri(prefix + base64.b64encode(body).decode()))
    accepts_or_refuses(lambda: verify_linked(LinkedProfile("https://x/", HASH), body))
    accepts_or_refuses(lambda: verify_linked(IpfsProfile(text), body))
