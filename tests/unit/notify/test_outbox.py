from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.notify.events import Channel, MessageReceived, SizeClass
from chalicelib.notify.outbox import DELAYED, SET_ASIDE, TOLD, set_aside_text
from chalicelib.notify.ports import Queue
from chalicelib.notify.preferences import Preferences, WakeUpChannel
from chalicelib.protocol.errors import InternalError, Unavailable
from chalicelib.store.memory import Moment
from tests.unit.notify.faults import Nth, every_strike
from tests.unit.notify.outbox_world import OutboxWorld, Record, inserted, message, owner

MAILED = Preferences(enabled=True, channels=(WakeUpChannel(Channel.EMAIL, "bob@example.org", verified=True),))


def _spoilt(number: int, change: Callable[[Any], object]) -> Record:
    record = inserted(number)
    change(record["dynamodb"])
    return record


POISON: list[Record] = [
    _spoilt(1, lambda change: change["NewImage"].pop("pk")),
    _spoilt(2, lambda change: change.pop("NewImage")),
    _spoilt(3, lambda change: change["NewImage"].update(sk={"B": "AAAA"})),
    _spoilt(4, lambda change: change["NewImage"].update(pk={"B": "AAAA"})),
    _spoilt(5, lambda change: change["NewImage"].update(pk={"B": "*"})),
    _spoilt(6, lambda change: change["NewImage"].update(pk={"S": "text"})),
    _spoilt(7, lambda change: change["NewImage"].update(size_bytes={"N": "many"})),
    _spoilt(8, lambda change: change["NewImage"].update(size_bytes={"NULL": True})),
    _spoilt(9, lambda change: change.update(NewImage=None)),
    {"eventName": "INSERT"},
    {"eventName": "INSERT", "dynamodb": ["?"]},
]


def test_an_insert_is_told_with_what_its_owner_wants() -> None:
    world = OutboxWorld()
    world.wants(owner(1), MAILED)
    world.connect(owner(2))
    answer = world.handle(
        inserted(1, owner(1)),
        inserted(2, owner(2), size_bytes=40_000),
        inserted(3, owner(3), size_bytes=200_000),
    )
    assert answer == []
    assert world.topic.published == [
        MessageReceived(owner(1), message(1), SizeClass.SMALL, frozenset({Channel.EMAIL})),
        MessageReceived(owner(2), message(2), SizeClass.MEDIUM, frozenset({Channel.SOCKET})),
        MessageReceived(owner(3), message(3), SizeClass.LARGE),  # nobody is to be told, but operators listen
    ]
    assert world.counts == {TOLD: 3}


@pytest.mark.parametrize("name", ["REMOVE", "MODIFY"])
def test_what_is_no_new_message_is_passed_over(name: str) -> None:
    world = OutboxWorld()
    assert world.handle({**inserted(1), "eventName": name}) == []
    assert (world.topic.published, world.queues.sent) == ([], [])


def test_preferences_and_sockets_of_an_account_are_read_once_for_an_event() -> None:
    world, asked = OutboxWorld(), Nth()
    world.strike(asked)
    world.handle(*(inserted(number, owner(number % 2)) for number in range(25)))
    assert asked.operations.count("preferences.get before") == 2
    assert asked.operations.count("connections.of_account before") == 2
    assert asked.operations.count("topic.publish before") == 3
    world.connect(owner(1))
    world.handle(inserted(30, owner(1)))  # the next event asks again
    assert world.topic.published[-1].channels == {Channel.SOCKET}


@pytest.mark.parametrize("record", POISON, ids=range(len(POISON)))
def test_a_record_that_cannot_be_read_is_set_aside_and_blocks_nobody(record: Record) -> None:
    world = OutboxWorld()
    assert world.handle(inserted(20), record, inserted(21)) == []
    assert [event.key for event in world.topic.published] == [message(20), message(21)]
    assert world.untold() == [set_aside_text(record)]
    assert world.counts == {TOLD: 2, SET_ASIDE: 1}


def test_an_account_whose_document_cannot_be_opened_blocks_nobody() -> None:
    world = OutboxWorld()
    world.spoil(owner(7))
    assert world.handle(inserted(1), inserted(2, owner(7)), inserted(3)) == []
    assert [event.key for event in world.topic.published] == [message(1), message(3)]
    assert world.untold() == [set_aside_text(inserted(2, owner(7)))]


def test_an_event_that_the_topic_refuses_blocks_nobody() -> None:
    world = OutboxWorld()
    world.topic.refuse = lambda event: event.key == message(2)
    assert world.handle(inserted(1), inserted(2), inserted(3)) == []
    assert [event.key for event in world.topic.published] == [message(1), message(3)]
    assert world.untold() == [set_aside_text(inserted(2))]
    assert world.counts == {TOLD: 2, SET_ASIDE: 1}


