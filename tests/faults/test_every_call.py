"""Every call that submit, fetch and acknowledge make to AWS and to the chain is made to fail, in every way.

For each operation a dry run tells its calls; then, in a world of its own each time, one call fails in one
way. Afterwards a newly started process must find everything that was answered with success, nothing that was
acknowledged, and at worst doubles that carry the same message id; and the operation, tried again, succeeds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import pytest

from chalicelib.protocol.errors import Unavailable
from tests.faults.wire import Crash, Way, Wire
from tests.faults.world import Ground, World

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("faults")]

# Too large to stand in the table: its body goes to S3.
LARGE = "large " * 10_000


def nothing(_: World) -> None:
    """No preparation."""


def earlier_mail(world: World) -> None:
    """Three messages wait, one of them large, and the process has only just started."""
    for text in ("first", LARGE, "last"):
        world.submit(text)
    world.restart()


def read_mail(world: World) -> None:
    """Bob has fetched his mail; he is going to acknowledge all but the last."""
    earlier_mail(world)
    world.seen = world.fetch()[:-1]
    world.restart()


def warm(world: World) -> None:
    """The process knows sender and receiver already."""
    world.submit("waiting")


def ruled(world: World) -> None:
    """The process is warm, and Bob's rules count everything that can be counted."""
    world.submit("waiting")
    many = {"messagesPerDay": 900, "kibPerDay": 9_000}
    counted = {"firstContact": {"messages": 900}, "senderQuota": many, "totalQuota": many}
    world.relay.rules.replace(world.account(), {"rules": counted, "block": ["*.spam.eth"]})


def change_rules(world: World) -> None:
    """Bob changes a list; whatever fails, all of his rules stand afterwards or none of the change does."""
    rules = world.relay.rules.edit_lists(world.account(), {"block": ["mallory.eth"]})
    assert rules.block.entries == {"*.spam.eth", "mallory.eth"}
    assert world.relay.rules.get(world.account()) == rules


def submitted_before(world: World) -> None:
    """The envelope that is about to be submitted was accepted already."""
    world.submit("again")
    world.restart()


def acknowledged_before(world: World) -> None:
    """The envelope that is about to be submitted was accepted, fetched and acknowledged."""
    world.submit("again")
    world.acknowledge(world.fetch())
    world.restart()


def read_everything(world: World) -> None:
    assert {text for _, text in world.fetch()} == world.accepted


def list_everything(world: World) -> None:
    assert set(world.fetch_as_reference()) == world.accepted


def read_conversation(world: World) -> None:
    assert set(world.fetch_conversation()) == world.accepted


@dataclass(frozen=True, slots=True)
class Operation:
    """What is disturbed, and what has happened before."""

    prepare: Callable[[World], None]
    run: Callable[[World], object]


OPERATIONS = {
    "submit, cold": Operation(nothing, lambda world: world.submit("new")),
    "submit, warm": Operation(warm, lambda world: world.submit("new")),
    "submit a large message": Operation(warm, lambda world: world.submit(LARGE)),
    "submit under rules": Operation(ruled, lambda world: world.submit("new")),
    "change rules": Operation(ruled, change_rules),
    "submit again": Operation(submitted_before, lambda world: world.submit("again")),
    "submit again what was acknowledged": Operation(acknowledged_before, lambda world: world.submit("again")),
    "fetch by page": Operation(earlier_mail, read_everything),
    "fetch as the reference": Operation(earlier_mail, list_everything),
    "fetch a conversation": Operation(earlier_mail, read_conversation),
    "acknowledge by id": Operation(read_mail, lambda world: world.acknowledge(world.seen)),
    "acknowledge by pairs": Operation(read_mail, lambda world: world.acknowledge_pairs(world.seen)),
}


@dataclass(slots=True)
class Tally:
    """What came of the faults of one test: `success`, `refused` and `crashed` count the disturbed runs."""

    injected: int = 0
    accepted: int = 0
    lost: int = 0
    doubles: int = 0
    success: int = 0
    refused: int = 0
    crashed: int = 0

    def note(self, outcome: str) -> None:
        """Count one disturbed run."""
        self.injected += 1
        setattr(self, outcome, getattr(self, outcome) + 1)


def attempt(world: World, operation: Operation) -> str:
    """Run the operation; "success", "refused" or "crashed". Any other exception is a defect."""
    try:
        operation.run(world)
    except Unavailable:
        return "refused"
    except Crash:
        return "crashed"
    return "success"


def disturb(ground: Ground, wire: Wire, operation: Operation, number: int, way: Way, tally: Tally) -> None:
    """One world, one failing call."""
    world = World(ground)
    operation.prepare(world)
    with wire.failing(number, way):
        outcome = attempt(world, operation)
    assert wire.struck, f"call {number} was not made"
    case = f"{way} in call {number}, {wire.struck}: {outcome}"
    tally.note(outcome)

    if outcome == "crashed":
        world.restart()
    afterwards = world.inspect()
    tally.lost += len(afterwards.lost)
    assert afterwards.sound, f"{case}: {afterwards}"

    assert attempt(world, operation) == "success", f"{case}: the repetition fails"
    finally_ = world.inspect()
    tally.accepted += len(world.accepted)
    tally.lost += len(finally_.lost)
    tally.doubles += finally_.doubles
    assert finally_.sound, f"{case}, then repeated: {finally_}"


@pytest.mark.parametrize("way", list(Way), ids=str)
@pytest.mark.parametrize("name", list(OPERATIONS))
def test_no_failing_call_loses_what_was_accepted(
    ground: Ground, wire: Wire, name: str, way: Way, record_property: Callable[[str, object], None]
) -> None:
    operation, tally = OPERATIONS[name], Tally()
    rehearsal = World(ground)
    operation.prepare(rehearsal)
    with wire.recording() as calls:
        operation.run(rehearsal)
    for number in range(len(calls)):
        disturb(ground, wire, operation, number, way, tally)
    record_property("faults", {"operation": name, **asdict(tally)})
    assert tally.injected == len(calls) > 0
    assert tally.lost == 0


def test_a_lost_message_would_be_noticed(ground: Ground) -> None:
    world = World(ground)
    world.submit("lost")
    (message, _), account = world.first(), world.account()
    world.relay.inbox.acknowledge(account, [message.id])
    assert world.inspect().lost == {"lost"}
    assert not world.inspect().sound


def test_an_acknowledged_message_that_came_back_would_be_noticed(ground: Ground) -> None:
    world = World(ground)
    world.submit("back")
    world.acknowledged.add("back")
    assert world.inspect().returned == {"back"}
    assert not world.inspect().sound


def test_the_one_double_there_can_be_carries_the_same_message_id(ground: Ground, wire: Wire) -> None:
    """The process ends between two writes; the receiver acknowledges before the sender tries again."""
    world = World(ground)
    warm(world)
    with wire.recording() as calls:
        world.submit("rehearsal")
    world.acknowledge(world.fetch())
    with wire.failing(len(calls) - 1, Way.CRASH_BEFORE), pytest.raises(Crash):
        world.submit("double")
    world.restart()
    (first,) = world.fetch()
    world.relay.inbox.acknowledge(world.account(), [first[0].id])
    world.submit("double")
    (second,) = world.fetch()
    assert second[0].message_id == first[0].message_id


def test_a_large_message_takes_the_way_over_s3(ground: Ground, wire: Wire) -> None:
    world = World(ground)
    with wire.recording() as calls:
        world.submit(LARGE)
        world.fetch()
    assert [call for call in calls if call.startswith("s3")] == ["s3 PutObject", "s3 GetObject"]
