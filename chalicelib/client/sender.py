"""Sending: one message to the first of its receiver's delivery services that takes it.

For each service, in the order of the receiver's profile:

    profile on ENS ─▶ extension (types, scheme, rules) ─▶ seal, or take what was sealed ─▶ properties (size)
                                                                                                │
                                receipt verified ◀── submit ◀── kept in the outbox ◀────────────┘

An error that other services would answer with too (`failures.is_final`) is raised; after any other the next
service is tried. When none is left: if a later try may succeed, the message stays in the outbox (`Queued`);
otherwise the error of the first service is raised. An envelope is kept before it is submitted, so
that after a crash or a lost answer the very same one is submitted again.
"""

from __future__ import annotations

from chalicelib.client import failures
from chalicelib.client.composer import Composer
from chalicelib.client.delivery_service import Accepted, DeliveryService
from chalicelib.client.outbox import Entry, Outbox, Sealed
from chalicelib.client.services import Services
from chalicelib.client.values import Queued, Refused, Sent
from chalicelib.client.welcome import Threshold, Welcome
from chalicelib.names.directory import Directory
from chalicelib.protocol.canonical import canonicalize
from chalicelib.protocol.crypto import SCHEME
from chalicelib.protocol.envelope import parse_envelope, sealed_hash
from chalicelib.protocol.errors import (
    Dm3Error,
    InvalidEncoding,
    InvalidInput,
    InvalidMessage,
    InvalidSignature,
    NotFound,
    TooBig,
)
from chalicelib.protocol.extension import ProfileExtension
from chalicelib.protocol.profile import DeliveryServiceProfile, UserProfile
from chalicelib.protocol.receipt import Receipt, verify_receipt


