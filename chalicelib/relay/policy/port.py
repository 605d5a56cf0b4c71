"""The receiver's policy: whom do we accept? Asked only about envelopes whose sender is settled.

Policy is apart from verification: `relay.senders` says who wrote, a policy says whether that is welcome.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Candidate:
    """An envelope as a policy sees it.

    `sender_address` is set only if the sender's wallet has signed the profile: no rule about addresses may
    pass without it (DESIGN, decision 4).
    """

    receiver: bytes
    sender_name: str
    sender_address: str | None
    verified: bool
    size_bytes: int


class Policy(Protocol):
    """Decides whether a receiver accepts a candidate."""

    def admit(self, candidate: Candidate) -> None:
        """Return to accept. Raises Spam with the public rule's name in `data`, or `{"rule": "receiver"}`."""
        ...


class AcceptAll:
    """The policy of receivers who have set none."""

    def admit(self, candidate: Candidate) -> None:
        """Accept."""
