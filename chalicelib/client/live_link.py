"""The way in from one delivery service, in a thread of its own, kept up through every outage.

While there is a live connection, mail comes over it; while there is none (the service has no such thing, or
it cannot be opened), by asking over REST again and again. Both continue from the same position, so that
changing from one to the other misses nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from chalicelib.client.cursor import Progress
from chalicelib.client.delivery_service import DeliveryService
from chalicelib.client.failures import wait_s
from chalicelib.client.live_acknowledgements import Acknowledgements
from chalicelib.client.live_channel import Channel, Closed
from chalicelib.client.live_conversation import Conversation, LiveTiming
from chalicelib.client.live_events import (
    Answered,
    Arrived,
    Event,
    Failed,
    LiveState,
    NotAcknowledged,
    Pinged,
    Standing,
)
from chalicelib.client.live_socket import LiveDialer, LiveSocket, NoLiveConnections
from chalicelib.client.own_inbox import OwnInbox
from chalicelib.client.patience import Patience
from chalicelib.client.services import Services
from chalicelib.client.session import Sessions
from chalicelib.protocol.entropy import Entropy
from chalicelib.protocol.errors import Dm3Error, Unauthorized, Unavailable
from chalicelib.protocol.json_types import JsonValue

_SIGN_INS: Final = 2
# From this many failures in a row on, mail is fetched over REST meanwhile.
_FAILURES_UNTIL_POLLING: Final = 2
_LAST_ANSWERS_WITHIN_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Means:
    """What a link works with. `name` is the account's; `poll_s` seconds lie between two looks over REST.

    `clock_s` tells the seconds of a clock that never goes back.
    """

    name: str
    services: Services
    sessions: Sessions
    own: OwnInbox
    dialer: LiveDialer
    chance: Entropy
    patience: Patience
    timing: LiveTiming
    poll_s: float
    clock_s: Callable[[], float] = time.monotonic


class Link:
    """Brings the mail of the delivery service called `name` after `position` into `channel`."""

    def __init__(self, name: str, position: str | None, means: Means, channel: Channel[Event]) -> None:
        self.name = name
        self._means = means
        self._channel = channel
        self._position = position
        self._acknowledgements = Acknowledgements()
        self._socket: LiveSocket | None = None
        self._conversation: Conversation | None = None
        self._failures = 0
        self._steady_since_s: float | None = None

    def run(self) -> None:
        """Go on until the channel is closed. What is no failure of the network closes it."""
        try:
            while True:
                self._try()
        except Closed:
            pass
        except BaseException as error:  # noqa: BLE001 - raised again where somebody sees it
            self._channel.close(error)

    def acknowledge(self, ids: Sequence[str]) -> None:
        """Have these deleted: over the live connection if there is one. To be called by the reader's thread.

        A failure that may pass is made good later. Raises any other.
        """
        self._acknowledgements.owe(ids)
        conversation = self._conversation
        if conversation is None:
            error = self._settle()
            if error is not None:
                raise error
            return
        try:
            conversation.acknowledge()
        except Unavailable:
            # Whoever listens notices, too, and connects again.
            self._acknowledgements.owe_again()

    def finish(self) -> None:
        """Wait a moment for the answers to what was asked."""
        if self._conversation is not None:
            self._acknowledgements.wait(_LAST_ANSWERS_WITHIN_S)

    def close(self) -> None:
        """End the live connection, if there is one. May be called by any thread."""
        socket = self._socket
        if socket is not None:
            socket.close()

    def _try(self) -> None:
        """One live connection, as long as it lasts, and the pause after it."""
        try:
            self._live()
        except NoLiveConnections as error:
            self._tell(Standing.POLLING, error)
            self._poll(self._means.timing.without_live_s)
        except Dm3Error as error:
            self._failures += 1
            self._tell(Standing.RECONNECTING, error)
            pause_s = self._pause_s(error)
            if error.retry and self._failures < _FAILURES_UNTIL_POLLING:
                self._channel.pause(pause_s)
            else:
                # Whether an error that does not pass keeps the mail away is seen there.
                self._poll(pause_s)

    def _live(self) -> None:
        conversation = self._connect()
        self._conversation, self._steady_since_s = conversation, None
        try:
            self._channel.give(Answered(self.name))
            self._channel.give(LiveState(self.name, Standing.CONNECTED))
            conversation.acknowledge()
            conversation.listen(self)
        finally:
            self._conversation = None
            conversation.close()
            self._acknowledgements.owe_again()
            if self._was_steady():
                self._failures = 0

    def _was_steady(self) -> bool:
        """Whether the connection was good for as long as the longest pause.

        One that is cut as soon as it is up counts as a failure, or it would be opened twice a second.
        """
        since_s = self._steady_since_s
        return since_s is not None and self._means.clock_s() - since_s >= self._means.patience.longest_wait_s

    def _connect(self) -> Conversation:
        """A conversation that is signed in, with a new token if the one at hand is refused."""
        service = self._found()
        refused: str | None = None
        for _ in range(_SIGN_INS):
            token = self._means.sessions.token(service, refused=refused)
            conversation = self._dial(service)
            try:
                conversation.subscribe(self._means.name, token, self._position)
            except Unauthorized:
                conversation.close()
                refused = token
            except BaseException as error:
                conversation.close()
                if isinstance(error, Dm3Error) and not error.retry:
                    # Whether this keeps the mail away, too, is seen over REST.
                    raise NoLiveConnections(error.message) from None
                raise
            else:
                return conversation
        raise NoLiveConnections("The delivery service refuses its own tokens.")

    def _dial(self, service: DeliveryService) -> Conversation:
        self._socket = self._means.dialer.dial(service.live_url)
        if self._channel.closed:
            self._socket.close()
            raise Closed
        return Conversation(self._socket, self._acknowledgements, self._means.timing, self._means.clock_s)

    def _poll(self, seconds: float) -> None:
        """Fetch over REST again and again, for so long."""
        until_s = self._means.clock_s() + seconds
        while True:
            error = self._settle()
            if error is not None:
                self._channel.give(NotAcknowledged(error))
            try:
                self._fetch()
            except Dm3Error as failure:
                self._channel.give(Failed(self.name, failure))
            left_s = until_s - self._means.clock_s()
            self._channel.pause(max(0.0, min(self._means.poll_s, left_s)))
            if left_s <= self._means.poll_s:
                return

    def _fetch(self) -> None:
        """Everything after the position, over REST."""
        service, progress = self._found(), Progress()
        while True:
            page = self._means.own.read(service, self._position, limit=None, follow=True)
            self._channel.give(Answered(self.name))
            for message in page.messages:
                self._channel.give(Arrived(self.name, message))
            before, self._position = self._position, page.position
            if not page.more:
                return
            progress.step(before, page.position, found=bool(page.messages))

    def _settle(self) -> Dm3Error | None:
        """Acknowledge over REST what is owed. The error if that failed for good: it is owed no longer."""
        while (asked := self._acknowledgements.ask()) is not None:
            try:
                self._means.own.acknowledge(self._found(), asked.ids)
            except Dm3Error as error:
                if error.retry:
                    self._acknowledgements.owe_again(asked.ref)
                    return None
                self._acknowledgements.settle(asked.ref)
                return error
            self._acknowledgements.settle(asked.ref)
        return None

    def _pause_s(self, error: Dm3Error) -> float:
        """Twice as long after each failure, less a random part of up to half, or what the service asks."""
        patience = self._means.patience
        longest_s = min(patience.longest_wait_s, patience.pause_s * 2.0 ** min(self._failures - 1, 32))
        part = int.from_bytes(self._means.chance.token(2)) / 0x1_0000
        asked_s = min(wait_s(error) or 0.0, self._means.timing.without_live_s)
        return max(asked_s, longest_s * (1 - part / 2))

    def _found(self) -> DeliveryService:
        return self._means.services.find(self.name)

    def _tell(self, standing: Standing, error: Dm3Error) -> None:
        self._channel.give(LiveState(self.name, standing, error.message))

    # What the conversation brings (`live_conversation.Listener`), in the thread that listens.

    def arrived(self, message: JsonValue) -> None:
        """As `Listener.arrived`."""
        self._channel.give(Arrived(self.name, message))

    def announced(self) -> None:
        """As `Listener.announced`."""
        self._fetch()

    def caught_up(self, position: str) -> None:
        """As `Listener.caught_up`."""
        self._position = position
        if self._steady_since_s is None:
            self._steady_since_s = self._means.clock_s()

    def pinged(self, answer: Callable[[], None]) -> None:
        """As `Listener.pinged`. The reader answers, when it has been given all that came before."""
        self._channel.give(Pinged(answer))

    def not_acknowledged(self, error: Dm3Error) -> None:
        """As `Listener.not_acknowledged`."""
        self._channel.give(NotAcknowledged(error))
