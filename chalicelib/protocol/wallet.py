"""Ethereum wallets: addresses, and signatures over texts.

Sources: EIP-55 (checksummed addresses), EIP-191 (personal messages), EIP-2098 (compact signatures), ICAP (the
old "XE" form of addresses); what is taken and what is refused is as in ethers v5 (`getAddress`,
`recoverAddress`), which the reference uses. Recovery is by coincurve (libsecp256k1), which starts fast.
"""

from __future__ import annotations

import re

from coincurve import PrivateKey, PublicKey

from chalicelib.protocol.encoding import decode_hex, encode_hex
from chalicelib.protocol.errors import InvalidEncoding, InvalidSignature
from chalicelib.protocol.hashing import eip191_hash, keccak256

_ADDRESS = re.compile("(?:0x)?([0-9a-fA-F]{40})")
_ICAP = re.compile("XE([0-9]{2})([0-9A-Za-z]{30,31})")
_COMPACT_BYTES = 64
_FULL_BYTES = 65
_FIRST_V = 27


def checksum_address(address: str) -> str:
    """`address` in the mixed case of EIP-55; `0x` may be missing, and ICAP is taken too.

    Raises `InvalidEncoding` if it is no address, or its own mixed case is wrong.
    """
    if match := _ADDRESS.fullmatch(address):
        given = match[1]
        checksummed = _checksummed(given.lower())
        if given not in {given.lower(), given.upper(), checksummed}:
            raise InvalidEncoding("The checksum of the address is wrong.")
        return "0x" + checksummed
    if match := _ICAP.fullmatch(address):
        return "0x" + _checksummed(_from_icap(match[1], match[2].upper()))
    raise InvalidEncoding("The address is not an Ethereum address.")


def is_address(text: str) -> bool:
    """Whether `checksum_address` takes `text`."""
    try:
        checksum_address(text)
    except InvalidEncoding:
        return False
    return True


def recover_address(text: str, signature: str) -> str:
    """The checksummed address of the wallet that signed `text` (EIP-191).

    `signature` is `0x` hex: 65 bytes, of whose last only the parity counts (0 and 1 are taken), or 64 bytes
    as in EIP-2098. Raises `InvalidSignature` if nobody can have made it.
    """
    try:
        signed = _recoverable(decode_hex(signature))
        public = PublicKey.from_signature_and_message(signed, eip191_hash(text), hasher=None)
    except (InvalidEncoding, ValueError):
        raise InvalidSignature from None
    return _address_of(public)


def sign_text(private_key: bytes, text: str) -> str:
    """The signature (`0x` hex, 65 bytes, v of 27 or 28) of `text` by a wallet's 32-byte `private_key`.

    Raises `InvalidEncoding` for a key out of range or a lone high surrogate.
    """
    signed = _private_key(private_key).sign_recoverable(eip191_hash(text), hasher=None)
    return encode_hex(signed[:_COMPACT_BYTES] + bytes([signed[_COMPACT_BYTES] + _FIRST_V]))


def wallet_address(private_key: bytes) -> str:
    """The checksummed address of a wallet's 32-byte `private_key`. Raises `InvalidEncoding` out of range."""
    return _address_of(_private_key(private_key).public_key)


def _private_key(private_key: bytes) -> PrivateKey:
    try:
        return PrivateKey(private_key)
    except ValueError:
        raise InvalidEncoding("The private key of the wallet is out of range.") from None


def _address_of(public: PublicKey) -> str:
    return "0x" + _checksummed(keccak256(public.format(compressed=False)[1:])[12:].hex())


def _checksummed(digits: str) -> str:
    nibbles = keccak256(digits.encode()).hex()
    return "".join(
        digit.upper() if int(nibble, 16) > 7 else digit
        for digit, nibble in zip(digits, nibbles, strict=False)
    )


def _recoverable(signature: bytes) -> bytes:
    """r, s and the recovery id (0 or 1), as libsecp256k1 takes them."""
    if len(signature) == _COMPACT_BYTES:
        # EIP-2098: the top bit of s is the parity.
        return signature[:32] + bytes([signature[32] & 0x7F]) + signature[33:] + bytes([signature[32] >> 7])
    if len(signature) != _FULL_BYTES or 1 < signature[-1] < _FIRST_V:
        raise InvalidSignature
    v = signature[-1]
    return signature[:-1] + bytes([v if v < _FIRST_V else 1 - v % 2])


def _from_icap(checksum: str, account: str) -> str:
    """40 hex digits of the base-36 `account`, checked by ISO 13616 (`98 - number mod 97`)."""
    number = int("".join(str(int(character, 36)) for character in account + "XE00"))
    digits = f"{int(account, 36):040x}"
    if 98 - number % 97 != int(checksum) or len(digits) > 40:
        raise InvalidEncoding("The checksum of the address is wrong.")
    return digits
