"""What `SubmissionStore` promises, on every backend."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from chalicelib.relay.ports import InboxKey, Submission
from tests.support.stores import EARLIER_S, LATER_S, NOW_S, Backend, new_key


def _submission(
    partition: bytes, sort: bytes = b"s" * 32, receipt: bytes = b"receipt", expires_at_s: int = LATER_S
) -> Submission:
    return Submission(
        partition, sort, InboxKey(7, b"i" * 16), receipt, stored=False, expires_at_s=expires_at_s
    )


def test_the_first_submission_stands(backend: Backend) -> None:
    rows, partition = backend.store.submissions, new_key()
    first, second = _submission(partition), _submission(partition, receipt=b"another")
    assert rows.get(partition, first.sort, now_s=NOW_S) is None
    assert rows.begin(first, now_s=NOW_S) == first
    assert rows.begin(second, now_s=NOW_S) == first
    assert rows.begin(first, now_s=NOW_S) == first
    assert rows.get(partition, first.sort, now_s=NOW_S) == first


def test_a_completed_submission_says_so_and_keeps_its_receipt(backend: Backend) -> None:
    rows, partition = backend.store.submissions, new_key()
    first = _submission(partition)
    rows.begin(first, now_s=NOW_S)
    rows.complete(partition, first.sort)
    rows.complete(partition, first.sort)
    assert rows.get(partition, first.sort, now_s=NOW_S) == replace(first, stored=True)
    assert rows.begin(first, now_s=NOW_S) == replace(first, stored=True)


def test_completing_what_is_gone_brings_nothing_back(backend: Backend) -> None:
    rows, partition = backend.store.submissions, new_key()
    rows.complete(partition, b"s" * 32)
    assert rows.get(partition, b"s" * 32, now_s=NOW_S) is None
    assert rows.find(partition, b"", now_s=NOW_S, limit=10) == ()


def test_an_expired_submission_is_absent_and_may_be_replaced(backend: Backend) -> None:
    rows, partition = backend.store.submissions, new_key()
    old = _submission(partition, expires_at_s=NOW_S)
    rows.begin(old, now_s=EARLIER_S)
    assert rows.get(partition, old.sort, now_s=EARLIER_S) == old
    assert rows.get(partition, old.sort, now_s=NOW_S) is None
    assert rows.find(partition, old.sort, now_s=NOW_S, limit=10) == ()
    new = _submission(partition, receipt=b"new")
    assert rows.begin(new, now_s=NOW_S) == new
    assert rows.get(partition, old.sort, now_s=NOW_S) == new


def test_finding_by_sender(backend: Backend) -> None:
    rows, partition = backend.store.submissions, new_key()
    alice = [_submission(partition, b"a" * 16 + bytes([n]) * 16) for n in range(60)]
    gone = [_submission(partition, b"a" * 15 + bytes([n]) + b"x" * 16, expires_at_s=NOW_S) for n in range(40)]
    mallory = _submission(partition, b"m" * 32)
    for one in [*gone, *alice, mallory]:
        rows.begin(one, now_s=EARLIER_S)
    assert rows.find(partition, b"a" * 16, now_s=NOW_S, limit=1000) == tuple(alice)
    assert rows.find(partition, b"a" * 15, now_s=NOW_S, limit=5) == tuple(alice[:5])
    assert rows.find(partition, mallory.sort, now_s=NOW_S, limit=5) == (mallory,)
    assert rows.find(partition, b"", now_s=NOW_S, limit=1000) == (*alice, mallory)
    assert rows.find(partition, b"b", now_s=NOW_S, limit=5) == ()
    assert rows.find(new_key(), b"a", now_s=NOW_S, limit=5) == ()


def test_of_many_at_the_same_time_one_begins(atomic_backend: Backend) -> None:
    rows, partition = atomic_backend.store.submissions, new_key()
    rivals = [_submission(partition, receipt=bytes([n])) for n in range(32)]
    with ThreadPoolExecutor(32) as pool:
        answers = set(pool.map(lambda one: rows.begin(one, now_s=NOW_S), rivals))
    assert answers == {rows.get(partition, b"s" * 32, now_s=NOW_S)}
