"""The receiver's policy: whom do we accept? Asked only about envelopes whose sender is settled.

Policy is apart from verification: `relay.senders` says who wrote, a policy says whether that is welcome.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from chalicelib.names.directory import Toll
from chalicelib.relay.residents import Resident
from chalicelib.relay.senders import Sender


@dataclass(frozen=True, slots=True)
class Candidate:
    """An envelope as a policy sees it: for `receiver`, under the normalised name `to`, by `sender`.

    `letter` is the same for the same envelope, however often it comes. `toll` is paid for each reading of the
    chain, on the source's account. No rule about addresses may pass
    without `sender.address` (DESIGN, decision 4).
    """

    receiver: Resident
    to: str
    sender: Sender
    size_bytes: int
    letter: bytes
    toll: Toll | None = None

    @property
    def kib(self) -> int:
        """What quotas in KiB are charged: at least 1."""
        return self.size_bytes // 1_024 + 1


Dues = Callable[[], None]
"""Counts what a policy counts of a candidate. Raises Spam if others were faster, and Unavailable."""


def nothing_due() -> None:
    """The dues of a policy that counts nothing."""


class Policy(Protocol):
    """Decides whether a receiver accepts a candidate."""

    def admit(self, candidate: Candidate) -> Dues:
        """Return to accept: what is to be called when nothing else can refuse the candidate any more.

        Raises Spam with the public rule in `data`, or `{"rule": "receiver"}`; Unavailable if it cannot be
        told just now; LimitExceeded if the toll cannot be paid.
        """
        ...
