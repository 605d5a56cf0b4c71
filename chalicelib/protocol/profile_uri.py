"""Profile URIs: the text records that hold profiles, or say where one is and how to know it.

Source: dm3 specification, "Registry" and "Message transport" (step 1). A record is a `data:` URI (plain,
URL-encoded or base64), an `https:` link whose `dm3Hash` is the SHA-256 of the profile, or an `ipfs:` link.
What the reference takes is taken (`JsonResolver.ts`, `LinkResolver.ts`); unlike it we read URL-encoding, take
a `dm3Hash` without `0x` as the specification writes it, and check IPFS content against its identifier.
Fetching is somebody else's work.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import unquote, unquote_to_bytes

from chalicelib.protocol.canonical import canonicalize, parse_json
from chalicelib.protocol.cid import parse_cid, verified_content
from chalicelib.protocol.encoding import decode_base64
from chalicelib.protocol.errors import InvalidProfile, ParseError
from chalicelib.protocol.json_types import JsonObject, JsonValue
from chalicelib.protocol.members import require_object
from chalicelib.protocol.profile import profile_hash

HASH_PARAMETER = "dm3Hash"

_DATA = re.compile(
    r"data:(?P<type>[\w+.-]+/[\w+.-]+)(?:;charset=(?P<charset>[\w-]+))?(?:;(?P<encoding>\w+))?"
    "," + "(?P<data>[^\n\r\u2028\u2029]*)",
    re.ASCII,
)
_LINK = re.compile(r"https?://[^/?#\s]", re.IGNORECASE)
_IPFS = re.compile(r"ipfs://([0-9A-Za-z]+)/?")
_HASH = re.compile(r"(?:0x)?([0-9a-f]{64})")
# Labels of the WHATWG Encoding Standard; the other encodings are not worth their room.
_CHARSETS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "ascii": "cp1252",
    "us-ascii": "cp1252",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "windows-1252": "cp1252",
}


@dataclass(frozen=True, slots=True)
class InlineProfile:
    """A profile that stands in the record itself."""

    value: JsonObject


@dataclass(frozen=True, slots=True)
class LinkedProfile:
    """A profile at `url`, whose canonical JSON has this `sha256` (`0x` hex)."""

    url: str
    sha256: str


@dataclass(frozen=True, slots=True)
class IpfsProfile:
    """A profile in IPFS; `cid` has been found to be one that can be checked."""

    cid: str


ProfileUri: TypeAlias = InlineProfile | LinkedProfile | IpfsProfile


def parse_profile_uri(text: str) -> ProfileUri:
    """What the record `text` says. Raises `InvalidProfile` for everything that is no profile URI."""
    if match := _DATA.fullmatch(text):
        return InlineProfile(_inline(match["type"], match["charset"], match["encoding"], match["data"]))
    link = text.strip()
    if _LINK.match(link):
        return LinkedProfile(link, link_hash(link))
    if match := _IPFS.fullmatch(link):
        parse_cid(match[1])
        return IpfsProfile(match[1])
    raise InvalidProfile("The record is no profile URI.")


def link_hash(url: str) -> str:
    """The `dm3Hash` parameter of `url`, with `0x` in front.

    Raises `InvalidProfile` if it is missing, given twice, or not a SHA-256 in lower-case hex.
    """
    query = url.partition("#")[0].partition("?")[2]
    pairs = [parameter.partition("=") for parameter in query.split("&")]
    found = [unquote(value) for name, _, value in pairs if unquote(name) == HASH_PARAMETER]
    if len(found) == 1 and (match := _HASH.fullmatch(found[0])):
        return "0x" + match[1]
    raise InvalidProfile("The link does not say which profile it leads to.")


def verify_linked(uri: LinkedProfile | IpfsProfile, body: bytes) -> JsonObject:
    """The profile in `body`, fetched from where `uri` points to. Raises `InvalidProfile` if it is another."""
    if isinstance(uri, IpfsProfile):
        return _profile(verified_content(parse_cid(uri.cid), body))
    value = _profile(body)
    if profile_hash(value) != uri.sha256:
        raise InvalidProfile("The profile is not the one the link was made for.")
    return value


def data_uri(value: JsonValue) -> str:
    """`value` as a `data:` URI, in the plain form the reference writes."""
    return "data:application/json," + canonicalize(value)


def _inline(type_: str, charset: str | None, encoding: str | None, data: str) -> JsonObject:
    if type_ != "application/json" or (charset or "utf-8").lower() not in _CHARSETS:
        raise InvalidProfile("The record is not JSON.")
    if encoding == "base64":
        return _profile(decode_base64(unquote(data)))
    plain = _recoded(data, _CHARSETS[(charset or "utf-8").lower()])
    try:
        # Percent signs inside a JSON text are its own.
        return require_object(parse_json(plain), InvalidProfile)
    except ParseError:
        return _profile(unquote_to_bytes(plain.encode("utf-8", "surrogatepass")))


def _recoded(data: str, encoding: str) -> str:
    """`data` read as the reference does, each character a byte, where that makes sense."""
    try:
        return data.encode("latin-1").decode(encoding)
    except UnicodeError:
        return data


def _profile(body: bytes) -> JsonObject:
    try:
        return require_object(parse_json(body), InvalidProfile)
    except ParseError:
        raise InvalidProfile("The profile is not JSON.") from None
