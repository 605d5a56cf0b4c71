"""Whatever the order of commits, pushes and breaks, a follower of the plain dialect misses nothing."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from chalicelib.relay.values import Submitted
from chalicelib.store.memory import Moment
from tests.unit.notify.sockets.house import House
from tests.unit.relay.ports import SkewedClock
from tests.unit.relay.world import BOB, SOURCE


class Follower:
    """A client that keeps the last cursor it was given, and the ids it has seen."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.cursor: str | None = None
        self.seen: set[str] = set()
        self.number = 0
        self.open = False

    @property
    def connection_id(self) -> str:
        return f"c{self.number}"

    def come(self) -> None:
        if not self.open:
            self.number += 1
            self.open = True
            self.hear(self.house.plain(self.connection_id, BOB, self.cursor))

    def go(self) -> None:
        """The line breaks; what was under way is lost, and the gateway may say so much later."""
        if self.open:
            self.house.poster.take(self.connection_id)
            self.house.poster.open_ids.discard(self.connection_id)
            self.open = False

    def listen(self) -> None:
        self.hear([json.loads(text) for text in self.house.poster.take(self.connection_id)])

    def resume(self) -> None:
        if self.open:
            frame = {"type": "resume", "cursor": self.cursor}
            self.hear([json.loads(text) for text in self.house.say(self.connection_id, frame)])

    def hear(self, frames: list[dict[str, Any]]) -> None:
        for frame in frames:
            if frame["type"] == "message":
                self.seen.add(frame["message"]["messageId"])
            self.cursor = frame.get("cursor") or self.cursor
            if frame["type"] == "caughtUp" and frame["more"]:
                self.resume()


_STEPS = st.lists(
    st.sampled_from(["commit", "commit late", "push oldest", "push newest", "come", "go", "listen", "wait"])
    | st.just("resume"),
    max_size=30,
)


@settings(max_examples=100, deadline=None)
@given(_STEPS)
# A push that overtakes an older one by more than a minute, which then finds no socket.
@example(["come", "commit", "wait", "wait", "commit", "push newest", "listen", "go", "push oldest"])
# A message that is committed behind the cursor which the follower had reached.
@example(["commit", "come", "go", "commit late", "push newest", "come", "go"])
def test_a_follower_misses_nothing(steps: list[str]) -> None:
    house = House()
    follower = Follower(house)
    slow = house.world.process(SkewedClock(house.world.clock, -30_000))
    committed: set[str] = set()
    events: list[Submitted] = []
    for number, step in enumerate(steps):
        if step.startswith("commit"):
            relay = slow if step == "commit late" else house.world.relay
            letter = house.world.letter(text=f"letter {number}")
            events.append(relay.admission.submit(letter, source=SOURCE))
            committed.add(events[-1].receipt.message_id)
        elif step.startswith("push") and events:
            assert house.tell(events.pop(0 if step == "push oldest" else -1)) == []
        elif step == "wait":
            house.world.clock.pass_s(45)
        elif step in ("come", "go", "listen", "resume"):
            if step == "resume" and follower.cursor is None:
                continue
            getattr(follower, step)()
    follower.go()
    house.world.clock.pass_s(60)
    follower.come()
    assert follower.seen >= committed


def test_what_is_committed_while_a_socket_signs_in_is_pushed_or_read() -> None:
    """At every call of the store that signing in makes, before and after it."""
    calls = next(at for at in range(200) if not _committed_at(at))
    assert calls > 10


def _committed_at(at: int) -> bool:
    """Commit and push a message at the call of that number; False if signing in makes no such call."""
    house = House()
    house.connect("c1")
    token = house.world.token(BOB)
    submitted: list[Submitted] = []
    calls = 0

    def commit(_operation: str, _moment: Moment) -> None:
        nonlocal calls
        if calls == at:
            house.world.store.faults = lambda _operation, _moment: None
            submitted.append(house.submit())
            assert house.tell(submitted[0]) == []
        calls += 1

    house.world.store.faults = commit
    frames = house.say("c1", {"type": "subscribe", "name": "bob.eth", "token": token})
    heard = [json.loads(text) for text in frames]
    ids = {frame["message"]["messageId"] for frame in heard if frame["type"] == "message"}
    assert ids == {one.receipt.message_id for one in submitted}
    return bool(submitted)


def test_a_live_message_moves_no_cursor() -> None:
    """An older one may still be on its way, to a socket that is not open then."""
    house = House()
    house.plain("c1")
    assert house.tell(house.submit()) == []
    (text,) = house.poster.take("c1")
    assert json.loads(text)["cursor"] is None
