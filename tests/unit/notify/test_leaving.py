from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from chalicelib.notify.events import Channel
from chalicelib.notify.leaving import Leaving
from chalicelib.notify.preference_book import PreferenceBook
from chalicelib.notify.preferences import PendingCode, Preferences, WakeUpChannel
from chalicelib.protocol.errors import Unavailable
from chalicelib.relay.values import Account
from chalicelib.relay.vault import Vault
from chalicelib.store.memory import MemoryStore
from tests.unit.relay.ports import SeededChance

ACCOUNT = Account(b"k" * 32, b"i" * 32, "0x" + "11" * 20, "bob.eth", "key")
STANDING = Preferences(
    channels=(
        WakeUpChannel(Channel.EMAIL, "bob@example.com", code=PendingCode(b"hash", 1, 3)),
        WakeUpChannel(Channel.SMS, "+15550100", enabled=False, verified=True),
    )
)


@dataclass
class Parts:
    """The desks as far as they matter here; what was called is in `calls`."""

    calls: list[str] = field(default_factory=list)
    failure: Exception | None = None

    def settings(self, _account: Account) -> dict[str, Any]:
        return {"quietHours": None, "minutesBetween": {}}

    def list(self, _account: Account) -> tuple[dict[str, Any], ...]:
        return ({"id": "w", "url": "https://a.example"},)

    def forget_webhooks(self, _account: Account) -> None:
        self.calls.append("webhooks")

    def close_sockets(self, _account: Account) -> None:
        self.calls.append("sockets")
        if self.failure is not None:
            raise self.failure


@pytest.fixture
def book() -> PreferenceBook:
    book = PreferenceBook(MemoryStore().preferences, Vault(b"1" * 32, b"2" * 32, SeededChance()))
    book.update(ACCOUNT.inbox, lambda _: STANDING)
    return book


def leaving(book: PreferenceBook, parts: Parts) -> Leaving:
    return Leaving(
        book=book,
        notifications=cast("Any", parts),
        webhooks=cast("Any", parts),
        forget_webhooks=parts.forget_webhooks,
        close_sockets=parts.close_sockets,
    )


def test_an_export_has_channels_whether_they_are_used_or_not_and_no_code(book: PreferenceBook) -> None:
    exported = leaving(book, Parts()).export(ACCOUNT)
    assert exported == {
        "notifications": {
            "enabled": False,
            "channels": [
                {"type": "EMAIL", "recipient": "bob@example.com", "enabled": True, "verified": False},
                {"type": "SMS", "recipient": "+15550100", "enabled": False, "verified": True},
            ],
            "quietHours": None,
            "minutesBetween": {},
        },
        "webhooks": [{"id": "w", "url": "https://a.example"}],
    }


def test_nothing_is_left_and_logs_go_before_what_finds_them(book: PreferenceBook) -> None:
    parts = Parts()
    leaving(book, parts).forget(ACCOUNT)
    assert parts.calls == ["webhooks", "sockets"]
    assert book.load(ACCOUNT.inbox) == Preferences()


def test_what_was_cut_short_can_be_repeated(book: PreferenceBook) -> None:
    parts = Parts(failure=Unavailable())
    with pytest.raises(Unavailable):
        leaving(book, parts).forget(ACCOUNT)
    parts.failure = None
    leaving(book, parts).forget(ACCOUNT)
    assert book.load(ACCOUNT.inbox) == Preferences()
