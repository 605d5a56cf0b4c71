"""Our SDK and the published libraries understand each other, through the relay, in both directions."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from chalicelib import client as sdk
from chalicelib.client import Dm3Client, Identity, Revision, Sent, Settings, SystemEntropy, Wallet
from chalicelib.protocol.profile import USER_PROFILE_RECORD
from tests.interop.people import People, Person, RunningRelay
from tests.interop.reference import Reference

pytestmark = pytest.mark.npm

EVERYTHING_FITS = {"message": True, "postmark": True, "postmarkHash": True}
REVISIONS = [
    pytest.param((Revision.ENCRYPTED_MESSAGE_HASH,), id="encryptedMessageHash"),
    pytest.param((Revision.MESSAGE_HASH,), id="messageHash"),
    pytest.param((Revision.ENCRYPTED_MESSAGE_HASH, Revision.MESSAGE_HASH), id="both"),
    pytest.param((Revision.SPECIFICATION,), id="specification"),
]


@dataclass(frozen=True, slots=True)
class Ours:
    """Somebody who uses our SDK."""

    identity: Identity
    relay: RunningRelay

    def client(self, *revisions: Revision) -> Dm3Client:
        """A client that writes envelopes of these revisions."""
        settings = Settings(revisions=revisions) if revisions else Settings()
        return Dm3Client.connect(
            self.identity,
            self.relay.rpc_url,
            universal_resolver=self.relay.universal_resolver,
            settings=settings,
        )

    @property
    def signing_key(self) -> str:
        return self.identity.signed_profile.profile.public_signing_key


@pytest.fixture
def dave(people: People, reference: Reference, relay: RunningRelay) -> Ours:
    """Registered and published on the chain, with an account at the relay."""
    wallet = Wallet.create(SystemEntropy())
    label = f"dave-{wallet.address[2:10].lower()}"
    name = reference.call("registerName", label=label, address=wallet.address)
    identity = Identity.create(name, wallet.address, wallet.sign, [relay.relay_name])
    reference.call("publishText", name=name, key=USER_PROFILE_RECORD, value=identity.profile_record())
    ours = Ours(identity, relay)
    assert ours.client().register() == (relay.relay_name,)
    return ours


def test_the_same_wallet_gives_the_same_keys_and_profile(bob: Person) -> None:
    wallet = Wallet.parse(bob.wallet_key)
    ours = Identity.create(bob.name, wallet.address, wallet.sign, [bob.relay.relay_name])
    assert ours.address == bob.address
    assert ours.signed_profile.to_json() == bob.signed_profile
    assert ours.keys.encryption.private_key == bob.keys["encryptionKeyPair"]["privateKey"]
    assert ours.keys.signing.private_key == bob.keys["signingKeyPair"]["privateKey"]
    assert ours.keys.storage_key == bob.keys["storageEncryptionKey"]


def test_the_library_reads_and_verifies_a_profile_of_the_sdk(dave: Ours, reference: Reference) -> None:
    assert reference.call("readProfile", name=dave.identity.name) == dave.identity.signed_profile.to_json()


def test_the_sdk_resolves_a_profile_of_the_library(dave: Ours, bob: Person) -> None:
    contact = dave.client().resolve(bob.name)
    assert contact.proven
    assert contact.profile.to_json() == bob.signed_profile["profile"]


@pytest.mark.parametrize("revisions", REVISIONS)
def test_the_library_opens_and_verifies_a_message_of_the_sdk(
    dave: Ours, bob: Person, revisions: tuple[Revision, ...]
) -> None:
    sent = dave.client(*revisions).send(bob.name, "von uns zu euch ✉")
    assert isinstance(sent, Sent)
    assert sent.receipt is not None
    (envelop,) = bob.incoming()
    opened = bob.open_from(envelop, dave.signing_key)
    assert opened["message"] == sent.message.to_json()
    assert opened["checks"] == EVERYTHING_FITS


@pytest.mark.parametrize("revision", ["encryptedMessageHash", "messageHash"])
def test_the_sdk_opens_and_verifies_a_message_of_the_library(
    dave: Ours, alice: Person, revision: str
) -> None:
    message = {"from": alice.name, "to": dave.identity.name, "text": "from them to us ✉"}
    sent = alice.reference.call("send", message=message, revision=revision)
    (received,) = dave.client().inbox()
    assert received.message.to_json() == sent["message"]
    assert received.sender == alice.name
    assert received.verified, received.reasons


@pytest.mark.parametrize(
    "kind", ["REPLY", "EDIT", "REACTION", "DELETE_REQUEST", "READ_OPENED", "READ_RECEIVED"]
)
def test_both_sides_know_each_others_types(dave: Ours, bob: Person, kind: str) -> None:
    hash_ = "0x" + "cd" * 32
    draft = {
        "REPLY": lambda: sdk.reply(hash_, "text"),
        "EDIT": lambda: sdk.edit(hash_, "text"),
        "REACTION": lambda: sdk.reaction(hash_, "👍"),
        "DELETE_REQUEST": lambda: sdk.delete_request(hash_),
        "READ_OPENED": lambda: sdk.read_opened(hash_),
        "READ_RECEIVED": lambda: sdk.read_received(hash_),
    }[kind]()
    dave.client().send(bob.name, draft)
    (envelop,) = bob.incoming()
    opened = bob.open_from(envelop, dave.signing_key)
    assert opened["message"]["metadata"]["type"] == kind
    assert opened["message"]["metadata"]["referenceMessageHash"] == hash_
    assert opened["checks"] == EVERYTHING_FITS


def test_the_sdk_acknowledges_what_the_library_sent(dave: Ours, alice: Person) -> None:
    message = {"from": alice.name, "to": dave.identity.name, "text": "read and forget"}
    alice.reference.call("send", message=message)
    client = dave.client()
    assert client.acknowledge(client.inbox()) == 1
    assert list(client.inbox()) == []


@pytest.mark.parametrize("revisions", REVISIONS)
def test_the_library_acknowledges_what_the_sdk_sent(
    dave: Ours, bob: Person, revisions: tuple[Revision, ...]
) -> None:
    dave.client(*revisions).send(bob.name, "read and forget")
    (envelop,) = bob.incoming()
    entry = {"contactAddress": dave.identity.name, "messageHash": envelop["metadata"]["messageHash"]}
    assert bob.call("acknowledge", acknowledgements=[entry])["status"] == 200
    assert bob.incoming() == []
