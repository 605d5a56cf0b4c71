"""Canonical JSON: the one text of a value, which is what dm3 hashes and signs.

The reference serialises with `safe-stable-stringify`, which does as ECMAScript's `JSON.stringify` (ECMA-262,
25.5.2) and sorts members by UTF-16 code unit: no spaces, no escapes but the necessary ones, numbers printed
as doubles (ECMA-262, 6.1.6.1.20), infinities as `null`. A verifier serialises again what it has parsed, so
the spelling of numbers decides whether a signature is genuine.

What ECMAScript calls `undefined` has no counterpart here: a member without a value is left out by whoever
makes the object. Text in, text out; no I/O.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from itertools import accumulate
from json.encoder import encode_basestring
from typing import NoReturn

from chalicelib.protocol.errors import InvalidEncoding, ParseError
from chalicelib.protocol.json_types import JsonValue

DEFAULT_MAX_DEPTH = 64
# Deeper values can be made by a program only: `parse_json` refuses them, and each level costs a call.
_MAX_CANONICAL_DEPTH = 200
# Whole numbers up to here are exact in a double, and printed digit by digit.
_MAX_SAFE_INTEGER = 2**53
# Doubles end below 1.8e308, so more digits than these are infinite, or zeros after the point of no interest.
_MAX_INTEGER_DIGITS = 400
# From 1e21 on ECMAScript prints exponents; below 1e-6 too.
_POSITIONAL_DIGITS = 21
_LEADING_ZEROS = 6
# A string, or the rest of the text if it does not end; possessive, so that it takes linear time.
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_NO_BRACKETS = bytes(set(range(256)) - _STEPS.keys())
_SURROGATES = re.compile("[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]")


def canonicalize(value: JsonValue) -> str:
    """The canonical JSON text of `value` (ECMA-262, 25.5.2.2 `SerializeJSONProperty`, members sorted).

    Raises `InvalidEncoding` for what is not JSON, or nested more than 200 levels deep.
    """
    text = _serialize(value, _MAX_CANONICAL_DEPTH)
    return text if text.isascii() else _SURROGATES.sub(_well_formed, text)


def parse_json(text: str | bytes, *, max_depth: int = DEFAULT_MAX_DEPTH) -> JsonValue:
    """The value that `text` (bytes: UTF-8 without byte order mark) stands for (RFC 8259).

    Of members with the same name the last counts, as in ECMAScript. Numbers out of the range of doubles
    become infinite. Raises `ParseError` for anything else that is not JSON, `NaN` and `Infinity` included,
    and for arrays and objects nested more than `max_depth` levels deep.
    """
    try:
        source = text.decode() if isinstance(text, bytes) else text
        # Looked at first: the decoder recurses in C, as deep as a stranger likes.
        if _is_deeper(source, max_depth):
            raise ParseError("The JSON is nested too deeply.")
        value: JsonValue = _DECODER.decode(source)
    except ValueError:  # of the decoder: JSONDecodeError, and of the bytes: UnicodeDecodeError
        raise ParseError from None
    return value


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_INTEGER_DIGITS else float(digits)


def _not_json(_: str) -> NoReturn:
    raise ParseError


_DECODER = json.JSONDecoder(parse_int=_integer, parse_constant=_not_json)


def _is_deeper(text: str, max_depth: int) -> bool:
    """Whether brackets outside of strings are nested more than `max_depth` deep, in JSON or not."""
    if text.count("[") + text.count("{") <= max_depth:
        return False
    brackets = _STRING.sub("", text).encode("ascii", "ignore").translate(None, _NO_BRACKETS)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0) > max_depth


def _serialize(value: JsonValue, depth: int) -> str:
    match value:
        case str():
            return encode_basestring(value)
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return number_text(value)
    if depth == 0:
        raise InvalidEncoding("The value is nested too deeply.")
    match value:
        case Mapping():
            members = [
                f"{encode_basestring(name)}:{_serialize(value[name], depth - 1)}" for name in _sorted(value)
            ]
            return "{" + ",".join(members) + "}"
        case list() | tuple():
            return "[" + ",".join([_serialize(item, depth - 1) for item in value]) + "]"
    raise InvalidEncoding("The value is not JSON.")


def _sorted(members: Mapping[str, JsonValue]) -> list[str]:
    if all(map(str.isascii, members)):
        return sorted(members)
    return sorted(members, key=lambda name: name.encode("utf-16-be", "surrogatepass"))


def _well_formed(surrogates: re.Match[str]) -> str:
    """ECMA-262, 25.5.2.3 `QuoteJSONString`: a pair is its character, a lone surrogate is escaped."""
    found = surrogates[0]
    if len(found) == 1:
        return f"\\u{ord(found):04x}"
    return found.encode("utf-16-le", "surrogatepass").decode("utf-16-le")


def number_text(value: float) -> str:
    """`value` as ECMAScript prints it in JSON (ECMA-262, 6.1.6.1.20 `Number::toString`, radix 10)."""
    if isinstance(value, int):
        if abs(value) <= _MAX_SAFE_INTEGER:
            return str(value)
        try:
            value = float(value)
        except OverflowError:
            return "null"
    if not math.isfinite(value):
        return "null"
    if value == 0:
        return "0"
    return ("-" if value < 0 else "") + _positive_text(abs(value))


def _positive_text(value: float) -> str:
    # `repr` finds the same shortest digits as ECMAScript; only their arrangement differs.
    mantissa, _, exponent = repr(value).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or "0") - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    if len(digits) <= point <= _POSITIONAL_DIGITS:
        return digits.ljust(point, "0")
    if 0 < point <= _POSITIONAL_DIGITS:
        return f"{digits[:point]}.{digits[point:]}"
    if -_LEADING_ZEROS < point <= 0:
        return f"0.{'0' * -point}{digits}"
    return f"{digits[0]}{'.' if digits[1:] else ''}{digits[1:]}e{point - 1:+d}"
