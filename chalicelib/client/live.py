"""Following one's mail: each message once, as it comes in, from all of one's delivery services.

`LiveFollowing` holds live connections where services have them; `PolledFollowing` asks again and again. What
came in is opened in the thread of whoever reads; only the network is waited for elsewhere.
"""

from __future__ import annotations

import weakref
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from threading import Thread
from types import TracebackType
from typing import Final, Self

from chalicelib.client.cursor import read_cursor
from chalicelib.client.live_channel import Channel
from chalicelib.client.live_events import (
    Answered,
    Arrived,
    Event,
    Failed,
    LiveState,
    NotAcknowledged,
    Pinged,
)
from chalicelib.client.live_link import Link, Means
from chalicelib.client.mailbox import Mailbox
from chalicelib.client.several import of_all
from chalicelib.client.values import Received
from chalicelib.protocol.errors import Dm3Error, Unavailable

_WAITING: Final = 256
_REMEMBERED: Final = 100_000
_ENDED_WITHIN_S: Final = 2.0

Tell = Callable[[LiveState], None]


class Following(Iterator[Received]):
    """The messages that wait, and then each that comes in. Ends when `stop` is called, and not before.

    If `acknowledging`, a message is acknowledged when the next one is asked for: whoever stops in the middle
    of one finds it again. A `with` block stops at its end, and so does forgetting the object.
    """

    def __init__(self, mailbox: Mailbox, *, acknowledging: bool) -> None:
        self._mailbox = mailbox
        self._acknowledging = acknowledging
        self._given: Received | None = None

    def __next__(self) -> Received:
        """The next message, waited for. Raises as `Dm3Client.follow`."""
        if self._acknowledging and self._given is not None:
            self._acknowledge(self._given)
        self._given = None
        self._given = self._wait()
        return self._given

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @abstractmethod
    def stop(self) -> None:
        """End it; any thread may. Whoever waits for a message gets StopIteration."""

    @abstractmethod
    def _wait(self) -> Received:
        """The next message. Raises StopIteration once it was stopped."""

    @abstractmethod
    def _acknowledge(self, message: Received) -> None:
        """Delete `message` and its doubles."""


class PolledFollowing(Following):
    """Asks every `poll_s` seconds. Stopping takes effect at the next look."""

    def __init__(
        self,
        mailbox: Mailbox,
        cursor: str | None,
        *,
        poll_s: float,
        sleep: Callable[[float], None],
        acknowledging: bool,
    ) -> None:
        super().__init__(mailbox, acknowledging=acknowledging)
        self._stopped = False
        self._sleep = sleep
        self._messages = mailbox.follow(cursor, poll_s=poll_s, sleep=self._pause)

    def stop(self) -> None:
        """As `Following.stop`."""
        self._stopped = True

    def _pause(self, seconds: float) -> None:
        if not self._stopped:
            self._sleep(seconds)
        if self._stopped:
            raise _Stopped

    def _wait(self) -> Received:
        if self._stopped:
            raise StopIteration
        try:
            return next(self._messages)
        except _Stopped:
            raise StopIteration from None

    def _acknowledge(self, message: Received) -> None:
        self._mailbox.acknowledge([message])


class _Stopped(Exception):
    """Takes a generator out of its pause."""


class LiveFollowing(Following):
    """Holds a live connection to each of the `services`, from the first message that is asked for on.

    `tell` gets how each stands whenever that changes, in the thread that reads.
    """

    def __init__(
        self,
        mailbox: Mailbox,
        services: Sequence[str],
        cursor: str | None,
        means: Means,
        *,
        acknowledging: bool,
        tell: Tell | None = None,
    ) -> None:
        super().__init__(mailbox, acknowledging=acknowledging)
        self._channel: Channel[Event] = Channel(_WAITING)
        positions = read_cursor(cursor)
        self._links = {
            name: Link(name, positions.get(name), means, self._channel) for name in dict.fromkeys(services)
        }
        self._threads: list[Thread] = []
        self._tell = tell
        self._told: dict[str, LiveState] = {}
        self._failures: dict[str, Dm3Error] = {}
        self._seen: dict[str, None] = {}
        # The threads do not hold this object, so that nobody need stop what is only forgotten.
        self._end = weakref.finalize(self, _close, self._channel, tuple(self._links.values()))

    def stop(self) -> None:
        """As `Following.stop`."""
        for link in self._links.values():
            link.finish()
        self._end()
        for thread in self._threads:
            thread.join(_ENDED_WITHIN_S / len(self._threads))

    def _wait(self) -> Received:
        self._start()
        while (event := self._channel.take()) is not None:
            received = self._note(event)
            if received is not None:
                return received
        raise StopIteration

    def _start(self) -> None:
        if self._threads:
            return
        if not self._links:
            raise of_all(())
        for link in self._links.values():
            thread = Thread(target=link.run, name=f"dm3 live {len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _note(self, event: Event) -> Received | None:
        """What a link has brought; a message if it is one that was not given yet."""
        match event:
            case Arrived():
                return self._open(event)
            case Answered(service):
                self._failures.pop(service, None)
            case Failed(service, error):
                self._failures[service] = error
                self._give_up()
            case Pinged(answer):
                # The link notices by itself that its connection is gone.
                with suppress(Unavailable):
                    answer()
            case NotAcknowledged(error):
                raise error
            case LiveState():
                self._show(event)
        return None

    def _open(self, arrived: Arrived) -> Received | None:
        identifier = arrived.message.get("id") if isinstance(arrived.message, dict) else None
        key = f"{arrived.service}/{identifier}"
        if key in self._seen:
            return None
        received = self._mailbox.open(arrived.message, arrived.service)
        self._seen[key] = None
        if len(self._seen) > _REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return received

    def _give_up(self) -> None:
        """Raise if no service gives any mail, and no waiting would help."""
        if self._failures.keys() != self._links.keys():
            return
        error = of_all([self._failures[name] for name in self._links])
        if not error.retry:
            raise error

    def _show(self, state: LiveState) -> None:
        before = self._told.get(state.delivery_service)
        if self._tell is not None and (before is None or before.standing is not state.standing):
            self._tell(state)
        self._told[state.delivery_service] = state

    def _acknowledge(self, message: Received) -> None:
        for service, ids in self._mailbox.with_doubles([message]).items():
            link = self._links.get(service)
            if link is not None:
                link.acknowledge(ids)


def _close(channel: Channel[Event], links: Sequence[Link]) -> None:
    channel.close()
    for link in links:
        link.close()
