"""What `ConnectionStore` promises, on every backend."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from chalicelib.notify.ports import ConnectionRow, ConnectionStore
from tests.support.stores import EARLIER_S, LATER_S, NOW_S, Backend, new_key, new_shard


def _new(
    *, owner: bytes | None = None, shard: int = 0, sealed: bytes = b"sealed", expires_at_s: int = LATER_S
) -> ConnectionRow:
    return ConnectionRow(new_key(), sealed, expires_at_s, owner=owner, shard=shard)


def _of_shard(connections: ConnectionStore, shard: int, limit: int = 100) -> list[ConnectionRow]:
    """All of a shard, page by page."""
    found: list[ConnectionRow] = []
    after: bytes | None = None
    while True:
        page = connections.of_shard(shard, after=after, limit=limit, now_s=NOW_S)
        assert len(page.rows) <= limit
        found += page.rows
        if page.last is None:
            return found
        assert after is None or page.last > after, "a page that does not lead on"
        after = page.last


def test_a_socket_is_known_before_it_has_signed_in(backend: Backend) -> None:
    connections, row = backend.store.connections, _new()
    assert connections.get(row.connection, now_s=NOW_S) is None
    connections.put(row)
    connections.put(row)
    assert connections.get(row.connection, now_s=NOW_S) == row


def test_a_socket_that_has_signed_in_is_found_by_account_and_by_shard(backend: Backend) -> None:
    connections, owner, shard = backend.store.connections, new_key(), new_shard()
    row = _new()
    connections.put(row)
    assert connections.of_account(owner, now_s=NOW_S) == ()
    signed_in = replace(row, owner=owner, shard=shard, sealed=b"with a name")
    connections.put(signed_in)
    assert connections.get(row.connection, now_s=NOW_S) == signed_in
    assert connections.of_account(owner, now_s=NOW_S) == (signed_in,)
    assert _of_shard(connections, shard) == [signed_in]


def test_a_socket_without_an_account_is_in_no_list(backend: Backend) -> None:
    connections, shard = backend.store.connections, new_shard()
    connections.put(_new(shard=shard))
    assert _of_shard(connections, shard) == []


def test_all_sockets_of_an_account_are_found_and_no_other_ones(backend: Backend) -> None:
    connections, owner = backend.store.connections, new_key()
    rows = [_new(owner=owner, sealed=bytes([n]), shard=new_shard()) for n in range(20)]
    for row in [*rows, _new(owner=new_key()), _new()]:
        connections.put(row)
    expected = sorted(rows, key=lambda row: row.connection)
    assert list(connections.of_account(owner, now_s=NOW_S)) == expected


def test_more_sockets_than_one_answer_holds(backend: Backend) -> None:
    """DynamoDB ends an answer after 1 MB."""
    connections, owner, shard = backend.store.connections, new_key(), new_shard()
    rows = [_new(owner=owner, shard=shard, sealed=bytes([n]) * 300_000) for n in range(5)]
    for row in rows:
        connections.put(row)
    expected = sorted(rows, key=lambda row: row.connection)
    assert list(connections.of_account(owner, now_s=NOW_S)) == expected
    assert _of_shard(connections, shard) == expected


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
def test_a_shard_is_visited_page_by_page(backend: Backend, limit: int) -> None:
    connections, shard = backend.store.connections, new_shard()
    live = [_new(owner=new_key(), shard=shard) for _ in range(4)]
    expired = [_new(owner=new_key(), shard=shard, expires_at_s=NOW_S) for _ in range(3)]
    for row in [*live, *expired]:
        connections.put(row)
    assert _of_shard(connections, shard, limit) == sorted(live, key=lambda row: row.connection)


@pytest.mark.parametrize(("expires_at_s", "live"), [(NOW_S + 1, True), (NOW_S, False), (EARLIER_S, False)])
def test_an_expired_socket_is_not_served_though_it_stands(
    backend: Backend, expires_at_s: int, live: bool
) -> None:
    connections, owner, shard = backend.store.connections, new_key(), new_shard()
    row = _new(owner=owner, shard=shard, expires_at_s=expires_at_s)
    connections.put(row)
    assert connections.get(row.connection, now_s=NOW_S) == (row if live else None)
    assert connections.of_account(owner, now_s=NOW_S) == ((row,) if live else ())
    assert _of_shard(connections, shard) == ([row] if live else [])


def test_removing_forgets_the_socket_everywhere(backend: Backend) -> None:
    connections, owner, shard = backend.store.connections, new_key(), new_shard()
    row, other = _new(owner=owner, shard=shard), _new(owner=owner, shard=shard)
    connections.put(row)
    connections.put(other)
    for _ in range(2):
        connections.remove(row)
        assert connections.get(row.connection, now_s=NOW_S) is None
        assert connections.of_account(owner, now_s=NOW_S) == (other,)
        assert _of_shard(connections, shard) == [other]


def test_a_socket_without_account_is_removed_too(backend: Backend) -> None:
    connections, row = backend.store.connections, _new()
    connections.put(row)
    for _ in range(2):
        connections.remove(row)
        assert connections.get(row.connection, now_s=NOW_S) is None


@pytest.mark.parametrize("signed_out", [False, True])
def test_a_socket_that_changes_its_account_leaves_the_old_one(backend: Backend, signed_out: bool) -> None:
    connections, first, second, shard = backend.store.connections, new_key(), new_key(), new_shard()
    row = _new(owner=first, shard=shard)
    connections.put(row)
    changed = replace(row, owner=None if signed_out else second, shard=shard + 1)
    connections.put(changed)
    assert connections.get(row.connection, now_s=NOW_S) == changed
    assert connections.of_account(first, now_s=NOW_S) == ()
    assert _of_shard(connections, shard) == []
    expected = () if signed_out else (changed,)
    assert connections.of_account(second, now_s=NOW_S) == expected
    assert tuple(_of_shard(connections, shard + 1)) == expected


def test_pings_are_numbered_and_pongs_counted(backend: Backend) -> None:
    connections, row = backend.store.connections, _new(owner=new_key(), shard=new_shard())
    connections.put(row)
    assert [connections.pinged(row.connection) for _ in range(3)] == [1, 2, 3]
    connections.ponged(row.connection)
    assert connections.get(row.connection, now_s=NOW_S) == replace(row, pings=3, pongs=1)
    (listed,) = connections.of_account(row.owner or b"", now_s=NOW_S)
    assert listed == row, "lists do not tell the counts"
    assert _of_shard(connections, row.shard) == [row]


def test_counts_stand_in_the_row_that_is_put(backend: Backend) -> None:
    connections, row = backend.store.connections, _new()
    connections.put(row)
    connections.pinged(row.connection)
    signed_in = replace(row, owner=new_key(), shard=new_shard(), pings=7, pongs=5)
    connections.put(signed_in)
    assert connections.get(row.connection, now_s=NOW_S) == signed_in
    assert connections.pinged(row.connection) == 8
    connections.put(row)
    assert connections.get(row.connection, now_s=NOW_S) == row


def test_nothing_is_counted_for_a_socket_that_is_not_known(backend: Backend) -> None:
    connections, unknown = backend.store.connections, new_key()
    assert connections.pinged(unknown) == 0
    connections.ponged(unknown)
    assert connections.get(unknown, now_s=NOW_S) is None


def test_thirty_two_threads_get_different_numbers(atomic_backend: Backend) -> None:
    connections, row = atomic_backend.store.connections, _new(owner=new_key(), shard=new_shard())
    connections.put(row)
    with ThreadPoolExecutor(32) as pool:
        pongs = [pool.submit(connections.ponged, row.connection) for _ in range(40)]
        numbers = sorted(pool.map(lambda _: connections.pinged(row.connection), range(64)))
        for pong in pongs:
            pong.result()
    assert numbers == list(range(1, 65))
    assert connections.get(row.connection, now_s=NOW_S) == replace(row, pings=64, pongs=40)


def test_a_mark_remembers_the_ping_behind_a_message(backend: Backend) -> None:
    connections, owner, message = backend.store.connections, new_key(), new_key()[:16]
    assert connections.marks(owner, message, now_s=NOW_S) == {}
    pings = {new_key(): 3, new_key(): 1}
    connections.mark(owner, message, pings, expires_at_s=LATER_S)
    assert connections.marks(owner, message, now_s=NOW_S) == pings
    assert connections.marks(owner, new_key()[:16], now_s=NOW_S) == {}
    assert connections.marks(new_key(), message, now_s=NOW_S) == {}
    connections.mark(owner, message, {}, expires_at_s=LATER_S)
    assert connections.marks(owner, message, now_s=NOW_S) == {}


def test_a_mark_expires(backend: Backend) -> None:
    connections, owner, message, pings = backend.store.connections, new_key(), new_key()[:16], {new_key(): 1}
    connections.mark(owner, message, pings, expires_at_s=NOW_S + 10)
    assert connections.marks(owner, message, now_s=NOW_S + 9) == pings
    assert connections.marks(owner, message, now_s=NOW_S + 10) == {}
