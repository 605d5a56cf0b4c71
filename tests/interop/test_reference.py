"""The published libraries are the ones meant, and what the suite asks of them can say no."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from tests.interop.reference import PACKAGES, VERSION, Json, Reference, installed_versions, start_reference

pytestmark = pytest.mark.npm

SERVICE_URL: Final = "http://127.0.0.1:1"
KINDS = ["NEW", "EDIT", "REPLY", "REACTION", "DELETE_REQUEST", "READ_OPENED", "READ_RECEIVED"]


@pytest.fixture(scope="module")
def alone() -> Iterator[Reference]:
    """The libraries without chain and relay, and three people: alice, bob and their delivery service."""
    with start_reference() as started:
        yield started


@pytest.fixture(scope="module")
def made(alone: Reference) -> dict[str, Json]:
    people = {"alice.eth": "11", "bob.eth": "22", "service.eth": "33"}
    return {
        name: alone.call(
            "createPerson", name=name, privateKey="0x" + digits * 32, deliveryServices=["service.eth"]
        )
        for name, digits in people.items()
    }


def through_the_reference(alone: Reference, made: dict[str, Json], **message: Json) -> tuple[Json, Json]:
    """A message from Alice, and its envelope as a delivery service of the reference hands it to Bob."""
    service = made["service.eth"]
    built = alone.call(
        "build",
        message={"from": "alice.eth", "to": "bob.eth", "text": "text", **message},
        known={
            "receiver": made["bob.eth"]["signedProfile"]["profile"],
            "service": {**service["signedProfile"]["profile"], "url": SERVICE_URL},
        },
    )
    delivered = alone.call(
        "deliver",
        envelop=built["envelop"],
        serviceKeys=service["keys"],
        receiverProfile=made["bob.eth"]["signedProfile"]["profile"],
    )
    return built["message"], delivered["encryptedEnvelop"]


def checks(alone: Reference, made: dict[str, Json], envelop: Json, sender: str, service: str) -> Json:
    opened = alone.call(
        "open",
        name="bob.eth",
        envelop=envelop,
        senderSigningKey=made[sender]["signedProfile"]["profile"]["publicSigningKey"],
        serviceSigningKey=made[service]["signedProfile"]["profile"]["publicSigningKey"],
    )
    return opened["checks"]


def test_the_packages_have_the_version_that_is_meant() -> None:
    assert installed_versions() == dict.fromkeys(PACKAGES, VERSION)


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_reference_itself_delivers_passes_every_check(
    alone: Reference, made: dict[str, Json], kind: str
) -> None:
    _, envelop = through_the_reference(alone, made, type=kind, reference="0x" + "ab" * 32)
    fits = {"message": True, "postmark": True, "postmarkHash": True}
    assert checks(alone, made, envelop, "alice.eth", "service.eth") == fits


@pytest.mark.parametrize(
    ("sender", "service", "fails"),
    [("bob.eth", "service.eth", "message"), ("alice.eth", "bob.eth", "postmark")],
)
def test_a_check_with_a_foreign_key_fails(
    alone: Reference, made: dict[str, Json], sender: str, service: str, fails: str
) -> None:
    _, envelop = through_the_reference(alone, made)
    found = checks(alone, made, envelop, sender, service)
    assert [check for check, passed in found.items() if not passed] == [fails]


def test_a_postmark_of_another_message_fails_the_check(alone: Reference, made: dict[str, Json]) -> None:
    _, first = through_the_reference(alone, made)
    _, second = through_the_reference(alone, made)
    found = checks(alone, made, {**first, "postmark": second["postmark"]}, "alice.eth", "service.eth")
    assert found == {"message": True, "postmark": True, "postmarkHash": False}
