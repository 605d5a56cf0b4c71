"""The text in the queue that says: try this now. It names nobody, and decides nothing.

`account` and `endpoint` are the keyed hash of an inbox and an endpoint's random id; `entry` is the sort key
of the delivery in the endpoint's log.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

_KIND = "webhook.try"
ENTRY_BYTES = 24


@dataclass(frozen=True, slots=True)
class DueTry:
    """Try `number` of the delivery `entry` (24 bytes) to `endpoint_id` of the account `owner` (32 bytes)."""

    owner: bytes
    endpoint_id: str
    entry: bytes
    number: int

    def to_text(self) -> str:
        """`{"type", "account", "endpoint", "entry", "try"}` as JSON."""
        return json.dumps(
            {
                "type": _KIND,
                "account": self.owner.hex(),
                "endpoint": self.endpoint_id,
                "entry": self.entry.hex(),
                "try": self.number,
            },
            separators=(",", ":"),
        )

    @classmethod
    def read(cls, text: str) -> DueTry | None:
        """Inverse of `to_text`; None for a text of another type.

        Raises ValueError for what this relay has not written.
        """
        members = json.loads(text)
        try:
            if members["type"] != _KIND:
                return None
            owner, entry = bytes.fromhex(members["account"]), bytes.fromhex(members["entry"])
            endpoint_id, number = members["endpoint"], members["try"]
        except (TypeError, KeyError):
            raise ValueError("not a text of this relay") from None
        shaped = len(owner) == 32 and len(entry) == ENTRY_BYTES
        if not (shaped and type(endpoint_id) is str and type(number) is int and number > 0):
            raise ValueError("not a text of this relay")
        return cls(owner, endpoint_id, entry, number)
