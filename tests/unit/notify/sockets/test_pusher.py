from __future__ import annotations

import json
from threading import Barrier

import pytest

from chalicelib.notify.events import Channel, SizeClass
from chalicelib.notify.sockets.terms import MESSAGE_BYTES
from chalicelib.protocol.errors import TooBig, Unavailable
from chalicelib.store.memory import Moment
from tests.unit.notify.carriers import sqs_event
from tests.unit.notify.sockets.house import House
from tests.unit.relay.world import ALICE, BOB, MALLORY

WAKING = (Channel.SOCKET, Channel.EMAIL)


def test_every_socket_of_the_account_gets_the_message() -> None:
    house = House()
    house.socket_io("c1")
    house.socket_io("c2")
    house.plain("c3")
    house.socket_io("other", MALLORY)
    assert house.tell(house.submit()) == []
    (stored,) = house.world.mail(BOB)
    envelope = json.loads(json.dumps(stored.envelope))
    for connection_id in ("c1", "c2"):
        (text,) = house.poster.take(connection_id)
        assert text.startswith("42[")
        assert json.loads(text[2:]) == ["message", envelope]
    (text,) = house.poster.take("c3")
    assert json.loads(text) == {
        "type": "message",
        "cursor": None,
        "message": json.loads(json.dumps(stored.to_json())),
    }
    assert house.poster.take("other") == []


def test_when_one_leaves_the_others_are_served() -> None:
    house = House()
    house.socket_io("c1")
    house.socket_io("c2")
    house.leave("c2")
    house.tell(house.submit())
    assert len(house.poster.take("c1")) == 1


def test_a_gone_socket_is_forgotten_at_once_and_the_others_are_served() -> None:
    house = House()
    for connection_id in ("c1", "c2", "c3"):
        house.socket_io(connection_id)
    gone = house.registry.of_account(house.world.account(BOB).inbox)[0].connection_id
    house.poster.open_ids.discard(gone)
    assert house.tell(house.submit()) == []
    assert house.registry.find(gone) is None
    assert house.counted["SocketsGone"] == 1
    assert sum(len(house.poster.take(one)) for one in ("c1", "c2", "c3")) == 2


def test_a_message_that_is_gone_is_not_pushed() -> None:
    house = House()
    house.plain("c1")
    first, second = house.submit(), house.submit()
    account = house.world.account(BOB)
    house.world.relay.inbox.acknowledge(account, [house.world.mail(BOB)[0].id])
    assert house.tell(first) == []
    assert house.poster.take("c1") == []
    house.tell(second)
    assert len(house.poster.take("c1")) == 1


def test_without_sockets_nothing_is_read() -> None:
    house = House()
    submitted = house.submit()
    told = house.event_of(submitted)
    house.world.calls.clear()
    house.pusher.handle(sqs_event(told.to_text()))
    assert set(house.world.calls) == {"connections.of_account"}


def test_a_ping_goes_right_behind_a_message_that_would_wake_somebody() -> None:
    house = House()
    house.socket_io("c1")
    house.plain("c2")
    submitted = house.submit()
    house.tell(submitted, channels=WAKING)
    assert [text[:2] for text in house.poster.take("c1")] == ["42", "2"]
    assert [json.loads(text)["type"] for text in house.poster.take("c2")] == ["message", "ping"]
    told = house.event_of(submitted)
    marks = house.registry.marks(told.owner, told.key.message_id)
    assert marks == {house.socket(one).connection: 1 for one in ("c1", "c2")}


def test_otherwise_there_is_no_ping() -> None:
    house = House()
    house.socket_io("c1")
    house.tell(house.submit(), channels=(Channel.SOCKET, Channel.WEBHOOK))
    assert len(house.poster.take("c1")) == 1


@pytest.mark.parametrize("size", [SizeClass.MEDIUM, SizeClass.LARGE])
def test_what_is_too_large_is_announced_or_left_to_be_fetched(size: SizeClass) -> None:
    house = House()
    house.socket_io("c1")
    house.plain("c2")
    submitted = house.submit(house.world.letter(text="x" * MESSAGE_BYTES))
    assert house.tell(submitted, channels=WAKING, size=size) == []
    assert house.poster.take("c1") == []
    (text,) = house.poster.take("c2")
    announced = json.loads(text)
    assert (announced["type"], announced["cursor"]) == ("announcement", None)
    page = house.world.relay.inbox.page(house.world.account(BOB), announced["fetch"], 1)
    assert page.messages[0].message_id == submitted.receipt.message_id
    told = house.event_of(submitted)
    assert house.registry.marks(told.owner, told.key.message_id) == {}


