"""Content identifiers of IPFS, and whether some content is what one of them names.

Sources: multiformats "CID (Content IDentifier) Specification", "multibase", "multicodec"; IPLD "dag-pb"; IPFS
"UnixFS". A gateway answers with a file's content or with its block; both are taken. A file larger than one
block cannot be checked without its other blocks, and is refused; profiles are far smaller.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from chalicelib.protocol.errors import InvalidProfile

# `ipfs add` cuts files into blocks of this size.
SINGLE_BLOCK_BYTES = 262_144

_RAW, _DAG_PB = 0x55, 0x70
_SHA2_256 = b"\x12\x20"
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
_MAX_CID_CHARACTERS = 128
_V0_CHARACTERS = 46
_VARINT_FIELD, _BYTES_FIELD = 0, 2
_MAX_VARINT_BYTES = 10
_NODE_DATA, _NODE_LINKS = 1, 2
_UNIXFS_TYPE, _UNIXFS_DATA, _UNIXFS_BLOCK_SIZES = 1, 2, 4
_UNIXFS_RAW, _UNIXFS_FILE = 0, 2


@dataclass(frozen=True, slots=True)
class Cid:
    """What a CID says: how the block is written (`codec`) and its SHA-256."""

    codec: int
    digest: bytes


def parse_cid(text: str) -> Cid:
    """The CID `text`: version 0, or version 1 in base32, base36, base58 or hex.

    Raises `InvalidProfile` for any other form, for codecs but raw and dag-pb, and for hashes but SHA-256.
    """
    if len(text) > _MAX_CID_CHARACTERS:
        raise InvalidProfile("The IPFS link is too long.")
    try:
        if len(text) == _V0_CHARACTERS and text.startswith("Qm"):
            return _of_multihash(_DAG_PB, _based(text, _BASE58))
        data = _multibase(text)
    except ValueError:
        raise InvalidProfile("The IPFS link is no content identifier.") from None
    if data[:1] != b"\x01" or data[1:2] not in {bytes([_RAW]), bytes([_DAG_PB])}:
        raise InvalidProfile("The IPFS link names no plain file.")
    return _of_multihash(data[1], data[2:])


def verified_content(cid: Cid, body: bytes) -> bytes:
    """The file that `cid` names, if `body` is that file or its block. Raises `InvalidProfile` if not."""
    if sha256(body).digest() == cid.digest:
        return body if cid.codec == _RAW else _file_in(body)
    if cid.codec == _DAG_PB and cid.digest in {sha256(block).digest() for block in _blocks_of(body)}:
        return body
    if cid.codec == _DAG_PB and len(body) > SINGLE_BLOCK_BYTES:
        raise InvalidProfile("The file is larger than one IPFS block, which cannot be checked.")
    raise InvalidProfile("The content is not what the IPFS link names.")


def _of_multihash(codec: int, multihash: bytes) -> Cid:
    if multihash[:2] != _SHA2_256 or len(multihash) != 34:
        raise InvalidProfile("The IPFS link does not use SHA-256.")
    return Cid(codec, multihash[2:])


def _multibase(text: str) -> bytes:
    prefix, digits = text[:1], text[1:]
    match prefix:
        case "b" | "B":
            return base64.b32decode(digits.upper() + "=" * (-len(digits) % 8))
        case "f" | "F":
            return binascii.unhexlify(digits)
        case "k" | "K":
            return _based(digits.lower(), _BASE36)
        case "z":
            return _based(digits, _BASE58)
    raise ValueError(prefix)


def _based(digits: str, alphabet: str) -> bytes:
    """Big-endian bytes of a number; a leading first digit stands for a zero byte."""
    number = 0
    for digit in digits:
        number = number * len(alphabet) + alphabet.index(digit)
    zeros = len(digits) - len(digits.lstrip(alphabet[0]))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def _blocks_of(content: bytes) -> Iterator[bytes]:
    """The dag-pb blocks a file of one block can have: UnixFS of type file, or raw."""
    size = _varint_bytes(len(content))
    for type_ in (_UNIXFS_FILE, _UNIXFS_RAW):
        data = b"\x12" + size + content if content else b""
        unixfs = bytes([0x08, type_]) + data + b"\x18" + size
        yield b"\x0a" + _varint_bytes(len(unixfs)) + unixfs


def _file_in(block: bytes) -> bytes:
    """The content of a UnixFS file of one block."""
    try:
        node = dict(_fields(block))
        unixfs = dict(_fields(_as_bytes(node[_NODE_DATA])))
    except (IndexError, KeyError, TypeError):
        raise InvalidProfile("The IPFS link names no plain file.") from None
    if _NODE_LINKS in node or _UNIXFS_BLOCK_SIZES in unixfs:
        raise InvalidProfile("The file is larger than one IPFS block, which cannot be checked.")
    content = unixfs.get(_UNIXFS_DATA, b"")
    if unixfs.get(_UNIXFS_TYPE) not in {_UNIXFS_FILE, _UNIXFS_RAW} or not isinstance(content, bytes):
        raise InvalidProfile("The IPFS link names no plain file.")
    return content


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Fields of a protobuf message. Raises `IndexError` if cut short, `TypeError` for other wire types."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        wire_type = key & 7
        if wire_type not in {_VARINT_FIELD, _BYTES_FIELD}:
            raise TypeError
        value, at = _varint(message, at)
        if wire_type == _VARINT_FIELD:
            yield key >> 3, value
            continue
        if at + value > len(message):
            raise IndexError
        yield key >> 3, message[at : at + value]
        at += value


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = 0
    for position in range(_MAX_VARINT_BYTES):
        byte = message[at + position]
        value |= (byte & 0x7F) << 7 * position
        if byte < 0x80:
            return value, at + position + 1
    raise IndexError


def _varint_bytes(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def _as_bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise TypeError
    return value
