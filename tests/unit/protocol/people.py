"""Keys and letters that the tests of the protocol share."""

from __future__ import annotations

from hashlib import sha256

from chalicelib.protocol.crypto import KeyPair, encryption_key_pair, signing_key_pair
from chalicelib.protocol.delivery_information import DeliveryInformation
from chalicelib.protocol.envelope import Envelope, Revision, build_envelope
from chalicelib.protocol.message import Message, build_message
from tests.vectors.entropy import CountingEntropy

WALLET = sha256(b"wallet").digest()
ALICE_SIGNING = signing_key_pair(b"a" * 32)
BOB_ENCRYPTION = encryption_key_pair(b"b" * 32)
SERVICE_ENCRYPTION = encryption_key_pair(b"c" * 32)
SERVICE_SIGNING = signing_key_pair(b"d" * 32)
STRANGER_ENCRYPTION = encryption_key_pair(b"e" * 32)
STRANGER_SIGNING: KeyPair = signing_key_pair(b"f" * 32)
INFORMATION = DeliveryInformation("bob.eth", "alice.eth")
NOW_MS = 1_700_000_000_000


def message(text: str = "hello") -> Message:
    return build_message(
        to="bob.eth",
        from_="alice.eth",
        timestamp_ms=NOW_MS,
        message=text,
        signing_private_key=ALICE_SIGNING.private_key,
    )


def envelope(*revisions: Revision, text: str = "hello") -> Envelope:
    return build_envelope(
        message(text),
        receiver_encryption_key=BOB_ENCRYPTION.public_key,
        delivery_service_encryption_key=SERVICE_ENCRYPTION.public_key,
        signing_private_key=ALICE_SIGNING.private_key,
        delivery_information=INFORMATION,
        entropy=CountingEntropy(),
        revisions=revisions,
    )
