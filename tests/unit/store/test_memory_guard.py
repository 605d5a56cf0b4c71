from __future__ import annotations

from threading import Thread

import pytest

from chalicelib.store.memory_guard import Guard, Moment


def _free(guard: Guard) -> bool:
    """Whether another thread can have the lock now."""
    got: list[bool] = []

    def acquire() -> None:
        got.append(guard.lock.acquire(timeout=0.05))
        if got[0]:
            guard.lock.release()

    other = Thread(target=acquire)
    other.start()
    other.join()
    return got[0]


def test_nobody_else_acts_inside_an_operation_while_faults_are_asked_outside() -> None:
    """What a test does in a fault may be a second caller: it must not wait for the first one."""
    guard = Guard()
    asked: list[tuple[str, Moment, bool]] = []
    guard.faults = lambda operation, moment: asked.append((operation, moment, _free(guard)))
    with guard.operation("inbox.put"):
        assert not _free(guard)
    assert asked == [("inbox.put", Moment.BEFORE, True), ("inbox.put", Moment.AFTER, True)]


def test_an_operation_that_fails_frees_the_lock_and_asks_no_more() -> None:
    guard = Guard()
    asked: list[Moment] = []
    guard.faults = lambda _operation, moment: asked.append(moment)
    with pytest.raises(ZeroDivisionError), guard.operation("inbox.put"):
        raise ZeroDivisionError
    assert asked == [Moment.BEFORE]
    assert _free(guard)


def test_a_fault_before_keeps_the_operation_from_happening() -> None:
    guard = Guard()

    def fail(_operation: str, _moment: Moment) -> None:
        raise ConnectionError

    guard.faults = fail
    with pytest.raises(ConnectionError), guard.operation("inbox.put"):
        pytest.fail("it happened")
    assert _free(guard)
