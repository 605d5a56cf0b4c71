"""A relay on this machine over plain HTTP, people on its chain, and envelopes made with the protocol alone.

For tests that want many people, or frames and bodies in their own hands.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import urllib3

from chalicelib.client.ens import ens_directory
from chalicelib.client.identity import Identity
from chalicelib.client.wallet import Wallet
from chalicelib.foundation import SystemChance, SystemClock
from chalicelib.names.http_transport import HttpTransport as ChainOverHttp
from chalicelib.protocol.delivery_information import DeliveryInformation
from chalicelib.protocol.envelope import Envelope, build_envelope
from chalicelib.protocol.json_types import JsonObject
from chalicelib.protocol.message import build_message
from chalicelib.protocol.profile import USER_PROFILE_RECORD
from chalicelib.protocol.signing import sign
from infra.local.serve import LocalRelay

WITHIN_S = 60.0


class Refused(Exception):
    """The relay has answered with another status than success."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"answered {status}: {text}")
        self.status = status


class RelayOverHttp:
    """The relay over HTTP. Safe for use by several threads."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool = urllib3.PoolManager(maxsize=16, timeout=WITHIN_S, retries=False)

    def ask(self, method: str, path: str, body: object = None, token: str | None = None) -> Any:  # noqa: ANN401 - JSON
        """The answer's JSON. Raises Refused."""
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        if body is not None:
            headers["content-type"] = "application/json"
        content = None if body is None else json.dumps(body).encode()
        response = self._pool.request(method, self._url + path, body=content, headers=headers)
        text = response.data.decode()
        if not 200 <= response.status < 300:
            raise Refused(response.status, text)
        return json.loads(text) if text.startswith(("{", "[", '"')) else text

    def settle(self, identity: Identity) -> str:
        """Open the account and sign in; the token."""
        self.ask("POST", f"/profile/{identity.name}", identity.signed_profile.to_json())
        return self.sign_in(identity)

    def sign_in(self, identity: Identity) -> str:
        """A token."""
        name = identity.name
        challenge = self.ask("GET", f"/auth/{name}")
        signature = sign(identity.keys.signing.private_key, challenge)
        return str(self.ask("POST", f"/auth/{name}", {"challenge": challenge, "signature": signature}))

    def submit(self, envelope: str) -> str:
        """The hash in the receipt."""
        asked = {"jsonrpc": "2.0", "id": 1, "method": "dm3_submitMessage", "params": [envelope]}
        answer = self.ask("POST", "/rpc", asked)
        return str(answer["result"]["messageHash"])

    def inbox(self, name: str, token: str) -> Iterator[str]:
        """The hashes of everything that waits."""
        cursor, more = "", True
        while more:
            page = self.ask("GET", f"/inbox/{name}{cursor}", token=token)
            for message in page["messages"]:
                yield hash_of(message["envelope"])
            cursor, more = f"?cursor={page['cursor']}", page["more"]


def hash_of(envelope: JsonObject) -> str:
    """What the receipt names, too."""
    metadata = envelope["metadata"]
    assert isinstance(metadata, dict)
    return str(metadata["encryptedMessageHash"])


def seal(sender: Identity, receiver: Identity, text: str, relay_key: str) -> Envelope:
    """A message in an envelope for the relay with that public key."""
    signing_key = sender.keys.signing.private_key
    message = build_message(
        to=receiver.name,
        from_=sender.name,
        message=text,
        timestamp_ms=SystemClock().now_ms(),
        signing_private_key=signing_key,
    )
    return build_envelope(
        message,
        receiver_encryption_key=receiver.keys.encryption.public_key,
        delivery_service_encryption_key=relay_key,
        signing_private_key=signing_key,
        delivery_information=DeliveryInformation(receiver.name, sender.name),
        entropy=SystemChance(),
    )


def person(relay: LocalRelay, name: str) -> Identity:
    """Somebody whose name and profile are on the chain."""
    wallet = Wallet.create(SystemChance())
    identity = Identity.create(name, wallet.address, wallet.sign, [relay.relay_name])
    relay.chain.register(name, wallet.address, texts={USER_PROFILE_RECORD: identity.profile_record()})
    return identity


def relay_key(relay: LocalRelay) -> str:
    """The relay's public key, as its name tells."""
    node = ChainOverHttp(relay.rpc_url)
    directory = ens_directory(
        node, local=True, clock_ms=SystemClock().now_ms, universal_resolver=relay.universal_resolver
    )
    profile = directory.delivery_service(relay.relay_name, fresh=True)
    assert profile is not None
    return profile.public_encryption_key
