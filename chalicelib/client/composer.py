"""From a draft to a signed message, and from that to an envelope sealed for a receiver and a service."""

from __future__ import annotations

from collections.abc import Callable, Collection

from chalicelib.client.drafts import Draft
from chalicelib.client.identity import Identity
from chalicelib.client.outbox import Entry, Sealed
from chalicelib.protocol.delivery_information import DeliveryInformation
from chalicelib.protocol.entropy import Entropy
from chalicelib.protocol.envelope import Revision, build_envelope
from chalicelib.protocol.message import build_message, message_hash
from chalicelib.protocol.profile import DeliveryServiceProfile, UserProfile


class Composer:
    """Writes in the name of one identity, in envelopes of these `revisions` (WIRE, "Envelope")."""

    def __init__(
        self,
        identity: Identity,
        *,
        revisions: Collection[Revision],
        clock_ms: Callable[[], int],
        entropy: Entropy,
    ) -> None:
        self._identity = identity
        self._revisions = revisions
        self._clock_ms = clock_ms
        self._entropy = entropy

    def compose(self, receiver: str, draft: Draft) -> Entry:
        """A signed message to the normalised name `receiver`. Raises InvalidMessage."""
        now_ms = self._clock_ms()
        message = build_message(
            to=receiver,
            from_=self._identity.name,
            timestamp_ms=now_ms,
            type=draft.type,
            message=draft.text,
            attachments=draft.attachments or None,
            reference_message_hash=draft.reference,
            reply_delivery_instruction=draft.reply_delivery_instruction,
            metadata=draft.extra,
            signing_private_key=self._identity.keys.signing.private_key,
        )
        return Entry(
            id=message_hash(message),
            to=receiver,
            created_at_ms=now_ms,
            message=message,
            delivery_instruction=draft.delivery_instruction,
        )

    def seal(self, entry: Entry, receiver: UserProfile, service: DeliveryServiceProfile) -> Sealed:
        """The message of `entry` in an envelope. Raises InvalidEncoding for keys that cannot be used."""
        envelope = build_envelope(
            entry.message,
            receiver_encryption_key=receiver.public_encryption_key,
            delivery_service_encryption_key=service.public_encryption_key,
            signing_private_key=self._identity.keys.signing.private_key,
            delivery_information=DeliveryInformation(
                to=entry.to, from_=self._identity.name, delivery_instruction=entry.delivery_instruction
            ),
            revisions=self._revisions,
            entropy=self._entropy,
        )
        return Sealed(receiver.public_encryption_key, service.public_encryption_key, envelope.to_json())
