from __future__ import annotations

import zlib
from dataclasses import replace

import pytest

from chalicelib.relay.mailbox import Mailbox
from chalicelib.relay.ports import InboxItem, InboxKey
from chalicelib.relay.positions import Positions
from chalicelib.relay.sizes import carried_bytes
from chalicelib.relay.stored_envelope import StoredEnvelope
from chalicelib.relay.vault import Vault
from chalicelib.store.memory import MemoryStore
from tests.unit.relay.ports import HandClock, SeededChance

BOB, CAROL = b"b" * 32, b"c" * 32
STORED = StoredEnvelope(
    sender="alice.eth",
    message="sealed",
    metadata={"deliveryInformation": "sealed", "signature": ""},
    postmark="sealed",
    delivery_information={"to": "bob.eth", "from": "alice.eth"},
    message_hash="0x12",
    relay_added=False,
    verified=True,
)


class Shelf:
    """A mailbox and its store."""

    def __init__(self) -> None:
        self.vault = Vault(b"i" * 32, b"s" * 32, SeededChance())
        self.clock, self.store = HandClock(), MemoryStore()
        self.mailbox = Mailbox(self.store.inbox, self.vault, Positions(self.vault), self.clock)

    def put(self, number: int, account: bytes = BOB) -> InboxItem:
        key = InboxKey(number, number.to_bytes(16, "big"))
        item = self.mailbox.seal(account, key, STORED, self.clock.now_s + 60)
        self.store.inbox.put(account, item)
        return item


def test_an_item_opens_under_its_own_account_and_key_only() -> None:
    shelf = Shelf()
    item = shelf.put(1)
    shelf.store.inbox.put(CAROL, item)
    shelf.store.inbox.put(BOB, replace(item, key=InboxKey(2, b"x" * 16)))
    ours = shelf.mailbox.read(BOB, None, limit=9, max_bytes=10**6)
    foreign = shelf.mailbox.read(CAROL, None, limit=9, max_bytes=10**6)
    assert (len(ours.opened), ours.unreadable) == (1, 1)
    assert (len(foreign.opened), foreign.unreadable) == (0, 1)


def test_a_batch_says_how_large_it_is_in_an_answer() -> None:
    shelf = Shelf()
    shelf.put(1)
    batch = shelf.mailbox.read(BOB, None, limit=9, max_bytes=10**6)
    assert batch.size_bytes == carried_bytes(batch.opened[0].message.to_json())


@pytest.mark.parametrize(
    "plain", [b"", b"\x02", b"\x01\x00\x00\x00\x03abc", b"\x01" + (8).to_bytes(4, "big") + zlib.compress(b"")]
)
def test_what_another_version_has_sealed_is_passed_over(plain: bytes) -> None:
    shelf = Shelf()
    key = InboxKey(0, bytes(16))
    sealed = shelf.vault.seal(plain, b"message" + BOB + key.to_bytes())
    shelf.store.inbox.put(BOB, InboxItem(key, sealed, shelf.clock.now_s + 60))
    shelf.put(1)
    batch = shelf.mailbox.read(BOB, None, limit=9, max_bytes=10**6)
    assert (len(batch.opened), batch.unreadable, batch.more) == (1, 1, False)
