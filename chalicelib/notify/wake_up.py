"""A wish to wake a person: for one message, or for all mail since a moment in place of many wishes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from chalicelib.notify.events import MessageReceived
from chalicelib.relay.ports import InboxKey

WAKE_UP: Final = "wake-up"


@dataclass(frozen=True, slots=True)
class WakeUp:
    """Wake `owner` (32 bytes) for `message`, or, if that is None, for any message stored after `since_ms`.

    For one message `since_ms` is the moment just before it was stored.
    """

    owner: bytes
    since_ms: int
    message: InboxKey | None = None

    def to_text(self) -> str:
        """`{"type", "account", "since" (ms)}` as JSON, for one without `message`."""
        members = {"type": WAKE_UP, "account": self.owner.hex(), "since": self.since_ms}
        return json.dumps(members, separators=(",", ":"))

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> WakeUp:
        """The wish in a record of a channel's queue: an event from the topic, or the text of a wish.

        Raises ValueError for anything that this relay has not written.
        """
        members = json.loads(record["body"])
        if not isinstance(members, Mapping) or members.get("type") != WAKE_UP:
            event = MessageReceived.of_record(record)
            return cls(event.owner, event.key.stored_at_ms - 1, event.key)
        try:
            owner, since_ms = bytes.fromhex(members["account"]), members["since"]
        except (KeyError, TypeError):
            raise ValueError("not a wake-up of this relay") from None
        if len(owner) != 32 or type(since_ms) is not int:
            raise ValueError("not a wake-up of this relay")
        return cls(owner, since_ms)
