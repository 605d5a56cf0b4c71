from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.client.doubles import Doubles
from chalicelib.client.values import Check, Received, Verdict
from chalicelib.protocol.message import Message

MESSAGE = Message(type="NEW", to="b.eth", from_="a.eth", timestamp_ms=1)


def item(identifier: str, message_hash: str = "0x1", *, verified: bool = True) -> Received:
    checks = () if verified else (Check("message", Verdict.FAILED, "No."),)
    return Received(identifier, message_hash, "a.eth", MESSAGE, checks, None, 1, 2, "relay.eth")


def test_the_same_message_under_another_id_is_a_double() -> None:
    doubles = Doubles()
    assert [doubles.is_double(item(name)) for name in ("a", "b", "a", "b")] == [False, True, False, True]


def test_another_message_is_none() -> None:
    doubles = Doubles()
    assert not doubles.is_double(item("a", "0x1"))
    assert not doubles.is_double(item("b", "0x2"))


def test_a_genuine_message_is_no_double_of_a_doubtful_one() -> None:
    doubles = Doubles()
    assert not doubles.is_double(item("a", verified=False))
    assert not doubles.is_double(item("b"))


def test_doubles_are_acknowledged_together() -> None:
    doubles = Doubles()
    for name in ("a", "b"):
        doubles.is_double(item(name))
    assert doubles.acknowledged(["a", "unknown"]) == ("a", "b", "unknown")


def test_a_double_that_comes_late_goes_with_the_next() -> None:
    doubles = Doubles()
    doubles.is_double(item("a"))
    doubles.acknowledged(["a"])
    assert doubles.is_double(item("late"))
    assert doubles.acknowledged(["x"]) == ("x", "late")
    assert doubles.acknowledged(["x"]) == ("x",)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4)), max_size=40), st.integers(1, 3))
def test_memory_is_bounded(seen: list[tuple[int, int]], size: int) -> None:
    doubles = Doubles(size=size)
    for identifier, message in seen:
        doubles.is_double(item(f"{message}-{identifier}", str(message)))
        doubles.acknowledged([f"{message}-{identifier}"])
        assert len(doubles._ids) <= size
        assert set(doubles._messages.values()) <= set(doubles._ids)
        assert doubles._acknowledged <= set(doubles._messages)
