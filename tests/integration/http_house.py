"""A relay in memory behind the laptop's gateway, and a caller that speaks HTTP to it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from chalicelib.api.application import application
from chalicelib.notify.service import Notify
from chalicelib.protocol.errors import Unavailable
from chalicelib.protocol.signing import sign
from infra.local.gateway import Gateway
from infra.local.server import LoopbackServer
from tests.support.notifying import Carriers, notify_beside
from tests.unit.relay.world import Person, World


def signed(person: Person, text: str) -> str:
    """The person's signature by the profile key."""
    return sign(person.signing.private_key, text)


@dataclass(frozen=True)
class Heard:
    """An HTTP answer."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:  # noqa: ANN401 - any JSON
        return json.loads(self.body)


@dataclass
class House:
    """The world behind `url`. `down` makes the store's probe fail."""

    world: World
    url: str = ""
    down: bool = False
    carriers: Carriers = field(default_factory=Carriers)

    def notify(self) -> Notify:
        """What tells receivers, beside the world's relay as it is now."""
        return notify_beside(self.world, self.carriers)

    def probe(self) -> None:
        if self.down:
            raise Unavailable

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = None,
        raw: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Heard:
        """One request: `body` as JSON, or `raw` bytes."""
        sent = {"Content-Type": "application/json"} | (headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if body is not None:
            raw = json.dumps(body).encode()
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)
        try:
            connection.request(method, path, raw, sent)
            response = connection.getresponse()
            return Heard(response.status, response.headers, response.read())
        finally:
            connection.close()

    def rpc(self, method: str, params: object = (), **members: object) -> Heard:
        """A JSON-RPC request; without `id` among the members it is one of the reference's client."""
        return self.ask("POST", "/rpc", {"jsonrpc": "2.0", "method": method, "params": params, **members})

    def get(self, path: str, token: str | None = None) -> Heard:
        return self.ask("GET", path, token=token)

    def post(self, path: str, body: object, token: str | None = None) -> Heard:
        return self.ask("POST", path, body, token=token)

    def token(self, person: Person) -> str:
        """A session token, fetched over HTTP."""
        path = f"/auth/{quote(person.name)}"
        challenge = self.get(path).json
        answer = self.post(path, {"challenge": challenge, "signature": signed(person, challenge)})
        assert answer.status == 200
        token: str = answer.json
        return token


@contextmanager
def open_house(world: World | None = None) -> Iterator[House]:
    """Serve a world until the context ends."""
    house = House(world or World())
    gateway = Gateway(application(lambda: house.world.relay, house.notify, house.probe))
    with LoopbackServer() as server:
        server.start(gateway)
        house.url = server.url
        yield house
    gateway.close()
