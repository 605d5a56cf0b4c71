"""Admission: the eight steps from an untrusted envelope to a committed message (DESIGN).

What costs money comes after what costs nothing, and a quota is consumed only by what passed verification and
policy, so that forgeries cannot use up the quota of whom they name:

    1  size, JSON, schema               no I/O      TooBig, ParseError, InvalidEnvelope
    2  delivery information opened,     no I/O      Undecryptable, InvalidEnvelope
       not older than the operator      (rules are  VersionNotSupported
       takes, and measured exactly      remembered) TooBig
    3  receiver known here              store, ENS  UnknownReceiver
    4  room: source, receiver           one read    LimitExceeded
    5  sender genuine                   ENS         InvalidName, UnverifiedSender
    6  seen before                      one read    (the receipt of then)
    7  not blocked by the operator,     (remembered)  Spam
       receiver still uses this relay,  ENS         ReceiverMoved
       policy, then quotas charged      one write   Spam, LimitExceeded, and what the receiver's rules need
    8  postmark, commit                 3 writes    (a committed write = accepted)

Names that nothing is remembered of are looked up on the source's account (3, 5, 7), and so is what the
receiver's rules ask of the chain (7).
The charges for source and receiver are sampled (`relay.quota`). A refused sender, by its signature or by the
receiver's rules, what has been seen before, and large garbage are charged to the source alone, which is the
one party a forgery does not get to choose.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from chalicelib.names.directory import Toll
from chalicelib.names.normalize import normalize
from chalicelib.protocol.canonical import parse_json
from chalicelib.protocol.crypto import KEY_BYTES, NONCE_BYTES, PADDING_BYTES, SealedValue
from chalicelib.protocol.delivery_information import DeliveryInformation
from chalicelib.protocol.encoding import decode_base64, decode_hex
from chalicelib.protocol.envelope import (
    Envelope,
    Revision,
    metadata_text,
    open_delivery_information,
    parse_envelope,
    sealed_hash,
)
from chalicelib.protocol.errors import (
    InvalidEncoding,
    InvalidEnvelope,
    InvalidInput,
    ParseError,
    ReceiverMoved,
    Spam,
    TooBig,
    UnknownReceiver,
    UnverifiedSender,
    VersionNotSupported,
)
from chalicelib.protocol.hashing import sha256_hex
from chalicelib.protocol.json_types import JsonValue
from chalicelib.protocol.members import other_members
from chalicelib.protocol.postmark import make_postmark, seal_postmark
from chalicelib.relay.journal import MAX_VARIANTS, Attempt, Journal, Ticket
from chalicelib.relay.mailbox import Mailbox
from chalicelib.relay.operator_book import OperatorBook
from chalicelib.relay.policy.acquaintances import Acquaintances
from chalicelib.relay.policy.port import Candidate, Policy
from chalicelib.relay.ports import Chance, InboxItem, InboxKey
from chalicelib.relay.quota import (
    Quotas,
    receiver_space,
    sender_messages,
    source_lookups,
    source_space,
    source_submits,
)
from chalicelib.relay.residents import Resident, Residents
from chalicelib.relay.senders import Sender, SenderCheck
from chalicelib.relay.settings import Limits, RelayKeys
from chalicelib.relay.sizes import carried_bytes, envelope_bytes, is_large, require_small
from chalicelib.relay.standing import Standing
from chalicelib.relay.stored_envelope import StoredEnvelope
from chalicelib.relay.values import Submitted

# Of the sealed delivery information: it goes out three times (as it came, opened, and in the postmark), and
# an answer that no gateway carries would keep its receiver from everything behind it.
MAX_INFORMATION_BYTES = 16_384
# Members of the metadata that the relay adds on the way out; a receiver takes them off to check signatures.
_RESERVED = frozenset({"sealedDeliveryInformation", "relayAdded"})
# Receipts and rows hold the hash as it came: a text of any other form could be too long for them.
_HASH = re.compile("0x[0-9A-Fa-f]{64}")


@dataclass(frozen=True, slots=True)
class _Letter:
    """An envelope that has passed steps 1 to 5. `to` is the normalised name that it is for."""

    envelope: Envelope
    size_bytes: int
    information: DeliveryInformation
    to: str
    receiver: Resident
    sender: Sender
    source: str


class RelayAdmission:
    """Implements `service.Admission`."""

    def __init__(
        self,
        *,
        residents: Residents,
        standing: Standing,
        operator: OperatorBook,
        senders: SenderCheck,
        quotas: Quotas,
        policy: Policy,
        acquaintances: Acquaintances,
        journal: Journal,
        mailbox: Mailbox,
        keys: RelayKeys,
        chance: Chance,
        limits: Limits,
    ) -> None:
        self._residents = residents
        self._standing = standing
        self._operator = operator
        self._senders = senders
        self._quotas = quotas
        self._policy = policy
        self._acquaintances = acquaintances
        self._journal = journal
        self._mailbox = mailbox
        self._keys = keys
        self._chance = chance
        self._limits = limits

    def submit(self, envelope: JsonValue, *, source: str) -> Submitted:
        """See `service.Admission.submit`."""
        try:
            opened = self._read(envelope)
            information = open_delivery_information(opened, self._keys.encryption)
            self._operator.now().require_version(opened.version)
            size_bytes = self._measure(envelope, opened)
            to = normalize(information.to)
            receiver = self._residents.find(to, toll=self._toll(source))
            if receiver is None:
                raise UnknownReceiver
        except (ParseError, InvalidInput, TooBig, UnknownReceiver, VersionNotSupported):
            if is_large(envelope):
                self._quotas.charge(source_submits(self._limits, source))
            raise
        self._require_room(source, receiver, size_bytes)
        try:
            sender = self._senders.check(opened, information.from_, toll=self._toll(source))
        except UnverifiedSender:
            self._quotas.charge(source_submits(self._limits, source))
            raise
        return self._accept(_Letter(opened, size_bytes, information, to, receiver, sender, source))

    def _read(self, value: JsonValue) -> Envelope:
        """The envelope, if what is cheap to tell of it fits: garbage is to cost little."""
        if isinstance(value, str):
            self._require_size(len(value))
            value = parse_json(value)
        envelope = parse_envelope(value)
        self._require_size(len(envelope.message) + len(envelope.postmark or ""))
        if _RESERVED & envelope.metadata.keys():
            raise InvalidEnvelope("The metadata has a member that is reserved for the delivery service.")
        _require_hashes(envelope)
        if len(envelope.delivery_information) > MAX_INFORMATION_BYTES:
            raise TooBig("The delivery information is too large.")
        require_small(other_members(envelope.metadata, {"deliveryInformation"}))
        return envelope

    def _measure(self, value: JsonValue, envelope: Envelope) -> int:
        """The exact size in bytes, of an envelope that is for this relay."""
        _require_sealed(envelope.message)
        size_bytes = envelope_bytes(value)
        self._require_size(size_bytes)
        # Escapes and numbers can be longer on the way out; beyond twice the limit no answer could carry them.
        if carried_bytes(envelope.to_json()) > 2 * self._limits.size_limit_bytes:
            raise TooBig
        return size_bytes

    def _require_size(self, size_bytes: int) -> None:
        if size_bytes > self._limits.size_limit_bytes:
            raise TooBig

    def _require_room(self, source: str, receiver: Resident, size_bytes: int) -> None:
        self._quotas.require_room(
            [
                source_submits(self._limits, source),
                source_space(self._limits, source, size_bytes),
                receiver_space(self._limits, receiver.key, size_bytes),
            ]
        )

    def _toll(self, source: str) -> Toll:
        return self._quotas.toll(source_lookups(self._limits, source))

    def _accept(self, letter: _Letter) -> Submitted:
        envelope, sender, receiver = letter.envelope, letter.sender, letter.receiver
        signed_hash, sealed = sha256_hex(metadata_text(envelope.metadata)), sealed_hash(envelope)
        ticket = Ticket(
            inbox=receiver.inbox,
            sender=sender.name,
            verified=sender.verified,
            # Without a hash of the sender's, all that came with one signature is acknowledged together.
            message_hash=envelope.message_hash or signed_hash,
            receipt_hash=envelope.message_hash or sealed,
            signed_hash=signed_hash,
            sealed_hash=sealed,
        )
        attempt = self._journal.find(ticket)
        if attempt.standing is None:
            self._admit(letter, attempt)
        else:
            self._quotas.charge(source_submits(self._limits, letter.source))
        receipt, duplicate = self._journal.commit(
            ticket, attempt, lambda key, expires_at_s: self._item(letter, ticket, key, expires_at_s)
        )
        return Submitted(receipt, duplicate)

    def _admit(self, letter: _Letter, attempt: Attempt) -> None:
        """May new mail come in? Policy, and only then the quotas: the sender's first, which decides exactly.

        The sender has signed the metadata once and is charged once; of other messages under it nobody can
        tell who made them. What the receiver's rules count is charged last: no refusal here shall use it up.
        """
        sender, receiver = letter.sender, letter.receiver
        if attempt.variants >= MAX_VARIANTS:
            self._quotas.charge(source_submits(self._limits, letter.source))
            raise InvalidEnvelope("Too many different messages have come with this metadata; sign it anew.")
        toll = self._toll(letter.source)
        candidate = Candidate(
            receiver,
            letter.to,
            sender,
            letter.size_bytes,
            attempt.partition + attempt.sort,
            toll,
        )
        try:
            self._operator.now().require_welcome(sender.names, sender.address)
            self._standing.require_listed(candidate.to, toll=toll)
            dues = self._policy.admit(candidate)
        except (ReceiverMoved, Spam):
            self._quotas.charge(source_submits(self._limits, letter.source))
            raise
        if not attempt.variants:
            self._quotas.charge(sender_messages(self._limits, sender.identity))
        self._quotas.charge(receiver_space(self._limits, receiver.key, letter.size_bytes))
        self._quotas.charge(source_space(self._limits, letter.source, letter.size_bytes))
        self._quotas.charge(source_submits(self._limits, letter.source))
        dues()
        self._acquaintances.note(candidate)

    def _item(self, letter: _Letter, ticket: Ticket, key: InboxKey, expires_at_s: int) -> InboxItem:
        postmark = make_postmark(
            letter.envelope,
            letter.information,
            incoming_timestamp_ms=key.stored_at_ms,
            signing_private_key=self._keys.signing.private_key,
        )
        encryption_key = letter.receiver.record.encryption_key
        stored = StoredEnvelope.of(
            letter.envelope,
            sender=letter.sender.name,
            postmark=seal_postmark(postmark, encryption_key, self._chance),
            delivery_information=letter.information,
            message_hash=ticket.message_hash,
            verified=letter.sender.verified,
            encryption_key=encryption_key,
        )
        return self._mailbox.seal(ticket.inbox, key, stored, expires_at_s)


def _require_hashes(envelope: Envelope) -> None:
    """Raises InvalidEnvelope for a hash member that is not SHA-256 in hex."""
    for name in (Revision.MESSAGE_HASH, Revision.ENCRYPTED_MESSAGE_HASH):
        given = envelope.metadata.get(name)
        if given is not None and not (isinstance(given, str) and _HASH.fullmatch(given)):
            raise InvalidEnvelope("A hash in the metadata is not 0x and 64 hexadecimal digits.")


def _require_sealed(text: str) -> None:
    """Raises InvalidEnvelope unless `text` has the form of a sealed value; only its receiver can open it."""
    try:
        sealed = SealedValue.parse(text)
        key, nonce = decode_base64(sealed.ephem_public_key), decode_hex(sealed.nonce)
        ciphertext = decode_base64(sealed.ciphertext)
    except InvalidEncoding:
        raise InvalidEnvelope("The message is not a sealed value.") from None
    if (len(key), len(nonce)) != (KEY_BYTES, NONCE_BYTES) or len(ciphertext) < PADDING_BYTES:
        raise InvalidEnvelope("The message is not a sealed value.")
