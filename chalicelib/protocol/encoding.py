"""Bytes as text: base64 and hex as the reference reads and writes them, and UTF-8.

The reference decodes base64 with Node's `Buffer.from(text, "base64")`, which takes almost anything; keys,
signatures and ciphertexts on the network rely on that. Hex is that of ethers v5 (`arrayify`): `0x` and an
even number of digits.
"""

from __future__ import annotations

import binascii
import re

from chalicelib.protocol.errors import InvalidEncoding

_NOT_BASE64 = re.compile("[^A-Za-z0-9+/]")
_URL_SAFE = str.maketrans("-_", "+/")
_HEX = re.compile("0x(?:[0-9a-fA-F]{2})*")
_LONE_HIGH_SURROGATE = re.compile("[\ud800-\udbff]")


def decode_base64(text: str) -> bytes:
    """The bytes behind `text`, standard or URL-safe base64; never fails.

    Padding is optional, what follows a `=` and characters of neither alphabet are ignored, a last character
    that holds fewer than 8 bits is dropped.
    """
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        pass
    # Node looks at the low byte of each UTF-16 code unit.
    units = text.encode("utf-16-le", "surrogatepass")[::2].decode("latin-1")
    digits = _NOT_BASE64.sub("", units.partition("=")[0].translate(_URL_SAFE))
    if len(digits) % 4 == 1:
        digits = digits[:-1]
    return binascii.a2b_base64(digits + "=" * (-len(digits) % 4))


def encode_base64(data: bytes) -> str:
    """Standard base64 with padding (RFC 4648, section 4)."""
    return binascii.b2a_base64(data, newline=False).decode()


def decode_hex(text: str) -> bytes:
    """The bytes behind `0x…`, in either case. Raises `InvalidEncoding` for any other form."""
    if not _HEX.fullmatch(text):
        raise InvalidEncoding("A value is not hex with 0x in front.")
    return bytes.fromhex(text[2:])


def encode_hex(data: bytes) -> str:
    """Lower-case hex with `0x` in front."""
    return "0x" + data.hex()


def utf8(text: str) -> bytes:
    """`text` in UTF-8, as ethers v5 (`toUtf8Bytes`) encodes it.

    A lone low surrogate becomes three bytes. Raises `InvalidEncoding` for a high surrogate without a low one.
    """
    try:
        return text.encode()
    except UnicodeEncodeError:
        # Through UTF-16, so that two halves that stand side by side become one character.
        joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    if _LONE_HIGH_SURROGATE.search(joined):
        raise InvalidEncoding("A text ends within a surrogate pair.")
    return joined.encode("utf-8", "surrogatepass")
