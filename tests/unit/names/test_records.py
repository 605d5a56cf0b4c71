from __future__ import annotations

import base64
import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.fetching.ports import Answer
from chalicelib.names.directory import ResolvedName
from chalicelib.names.links import IPFS_GATEWAYS, LinkReader
from chalicelib.names.records import (
    MAX_PROFILE_CHARACTERS,
    MAX_PROFILE_VALUES,
    resolved_name,
    service_profile,
)
from chalicelib.protocol.errors import Dm3Error, InvalidProfile, TooBig, Unavailable, UnsafeLink
from chalicelib.protocol.hashing import sha256_canonical
from tests.unit.names.people import SERVICE, Person, data_uri
from tests.unit.names.web import Web

ALICE, MALLORY = Person(1), Person(5)
UNUSABLE = [
    pytest.param("", id="empty"),
    pytest.param("hello", id="no URI"),
    pytest.param("data:application/json,{", id="broken JSON"),
    pytest.param("data:application/json,[]", id="no object"),
    pytest.param("data:application/json,{}", id="no members"),
    pytest.param("data:application/json," + "[" * 50_000, id="nested too deep"),
    pytest.param(data_uri({"profile": {}, "signature": "0x00"}), id="signed nothing"),
    pytest.param(data_uri({"signature": 1}), id="signature only"),
    pytest.param("https://example.com/profile", id="link without hash"),
    pytest.param(
        data_uri({**ALICE.profile.to_json(), "x": [[] for _ in range(MAX_PROFILE_VALUES)]}),
        id="more values than a profile has",
    ),
    pytest.param(
        data_uri({**ALICE.profile.to_json(), "x": "x" * MAX_PROFILE_CHARACTERS}),
        id="more text than a profile has",
    ),
    pytest.param("ftp://example.com/profile", id="scheme nobody knows"),
]


def _links(pages: dict[str, bytes] | None = None, error: Dm3Error | None = None) -> LinkReader:
    """Follows links into `pages`, or fails with `error`."""
    return LinkReader(Web(pages) if error is None else Failing(error))


class Failing(Web):
    """Fails with one error, whatever is asked for."""

    def __init__(self, error: Dm3Error) -> None:
        super().__init__()
        self._error = error

    def fetch(self, url: str, **_: object) -> Answer:
        raise self._error


def _linked(person: Person) -> tuple[str, bytes]:
    signed = person.signed_json()
    url = f"https://example.com/profile?dm3Hash={sha256_canonical(signed)}"
    return url, json.dumps(signed).encode()


def test_a_signed_profile_proves_the_address() -> None:
    found = resolved_name("alice.eth", ALICE.address, ALICE.signed_record(), None)
    assert (found.name, found.address, found.profile) == ("alice.eth", ALICE.address, ALICE.profile)
    assert found.signed is not None
    assert found.signed.profile == ALICE.profile


def test_a_bare_profile_proves_the_name_alone() -> None:
    found = resolved_name("alice.eth", ALICE.address, ALICE.bare_record(), None)
    assert found == ResolvedName("alice.eth", ALICE.address, ALICE.profile, None)


def test_a_foreign_name_at_somebody_s_address_proves_nothing() -> None:
    """evil.eth points at Alice's address and carries a profile that Mallory signed."""
    for record in (MALLORY.signed_record(), data_uri(MALLORY.signed_json(address=ALICE.address))):
        found = resolved_name("evil.eth", ALICE.address, record, None)
        assert found == ResolvedName("evil.eth", ALICE.address, MALLORY.profile, None)


def test_without_an_address_nothing_is_proven() -> None:
    found = resolved_name("alice.eth", None, ALICE.signed_record(), None)
    assert found == ResolvedName("alice.eth", None, ALICE.profile, None)


def test_no_record_is_no_profile() -> None:
    assert resolved_name("alice.eth", ALICE.address, None, None) == ResolvedName("alice.eth", ALICE.address)
    assert service_profile(None, None) is None


@pytest.mark.parametrize("record", UNUSABLE)
def test_what_cannot_be_used_is_no_profile(record: str) -> None:
    links = _links(error=InvalidProfile())
    nothing = ResolvedName("alice.eth", ALICE.address)
    assert resolved_name("alice.eth", ALICE.address, record, links) == nothing
    assert service_profile(record, links) is None


@given(st.text(max_size=60) | st.text(max_size=40).map(lambda text: "data:application/json," + text))
@settings(deadline=None, max_examples=200)
def test_any_record_is_read_without_an_error(record: str) -> None:
    links = _links(error=TooBig())
    assert resolved_name("alice.eth", ALICE.address, record, links).name == "alice.eth"
    service_profile(record, links)


def test_a_delivery_service_profile() -> None:
    found = service_profile(data_uri(SERVICE), None)
    assert found is not None
    assert found.to_json() == SERVICE


def test_a_linked_profile_is_read_and_checked() -> None:
    url, body = _linked(ALICE)
    found = resolved_name("alice.eth", ALICE.address, url, _links({url: body}))
    assert found.profile == ALICE.profile
    assert found.signed is not None
    changed = json.dumps(MALLORY.signed_json()).encode()
    assert resolved_name("alice.eth", ALICE.address, url, _links({url: changed})).profile is None


def test_a_profile_in_ipfs_is_read_and_checked() -> None:
    body = json.dumps(ALICE.signed_json()).encode()
    # CIDv1: version 1, codec raw (0x55), multihash SHA-256 (0x12) of 32 bytes; in base32 behind its "b".
    cid = b"\x01\x55\x12\x20" + hashlib.sha256(body).digest()
    text = "b" + base64.b32encode(cid).decode().lower().rstrip("=")
    links = _links({IPFS_GATEWAYS[0].replace("{cid}", text): body})
    assert resolved_name("alice.eth", ALICE.address, f"ipfs://{text}", links).signed is not None
    with pytest.raises(Unavailable):
        resolved_name("alice.eth", ALICE.address, f"ipfs://{text}", _links())


def test_a_link_that_cannot_be_followed_now_is_unavailable() -> None:
    url, _ = _linked(ALICE)
    for links in (None, _links(error=Unavailable())):
        with pytest.raises(Unavailable):
            resolved_name("alice.eth", ALICE.address, url, links)
        with pytest.raises(Unavailable):
            service_profile(url, links)


@pytest.mark.parametrize("error", [TooBig(), UnsafeLink()])
def test_a_link_that_leads_to_nothing_usable_is_no_profile(error: Dm3Error) -> None:
    url, _ = _linked(ALICE)
    assert resolved_name("alice.eth", ALICE.address, url, _links(error=error)).profile is None
