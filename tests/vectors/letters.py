"""Runs the vectors about messages, envelopes and postmarks."""

from __future__ import annotations

import json

from chalicelib.names.normalize import normalize
from chalicelib.protocol.canonical import canonicalize, parse_json
from chalicelib.protocol.delivery_information import DeliveryInformation
from chalicelib.protocol.envelope import (
    Envelope,
    Revision,
    build_envelope,
    envelope_size_bytes,
    metadata_text,
    open_delivery_information,
    open_envelope,
    parse_envelope,
    sign_envelope,
    verify_envelope,
)
from chalicelib.protocol.errors import InvalidMessage
from chalicelib.protocol.hashing import sha256_hex
from chalicelib.protocol.json_types import JsonObject
from chalicelib.protocol.members import other_members, require_object, text_member
from chalicelib.protocol.message import (
    Attachment,
    MessageType,
    build_message,
    message_hash,
    message_id,
    parse_message,
    verify_message,
)
from chalicelib.protocol.postmark import (
    Postmark,
    open_postmark,
    seal_postmark,
    sealed_message_hash,
    sign_postmark,
    verify_postmark,
)
from chalicelib.protocol.profile import DeliveryServiceProfile, SignedUserProfile
from chalicelib.protocol.profile_uri import InlineProfile, parse_profile_uri
from chalicelib.protocol.signing import verify
from tests.vectors.cases import Case, Differs, check, key_pair, runs
from tests.vectors.ciphers import sealed_again
from tests.vectors.entropy import CountingEntropy

# The reference's makers of these types pass an empty array.
_WITH_EMPTY_ATTACHMENTS = {MessageType.REACTION, MessageType.READ_OPENED, MessageType.READ_RECEIVED}


@runs("message")
def run_message(case: Case) -> None:
    given = case.get("attachments", [] if case["type"] in _WITH_EMPTY_ATTACHMENTS else None)
    message = build_message(
        type=case["type"],
        to=case["to"],
        from_=case["from"],
        message=case.get("message"),
        attachments=None if given is None else [Attachment.parse(item) for item in given],
        reference_message_hash=case.get("reference_message_hash"),
        timestamp_ms=case["timestamp"],
        signing_private_key=case["private_signing_key"],
    )
    assert message.signed_text() == case["signed_string"]
    assert message.to_json() == case["result"]
    assert canonicalize(message.to_json()) == case["result_json"]
    assert message_hash(message) == case["result_sha256"]
    assert message_id(message) == case["message_id"]
    assert parse_message(parse_json(case["result_json"])) == message
    assert verify_message(message, case["public_signing_key"])


@runs("check_message_signature")
def run_check_message_signature(case: Case) -> None:
    value = require_object(parse_json(case["message_json"]), InvalidMessage)
    key = case["public_signing_key"]

    def attempt() -> bool:
        # The reference checks the signature of whatever it is; we read messages first.
        signed_text = canonicalize(other_members(value, {"signature"}))
        genuine = verify(key, signed_text, text_member(value, "signature", InvalidMessage))
        try:
            assert verify_message(parse_message(value), key) == genuine
        except InvalidMessage:
            assert not genuine or "metadata" not in value, "genuine, and refused"
        metadata = require_object(value.get("metadata"), InvalidMessage)
        return genuine and normalize(case["ens_name"]) == normalize(str(metadata["from"]))

    check(case, attempt)


@runs("envelop", "envelop_message_hash_variant")
def run_envelop(case: Case) -> None:
    if "error" in case:
        raise Differs("an envelope is built for a key, and who has no profile has none")
    message, expected = parse_message(case["message"]), case["encrypted_envelop"]
    service, receiver = case["delivery_service_keys"], case["receiver_keys"]
    envelope = sign_envelope(
        expected["message"],
        expected["metadata"]["deliveryInformation"],
        message=message,
        signing_private_key=case["sender_keys"]["signingKeyPair"]["privateKey"],
        revisions=[Revision(case["hash_field"])],
    )
    assert envelope.to_json() == expected
    assert envelope.revision == case["hash_field"]
    assert metadata_text(envelope.metadata) == case["signed_string"]
    assert envelope.message_hash == case["hash"] == sha256_hex(case["hashed_string"])
    assert envelope_size_bytes(envelope) == case["envelop_size"]
    assert parse_envelope(parse_json(json.loads(json.dumps(case["json_rpc"]["params"][0])))) == envelope
    information = DeliveryInformation(case["receiver_ens_name"], case["sender_ens_name"])
    assert canonicalize(information.to_json()) == case["delivery_information_plaintext"]
    assert sealed_again(
        envelope.delivery_information,
        case["delivery_information_plaintext"],
        service["encryptionKeyPair"],
        case["delivery_information_ephemeral_key_pair"],
        case["delivery_information_nonce"],
    )
    opened = open_delivery_information(envelope, key_pair(service["encryptionKeyPair"]))
    assert opened == information
    assert verify_envelope(envelope, case["sender_keys"]["signingKeyPair"]["publicKey"])
    assert not verify_envelope(envelope, receiver["signingKeyPair"]["publicKey"])
    if "pre_encrypted_message" in case:
        assert envelope.message == case["pre_encrypted_message"]
        return
    assert sealed_again(
        envelope.message,
        case["message_plaintext"],
        receiver["encryptionKeyPair"],
        case["message_ephemeral_key_pair"],
        case["message_nonce"],
    )
    assert open_envelope(envelope, key_pair(receiver["encryptionKeyPair"])) == message
    # What a receiver sees of it: the readable form.
    readable = {**envelope.metadata, "deliveryInformation": information.to_json()}
    assert case["envelop"] == {"message": message.to_json(), "metadata": readable}


