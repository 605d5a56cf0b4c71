"""Opening what came in: decrypt, and check everything that can be checked (WIRE, "Structures").

The delivery service is trusted with nothing here. Who wrote is settled by the profile that the sender's
name publishes on ENS, and when it came in by the key that the delivery service's name publishes there.
Profiles are remembered; if one does not fit, it is read afresh once, since keys rotate. A message whose hash
is not the one in its envelope is not opened at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from chalicelib.client.identity import Identity
from chalicelib.client.services import Services
from chalicelib.client.values import Check, Received, Unreadable, Verdict
from chalicelib.names.directory import Directory
from chalicelib.names.normalize import normalize
from chalicelib.protocol.crypto import KeyPair
from chalicelib.protocol.delivery_information import DeliveryInformation
from chalicelib.protocol.envelope import Envelope, open_envelope, parse_envelope, verify_envelope
from chalicelib.protocol.errors import (
    Dm3Error,
    InvalidName,
    LimitExceeded,
    NotFound,
    Unavailable,
    Undecryptable,
)
from chalicelib.protocol.json_types import JsonObject, JsonValue
from chalicelib.protocol.message import Message, message_hash, verify_message
from chalicelib.protocol.postmark import Postmark, open_postmark, verify_postmark

Opened = TypeVar("Opened")

_UNCHECKED: Final = "ENS did not answer, so this could not be checked."
_REPLACED: Final = (
    "It was sealed for an encryption key that you have replaced; open it with the key file of then."
)


class Opener:
    """Opens the mail of one identity; `older` are those it had before, whose keys open what is older."""

    def __init__(
        self, identity: Identity, directory: Directory, services: Services, older: Sequence[Identity] = ()
    ) -> None:
        self._identity = identity
        self._keys = tuple(one.keys.encryption for one in (identity, *older))
        self._directory = directory
        self._services = services

    def open(self, stored: JsonValue, service: str) -> Received | Unreadable:
        """One message as the paged inbox of the delivery service called `service` gives it."""
        item = stored if isinstance(stored, dict) else {}
        wire = item.get("envelope")
        wire = wire if isinstance(wire, dict) else {}
        identifier = f"{service}/{item.get('id')}"
        try:
            envelope = parse_envelope(wire)
            message = self._by_any_key(lambda key: open_envelope(envelope, key))
        except Undecryptable as error:
            replaced = self._is_for_a_replaced_key(item)
            return Unreadable(identifier, _REPLACED if replaced else error.message, service, wire)
        except Dm3Error as error:
            return Unreadable(identifier, error.message, service, wire)
        sender = _normal(message.from_)
        postmark, stamped = self._postmark(envelope, sender, service)
        came_in_ms = item.get("storedAt")
        if postmark is not None and stamped.verdict is Verdict.PASSED:
            came_in_ms = postmark.incoming_timestamp_ms
        return Received(
            id=identifier,
            message_hash=message_hash(message),
            sender=sender or "",
            message=message,
            checks=(*self._sender_checks(sender, message, envelope), stamped),
            postmark=postmark,
            received_at_ms=_time(came_in_ms),
            expires_at_ms=_time(item.get("expiresAt")),
            delivery_service=service,
        )

    def _is_for_a_replaced_key(self, item: JsonObject) -> bool:
        """Whether, as the service says, another key stood when the message came in than now."""
        key = item.get("encryptionKey")
        at_hand = {one.public_key for one in self._keys}
        return item.get("olderKey") is True and isinstance(key, str) and key not in at_hand

    def _by_any_key(self, unseal: Callable[[KeyPair], Opened]) -> Opened:
        """What `unseal` makes of the first key that fits. Raises Undecryptable if none does."""
        for key in self._keys:
            try:
                return unseal(key)
            except Undecryptable:
                continue
        raise Undecryptable

    def _sender_checks(self, sender: str | None, message: Message, envelope: Envelope) -> tuple[Check, ...]:
        written = self._signed("message", sender, lambda key: verify_message(message, key))
        sealed = self._signed("envelope", sender, lambda key: verify_envelope(envelope, key))
        if sealed.verdict is Verdict.PASSED and _sender_named_in(envelope) != sender:
            sealed = Check("envelope", Verdict.FAILED, "The envelope names another sender than the message.")
        return written, sealed, self._addressed(message)

    def _signed(self, check: str, sender: str | None, verify: Callable[[str], bool]) -> Check:
        """Whether `verify` passes with the signing key that `sender` publishes, remembered or afresh."""
        if sender is None:
            return Check(check, Verdict.FAILED, "The sender's name is not a valid ENS name.")
        try:
            for fresh in (False, True):
                profile = self._directory.lookup(sender, fresh=fresh).profile
                if profile is not None and _passes(verify, profile.public_signing_key):
                    return Check(check, Verdict.PASSED)
        except (Unavailable, LimitExceeded):
            return Check(check, Verdict.UNCHECKED, _UNCHECKED)
        return Check(check, Verdict.FAILED, f"The {check} is not signed by the sender it names.")

    def _addressed(self, message: Message) -> Check:
        """Whether it was written to the reader, or somebody who got it has passed it on as new."""
        receiver = _normal(message.to)
        other = Check("receiver", Verdict.FAILED, "The message was written to somebody else.")
        if receiver is None:
            return other
        if receiver == self._identity.name:
            return Check("receiver", Verdict.PASSED)
        try:
            address = self._directory.lookup(receiver).address
        except (Unavailable, LimitExceeded):
            return Check("receiver", Verdict.UNCHECKED, _UNCHECKED)
        return Check("receiver", Verdict.PASSED) if address == self._identity.address else other

    def _postmark(
        self, envelope: Envelope, sender: str | None, service: str
    ) -> tuple[Postmark | None, Check]:
        try:
            postmark = self._by_any_key(lambda key: open_postmark(envelope.postmark or "", key))
        except Dm3Error:
            return None, Check("postmark", Verdict.FAILED, "There is no postmark that can be opened.")
        copy = postmark.delivery_information
        if copy is not None and _normal(copy.from_) != sender:
            return postmark, Check("postmark", Verdict.FAILED, "The postmark names another sender.")
        return postmark, self._stamped(postmark, envelope, service)

    def _stamped(self, postmark: Postmark, envelope: Envelope, service: str) -> Check:
        try:
            for fresh in (False, True):
                key = self._services.find(service, fresh=fresh).profile.public_signing_key
                if _passes(lambda key: verify_postmark(postmark, envelope, key), key):
                    return Check("postmark", Verdict.PASSED)
        except (Unavailable, LimitExceeded):
            return Check("postmark", Verdict.UNCHECKED, _UNCHECKED)
        except NotFound:
            pass
        return Check("postmark", Verdict.FAILED, "The postmark is not by the delivery service.")


def _sender_named_in(envelope: Envelope) -> str | None:
    """Who the opened delivery information says it is from, as a normalised name."""
    opened = envelope.metadata["deliveryInformation"]
    return None if isinstance(opened, str) else _normal(DeliveryInformation.parse(opened).from_)


def _normal(name: str) -> str | None:
    try:
        return normalize(name)
    except InvalidName:
        return None


def _passes(verify: Callable[[str], bool], key: str) -> bool:
    try:
        return verify(key)
    except Dm3Error:
        # A key or a signature of the wrong form.
        return False


def _time(value: object) -> int:
    return value if isinstance(value, int) else 0
