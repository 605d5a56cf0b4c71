"""The port through which randomness comes in, so that the protocol stays pure and tests can pin it."""

from __future__ import annotations

from typing import Protocol


class Entropy(Protocol):
    """A source of unpredictable bytes."""

    def token(self, size_bytes: int) -> bytes:
        """`size_bytes` bytes that nobody can predict."""
        ...
