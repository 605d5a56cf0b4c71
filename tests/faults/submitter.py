"""A relay in a process of its own that accepts one message after another until it is killed.

`python -m tests.faults.submitter`: the first line of standard input is the JSON of a `Plan`; every accepted
message is told in a line on standard output, and nothing else.
"""

from __future__ import annotations

import base64
import json
import sys
from dataclasses import asdict, dataclass
from itertools import count
from typing import Any

from chalicelib.client.identity import Identity
from chalicelib.names.http_transport import HttpTransport
from chalicelib.protocol.crypto import KeyPair
from chalicelib.relay.settings import RelayKeys, RelaySecrets
from chalicelib.store.tables import TableNames
from tests.faults.ground import BUCKET, PREFIX, RELAY_NAME, clients
from tests.faults.people import Person
from tests.faults.world import Ground, World

SECRETS = ("index_key", "storage_key", "session_key")


@dataclass(frozen=True, slots=True)
class Plan:
    """What another process needs to be the same relay. `life` begins the texts of its messages."""

    life: str
    aws_url: str
    rpc_url: str
    keys: dict[str, dict[str, str]]
    secrets: dict[str, str]
    alice: dict[str, Any]
    bob: dict[str, Any]

    @classmethod
    def of(cls, world: World, life: str) -> Plan:
        """The plan for another process of this world's relay."""
        ground, secrets = world.ground, world.secrets
        assert ground.aws_url is not None
        return cls(
            life=life,
            aws_url=ground.aws_url,
            rpc_url=ground.rpc_url,
            keys={"encryption": asdict(ground.keys.encryption), "signing": asdict(ground.keys.signing)},
            secrets={name: base64.b64encode(getattr(secrets, name)).decode() for name in SECRETS},
            alice=dict(ground.alice.identity.to_json()),
            bob=dict(ground.bob.identity.to_json()),
        )

    def world(self) -> World:
        """The relay, in this process."""
        dynamodb, s3 = clients(self.aws_url)
        ground = Ground(
            aws_url=self.aws_url,
            rpc_url=self.rpc_url,
            dynamodb=dynamodb,
            s3=s3,
            tables=TableNames.with_prefix(PREFIX),
            bucket=BUCKET,
            transport=HttpTransport(self.rpc_url),
            relay_name=RELAY_NAME,
            keys=RelayKeys(**{name: KeyPair(**pair) for name, pair in self.keys.items()}),
            alice=Person(Identity.parse(self.alice)),
            bob=Person(Identity.parse(self.bob)),
        )
        decoded = {name: base64.b64decode(key) for name, key in self.secrets.items()}
        return World(
            ground, secrets=RelaySecrets(decoded["index_key"], decoded["storage_key"], decoded["session_key"])
        )


def main() -> None:
    """Submit until killed."""
    plan = Plan(**json.loads(sys.stdin.readline()))
    world = plan.world()
    for number in count():
        text = f"{plan.life} {number}"
        world.submit(text)
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
