"""The operator's rules in the store: one sealed row, remembered by each process for half a minute.

So a change is in force everywhere within 30 s, and at once in the process that wrote it, and a warm request
costs nothing. While the store does not answer, what a process remembers stays in force for ten minutes; a
process that remembers nothing accepts nothing.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, replace
from threading import Lock

from chalicelib.protocol.canonical import canonicalize
from chalicelib.protocol.errors import InternalError, TooBig, Unavailable, Undecryptable
from chalicelib.relay.operator_rules import OperatorRules
from chalicelib.relay.ports import AccountRow, Clock, Conflict, RuleStore
from chalicelib.relay.vault import Vault

REMEMBER_MS = 30_000
OUTAGE_MS = 600_000
# The store is asked again this often while it does not answer: a request may wait for it, not each of them.
RETRY_MS = 5_000
# Compressed; a row of the table holds at most 400 KB.
MAX_ROW_BYTES = 380_000
_ATTEMPTS = 5
_CONTEXT = b"operator rules"


@dataclass(frozen=True, slots=True)
class _Remembered:
    """Rules as they were read at `read_at_ms`; from `check_at_ms` on the store is asked again."""

    rules: OperatorRules
    version: int
    read_at_ms: int
    check_at_ms: int


class OperatorBook:
    """Reads and writes the operator's rules. Safe for use by several threads."""

    def __init__(self, store: RuleStore, vault: Vault, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._key = vault.index("operator")
        self._kept: _Remembered | None = None
        self._lock = Lock()

    def now(self) -> OperatorRules:
        """The rules in force. At most one read.

        Raises Unavailable if the store does not answer and nothing recent enough is remembered, InternalError
        if the storage key of the row is gone (`put` cures it).
        """
        kept, now_ms = self._kept, self._clock.now_ms()
        # A clock that was set back must not make what is remembered last.
        if kept is not None and kept.read_at_ms <= now_ms < kept.check_at_ms:
            return kept.rules
        try:
            return self.read()
        except Unavailable:
            if kept is None or now_ms >= kept.read_at_ms + OUTAGE_MS:
                raise
        self._kept = replace(kept, check_at_ms=now_ms + RETRY_MS)
        return kept.rules

    def read(self) -> OperatorRules:
        """The rules as they stand in the store. Raises Unavailable, and InternalError as `now`."""
        now_ms = self._clock.now_ms()
        row = self._store.get(self._key)
        rules = self._open(row)
        self._remember(rules, _version(row), now_ms)
        return rules

    def put(self, rules: OperatorRules) -> None:
        """Write the rules in place of what stands. Raises TooBig for more than a row holds, Unavailable."""
        text = zlib.compress(canonicalize(rules.to_json()).encode())
        if len(text) > MAX_ROW_BYTES:
            raise TooBig("The rules are too large; a subtree (*.name) stands for many names.")
        sealed = self._vault.seal(text, _CONTEXT)
        for _ in range(_ATTEMPTS):
            version = 1 + _version(self._store.get(self._key))
            try:
                self._store.put(AccountRow(self._key, sealed, version))
            except Conflict:
                continue
            self._remember(rules, version, self._clock.now_ms())
            return
        raise Unavailable

    def _remember(self, rules: OperatorRules, version: int, now_ms: int) -> None:
        """A reading that began before another thread wrote does not take the place of what that wrote."""
        with self._lock:
            if self._kept is None or version >= self._kept.version:
                self._kept = _Remembered(rules, version, now_ms, now_ms + REMEMBER_MS)

    def _open(self, row: AccountRow | None) -> OperatorRules:
        if row is None:
            return OperatorRules()
        try:
            return OperatorRules.restore(json.loads(zlib.decompress(self._vault.open(row.sealed, _CONTEXT))))
        except Undecryptable:
            # The operator took a storage key away too early. Nobody is let in whom the rules may keep out.
            raise InternalError from None


def _version(row: AccountRow | None) -> int:
    return 0 if row is None else row.version
