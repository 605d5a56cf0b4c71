"""Runs the vectors about canonical text, hashes and encodings."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from chalicelib.protocol.canonical import canonicalize, parse_json
from chalicelib.protocol.encoding import decode_base64, encode_base64
from chalicelib.protocol.envelope import Envelope, envelope_size_bytes
from chalicelib.protocol.errors import Dm3Error
from chalicelib.protocol.hashing import sha256_hex
from chalicelib.protocol.json_types import JsonValue
from chalicelib.protocol.message import Message
from chalicelib.protocol.profile_uri import data_uri
from tests.vectors.cases import Case, Differs, check, runs

# Nested deeper than any dm3 value; only the serialiser is of interest here.
_DEPTH = 200

# Values of JavaScript that have a counterpart in Python.
_COUNTERPARTS: dict[str, Callable[[], object]] = {
    "undefined": lambda: object(),
    "function(){}": lambda: len,
    "{toJSON(){return undefined}}": lambda: object(),
    "NaN": lambda: math.nan,
    "Infinity": lambda: math.inf,
    "-Infinity": lambda: -math.inf,
    "-0": lambda: -0.0,
    "[NaN,Infinity,-0]": lambda: [math.nan, math.inf, -0.0],
    "[undefined]": lambda: [None],
    "[1,,3]": lambda: [1, None, 3],
    "Object.create(null)": dict,
    "(()=>{const s={x:1};return {b:s,a:s}})()": lambda: {name: {"x": 1} for name in "ba"},
}


@runs("stringify")
def stringify(case: Case) -> None:
    if "input_json" in case:
        text = canonicalize(parse_json(case["input_json"], max_depth=_DEPTH))
        assert text == case["result"]
        assert canonicalize(parse_json(text, max_depth=_DEPTH)) == text
        return
    expression = case["input_js"]
    if expression.startswith('{message:"m",attachments:undefined'):
        message = Message(type="NEW", to="b", from_="a", timestamp_ms=1, message="m")
        assert message.signed_text() == case["result"]
    elif expression in _COUNTERPARTS:
        check(case, lambda: canonicalize(_COUNTERPARTS[expression]()))  # type: ignore[arg-type] # not JSON
    else:
        raise Differs("there is no such value in Python, or in JSON")


@runs("sha256")
def sha256(case: Case) -> None:
    check(case, lambda: sha256_hex(case["input"]))


@runs("base64_decode")
def base64_decode(case: Case) -> None:
    data = decode_base64(case["input"])
    assert data.hex() == case["result"]
    assert decode_base64(encode_base64(data)) == data


@runs("json_data_uri")
def json_data_uri(case: Case) -> None:
    assert data_uri(parse_json(case["input_json"])) == case["result"]


@runs("envelop_size")
def envelop_size(case: Case) -> None:
    value = parse_json(case["input_json"])
    assert len(canonicalize(value).encode()) == case["result"]
    envelope = _envelope(value)
    assert envelope is None or envelope_size_bytes(envelope) == case["result"]


def _envelope(value: JsonValue) -> Envelope | None:
    if not isinstance(value, Mapping):
        return None
    try:
        return Envelope.parse(value)
    except Dm3Error:
        return None
