from __future__ import annotations

import pytest

from chalicelib.notify.ports import PING_SHARDS
from chalicelib.notify.sockets import pinger
from chalicelib.protocol.errors import Unavailable
from chalicelib.store.memory import Moment
from tests.unit.notify.sockets.house import ENGINE, House
from tests.unit.relay.world import BOB, Person


def crowded() -> tuple[House, list[str]]:
    house = House()
    people = [Person(f"p{number}.eth") for number in range(4)]
    house.world.settle(*people)
    ids = [f"c{number}" for number in range(40)]
    for number, connection_id in enumerate(ids):
        house.socket_io(connection_id, people[number % 4])
    return house, ids


def test_every_socket_is_pinged_once_in_four_minutes() -> None:
    house, ids = crowded()
    pinged: list[str] = []
    for _ in range(4):
        house.pinger.run()
        now = [one for one in ids if house.poster.take(one) == ["2"]]
        assert not set(now) & set(pinged)
        pinged += now
        house.world.clock.pass_s(60)
    assert sorted(pinged) == sorted(ids)


def test_a_clock_that_wavers_passes_over_nobody_and_pings_nobody_twice() -> None:
    house, ids = crowded()
    clock = house.world.clock
    clock.pass_s(61 - clock.now_ms() // 1_000 % 60)
    pinged: list[list[str]] = []
    for pause_s in (58, 62, 60, 0):  # a second after the minute, one before the next; then that one is over
        house.pinger.run()
        pinged.append([one for one in ids if house.poster.take(one) == ["2"]])
        clock.pass_s(pause_s)
    assert pinged[1] == []
    assert len(pinged[2]) > len(pinged[0])
    assert sorted(one for batch in pinged for one in batch) == sorted(ids)


def test_after_a_long_pause_everybody_is_pinged_once() -> None:
    house, ids = crowded()
    house.pinger.run()
    for one in ids:
        house.poster.take(one)
    house.world.clock.pass_s(3_600)
    house.pinger.run()
    assert [house.poster.take(one) for one in ids] == [["2"]] * len(ids)


@pytest.mark.parametrize(("per_s", "paced_s", "pauses"), [(40, 12, 0), (39, 12, 1), (10, 12, 3), (10, 2, 1)])
def test_many_are_pinged_one_share_a_second(
    monkeypatch: pytest.MonkeyPatch, per_s: int, paced_s: int, pauses: int
) -> None:
    """Their answers come back as frames, all at once, and the gateway lets in so many a second."""
    monkeypatch.setattr(pinger, "_PER_S", per_s)
    monkeypatch.setattr(pinger, "PACED_S", paced_s)
    house, ids = crowded()
    house.pinger.run()
    house.world.clock.pass_s(3_600)
    for one in ids:
        house.poster.take(one)
    house.paused.clear()
    house.pinger.run()
    assert house.paused == [1.0] * pauses
    assert [house.poster.take(one) for one in ids] == [["2"]] * len(ids)


def test_the_plain_dialect_is_pinged_in_its_own_words() -> None:
    house = House()
    house.plain("c1")
    for _ in range(4):
        house.pinger.run()
        house.world.clock.pass_s(60)
    assert house.poster.take("c1") == ['{"type":"ping"}']


def test_a_socket_that_has_not_signed_in_is_not_pinged() -> None:
    house = House()
    house.connect("c1", ENGINE)
    for _ in range(4):
        house.pinger.run()
        house.world.clock.pass_s(60)
    assert house.poster.take("c1") == []


def test_pings_are_counted_and_gone_sockets_forgotten() -> None:
    house = House()
    house.socket_io("c1")
    house.socket_io("c2")
    house.poster.open_ids.discard("c1")
    for _ in range(4):
        house.pinger.run()
        house.world.clock.pass_s(60)
    assert [one.connection_id for one in house.registry.of_account(house.world.account(BOB).inbox)] == ["c2"]
    row = house.world.store.connections.get(house.socket("c2").connection, now_s=0)
    assert row is not None
    assert row.pings == 1


def test_one_that_fails_keeps_no_other_from_its_ping() -> None:
    house, ids = crowded()
    post = house.poster.post

    def fail(connection_id: str, text: str) -> None:
        if connection_id == ids[0]:
            raise Unavailable
        post(connection_id, text)

    house.poster.post = fail  # type: ignore[method-assign]
    failures = 0
    for _ in range(4):
        try:
            house.pinger.run()
        except Unavailable:
            failures += 1
        house.world.clock.pass_s(60)
    assert failures == 1
    assert sum(house.poster.take(one) == ["2"] for one in ids) == len(ids) - 1


def test_a_shard_that_cannot_be_read_keeps_no_other_from_its_pings() -> None:
    house, ids = crowded()
    reads: list[str] = []

    def fail(operation: str, moment: Moment) -> None:
        if operation == "connections.of_shard" and moment is Moment.BEFORE:
            reads.append(operation)
            if len(reads) == 1:
                raise Unavailable

    house.world.store.faults = fail
    with pytest.raises(Unavailable):
        house.pinger.run()
    assert len(reads) == PING_SHARDS // 4
    house.world.store.faults = None
    house.world.clock.pass_s(60)
    house.pinger.run()
    turns = {minute % 4 for minute in (house.minute(), house.minute() - 1)}
    due = [one for one in ids if house.socket(one).connection[0] % 4 in turns]
    assert [one for one in ids if house.poster.take(one)] == due, "those of the shard, a minute late"
