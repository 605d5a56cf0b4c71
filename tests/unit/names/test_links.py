from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest

from chalicelib.names.links import IPFS_GATEWAYS, LINK_DEADLINE_S, MAX_LINKED_PROFILE_BYTES, LinkReader
from chalicelib.protocol.errors import Dm3Error, InvalidProfile, TooBig, Unavailable, UnsafeLink
from chalicelib.protocol.hashing import sha256_canonical
from chalicelib.protocol.profile_uri import IpfsProfile, LinkedProfile
from tests.unit.names.people import Person
from tests.unit.names.web import Page, Web

SIGNED = Person(1).signed_json()
BODY = json.dumps(SIGNED).encode()
LINK = LinkedProfile("https://example.com/p", sha256_canonical(SIGNED))
GATEWAYS = ("https://one.example/ipfs/{cid}?format=raw", "https://two.example/ipfs/{cid}?format=raw")


def _ipfs(content: bytes, codec: int = 0x55) -> IpfsProfile:
    # CIDv1: version 1, the codec, multihash SHA-256 (0x12) of 32 bytes; in base32 behind its "b".
    cid = bytes([1, codec, 0x12, 32]) + hashlib.sha256(content).digest()
    return IpfsProfile("b" + base64.b32encode(cid).decode().lower().rstrip("="))


def _reader(web: Web, **options: Any) -> LinkReader:  # noqa: ANN401 - any option of the reader
    return LinkReader(web, **{"ipfs_gateways": GATEWAYS, "clock": web.clock, **options})


def _urls(uri: IpfsProfile) -> list[str]:
    return [gateway.replace("{cid}", uri.cid) for gateway in GATEWAYS]


def test_a_linked_profile_is_fetched_within_bounds() -> None:
    web = Web({LINK.url: BODY})
    assert _reader(web).read(LINK) == SIGNED
    (asked,) = web.asked
    assert (asked.method, asked.max_bytes, asked.deadline_s) == (
        "GET",
        MAX_LINKED_PROFILE_BYTES,
        LINK_DEADLINE_S,
    )


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"<html>", BODY.replace(b"relay.eth", b"other.eth")])
def test_another_content_than_the_one_linked_is_no_profile(body: bytes) -> None:
    with pytest.raises(InvalidProfile):
        _reader(Web({LINK.url: body})).read(LINK)


@pytest.mark.parametrize("page", [404, 410, 403, 500, 503, 204, Unavailable()])
def test_a_profile_that_cannot_be_had_now_is_unavailable(page: Page) -> None:
    with pytest.raises(Unavailable):
        _reader(Web({LINK.url: page})).read(LINK)


@pytest.mark.parametrize("error", [UnsafeLink(), TooBig()])
def test_a_link_that_leads_to_nothing_is_no_profile_later_either(error: Dm3Error) -> None:
    with pytest.raises(type(error)):
        _reader(Web({LINK.url: error})).read(LINK)


def test_a_block_of_ipfs_is_asked_for_as_a_block() -> None:
    uri = _ipfs(BODY)
    web = Web({_urls(uri)[0]: BODY})
    assert _reader(web).read(uri) == SIGNED
    assert web.urls == _urls(uri)[:1]
    assert web.asked[0].headers["accept"] == "application/vnd.ipld.raw"
    assert web.asked[0].max_bytes == MAX_LINKED_PROFILE_BYTES


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(BODY + b" ", id="lies"),
        pytest.param(b"", id="sends nothing"),
        pytest.param(404, id="has it not"),
        pytest.param(500, id="fails"),
        pytest.param(Unavailable(), id="is away"),
        pytest.param(TooBig(), id="never ends"),
        pytest.param(UnsafeLink(), id="may not be called"),
    ],
)
def test_a_gateway_that_does_not_serve_is_passed_over(page: Page) -> None:
    uri = _ipfs(BODY)
    one, two = _urls(uri)
    web = Web({one: page, two: BODY})
    assert _reader(web).read(uri) == SIGNED
    assert web.urls == [one, two]
    web.pages[two] = page
    with pytest.raises(Unavailable):
        _reader(web).read(uri)


def test_a_slow_gateway_leaves_time_for_the_next() -> None:
    uri = _ipfs(BODY)
    one, two = _urls(uri)
    web = Web({two: BODY}, slow={one: 60.0})
    assert _reader(web).read(uri) == SIGNED
    assert [asked.deadline_s for asked in web.asked] == [LINK_DEADLINE_S / 2, LINK_DEADLINE_S / 2]
    web.slow[two] = 60.0
    begun_s = web.now_s
    with pytest.raises(Unavailable):
        _reader(web).read(uri)
    assert web.now_s - begun_s <= LINK_DEADLINE_S


@pytest.mark.parametrize(
    ("content", "codec"),
    [(b"no JSON", 0x55), (b"[]", 0x55), (b"\x0a\x02\x08\x01", 0x70), (b"\xff", 0x70)],
    ids=["text", "list", "folder", "no block"],
)
def test_a_genuine_content_that_is_no_profile_stays_none(content: bytes, codec: int) -> None:
    uri = _ipfs(content, codec)
    web = Web(dict.fromkeys(_urls(uri), content))
    with pytest.raises(InvalidProfile):
        _reader(web).read(uri)
    assert len(web.asked) == 1, "no other gateway can have anything else"


def test_a_file_is_taken_as_block_and_as_content() -> None:
    unixfs = b"\x08\x02\x12" + _varint(len(BODY)) + BODY + b"\x18" + _varint(len(BODY))
    block = b"\x0a" + _varint(len(unixfs)) + unixfs
    uri = _ipfs(block, 0x70)
    for body in (block, BODY):
        assert _reader(Web({_urls(uri)[0]: body})).read(uri) == SIGNED


def _varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def test_without_gateways_ipfs_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        _reader(Web(), ipfs_gateways=()).read(_ipfs(BODY))


def test_what_was_verified_is_not_fetched_again_and_what_was_not_is() -> None:
    web = Web({LINK.url: 503})
    reader = _reader(web)
    with pytest.raises(Unavailable):
        reader.read(LINK)
    web.pages[LINK.url] = BODY
    assert reader.read(LINK) == SIGNED
    web.pages[LINK.url] = 503
    assert reader.read(LINK) == SIGNED
    assert len(web.asked) == 2


def test_only_so_much_is_kept() -> None:
    profiles = [{**SIGNED, "number": number} for number in range(100)]
    web = Web(
        {f"https://example.com/{n}": json.dumps(profile).encode() for n, profile in enumerate(profiles)}
    )
    reader = _reader(web)
    links = [LinkedProfile(f"https://example.com/{n}", sha256_canonical(p)) for n, p in enumerate(profiles)]
    for link in (*links, links[0], links[-1]):
        reader.read(link)
    assert len(web.asked) == 101, "the first was dropped, the last was not"


def test_the_gateways_of_the_house_name_the_content() -> None:
    assert all(url.startswith("https://") and url.count("{cid}") == 1 for url in IPFS_GATEWAYS)
