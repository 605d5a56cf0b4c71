"""What `NameStore` promises, on every backend."""

from __future__ import annotations

from chalicelib.relay.ports import NameRow
from tests.support.stores import LATER_S, NOW_S, Backend, new_key


def test_the_younger_reading_stands(backend: Backend) -> None:
    names, name = backend.store.names, new_key()
    assert names.get(name, now_s=NOW_S) is None
    for read_at_ms, sealed, written in ((5, b"a", True), (5, b"b", True), (4, b"c", False), (6, b"d", True)):
        assert names.put(NameRow(name, sealed, read_at_ms, LATER_S)) is written
    assert names.get(name, now_s=NOW_S) == NameRow(name, b"d", 6, LATER_S)


def test_a_row_that_was_dropped_holds_nothing_and_keeps_older_readings_out(backend: Backend) -> None:
    names, name = backend.store.names, new_key()
    names.put(NameRow(name, b"a", 5, LATER_S))
    dropped = NameRow(name, b"", 7, LATER_S)
    assert names.put(dropped)
    assert names.get(name, now_s=NOW_S) == dropped
    assert not names.put(NameRow(name, b"late", 6, LATER_S))
    assert names.put(NameRow(name, b"anew", 8, LATER_S))


def test_an_expired_row_is_never_served(backend: Backend) -> None:
    names, name = backend.store.names, new_key()
    names.put(NameRow(name, b"a", 5, NOW_S))
    assert names.get(name, now_s=NOW_S - 1) is not None
    assert names.get(name, now_s=NOW_S) is None