class Sender:
    """Sends the entries of one outbox."""

    def __init__(
        self,
        composer: Composer,
        directory: Directory,
        services: Services,
        outbox: Outbox,
        threshold: Threshold,
    ) -> None:
        self._composer = composer
        self._directory = directory
        self._services = services
        self._outbox = outbox
        self._threshold = threshold

    def send(self, entry: Entry, *, fresh: bool = False) -> Sent | Queued:
        """Send `entry`, or keep it. `fresh`: ask ENS anew where the receiver is.

        Raises the error of whoever refuses it for good: Spam (of the delivery service, or before anything is
        sealed, if the receiver's rules are not met), Unauthorized, TooBig, InvalidMessage, ….
        """
        attempt = _Attempt(entry)
        try:
            sent = self._deliver(attempt, fresh=fresh)
        except Dm3Error as error:
            if not failures.may_pass(error):
                self._outbox.remove(entry.id)
                raise
            return self._keep(attempt.entry, error)
        self._outbox.remove(entry.id)
        return sent

    def flush(self) -> tuple[Sent | Queued | Refused, ...]:
        """Try every kept message once, the oldest first."""
        return tuple(self._again(entry) for entry in self._outbox.entries())

    def welcome(self, receiver: str) -> Welcome:
        """What the normalised name `receiver` asks of this sender. See `Dm3Client.welcome`."""
        refusals: list[Dm3Error] = []
        for name in self._receiver(receiver).delivery_services:
            try:
                extension = self._services.extension(self._services.find(name), receiver)
            except Dm3Error as error:
                refusals.append(error)
                continue
            return Welcome(
                receiver=receiver,
                delivery_service=name,
                conditions=self._threshold.conditions(extension.rules),
                supported_message_types=extension.supported_message_types,
                encryption_scheme=extension.encryption_scheme,
            )
        raise _most_telling(refusals)

    def _again(self, entry: Entry) -> Sent | Queued | Refused:
        try:
            return self.send(entry, fresh=True)
        except Dm3Error as error:
            return Refused(entry.id, entry.message, error)

    def _keep(self, entry: Entry, error: Dm3Error) -> Queued:
        self._outbox.put(entry.after(error.message))
        return Queued(entry.id, entry.message, error, failures.wait_s(error))

    def _deliver(self, attempt: _Attempt, *, fresh: bool) -> Sent:
        profile = self._receiver(attempt.entry.to, fresh=fresh)
        refusals: list[Dm3Error] = []
        for name in profile.delivery_services:
            try:
                return self._through(name, attempt, profile)
            except Dm3Error as error:
                if failures.is_final(error) and not isinstance(error, InvalidSignature):
                    raise
                refusals.append(error)
        raise _most_telling(refusals)

    def _receiver(self, name: str, *, fresh: bool = False) -> UserProfile:
        profile = self._directory.lookup(name, fresh=fresh).profile
        if profile is None:
            raise NotFound("The receiver has no profile at ENS yet.")
        return profile

    def _through(self, name: str, attempt: _Attempt, profile: UserProfile) -> Sent:
        """Send by the delivery service `name`; once more if its keys turn out to have changed."""
        service = self._services.find(name)
        try:
            return self._submit(service, attempt, profile)
        except (InvalidInput, InvalidSignature):
            renewed = self._services.find(name, fresh=True)
            if renewed.profile == service.profile:
                raise
        return self._submit(renewed, attempt, profile)

    def _submit(self, service: DeliveryService, attempt: _Attempt, profile: UserProfile) -> Sent:
        entry = attempt.entry
        extension = self._services.extension(service, entry.to)
        require_supported(extension, entry.message.type)
        sealed = entry.sealed.get(service.name)
        # What was submitted before may have been accepted: then the service answers with its receipt.
        if sealed is None and not entry.anyway:
            self._threshold.require_met(extension.rules)
        if sealed is None or not sealed.fits(profile.public_encryption_key, _key(service.profile)):
            sealed = self._composer.seal(entry, profile, service.profile)
        size_bytes = len(canonicalize(sealed.envelope).encode("utf-8", "surrogatepass"))
        limit_bytes = self._services.properties(service).size_limit_bytes
        if limit_bytes is not None and size_bytes > limit_bytes:
            raise TooBig
        attempt.entry = entry.with_sealed(service.name, sealed)
        self._outbox.put(attempt.entry)
        accepted = service.submit(sealed.envelope)
        _require_genuine(accepted.receipt, sealed, service.profile)
        return _sent(attempt.entry, service.name, accepted)


class _Attempt:
    """The entry as it grows while it is being sent."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry


def require_supported(extension: ProfileExtension, kind: str) -> None:
    """Raises InvalidMessage if the receiver cannot take messages of this type, or encrypted as we do."""
    if not extension.supports(kind):
        raise InvalidMessage("The receiver does not support messages of this type.")
    schemes = extension.encryption_scheme
    if schemes and SCHEME not in schemes:
        raise InvalidMessage("The receiver supports no encryption scheme that this client knows.")


def _require_genuine(receipt: Receipt | None, sealed: Sealed, service: DeliveryServiceProfile) -> None:
    """Raises InvalidSignature for a receipt that is not the service's own, or is for another message."""
    if receipt is None:
        return
    envelope = parse_envelope(sealed.envelope)
    try:
        genuine = verify_receipt(receipt, service.public_signing_key)
    except InvalidEncoding:
        genuine = False
    if not genuine or receipt.message_hash != (envelope.message_hash or sealed_hash(envelope)):
        raise InvalidSignature("The delivery service's receipt for the message is not genuine.")


def _sent(entry: Entry, service: str, accepted: Accepted) -> Sent:
    return Sent(entry.id, entry.message, service, accepted.receipt, accepted.duplicate)


def _key(service: DeliveryServiceProfile) -> str:
    return service.public_encryption_key


def _most_telling(refusals: list[Dm3Error]) -> Dm3Error:
    """The first error after which a later try may succeed, else the first; without any, NotFound."""
    passing = [error for error in refusals if failures.may_pass(error)]
    return next(iter(passing or refusals), NotFound("The receiver has no delivery service yet."))
