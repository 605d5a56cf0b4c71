"""People for tests below HTTP: identities of the SDK, and envelopes made with the protocol alone."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.client.identity import Identity
from chalicelib.client.wallet import Wallet
from chalicelib.foundation import SystemChance, SystemClock
from chalicelib.protocol.delivery_information import DeliveryInformation
from chalicelib.protocol.envelope import Envelope, build_envelope, open_envelope, parse_envelope
from chalicelib.protocol.json_types import JsonObject
from chalicelib.protocol.message import build_message
from chalicelib.protocol.signing import sign
from chalicelib.relay.settings import RelayKeys


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a name, a wallet and profile keys."""

    identity: Identity

    @classmethod
    def create(cls, name: str, wallet: Wallet, delivery_service: str) -> Person:
        """Keys from the wallet, and a signed profile that names one delivery service."""
        return cls(Identity.create(name, wallet.address, wallet.sign, [delivery_service]))

    @property
    def name(self) -> str:
        """The normalised name."""
        return self.identity.name

    @property
    def signed_profile(self) -> JsonObject:
        """The profile as it is posted to a delivery service."""
        return self.identity.signed_profile.to_json()

    @property
    def record(self) -> str:
        """What stands in the text record `network.dm3.profile`."""
        return self.identity.profile_record()

    def sign(self, text: str) -> str:
        """A signature by the profile's signing key."""
        return sign(self.identity.keys.signing.private_key, text)

    def seal_to(self, receiver: Person, text: str, service: RelayKeys) -> Envelope:
        """A message to `receiver` in an envelope for the delivery service with the keys `service`."""
        signing_key = self.identity.keys.signing.private_key
        message = build_message(
            to=receiver.name,
            from_=self.name,
            message=text,
            timestamp_ms=SystemClock().now_ms(),
            signing_private_key=signing_key,
        )
        return build_envelope(
            message,
            receiver_encryption_key=receiver.identity.keys.encryption.public_key,
            delivery_service_encryption_key=service.encryption.public_key,
            signing_private_key=signing_key,
            delivery_information=DeliveryInformation(receiver.name, self.name),
            entropy=SystemChance(),
        )

    def read(self, envelope: JsonObject) -> str:
        """The text in an envelope from this person's inbox."""
        return str(open_envelope(parse_envelope(envelope), self.identity.keys.encryption).message)
