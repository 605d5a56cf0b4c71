"""Randomness that is the same in every run."""

from __future__ import annotations

from hashlib import shake_256


class CountingEntropy:
    """Implements `protocol.entropy.Entropy`; never gives the same bytes twice."""

    def __init__(self) -> None:
        self._calls = 0

    def token(self, size_bytes: int) -> bytes:
        self._calls += 1
        return shake_256(str(self._calls).encode()).digest(size_bytes)
