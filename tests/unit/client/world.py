"""Relays without a network: the real API over the relay in memory, reached by a `MemoryTransport`.

A test breaks things by `faults`: functions that see each request first and may answer it, or raise OSError.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from chalicelib.api.application import application
from chalicelib.client import (
    Dm3Client,
    Identity,
    LiveDialer,
    LiveTiming,
    MemoryTransport,
    Outbox,
    Patience,
    Request,
    Response,
    Revision,
    Settings,
    Wallet,
)
from chalicelib.names.holdings import MemoryHoldings
from chalicelib.names.memory import MemoryDirectory
from chalicelib.protocol.crypto import encryption_key_pair, signing_key_pair
from chalicelib.protocol.profile import DeliveryServiceProfile
from chalicelib.protocol.profile_uri import data_uri
from chalicelib.relay.compose import compose
from chalicelib.relay.policy.port import Policy
from chalicelib.relay.service import Relay
from chalicelib.relay.settings import Limits, RelayKeys, RelaySecrets, RelaySettings
from chalicelib.store.memory import MemoryStore
from infra.local.gateway import Gateway
from tests.support.notifying import Carriers, notify_over

RELAY, SECOND = "relay.eth", "second.eth"

Fault = Callable[[Request], Response | None]


class HandClock:
    """Time that moves only when it is told to. Sleeping is noted, and moves it."""

    def __init__(self) -> None:
        self.time_ms = 1_800_000_000_000
        self.slept_s: list[float] = []

    def now_ms(self) -> int:
        return self.time_ms

    def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        self.time_ms += int(seconds * 1_000)


class SeededChance:
    """Bytes that are the same in every run, and never the same twice."""

    def __init__(self, seed: str = "") -> None:
        self._seed = seed
        self._count = 0

    def token(self, size_bytes: int) -> bytes:
        self._count += 1
        return hashlib.shake_256(f"{self._seed}{self._count}".encode()).digest(size_bytes)


def relay_keys(seed: str) -> RelayKeys:
    secret = hashlib.sha256(seed.encode()).digest()
    return RelayKeys(encryption_key_pair(secret), signing_key_pair(secret))


def wallet_of(name: str) -> Wallet:
    return Wallet.parse(hashlib.sha256(f"wallet {name}".encode()).hexdigest())


def service_record(name: str, keys: RelayKeys) -> str:
    profile = DeliveryServiceProfile(
        keys.encryption.public_key, keys.signing.public_key, f"https://{name}/api"
    )
    return data_uri(profile.to_json())


@dataclass
class World:
    """Two relays, the names of everybody, what they hold on the chain, and a clock."""

    limits: Limits = field(default_factory=Limits)
    policy: Policy | None = None
    clock: HandClock = field(default_factory=HandClock)
    chance: SeededChance = field(default_factory=SeededChance)
    directory: MemoryDirectory = field(default_factory=MemoryDirectory)
    holdings: MemoryHoldings = field(default_factory=MemoryHoldings)
    faults: list[Fault] = field(default_factory=list)
    carriers: Carriers = field(default_factory=Carriers)
    live: LiveDialer | None = None  # of clients that are made without one

    def __post_init__(self) -> None:
        self.stores = {name: MemoryStore() for name in (RELAY, SECOND)}
        self.keys = {name: relay_keys(name) for name in (RELAY, SECOND)}
        self.relays: dict[str, Relay] = {}
        self._gateways: dict[str, Gateway] = {}
        for name in (RELAY, SECOND):
            self.start(name)
            self.directory.add(name, None, service_text=service_record(name, self.keys[name]))
        self.transport = MemoryTransport(self._answer)

    def start(self, name: str, *, lenient: bool = False) -> None:
        """A new process of a relay over the same storage, with the keys that `keys` has now."""
        relay = compose(
            settings=RelaySettings(name, self.limits, lenient=lenient, remember_s=0),
            keys=self.keys[name],
            secrets=RelaySecrets(b"1" * 32, b"2" * 32, b"3" * 32),
            stores=self.stores[name],
            directory=self.directory,
            clock=self.clock,
            chance=self.chance,
            holdings=self.holdings,
            policy=self.policy,
        )
        self.relays[name] = relay
        notify = notify_over(self.stores[name], self.clock, self.chance, self.carriers, relay)
        self._gateways[name] = Gateway(application(lambda: relay, lambda: notify, lambda: None), threads=1)

    def identity(self, name: str, *services: str) -> Identity:
        wallet = wallet_of(name)
        return Identity.create(name, wallet.address, wallet.sign, services or (RELAY,))

    def publish(self, identity: Identity) -> None:
        self.directory.add(identity.name, identity.address, identity.profile_record())

    def client(
        self,
        identity: Identity,
        *,
        outbox: Outbox | None = None,
        patience: Patience | None = None,
        revisions: tuple[Revision, ...] = (Revision.ENCRYPTED_MESSAGE_HASH,),
        older: tuple[Identity, ...] = (),
        live: LiveDialer | None = None,
        timing: LiveTiming | None = None,
    ) -> Dm3Client:
        settings = Settings(
            revisions=revisions,
            older=older,
            timing=timing or LiveTiming(),
            patience=patience or Patience(sleep=self.clock.sleep),
            clock_ms=self.clock.now_ms,
            entropy=self.chance,
        )
        return Dm3Client(
            identity,
            self.directory,
            self.transport,
            outbox=outbox,
            holdings=self.holdings,
            live=live or self.live,
            settings=settings,
        )

    def join(self, name: str, *services: str) -> Dm3Client:
        """A client whose profile is published and who has an account at each service."""
        identity = self.identity(name, *services)
        self.publish(identity)
        client = self.client(identity)
        client.register()
        return client

    def _answer(self, request: Request) -> Response:
        self.clock.time_ms += 1  # every exchange takes a moment, so that messages have an order
        for fault in self.faults:
            answer = fault(request)
            if answer is not None:
                return answer
        return self.ask(request)

    def ask(self, request: Request) -> Response:
        """The relay's own answer, past all faults."""
        url = urlsplit(request.url)
        assert url.hostname is not None
        path = url.path.removeprefix("/api")
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": request.method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": url.query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in request.headers.items()],
            "client": ("192.0.2.1", 1),
        }
        answer = self._gateways[url.hostname].answer(scope, request.body)
        headers = {name.decode().lower(): value.decode() for name, value in answer.headers}
        return Response(answer.status, answer.body, headers)


def down(host: str) -> Fault:
    """Nobody answers at `host`."""

    def fault(request: Request) -> Response | None:
        if urlsplit(request.url).hostname == host:
            raise ConnectionRefusedError
        return None

    return fault


def answering(response: Response, *, containing: bytes = b"", path: str = "", times: int = 10_000) -> Fault:
    """`response` to the first `times` requests whose body and URL contain these."""
    left = [times]

    def fault(request: Request) -> Response | None:
        if left[0] == 0 or containing not in request.body or path not in request.url:
            return None
        left[0] -= 1
        return response

    return fault
