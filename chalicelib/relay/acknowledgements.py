"""Acknowledging deletes, at a cost per message that does not depend on how much else is in the inbox."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from chalicelib.names.normalize import normalize
from chalicelib.protocol.errors import InvalidName, InvalidParams
from chalicelib.relay.journal import Journal
from chalicelib.relay.ports import InboxKey, InboxStore
from chalicelib.relay.positions import Positions
from chalicelib.relay.settings import Limits


class Acknowledgements:
    """Deletes by id, and by what the reference's client knows: contact and message hash."""

    def __init__(self, store: InboxStore, journal: Journal, positions: Positions, limits: Limits) -> None:
        self._store = store
        self._journal = journal
        self._positions = positions
        self._limits = limits

    def by_id(self, inbox: bytes, ids: Sequence[str]) -> int:
        """Delete the messages with these ids; the number of distinct ones. One delete each.

        Raises InvalidParams, having deleted nothing, for foreign or malformed ids and for too many.
        """
        keys = {self._positions.read_id(inbox, text) for text in dict.fromkeys(ids)}
        if len(keys) > self._limits.acknowledgements:
            raise InvalidParams("Too many ids at once.")
        return self._delete(inbox, keys)

    def by_pairs(self, inbox: bytes, pairs: Sequence[tuple[str, str]]) -> int:
        """Delete what (contact, messageHash) name; the number of messages. One query for each pair.

        A contact that did not send such a message, or that is no name, is a no-op, and so is a pair with an
        empty half. Of more distinct pairs than the limit, the first are worked: the reference's client has no
        way to learn of a limit, and acknowledges again what it is given again.
        """
        keys: set[InboxKey] = set()
        distinct = dict.fromkeys(pair for pair in pairs if all(pair))
        for contact, message_hash in islice(distinct, self._limits.acknowledgements):
            try:
                sender = normalize(contact)
            except InvalidName:
                continue
            keys.update(self._journal.inbox_keys(inbox, sender, message_hash))
        return self._delete(inbox, keys)

    def _delete(self, inbox: bytes, keys: set[InboxKey]) -> int:
        if keys:
            self._store.delete(inbox, sorted(keys))
        return len(keys)
