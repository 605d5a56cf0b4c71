"""How large things are: on the way in, against the advertised limit, and on the way out, for the gateway."""

from __future__ import annotations

import json

from chalicelib.protocol.canonical import canonicalize
from chalicelib.protocol.json_types import JsonValue
from chalicelib.relay.vault import text_bytes


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
