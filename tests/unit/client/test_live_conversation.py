"""One live connection, against a scripted one: what is asked when, and which position is kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from chalicelib.client.live_acknowledgements import Acknowledgements
from chalicelib.client.live_conversation import Conversation, LiveTiming
from chalicelib.protocol.errors import Dm3Error, InvalidParams, LimitExceeded, Unauthorized, Unavailable
from chalicelib.protocol.json_types import JsonValue

TIMING = LiveTiming(answer_s=10, between_questions_s=100)


class Script:
    """A connection that says these in turn: a text's members, or how many seconds pass before the next.

    It plays the clock, too. At its end the connection is lost.
    """

    def __init__(self, *steps: dict[str, Any] | float) -> None:
        self._steps = list(steps)
        self.now_s = 0.0
        self.sent: list[dict[str, Any]] = []
        self.closed = False

    def clock_s(self) -> float:
        return self.now_s

    def send(self, text: str) -> None:
        self.sent.append(json.loads(text))

    def receive(self, timeout_s: float) -> str | None:
        if not self._steps:
            raise Unavailable("The script is over.")
        step = self._steps[0]
        if isinstance(step, dict):
            del self._steps[0]
            return json.dumps(step)
        passes_s = min(step, timeout_s)
        self.now_s += passes_s
        if passes_s == step:
            del self._steps[0]
            return self.receive(0) if timeout_s > step and self._steps else None
        self._steps[0] = step - passes_s
        return None

    def close(self) -> None:
        self.closed = True


class Notes:
    """A listener that notes everything."""

    def __init__(self, *, fails: Dm3Error | None = None) -> None:
        self.notes: list[object] = []
        self._fails = fails

    def arrived(self, message: JsonValue) -> None:
        self.notes.append(message)

    def announced(self) -> None:
        if self._fails is not None:
            raise self._fails
        self.notes.append("announced")

    def caught_up(self, position: str) -> None:
        self.notes.append(f"up to {position}")

    def pinged(self, answer: Callable[[], None]) -> None:
        self.notes.append("pinged")
        answer()

    def not_acknowledged(self, error: Dm3Error) -> None:
        self.notes.append(type(error).__name__)


SUBSCRIBED = {"type": "subscribed", "pingInterval": 240}
MESSAGE = {"type": "message", "message": {"id": "m"}, "cursor": "of the message"}


def caught_up(position: str, *, more: bool = False) -> dict[str, Any]:
    return {"type": "caughtUp", "cursor": position, "more": more}


def heard(script: Script, *, expect: type[Dm3Error] = Unavailable) -> tuple[list[object], Sequence[Any]]:
    """What a listener notes until the script is over, and what the conversation said after signing in."""
    notes = Notes()
    conversation = Conversation(script, Acknowledgements(), TIMING, script.clock_s)
    conversation.subscribe("bob.eth", "t", "before")
    with pytest.raises(expect):
        conversation.listen(notes)
    assert script.sent[0] == {"type": "subscribe", "name": "bob.eth", "token": "t", "cursor": "before"}
    return notes.notes, script.sent[1:]


def test_only_the_service_s_word_that_all_was_sent_moves_the_position() -> None:
    notes, said = heard(Script(SUBSCRIBED, MESSAGE, caught_up("a"), MESSAGE, 100.0, 1.0))
    assert notes == [{"id": "m"}, "up to a", {"id": "m"}]
    assert said == [{"type": "resume", "cursor": "a"}]


def test_more_is_asked_for_at_once() -> None:
    script = Script(SUBSCRIBED, MESSAGE, caught_up("a", more=True), MESSAGE, caught_up("b"))
    notes, said = heard(script)
    assert notes[-1] == "up to b"
    assert said == [{"type": "resume", "cursor": "a"}]


def test_what_was_missed_is_asked_for_however_busy_the_service_is() -> None:
    busy: list[dict[str, Any] | float] = [60.0, MESSAGE] * 4
    _, said = heard(Script(SUBSCRIBED, caught_up("a"), *busy))
    assert said == [{"type": "resume", "cursor": "a"}]


def test_a_quiet_service_is_asked_after_its_interval() -> None:
    script = Script({"type": "subscribed", "pingInterval": 20}, caught_up("a"), 25.0, caught_up("b"), 25.0)
    _, said = heard(script)
    assert said == [{"type": "resume", "cursor": "a"}, {"type": "resume", "cursor": "b"}]


def test_a_service_that_does_not_answer_is_silent() -> None:
    script = Script(SUBSCRIBED, caught_up("a"), 1_000.0)
    heard(script)
    assert script.now_s == 110, "100 s until it is asked, 10 s for an answer"


def test_a_service_that_says_nothing_after_signing_in_is_silent() -> None:
    script = Script(SUBSCRIBED, 1_000.0)
    heard(script)
    assert script.now_s == 10


def test_a_service_that_does_not_sign_one_in_is_silent() -> None:
    script = Script({"type": "weather"}, 1_000.0)
    conversation = Conversation(script, Acknowledgements(), TIMING, script.clock_s)
    with pytest.raises(Unavailable):
        conversation.subscribe("bob.eth", "t", None)
    assert script.now_s == 10


@pytest.mark.parametrize(("code", "kind"), [(-32003, Unauthorized), (-32602, InvalidParams)])
def test_a_refusal_to_sign_in(code: int, kind: type[Dm3Error]) -> None:
    script = Script({"type": "error", "code": code, "message": "no"})
    conversation = Conversation(script, Acknowledgements(), TIMING, script.clock_s)
    with pytest.raises(kind):
        conversation.subscribe("bob.eth", "t", None)
    conversation.close()
    assert script.closed


@pytest.mark.parametrize("circling", [True, False])
def test_parts_that_lead_nowhere_end(circling: bool) -> None:
    """A service that always says there is more must not be asked for ever."""
    parts = [caught_up("a" if circling else f"a{number}", more=True) for number in range(200)]
    script = Script(SUBSCRIBED, *parts)
    heard(script)
    assert len(script.sent) <= 102


def test_pings_are_answered() -> None:
    notes, said = heard(Script({"type": "ping"}, SUBSCRIBED, {"type": "ping"}))
    assert notes == ["pinged"]
    assert said == [{"type": "pong"}, {"type": "pong"}]


def test_an_announcement_that_cannot_be_fetched_ends_it_and_keeps_the_position() -> None:
    notes = Notes(fails=Unavailable())
    script = Script(SUBSCRIBED, {"type": "announcement"}, caught_up("beyond"))
    conversation = Conversation(script, Acknowledgements(), TIMING, script.clock_s)
    conversation.subscribe("bob.eth", "t", None)
    with pytest.raises(Unavailable):
        conversation.listen(notes)
    assert notes.notes == []


def test_nothing_is_asked_from_nowhere() -> None:
    """Before the first answer there is no position to ask from."""
    script = Script(SUBSCRIBED, MESSAGE, 9.0, MESSAGE, 9.0, MESSAGE)
    notes, said = heard(script)
    assert len(notes) == 3
    assert said == []


class TestAcknowledging:
    def test_answers_settle_requests(self) -> None:
        kept = Acknowledgements()
        kept.owe(["one"])
        script = Script(SUBSCRIBED, {"type": "acknowledged", "count": 1, "ref": "a1"})
        self._listen(script, kept, Notes(), Unavailable)
        assert script.sent[-1] == {"type": "acknowledge", "ids": ["one"], "ref": "a1"}
        assert kept.wait(0)
        assert kept.ask() is None

    def test_a_refusal_is_told_and_the_rest_goes_on(self) -> None:
        kept, notes = Acknowledgements(), Notes()
        kept.owe(["one"])
        refusal = {"type": "error", "code": -32602, "message": "no", "ref": "a1"}
        self._listen(Script(SUBSCRIBED, refusal, MESSAGE), kept, notes, Unavailable)
        assert notes.notes == ["InvalidParams", {"id": "m"}]
        assert kept.ask() is None

    def test_a_refusal_that_passes_ends_it_and_is_owed_again(self) -> None:
        kept, notes = Acknowledgements(), Notes()
        kept.owe(["one"])
        refusal = {"type": "error", "code": -32005, "message": "later", "ref": "a1"}
        self._listen(Script(SUBSCRIBED, refusal), kept, notes, LimitExceeded)
        asked = kept.ask()
        assert asked is not None
        assert asked.ids == ("one",)

    @pytest.mark.parametrize("ref", [None, "a9"])
    def test_a_refusal_of_something_else_ends_it(self, ref: str | None) -> None:
        refusal = {"type": "error", "code": -32003, "message": "no", "ref": ref}
        self._listen(Script(SUBSCRIBED, refusal), Acknowledgements(), Notes(), Unauthorized)

    @staticmethod
    def _listen(script: Script, kept: Acknowledgements, notes: Notes, error: type[Dm3Error]) -> None:
        conversation = Conversation(script, kept, TIMING, script.clock_s)
        conversation.subscribe("bob.eth", "t", None)
        conversation.acknowledge()
        with pytest.raises(error):
            conversation.listen(notes)