def test_the_stream_repeats_from_the_first_that_failed_and_no_earlier() -> None:
    world = OutboxWorld()
    world.topic.failure = Unavailable()
    assert world.handle(inserted(1), inserted(2)) == ["1001"]
    world.topic.failure = None

    def third_account_cannot_be_read(operation: str, moment: Moment) -> None:
        asked[operation] = asked.get(operation, 0) + (moment is Moment.BEFORE)
        if operation == "preferences.get" and asked[operation] == 3:
            raise Unavailable

    asked: dict[str, int] = {}
    world.strike(third_account_cannot_be_read)
    records = [inserted(number, owner(number)) for number in range(1, 6)]
    assert world.handle(*records) == ["1003"]
    assert [event.key for event in world.topic.published] == [message(1), message(2)]
    assert world.counts[DELAYED] == 2


def test_a_later_batch_that_fails_leaves_the_earlier_ones_told() -> None:
    world = OutboxWorld()
    records = [inserted(number) for number in range(25)]

    def second_publication_fails(operation: str, moment: Moment) -> None:
        if (operation, moment) == ("topic.publish", Moment.BEFORE) and world.topic.published:
            raise Unavailable

    world.strike(second_publication_fails)
    assert world.handle(*records) == ["1010"]
    assert len(world.topic.published) == 10


def test_poison_that_cannot_be_set_aside_is_repeated_and_not_dropped() -> None:
    world = OutboxWorld()
    world.queues.failure = Unavailable()
    assert world.handle(inserted(20), POISON[0], inserted(21)) == ["1001"]
    assert [event.key for event in world.topic.published] == [message(20)]
    world.topic.refuse = lambda event: event.key == message(22)
    assert world.handle(inserted(22), inserted(23)) == ["1022"]
    assert world.handle({"eventName": "INSERT"}) == [""]  # no number: Lambda repeats them all


def test_every_call_may_fail_or_be_the_last_before_and_after() -> None:
    """Nothing is lost, poison ends in its queue, and the shard goes on."""

    def run(faults: Nth) -> None:
        world = OutboxWorld()
        world.wants(owner(1), MAILED)
        world.spoil(owner(7))
        world.topic.refuse = lambda event: event.key == message(4)
        records = [inserted(number, owner(number % 3)) for number in range(14)]
        records[6:6] = [POISON[2]]
        records[11:11] = [inserted(20, owner(7))]
        world.strike(faults)
        world.work_off(records)
        told = world.told
        assert {event.key for event in told} == {message(number) for number in range(14) if number != 4}
        assert all(event.channels == {Channel.EMAIL} for event in told if event.owner == owner(1))
        aside = world.untold()
        assert set(aside) == {
            set_aside_text(record) for record in (records[4], POISON[2], inserted(20, owner(7)))
        }
        # One fault repeats at most what it was asked with: doubles, never many of them.
        assert max(told.values()) <= 2
        assert max(map(aside.count, aside)) <= 2

    assert every_strike(run) > 40


def test_what_is_set_aside_holds_no_message() -> None:
    text = set_aside_text(inserted(1))
    assert "payload" not in text
    assert json.loads(text)["dynamodb"] == {
        "SequenceNumber": "1001",
        "NewImage": {**inserted(1)["dynamodb"]["Keys"], "size_bytes": {"N": "1000"}},
    }


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(
    _JSON,
    st.sampled_from([(), ("NewImage",), ("NewImage", "pk"), ("NewImage", "sk"), ("NewImage", "size_bytes")]),
)
def test_junk_of_any_form_is_set_aside(junk: object, where: tuple[str, ...]) -> None:
    record = inserted(1)
    place: Any = record
    for name in ("dynamodb", *where)[:-1]:
        place = place[name]
    place[("dynamodb", *where)[-1]] = junk
    world = OutboxWorld()
    assert world.handle(record, inserted(2)) == []
    assert [event.key for event in world.topic.published] == [message(2)]
    assert world.untold() == [set_aside_text(record)]


def test_telling_one_record_tells_what_is_wrong() -> None:
    world = OutboxWorld()
    world.outbox.tell(inserted(1))
    for told_of_nothing in ({**inserted(2), "eventName": "REMOVE"}, {"neither": "this nor that"}):
        with pytest.raises(ValueError, match="new message"):
            world.outbox.tell(told_of_nothing)
    assert [event.key for event in world.topic.published] == [message(1)]
    with pytest.raises(ValueError, match="not a record"):
        world.outbox.tell(POISON[0])
    world.spoil(owner(7))
    with pytest.raises(InternalError):
        world.outbox.tell(inserted(3, owner(7)))
    world.topic.refuse = lambda _event: True
    with pytest.raises(Unavailable):
        world.outbox.tell(inserted(4))
    assert world.queues.take(Queue.UNTOLD) == []


def test_what_was_turned_off_meanwhile_is_not_told() -> None:
    world = OutboxWorld()
    world.wants(owner(1), MAILED)
    world.handle(inserted(1))
    world.wants(owner(1), replace(MAILED, enabled=False))
    world.handle(inserted(2))
    assert [event.channels for event in world.topic.published] == [{Channel.EMAIL}, set()]
