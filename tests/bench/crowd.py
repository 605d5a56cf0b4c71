"""Many people at one relay, in a process of their own: open sockets, senders, and who got what when.

`python -m tests.bench.crowd`: standard input is the JSON of a `Plan`; the lines of standard output are
"ready" when the sockets are open, "quiet" when nothing more is pushed, and a `Tale`. What the clients do
takes processor time, which must not look like the relay's.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from random import Random
from threading import Thread

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from chalicelib.client.identity import Identity
from chalicelib.protocol.json_types import JsonObject
from tests.support.relay_over_http import RelayOverHttp, hash_of, seal

OPENING_AT_ONCE = 32
PONGS = {"2": "3", '{"type":"ping"}': '{"type":"pong"}'}
WITHIN_S = 60.0
QUIET_S = 20.0
"""When for so long nothing has been pushed, what is missing is fetched."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Who opens sockets, who writes, and how much. People are identities as JSON.

    Each receiver has `sockets_each` sockets, every second one in the Socket.IO dialect.
    """

    url: str
    ws_url: str
    relay_encryption_key: str
    receivers: list[JsonObject]
    senders: list[JsonObject]
    sockets_each: int
    messages: int
    seed: int


@dataclass(slots=True)
class Tale:
    """What happened. Times are seconds of the monotonic clock that all processes of a machine share.

    `submitted` is the answer's time for each message hash; `pushed` has (hash, socket, time) for each push;
    `owners` says whose the sockets are, `dialects` what they speak, `sent_to` to whom each message went, and
    `fetched` what each receiver's inbox holds in the end.
    """

    submitted: dict[str, float] = field(default_factory=dict)
    sent_to: dict[str, str] = field(default_factory=dict)
    owners: list[str] = field(default_factory=list)
    dialects: list[str] = field(default_factory=list)
    pushed: list[tuple[str, int, float]] = field(default_factory=list)
    fetched: dict[str, list[str]] = field(default_factory=dict)
    closed: int = 0
    submitting_s: float = 0.0
    opening_s: float = 0.0


class Sockets:
    """Open sockets in an event loop of their own, which note what they are pushed."""

    def __init__(self, plan: Plan, tale: Tale) -> None:
        self._ws_url = plan.ws_url
        self._tale = tale
        self._sockets: list[ClientConnection] = []
        self._loop = asyncio.new_event_loop()
        self._room = asyncio.Semaphore(OPENING_AT_ONCE)
        self._thread = Thread(target=self._loop.run_forever, name="sockets")
        self._tasks: set[asyncio.Task[None]] = set()

    @contextmanager
    def open(self, people: Sequence[tuple[str, str]]) -> Iterator[None]:
        """Have a socket for each (name, token), every second one in the Socket.IO dialect."""
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._open_all(people), self._loop).result()
            yield
        finally:
            asyncio.run_coroutine_threadsafe(self._close_all(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    async def _open_all(self, people: Sequence[tuple[str, str]]) -> None:
        self._tale.owners = [name for name, _ in people]
        self._tale.dialects = ["json" if number % 2 else "socket.io" for number in range(len(people))]
        openings = (self._open(number, name, token) for number, (name, token) in enumerate(people))
        await asyncio.gather(*openings)

    async def _open(self, number: int, name: str, token: str) -> None:
        plain = self._tale.dialects[number] == "json"
        path = "/live" if plain else "/socket.io/?EIO=4&transport=websocket"
        async with self._room:
            socket = await connect(
                self._ws_url + path, compression=None, ping_interval=None, open_timeout=WITHIN_S
            )
            self._sockets.append(socket)
            begin = self._subscribe if plain else self._authorise
            await asyncio.wait_for(begin(socket, name, token), WITHIN_S)
        task = asyncio.ensure_future(self._listen(number, socket))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _subscribe(self, socket: ClientConnection, name: str, token: str) -> None:
        await socket.send(json.dumps({"type": "subscribe", "name": name, "token": token, "cursor": None}))
        while json.loads(await self._frame(socket))["type"] != "caughtUp":
            pass

    async def _authorise(self, socket: ClientConnection, name: str, token: str) -> None:
        assert (await self._frame(socket)).startswith("0{")
        await socket.send("40" + json.dumps({"account": {"ensName": name}, "token": token}))
        assert (await self._frame(socket)).startswith("40{")
        assert await self._frame(socket) == '42["authorized"]'

    async def _listen(self, number: int, socket: ClientConnection) -> None:
        try:
            while True:
                frame = await self._frame(socket)
                received_s = time.monotonic()
                if (pushed := _message_in(frame)) is not None:
                    self._tale.pushed.append((hash_of(pushed), number, received_s))
        except ConnectionClosed:
            self._tale.closed += 1

    @staticmethod
    async def _frame(socket: ClientConnection) -> str:
        """The next frame that is no ping; pings, which may come at any time, are answered."""
        while (frame := str(await socket.recv())) in PONGS:
            await socket.send(PONGS[frame])
        return frame

    async def _close_all(self) -> None:
        listening = list(self._tasks)
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)
        for socket in self._sockets:
            socket.transport.abort()


def _message_in(text: str) -> JsonObject | None:
    """The envelope in a frame of either dialect, if it has one."""
    envelope: JsonObject
    if text.startswith('42["message",'):
        _, envelope = json.loads(text[2:])
        return envelope
    if text.startswith("{") and (frame := json.loads(text))["type"] == "message":
        envelope = frame["message"]["envelope"]
        return envelope
    return None


class Crowd:
    """Everybody in a plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._tale = Tale()
        self._house = RelayOverHttp(plan.url)
        self._receivers = [Identity.parse(one) for one in plan.receivers]
        self._senders = [Identity.parse(one) for one in plan.senders]

    def play(self) -> Tale:
        """Open accounts and sockets, write, wait until it is quiet, and fetch."""
        plan, tale = self._plan, self._tale
        with ThreadPoolExecutor(len(self._senders)) as threads:
            tokens = list(threads.map(self._house.settle, self._receivers))
            signed_in = [(one.name, token) for one, token in zip(self._receivers, tokens, strict=True)]
            letters = self._letters()
            sockets = Sockets(plan, tale)
            began_s = time.monotonic()
            with sockets.open(signed_in * plan.sockets_each):
                tale.opening_s = time.monotonic() - began_s
                say("ready")
                began_s = time.monotonic()
                list(threads.map(self._send, letters))
                tale.submitting_s = time.monotonic() - began_s
                self._wait_until_quiet()
                say("quiet")
            for name, token in signed_in:
                tale.fetched[name] = list(self._house.inbox(name, token))
        return tale

    def _letters(self) -> list[list[str]]:
        """What each sender is going to submit, sealed beforehand."""
        chance = Random(self._plan.seed)  # noqa: S311 - whom somebody writes to
        letters: list[list[str]] = [[] for _ in self._senders]
        for number in range(self._plan.messages):
            sender, receiver = number % len(self._senders), chance.choice(self._receivers)
            envelope = seal(
                self._senders[sender], receiver, f"message {number}", self._plan.relay_encryption_key
            ).to_json()
            self._tale.sent_to[hash_of(envelope)] = receiver.name
            letters[sender].append(json.dumps(envelope))
        return letters

    def _send(self, letters: Sequence[str]) -> None:
        for letter in letters:
            accepted = self._house.submit(letter)
            self._tale.submitted[accepted] = time.monotonic()  # when the answer is here

    def _wait_until_quiet(self) -> None:
        """Wait for every push, or for a time in which none comes."""
        tale = self._tale
        sockets_of = Counter(tale.owners)
        expected = sum(sockets_of[name] for name in tale.sent_to.values())
        seen, seen_s = -1, time.monotonic()
        while len(tale.pushed) < expected and time.monotonic() - seen_s < QUIET_S:
            if len(tale.pushed) != seen:
                seen, seen_s = len(tale.pushed), time.monotonic()
            time.sleep(0.1)
        time.sleep(1.0)  # for doubles, which nobody waits for


def say(what: object) -> None:
    """A line of JSON for whoever has started this."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def main() -> None:
    """See the module's docstring."""
    plan = Plan(**json.loads(sys.stdin.readline()))
    say(asdict(Crowd(plan).play()))


if __name__ == "__main__":
    main()
