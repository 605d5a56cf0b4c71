"""Every call on the way from the stream to those who are told is made to fail, in every way.

As in `test_every_call`: a dry run tells the calls of an operation; then, with a message of its own each time,
one call fails in one way. What was not taken comes again, as the event sources see to. Afterwards the message
has been told at least once, doubles are recognisable, and nothing is left in a queue or dead.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import partial

import pytest

from chalicelib.notify.outbox import set_aside_text
from chalicelib.notify.ports import Queue
from chalicelib.notify.sockets import greeter
from tests.faults.hook import Hook, hook
from tests.faults.telling_world import TellingGround, TellingWorld
from tests.faults.test_every_call import Tally
from tests.faults.wire import Crash, Way, Wire
from tests.faults.world import Ground

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("telling-faults")]

# Whoever dies before a call has done what whoever died after the one before it had done.
WAYS = [way for way in Way if way is not Way.CRASH_BEFORE]


@pytest.fixture(scope="module")
def base(ground: Ground, wire: Wire) -> TellingGround:
    return TellingGround.on(ground, wire)


@pytest.fixture(scope="module", autouse=True)
def in_moto() -> Iterator[None]:
    """moto looks for streams at a host name made of the account's number otherwise.

    A socket that is not there any more is greeted in vain: that need not take seconds.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "AWS_ACCOUNT_ID_ENDPOINT_MODE", "disabled")
        patch.setattr(greeter, "PAUSES_S", (0.01, 0.02))
        yield


@dataclass
class Case:
    """A world in which one kind of telling is set up; `number` counts its runs, for names that are new."""

    world: TellingWorld
    hooks: list[Hook]
    number: int = 0
    mails_before: int = 0
    outcome: str = ""

    @property
    def socket(self) -> str:
        return f"socket {self.number}"


# --- what is prepared ---


def nothing(_: Case) -> None:
    """No set-up."""


def write(case: Case) -> None:
    case.world.write()


def write_behind_the_pause(case: Case) -> None:
    """Two wake-ups have a pause between them."""
    case.world.clock.forward(180)
    case.mails_before = case.world.mails()
    write(case)


def set_aside(case: Case) -> None:
    """The topic has not taken the event."""
    write(case)
    (record,) = case.world.pending
    case.world.pending.clear()
    case.world.put(Queue.UNTOLD, set_aside_text(record))


def given_up(case: Case) -> None:
    """Lambda has given up on the record."""
    write(case)
    case.world.put(Queue.UNTOLD, json.dumps(case.world.given_up()))


def leave(case: Case) -> None:
    """Nobody has an open socket, and no mail waits."""
    case.world.leave()


def leave_and_write(case: Case) -> None:
    """There is a backlog of one message."""
    leave(case)
    write(case)


def with_mail(case: Case) -> None:
    case.world.add_mail()


def with_sockets(case: Case) -> None:
    assert case.world.connect_io("io")
    assert case.world.connect_plain("plain")


def with_sockets_and_mail(case: Case) -> None:
    with_mail(case)
    with_sockets(case)


# --- how often each of those who were to be told was told of the last message ---


def by_hooks(case: Case) -> list[int]:
    told = case.world.sent[-1]
    for one in case.hooks:
        assert len(one.ids.get(told, ())) <= 1, "one webhook-id for a message and an endpoint"
        assert one.forged == 0
    return [sum(message_id == told for _, message_id in one.requests) for one in case.hooks]


def by_mail(case: Case) -> list[int]:
    return [case.world.mails() - case.mails_before]


def by_sockets(case: Case) -> list[int]:
    return [case.world.pushed(one) for one in ("io", "plain")]


# --- what is run ---


def work(case: Case) -> bool:
    return case.world.work()


def finish(case: Case) -> None:
    """Functions finish by themselves what they have begun."""
    case.world.settle()


def open_io(case: Case) -> bool:
    return case.world.connect_io(case.socket)


def open_plain(case: Case) -> bool:
    return case.world.connect_plain(case.socket)


def open_again(connect: Callable[[Case], bool], case: Case) -> None:
    """As clients do that were cut off. The next message is for the socket."""
    if case.outcome != "success":
        case.number += 1
        assert connect(case)
    case.world.write()
    case.world.settle()


def by_the_socket(case: Case) -> list[int]:
    return [case.world.pushed(case.socket)]


