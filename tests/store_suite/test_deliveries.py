"""What `DeliveryStore` promises, on every backend."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.notify.ports import DeliveryRow, DeliveryStore
from chalicelib.relay.ports import Conflict
from tests.support.stores import EARLIER_S, LATER_S, NOW_S, Backend, new_key


def _entry(
    endpoint: bytes, n: int = 0, *, version: int = 1, sealed: bytes = b"e", expires_at_s: int = LATER_S
) -> DeliveryRow:
    sort = (NOW_S * 1_000 + n).to_bytes(8, "big") + b"event"
    return DeliveryRow(endpoint, sort, sealed, version, expires_at_s)


def _log(deliveries: DeliveryStore, endpoint: bytes, limit: int = 100) -> list[DeliveryRow]:
    """The whole log, page by page."""
    found: list[DeliveryRow] = []
    before: bytes | None = None
    while True:
        page = deliveries.newest(endpoint, before=before, limit=limit, now_s=NOW_S)
        assert len(page.rows) <= limit
        found += page.rows
        if page.last is None:
            return found
        assert before is None or page.last < before, "a page that does not lead on"
        before = page.last


def test_an_entry_is_written_version_by_version(backend: Backend) -> None:
    deliveries, endpoint = backend.store.deliveries, new_key()
    assert deliveries.get(endpoint, _entry(endpoint).sort, now_s=NOW_S) is None
    for version in (1, 1, 2, 2, 3):
        row = _entry(endpoint, version=version, sealed=bytes([version]))
        deliveries.put(row, now_s=NOW_S)
        assert deliveries.get(endpoint, row.sort, now_s=NOW_S) == row
    for version in (1, 2, 3, 5):
        with pytest.raises(Conflict):
            deliveries.put(_entry(endpoint, version=version, sealed=b"other"), now_s=NOW_S)
    with pytest.raises(Conflict):
        deliveries.put(_entry(endpoint, 1, version=2), now_s=NOW_S)


def test_an_entry_that_has_expired_is_not_there(backend: Backend) -> None:
    deliveries, endpoint = backend.store.deliveries, new_key()
    row = _entry(endpoint, expires_at_s=NOW_S + 10)
    deliveries.put(row, now_s=NOW_S)
    assert deliveries.get(endpoint, row.sort, now_s=NOW_S + 9) == row
    assert deliveries.get(endpoint, row.sort, now_s=NOW_S + 10) is None
    assert deliveries.newest(endpoint, before=None, limit=5, now_s=NOW_S + 10).rows == ()
    with pytest.raises(Conflict):
        deliveries.put(_entry(endpoint, version=2), now_s=NOW_S + 10)
    anew = _entry(endpoint, sealed=b"anew")
    with pytest.raises(Conflict):
        deliveries.put(anew, now_s=NOW_S + 9)
    deliveries.put(anew, now_s=NOW_S + 10)
    assert deliveries.get(endpoint, row.sort, now_s=NOW_S + 10) == anew


def test_a_write_that_is_repeated_after_it_has_expired_meets_itself(backend: Backend) -> None:
    deliveries, endpoint = backend.store.deliveries, new_key()
    deliveries.put(_entry(endpoint), now_s=EARLIER_S)
    second = _entry(endpoint, version=2, expires_at_s=NOW_S)
    deliveries.put(second, now_s=EARLIER_S)
    deliveries.put(second, now_s=NOW_S)
    assert deliveries.get(endpoint, second.sort, now_s=EARLIER_S) == second


@pytest.mark.parametrize("limit", [1, 2, 3, 9, 10, 11])
def test_the_log_is_read_newest_first_page_by_page(backend: Backend, limit: int) -> None:
    deliveries, endpoint = backend.store.deliveries, new_key()
    rows = [_entry(endpoint, n, expires_at_s=NOW_S if n in {0, 4, 5} else LATER_S) for n in range(10)]
    for row in [*rows, _entry(new_key())]:
        deliveries.put(row, now_s=EARLIER_S)
    expected = [row for row in reversed(rows) if row.expires_at_s > NOW_S]
    assert _log(deliveries, endpoint, limit) == expected
    middle = deliveries.newest(endpoint, before=rows[7].sort, limit=2, now_s=NOW_S)
    assert middle.rows[:1] == (rows[6],)


def test_entries_of_one_moment_are_told_apart(backend: Backend) -> None:
    deliveries, endpoint = backend.store.deliveries, new_key()
    rows = [DeliveryRow(endpoint, bytes(8) + bytes([n]), b"e", 1, LATER_S) for n in range(4)]
    for row in rows:
        deliveries.put(row, now_s=NOW_S)
    assert _log(deliveries, endpoint, 2) == rows[::-1]


def test_a_log_is_deleted_as_a_whole(backend: Backend) -> None:
    deliveries, endpoint, other = backend.store.deliveries, new_key(), new_key()
    deliveries.put(_entry(other), now_s=NOW_S)
    for n in range(60):
        deliveries.put(_entry(endpoint, n, expires_at_s=LATER_S if n % 2 else EARLIER_S + 1), now_s=EARLIER_S)
    deliveries.delete_all(endpoint)
    deliveries.delete_all(endpoint)
    assert deliveries.newest(endpoint, before=None, limit=100, now_s=0).rows == ()
    assert _log(deliveries, other) == [_entry(other)]


def test_a_log_larger_than_one_answer_is_deleted_too(backend: Backend) -> None:
    """DynamoDB ends an answer after 1 MB."""
    deliveries, endpoint = backend.store.deliveries, new_key()
    for n in range(5):
        deliveries.put(_entry(endpoint, n, sealed=b"e" * 300_000), now_s=NOW_S)
    assert len(_log(deliveries, endpoint)) == 5
    deliveries.delete_all(endpoint)
    assert _log(deliveries, endpoint) == []


def test_of_thirty_two_writers_of_a_version_one_succeeds(atomic_backend: Backend) -> None:
    deliveries, endpoint = atomic_backend.store.deliveries, new_key()
    deliveries.put(_entry(endpoint), now_s=NOW_S)

    def write(n: int) -> bool:
        try:
            deliveries.put(_entry(endpoint, version=2, sealed=bytes([n])), now_s=NOW_S)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(32) as pool:
        assert sum(pool.map(write, range(32))) == 1
