"""The two encodings of a normalised name that contracts take: DNS wire format and namehash.

Sources: RFC 1035 section 3.1 with the label limit of ENSIP-10 (255 bytes instead of 63); namehash: EIP-137.
"""

from __future__ import annotations

from chalicelib.protocol.errors import InvalidName
from chalicelib.protocol.hashing import keccak256

MAX_LABEL_BYTES = 255
# Neither ENS nor the Universal Resolver bounds the whole name; this bounds our work and our keys.
MAX_NAME_BYTES = 1024
_ROOT = bytes(32)


def dns_encode(name: str) -> bytes:
    """Each label behind its length in one byte, then a zero byte.

    Raises `InvalidName` if a label has not 1 to `MAX_LABEL_BYTES` bytes of UTF-8, or the whole is longer
    than `MAX_NAME_BYTES`.
    """
    encoded = b"".join(bytes([len(label)]) + label for label in _labels(name)) + b"\x00"
    if len(encoded) > MAX_NAME_BYTES:
        raise InvalidName("The name is empty or too long.")
    return encoded


def namehash(name: str) -> bytes:
    """The node of a normalised name, 32 bytes. Raises `InvalidName` as `dns_encode` does."""
    node = _ROOT
    for label in reversed(_labels(name)):
        node = keccak256(node + keccak256(label))
    return node


def _labels(name: str) -> list[bytes]:
    try:
        labels = [label.encode() for label in name.split(".")]
    except UnicodeEncodeError:
        raise InvalidName from None
    if not all(1 <= len(label) <= MAX_LABEL_BYTES for label in labels):
        raise InvalidName("A label of the name is empty or too long.")
    return labels