@dataclass(frozen=True)
class Operation:
    """What is run under failure; it tells whether it came to its end, and `finish` brings it there."""

    told: Callable[[Case], list[int]]
    set_up: Callable[[Case], None] = nothing
    prepare: Callable[[Case], None] = write
    run: Callable[[Case], bool] = work
    finish: Callable[[Case], None] = finish
    hooks: int = 0
    stumbles: bool = False


OPERATIONS = {
    "tell a webhook": Operation(by_hooks, hooks=1),
    "tell two webhooks": Operation(by_hooks, hooks=2),
    "tell a webhook that refuses once": Operation(by_hooks, hooks=1, stumbles=True),
    "tell what was set aside": Operation(by_hooks, prepare=set_aside, hooks=1),
    "tell what was given up": Operation(by_hooks, prepare=given_up, hooks=1),
    "wake by e-mail": Operation(by_mail, with_mail, write_behind_the_pause),
    "push to two sockets": Operation(by_sockets, with_sockets),
    "push to two sockets with pings": Operation(by_sockets, with_sockets_and_mail),
    "open a socket, Socket.IO": Operation(
        by_the_socket, prepare=leave, run=open_io, finish=partial(open_again, open_io)
    ),
    "open a socket, plain": Operation(
        by_the_socket, prepare=leave_and_write, run=open_plain, finish=partial(open_again, open_plain)
    ),
}


@contextmanager
def case_of(base: TellingGround, operation: Operation) -> Iterator[Case]:
    """A world with the operation set up."""
    with ExitStack() as stack:
        hooks = [stack.enter_context(hook(lambda _: operation.stumbles)) for _ in range(operation.hooks)]
        case = Case(TellingWorld(base), hooks)
        for one in hooks:
            case.world.add_hook(one)
        operation.set_up(case)
        yield case


def attempt(case: Case, operation: Operation) -> str:
    """Run the operation; "success", "refused" or "crashed". Any exception is a defect."""
    try:
        case.outcome = "success" if operation.run(case) else "refused"
    except Crash:
        case.outcome = "crashed"
    return case.outcome


def disturb(case: Case, operation: Operation, wire: Wire, number: int, way: Way, tally: Tally) -> None:
    """One message, one failing call."""
    case.number += 1
    operation.prepare(case)
    with wire.failing(number, way):
        outcome = attempt(case, operation)
    assert wire.struck, f"call {number} was not made"
    what = f"{way} in call {number}, {wire.struck}: {outcome}"
    tally.note(outcome)
    if outcome == "crashed":
        case.world.restart()
    operation.finish(case)
    told = operation.told(case)
    tally.accepted += 1
    tally.lost += sum(number < 1 for number in told)
    tally.doubles += sum(max(0, number - 1 - operation.stumbles) for number in told)
    assert min(told) >= 1, what


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("name", list(OPERATIONS))
def test_no_failing_call_keeps_anybody_from_being_told(
    base: TellingGround, wire: Wire, name: str, way: Way, record_property: Callable[[str, object], None]
) -> None:
    operation, tally = OPERATIONS[name], Tally()
    with case_of(base, operation) as case:
        for _ in range(2):  # the first one is cold
            case.number += 1
            operation.prepare(case)
            with wire.recording() as calls:
                assert attempt(case, operation) == "success"
            operation.finish(case)
            assert set(operation.told(case)) == {1 + operation.stumbles}
        for number in range(len(calls)):
            disturb(case, operation, wire, number, way, tally)
        assert case.world.left() == {}
    record_property("faults", {"operation": name, **asdict(tally)})
    assert tally.injected == len(calls) > 0
    assert tally.lost == 0


def test_the_way_goes_over_stream_topic_queue_webhook_and_log(base: TellingGround, wire: Wire) -> None:
    with case_of(base, OPERATIONS["tell a webhook"]) as case:
        write(case)
        with wire.recording() as calls:
            assert work(case)
    kinds = [call for call in calls if not call.startswith("dynamodb")]
    assert kinds == ["sns PublishBatch", "webhook POST"]
    assert calls.index("webhook POST") < len(calls) - 1, "the log is written last"


def test_whoever_was_not_told_would_be_noticed(base: TellingGround) -> None:
    with case_of(base, OPERATIONS["tell a webhook"]) as case:
        write(case)
        case.world.pending.clear()
        finish(case)
        assert by_hooks(case) == [0]


def test_what_stays_behind_would_be_noticed(base: TellingGround) -> None:
    with case_of(base, OPERATIONS["tell a webhook"]) as case:
        case.world.put(Queue.SMS, "nobody reads this")
        assert case.world.left() == {"sms": 1}
