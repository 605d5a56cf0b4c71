from __future__ import annotations

from chalicelib.notify.ports import Gone, Queue
from chalicelib.notify.sockets.greeter import PAUSES_S
from chalicelib.protocol.errors import Unavailable
from chalicelib.store.memory import Moment
from tests.unit.notify.carriers import sqs_event
from tests.unit.notify.sockets.house import ENGINE, House

DONE: dict[str, list[object]] = {"batchItemFailures": []}


def test_a_socket_is_greeted_with_the_terms() -> None:
    house = House()
    house.connect("c1", ENGINE)
    assert house.greet() == DONE
    (text,) = house.poster.take("c1")
    assert text.startswith('0{"maxPayload":32768,"pingInterval":240000,"pingTimeout":200000,"sid":"')
    assert house.paused == []


def test_the_plain_dialect_is_not_greeted() -> None:
    house = House()
    house.connect("c1")
    assert house.queues.take(Queue.GREETINGS) == []


def test_a_socket_whose_opening_is_not_yet_answered_is_greeted_when_it_is() -> None:
    house = House()
    post, refusals = house.poster.post, [1, 2, 3]

    def not_yet(connection_id: str, text: str) -> None:
        if refusals:
            refusals.pop()
            raise Gone
        post(connection_id, text)

    house.poster.post = not_yet  # type: ignore[method-assign]
    house.connect("c1", ENGINE)
    assert house.greet() == DONE
    assert len(house.poster.take("c1")) == 1
    assert house.paused == list(PAUSES_S[:3])
    assert house.registry.find("c1") is not None


def test_the_pauses_are_shared_by_a_batch_and_a_socket_that_never_opens_is_forgotten() -> None:
    house = House()
    for connection_id in ("c1", "c2", "c3"):
        house.connect(connection_id, ENGINE)
    house.poster.open_ids -= {"c1", "c3"}
    assert house.greet() == DONE
    assert house.paused == list(PAUSES_S)
    assert len(house.poster.take("c2")) == 1
    assert house.registry.find("c1") is None
    assert house.registry.find("c3") is None
    assert house.counted["SocketsNeverOpened"] == 2


def test_a_greeting_that_comes_twice_is_said_once() -> None:
    house = House()
    house.connect("c1", ENGINE)
    ((text, _),) = house.queues.take(Queue.GREETINGS)
    house.greeter.handle(sqs_event(text))
    house.greeter.handle(sqs_event(text))
    assert len(house.poster.take("c1")) == 1


def test_a_greeting_after_sign_in_is_not_said() -> None:
    house = House()
    house.socket_io("c1")
    assert house.greet() == DONE
    assert house.poster.take("c1") == []


def test_a_socket_that_left_is_not_greeted() -> None:
    house = House()
    house.connect("c1", ENGINE)
    house.leave("c1")
    assert house.greet() == DONE
    assert house.paused == []


def test_an_outage_of_some_moments_is_waited_out() -> None:
    house = House()
    house.connect("c1", ENGINE)
    post, failures = house.poster.post, [1]

    def fail(connection_id: str, text: str) -> None:
        if failures:
            failures.pop()
            raise Unavailable
        post(connection_id, text)

    house.poster.post = fail  # type: ignore[method-assign]
    assert house.greet() == DONE
    assert len(house.poster.take("c1")) == 1


def test_an_outage_that_lasts_ends_without_an_exception() -> None:
    house = House()
    house.connect("c1", ENGINE)
    house.poster.failure = Unavailable()
    assert house.greet() == DONE


def test_a_store_that_does_not_answer_makes_the_record_come_again() -> None:
    house = House()
    house.connect("c1", ENGINE)

    def fail(operation: str, _moment: Moment) -> None:
        if operation == "connections.get":
            raise Unavailable

    house.world.store.faults = fail
    assert house.greet() == {"batchItemFailures": [{"itemIdentifier": "m0"}]}


def test_what_is_no_greeting_fails_alone() -> None:
    house = House()
    house.connect("c1", ENGINE)
    ((text, _),) = house.queues.take(Queue.GREETINGS)
    answer = house.greeter.handle(sqs_event("nonsense", text))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert len(house.poster.take("c1")) == 1


def test_a_socket_that_leaves_while_it_waits_is_waited_for_no_longer() -> None:
    house = House()
    house.connect("c1", ENGINE)
    house.poster.open_ids.clear()
    pause = house.greeter._pause

    def leave(pause_s: float) -> None:
        pause(pause_s)
        house.leave("c1")

    house.greeter._pause = leave
    assert house.greet() == DONE
    assert house.paused == [PAUSES_S[0]]
    assert house.counted["SocketsNeverOpened"] == 0


def test_a_store_that_is_away_ends_no_waiting() -> None:
    house = House()
    house.connect("c1", ENGINE)
    house.poster.open_ids.clear()
    house.greeter._pause = lambda _pause_s: fail_reads(house)
    assert house.greet() == DONE
    assert house.counted["SocketsNeverOpened"] == 1


def fail_reads(house: House) -> None:
    def fail(operation: str, moment: Moment) -> None:
        if operation == "connections.get" and moment is Moment.BEFORE:
            raise Unavailable

    house.world.store.faults = fail
