"""What every directory promises, on both implementations."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from chalicelib.names.directory import Directory, ResolvedName
from chalicelib.names.ens_directory import EnsDirectory
from chalicelib.names.memory import MemoryDirectory
from chalicelib.protocol.profile import DELIVERY_SERVICE_RECORD, USER_PROFILE_RECORD
from tests.unit.names.people import SERVICE, Person, data_uri
from tests.unit.names.simulated_chain import SimulatedChain

ALICE, MALLORY = Person(1), Person(5)
RECORDS: dict[str, tuple[str | None, str | None, str | None]] = {
    "alice.eth": (ALICE.address, ALICE.signed_record(), None),
    "bare.eth": (ALICE.address, ALICE.bare_record(), None),
    "evil.eth": (ALICE.address, MALLORY.signed_record(), None),
    "empty.eth": (ALICE.address, None, None),
    "homeless.eth": (None, ALICE.signed_record(), None),
    "rubbish.eth": (ALICE.address, "rubbish", "rubbish"),
    "relay.eth": (MALLORY.address, None, data_uri(SERVICE)),
}


def _in_memory() -> Directory:
    directory = MemoryDirectory()
    for name, records in RECORDS.items():
        directory.add(name, *records)
    return directory


def _on_chain() -> Directory:
    chain = SimulatedChain()
    for name, (address, profile, service) in RECORDS.items():
        if address is not None:
            chain.addresses[name] = address
        for key, text in ((USER_PROFILE_RECORD, profile), (DELIVERY_SERVICE_RECORD, service)):
            if text is not None:
                chain.texts[name, key] = text
    return EnsDirectory(chain, clock_ms=lambda: 0)


@pytest.fixture(params=[_in_memory, _on_chain])
def directory(request: pytest.FixtureRequest) -> Directory:
    made: Directory = request.param()
    return made


@pytest.mark.parametrize(
    ("name", "address", "profile", "proven"),
    [
        ("alice.eth", ALICE.address, ALICE.profile, True),
        ("bare.eth", ALICE.address, ALICE.profile, False),
        ("evil.eth", ALICE.address, MALLORY.profile, False),
        ("empty.eth", ALICE.address, None, False),
        ("homeless.eth", None, ALICE.profile, False),
        ("rubbish.eth", ALICE.address, None, False),
        ("nobody.eth", None, None, False),
    ],
)
def test_what_a_name_says(
    directory: Directory, name: str, address: str | None, profile: object, proven: object
) -> None:
    for fresh in (False, True):
        found = directory.lookup(name, fresh=fresh)
        assert (found.name, found.address, found.profile) == (name, address, profile)
        assert (found.signed is not None) is proven


@pytest.mark.parametrize(
    ("name", "offers"), [("relay.eth", True), ("rubbish.eth", False), ("nobody.eth", False)]
)
def test_whether_a_name_is_a_delivery_service(directory: Directory, name: str, offers: object) -> None:
    for fresh in (False, True):
        assert (directory.delivery_service(name, fresh=fresh) is not None) is offers


def test_what_was_found_cannot_be_changed() -> None:
    found = ResolvedName("alice.eth")
    with pytest.raises(FrozenInstanceError):
        found.address = MALLORY.address  # type: ignore[misc]