def test_a_large_message_is_not_read_to_be_announced() -> None:
    house = House()
    house.plain("c1")
    submitted = house.submit(house.world.letter(text="x" * MESSAGE_BYTES))
    house.world.calls.clear()
    house.tell(submitted, size=SizeClass.LARGE)
    assert not house.world.calls["inbox.page"]


def test_a_gateway_that_carries_less_announces() -> None:
    house = House()
    house.plain("c1")
    submitted = house.submit()
    post = house.poster.post

    def carry(connection_id: str, text: str) -> None:
        if '"type":"message"' in text:
            raise TooBig
        post(connection_id, text)

    house.poster.post = carry  # type: ignore[method-assign]
    assert house.tell(submitted, channels=WAKING) == []
    assert [json.loads(text)["type"] for text in house.poster.take("c1")] == ["announcement"]


def test_one_socket_that_fails_keeps_nobody_waiting_and_is_tried_again_alone() -> None:
    house = House()
    for connection_id in ("c1", "c2", "c3"):
        house.socket_io(connection_id)
    post, failing = house.poster.post, {"c2"}

    def fail(connection_id: str, text: str) -> None:
        if connection_id in failing:
            raise Unavailable
        post(connection_id, text)

    house.poster.post = fail  # type: ignore[method-assign]
    submitted = house.submit()
    assert house.tell(submitted, channels=WAKING) == ["m0"]
    assert [len(house.poster.take(one)) for one in ("c1", "c2", "c3")] == [2, 0, 2]
    failing.clear()
    assert house.tell(submitted, channels=WAKING, tries=2) == []
    assert [len(house.poster.take(one)) for one in ("c1", "c2", "c3")] == [0, 2, 0]
    told = house.event_of(submitted)
    assert len(house.registry.marks(told.owner, told.key.message_id)) == 3


def test_whatever_call_fails_the_message_comes_with_the_next_try() -> None:
    """At every call of the store, before it and after it; one more try always serves both sockets."""
    calls = next(at for at in range(100) if not _failed_at(at))
    assert calls == 10


def _failed_at(at: int) -> bool:
    house = House()
    house.socket_io("c1")
    house.plain("c2")
    submitted = house.submit()
    batch = sqs_event(house.event_of(submitted).to_text(), channels=WAKING)
    calls = 0

    def fail(_operation: str, _moment: Moment) -> None:
        nonlocal calls
        calls += 1
        if calls == at + 1:
            raise Unavailable

    house.world.store.faults = fail
    failed = house.pusher.handle(batch)["batchItemFailures"]
    house.world.store.faults = lambda _operation, _moment: None
    reached = calls > at
    assert bool(failed) == reached
    if failed:
        batch["Records"][0]["attributes"]["ApproximateReceiveCount"] = "2"
        assert house.pusher.handle(batch)["batchItemFailures"] == []
    assert any(text.startswith("42[") for text in house.poster.take("c1"))
    assert any('"type":"message"' in text for text in house.poster.take("c2"))
    return reached


@pytest.mark.parametrize("text", ["", "{}", "nonsense", '{"type":"message.received"}'])
def test_what_is_no_event_fails_alone(text: str) -> None:
    house = House()
    house.plain("c1")
    good = house.event_of(house.submit())
    answer = house.pusher.handle(sqs_event(text, good.to_text()))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert len(house.poster.take("c1")) == 1


def test_a_batch_is_worked_at_the_same_time() -> None:
    """Each post waits until all ten are under way, so one after the other would never end."""
    house = House()
    house.plain("c1")
    events = [house.event_of(house.submit()).to_text() for _ in range(10)]
    together, post = Barrier(10, timeout=10), house.poster.post

    def meet(connection_id: str, text: str) -> None:
        together.wait()
        post(connection_id, text)

    house.poster.post = meet  # type: ignore[method-assign]
    assert house.pusher.handle(sqs_event(*events)) == {"batchItemFailures": []}
    assert len(house.poster.take("c1")) == 10


def test_an_unreadable_message_is_not_pushed() -> None:
    house = House()
    house.plain("c1")
    submitted = house.submit()
    house.world.store.inbox.unreadable.add(house.event_of(submitted).key)
    assert house.tell(submitted) == []
    assert house.poster.take("c1") == []


@pytest.mark.parametrize("passed_s", [0, 3, 20, 200, 2_000])
def test_the_delay_is_counted(passed_s: int) -> None:
    house = House()
    house.plain("c1", ALICE)
    submitted = house.submit(house.world.letter(BOB, ALICE))
    house.world.clock.pass_s(passed_s)
    house.tell(submitted, ALICE)
    assert house.counted["SocketPushDelay"] == 1
