"""Runs the vectors about keys, encryption and signatures."""

from __future__ import annotations

import re

from chalicelib.protocol.canonical import parse_json
from chalicelib.protocol.crypto import (
    PADDING_BYTES,
    EncryptedValue,
    SealedValue,
    decrypt,
    encrypt,
    encryption_key_pair,
    receiver_session_keys,
    seal,
    sender_session_keys,
    signing_key_pair,
    unseal,
)
from chalicelib.protocol.encoding import decode_base64, decode_hex, encode_hex
from chalicelib.protocol.errors import InvalidEncoding
from chalicelib.protocol.hashing import eip191_hash
from chalicelib.protocol.keys import profile_keys, storage_key, storage_key_creation_message
from chalicelib.protocol.members import text_member
from chalicelib.protocol.signing import sign, verify
from chalicelib.protocol.wallet import checksum_address, recover_address
from tests.vectors.cases import Case, check, key_pair, key_pair_json, must_fail, runs

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


@runs("encryption_key_pair")
def run_encryption_key_pair(case: Case) -> None:
    check(case, lambda: key_pair_json(encryption_key_pair(decode_base64(case["seed"]))))


@runs("signing_key_pair")
def run_signing_key_pair(case: Case) -> None:
    check(case, lambda: key_pair_json(signing_key_pair(decode_base64(case["seed"]))))


@runs("storage_key")
def run_storage_key(case: Case) -> None:
    check(case, lambda: storage_key(case["creation_message_signature"]))


@runs("format_address")
def run_format_address(case: Case) -> None:
    check(case, lambda: checksum_address(case["address"]))


@runs("storage_key_creation_message")
def run_storage_key_creation_message(case: Case) -> None:
    check(case, lambda: storage_key_creation_message(case["nonce"], case["address"]))


@runs("profile_keys")
def run_profile_keys(case: Case) -> None:
    keys = profile_keys(case["storage_key"], case["nonce"])
    assert case["result"] == {
        "encryptionKeyPair": key_pair_json(keys.encryption),
        "signingKeyPair": key_pair_json(keys.signing),
        "storageEncryptionKey": keys.storage_key,
        "storageEncryptionNonce": keys.nonce,
    }


@runs("session_keys")
def run_session_keys(case: Case) -> None:
    sender, receiver = key_pair(case["sender_key_pair"]), key_pair(case["receiver_key_pair"])
    own = sender_session_keys(sender, receiver.public_key)
    other = receiver_session_keys(receiver, sender.public_key)
    assert case["sender"]["result"] == {"sharedRx": own.rx, "sharedTx": own.tx}
    assert case["receiver"]["result"] == {"sharedRx": other.rx, "sharedTx": other.tx}
    assert (own.rx, own.tx) == (other.tx, other.rx)


@runs("session_keys_one_sided")
def run_session_keys_one_sided(case: Case) -> None:
    for role, exchange in (("sender", sender_session_keys), ("receiver", receiver_session_keys)):

        def attempt() -> dict[str, str]:
            keys = exchange(key_pair(case["own_key_pair"]), case["external_public_key"])  # noqa: B023
            return {"sharedRx": keys.rx, "sharedTx": keys.tx}

        check(case[role], attempt)


@runs("encrypt")
def run_encrypt(case: Case) -> None:
    key, padding = case["key"], int(case.get("padding", PADDING_BYTES))
    nonce = case["result"]["nonce"] if case.get("nonce_is_generated") else case["nonce"]

    def attempt() -> dict[str, str]:
        made = encrypt(key, case["payload"], nonce=decode_hex(nonce), padding=padding)
        return {"ciphertext": made.ciphertext, "nonce": made.nonce}

    check(case, attempt)
    if "result" not in case:
        return
    made = EncryptedValue(**case["result"])
    if _LONE_SURROGATE.search(case["payload"]):
        # It is encrypted, but what comes out is no UTF-8: so in the reference too.
        must_fail(lambda: decrypt(key, made, padding=padding))
    else:
        assert decrypt(key, made, padding=padding) == case["payload"]


@runs("decrypt")
def run_decrypt(case: Case) -> None:
    payload = case["encrypted_payload"]

    def attempt() -> str:
        value = EncryptedValue(
            text_member(payload, "ciphertext", InvalidEncoding),
            text_member(payload, "nonce", InvalidEncoding),
        )
        return decrypt(case["key"], value, padding=case.get("padding", PADDING_BYTES))

    check(case, attempt)


@runs("encrypt_asymmetric")
def run_encrypt_asymmetric(case: Case) -> None:
    ephemeral, padding = key_pair(case["ephemeral_key_pair"]), case.get("padding", PADDING_BYTES)
    if "error" in case:
        key, nonce = case["receiver_public_key"], bytes(12)
        must_fail(lambda: seal(case["payload"], key, ephemeral=ephemeral, nonce=nonce, padding=padding))
        return
    receiver, result = key_pair(case["receiver_key_pair"]), case["result"]
    nonce = decode_hex(result["nonce"])
    sealed = seal(case["payload"], receiver.public_key, ephemeral=ephemeral, nonce=nonce, padding=padding)
    assert sealed.to_json() == result
    assert SealedValue.parse(sealed.to_text()) == sealed
    assert unseal(sealed, receiver, padding=padding) == case["payload"]


@runs("decrypt_asymmetric")
def run_decrypt_asymmetric(case: Case) -> None:
    def attempt() -> str:
        sealed = SealedValue.from_json(case["encrypted_payload"])
        return unseal(sealed, key_pair(case["receiver_key_pair"]), padding=case.get("padding", PADDING_BYTES))

    check(case, attempt)


@runs("sign")
def run_sign(case: Case) -> None:
    check(case, lambda: sign(case["private_key"], case["payload"]))
    if "result" in case and "public_key" in case:
        assert verify(case["public_key"], case["payload"], case["result"])
        assert not verify(case["public_key"], case["payload"] + " ", case["result"])


@runs("check_signature")
def run_check_signature(case: Case) -> None:
    check(case, lambda: verify(case["public_key"], case["payload"], case["signature"]))


@runs("check_eth_signature")
def run_check_eth_signature(case: Case) -> None:
    assert encode_hex(eip191_hash(case["text"])) == case["eip191_hash"]

    def attempt() -> bool:
        return recover_address(case["text"], case["signature"]) == checksum_address(case["address"])

    check(case, attempt)


def sealed_again(
    text: str, plaintext: str, receiver: dict[str, str], ephemeral: dict[str, str], nonce: str
) -> bool:
    """Whether sealing `plaintext` gives `text`, and opening `text` gives `plaintext`."""
    pair = key_pair(receiver)
    sealed = seal(plaintext, pair.public_key, ephemeral=key_pair(ephemeral), nonce=decode_hex(nonce))
    opened = unseal(SealedValue.parse(text), pair)
    return opened == plaintext and sealed.to_json() == parse_json(text)
