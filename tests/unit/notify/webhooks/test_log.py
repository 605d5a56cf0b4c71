from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.notify.events import MessageReceived, SizeClass
from chalicelib.notify.webhooks.deliveries import Attempt, Delivery, DeliveryState
from chalicelib.notify.webhooks.log import DeliveryLog, delivery_id, entry_at, entry_of
from chalicelib.protocol.errors import InternalError, NotFound, Unavailable
from chalicelib.relay.ports import Conflict, InboxKey
from chalicelib.relay.vault import Vault
from chalicelib.store.memory import MemoryStore, Moment
from tests.unit.relay.ports import START_MS, HandClock, SeededChance

EVENT = MessageReceived(b"o" * 32, InboxKey(START_MS, b"m" * 16), SizeClass.SMALL)
NEW = Delivery.of(EVENT, held=False)
LOG_KEY = b"k" * 32


def of(store: MemoryStore, storage_key: bytes = b"s" * 32) -> DeliveryLog:
    return DeliveryLog(store.deliveries, Vault(b"i" * 32, storage_key, SeededChance()), HandClock())


@given(st.binary(min_size=24, max_size=24))
def test_ids_lead_back_and_have_no_full_stop(entry: bytes) -> None:
    text = delivery_id(entry)
    assert "." not in text
    assert entry_of(text) == entry


@given(st.text() | st.text(min_size=32, max_size=32).map("msg_".__add__))
def test_any_other_text_is_not_found(text: str) -> None:
    with contextlib.suppress(NotFound):
        assert delivery_id(entry_of(text)) == text


@pytest.mark.parametrize("text", ["A" * 29 + "=AA", "=" + "A" * 31, "A" * 31 + "=", "A" * 33, "é" * 32])
def test_what_base64_cannot_read_is_not_found(text: str) -> None:
    with pytest.raises(NotFound):
        entry_of(f"msg_{text}")


def test_one_event_has_one_entry_at_each_endpoint() -> None:
    log = of(MemoryStore())
    one, other = log.key(b"o" * 32, "a"), log.key(b"o" * 32, "b")
    assert log.entry_for(one, EVENT) == log.entry_for(one, EVENT)
    assert log.entry_for(one, EVENT) != log.entry_for(other, EVENT)
    assert log.entry_for(one, EVENT)[:8] == START_MS.to_bytes(8, "big")
    assert EVENT.key.message_id not in log.entry_for(one, EVENT)


def test_what_has_begun_stays_and_what_is_gone_is_not_changed() -> None:
    store = MemoryStore()
    log, entry = of(store), entry_at(START_MS, b"x" * 16)
    first = log.begin(LOG_KEY, entry, NEW)
    assert log.begin(LOG_KEY, entry, NEW.held()) == first
    changed = log.change(first, Delivery.held)
    assert changed is not None
    assert (changed.version, changed.delivery.state) == (2, DeliveryState.HELD)
    assert log.change(changed, Delivery.held) == changed
    # By a version that has passed: the change is made of what stands now.
    noted = log.change(first, lambda delivery: delivery.after(Attempt(1, 0, 0, 500), None))
    assert noted is not None
    assert (noted.version, noted.delivery.state) == (3, DeliveryState.HELD)
    log.forget(LOG_KEY)
    assert log.change(noted, lambda delivery: delivery.again(5)) is None
    assert log.find(LOG_KEY, entry) is None


def test_writers_who_never_meet_give_up() -> None:
    store = MemoryStore()
    log, entry = of(store), entry_at(START_MS, b"x" * 16)
    filed = log.begin(LOG_KEY, entry, NEW)

    def conflict(operation: str, moment: Moment) -> None:
        if operation == "deliveries.put" and moment is Moment.BEFORE:
            raise Conflict

    store.faults = conflict
    with pytest.raises(Unavailable):
        log.change(filed, Delivery.held)
    with pytest.raises(Unavailable):
        log.begin(LOG_KEY, entry_at(START_MS, b"y" * 16), NEW)


def test_two_who_begin_at_once_have_one_entry() -> None:
    store = MemoryStore()
    log, entry = of(store), entry_at(START_MS, b"x" * 16)
    struck: list[str] = []

    def somebody_first(operation: str, moment: Moment) -> None:
        if operation == "deliveries.put" and moment is Moment.BEFORE and not struck:
            struck.append(operation)
            of(store).begin(LOG_KEY, entry, NEW.held())

    store.faults = somebody_first
    assert log.begin(LOG_KEY, entry, NEW).delivery.state is DeliveryState.HELD


def test_without_its_storage_key_nothing_is_read() -> None:
    store = MemoryStore()
    entry = entry_at(START_MS, b"x" * 16)
    of(store).begin(LOG_KEY, entry, NEW)
    with pytest.raises(InternalError):
        of(store, b"t" * 32).find(LOG_KEY, entry)
