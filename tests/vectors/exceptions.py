"""Where ours differs from the reference on purpose: which cases, and why, in one line each.

An exception that is not needed fails the tests (`tests/unit/protocol/test_vectors.py`).
"""

from __future__ import annotations

_ENSIP_15 = "names are normalised by ENSIP-15; the reference uses nameprep (RFC 3491) of ethers 5"
_UNASSIGNED = "ENSIP-15 refuses what nameprep calls unassigned or prohibited, or maps it to something else"
_NOT_JSON = "a JavaScript value that JSON cannot carry and Python does not have"
_NO_PROFILE = "an envelope is built for a key, so a receiver without a profile cannot be asked for"
_URL_ENCODED = "the specification allows URL-encoded records, the reference cannot read them"
_RAW_TEXT = "non-ASCII characters are read as they stand, the reference cuts them to bytes"
_BARE_HASH = "the specification writes dm3Hash without 0x, the reference wants it"
_CID = "content from IPFS must fit its identifier, which the reference does not check"
_REVISIONS = "the reference's schema knows one revision of the envelope, here all three are accepted"
_EXTRA = "members beside the known ones are kept or ignored, which lets the protocol grow"
_TYPES = "extensions of the specification add message types, so a type is any text"
_DATABASE = "a row of the reference's own database"
_BROWSER = "a helper of the reference's user interface"
_SECRET = "sessions have a key of their own, not derived from the key that signs postmarks"
_TOKENS = "tokens are also bound to relay and account and signed with a key for their kind, so they differ"
_FOREIGN = "a token made in the reference's way, and no token of ours"
_CHALLENGE = "challenges are bound to name, account and relay, and these are not from ours"
_NO_SESSION = "a posted profile opens no session: anybody can post it"

_BY_GROUP: dict[str, dict[str, str]] = {
    _NOT_JSON: {"stringify": "122-124 127 132 133 137 143 144 146 147"},
    _NO_PROFILE: {"envelop": "15"},
    _ENSIP_15: {
        "check_message_signature": "12 45",
        "normalize_ens_name": (
            "11-13 15 18 27 28 30-32 34-39 43 49 53 54 56-58 65 73 83 84 90 91 94 100 105 106 110-112 119 "
            "120 125 127-129 131 132 148 149 157 160 161 178 179 181 182 185 187 188 190 191 197 198 200 "
            "204-206 214 215 218 221 223 224 226-228 231-235 238 241 242 249-251 254 255 258"
        ),
        "conversation_id": "5 7 9 11",
        "is_same_ens_name": "8 9",
    },
    _UNASSIGNED: {
        "normalize_code_points": (
            "1 2 4 7 8 10-13 15 16 19-22 24-28 30-45 48-50 78 160 165-167 169 171 172 216 244 247-251 253 "
            "254 256 257 259 260 275-279 281 282 284-286 289 292"
        ),
    },
    _URL_ENCODED: {"user_profile_text_record": "11-13", "delivery_service_text_record": "3"},
    _RAW_TEXT: {"user_profile_text_record": "38"},
    _BARE_HASH: {"user_profile_text_record": "78"},
    _CID: {"user_profile_text_record": "100 102 104", "delivery_service_text_record": "24"},
    _REVISIONS: {
        "schema_encryption_envelop": "29 33",
        "schema_encryption_envelop_message_hash_variant": "29",
    },
    _EXTRA: {
        "schema_encryption_envelop": "37",
        "schema_encryption_envelop_message_hash_variant": "26 37",
        "schema_message": "29 32",
        "schema_signed_user_profile": "15",
        "schema_delivery_service_profile": "13",
        "schema_profile_extension": "19",
        "schema_acknowledgement": "10",
    },
    _TYPES: {"schema_message": "33 34"},
    _DATABASE: {"schema_account": "1 2 5 7-9 11 13-15 17-21"},
    _BROWSER: {"account_display_name": "3-8 10 13-15", "browser_storage_key": "1-3"},
    _SECRET: {"server_secret": "1 3-5 7 9-11"},
    _TOKENS: {"auth_jwt": "1 3-6 8 10-12", "auth_challenge": "1 2 6"},
    _FOREIGN: {"auth_check_token": "1 7 8 16 28 36 47", "auth_middleware": "3 9"},
    _CHALLENGE: {"auth_new_session_token": "1 12 16"},
    _NO_SESSION: {"submit_user_profile": "1 3 7"},
}


def reasons(known: set[str]) -> dict[str, str]:
    """The reason for each excepted case id. A range covers those of its cases that are `known`.

    Raises ValueError for a number or an end of a range that is no case.
    """
    found: dict[str, str] = {}
    for reason, numbers_by_group in _BY_GROUP.items():
        for group, numbers in numbers_by_group.items():
            for part in numbers.split():
                first, _, last = part.partition("-")
                ends = {f"{group}-{int(end):03}" for end in (first, last or first)}
                if not ends <= known:
                    raise ValueError(f"{group} {part}")
                covered = {f"{group}-{number:03}" for number in range(int(first), int(last or first) + 1)}
                found.update(dict.fromkeys(covered & known, reason))
    return found
