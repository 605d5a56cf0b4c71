"""Runs the vectors about profiles, their records and links between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from chalicelib.fetching.ports import Answer
from chalicelib.names.links import LinkReader
from chalicelib.names.memory import MemoryDirectory
from chalicelib.names.records import service_profile
from chalicelib.protocol.canonical import parse_json
from chalicelib.protocol.crypto import encryption_key_pair, signing_key_pair
from chalicelib.protocol.encoding import decode_base64, decode_hex
from chalicelib.protocol.errors import Dm3Error, InvalidProfile, Unavailable
from chalicelib.protocol.keys import (
    DEFAULT_NONCE,
    profile_keys,
    storage_key,
    storage_key_creation_message,
)
from chalicelib.protocol.members import require_object
from chalicelib.protocol.profile import (
    DeliveryServiceProfile,
    SignedUserProfile,
    UserProfile,
    creation_text,
    profile_creation_message,
    profile_hash,
    profile_signer,
)
from chalicelib.protocol.profile_link import (
    ProfileLink,
    SignedProfileLink,
    make_profile_link,
    sign_profile_link,
    verify_profile_link,
)
from chalicelib.protocol.profile_uri import link_hash
from chalicelib.protocol.signing import sign, verify
from chalicelib.protocol.wallet import checksum_address, sign_text, wallet_address
from tests.vectors.cases import Case, Differs, check, key_pair, key_pair_json, runs


@dataclass
class Resources:
    """Implements `fetching.ports.Fetcher` over the resources of a case."""

    resources: dict[str, dict[str, Any]]
    requested: list[str] = field(default_factory=list)

    def fetch(self, url: str, **_: object) -> Answer:
        self.requested.append(url)
        # The reference asks for a link with the spaces around it.
        found = next((value for key, value in self.resources.items() if key.strip() == url), None)
        if found is None:
            raise Unavailable
        return Answer(found["status"], {}, str(found["body"]).encode())


@runs("profile_creation_message")
def run_profile_creation_message(case: Case) -> None:
    check(case, lambda: creation_text(case["stringified_profile"], case["address"]))


@runs("create_profile")
def run_create_profile(case: Case) -> None:
    wallet, options = decode_hex(case["wallet_private_key"]), case["options"]
    nonce = DEFAULT_NONCE  # the reference ignores the option of that name
    signed_messages = []

    def wallet_signs(text: str) -> str:
        signed_messages.append({"message": text, "signature": sign_text(wallet, text)})
        return str(signed_messages[-1]["signature"])

    assert wallet_address(wallet) == checksum_address(case["address"])
    secret = options.get("storageKey")
    if not secret:
        secret = storage_key(wallet_signs(storage_key_creation_message(nonce, case["address"])))
    keys = profile_keys(secret, nonce)
    services = tuple(case["delivery_services"])
    profile = UserProfile(keys.encryption.public_key, keys.signing.public_key, services)
    signature = wallet_signs(profile_creation_message(profile, case["address"]))
    signed = SignedUserProfile(profile, signature)
    assert signed_messages == case.get("signed_messages", signed_messages)
    assert case["result"] == {
        "signedProfile": signed.to_json(),
        "keys": {
            "encryptionKeyPair": key_pair_json(keys.encryption),
            "signingKeyPair": key_pair_json(keys.signing),
            "storageEncryptionKey": keys.storage_key,
            "storageEncryptionNonce": keys.nonce,
        },
        "nonce": nonce,
    }
    assert profile_signer(signed, case["address"])


@runs("check_user_profile")
def run_check_user_profile(case: Case) -> None:
    value = case["signed_user_profile"]
    signed = SignedUserProfile(UserProfile.parse(value["profile"]), value["signature"])
    check(case, lambda: profile_signer(signed, case["address"]))


@runs("check_profile_hash")
def run_check_profile_hash(case: Case) -> None:
    profile = require_object(parse_json(case["profile_json"]), InvalidProfile)
    try:
        fits = link_hash(case["uri"]) == profile_hash(profile)
    except InvalidProfile:
        fits = False
    assert fits == case["result"]


@runs("user_profile_text_record")
def run_user_profile_text_record(case: Case) -> None:
    fetcher = Resources(case.get("resources", {}))
    directory = MemoryDirectory(LinkReader(fetcher))
    readable = not (case.get("no_resolver") or case.get("text_lookup_fails"))
    record = case["text_record"] if readable else None
    directory.add(case["ens_name"], case["resolved_address"], record or None)
    try:
        signed = directory.lookup(case["ens_name"]).signed
    except Unavailable:
        signed = None
    assert (signed is not None) == case["has_profile"]
    if signed is not None:
        assert signed.to_json() == case["result"]
        assert fetcher.requested == [url.strip() for url in case["requested_urls"]]


@runs("delivery_service_text_record")
def run_delivery_service_text_record(case: Case) -> None:
    fetcher = Resources(case.get("resources", {}))
    unreadable = case.get("no_resolver") or case.get("no_provider")
    try:
        profile = service_profile(None if unreadable else case["text_record"], LinkReader(fetcher))
    except Dm3Error:
        profile = None
    assert (None if profile is None else profile.to_json()) == case.get("result")


@runs("create_delivery_service_profile")
def run_create_delivery_service_profile(case: Case) -> None:
    result = case["result"]
    profile = DeliveryServiceProfile.parse(result["deliveryServiceProfile"])
    encryption = key_pair(result["keys"]["encryptionKeyPair"])
    signing = key_pair(result["keys"]["signingKeyPair"])
    assert profile.url == case["url"]
    assert profile.public_encryption_key == encryption.public_key
    assert profile.public_signing_key == signing.public_key
    assert verify(profile.public_signing_key, "text", sign(signing.private_key, "text"))
    # The first half of the private signing key is its seed.
    seed = decode_base64(signing.private_key)[:32]
    assert signing_key_pair(seed) == signing
    ours = encryption_key_pair(seed)
    made = DeliveryServiceProfile(ours.public_key, signing.public_key, case["url"]).to_json()
    assert made.keys() == result["deliveryServiceProfile"].keys()


@runs("create_profile_link")
def run_create_profile_link(case: Case) -> None:
    options = case.get("options", {})
    link = make_profile_link(
        case["main_id"],
        case["linked_profile"],
        case["scope_uri"],
        issued_at_s=case["now_ms"] // 1_000,
        ttl_s=options.get("ttl"),
        nonce=options.get("nonce", 0),
    )
    assert link.to_json() == case["result"]
    assert ProfileLink.parse(case["result"]) == link


@runs("sign_profile_link")
def run_sign_profile_link(case: Case) -> None:
    link = ProfileLink.parse(case["profile_link"])

    def signer(text: str) -> str:
        assert text == case["signed_text"]
        if case["signer"] == "key":
            return sign(case["private_signing_key"], text)
        return sign_text(decode_hex(case["wallet_private_key"]), text)

    signed = sign_profile_link(link, signer)
    assert signed.to_json() == case["result"]
    if case["signer"] == "key":
        public = signing_key_pair(decode_base64(case["private_signing_key"])[:32]).public_key
        assert verify_profile_link(signed, public)
    elif case["signer"] == "wallet":
        assert verify_profile_link(signed)
    else:
        raise Differs("there is no such signer")


@runs("verify_profile_link")
def run_verify_profile_link(case: Case) -> None:
    signed = SignedProfileLink.parse(case["signed_profile_link"])
    check(case, lambda: verify_profile_link(signed, case.get("public_signing_key")))
