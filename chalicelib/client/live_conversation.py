"""One live connection, from signing in until it is lost: the client's side of the plain JSON dialect.

The position only moves when the service says that everything up to one was sent (`CaughtUp`). A message that
is pushed tells nothing about those before it: another one's push may be late, or lost. So the conversation
asks for what waits after its position again and again, also while all is well. That answers two questions
at once, whether anything was missed and whether the other side is still there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from chalicelib.client import live_frames as frames
from chalicelib.client.cursor import Progress
from chalicelib.client.live_acknowledgements import Acknowledgements
from chalicelib.client.live_socket import LiveSocket
from chalicelib.protocol.errors import Dm3Error, Unavailable
from chalicelib.protocol.json_types import JsonValue

_SILENT: Final = "The delivery service fell silent."


@dataclass(frozen=True, slots=True)
class LiveTiming:
    """How long things take, in seconds.

    `answer_s`: until an answer is missed. `between_questions_s`: until it is asked again whether anything was
    missed. `without_live_s`: until a service that has no live connections is asked for one again.
    """

    answer_s: float = 30.0
    between_questions_s: float = 300.0
    without_live_s: float = 600.0


class Listener(Protocol):
    """Whoever wants what a conversation brings."""

    def arrived(self, message: JsonValue) -> None:
        """A message came in; perhaps not for the first time."""

    def announced(self) -> None:
        """A message came in that must be fetched. Raises if it could not be, which ends the conversation."""

    def caught_up(self, position: str) -> None:
        """Everything up to `position` has arrived or has been announced."""

    def pinged(self, answer: Callable[[], None]) -> None:
        """The service asks whether somebody is there."""

    def not_acknowledged(self, error: Dm3Error) -> None:
        """An acknowledgement was refused for good."""


class Conversation:
    """Talks over `socket`. `clock_s` tells the seconds of a clock that never goes back.

    Every method raises Unavailable if the connection is lost, the service falls silent or talks nonsense, and
    otherwise the error that the service tells.
    """

    def __init__(
        self,
        socket: LiveSocket,
        acknowledgements: Acknowledgements,
        timing: LiveTiming,
        clock_s: Callable[[], float],
    ) -> None:
        self._socket = socket
        self._acknowledgements = acknowledgements
        self._timing = timing
        self._clock_s = clock_s
        self._ping_interval_s = frames.DEFAULT_PING_INTERVAL_S
        self._position: str | None = None
        # When to ask what was missed; None while that is being answered.
        self._ask_at_s: float | None = None
        self._progress = Progress()
        self._found = False

    def subscribe(self, name: str, token: str, position: str | None) -> None:
        """Sign in and ask for what waits after `position`. Raises Unauthorized if the token is refused."""
        self._position = position
        self._socket.send(frames.subscribe(name, token, position))
        while True:
            match self._receive(self._timing.answer_s):
                case frames.Subscribed(ping_interval_s):
                    self._ping_interval_s = ping_interval_s
                    return
                case frames.Refusal(error):
                    raise error
                case frames.Ping():
                    self._pong()
                case None:
                    raise Unavailable(_SILENT)

    def listen(self, listener: Listener) -> None:
        """Give `listener` what comes in, until an error ends it. To be called after `subscribe`."""
        while True:
            frame = self._receive(self._patience_s())
            if frame is not None:
                self._hear(frame, listener)
            elif self._ask_at_s is None:
                raise Unavailable(_SILENT)
            if self._ask_at_s is not None and (frame is None or self._clock_s() >= self._ask_at_s):
                self._ask()

    def _hear(self, frame: frames.Frame, listener: Listener) -> None:
        match frame:
            case frames.Delivered(message):
                self._found = True
                listener.arrived(message)
            case frames.Announced():
                self._found = True
                listener.announced()
            case frames.CaughtUp():
                listener.caught_up(frame.position)
                self._caught_up(frame)
            case frames.Ping():
                listener.pinged(self._pong)
            case frames.Acknowledged(ref):
                self._acknowledgements.settle(ref)
            case frames.Refusal(error, ref):
                self._refused(error, ref, listener)

    def _caught_up(self, frame: frames.CaughtUp) -> None:
        before, self._position = self._position, frame.position
        if frame.more:
            self._progress.step(before, frame.position, found=self._found)
            self._ask()
        else:
            self._ask_at_s = self._clock_s() + self._timing.between_questions_s
        self._found = False

    def _ask(self) -> None:
        self._ask_at_s = None
        if self._position is not None:
            self._socket.send(frames.resume(self._position))

    def acknowledge(self) -> None:
        """Ask for what is owed to be deleted. May be called by any thread."""
        while (asked := self._acknowledgements.ask()) is not None:
            self._socket.send(frames.acknowledge(asked.ids, asked.ref))

    def close(self) -> None:
        """End it. May be called by any thread."""
        self._socket.close()

    def _patience_s(self) -> float:
        """How long to wait for the next text: for an answer, or until it is time to ask."""
        if self._ask_at_s is None:
            return self._timing.answer_s
        return min(self._ping_interval_s, max(0.0, self._ask_at_s - self._clock_s()))

    def _receive(self, timeout_s: float) -> frames.Frame | None:
        text = self._socket.receive(timeout_s)
        return None if text is None else frames.parse_frame(text)

    def _pong(self) -> None:
        self._socket.send(frames.pong())

    def _refused(self, error: Dm3Error, ref: str | None, listener: Listener) -> None:
        if error.retry:
            self._acknowledgements.owe_again(ref)
        if error.retry or not self._acknowledgements.settle(ref):
            # Not about an acknowledgement, or the service cannot now: what is owed is asked for elsewhere.
            raise error
        listener.not_acknowledged(error)
