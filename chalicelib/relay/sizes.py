"""How large things are: on the way in, against the advertised limit, and on the way out, for the gateway."""

from __future__ import annotations

import json

from chalicelib.protocol.canonical import canonicalize
from chalicelib.protocol.errors import TooBig
from chalicelib.protocol.json_types import JsonObject, JsonValue
from chalicelib.protocol.weight import outweighs
from chalicelib.relay.vault import text_bytes

# Of the metadata, apart from the delivery information: several times what any revision has, and little enough
# that making its canonical text again and again costs next to nothing.
MAX_METADATA_BYTES = 65_536
MAX_METADATA_VALUES = 1_000
# A refused envelope of this size has cost something, whatever was wrong with it.
LARGE_BYTES = 65_536
_VALUE_BYTES = 8  # what a value takes at least, about, with what is around it


def envelope_bytes(envelope: JsonValue) -> int:
    """What `sizeLimit` limits: UTF-8 bytes of the envelope's text, or of its canonical text if it is no text.

    The reference measures the canonical text; its clients send just that.
    """
    return len(text_bytes(envelope if isinstance(envelope, str) else canonicalize(envelope)))


def carried_bytes(value: JsonValue) -> int:
    """Bytes that `value` takes in an answer of Lambda to API Gateway, at most.

    The answer's body is canonical JSON, where a number may be longer than it came, and is carried as a JSON
    string (counted with everything but ASCII escaped).
    """
    return len(json.dumps(canonicalize(value))) - len('""')


def require_small(metadata: JsonObject) -> None:
    """Raises TooBig for over 1,000 values or 64 KiB of canonical text; looks no further than that."""
    if (
        outweighs(metadata, values=MAX_METADATA_VALUES, characters=MAX_METADATA_BYTES)
        or len(text_bytes(canonicalize(metadata))) > MAX_METADATA_BYTES
    ):
        raise TooBig("The metadata is too large.")


def is_large(value: JsonValue) -> bool:
    """Whether `value` is of over 64 KiB, roughly; looks no further than that."""
    return outweighs(value, values=LARGE_BYTES // _VALUE_BYTES, characters=LARGE_BYTES)