@runs("proxy_envelop")
def run_proxy_envelop(case: Case) -> None:
    records = case["text_records"]
    message, result = parse_message(case["message"]), case["result"]
    receiver = SignedUserProfile.parse(_inline(records[result["to"]])).profile
    # A delivery service that publishes nothing is passed over.
    names = [name for name in receiver.delivery_services if name in records]
    assert [one["deliveryServiceEnsName"] for one in result["encryptionEnvelops"]] == names
    theirs = [
        Envelope.parse({"message": result["encryptedMessage"], **one["encryptionEnvelop"]})
        for one in result["encryptionEnvelops"]
    ]
    entropy = CountingEntropy()
    ours: list[Envelope] = []
    for name in names:
        profile = DeliveryServiceProfile.parse(_inline(records[name]))
        ours.append(
            build_envelope(
                message,
                receiver_encryption_key=receiver.public_encryption_key,
                delivery_service_encryption_key=profile.public_encryption_key,
                signing_private_key=case["sender_keys"]["signingKeyPair"]["privateKey"],
                delivery_information=DeliveryInformation(result["to"], message.from_),
                entropy=entropy,
                revisions=[theirs[0].revision],
                sealed_message=ours[0].message if ours else None,
            )
        )
    for name, envelope in [*zip(names, theirs, strict=True), *zip(names, ours, strict=True)]:
        assert verify_envelope(envelope, case["sender_keys"]["signingKeyPair"]["publicKey"])
        assert open_envelope(envelope, key_pair(case["receiver_keys"]["encryptionKeyPair"])) == message
        service = key_pair(case["delivery_service_keys"][name]["encryptionKeyPair"])
        information = open_delivery_information(envelope, service)
        assert information == DeliveryInformation(result["to"], message.from_)


@runs("decrypt_delivery_information")
def run_decrypt_delivery_information(case: Case) -> None:
    parts = case["encrypted_envelop"]
    envelope = Envelope(parts["message"], parts["metadata"])
    service = key_pair(case["delivery_service_key_pair"])
    check(case, lambda: open_delivery_information(envelope, service).to_json())


@runs("decrypt_envelop")
def run_decrypt_envelop(case: Case) -> None:
    receiver = key_pair(case["receiver_key_pair"])

    def attempt() -> dict[str, object]:
        envelope = Envelope.parse(case["encrypted_envelop"])
        opened = open_postmark(envelope.postmark or "", receiver).to_json()
        message = open_envelope(envelope, receiver).to_json()
        return {"message": message, "metadata": envelope.metadata, "postmark": opened}

    check(case, attempt)


@runs("postmark")
def run_postmark(case: Case) -> None:
    parts, receiver = case["encrypted_envelop"], case["receiver_keys"]["encryptionKeyPair"]
    envelope, service = Envelope.parse(parts), case["delivery_service_keys"]
    made = _reference_postmark(case, envelope.message, service["signingKeyPair"]["privateKey"])
    assert made.to_json() == case["postmark"]
    assert verify_postmark(made, envelope, service["signingKeyPair"]["publicKey"])
    assert not verify_postmark(made, envelope, case["receiver_keys"]["signingKeyPair"]["publicKey"])
    assert open_postmark(case["postmark_encrypted"], key_pair(receiver)) == made
    assert sealed_again(
        case["postmark_encrypted"],
        case["postmark_plaintext"],
        receiver,
        case["postmark_ephemeral_key_pair"],
        case["postmark_nonce"],
    )
    assert (
        open_postmark(seal_postmark(made, receiver["publicKey"], CountingEntropy()), key_pair(receiver))
        == made
    )
    information = open_delivery_information(envelope, key_pair(service["encryptionKeyPair"]))
    assert information.to_json() == case["delivery_information"]
    assert open_envelope(envelope, key_pair(receiver)).to_json() == case["decrypted_message"]


@runs("add_postmark")
def run_add_postmark(case: Case) -> None:
    service = case["delivery_service_signing_key_pair"]
    made = _reference_postmark(case, case["message"], service["privateKey"])
    envelope = Envelope(case["message"], {})
    assert verify_postmark(made, envelope, service["publicKey"])
    assert sealed_again(
        canonicalize(case["result"]),
        case["postmark_plaintext"],
        case["receiver_key_pair"],
        case["ephemeral_key_pair"],
        case["nonce"],
    )


def _reference_postmark(case: Case, sealed_message: str, private_key: str) -> Postmark:
    """The postmark of `sealed_message` with the reference's members, each step compared."""
    assert canonicalize(sealed_message) == case["hashed_string"]
    assert sealed_message_hash(sealed_message) == case["message_hash"]
    made = sign_postmark(
        {"messageHash": case["message_hash"], "incommingTimestamp": case["incoming_timestamp"]}, private_key
    )
    assert canonicalize(made.members) == case["signed_string_preimage"]
    assert made.signed_text() == case["signed_string"]
    assert canonicalize(made.to_json()) == case["postmark_plaintext"]
    assert Postmark.parse(parse_json(case["postmark_plaintext"])) == made
    assert made.incoming_timestamp_ms == case["incoming_timestamp"]
    return made


def _inline(record: str) -> JsonObject:
    uri = parse_profile_uri(record)
    assert isinstance(uri, InlineProfile)
    return uri.value
